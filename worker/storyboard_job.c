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

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define NICER 10
/* The maker may be given little of the machine, and the reader go far for a picture. */
#define STALLS 4
#define LIMIT_MS (20 * 60 * 1000) /* for a start, and then half the length */

enum { SHEETS = 1, TIMES = 2 }; /* tracks of args_sheets */

/* One that waits for the time of the picture behind it, or for the disk. */
struct sheet {
    struct sheet *next;
    size_t n;
    uint8_t jpeg[];
};

struct board {
    struct picture_pipe *pipe; /* NULL before and after */
    struct args_grid grid;
    int dir_fd;
    int64_t times_us[STORYBOARD_PICTURES_MAX];
    size_t n_times;
    struct sheet *sheets; /* the first one is published next … */
    size_t n_sheets;      /* … and so many were, or are about to be named */
    size_t n_kept;        /* that have come */
    char *vtt;            /* names what was published; NULL: it does so already */
    size_t vtt_size;
    bool busy;       /* the disk is waited for */
    bool ended;      /* the pipe, well */
    enum rc trouble; /* with what was made, or with keeping it */
};

/* RC_PENDING, RC_FENCED as task_put. fds[2]: the file and its folder, to be synced. */
static enum rc put(struct task *t, const char *name, const void *data, size_t n,
                   int fds[2], size_t *n_fds)
{
    const struct board *b = t->state;
    enum rc rc = task_put(t, b->dir_fd, name, data, n);
    if (rc == RC_OK)
        rc = mediadir_open_all(b->dir_fd, &name, 1, fds, n_fds);
    return rc;
}

static void publish(struct task *t);
static void finish(struct task *t, enum rc rc);

/* What the pipe still gives is of no use. */
static void stop_at(struct task *t, enum rc rc)
{
    struct board *b = t->state;
    /* Of a folder that is gone: it does not mean that there are no pictures. */
    b->trouble = rc == RC_NOT_FOUND ? RC_IO : rc;
    if (b->pipe)
        picture_pipe_stop(b->pipe);
    else
        finish(t, b->trouble);
}

static void on_vtt_synced(struct task *t, enum rc rc)
{
    struct board *b = t->state;
    b->busy = false;
    free(b->vtt);
    b->vtt = NULL;
    if (rc == RC_OK && !t->video.has_storyboard)
        rc = store_job_storyboard(t->w->store, &t->job);
    if (rc != RC_OK) {
        stop_at(t, rc);
        return;
    }
    t->video.has_storyboard = true;
    publish(t);
}

static void put_vtt(struct task *t)
{
    struct board *b = t->state;
    int fds[2];
    size_t n;
    enum rc rc = put(t, STORYBOARD_FILE, b->vtt, b->vtt_size, fds, &n);
    b->busy = rc == RC_OK || rc == RC_PENDING;
    if (rc == RC_OK)
        task_sync(t, fds, n, on_vtt_synced);
    else if (rc == RC_PENDING)
        task_wait_staged(t, put_vtt);
    else
        stop_at(t, rc);
}

/* The pictures before this number are on the sheet that is published next, and those
 * before it. */
static size_t behind_next(const struct board *b)
{
    size_t n = (b->n_sheets + 1) * STORYBOARD_SHEET;
    return n < b->n_times ? n : b->n_times;
}

/* Nothing names a sheet that a loss of power could still take. */
static void on_sheet_synced(struct task *t, enum rc rc)
{
    struct board *b = t->state;
    struct sheet *sheet = b->sheets;
    size_t n = behind_next(b);
    int64_t end_us = n < b->n_times ? b->times_us[n] : t->video.duration_us;
    b->busy = false;
    if (rc == RC_OK)
        rc = storyboard_vtt(&t->job, &b->grid, b->times_us, n, end_us, &b->vtt,
                            &b->vtt_size);
    if (rc != RC_OK) {
        stop_at(t, rc);
        return;
    }
    b->sheets = sheet->next;
    free(sheet);
    b->n_sheets++;
    put_vtt(t);
}

