/* The playlist of a video whose end is not known grows with what has come, but stands
 * still while the files of that video are to agree. */
#include "feed_fixture.h"

static struct staging_waiter waiter;

static int open_ended(void **state)
{
    const struct video_plan plan = {.duration_us = -1,
                                    .rate_num = 25,
                                    .rate_den = 1,
                                    .renditions = {{.name = "360p",
                                                    .kind = RENDITION_VIDEO,
                                                    .generation = 1,
                                                    .width = 640,
                                                    .height = 360,
                                                    .bitrate = 800000,
                                                    .codecs = "avc1.64001f",
                                                    .rate_num = 25,
                                                    .rate_den = 1,
                                                    .gop = 50,
                                                    .frames = 50,
                                                    .segments = 1,
                                                    .seek_margin_us = 20000}},
                                    .n_renditions = 1};
    setup(state);
    video = fixture_receiving(f, "clip");
    assert_int_equal(store_video_header_arrived(w.store, video.id), RC_OK);
    lay_out(&plan);
    assert_int_equal(jobs_claim_encode(&w, video.id, "360p"), RC_OK);
    task = w.tasks;
    encode = task->state;
    assert_true(encode->open);
    assert_int_equal(encode->promised, 1);
    return 0;
}

static bool grew(void)
{
    return encode->promised == encode->reach;
}

/* Segments that the playlist on disk names. */
static int named(void)
{
    char name[KEY_LEN + 64], path[PATH_MAX], line[256];
    int n = 0;
    snprintf(name, sizeof(name), "htdocs/media/%s/360p-1/index.m3u8", video.media_root);
    at(path, name);
    FILE *playlist = fopen(path, "r");
    assert_non_null(playlist);
    while (fgets(line, sizeof(line), playlist))
        n += strstr(line, ".m4s") != NULL;
    fclose(playlist);
    return n;
}

static void a_playlist_grows_with_what_has_come(void **state)
{
    (void)state;
    encode->reach = 4;
    encode_promise(task);
    assert_true(grew());
    assert_int_equal(named(), 4);
    encode->reach = 5; /* a second later at the earliest */
    encode_promise(task);
    assert_false(grew());
    turn_until(grew, "it to grow again");
    assert_int_equal(named(), 5);
}

static void it_stands_still_while_all_files_of_the_video_are_to_agree(void **state)
{
    (void)state;
    staging_wait(w.staging, &waiter, video.id, never, NULL);
    encode->reach = 4;
    encode_promise(task);
    turn_for(120); /* it looks again and again */
    assert_int_equal(encode->promised, 1);
    staging_forget(w.staging, &waiter);
    turn_until(grew, "it to grow");
    assert_int_equal(named(), 4);
}

static void what_another_video_waits_for_is_no_matter(void **state)
{
    (void)state;
    staging_wait(w.staging, &waiter, "another one", never, NULL);
    encode->reach = 4;
    encode_promise(task);
    assert_true(grew());
    staging_forget(w.staging, &waiter);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, open_ended, teardown)
    const struct CMUnitTest tests[] = {
        TEST(a_playlist_grows_with_what_has_come),
        TEST(it_stands_still_while_all_files_of_the_video_are_to_agree),
        TEST(what_another_video_waits_for_is_no_matter),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
