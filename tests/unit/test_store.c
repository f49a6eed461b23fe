#include "check.h"

#include "store_fixture.h"
#include "store_priv.h"

#include <pthread.h>

/* ---- the file ----------------------------------------------------------- */

static void network_file_systems_are_known_by_number(void **state)
{
    (void)state;
    assert_true(store_is_network_fs(0x6969));
    assert_true(store_is_network_fs(0x517b));
    assert_true(store_is_network_fs(0xff534d42));
    assert_true(store_is_network_fs(0xfe534d42));
    assert_true(store_is_network_fs(0x01021997));
    assert_true(store_is_network_fs(0x00c36400));
    assert_true(store_is_network_fs(0x65735546));
    /* As a machine with a signed 32-bit f_type would say CIFS. */
    assert_true(store_is_network_fs((unsigned long)(int32_t)0xff534d42));
    assert_false(store_is_network_fs(0xef53));     /* ext4 */
    assert_false(store_is_network_fs(0x58465342)); /* XFS */
    assert_false(store_is_network_fs(0x9123683e)); /* Btrfs */
    assert_false(store_is_network_fs(0x01021994)); /* tmpfs */
    assert_false(store_is_network_fs(0x794c7630)); /* overlayfs */
    assert_false(store_is_network_fs(0x2fc12fc1)); /* ZFS */
}

static mode_t mode_of(const struct fixture *f, const char *suffix)
{
    char path[PATH_MAX + 32];
    struct stat st;

    snprintf(path, sizeof(path), "%s%s", f->path, suffix);
    assert_int_equal(stat(path, &st), 0);
    return st.st_mode & 07777;
}

static off_t size_of(const struct fixture *f, const char *suffix)
{
    char path[PATH_MAX + 32];
    struct stat st;

    snprintf(path, sizeof(path), "%s%s", f->path, suffix);
    assert_int_equal(stat(path, &st), 0);
    return st.st_size;
}

static void database_files_are_private(void **state)
{
    struct fixture *f = *state;

    fixture_receiving(f, "clip");
    assert_int_equal(mode_of(f, ""), 0600);
    assert_int_equal(mode_of(f, "-wal"), 0600);
    assert_int_equal(mode_of(f, "-shm"), 0600);
}

static void what_cannot_be_opened_is_told_apart(void **state)
{
    struct fixture *f = *state;
    char path[PATH_MAX + 16];
    struct store *st = NULL;
    FILE *file;

    snprintf(path, sizeof(path), "%s/none/test.db", f->dir);
    assert_int_equal(store_open(path, &f->clock, &st), RC_IO);
    snprintf(path, sizeof(path), "%s/garbage.db", f->dir);
    file = fopen(path, "w");
    fprintf(file, "%04096d", 1);
    fclose(file);
    assert_int_equal(store_open(path, &f->clock, &st), RC_CORRUPT);
    assert_null(st);
}

static void a_newer_version_is_refused(void **state)
{
    struct fixture *f = *state;
    struct store *st = NULL;

    assert_int_equal(
        sqlite3_exec(f->st->db, "PRAGMA user_version=999", NULL, NULL, NULL),
        SQLITE_OK);
    assert_int_equal(store_open(f->path, &f->clock, &st), RC_UNSUPPORTED);
    assert_null(st);
}

/* ---- older versions ------------------------------------------------------ */

/* Made from schema.sql; see store.c. */
extern const char *const store_schema[];
extern const int store_schema_version;

/* One row of each table, as version 1 of the store left them; the lease was taken in
 * the fixture's boot and lasts until 1030000. */
static const char version_1_rows[] =
    "INSERT INTO videos (id, title, filename, container, state, playable, size,"
    " duration_us, media_root, media_key, created_ms) VALUES ('aaaaaaaaaaaaaaaa',"
    " 'Old', 'old.mp4', 'mp4', 'processing', 1, 1000, 12400000, 'root', 'key', 7);"
    "INSERT INTO renditions (video_id, name, position, kind, generation, width, height,"
    " bitrate, average_bitrate, codecs, rate_num, rate_den, gop, frames, segments, "
    "done,"
    " stream, source_last_us, seek_margin_us, deinterlace) VALUES ('aaaaaaaaaaaaaaaa',"
    " '360p', 0, 'video', 3, 640, 360, 800000, 0, 'avc1.64001e', 25, 1, 50, 310, 7, 4,"
    " 0, 12360000, 20000, 1);"
    "INSERT INTO jobs (video_id, kind, rendition, priority, state, fence, due_ms,"
    " due_boot, owner, created_ms) VALUES ('aaaaaaaaaaaaaaaa', 'encode', '360p', 30,"
    " 'running', 5, 1030000, '11111111-1111-1111-1111-111111111111', 'old', 8);"
    "UPDATE sqlite_sequence SET seq = 41 WHERE name = 'jobs';"
    "INSERT INTO workers VALUES ('old', 10, 999000,"
    " '11111111-1111-1111-1111-111111111111');"
    "INSERT INTO activity (at_ms, level, kind, message) VALUES (9, 'info', 'x', "
    "'Old');";

