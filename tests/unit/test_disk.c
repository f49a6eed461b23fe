/* What is put away is gone for good before its row says so, and nothing else goes
 * meanwhile that need not. */
#include "feed_fixture.h"

#include "disk.h"
#include "log.h"
#include "store_disk.h"

#include <errno.h>
#include <pthread.h>
#include <sqlite3.h>
#include <stdatomic.h>
#include <sys/syscall.h>

#define RUNGS 3
#define RUNG_MIB 2
#define PIECES 150 /* segments of a rung: more than go in one turn of the loop */
#define LONG 5000  /* segments of one that is measured */
#define MIB (INT64_C(1) << 20)

static pthread_mutex_t busy = PTHREAD_MUTEX_INITIALIZER; /* held: syncs take for ever */
static atomic_bool fails, has_failed;                    /* they do; one did */

int fsync(int fd)
{
    pthread_mutex_lock(&busy);
    pthread_mutex_unlock(&busy);
    if (atomic_load(&fails)) {
        atomic_store(&has_failed, true);
        errno = EIO;
        return -1;
    }
    return (int)syscall(SYS_fsync, fd);
}

static int looks; /* at the sizes of segments */

int fstatat(int dir, const char *restrict name, struct stat *restrict st, int flags)
{
    looks += strstr(name, ".m4s") != NULL;
    return (int)syscall(SYS_newfstatat, dir, name, st, flags);
}

/* ---- a site with more than it may have ------------------------------------------- */

static struct disk *keeper;

