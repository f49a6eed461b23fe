/*
 * id.h: random names that the server makes, and those of uploads.
 *
 * Ids name rows and spool files; keys are capabilities: who has one may watch.
 * Both are RFC 4648 section 6 base32 in lower case without padding, so they are
 * safe as a path component and in a URL.
 */
#ifndef DROPSTREAM_ID_H
#define DROPSTREAM_ID_H

#include "rc.h"

#include <stdbool.h>
#include <stddef.h>

#define ID_LEN 16  /* 80 random bits */
#define KEY_LEN 26 /* 130 random bits, at least the 128 a capability needs */

/* A new id or key from getrandom(2). RC_IO if the kernel gives no randomness. */
enum rc id_new(char out[ID_LEN + 1]);
enum rc key_new(char out[KEY_LEN + 1]);

/* True if s is exactly one id (or key) and nothing else. NULL is not. */
bool id_valid(const char *s);
bool key_valid(const char *s);

/* len such letters and a NUL, five random bits each. RC_IO as above; RC_TOO_LARGE: over
 * ID_LETTERS_MAX. */
#define ID_LETTERS_MAX 64
enum rc id_letters(char *out, size_t len);

/* True if s is len of them and nothing else. NULL is not. */
bool id_letters_valid(const char *s, size_t len);

/*
 * An upload's name, under which it goes on: 32 hexadecimal digits, 128 random bits that
 * the client or the server chooses. It never becomes a file name.
 */
#define UPLOAD_ID_LEN 32

/* A new one, in lower case. RC_IO as above. */
enum rc upload_id_new(char out[UPLOAD_ID_LEN + 1]);

/* text in lower case. RC_INVALID: it is not 32 hexadecimal digits and nothing else. */
enum rc upload_id_read(const char *text, char out[UPLOAD_ID_LEN + 1]);

#endif
