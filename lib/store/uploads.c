/*
 * A video while its bytes come in: from no row to a stored one, or to none again.
 */
#include "store_priv.h"
#include "store_uploads.h"

#include "text.h"

#include <stdio.h>
#include <string.h>

static enum rc insert(struct store *st, const char *id, const struct video_new *v)
{
    char root[KEY_LEN + 1];
    sqlite3_stmt *q;
    enum rc rc = key_new(root);

    if (rc == RC_OK)
        rc = store_prepare(st, SQL_VIDEO_INSERT,
                           "INSERT INTO videos (id, title, filename, owner_id,"
                           " container, state, size, media_root, created_ms, upload_id,"
                           " expires_ms, upload_metadata, index_offset)"
                           " VALUES (?1, ?2, ?3, nullif(?4, 0), ?5, 'receiving', ?6,"
                           " ?7, ?8, nullif(?9, ''), iif(?9 = '', NULL, ?10), ?11,"
                           " iif(?12 = 0, -1, ?12))",
                           &q);
    if (rc != RC_OK)
        return rc;
    store_bind_text(q, 1, id);
    store_bind_text(q, 2, v->title);
    store_bind_text(q, 3, v->filename);
    store_bind_int(q, 4, v->owner_id);
    store_bind_text(q, 5, container_name(v->container));
    store_bind_int(q, 6, v->size);
    store_bind_text(q, 7, root);
    store_bind_int(q, 8, v->created_ms);
    store_bind_text(q, 9, v->upload_id);
    store_bind_int(q, 10, v->expires_ms);
    store_bind_text(q, 11, v->metadata ? v->metadata : "");
    store_bind_int(q, 12, v->index_offset);
    return store_finish(st, q);
}

/* Makes an upload_id free that only a deleted video has. RC_EXISTS: another has it. */
static enum rc claim_upload_id(struct store *st, const char *upload_id)
{
    sqlite3_stmt *q;
    enum rc rc = store_run_text(st, SQL_UPLOAD_FREE,
                                "UPDATE videos SET upload_id = NULL"
                                " WHERE upload_id = ?1 AND deleted_at IS NOT NULL",
                                upload_id);

    if (rc == RC_OK)
        rc = store_prepare(st, SQL_UPLOAD_TAKEN,
                           "SELECT id FROM videos WHERE upload_id = ?1", &q);
    if (rc != RC_OK)
        return rc;
    store_bind_text(q, 1, upload_id);
    rc = store_step(st, q);
    if (rc == RC_NOT_FOUND)
        return RC_OK;
    store_finish(st, q);
    return rc == RC_OK ? RC_EXISTS : rc;
}

static enum rc create(struct store *st, const char *id, const struct video_new *v,
                      struct video *out)
{
    char name[STORE_SHORT_SIZE];
    struct video row;
    enum rc rc = store_begin(st);

    if (rc != RC_OK)
        return rc;
    if (v->owner_id)
        rc = store_user_check(st, v->owner_id);
    if (rc == RC_OK && *v->upload_id)
        rc = claim_upload_id(st, v->upload_id);
    if (rc == RC_OK)
        rc = store_upload_room(st, v);
    if (rc == RC_OK)
        rc = insert(st, id, v);
    store_shorten(name, v->filename);
    if (rc == RC_OK)
        rc =
            store_note(st, ACTIVITY_INFO, "upload", id, "Upload of \"%s\" begun", name);
    if (rc == RC_OK)
        rc = store_video_load(st, id, &row);
    rc = store_end(st, rc);
    if (rc == RC_OK)
        *out = row;
    return rc;
}

enum rc store_video_create(struct store *st, const struct video_new *v,
                           struct video *out)
{
    char id[ID_LEN + 1];
    enum rc rc = RC_OK;

    if (!text_is_clean(v->title, strlen(v->title)) ||
        !text_is_clean(v->filename, strlen(v->filename)))
        return RC_INVALID;
    if (*v->id)
        memcpy(id, v->id, sizeof(id));
    else
        rc = id_new(id);
    /* Bytes that are acknowledged are lost with their row, so that has to last first.
     */
    if (rc == RC_OK && *v->upload_id)
        rc = store_lasting(st);
    return rc == RC_OK ? create(st, id, v, out) : rc;
}

