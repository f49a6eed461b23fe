/* What a deleted video had goes some files at a time, so that nobody waits for it. */
#include "feed_fixture.h"

#include "log.h"
#include "sweep.h"

#define FILES 150 /* more than go in one turn of the loop */
#define TURN 64
#define VIDEOS 3

static struct video videos[VIDEOS];

static int all_files(void)
{
    int n = 0;
    for (int i = 0; i < VIDEOS; i++)
        n += segments_left(&videos[i], "360p-1", FILES);
    return n;
}

static bool has_master(const struct video *v)
{
    char path[PATH_MAX];
    in_media(path, v, "master.m3u8");
    return access(path, F_OK) == 0;
}

static bool is_known(const struct video *v)
{
    bool known = false;
    assert_int_equal(store_video_exists(w.store, v->id, &known), RC_OK);
    return known;
}

static bool all_are_gone(void)
{
    return !is_known(&videos[0]) && !is_known(&videos[1]) && !is_known(&videos[2]);
}

static int deleted(void **state)
{
    const struct video_plan plan = fixture_plan(1);
    char master[KEY_LEN + 64];
    setup(state);
    log_open("test", LOG_ERROR);
    for (int i = 0; i < VIDEOS; i++) {
        struct video gone;
        store_planned(&plan);
        videos[i] = video;
        put_empty_segments(&video, "360p-1", FILES);
        snprintf(master, sizeof(master), "htdocs/media/%s/master.m3u8",
                 video.media_root);
        put_file(master, "", 0, 0644);
        assert_int_equal(store_video_delete(w.store, video.id, &gone), RC_OK);
    }
    return 0;
}

static int end(void **state)
{
    sweep_close(&w);
    return teardown(state);
}

static void each_turn_takes_some_files_and_what_viewers_begin_with_first(void **state)
{
    (void)state;
    int before = all_files(), turns = 0;
    sweep_deleted(&w);
    assert_int_equal(has_master(&videos[0]) + has_master(&videos[1]) +
                         has_master(&videos[2]),
                     VIDEOS - 1);
    while (!all_are_gone()) {
        int now = all_files();
        assert_true(before - now <= TURN);
        before = now;
        loop_turn_times(w.loop, 1);
        assert_true(turns++ < 1000);
    }
    assert_int_equal(all_files(), 0);
    assert_true(turns > VIDEOS * FILES / TURN);
}

static bool others_are_gone(void)
{
    return !is_known(&videos[0]) && !is_known(&videos[2]);
}

/* One with something in its folder that cannot be removed. */
static void one_that_cannot_go_keeps_no_other(void **state)
{
    (void)state;
    char path[PATH_MAX];
    in_media(path, &videos[1], "360p-1/deep");
    assert_int_equal(mkdir(path, 0755), 0);
    in_media(path, &videos[1], "360p-1/deep/er");
    assert_int_equal(mkdir(path, 0755), 0);
    sweep_deleted(&w);
    turn_until(others_are_gone, "the others to go");
    assert_true(is_known(&videos[1]));
    assert_int_equal(rmdir(path), 0);
    in_media(path, &videos[1], "360p-1/deep");
    assert_int_equal(rmdir(path), 0);
    sweep_deleted(&w);
    turn_until(all_are_gone, "it to go after all");
}

static void who_stops_in_between_leaves_the_rest_to_the_next_one(void **state)
{
    (void)state;
    sweep_deleted(&w);
    loop_turn_times(w.loop, 1);
    sweep_close(&w);
    turn_for(20);
    assert_true(all_files() > VIDEOS * FILES - 3 * TURN);
    assert_true(is_known(&videos[0]) && is_known(&videos[1]) && is_known(&videos[2]));
    sweep_deleted(&w);
    turn_until(all_are_gone, "the next one to remove them");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, deleted, end)
    const struct CMUnitTest tests[] = {
        TEST(each_turn_takes_some_files_and_what_viewers_begin_with_first),
        TEST(one_that_cannot_go_keeps_no_other),
        TEST(who_stops_in_between_leaves_the_rest_to_the_next_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
