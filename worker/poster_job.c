/*
 * poster_job.c: one still picture of the video, htdocs/media/<root>/poster.jpg; made as
 * soon as that picture has arrived.
 *
 * Which one: that which somebody has chosen. Else a few keyframes from the usual place
 * on are looked at in small, and the most telling one is taken; where all of them are
 * dull, other pictures too.
 */
#include "worker.h"

#include "mediadir.h"
#include "picture_choice.h"
#include "picture_pipe.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define POSTER_SIDE 640
#define POSTER_MAX (4 << 20)      /* bytes of the JPEG */
#define POSTER_AT_MAX_US 10000000 /* not later, so that the seek is short */
#define POSTER_OPEN_US 2000000    /* where nobody knows the length yet */

/* So long lighttpd may go on to send the file that was there before, which under the
 * new URL nobody must see. */
#define SETTLE_MS 1100

#define SURVEY_PICTURES 10
#define SURVEY_WIDTH 32
#define SURVEY_HEIGHT 18
#define SURVEY_PIXELS (SURVEY_WIDTH * SURVEY_HEIGHT)
#define SURVEY_EVERY_US 1000000
#define SURVEY_US 120000000    /* of the source are looked at for keyframes … */
#define SURVEY_ALL_US 30000000 /* … and for others, all of which have to be decoded */

struct poster {
    struct rendition of;
    char *jpeg;
    size_t size;
    struct picture_pipe *survey; /* NULL before and after */
    bool all;                    /* it looks at more than keyframes */
    int64_t times_us[SURVEY_PICTURES];
    int interest[SURVEY_PICTURES];
    size_t n;
    bool dull; /* what is taken */
    struct loop_timer settle;
};

static enum rc on_output(void *arg, const void *data, size_t n)
{
    struct poster *p = ((struct task *)arg)->state;
    if (n > POSTER_MAX - p->size)
        return RC_TOO_LARGE;
    char *grown = realloc(p->jpeg, p->size + n);
    if (!grown)
        return RC_NOMEM;
    p->jpeg = grown;
    memcpy(p->jpeg + p->size, data, n);
    p->size += n;
    return RC_OK;
}

/* Not the first picture, which is often black. */
int64_t poster_at_us(int64_t duration_us)
{
    int64_t at = duration_us < 0 ? POSTER_OPEN_US : duration_us / 10;
    return at < POSTER_AT_MAX_US ? at : POSTER_AT_MAX_US;
}

/* What fails of a part need not fail of the whole: it has one more try then. */
static void leave_for_later(struct task *t, const char *sentence)
{
    if (store_job_leave(t->w->store, &t->job, sentence) == RC_OK)
        task_end(t, sentence);
    else
        task_drop(t); /* it was stored just now */
}

static void on_settled(void *arg)
{
    struct task *t = arg;
    const struct poster *p = t->state;
    task_done(t, &(struct job_result){.poster_made = true, .poster_dull = p->dull});
}

static void could_not(struct task *t, enum rc rc, const char *sentence)
{
    if (rc == RC_NOSPACE)
        task_postpone(t, "The disk is full.");
    else if (rc == RC_NOMEM || rc == RC_BUSY)
        task_postpone(t, sentence);
    else if (t->video.state == VIDEO_RECEIVING && t->video.poster_at_us < 0)
        leave_for_later(t, sentence);
    else
        task_retry(t, sentence);
}

static void could_not_keep(struct task *t, enum rc rc)
{
    char sentence[STORE_TEXT_MAX + 1];
    snprintf(sentence, sizeof(sentence), "The poster could not be kept (%s).",
             rc_name(rc));
    could_not(t, rc, sentence);
}

static void on_synced(struct task *t, enum rc rc)
{
    struct poster *p = t->state;
    if (rc == RC_OK)
        loop_timer_set(t->w->loop, &p->settle, t->video.has_poster ? SETTLE_MS : 0,
                       on_settled, t);
    else
        could_not_keep(t, rc);
}

