/*
 * How often something was guessed at, and how long nobody may again; and what time ends
 * of accounts. Subjects are known by their hash: who looks into the database learns no
 * address and no name that was tried.
 */
#include "store_priv.h"

#include <string.h>

struct tried {
    int64_t failed, last_ms;
};

static int64_t wait_after(int64_t failed, bool lenient)
{
    int64_t longest = lenient ? STORE_TRIES_LENIENT_MS : STORE_TRIES_MS;
    int64_t over = failed - (lenient ? STORE_TRIES_LENIENT_FREE : STORE_TRIES_FREE);

    if (over <= 0)
        return 0;
    if (over > 10 || INT64_C(1000) << (over - 1) > longest)
        return longest;
    return INT64_C(1000) << (over - 1);
}

static void hash_of(const struct try_subject *s, uint8_t out[SECRET_HASH_SIZE])
{
    secret_hash(s->text, strlen(s->text), out);
}

static enum rc put(struct store *st, const struct try_subject *s, const struct tried *t)
{
    uint8_t hash[SECRET_HASH_SIZE];
    sqlite3_stmt *q;
    enum rc rc = store_prepare(st, SQL_TRY_PUT,
                               "INSERT OR REPLACE INTO tries"
                               " (subject, failed, last_ms, boot)"
                               " VALUES (?1, ?2, ?3, ?4)",
                               &q);

    if (rc != RC_OK)
        return rc;
    hash_of(s, hash);
    store_bind_hash(q, 1, hash);
    store_bind_int(q, 2, t->failed);
    store_bind_int(q, 3, t->last_ms);
    store_bind_text(q, 4, st->clock.boot_id);
    return store_finish(st, q);
}

static enum rc drop(struct store *st, const struct try_subject *s)
{
    uint8_t hash[SECRET_HASH_SIZE];
    sqlite3_stmt *q;
    enum rc rc =
        store_prepare(st, SQL_TRY_DROP, "DELETE FROM tries WHERE subject = ?1", &q);

    if (rc != RC_OK)
        return rc;
    hash_of(s, hash);
    store_bind_hash(q, 1, hash);
    return store_finish(st, q);
}

/* The count as it stands. What was long ago is none; a time of another boot becomes
 * now, and is kept so by who changes something anyway. */
static enum rc get(struct store *st, const struct try_subject *s, int64_t now,
                   struct tried *out)
{
    uint8_t hash[SECRET_HASH_SIZE];
    struct tried t;
    sqlite3_stmt *q;
    bool this_boot;
    enum rc rc = store_prepare(
        st, SQL_TRY_GET,
        "SELECT failed, last_ms, boot = ?2 FROM tries WHERE subject = ?1", &q);

    if (rc != RC_OK)
        return rc;
    hash_of(s, hash);
    store_bind_hash(q, 1, hash);
    store_bind_text(q, 2, st->clock.boot_id);
    *out = (struct tried){.failed = 0, .last_ms = now};
    rc = store_step(st, q);
    if (rc != RC_OK)
        return rc == RC_NOT_FOUND ? RC_OK : rc;
    t.failed = sqlite3_column_int64(q, 0);
    t.last_ms = sqlite3_column_int64(q, 1);
    this_boot = sqlite3_column_int(q, 2) != 0;
    rc = store_finish(st, q);
    if (rc != RC_OK)
        return rc;
    if (!this_boot)
        t.last_ms = now;
    if (!this_boot && !sqlite3_get_autocommit(st->db))
        rc = put(st, s, &t); /* from here on its wait goes on */
    if (now - t.last_ms < wait_after(t.failed, s->lenient) + STORE_TRIES_MS)
        *out = t;
    return rc;
}

/* The longest wait of all subjects, or 0. */
static enum rc longest_wait(struct store *st, const struct try_subject subjects[],
                            size_t n, int64_t now, int64_t *out)
{
    struct tried t;
    size_t i;

    *out = 0;
    for (i = 0; i < n; i++) {
        int64_t left;
        enum rc rc = get(st, &subjects[i], now, &t);

        if (rc != RC_OK)
            return rc;
        left = t.last_ms + wait_after(t.failed, subjects[i].lenient) - now;
        if (left > *out)
            *out = left;
    }
    return RC_OK;
}

