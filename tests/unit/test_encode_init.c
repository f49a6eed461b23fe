/* Runs that give another init segment than the stored one. */
#include "cutter_stream.h"
#include "feed_fixture.h"

static struct stream given; /* by what stands for ffmpeg */

/* It gives the first n bytes of the stream, and ends as if all was well. */
static void put_program(size_t n)
{
    char script[2 * PATH_MAX];
    int length = snprintf(script, sizeof(script),
                          "#!/bin/sh\nexec head -c %zu %s/given\n", n, w.site.root);
    put_file("ffmpeg", script, (size_t)length, 0700);
}

/* A video whose picture has its first segment, of another init segment. */
static int begun(void **state)
{
    struct video_plan plan = fixture_plan(1);
    const struct stream_shape shape = {.timescale = 25, .truns = 1};
    char name[KEY_LEN + 64], path[PATH_MAX];
    setup(state);
    store_planned(&plan);
    snprintf(name, sizeof(name), "htdocs/media/%s/360p-1", video.media_root);
    at(path, name);
    assert_int_equal(mkdir(path, 0755), 0);
    strcat(name, "/init.mp4");
    put_file(name, "\0\0\0\10free\0\0\0\10free", 16, 0644);
    stream_make(&shape, &given);
    put_file("given", given.all.p, given.all.n, 0644);
    assert_int_equal(jobs_claim_encode(&w, video.id, "360p"), RC_OK);
    task = w.tasks;
    encode = task->state;
    assert_true(encode->have.has_init);
    segments_add(&encode->have, 0);
    return 0;
}

static int end_begun(void **state)
{
    stream_free(&given);
    return teardown(state);
}

static void start(void)
{
    const struct encode_order order = {.from = 1, .end = 7};
    assert_int_equal(encode_run_start(task, &order), RC_OK);
}

static void with_pictures_means_another_encoder(void **state)
{
    (void)state;
    put_program(given.all.n);
    start();
    turn_until(no_task, "the encode to end");
    assert_int_equal(fixture_get(f, video.id).state, VIDEO_STORED); /* planned again */
}

static void without_pictures_means_nothing(void **state)
{
    (void)state;
    put_program(given.init_end);
    start();
    turn_until(no_run, "the run to end");
    assert_int_equal(encode->ending, ENCODE_GOES_ON);
    assert_int_equal(encode->trouble[1], LEAD_LONG); /* that place is tried again */
}

int main(void)
{
#define TEST(test) cmocka_unit_test_setup_teardown(test, begun, end_begun)
    const struct CMUnitTest tests[] = {
        TEST(with_pictures_means_another_encoder),
        TEST(without_pictures_means_nothing),
    };
    return cmocka_run_group_tests_name("encode_init", tests, NULL, NULL);
}
