/*
 * The rows of videos, one at a time. Their upload is in uploads.c, pages of them in
 * list.c.
 */
#include "store_priv.h"

#include "text.h"

#include <stdio.h>
#include <string.h>

static const char *const state_names[] = {
    [VIDEO_RECEIVING] = "receiving",   [VIDEO_STORED] = "stored",
    [VIDEO_PROCESSING] = "processing", [VIDEO_READY] = "ready",
    [VIDEO_FAILED] = "failed",
};

#define STATE_COUNT (sizeof(state_names) / sizeof(state_names[0]))

const char *video_state_name(enum video_state s)
{
    return (size_t)s < STATE_COUNT ? state_names[s] : "unknown";
}

static enum video_state state_from_name(const char *name)
{
    size_t i;

    for (i = 0; i < STATE_COUNT; i++)
        if (strcmp(name, state_names[i]) == 0)
            return (enum video_state)i;
    return VIDEO_FAILED; /* the schema's CHECK lets no other name in */
}

/* In the order of VIDEO_COLUMNS, which is also that of struct video. */
void store_video_columns(sqlite3_stmt *q, struct video *v)
{
    char name[16];
    int i = 0;

    memset(v, 0, sizeof(*v));
    store_column_text(q, i++, v->id, sizeof(v->id));
    store_column_text(q, i++, v->title, sizeof(v->title));
    store_column_text(q, i++, v->filename, sizeof(v->filename));
    v->owner_id = sqlite3_column_int64(q, i++); /* NULL is 0 */
    store_column_text(q, i++, v->owner, sizeof(v->owner));
    store_column_text(q, i++, name, sizeof(name));
    visibility_from(name, &v->visibility);
    store_column_text(q, i++, name, sizeof(name));
    v->container = container_from_name(name);
    store_column_text(q, i++, name, sizeof(name));
    v->state = state_from_name(name);
    v->playable = sqlite3_column_int(q, i++) != 0;
    v->size = sqlite3_column_int64(q, i++);
    v->received = sqlite3_column_int64(q, i++);
    store_column_text(q, i++, v->error, sizeof(v->error));
    store_column_text(q, i++, v->warning, sizeof(v->warning));
    v->duration_us = sqlite3_column_int64(q, i++);
    v->width = sqlite3_column_int(q, i++);
    v->height = sqlite3_column_int(q, i++);
    v->rate_num = sqlite3_column_int(q, i++);
    v->rate_den = sqlite3_column_int(q, i++);
    store_column_text(q, i++, v->video_codec, sizeof(v->video_codec));
    store_column_text(q, i++, v->audio_codec, sizeof(v->audio_codec));
    store_column_text(q, i++, v->media_root, sizeof(v->media_root));
    v->has_poster = sqlite3_column_int(q, i++) != 0;
    v->created_ms = sqlite3_column_int64(q, i++);
    v->first_segment_ms = sqlite3_column_int64(q, i++);
    v->stored_ms = sqlite3_column_int64(q, i++);
    v->ready_ms = sqlite3_column_int64(q, i++);
    v->arrived_us = sqlite3_column_int64(q, i++);
    store_column_text(q, i++, v->upload_id, sizeof(v->upload_id));
    v->expires_ms = store_column_maybe(q, i++);
    v->unchecked_from = sqlite3_column_int64(q, i++);
    v->index_offset = sqlite3_column_int64(q, i++);
    store_column_text(q, i++, v->copy_refused, sizeof(v->copy_refused));
    v->has_storyboard = sqlite3_column_int(q, i++) != 0;
    v->poster_at_us = sqlite3_column_int64(q, i++);
    v->poster_version = sqlite3_column_int64(q, i++);
    v->poster_dull = sqlite3_column_int(q, i++) != 0;
    v->encodes_sound = sqlite3_column_int(q, i++) != 0;
}

enum rc store_video_row(struct store *st, sqlite3_stmt *q, struct video *out)
{
    enum rc rc = store_step(st, q);

