/*
 * What a probe has found and what is planned from it: the end of the probe's job, and
 * the beginning of all others.
 */
#include "store_priv.h"

#include "text.h"

#include <stdio.h>

static enum rc set_plan(struct store *st, const char *id, const struct video_plan *plan)
{
    char warning[STORE_TEXT_MAX + 1];
    sqlite3_stmt *q;
    /* Not playable until the new generation has a segment of its own. */
    enum rc rc = store_prepare(
        st, SQL_VIDEO_PLANNED,
        "UPDATE videos SET playable = 0, duration_us = ?2, state ="
        " CASE state WHEN 'receiving' THEN state ELSE 'processing' END,"
        " width = ?3, height = ?4, rate_num = ?5, rate_den = ?6, video_codec = ?7,"
        " audio_codec = ?8, warning = ?9, copy_refused = ?10 WHERE id = ?1",
        &q);

    if (rc != RC_OK)
        return rc;
    text_clean(warning, sizeof(warning), plan->warning);
    store_bind_text(q, 1, id);
    store_bind_int(q, 2, plan->duration_us);
    store_bind_int(q, 3, plan->width);
    store_bind_int(q, 4, plan->height);
    store_bind_int(q, 5, plan->rate_num);
    store_bind_int(q, 6, plan->rate_den);
    store_bind_text(q, 7, plan->video_codec);
    store_bind_text(q, 8, plan->audio_codec);
    store_bind_text(q, 9, warning);
    store_bind_text(q, 10, plan->copy_refused);
    return store_finish(st, q);
}

/* Pictures before sound: among encodes age decides. The picture for the poster need not
 * have arrived yet: see store_video_picture_arrived; and what is extra has time until
 * the video is whole: see store_job_confirmed. */
static enum rc add_jobs(struct store *st, const char *id, const struct video_plan *plan)
{
    struct video v;
    enum rc rc = store_video_load(st, id, &v);
    int kind;
    size_t i;

    if (rc == RC_OK && v.state != VIDEO_RECEIVING)
        rc = store_job_add(st, id, JOB_POSTER, "");

    for (kind = RENDITION_VIDEO; kind <= RENDITION_AUDIO; kind++)
        for (i = 0; rc == RC_OK && i < plan->n_renditions; i++)
            if (plan->renditions[i].kind == (enum rendition_kind)kind &&
                !plan->renditions[i].extra)
                rc = store_job_add(st, id, JOB_ENCODE, plan->renditions[i].name);
    if (rc == RC_OK && v.state != VIDEO_RECEIVING)
        rc = store_extras_add(st, id, plan);
    if (rc == RC_OK && v.state != VIDEO_RECEIVING)
        rc = store_storyboard_queue(st, id);
    return rc;
}

/* "Planned 360p, audio-0 for 12.4 s" */
static enum rc note_plan(struct store *st, const char *id,
                         const struct video_plan *plan)
{
    char names[STORE_RENDITIONS_MAX * (STORE_RENDITION_MAX + 2) + 1] = "";
    size_t i, n = 0;

    for (i = 0; i < plan->n_renditions; i++)
        n += (size_t)snprintf(names + n, sizeof(names) - n, "%s%s", i ? ", " : "",
                              plan->renditions[i].name);
    if (plan->duration_us < 0)
        return store_note(st, ACTIVITY_INFO, "probe", id,
                          "Planned %s, for as long as it turns out to be", names);
    return store_note(st, ACTIVITY_INFO, "probe", id, "Planned %s for %.1f s", names,
                      (double)plan->duration_us / 1e6);
}

/* What would leave a video that is never ready, or ready without anything. */
static bool plan_valid(const struct job *job, const struct video_plan *plan)
{
    size_t i;

    if (job->kind != JOB_PROBE || plan->duration_us == 0 || plan->duration_us < -1 ||
        plan->n_renditions < 1 || plan->n_renditions > STORE_RENDITIONS_MAX)
        return false;
    for (i = 0; i < plan->n_renditions; i++) {
        const struct rendition *r = &plan->renditions[i];
        if (!*r->name || (r->copied && r->segments > 0) != (plan->bounds[i].n > 0))
            return false;
    }
    return true;
}

static enum rc keep_bounds(struct store *st, const char *id,
                           const struct video_plan *plan)
{
    enum rc rc = RC_OK;
    size_t i;

    for (i = 0; rc == RC_OK && i < plan->n_renditions; i++)
        if (plan->bounds[i].n > 0)
            rc = store_rendition_cut(st, id, plan->renditions[i].name,
                                     plan->bounds[i].bytes, plan->bounds[i].n);
    return rc;
}

enum rc store_job_planned(struct store *st, const struct job *job,
                          const struct video_plan *plan)
{
    const char *id = job->video_id;
    struct video v;
    enum rc rc;

    if (!plan_valid(job, plan))
        return RC_INVALID;
    rc = plan->renditions[0].generation > 1 ? store_lasting(st) : RC_OK;
    if (rc == RC_OK)
        rc = store_job_begin_video(st, job, &v);
    if (rc != RC_OK)
        return rc;
    /* Nobody would end an open-ended one whose last byte has come. */
    if (plan->duration_us < 0 && v.state != VIDEO_RECEIVING)
        rc = RC_INVALID;
    /* One transaction: a worker that dies in here leaves the probe to be done again,
     * and never a plan without its jobs. */
    if (rc == RC_OK)
        rc = store_renditions_replace(st, id, plan->renditions, plan->n_renditions);
    if (rc == RC_OK)
        rc = keep_bounds(st, id, plan);
    /* Those of the first one are written by now; but they may not last yet. */
    if (rc == RC_OK)
        rc = store_lists_change(st, id);
    if (rc == RC_OK)
        rc = set_plan(st, id, plan);
    if (rc == RC_OK)
        rc = store_job_end(st, job, "done", "");
    if (rc == RC_OK)
        rc = store_job_drop_open(st, id);
    if (rc == RC_OK)
        rc = add_jobs(st, id, plan);
    if (rc == RC_OK)
        rc = store_subtitles_planned(st, &v, &plan->tracks);
    if (rc == RC_OK)
        rc = note_plan(st, id, plan);
    return store_end(st, rc);
}
