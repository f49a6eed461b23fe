#include "check.h"

#include "store_fixture.h"
#include "store_priv.h"

#include <errno.h>
#include <sys/syscall.h>
#include <unistd.h>

/* ---- which files are synced --------------------------------------------- */

static int wal_syncs;
static int sync_error; /* errno of all syncs; 0: they do what they are to */

/* Stands before the C library's, for SQLite too. */
int fdatasync(int fd)
{
    char link[64], path[PATH_MAX];
    ssize_t n;

    if (sync_error) {
        errno = sync_error;
        return -1;
    }
    snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
    n = readlink(link, path, sizeof(path));
    if (n > 4 && memcmp(path + n - 4, "-wal", 4) == 0)
        wal_syncs++;
    return (int)syscall(SYS_fdatasync, fd);
}

int fsync(int fd)
{
    return fdatasync(fd);
}

/* ---- the upload --------------------------------------------------------- */

static void a_new_video_is_a_whole_row(void **state)
{
    struct fixture *f = *state;
    struct video v = fixture_receiving(f, "Größe 1"), same;

    assert_true(id_valid(v.id));
    assert_true(key_valid(v.media_root));
    assert_int_equal(v.owner_id, 0);
    assert_string_equal(v.owner, "");
    assert_int_equal(v.visibility, VISIBLE_PRIVATE);
    assert_string_equal(v.title, "Größe 1");
    assert_string_equal(v.filename, "Größe 1.mp4");
    assert_int_equal(v.container, CONTAINER_MP4);
    assert_int_equal(v.state, VIDEO_RECEIVING);
    assert_false(v.playable);
    assert_int_equal(v.size, -1);
    assert_int_equal(v.received, 0);
    assert_int_equal(v.duration_us, -1);
    assert_int_equal(v.created_ms, f->wall_ms);
    assert_int_equal(v.first_segment_ms, -1);
    assert_int_equal(v.stored_ms, -1);
    assert_int_equal(v.ready_ms, -1);
    assert_int_equal(v.rate_den, 1);
    same = fixture_get(f, v.id);
    assert_memory_equal(&same, &v, sizeof(v));
}

static void a_new_video_needs_clean_names(void **state)
{
    static const char *const bad[] = {"a\nb", "a\x7f", "\xff", "\xc2\x85", "\xc0\x80"};
    struct fixture *f = *state;
    struct video_new n;
    struct video v;
    size_t i;

    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        memset(&n, 0, sizeof(n));
        strcpy(n.title, bad[i]);
        assert_int_equal(store_video_create(f->st, &n, &v), RC_INVALID);
        memset(&n, 0, sizeof(n));
        strcpy(n.filename, bad[i]);
        assert_int_equal(store_video_create(f->st, &n, &v), RC_INVALID);
    }
}

static void received_bytes_are_told_while_receiving(void **state)
{
    struct fixture *f = *state;
    struct video v = fixture_receiving(f, "clip");

    assert_int_equal(store_video_received(f->st, v.id, 4096, -1, NULL), RC_OK);
    assert_int_equal(fixture_get(f, v.id).received, 4096);
    assert_int_equal(store_video_delete(f->st, v.id, &v), RC_OK);
    assert_int_equal(store_video_received(f->st, v.id, 8192, -1, NULL), RC_NOT_FOUND);
    v = fixture_stored(f, "other");
    assert_int_equal(store_video_received(f->st, v.id, 1, -1, NULL), RC_NOT_FOUND);
}

static void stored_has_size_time_and_a_probe_job(void **state)
{
    struct fixture *f = *state;
    struct video v = fixture_receiving(f, "clip"), out;
    struct job job;

    assert_int_equal(store_job_claim(f->st, "w", 1000, STORE_KINDS_ALL, &job),
                     RC_NOT_FOUND);
    fixture_tick(f, 1500);
    assert_int_equal(store_video_stored(f->st, v.id, 12345, &out), RC_OK);
    assert_int_equal(out.state, VIDEO_STORED);
    assert_int_equal(out.size, 12345);
    assert_int_equal(out.received, 12345);
    assert_int_equal(out.stored_ms, 1500);
    job = fixture_claim(f, "w");
    assert_int_equal(job.kind, JOB_PROBE);
    assert_string_equal(job.video_id, v.id);
    assert_string_equal(job.rendition, "");
}

static void stored_is_on_disk_before_it_returns_and_only_that(void **state)
{
    struct fixture *f = *state;
    struct video v = fixture_receiving(f, "clip");

    wal_syncs = 0;
    assert_int_equal(store_video_received(f->st, v.id, 10, -1, NULL), RC_OK);
    assert_int_equal(wal_syncs, 0);
    assert_int_equal(store_video_stored(f->st, v.id, 10, &v), RC_OK);
    assert_true(wal_syncs > 0);
    wal_syncs = 0;
    assert_int_equal(store_video_rename(f->st, v.id, "other"), RC_OK);
    assert_int_equal(wal_syncs, 0);
    /* Nor does a refusal leave the handle slow. */
    assert_int_equal(store_video_stored(f->st, v.id, 10, &v), RC_CONFLICT);
    wal_syncs = 0;
    assert_int_equal(store_video_rename(f->st, v.id, "third"), RC_OK);
    assert_int_equal(wal_syncs, 0);
}

