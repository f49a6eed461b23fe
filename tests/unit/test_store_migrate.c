/* test_store_migrate.c: a database of version 9, from before there were accounts. */
#include "check.h"

#include "accounts_fixture.h"
#include "store_priv.h"

/* Made from schema.sql; see store.c. */
extern const char *const store_schema[];
extern const int store_schema_version;

#define A "aaaaaaaaaaaaaaaa"
#define B "bbbbbbbbbbbbbbbb"
#define C "cccccccccccccccc"
#define AB "ababababababababababababab"
#define AC "acacacacacacacacacacacacac"
#define BB "bbbbbbbbbbbbbbbbbbbbbbbbbb"
#define BC "bcbcbcbcbcbcbcbcbcbcbcbcbc"
#define CB "cbcbcbcbcbcbcbcbcbcbcbcbcb"
#define CC "cccccccccccccccccccccccccc"

/* A whole video with all that belongs to one, one that is marked deleted, and one that
 * comes in. */
static const char rows[] =
    "INSERT INTO videos (id, title, filename, container, state, playable, size,"
    " received, error, warning, duration_us, width, height, rate_num, rate_den,"
    " video_codec, audio_codec, media_root, media_key, has_poster, created_ms,"
    " first_segment_ms, stored_ms, ready_ms, arrived_us, copy_refused, has_storyboard,"
    " poster_at_us, poster_version, poster_dull, encodes_sound) VALUES ('" A
    "', 'Old', 'old.mp4', 'mp4', 'ready', 1, 1000, 999, 'e', 'w', 12, 640, 360, 25, 2,"
    " 'h264', 'aac', '" AB "', '" AC "', 1, 7, 8, 9, 10, 11, 'r', 1, 13, 14, 1, 1);"
    "INSERT INTO videos (id, title, filename, container, state, size, media_root,"
    " media_key, created_ms, deleted_at) VALUES ('" B
    "', 'Gone', 'x', 'mov', 'stored', 1, '" BB "', '" BC "', 5, 6);"
    "INSERT INTO videos (id, title, filename, container, state, size, media_root,"
    " media_key, created_ms, upload_id, expires_ms, unchecked_from, upload_metadata,"
    " index_offset) VALUES ('" C "', 'New', 'y', 'none', 'receiving', 50, '" CB
    "', '" CC "', 9, 'up', 99, 3, 'meta', 4);"
    "INSERT INTO renditions (video_id, name, position, kind, generation, width, height,"
    " bitrate, average_bitrate, codecs, rate_num, rate_den, gop, frames, segments, "
    "done,"
    " stream, source_last_us, seek_margin_us, deinterlace) VALUES ('" A
    "', '360p', 0, 'video', 1, 640, 360, 8, 0, 'x', 25, 1, 50, 310, 7, 7, 0, 1, 2, 0),"
    " ('" A
    "', 'audio-0', 1, 'audio', 1, 0, 0, 8, 0, 'x', 375, 8, 192, 582, 4, 4, 1, 1, 2, 0);"
    "INSERT INTO jobs (video_id, kind, priority, created_ms) VALUES ('" A
    "', 'storyboard', 90, 8);"
    "INSERT INTO demand VALUES ('" A "', '360p', 3, 1, 2, 'boot');"
    "INSERT INTO subtitles (video_id, name, language, label, source, text) VALUES ('" A
    "', 'en', 'en', '', 'file', 'WEBVTT');"
    "INSERT INTO activity (at_ms, level, kind, video_id, message)"
    " VALUES (9, 'info', 'x', '" A "', 'Old');";

/* The fixture's handle is from here on one of a database that was made at version 9. */
static void open_version_9(struct fixture *f)
{
    sqlite3 *db;

    store_close(f->st);
    f->st = NULL;
    snprintf(f->path, sizeof(f->path), "%s/old.db", f->dir);
    assert_int_equal(sqlite3_open(f->path, &db), SQLITE_OK);
    for (int i = 0; i < 9; i++)
        assert_int_equal(sqlite3_exec(db, store_schema[i], NULL, NULL, NULL),
                         SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, rows, NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, "PRAGMA user_version=9", NULL, NULL, NULL),
                     SQLITE_OK);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
    f->st = fixture_handle(f);
}