static void put_sheet(struct task *t)
{
    struct board *b = t->state;
    char name[STORYBOARD_NAME_MAX + 1];
    int fds[2];
    size_t n;
    storyboard_sheet_name(&t->job, b->n_sheets, name);
    enum rc rc = put(t, name, b->sheets->jpeg, b->sheets->n, fds, &n);
    b->busy = rc == RC_OK || rc == RC_PENDING;
    if (rc == RC_OK)
        task_sync(t, fds, n, on_sheet_synced);
    else if (rc == RC_PENDING)
        task_wait_staged(t, put_sheet);
    else
        stop_at(t, rc);
}

/* The next sheet, if its turn has come; or the end. t may be gone afterwards. */
static void publish(struct task *t)
{
    const struct board *b = t->state;
    size_t n = (b->n_sheets + 1) * STORYBOARD_SHEET;
    if (b->busy || b->trouble != RC_OK)
        return;
    if (b->sheets && (b->ended || b->n_times > n))
        put_sheet(t);
    else if (b->ended)
        finish(t, RC_OK);
}

static enum rc keep_sheet(struct board *b, const uint8_t *data, size_t n)
{
    struct sheet **end = &b->sheets;
    /* The times of what is behind a sheet come before the next one. */
    if (b->n_kept > 0 && b->n_times <= b->n_kept * STORYBOARD_SHEET)
        return RC_INVALID;
    struct sheet *sheet = malloc(sizeof(*sheet) + n);
    if (!sheet)
        return RC_NOMEM;
    sheet->next = NULL;
    sheet->n = n;
    memcpy(sheet->jpeg, data, n);
    while (*end)
        end = &(*end)->next;
    *end = sheet;
    b->n_kept++;
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
    if (b->trouble == RC_OK)
        b->trouble = track == SHEETS ? keep_sheet(b, data, n) : keep_time(t, time_us);
    publish(t);
    return b->trouble;
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
    if (strncmp(name, STORYBOARD_PREFIX, strlen(STORYBOARD_PREFIX)) != 0 ||
        storyboard_is_later(keep->job, name)) /* this worker was frozen meanwhile */
        return;
    for (size_t i = 0; i < keep->n_sheets; i++) {
        storyboard_sheet_name(keep->job, i, kept);
        if (strcmp(name, kept) == 0)
            return;
    }
    unlinkat(dir_fd, name, 0);
}

static void finish(struct task *t, enum rc rc)
{
    const struct board *b = t->state;
    char sentence[64];
    if (rc == RC_OK) {
        mediadir_each(b->dir_fd, remove_if_old, &(struct keep){&t->job, b->n_sheets});
        task_done(t, &(struct job_result){.bitrate = 0});
    } else if (rc == RC_NOT_FOUND) {
        task_fail(t, "There is no keyframe to take.");
    } else if (rc == RC_TRUNCATED || rc == RC_INVALID || rc == RC_TOO_LARGE) {
        task_retry(t, "The pictures that were made are not whole.");
    } else {
        snprintf(sentence, sizeof(sentence), "The pictures could not be kept (%s).",
                 rc_name(rc));
        task_not_kept(t, rc, sentence);
    }
}

/* The last sheet need not be full; there is one for every picture, or something of what
 * was made is missing. */
static enum rc all_came(const struct board *b)
{
    size_t whole = (b->n_times + STORYBOARD_SHEET - 1) / STORYBOARD_SHEET;
    if (b->n_times == 0)
        return RC_NOT_FOUND;
    return b->n_kept == whole ? RC_OK : RC_TRUNCATED;
}

static void on_end(struct task *t, enum rc refusal, const char *sentence)
{
    struct board *b = t->state;
    b->pipe = NULL;
    if (t->cancelled) {
        task_drop(t);
        return;
    }
    if (b->trouble == RC_OK)
        b->trouble = refusal;
    if (b->trouble == RC_OK && !*sentence)
        b->trouble = all_came(b);
    b->ended = b->trouble == RC_OK;
    if (*sentence && !task_is_no_try(b->trouble))
        task_retry(t, sentence);
    else if (b->ended)
        publish(t);
    else
        finish(t, b->trouble);
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
    for (struct sheet *sheet = b->sheets, *next; sheet; sheet = next) {
        next = sheet->next;
        free(sheet);
    }
    free(b->vtt);
    free(b);
}

const struct task_kind task_storyboard = {.start = storyboard_start,
                                          .release = storyboard_release,
                                          .cancel = storyboard_cancel};
