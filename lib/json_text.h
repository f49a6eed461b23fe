/*
 * json_text.h: JSON text (RFC 8259) from and to jansson's objects, where memory may run
 * out.
 *
 * jansson (2.14) does not look everywhere whether the buffer of a text could grow. What
 * it reads then lacks a byte, or its end, behind which jansson reads on; what it writes
 * lacks quotes. Nor does it tell a failed allocation from text that is no JSON. So here
 * a text is given up at the first allocation that fails. For that, json_text.c sees to
 * jansson's memory from the start of a program that has it; it is malloc's as before.
 */
#ifndef DROPSTREAM_JSON_TEXT_H
#define DROPSTREAM_JSON_TEXT_H

#include "rc.h"

#include <jansson.h>
#include <stddef.h>

/*
 * n bytes as json_loadb reads them, with its flags. *out is the caller's
 * (json_decref). RC_INVALID: not JSON, or not as the flags want it. RC_NOMEM. For any
 * thread.
 */
enum rc json_text_read(const char *bytes, size_t n, size_t flags, json_t **out);

/* As json_dumps, with its flags; the caller frees it. NULL: root is NULL, no array or
 * object, or there is no memory for it. For any thread, if root is its own. */
char *json_text_write(const json_t *root, size_t flags);

#endif
