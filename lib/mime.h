/*
 * mime.h: the syntax of Content-Type and Content-Disposition: a word, then
 * parameters "; name=value" (RFC 2045 section 5.1, RFC 2183 section 2).
 *
 * Works on bytes in memory and gives views of them. No I/O, no allocation.
 */
#ifndef DROPSTREAM_MIME_H
#define DROPSTREAM_MIME_H

#include "rc.h"

#include <stdbool.h>
#include <stddef.h>

/* Views into the header; a quoted value is without its quotes, but not decoded. */
struct mime_param {
    const char *name;
    size_t name_size;
    const char *value;
    size_t value_size;
    bool quoted;
};

bool mime_is_blank(char c); /* space or tab */

/* What header and parameter names are made of (RFC 9110 section 5.6.2). */
bool mime_is_token_char(char c);

/* True if the n bytes at text are word, in any case of ASCII letters. */
bool mime_equals(const char *text, size_t n, const char *word);

/*
 * True if the header value [*p, end) is word, alone or with parameters; then *p is
 * moved behind it.
 */
bool mime_main_value(const char **p, const char *end, const char *word);

/*
 * The next parameter of [*p, end), *p being moved behind it and its ';', so that
 * mime_decode may write over the value. RC_NOT_FOUND at the end; RC_INVALID: no
 * name, no '=', no value, an open quote. A value without quotes may have any byte but
 * ';', '"' and blanks: senders are not strict about tokens.
 */
enum rc mime_next_param(const char **p, const char *end, struct mime_param *out);

/*
 * Decodes a value of n bytes where it stands and writes a NUL after it: value[n] must
 * be writable. In a quoted one a backslash escapes a quote or a backslash only, since
 * browsers do not escape it, and %22, %0D and %0A are a quote, CR and LF: those that
 * the HTML standard ("multipart/form-data encoding algorithm") makes browsers write.
 * Any other percent is itself.
 */
void mime_decode(char *value, size_t n, bool quoted);

#endif