/* ---- on the way ----------------------------------------------------------- */

/* Runs a statement that changes a receiving upload: ?1 is its id, and what comes after
 * that was bound by the caller. */
static enum rc change(struct store *st, sqlite3_stmt *q, const char *id)
{
    enum rc rc = store_begin(st);

    if (rc != RC_OK)
        return rc;
    store_bind_text(q, 1, id);
    rc = store_finish(st, q);
    if (rc == RC_OK && store_changes(st) == 0)
        rc = RC_NOT_FOUND;
    return store_end(st, rc);
}

#define CHANGE(what)                                                                   \
    "UPDATE videos SET " what                                                          \
    " WHERE id = ?1 AND state = 'receiving' AND deleted_at IS NULL"

static enum rc change_number(struct store *st, enum statement sql_id, const char *sql,
                             const char *id, int64_t value)
{
    sqlite3_stmt *q;
    enum rc rc = store_prepare(st, sql_id, sql, &q);

    if (rc != RC_OK)
        return rc;
    store_bind_int(q, 2, value);
    return change(st, q, id);
}

/* No row in the activity log: this comes several times a second. */
enum rc store_video_received(struct store *st, const char *id, int64_t bytes,
                             int64_t expires_ms, const struct hash_state *hash)
{
    sqlite3_stmt *q;
    enum rc rc =
        store_prepare(st, SQL_VIDEO_RECEIVED,
                      CHANGE("received = ?2, expires_ms = iif(?3 < 0, NULL, ?3),"
                             " hash_state = ifnull(nullif(?4, x''), hash_state)"),
                      &q);

    if (rc != RC_OK)
        return rc;
    store_bind_int(q, 2, bytes);
    store_bind_int(q, 3, expires_ms);
    if (hash)
        sqlite3_bind_blob(q, 4, hash->bytes, (int)hash->n, SQLITE_STATIC);
    return change(st, q, id);
}

enum rc store_upload_sniffed(struct store *st, const char *id, enum container c)
{
    sqlite3_stmt *q;
    /* Whoever enters a file that is found whole does not look into it again. */
    enum rc rc = store_lasting(st);

    if (rc == RC_OK)
        rc = store_prepare(st, SQL_UPLOAD_SNIFFED, CHANGE("container = ?2"), &q);
    if (rc == RC_OK) {
        store_bind_text(q, 2, container_name(c));
        rc = change(st, q, id);
    }
    store_lasting_over(st);
    return rc;
}

enum rc store_upload_forget_hash(struct store *st, const char *id)
{
    sqlite3_stmt *q;
    enum rc rc = store_lasting(st);

    if (rc == RC_OK)
        rc = store_prepare(st, SQL_UPLOAD_FORGET_HASH, CHANGE("hash_state = NULL"), &q);
    if (rc == RC_OK)
        rc = change(st, q, id);
    store_lasting_over(st);
    return rc;
}

/* change_number, on disk for good when it returns. */
static enum rc change_lasting(struct store *st, enum statement sql_id, const char *sql,
                              const char *id, int64_t value)
{
    enum rc rc = store_lasting(st);

    if (rc == RC_OK)
        rc = change_number(st, sql_id, sql, id, value);
    store_lasting_over(st);
    return rc;
}

enum rc store_upload_length(struct store *st, const char *id, int64_t size)
{
    return change_lasting(st, SQL_UPLOAD_LENGTH, CHANGE("size = ?2"), id, size);
}

static enum rc set_index(struct store *st, const struct video *v, int64_t offset)
{
    sqlite3_stmt *q;
    enum rc rc;

    if (v->state != VIDEO_RECEIVING)
        return RC_NOT_FOUND;
    if (v->index_offset >= 0)
        return v->index_offset == offset ? RC_OK : RC_CONFLICT;
    rc = store_prepare(st, SQL_UPLOAD_INDEX,
                       "UPDATE videos SET index_offset = ?2 WHERE id = ?1", &q);
    if (rc != RC_OK)
        return rc;
    store_bind_text(q, 1, v->id);
    store_bind_int(q, 2, offset);
    return store_finish(st, q);
}

enum rc store_upload_index(struct store *st, const char *id, int64_t offset)
{
    struct video v;
    enum rc rc = store_lasting(st);

