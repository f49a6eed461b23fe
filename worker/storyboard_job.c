/*
 * storyboard_job.c: the small pictures of the seek bar, published as they come: sheet
 * after sheet, and storyboard.vtt written anew with each.
 *
 * Names of sheets are used once, as they may be cached; those of earlier attempts are
 * removed when all of this one's are there.
 */
#include "worker.h"

#include "mediadir.h"
#include "picture_pipe.h"
#include "store_pictures.h"
#include "storyboard.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define NICER 10
/* The maker may be given little of the machine, and the reader go far for a picture. */
#define STALLS 4
#define LIMIT_MS (20 * 60 * 1000) /* for a start, and then half the length */

enum { SHEETS = 1, TIMES = 2 }; /* tracks of args_sheets */

struct board {
    struct picture_pipe *pipe; /* NULL before and after */
    struct args_grid grid;
    int dir_fd;
    int64_t times_us[STORYBOARD_PICTURES_MAX];
    size_t n_times;
    uint8_t *sheet; /* the one that waits for the time of the picture behind it */
    size_t sheet_size;
    size_t n_sheets; /* published */
    enum rc trouble; /* with what was made */
};

/* A worker that was frozen past its lease must not touch what another one made. Nothing
 * names a sheet that a loss of power could still take. */
static enum rc put(struct task *t, const char *name, const void *data, size_t n,
                   bool replace)
{
    const struct board *b = t->state;
    enum rc rc = store_job_check(t->w->store, &t->job);
    if (rc == RC_OK)
        rc = mediafile_put(t->w->tmp_fd, b->dir_fd, name, data, n, replace);
    if (rc == RC_OK)
        rc = mediadir_sync(b->dir_fd, &name, 1);
    return rc;
}

/* The first n pictures are on published sheets; the last is shown until end_us. */
static enum rc write_vtt(struct task *t, size_t n, int64_t end_us)
{
    struct board *b = t->state;
    char *text;
    size_t size;
    enum rc rc =
        storyboard_vtt(&t->job, &b->grid, b->times_us, n, end_us, &text, &size);
    if (rc != RC_OK)
        return rc;
    rc = put(t, STORYBOARD_FILE, text, size, true);
    free(text);
    if (rc == RC_OK && !t->video.has_storyboard)
        rc = store_job_storyboard(t->w->store, &t->job);
    if (rc == RC_OK)
        t->video.has_storyboard = true;
    return rc;
}

/* The sheet that waits holds the pictures before number n. */
static enum rc publish(struct task *t, size_t n, int64_t end_us)
{
    struct board *b = t->state;
    char name[STORYBOARD_NAME_MAX + 1];
    storyboard_sheet_name(&t->job, b->n_sheets, name);
    enum rc rc = put(t, name, b->sheet, b->sheet_size, false);
    free(b->sheet);
    b->sheet = NULL;
    if (rc != RC_OK)
        return rc;
    b->n_sheets++;
    return write_vtt(t, n, end_us);
}

static enum rc publish_if_due(struct task *t)
{
    struct board *b = t->state;
    size_t n = (b->n_sheets + 1) * STORYBOARD_SHEET;
    return b->sheet && b->n_times > n ? publish(t, n, b->times_us[n]) : RC_OK;
}

static enum rc keep_sheet(struct board *b, const uint8_t *data, size_t n)
{
    if (b->sheet)
        return RC_INVALID;
    b->sheet = malloc(n);
    if (!b->sheet)
        return RC_NOMEM;
    memcpy(b->sheet, data, n);
    b->sheet_size = n;
    return RC_OK;
}

static enum rc keep_time(struct task *t, int64_t time_us)
{
    struct board *b = t->state;
    if (b->n_times == STORYBOARD_PICTURES_MAX)
        return RC_TOO_LARGE;
    b->times_us[b->n_times++] = time_us;
    task_progress(t, (double)time_us / (double)t->video.duration_us);
    return RC_OK;
}

static enum rc on_picture(struct task *t, uint64_t track, int64_t time_us,
                          const uint8_t *data, size_t n)
{
    struct board *b = t->state;
    enum rc rc = track == SHEETS ? keep_sheet(b, data, n) : keep_time(t, time_us);
    if (rc == RC_OK)
        rc = publish_if_due(t);
    b->trouble = rc;
    return rc;
}

/* ---- the end ------------------------------------------------------------ */

struct keep {
    const struct job *job;
    size_t n_sheets;
};

