/*
 * encode_job.c: makes every segment of one rendition.
 *
 * Runs of ffmpeg fill the holes from the first missing segment on; each is cut into
 * segments that are published as they are complete. Only a segment whose decode time
 * and frame count are those that the playlist promised is published. What exists is
 * never made again, so a job that is taken over goes on where it was left.
 */
#include "worker.h"

#include "cutter.h"
#include "grid.h"
#include "log.h"
#include "mediadir.h"
#include "playlists.h"
#include "segments.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* ffmpeg's exit status when more frames failed to decode than -max_error_rate. */
#define EXIT_DAMAGED 69
#define SYNC_MS 600000 /* for a slow disk to take what was written */

struct encode {
    struct rendition rendition;
    struct grid grid;
    int dir_fd;
    struct segments have;
    struct cutter *cutter;
    struct mediafile file; /* of the segment that is being received */
    uint32_t timescale;    /* of the run's track */
    int64_t k;             /* the segment that the run gives next */
    int64_t run_made;      /* segments that this run has published */
    bool wrong_init;       /* another encoder than the one that began */
};

static void next_run(struct task *t);

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
    struct task *t = arg;
    struct encode *e = t->state;
    e->timescale = timescale;
    enum rc rc = RC_OK;
    if (!e->have.has_init)
        rc = mediafile_put(t->w->tmp_fd, e->dir_fd, "init.mp4", data, n, false);
    if (e->have.has_init || rc == RC_EXISTS)
        rc = same_init(e->dir_fd, data, n);
    if (rc == RC_OK)
        e->have.has_init = true;
    e->wrong_init = rc == RC_CONFLICT;
    return rc;
}

/* RC_STOPPED: the run has come to where finished segments begin. */
static enum rc on_segment_begin(void *arg, uint64_t decode_time, uint64_t frames)
{
    struct task *t = arg;
    struct encode *e = t->state;
    uint64_t ticks = 0;
    enum rc rc = grid_segment_ticks(&e->grid, e->k, e->timescale, &ticks);
    if (rc != RC_OK || ticks != decode_time ||
        frames != (uint64_t)grid_segment_frames(&e->grid, e->k)) {
        joblog_note(t->log,
                    "segment %" PRId64 ": decode time %" PRIu64 " (promised %" PRIu64
                    "), %" PRIu64 " frames (promised %d)",
                    e->k, decode_time, ticks, frames,
                    grid_segment_frames(&e->grid, e->k));
        return RC_INVALID;
    }
    if (segments_has(&e->have, e->k))
        return RC_STOPPED;
    return mediafile_begin(t->w->tmp_fd, &e->file);
}

static enum rc on_segment_data(void *arg, const uint8_t *data, size_t n)
{
    struct task *t = arg;
    struct encode *e = t->state;
    return mediafile_write(&e->file, data, n);
}

static enum rc on_segment_end(void *arg)
{
    struct task *t = arg;
    struct encode *e = t->state;
    char name[32];
    int64_t bytes = e->file.size;
    snprintf(name, sizeof(name), "%" PRId64 ".m4s", e->k);
    enum rc rc = mediafile_publish(t->w->tmp_fd, &e->file, e->dir_fd, name, false);
    if (rc != RC_OK && rc != RC_EXISTS)
        return rc;
    segments_add(&e->have, e->k, bytes);
    e->k++;
    e->run_made++;
    t->published = e->have.done;
    task_progress(t, (double)e->have.done / (double)e->have.total);
    return RC_OK;
}

static enum rc on_output(void *arg, const void *data, size_t n)
{
    struct task *t = arg;
    struct encode *e = t->state;
    return cutter_feed(e->cutter, data, n);
}

/* ---- the end of the job ------------------------------------------------- */

/* Peak and average of what was made, for the master playlist (RFC 8216 s. 4.3.4.2). */
static void measure(const struct encode *e, struct job_result *out)
{
    const struct grid *g = &e->grid;
    double segment_s = (double)grid_frame_us(g, grid_segment_frames(g, 0)) / 1e6;
    double total_s = (double)grid_frame_us(g, g->frames) / 1e6;
    out->bitrate = (int64_t)((double)e->have.peak_bytes * 8 / segment_s) + 1;
    out->average_bitrate = (int64_t)((double)e->have.bytes * 8 / total_s) + 1;
}

/* The playlists of all renditions but the job's own, or with what was measured of it. A
 * failure leaves the old ones, which play. */
