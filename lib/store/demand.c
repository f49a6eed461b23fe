/*
 * What is waited for. media.fcgi writes it, a batch at a time; the worker reads it
 * after each commit and so knows what to make first.
 */
#include "store_priv.h"

#include <string.h>

/* The SELECT skips what has gone since it was looked up, where VALUES would fail. */
static enum rc add_one(struct store *st, const struct demand *d, int64_t now,
                       int64_t until)
{
    sqlite3_stmt *q;
    enum rc rc = store_prepare(
        st, SQL_DEMAND_ADD,
        "INSERT INTO demand (video_id, rendition, segment, since_ms, until_ms, boot)"
        " SELECT r.video_id, r.name, ?3, ?4, ?5, ?6 FROM renditions r"
        " JOIN videos v ON v.id = r.video_id"
        " WHERE r.video_id = ?1 AND r.name = ?2 AND ?3 BETWEEN 0 AND r.segments - 1"
        " AND v.deleted_at IS NULL"
        " ON CONFLICT DO UPDATE SET until_ms = excluded.until_ms",
        &q);

    if (rc != RC_OK)
        return rc;
    store_bind_text(q, 1, d->video_id);
    store_bind_text(q, 2, d->rendition);
    store_bind_int(q, 3, d->segment);
    store_bind_int(q, 4, now);
    store_bind_int(q, 5, until);
    store_bind_text(q, 6, st->clock.boot_id);
    return store_finish(st, q);
}

static enum rc drop_one(struct store *st, const struct demand *d)
{
    sqlite3_stmt *q;
    enum rc rc = store_prepare(st, SQL_DEMAND_DROP,
                               "DELETE FROM demand WHERE video_id = ?1"
                               " AND rendition = ?2 AND segment = ?3",
                               &q);

    if (rc != RC_OK)
        return rc;
    store_bind_text(q, 1, d->video_id);
    store_bind_text(q, 2, d->rendition);
    store_bind_int(q, 3, d->segment);
    return store_finish(st, q);
}

static enum rc expire(struct store *st, int64_t now)
{
    sqlite3_stmt *q;
    enum rc rc =
        store_prepare(st, SQL_DEMAND_EXPIRE,
                      "DELETE FROM demand WHERE until_ms <= ?1 OR boot <> ?2", &q);

    if (rc != RC_OK)
        return rc;
    store_bind_int(q, 1, now);
    store_bind_text(q, 2, st->clock.boot_id);
    return store_finish(st, q);
}

enum rc store_demand_update(struct store *st, const struct demand *add, size_t n_add,
                            int64_t keep_ms, const struct demand *drop, size_t n_drop)
{
    enum rc rc = store_begin(st);
    int64_t now;
    size_t i;

    if (rc != RC_OK)
        return rc;
    now = store_boot_ms(st);
    /* First, so that what is asked for again begins a new wait. */
    rc = expire(st, now);
    for (i = 0; rc == RC_OK && i < n_drop; i++)
        rc = drop_one(st, &drop[i]);
    for (i = 0; rc == RC_OK && i < n_add; i++)
        rc = add_one(st, &add[i], now, now + keep_ms);
    /* Who waits for a segment watches. */
    for (i = 0; rc == RC_OK && i < n_add; i++)
        rc = store_video_note_watched(st, add[i].video_id);
    return store_end(st, rc);
}

enum rc store_demand_each(struct store *st,
                          enum rc (*cb)(void *arg, const struct demand *d), void *arg)
{
    sqlite3_stmt *q;
    enum rc rc =
        store_prepare(st, SQL_DEMAND_LIST,
                      "SELECT video_id, rendition, segment, since_ms FROM demand"
                      " WHERE until_ms > ?1 AND boot = ?2"
                      " ORDER BY since_ms, video_id, rendition, segment",
                      &q);

    if (rc != RC_OK)
        return rc;
    store_bind_int(q, 1, store_boot_ms(st));
    store_bind_text(q, 2, st->clock.boot_id);
    while ((rc = store_step(st, q)) == RC_OK) {
        struct demand d;
        memset(&d, 0, sizeof(d));
        store_column_text(q, 0, d.video_id, sizeof(d.video_id));
        store_column_text(q, 1, d.rendition, sizeof(d.rendition));
        d.segment = sqlite3_column_int64(q, 2);
        d.since_ms = sqlite3_column_int64(q, 3);
        rc = cb(arg, &d);
        if (rc != RC_OK) {
            sqlite3_reset(q);
            return rc;
        }
    }
    return rc == RC_NOT_FOUND ? RC_OK : rc;
}

enum rc store_demand_clear(struct store *st)
{
    sqlite3_stmt *q;
    enum rc rc = store_prepare(st, SQL_DEMAND_CLEAR, "DELETE FROM demand", &q);

    return rc == RC_OK ? store_finish(st, q) : rc;
}