    if (rc != RC_OK)
        return rc;
    store_video_columns(q, out);
    return store_finish(st, q);
}

enum rc store_video_load(struct store *st, const char *id, struct video *out)
{
    sqlite3_stmt *q;
    enum rc rc = store_prepare(st, SQL_VIDEO_BY_ID,
                               "SELECT " VIDEO_COLUMNS
                               " FROM videos WHERE id = ?1 AND deleted_at IS NULL",
                               &q);

    if (rc != RC_OK)
        return rc;
    store_bind_text(q, 1, id);
    return store_video_row(st, q, out);
}

enum rc store_video_begin(struct store *st, const char *id, struct video *v)
{
    enum rc rc = store_begin(st);

    if (rc != RC_OK)
        return rc;
    rc = store_video_load(st, id, v);
    return rc == RC_OK ? rc : store_end(st, rc);
}

/* ---- looking ------------------------------------------------------------ */

enum rc store_video_get(struct store *st, const char *id, struct video *out)
{
    return store_video_load(st, id, out);
}

/* Deleted ones count: while the row is there, the files under its id may be, too. */
enum rc store_video_exists(struct store *st, const char *id, bool *out)
{
    sqlite3_stmt *q;
    enum rc rc =
        store_prepare(st, SQL_VIDEO_EXISTS, "SELECT 1 FROM videos WHERE id = ?1", &q);

    if (rc != RC_OK)
        return rc;
    store_bind_text(q, 1, id);
    return store_has_row(st, q, out);
}

/* ---- changing ----------------------------------------------------------- */

enum rc store_video_rename(struct store *st, const char *id, const char *title)
{
    char old[STORE_SHORT_SIZE];
    struct video v;
    sqlite3_stmt *q;
    size_t n = strlen(title);
    enum rc rc;

    if (n == 0 || n > STORE_TITLE_MAX || !text_is_clean(title, n))
        return RC_INVALID;
    rc = store_video_begin(st, id, &v);
    if (rc != RC_OK)
        return rc;
    rc = store_prepare(st, SQL_VIDEO_RENAME,
                       "UPDATE videos SET title = ?2 WHERE id = ?1", &q);
    if (rc == RC_OK) {
        store_bind_text(q, 1, id);
        store_bind_text(q, 2, title);
        rc = store_finish(st, q);
    }
    store_shorten(old, v.title);
    if (rc == RC_OK)
        rc = store_note(st, ACTIVITY_INFO, "video", id, "Renamed, was \"%s\"", old);
    return store_end(st, rc);
}

/* The files go first, by the worker, and the row after them, so that a crash in between
 * forgets nothing. */
enum rc store_video_mark_deleted(struct store *st, const char *id)
{
    sqlite3_stmt *q;
    enum rc rc = store_prepare(st, SQL_VIDEO_MARK_DELETED,
                               "UPDATE videos SET deleted_at = ?2 WHERE id = ?1", &q);

    if (rc != RC_OK)
        return rc;
    store_bind_text(q, 1, id);
    store_bind_int(q, 2, store_wall_ms(st));
    rc = store_finish(st, q);
    if (rc == RC_OK)
        rc = store_grants_revoke_video(st, id);
    return rc == RC_OK ? store_job_drop_all(st, id) : rc;
}

static enum rc unfinished_of(struct store *st, int64_t user_id, char id[ID_LEN + 1])
{
    sqlite3_stmt *q;
    enum rc rc = store_prepare(st, SQL_VIDEO_UNFINISHED_OF,
                               "SELECT id FROM videos INDEXED BY videos_own_by_age"
                               " WHERE owner_id = ?1 AND state = 'receiving'"
                               " AND deleted_at IS NULL LIMIT 1",
                               &q);

    if (rc != RC_OK)
        return rc;
    store_bind_int(q, 1, user_id);
    rc = store_step(st, q);
    if (rc != RC_OK)
        return rc;
    store_column_text(q, 0, id, ID_LEN + 1);
    return store_finish(st, q);
}

