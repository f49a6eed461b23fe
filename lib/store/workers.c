/*
 * Signs of life, for the health page only: whether a worker still holds a job is told
 * by the job's lease and by nothing else.
 */
#include "store_priv.h"

/* The row of those that did not start: no worker has such a name. */
#define NOBODY ""
#define FORGET_MS (INT64_C(24) * 60 * 60 * 1000)

/* One row a worker, replaced each time: the table never grows. */
static enum rc beat(struct store *st, const char *owner, int pid, const char *lacks,
                    int64_t now)
{
    sqlite3_stmt *q;
    enum rc rc = store_prepare(st, SQL_WORKER_BEAT,
                               "INSERT OR REPLACE INTO workers"
                               " (owner, pid, beat_ms, beat_boot, jail_lacks)"
                               " VALUES (?1, ?2, ?3, ?4, ?5)",
                               &q);

    if (rc != RC_OK)
        return rc;
    store_bind_text(q, 1, owner);
    store_bind_int(q, 2, pid);
    store_bind_int(q, 3, now);
    store_bind_text(q, 4, st->clock.boot_id);
    store_bind_text(q, 5, lacks);
    return store_finish(st, q);
}

/* Those of another boot are certainly dead, however young their beat looks. */
static enum rc forget(struct store *st, int64_t now)
{
    sqlite3_stmt *q;
    enum rc rc = store_prepare(st, SQL_WORKER_FORGET,
                               "DELETE FROM workers"
                               " WHERE beat_ms < ?1 OR beat_boot <> ?2"
                               " OR owner = '" NOBODY "'",
                               &q);

    if (rc != RC_OK)
        return rc;
    store_bind_int(q, 1, now - FORGET_MS);
    store_bind_text(q, 2, st->clock.boot_id);
    return store_finish(st, q);
}

enum rc store_worker_beat(struct store *st, const char *owner, int pid,
                          const char *jail_lacks)
{
    int64_t now = store_boot_ms(st);
    enum rc rc = store_begin(st);

    if (rc != RC_OK)
        return rc;
    rc = beat(st, owner, pid, jail_lacks, now);
    if (rc == RC_OK)
        rc = forget(st, now);
    return store_end(st, rc);
}

enum rc store_worker_refused(struct store *st, const char *why)
{
    enum rc rc = store_begin(st);

    if (rc != RC_OK)
        return rc;
    rc = beat(st, NOBODY, 0, why, store_boot_ms(st));
    return store_end(st, rc);
}

/* At the row with max() in front over the workers of this boot. RC_NOT_FOUND: there is
 * none, of which max() is NULL. */
static enum rc find_max(struct store *st, enum statement id, const char *sql,
                        sqlite3_stmt **out)
{
    sqlite3_stmt *q;
    enum rc rc = store_prepare(st, id, sql, &q);

    if (rc != RC_OK)
        return rc;
    store_bind_text(q, 1, st->clock.boot_id);
    rc = store_step(st, q);
    if (rc != RC_OK)
        return rc;
    if (sqlite3_column_type(q, 0) == SQLITE_NULL) {
        rc = store_finish(st, q);
        return rc == RC_OK ? RC_NOT_FOUND : rc;
    }
    *out = q;
    return RC_OK;
}

enum rc store_worker_age(struct store *st, int64_t *out_ms)
{
    sqlite3_stmt *q;
    int64_t beat_ms;
    enum rc rc = find_max(st, SQL_WORKER_AGE,
                          "SELECT max(beat_ms) FROM workers"
                          " WHERE beat_boot = ?1 AND owner <> '" NOBODY "'",
                          &q);

    if (rc != RC_OK)
        return rc;
    beat_ms = sqlite3_column_int64(q, 0);
    rc = store_finish(st, q);
    if (rc == RC_OK)
        *out_ms = store_boot_ms(st) - beat_ms;
    return rc;
}

/* "" sorts before all that is missing. */
enum rc store_worker_jail(struct store *st, char out[STORE_TEXT_MAX + 1])
{
    sqlite3_stmt *q;
    enum rc rc =
        find_max(st, SQL_WORKER_JAIL,
                 "SELECT max(jail_lacks) FROM workers WHERE beat_boot = ?1", &q);

    if (rc != RC_OK)
        return rc;
    store_column_text(q, 0, out, STORE_TEXT_MAX + 1);
    return store_finish(st, q);
}

enum rc store_worker_gone(struct store *st, const char *owner)
{
    sqlite3_stmt *q;
    enum rc rc = store_begin(st);

    if (rc != RC_OK)
        return rc;
    rc = store_prepare(st, SQL_WORKER_GONE, "DELETE FROM workers WHERE owner = ?1", &q);
    if (rc == RC_OK) {
        store_bind_text(q, 1, owner);
        rc = store_finish(st, q);
    }
    return store_end(st, rc);
}
