/*
 * What is missing is made again: by jobs, as ever, which a worker finds in the queue.
 * Nothing here takes anything away that was made.
 */
#include "store_check.h"
#include "store_priv.h"

#include <string.h>

#define OVERDUE_MS 60000 /* a worker frees what another has lost long before */

/* True in *out if the video has a job of this kind, or (MEND_STUCK) one that leads on.
 */
static enum rc is_live(struct store *st, const char *id, const char *kinds,
                       const char *rendition, bool *out)
{
    sqlite3_stmt *q;
    enum rc rc =
        store_prepare(st, SQL_JOB_LIVE,
                      "SELECT 1 FROM jobs INDEXED BY jobs_by_video WHERE video_id = ?1"
                      " AND instr(?2, kind) AND rendition = coalesce(?3, rendition)"
                      " AND state IN ('queued', 'running') LIMIT 1",
                      &q);

    if (rc != RC_OK)
        return rc;
    store_bind_text(q, 1, id);
    store_bind_text(q, 2, kinds);
    if (rendition)
        store_bind_text(q, 3, rendition);
    return store_has_row(st, q, out);
}

/* RC_EXISTS: there is one. */
static enum rc none_live(struct store *st, const char *id, const char *kinds,
                         const char *rendition)
{
    bool live = false;
    enum rc rc = is_live(st, id, kinds, rendition, &live);

    return rc == RC_OK && live ? RC_EXISTS : rc;
}

/* ---- renditions ------------------------------------------------------------------ */

static enum rc find(struct store *st, const char *id, const char *name,
                    struct rendition *out)
{
    struct rendition all[STORE_RENDITIONS_MAX];
    size_t n = 0, i;
    enum rc rc = store_renditions(st, id, all, &n);

    for (i = 0; rc == RC_OK && i < n; i++) {
        if (strcmp(all[i].name, name) == 0) {
            *out = all[i];
            return RC_OK;
        }
    }
    return rc == RC_OK ? RC_NOT_FOUND : rc;
}

/* Which ones they are the job finds out, by the files. */
static enum rc set_missing(struct store *st, const char *id, const char *name,
                           int64_t missing)
{
    sqlite3_stmt *q;
    enum rc rc = store_prepare(st, SQL_RENDITION_MISSING,
                               "UPDATE renditions SET done = max(0, segments - ?3),"
                               " ready = NULL, encoding = ''"
                               " WHERE video_id = ?1 AND name = ?2",
                               &q);

    if (rc != RC_OK)
        return rc;
    store_bind_text(q, 1, id);
    store_bind_text(q, 2, name);
    store_bind_int(q, 3, missing);
    return store_finish(st, q);
}

static enum rc drop_jobs(struct store *st, const char *id, const char *rendition)
{
    sqlite3_stmt *q;
    enum rc rc =
        store_prepare(st, SQL_JOB_DROP_RENDITION,
                      "DELETE FROM jobs WHERE video_id = ?1 AND rendition = ?2", &q);

    if (rc != RC_OK)
        return rc;
    store_bind_text(q, 1, id);
    store_bind_text(q, 2, rendition);
    return store_finish(st, q);
}

static enum rc mend_rendition(struct store *st, const struct video *v, const char *name,
                              int64_t missing)
{
    struct rendition r;
    enum rc rc = v->state == VIDEO_READY ? find(st, v->id, name, &r) : RC_CONFLICT;

    if (rc == RC_OK)
        rc = none_live(st, v->id, "probe encode copy ladder", name);
    if (rc == RC_OK)
        rc = drop_jobs(st, v->id, name);
    if (rc == RC_OK)
        rc = set_missing(st, v->id, name, missing);
    if (rc == RC_OK)
        rc = store_job_add(st, v->id,
                           !r.extra   ? JOB_ENCODE
                           : r.copied ? JOB_COPY
                                      : JOB_LADDER,
                           name);
    return rc == RC_OK ? store_note(st, ACTIVITY_WARN, "video", v->id,
                                    "%s: what is missing is made again", name)
                       : rc;
}

/* ---- what goes with it ---------------------------------------------------------- */

static enum rc mend_poster(struct store *st, const char *id)
{
    enum rc rc = none_live(st, id, "poster", NULL);

    if (rc == RC_OK)
        rc = store_run_text(st, SQL_JOB_DROP_POSTER,
                            "DELETE FROM jobs WHERE video_id = ?1"
                            " AND kind = 'poster'",
                            id);
    return rc == RC_OK ? store_job_add(st, id, JOB_POSTER, "") : rc;
}

