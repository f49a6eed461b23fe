/*
 * A video whose plan is made before its last byte is there: planned by its header,
 * encoded as it arrives, and looked at once more when it is whole.
 */
#include "store_priv.h"
#include "store_uploads.h"

#include "text.h"

#include <stdio.h>
#include <string.h>

enum rc store_video_was_probed(struct store *st, const char *id, bool *out)
{
    sqlite3_stmt *q;
    enum rc rc = store_prepare(
        st, SQL_VIDEO_PROBED,
        "SELECT 1 FROM jobs WHERE video_id = ?1 AND kind = 'probe' UNION ALL"
        " SELECT 1 FROM renditions WHERE video_id = ?1 LIMIT 1",
        &q);

    if (rc != RC_OK)
        return rc;
    store_bind_text(q, 1, id);
    return store_has_row(st, q, out);
}

enum rc store_video_header_arrived(struct store *st, const char *id)
{
    struct video v;
    bool probed = false;
    enum rc rc = store_video_begin(st, id, &v);

    if (rc != RC_OK)
        return rc;
    if (v.state != VIDEO_RECEIVING)
        return store_end(st, RC_NOT_FOUND);
    /* One that was ever probed is not probed again before it is whole. */
    rc = store_video_was_probed(st, id, &probed);
    if (rc == RC_OK)
        rc = probed ? RC_EXISTS : store_job_add(st, id, JOB_PROBE, "");
    return store_end(st, rc);
}

enum rc store_poster_queue(struct store *st, const struct video *v)
{
    bool queued = false;
    sqlite3_stmt *q;
    enum rc rc = store_prepare(
        st, SQL_VIDEO_POSTER_JOB,
        "SELECT 1 FROM jobs WHERE video_id = ?1 AND kind = 'poster' LIMIT 1", &q);

    if (rc != RC_OK)
        return rc;
    store_bind_text(q, 1, v->id);
    rc = store_has_row(st, q, &queued);
    if (rc != RC_OK)
        return rc;
    return queued || (v->has_poster && !v->poster_dull)
               ? RC_EXISTS
               : store_job_add(st, v->id, JOB_POSTER, "");
}

enum rc store_video_picture_arrived(struct store *st, const char *id)
{
    struct rendition all[STORE_RENDITIONS_MAX];
    size_t n = 0;
    struct video v;
    enum rc rc = store_video_begin(st, id, &v);

    if (rc != RC_OK)
        return rc;
    if (v.state != VIDEO_RECEIVING)
        return store_end(st, RC_NOT_FOUND);
    rc = store_renditions(st, id, all, &n);
    if (rc == RC_OK)
        rc = n > 0 ? store_poster_queue(st, &v) : RC_INVALID;
    return store_end(st, rc);
}

enum rc store_job_leave(struct store *st, const struct job *job, const char *reason)
{
    char text[STORE_TEXT_MAX + 1];
    struct video v;
    enum rc rc;

    if (job_makes_rendition(job->kind))
        return RC_INVALID;
    rc = store_job_begin_video(st, job, &v);
    if (rc != RC_OK)
        return rc;
    if (v.state != VIDEO_RECEIVING)
        rc = RC_INVALID;
    text_clean(text, sizeof(text), reason);
    if (rc == RC_OK)
        rc = store_job_end(st, job, "done", text);
    if (rc == RC_OK)
        rc = store_note(st, ACTIVITY_INFO, job_kind_name(job->kind), job->video_id,
                        job->kind == JOB_POSTER ? "Has its poster when it is whole: %s"
                                                : "Can be played when it is whole: %s",
                        text);
    return store_end(st, rc);
}

static enum rc set_source_end(struct store *st, const char *id,
                              const struct rendition *r)
{
    sqlite3_stmt *q;
    enum rc rc = store_prepare(st, SQL_RENDITION_SOURCE_END,
                               "UPDATE renditions SET source_last_us = ?3"
                               " WHERE video_id = ?1 AND name = ?2",
                               &q);

    if (rc != RC_OK)
        return rc;
    store_bind_text(q, 1, id);
    store_bind_text(q, 2, r->name);
    store_bind_int(q, 3, r->source_last_us);
    return store_finish(st, q);
}

/* Of a rendition of an open-ended video. */
static enum rc set_length(struct store *st, const char *id, const struct rendition *r)
{
    sqlite3_stmt *q;
    enum rc rc = store_prepare(st, SQL_RENDITION_LENGTH,
                               "UPDATE renditions SET frames = ?3, segments = ?4"
                               " WHERE video_id = ?1 AND name = ?2",
                               &q);

