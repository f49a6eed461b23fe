/* Folders of renditions that are no more go some files at a time. */
#include "feed_fixture.h"

#include "log.h"
#include "mediadir.h"

#define FILES 150 /* more than go in one turn of the loop */

static const char *const folders[] = {"360p-1", "source-1"};

static void in_folder(char out[PATH_MAX], const char *name)
{
    char below[KEY_LEN + 64];
    snprintf(below, sizeof(below), "htdocs/media/%s/%s", video.media_root, name);
    at(out, below);
}

static void fill(const char *folder, int n)
{
    char path[PATH_MAX], name[48];
    in_folder(path, folder);
    assert_int_equal(mkdir(path, 0755), 0);
    for (int k = 0; k < n; k++) {
        snprintf(name, sizeof(name), "%s/%d.m4s", folder, k);
        in_folder(path, name);
        int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
        assert_true(fd >= 0);
        close(fd);
    }
}

static bool is_left(const char *folder)
{
    char path[PATH_MAX];
    in_folder(path, folder);
    return access(path, F_OK) == 0;
}

static int files(void)
{
    char path[PATH_MAX], name[48];
    int n = 0;
    for (int i = 0; i < 2; i++)
        for (int k = 0; k < FILES; k++) {
            snprintf(name, sizeof(name), "%s/%d.m4s", folders[i], k);
            in_folder(path, name);
            n += access(path, F_OK) == 0;
        }
    return n;
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
    fill(folders[0], 10);
    fill("other-1", 1);
    old_folders_remove(&w, video.media_root, folders[0]);
    assert_false(is_left(folders[0]));
    assert_true(is_left("other-1"));
}

static void many_go_some_in_each_turn_one_folder_after_the_other(void **state)
{
    (void)state;
    const struct rendition source = {.name = "source", .generation = 1};
    fill(folders[0], FILES);
    fill(folders[1], FILES);
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

static void one_that_cannot_go_keeps_no_other(void **state)
{
    (void)state;
    fill(folders[0], FILES);
    fill("360p-1/deep", 1);
    fill(folders[1], FILES);
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
    fill(folders[0], FILES);
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
        TEST(one_that_cannot_go_keeps_no_other),
        TEST(who_stops_meanwhile_leaves_the_rest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
