/*
 * arrivals.c: which uploads are followed, and the one descriptor that tells of their
 * growth.
 */
#include "arrival_priv.h"

#include "encode.h"
#include "log.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

#define MEMORY_MAX (INT64_C(256) << 20) /* bytes, of the indices of all uploads */
#define MISSING_MS 50       /* until the next look for a file that is not there yet, */
#define MISSING_MAX_MS 5000 /* and at most, as it may never come */

struct arrival *arrivals_find(const struct arrivals *all, const char *video_id)
{
    struct arrival *a = all ? all->list : NULL;
    while (a && (!a->receiving || strcmp(a->video.id, video_id) != 0))
        a = a->next;
    return a && a->state == HEADER_KNOWN ? a : NULL;
}

bool arrivals_counts(const struct arrivals *all, const char *video_id)
{
    const struct arrival *a = all ? all->list : NULL;
    while (a && (!a->counting || strcmp(a->video.id, video_id) != 0))
        a = a->next;
    return a != NULL;
}

static void on_inotify(void *arg)
{
    struct arrivals *all = arg;
    char buf[4096] __attribute__((aligned(8)));
    ssize_t n;
    while ((n = read(all->inotify_fd, buf, sizeof(buf))) > 0) {
        for (ssize_t at = 0; at + (ssize_t)sizeof(struct inotify_event) <= n;) {
            const struct inotify_event *ev = (const void *)(buf + at);
            at += (ssize_t)(sizeof(*ev) + ev->len);
            for (struct arrival *a = all->list; a; a = a->next) {
                if (a->watch != ev->wd)
                    continue;
                a->watch = -1;
                arrival_look_soon(a);
            }
        }
    }
}

/* ---- which there are ------------------------------------------------------------ */

static void on_retry(void *arg)
{
    arrivals_look(arg);
}

/* The row comes a moment before the file; where that is lost, ever less often. */
static void retry_later(struct arrivals *all)
{
    if (all->retry.is_set)
        return;
    all->retry_ms = all->retry_ms ? 2 * all->retry_ms : MISSING_MS;
    if (all->retry_ms > MISSING_MAX_MS)
        all->retry_ms = MISSING_MAX_MS;
    loop_timer_set(all->w->loop, &all->retry, all->retry_ms, on_retry, all);
}

static void begin(struct arrivals *all, const struct video *v)
{
    struct arrival *a = calloc(1, sizeof(*a));
    if (!a)
        return;
    *a = (struct arrival){.next = all->list,
                          .all = all,
                          .video = *v,
                          .fd = -1,
                          .watch = -1,
                          .grown_ms = loop_now_ms(),
                          .told_us = -1,
                          .receiving = true};
    all->list = a;
    enum rc rc = arrival_open(a);
    if (rc == RC_OK) {
        all->retry_ms = 0;
        arrival_look(a);
        return;
    }
    arrival_remove(a);
    if (rc == RC_NOT_FOUND)
        retry_later(all);
    else
        log_warn("video %s: cannot follow its upload: %s", v->id, rc_name(rc));
}

/* Of more than this the first ones. The others are looked at when they are whole, or
 * when there is room. */
struct roll {
    struct video seen[ARRIVALS_MAX];
    size_t n;
};

static enum rc call_roll(void *arg, const struct video *v)
{
    struct roll *roll = arg;
    if (roll->n < ARRIVALS_MAX)
        roll->seen[roll->n++] = *v;
    return RC_OK;
}

static bool is_on(const struct roll *roll, const char *id)
{
    for (size_t i = 0; i < roll->n; i++)
        if (strcmp(roll->seen[i].id, id) == 0)
            return true;
    return false;
}

static bool is_followed(const struct arrivals *all, const char *id)
{
    for (const struct arrival *a = all->list; a; a = a->next)
        if (a->receiving && strcmp(a->video.id, id) == 0)
            return true;
    return false;
}

static int followed(const struct arrivals *all)
{
    int n = 0;
    for (const struct arrival *a = all->list; a; a = a->next)
        n += a->receiving;
    return n;
}

/* One that nothing could be told of, until its index came. */
static void forget_hopeless(struct arrivals *all, const struct video *v)
{
    for (struct arrival *a = all->list, *next; a; a = next) {
        next = a->next;
        if (a->receiving && a->state == HEADER_HOPELESS && a->holders == 0 &&
            a->video.index_offset < 0 && v->index_offset >= 0 &&
            strcmp(a->video.id, v->id) == 0)
            arrival_remove(a);
    }
}

void arrivals_look(struct arrivals *all)
{
    static struct roll roll; /* large; the worker has one thread */
    roll.n = 0;
    if (store_video_each_receiving(all->w->store, call_roll, &roll) != RC_OK)
        return;
    for (struct arrival *a = all->list, *next; a; a = next) {
        next = a->next;
        if (a->receiving && !is_on(&roll, a->video.id))
            arrival_settle(a);
    }
    for (struct arrival *a = all->list; a; a = a->next) {
        if (!a->receiving)
            continue;
        arrival_tell(a); /* it may have got its plan */
        if (a->held_back)
            arrival_look(a);
    }
    for (size_t i = 0; i < roll.n; i++) {
        forget_hopeless(all, &roll.seen[i]);
        if (!is_followed(all, roll.seen[i].id) && followed(all) < ARRIVALS_MAX)
            begin(all, &roll.seen[i]);
    }
    encode_refresh(all->w);
}

int64_t arrivals_room(const struct arrivals *all)
{
    int64_t room = MEMORY_MAX;
    for (const struct arrival *a = all->list; a; a = a->next)
        room -= arrival_header_memory(a->header);
    return room > 0 ? room : 0;
}

enum rc arrivals_open(struct worker *w, struct arrivals **out)
{
    struct arrivals *all = calloc(1, sizeof(*all));
    if (!all)
        return RC_NOMEM;
    all->w = w;
    all->inotify_fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
    if (all->inotify_fd >= 0 &&
        loop_watch(w->loop, all->inotify_fd, on_inotify, all, &all->source) != RC_OK) {
        close(all->inotify_fd);
        all->inotify_fd = -1;
    }
    *out = all;
    return RC_OK;
}

void arrivals_close(struct arrivals *all)
{
    if (!all)
        return;
    loop_timer_cancel(all->w->loop, &all->retry);
    while (all->list)
        arrival_remove(all->list);
    loop_unwatch(all->w->loop, all->source);
    if (all->inotify_fd >= 0)
        close(all->inotify_fd);
    free(all);
}
