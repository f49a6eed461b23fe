/*
 * without.c: a video goes on without a rendition that is not to be had.
 *
 * Every end for good of an extra rendition's job but a good one comes here, and that of
 * a sound which cannot be decoded. The playlists forget the rendition first, then the
 * store, and then its files go: so nobody is sent to what is not there.
 */
#include "worker.h"

#include "ladder.h"
#include "log.h"
#include "old_folders.h"
#include "playlists.h"
#include "video_lists.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The renditions of a video, the job's own apart. */
struct rest {
    struct rendition all[STORE_RENDITIONS_MAX];
    size_t n;
    struct rendition own;
    bool has_own;
};

/* RC_FENCED: what there is belongs to somebody else by now. */
static enum rc look(struct task *t, struct rest *out)
{
    struct rendition all[STORE_RENDITIONS_MAX];
    size_t n = 0;
    enum rc rc = store_job_check(t->w->store, &t->job);
    if (rc == RC_OK && !t->video.id[0])
        rc = store_video_get(t->w->store, t->job.video_id, &t->video);
    if (rc == RC_OK)
        rc = store_renditions(t->w->store, t->job.video_id, all, &n);
    out->n = 0;
    out->has_own = false;
    for (size_t i = 0; i < n && rc == RC_OK; i++) {
        if (strcmp(all[i].name, t->job.rendition) != 0) {
            out->all[out->n++] = all[i];
            continue;
        }
        out->own = all[i];
        out->has_own = true;
    }
    return rc;
}

/* Only what passes is waited for: a folder that is gone must not keep the job for ever.
 */
static enum rc forget(const struct task *t, const struct rest *rest)
{
    enum rc rc =
        lists_write(t->w, &t->video, rest->all, rest->n, t->video.duration_us < 0);
    if (rc != RC_OK && rc != RC_PENDING)
        log_warn("video %s: cannot rewrite the playlists: %s", t->video.id,
                 rc_name(rc));
    return rc == RC_NOSPACE || rc == RC_BUSY || rc == RC_NOMEM || rc == RC_PENDING
               ? rc
               : RC_OK;
}

/* Without its own packets the ladder has to go as far as they would have. */
static void plan_instead(const struct task *t, const struct rest *rest,
                         struct video_plan *out)
{
    const struct config *config = &t->w->config;
    struct ladder_rules rules = {config->ladder_max_side, config->ladder_pixel_mbits,
                                 config->ladder_near_percent};
    struct ladder_source source = {
        .width = t->video.width,
        .height = t->video.height,
        .rate = {t->video.rate_num, t->video.rate_den},
        .duration_us = t->video.duration_us,
        .bitrate = ladder_bitrate(&rest->own, t->video.size, t->video.duration_us),
    };
    out->n_renditions = ladder_plan(&rules, &source, &rest->all[0], out->renditions);
}

static void hand_back(struct task *t, enum rc rc)
{
    char sentence[STORE_TEXT_MAX + 1];
    if (rc == RC_FENCED) {
        task_drop(t);
        return;
    }
    task_explain_start("", rc, sentence, sizeof(sentence));
    task_postpone(t, sentence);
}

static void leave(struct task *t)
{
    struct store *store = t->w->store;
    const char *why = t->state;
    struct rest rest;
    struct video_plan extras = {.n_renditions = 0};
    bool copy = t->job.kind == JOB_COPY, ready = false;
    enum rc rc = look(t, &rest);
    if (rc == RC_OK)
        rc = forget(t, &rest);
    if (rc == RC_PENDING) {
        task_wait_staged(t, leave);
        return;
    }
    if (rc == RC_OK && copy && rest.has_own && rest.n > 0)
        plan_instead(t, &rest, &extras);
    if (rc == RC_OK)
        rc = copy ? store_job_instead(store, &t->job, why, &extras, &ready)
                  : store_job_without(store, &t->job, why, &ready);
    if (rc != RC_OK) {
        hand_back(t, rc);
        return;
    }
    /* Where this fails, added rungs are not listed before the first of them is done. */
    lists_follow(t->w, t->video.id);
    if (rest.has_own)
        old_folders_remove_rendition(t->w, t->video.media_root, &rest.own);
    joblog_note(t->log, "the video goes on without it%s",
                ready ? ", and is ready" : "");
    task_end(t, why);
}

static void free_why(struct task *t)
{
    free(t->state);
}

/* What the task was is over, but it may have to wait for the disk. */
static const struct task_kind task_leaving = {.release = free_why};

void task_without(struct task *t, const char *why)
{
    char *kept = strdup(why);
    if (!kept) {
        hand_back(t, RC_NOMEM);
        return;
    }
    if (t->state)
        t->kind->release(t);
    t->told_changes = t->changes;
    t->kind = &task_leaving;
    t->state = kept;
    leave(t);
}