    if (rc != RC_OK)
        return rc;
    store_bind_text(q, 1, id);
    store_bind_text(q, 2, r->name);
    store_bind_int(q, 3, r->frames);
    store_bind_int(q, 4, r->segments);
    return store_finish(st, q);
}

static enum rc end_timeline(struct store *st, const char *id,
                            const struct video_plan *found)
{
    sqlite3_stmt *q;
    size_t i;
    enum rc rc = store_prepare(st, SQL_VIDEO_LENGTH,
                               "UPDATE videos SET duration_us = ?2 WHERE id = ?1", &q);

    if (rc != RC_OK)
        return rc;
    store_bind_text(q, 1, id);
    store_bind_int(q, 2, found->duration_us);
    rc = store_finish(st, q);
    for (i = 0; rc == RC_OK && i < found->n_renditions; i++)
        if (!found->renditions[i].extra)
            rc = set_length(st, id, &found->renditions[i]);
    return rc;
}

static enum rc grow(struct store *st, const struct job *job, int64_t segments)
{
    sqlite3_stmt *q;
    enum rc rc = store_prepare(st, SQL_RENDITION_GROW,
                               "UPDATE renditions SET segments = ?3, frames = ?3 * gop"
                               " WHERE video_id = ?1 AND name = ?2 AND segments < ?3",
                               &q);

    if (rc != RC_OK)
        return rc;
    store_bind_text(q, 1, job->video_id);
    store_bind_text(q, 2, job->rendition);
    store_bind_int(q, 3, segments);
    return store_finish(st, q);
}

enum rc store_job_promise(struct store *st, const struct job *job, int64_t segments)
{
    struct video v;
    enum rc rc;

    if (job->kind != JOB_ENCODE)
        return RC_INVALID;
    rc = store_job_begin_video(st, job, &v);
    if (rc != RC_OK)
        return rc;
    rc = v.duration_us < 0 ? grow(st, job, segments) : RC_CONFLICT;
    if (rc == RC_OK)
        rc = store_lists_change(st, job->video_id);
    return store_end(st, rc);
}

enum rc store_job_confirmed(struct store *st, const struct job *job,
                            const struct video_plan *found, bool *video_ready)
{
    struct video v;
    bool ready = false;
    size_t i;
    enum rc rc;

    if (job->kind != JOB_PROBE)
        return RC_INVALID;
    rc = store_lasting(st);
    if (rc == RC_OK)
        rc = store_job_begin_video(st, job, &v);
    if (rc != RC_OK)
        return rc;
    if (v.state != VIDEO_PROCESSING)
        rc = RC_INVALID;
    if (rc == RC_OK && found->warning[0])
        rc = store_video_add_warning(st, &v, found->warning);
    for (i = 0; rc == RC_OK && i < found->n_renditions; i++)
        rc = set_source_end(st, job->video_id, &found->renditions[i]);
    if (rc == RC_OK && v.duration_us < 0)
        rc = end_timeline(st, job->video_id, found);
    if (rc == RC_OK)
        rc = store_extras_add(st, job->video_id, found);
    if (rc == RC_OK)
        rc = store_copy_refused(st, job->video_id, found->copy_refused);
    if (rc == RC_OK)
        rc = store_subtitles_planned(st, &v, &found->tracks);
    if (rc == RC_OK)
        rc = store_lists_change(st, job->video_id);
    if (rc == RC_OK)
        rc = store_job_end(st, job, "done", "");
    if (rc == RC_OK)
        rc = store_storyboard_queue(st, job->video_id);
    if (rc == RC_OK)
        rc = store_ready_if_last(st, job->video_id, &ready);
    rc = store_end(st, rc);
    if (rc == RC_OK)
        *video_ready = ready;
    return rc;
}

enum rc store_upload_index_needed(struct store *st, const char *id, bool *out)
{
    sqlite3_stmt *q;
    enum rc rc =
        store_prepare(st, SQL_UPLOAD_INDEX_NEEDED,
                      "SELECT 1 FROM videos WHERE id = ?1 AND deleted_at IS NULL"
                      " AND (state = 'receiving' OR EXISTS (SELECT 1 FROM jobs"
                      " WHERE video_id = ?1 AND kind = 'probe'"
                      " AND state IN ('queued', 'running')))",
                      &q);

    if (rc != RC_OK)
        return rc;
    store_bind_text(q, 1, id);
    return store_has_row(st, q, out);
}
