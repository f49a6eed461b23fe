/* A plan that replaces another one, by a worker whose word may count no longer. */
#include "feed_fixture.h"
#include "plan_clips.h"

#include "probe.h"
#include "store_lists.h"
#include "store_priv.h"

#include <sqlite3.h>

static struct task *probing; /* the probe of `video`, which has found all */

static void do_sql(const char *sql)
{
    sqlite3 *db;
    assert_int_equal(sqlite3_open(f->path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
}

/* A video has a plan and its playlists, and is looked at once more. */
static int replanned(void **state)
{
    struct made *m = planned(&usual, 20); /* less of it */
    setup(state);
    w.running = 1;
    for (size_t i = 0; i < m->plan.n_renditions; i++)
        m->plan.renditions[i].generation = 1;
    store_planned(&m->plan);
    assert_int_equal(lists_follow(&w, video.id), RC_OK);
    do_sql("UPDATE jobs SET state = 'queued', due_ms = 0 WHERE kind = 'probe'");
    probing = calloc(1, sizeof(*probing));
    struct probe *p = calloc(1, sizeof(*p));
    assert_non_null(probing);
    assert_non_null(p);
    *p = (struct probe){.count.from.fd = -1,
                        .info = probed(&usual),
                        .scan = scanned(&usual, 30.03),
                        .whole = true};
    *probing = (struct task){.w = &w, .kind = &task_probe, .state = p};
    assert_int_equal(
        store_job_claim(w.store, w.owner, 30000, STORE_KIND(JOB_PROBE), &probing->job),
        RC_OK);
    assert_int_equal(store_video_get(w.store, video.id, &probing->video), RC_OK);
    w.tasks = probing;
    return 0;
}

static const char *in_folder(const char *name)
{
    static char path[3 * PATH_MAX];
    snprintf(path, sizeof(path), "htdocs/media/%s/%s", video.media_root, name);
    return path;
}

static bool master_names(const char *folder)
{
    char path[PATH_MAX], text[4096];
    at(path, in_folder("master.m3u8"));
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    text[fread(text, 1, sizeof(text) - 1, file)] = '\0';
    fclose(file);
    return strstr(text, folder) != NULL;
}

static void put_folder(const char *name)
{
    char path[PATH_MAX];
    at(path, in_folder(name));
    assert_int_equal(mkdir(path, 0700), 0);
}

/* What others do once the playlists are written, before the store is told of the plan.
 */
static void before_it_is_told(const char *sql)
{
    char trigger[512];
    snprintf(trigger, sizeof(trigger),
             "CREATE TRIGGER meanwhile BEFORE UPDATE ON jobs WHEN new.state = 'done'"
             " BEGIN %s; END",
             sql);
    do_sql(trigger);
}

static void a_new_plan_is_listed_and_the_old_one_goes(void **state)
{
    (void)state;
    probe_plan(probing);
    assert_true(no_task());
    assert_true(master_names("360p-2/"));
    assert_false(is_there(in_folder("360p-1")));
}

static void a_plan_that_is_not_taken_is_not_listed(void **state)
{
    (void)state;
    before_it_is_told("SELECT RAISE(ABORT, 'no longer')");
    probe_plan(probing);
    assert_true(no_task());
    assert_true(master_names("360p-1/"));
    assert_false(master_names("360p-2/"));
}

/* The other one may have taken its files away, before this one made the folder anew. */
static void nothing_stays_of_a_video_that_was_deleted_meanwhile(void **state)
{
    (void)state;
    struct video deleted;
    assert_int_equal(store_video_delete(w.store, video.id, &deleted), RC_OK);
    ((struct probe *)probing->state)->listed = true; /* it was past the check */
    probe_plan(probing);
    assert_true(no_task());
    assert_false(is_there(in_folder("")));
}

/* SQLite asks whether the worker waits on: it gives up, and only then the other one has
 * written. */
static int let_go(void *arg, int times)
{
    sqlite3 **writer = arg;
    (void)times;
    sqlite3_close(*writer);
    *writer = NULL;
    return 0;
}

static int failures(int64_t job)
{
    sqlite3_stmt *q;
    const char *sql = "SELECT failures FROM jobs WHERE id = ?1 AND state = 'queued'";
    assert_int_equal(sqlite3_prepare_v2(w.store->db, sql, -1, &q, NULL), SQLITE_OK);
    sqlite3_bind_int64(q, 1, job);
    assert_int_equal(sqlite3_step(q), SQLITE_ROW);
    int n = sqlite3_column_int(q, 0);
    sqlite3_finalize(q);
    return n;
}

static void a_database_that_others_write_to_is_no_try(void **state)
{
    (void)state;
    sqlite3 *writer;
    int64_t job = probing->job.id;
    assert_int_equal(sqlite3_open(f->path, &writer), SQLITE_OK);
    assert_int_equal(sqlite3_exec(writer, "BEGIN IMMEDIATE", NULL, NULL, NULL),
                     SQLITE_OK);
    sqlite3_busy_handler(w.store->db, let_go, &writer);
    probe_plan(probing);
    sqlite3_busy_handler(w.store->db, NULL, NULL);
    assert_null(writer);
    assert_true(no_task());
    assert_int_equal(failures(job), 0);
    assert_true(master_names("360p-1/"));
}

static void a_newer_generation_stays(void **state)
{
    (void)state;
    put_folder("360p-3");
    put_folder("720p-10");
    probe_plan(probing);
    assert_true(no_task());
    assert_true(is_there(in_folder("360p-2")));
    assert_true(is_there(in_folder("360p-3")));
    assert_true(is_there(in_folder("720p-10")));
}

int main(void)
{
#define TEST(test) cmocka_unit_test_setup_teardown(test, replanned, teardown)
    const struct CMUnitTest tests[] = {
        TEST(a_new_plan_is_listed_and_the_old_one_goes),
        TEST(a_plan_that_is_not_taken_is_not_listed),
        TEST(nothing_stays_of_a_video_that_was_deleted_meanwhile),
        TEST(a_database_that_others_write_to_is_no_try),
        TEST(a_newer_generation_stays),
    };
    return cmocka_run_group_tests_name("probe_plan", tests, NULL, NULL);
}
