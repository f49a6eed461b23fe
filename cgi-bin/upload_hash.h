/*
 * upload_hash.h: the SHA-256 (FIPS 180-4) of an upload, computed of the bytes that come
 * in, not of those that a disk gives back; and how it is kept from one request to the
 * next.
 *
 * Invariant: it is that of the first `at` bytes of the upload. Where it is not known
 * how it began it stays unknown: then somebody else has to read the file. Pure.
 */
#ifndef DROPSTREAM_UPLOAD_HASH_H
#define DROPSTREAM_UPLOAD_HASH_H

#include "rc.h"
#include "store_uploads.h"

#include <nettle/sha2.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct upload_hash {
    struct sha256_ctx sha;
    int64_t at; /* bytes in it; -1: unknown */
};

void upload_hash_begin(struct upload_hash *h);
void upload_hash_lose(struct upload_hash *h);

/* The next n bytes. */
void upload_hash_add(struct upload_hash *h, const void *data, size_t n);

/* For upload_hash_load, in whatever process; out->n is 0 if it is unknown. */
void upload_hash_save(const struct upload_hash *h, struct hash_state *out);

/* RC_INVALID: that is none, or not all of one; then h is unknown. */
enum rc upload_hash_load(struct upload_hash *h, const struct hash_state *state);

/* False: it is not known of so many bytes. h can go on. */
bool upload_hash_digest(const struct upload_hash *h, int64_t size,
                        uint8_t out[SHA256_DIGEST_SIZE]);

#endif