static enum rc count_one(struct store *st, const struct try_subject *s, int64_t now)
{
    struct tried t;
    enum rc rc = get(st, s, now, &t);

    if (rc != RC_OK)
        return rc;
    t.failed++;
    t.last_ms = now;
    return put(st, s, &t);
}

enum rc store_try_begin(struct store *st, const struct try_subject subjects[], size_t n,
                        int64_t *wait_ms)
{
    int64_t now, wait = 0;
    enum rc rc = store_begin(st);
    size_t i;

    if (rc != RC_OK)
        return rc;
    now = store_boot_ms(st);
    rc = longest_wait(st, subjects, n, now, &wait);
    for (i = 0; rc == RC_OK && wait == 0 && i < n; i++)
        rc = count_one(st, &subjects[i], now);
    rc = store_end(st, rc);
    if (rc == RC_OK)
        *wait_ms = wait;
    return rc;
}

enum rc store_try_look(struct store *st, const struct try_subject subjects[], size_t n,
                       int64_t *wait_ms)
{
    return longest_wait(st, subjects, n, store_boot_ms(st), wait_ms);
}

/* The time of the last try stays: who has an account of their own must not be able to
 * wipe out what they failed at elsewhere. */
static enum rc take_back(struct store *st, const struct try_subject *s, int64_t now)
{
    struct tried t;
    enum rc rc = get(st, s, now, &t);

    if (rc != RC_OK)
        return rc;
    t.failed--;
    return t.failed > 0 ? put(st, s, &t) : drop(st, s);
}

enum rc store_try_succeeded(struct store *st, const struct try_subject subjects[],
                            size_t n)
{
    enum rc rc = store_begin(st);
    size_t i;

    if (rc != RC_OK)
        return rc;
    for (i = 0; rc == RC_OK && i < n; i++)
        rc = i == 0 ? drop(st, &subjects[i])
                    : take_back(st, &subjects[i], store_boot_ms(st));
    return store_end(st, rc);
}

/* ---- what time ends ------------------------------------------------------- */

/* Rows of another boot first get a time of this one. */
static enum rc expire_tries(struct store *st)
{
    int64_t now = store_boot_ms(st);
    sqlite3_stmt *q;
    enum rc rc = store_prepare(st, SQL_TRY_BOOT,
                               "UPDATE tries SET last_ms = ?1, boot = ?2"
                               " WHERE boot < ?2 OR boot > ?2",
                               &q);

    if (rc != RC_OK)
        return rc;
    store_bind_int(q, 1, now);
    store_bind_text(q, 2, st->clock.boot_id);
    rc = store_finish(st, q);
    if (rc == RC_OK)
        rc = store_prepare(st, SQL_TRY_EXPIRE,
                           "DELETE FROM tries WHERE boot = ?2 AND last_ms <= ?1", &q);
    if (rc != RC_OK)
        return rc;
    /* No wait is longer than STORE_TRIES_MS. */
    store_bind_int(q, 1, now - 2 * STORE_TRIES_MS);
    store_bind_text(q, 2, st->clock.boot_id);
    return store_finish(st, q);
}

enum rc store_accounts_expire(struct store *st)
{
    enum rc rc = store_begin(st);
    int64_t now;

    if (rc != RC_OK)
        return rc;
    now = store_wall_ms(st);
    rc = store_run_int(st, SQL_TOKEN_EXPIRE,
                       "DELETE FROM tokens WHERE expires_ms <= ?1", now);
    if (rc == RC_OK)
        rc = store_run_int(st, SQL_SECRET_EXPIRE,
                           "DELETE FROM site_secrets WHERE expires_ms <= ?1", now);
    if (rc == RC_OK)
        rc = expire_tries(st);
    return store_end(st, rc);
}
