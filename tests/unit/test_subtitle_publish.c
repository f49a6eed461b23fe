/* The files of subtitles: written where they have changed, and no others; also while
 * another job of their video, here or at another worker, does the same. */
#include "feed_fixture.h"

#include "subtitle_files.h"

#include <sqlite3.h>

#define LEASE_MS 30000

/* What happens once while a text is read from the store, before it is written. */
static void (*meanwhile)(void);

static struct task publisher;
static struct subtitle_files files;

/* ---- what is done ---------------------------------------------------------------- */

static int on_statement_done(unsigned type, void *arg, void *statement, void *ns)
{
    void (*now)(void) = meanwhile;
    (void)type, (void)arg, (void)ns;
    if (!now || !strstr(sqlite3_sql(statement), "SELECT text FROM subtitles"))
        return 0;
    meanwhile = NULL;
    now();
    return 0;
}

static int on_open(sqlite3 *db, char **error, const void *api)
{
    (void)error, (void)api;
    return sqlite3_trace_v2(db, SQLITE_TRACE_PROFILE, on_statement_done, NULL);
}

static int planned(void **state)
{
    struct video_plan plan = fixture_plan(1);
    assert_int_equal(sqlite3_auto_extension((void (*)(void))on_open), SQLITE_OK);
    meanwhile = NULL;
    setup(state);
    store_planned(&plan);
    return 0;
}

static void put(struct store *st, const char *name, const char *text)
{
    struct subtitle s = {.read = true};
    bool replaced;
    assert_int_equal(language_slot(name, s.name, s.language), RC_OK);
    assert_int_equal(store_subtitle_put(st, video.id, &s, text, &replaced), RC_OK);
}

static void claim(struct worker *worker, struct task *t)
{
    *t = (struct task){.w = worker, .video = video};
    assert_int_equal(store_video_get(worker->store, video.id, &t->video), RC_OK);
    assert_int_equal(store_job_claim(worker->store, worker->owner, LEASE_MS,
                                     STORE_KIND(JOB_SUBTITLES), &t->job),
                     RC_OK);
}

static void finish(struct task *t, struct subtitle_files *written)
{
    struct job_result result = {.bitrate = 0};
    bool ready;
    assert_int_equal(subtitle_files_publish(t, written), RC_OK);
    assert_int_equal(store_job_done(t->w->store, &t->job, &result, &ready), RC_OK);
}

static void publish(void)
{
    claim(&w, &publisher);
    assert_int_equal(subtitle_files_write(&publisher, &files), RC_OK);
    finish(&publisher, &files);
}

/* All of it at another worker, with a store handle of its own. */
static void publish_elsewhere(const char *name, const char *text)
{
    struct worker other = w;
    struct subtitle_files written;
    struct task t;
    other.store = fixture_handle(f);
    strcpy(other.owner, "other");
    if (text)
        put(other.store, name, text);
    claim(&other, &t);
    assert_int_equal(subtitle_files_write(&t, &written), RC_OK);
    finish(&t, &written);
    store_close(other.store);
}

/* ---- what comes of it ------------------------------------------------------------ */

static void path_of(const char *name, char out[PATH_MAX])
{
    char below[KEY_LEN + 64];
    snprintf(below, sizeof(below), "htdocs/media/%s/subs/%s", video.media_root, name);
    at(out, below);
}

static ino_t inode(const char *name)
{
    char path[PATH_MAX];
    struct stat st;
    path_of(name, path);
    return stat(path, &st) == 0 ? st.st_ino : 0;
}

static void assert_holds(const char *name, const char *text)
{
    char path[PATH_MAX], got[256];
    path_of(name, path);
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    got[fread(got, 1, sizeof(got) - 1, file)] = '\0';
    fclose(file);
    assert_string_equal(got, text);
}

static bool is_current(size_t i)
{
    struct subtitles all;
    assert_int_equal(store_subtitles(w.store, video.id, &all), RC_OK);
    assert_true(i < all.n);
    return all.list[i].published == all.list[i].version;
}

static void assert_no_job(void)
{
    struct job job;
    assert_int_equal(
        store_job_claim(w.store, w.owner, LEASE_MS, STORE_KIND(JOB_SUBTITLES), &job),
        RC_NOT_FOUND);
}

/* ---- tests ----------------------------------------------------------------------- */

static void only_what_has_changed_is_written(void **state)
{
    (void)state;
    put(w.store, "en", "WEBVTT\n\nEnglish");
    put(w.store, "de", "WEBVTT\n\nDeutsch");
    publish();
    ino_t en = inode("en.vtt"), de = inode("de.vtt"), list = inode("de.m3u8");
    assert_true(en && de && list);
    assert_int_equal(files.n_written, 2);
    put(w.store, "en", "WEBVTT\n\nOther");
    publish();
    assert_int_equal(files.n_written, 1);
    assert_int_not_equal(inode("en.vtt"), en);
    assert_int_equal(inode("de.vtt"), de);
    assert_int_equal(inode("de.m3u8"), list);
}