static void rewrite_playlists(struct task *t, const struct job_result *measured)
{
    const struct encode *e = t->state;
    struct rendition all[STORE_RENDITIONS_MAX];
    size_t n = 0, kept = 0;
    enum rc rc = store_renditions(t->w->store, t->video.id, all, &n);
    for (size_t i = 0; i < n && rc == RC_OK; i++) {
        bool own = strcmp(all[i].name, e->rendition.name) == 0;
        if (own && !measured)
            continue;
        if (own) {
            all[i].bitrate = measured->bitrate;
            all[i].average_bitrate = measured->average_bitrate;
        }
        all[kept++] = all[i];
    }
    if (rc == RC_OK)
        rc = playlists_write(&t->w->site, t->w->tmp_fd, t->video.media_root, all, kept);
    if (rc != RC_OK)
        log_warn("video %s: cannot rewrite the playlists: %s", t->video.id,
                 rc_name(rc));
}

static enum rc on_sync_output(void *arg, const void *data, size_t n)
{
    (void)arg, (void)data, (void)n;
    return RC_OK;
}

static void on_synced(struct task *t, const struct supervise_end *end)
{
    struct encode *e = t->state;
    struct job_result result = {.bitrate = 0};
    char sentence[STORE_TEXT_MAX + 1];
    if (end->reason == SUPERVISE_EXITED && WIFEXITED(end->status) &&
        WEXITSTATUS(end->status) == 0) {
        measure(e, &result);
        task_done(t, &result);
        return;
    }
    task_explain(t, end, sentence, sizeof(sentence));
    task_retry(t, sentence);
}

/* Nothing is said to be done before the files on disk prove it, and are there to stay.
 * sync(1) in a child: a slow disk must not hold up the loop. */
static void finish(struct task *t)
{
    struct encode *e = t->state;
    struct job_result result = {.bitrate = 0};
    struct segments found;
    char path[PATH_MAX];
    if (segments_scan(e->dir_fd, e->have.total, &found) != RC_OK) {
        task_retry(t, "The segments could not be checked.");
        return;
    }
    segments_free(&e->have);
    e->have = found;
    if (found.done != found.total || !found.has_init) {
        task_retry(t, "Segments that were made are missing on disk.");
        return;
    }
    t->published = found.done;
    measure(e, &result);
    rewrite_playlists(t, &result);
    enum rc rc = site_path(&t->w->site, "htdocs/media", path);
    if (rc == RC_OK)
        rc = args_sync(path, &t->args);
    if (rc == RC_OK)
        rc = task_run(t, SYNC_MS, SYNC_MS, on_sync_output, on_synced);
    if (rc != RC_OK)
        task_retry(t, "The segments could not be synced to disk.");
}

/* ---- runs --------------------------------------------------------------- */

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

/* The stored segments were begun by an encoder that gives another init segment: they
 * cannot be mixed, so the video is planned again as a new generation. */
static void start_over(struct task *t)
{
    struct worker *w = t->w;
    char id[ID_LEN + 1];
    strcpy(id, t->video.id);
    task_fail(t, "The encoder has changed since this was begun.");
    enum rc rc = store_video_retry(w->store, id);
    if (rc != RC_OK)
        log_error("video %s: cannot begin again: %s", id, rc_name(rc));
}

/* A sound that cannot be decoded must not take the picture with it. */
static void give_up(struct task *t, const char *sentence, bool undecodable)
{
    const struct encode *e = t->state;
    bool last_try = t->job.failures + 1 >= t->w->config.attempts, ready = false;
    if (!last_try || !undecodable || e->rendition.kind == RENDITION_VIDEO) {
        task_retry(t, sentence);
        return;
    }
    joblog_note(t->log, "%s", sentence);
    rewrite_playlists(t, NULL);
    enum rc rc =
        store_job_without(t->w->store, &t->job,
                          "The sound could not be decoded and was left out.", &ready);
    if (rc == RC_OK)
        task_end(t, "given up, the video goes on without it");
    else
        task_retry(t, sentence);
}

static void run_failed(struct task *t, const struct supervise_end *end)
{
    const struct encode *e = t->state;
    char how[STORE_TEXT_MAX + 1], sentence[STORE_TEXT_MAX + 1];
    task_explain(t, end, how, sizeof(how));
    joblog_note(t->log, "%s", how);
    bool sound = e->rendition.kind == RENDITION_AUDIO;
    if (end->reason == SUPERVISE_REFUSED && end->refusal == RC_NOSPACE) {
        task_postpone(t, "The disk is full.");
        return;
    }
    if (e->have.done == 0)
        snprintf(sentence, sizeof(sentence), "The %s could not be decoded. %.400s",
                 sound ? "sound" : "picture", how);
    else
        snprintf(sentence, sizeof(sentence), "Encoding stopped before its end. %.400s",
                 how);
    give_up(t, sentence, end->reason == SUPERVISE_EXITED && WIFEXITED(end->status));
}

