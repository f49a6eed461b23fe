/*
 * How many uploads may be begun and not finished: of everybody, and of one user.
 */
#include "store_priv.h"
#include "store_uploads.h"

/* A query that passes over ?1 - 1 rows, of user ?2 perhaps. full: the answer where
 * there is one more. */
static enum rc check_max(struct store *st, sqlite3_stmt *q, int64_t max,
                         int64_t owner_id, enum rc full)
{
    bool found = false;
    enum rc rc;

    store_bind_int(q, 1, max);
    store_bind_int(q, 2, owner_id);
    rc = store_has_row(st, q, &found);
    return rc == RC_OK && found ? full : rc;
}

/* RC_TOO_LARGE: there are max uploads already whose first bytes have not come. */
static enum rc check_unseen(struct store *st, int64_t max)
{
    sqlite3_stmt *q;
    enum rc rc = store_prepare(st, SQL_UPLOAD_UNSEEN,
                               "SELECT 1 FROM videos INDEXED BY videos_unseen"
                               " WHERE state = 'receiving' AND container = 'none'"
                               " LIMIT 1 OFFSET ?1 - 1",
                               &q);

    return rc == RC_OK ? check_max(st, q, max, 0, RC_TOO_LARGE) : rc;
}

/* RC_TOO_LARGE: so many of them are of this user. */
static enum rc check_unseen_of(struct store *st, int64_t owner_id, int64_t max)
{
    sqlite3_stmt *q;
    enum rc rc = store_prepare(st, SQL_UPLOAD_UNSEEN_OF,
                               "SELECT 1 FROM videos INDEXED BY videos_unseen"
                               " WHERE state = 'receiving' AND container = 'none'"
                               " AND owner_id = ?2 LIMIT 1 OFFSET ?1 - 1",
                               &q);

    return rc == RC_OK ? check_max(st, q, max, owner_id, RC_TOO_LARGE) : rc;
}

/* RC_CONFLICT: so many of this user, 0: of nobody, have not come whole. */
static enum rc check_unfinished_of(struct store *st, int64_t owner_id, int64_t max)
{
    sqlite3_stmt *q;
    enum rc rc = store_prepare(st, SQL_UPLOAD_UNFINISHED_OF,
                               "SELECT 1 FROM videos INDEXED BY videos_unfinished"
                               " WHERE state = 'receiving' AND deleted_at IS NULL"
                               " AND owner_id IS nullif(?2, 0) LIMIT 1 OFFSET ?1 - 1",
                               &q);

    return rc == RC_OK ? check_max(st, q, max, owner_id, RC_CONFLICT) : rc;
}

enum rc store_upload_room(struct store *st, const struct video_new *v)
{
    enum rc rc = RC_OK;

    if (v->unfinished_each > 0)
        rc = check_unfinished_of(st, v->owner_id, v->unfinished_each);
    if (v->container != CONTAINER_NONE)
        return rc;
    if (rc == RC_OK && v->unseen_max > 0)
        rc = check_unseen(st, v->unseen_max);
    if (rc == RC_OK && v->owner_id && v->unseen_each > 0)
        rc = check_unseen_of(st, v->owner_id, v->unseen_each);
    return rc;
}