/* In its place; and its descriptors, for a sync. */
static enum rc put(struct task *t, int fds[3], size_t *n)
{
    static const char *const name = "poster.jpg";
    const struct poster *p = t->state;
    int fd;
    enum rc rc = mediadir_open(&t->w->site, t->video.media_root, "", false, &fd);
    if (rc != RC_OK)
        return rc;
    rc = task_put(t, fd, name, p->jpeg, p->size);
    if (rc == RC_OK)
        rc = mediadir_open_all(fd, &name, 1, fds, n);
    close(fd);
    return rc;
}

/* No video is said to have a poster that a loss of power could still take. */
static void publish(struct task *t)
{
    int fds[3];
    size_t n = 0;
    enum rc rc = put(t, fds, &n);
    if (rc == RC_OK)
        rc = site_open_media(&t->w->site, &fds[n]);
    if (rc == RC_OK) {
        task_sync(t, fds, n + 1, on_synced);
        return;
    }
    for (size_t i = 0; i < n; i++)
        close(fds[i]);
    if (rc == RC_PENDING)
        task_wait_staged(t, publish);
    else
        could_not_keep(t, rc);
}

static void on_end(struct task *t, const struct supervise_end *end)
{
    const struct poster *p = t->state;
    char sentence[STORE_TEXT_MAX + 1];
    /* A whole JPEG ends with its EOI marker, whatever the exit status says. */
    bool whole = p->size > 4 && memcmp(p->jpeg + p->size - 2, "\xff\xd9", 2) == 0;
    if (end->reason == SUPERVISE_EXITED && whole) {
        publish(t);
        return;
    }
    task_explain(t, t->args.v[0], end, sentence, sizeof(sentence));
    could_not(t, RC_INVALID, sentence);
}

/* ---- taking it ----------------------------------------------------------- */

/* The length of a picture, as far as it is known. */
static int64_t frame_us(const struct task *t)
{
    const struct video *v = &t->video;
    return v->rate_num > 0 ? INT64_C(1000000) * v->rate_den / v->rate_num : 0;
}

/* exact: the first picture from at_us on, else the keyframe before that. */
static enum rc take(struct task *t, int64_t at_us, bool exact)
{
    const struct poster *p = t->state;
    struct args_source src;
    char path[PATH_MAX];
    enum rc rc = task_source(t, t->w->config.ffmpeg, path, &src);
    if (rc == RC_OK && exact)
        rc = args_still(&src, &p->of, at_us, POSTER_SIDE, &t->args);
    else if (rc == RC_OK)
        rc = args_poster(&src, &p->of, at_us, POSTER_SIDE, &t->args);
    if (rc == RC_OK)
        rc = task_run(t, t->w->config.stall_s * 1000,
                      t->w->config.probe_timeout_s * 1000, on_output, on_end);
    return rc;
}

/* What is seen at a time is the last picture that is not after it. */
static enum rc take_chosen(struct task *t)
{
    const struct poster *p = t->state;
    int64_t at_us = t->video.poster_at_us;
    if (at_us > p->of.source_last_us)
        at_us = p->of.source_last_us;
    return take(t, at_us - frame_us(t) + 1000, true);
}

/* A picture that the survey has seen. A keyframe is found by its time, and nothing
 * before it has to be decoded. */
static enum rc take_seen(struct task *t, int64_t at_us)
{
    const struct poster *p = t->state;
    int64_t margin_us = frame_us(t) / 2 > 1000 ? frame_us(t) / 2 : 1000;
    return p->all ? take(t, at_us - margin_us, true)
                  : take(t, at_us + margin_us, false);
}

/* ---- looking for it ------------------------------------------------------ */

static enum rc on_picture(struct task *t, uint64_t track, int64_t time_us,
                          const uint8_t *data, size_t n)
{
    struct poster *p = t->state;
    if (track != 1 || n != SURVEY_PIXELS || p->n == SURVEY_PICTURES)
        return RC_INVALID;
    p->times_us[p->n] = time_us;
    p->interest[p->n++] = picture_interest(data, n);
    return RC_OK;
}

static enum rc survey(struct task *t, bool all);

/* Where all keyframes were dull, other pictures are looked at; but of what is still
 * coming in a dull one is taken for now, as there may be better to come. */
