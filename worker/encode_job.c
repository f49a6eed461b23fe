/*
 * encode_job.c: makes every segment of one rendition, from the claim of the job to its
 * end. Which runs make them, and in what order, is decided for all jobs together; what
 * exists on disk is never made again, so a job that is taken over goes on where it was
 * left.
 */
#include "encode.h"

#include "bandwidth.h"
#include "log.h"
#include "playlist.h"
#include "playlists.h"
#include "video_lists.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define SYNC_MS 600000 /* for a slow disk to take what was written */

/* ---- the end of the job ------------------------------------------------- */

/* What was made, to be measured. */
struct made {
    const struct encode *e;
    const int64_t *sizes;
};

static int64_t made_us(const void *arg, int64_t k)
{
    const struct encode *e = ((const struct made *)arg)->e;
    return encode_segment_us(e, k + 1) - encode_segment_us(e, k);
}

static int64_t made_bytes(const void *arg, int64_t k)
{
    return ((const struct made *)arg)->sizes[k];
}

/* Peak and average of what was made, for the master playlist (RFC 8216 s. 4.3.4.2). */
static void measure(const struct encode *e, struct job_result *out)
{
    struct made made = {e, e->sizes};
    struct bandwidth_list list = {e->have.total, made_us, made_bytes, &made};
    int64_t target_s =
        e->rendition.copied ? bounds_target_s(&e->bounds) : playlist_target_s(&e->grid);
    out->bitrate = bandwidth_peak(&list, target_s);
    out->average_bitrate = bandwidth_average(&list);
}

/* Puts what was measured of the own rendition among all; false: the video was planned
 * again, and what there is is not of this job. */
static bool put_measured(const struct encode *e, struct rendition *all, size_t n,
                         const struct job_result *measured)
{
    for (size_t i = 0; i < n; i++) {
        struct rendition *r = &all[i];
        if (strcmp(r->name, e->rendition.name) != 0 ||
            r->generation != e->rendition.generation)
            continue;
        if (measured->bitrate > 0)
            r->bitrate = measured->bitrate;
        if (measured->average_bitrate > 0)
            r->average_bitrate = measured->average_bitrate;
        r->done = r->segments;
        return true;
    }
    return false;
}

/* RC_FENCED: they are not this job's to write. RC_PENDING as lists_write. Any other
 * failure leaves the old ones, which play. */
static enum rc rewrite_playlists(struct task *t, const struct job_result *measured)
{
    const struct encode *e = t->state;
    struct rendition all[STORE_RENDITIONS_MAX];
    size_t n = 0;
    enum rc rc = store_job_check(t->w->store, &t->job);
    if (rc == RC_OK)
        rc = store_renditions(t->w->store, t->video.id, all, &n);
    if (rc == RC_OK && !put_measured(e, all, n, measured))
        rc = RC_FENCED;
    if (rc == RC_OK)
        rc = lists_write(t->w, &t->video, all, n, e->open);
    if (rc != RC_OK && rc != RC_FENCED && rc != RC_PENDING)
        log_warn("video %s: cannot rewrite the playlists: %s", t->video.id,
                 rc_name(rc));
    return rc;
}

static enum rc on_sync_output(void *arg, const void *data, size_t n)
{
    (void)arg, (void)data, (void)n;
    return RC_OK;
}

/* The playlists are written before anybody is told that it is done, and looked at once
 * more after that: of jobs of one video that end at the same time, here or at other
 * workers, the last one finds in the store what was measured of all. */
static void finish(struct task *t)
{
    struct worker *w = t->w;
    struct job_result result = {.bitrate = 0};
    char id[ID_LEN + 1];
    measure(t->state, &result);
    enum rc rc = rewrite_playlists(t, &result);
    if (rc == RC_FENCED) {
        task_drop(t);
        return;
    }
    if (rc == RC_PENDING) {
        task_wait_staged(t, finish);
        return;
    }
    strcpy(id, t->video.id);
    task_done(t, &result);
    lists_follow(w, id);
}

static void on_synced(struct task *t, const struct supervise_end *end)
{
    char sentence[STORE_TEXT_MAX + 1];
    if (end->reason == SUPERVISE_EXITED && WIFEXITED(end->status) &&
        WEXITSTATUS(end->status) == 0) {
        finish(t);
        return;
    }
    task_explain(t, t->args.v[0], end, sentence, sizeof(sentence));
    task_retry(t, sentence);
}

static void on_looked(struct task *t, const char *why)
{
    char path[PATH_MAX];
    if (why) {
        task_retry(t, why);
        return;
    }
    /* sync(1) in a child: a slow disk must not hold up the loop. */
    enum rc rc = site_path(&t->w->site, "htdocs/media", path);
    if (rc == RC_OK)
        rc = args_sync(path, &t->args);
    if (rc == RC_OK)
        rc = task_run(t, SYNC_MS, SYNC_MS, on_sync_output, on_synced);
    if (rc != RC_OK)
        task_retry(t, "The segments could not be synced to disk.");
}

