/*
 * http.h: the answers: JSON and errors, and which status says which outcome.
 *
 * Every error is {"error":{"code","message"}}: the code is for programs and never
 * changes, the message is a sentence for people. Nothing here may be cached.
 */
#ifndef DROPSTREAM_HTTP_H
#define DROPSTREAM_HTTP_H

#include "fcgi.h"
#include "rc.h"

#include <jansson.h>
#include <stddef.h>

struct http_error {
    int status;
    const char *code;    /* static */
    const char *message; /* static; a sentence */
};

/* How an outcome is said over HTTP; RC_OK has none and counts as an internal error. */
struct http_error http_error_of(enum rc rc);

/* {"error":{…}} as text, which the caller frees; NULL: out of memory. What is not
 * UTF-8 in message is left out. */
char *http_error_text(const char *code, const char *message);

/* Sends an error; message is a sentence. */
void http_refuse(struct request *r, int status, const char *code, const char *message);

/* Sends an error with, where it is not NULL, one more header. A 503 says by itself when
 * to come back, a 401 how to say who one is (RFC 6750); and none at /e/ is for a frame.
 */
void http_send_error(struct request *r, const struct http_error *error,
                     const struct header *extra);

/* Sends http_error_of(rc). */
void http_send_rc(struct request *r, enum rc rc);

/* 405 with the methods that the URL has ("GET, HEAD, POST"). */
void http_send_not_allowed(struct request *r, const char *allow);

/* Sends body and takes the reference (NULL: out of memory, a 503). location may be
 * NULL. */
void http_send_json(struct request *r, int status, json_t *body, const char *location);

/* Sends a status without a body. */
void http_send_empty(struct request *r, int status);

/*
 * The whole body, with a NUL after it; the caller frees *out. RC_NOT_FOUND: no length
 * was announced. RC_INVALID: the length is no number. RC_TOO_LARGE: over max bytes,
 * and nothing was read. RC_TRUNCATED: it broke off. RC_NOMEM.
 */
enum rc http_read_body(struct request *r, size_t max, char **out, size_t *n);

#endif
