/* cutter_got.h: runs the cutter over bytes and keeps what it says. */
#ifndef DROPSTREAM_TEST_CUTTER_GOT_H
#define DROPSTREAM_TEST_CUTTER_GOT_H

#include "boxes.h"
#include "cutter.h"

#include <stdbool.h>

#define GOT_SEGMENTS_MAX 8

struct got_segment {
    uint64_t decode_time, frames;
    int64_t offset;
    struct bytes data;
    bool ended;
};

struct got {
    int inits;
    struct bytes init;
    uint32_t timescale;
    struct got_segment segments[GOT_SEGMENTS_MAX];
    size_t n;
    int calls;
    int fail_at; /* this call, from 1, is answered with RC_NOSPACE; 0: none */
};

static inline enum rc answer(struct got *got)
{
    return ++got->calls == got->fail_at ? RC_NOSPACE : RC_OK;
}

static inline enum rc got_init(void *arg, const uint8_t *data, size_t n,
                               uint32_t timescale)
{
    struct got *got = arg;
    got->inits++;
    got->timescale = timescale;
    bytes_add(&got->init, data, n);
    return answer(got);
}

static inline enum rc got_begin(void *arg, const struct cutter_fragment *f)
{
    struct got *got = arg;
    assert_in_range(got->n, 0, GOT_SEGMENTS_MAX - 1);
    got->segments[got->n++] = (struct got_segment){
        .decode_time = f->decode_time, .offset = f->offset, .frames = f->frames};
    return answer(got);
}

static inline enum rc got_data(void *arg, const uint8_t *data, size_t n)
{
    struct got *got = arg;
    assert_true(got->n > 0 && n > 0 && !got->segments[got->n - 1].ended);
    bytes_add(&got->segments[got->n - 1].data, data, n);
    return answer(got);
}

static inline enum rc got_end(void *arg)
{
    struct got *got = arg;
    assert_true(got->n > 0 && !got->segments[got->n - 1].ended);
    got->segments[got->n - 1].ended = true;
    return answer(got);
}

static inline struct cutter *cutter_for(struct got *got)
{
    struct cutter_events events = {got_init, got_begin, got_data, got_end, got};
    struct cutter *c = NULL;
    assert_int_equal(cutter_open(&events, &c), RC_OK);
    return c;
}

static inline void got_free(struct got *got)
{
    bytes_free(&got->init);
    for (size_t i = 0; i < got->n; i++)
        bytes_free(&got->segments[i].data);
    *got = (struct got){0};
}

/* Feeds n bytes, the first cut of them at once and the rest in pieces of step. */
static inline enum rc feed(struct cutter *c, const uint8_t *p, size_t n, size_t cut,
                           size_t step)
{
    enum rc rc = cutter_feed(c, p, cut);
    for (size_t at = cut; at < n; at += step)
        rc = cutter_feed(c, p + at, n - at < step ? n - at : step);
    return rc;
}

static inline enum rc run(const struct bytes *b, size_t cut, size_t step,
                          struct got *got)
{
    struct cutter *c = cutter_for(got);
    enum rc rc = feed(c, b->p, b->n, cut, step);
    enum rc finished = cutter_finish(c);
    if (rc != RC_OK)
        assert_int_equal(finished, rc);
    cutter_free(c);
    return finished;
}

static inline enum rc run_whole(const struct bytes *b)
{
    struct got got = {0};
    enum rc rc = run(b, b->n, 1, &got);
    got_free(&got);
    return rc;
}

#endif