static int64_t number(struct fixture *f, const char *sql)
{
    sqlite3_stmt *q;
    int64_t n;

    assert_int_equal(sqlite3_prepare_v2(f->st->db, sql, -1, &q, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(q), SQLITE_ROW);
    n = sqlite3_column_int64(q, 0);
    sqlite3_finalize(q);
    return n;
}

static void a_video_keeps_all_its_columns(void **state)
{
    struct fixture *f = *state;
    struct video v;

    open_version_9(f);
    v = fixture_get(f, A);
    assert_string_equal(v.title, "Old");
    assert_string_equal(v.filename, "old.mp4");
    assert_int_equal(v.container, CONTAINER_MP4);
    assert_int_equal(v.state, VIDEO_READY);
    assert_true(v.playable && v.has_poster && v.has_storyboard && v.poster_dull &&
                v.encodes_sound);
    assert_int_equal(v.size, 1000);
    assert_int_equal(v.received, 999);
    assert_string_equal(v.error, "e");
    assert_string_equal(v.warning, "w");
    assert_string_equal(v.copy_refused, "r");
    assert_int_equal(v.duration_us, 12);
    assert_int_equal(v.width, 640);
    assert_int_equal(v.height, 360);
    assert_int_equal(v.rate_num, 25);
    assert_int_equal(v.rate_den, 2);
    assert_string_equal(v.video_codec, "h264");
    assert_string_equal(v.audio_codec, "aac");
    assert_string_equal(v.media_root, AB);
    assert_int_equal(v.created_ms, 7);
    assert_int_equal(v.first_segment_ms, 8);
    assert_int_equal(v.stored_ms, 9);
    assert_int_equal(v.ready_ms, 10);
    assert_int_equal(v.arrived_us, 11);
    assert_int_equal(v.poster_at_us, 13);
    assert_int_equal(v.poster_version, 14);
    assert_int_equal(v.owner_id, 0);
    assert_int_equal(v.visibility, VISIBLE_PRIVATE);
}

static void an_upload_goes_on(void **state)
{
    char metadata[STORE_METADATA_MAX + 1];
    struct fixture *f = *state;
    bool deleted = true;
    struct video v;

    open_version_9(f);
    assert_int_equal(store_upload_get(f->st, "up", &v, &deleted), RC_OK);
    assert_false(deleted);
    assert_string_equal(v.id, C);
    assert_int_equal(v.container, CONTAINER_NONE);
    assert_int_equal(v.expires_ms, 99);
    assert_int_equal(v.unchecked_from, 3);
    assert_int_equal(v.index_offset, 4);
    assert_int_equal(store_upload_metadata(f->st, C, metadata), RC_OK);
    assert_string_equal(metadata, "meta");
}

static void the_one_key_becomes_the_grant_of_user_0(void **state)
{
    struct fixture *f = *state;
    struct grant g;
    struct video v;

    open_version_9(f);
    assert_int_equal(store_grant_by_key(f->st, AC, &g, &v), RC_OK);
    assert_string_equal(v.id, A);
    assert_int_equal(g.kind, GRANT_USER);
    assert_int_equal(g.user_id, 0);
    assert_string_equal(fixture_grant(f, &v, 0).key, AC);
    assert_false(fixture_opens(f, BC));
    assert_int_equal(number(f, "SELECT revoked FROM grants WHERE key = '" BC "'"), 1);
    assert_int_equal(number(f, "SELECT count(*) FROM pragma_table_info('videos')"
                               " WHERE name = 'media_key'"),
                     0);
}

static void what_belongs_to_a_video_stays_and_goes_with_it(void **state)
{
    static const char *const tables[] = {"renditions", "jobs", "demand", "subtitles",
                                         "grants"};
    struct fixture *f = *state;
    char sql[128];
    struct video v;

    open_version_9(f);
    for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++) {
        snprintf(sql, sizeof(sql), "SELECT count(*) FROM %s WHERE video_id = '" A "'",
                 tables[i]);
        assert_int_equal(number(f, sql), i < 2 ? 2 : 1); /* a checksum, too */
    }
    assert_int_equal(number(f, "SELECT count(*) FROM pragma_foreign_key_check"), 0);
    assert_int_equal(number(f, "PRAGMA foreign_keys"), 1);
    assert_int_equal(store_video_delete(f->st, A, &v), RC_OK);
    assert_int_equal(store_video_purge(f->st, A), RC_OK);
    for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++) {
        snprintf(sql, sizeof(sql), "SELECT count(*) FROM %s WHERE video_id = '" A "'",
                 tables[i]);
        assert_int_equal(number(f, sql), 0);
    }
}