static void a_sync_that_fails_says_whether_the_disk_is_full(void **state)
{
    static const struct {
        int error;
        enum rc rc;
    } rows[] = {{EIO, RC_IO}, {ENOSPC, RC_NOSPACE}, {EIO, RC_IO}, {EDQUOT, RC_NOSPACE}};
    struct fixture *f = *state;
    struct video v = fixture_receiving(f, "clip");

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        sync_error = rows[i].error;
        assert_int_equal(store_video_stored(f->st, v.id, 4096, &v), rows[i].rc);
    }
    sync_error = 0;
    assert_int_equal(fixture_get(f, v.id).state, VIDEO_RECEIVING);
    assert_int_equal(store_video_stored(f->st, v.id, 4096, &v), RC_OK);
}

static void only_a_receiving_video_becomes_stored(void **state)
{
    struct fixture *f = *state;
    struct video v = fixture_stored(f, "clip"), out = {.id = "old"};
    int64_t due;

    assert_int_equal(store_video_stored(f->st, v.id, 1, &out), RC_CONFLICT);
    assert_int_equal(store_video_delete(f->st, v.id, &v), RC_OK);
    assert_int_equal(store_video_stored(f->st, v.id, 1, &out), RC_NOT_FOUND);
    assert_int_equal(store_video_stored(f->st, "nosuchvideo", 1, &out), RC_NOT_FOUND);
    assert_string_equal(out.id, "old");
    assert_int_equal(store_job_next_due(f->st, STORE_KINDS_ALL, &due), RC_OK);
    assert_int_equal(due, -1);
}

static void abandon_removes_receiving_rows_only(void **state)
{
    struct fixture *f = *state;
    struct video v = fixture_receiving(f, "clip");
    bool exists;

    assert_int_equal(store_video_abandon(f->st, v.id, "the client went away"), RC_OK);
    assert_int_equal(store_video_exists(f->st, v.id, &exists), RC_OK);
    assert_false(exists);
    assert_int_equal(store_video_abandon(f->st, v.id, "again"), RC_OK);
    v = fixture_stored(f, "other");
    assert_int_equal(store_video_abandon(f->st, v.id, "too late"), RC_CONFLICT);
    assert_int_equal(fixture_get(f, v.id).state, VIDEO_STORED);
}

/* ---- one video ---------------------------------------------------------- */

static void rename_rejects_control_characters_and_empty_titles(void **state)
{
    static char exact[STORE_TITLE_MAX + 1], longer[STORE_TITLE_MAX + 2];
    struct fixture *f = *state;
    struct video v = fixture_receiving(f, "clip");

    memset(exact, 'x', STORE_TITLE_MAX);
    memset(longer, 'x', STORE_TITLE_MAX + 1);
    assert_int_equal(store_video_rename(f->st, v.id, ""), RC_INVALID);
    assert_int_equal(store_video_rename(f->st, v.id, "a\tb"), RC_INVALID);
    assert_int_equal(store_video_rename(f->st, v.id, "a\xc2\x9b"), RC_INVALID);
    assert_int_equal(store_video_rename(f->st, v.id, "\xed\xa0\x80"), RC_INVALID);
    assert_int_equal(store_video_rename(f->st, v.id, longer), RC_INVALID);
    assert_string_equal(fixture_get(f, v.id).title, "clip");
    assert_int_equal(store_video_rename(f->st, v.id, exact), RC_OK);
    assert_string_equal(fixture_get(f, v.id).title, exact);
    assert_int_equal(store_video_rename(f->st, v.id, "日本 '\"%"), RC_OK);
    assert_string_equal(fixture_get(f, v.id).title, "日本 '\"%");
    assert_int_equal(store_video_rename(f->st, "nosuchvideo", "x"), RC_NOT_FOUND);
}

static void a_deleted_video_is_gone_for_every_function(void **state)
{
    struct fixture *f = *state;
    struct video v = fixture_planned(f, "clip"), out;
    struct rendition list[STORE_RENDITIONS_MAX];
    bool exists = false;
    size_t n = 99;

    assert_int_equal(store_video_delete(f->st, v.id, &out), RC_OK);
    assert_string_equal(out.media_root, v.media_root);
    assert_int_equal(out.state, VIDEO_PROCESSING);
    assert_int_equal(store_video_get(f->st, v.id, &out), RC_NOT_FOUND);
    assert_int_equal(store_video_delete(f->st, v.id, &out), RC_NOT_FOUND);
    assert_int_equal(store_video_rename(f->st, v.id, "x"), RC_NOT_FOUND);
    assert_int_equal(store_video_retry(f->st, v.id), RC_NOT_FOUND);
    assert_int_equal(store_video_warn(f->st, v.id, "x"), RC_NOT_FOUND);
    assert_int_equal(store_renditions(f->st, v.id, list, &n), RC_NOT_FOUND);
    assert_int_equal(n, 99);
    assert_int_equal(store_video_exists(f->st, v.id, &exists), RC_OK);
    assert_true(exists);
}