enum rc store_uploads_end_of(struct store *st, int64_t user_id, const char *why)
{
    char id[ID_LEN + 1];
    enum rc rc;

    do {
        rc = unfinished_of(st, user_id, id);
        if (rc == RC_NOT_FOUND)
            return RC_OK;
        if (rc == RC_OK)
            rc = store_video_mark_deleted(st, id);
        if (rc == RC_OK)
            rc = store_note(st, ACTIVITY_WARN, "upload", id, "Upload abandoned: %s",
                            why);
    } while (rc == RC_OK);
    return rc;
}

enum rc store_video_delete(struct store *st, const char *id, struct video *out)
{
    char title[STORE_SHORT_SIZE];
    struct video v;
    enum rc rc = store_video_begin(st, id, &v);

    if (rc != RC_OK)
        return rc;
    rc = store_video_mark_deleted(st, id);
    /* With its title, which nobody can look up from here on. */
    store_shorten(title, v.title);
    if (rc == RC_OK)
        rc = store_note(st, ACTIVITY_INFO, "video", id, "Deleted \"%s\"", title);
    rc = store_end(st, rc);
    if (rc == RC_OK)
        *out = v;
    return rc;
}

enum rc store_video_plan_again(struct store *st, const char *id)
{
    /* The renditions stay until the new plan: it has to know their generations, and
     * what is published of them plays on. */
    enum rc rc =
        store_run_text(st, SQL_VIDEO_RETRY,
                       "UPDATE videos SET state = 'stored', error = '', warning = ''"
                       " WHERE id = ?1",
                       id);
    if (rc == RC_OK)
        rc = store_job_drop_made(st, id);
    if (rc == RC_OK)
        rc = store_job_add(st, id, JOB_PROBE, "");
    if (rc == RC_OK)
        rc = store_note(st, ACTIVITY_INFO, "video", id, "To be processed again");
    return rc;
}

enum rc store_video_retry(struct store *st, const char *id)
{
    struct video v;
    enum rc rc = store_video_begin(st, id, &v);

    if (rc != RC_OK)
        return rc;
    if (v.state != VIDEO_FAILED)
        return store_end(st, RC_CONFLICT);
    return store_end(st, store_video_plan_again(st, id));
}

enum rc store_video_add_warning(struct store *st, const struct video *v,
                                const char *sentence)
{
    char add[STORE_TEXT_MAX + 1], all[2 * STORE_TEXT_MAX + 2];
    char warning[STORE_TEXT_MAX + 1];
    sqlite3_stmt *q;
    enum rc rc;

    if (text_clean(add, sizeof(add), sentence) == 0 || strstr(v->warning, add))
        return RC_OK;
    snprintf(all, sizeof(all), "%s%s%s", v->warning, *v->warning ? " " : "", add);
    text_clean(warning, sizeof(warning), all);
    if (strcmp(warning, v->warning) == 0)
        return RC_OK; /* no room for more */
    rc = store_prepare(st, SQL_VIDEO_WARN,
                       "UPDATE videos SET warning = ?2 WHERE id = ?1", &q);
    if (rc != RC_OK)
        return rc;
    store_bind_text(q, 1, v->id);
    store_bind_text(q, 2, warning);
    rc = store_finish(st, q);
    return rc == RC_OK ? store_note(st, ACTIVITY_WARN, "video", v->id, "%s", add) : rc;
}

enum rc store_video_warn(struct store *st, const char *id, const char *sentence)
{
    struct video v;
    enum rc rc = store_video_begin(st, id, &v);

    return rc == RC_OK ? store_end(st, store_video_add_warning(st, &v, sentence)) : rc;
}

enum rc store_video_purge(struct store *st, const char *id)
{
    enum rc rc = store_begin(st);

    if (rc != RC_OK)
        return rc;
    /* Renditions and jobs go with it (ON DELETE CASCADE). */
    rc = store_run_text(st, SQL_VIDEO_PURGE,
                        "DELETE FROM videos WHERE id = ?1 AND deleted_at IS NOT NULL",
                        id);
    return store_end(st, rc);
}
