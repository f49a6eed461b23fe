/*
 * Secrets of programs. As with sessions, a request reads one row, and writes about once
 * a minute.
 */
#include "store_priv.h"

#include "text.h"

#include <stdlib.h>
#include <string.h>

#define SCOPES_ALL (SCOPE_READ | SCOPE_UPLOAD | SCOPE_ADMIN)

#define TOKEN_COLUMNS                                                                  \
    "t.n, t.user_id, t.label, t.scopes, t.created_ms, t.used_ms, t.expires_ms"
enum { TOKEN_COLUMN_COUNT = 7 };

static const char *const scope_names[SCOPE_COUNT] = {"read", "upload", "admin"};

const char *scope_name(unsigned place)
{
    return place < SCOPE_COUNT ? scope_names[place] : "unknown";
}

unsigned scope_from(const char *name)
{
    unsigned place;

    for (place = 0; place < SCOPE_COUNT; place++)
        if (strcmp(name, scope_names[place]) == 0)
            return 1U << place;
    return 0;
}

static void read_columns(sqlite3_stmt *q, struct token *t)
{
    int i = 0;

    memset(t, 0, sizeof(*t));
    t->n = sqlite3_column_int64(q, i++);
    t->user_id = sqlite3_column_int64(q, i++);
    store_column_text(q, i++, t->label, sizeof(t->label));
    t->scopes = (unsigned)sqlite3_column_int(q, i++);
    t->created_ms = sqlite3_column_int64(q, i++);
    t->used_ms = store_column_maybe(q, i++);
    t->expires_ms = store_column_maybe(q, i++);
}

/* ---- adding --------------------------------------------------------------- */

static enum rc check_room(struct store *st, int64_t user_id)
{
    sqlite3_stmt *q;
    int64_t n = 0;
    enum rc rc = store_prepare(st, SQL_TOKEN_COUNT,
                               "SELECT count(*) FROM tokens WHERE user_id = ?1"
                               " AND (expires_ms IS NULL OR expires_ms > ?2)",
                               &q);

    if (rc != RC_OK)
        return rc;
    store_bind_int(q, 1, user_id);
    store_bind_int(q, 2, store_wall_ms(st));
    rc = store_number(st, q, &n);
    return rc == RC_OK && n >= STORE_TOKENS_MAX ? RC_TOO_LARGE : rc;
}

static enum rc insert(struct store *st, const uint8_t hash[SECRET_HASH_SIZE],
                      const struct token *t)
{
    sqlite3_stmt *q;
    enum rc rc = store_prepare(st, SQL_TOKEN_INSERT,
                               "INSERT INTO tokens (hash, user_id, label, scopes,"
                               " created_ms, expires_ms)"
                               " VALUES (?1, ?2, ?3, ?4, ?5, iif(?6 < 0, NULL, ?6))",
                               &q);

    if (rc != RC_OK)
        return rc;
    store_bind_hash(q, 1, hash);
    store_bind_int(q, 2, t->user_id);
    store_bind_text(q, 3, t->label);
    store_bind_int(q, 4, t->scopes);
    store_bind_int(q, 5, t->created_ms);
    store_bind_int(q, 6, t->expires_ms);
    return store_finish(st, q);
}

enum rc store_token_add(struct store *st, const uint8_t hash[SECRET_HASH_SIZE],
                        struct token *t)
{
    struct token row = *t;
    enum rc rc;

    if (!text_is_clean(t->label, strlen(t->label)) ||
        text_clean(row.label, sizeof(row.label), t->label) == 0 || t->scopes == 0 ||
        (t->scopes & ~(unsigned)SCOPES_ALL))
        return RC_INVALID;
    row.created_ms = store_wall_ms(st);
    row.used_ms = -1;
    rc = store_begin(st);
    if (rc != RC_OK)
        return rc;
    rc = store_user_check(st, row.user_id);
    if (rc == RC_OK)
        rc = check_room(st, row.user_id);
    if (rc == RC_OK)
        rc = insert(st, hash, &row);
    row.n = sqlite3_last_insert_rowid(st->db);
    rc = store_end(st, rc);
    if (rc == RC_OK)
        *t = row;
    return rc;
}

