#include "check.h"
#include "seek_points.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* 30 frames a second, segments of two seconds, a minute of it. */
static struct rendition video(void)
{
    return (struct rendition){.kind = RENDITION_VIDEO,
                              .rate_num = 30,
                              .rate_den = 1,
                              .gop = 60,
                              .frames = 1800,
                              .segments = 30,
                              .source_last_us = 59966667};
}

static struct seek_points *fed(const char *lines)
{
    struct seek_points *sp;
    assert_int_equal(seek_points_open(&sp), RC_OK);
    assert_int_equal(seek_points_feed(sp, lines, strlen(lines)), RC_OK);
    return sp;
}

/* A keyframe every `every_s` seconds, each decoded delay_s before it is shown. */
static struct seek_points *regular(double every_s, double delay_s, double start_s)
{
    char line[100];
    struct seek_points *sp = fed("");
    for (int i = 0; i * every_s < 60; i++) {
        double t = start_s + i * every_s;
        int n = snprintf(line, sizeof(line), "%.6f|%.6f|K_\n%.6f|%.6f|__\n", t,
                         t - delay_s, t + 0.1, t);
        assert_int_equal(seek_points_feed(sp, line, (size_t)n), RC_OK);
    }
    int n = snprintf(line, sizeof(line), "%.6f\n", start_s);
    assert_int_equal(seek_points_feed(sp, line, (size_t)n), RC_OK);
    return sp;
}

/* The points of all segments; the test frees them. */
static struct seek_point *finish(struct seek_points *sp, const struct rendition *r,
                                 enum container container)
{
    struct seek_point *points;
    assert_int_equal(seek_points_finish(sp, r, container, &points), RC_OK);
    seek_points_free(sp);
    return points;
}

#define assert_between(us, from, to)                                                   \
    do {                                                                               \
        assert_true((us) >= (from));                                                   \
        assert_true((us) < (to));                                                      \
    } while (0)

static void mp4_lands_on_the_keyframe_at_the_start_of_a_segment(void **state)
{
    (void)state;
    struct rendition r = video();
    struct seek_point *p = finish(regular(4, 0.066667, 0), &r, CONTAINER_MP4);
    /* Not before it, which would be four seconds more to decode, nor half a frame
     * later. */
    assert_between(p[2].us, 4000000, 4016667);
    assert_between(p[20].us, 40000000, 40016667);
    /* In the middle of a GOP: somewhere in it. */
    assert_between(p[3].us, 4000000, 6016667);
    free(p);
}

static void a_file_that_does_not_start_at_zero_counts_from_its_start(void **state)
{
    (void)state;
    struct rendition r = video();
    struct seek_point *p = finish(regular(4, 0.066667, 5), &r, CONTAINER_MOV);
    assert_between(p[2].us, 4000000, 4016667);
    free(p);
}

static void matroska_is_told_later_as_ffmpeg_goes_back(void **state)
{
    (void)state;
    struct rendition r = video();
    struct seek_point *p = finish(regular(4, 0, 0), &r, CONTAINER_MATROSKA);
    for (int k = 2; k < 30; k++) {
        int64_t key = k / 2 * 4000000;
        assert_between(p[k].us, key, key + 4000000);
        assert_between(p[k].us - 130435, key, key + 4000000);
    }
    free(p);
}

static void matroska_never_passes_the_next_keyframe(void **state)
{
    (void)state;
    struct rendition r = video();
    /* The one at 4.1 s is after the first picture of segment 2, and too near for a seek
     * that is told 140 ms more. */
    struct seek_point *p =
        finish(fed("0.000|0.000|K_\n4.000|4.000|K_\n4.100|4.100|K_\n0.0\n"), &r,
               CONTAINER_WEBM);
    assert_between(p[2].us, 0, 4100000);
    free(p);
    p = finish(fed("0.000|0.000|K_\n8.000|8.000|K_\n8.300|8.300|K_\n0.0\n"), &r,
               CONTAINER_WEBM);
    assert_between(p[4].us, 8130435, 8300000);
    free(p);
}

static void every_picture_a_keyframe_is_no_trouble(void **state)
{
    (void)state;
    struct rendition r = video();
    struct seek_point *p = finish(regular(1.0 / 30, 0, 0), &r, CONTAINER_MATROSKA);
    for (int k = 1; k < 30; k++)
        assert_between(p[k].us, k * 2000000 - 400000, k * 2000000 + 16667);
    free(p);
}

static void past_the_last_picture_it_is_the_last_keyframe(void **state)
{
    (void)state;
    struct rendition r = video();
    r.source_last_us = 30000000; /* the sound goes on */
    struct seek_point *p = finish(regular(4, 0.066667, 0), &r, CONTAINER_MP4);
    assert_between(p[29].us, 28000000, 30000001);
    free(p);
}

