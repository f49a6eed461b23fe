/*
 * Who may watch what: the rows beside the symlinks. Whatever takes a right away marks
 * the grants that end by it in the same transaction.
 */
#include "store_priv.h"

#include <stdlib.h>
#include <string.h>

#define GRANT_COLUMNS "g.key, g.video_id, v.media_root, g.user_id, g.share"
#define GRANT_FROM " FROM grants g JOIN videos v ON v.id = g.video_id "

static void read_columns(sqlite3_stmt *q, struct grant *g)
{
    int i = 0;

    memset(g, 0, sizeof(*g));
    store_column_text(q, i++, g->key, sizeof(g->key));
    store_column_text(q, i++, g->video_id, sizeof(g->video_id));
    store_column_text(q, i++, g->media_root, sizeof(g->media_root));
    g->kind = sqlite3_column_type(q, i) == SQLITE_NULL ? GRANT_SHARE : GRANT_USER;
    g->user_id = sqlite3_column_int64(q, i++);
    store_column_text(q, i++, g->share, sizeof(g->share));
}

static enum rc grant_row(struct store *st, sqlite3_stmt *q, struct grant *out)
{
    enum rc rc = store_step(st, q);

    if (rc != RC_OK)
        return rc;
    read_columns(q, out);
    return store_finish(st, q);
}

/* ---- making ---------------------------------------------------------------- */

enum rc store_grant_insert(struct store *st, const char *video_id, int64_t user_id,
                           const char *share, char key[KEY_LEN + 1])
{
    sqlite3_stmt *q;
    enum rc rc = key_new(key);

    if (rc == RC_OK)
        rc = store_prepare(st, SQL_GRANT_INSERT,
                           "INSERT INTO grants (key, video_id, user_id, share)"
                           " VALUES (?1, ?2, ?3, ?4)",
                           &q);
    if (rc != RC_OK)
        return rc;
    store_bind_text(q, 1, key);
    store_bind_text(q, 2, video_id);
    if (share)
        store_bind_text(q, 4, share);
    else
        store_bind_int(q, 3, user_id);
    return store_finish(st, q);
}

static enum rc find_user(struct store *st, const char *video_id, int64_t user_id,
                         struct grant *out)
{
    sqlite3_stmt *q;
    enum rc rc = store_prepare(st, SQL_GRANT_OF_USER,
                               "SELECT " GRANT_COLUMNS GRANT_FROM
                               "WHERE g.user_id = ?1 AND g.video_id = ?2"
                               " AND g.revoked = 0 AND v.deleted_at IS NULL",
                               &q);

    if (rc != RC_OK)
        return rc;
    store_bind_int(q, 1, user_id);
    store_bind_text(q, 2, video_id);
    return grant_row(st, q, out);
}

/* Users have a right to what is for everyone, to what is theirs, and as owners to all.
 */
#define RIGHT(video, user)                                                             \
    "SELECT 1 FROM videos v, users u WHERE v.id = " video " AND u.id = " user          \
    " AND (v.visibility = 'everyone' OR v.owner_id = u.id OR u.role = 'owner')"

/* Judged here once more: a right that was taken away a moment ago has revoked the
 * grants of before, and none must come after them. RC_NOT_FOUND: there is none. */
static enum rc check_right(struct store *st, const char *video_id, int64_t user_id)
{
    sqlite3_stmt *q;
    bool has = false;
    enum rc rc;

    if (user_id == 0)
        return RC_OK;
    rc = store_prepare(st, SQL_GRANT_RIGHT, RIGHT("?1", "?2"), &q);
    if (rc != RC_OK)
        return rc;
    store_bind_text(q, 1, video_id);
    store_bind_int(q, 2, user_id);
    rc = store_has_row(st, q, &has);
    return rc == RC_OK && !has ? RC_NOT_FOUND : rc;
}

static enum rc make(struct store *st, const char *video_id, int64_t user_id,
                    struct grant *out)
{
    char key[KEY_LEN + 1];
    struct video v;
    enum rc rc = store_video_load(st, video_id, &v);

    if (rc == RC_OK)
        rc = check_right(st, video_id, user_id);
    if (rc != RC_OK)
        return rc;
    rc = find_user(st, video_id, user_id, out); /* another handle was faster */
    if (rc != RC_NOT_FOUND)
        return rc;
    rc = store_grant_insert(st, video_id, user_id, NULL, key);
    return rc == RC_OK ? find_user(st, video_id, user_id, out) : rc;
}

enum rc store_grant_user(struct store *st, const char *video_id, int64_t user_id,
                         struct grant *out)
{
    struct grant g;
    enum rc rc = find_user(st, video_id, user_id, &g);

