/*
 * charset.h: text of an encoding that nobody has named, as UTF-8.
 *
 * Pure. What comes out is always valid UTF-8, NULs among it; the caller frees it.
 */
#ifndef DROPSTREAM_CHARSET_H
#define DROPSTREAM_CHARSET_H

#include "rc.h"

#include <stdbool.h>
#include <stddef.h>

/* Bytes of the UTF-8 sequence (RFC 3629) that begins at s, of which n > 0 are left; 0
 * if there is none. */
size_t charset_utf8_length(const char *s, size_t n);

/* True if all of it is UTF-8. */
bool charset_is_utf8(const char *s, size_t n);

/* RFC 2781: after its byte order mark. True if there is one of UTF-16. */
bool charset_is_utf16(const char *s, size_t n);

/* Of UTF-16 with its byte order mark; half a pair of surrogates becomes U+FFFD.
 * RC_NOMEM. */
enum rc charset_from_utf16(const char *s, size_t n, char **out, size_t *out_n);

/* Of Windows-1252, in which every byte means something but five, which become U+FFFD.
 * RC_NOMEM. */
enum rc charset_from_1252(const char *s, size_t n, char **out, size_t *out_n);

/* Of UTF-8 with bytes that are none, each of which becomes U+FFFD. RC_NOMEM. */
enum rc charset_repair(const char *s, size_t n, char **out, size_t *out_n);

#endif
