/*
 * http_text.h: the texts inside a request: numbers, escapes, query strings, paths.
 *
 * Pure: text in, values out. Nothing here knows a request.
 */
#ifndef DROPSTREAM_HTTP_TEXT_H
#define DROPSTREAM_HTTP_TEXT_H

#include "rc.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The whole text as a decimal number of digits only, min..max. RC_INVALID. */
enum rc http_number(const char *text, int64_t min, int64_t max, int64_t *out);

/*
 * Undoes %XX (RFC 3986 s. 2.1) and, with plus, "+" for a space (as HTML forms write
 * it), in the n bytes at text. RC_INVALID: a broken escape or an escaped NUL.
 * RC_TOO_LARGE: out is too small for the text and its NUL.
 */
enum rc http_unescape(const char *text, size_t n, bool plus, char *out, size_t size);

/*
 * The decoded value of the first parameter called name in a query string. RC_NOT_FOUND.
 * RC_INVALID: also if it is not UTF-8 or holds a control character (out is scratch
 * then). RC_TOO_LARGE.
 */
enum rc http_param(const char *query, const char *name, char *out, size_t size);

/*
 * As http_param for a whole number min..max; *out stays as it is where the parameter
 * is missing, which is RC_OK. RC_INVALID.
 */
enum rc http_param_number(const char *query, const char *name, int64_t min, int64_t max,
                          int64_t *out);

/*
 * True if path has the form of pattern, in which one star stands for one segment that
 * is not empty. That segment goes to arg (size bytes; one that does not fit is no
 * match), which is written on a match only and may be NULL where there is no star.
 */
bool http_match(const char *pattern, const char *path, char *arg, size_t size);

/* Likewise for a pattern that may end with a second star, whose segment goes to rest.
 * Both are written on a match only. */
bool http_match_two(const char *pattern, const char *path, char *arg, size_t size,
                    char *rest, size_t rest_size);

#endif