static enum rc choose(struct task *t)
{
    struct poster *p = t->state;
    bool arriving = t->video.state == VIDEO_RECEIVING;
    size_t best = p->n > 0 ? picture_choose(p->interest, p->n) : 0;
    bool dull = p->n == 0 || p->interest[best] < PICTURE_DULL;
    if (dull && !p->all && !arriving)
        return survey(t, true);
    p->dull = dull && arriving;
    if (p->n == 0)
        return take(t, poster_at_us(t->video.duration_us), false);
    joblog_note(t->log, "the picture at %.3f s is the most telling one of %zu",
                (double)p->times_us[best] / 1e6, p->n);
    return take_seen(t, p->times_us[best]);
}

static void surveyed(struct task *t, enum rc refusal, const char *sentence)
{
    struct poster *p = t->state;
    (void)refusal;
    p->survey = NULL;
    if (t->cancelled) {
        task_drop(t);
        return;
    }
    if (*sentence)
        joblog_note(t->log, "the look at a few pictures ended early: %s", sentence);
    if (choose(t) != RC_OK)
        task_retry(t, "The poster could not be begun.");
}

static enum rc survey(struct task *t, bool all)
{
    static struct args reader, maker; /* large; the worker has one thread */
    struct poster *p = t->state;
    struct args_source src;
    char path[PATH_MAX];
    const struct args_pick pick = {
        .from_us = poster_at_us(t->video.duration_us),
        .length_us = all ? SURVEY_ALL_US : SURVEY_US,
        .all = all,
        .every_us = SURVEY_EVERY_US,
    };
    p->all = all;
    p->n = 0;
    enum rc rc = task_source(t, t->w->config.ffmpeg, path, &src);
    if (rc == RC_OK)
        rc = args_pick(&src, &p->of, &pick, &reader);
    if (rc == RC_OK)
        rc = args_survey(&src, SURVEY_WIDTH, SURVEY_HEIGHT, SURVEY_PICTURES, all,
                         &maker);
    if (rc != RC_OK)
        return rc;
    int64_t limit_ms = t->w->config.probe_timeout_s * 1000;
    return picture_pipe_start(t,
                              &(struct picture_pipe_spec){.reader = &reader,
                                                          .maker = &maker,
                                                          .stall_ms = limit_ms,
                                                          .limit_ms = limit_ms,
                                                          .on_picture = on_picture,
                                                          .on_end = surveyed},
                              &p->survey);
}

/* ---- the task ------------------------------------------------------------ */

/* In a turn of its own: there may be many such jobs. */
static void do_without(void *arg)
{
    task_done(arg, &(struct job_result){.poster_made = false});
}

static enum rc poster_start(struct task *t)
{
    struct rendition all[STORE_RENDITIONS_MAX];
    size_t n = 0;
    struct poster *p = calloc(1, sizeof(*p));
    if (!p)
        return RC_NOMEM;
    t->state = p;
    if (t->video.state == VIDEO_RECEIVING && !task_arrival(t))
        return RC_BUSY; /* a new worker has not read its header yet */
    enum rc rc = store_renditions(t->w->store, t->video.id, all, &n);
    if (rc == RC_OK && (n == 0 || all[0].kind != RENDITION_VIDEO))
        rc = RC_NOT_FOUND;
    if (rc != RC_OK)
        return rc;
    p->of = all[0];
    if (t->video.poster_at_us >= 0)
        return take_chosen(t);
    /* One that it has is promised, and made again where its file was lost. */
    if (!t->w->config.posters && !t->video.has_poster) {
        loop_timer_set(t->w->loop, &p->settle, 0, do_without, t);
        return RC_OK;
    }
    /* Where that fails, any place will do. */
    return t->job.failures > 0 ? take(t, 0, false) : survey(t, false);
}

static bool poster_cancel(struct task *t)
{
    struct poster *p = t->state;
    if (p)
        loop_timer_cancel(t->w->loop, &p->settle);
    if (!p || !p->survey)
        return true;
    picture_pipe_stop(p->survey);
    return false;
}

static void poster_release(struct task *t)
{
    struct poster *p = t->state;
    free(p->jpeg);
    free(p);
}

const struct task_kind task_poster = {
    .start = poster_start, .release = poster_release, .cancel = poster_cancel};