/* Makes path a database of version 1 and runs sql in it. */
static void make_version_1(const char *path, const char *sql)
{
    sqlite3 *db;

    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, store_schema[0], NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, "PRAGMA user_version=1", NULL, NULL, NULL),
                     SQLITE_OK);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

/* The number that sql gives, for a database that no handle has open. */
static int64_t number_in(const char *path, const char *sql)
{
    sqlite3_stmt *q;
    sqlite3 *db;
    int64_t n;

    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &q, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(q), SQLITE_ROW);
    n = sqlite3_column_int64(q, 0);
    sqlite3_finalize(q);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
    return n;
}

/* The fixture's handle is from here on one of a database that was made at version 1. */
static void open_version_1(struct fixture *f)
{
    store_close(f->st);
    snprintf(f->path, sizeof(f->path), "%s/old.db", f->dir);
    make_version_1(f->path, version_1_rows);
    f->st = fixture_handle(f);
}

static enum rc note_old(void *arg, const struct rendition *r,
                        const struct readiness *ready)
{
    ++*(int *)arg;
    assert_string_equal(r->name, "360p");
    assert_int_equal(r->generation, 3);
    assert_int_equal(r->segments, 7);
    assert_true(r->deinterlace);
    assert_int_equal(ready->done, 4);
    assert_null(ready->bits);
    assert_int_equal(ready->n_encoding, 0);
    return RC_OK;
}

static enum rc note_message(void *arg, const struct activity *a)
{
    ++*(int *)arg;
    assert_string_equal(a->message, "Old");
    return RC_OK;
}

static void a_database_of_version_1_is_brought_up_with_its_rows(void **state)
{
    struct fixture *f = *state;
    int64_t age = -1;
    int renditions = 0, rows = 0;
    struct video v;

    open_version_1(f);
    v = fixture_get(f, "aaaaaaaaaaaaaaaa");
    assert_string_equal(v.title, "Old");
    assert_int_equal(v.state, VIDEO_PROCESSING);
    assert_true(v.playable);
    assert_int_equal(v.created_ms, 7);
    assert_string_equal(v.upload_id, "");
    assert_int_equal(v.expires_ms, -1);
    assert_int_equal(v.unchecked_from, -1);
    assert_int_equal(v.index_offset, -1);
    assert_int_equal(store_readiness(f->st, v.id, note_old, &renditions), RC_OK);
    assert_int_equal(renditions, 1);
    assert_int_equal(store_activity_list(f->st, 0, -1, 10, note_message, &rows), RC_OK);
    assert_int_equal(rows, 1);
    assert_int_equal(store_worker_age(f->st, &age), RC_OK);
    assert_int_equal(age, 1000);
    store_close(f->st);
    assert_int_equal(number_in(f->path, "PRAGMA user_version"), store_schema_version);
    f->st = fixture_handle(f); /* and is left alone the next time */
    assert_string_equal(fixture_get(f, v.id).title, "Old");
}

static void a_job_of_version_1_goes_on(void **state)
{
    static const uint8_t bits[] = {0x1f};
    struct fixture *f = *state;
    struct readiness ready = {.bits = bits, .n_bytes = 1, .done = 5};
    struct demand d = {.video_id = "aaaaaaaaaaaaaaaa", .rendition = "360p"};
    struct job job;

    open_version_1(f);
    assert_nothing_due(f);
    fixture_tick(f, 30000);
    job = fixture_claim(f, "w");
    assert_int_equal(job.fence, 6);
    assert_string_equal(job.rendition, "360p");
    assert_int_equal(store_job_published(f->st, &job, &ready), RC_OK);
    assert_int_equal(store_demand_update(f->st, &d, 1, 1000, NULL, 0), RC_OK);
    store_close(f->st);
    assert_int_equal(number_in(f->path, "SELECT done FROM renditions"), 5);
    assert_int_equal(number_in(f->path, "SELECT hex(ready) = '1F' FROM renditions"), 1);
    assert_int_equal(number_in(f->path, "SELECT count(*) FROM demand"), 1);
    /* and the number of one that is long gone is not given out again: the next one is
     * that of the checksum */
    assert_int_equal(number_in(f->path, "SELECT seq FROM sqlite_sequence"
                                        " WHERE name = 'jobs'"),
                     42);
    f->st = fixture_handle(f);
}