/* Nothing is said to be done before the files on disk prove it, and are there to stay.
 */
static void complete(struct task *t)
{
    if (encode_truth_start(t, on_looked) != RC_OK)
        task_retry(t, "The segments could not be checked.");
}

/* A sound that cannot be decoded must not take the picture with it. */
static void give_up(struct task *t)
{
    const struct encode *e = t->state;
    bool last_try = t->job.failures + 1 >= t->w->config.attempts;
    if (e->rendition.copied && !e->rendition.extra && (last_try || e->undecodable)) {
        encode_sound_anew(t);
        return;
    }
    if (!last_try || !e->undecodable || e->rendition.kind != RENDITION_AUDIO) {
        task_retry(t, e->sentence);
        return;
    }
    joblog_note(t->log, "%s", e->sentence);
    task_without(t, "The sound could not be decoded and was left out.");
}

/* No run is left. t is gone afterwards, or what it ends with is on its way. */
static void end_now(struct task *t)
{
    const struct encode *e = t->state;
    switch (e->ending) {
    case ENCODE_GOES_ON:
        return;
    case ENCODE_COMPLETE:
        complete(t);
        return;
    case ENCODE_FAILED:
        give_up(t);
        return;
    case ENCODE_LATER:
        task_postpone(t, e->sentence);
        return;
    case ENCODE_START_OVER:
        encode_start_over(t);
        return;
    }
}

static void stop_children(struct encode *e)
{
    for (struct encode_run *r = e->runs; r; r = r->next)
        encode_run_stop(r);
    if (e->scan)
        supervise_stop(e->scan, true);
}

void encode_end(struct task *t, enum encode_ending ending, const char *sentence)
{
    struct encode *e = t->state;
    if (e->ending != ENCODE_GOES_ON)
        return;
    e->ending = ending;
    snprintf(e->sentence, sizeof(e->sentence), "%s", sentence);
    stop_children(e);
}

static bool is_complete(const struct encode *e)
{
    return !e->open && e->have.done == e->have.total && e->have.has_init;
}

void encode_settle(struct task *t)
{
    struct encode *e = t->state;
    encode_schedule_soon(t->w);
    task_changed(t, false);
    if (e->ending == ENCODE_GOES_ON && !e->runs && is_complete(e))
        encode_end(t, ENCODE_COMPLETE, "");
    if (e->runs || e->scan)
        return;
    if (t->cancelled)
        task_drop(t);
    else
        end_now(t);
}

/* ---- on the way --------------------------------------------------------- */

/* A quarter of the new to three of the old: steady, and soon true after a change. */
static int64_t blend(int64_t old_ms, int64_t new_ms)
{
    int64_t ms = (3 * old_ms + new_ms) / 4;
    return ms > 0 ? ms : 1;
}

void encode_measured(const struct encode_run *r, int64_t n, int64_t worked_ms)
{
    struct encode *e = r->t->state;
    if (r->k - n > r->from)
        e->segment_ms = blend(e->segment_ms, worked_ms / n);
    else if (r->lead == LEAD_USUAL) /* others say nothing of the next one */
        e->start_ms = blend(e->start_ms, worked_ms);
}

/* Of an open-ended one, as much of what has arrived. */
static void tell_progress(struct task *t)
{
    const struct encode *e = t->state;
    double total = (double)(e->open ? e->promised : e->have.total);
    task_progress(t, (double)e->have.done / (total > 0 ? total : 1));
}

void encode_published(struct task *t)
{
    const struct encode *e = t->state;
    tell_progress(t);
    task_changed(t, e->have.done == 1);
    if (e->have.done == 1)
        jobs_look_soon(t->w);
    encode_scan_keyframes(t);
    encode_schedule_soon(t->w);
}

bool task_encodes(const struct task *t)
{
    return t->kind == &task_encode && t->state;
}

int64_t encode_segment_us(const struct encode *e, int64_t k)
{
    if (!e->rendition.copied)
        return grid_frame_us(&e->grid, grid_segment_start(&e->grid, k));
    return e->bounds.start_us[k < e->bounds.n ? k : e->bounds.n];
}

int64_t encode_segment_frames(const struct encode *e, int64_t k)
{
    if (!e->rendition.copied)
        return grid_segment_frames(&e->grid, k);
    return k < e->bounds.n ? e->bounds.frames[k] : 0;
}

bool encode_has_begun(const struct task *t)
{
    const struct encode *e = t->state;
    return task_encodes(t) && e->have.done > 0;
}

bool encode_is_arriving(const struct task *t)
{
    const struct encode *e = t->state;
    return task_encodes(t) && e->arriving;
}

