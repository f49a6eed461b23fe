/*
 * share_proof.h: what a client is given that has told the password of a share. It is
 * signed by the site's key and ends by itself; a new password, or none, makes all
 * proofs of before void.
 */
#ifndef DROPSTREAM_SHARE_PROOF_H
#define DROPSTREAM_SHARE_PROOF_H

#include "fcgi.h"
#include "signed_until.h"
#include "store_grants.h"

#include <stdbool.h>
#include <stdint.h>

#define SHARE_PROOF_S (12 * 3600)

/* "Share-Password-Proof", the header for clients that keep no cookies. */
extern const char share_proof_header[];

/* That a client knows the password of a share. */
void share_proof_make(const uint8_t key[SECRET_KEY_SIZE], const struct share *share,
                      int64_t now_s, char out[SIGNED_UNTIL_MAX + 1]);

/* Adds the cookie with it to the answer; it goes to the share's own addresses alone. */
void share_proof_set_cookie(struct request *r, const struct share *share,
                            const char *proof);

/* True if the share has no password, or r proves by its cookie or header that it was
 * told. */
bool share_proof_check(const uint8_t key[SECRET_KEY_SIZE], const struct request *r,
                       const struct share *share, int64_t now_s);

#endif
