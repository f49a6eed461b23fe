/*
 * Browsers that are signed in. A request reads one row, by its hash; only about once a
 * minute it also writes, since then its time has to be put off.
 */
#include "store_priv.h"

#include "text.h"

#include <stdlib.h>
#include <string.h>

#define SESSION_COLUMNS                                                                \
    "s.n, s.user_id, s.created_ms, s.used_ms, s.expires_ms, s.agent, s.address"
enum { SESSION_COLUMN_COUNT = 7 };

static void read_columns(sqlite3_stmt *q, struct session *s)
{
    int i = 0;

    memset(s, 0, sizeof(*s));
    s->n = sqlite3_column_int64(q, i++);
    s->user_id = sqlite3_column_int64(q, i++);
    s->created_ms = sqlite3_column_int64(q, i++);
    s->used_ms = sqlite3_column_int64(q, i++);
    s->expires_ms = sqlite3_column_int64(q, i++);
    store_column_text(q, i++, s->agent, sizeof(s->agent));
    store_column_text(q, i++, s->address, sizeof(s->address));
}

/* ---- beginning ------------------------------------------------------------ */

static enum rc insert(struct store *st, const uint8_t hash[SECRET_HASH_SIZE],
                      const struct session *s)
{
    sqlite3_stmt *q;
    enum rc rc = store_prepare(st, SQL_SESSION_INSERT,
                               "INSERT INTO sessions (hash, user_id, created_ms,"
                               " used_ms, expires_ms, agent, address)"
                               " VALUES (?1, ?2, ?3, ?3, ?4, ?5, ?6)",
                               &q);

    if (rc != RC_OK)
        return rc;
    store_bind_hash(q, 1, hash);
    store_bind_int(q, 2, s->user_id);
    store_bind_int(q, 3, s->created_ms);
    store_bind_int(q, 4, s->expires_ms);
    store_bind_text(q, 5, s->agent);
    store_bind_text(q, 6, s->address);
    return store_finish(st, q);
}

/* Whatever the clock says, the one that was just begun stays. */
static enum rc trim(struct store *st, const struct session *s)
{
    sqlite3_stmt *q;
    enum rc rc = store_prepare(st, SQL_SESSION_TRIM,
                               "DELETE FROM sessions WHERE n IN (SELECT n FROM sessions"
                               " WHERE user_id = ?1 AND n <> ?2"
                               " ORDER BY used_ms DESC, n DESC LIMIT -1 OFFSET ?3)",
                               &q);

    if (rc != RC_OK)
        return rc;
    store_bind_int(q, 1, s->user_id);
    store_bind_int(q, 2, s->n);
    store_bind_int(q, 3, STORE_SESSIONS_MAX - 1);
    return store_finish(st, q);
}

/* Of hashes a difference tells nothing. */
static enum rc check_password(struct store *st, int64_t user_id, const char *hash)
{
    struct user u;
    enum rc rc = store_user_get(st, user_id, &u);

    return rc == RC_OK && strcmp(u.password, hash) != 0 ? RC_NOT_FOUND : rc;
}

enum rc store_session_begin(struct store *st, const uint8_t hash[SECRET_HASH_SIZE],
                            const char *password_hash, struct session *s)
{
    struct session row = {.user_id = s->user_id, .expires_ms = s->expires_ms};
    enum rc rc;

    text_clean(row.agent, sizeof(row.agent), s->agent);
    text_clean(row.address, sizeof(row.address), s->address);
    row.created_ms = row.used_ms = store_wall_ms(st);
    rc = store_begin(st);
    if (rc != RC_OK)
        return rc;
    rc = check_password(st, row.user_id, password_hash);
    if (rc == RC_OK)
        rc = insert(st, hash, &row);
    if (rc == RC_OK) {
        row.n = sqlite3_last_insert_rowid(st->db);
        rc = trim(st, &row);
    }
    rc = store_end(st, rc);
    if (rc == RC_OK)
        *s = row;
    return rc;
}

