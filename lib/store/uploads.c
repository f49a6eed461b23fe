/*
 * A video while its bytes come in: from no row to a stored one, or to none again.
 */
#include "store_priv.h"

#include "text.h"

#include <stdio.h>
#include <string.h>

/* Root and key are two draws: who knows the key must not be able to reckon the root. */
static enum rc insert(struct store *st, const char *id, const struct video_new *v)
{
    char root[KEY_LEN + 1], key[KEY_LEN + 1];
    sqlite3_stmt *q;
    enum rc rc = key_new(root);

    if (rc == RC_OK)
        rc = key_new(key);
    if (rc == RC_OK)
        rc = store_prepare(st, SQL_VIDEO_INSERT,
                           "INSERT INTO videos (id, title, filename, container, state,"
                           " size, media_root, media_key, created_ms)"
                           " VALUES (?1, ?2, ?3, ?4, 'receiving', ?5, ?6, ?7, ?8)",
                           &q);
    if (rc != RC_OK)
        return rc;
    store_bind_text(q, 1, id);
    store_bind_text(q, 2, v->title);
    store_bind_text(q, 3, v->filename);
    store_bind_text(q, 4, container_name(v->container));
    store_bind_int(q, 5, v->size);
    store_bind_text(q, 6, root);
    store_bind_text(q, 7, key);
    store_bind_int(q, 8, v->created_ms);
    return store_finish(st, q);
}

enum rc store_video_create(struct store *st, const struct video_new *v,
                           struct video *out)
{
    char id[ID_LEN + 1], name[STORE_SHORT_SIZE];
    struct video row;
    enum rc rc;

    if (!text_is_clean(v->title, strlen(v->title)) ||
        !text_is_clean(v->filename, strlen(v->filename)))
        return RC_INVALID;
    rc = id_new(id);
    if (rc == RC_OK)
        rc = store_begin(st);
    if (rc != RC_OK)
        return rc;
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

/* No row in the activity log: this comes several times a second. */
enum rc store_video_received(struct store *st, const char *id, int64_t bytes)
{
    sqlite3_stmt *q;
    enum rc rc = store_begin(st);

    if (rc != RC_OK)
        return rc;
    rc = store_prepare(st, SQL_VIDEO_RECEIVED,
                       "UPDATE videos SET received = ?2 WHERE id = ?1"
                       " AND state = 'receiving' AND deleted_at IS NULL",
                       &q);
    if (rc == RC_OK) {
        store_bind_text(q, 1, id);
        store_bind_int(q, 2, bytes);
        rc = store_finish(st, q);
    }
    if (rc == RC_OK && store_changes(st) == 0)
        rc = RC_NOT_FOUND;
    return store_end(st, rc);
}

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
 * poster can be made from here on. Where that plan could not be carried out, all begins
 * anew.
 */
static enum rc add_jobs(struct store *st, const char *id)
{
    struct video v;
    enum rc rc = store_video_run(st, SQL_JOB_DROP_PROBE,
                                 "DELETE FROM jobs WHERE video_id = ?1"
                                 " AND (kind = 'probe' OR state = 'failed')",
                                 id);

    if (rc == RC_OK)
        rc = store_job_add(st, id, JOB_PROBE, "");
    if (rc == RC_OK)
        rc = store_video_load(st, id, &v);
    return rc == RC_OK && v.state == VIDEO_PROCESSING
               ? store_job_add(st, id, JOB_POSTER, "")
               : rc;
}

/* Within the caller's transaction, for a video that is receiving. */
static enum rc set_stored(struct store *st, const char *id, int64_t size)
{
    char text[24];
    sqlite3_stmt *q;
    enum rc rc = store_prepare(st, SQL_VIDEO_STORED,
                               "UPDATE videos SET size = ?2, received = ?2, state ="
                               " CASE WHEN EXISTS (SELECT 1 FROM renditions"
                               " WHERE video_id = ?1) AND NOT EXISTS (SELECT 1 FROM"
                               " jobs WHERE video_id = ?1 AND state = 'failed')"
                               " THEN 'processing' ELSE 'stored' END,"
                               " stored_ms = max(0, ?3 - created_ms)"
                               " WHERE id = ?1",
                               &q);

    if (rc != RC_OK)
        return rc;
    store_bind_text(q, 1, id);
    store_bind_int(q, 2, size);
    store_bind_int(q, 3, store_wall_ms(st));
    rc = store_finish(st, q);
    size_text(size, text);
    if (rc == RC_OK)
        rc = store_note(st, ACTIVITY_INFO, "upload", id, "Stored, %s", text);
    return rc == RC_OK ? add_jobs(st, id) : rc;
}

enum rc store_video_stored(struct store *st, const char *id, int64_t size,
                           struct video *out)
{
    struct video v;
    enum rc rc = store_durable(st, true);

    if (rc != RC_OK)
        return rc;
    /* No early return from here on: the handle must not stay at a sync a commit. */
    rc = store_video_begin(st, id, &v);
    if (rc == RC_OK) {
        rc = v.state == VIDEO_RECEIVING ? set_stored(st, id, size) : RC_CONFLICT;
        if (rc == RC_OK)
            rc = store_video_load(st, id, &v);
        rc = store_end(st, rc);
    }
    store_durable(st, false);
    if (rc == RC_OK)
        *out = v;
    return rc;
}

enum rc store_video_abandon(struct store *st, const char *id, const char *reason)
{
    char name[STORE_SHORT_SIZE];
    struct video v;
    enum rc rc = store_video_begin(st, id, &v);

    if (rc == RC_NOT_FOUND)
        return RC_OK;
    if (rc != RC_OK)
        return rc;
    /* It was stored after all, by a request that the caller thought dead. */
    if (v.state != VIDEO_RECEIVING)
        return store_end(st, RC_OK);
    rc = store_video_run(st, SQL_VIDEO_REMOVE, "DELETE FROM videos WHERE id = ?1", id);
    store_shorten(name, v.filename);
    if (rc == RC_OK)
        rc = store_note(st, ACTIVITY_WARN, "upload", id,
                        "Upload of \"%s\" abandoned: %s", name, reason);
    return store_end(st, rc);
}
