/*
 * page_fixture.h: pages of api.fcgi without a server: a request that is asked by a
 * struct and whose answer is kept. In place of fcgi.c; a test has it instead.
 */
#ifndef DROPSTREAM_TEST_PAGE_FIXTURE_H
#define DROPSTREAM_TEST_PAGE_FIXTURE_H

#include "check.h"

#include "api.h"

#include <stdio.h>
#include <string.h>

struct request {
    const char *query;
    int status; /* 0: not answered */
    size_t n;
    char body[64 * 1024]; /* of the answer, with a NUL after it */
};

const char *request_method(const struct request *r)
{
    (void)r;
    return "GET";
}

const char *request_path(const struct request *r)
{
    (void)r;
    return "/";
}

const char *request_query(const struct request *r)
{
    return r->query;
}

const char *request_header(const struct request *r, const char *name)
{
    (void)r;
    (void)name;
    return NULL;
}

const char *request_peer(const struct request *r)
{
    (void)r;
    return "192.0.2.1";
}

bool request_is_secure(const struct request *r)
{
    (void)r;
    return false;
}

enum rc request_content_length(const struct request *r, int64_t *out)
{
    (void)r;
    (void)out;
    return RC_NOT_FOUND;
}

size_t request_read(struct request *r, void *buf, size_t n)
{
    (void)r;
    (void)buf;
    (void)n;
    return 0;
}

void request_add_header(struct request *r, const char *name, const char *value)
{
    (void)r;
    assert_non_null(name);
    assert_non_null(value);
}

void request_answer(struct request *r, int status, const struct header *headers,
                    size_t n_headers, const void *body, size_t body_size)
{
    (void)headers;
    (void)n_headers;
    assert_int_equal(r->status, 0);
    assert_true(body_size < sizeof(r->body));
    r->status = status;
    r->n = body_size;
    if (body_size > 0)
        memcpy(r->body, body, body_size);
    r->body[body_size] = '\0';
}

enum rc fcgi_begin(void)
{
    return RC_UNSUPPORTED;
}

#endif
