/*
 * What the rows say, for whoever proves that it is so.
 */
#include "store_check.h"
#include "store_priv.h"

#include <stdio.h>
#include <string.h>

/* ---- the database itself ------------------------------------------------------ */

struct told {
    void (*cb)(void *arg, const char *sentence);
    void *arg;
};

/* Calls row for each row of a pragma, which is not worth a kept statement. */
static enum rc each_row(struct store *st, const char *sql,
                        enum rc (*row)(sqlite3_stmt *q, const struct told *t),
                        const struct told *t)
{
    sqlite3_stmt *q = NULL;
    enum rc rc = store_rc(st, sqlite3_prepare_v2(st->db, sql, -1, &q, NULL));

    while (rc == RC_OK && (rc = store_step(st, q)) == RC_OK)
        rc = row(q, t);
    sqlite3_finalize(q);
    return rc == RC_NOT_FOUND ? RC_OK : rc;
}

static bool ends_with(const char *text, const char *end)
{
    size_t n = strlen(text), m = strlen(end);

    return n >= m && strcmp(text + n - m, end) == 0;
}

/* A page that there is no memory for is told as one that is wrong; SQLITE_NOMEM is 7.
 */
static enum rc integrity_row(sqlite3_stmt *q, const struct told *t)
{
    char text[STORE_TEXT_MAX + 1];

    store_column_text(q, 0, text, sizeof(text));
    if (!*text || ends_with(text, "error code=7"))
        return RC_NOMEM;
    if (strcmp(text, "ok") != 0)
        t->cb(t->arg, text);
    return RC_OK;
}

static enum rc dangling_row(sqlite3_stmt *q, const struct told *t)
{
    char text[STORE_TEXT_MAX + 1], table[64], parent[64];

    store_column_text(q, 0, table, sizeof(table));
    store_column_text(q, 2, parent, sizeof(parent));
    snprintf(text, sizeof(text), "row %lld of %s refers to nothing in %s",
             (long long)sqlite3_column_int64(q, 1), table, parent);
    t->cb(t->arg, text);
    return RC_OK;
}

enum rc store_check_database(struct store *st,
                             void (*cb)(void *arg, const char *sentence), void *arg)
{
    const struct told t = {cb, arg};
    enum rc rc = each_row(st, "PRAGMA integrity_check", integrity_row, &t);

    if (rc == RC_OK)
        rc = each_row(st, "PRAGMA foreign_key_check", dangling_row, &t);
    return rc;
}

/* ---- rows ----------------------------------------------------------------------- */

enum rc store_root_exists(struct store *st, const char *media_root, bool *out)
{
    sqlite3_stmt *q;
    enum rc rc = store_prepare(st, SQL_VIDEO_ROOT,
                               "SELECT 1 FROM videos WHERE media_root = ?1", &q);

    if (rc != RC_OK)
        return rc;
    store_bind_text(q, 1, media_root);
    return store_has_row(st, q, out);
}

static void read_work(sqlite3_stmt *q, struct work *w)
{
    char state[16], kind[16];

    store_column_text(q, 0, kind, sizeof(kind));
    w->kind = store_job_kind_from(kind);
    store_column_text(q, 1, w->rendition, sizeof(w->rendition));
    store_column_text(q, 2, state, sizeof(state));
    w->running = strcmp(state, "running") == 0;
    w->live = w->running || strcmp(state, "queued") == 0;
    w->late_ms = sqlite3_column_int64(q, 3);
}

enum rc store_work_of(struct store *st, const char *video_id,
                      struct work out[STORE_WORK_MAX], size_t *n)
{
    size_t count = 0;
    sqlite3_stmt *q;
    enum rc rc = store_prepare(
        st, SQL_JOB_WORK,
        "SELECT kind, rendition, state, CASE WHEN state <> 'running' THEN 0"
        " WHEN due_boot <> ?2 THEN ?3 ELSE max(0, ?3 - due_ms) END FROM jobs"
        " INDEXED BY jobs_by_video WHERE video_id = ?1 AND state <> 'done' ORDER BY id",
        &q);

    if (rc != RC_OK)
        return rc;
    store_bind_text(q, 1, video_id);
    store_bind_text(q, 2, st->clock.boot_id);
    store_bind_int(q, 3, store_boot_ms(st));
    while ((rc = store_step(st, q)) == RC_OK)
        if (count < STORE_WORK_MAX)
            read_work(q, &out[count++]);
    if (rc != RC_NOT_FOUND)
        return rc;
    *n = count;
    return RC_OK;
}
