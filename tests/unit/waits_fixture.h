/*
 * waits_fixture.h: a table of waits whose time is a number, and words for what is
 * asked, what ends and what the store is told.
 */
#ifndef DROPSTREAM_TEST_WAITS_FIXTURE_H
#define DROPSTREAM_TEST_WAITS_FIXTURE_H

#include "check.h"

#include "waits.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WAIT 8000
#define KEEP (WAIT + WANTS_GRACE_MS)
#define KEY "abcdefghijklmnopqrstuvwxyz"
#define VIDEO "aaaaaaaaaaaaaaaa"
#define OTHER_VIDEO "bbbbbbbbbbbbbbbb"
#define HERE "192.0.2.1"

struct fixture {
    struct waits *w;
    int64_t now;
    uint64_t id; /* of the last wait that began */
    struct wait *ended;
    struct wants_batch batch;
    char text[4096];
};

static inline int setup(void **state)
{
    const struct waits_limits limits = {
        .total = 40, .per_address = 20, .wait_ms = WAIT};
    struct fixture *f = calloc(1, sizeof(*f));

    f->now = 1000;
    assert_int_equal(waits_open(&limits, &f->w), RC_OK);
    *state = f;
    return 0;
}

static inline void forget(struct fixture *f)
{
    while (f->ended) {
        struct wait *next = f->ended->next;
        free(f->ended);
        f->ended = next;
    }
}

static inline int teardown(void **state)
{
    struct fixture *f = *state;

    forget(f);
    waits_close(f->w);
    free(f);
    return 0;
}

/* ---- who asks for what --------------------------------------------------------- */

static inline struct wait_ask video_ask(const char *sid, const char *address,
                                        const char *video, const char *file)
{
    struct wait_ask ask = {.viewer = viewer_of(address, NULL, sid, "agent")};
    char url[128];

    snprintf(url, sizeof(url), "/media/" KEY "/%s", file);
    assert_int_equal(media_path_parse(url, &ask.path), RC_OK);
    ask.kind = strncmp(file, "audio", 5) == 0 ? RENDITION_AUDIO : RENDITION_VIDEO;
    snprintf(ask.video_id, sizeof(ask.video_id), "%s", video);
    return ask;
}

static inline enum rc from(struct fixture *f, const char *address, const char *sid,
                           const char *file)
{
    struct wait_ask ask = video_ask(sid, address, VIDEO, file);

    return waits_add(f->w, f->now, &ask, f, &f->id, &f->ended);
}

/* A viewer with a session id, or without (NULL), begins to wait. */
static inline void asks(struct fixture *f, const char *sid, const char *file)
{
    assert_int_equal(from(f, HERE, sid, file), RC_OK);
}

static inline void came(struct fixture *f, const char *file)
{
    struct wait_ask ask = video_ask(NULL, NULL, VIDEO, file);

    waits_came(f->w, f->now, &ask.path, &f->ended);
}

/* There will be no more files where this one is. */
static inline void gone(struct fixture *f, const char *file)
{
    struct wait_ask ask = video_ask(NULL, NULL, VIDEO, file);

    waits_gone(f->w, f->now, &ask.path, &f->ended);
}

static inline void left(struct fixture *f, uint64_t id)
{
    waits_left(f->w, f->now, id, &f->ended);
}

/* ---- what becomes of it ---------------------------------------------------------- */

/* "replaced 360p-1/3 came 360p-1/5 ": the waits that ended since the last call. */
static inline const char *ended(struct fixture *f)
{
    static const char *const names[] = {"came", "gone", "replaced", "left", "expired"};
    size_t n = 0;

    f->text[0] = '\0';
    for (const struct wait *x = f->ended; x; x = x->next) {
        char file[MEDIA_FILE_MAX + 1];
        assert_ptr_equal(x->request, f);
        media_path_file(&x->ask.path, file);
        *strrchr(file, '.') = '\0';
        n += (size_t)snprintf(f->text + n, sizeof(f->text) - n, "%s %s ", names[x->end],
                              strchr(file, '/') + 1);
    }
    forget(f);
    return f->text;
}

static inline size_t put_demands(char *out, size_t size, char sign,
                                 const struct demand *d, size_t n)
{
    size_t len = 0;

    for (size_t i = 0; i < n; i++)
        len += (size_t)snprintf(out + len, size - len, "%c%s%s/%lld ", sign,
                                strcmp(d[i].video_id, VIDEO) == 0 ? "" : "other ",
                                d[i].rendition, (long long)d[i].segment);
    return len;
}

/* "+360p/3 -audio-0/1 ": what would be written now. */
static inline const char *begin_batch(struct fixture *f)
{
    size_t n;

    wants_batch(waits_wants(f->w), f->now, &f->batch);
    assert_int_equal(f->batch.keep_ms, KEEP);
    f->text[0] = '\0';
    n = put_demands(f->text, sizeof(f->text), '+', f->batch.add, f->batch.n_add);
    put_demands(f->text + n, sizeof(f->text) - n, '-', f->batch.drop, f->batch.n_drop);
    return f->text;
}

/* The same, and it is written. */
static inline const char *written(struct fixture *f)
{
    begin_batch(f);
    wants_written(waits_wants(f->w), true);
    return f->text;
}

static inline int64_t next_batch(const struct fixture *f)
{
    return wants_next_batch(waits_wants(f->w), f->now);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

#endif
