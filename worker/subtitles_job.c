/*
 * subtitles_job.c: reads the tracks of text inside a stored file, one after the other,
 * and brings the files of all subtitles of its video up to date.
 *
 * What cannot be read of a track is said in the video's warning, and no more than that.
 */
#include "worker.h"

#include "subtitle.h"
#include "subtitle_files.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#define SYNC_MS 600000 /* for a slow disk to take what was written */
#define SLOWEST_BYTES_MS                                                               \
    2000 /* a disk reads so many a millisecond, or it has stalled */

struct reading {
    bool reads;            /* the tracks: no other job of this video does */
    struct subtitle track; /* the one that is being read */
    char *text;            /* what ffmpeg wrote of it */
    size_t n;
    struct subtitle_files files;
};

static enum rc read_next(struct task *t);

static enum rc on_text(void *arg, const void *data, size_t n)
{
    struct reading *r = ((struct task *)arg)->state;
    if (n > SUBTITLE_TRACK_MAX - r->n)
        return RC_TOO_LARGE;
    char *grown = realloc(r->text, r->n + n);
    if (!grown)
        return RC_NOMEM;
    r->text = grown;
    memcpy(r->text + r->n, data, n);
    r->n += n;
    return RC_OK;
}

/* Another job of this video: it reads the tracks, this one sees to the files. */
static bool is_being_read(const struct task *t)
{
    for (const struct task *o = t->w->tasks; o; o = o->next) {
        const struct reading *r = o->state;
        if (o != t && o->job.kind == JOB_SUBTITLES && r && r->reads && !o->cancelled &&
            strcmp(o->job.video_id, t->job.video_id) == 0)
            return true;
    }
    return false;
}

/* ---- the ends ---------------------------------------------------------------- */

static void stop_at(struct task *t, enum rc rc)
{
    char sentence[STORE_TEXT_MAX + 1];
    if (rc == RC_FENCED || store_job_check(t->w->store, &t->job) == RC_FENCED) {
        task_drop(t);
    } else {
        snprintf(sentence, sizeof(sentence), "The subtitles could not be kept (%s).",
                 rc_name(rc));
        task_not_kept(t, rc, sentence);
    }
}

static void publish(struct task *t);

static void say_published(struct task *t)
{
    struct reading *r = t->state;
    enum rc rc = subtitle_files_publish(t, &r->files);
    if (rc == RC_OK)
        task_done(t, &(struct job_result){.poster_made = false});
    else if (rc == RC_PENDING)
        task_wait_staged(t, publish);
    else
        stop_at(t, rc);
}

static enum rc on_sync_output(void *arg, const void *data, size_t n)
{
    (void)arg, (void)data, (void)n;
    return RC_OK;
}

static void on_synced(struct task *t, const struct supervise_end *end)
{
    char sentence[STORE_TEXT_MAX + 1];
    if (end->reason == SUPERVISE_EXITED && WIFEXITED(end->status) &&
        WEXITSTATUS(end->status) == 0) {
        say_published(t);
        return;
    }
    task_explain(t, t->args.v[0], end, sentence, sizeof(sentence));
    task_retry(t, sentence);
}

/* Nothing is said to be published that a loss of power could still take. sync(1) in a
 * child: a slow disk must not hold up the loop. */
static void publish(struct task *t)
{
    struct reading *r = t->state;
    enum rc rc = subtitle_files_write(t, &r->files);
    if (rc == RC_PENDING) {
        task_wait_staged(t, publish);
        return;
    }
    if (rc == RC_OK && r->files.n_written == 0) {
        say_published(t);
        return;
    }
    if (rc == RC_OK)
        rc = subtitle_files_sync(t, &r->files);
    if (rc == RC_OK)
        rc = task_run(t, SYNC_MS, SYNC_MS, on_sync_output, on_synced);
    if (rc != RC_OK)
        stop_at(t, rc);
}

/* ---- one track --------------------------------------------------------------- */

/* why: NULL if it just says nothing. */
static enum rc forget(struct task *t, const char *why)
{
    const struct reading *r = t->state;
    char sentence[STORE_TEXT_MAX + 1];
    snprintf(sentence, sizeof(sentence),
             "The subtitles \"%s\" could not be read: %.300s",
             *r->track.label ? r->track.label : r->track.language, why ? why : "");
    return store_job_subtitle_missing(t->w->store, &t->job, r->track.stream,
                                      why ? sentence : NULL);
}