/* ---- in use --------------------------------------------------------------- */

static enum rc find(struct store *st, const uint8_t hash[SECRET_HASH_SIZE], int64_t now,
                    struct session *s, struct user *u)
{
    sqlite3_stmt *q;
    enum rc rc = store_prepare(st, SQL_SESSION_USE,
                               "SELECT " SESSION_COLUMNS ", " USER_COLUMNS
                               " FROM sessions s JOIN users u ON u.id = s.user_id"
                               " WHERE s.hash = ?1 AND s.expires_ms > ?2",
                               &q);

    if (rc != RC_OK)
        return rc;
    store_bind_hash(q, 1, hash);
    store_bind_int(q, 2, now);
    rc = store_step(st, q);
    if (rc != RC_OK)
        return rc;
    read_columns(q, s);
    store_user_columns(q, SESSION_COLUMN_COUNT, u);
    return store_finish(st, q);
}

/* RC_NOT_FOUND: it was ended meanwhile. */
static enum rc renew(struct store *st, const struct session *s)
{
    return store_change(st, SQL_SESSION_RENEW,
                        "UPDATE sessions SET used_ms = ?2, expires_ms = ?3"
                        " WHERE n = ?1",
                        (const int64_t[]){s->n, s->used_ms, s->expires_ms}, 3);
}

enum rc store_session_use(struct store *st, const uint8_t hash[SECRET_HASH_SIZE],
                          int64_t lasts_ms, struct session *out, struct user *user)
{
    int64_t now = store_wall_ms(st);
    struct session s, later;
    struct user u;
    enum rc rc = find(st, hash, now, &s, &u);

    if (rc != RC_OK)
        return rc;
    /* Either way: a clock that was put back must not leave it to run out. */
    if (llabs(now - s.used_ms) >= STORE_USED_MS) {
        later = s;
        later.used_ms = now;
        later.expires_ms = now + lasts_ms;
        rc = renew(st, &later);
        if (rc == RC_NOT_FOUND)
            return rc;
        if (rc == RC_OK) /* a full disk signs nobody out */
            s = later;
    }
    *out = s;
    *user = u;
    return RC_OK;
}

enum rc store_session_exists(struct store *st, const uint8_t hash[SECRET_HASH_SIZE],
                             bool *out)
{
    sqlite3_stmt *q;
    enum rc rc =
        store_prepare(st, SQL_SESSION_EXISTS,
                      "SELECT 1 FROM sessions WHERE hash = ?1 AND expires_ms > ?2", &q);

    if (rc != RC_OK)
        return rc;
    store_bind_hash(q, 1, hash);
    store_bind_int(q, 2, store_wall_ms(st));
    return store_has_row(st, q, out);
}

enum rc store_session_each(struct store *st, int64_t user_id,
                           enum rc (*cb)(void *arg, const struct session *s), void *arg)
{
    struct session s = {.used_ms = INT64_MAX};
    int64_t now = store_wall_ms(st);
    sqlite3_stmt *q;
    enum rc rc;

    do {
        rc = store_prepare(st, SQL_SESSION_NEXT,
                           "SELECT " SESSION_COLUMNS " FROM sessions s"
                           " WHERE s.user_id = ?1 AND (s.used_ms, s.n) < (?2, ?3)"
                           " AND s.expires_ms > ?4"
                           " ORDER BY s.used_ms DESC, s.n DESC LIMIT 1",
                           &q);
        if (rc != RC_OK)
            return rc;
        store_bind_int(q, 1, user_id);
        store_bind_int(q, 2, s.used_ms);
        store_bind_int(q, 3, s.n);
        store_bind_int(q, 4, now);
        rc = store_step(st, q);
        if (rc != RC_OK)
            return rc == RC_NOT_FOUND ? RC_OK : rc;
        read_columns(q, &s);
        rc = store_finish(st, q);
        if (rc == RC_OK)
            rc = cb(arg, &s);
    } while (rc == RC_OK);
    return rc;
}

/* ---- ending --------------------------------------------------------------- */

