/*
 * Users, and the secret that makes the first one. There is always an owner once there
 * was one: a transaction that would take the last one away changes nothing.
 */
#include "store_priv.h"

#include <stdio.h>
#include <string.h>

static const char *const role_names[] = {
    [USER_OWNER] = "owner",
    [USER_MEMBER] = "member",
    [USER_VIEWER] = "viewer",
};

#define ROLE_COUNT (sizeof(role_names) / sizeof(role_names[0]))

const char *user_role_name(enum user_role role)
{
    return (size_t)role < ROLE_COUNT ? role_names[role] : "unknown";
}

enum rc user_role_from(const char *name, enum user_role *out)
{
    size_t i;

    for (i = 0; i < ROLE_COUNT; i++) {
        if (strcmp(name, role_names[i]) == 0) {
            *out = (enum user_role)i;
            return RC_OK;
        }
    }
    return RC_INVALID;
}

bool user_name_valid(const char *name)
{
    static const char begin[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                "0123456789";
    static const char more[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                               "0123456789._-";
    size_t n = strlen(name);

    return n >= 1 && n <= STORE_USER_MAX && strspn(name, begin) >= 1 &&
           strspn(name, more) == n;
}

/* ---- rows ----------------------------------------------------------------- */

void store_user_columns(sqlite3_stmt *q, int i, struct user *u)
{
    char role[8];

    memset(u, 0, sizeof(*u));
    u->id = sqlite3_column_int64(q, i++);
    store_column_text(q, i++, u->name, sizeof(u->name));
    store_column_text(q, i++, role, sizeof(role));
    /* The schema's CHECK lets no other name in; if it did, it would be of no use. */
    if (user_role_from(role, &u->role) != RC_OK)
        u->role = USER_VIEWER;
    store_column_text(q, i++, u->password, sizeof(u->password));
    u->created_ms = sqlite3_column_int64(q, i++);
}

static enum rc user_row(struct store *st, sqlite3_stmt *q, struct user *out)
{
    enum rc rc = store_step(st, q);

    if (rc != RC_OK)
        return rc;
    store_user_columns(q, 0, out);
    return store_finish(st, q);
}

enum rc store_user_get(struct store *st, int64_t id, struct user *out)
{
    sqlite3_stmt *q;
    enum rc rc = store_prepare(
        st, SQL_USER_BY_ID, "SELECT " USER_COLUMNS " FROM users u WHERE u.id = ?1", &q);

    if (rc != RC_OK)
        return rc;
    store_bind_int(q, 1, id);
    return user_row(st, q, out);
}

enum rc store_user_check(struct store *st, int64_t id)
{
    struct user u;

    return store_user_get(st, id, &u);
}

enum rc store_user_by_name(struct store *st, const char *name, struct user *out)
{
    sqlite3_stmt *q;
    enum rc rc =
        store_prepare(st, SQL_USER_BY_NAME,
                      "SELECT " USER_COLUMNS " FROM users u WHERE u.name = ?1", &q);

    if (rc != RC_OK)
        return rc;
    store_bind_text(q, 1, name);
    return user_row(st, q, out);
}

enum rc store_user_count(struct store *st, int64_t *out)
{
    sqlite3_stmt *q;
    enum rc rc = store_prepare(st, SQL_USER_COUNT, "SELECT count(*) FROM users", &q);

    return rc == RC_OK ? store_number(st, q, out) : rc;
}

enum rc store_user_each(struct store *st,
                        enum rc (*cb)(void *arg, const struct user *u), void *arg)
{
    struct user u = {.name = ""};
    char after[STORE_USER_MAX + 1];
    sqlite3_stmt *q;
    enum rc rc;

    do {
        memcpy(after, u.name, sizeof(after));
        rc = store_prepare(st, SQL_USER_NEXT,
                           "SELECT " USER_COLUMNS
                           " FROM users u WHERE u.name > ?1 ORDER BY u.name LIMIT 1",
                           &q);
        if (rc != RC_OK)
            return rc;
        store_bind_text(q, 1, after);
        rc = user_row(st, q, &u);
        if (rc != RC_OK)
            return rc == RC_NOT_FOUND ? RC_OK : rc;
        rc = cb(arg, &u);
    } while (rc == RC_OK);
    return rc;
}

/* RC_CONFLICT: there is a user. */
static enum rc check_none(struct store *st)
{
    sqlite3_stmt *q;
    bool any = false;
    enum rc rc = store_prepare(st, SQL_USER_ANY, "SELECT 1 FROM users LIMIT 1", &q);

    if (rc == RC_OK)
        rc = store_has_row(st, q, &any);
    return rc == RC_OK && any ? RC_CONFLICT : rc;
}

/* ---- secrets of the site -------------------------------------------------- */

/* expires_ms: -1 never. keep: what is there stays. */
static enum rc put_secret(struct store *st, const char *name,
                          const uint8_t secret[SECRET_HASH_SIZE], int64_t expires_ms,
                          bool keep)
{
    sqlite3_stmt *q;
    enum rc rc = store_prepare(st, SQL_SECRET_PUT,
                               "INSERT INTO site_secrets (name, secret, expires_ms)"
                               " VALUES (?1, ?2, iif(?3 < 0, NULL, ?3))"
                               " ON CONFLICT DO UPDATE SET secret = excluded.secret,"
                               " expires_ms = excluded.expires_ms WHERE NOT ?4",
                               &q);

    if (rc != RC_OK)
        return rc;
    store_bind_text(q, 1, name);
    store_bind_hash(q, 2, secret);
    store_bind_int(q, 3, expires_ms);
    store_bind_int(q, 4, keep);
    return store_finish(st, q);
}

/* RC_NOT_FOUND: there is none, or its time is over. */
static enum rc get_secret(struct store *st, const char *name,
                          uint8_t out[SECRET_HASH_SIZE])
{
    sqlite3_stmt *q;
    enum rc rc = store_prepare(st, SQL_SECRET_GET,
                               "SELECT secret FROM site_secrets WHERE name = ?1"
                               " AND (expires_ms IS NULL OR expires_ms > ?2)",
                               &q);

    if (rc != RC_OK)
        return rc;
    store_bind_text(q, 1, name);
    store_bind_int(q, 2, store_wall_ms(st));
    rc = store_step(st, q);
    if (rc != RC_OK)
        return rc;
    if (sqlite3_column_bytes(q, 0) != SECRET_HASH_SIZE) {
        sqlite3_reset(q);
        return RC_CORRUPT;
    }
    memcpy(out, sqlite3_column_blob(q, 0), SECRET_HASH_SIZE);
    return store_finish(st, q);
}

static enum rc drop_setup(struct store *st)
{
    sqlite3_stmt *q;
    enum rc rc = store_prepare(st, SQL_SECRET_DROP,
                               "DELETE FROM site_secrets WHERE name = 'setup'", &q);

    return rc == RC_OK ? store_finish(st, q) : rc;
}

enum rc store_setup_begin(struct store *st, const uint8_t hash[SECRET_HASH_SIZE],
                          int64_t expires_ms)
{
    enum rc rc = store_begin(st);

    if (rc != RC_OK)
        return rc;
    rc = check_none(st);
    if (rc == RC_OK)
        rc = put_secret(st, "setup", hash, expires_ms, false);
    return store_end(st, rc);
}

enum rc store_site_key(struct store *st, uint8_t out[SECRET_KEY_SIZE])
{
    _Static_assert(SECRET_KEY_SIZE == SECRET_HASH_SIZE, "a hash makes a key");
    uint8_t key[SECRET_KEY_SIZE];
    char random[SECRET_LEN + 1];
    enum rc rc = get_secret(st, "signing", out);

    if (rc != RC_NOT_FOUND)
        return rc;
    rc = secret_new(random);
    if (rc != RC_OK)
        return rc;
    secret_hash(random, SECRET_LEN, key);
    rc = store_begin(st);
    if (rc == RC_OK)
        rc = store_end(st, put_secret(st, "signing", key, -1, true));
    /* Someone else's, if that was faster. */
    return rc == RC_OK ? get_secret(st, "signing", out) : rc;
}

/* ---- adding --------------------------------------------------------------- */

static enum rc check_room(struct store *st, const char *name)
{
    struct user u;
    int64_t n = 0;
    enum rc rc = store_user_by_name(st, name, &u);

    if (rc != RC_NOT_FOUND)
        return rc == RC_OK ? RC_EXISTS : rc;
    rc = store_user_count(st, &n);
    return rc == RC_OK && n >= STORE_USERS_MAX ? RC_TOO_LARGE : rc;
}

/* Whoever is the first one: nobody else needs a set-up any more. */
static enum rc add(struct store *st, const char *name, enum user_role role,
                   const char *hash, int64_t *id)
{
    sqlite3_stmt *q;
    enum rc rc = check_room(st, name);

    if (rc == RC_OK)
        rc = store_prepare(st, SQL_USER_INSERT,
                           "INSERT INTO users (name, role, password, created_ms)"
                           " VALUES (?1, ?2, ?3, ?4)",
                           &q);
    if (rc != RC_OK)
        return rc;
    store_bind_text(q, 1, name);
    store_bind_text(q, 2, user_role_name(role));
    store_bind_text(q, 3, hash);
    store_bind_int(q, 4, store_wall_ms(st));
    rc = store_finish(st, q);
    if (rc == RC_OK) {
        *id = sqlite3_last_insert_rowid(st->db);
        rc = drop_setup(st);
    }
    return rc == RC_OK
               ? store_note(st, ACTIVITY_INFO, "account", NULL,
                            "User \"%s\" was added (%s)", name, user_role_name(role))
               : rc;
}

enum rc store_user_add(struct store *st, const char *name, enum user_role role,
                       const char *password_hash, int64_t *id)
{
    int64_t added = 0;
    enum rc rc;

    if (!user_name_valid(name))
        return RC_INVALID;
    rc = store_begin(st);
    if (rc == RC_OK)
        rc = store_end(st, add(st, name, role, password_hash, &added));
    if (rc == RC_OK)
        *id = added;
    return rc;
}

enum rc store_user_first(struct store *st, const uint8_t setup[SECRET_HASH_SIZE],
                         const char *name, const char *password_hash, int64_t *id)
{
    uint8_t wanted[SECRET_HASH_SIZE];
    int64_t added = 0;
    enum rc rc;

    if (!user_name_valid(name))
        return RC_INVALID;
    rc = store_begin(st);
    if (rc != RC_OK)
        return rc;
    rc = check_none(st);
    if (rc == RC_OK)
        rc = get_secret(st, "setup", wanted);
    /* Of hashes a difference tells nothing. */
    if (rc == RC_OK && memcmp(wanted, setup, SECRET_HASH_SIZE) != 0)
        rc = RC_NOT_FOUND;
    if (rc == RC_OK)
        rc = add(st, name, USER_OWNER, password_hash, &added);
    rc = store_end(st, rc);
    if (rc == RC_OK)
        *id = added;
    return rc;
}

/* ---- changing ------------------------------------------------------------- */

/* store_begin for a change of one user. After an error no transaction is open. */
static enum rc begin_user(struct store *st, int64_t id, struct user *u)
{
    enum rc rc = store_begin(st);

    if (rc != RC_OK)
        return rc;
    rc = store_user_get(st, id, u);
    return rc == RC_OK ? rc : store_end(st, rc);
}

/* RC_CONFLICT: u is an owner, and there is no other. */
static enum rc check_not_last(struct store *st, const struct user *u)
{
    sqlite3_stmt *q;
    int64_t n = 0;
    enum rc rc;

    if (u->role != USER_OWNER)
        return RC_OK;
    rc = store_prepare(st, SQL_USER_OWNERS,
                       "SELECT count(*) FROM users WHERE role = 'owner'", &q);
    if (rc == RC_OK)
        rc = store_number(st, q, &n);
    return rc == RC_OK && n < 2 ? RC_CONFLICT : rc;
}

static enum rc set_text(struct store *st, enum statement id, const char *sql,
                        int64_t user_id, const char *text)
{
    sqlite3_stmt *q;
    enum rc rc = store_prepare(st, id, sql, &q);

    if (rc != RC_OK)
        return rc;
    store_bind_int(q, 1, user_id);
    store_bind_text(q, 2, text);
    return store_finish(st, q);
}

enum rc store_user_set_password(struct store *st, int64_t id, const char *password_hash,
                                int64_t keep_session)
{
    struct user u;
    enum rc rc = begin_user(st, id, &u);

    if (rc != RC_OK)
        return rc;
    rc = set_text(st, SQL_USER_PASSWORD, "UPDATE users SET password = ?2 WHERE id = ?1",
                  id, password_hash);
    if (rc == RC_OK)
        rc = store_session_end_all(st, id, keep_session);
    if (rc == RC_OK)
        rc = store_token_remove_all(st, id);
    if (rc == RC_OK)
        rc = store_note(st, ACTIVITY_INFO, "account", NULL,
                        "User \"%s\" has a new password", u.name);
    return store_end(st, rc);
}

static enum rc set_role(struct store *st, const struct user *u, enum user_role role,
                        int64_t *shares_ended)
{
    enum rc rc = check_not_last(st, u);

    if (rc == RC_OK)
        rc = set_text(st, SQL_USER_ROLE, "UPDATE users SET role = ?2 WHERE id = ?1",
                      u->id, user_role_name(role));
    if (rc == RC_OK)
        rc = store_session_end_all(st, u->id, 0);
    if (rc == RC_OK)
        rc = store_token_remove_all(st, u->id);
    if (rc == RC_OK)
        rc = store_grants_revise_user(st, u->id);
    if (rc == RC_OK && role == USER_VIEWER)
        rc = store_uploads_end_of(st, u->id, "its user may not upload any more");
    if (rc == RC_OK && role != USER_OWNER)
        rc = store_shares_end_of(st, u->id, shares_ended);
    return rc == RC_OK ? store_note(st, ACTIVITY_INFO, "account", NULL,
                                    "User \"%s\" is %s now, was %s", u->name,
                                    user_role_name(role), user_role_name(u->role))
                       : rc;
}

enum rc store_user_set_role(struct store *st, int64_t id, enum user_role role,
                            int64_t *shares_ended)
{
    int64_t ended = 0;
    struct user u;
    enum rc rc = begin_user(st, id, &u);

    if (rc != RC_OK)
        return rc;
    rc = store_end(st, u.role == role ? RC_OK : set_role(st, &u, role, &ended));
    if (rc == RC_OK && shares_ended)
        *shares_ended = ended;
    return rc;
}

enum rc store_user_remove(struct store *st, int64_t id, int64_t *shares_ended)
{
    int64_t ended = 0;
    struct user u;
    enum rc rc = begin_user(st, id, &u);

    if (rc != RC_OK)
        return rc;
    rc = check_not_last(st, &u);
    if (rc == RC_OK)
        rc = store_grants_revoke_user(st, id);
    if (rc == RC_OK)
        rc = store_uploads_end_of(st, id, "its user was removed");
    if (rc == RC_OK)
        rc = store_shares_end_of(st, id, &ended);
    /* Sessions and tokens go with it, videos and shares forget it (ON DELETE). */
    if (rc == RC_OK)
        rc = store_run_int(st, SQL_USER_REMOVE, "DELETE FROM users WHERE id = ?1", id);
    if (rc == RC_OK)
        rc = store_note(st, ACTIVITY_INFO, "account", NULL, "User \"%s\" was removed",
                        u.name);
    rc = store_end(st, rc);
    if (rc == RC_OK && shares_ended)
        *shares_ended = ended;
    return rc;
}