    if (rc == RC_NOT_FOUND) {
        rc = store_begin(st);
        if (rc == RC_OK)
            rc = store_end(st, make(st, video_id, user_id, &g));
    }
    if (rc != RC_OK)
        return rc;
    *out = g;
    return RC_OK;
}

/* ---- looking --------------------------------------------------------------- */

enum rc store_grant_by_key(struct store *st, const char *key, struct grant *out,
                           struct video *video)
{
    struct grant g;
    sqlite3_stmt *q;
    enum rc rc = store_prepare(
        st, SQL_GRANT_BY_KEY,
        "SELECT " GRANT_COLUMNS GRANT_FROM
        "WHERE g.key = ?1 AND g.revoked = 0 AND v.deleted_at IS NULL"
        " AND (g.share IS NULL OR EXISTS (SELECT 1 FROM shares s"
        " WHERE s.token = g.share AND (s.expires_ms IS NULL OR s.expires_ms > ?2)))",
        &q);

    if (rc != RC_OK)
        return rc;
    store_bind_text(q, 1, key);
    store_bind_int(q, 2, store_wall_ms(st));
    rc = grant_row(st, q, &g);
    if (rc == RC_OK)
        rc = store_video_load(st, g.video_id, video);
    if (rc == RC_OK)
        *out = g;
    return rc;
}

enum rc store_grant_exists(struct store *st, const char *key, bool *out)
{
    sqlite3_stmt *q;
    enum rc rc =
        store_prepare(st, SQL_GRANT_EXISTS, "SELECT 1 FROM grants WHERE key = ?1", &q);

    if (rc != RC_OK)
        return rc;
    store_bind_text(q, 1, key);
    return store_has_row(st, q, out);
}

static const struct {
    enum statement id;
    const char *sql; /* ?1, ?2: video and key of the one before; ?3: how many */
} lists[2][2] = {
    {
        {SQL_GRANT_LIST, "SELECT " GRANT_COLUMNS GRANT_FROM
                         "WHERE g.revoked = 0 AND (g.video_id, g.key) > (?1, ?2)"
                         " ORDER BY g.video_id, g.key LIMIT ?3"},
        {SQL_GRANT_LIST_OF, "SELECT " GRANT_COLUMNS GRANT_FROM
                            "WHERE g.revoked = 0 AND g.video_id = ?1 AND g.key > ?2"
                            " ORDER BY g.key LIMIT ?3"},
    },
    {
        {SQL_GRANT_LIST_REVOKED,
         "SELECT " GRANT_COLUMNS GRANT_FROM "WHERE g.revoked = 1"
         " AND (g.video_id, g.key) > (?1, ?2)"
         " ORDER BY g.video_id, g.key LIMIT ?3"},
        {SQL_GRANT_LIST_REVOKED_OF,
         "SELECT " GRANT_COLUMNS GRANT_FROM "WHERE g.revoked = 1 AND g.video_id = ?1"
         " AND g.key > ?2 ORDER BY g.key LIMIT ?3"},
    },
};

enum rc store_grant_list(struct store *st, const char *video_id, bool revoked,
                         const struct grant *after, struct grant *out, size_t max,
                         size_t *n)
{
    bool of_one = *video_id != '\0';
    size_t got = 0;
    sqlite3_stmt *q;
    enum rc rc =
        store_prepare(st, lists[revoked][of_one].id, lists[revoked][of_one].sql, &q);

    if (rc != RC_OK)
        return rc;
    store_bind_text(q, 1, of_one ? video_id : after->video_id);
    store_bind_text(q, 2, after->key);
    store_bind_int(q, 3, (int64_t)max);
    while (got < max && (rc = store_step(st, q)) == RC_OK)
        read_columns(q, &out[got++]);
    if (rc != RC_OK && rc != RC_NOT_FOUND)
        return rc;
    sqlite3_reset(q);
    *n = got;
    return RC_OK;
}

enum { BATCH = 64 };

enum rc store_grant_each(struct store *st, const char *video_id, bool revoked,
                         enum rc (*cb)(void *arg, const struct grant *g), void *arg)
{
    struct grant batch[BATCH], after = {.key = ""};
    size_t n = 0;
    enum rc rc;

    do {
        rc = store_grant_list(st, video_id, revoked, &after, batch, BATCH, &n);
        for (size_t i = 0; rc == RC_OK && i < n; i++)
            rc = cb(arg, &batch[i]);
        if (n > 0)
            after = batch[n - 1];
    } while (rc == RC_OK && n == BATCH);
    return rc;
}

/* ---- taking back, in a transaction of the caller ---------------------------- */

enum rc store_grants_revoke_video(struct store *st, const char *video_id)
{
    return store_run_text(st, SQL_GRANT_REVOKE_VIDEO,
                          "UPDATE grants SET revoked = 1"
                          " WHERE video_id = ?1 AND revoked = 0",
                          video_id);
}

