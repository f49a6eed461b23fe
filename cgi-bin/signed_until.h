/*
 * signed_until.h: something that is true until a time, in the hands of a client: who
 * has given the password of a share, say. Nothing is kept of it here; it is signed.
 */
#ifndef DROPSTREAM_SIGNED_UNTIL_H
#define DROPSTREAM_SIGNED_UNTIL_H

#include "secret.h"

#include <stdbool.h>
#include <stdint.h>

#define SIGNED_UNTIL_MAX (20 + 1 + 2 * SECRET_HASH_SIZE) /* bytes */

/*
 * "<until>.<HMAC>" of said and until (s, wall clock), by key. said names what it is for
 * and about whom; it is no secret. Its hash is signed, so that it may be of any length.
 */
void signed_until_make(const uint8_t key[SECRET_KEY_SIZE], const char *said,
                       int64_t until_s, char out[SIGNED_UNTIL_MAX + 1]);

/* True if value was made by key of the same said, and its time has not come. NULL is
 * not. */
bool signed_until_check(const uint8_t key[SECRET_KEY_SIZE], const char *said,
                        const char *value, int64_t now_s);

#endif
