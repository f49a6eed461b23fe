#include "disk.h"

#include "encode.h"
#include "log.h"
#include "owner.h"
#include "playlists.h"
#include "room.h"
#include "store_disk.h"
#include "video_lists.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LOOK_MS 1000
#define COUNT_MS 5000 /* between sums over all videos, while anything changes */
#define REST_MS 10000
#define AT_ONCE 4        /* renditions that are put away in one turn of the loop */
#define MEASURE_TURN 512 /* files that are measured in one */
#define MIB ((int64_t)1 << 20)

/* A rendition that an older version made: how much there is of it. */
struct measuring {
    struct rendition_of which;
    int generation;
    int64_t next;  /* segment that is looked at */
    int64_t bytes; /* of those before */
};

struct disk {
    struct worker *w;
    struct loop_timer look;
    struct room room;
    bool settled;       /* nothing is left of what an older worker did, or had begun */
    bool changed;       /* since the sums were made … */
    int64_t counted_ms; /* … then; loop time */
    int64_t rest_until_ms;     /* loop time; nothing could be put away */
    struct rendition_of going; /* its segments are being removed … */
    bool removes; /* … and more of them are to go in the next turn, or … */
    struct sync_order *order; /* … its folder is being synced; NULL: it is not */
    struct measuring measuring;
    bool measures; /* more of it is to be looked at in the next turn */
};

/* ---- files ---------------------------------------------------------------- */

/* The folder of a rendition as the store has it. RC_NOT_FOUND: there is none. */
static enum rc open_folder(const struct worker *w, const struct rendition_of *which,
                           struct rendition *out, int *dir_fd)
{
    char folder[STORE_RENDITION_MAX + 16];
    struct video v;
    enum rc rc = store_video_get(w->store, which->video_id, &v);
    if (rc == RC_OK)
        rc = store_rendition(w->store, which->video_id, which->rendition, out);
    if (rc != RC_OK)
        return rc;
    playlists_folder(out, folder);
    return mediadir_open(&w->site, v.media_root, folder, false, dir_fd);
}

static bool is_same(const struct rendition_of *a, const struct rendition_of *b)
{
    return strcmp(a->video_id, b->video_id) == 0 &&
           strcmp(a->rendition, b->rendition) == 0;
}

/* RC_PENDING: more is to be looked at in the next turn. */
static enum rc measure_some(struct disk *d, const struct rendition_of *which)
{
    struct measuring *m = &d->measuring;
    struct rendition r;
    int dir_fd;
    enum rc rc = open_folder(d->w, which, &r, &dir_fd);
    if (rc == RC_NOT_FOUND)
        return store_rendition_measured(d->w->store, which, 0);
    if (rc != RC_OK)
        return rc;
    if (!is_same(&m->which, which) || m->generation != r.generation)
        *m = (struct measuring){.which = *which, .generation = r.generation};
    int64_t end =
        r.segments - m->next > MEASURE_TURN ? m->next + MEASURE_TURN : r.segments;
    m->bytes += segments_bytes(dir_fd, m->next, end);
    m->next = end;
    close(dir_fd);
    if (end < r.segments)
        return RC_PENDING;
    int64_t bytes = m->bytes;
    *m = (struct measuring){.bytes = 0};
    return store_rendition_measured(d->w->store, which, bytes);
}

/* ---- putting away ------------------------------------------------------------ */

static void complain(const struct worker *w, const char *what, enum rc rc)
{
    log_error("cannot %s: %s (%s)", what, rc_name(rc), store_message(w->store));
}

static void on_look(void *arg);

/* What was used is not any more, and is to be summed up before more goes. */
static enum rc finished_one(struct disk *d)
{
    d->changed = true;
    d->counted_ms = 0;
    return store_rendition_evicted(d->w->store, &d->going);
}

static void on_removed(void *arg, enum rc rc)
{
    struct disk *d = arg;
    d->order = NULL;
    if (rc == RC_OK)
        rc = finished_one(d);
    if (rc == RC_OK)
        loop_timer_set(d->w->loop, &d->look, 0, on_look, d);
    else
        complain(d->w, "put segments away", rc);
}

