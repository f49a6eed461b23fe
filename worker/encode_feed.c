/*
 * encode_feed.c: an encode whose source is still coming in: how much of it can be made
 * yet, and the runs that are given its bytes as they arrive.
 */
#include "encode.h"

#include "arrival.h"
#include "feeder.h"
#include "log.h"
#include "plan.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A run that has had nothing to read for so long gives its slot to others. */
#define STARVING_MS 300

/* ---- how much can be made ---------------------------------------------------- */

/* True if that has changed. */
static bool take_reach(const struct task *t, const struct arrival *a)
{
    struct encode *e = t->state;
    int64_t reach = e->reach;
    bool asleep = e->asleep;
    int64_t us = arrival_reach_us(a, e->rendition.stream);
    /* The last of an open-ended one are not known before it was looked at as a whole.
     */
    if (!e->open || us != ARRIVAL_ALL)
        e->reach = e->rendition.copied ? arrival_segments_copied(us, &e->bounds)
                                       : arrival_segments(us, &e->grid);
    int64_t most = plan_segments_max(arrival_size(a));
    /* Where the file's size was known, the plan was held to that. */
    if ((e->open || t->video.size < 0) && e->reach > most)
        e->reach = most;
    e->asleep = arrival_is_asleep(a);
    return e->reach != reach || e->asleep != asleep;
}

/* Once: the header does not change, and telling takes a walk over all of its tables. */
static void read_keyframes(struct task *t, const struct arrival *a)
{
    struct encode *e = t->state;
    struct seek_points *sp;
    bool needed = e->rendition.kind == RENDITION_VIDEO && !e->points && !e->header_read;
    e->header_read = true;
    if (!needed || seek_points_open(&sp) != RC_OK)
        return;
    if (arrival_keyframes(a, e->rendition.stream, sp) == RC_OK)
        seek_points_finish(sp, &e->rendition, t->video.container, &e->points);
    seek_points_free(sp);
}

void encode_begin_arriving(struct task *t)
{
    struct encode *e = t->state;
    const struct arrival *a = task_arrival(t);
    e->arriving = t->video.state == VIDEO_RECEIVING || e->open;
    e->asleep = true; /* until it is known better */
    e->reach = e->promised;
    if (!e->arriving || !a)
        return;
    take_reach(t, a);
    encode_promise(t);
    read_keyframes(t, a);
}

/* ---- runs that are fed --------------------------------------------------------- */

static void on_starving_long(void *arg)
{
    struct encode_run *r = arg;
    const struct encode *e = r->t->state;
    /* It was still working when its upload fell asleep. */
    if (e->asleep && !r->stopped)
        encode_run_stop(r);
    encode_schedule_soon(r->t->w);
}

static void on_starving(void *arg, bool starving)
{
    struct encode_run *r = arg;
    bool was = encode_run_starves(r);
    encode_run_idle(r, starving);
    supervise_starve(r->child, starving);
    if (starving)
        loop_timer_set(r->t->w->loop, &r->starving_long, STARVING_MS, on_starving_long,
                       r);
    else
        loop_timer_cancel(r->t->w->loop, &r->starving_long);
    if (was)
        encode_schedule_soon(r->t->w);
}

bool encode_run_starves(const struct encode_run *r)
{
    return r->starving && loop_now_ms() - r->starving_ms >= STARVING_MS;
}

/* A run that has to find out by itself where its source ends is not told of its end,
 * but stopped: the last picture and the last sound are for one that knows the grid. */
static void tell_feeder(struct encode_run *r)
{
    int64_t moved = feeder_moved(r->feeder);
    feeder_arrived(r->feeder, arrival_size(r->arrival),
                   arrival_is_whole(r->arrival) && !r->open);
    /* What fits into the pipe is work all the same. */
    if (r->starving && feeder_moved(r->feeder) > moved)
        on_starving(r, true);
}

