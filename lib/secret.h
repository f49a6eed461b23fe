/*
 * secret.h: random secrets that are handed out, and what is kept of them.
 *
 * A secret is 52 letters of base32 (RFC 4648 s. 6, lower case, no padding), 260 random
 * bits. Whoever checks one keeps its SHA-256 alone: with so many random bits that is as
 * hard to turn round as the secret is to guess, so it needs no salt and no slow hash.
 */
#ifndef DROPSTREAM_SECRET_H
#define DROPSTREAM_SECRET_H

#include "rc.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SECRET_LEN 52
#define SECRET_HASH_SIZE 32 /* bytes */
#define SECRET_KEY_SIZE 32  /* bytes of a key for secret_sign */

/* A new one from getrandom(2). RC_IO if the kernel gives no randomness. */
enum rc secret_new(char out[SECRET_LEN + 1]);

/* True if s is exactly one secret and nothing else. NULL is not. */
bool secret_valid(const char *s);

/* SHA-256 of n bytes of text. */
void secret_hash(const void *text, size_t n, uint8_t out[SECRET_HASH_SIZE]);

/* HMAC-SHA-256 (RFC 2104) of n bytes, as 64 hexadecimal digits in lower case. */
void secret_sign(const uint8_t key[SECRET_KEY_SIZE], const void *text, size_t n,
                 char out[2 * SECRET_HASH_SIZE + 1]);

/* True if both strings are the same, in a time that tells only their lengths. */
bool secret_equal(const char *a, const char *b);

#endif
