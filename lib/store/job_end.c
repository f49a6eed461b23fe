/*
 * What a job has achieved, and what that means for its video. Every function here
 * begins by checking the fencing number inside its own transaction.
 */
#include "store_priv.h"

#include "text.h"

#include <stdio.h>

enum rc store_job_end(struct store *st, const struct job *job, const char *state,
                      const char *error)
{
    sqlite3_stmt *q;
    enum rc rc =
        store_prepare(st, SQL_JOB_END,
                      "UPDATE jobs SET state = ?2, error = ?3, ended_ms = ?4,"
                      " progress = CASE ?2 WHEN 'done' THEN 1 ELSE progress END"
                      " WHERE id = ?1",
                      &q);

    if (rc != RC_OK)
        return rc;
    store_bind_int(q, 1, job->id);
    store_bind_text(q, 2, state);
    store_bind_text(q, 3, error);
    store_bind_int(q, 4, store_wall_ms(st));
    return store_finish(st, q);
}

/* ---- segments ----------------------------------------------------------- */

/* It has moved on: what was lost before does not count against it. */
static enum rc forget_lost(struct store *st, const struct job *job, int64_t done)
{
    sqlite3_stmt *q;
    enum rc rc =
        store_prepare(st, SQL_JOB_MOVED,
                      "UPDATE jobs SET lost = 0 WHERE id = ?1 AND lost > 0"
                      " AND EXISTS (SELECT 1 FROM renditions WHERE video_id = ?2"
                      " AND name = ?3 AND done < ?4)",
                      &q);

    if (rc != RC_OK)
        return rc;
    store_bind_int(q, 1, job->id);
    store_bind_text(q, 2, job->video_id);
    store_bind_text(q, 3, job->rendition);
    store_bind_int(q, 4, done);
    return store_finish(st, q);
}

/* Refuses what the playlist does not promise: it would be a bug of the worker's. */
static enum rc set_done(struct store *st, const struct job *job,
                        const struct readiness *ready)
{
    char encoding[STORE_RUNS_MAX * 21 + 1] = "";
    size_t i, n = 0;
    sqlite3_stmt *q;
    enum rc rc = store_prepare(st, SQL_RENDITION_DONE,
                               "UPDATE renditions SET done = ?3, encoding = ?5,"
                               " ready = ?4, bytes = ?6 WHERE video_id = ?1"
                               " AND name = ?2 AND ?3 BETWEEN 0 AND segments"
                               " AND (?4 IS NULL OR (length(?4) <= (segments + 7) / 8"
                               " AND length(?4) * 8 >= ?3))",
                               &q);

    if (rc != RC_OK)
        return rc;
    for (i = 0; i < ready->n_encoding; i++)
        n += (size_t)snprintf(encoding + n, sizeof(encoding) - n, "%s%lld",
                              i ? " " : "", (long long)ready->encoding[i]);
    store_bind_text(q, 1, job->video_id);
    store_bind_text(q, 2, job->rendition);
    store_bind_int(q, 3, ready->done);
    sqlite3_bind_blob64(q, 4, ready->bits, ready->n_bytes, SQLITE_STATIC);
    store_bind_text(q, 5, encoding);
    store_bind_int(q, 6, ready->bytes);
    rc = store_finish(st, q);
    return rc == RC_OK && store_changes(st) == 0 ? RC_INVALID : rc;
}

/*
 * The time of the first segment stays that of the very first one, also when a video is
 * planned again: it says how long the person who dropped the file had to wait.
 */
static enum rc set_playable(struct store *st, const struct job *job)
{
    sqlite3_stmt *q;
    enum rc rc = store_prepare(
        st, SQL_VIDEO_PLAYABLE,
        "UPDATE videos SET playable = 1, first_segment_ms ="
        " CASE WHEN first_segment_ms < 0 THEN max(0, ?3 - created_ms)"
        " ELSE first_segment_ms END"
        " WHERE id = ?1 AND playable = 0 AND EXISTS (SELECT 1 FROM renditions"
        " WHERE video_id = ?1 AND name = ?2 AND kind = 'video' AND done > 0)",
        &q);