    if (rc == RC_OK)
        rc = store_video_begin(st, id, &v);
    return rc == RC_OK ? store_end(st, set_index(st, &v, offset)) : rc;
}

enum rc store_upload_unchecked(struct store *st, const char *id, int64_t from)
{
    return change_lasting(st, SQL_UPLOAD_UNCHECKED, CHANGE("unchecked_from = ?2"), id,
                          from);
}

/* No row in the activity log: this comes about once a second. */
enum rc store_video_arrived(struct store *st, const char *id, int64_t arrived_us)
{
    return change_number(st, SQL_VIDEO_ARRIVED, CHANGE("arrived_us = ?2"), id,
                         arrived_us);
}

/* ---- looking ---------------------------------------------------------------- */

enum rc store_upload_get(struct store *st, const char *upload_id, struct video *out,
                         bool *deleted)
{
    sqlite3_stmt *q;
    enum rc rc = store_prepare(st, SQL_UPLOAD_BY_ID,
                               "SELECT " VIDEO_COLUMNS ", deleted_at IS NOT NULL"
                               " FROM videos WHERE upload_id = ?1",
                               &q);

    if (rc != RC_OK)
        return rc;
    store_bind_text(q, 1, upload_id);
    rc = store_step(st, q);
    if (rc != RC_OK)
        return rc;
    store_video_columns(q, out);
    *deleted = sqlite3_column_int(q, sqlite3_column_count(q) - 1) != 0;
    return store_finish(st, q);
}

enum rc store_upload_metadata(struct store *st, const char *id,
                              char out[STORE_METADATA_MAX + 1])
{
    sqlite3_stmt *q;
    enum rc rc = store_prepare(
        st, SQL_UPLOAD_METADATA,
        "SELECT upload_metadata FROM videos WHERE id = ?1 AND deleted_at IS NULL", &q);

    if (rc != RC_OK)
        return rc;
    store_bind_text(q, 1, id);
    rc = store_step(st, q);
    if (rc != RC_OK)
        return rc;
    store_column_text(q, 0, out, STORE_METADATA_MAX + 1);
    return store_finish(st, q);
}

/* ---- the end ---------------------------------------------------------------- */

/* "1.2 GB", in the decimal units that file managers show. */
static void size_text(int64_t bytes, char out[24])
{
    static const char *const units[] = {"bytes", "kB", "MB", "GB", "TB"};
    double v = (double)bytes;
    size_t i = 0;

    while (v >= 999.95 && i + 1 < sizeof(units) / sizeof(units[0])) {
        v /= 1000;
        i++;
    }
    snprintf(out, 24, i == 0 ? "%.0f %s" : "%.1f %s", v, units[i]);
}

/*
 * The probe of a stored file finds out all there is to know. One that was planned while
 * it arrived is looked at again: what came first may have lied about the rest. Its
 * poster is made now if it has none and nobody is at it. Where that plan could not be
 * carried out, all begins anew.
 */
static enum rc add_jobs(struct store *st, const char *id, bool is_summed)
{
    struct video v;
    enum rc rc = store_run_text(st, SQL_JOB_DROP_PROBE,
                                "DELETE FROM jobs WHERE video_id = ?1"
                                " AND (kind = 'probe' OR state = 'failed'"
                                " OR (kind = 'poster' AND state = 'done'))",
                                id);

    if (rc == RC_OK)
        rc = store_job_add(st, id, JOB_PROBE, "");
    if (rc == RC_OK && !is_summed)
        rc = store_checksum_queue(st, id);
    if (rc == RC_OK)
        rc = store_video_load(st, id, &v);
    if (rc != RC_OK || v.state != VIDEO_PROCESSING)
        return rc;
    rc = store_poster_queue(st, &v);
    return rc == RC_EXISTS ? RC_OK : rc;
}