static enum rc mend_storyboard(struct store *st, const char *id)
{
    enum rc rc = none_live(st, id, "storyboard", NULL);

    return rc == RC_OK ? store_storyboard_queue(st, id) : rc;
}

static enum rc mend_subtitles(struct store *st, const char *id, const char *name)
{
    sqlite3_stmt *q;
    enum rc rc = store_prepare(st, SQL_SUBTITLE_LOST,
                               "UPDATE subtitles SET published = 0"
                               " WHERE video_id = ?1 AND name = ?2",
                               &q);

    if (rc != RC_OK)
        return rc;
    store_bind_text(q, 1, id);
    store_bind_text(q, 2, name);
    rc = store_finish(st, q);
    if (rc == RC_OK && store_changes(st) == 0)
        rc = RC_NOT_FOUND;
    return rc == RC_OK ? store_subtitles_queue(st, id) : rc;
}

static enum rc mend_checksum(struct store *st, const struct video *v)
{
    uint8_t sum[STORE_CHECKSUM_SIZE];
    bool known = false;
    enum rc rc = v->state == VIDEO_RECEIVING
                     ? RC_CONFLICT
                     : store_video_checksum(st, v->id, sum, &known);

    if (rc == RC_OK && known)
        rc = RC_CONFLICT;
    if (rc == RC_OK)
        rc = none_live(st, v->id, "checksum", NULL);
    return rc == RC_OK ? store_checksum_queue(st, v->id) : rc;
}

/* ---- jobs ----------------------------------------------------------------------- */

static enum rc mend_stuck(struct store *st, const struct video *v)
{
    enum rc rc =
        v->state == VIDEO_STORED || v->state == VIDEO_PROCESSING ? RC_OK : RC_CONFLICT;

    if (rc == RC_OK)
        rc = none_live(st, v->id, "probe encode", NULL);
    return rc == RC_OK ? store_video_plan_again(st, v->id) : rc;
}

/* The oldest one stays. Of subtitles one that waits may follow one that runs. */
static enum rc mend_double(struct store *st, const char *id)
{
    return store_run_text(st, SQL_JOB_DROP_DOUBLE,
                          "DELETE FROM jobs WHERE video_id = ?1 AND state = 'queued'"
                          " AND EXISTS (SELECT 1 FROM jobs o INDEXED BY jobs_by_video"
                          " WHERE o.video_id = ?1 AND o.kind = jobs.kind"
                          " AND o.rendition = jobs.rendition AND o.id <> jobs.id"
                          " AND (o.state = 'running' AND o.kind <> 'subtitles'"
                          " OR o.state = 'queued' AND o.id < jobs.id))",
                          id);
}

static enum rc mend_lease(struct store *st, const char *id)
{
    sqlite3_stmt *q;
    enum rc rc = store_prepare(st, SQL_JOB_OVERDUE,
                               "UPDATE jobs SET state = 'queued', due_ms = 0"
                               " WHERE video_id = ?1 AND state = 'running'"
                               " AND (due_boot <> ?2 OR due_ms < ?3)",
                               &q);

    if (rc != RC_OK)
        return rc;
    store_bind_text(q, 1, id);
    store_bind_text(q, 2, st->clock.boot_id);
    store_bind_int(q, 3, store_boot_ms(st) - OVERDUE_MS);
    return store_finish(st, q);
}

static enum rc mend(struct store *st, const struct video *v, enum mend what,
                    const char *name, int64_t missing)
{
    switch (what) {
    case MEND_RENDITION:
        return mend_rendition(st, v, name, missing);
    case MEND_LISTS:
        return store_lists_change(st, v->id);
    case MEND_POSTER:
        return mend_poster(st, v->id);
    case MEND_STORYBOARD:
        return mend_storyboard(st, v->id);
    case MEND_SUBTITLES:
        return mend_subtitles(st, v->id, name);
    case MEND_CHECKSUM:
        return mend_checksum(st, v);
    case MEND_STUCK:
        return mend_stuck(st, v);
    case MEND_DOUBLE:
        return mend_double(st, v->id);
    case MEND_LEASE:
        return mend_lease(st, v->id);
    case MEND_NOTHING:
        break;
    }
    return RC_CONFLICT;
}

enum rc store_mend(struct store *st, const char *video_id, enum mend what,
                   const char *name, int64_t missing)
{
    struct video v;
    enum rc rc = store_video_begin(st, video_id, &v);

    return rc == RC_OK ? store_end(st, mend(st, &v, what, name, missing)) : rc;
}
