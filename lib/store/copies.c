/*
 * Renditions that come after what a video is ready with: copies of the source, which
 * are promised once it is known where they can be cut, and the rest of the ladder.
 */
#include "store_priv.h"

#include <stdlib.h>
#include <string.h>

/* ---- copies ------------------------------------------------------------- */

static enum rc set_offer(struct store *st, const struct job *job,
                         const struct rendition *r, const uint8_t *bounds, size_t n)
{
    sqlite3_stmt *q;
    enum rc rc = store_prepare(
        st, SQL_RENDITION_OFFER,
        "UPDATE renditions SET segments = ?3, frames = ?4, codecs = ?5, bitrate = ?6,"
        " average_bitrate = ?7, bounds = ?8 WHERE video_id = ?1 AND name = ?2"
        " AND copied = 1",
        &q);

    if (rc != RC_OK)
        return rc;
    store_bind_text(q, 1, job->video_id);
    store_bind_text(q, 2, job->rendition);
    store_bind_int(q, 3, r->segments);
    store_bind_int(q, 4, r->frames);
    store_bind_text(q, 5, r->codecs);
    store_bind_int(q, 6, r->bitrate);
    store_bind_int(q, 7, r->average_bitrate);
    sqlite3_bind_blob64(q, 8, bounds, n, SQLITE_STATIC);
    rc = store_finish(st, q);
    return rc == RC_OK && store_changes(st) == 0 ? RC_INVALID : rc;
}

enum rc store_job_offer(struct store *st, const struct job *job,
                        const struct rendition *r, const uint8_t *bounds, size_t n)
{
    enum rc rc;

    if (job->kind != JOB_COPY || r->segments < 1)
        return RC_INVALID;
    rc = store_job_begin(st, job);
    if (rc != RC_OK)
        return rc;
    rc = set_offer(st, job, r, bounds, n);
    if (rc == RC_OK)
        rc = store_lists_change(st, job->video_id);
    if (rc == RC_OK)
        rc = store_note(st, ACTIVITY_INFO, "copy", job->video_id,
                        "%s: %lld segments, cut at the keyframes of the file",
                        job->rendition, (long long)r->segments);
    return store_end(st, rc);
}

enum rc store_rendition_cut(struct store *st, const char *video_id, const char *name,
                            const uint8_t *bounds, size_t n)
{
    sqlite3_stmt *q;
    enum rc rc = store_prepare(st, SQL_RENDITION_CUT,
                               "UPDATE renditions SET bounds = ?3 WHERE video_id = ?1"
                               " AND name = ?2 AND copied = 1",
                               &q);

    if (rc != RC_OK)
        return rc;
    store_bind_text(q, 1, video_id);
    store_bind_text(q, 2, name);
    sqlite3_bind_blob64(q, 3, bounds, n, SQLITE_STATIC);
    return store_finish(st, q);
}

/* ---- sound that cannot be copied ------------------------------------------ */

/* Fences off whoever copies a sound of the video, and queues the encodes. */
static enum rc replace_jobs(struct store *st, const char *id)
{
    struct rendition all[STORE_RENDITIONS_MAX];
    size_t n = 0, i;
    enum rc rc = store_renditions(st, id, all, &n);

    if (rc == RC_OK)
        rc = store_run_text(st, SQL_JOB_DROP_COPIED_SOUND,
                            "DELETE FROM jobs WHERE video_id = ?1 AND rendition IN"
                            " (SELECT name FROM renditions WHERE video_id = ?1"
                            " AND kind = 'audio' AND copied = 1)",
                            id);
    for (i = 0; rc == RC_OK && i < n; i++)
        if (all[i].kind == RENDITION_AUDIO && all[i].copied)
            rc = store_job_add(st, id, JOB_ENCODE, all[i].name);
    return rc;
}

static enum rc set_encoded(struct store *st, const char *id, const struct rendition *r)
{
    sqlite3_stmt *q;
    enum rc rc = store_prepare(
        st, SQL_RENDITION_ENCODE_SOUND,
        "UPDATE renditions SET generation = generation + 1, copied = 0, bounds = NULL,"
        " done = 0, ready = NULL, encoding = '', rate_num = ?2, rate_den = ?3,"
        " gop = ?4, frames = ?5, segments = ?6, channels = ?7, codecs = ?8,"
        " bitrate = ?9, average_bitrate = ?10"
        " WHERE video_id = ?1 AND kind = 'audio' AND copied = 1",
        &q);

