/*
 * store_starve.h: calls of the store one after the other, of each of which each
 * allocation fails in turn, SQLite's too.
 *
 * Behind each failure stands the database as it was, or, of a call that could do
 * without, as it is to be; nobody has it locked; and the same handle goes on. What
 * SQLite keeps between calls is no loss: a sanitizer sees what is.
 */
#ifndef DROPSTREAM_TEST_STORE_STARVE_H
#define DROPSTREAM_TEST_STORE_STARVE_H

#include "failing_malloc.h"

#include "log.h"
#include "store_fixture.h"

#include <sqlite3.h>

struct world;

struct call {
    const char *name;
    enum rc (*run)(struct world *w);
    bool looks_behind; /* it reads once more what it has done, and may say RC_NOMEM then
                        */
};

enum { TABLES_MAX = 40 };

/* What calls work on and what they find. Each test sets what it needs. */
struct world {
    struct fixture *f;
    struct store *st; /* f's */
    struct video video, found;
    struct job job;
    struct video_plan plan;
    int64_t id, n;
    bool flag;
    /* What is done just now, and which allocation fails. */
    const struct call *call;
    long nth;
    /* To look at what is there, and to put it back. */
    sqlite3 *db;
    sqlite3_stmt *rows[TABLES_MAX], *forget[TABLES_MAX], *keep[TABLES_MAX],
        *empty[TABLES_MAX], *fill[TABLES_MAX];
    int tables;
};

static void run_both(struct world *w, sqlite3_stmt *const a[], sqlite3_stmt *const b[])
{
    for (int i = 0; i < w->tables; i++) {
        assert_int_equal(sqlite3_step(a[i]), SQLITE_DONE);
        assert_int_equal(sqlite3_reset(a[i]), SQLITE_OK);
        assert_int_equal(sqlite3_step(b[i]), SQLITE_DONE);
        assert_int_equal(sqlite3_reset(b[i]), SQLITE_OK);
    }
}

static void plainly(struct world *w, const char *sql)
{
    assert_int_equal(sqlite3_exec(w->db, sql, NULL, NULL, NULL), SQLITE_OK);
}

static void keep_rows(struct world *w)
{
    run_both(w, w->forget, w->keep);
}

/* By rows: in another file every statement of the handle would be parsed again. */
static void put_rows_back(struct world *w)
{
    plainly(w, "BEGIN IMMEDIATE");
    run_both(w, w->empty, w->fill);
    plainly(w, "COMMIT");
}

/* Numbers that stand for all rows (FNV-1a): by what is in them, and by how many there
 * are alone, as new ones have random names. */
struct sums {
    uint64_t contents, count;
};

static void add_to(uint64_t *sum, unsigned byte)
{
    *sum = (*sum ^ byte) * UINT64_C(1099511628211);
}

static void add_row(uint64_t *sum, sqlite3_stmt *q)
{
    for (int i = 0; i < sqlite3_column_count(q); i++) {
        const unsigned char *p = sqlite3_column_blob(q, i);
        for (int n = sqlite3_column_bytes(q, i); n > 0; n--)
            add_to(sum, *p++);
        add_to(sum, '|');
    }
}

static struct sums sum_rows(struct world *w)
{
    struct sums sums = {1, 1};
    for (int t = 0; t < w->tables; t++) {
        add_to(&sums.count, 't');
        while (sqlite3_step(w->rows[t]) == SQLITE_ROW) {
            add_to(&sums.count, 'r');
            add_row(&sums.contents, w->rows[t]);
        }
        assert_int_equal(sqlite3_reset(w->rows[t]), SQLITE_OK);
    }
    return sums;
}

/* Of a call that went well: how many it has found, which cb counts in w->n. */
static inline enum rc found(struct world *w, enum rc rc, int64_t n)
{
    const int64_t got = w->n;
    w->n = 0;
    if (rc == RC_OK && got != n)
        fail_msg("%s, allocation %ld: %lld instead of %lld found", w->call->name,
                 w->nth, (long long)got, (long long)n);
    return rc;
}

/* A call that is one expression, and its place in a list of them. */
#define CALL(name, expression)                                                         \
    static enum rc name(struct world *w)                                               \
    {                                                                                  \
        return expression;                                                             \
    }
#define ONE(name)                                                                      \
    {                                                                                  \
#name, name, false                                                             \
    }
#define N(calls) (sizeof(calls) / sizeof((calls)[0]))

/* How the call went that did without what it could not have. */
struct outcome {
    bool any;
    long n;
    uint64_t count;
};

