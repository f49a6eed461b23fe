/*
 * Statements that are run for nothing but what they change.
 */
#include "store_priv.h"

enum rc store_run_int(struct store *st, enum statement id, const char *sql, int64_t v)
{
    sqlite3_stmt *q;
    enum rc rc = store_prepare(st, id, sql, &q);

    if (rc != RC_OK)
        return rc;
    store_bind_int(q, 1, v);
    return store_finish(st, q);
}

enum rc store_run_text(struct store *st, enum statement id, const char *sql,
                       const char *text)
{
    sqlite3_stmt *q;
    enum rc rc = store_prepare(st, id, sql, &q);

    if (rc != RC_OK)
        return rc;
    store_bind_text(q, 1, text);
    return store_finish(st, q);
}

enum rc store_change(struct store *st, enum statement id, const char *sql,
                     const int64_t *v, int n)
{
    sqlite3_stmt *q;
    enum rc rc = store_begin(st);

    if (rc != RC_OK)
        return rc;
    rc = store_prepare(st, id, sql, &q);
    if (rc == RC_OK) {
        for (int i = 0; i < n; i++)
            store_bind_int(q, i + 1, v[i]);
        rc = store_finish(st, q);
    }
    if (rc == RC_OK && store_changes(st) == 0)
        rc = RC_NOT_FOUND;
    return store_end(st, rc);
}