    if (rc != RC_OK)
        return rc;
    store_bind_text(q, 1, id);
    store_bind_int(q, 2, r->rate_num);
    store_bind_int(q, 3, r->rate_den);
    store_bind_int(q, 4, r->gop);
    store_bind_int(q, 5, r->frames);
    store_bind_int(q, 6, r->segments);
    store_bind_int(q, 7, r->channels);
    store_bind_text(q, 8, r->codecs);
    store_bind_int(q, 9, r->bitrate);
    store_bind_int(q, 10, r->average_bitrate);
    rc = store_finish(st, q);
    return rc == RC_OK && store_changes(st) == 0 ? RC_INVALID : rc;
}

enum rc store_job_encode_sounds(struct store *st, const struct job *job,
                                const struct rendition *encoded, const char *why)
{
    const char *id = job->video_id;
    enum rc rc;

    if (job->kind != JOB_ENCODE || encoded->segments < 1)
        return RC_INVALID;
    rc = store_lasting(st);
    if (rc == RC_OK)
        rc = store_job_begin(st, job);
    if (rc != RC_OK)
        return rc;
    rc = replace_jobs(st, id);
    if (rc == RC_OK)
        rc = set_encoded(st, id, encoded);
    if (rc == RC_OK)
        rc = store_run_text(st, SQL_VIDEO_ENCODES_SOUND,
                            "UPDATE videos SET encodes_sound = 1 WHERE id = ?1", id);
    if (rc == RC_OK)
        rc = store_lists_change(st, id);
    if (rc == RC_OK)
        rc = store_note(st, ACTIVITY_WARN, job_kind_name(job->kind), id, "%s: %s",
                        job->rendition, why);
    return store_end(st, rc);
}

/* ---- all of it again ------------------------------------------------------- */

enum rc store_job_plan_again(struct store *st, const struct job *job, const char *why)
{
    const char *id = job->video_id;
    struct video v;
    enum rc rc;

    if (job->kind != JOB_ENCODE)
        return RC_INVALID;
    rc = store_job_begin_video(st, job, &v);
    if (rc != RC_OK)
        return rc;
    rc = store_note(st, ACTIVITY_WARN, job_kind_name(job->kind), id, "%s: %s",
                    job->rendition, why);
    if (rc == RC_OK)
        rc = v.state == VIDEO_RECEIVING ? store_job_drop_open(st, id)
                                        : store_video_plan_again(st, id);
    return store_end(st, rc);
}

enum rc store_bounds(struct store *st, const char *video_id, const char *rendition,
                     uint8_t **out, size_t *n)
{
    sqlite3_stmt *q;
    enum rc rc = store_prepare(st, SQL_RENDITION_BOUNDS,
                               "SELECT bounds FROM renditions WHERE video_id = ?1"
                               " AND name = ?2 AND bounds IS NOT NULL",
                               &q);

    if (rc != RC_OK)
        return rc;
    store_bind_text(q, 1, video_id);
    store_bind_text(q, 2, rendition);
    return store_blob(st, q, out, n);
}

/* ---- another generation -------------------------------------------------- */

static enum rc set_anew(struct store *st, const struct job *job)
{
    sqlite3_stmt *q;
    enum rc rc = store_prepare(
        st, SQL_RENDITION_ANEW,
        "UPDATE renditions SET generation = generation + 1, done = 0, ready = NULL,"
        " encoding = '', bounds = NULL,"
        " segments = CASE WHEN copied THEN 0 ELSE segments END,"
        " frames = CASE WHEN copied THEN 0 ELSE frames END"
        " WHERE video_id = ?1 AND name = ?2 AND extra = 1",
        &q);

    if (rc != RC_OK)
        return rc;
    store_bind_text(q, 1, job->video_id);
    store_bind_text(q, 2, job->rendition);
    rc = store_finish(st, q);
    return rc == RC_OK && store_changes(st) == 0 ? RC_INVALID : rc;
}

enum rc store_job_anew(struct store *st, const struct job *job)
{
    enum rc rc;