static void a_deinterlacer_gets_the_pictures_before(void **state)
{
    (void)state;
    struct rendition r = video();
    r.deinterlace = true;
    struct seek_point *p = finish(regular(4, 0, 0), &r, CONTAINER_MP4);
    assert_between(p[2].us, 3900000, 4000000);
    free(p);
}

static void keyframes_with_different_delays_are_not_relied_on_in_mp4(void **state)
{
    (void)state;
    struct rendition r = video();
    struct seek_point *points = NULL;
    struct seek_points *sp =
        fed("0.000|-0.067|K_\n4.000|3.933|K_\n8.000|7.800|K_\n0.000000\n");
    assert_int_equal(seek_points_finish(sp, &r, CONTAINER_MP4, &points),
                     RC_UNSUPPORTED);
    assert_null(points);
    assert_int_equal(seek_points_finish(sp, &r, CONTAINER_MATROSKA, &points), RC_OK);
    free(points);
    seek_points_free(sp);
}

static void packets_that_are_hidden_or_no_keyframes_do_not_count(void **state)
{
    (void)state;
    struct rendition r = video();
    struct seek_point *points;
    struct seek_points *sp = fed("0.000|0.000|KD\n0.040|0.040|__\nN/A|N/A|K_\n"
                                 "side data|x\n\n0.000000\n");
    assert_int_equal(seek_points_finish(sp, &r, CONTAINER_MP4, &points), RC_NOT_FOUND);
    seek_points_free(sp);
    seek_points_free(NULL);
}

static void lines_may_be_cut_anywhere(void **state)
{
    (void)state;
    static const char lines[] =
        "0.000|-0.067|K_\n4.000|3.933|K_|extra\n8.0|7.933|K_\n0.0\n";
    struct rendition r = video();
    struct seek_point *whole = finish(fed(lines), &r, CONTAINER_MP4);
    struct seek_points *sp = fed("");
    for (size_t i = 0; i < sizeof(lines) - 1; i++)
        assert_int_equal(seek_points_feed(sp, lines + i, 1), RC_OK);
    struct seek_point *cut = finish(sp, &r, CONTAINER_MP4);
    assert_memory_equal(whole, cut, 30 * sizeof(*cut));
    free(whole);
    free(cut);
}

static void segments_of_one_keyframe_are_told(void **state)
{
    (void)state;
    struct rendition r = video();
    struct seek_point *p = finish(regular(4, 0.066667, 0), &r, CONTAINER_MP4);
    for (int k = 0; k < 30; k++)
        assert_int_equal(p[k].shared, k % 2); /* a keyframe each second segment */
    free(p);
    p = finish(regular(1, 0, 0), &r, CONTAINER_MATROSKA);
    for (int k = 0; k < 30; k++)
        assert_false(p[k].shared);
    free(p);
}

static void points_survive_being_kept(void **state)
{
    (void)state;
    const struct seek_point points[] = {
        {0, false}, {3, true}, {INT64_C(86400000000), false}, {INT64_MAX >> 1, true}};
    struct seek_point *back;
    uint8_t *bytes;
    size_t n;
    assert_int_equal(seek_points_pack(points, 4, &bytes, &n), RC_OK);
    assert_int_equal(n, 32);
    assert_int_equal(bytes[8], 7); /* the same on any machine */
    assert_int_equal(seek_points_unpack(bytes, n, &back), RC_OK);
    for (int k = 0; k < 4; k++) {
        assert_int_equal(back[k].us, points[k].us);
        assert_int_equal(back[k].shared, points[k].shared);
    }
    free(back);
    assert_int_equal(seek_points_unpack(bytes, 31, &back), RC_INVALID);
    assert_int_equal(seek_points_unpack(bytes, 0, &back), RC_INVALID);
    free(bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(mp4_lands_on_the_keyframe_at_the_start_of_a_segment),
        cmocka_unit_test(a_file_that_does_not_start_at_zero_counts_from_its_start),
        cmocka_unit_test(matroska_is_told_later_as_ffmpeg_goes_back),
        cmocka_unit_test(matroska_never_passes_the_next_keyframe),
        cmocka_unit_test(every_picture_a_keyframe_is_no_trouble),
        cmocka_unit_test(past_the_last_picture_it_is_the_last_keyframe),
        cmocka_unit_test(a_deinterlacer_gets_the_pictures_before),
        cmocka_unit_test(keyframes_with_different_delays_are_not_relied_on_in_mp4),
        cmocka_unit_test(packets_that_are_hidden_or_no_keyframes_do_not_count),
        cmocka_unit_test(lines_may_be_cut_anywhere),
        cmocka_unit_test(segments_of_one_keyframe_are_told),
        cmocka_unit_test(points_survive_being_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