    if (rc != RC_OK)
        return rc;
    store_bind_text(q, 1, job->video_id);
    store_bind_text(q, 2, job->rendition);
    store_bind_int(q, 3, store_wall_ms(st));
    return store_finish(st, q);
}

enum rc store_job_published(struct store *st, const struct job *job,
                            const struct readiness *ready)
{
    enum rc rc;

    if (ready->n_encoding > STORE_RUNS_MAX)
        return RC_INVALID;
    rc = store_job_begin(st, job);
    if (rc != RC_OK)
        return rc;
    rc = forget_lost(st, job, ready->done);
    if (rc == RC_OK)
        rc = set_done(st, job, ready);
    if (rc == RC_OK)
        rc = set_playable(st, job);
    return store_end(st, rc);
}

/* ---- done --------------------------------------------------------------- */

/*
 * A done job means that all segments exist, whether the worker said so or its last word
 * got lost. What was planned is a guess for the master playlist; 0 leaves it.
 */
static enum rc set_complete(struct store *st, const struct job *job,
                            const struct job_result *result)
{
    sqlite3_stmt *q;
    enum rc rc = store_prepare(
        st, SQL_RENDITION_COMPLETE,
        "UPDATE renditions SET done = segments, ready = NULL, encoding = '',"
        " bitrate = CASE WHEN ?3 > 0 THEN ?3 ELSE bitrate END,"
        " average_bitrate = CASE WHEN ?4 > 0 THEN ?4 ELSE average_bitrate END"
        " WHERE video_id = ?1 AND name = ?2",
        &q);

    if (rc != RC_OK)
        return rc;
    store_bind_text(q, 1, job->video_id);
    store_bind_text(q, 2, job->rendition);
    store_bind_int(q, 3, result->bitrate);
    store_bind_int(q, 4, result->average_bitrate);
    return store_finish(st, q);
}

/* Asked after the job itself is marked done; other kinds do not count. Nothing is ready
 * before its last byte is there, and was looked at. */
static enum rc work_left(struct store *st, const char *id, bool *out)
{
    sqlite3_stmt *q;
    enum rc rc = store_prepare(st, SQL_VIDEO_WORK_LEFT,
                               "SELECT 1 FROM jobs WHERE video_id = ?1"
                               " AND kind IN ('probe', 'encode') AND state <> 'done'"
                               " UNION ALL SELECT 1 FROM videos WHERE id = ?1"
                               " AND state = 'receiving' LIMIT 1",
                               &q);

    if (rc != RC_OK)
        return rc;
    store_bind_text(q, 1, id);
    return store_has_row(st, q, out);
}

static enum rc set_ready(struct store *st, const char *id)
{
    struct video v;
    sqlite3_stmt *q;
    enum rc rc = store_prepare(st, SQL_VIDEO_READY,
                               "UPDATE videos SET state = 'ready',"
                               " ready_ms = max(0, ?2 - created_ms) WHERE id = ?1"
                               " AND state <> 'ready'", /* mended: it was so before */
                               &q);

    if (rc != RC_OK)
        return rc;
    store_bind_text(q, 1, id);
    store_bind_int(q, 2, store_wall_ms(st));
    rc = store_finish(st, q);
    if (rc == RC_OK && store_changes(st) == 0)
        return RC_OK;
    if (rc == RC_OK)
        rc = store_video_load(st, id, &v);
    if (rc == RC_OK)
        rc = store_note(st, ACTIVITY_INFO, "video", id, "Ready after %.1f s",
                        (double)v.ready_ms / 1000);
    return rc;
}

enum rc store_ready_if_last(struct store *st, const char *id, bool *ready)
{
    bool left = true;
    enum rc rc = work_left(st, id, &left);

    if (rc != RC_OK || left)
        return rc;
    *ready = true;
    return set_ready(st, id);
}

