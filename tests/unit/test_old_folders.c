/* Folders of what is no more go some files at a time. */
#include "feed_fixture.h"

#include "log.h"
#include "mediadir.h"

#define FILES 150 /* more than go in one turn of the loop */

static const char *const folders[] = {"360p-1", "source-1"};

static bool is_left(const char *folder)
{
    char path[PATH_MAX];
    in_media(path, &video, folder);
    return access(path, F_OK) == 0;
}

static int files(void)
{
    return segments_left(&video, folders[0], FILES) +
           segments_left(&video, folders[1], FILES);
}

static int with_folder(void **state)
{
    setup(state);
    log_open("test", LOG_ERROR);
    video = fixture_stored(f, "clip");
    assert_int_equal(mediadir_create(&w.site, video.media_root), RC_OK);
    return 0;
}

static bool both_are_gone(void)
{
    return !is_left(folders[0]) && !is_left(folders[1]);
}

static void what_has_few_files_goes_at_once(void **state)
{
    (void)state;
    put_empty_segments(&video, folders[0], 10);
    put_empty_segments(&video, "other-1", 1);
    old_folders_remove(&w, video.media_root, folders[0]);
    assert_false(is_left(folders[0]));
    assert_true(is_left("other-1"));
}

static void many_go_some_in_each_turn_one_folder_after_the_other(void **state)
{
    (void)state;
    const struct rendition source = {.name = "source", .generation = 1};
    put_empty_segments(&video, folders[0], FILES);
    put_empty_segments(&video, folders[1], FILES);
    int before = files(), turns = 0;
    old_folders_remove(&w, video.media_root, folders[0]);
    old_folders_remove_rendition(&w, video.media_root, &source);
    while (!both_are_gone()) {
        int now = files();
        assert_true(before - now <= MEDIADIR_REMOVE_TURN);
        before = now;
        loop_turn_times(w.loop, 1);
        assert_true(turns++ < 1000);
    }
}

static bool is_all_gone(void)
{
    return !is_left("");
}

static void that_of_a_whole_video_goes_likewise(void **state)
{
    (void)state;
    put_empty_segments(&video, folders[0], FILES);
    put_empty_segments(&video, folders[1], FILES);
    int before = files(), turns = 0;
    old_folders_remove(&w, video.media_root, "");
    while (!is_all_gone()) {
        int now = files();
        assert_true(before - now <= MEDIADIR_REMOVE_TURN);
        before = now;
        loop_turn_times(w.loop, 1);
        assert_true(turns++ < 1000);
    }
    assert_null(w.old_folders);
}

static void one_that_cannot_go_keeps_no_other(void **state)
{
    (void)state;
    put_empty_segments(&video, folders[0], FILES);
    put_empty_segments(&video, "360p-1/deep", 1);
    put_empty_segments(&video, folders[1], FILES);
    old_folders_remove(&w, video.media_root, folders[0]);
    old_folders_remove(&w, "aaaaaaaaaaaaaaaaaaaaaaaaaa", folders[1]);
    old_folders_remove(&w, video.media_root, folders[1]);
    while (is_left(folders[1]))
        loop_turn_times(w.loop, 1);
    assert_true(is_left(folders[0]));
    assert_null(w.old_folders);
}

static void who_stops_meanwhile_leaves_the_rest(void **state)
{
    (void)state;
    put_empty_segments(&video, folders[0], FILES);
    old_folders_remove(&w, video.media_root, folders[0]);
    old_folders_close(&w);
    turn_for(20);
    assert_true(files() >= FILES - MEDIADIR_REMOVE_TURN);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, with_folder, teardown)
    const struct CMUnitTest tests[] = {
        TEST(what_has_few_files_goes_at_once),
        TEST(many_go_some_in_each_turn_one_folder_after_the_other),
        TEST(that_of_a_whole_video_goes_likewise),
        TEST(one_that_cannot_go_keeps_no_other),
        TEST(who_stops_meanwhile_leaves_the_rest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