/* ---- in use --------------------------------------------------------------- */

static enum rc find(struct store *st, const uint8_t hash[SECRET_HASH_SIZE], int64_t now,
                    struct token *t, struct user *u)
{
    sqlite3_stmt *q;
    enum rc rc = store_prepare(st, SQL_TOKEN_USE,
                               "SELECT " TOKEN_COLUMNS ", " USER_COLUMNS
                               " FROM tokens t JOIN users u ON u.id = t.user_id"
                               " WHERE t.hash = ?1"
                               " AND (t.expires_ms IS NULL OR t.expires_ms > ?2)",
                               &q);

    if (rc != RC_OK)
        return rc;
    store_bind_hash(q, 1, hash);
    store_bind_int(q, 2, now);
    rc = store_step(st, q);
    if (rc != RC_OK)
        return rc;
    read_columns(q, t);
    store_user_columns(q, TOKEN_COLUMN_COUNT, u);
    return store_finish(st, q);
}

/* RC_NOT_FOUND: it was removed meanwhile. */
static enum rc tell_used(struct store *st, int64_t n, int64_t now)
{
    return store_change(st, SQL_TOKEN_USED,
                        "UPDATE tokens SET used_ms = ?2 WHERE n = ?1",
                        (const int64_t[]){n, now}, 2);
}

enum rc store_token_use(struct store *st, const uint8_t hash[SECRET_HASH_SIZE],
                        struct token *out, struct user *user)
{
    int64_t now = store_wall_ms(st);
    struct token t;
    struct user u;
    enum rc rc = find(st, hash, now, &t, &u);

    if (rc != RC_OK)
        return rc;
    if (t.used_ms < 0 || llabs(now - t.used_ms) >= STORE_USED_MS) {
        rc = tell_used(st, t.n, now);
        if (rc == RC_NOT_FOUND)
            return rc;
        if (rc == RC_OK) /* else a full disk, say, which is no reason to refuse it */
            t.used_ms = now;
    }
    *out = t;
    *user = u;
    return RC_OK;
}

enum rc store_token_each(struct store *st, int64_t user_id,
                         enum rc (*cb)(void *arg, const struct token *t), void *arg)
{
    struct token t = {.n = 0};
    int64_t now = store_wall_ms(st);
    sqlite3_stmt *q;
    enum rc rc;

    do {
        rc = store_prepare(st, SQL_TOKEN_NEXT,
                           "SELECT " TOKEN_COLUMNS " FROM tokens t"
                           " WHERE t.user_id = ?1 AND t.n > ?2"
                           " AND (t.expires_ms IS NULL OR t.expires_ms > ?3)"
                           " ORDER BY t.n LIMIT 1",
                           &q);
        if (rc != RC_OK)
            return rc;
        store_bind_int(q, 1, user_id);
        store_bind_int(q, 2, t.n);
        store_bind_int(q, 3, now);
        rc = store_step(st, q);
        if (rc != RC_OK)
            return rc == RC_NOT_FOUND ? RC_OK : rc;
        read_columns(q, &t);
        rc = store_finish(st, q);
        if (rc == RC_OK)
            rc = cb(arg, &t);
    } while (rc == RC_OK);
    return rc;
}

/* ---- removing ------------------------------------------------------------- */

enum rc store_token_remove(struct store *st, int64_t user_id, int64_t n)
{
    return store_change(st, SQL_TOKEN_REMOVE,
                        "DELETE FROM tokens WHERE n = ?1 AND user_id = ?2",
                        (const int64_t[]){n, user_id}, 2);
}

enum rc store_token_remove_all(struct store *st, int64_t user_id)
{
    return store_run_int(st, SQL_TOKEN_REMOVE_ALL,
                         "DELETE FROM tokens WHERE user_id = ?1", user_id);
}
