/*
 * encode_cut.c: what a run gives, cut into the segments that the playlist promised. A
 * segment is published when all its frames have come, and none that was not promised
 * is.
 */
#include "encode.h"

#include "log.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The times of a copy come from a list in whole microseconds, and from containers that
 * round to whole milliseconds. */
#define ROUNDED_US 1500

#define SEGMENT_HEADERS (1 << 20) /* bytes, and more */

/* RC_OK if init.mp4 holds exactly these bytes. RC_CONFLICT: others. */
static enum rc same_init(int dir_fd, const uint8_t *data, size_t n)
{
    uint8_t *old = malloc(n + 1);
    if (!old)
        return RC_NOMEM;
    int fd = openat(dir_fd, "init.mp4", O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    ssize_t got = fd >= 0 ? read(fd, old, n + 1) : -1;
    enum rc rc = got < 0 ? rc_from_errno(errno) : RC_CONFLICT;
    if (got == (ssize_t)n && memcmp(old, data, n) == 0)
        rc = RC_OK;
    if (fd >= 0)
        close(fd);
    free(old);
    return rc;
}

/* One of a run that had nothing to decode is made up, and says nothing: whether it is
 * wrong shows with the first picture. */
static enum rc on_init(void *arg, const uint8_t *data, size_t n, uint32_t timescale)
{
    struct encode_run *r = arg;
    struct encode *e = r->t->state;
    enum rc rc = RC_OK;
    r->timescale = timescale;
    if (!e->have.has_init)
        rc = mediafile_put(r->t->w->tmp_fd, e->dir_fd, "init.mp4", data, n);
    if (e->have.has_init || rc == RC_EXISTS)
        rc = same_init(e->dir_fd, data, n);
    if (rc == RC_OK)
        e->have.has_init = true;
    r->other_init = rc == RC_CONFLICT;
    return r->other_init ? RC_OK : rc;
}

/* ticks of a track in whole µs, rounded. */
static int64_t ticks_us(int64_t ticks, uint32_t timescale)
{
    int64_t s = ticks / timescale, rest = ticks % timescale;
    return s * 1000000 + (rest * 1000000 + timescale / 2) / timescale;
}

static enum rc broken(const struct encode_run *r, const struct cutter_fragment *f)
{
    joblog_note(r->t->log,
                "segment %" PRId64 " should begin at %" PRId64 " us and have %" PRId64
                " frames; decode time %" PRIu64 ", offset %" PRId64 ", %" PRIu64
                " frames after %" PRId64,
                r->k, encode_segment_us(r->t->state, r->k),
                encode_segment_frames(r->t->state, r->k), f->decode_time, f->offset,
                f->frames, r->frames);
    return RC_INVALID;
}

static int64_t shown_us(const struct cutter_fragment *f, uint32_t timescale)
{
    return ticks_us((int64_t)f->decode_time + f->offset, timescale);
}

bool encode_cut_begins(const struct encode *e, int64_t k, uint32_t timescale,
                       const struct cutter_fragment *f)
{
    uint64_t ticks = 0;
    if (e->rendition.copied)
        return llabs(shown_us(f, timescale) - encode_segment_us(e, k)) <= ROUNDED_US;
    return grid_segment_ticks(&e->grid, k, timescale, &ticks) == RC_OK &&
           ticks == f->decode_time;
}

/* A fragment of a grid's rendition is a whole segment, and begins where that does. */
static bool is_on_grid(const struct encode_run *r, const struct cutter_fragment *f)
{
    const struct encode *e = r->t->state;
    return encode_cut_begins(e, r->k, r->timescale, f) &&
           f->frames == (uint64_t)encode_segment_frames(e, r->k);
}

/* That of a copy is a group of pictures, some of which make a segment. */
static bool is_in_bounds(struct encode_run *r, const struct cutter_fragment *f)
{
    const struct encode *e = r->t->state;
    int64_t begin_us = encode_segment_us(e, r->k);
    r->passing_over = r->frames == 0 && r->k == r->from &&
                      shown_us(f, r->timescale) < begin_us - ROUNDED_US;
    if (r->passing_over)
        return true;
    if (r->frames == 0 && !encode_cut_begins(e, r->k, r->timescale, f))
        return false;
    return r->frames + (int64_t)f->frames <= encode_segment_frames(e, r->k);
}

/* RC_STOPPED: the run has come to where finished segments begin. One that has a leader
 * goes on as that does, and passes over what exists. */
static enum rc on_fragment_begin(void *arg, const struct cutter_fragment *f)
{
    struct encode_run *r = arg;
    const struct encode *e = r->t->state;
    r->passing_over = false;
    r->wrong_init = r->other_init;
    if (r->wrong_init)
        return RC_CONFLICT;
    if (e->rendition.copied ? !is_in_bounds(r, f) : !is_on_grid(r, f))
        return broken(r, f);
    if (r->passing_over)
        return RC_OK;
    if (r->frames == 0 && segments_has(&e->have, r->k)) {
        r->passing_over = r->leader != NULL;
        return r->leader ? RC_OK : RC_STOPPED;
    }
    enum rc rc = RC_OK;
    if (r->frames == 0) {
        r->bytes = 0;
        rc = mediafile_begin(r->t->w->tmp_fd, &r->file);
    }
    r->frames += (int64_t)f->frames;
    return rc;
}

/* No segment is larger: an encode has fewer bytes than its pictures or its samples, a
 * copy than its source. What goes beyond that is no encoder that works. */
static int64_t most_bytes(const struct encode_run *r)
{
    const struct encode *e = r->t->state;
    const struct rendition *v = &e->rendition;
    int64_t frames = encode_segment_frames(e, r->k);
    if (v->copied)
        return SEGMENT_HEADERS + (r->t->video.size > 0 ? r->t->video.size : INT32_MAX);
    if (v->kind == RENDITION_AUDIO)
        return SEGMENT_HEADERS + frames * GRID_AAC_FRAME * 4; /* 16 bits, stereo */
    return SEGMENT_HEADERS + frames * v->width * v->height * 3 / 2; /* 4:2:0 */
}

static enum rc on_fragment_data(void *arg, const uint8_t *data, size_t n)
{
    struct encode_run *r = arg;
    if (r->passing_over)
        return RC_OK;
    r->bytes += (int64_t)n;
    if (r->bytes > most_bytes(r)) {
        joblog_note(r->t->log, "segment %" PRId64 ": over %" PRId64 " bytes", r->k,
                    most_bytes(r));
        return RC_TOO_LARGE;
    }
    return mediafile_write(&r->file, data, n);
}

/* The next segment exists, or another run is at it: this one has done its part. */
static bool is_met(const struct encode_run *r)
{
    const struct encode *e = r->t->state;
    if (r->k >= r->end || segments_has(&e->have, r->k))
        return true;
    for (const struct encode_run *other = e->runs; other; other = other->next)
        if (other != r && !other->stopped && other->k == r->k)
            return true;
    return false;
}

static enum rc publish(struct encode_run *r)
{
    struct encode *e = r->t->state;
    char name[32];
    snprintf(name, sizeof(name), "%" PRId64 ".m4s", r->k);
    int64_t bytes = r->file.size;
    enum rc rc = mediafile_publish(r->t->w->tmp_fd, &r->file, e->dir_fd, name, false);
    if (rc != RC_OK && rc != RC_EXISTS)
        return rc;
    segments_add(&e->have, r->k);
    e->have.bytes += bytes;
    r->k++;
    r->frames = 0;
    encode_published(r->t);
    return RC_OK;
}

/* An encoder was told where to end, and is left to end by itself. */
static enum rc on_fragment_end(void *arg)
{
    struct encode_run *r = arg;
    const struct encode *e = r->t->state;
    if (r->passing_over) {
        r->k += r->leader != NULL;
        return RC_OK;
    }
    if (r->frames < encode_segment_frames(e, r->k))
        return RC_OK;
    enum rc rc = publish(r);
    if (rc != RC_OK || r->leader)
        return rc;
    bool ends = r->k >= (e->rendition.copied ? e->have.total : r->end);
    return !ends && is_met(r) ? RC_STOPPED : RC_OK;
}

enum rc encode_cut_open(struct encode_run *r)
{
    struct cutter_events events = {on_init, on_fragment_begin, on_fragment_data,
                                   on_fragment_end, r};
    return cutter_open(&events, &r->cutter);
}

enum rc encode_cut_feed(struct encode_run *r, const void *data, size_t n)
{
    int64_t before = r->k;
    enum rc rc = cutter_feed(r->cutter, data, n);
    if (r->k > before && !r->leader) {
        encode_measured(r, r->k - before, encode_run_worked_ms(r));
        r->worked_ms = 0;
        r->since_ms = loop_now_ms();
    }
    return rc;
}