/* What counts is what came, whatever the exit status says. */
static enum rc keep(struct task *t, const struct supervise_end *end)
{
    struct reading *r = t->state;
    char *vtt = NULL, how[STORE_TEXT_MAX + 1];
    size_t n = 0;
    bool well = WIFEXITED(end->status) && WEXITSTATUS(end->status) == 0;
    enum rc rc = subtitle_to_webvtt(r->text ? r->text : "", r->n, &vtt, &n);
    if (rc == RC_OK) {
        rc = store_job_subtitle_read(t->w->store, &t->job, r->track.stream, vtt);
        free(vtt);
        return rc;
    }
    if (rc == RC_NOMEM)
        return rc;
    if (rc == RC_TOO_LARGE)
        return forget(t, "there are too many of them.");
    task_explain(t, t->args.v[0], end, how, sizeof(how));
    joblog_note(t->log, "stream %d has no subtitles", r->track.stream);
    return forget(t, well ? NULL : how);
}

/* Something ended the program on its way, which says nothing of the track. */
static bool was_stopped(const struct task *t, const struct supervise_end *end)
{
    return end->reason == SUPERVISE_STALLED || end->reason == SUPERVISE_TIMEOUT ||
           (end->reason == SUPERVISE_EXITED && !WIFEXITED(end->status)) ||
           task_was_troubled(t, end);
}

static void on_end(struct task *t, const struct supervise_end *end)
{
    char how[STORE_TEXT_MAX + 1];
    enum rc rc;
    if (was_stopped(t, end) && t->job.failures + 1 < t->w->config.attempts) {
        task_explain(t, t->args.v[0], end, how, sizeof(how));
        task_retry(t, how);
        return;
    }
    if (end->reason == SUPERVISE_EXITED) {
        rc = keep(t, end);
    } else if (end->reason == SUPERVISE_REFUSED && end->refusal == RC_NOMEM) {
        rc = RC_NOMEM;
    } else if (end->reason == SUPERVISE_REFUSED) {
        rc = forget(t, "there are too many of them.");
    } else {
        task_explain(t, t->args.v[0], end, how, sizeof(how));
        rc = forget(t, how);
    }
    if (rc == RC_OK)
        rc = read_next(t);
    if (rc == RC_NOT_FOUND)
        publish(t);
    else if (rc != RC_OK)
        stop_at(t, rc);
}

/* Few words in a long file: it is read from end to end before the next one comes. */
static int64_t stall_ms(const struct task *t)
{
    return t->w->config.stall_s * 1000 + t->video.size / SLOWEST_BYTES_MS;
}

static enum rc read_track(struct task *t)
{
    struct reading *r = t->state;
    struct args_source src;
    char path[PATH_MAX];
    r->n = 0;
    enum rc rc = task_source(t, t->w->config.ffmpeg, path, &src);
    if (rc == RC_OK)
        rc = args_subtitles(&src, r->track.stream, r->track.codec, &t->args);
    if (rc == RC_OK)
        rc = task_run(t, stall_ms(t), 0, on_text, on_end);
    /* RC_NOT_FOUND would say that there is no track. */
    return rc == RC_NOT_FOUND ? RC_IO : rc;
}

/* RC_NOT_FOUND: none is left to be read. */
static enum rc read_next(struct task *t)
{
    struct reading *r = t->state;
    struct subtitles all;
    enum rc rc = store_subtitles(t->w->store, t->video.id, &all);
    if (rc != RC_OK)
        return rc == RC_NOT_FOUND ? RC_FENCED : rc;
    for (size_t i = 0; i < all.n; i++) {
        if (all.list[i].is_track && !all.list[i].read) {
            r->track = all.list[i];
            return read_track(t);
        }
    }
    return RC_NOT_FOUND;
}

static enum rc subtitles_start(struct task *t)
{
    enum rc rc = RC_NOT_FOUND;
    struct reading *r = calloc(1, sizeof(*r));
    if (!r)
        return RC_NOMEM;
    r->reads = !is_being_read(t);
    t->state = r;
    if (r->reads)
        rc = read_next(t);
    if (rc == RC_NOT_FOUND) {
        publish(t);
        return RC_OK;
    }
    return rc;
}

static void subtitles_release(struct task *t)
{
    struct reading *r = t->state;
    free(r->text);
    free(r);
}

const struct task_kind task_subtitles = {.start = subtitles_start,
                                         .release = subtitles_release};