enum rc store_session_end(struct store *st, int64_t user_id, int64_t n)
{
    return store_change(st, SQL_SESSION_END,
                        "DELETE FROM sessions WHERE n = ?1 AND user_id = ?2",
                        (const int64_t[]){n, user_id}, 2);
}

enum rc store_session_end_all(struct store *st, int64_t user_id, int64_t keep)
{
    sqlite3_stmt *q;
    enum rc rc =
        store_prepare(st, SQL_SESSION_END_ALL,
                      "DELETE FROM sessions WHERE user_id = ?1 AND n <> ?2", &q);

    if (rc != RC_OK)
        return rc;
    store_bind_int(q, 1, user_id);
    store_bind_int(q, 2, keep);
    return store_finish(st, q);
}

/* RC_NOT_FOUND: there is none. */
static enum rc next_end(struct store *st, int64_t *out)
{
    sqlite3_stmt *q;
    enum rc rc = store_prepare(st, SQL_SESSION_NEXT_END,
                               "SELECT expires_ms FROM sessions WHERE expires_ms > 0"
                               " ORDER BY expires_ms LIMIT 1",
                               &q);

    return rc == RC_OK ? store_number(st, q, out) : rc;
}

/* Asked after each change, so it only reads where nothing is over. */
enum rc store_sessions_expire(struct store *st, int64_t *next_ms)
{
    int64_t now = store_wall_ms(st), next = 0;
    enum rc rc = next_end(st, &next);

    if (rc == RC_OK && next <= now) {
        rc = store_begin(st);
        if (rc == RC_OK)
            rc = store_end(
                st, store_run_int(st, SQL_SESSION_EXPIRE,
                                  "DELETE FROM sessions WHERE expires_ms <= ?1", now));
        if (rc == RC_OK)
            rc = next_end(st, &next);
    }
    if (rc != RC_OK && rc != RC_NOT_FOUND)
        return rc;
    *next_ms = rc == RC_OK ? next : -1;
    return RC_OK;
}

/* ---- those that have ended ------------------------------------------------ */

enum rc store_sessions_ended(struct store *st, const uint8_t *after,
                             uint8_t (*out)[SECRET_HASH_SIZE], size_t max, size_t *n)
{
    size_t got = 0;
    sqlite3_stmt *q;
    enum rc rc = store_prepare(st, SQL_SESSION_ENDED,
                               "SELECT hash FROM sessions_ended"
                               " WHERE hash > coalesce(?1, x'') ORDER BY hash LIMIT ?2",
                               &q);

    if (rc != RC_OK)
        return rc;
    if (after)
        store_bind_hash(q, 1, after);
    store_bind_int(q, 2, (int64_t)max);
    while (got < max && (rc = store_step(st, q)) == RC_OK)
        if (sqlite3_column_bytes(q, 0) == SECRET_HASH_SIZE)
            memcpy(out[got++], sqlite3_column_blob(q, 0), SECRET_HASH_SIZE);
    if (rc != RC_OK && rc != RC_NOT_FOUND)
        return rc;
    sqlite3_reset(q);
    *n = got;
    return RC_OK;
}

static enum rc drop(struct store *st, const uint8_t hash[SECRET_HASH_SIZE])
{
    sqlite3_stmt *q;
    enum rc rc = store_prepare(st, SQL_SESSION_DROP,
                               "DELETE FROM sessions_ended WHERE hash = ?1", &q);

    if (rc != RC_OK)
        return rc;
    store_bind_hash(q, 1, hash);
    return store_finish(st, q);
}

enum rc store_sessions_drop(struct store *st, const uint8_t (*hashes)[SECRET_HASH_SIZE],
                            size_t n)
{
    enum rc rc;

    if (n == 0)
        return RC_OK;
    rc = store_begin(st);
    if (rc != RC_OK)
        return rc;
    for (size_t i = 0; rc == RC_OK && i < n; i++)
        rc = drop(st, hashes[i]);
    return store_end(st, rc);
}