static void remove_if_old(int dir_fd, const char *name, const void *arg)
{
    const struct keep *keep = arg;
    char kept[STORYBOARD_NAME_MAX + 1];
    if (strncmp(name, STORYBOARD_PREFIX, strlen(STORYBOARD_PREFIX)) != 0)
        return;
    for (size_t i = 0; i < keep->n_sheets; i++) {
        storyboard_sheet_name(keep->job, i, kept);
        if (strcmp(name, kept) == 0)
            return;
    }
    unlinkat(dir_fd, name, 0);
}

/* The last sheet need not be full; there is one for every picture, or something of what
 * was made is missing. */
static enum rc publish_rest(struct task *t)
{
    struct board *b = t->state;
    size_t whole = (b->n_times + STORYBOARD_SHEET - 1) / STORYBOARD_SHEET;
    if (b->n_times == 0)
        return RC_NOT_FOUND;
    if (b->n_sheets + (b->sheet != NULL) != whole)
        return RC_TRUNCATED;
    if (b->sheet)
        return publish(t, b->n_times, t->video.duration_us);
    return RC_OK;
}

static void finish(struct task *t)
{
    struct board *b = t->state;
    enum rc rc = publish_rest(t);
    if (rc == RC_OK) {
        mediadir_each(b->dir_fd, remove_if_old, &(struct keep){&t->job, b->n_sheets});
        task_done(t, &(struct job_result){.bitrate = 0});
    } else if (rc == RC_FENCED) {
        task_drop(t);
    } else if (rc == RC_NOSPACE) {
        task_postpone(t, "The disk is full.");
    } else if (rc == RC_NOT_FOUND) {
        task_fail(t, "There is no keyframe to take.");
    } else {
        task_retry(t, "The pictures that were made are not whole.");
    }
}

static void on_end(struct task *t, const char *sentence)
{
    struct board *b = t->state;
    b->pipe = NULL;
    if (t->cancelled || b->trouble == RC_FENCED)
        task_drop(t);
    else if (b->trouble == RC_NOSPACE)
        task_postpone(t, "The disk is full.");
    else if (*sentence)
        task_retry(t, sentence);
    else
        finish(t);
}

/* ---- the start ---------------------------------------------------------- */

static enum rc start_pipe(struct task *t, const struct rendition *r)
{
    struct board *b = t->state;
    struct args_source src;
    static struct args reader, maker; /* large; the worker has one thread */
    char path[PATH_MAX];
    struct args_pick pick =
        storyboard_pick(t->video.duration_us, t->video.width, t->video.height);
    b->grid = storyboard_grid(r);
    enum rc rc = task_source(t, t->w->config.ffmpeg, path, &src);
    if (rc == RC_OK)
        rc = args_pick(&src, r, &pick, &reader);
    if (rc == RC_OK)
        rc = args_sheets(&src, r, &b->grid, &maker);
    if (rc != RC_OK)
        return rc;
    return picture_pipe_start(
        t,
        &(struct picture_pipe_spec){.reader = &reader,
                                    .maker = &maker,
                                    .nicer = NICER,
                                    .stall_ms = t->w->config.stall_s * 1000 * STALLS,
                                    .limit_ms = LIMIT_MS + t->video.duration_us / 2000,
                                    .on_picture = on_picture,
                                    .on_end = on_end},
        &b->pipe);
}

static enum rc storyboard_start(struct task *t)
{
    struct rendition all[STORE_RENDITIONS_MAX];
    size_t n = 0;
    struct board *b = calloc(1, sizeof(*b));
    if (!b)
        return RC_NOMEM;
    b->dir_fd = -1;
    t->state = b;
    enum rc rc = store_renditions(t->w->store, t->video.id, all, &n);
    if (rc == RC_OK &&
        (n == 0 || all[0].kind != RENDITION_VIDEO || t->video.duration_us <= 0))
        rc = RC_NOT_FOUND;
    if (rc == RC_OK)
        rc = mediadir_open(&t->w->site, t->video.media_root, "", false, &b->dir_fd);
    return rc == RC_OK ? start_pipe(t, &all[0]) : rc;
}

static bool storyboard_cancel(struct task *t)
{
    struct board *b = t->state;
    if (!b || !b->pipe)
        return true;
    picture_pipe_stop(b->pipe);
    return false;
}

static void storyboard_release(struct task *t)
{
    struct board *b = t->state;
    if (b->dir_fd >= 0)
        close(b->dir_fd);
    free(b->sheet);
    free(b);
}

const struct task_kind task_storyboard = {.start = storyboard_start,
                                          .release = storyboard_release,
                                          .cancel = storyboard_cancel};
