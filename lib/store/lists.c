/*
 * Whether the playlists of a video have followed what changed in the store. A change is
 * counted in its own transaction, so it is known to whoever comes after a worker that
 * died before it wrote them.
 */
#include "store_lists.h"
#include "store_priv.h"

enum rc store_lists_change(struct store *st, const char *id)
{
    return store_run_text(
        st, SQL_LISTS_CHANGE,
        "UPDATE videos SET lists_changed = lists_changed + 1 WHERE id = ?1", id);
}

enum rc store_lists_changes(struct store *st, const char *id, struct lists_changes *out)
{
    sqlite3_stmt *q;
    enum rc rc = store_prepare(st, SQL_LISTS_CHANGES,
                               "SELECT lists_changed, lists_followed FROM videos"
                               " WHERE id = ?1 AND deleted_at IS NULL",
                               &q);

    if (rc != RC_OK)
        return rc;
    store_bind_text(q, 1, id);
    rc = store_step(st, q);
    if (rc != RC_OK)
        return rc;
    *out = (struct lists_changes){.n = sqlite3_column_int64(q, 0),
                                  .followed = sqlite3_column_int64(q, 1)};
    return store_finish(st, q);
}

enum rc store_lists_followed(struct store *st, const char *id, int64_t n)
{
    sqlite3_stmt *q;
    enum rc rc = store_prepare(st, SQL_LISTS_FOLLOWED,
                               "UPDATE videos SET lists_followed = ?2 WHERE id = ?1"
                               " AND lists_followed < ?2",
                               &q);

    if (rc != RC_OK)
        return rc;
    store_bind_text(q, 1, id);
    store_bind_int(q, 2, n);
    return store_finish(st, q);
}
