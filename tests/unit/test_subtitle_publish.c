/* The files of subtitles: written where they have changed, and no others. */
#include "feed_fixture.h"

#include "subtitle_files.h"

static struct task publisher;

static int planned(void **state)
{
    struct video_plan plan = fixture_plan(1);
    setup(state);
    store_planned(&plan);
    return 0;
}

static void put(const char *name, const char *text)
{
    struct subtitle s = {.read = true};
    bool replaced;
    assert_int_equal(language_slot(name, s.name, s.language), RC_OK);
    assert_int_equal(store_subtitle_put(w.store, video.id, &s, text, &replaced), RC_OK);
}

static void publish(void)
{
    struct job_result result = {.bitrate = 0};
    bool ready;
    publisher = (struct task){.w = &w, .video = video};
    assert_int_equal(store_video_get(w.store, video.id, &publisher.video), RC_OK);
    assert_int_equal(store_job_claim(w.store, w.owner, 30000, STORE_KIND(JOB_SUBTITLES),
                                     &publisher.job),
                     RC_OK);
    assert_int_equal(subtitle_files_publish(&publisher), RC_OK);
    assert_int_equal(store_job_done(w.store, &publisher.job, &result, &ready), RC_OK);
}

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

static void only_what_has_changed_is_written(void **state)
{
    (void)state;
    put("en", "WEBVTT\n\nEnglish");
    put("de", "WEBVTT\n\nDeutsch");
    publish();
    ino_t en = inode("en.vtt"), de = inode("de.vtt"), list = inode("de.m3u8");
    assert_true(en && de && list);
    put("en", "WEBVTT\n\nOther");
    publish();
    assert_int_not_equal(inode("en.vtt"), en);
    assert_int_equal(inode("de.vtt"), de);
    assert_int_equal(inode("de.m3u8"), list);
}

static void what_is_missing_is_written_again(void **state)
{
    (void)state;
    char path[PATH_MAX];
    put("en", "WEBVTT\n\nEnglish");
    put("de", "WEBVTT\n\nDeutsch");
    publish();
    path_of("de.m3u8", path);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(store_subtitle_delete(w.store, video.id, "en"), RC_OK);
    publish();
    assert_true(inode("de.m3u8") && inode("de.vtt"));
    assert_false(inode("en.vtt") || inode("en.m3u8"));
}

int main(void)
{
#define TEST(test) cmocka_unit_test_setup_teardown(test, planned, teardown)
    const struct CMUnitTest tests[] = {
        TEST(only_what_has_changed_is_written),
        TEST(what_is_missing_is_written_again),
    };
    return cmocka_run_group_tests_name("subtitle_publish", tests, NULL, NULL);
}
