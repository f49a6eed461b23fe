#include "encode.h"

#include "log.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* ffmpeg's exit status when more frames failed to decode than -max_error_rate. */
#define EXIT_DAMAGED 69

/* ---- what a run gives --------------------------------------------------- */

/* RC_OK if init.mp4 holds exactly these bytes. */
static enum rc same_init(int dir_fd, const uint8_t *data, size_t n)
{
    enum rc rc = RC_CONFLICT;
    uint8_t *old = malloc(n + 1);
    int fd = openat(dir_fd, "init.mp4", O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (!old)
        rc = RC_NOMEM;
    else if (fd >= 0 && read(fd, old, n + 1) == (ssize_t)n && memcmp(old, data, n) == 0)
        rc = RC_OK;
    if (fd >= 0)
        close(fd);
    free(old);
    return rc;
}

static enum rc on_init(void *arg, const uint8_t *data, size_t n, uint32_t timescale)
{
    struct encode_run *r = arg;
    struct encode *e = r->t->state;
    enum rc rc = RC_OK;
    r->timescale = timescale;
    if (!e->have.has_init)
        rc = mediafile_put(r->t->w->tmp_fd, e->dir_fd, "init.mp4", data, n, false);
    if (e->have.has_init || rc == RC_EXISTS)
        rc = same_init(e->dir_fd, data, n);
    if (rc == RC_OK)
        e->have.has_init = true;
    r->wrong_init = rc == RC_CONFLICT;
    return rc;
}

/* RC_STOPPED: the run has come to where finished segments begin. */
static enum rc on_segment_begin(void *arg, uint64_t decode_time, uint64_t frames)
{
    struct encode_run *r = arg;
    const struct encode *e = r->t->state;
    uint64_t ticks = 0;
    enum rc rc = grid_segment_ticks(&e->grid, r->k, r->timescale, &ticks);
    if (rc != RC_OK || ticks != decode_time ||
        frames != (uint64_t)grid_segment_frames(&e->grid, r->k)) {
        joblog_note(r->t->log,
                    "segment %" PRId64 ": decode time %" PRIu64 " (promised %" PRIu64
                    "), %" PRIu64 " frames (promised %d)",
                    r->k, decode_time, ticks, frames,
                    grid_segment_frames(&e->grid, r->k));
        return RC_INVALID;
    }
    if (segments_has(&e->have, r->k))
        return RC_STOPPED;
    return mediafile_begin(r->t->w->tmp_fd, &r->file);
}

static enum rc on_segment_data(void *arg, const uint8_t *data, size_t n)
{
    struct encode_run *r = arg;
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

static enum rc on_segment_end(void *arg)
{
    struct encode_run *r = arg;
    struct encode *e = r->t->state;
    char name[32];
    int64_t bytes = r->file.size;
    snprintf(name, sizeof(name), "%" PRId64 ".m4s", r->k);
    enum rc rc = mediafile_publish(r->t->w->tmp_fd, &r->file, e->dir_fd, name, false);
    if (rc != RC_OK && rc != RC_EXISTS)
        return rc;
    segments_add(&e->have, r->k, bytes);
    encode_published(r);
    r->k++;
    r->worked_ms = 0;
    r->since_ms = loop_now_ms();
    return r->k < r->end && is_met(r) ? RC_STOPPED : RC_OK;
}

static enum rc on_output(void *arg, const void *data, size_t n)
{
    struct encode_run *r = arg;
    return cutter_feed(r->cutter, data, n);
}

/* ---- its end ------------------------------------------------------------ */

static void warn_damaged(struct task *t)
{
    const struct encode *e = t->state;
    enum rc rc = store_video_warn(t->w->store, t->video.id,
                                  e->rendition.kind == RENDITION_AUDIO
                                      ? "Parts of the sound are damaged."
                                      : "Parts of the picture are damaged.");
    if (rc != RC_OK)
        log_warn("video %s: cannot keep a warning: %s", t->video.id, rc_name(rc));
}

/* A place in a damaged file may have nothing to decode; an earlier one has. True if the
 * next run from there is to read from further back. */
static bool go_further_back(const struct encode_run *r)
{
    struct encode *e = r->t->state;
    if (r->k > r->from || r->from == 0)
        return false;
    if (e->hard_from != r->from) {
        e->hard_from = r->from;
        e->lead = LEAD_USUAL;
    }
    if (e->lead == LEAD_ALL)
        return false;
    e->lead++;
    return true;
}

static void failed(struct encode_run *r, const struct supervise_end *end)
{
    struct task *t = r->t;
    struct encode *e = t->state;
    char how[STORE_TEXT_MAX + 1], sentence[STORE_TEXT_MAX + 1];
    bool exited = end->reason == SUPERVISE_EXITED && WIFEXITED(end->status);
    task_explain(t, end, how, sizeof(how));
    joblog_note(t->log, "%s", how);
    if (end->reason == SUPERVISE_REFUSED && end->refusal == RC_NOSPACE) {
        encode_end(t, ENCODE_NO_SPACE, "The disk is full.");
        return;
    }
    if (exited && go_further_back(r)) {
        joblog_note(t->log, "trying segment %" PRId64 " from further back", r->from);
        return;
    }
    if (e->have.done == 0)
        snprintf(sentence, sizeof(sentence), "The %s could not be decoded. %.400s",
                 e->rendition.kind == RENDITION_AUDIO ? "sound" : "picture", how);
    else
        snprintf(sentence, sizeof(sentence), "Encoding stopped before its end. %.400s",
                 how);
    e->undecodable = exited;
    encode_end(t, ENCODE_FAILED, sentence);
}

static void judge(struct encode_run *r, const struct supervise_end *end, enum rc cut)
{
    bool exited = end->reason == SUPERVISE_EXITED && WIFEXITED(end->status);
    bool met = end->reason == SUPERVISE_REFUSED && end->refusal == RC_STOPPED;
    bool complete = exited && cut == RC_OK && r->k >= r->end;
    if (exited && WEXITSTATUS(end->status) == EXIT_DAMAGED && r->k > r->from)
        warn_damaged(r->t);
    joblog_note(r->t->log, "run %d at %" PRId64 ": made %" PRId64 " segments, %s",
                r->number, r->from, r->k - r->from,
                r->stopped ? "stopped"
                : complete ? "complete"
                : met      ? "met finished ones"
                           : "failed");
    if (r->wrong_init)
        encode_end(r->t, ENCODE_START_OVER, "");
    else if (!r->stopped && !met && !complete)
        failed(r, end);
}

static void unlink_run(struct encode *e, struct encode_run *r)
{
    struct encode_run **p = &e->runs;
    while (*p != r)
        p = &(*p)->next;
    *p = r->next;
    e->n_runs--;
}

static void on_end(void *arg, const struct supervise_end *end)
{
    struct encode_run *r = arg;
    struct task *t = r->t;
    r->child = NULL;
    mediafile_abandon(t->w->tmp_fd, &r->file);
    enum rc cut = cutter_finish(r->cutter);
    cutter_free(r->cutter);
    unlink_run(t->state, r);
    if (!t->cancelled)
        judge(r, end, cut);
    free(r);
    encode_settle(t);
}

/* ---- starting, pausing and stopping --------------------------------------- */

static enum rc spawn(struct encode_run *r)
{
    struct task *t = r->t;
    struct encode *e = t->state;
    struct args_source src;
    char path[PATH_MAX];
    double rate = t->video.rate_den ? (double)t->video.rate_num / t->video.rate_den : 0;
    struct args_run what = {.from = r->from,
                            .end = r->end,
                            .lead = r->from == e->hard_from ? e->lead : LEAD_USUAL,
                            .seek_us = e->seek_us ? e->seek_us[r->from] : 0};
    struct cutter_events events = {on_init, on_segment_begin, on_segment_data,
                                   on_segment_end, r};
    enum rc rc = task_source(t, t->w->config.ffmpeg, path, &src);
    if (rc == RC_OK)
        rc = args_encode(&src, &e->rendition, rate, &what, &t->args);
    if (rc == RC_OK)
        rc = cutter_open(&events, &r->cutter);
    if (rc == RC_OK)
        rc = task_spawn(t, t->w->config.stall_s * 1000, 0, on_output, on_end, r,
                        &r->child);
    return rc;
}

enum rc encode_run_start(struct task *t, int64_t from, int64_t end)
{
    struct encode *e = t->state;
    struct encode_run *r = calloc(1, sizeof(*r));
    if (!r)
        return RC_NOMEM;
    *r = (struct encode_run){
        .t = t, .file = {.fd = -1}, .from = from, .end = end, .k = from};
    r->number = ++e->runs_so_far;
    r->started_ms = r->since_ms = loop_now_ms();
    r->wanted_ms = -1;
    enum rc rc = spawn(r);
    if (rc != RC_OK) {
        cutter_free(r->cutter);
        free(r);
        return rc;
    }
    r->next = e->runs;
    e->runs = r;
    e->n_runs++;
    return RC_OK;
}

int64_t encode_run_worked_ms(const struct encode_run *r)
{
    return r->worked_ms + (r->paused ? 0 : loop_now_ms() - r->since_ms);
}

void encode_run_pause(struct encode_run *r, bool pause)
{
    if (r->paused == pause)
        return;
    r->worked_ms = encode_run_worked_ms(r);
    r->since_ms = loop_now_ms();
    r->paused = pause;
    supervise_pause(r->child, pause);
}

void encode_run_stop(struct encode_run *r)
{
    r->stopped = true;
    supervise_stop(r->child, true);
}