/* What it takes to play on stays: init segment and playlist. Segments that a loss of
 * power brings back, beside a row that knows of none, would be counted by nobody.
 * RC_PENDING: more are to go in the next turn, or the disk is waited for. */
static enum rc finish_one(struct disk *d)
{
    struct rendition r;
    int dir_fd;
    bool over;
    enum rc rc = open_folder(d->w, &d->going, &r, &dir_fd);
    if (rc == RC_NOT_FOUND)
        return finished_one(d);
    if (rc != RC_OK)
        return rc;
    rc = segments_remove_some(dir_fd, MEDIADIR_REMOVE_TURN, &over);
    if (rc != RC_OK || !over) {
        close(dir_fd);
        d->removes = rc == RC_OK;
        return rc == RC_OK ? RC_PENDING : rc;
    }
    rc = syncer_sync(d->w->syncer, &dir_fd, 1, on_removed, d, &d->order);
    return rc == RC_OK ? RC_PENDING : rc;
}

/* What was begun, by a worker that has died or by this one, one after the other. */
static enum rc finish_begun(struct disk *d)
{
    enum rc rc = d->order ? RC_PENDING : RC_OK;
    while (rc == RC_OK && (rc = store_evicting(d->w->store, &d->going)) == RC_OK)
        rc = finish_one(d);
    if (rc == RC_NOT_FOUND)
        return RC_OK;
    if (rc != RC_PENDING)
        complain(d->w, "put segments away", rc);
    return rc;
}

struct candidates {
    struct evictable *list;
    size_t n, room;
};

static enum rc take_candidate(void *arg, const struct evictable *e)
{
    struct candidates *c = arg;
    if (c->n == c->room) {
        size_t room = c->room ? 2 * c->room : 64;
        struct evictable *more = realloc(c->list, room * sizeof(*more));
        if (!more)
            return RC_NOMEM;
        c->list = more;
        c->room = room;
    }
    c->list[c->n++] = *e;
    return RC_OK;
}

static bool is_held(const struct worker *w, const struct rendition_of *which)
{
    for (const struct task *t = w->tasks; t; t = t->next)
        if (strcmp(t->job.video_id, which->video_id) == 0 &&
            strcmp(t->job.rendition, which->rendition) == 0)
            return true;
    return false;
}

/* The rows first, then the playlists that name it, then its files. A playlist that
 * waits for the disk is no harm: what is asked for of it is made again. */
static enum rc put_away(struct worker *w, const struct evictable *e)
{
    if (is_held(w, &e->which))
        return RC_OK;
    enum rc rc = store_rendition_evict(w->store, &e->which);
    if (rc == RC_CONFLICT)
        return RC_OK;
    if (rc != RC_OK)
        return rc;
    log_info("video %s: %s put away, %" PRId64 " MiB", e->which.video_id,
             e->which.rendition, e->bytes / MIB);
    lists_follow(w, e->which.video_id);
    return RC_OK;
}

/* *n: how many there were to go; no more than AT_ONCE of them do. */
static enum rc make_room(struct worker *w, int64_t wanted, size_t *n)
{
    struct candidates c = {NULL, 0, 0};
    enum rc rc = store_evictable_each(w->store, take_candidate, &c);
    *n = rc == RC_OK ? room_choose(c.list, c.n, wanted, w->clock.wall_ms(w->clock.ctx))
                     : 0;
    for (size_t i = 0; i < *n && i < AT_ONCE && rc == RC_OK; i++)
        rc = put_away(w, &c.list[i]);
    free(c.list);
    if (rc != RC_OK)
        complain(w, "make room", rc);
    return rc;
}

/* ---- looking ------------------------------------------------------------------- */

/* False: there is nothing left to measure. */
static bool measure_next(struct disk *d)
{
    struct rendition_of which;
    enum rc rc = store_unmeasured(d->w->store, &which);
    if (rc == RC_OK)
        rc = measure_some(d, &which);
    d->measures = rc == RC_PENDING;
    if (rc == RC_NOT_FOUND)
        d->measuring = (struct measuring){.bytes = 0};
    if (rc == RC_OK)
        d->changed = true;
    else if (rc != RC_NOT_FOUND && rc != RC_PENDING)
        complain(d->w, "measure what is there", rc);
    return rc != RC_NOT_FOUND;
}

