#include "http.h"

#include "charset.h"
#include "json_text.h"

#include <stdlib.h>
#include <string.h>

#define NO_STORE                                                                       \
    {                                                                                  \
        "Cache-Control", "no-store"                                                    \
    }

/* The one place where an outcome becomes a status. */
static const struct http_error errors[RC_COUNT] = {
    [RC_NOMEM] = {503, "no_memory", "The server is short of memory. Try again."},
    [RC_IO] = {503, "io", "The server could not read or write its disk."},
    [RC_NOSPACE] = {507, "no_space", "The server's disk is full."},
    [RC_NOT_FOUND] = {404, "not_found", "There is nothing at this address."},
    [RC_EXISTS] = {409, "exists", "It is there already."},
    [RC_INVALID] = {400, "invalid", "The request is not well formed."},
    [RC_TOO_LARGE] = {413, "too_large", "This is more than the server takes."},
    [RC_UNSUPPORTED] = {415, "unsupported", "The server does not take this."},
    [RC_TRUNCATED] = {400, "truncated", "The request broke off before its end."},
    [RC_CONFLICT] = {409, "conflict", "The video's state does not allow this."},
    [RC_FENCED] = {409, "fenced", "Someone else has taken over."},
    [RC_BUSY] = {503, "busy", "The server is busy. Try again."},
    [RC_CORRUPT] = {503, "corrupt", "The server's database is damaged."},
    [RC_NETFS] = {503, "network_file_system",
                  "The server's database lies on a network file system."},
    [RC_STOPPED] = {503, "stopped", "The server is stopping. Try again."},
    [RC_PENDING] = {503, "pending", "The server waits for its disk. Try again."},
    [RC_REVOKED] = {401, "sign_in", "Sign in again: your rights have just changed."},
};
static const struct http_error internal = {503, "internal",
                                           "The server made a mistake."};

struct http_error http_error_of(enum rc rc)
{
    return (unsigned)rc < RC_COUNT && errors[rc].code ? errors[rc] : internal;
}

char *http_error_text(const char *code, const char *message)
{
    bool fine = charset_is_utf8(message, strlen(message));
    json_t *body = json_pack("{s:{s:s,s:s}}", "error", "code", code, "message",
                             fine ? message : "");
    char *out = json_text_write(body, JSON_COMPACT);

    json_decref(body);
    return out;
}

/* Answers with a JSON text and takes it; without one there is only the status. */
static void send_text(struct request *r, int status, char *text,
                      const struct header *extra)
{
    struct header headers[4] = {NO_STORE};
    size_t n = 1;

    if (text)
        headers[n++] = (struct header){"Content-Type", "application/json"};
    if (status == 401)
        headers[n++] = (struct header){"WWW-Authenticate", "Bearer"};
    if (extra)
        headers[n++] = *extra;
    request_answer(r, status, headers, n, text, text ? strlen(text) : 0);
    free(text);
}

void http_send_error(struct request *r, const struct http_error *error,
                     const struct header *extra)
{
    static const struct header retry = {"Retry-After", "2"};

    if (!extra && error->status == 503)
        extra = &retry;
    /* The server puts its own in place of it, but for pages of which it leaves it to
     * the program who may have them in a frame. */
    request_add_header(r, "Content-Security-Policy", "frame-ancestors 'none'");
    send_text(r, error->status, http_error_text(error->code, error->message), extra);
}

void http_refuse(struct request *r, int status, const char *code, const char *message)
{
    const struct http_error error = {status, code, message};

    http_send_error(r, &error, NULL);
}

void http_send_rc(struct request *r, enum rc rc)
{
    struct http_error error = http_error_of(rc);

    http_send_error(r, &error, NULL);
}

void http_send_not_allowed(struct request *r, const char *allow)
{
    static const struct http_error error = {405, "method_not_allowed",
                                            "This address does not have that method."};
    const struct header header = {"Allow", allow};

    http_send_error(r, &error, &header);
}

void http_send_json(struct request *r, int status, json_t *body, const char *location)
{
    const struct header header = {"Location", location};
    /* Twelve digits: more would show how a double is stored, 0.1 as
     * 0.10000000000000001. */
    char *text = json_text_write(body, JSON_COMPACT | JSON_REAL_PRECISION(12));

    json_decref(body);
    if (text)
        send_text(r, status, text, location ? &header : NULL);
    else
        http_send_rc(r, RC_NOMEM);
}

void http_send_empty(struct request *r, int status)
{
    const struct header no_store = NO_STORE;

    request_answer(r, status, &no_store, 1, NULL, 0);
}

enum rc http_read_body(struct request *r, size_t max, char **out, size_t *n)
{
    int64_t length;
    char *body;
    enum rc rc = request_content_length(r, &length);

    if (rc != RC_OK)
        return rc;
    if ((uint64_t)length > max)
        return RC_TOO_LARGE;
    body = malloc((size_t)length + 1);
    if (!body)
        return RC_NOMEM;
    if (request_read(r, body, (size_t)length) != (size_t)length) {
        free(body);
        return RC_TRUNCATED;
    }
    body[length] = '\0';
    *out = body;
    *n = (size_t)length;
    return RC_OK;
}
