/* multipart_log.h: what the parser said, as text that tests can compare. */
#ifndef DROPSTREAM_TEST_MULTIPART_LOG_H
#define DROPSTREAM_TEST_MULTIPART_LOG_H

#include "check.h"

#include "multipart.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

struct log {
    char *text;
    size_t size, room;
    const char *stop_at; /* the event that answers RC_STOPPED, or NULL */
    size_t data_calls;
    const char *data_at; /* of the latest part_data */
};

static void log_add(struct log *log, const void *text, size_t n)
{
    if (log->size + n + 1 > log->room) {
        log->room = (log->size + n + 1) * 2;
        log->text = realloc(log->text, log->room);
        assert_non_null(log->text);
    }
    memcpy(log->text + log->size, text, n);
    log->size += n;
    log->text[log->size] = '\0';
}

static void log_string(struct log *log, const char *s)
{
    log_add(log, s == NULL ? "-" : s, s == NULL ? 1 : strlen(s));
}

static enum rc answer(const struct log *log, const char *event)
{
    return log->stop_at != NULL && strcmp(log->stop_at, event) == 0 ? RC_STOPPED
                                                                    : RC_OK;
}

static enum rc on_begin(void *arg, const struct multipart_part *part)
{
    log_string(arg, "<");
    log_string(arg, part->name);
    log_string(arg, "|");
    log_string(arg, part->filename);
    log_string(arg, "|");
    log_string(arg, part->content_type);
    log_string(arg, ">");
    return answer(arg, "begin");
}

static enum rc on_data(void *arg, const void *data, size_t n)
{
    struct log *log = arg;

    assert_true(n > 0);
    log->data_calls++;
    log->data_at = data;
    log_add(log, data, n);
    return answer(log, "data");
}

static enum rc on_end(void *arg)
{
    log_string(arg, "</>");
    return answer(arg, "end");
}

static struct multipart *opened(const char *boundary, struct log *log)
{
    struct multipart_events events = {on_begin, on_data, on_end, log};
    struct multipart *m = NULL;

    *log = (struct log){.stop_at = log->stop_at};
    log_string(log, "");
    assert_int_equal(multipart_open(boundary, &events, &m), RC_OK);
    return m;
}

/* Feeds from a buffer of exactly n bytes, so that a read past it is found. */
static inline enum rc feed_exact(struct multipart *m, const char *data, size_t n)
{
    char *copy = malloc(n > 0 ? n : 1);
    enum rc rc;

    assert_non_null(copy);
    memcpy(copy, data, n);
    rc = multipart_feed(m, copy, n);
    free(copy);
    return rc;
}

#endif