static void what_is_missing_is_written_again(void **state)
{
    (void)state;
    char path[PATH_MAX];
    put(w.store, "en", "WEBVTT\n\nEnglish");
    put(w.store, "de", "WEBVTT\n\nDeutsch");
    publish();
    path_of("de.m3u8", path);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(store_subtitle_delete(w.store, video.id, "en"), RC_OK);
    publish();
    assert_true(inode("de.m3u8") && inode("de.vtt"));
    assert_false(inode("en.vtt") || inode("en.m3u8"));
}

static void newer_text(void)
{
    publish_elsewhere("en", "WEBVTT\n\nNew");
}

static void an_older_text_that_goes_over_a_newer_one_is_righted(void **state)
{
    (void)state;
    put(w.store, "en", "WEBVTT\n\nOld");
    meanwhile = newer_text;
    publish();
    assert_null(meanwhile);
    assert_holds("en.vtt", "WEBVTT\n\nNew");
    assert_true(is_current(0));
    assert_no_job();
}

/* As above, but the other one has the job itself by then. */
static void newer_text_in_its_place(void)
{
    struct store *st = fixture_handle(f);
    put(st, "en", "WEBVTT\n\nNew");
    store_close(st);
    fixture_tick(f, LEASE_MS + 1);
    publish_elsewhere("en", NULL);
    publish_elsewhere("en", NULL); /* that of the put */
}

static void who_was_frozen_past_his_lease_rights_what_he_wrote(void **state)
{
    (void)state;
    put(w.store, "en", "WEBVTT\n\nOld");
    claim(&w, &publisher);
    meanwhile = newer_text_in_its_place;
    assert_int_equal(subtitle_files_write(&publisher, &files), RC_OK);
    assert_null(meanwhile);
    assert_int_equal(subtitle_files_publish(&publisher, &files), RC_FENCED);
    assert_holds("en.vtt", "WEBVTT\n\nNew");
    assert_true(is_current(0));
    assert_int_equal(subtitle_files_write(&publisher, &files), RC_FENCED);
}

static void what_another_job_published_is_not_told_to_be_older(void **state)
{
    (void)state;
    put(w.store, "en", "WEBVTT\n\nOld");
    claim(&w, &publisher);
    assert_int_equal(subtitle_files_write(&publisher, &files), RC_OK);
    publish_elsewhere("en", "WEBVTT\n\nNew");
    finish(&publisher, &files);
    assert_holds("en.vtt", "WEBVTT\n\nNew");
    assert_true(is_current(0));
    assert_no_job();
}

/* The job of the newer text has ended, and not well. */
static void a_newer_text_without_files_has_another_job(void **state)
{
    (void)state;
    struct task failing;
    put(w.store, "en", "WEBVTT\n\nOld");
    claim(&w, &publisher);
    assert_int_equal(subtitle_files_write(&publisher, &files), RC_OK);
    put(w.store, "en", "WEBVTT\n\nNew");
    claim(&w, &failing);
    assert_int_equal(store_job_fail(w.store, &failing.job, "The disk is broken."),
                     RC_OK);
    finish(&publisher, &files);
    assert_false(is_current(0));
    publish();
    assert_holds("en.vtt", "WEBVTT\n\nNew");
    assert_true(is_current(0));
}

static void what_came_while_others_were_written_is_not_taken_away(void **state)
{
    (void)state;
    char path[PATH_MAX];
    struct stat st;
    put(w.store, "en", "WEBVTT\n\nEnglish");
    claim(&w, &publisher);
    assert_int_equal(subtitle_files_write(&publisher, &files), RC_OK);
    publish_elsewhere("de", "WEBVTT\n\nDeutsch");
    path_of("de.vtt", path);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    assert_true(fd >= 0);
    finish(&publisher, &files);
    assert_int_equal(fstat(fd, &st), 0);
    assert_int_equal(st.st_nlink, 1);
    close(fd);
}

int main(void)
{
#define TEST(test) cmocka_unit_test_setup_teardown(test, planned, teardown)
    const struct CMUnitTest tests[] = {
        TEST(only_what_has_changed_is_written),
        TEST(what_is_missing_is_written_again),
        TEST(an_older_text_that_goes_over_a_newer_one_is_righted),
        TEST(who_was_frozen_past_his_lease_rights_what_he_wrote),
        TEST(what_another_job_published_is_not_told_to_be_older),
        TEST(a_newer_text_without_files_has_another_job),
        TEST(what_came_while_others_were_written_is_not_taken_away),
    };
    return cmocka_run_group_tests_name("subtitle_publish", tests, NULL, NULL);
}