static enum rc encode_done(struct store *st, const struct job *job,
                           const struct job_result *result, bool *ready)
{
    enum rc rc = set_complete(st, job, result);

    if (rc == RC_OK)
        rc = store_lists_change(st, job->video_id);
    if (rc == RC_OK)
        rc = set_playable(st, job);
    if (rc == RC_OK)
        rc = store_note(st, ACTIVITY_INFO, "encode", job->video_id, "%s: %s",
                        job->rendition, job->kind == JOB_COPY ? "copied" : "encoded");
    if (rc == RC_OK && job->kind == JOB_ENCODE)
        rc = store_ready_if_last(st, job->video_id, ready);
    return rc;
}

/* Without one, if the site wants none: the page does too. */
static enum rc poster_done(struct store *st, const struct job *job,
                           const struct job_result *result)
{
    sqlite3_stmt *q;
    enum rc rc;

    if (!result->poster_made)
        return store_note(st, ACTIVITY_INFO, "poster", job->video_id,
                          "No poster: this site has them of chosen moments alone");
    rc = store_prepare(st, SQL_VIDEO_POSTER,
                       "UPDATE videos SET has_poster = 1,"
                       " poster_dull = ?2,"
                       " poster_version = poster_version + 1 WHERE id = ?1",
                       &q);
    if (rc != RC_OK)
        return rc;
    store_bind_text(q, 1, job->video_id);
    store_bind_int(q, 2, result->poster_dull);
    rc = store_finish(st, q);
    return rc == RC_OK
               ? store_note(st, ACTIVITY_INFO, "poster", job->video_id, "Poster made")
               : rc;
}

/* What a done job means for its video; the job itself is marked. */
static enum rc take_result(struct store *st, const struct job *job,
                           const struct job_result *result, bool *ready)
{
    if (job_makes_rendition(job->kind))
        return encode_done(st, job, result, ready);
    switch (job->kind) {
    case JOB_POSTER:
        return poster_done(st, job, result);
    case JOB_STORYBOARD:
        return store_note(st, ACTIVITY_INFO, "storyboard", job->video_id,
                          "Previews of the seek bar made");
    case JOB_SUBTITLES:
        return RC_OK; /* each of them has said so itself */
    default:
        return RC_INVALID;
    }
}

enum rc store_job_done(struct store *st, const struct job *job,
                       const struct job_result *result, bool *video_ready)
{
    bool ready = false;
    enum rc rc;

    if (job->kind == JOB_PROBE)
        return RC_INVALID;
    rc = job->kind == JOB_ENCODE ? store_lasting(st) : RC_OK;
    if (rc == RC_OK)
        rc = store_job_begin(st, job);
    if (rc != RC_OK)
        return rc;
    rc = store_job_end(st, job, "done", "");
    if (rc == RC_OK)
        rc = take_result(st, job, result, &ready);
    rc = store_end(st, rc);
    if (rc == RC_OK)
        *video_ready = ready;
    return rc;
}

/* ---- without ------------------------------------------------------------ */

enum rc store_rendition_remove(struct store *st, const char *video_id, const char *name)
{
    sqlite3_stmt *q;
    enum rc rc = store_prepare(st, SQL_RENDITION_REMOVE,
                               "DELETE FROM renditions WHERE video_id = ?1"
                               " AND name = ?2",
                               &q);

    if (rc != RC_OK)
        return rc;
    store_bind_text(q, 1, video_id);
    store_bind_text(q, 2, name);
    return store_finish(st, q);
}

/* Where whoever wonders about it looks. */
static enum rc say_without(struct store *st, const struct job *job,
                           const char *sentence)
{
    struct video v;
    enum rc rc = RC_OK;

    if (job->kind == JOB_COPY)
        rc = store_copy_refused(st, job->video_id, sentence);
    if (rc == RC_OK && job->kind == JOB_ENCODE)
        rc = store_video_load(st, job->video_id, &v);
    if (rc == RC_OK && job->kind == JOB_ENCODE)
        return store_video_add_warning(st, &v, sentence);
    return rc == RC_OK
               ? store_note(st, ACTIVITY_INFO, job_kind_name(job->kind), job->video_id,
                            "Without %s: %s", job->rendition, sentence)
               : rc;
}

