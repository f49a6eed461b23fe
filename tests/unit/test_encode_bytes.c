/* An encoder that does not stop writing: what it gives is bounded by what it was to
 * make. */
#include "cutter_stream.h"
#include "feed_fixture.h"

#include <dirent.h>

#define FRAMES 50 /* in a segment of 640 x 360 */
#define MOST (FRAMES * 640 * 360 * 3 / 2 + (1 << 20))

/* It gives the beginning of a segment of so many bytes, and then zeros. */
static void put_program(uint32_t bytes)
{
    const struct stream_shape shape = {.timescale = 25};
    char script[2 * PATH_MAX];
    struct bytes b = {0};
    box_filled(&b, "ftyp", 'q', 12);
    stream_moov(&b, &shape, MOOV_FINE);
    size_t moof = box_open(&b, "moof"), traf = box_open(&b, "traf");
    stream_tfdt(&b, &shape, 0, MOOF_FINE);
    stream_trun(&b, &shape, FRAMES, MOOF_FINE);
    box_close(&b, traf);
    box_close(&b, moof);
    uint32_t head = (uint32_t)(b.n - moof);
    bytes_number(&b, bytes - head, 4);
    bytes_add(&b, "mdat", 4);
    put_file("given", b.p, b.n, 0644);
    int length = snprintf(script, sizeof(script),
                          "#!/bin/sh\ncat %s/given\nhead -c %u /dev/zero\n",
                          w.site.root, bytes - head - 8);
    put_file("ffmpeg", script, (size_t)length, 0700);
    bytes_free(&b);
}

static int begun(void **state)
{
    struct video_plan plan = fixture_plan(1);
    char name[KEY_LEN + 64], path[PATH_MAX];
    setup(state);
    store_planned(&plan);
    snprintf(name, sizeof(name), "htdocs/media/%s/360p-1", video.media_root);
    at(path, name);
    assert_int_equal(mkdir(path, 0755), 0);
    assert_int_equal(jobs_claim_encode(&w, video.id, "360p"), RC_OK);
    task = w.tasks;
    encode = task->state;
    return 0;
}

static void start(void)
{
    const struct encode_order order = {.from = 0, .end = 1};
    assert_int_equal(encode_run_start(task, &order), RC_OK);
}

static int files_in(const char *name)
{
    char path[PATH_MAX];
    int n = 0;
    at(path, name);
    DIR *d = opendir(path);
    assert_non_null(d);
    for (const struct dirent *e; (e = readdir(d));)
        n += e->d_name[0] != '.';
    closedir(d);
    return n;
}

static void what_is_no_larger_than_its_pictures_is_published(void **state)
{
    (void)state;
    put_program(MOST);
    start();
    turn_until(no_run, "the run to end");
    assert_true(segments_has(&encode->have, 0));
}

static void what_is_larger_is_not_and_leaves_nothing(void **state)
{
    char folder[KEY_LEN + 64];
    (void)state;
    put_program(MOST + 1);
    start();
    turn_until(no_task, "the attempt to fail");
    snprintf(folder, sizeof(folder), "htdocs/media/%s/360p-1", video.media_root);
    assert_int_equal(files_in(folder), 1); /* init.mp4 */
    assert_int_equal(files_in("tmp"), 0);
}

int main(void)
{
#define TEST(test) cmocka_unit_test_setup_teardown(test, begun, teardown)
    const struct CMUnitTest tests[] = {
        TEST(what_is_no_larger_than_its_pictures_is_published),
        TEST(what_is_larger_is_not_and_leaves_nothing),
    };
    return cmocka_run_group_tests_name("encode_bytes", tests, NULL, NULL);
}