/* The nth allocation fails. True: none did, so the call has been made. */
static bool fails_at(struct world *w, const struct call *call, long n, bool onward,
                     uint64_t before, struct outcome *coped)
{
    const char *also = onward ? " and all after it" : "";
    w->call = call;
    w->nth = n;
    heap.failed = 0;
    heap.onward = onward;
    heap.left = n;
    enum rc rc = call->run(w);
    heap.left = 0;
    const long failed = heap.failed;
    if (rc != RC_OK && (failed == 0 || rc != RC_NOMEM))
        fail_msg("%s, allocation %ld%s: %s (%s)", call->name, n, also, rc_name(rc),
                 store_message(w->st));
    if (sqlite3_exec(w->db, "BEGIN IMMEDIATE", NULL, NULL, NULL) != SQLITE_OK)
        fail_msg("%s, allocation %ld%s: %s, and then: %s", call->name, n, also,
                 rc_name(rc), sqlite3_errmsg(w->db));
    const struct sums sums = sum_rows(w);
    const struct outcome now = {true, n, sums.count};
    const bool changed = sums.contents != before;
    plainly(w, "ROLLBACK");
    if (rc != RC_OK && changed && !call->looks_behind)
        fail_msg("%s, allocation %ld%s: %s, but something was changed", call->name, n,
                 also, rc_name(rc));
    if (failed == 0 && coped->any && coped->count != now.count)
        fail_msg("%s, allocation %ld%s: done, but not all of it", call->name, coped->n,
                 also);
    if (failed > 0 && (rc == RC_OK || changed)) {
        *coped = now;
        if (changed)
            put_rows_back(w);
    }
    return failed == 0;
}

static void starve_call(struct world *w, const struct call *call)
{
    static const bool onward[] = {true, false}; /* statements are parsed at first */
    struct outcome coped = {.any = false};
    keep_rows(w);
    const uint64_t before = sum_rows(w).contents;
    for (size_t i = 0; i < 2; i++) {
        if (i > 0)
            put_rows_back(w);
        for (long n = 1; !fails_at(w, call, n, onward[i], before, &coped); n++)
            ;
    }
}

/* One after the other, each on what those before it have left. */
static void starve_calls(struct world *w, const struct call calls[], size_t n)
{
    for (size_t i = 0; i < n; i++)
        starve_call(w, &calls[i]);
}

static sqlite3_stmt *statement(struct world *w, const char *sql)
{
    sqlite3_stmt *q;
    if (sqlite3_prepare_v2(w->db, sql, -1, &q, NULL) != SQLITE_OK)
        fail_msg("%s: %s", sql, sqlite3_errmsg(w->db));
    return q;
}

static sqlite3_stmt *on_table(struct world *w, const char *format, const char *table)
{
    char sql[200];
    char *p = sql;
    for (; *format; format++)
        if (*format == '?')
            p = stpcpy(p, table);
        else
            *p++ = *format;
    *p = '\0';
    return statement(w, sql);
}

static void open_rows(struct world *w)
{
    char names[TABLES_MAX][32];
    plainly(w, "PRAGMA synchronous=OFF; ATTACH ':memory:' AS kept");
    /* The one that the others change comes last. */
    sqlite3_stmt *q = statement(w, "SELECT name FROM sqlite_schema WHERE type = 'table'"
                                   " ORDER BY name = 'sqlite_sequence', name");
    for (; sqlite3_step(q) == SQLITE_ROW; w->tables++) {
        assert_in_range(w->tables, 0, TABLES_MAX - 1);
        snprintf(names[w->tables], sizeof(names[0]), "%s", sqlite3_column_text(q, 0));
    }
    sqlite3_finalize(q);
    for (int i = 0; i < w->tables; i++) {
        q = on_table(w, "CREATE TABLE kept.'of ?' AS SELECT * FROM main.? WHERE 0",
                     names[i]);
        assert_int_equal(sqlite3_step(q), SQLITE_DONE);
        sqlite3_finalize(q);
    }
    for (int i = 0; i < w->tables; i++) {
        w->rows[i] = on_table(w, "SELECT * FROM main.?", names[i]);
        w->forget[i] = on_table(w, "DELETE FROM kept.'of ?'", names[i]);
        w->keep[i] =
            on_table(w, "INSERT INTO kept.'of ?' SELECT * FROM main.?", names[i]);
        w->empty[i] = on_table(w, "DELETE FROM main.?", names[i]);
        w->fill[i] =
            on_table(w, "INSERT INTO main.? SELECT * FROM kept.'of ?'", names[i]);
    }
}

static int starve_setup(void **state)
{
    static struct world world;
    fixture_setup(state);
    world = (struct world){.f = *state};
    world.st = world.f->st;
    assert_int_equal(sqlite3_open(world.f->path, &world.db), SQLITE_OK);
    open_rows(&world);
    *state = &world;
    /* A database that is out of order is logged: a line for each call that fails. */
    return log_to_file("/dev/null");
}

static int starve_teardown(void **state)
{
    struct world *w = *state;
    heap.left = 0; /* of a call that failed a test */
    for (sqlite3_stmt *q; (q = sqlite3_next_stmt(w->db, NULL));)
        sqlite3_finalize(q);
    sqlite3_close(w->db);
    *state = w->f;
    return fixture_teardown(state);
}

#endif