static enum rc go_without(struct store *st, const struct job *job, const char *sentence,
                          const struct video_plan *extras, bool *video_ready)
{
    char text[STORE_TEXT_MAX + 1];
    bool ready = false;
    enum rc rc;

    if (!job_makes_rendition(job->kind))
        return RC_INVALID;
    rc = store_lasting(st);
    if (rc == RC_OK)
        rc = store_job_begin(st, job);
    if (rc != RC_OK)
        return rc;
    text_clean(text, sizeof(text), sentence);
    rc = store_rendition_remove(st, job->video_id, job->rendition);
    if (rc == RC_OK && extras)
        rc = store_extras_add(st, job->video_id, extras);
    if (rc == RC_OK)
        rc = store_lists_change(st, job->video_id);
    if (rc == RC_OK)
        rc = say_without(st, job, text);
    if (rc == RC_OK)
        rc = store_job_end(st, job, "done", "");
    if (rc == RC_OK && job->kind == JOB_ENCODE)
        rc = store_ready_if_last(st, job->video_id, &ready);
    rc = store_end(st, rc);
    if (rc == RC_OK)
        *video_ready = ready;
    return rc;
}

enum rc store_job_without(struct store *st, const struct job *job, const char *sentence,
                          bool *video_ready)
{
    return go_without(st, job, sentence, NULL, video_ready);
}

enum rc store_job_instead(struct store *st, const struct job *job, const char *sentence,
                          const struct video_plan *extras, bool *video_ready)
{
    if (job->kind != JOB_COPY)
        return RC_INVALID;
    return go_without(st, job, sentence, extras, video_ready);
}

/* ---- failed ------------------------------------------------------------- */

/* The failed job's own row stays, with its error; the others are fenced off. */
static enum rc fail_video(struct store *st, const struct job *job, const char *error)
{
    sqlite3_stmt *q;
    struct video v;
    enum rc rc = store_video_load(st, job->video_id, &v);

    /* What was to be mended of it stays missing, and the rest plays on. */
    if (rc == RC_OK && v.state == VIDEO_READY)
        return store_video_add_warning(st, &v, error);
    if (rc == RC_OK)
        rc = store_job_drop_open(st, job->video_id);
    /* What cannot be made of a part says nothing of the whole: the upload goes on, and
     * with its last byte everything is planned anew. */
    if (rc == RC_OK && v.state == VIDEO_RECEIVING)
        return store_note(st, ACTIVITY_WARN, "video", job->video_id,
                          "Can be played when it is whole: %s", error);
    if (rc == RC_OK)
        rc = store_prepare(st, SQL_VIDEO_FAILED,
                           "UPDATE videos SET state = 'failed', error = ?2"
                           " WHERE id = ?1",
                           &q);
    if (rc != RC_OK)
        return rc;
    store_bind_text(q, 1, job->video_id);
    store_bind_text(q, 2, error);
    rc = store_finish(st, q);
    return rc == RC_OK ? store_note(st, ACTIVITY_ERROR, "video", job->video_id,
                                    "Failed: %s", error)
                       : rc;
}

enum rc store_job_fail(struct store *st, const struct job *job, const char *error)
{
    char text[STORE_TEXT_MAX + 1];
    enum rc rc;

    if (job_is_extra(job->kind))
        return RC_INVALID;
    rc = store_job_begin(st, job);
    if (rc != RC_OK)
        return rc;
    text_clean(text, sizeof(text), error);
    rc = store_job_end(st, job, "failed", text);
    if (rc == RC_OK)
        rc = store_note(st, ACTIVITY_WARN, job_kind_name(job->kind), job->video_id,
                        "%s%sgiven up at attempt %lld: %s", job->rendition,
                        *job->rendition ? ": " : "", (long long)job->fence, text);
    if (rc == RC_OK && job->kind == JOB_SUBTITLES)
        rc = store_subtitles_give_up(st, job, text);
    if (rc == RC_OK && (job->kind == JOB_PROBE || job->kind == JOB_ENCODE))
        rc = fail_video(st, job, text);
    return store_end(st, rc);
}
