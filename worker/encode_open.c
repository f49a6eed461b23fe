/*
 * encode_open.c: an encode of an open-ended video: its upload does not tell how long it
 * is before its last byte has come and all of it was looked at.
 *
 * Until then the rendition is as long as a timeline may get, and its playlist promises
 * what has arrived, and more as it comes. Invariant: every promised segment is whole,
 * so that it is the same when the end is known.
 */
#include "encode.h"

#include "log.h"
#include "plan.h"
#include "playlists.h"

#include <inttypes.h>
#include <stdio.h>

#define PROMISE_MS 1000 /* between two playlists of a rendition */
#define AWAITED_MS 50   /* between two looks whether somebody still waits */

void encode_open_begin(struct task *t)
{
    struct encode *e = t->state;
    struct rendition *r = &e->rendition;
    e->open = true;
    e->promised = r->segments;
    plan_open_grid(r, t->w->config.max_duration_s * 1000000, &e->grid);
    r->frames = e->grid.frames;
    r->segments = grid_segments(&e->grid);
}

int64_t encode_promised_done(const struct encode *e)
{
    int64_t n = 0;
    if (!e->open)
        return e->have.done;
    for (int64_t k = 0; k < e->promised; k++)
        n += segments_has(&e->have, k);
    return n;
}

static void on_promise(void *arg)
{
    encode_promise(arg);
}

static void on_growing(void *arg);

/* The store first: what a playlist names is known to whoever is asked for it. */
static void promise(struct task *t, int64_t segments)
{
    struct encode *e = t->state;
    struct rendition r = e->rendition;
    r.segments = segments;
    r.frames = segments * r.gop;
    enum rc rc = store_job_promise(t->w->store, &t->job, segments);
    if (rc == RC_CONFLICT || rc == RC_FENCED)
        return; /* the end is known, or another worker's: see encode_refresh */
    if (rc == RC_OK) {
        e->promised = segments;
        task_changed(t, false);
        rc = playlists_write_media(&t->w->site, t->w->staging, t->video.media_root, &r,
                                   true);
    }
    if (rc == RC_PENDING)
        staging_wait(t->w->staging, &e->growing, NULL, on_growing, t);
    else if (rc != RC_OK)
        log_warn("video %s: its playlist cannot grow: %s", t->video.id, rc_name(rc));
}

/* Just what was staged, whatever has come since: or a slow disk would never see one. */
static void on_growing(void *arg)
{
    struct task *t = arg;
    const struct encode *e = t->state;
    if (t->cancelled || !e->open)
        return;
    promise(t, e->promised);
    encode_promise(t);
}

void encode_promise(struct task *t)
{
    struct encode *e = t->state;
    int64_t since_ms = loop_now_ms() - e->promised_ms;
    if (!e->open || e->reach <= e->promised || e->promise.is_set || e->growing.waits)
        return;
    /* Playlists that never stand still would never agree. */
    if (staging_is_awaited(t->w->staging, t->video.id)) {
        loop_timer_set(t->w->loop, &e->promise, AWAITED_MS, on_promise, t);
        return;
    }
    if (e->promised_ms > 0 && since_ms < PROMISE_MS) {
        loop_timer_set(t->w->loop, &e->promise, PROMISE_MS - since_ms, on_promise, t);
        return;
    }
    e->promised_ms = loop_now_ms();
    promise(t, e->reach);
}

/* What reads a pipe would wait for more for ever; what reads the file goes on: it was
 * told to make whole segments only. */
static void stop_open_runs(struct encode *e)
{
    for (struct encode_run *r = e->runs; r; r = r->next)
        if (r->open && !r->stopped)
            encode_run_stop(r);
}

/* What is there is known, and more than is promised by now is none of it. */
static void shorten(struct encode *e, int64_t segments)
{
    char name[32];
    int64_t k = segments, size;
    while ((k = segments_next_present(&e->have, k)) < e->have.total) {
        snprintf(name, sizeof(name), "%" PRId64 ".m4s", k);
        if (segments_measure(e->dir_fd, name, &size) == RC_OK && size > 0)
            e->have.bytes -= size;
        segments_lose(&e->have, k);
    }
    e->have.total = segments;
}

enum rc encode_end_open(struct task *t)
{
    struct encode *e = t->state;
    struct rendition r;
    enum rc rc = encode_find_rendition(t, &r);
    if (rc == RC_OK &&
        (r.generation != e->rendition.generation || r.segments > e->have.total))
        rc = RC_NOT_FOUND;
    if (rc != RC_OK)
        return rc;
    stop_open_runs(e);
    shorten(e, r.segments);
    e->rendition = r;
    e->grid.frames = r.frames;
    e->open = false;
    loop_timer_cancel(t->w->loop, &e->promise);
    staging_forget(t->w->staging, &e->growing);
    joblog_note(t->log, "its end is known: %" PRId64 " segments, %" PRId64 " exist",
                r.segments, e->have.done);
    return RC_OK;
}