/* Within the caller's transaction, for a video that is receiving. */
static enum rc set_stored(struct store *st, const char *id, int64_t size,
                          const uint8_t *sum)
{
    char text[24];
    sqlite3_stmt *q;
    /* Nobody makes what has no job any more: it is not what is gone on with. */
    enum rc rc = store_prepare(st, SQL_VIDEO_STORED,
                               "UPDATE videos SET size = ?2, received = ?2, state ="
                               " CASE WHEN EXISTS (SELECT 1 FROM renditions"
                               " WHERE video_id = ?1) AND NOT EXISTS (SELECT 1 FROM"
                               " jobs WHERE video_id = ?1 AND state = 'failed'"
                               " AND kind <> 'poster')"
                               " AND NOT EXISTS (SELECT 1 FROM renditions r WHERE"
                               " r.video_id = ?1 AND r.extra = 0 AND NOT EXISTS"
                               " (SELECT 1 FROM jobs j WHERE j.video_id = ?1"
                               " AND j.rendition = r.name))"
                               " THEN 'processing' ELSE 'stored' END,"
                               " stored_ms = max(0, ?3 - created_ms),"
                               " expires_ms = NULL, unchecked_from = -1,"
                               " hash_state = NULL, sha256 = ?4"
                               " WHERE id = ?1",
                               &q);

    if (rc != RC_OK)
        return rc;
    store_bind_text(q, 1, id);
    store_bind_int(q, 2, size);
    store_bind_int(q, 3, store_wall_ms(st));
    sqlite3_bind_blob(q, 4, sum, STORE_CHECKSUM_SIZE, SQLITE_STATIC);
    rc = store_finish(st, q);
    size_text(size, text);
    if (rc == RC_OK)
        rc = store_note(st, ACTIVITY_INFO, "upload", id, "Stored, %s", text);
    return rc == RC_OK ? add_jobs(st, id, sum != NULL) : rc;
}

enum rc store_video_stored_with(struct store *st, const char *id, int64_t size,
                                const uint8_t sum[STORE_CHECKSUM_SIZE],
                                struct video *out)
{
    struct video v;
    enum rc rc = store_lasting(st);

    if (rc == RC_OK)
        rc = store_video_begin(st, id, &v);
    if (rc != RC_OK)
        return rc;
    rc = v.state == VIDEO_RECEIVING ? set_stored(st, id, size, sum) : RC_CONFLICT;
    if (rc == RC_OK)
        rc = store_video_load(st, id, &v);
    rc = store_end(st, rc);
    if (rc == RC_OK)
        *out = v;
    return rc;
}

enum rc store_video_stored(struct store *st, const char *id, int64_t size,
                           struct video *out)
{
    return store_video_stored_with(st, id, size, NULL, out);
}

/* Within the caller's transaction, for a video that is receiving. What was made of it
 * while it came in is for the worker to clear away. It is noted first, while the row
 * still says whose it is. */
static enum rc remove_row(struct store *st, const struct video *v, const char *reason)
{
    char name[STORE_SHORT_SIZE];
    bool probed = false;
    enum rc rc = store_video_was_probed(st, v->id, &probed);

    store_shorten(name, v->filename);
    if (rc == RC_OK)
        rc = store_note(st, ACTIVITY_WARN, "upload", v->id,
                        "Upload of \"%s\" abandoned: %s", name, reason);
    if (rc != RC_OK)
        return rc;
    return probed ? store_video_mark_deleted(st, v->id)
                  : store_run_text(st, SQL_VIDEO_REMOVE,
                                   "DELETE FROM videos WHERE id = ?1", v->id);
}

enum rc store_video_abandon(struct store *st, const char *id, const char *reason)
{
    struct video v;
    enum rc rc = store_lasting(st);

    if (rc == RC_OK)
        rc = store_video_begin(st, id, &v);
    if (rc == RC_NOT_FOUND)
        return RC_OK;
    if (rc != RC_OK)
        return rc;
    /* It was stored after all, by a request that the caller thought dead. */
    if (v.state != VIDEO_RECEIVING)
        return store_end(st, RC_CONFLICT);
    return store_end(st, remove_row(st, &v, reason));
}

enum rc store_upload_expire(struct store *st, const char *id)
{
    struct video v;
    enum rc rc = store_video_begin(st, id, &v);

    if (rc == RC_NOT_FOUND)
        return RC_OK;
    if (rc != RC_OK)
        return rc;
    if (v.state != VIDEO_RECEIVING || v.expires_ms > store_wall_ms(st))
        return store_end(st, RC_CONFLICT);
    return store_end(st, remove_row(st, &v, "it was not finished in time"));
}
