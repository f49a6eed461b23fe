/*
 * share_proof.h: what a client is given that has told the password of a share, and what
 * it is given to be let through to media in strict mode. Both are signed by the site's
 * key and end by themselves; a new password, or none, makes all proofs of before void.
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

/* ---- strict mode --------------------------------------------------------------- */

/* Adds the cookie by which media are let through that are reached by the share's key,
 * and by nothing else; where the share may be embedded also from within a frame of
 * another site, as long as there is TLS. */
void share_proof_set_media_cookie(const uint8_t key[SECRET_KEY_SIZE], struct request *r,
                                  const struct share *share, int64_t now_s);

/* True if r has that cookie for this media key; *until_s: how long it does. */
bool share_proof_check_media(const uint8_t key[SECRET_KEY_SIZE],
                             const struct request *r, const char *media_key,
                             int64_t now_s, int64_t *until_s);

#endif