static void do_sql(const char *sql)
{
    sqlite3 *db;
    assert_int_equal(sqlite3_open(f->path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
}

static int64_t number(const char *sql)
{
    sqlite3 *db;
    sqlite3_stmt *q;
    assert_int_equal(sqlite3_open(f->path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &q, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(q), SQLITE_ROW);
    int64_t n = sqlite3_column_int64(q, 0);
    sqlite3_finalize(q);
    sqlite3_close(db);
    return n;
}

/* How many rungs are so: 1, put away; 2, about to be. */
static int64_t asleep(int how)
{
    char sql[64];
    snprintf(sql, sizeof(sql), "SELECT count(*) FROM jobs WHERE asleep = %d", how);
    return number(sql);
}

static void rung_folder(char *out, int i)
{
    snprintf(out, 16, "rung%d-1", i);
}

/* Of all rungs, as they are on disk. */
static int pieces(void)
{
    char folder[16];
    int n = 0;
    for (int i = 0; i < RUNGS; i++) {
        rung_folder(folder, i);
        n += segments_left(&video, folder, PIECES);
    }
    return n;
}

/* A ready video with rungs of RUNG_MIB each. */
static int with_rungs(void **state)
{
    struct video_plan plan = fixture_plan(1);
    char path[PATH_MAX], sql[256], folder[16];
    setup(state);
    at(path, "run");
    assert_int_equal(mkdir(path, 0700), 0);
    for (int i = 0; i < RUNGS; i++) {
        struct rendition *r = &plan.renditions[plan.n_renditions++];
        *r = plan.renditions[1];
        snprintf(r->name, sizeof(r->name), "rung%d", i);
        r->extra = true;
        r->segments = PIECES;
    }
    store_planned(&plan);
    for (int i = 0; i < RUNGS; i++) {
        rung_folder(folder, i);
        put_empty_segments(&video, folder, PIECES);
    }
    snprintf(sql, sizeof(sql),
             "UPDATE videos SET state = 'ready'; UPDATE jobs SET state = 'done';"
             "UPDATE renditions SET done = segments, bytes = extra * %lld",
             (long long)(RUNG_MIB * MIB));
    do_sql(sql);
    staging_close(w.staging);
    assert_int_equal(syncer_open(w.loop, &w.syncer), RC_OK);
    assert_int_equal(staging_open(w.loop, w.syncer, w.tmp_fd, &w.staging), RC_OK);
    w.config.disk_reserve_mb = 0;
    log_open("test", LOG_ERROR);
    keeper = NULL;
    return 0;
}

static int without_rungs(void **state)
{
    pthread_mutex_trylock(&busy); /* whoever failed may have it */
    pthread_mutex_unlock(&busy);
    disk_close(keeper);
    lists_close(&w);
    staging_close(w.staging);
    w.staging = NULL;
    syncer_close(w.syncer);
    w.syncer = NULL;
    return teardown(state);
}

/* So many MiB are to be left at most. */
static void keep(int64_t mib)
{
    w.config.media_budget_mb = mib;
    assert_int_equal(disk_open(&w, &keeper), RC_OK);
}

static bool all_is_told(void)
{
    struct disk_use use;
    assert_int_equal(store_disk_use(w.store, &use), RC_OK);
    return asleep(2) == 0 && use.media == (RUNGS - asleep(1)) * RUNG_MIB * MIB &&
           use.media <= w.config.media_budget_mb * MIB;
}

/* ---- tests -------------------------------------------------------------------------
 */

static bool is_one_gone(void)
{
    return pieces() == (RUNGS - 1) * PIECES;
}

static void many_segments_go_some_in_each_turn(void **state)
{
    (void)state;
    int turns = 0;
    keep(RUNGS * RUNG_MIB - 1);
    int before = pieces();
    assert_true(RUNGS * PIECES - before <= 64);
    while (!is_one_gone()) {
        loop_turn_times(w.loop, 1);
        int now = pieces();
        assert_true(before - now <= 64);
        before = now;
        assert_true(turns++ < 1000);
    }
    turn_until(all_is_told, "one rung to be put away");
}

static void what_is_put_away_is_so_once_it_is_gone_for_good(void **state)
{
    (void)state;
    pthread_mutex_lock(&busy);
    keep(RUNGS * RUNG_MIB - 1);
    turn_until(is_one_gone, "the segments of one rung to go");
    turn_for(50);
    assert_int_equal(pieces(), (RUNGS - 1) * PIECES);
    assert_int_equal(asleep(2), 1);
    assert_int_equal(asleep(1), 0);
    pthread_mutex_unlock(&busy);
    turn_until(all_is_told, "one rung to be put away");
    assert_int_equal(asleep(1), 1);
    assert_int_equal(pieces(), (RUNGS - 1) * PIECES);
}

static void several_go_one_after_the_other_and_no_more_than_have_to(void **state)
{
    (void)state;
    keep((RUNGS - 1) * RUNG_MIB - 1);
    turn_until(all_is_told, "two rungs to be put away");
    assert_int_equal(asleep(1), 2);
    assert_int_equal(pieces(), (RUNGS - 2) * PIECES);
}

static bool a_sync_has_failed(void)
{
    return atomic_load(&has_failed);
}

static void what_could_not_be_synced_is_tried_again(void **state)
{
    (void)state;
    do_sql("UPDATE jobs SET asleep = 2, state = 'queued' WHERE rendition = 'rung1'");
    atomic_store(&fails, true);
    keep(RUNGS * RUNG_MIB);
    turn_until(a_sync_has_failed, "the folder to be synced");
    turn_for(50);
    assert_int_equal(asleep(2), 1);
    atomic_store(&fails, false);
    turn_until(all_is_told, "the rung to be put away");
}

static bool is_put_away(void)
{
    return asleep(1) == 1;
}

static void who_stops_meanwhile_leaves_it_to_the_next_one(void **state)
{
    (void)state;
    pthread_mutex_lock(&busy);
    keep(RUNGS * RUNG_MIB - 1);
    turn_until(is_one_gone, "the segments of one rung to go");
    disk_close(keeper);
    keeper = NULL;
    pthread_mutex_unlock(&busy);
    turn_for(50);
    assert_int_equal(asleep(2), 1);
    keep(RUNGS * RUNG_MIB);
    turn_until(is_put_away, "the next one to finish it");
}

static bool is_measured(void)
{
    return number("SELECT count(*) FROM renditions WHERE bytes IS NULL") == 0;
}

static void put_piece(int k, size_t n)
{
    static const char bytes[16];
    char name[KEY_LEN + 64];
    snprintf(name, sizeof(name), "htdocs/media/%s/rung1-1/%d.m4s", video.media_root, k);
    put_file(name, bytes, n, 0644);
}

/* A long one that was made before anybody counted. */
static void what_nobody_has_measured_is_looked_at_some_files_in_each_turn(void **state)
{
    char sql[128];
    int turns = 0;
    (void)state;
    put_piece(0, 5);
    put_piece(PIECES - 1, 4);
    put_piece(LONG - 1, 2);
    put_piece(LONG, 1); /* nobody has promised that */
    snprintf(sql, sizeof(sql),
             "UPDATE renditions SET bytes = NULL, segments = %d WHERE name = 'rung1'",
             LONG);
    do_sql(sql);
    looks = 0;
    keep(0);
    do {
        assert_true(looks <= 512);
        looks = 0;
        loop_turn_times(w.loop, 1);
        assert_true(turns++ < 1000);
    } while (!is_measured());
    assert_int_equal(number("SELECT bytes FROM renditions WHERE name = 'rung1'"), 11);
    assert_true(turns >= LONG / 512);
}

int main(void)
{
#define TEST(test) cmocka_unit_test_setup_teardown(test, with_rungs, without_rungs)
    const struct CMUnitTest tests[] = {
        TEST(many_segments_go_some_in_each_turn),
        TEST(what_is_put_away_is_so_once_it_is_gone_for_good),
        TEST(several_go_one_after_the_other_and_no_more_than_have_to),
        TEST(what_could_not_be_synced_is_tried_again),
        TEST(who_stops_meanwhile_leaves_it_to_the_next_one),
        TEST(what_nobody_has_measured_is_looked_at_some_files_in_each_turn),
    };
    return cmocka_run_group_tests_name("disk", tests, NULL, NULL);
}
