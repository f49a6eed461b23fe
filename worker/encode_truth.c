/*
 * encode_truth.c: what is on disk is what was promised, before anybody is told that it
 * is done. A segment was held against its promise when it was published; here it is
 * looked at once more, as others may have been at the files since, and other workers
 * before.
 */
#include "encode.h"

#include "bmff.h"
#include "io.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define MOOF BMFF_FOURCC('m', 'o', 'o', 'f')
#define AT_ONCE 4096 /* bytes: most of the moof boxes are smaller */

struct truth {
    struct task *t;
    void (*looked)(struct task *t, const char *why);
    struct loop_timer turn;
    uint8_t *room;      /* CUTTER_HEADER_MAX bytes */
    uint32_t timescale; /* of init.mp4; 0: not read yet */
    int64_t k;          /* the segment that is looked at … */
    int fd;             /* … while it is read */
    int64_t wrong;      /* the first that was something else; -1: none */
    int64_t *sizes;     /* of those before k */
};

static enum rc open_file(const struct encode *e, const char *name, int *out)
{
    int fd = openat(e->dir_fd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    *out = fd;
    if (fd >= 0)
        return RC_OK;
    return errno == ENOENT || errno == ELOOP ? RC_CONFLICT : rc_from_errno(errno);
}

/* RC_CONFLICT: it is none, or has another one than before. */
static enum rc read_timescale(struct truth *l)
{
    int fd;
    size_t n = 0;
    uint32_t timescale = 0;
    enum rc rc = open_file(l->t->state, "init.mp4", &fd);
    if (rc != RC_OK)
        return rc;
    rc = io_read_at(fd, l->room, CUTTER_HEADER_MAX, 0, &n);
    close(fd);
    if (rc == RC_OK && (cutter_timescale(l->room, n, &timescale) != RC_OK ||
                        (l->timescale > 0 && l->timescale != timescale)))
        rc = RC_CONFLICT;
    l->timescale = timescale;
    return rc;
}

/* A moof box of size bytes, of which n were read. */
static enum rc take_moof(struct truth *l, int64_t at, uint64_t size, size_t n,
                         int64_t *frames)
{
    struct cutter_fragment f;
    enum rc rc = RC_OK;
    if (size > CUTTER_HEADER_MAX)
        return RC_CONFLICT;
    if (size > n)
        rc = io_read_at(l->fd, l->room, (size_t)size, at, &n);
    if (rc != RC_OK)
        return rc;
    if (n < size || cutter_read_moof(l->room, (size_t)size, &f) != RC_OK)
        return RC_CONFLICT;
    if (*frames == 0 && !encode_cut_begins(l->t->state, l->k, l->timescale, &f))
        return RC_CONFLICT;
    if (f.frames > INT32_MAX)
        return RC_CONFLICT;
    *frames += (int64_t)f.frames;
    return RC_OK;
}

static enum rc read_segment(struct truth *l)
{
    int64_t at = 0, frames = 0;
    for (;;) {
        struct bmff_header h;
        size_t n = 0;
        enum rc rc = io_read_at(l->fd, l->room, AT_ONCE, at, &n);
        if (rc != RC_OK)
            return rc;
        if (n == 0)
            break;
        if (bmff_header(l->room, n, &h) != RC_OK || h.size == 0 || h.size > INT32_MAX)
            return RC_CONFLICT;
        if (h.type == MOOF)
            rc = take_moof(l, at, h.size, n, &frames);
        if (rc != RC_OK)
            return rc;
        at += (int64_t)h.size;
    }
    return frames == encode_segment_frames(l->t->state, l->k) ? RC_OK : RC_CONFLICT;
}

/* What others do at the same files by now must not be undone. */
static enum rc remove_wrong(struct truth *l, const char *name)
{
    struct encode *e = l->t->state;
    enum rc rc = store_job_check(l->t->w->store, &l->t->job);
    if (rc != RC_OK)
        return rc;
    unlinkat(e->dir_fd, name, 0);
    segments_lose(&e->have, l->k);
    task_changed(l->t, false);
    if (l->wrong < 0)
        l->wrong = l->k;
    return RC_OK;
}

static enum rc look_at(struct truth *l)
{
    const struct encode *e = l->t->state;
    char name[32];
    snprintf(name, sizeof(name), "%" PRId64 ".m4s", l->k);
    enum rc rc = segments_measure(e->dir_fd, name, &l->sizes[l->k]);
    if (rc == RC_OK)
        rc = l->sizes[l->k] < 0 ? RC_CONFLICT : open_file(e, name, &l->fd);
    if (rc == RC_OK) {
        rc = read_segment(l);
        close(l->fd);
    }
    return rc == RC_CONFLICT ? remove_wrong(l, name) : rc;
}

static void end(struct truth *l, enum rc rc)
{
    struct task *t = l->t;
    struct encode *e = t->state;
    void (*looked)(struct task *, const char *) = l->looked;
    char why[STORE_TEXT_MAX + 1] = "";
    if (rc == RC_CONFLICT)
        snprintf(why, sizeof(why), "What is on disk has lost its init.mp4.");
    else if (rc != RC_OK)
        snprintf(why, sizeof(why), "The segments could not be checked.");
    else if (l->wrong >= 0)
        snprintf(why, sizeof(why),
                 "Segment %" PRId64 " on disk is not what was promised.", l->wrong);
    if (!why[0]) {
        e->sizes = l->sizes;
        l->sizes = NULL;
        e->have.bytes = 0;
        for (int64_t k = 0; k < e->have.total; k++)
            e->have.bytes += e->sizes[k];
    }
    encode_truth_stop(e);
    looked(t, why[0] ? why : NULL);
}

/* init.mp4 is looked at before all others, and again behind them, as it may have gone
 * in between. */
static void on_turn(void *arg)
{
    struct truth *l = arg;
    const struct encode *e = l->t->state;
    int64_t total = e->have.total;
    enum rc rc = l->k == 0 ? read_timescale(l) : RC_OK;
    for (int i = 0; rc == RC_OK && i < ENCODE_TRUTH_TURN && l->k < total; i++) {
        rc = look_at(l);
        l->k++;
    }
    if (rc == RC_OK && l->k < total) {
        loop_timer_set(l->t->w->loop, &l->turn, 0, on_turn, l);
        return;
    }
    end(l, rc == RC_OK ? read_timescale(l) : rc);
}

enum rc encode_truth_start(struct task *t,
                           void (*looked)(struct task *t, const char *why))
{
    struct encode *e = t->state;
    struct truth *l = calloc(1, sizeof(*l));
    if (!l)
        return RC_NOMEM;
    *l = (struct truth){.t = t,
                        .looked = looked,
                        .room = malloc(CUTTER_HEADER_MAX),
                        .wrong = -1,
                        .sizes = calloc((size_t)e->have.total + 1, sizeof(*l->sizes))};
    e->truth = l;
    if (!l->room || !l->sizes) {
        encode_truth_stop(e);
        return RC_NOMEM;
    }
    loop_timer_set(t->w->loop, &l->turn, 0, on_turn, l);
    return RC_OK;
}

void encode_truth_stop(struct encode *e)
{
    struct truth *l = e->truth;
    if (!l)
        return;
    e->truth = NULL;
    loop_timer_cancel(l->t->w->loop, &l->turn);
    free(l->sizes);
    free(l->room);
    free(l);
}