enum rc encode_feed_start(struct encode_run *r)
{
    struct feeder_spec spec = {.loop = r->t->w->loop,
                               .pipe_fd = supervise_take_stdin(r->child),
                               .file_fd = arrival_fd(r->arrival),
                               .starving = on_starving,
                               .arg = r};
    spec.head = arrival_head(r->arrival, &spec.head_size, &spec.offset);
    enum rc rc = feeder_open(&spec, &r->feeder);
    if (rc != RC_OK) {
        close(spec.pipe_fd);
        return rc;
    }
    tell_feeder(r);
    return RC_OK;
}

void encode_feed_end(struct encode_run *r)
{
    loop_timer_cancel(r->t->w->loop, &r->starving_long);
    feeder_close(r->feeder);
    r->feeder = NULL;
    arrival_let_go(r->arrival);
    r->arrival = NULL;
}

/* ---- what arrives ---------------------------------------------------------------- */

/* A program that would wait for who knows how long only takes memory. */
static void stop_sleepers(struct encode *e)
{
    for (struct encode_run *r = e->runs; r; r = r->next)
        if (r->feeder && r->starving && !r->stopped)
            encode_run_stop(r);
}

/* One that has not begun yet finds it all when it does. */
static bool is_of(const struct task *t, const char *video_id)
{
    const struct encode *e = t->state;
    return task_encodes(t) && !e->look && !t->cancelled &&
           strcmp(t->video.id, video_id) == 0;
}

/* No program may have any more of its source. When that is whole, its probe has the
 * last word, and t another turn if that lets it pass. t may be gone afterwards. */
static void leave_refused(struct task *t, const char *why)
{
    const struct encode *e = t->state;
    if (e->ending != ENCODE_GOES_ON)
        return;
    encode_end(t, ENCODE_LATER, why);
    encode_settle(t);
}

void encode_arrived(struct worker *w, const struct arrival *a)
{
    bool changed = false;
    for (struct task *t = w->tasks, *next; t; t = next) {
        struct encode *e = t->state;
        next = t->next;
        if (!is_of(t, arrival_id(a)))
            continue;
        if (arrival_refusal(a)) {
            leave_refused(t, arrival_refusal(a));
            continue;
        }
        changed |= take_reach(t, a);
        encode_promise(t);
        for (struct encode_run *r = e->runs; r; r = r->next)
            if (r->feeder && r->arrival == a)
                tell_feeder(r);
        if (e->asleep)
            stop_sleepers(e);
    }
    if (changed)
        encode_schedule_soon(w);
}

/* The source of t was stored meanwhile. */
static void take_whole(struct task *t, const struct video *v)
{
    struct encode *e = t->state;
    bool ended = e->open && v->duration_us >= 0;
    t->video = *v;
    if (ended && encode_end_open(t) != RC_OK)
        encode_end(t, ENCODE_LATER, "The end of the video could not be read.");
    e->arriving = e->open;
    e->asleep = e->open;
    /* What could not be decoded may not have been there. */
    memset(e->trouble, 0, (size_t)e->rendition.segments);
    e->hard_places = 0;
    e->troubled = false;
    if (ended)
        encode_settle(t);
    else
        encode_schedule_soon(t->w);
}

void encode_refresh(struct worker *w)
{
    struct video v;
    for (struct task *t = w->tasks, *next; t; t = next) {
        struct encode *e = t->state;
        next = t->next;
        if (!is_of(t, t->video.id) || (t->video.state != VIDEO_RECEIVING && !e->open))
            continue;
        if (task_arrival(t)) {
            if (!e->header_read) /* a new worker has just found it again */
                encode_begin_arriving(t);
            continue;
        }
        if (store_video_get(w->store, t->video.id, &v) == RC_OK &&
            v.state != VIDEO_RECEIVING &&
            (t->video.state == VIDEO_RECEIVING || v.duration_us >= 0))
            take_whole(t, &v);
    }
}