static enum rc purge_one(void *arg, const struct video *v)
{
    struct fixture *f = arg;

    f->wall_ms++; /* counts the calls */
    return store_video_purge(f->st, v->id);
}

static int rows_of(struct fixture *f, const char *table)
{
    char sql[64];
    sqlite3_stmt *q;
    int n;

    snprintf(sql, sizeof(sql), "SELECT count(*) FROM %s", table);
    assert_int_equal(sqlite3_prepare_v2(f->st->db, sql, -1, &q, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(q), SQLITE_ROW);
    n = sqlite3_column_int(q, 0);
    sqlite3_finalize(q);
    return n;
}

static void deleted_videos_may_be_purged_one_by_one(void **state)
{
    struct fixture *f = *state;
    struct video v[3], kept = fixture_planned(f, "kept");
    int64_t start;
    bool exists = true;
    int i;

    for (i = 0; i < 3; i++) {
        v[i] = fixture_planned(f, "gone");
        assert_int_equal(store_video_delete(f->st, v[i].id, &v[i]), RC_OK);
    }
    start = f->wall_ms;
    assert_int_equal(store_video_each_deleted(f->st, purge_one, f), RC_OK);
    assert_int_equal(f->wall_ms - start, 3);
    for (i = 0; i < 3; i++) {
        assert_int_equal(store_video_exists(f->st, v[i].id, &exists), RC_OK);
        assert_false(exists);
    }
    assert_int_equal(rows_of(f, "renditions"), 2);
    assert_int_equal(rows_of(f, "jobs"), 6);
    assert_int_equal(store_video_purge(f->st, kept.id), RC_OK);
    assert_int_equal(fixture_get(f, kept.id).state, VIDEO_PROCESSING);
    assert_int_equal(store_video_purge(f->st, v[0].id), RC_OK);
}

static enum rc count_receiving(void *arg, const struct video *v)
{
    assert_int_equal(v->state, VIDEO_RECEIVING);
    return ++*(int *)arg == 2 ? RC_STOPPED : RC_OK;
}

static void receiving_videos_are_visited_until_told_to_stop(void **state)
{
    struct fixture *f = *state;
    struct video v;
    int n = 0;

    fixture_stored(f, "stored");
    fixture_receiving(f, "one");
    v = fixture_receiving(f, "deleted");
    assert_int_equal(store_video_delete(f->st, v.id, &v), RC_OK);
    assert_int_equal(store_video_each_receiving(f->st, count_receiving, &n), RC_OK);
    assert_int_equal(n, 1);
    fixture_receiving(f, "two");
    fixture_receiving(f, "three");
    n = 0;
    assert_int_equal(store_video_each_receiving(f->st, count_receiving, &n),
                     RC_STOPPED);
    assert_int_equal(n, 2);
}

static void warnings_add_up_once_each(void **state)
{
    struct fixture *f = *state;
    struct video v = fixture_planned(f, "clip");
    char longer[600];

    assert_int_equal(store_video_warn(f->st, v.id, "The end is missing."), RC_OK);
    assert_int_equal(store_video_warn(f->st, v.id, "No sound."), RC_OK);
    assert_int_equal(store_video_warn(f->st, v.id, "The end is missing."), RC_OK);
    assert_string_equal(fixture_get(f, v.id).warning, "The end is missing. No sound.");
    memset(longer, 'x', sizeof(longer));
    longer[599] = '\0';
    assert_int_equal(store_video_warn(f->st, v.id, longer), RC_OK);
    assert_int_equal(strlen(fixture_get(f, v.id).warning), STORE_TEXT_MAX);
    assert_int_equal(store_video_warn(f->st, v.id, "No more room."), RC_OK);
    assert_int_equal(strlen(fixture_get(f, v.id).warning), STORE_TEXT_MAX);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, fixture_setup, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_new_video_is_a_whole_row),
        TEST(a_new_video_needs_clean_names),
        TEST(received_bytes_are_told_while_receiving),
        TEST(stored_has_size_time_and_a_probe_job),
        TEST(stored_is_on_disk_before_it_returns_and_only_that),
        TEST(a_sync_that_fails_says_whether_the_disk_is_full),
        TEST(only_a_receiving_video_becomes_stored),
        TEST(abandon_removes_receiving_rows_only),
        TEST(rename_rejects_control_characters_and_empty_titles),
        TEST(a_deleted_video_is_gone_for_every_function),
        TEST(deleted_videos_may_be_purged_one_by_one),
        TEST(receiving_videos_are_visited_until_told_to_stop),
        TEST(warnings_add_up_once_each),
    };

    return cmocka_run_group_tests_name("store_videos", tests, NULL, NULL);
}
