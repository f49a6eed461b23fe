/*
 * Links by which one video is watched without an account. Each has one grant, made and
 * revoked with it.
 */
#include "store_priv.h"

#include <string.h>

#define SHARE_COLUMNS                                                                  \
    "s.token, s.video_id, g.key, s.password, s.download, s.embed, s.created_ms,"       \
    " s.expires_ms, (SELECT name FROM users u WHERE u.id = s.created_by), s.n"
#define SHARE_FROM                                                                     \
    " FROM shares s JOIN grants g ON g.share = s.token AND g.revoked = 0 "

static void read_columns(sqlite3_stmt *q, struct share *s, int64_t *n)
{
    int i = 0;

    memset(s, 0, sizeof(*s));
    store_column_text(q, i++, s->token, sizeof(s->token));
    store_column_text(q, i++, s->video_id, sizeof(s->video_id));
    store_column_text(q, i++, s->key, sizeof(s->key));
    store_column_text(q, i++, s->password, sizeof(s->password));
    s->download = sqlite3_column_int(q, i++) != 0;
    store_column_text(q, i++, s->embed, sizeof(s->embed));
    s->created_ms = sqlite3_column_int64(q, i++);
    s->expires_ms = store_column_maybe(q, i++);
    store_column_text(q, i++, s->created_by, sizeof(s->created_by));
    *n = sqlite3_column_int64(q, i++);
}

static enum rc share_row(struct store *st, sqlite3_stmt *q, struct share *s, int64_t *n)
{
    enum rc rc = store_step(st, q);

    if (rc != RC_OK)
        return rc;
    read_columns(q, s, n);
    return store_finish(st, q);
}

/* ---- adding ----------------------------------------------------------------- */

static enum rc check_room(struct store *st, const char *video_id)
{
    sqlite3_stmt *q;
    int64_t n = 0;
    enum rc rc = store_prepare(st, SQL_SHARE_COUNT,
                               "SELECT count(*) FROM shares WHERE video_id = ?1", &q);

    if (rc != RC_OK)
        return rc;
    store_bind_text(q, 1, video_id);
    rc = store_number(st, q, &n);
    return rc == RC_OK && n >= STORE_SHARES_MAX ? RC_TOO_LARGE : rc;
}

static enum rc insert(struct store *st, const struct share *s, int64_t by)
{
    sqlite3_stmt *q;
    enum rc rc =
        store_prepare(st, SQL_SHARE_INSERT,
                      "INSERT INTO shares (token, video_id, password, download, embed,"
                      " created_ms, expires_ms, created_by) VALUES (?1, ?2, ?3, ?4, ?5,"
                      " ?6, iif(?7 < 0, NULL, ?7),"
                      " (SELECT id FROM users WHERE id = ?8))",
                      &q);

    if (rc != RC_OK)
        return rc;
    store_bind_text(q, 1, s->token);
    store_bind_text(q, 2, s->video_id);
    store_bind_text(q, 3, s->password);
    store_bind_int(q, 4, s->download);
    store_bind_text(q, 5, s->embed);
    store_bind_int(q, 6, s->created_ms);
    store_bind_int(q, 7, s->expires_ms);
    store_bind_int(q, 8, by);
    return store_finish(st, q);
}

/* As it is at now (wall clock): what has expired by then is not there. INT64_MIN:
 * whatever its time is. */
static enum rc load(struct store *st, const char *token, int64_t now, struct share *out)
{
    sqlite3_stmt *q;
    int64_t n;
    enum rc rc = store_prepare(st, SQL_SHARE_GET,
                               "SELECT " SHARE_COLUMNS SHARE_FROM "WHERE s.token = ?1"
                               " AND (s.expires_ms IS NULL OR s.expires_ms > ?2)",
                               &q);

    if (rc != RC_OK)
        return rc;
    store_bind_text(q, 1, token);
    store_bind_int(q, 2, now);
    return share_row(st, q, out, &n);
}

static enum rc add(struct store *st, struct share *s, int64_t by)
{
    enum rc rc = check_room(st, s->video_id);

    if (rc == RC_OK)
        rc = key_new(s->token);
    if (rc == RC_OK)
        rc = insert(st, s, by);
    if (rc == RC_OK)
        rc = store_grant_insert(st, s->video_id, 0, s->token, s->key);
    if (rc == RC_OK)
        rc = load(st, s->token, INT64_MIN, s);
    return rc == RC_OK ? store_note(st, ACTIVITY_INFO, "share", s->video_id,
                                    "A link to it was made%s%s%s",
                                    *s->created_by ? " by \"" : "", s->created_by,
                                    *s->created_by ? "\"" : "")
                       : rc;
}

enum rc store_share_add(struct store *st, struct share *s, int64_t by)
{
    struct share row = *s;
    struct video v;
    enum rc rc = store_video_begin(st, s->video_id, &v);

    if (rc != RC_OK)
        return rc;
    row.created_ms = store_wall_ms(st);
    rc = store_end(st, add(st, &row, by));
    if (rc == RC_OK)
        *s = row;
    return rc;
}

/* ---- looking ---------------------------------------------------------------- */

enum rc store_share_get(struct store *st, const char *token, struct share *out,
                        struct video *video)
{
    struct share s;
    enum rc rc = load(st, token, store_wall_ms(st), &s);

    if (rc == RC_OK)
        rc = store_video_load(st, s.video_id, video);
    if (rc == RC_OK)
        *out = s;
    return rc;
}