enum rc store_grants_revoke_user(struct store *st, int64_t user_id)
{
    return store_run_int(st, SQL_GRANT_REVOKE_USER,
                         "UPDATE grants SET revoked = 1"
                         " WHERE user_id = ?1 AND revoked = 0",
                         user_id);
}

enum rc store_grants_revoke_share(struct store *st, const char *token)
{
    return store_run_text(st, SQL_GRANT_REVOKE_SHARE,
                          "UPDATE grants SET revoked = 1"
                          " WHERE share = ?1 AND revoked = 0",
                          token);
}

#define NO_RIGHT " AND NOT EXISTS (" RIGHT("grants.video_id", "grants.user_id") ")"

enum rc store_grants_revise_user(struct store *st, int64_t user_id)
{
    return store_run_int(st, SQL_GRANT_REVISE_USER,
                         "UPDATE grants SET revoked = 1"
                         " WHERE user_id = ?1 AND revoked = 0" NO_RIGHT,
                         user_id);
}

static enum rc revise_video(struct store *st, const char *video_id)
{
    return store_run_text(st, SQL_GRANT_REVISE_VIDEO,
                          "UPDATE grants SET revoked = 1"
                          " WHERE video_id = ?1 AND revoked = 0"
                          " AND user_id > 0" NO_RIGHT,
                          video_id);
}

/* ---- taking back ------------------------------------------------------------ */

enum rc store_grants_end_open(struct store *st)
{
    enum rc rc = store_begin(st);

    return rc == RC_OK ? store_end(st, store_grants_revoke_user(st, 0)) : rc;
}

/* All that count, in memory of the caller. */
static enum rc collect(struct store *st, const char *video_id, struct grant **out,
                       size_t *n)
{
    struct grant after = {.key = ""}, *all = NULL, *more;
    size_t have = 0, got = 0;
    enum rc rc = RC_OK;

    do {
        more = realloc(all, (have + BATCH) * sizeof(*all));
        if (!more) {
            free(all);
            return RC_NOMEM;
        }
        all = more;
        rc = store_grant_list(st, video_id, false, &after, all + have, BATCH, &got);
        if (rc != RC_OK) {
            free(all);
            return rc;
        }
        have += got;
        if (got > 0)
            after = all[have - 1];
    } while (got == BATCH);
    *out = all;
    *n = have;
    return RC_OK;
}

static enum rc renew(struct store *st, const char *video_id)
{
    char key[KEY_LEN + 1];
    struct grant *all = NULL;
    size_t n = 0;
    enum rc rc = collect(st, video_id, &all, &n);

    if (rc == RC_OK)
        rc = store_grants_revoke_video(st, video_id);
    for (size_t i = 0; rc == RC_OK && i < n; i++)
        rc = store_grant_insert(st, video_id, all[i].user_id,
                                all[i].kind == GRANT_SHARE ? all[i].share : NULL, key);
    free(all);
    return rc == RC_OK ? store_note_by(st, "share", video_id,
                                       "New keys for all who may watch it")
                       : rc;
}

enum rc store_grants_renew(struct store *st, const char *video_id)
{
    struct video v;
    enum rc rc = store_video_begin(st, video_id, &v);

    return rc == RC_OK ? store_end(st, renew(st, video_id)) : rc;
}

enum rc store_grant_drop(struct store *st, const char *key)
{
    enum rc rc = store_begin(st);

    if (rc != RC_OK)
        return rc;
    return store_end(
        st, store_run_text(st, SQL_GRANT_DROP,
                           "DELETE FROM grants WHERE key = ?1 AND revoked = 1", key));
}

/* ---- who has a video -------------------------------------------------------- */

static enum rc set_visibility(struct store *st, const char *id, enum visibility v)
{
    sqlite3_stmt *q;
    enum rc rc = store_prepare(st, SQL_VIDEO_VISIBILITY,
                               "UPDATE videos SET visibility = ?2 WHERE id = ?1", &q);

    if (rc != RC_OK)
        return rc;
    store_bind_text(q, 1, id);
    store_bind_text(q, 2, visibility_name(v));
    rc = store_finish(st, q);
    if (rc == RC_OK)
        rc = revise_video(st, id);
    return rc == RC_OK ? store_note_by(st, "share", id,
                                       v == VISIBLE_EVERYONE
                                           ? "Everyone who is signed in may watch it"
                                           : "It is private again")
                       : rc;
}

enum rc store_video_set_visibility(struct store *st, const char *id, enum visibility v)
{
    struct video old;
    enum rc rc = store_video_begin(st, id, &old);

    if (rc != RC_OK)
        return rc;
    return store_end(st, old.visibility == v ? RC_OK : set_visibility(st, id, v));
}
