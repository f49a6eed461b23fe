/*
 * Room on the disk: what is used for what, and renditions that are put away until
 * somebody wants them again (store_disk.h).
 */
#include "store_disk.h"
#include "store_priv.h"

#include <string.h>

/* ---- what is used ------------------------------------------------------- */

static enum rc read_use(struct store *st, enum statement id, const char *sql,
                        struct disk_use *out)
{
    sqlite3_stmt *q;
    enum rc rc = store_prepare(st, id, sql, &q);

    if (rc == RC_OK)
        rc = store_step(st, q);
    if (rc != RC_OK)
        return rc == RC_NOT_FOUND ? RC_CORRUPT : rc;
    *out = (struct disk_use){.paused = sqlite3_column_int(q, 0) != 0,
                             .originals = sqlite3_column_int64(q, 1),
                             .media = sqlite3_column_int64(q, 2)};
    return store_finish(st, q);
}

enum rc store_disk_use(struct store *st, struct disk_use *out)
{
    return read_use(st, SQL_DISK_USE, "SELECT paused, originals, media FROM disk", out);
}

enum rc store_disk_count(struct store *st, struct disk_use *out)
{
    struct disk_use use, before;
    enum rc rc = read_use(st, SQL_DISK_SUM,
                          "SELECT (SELECT paused FROM disk),"
                          " (SELECT coalesce(sum(received), 0) FROM videos),"
                          " (SELECT coalesce(sum(bytes), 0) FROM renditions)",
                          &use);

    if (rc == RC_OK)
        rc = store_disk_use(st, &before);
    if (rc == RC_OK && (use.originals != before.originals || use.media != before.media))
        rc = store_change(st, SQL_DISK_COUNT,
                          "UPDATE disk SET originals = ?1, media = ?2",
                          (const int64_t[]){use.originals, use.media}, 2);
    if (rc == RC_OK)
        *out = use;
    return rc;
}

enum rc store_disk_pause(struct store *st, bool paused, const char *why)
{
    struct disk_use use;
    enum rc rc = store_begin(st);

    if (rc != RC_OK)
        return rc;
    rc = store_disk_use(st, &use);
    if (rc == RC_OK && use.paused == paused)
        rc = RC_EXISTS;
    if (rc == RC_OK)
        rc = store_run_int(st, SQL_DISK_PAUSE, "UPDATE disk SET paused = ?1", paused);
    if (rc == RC_OK)
        rc = store_note(st, paused ? ACTIVITY_WARN : ACTIVITY_INFO, "disk", NULL, "%s",
                        why);
    return store_end(st, rc);
}

/* ---- who watches -------------------------------------------------------- */

/* A clock that was put back counts as long ago. */
#define NOT_JUST_NOW "(watched_ms IS NULL OR abs(?2 - watched_ms) >= ?3)"

static enum rc watched(struct store *st, enum statement id, const char *sql,
                       const char *video_id, sqlite3_stmt **out)
{
    enum rc rc = store_prepare(st, id, sql, out);

    if (rc != RC_OK)
        return rc;
    store_bind_text(*out, 1, video_id);
    store_bind_int(*out, 2, store_wall_ms(st));
    store_bind_int(*out, 3, STORE_WATCHED_MS);
    return RC_OK;
}

enum rc store_video_note_watched(struct store *st, const char *id)
{
    sqlite3_stmt *q;
    enum rc rc = watched(st, SQL_VIDEO_WATCHED,
                         "UPDATE videos SET watched_ms = ?2 WHERE id = ?1"
                         " AND deleted_at IS NULL AND " NOT_JUST_NOW,
                         id, &q);

    return rc == RC_OK ? store_finish(st, q) : rc;
}

/* Looked at first: a read waits for nobody. */
enum rc store_video_watched(struct store *st, const char *id)
{
    sqlite3_stmt *q;
    bool due = false;
    enum rc rc = watched(st, SQL_VIDEO_SEEN_WATCHED,
                         "SELECT 1 FROM videos WHERE id = ?1"
                         " AND deleted_at IS NULL AND " NOT_JUST_NOW,
                         id, &q);

    if (rc == RC_OK)
        rc = store_has_row(st, q, &due);
    if (rc != RC_OK || !due)
        return rc;
    rc = store_begin(st);
    return rc == RC_OK ? store_end(st, store_video_note_watched(st, id)) : rc;
}

/* ---- putting away ------------------------------------------------------- */

static void read_which(sqlite3_stmt *q, struct rendition_of *out)
{
    memset(out, 0, sizeof(*out));
    store_column_text(q, 0, out->video_id, sizeof(out->video_id));
    store_column_text(q, 1, out->rendition, sizeof(out->rendition));
}

enum rc store_evictable_each(struct store *st,
                             enum rc (*cb)(void *arg, const struct evictable *e),
                             void *arg)
{
    sqlite3_stmt *q;
    enum rc rc = store_prepare(
        st, SQL_EVICTABLE,
        "SELECT r.video_id, r.name, r.bytes, v.watched_ms, v.created_ms,"
        " v.duration_us, r.copied FROM renditions r JOIN videos v ON v.id = r.video_id"
        " JOIN jobs j ON j.video_id = r.video_id AND j.rendition = r.name"
        " WHERE r.bytes > 0 AND r.extra = 1 AND j.state IN ('done', 'queued')"
        " AND v.state = 'ready' AND v.deleted_at IS NULL",
        &q);

    if (rc != RC_OK)
        return rc;
    while ((rc = store_step(st, q)) == RC_OK) {
        struct evictable e;
        read_which(q, &e.which);
        e.bytes = sqlite3_column_int64(q, 2);
        e.watched_ms = store_column_maybe(q, 3);
        e.created_ms = sqlite3_column_int64(q, 4);
        e.duration_us = sqlite3_column_int64(q, 5);
        e.copied = sqlite3_column_int(q, 6) != 0;
        rc = cb(arg, &e);
        if (rc != RC_OK) {
            sqlite3_reset(q);
            return rc;
        }
    }
    return rc == RC_NOT_FOUND ? RC_OK : rc;
}