static void all_indices_of_videos_are_there(void **state)
{
    static const char *const names[] = {
        "videos_by_age",          "videos_by_title",
        "videos_deleted",         "videos_arriving",
        "videos_unseen",          "videos_by_upload",
        "videos_own_by_age",      "videos_own_by_title",
        "videos_everyone_by_age", "videos_everyone_by_title",
        "videos_unfinished",
    };
    struct fixture *f = *state;
    char sql[160];

    open_version_9(f);
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        snprintf(sql, sizeof(sql),
                 "SELECT count(*) FROM pragma_index_list('videos') WHERE name = '%s'",
                 names[i]);
        assert_int_equal(number(f, sql), 1);
    }
    assert_int_equal(number(f, "SELECT count(*) FROM sqlite_schema"
                               " WHERE name LIKE '%anew%' OR sql LIKE '%anew%'"),
                     0);
    /* A root is still nobody else's. */
    assert_int_not_equal(sqlite3_exec(f->st->db,
                                      "UPDATE videos SET media_root = '" AB
                                      "' WHERE id = '" C "'",
                                      NULL, NULL, NULL),
                         SQLITE_OK);
}

/* Rows that would refer to nothing are found before anything is kept. */
static void a_damaged_database_is_left_as_it_is(void **state)
{
    struct fixture *f = *state;
    struct store *st = NULL;
    sqlite3 *db;

    open_version_9(f);
    store_close(f->st);
    f->st = NULL;
    snprintf(f->path, sizeof(f->path), "%s/damaged.db", f->dir);
    assert_int_equal(sqlite3_open(f->path, &db), SQLITE_OK);
    for (int i = 0; i < 9; i++)
        assert_int_equal(sqlite3_exec(db, store_schema[i], NULL, NULL, NULL),
                         SQLITE_OK);
    assert_int_equal(sqlite3_exec(db,
                                  "PRAGMA foreign_keys=OFF;"
                                  "INSERT INTO demand VALUES ('x', 'y', 0, 0, 0, 'z');"
                                  "PRAGMA user_version=9",
                                  NULL, NULL, NULL),
                     SQLITE_OK);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
    assert_int_equal(store_open(f->path, &f->clock, &st), RC_CORRUPT);
    assert_int_equal(sqlite3_open(f->path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, "SELECT media_key FROM videos", NULL, NULL, NULL),
                     SQLITE_OK);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, fixture_setup, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_video_keeps_all_its_columns),
        TEST(an_upload_goes_on),
        TEST(the_one_key_becomes_the_grant_of_user_0),
        TEST(what_belongs_to_a_video_stays_and_goes_with_it),
        TEST(all_indices_of_videos_are_there),
        TEST(a_damaged_database_is_left_as_it_is),
    };

    return cmocka_run_group_tests_name("store_migrate", tests, NULL, NULL);
}