/* Sums are made of what the tasks and others have told the store. */
static void count(struct disk *d)
{
    struct disk_use use;
    int64_t now = loop_now_ms();
    if (!d->changed && d->w->running == 0)
        return;
    if (d->counted_ms > 0 && now - d->counted_ms < COUNT_MS)
        return;
    enum rc rc = store_disk_count(d->w->store, &use);
    if (rc != RC_OK) {
        complain(d->w, "sum up what is used", rc);
        return;
    }
    d->counted_ms = now;
    d->changed = d->w->running > 0;
    d->room.media = use.media;
}

static void say(struct worker *w)
{
    char why[STORE_TEXT_MAX + 1];
    if (w->full)
        snprintf(why, sizeof(why),
                 "Less than %" PRId64
                 " MiB of the disk are free, which is its reserve: "
                 "nothing is made until there is room",
                 w->config.disk_reserve_mb);
    else
        snprintf(why, sizeof(why), "There is room on the disk again: the work goes on");
    enum rc rc = store_disk_pause(w->store, w->full, why);
    if (rc == RC_OK)
        log_warn("%s", why);
    else if (rc != RC_EXISTS)
        complain(w, "say that the disk is full, or has room", rc);
}

/* What writes little ends soon by itself. */
static void stop_storyboards(struct worker *w)
{
    for (struct task *t = w->tasks; t; t = t->next)
        if (t->job.kind == JOB_STORYBOARD)
            task_cancel(t);
}

static void follow_free(struct disk *d)
{
    struct worker *w = d->w;
    long long bytes;
    d->room.free = site_free_bytes(&w->site, &bytes) == RC_OK ? bytes : -1;
    bool is_short = room_is_short(&d->room, w->full);
    if (is_short == w->full)
        return;
    w->full = is_short;
    say(w);
    if (w->full)
        stop_storyboards(w);
    encode_schedule_soon(w);
    jobs_look_soon(w);
}

/* True: there is more to go, at once. Where nothing may go, that is not asked again and
 * again. */
static bool keep_room(struct disk *d)
{
    struct worker *w = d->w;
    int64_t wanted = room_wanted(&d->room), now = loop_now_ms();
    size_t n = 0;
    if (wanted == 0 || now < d->rest_until_ms)
        return false;
    enum rc rc = make_room(w, wanted, &n);
    d->settled &= rc == RC_OK && n == 0;
    if (rc == RC_OK && n > 0)
        rc = finish_begun(d);
    if ((rc != RC_OK && rc != RC_PENDING) || n == 0) {
        d->rest_until_ms = now + REST_MS;
        return false;
    }
    return n > AT_ONCE || d->removes;
}

static void on_look(void *arg)
{
    struct disk *d = arg;
    struct worker *w = d->w;
    follow_free(d);
    d->removes = d->measures = false;
    /* Only one worker may; whoever does is at it. */
    bool finished =
        owner_may_checkpoint(&w->site) && (d->settled || finish_begun(d) == RC_OK);
    d->settled = finished && (d->settled || !measure_next(d));
    count(d);
    bool more = finished ? keep_room(d) : d->removes;
    loop_timer_set(w->loop, &d->look, more || d->measures ? 0 : LOOK_MS, on_look, d);
}

void disk_changed(struct disk *d)
{
    d->changed = true;
}

enum rc disk_open(struct worker *w, struct disk **out)
{
    struct disk_use use;
    struct disk *d = calloc(1, sizeof(*d));
    if (!d)
        return RC_NOMEM;
    *d = (struct disk){.w = w,
                       .changed = true,
                       .room = {.reserve = w->config.disk_reserve_mb * MIB,
                                .budget = w->config.media_budget_mb * MIB}};
    /* What was said before this start is not said again. */
    if (store_disk_use(w->store, &use) == RC_OK)
        w->full = use.paused;
    on_look(d);
    *out = d;
    return RC_OK;
}

void disk_close(struct disk *d)
{
    if (!d)
        return;
    loop_timer_cancel(d->w->loop, &d->look);
    syncer_forget(d->order);
    free(d);
}