    if (!job_is_extra(job->kind))
        return RC_INVALID;
    rc = store_lasting(st);
    if (rc == RC_OK)
        rc = store_job_begin(st, job);
    if (rc != RC_OK)
        return rc;
    rc = set_anew(st, job);
    if (rc == RC_OK)
        rc = store_lists_change(st, job->video_id);
    if (rc == RC_OK)
        rc = store_job_requeue(st, job, 0, NULL);
    if (rc == RC_OK)
        rc = store_note(st, ACTIVITY_INFO, job_kind_name(job->kind), job->video_id,
                        "%s: begun anew, as the encoder has changed", job->rendition);
    return store_end(st, rc);
}

/* ---- what is added to a plan -------------------------------------------- */

/* NULL: the video has no such rendition. */
static const struct rendition *find(const struct rendition *all, size_t n,
                                    const char *name)
{
    size_t i;

    for (i = 0; i < n; i++)
        if (strcmp(all[i].name, name) == 0)
            return &all[i];
    return NULL;
}

/* Nothing was promised of it: it was planned when nobody knew how long it would be, or
 * it is a copy. */
static bool is_empty(const struct rendition *r)
{
    return r->segments == 0;
}

/* Whether there is a job that makes it; or (ended) that has done so, or has given it
 * up. */
static enum rc has_job(struct store *st, const char *id, const char *rendition,
                       bool ended, bool *out)
{
    sqlite3_stmt *q;
    enum rc rc =
        store_prepare(st, SQL_JOB_OF_RENDITION,
                      "SELECT 1 FROM jobs WHERE video_id = ?1 AND rendition = ?2"
                      " AND state IN ('queued', 'running') <> ?3",
                      &q);

    if (rc != RC_OK)
        return rc;
    store_bind_text(q, 1, id);
    store_bind_text(q, 2, rendition);
    store_bind_int(q, 3, ended);
    return store_has_row(st, q, out);
}

/* Whether there is no point in adding it: it is there, or was given up. */
static enum rc is_settled(struct store *st, const char *id, const struct rendition *old,
                          const char *name, bool *out)
{
    *out = old && !is_empty(old);
    return old ? RC_OK : has_job(st, id, name, true, out);
}

/* Unless all of it is there. */
static enum rc queue_extra(struct store *st, const char *id, const struct rendition *r)
{
    bool queued = r->segments > 0 && r->done == r->segments;
    enum rc rc = queued ? RC_OK : has_job(st, id, r->name, false, &queued);

    if (rc != RC_OK || queued)
        return rc;
    return store_job_add(st, id, r->copied ? JOB_COPY : JOB_LADDER, r->name);
}

enum rc store_extras_add(struct store *st, const char *id,
                         const struct video_plan *plan)
{
    struct rendition all[STORE_RENDITIONS_MAX];
    size_t n = 0, i;
    enum rc rc = store_renditions(st, id, all, &n);

    for (i = 0; rc == RC_OK && i < plan->n_renditions; i++) {
        struct rendition r = plan->renditions[i];
        const struct rendition *old = find(all, n, r.name);
        bool settled = false;
        if (!r.extra || n == STORE_RENDITIONS_MAX)
            continue;
        rc = is_settled(st, id, old, r.name, &settled);
        if (rc != RC_OK || settled)
            continue;
        r.generation = all[0].generation;
        if (old)
            rc = store_rendition_remove(st, id, r.name);
        else
            all[n++] = r;
        if (rc == RC_OK)
            rc = store_rendition_insert(st, id, &r, i);
    }
    for (i = 0; rc == RC_OK && i < n; i++) {
        bool dropped = is_empty(&all[i]) &&
                       !find(plan->renditions, plan->n_renditions, all[i].name);
        if (all[i].extra)
            rc = dropped ? store_rendition_remove(st, id, all[i].name)
                         : queue_extra(st, id, &all[i]);
    }
    return rc;
}

enum rc store_copy_refused(struct store *st, const char *id, const char *sentence)
{
    sqlite3_stmt *q;
    enum rc rc = store_prepare(st, SQL_VIDEO_COPY_REFUSED,
                               "UPDATE videos SET copy_refused = ?2 WHERE id = ?1", &q);

    if (rc != RC_OK)
        return rc;
    store_bind_text(q, 1, id);
    store_bind_text(q, 2, sentence);
    return store_finish(st, q);
}
