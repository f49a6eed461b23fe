/*
 * poster_job.c: one still picture of the video, htdocs/media/<root>/poster.jpg; made as
 * soon as that picture has arrived.
 */
#include "worker.h"

#include "mediadir.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define POSTER_SIDE 640
#define POSTER_MAX (4 << 20)      /* bytes of the JPEG */
#define POSTER_AT_MAX_US 10000000 /* not later, so that the seek is short */
#define POSTER_OPEN_US 2000000    /* where nobody knows the length yet */

struct poster {
    char *jpeg;
    size_t size;
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

/* A worker that was frozen past its lease must not touch what another one made. */
static enum rc publish(struct task *t)
{
    struct poster *p = t->state;
    int fd;
    enum rc rc = store_job_check(t->w->store, &t->job);
    if (rc == RC_OK)
        rc = mediadir_open(&t->w->site, t->video.media_root, "", false, &fd);
    if (rc != RC_OK)
        return rc;
    rc = mediafile_put(t->w->tmp_fd, fd, "poster.jpg", p->jpeg, p->size, true);
    close(fd);
    return rc;
}

/* What fails of a part need not fail of the whole: it has one more try then. */
static void leave_for_later(struct task *t, const char *sentence)
{
    if (store_job_leave(t->w->store, &t->job, sentence) == RC_OK)
        task_end(t, sentence);
    else
        task_drop(t); /* it was stored just now */
}

static void on_end(struct task *t, const struct supervise_end *end)
{
    const struct poster *p = t->state;
    char sentence[STORE_TEXT_MAX + 1];
    /* A whole JPEG ends with its EOI marker, whatever the exit status says. */
    bool whole = p->size > 4 && memcmp(p->jpeg + p->size - 2, "\xff\xd9", 2) == 0;
    if (end->reason == SUPERVISE_EXITED && whole && publish(t) == RC_OK) {
        task_done(t, &(struct job_result){.poster_made = true});
        return;
    }
    task_explain(t, t->args.v[0], end, sentence, sizeof(sentence));
    if (t->video.state == VIDEO_RECEIVING)
        leave_for_later(t, sentence);
    else
        task_retry(t, sentence);
}

static enum rc poster_start(struct task *t)
{
    struct rendition all[STORE_RENDITIONS_MAX];
    struct args_source src;
    char path[PATH_MAX];
    size_t n = 0;
    struct poster *p = calloc(1, sizeof(*p));
    if (!p)
        return RC_NOMEM;
    t->state = p;
    if (t->video.state == VIDEO_RECEIVING && !task_arrival(t))
        return RC_BUSY; /* a new worker has not read its header yet */
    /* Where its own place fails, any will do. */
    int64_t at = t->job.failures > 0 ? 0 : poster_at_us(t->video.duration_us);
    enum rc rc = store_renditions(t->w->store, t->video.id, all, &n);
    if (rc == RC_OK && (n == 0 || all[0].kind != RENDITION_VIDEO))
        rc = RC_NOT_FOUND;
    if (rc == RC_OK)
        rc = task_source(t, t->w->config.ffmpeg, path, &src);
    if (rc == RC_OK)
        rc = args_poster(&src, &all[0], at, POSTER_SIDE, &t->args);
    if (rc == RC_OK)
        rc = task_run(t, t->w->config.stall_s * 1000,
                      t->w->config.probe_timeout_s * 1000, on_output, on_end);
    return rc;
}

static void poster_release(struct task *t)
{
    struct poster *p = t->state;
    free(p->jpeg);
    free(p);
}

const struct task_kind task_poster = {.start = poster_start, .release = poster_release};