enum rc store_share_each(struct store *st, const char *video_id,
                         enum rc (*cb)(void *arg, const struct share *s), void *arg)
{
    int64_t now = store_wall_ms(st), n = 0;
    struct share s;
    struct video v;
    sqlite3_stmt *q;
    enum rc rc = store_video_load(st, video_id, &v);

    while (rc == RC_OK) {
        rc = store_prepare(st, SQL_SHARE_NEXT,
                           "SELECT " SHARE_COLUMNS SHARE_FROM
                           "WHERE s.video_id = ?1 AND s.n > ?2"
                           " AND (s.expires_ms IS NULL OR s.expires_ms > ?3)"
                           " ORDER BY s.n LIMIT 1",
                           &q);
        if (rc != RC_OK)
            return rc;
        store_bind_text(q, 1, video_id);
        store_bind_int(q, 2, n);
        store_bind_int(q, 3, now);
        rc = share_row(st, q, &s, &n);
        if (rc != RC_OK)
            return rc == RC_NOT_FOUND ? RC_OK : rc;
        rc = cb(arg, &s);
    }
    return rc;
}

/* ---- ending ----------------------------------------------------------------- */

/* RC_NOT_FOUND: there is none. */
static enum rc end_share(struct store *st, const char *token)
{
    enum rc rc = store_grants_revoke_share(st, token);

    if (rc == RC_OK)
        rc = store_run_text(st, SQL_SHARE_REMOVE, "DELETE FROM shares WHERE token = ?1",
                            token);
    if (rc == RC_OK && store_changes(st) == 0)
        rc = RC_NOT_FOUND;
    return rc;
}

enum rc store_share_remove(struct store *st, const char *token)
{
    struct share s;
    struct video v;
    enum rc rc = store_begin(st);

    if (rc != RC_OK)
        return rc;
    rc = store_share_get(st, token, &s, &v);
    if (rc == RC_OK)
        rc = end_share(st, token);
    if (rc == RC_OK)
        rc = store_note_by(st, "share", s.video_id, "A link to it was taken back");
    return store_end(st, rc);
}

/* RC_NOT_FOUND: no share will ever end by itself. */
static enum rc next_end(struct store *st, int64_t *out)
{
    sqlite3_stmt *q;
    enum rc rc = store_prepare(st, SQL_SHARE_NEXT_END,
                               "SELECT expires_ms FROM shares"
                               " WHERE expires_ms IS NOT NULL"
                               " ORDER BY expires_ms LIMIT 1",
                               &q);

    return rc == RC_OK ? store_number(st, q, out) : rc;
}

/* The one that q finds (its token, its video). RC_NOT_FOUND: there is none. */
static enum rc end_found(struct store *st, sqlite3_stmt *q, const char *why)
{
    char token[STORE_SHARE_LEN + 1], video_id[ID_LEN + 1];
    enum rc rc = store_step(st, q);

    if (rc != RC_OK)
        return rc;
    store_column_text(q, 0, token, sizeof(token));
    store_column_text(q, 1, video_id, sizeof(video_id));
    rc = store_finish(st, q);
    if (rc == RC_OK)
        rc = end_share(st, token);
    return rc == RC_OK ? store_note(st, ACTIVITY_INFO, "share", video_id, "%s", why)
                       : rc;
}

/* The one whose time was over first. */
static enum rc end_one_over(struct store *st, int64_t now)
{
    sqlite3_stmt *q;
    enum rc rc = store_prepare(st, SQL_SHARE_OVER,
                               "SELECT token, video_id FROM shares"
                               " WHERE expires_ms <= ?1 ORDER BY expires_ms LIMIT 1",
                               &q);

    if (rc != RC_OK)
        return rc;
    store_bind_int(q, 1, now);
    return end_found(st, q, "The time of a link to it is over");
}

/* One that a user made of a video that is not theirs. */
static enum rc end_one_of(struct store *st, int64_t user_id)
{
    sqlite3_stmt *q;
    enum rc rc = store_prepare(st, SQL_SHARE_FOREIGN,
                               "SELECT s.token, s.video_id FROM shares s"
                               " WHERE s.created_by = ?1 AND NOT EXISTS"
                               " (SELECT 1 FROM videos v WHERE v.id = s.video_id"
                               " AND v.owner_id = ?1) LIMIT 1",
                               &q);

    if (rc != RC_OK)
        return rc;
    store_bind_int(q, 1, user_id);
    return end_found(st, q, "A link to it ended with the rights of who made it");
}

enum rc store_shares_end_of(struct store *st, int64_t user_id, int64_t *n)
{
    enum rc rc;

    *n = 0;
    while ((rc = end_one_of(st, user_id)) == RC_OK)
        ++*n;
    return rc == RC_NOT_FOUND ? RC_OK : rc;
}

/* Asked after each change, so it only reads where nothing is over. */
enum rc store_shares_expire(struct store *st, int64_t *n, int64_t *next_ms)
{
    int64_t now = store_wall_ms(st), next = 0, ended = 0;
    enum rc rc = next_end(st, &next);

    if (rc == RC_OK && next <= now) {
        rc = store_begin(st);
        if (rc != RC_OK)
            return rc;
        while ((rc = end_one_over(st, now)) == RC_OK)
            ended++;
        rc = store_end(st, rc == RC_NOT_FOUND ? RC_OK : rc);
        if (rc == RC_OK)
            rc = next_end(st, &next);
    }
    if (rc != RC_OK && rc != RC_NOT_FOUND)
        return rc;
    *n = ended;
    *next_ms = rc == RC_OK ? next : -1;
    return RC_OK;
}
