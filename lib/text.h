/*
 * text.h: the few things done to text from outside before it is stored or shown.
 */
#ifndef DROPSTREAM_TEXT_H
#define DROPSTREAM_TEXT_H

#include <stdbool.h>
#include <stddef.h>

/* True if the n bytes are UTF-8 (RFC 3629: no overlong form, no surrogate, at most
 * U+10FFFF) without NUL, other C0 controls, DEL or C1 controls. */
bool text_is_clean(const char *s, size_t n);

/*
 * Copies src into dst (size bytes with the NUL): bytes that are not UTF-8 become
 * U+FFFD, control characters a space, spaces at both ends go, and what does not fit
 * is cut at a code point. size >= 1; always ends with a NUL. Returns the length
 * written. dst and src must not overlap.
 */
size_t text_clean(char *dst, size_t size, const char *src);

/* True for a number of 1 to max, which has at most five digits, without zeros before it
 * and with nothing else. */
bool text_is_number(const char *s, long max);

/* The part after the last '/' or '\\' (some browsers send a whole path). */
const char *text_basename(const char *s);

#endif
