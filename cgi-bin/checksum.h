/*
 * checksum.h: whether the bytes of a chunk are those that its sender summed up. The
 * hashes are nettle's.
 */
#ifndef DROPSTREAM_CHECKSUM_H
#define DROPSTREAM_CHECKSUM_H

#include "rc.h"
#include "tus_headers.h"

#include <stdbool.h>
#include <stddef.h>

/* "md5,sha1,…": the algorithms there are, for Tus-Checksum-Algorithm. */
extern const char checksum_algorithms[];

struct checksum;

/*
 * For bytes that shall have the digest; the caller owns *out. RC_UNSUPPORTED: not one
 * of the algorithms. RC_INVALID: a digest of another length than the algorithm's.
 * RC_NOMEM.
 */
enum rc checksum_open(const struct tus_checksum *wanted, struct checksum **out);

void checksum_update(struct checksum *c, const void *data, size_t n);

/* True if the bytes so far have the digest. Once only, at the end. */
bool checksum_matches(struct checksum *c);

/* NULL is legal. */
void checksum_free(struct checksum *c);

#endif
