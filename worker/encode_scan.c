/*
 * encode_scan.c: reads the keyframes of the source beside the first run. A run that
 * begins at the right one is half as long on its way to its first segment. Where a copy
 * begins is known from its bounds.
 */
#include "encode.h"

#include "log.h"

#include <stdlib.h>
#include <sys/wait.h>

/* A shorter video is encoded before the list would be of use. */
#define SEGMENTS_MIN 15

/* For whoever goes on with this job when this worker is gone. */
static void keep(struct task *t)
{
    const struct encode *e = t->state;
    uint8_t *bytes;
    size_t n;
    if (seek_points_pack(e->points, e->have.total, &bytes, &n) != RC_OK)
        return;
    enum rc rc = store_job_seek_points(t->w->store, &t->job, bytes, n);
    if (rc != RC_OK && rc != RC_FENCED)
        log_warn("job %lld: cannot keep the keyframes: %s", (long long)t->job.id,
                 rc_name(rc));
    free(bytes);
}

void encode_recall_keyframes(struct task *t)
{
    struct encode *e = t->state;
    uint8_t *bytes;
    size_t n;
    if (store_seek_points(t->w->store, t->video.id, e->rendition.name, &bytes, &n) !=
        RC_OK)
        return;
    if (n == (size_t)e->have.total * 8 &&
        seek_points_unpack(bytes, n, &e->points) == RC_OK)
        e->scanned = true;
    free(bytes);
}

static enum rc on_output(void *arg, const void *data, size_t n)
{
    const struct encode *e = ((struct task *)arg)->state;
    return seek_points_feed(e->keyframes, data, n);
}

static void on_end(void *arg, const struct supervise_end *end)
{
    struct task *t = arg;
    struct encode *e = t->state;
    bool good = end->reason == SUPERVISE_EXITED && WIFEXITED(end->status) &&
                WEXITSTATUS(end->status) == 0;
    enum rc rc = RC_IO;
    e->scan = NULL;
    if (good)
        rc = seek_points_finish(e->keyframes, &e->rendition, t->video.container,
                                &e->points);
    if (rc == RC_OK)
        keep(t);
    joblog_note(t->log, "keyframes: %s", rc_name(rc));
    seek_points_free(e->keyframes);
    e->keyframes = NULL;
    encode_settle(t);
}

void encode_scan_keyframes(struct task *t)
{
    struct encode *e = t->state;
    struct args_source src;
    struct args args;
    char path[PATH_MAX];
    if (e->scanned || e->arriving || e->points ||
        e->rendition.kind != RENDITION_VIDEO || e->rendition.copied ||
        e->have.total - e->have.done < SEGMENTS_MIN)
        return;
    e->scanned = true;
    enum rc rc = seek_points_open(&e->keyframes);
    if (rc == RC_OK)
        rc = task_source(t, t->w->config.ffprobe, path, &src);
    if (rc == RC_OK)
        rc = args_keyframes(&src, e->rendition.stream, &args);
    if (rc == RC_OK)
        rc = task_spawn(t, &args,
                        &(struct task_child){.stall_ms = t->w->config.stall_s * 1000,
                                             .on_output = on_output,
                                             .on_end = on_end,
                                             .arg = t},
                        &e->scan);
    if (rc == RC_OK)
        return;
    joblog_note(t->log, "keyframes cannot be read: %s", rc_name(rc));
    seek_points_free(e->keyframes);
    e->keyframes = NULL;
}