static void on_end(struct task *t, const struct supervise_end *end)
{
    struct encode *e = t->state;
    mediafile_abandon(t->w->tmp_fd, &e->file);
    enum rc cut = cutter_finish(e->cutter);
    cutter_free(e->cutter);
    e->cutter = NULL;

    bool exited = end->reason == SUPERVISE_EXITED && WIFEXITED(end->status);
    int status = exited ? WEXITSTATUS(end->status) : -1;
    bool reached_end = e->k >= e->have.total;
    bool met_finished = end->reason == SUPERVISE_REFUSED && end->refusal == RC_STOPPED;
    if (status == EXIT_DAMAGED && e->run_made > 0)
        warn_damaged(t);
    if (e->wrong_init)
        start_over(t);
    else if (met_finished || (exited && cut == RC_OK && reached_end && e->run_made > 0))
        next_run(t);
    else
        run_failed(t, end);
}

static enum rc start_run(struct task *t, int64_t k)
{
    struct encode *e = t->state;
    struct args_source src;
    char path[PATH_MAX];
    struct cutter_events events = {on_init, on_segment_begin, on_segment_data,
                                   on_segment_end, t};
    double rate = t->video.rate_den ? (double)t->video.rate_num / t->video.rate_den : 0;

    e->k = k;
    e->run_made = 0;
    enum rc rc = task_source(t, t->w->config.ffmpeg, path, &src);
    if (rc == RC_OK)
        rc = args_encode(&src, &e->rendition, rate, k, &t->args);
    if (rc == RC_OK)
        rc = cutter_open(&events, &e->cutter);
    if (rc == RC_OK)
        rc = task_run(t, t->w->config.stall_s * 1000, 0, on_output, on_end);
    return rc;
}

/* Where the next run begins: at the first hole, or anywhere if only init.mp4 is gone.
 */
static int64_t next_start(const struct encode *e)
{
    int64_t k = segments_next_hole(&e->have, 0);
    return k == e->have.total && !e->have.has_init ? k - 1 : k;
}

static void next_run(struct task *t)
{
    struct encode *e = t->state;
    int64_t k = next_start(e);
    if (k == e->have.total) {
        finish(t);
        return;
    }
    enum rc rc = start_run(t, k);
    if (rc != RC_OK) {
        char sentence[STORE_TEXT_MAX + 1];
        task_explain_start(t, rc, sentence, sizeof(sentence));
        task_retry(t, sentence);
    }
}

/* ---- the task ----------------------------------------------------------- */

static enum rc find_rendition(struct task *t, struct rendition *out)
{
    struct rendition all[STORE_RENDITIONS_MAX];
    size_t n = 0;
    enum rc rc = store_renditions(t->w->store, t->video.id, all, &n);
    for (size_t i = 0; i < n && rc == RC_OK; i++) {
        if (strcmp(all[i].name, t->job.rendition) == 0) {
            *out = all[i];
            return RC_OK;
        }
    }
    return rc == RC_OK ? RC_NOT_FOUND : rc;
}

static enum rc encode_start(struct task *t)
{
    char folder[STORE_RENDITION_MAX + 16];
    struct encode *e = calloc(1, sizeof(*e));
    if (!e)
        return RC_NOMEM;
    e->dir_fd = e->file.fd = -1;
    t->state = e;

    enum rc rc = find_rendition(t, &e->rendition);
    if (rc != RC_OK)
        return rc;
    const struct rendition *r = &e->rendition;
    e->grid = (struct grid){r->rate_num, r->rate_den, r->gop, r->frames};
    playlists_folder(r, folder);
    rc = mediadir_open(&t->w->site, t->video.media_root, folder, true, &e->dir_fd);
    if (rc == RC_OK)
        rc = segments_scan(e->dir_fd, r->segments, &e->have);
    if (rc != RC_OK)
        return rc;
    if (e->have.done > 0)
        joblog_note(t->log, "goes on: %" PRId64 " of %" PRId64 " segments exist",
                    e->have.done, e->have.total);
    t->published = e->have.done;
    t->told_published = -1;
    task_progress(t, (double)e->have.done / (double)e->have.total);

    int64_t k = next_start(e);
    if (k < e->have.total)
        return start_run(t, k);
    finish(t);
    return RC_OK;
}

static void encode_release(struct task *t)
{
    struct encode *e = t->state;
    mediafile_abandon(t->w->tmp_fd, &e->file);
    cutter_free(e->cutter);
    segments_free(&e->have);
    if (e->dir_fd >= 0)
        close(e->dir_fd);
    free(e);
}

const struct task_kind task_encode = {encode_start, encode_release};