bool encode_begins_hole(const struct encode *e, int64_t segment)
{
    return segment == 0 || segments_has(&e->have, segment - 1);
}

static void encode_readiness(const struct task *t, struct readiness *out)
{
    const struct encode *e = t->state;
    int64_t promised = e->open ? e->promised : e->have.total;
    *out = (struct readiness){.bits = e->have.bits,
                              .n_bytes = (size_t)(promised + 7) / 8,
                              .done = encode_promised_done(e),
                              .bytes = e->have.bytes};
    for (const struct encode_run *r = e->runs; r && out->n_encoding < STORE_RUNS_MAX;
         r = r->next)
        if (!r->paused && !r->stopped && r->k < r->end)
            out->encoding[out->n_encoding++] = r->k;
}

/* ---- the task ----------------------------------------------------------- */

enum rc encode_find_rendition(const struct task *t, struct rendition *out)
{
    return store_rendition(t->w->store, t->video.id, t->job.rendition, out);
}

/* What one segment costs before it was measured: a start takes a quarter of a second or
 * so, and the encode goes at some eight times the speed of the video, sound at sixty, a
 * copy at that of the disk; a better picture takes as long as it lasts. */
static void guess_speed(struct encode *e)
{
    int64_t segment_ms = grid_frame_us(&e->grid, e->grid.gop) / 1000;
    int64_t speed = e->rendition.kind == RENDITION_AUDIO ? 60 : 8;
    if (e->rendition.copied)
        speed = e->rendition.kind == RENDITION_AUDIO ? 1000 : 100;
    else if (e->rendition.extra)
        speed = 1;
    e->segment_ms = segment_ms / speed;
    e->start_ms = 250 + e->segment_ms;
}

static enum rc read_bounds(struct task *t, struct encode *e)
{
    uint8_t *bytes;
    size_t n;
    enum rc rc = store_bounds(t->w->store, t->video.id, e->rendition.name, &bytes, &n);
    if (rc != RC_OK)
        return rc;
    rc = bounds_unpack(bytes, n, &e->bounds);
    free(bytes);
    return rc == RC_OK && e->bounds.n != e->rendition.segments ? RC_INVALID : rc;
}

static enum rc open_rendition(struct task *t, struct encode *e)
{
    char folder[STORE_RENDITION_MAX + 16];
    enum rc rc = encode_find_rendition(t, &e->rendition);
    if (rc != RC_OK)
        return rc;
    const struct rendition *r = &e->rendition;
    e->grid = (struct grid){r->rate_num, r->rate_den, r->gop, r->frames};
    if (t->video.duration_us < 0)
        encode_open_begin(t);
    if (r->copied)
        rc = read_bounds(t, e);
    playlists_folder(r, folder);
    if (rc == RC_OK)
        rc = mediadir_open(&t->w->site, t->video.media_root, folder, true, &e->dir_fd);
    if (rc == RC_OK)
        e->trouble = calloc((size_t)r->segments, 1);
    return rc == RC_OK && !e->trouble ? RC_NOMEM : rc;
}

static enum rc encode_start(struct task *t)
{
    struct encode *e = calloc(1, sizeof(*e));
    if (!e)
        return RC_NOMEM;
    e->dir_fd = -1;
    t->state = e;
    enum rc rc = open_rendition(t, e);
    return rc == RC_OK ? encode_look_start(t) : rc;
}

void encode_begin(struct task *t)
{
    const struct encode *e = t->state;
    guess_speed(t->state);
    encode_recall_keyframes(t);
    encode_begin_arriving(t);
    if (e->have.done > 0)
        joblog_note(t->log, "goes on: %" PRId64 " of %" PRId64 " segments exist",
                    e->have.done, e->open ? e->promised : e->have.total);
    tell_progress(t);
    task_changed(t, false);
    encode_settle(t);
}

/* True if nothing of it is left to wait for. */
static bool encode_cancel(struct task *t)
{
    struct encode *e = t->state;
    stop_children(e);
    encode_look_stop(t);
    encode_truth_stop(e);
    return !e->runs && !e->scan;
}

static void encode_release(struct task *t)
{
    struct encode *e = t->state;
    loop_timer_cancel(t->w->loop, &e->promise);
    staging_forget(t->w->staging, &e->growing);
    encode_look_stop(t);
    encode_truth_stop(e);
    bounds_free(&e->bounds);
    segments_free(&e->have);
    seek_points_free(e->keyframes);
    free(e->points);
    free(e->trouble);
    free(e->sizes);
    if (e->dir_fd >= 0)
        close(e->dir_fd);
    free(e);
}

const struct task_kind task_encode = {.start = encode_start,
                                      .release = encode_release,
                                      .cancel = encode_cancel,
                                      .readiness = encode_readiness};