static enum rc run_which(struct store *st, enum statement id, const char *sql,
                         const struct rendition_of *which)
{
    sqlite3_stmt *q;
    enum rc rc = store_prepare(st, id, sql, &q);

    if (rc != RC_OK)
        return rc;
    store_bind_text(q, 1, which->video_id);
    store_bind_text(q, 2, which->rendition);
    return store_finish(st, q);
}

/* RC_CONFLICT: it has changed no row. */
static enum rc must_change(struct store *st, enum rc rc)
{
    return rc == RC_OK && store_changes(st) == 0 ? RC_CONFLICT : rc;
}

/* The fence goes up: whoever still believes to hold the job has lost it. */
static enum rc begin_evicting(struct store *st, const struct rendition_of *which)
{
    enum rc rc = run_which(
        st, SQL_JOB_EVICT,
        "UPDATE jobs SET state = 'queued', asleep = 2, fence = fence + 1, failures = 0,"
        " lost = 0, due_ms = 0, due_boot = '', progress = 0, ended_ms = NULL"
        " WHERE video_id = ?1 AND rendition = ?2 AND state IN ('done', 'queued')"
        " AND EXISTS (SELECT 1 FROM renditions r WHERE r.video_id = ?1 AND r.name = ?2"
        " AND r.extra = 1 AND r.bytes > 0)",
        which);

    rc = must_change(st, rc);
    if (rc == RC_OK)
        rc = run_which(st, SQL_RENDITION_EVICT,
                       "UPDATE renditions SET done = 0, ready = NULL, encoding = ''"
                       " WHERE video_id = ?1 AND name = ?2",
                       which);
    return rc;
}

enum rc store_rendition_evict(struct store *st, const struct rendition_of *which)
{
    struct video v;
    enum rc rc = store_lasting(st);

    if (rc == RC_OK)
        rc = store_video_begin(st, which->video_id, &v);
    if (rc != RC_OK)
        return rc == RC_NOT_FOUND ? RC_CONFLICT : rc;
    rc = begin_evicting(st, which);
    if (rc == RC_OK)
        rc = store_lists_change(st, which->video_id);
    if (rc == RC_OK)
        rc = store_note(st, ACTIVITY_INFO, "disk", which->video_id,
                        "%s: put away to make room, until somebody wants it",
                        which->rendition);
    return store_end(st, rc);
}

enum rc store_rendition_evicted(struct store *st, const struct rendition_of *which)
{
    enum rc rc = store_begin(st);

    if (rc != RC_OK)
        return rc;
    rc = run_which(st, SQL_RENDITION_EVICTED,
                   "UPDATE renditions SET bytes = 0 WHERE video_id = ?1 AND name = ?2"
                   " AND EXISTS (SELECT 1 FROM jobs j WHERE j.video_id = ?1"
                   " AND j.rendition = ?2 AND j.asleep = 2)",
                   which);
    if (rc == RC_OK)
        rc = run_which(st, SQL_JOB_EVICTED,
                       "UPDATE jobs SET asleep = 1 WHERE video_id = ?1"
                       " AND rendition = ?2 AND asleep = 2",
                       which);
    return store_end(st, rc);
}

static enum rc find_one(struct store *st, enum statement id, const char *sql,
                        struct rendition_of *out)
{
    sqlite3_stmt *q;
    enum rc rc = store_prepare(st, id, sql, &q);

    if (rc == RC_OK)
        rc = store_step(st, q);
    if (rc != RC_OK)
        return rc;
    read_which(q, out);
    return store_finish(st, q);
}

enum rc store_evicting(struct store *st, struct rendition_of *out)
{
    return find_one(st, SQL_EVICTING,
                    "SELECT video_id, rendition FROM jobs WHERE asleep = 2 LIMIT 1",
                    out);
}

/* ---- measuring ---------------------------------------------------------- */

/* What somebody works on is measured by them. */
#define UNMEASURED                                                                     \
    "bytes IS NULL AND NOT EXISTS (SELECT 1 FROM jobs j WHERE"                         \
    " j.video_id = renditions.video_id AND j.rendition = renditions.name"              \
    " AND j.state = 'running')"

enum rc store_unmeasured(struct store *st, struct rendition_of *out)
{
    return find_one(
        st, SQL_UNMEASURED,
        "SELECT video_id, name FROM renditions WHERE " UNMEASURED " LIMIT 1", out);
}

enum rc store_rendition_measured(struct store *st, const struct rendition_of *which,
                                 int64_t bytes)
{
    sqlite3_stmt *q;
    enum rc rc = store_begin(st);

    if (rc != RC_OK)
        return rc;
    rc = store_prepare(st, SQL_RENDITION_MEASURED,
                       "UPDATE renditions SET bytes = ?3"
                       " WHERE video_id = ?1 AND name = ?2 AND " UNMEASURED,
                       &q);
    if (rc == RC_OK) {
        store_bind_text(q, 1, which->video_id);
        store_bind_text(q, 2, which->rendition);
        store_bind_int(q, 3, bytes);
        rc = store_finish(st, q);
    }
    return store_end(st, rc);
}