static void a_step_that_fails_changes_nothing(void **state)
{
    struct fixture *f = *state;
    struct store *st = NULL;
    char path[PATH_MAX + 16];

    snprintf(path, sizeof(path), "%s/odd.db", f->dir);
    make_version_1(path, "CREATE TABLE demand (x)"); /* in the way of step 2 */
    assert_int_equal(store_open(path, &f->clock, &st), RC_IO);
    assert_null(st);
    assert_int_equal(number_in(path, "PRAGMA user_version"), 1);
    assert_int_equal(number_in(path, "SELECT count(*) FROM pragma_table_info"
                                     "('renditions') WHERE name = 'ready'"),
                     0);
}

#define OPENERS 8

struct opener {
    pthread_t thread;
    pthread_barrier_t *barrier;
    struct fixture *f;
    char path[PATH_MAX + 16];
    enum rc rc;
};

static void *open_at_once(void *arg)
{
    struct opener *o = arg;
    struct store *st = NULL;

    pthread_barrier_wait(o->barrier);
    o->rc = store_open(o->path, &o->f->clock, &st);
    if (o->rc == RC_OK)
        o->rc = store_ping(st);
    store_close(st);
    return NULL;
}

static void many_may_create_the_database_at_once(void **state)
{
    struct opener openers[OPENERS];
    pthread_barrier_t barrier;
    int round, i;

    for (round = 0; round < 10; round++) {
        pthread_barrier_init(&barrier, NULL, OPENERS);
        for (i = 0; i < OPENERS; i++) {
            openers[i] = (struct opener){.barrier = &barrier, .f = *state, .rc = RC_IO};
            snprintf(openers[i].path, sizeof(openers[i].path), "%s/%d.db",
                     openers[i].f->dir, round);
            pthread_create(&openers[i].thread, NULL, open_at_once, &openers[i]);
        }
        for (i = 0; i < OPENERS; i++)
            pthread_join(openers[i].thread, NULL);
        pthread_barrier_destroy(&barrier);
        for (i = 0; i < OPENERS; i++)
            assert_int_equal(openers[i].rc, RC_OK);
    }
}

static void nothing_is_checkpointed_until_asked(void **state)
{
    struct fixture *f = *state;
    off_t before = size_of(f, "");
    int i;

    for (i = 0; i < 600; i++)
        fixture_receiving(f, "clip");
    /* Far more than the 1000 pages at which SQLite would by itself. */
    assert_true(size_of(f, "-wal") > 1500 * 4096);
    assert_int_equal(size_of(f, ""), before);
    store_close(f->st);
    f->st = NULL;
    assert_int_equal(size_of(f, ""), before);
    f->st = fixture_handle(f);
    assert_int_equal(store_checkpoint(f->st), RC_OK);
    assert_true(size_of(f, "") > before);
}

static void changes_of_other_handles_are_seen(void **state)
{
    struct fixture *f = *state;
    struct store *other = fixture_handle(f);
    bool changed = true;

    assert_int_equal(store_changed(other, &changed), RC_OK);
    assert_false(changed);
    fixture_receiving(f, "clip");
    assert_int_equal(store_changed(other, &changed), RC_OK);
    assert_true(changed);
    assert_int_equal(store_changed(other, &changed), RC_OK);
    assert_false(changed);
    assert_int_equal(store_changed(f->st, &changed), RC_OK);
    assert_false(changed);
    assert_int_equal(store_ping(other), RC_OK);
    store_close(other);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, fixture_setup, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(network_file_systems_are_known_by_number),
        TEST(database_files_are_private),
        TEST(what_cannot_be_opened_is_told_apart),
        TEST(a_newer_version_is_refused),
        TEST(a_database_of_version_1_is_brought_up_with_its_rows),
        TEST(a_job_of_version_1_goes_on),
        TEST(a_step_that_fails_changes_nothing),
        TEST(many_may_create_the_database_at_once),
        TEST(nothing_is_checkpointed_until_asked),
        TEST(changes_of_other_handles_are_seen),
    };

    return cmocka_run_group_tests_name("store", tests, NULL, NULL);
}
