#include "check.h"

#include "grid.h"

static struct rational snapped(int64_t num, int64_t den)
{
    struct rational out = {0, 0};
    assert_int_equal(grid_snap_rate((struct rational){num, den}, &out), RC_OK);
    return out;
}

static void rates_snap_to_the_nearest_standard_one(void **state)
{
    (void)state;
    static const struct {
        int64_t num, den, to_num, to_den;
    } cases[] = {
        {26730000, 885901, 30, 1},
        {286300, 11929, 24, 1},
        {2997, 100, 30000, 1001},
        {30000, 1001, 30000, 1001},
        {24000, 1001, 24000, 1001},
        {25, 1, 25, 1},
        {4275000, 188521, 24000, 1001},
        {17825, 712, 25, 1},
        {1, 1, 5, 1},
        {1000, 1, 120, 1},
        {60000, 1001, 60000, 1001},
        {599, 10, 60000, 1001},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct rational r = snapped(cases[i].num, cases[i].den);
        assert_int_equal(r.num, cases[i].to_num);
        assert_int_equal(r.den, cases[i].to_den);
    }
}

static void a_rate_that_is_not_positive_is_refused(void **state)
{
    (void)state;
    struct rational out = {7, 7};
    assert_int_equal(grid_snap_rate((struct rational){0, 1}, &out), RC_INVALID);
    assert_int_equal(grid_snap_rate((struct rational){25, 0}, &out), RC_INVALID);
    assert_int_equal(grid_snap_rate((struct rational){-25, 1}, &out), RC_INVALID);
    assert_int_equal(out.num, 7);
    struct grid g;
    assert_int_equal(grid_video((struct rational){0, 1}, 1, 2, &g), RC_INVALID);
    assert_int_equal(grid_video((struct rational){25, 1}, 0, 2, &g), RC_INVALID);
    assert_int_equal(grid_audio(-1, &g), RC_INVALID);
}

static void rates_are_halved_until_they_fit(void **state)
{
    (void)state;
    struct rational r = grid_halve_rate((struct rational){60, 1}, 30);
    assert_int_equal(r.num, 30);
    r = grid_halve_rate((struct rational){60000, 1001}, 30);
    assert_true(r.num == 30000 && r.den == 1001);
    r = grid_halve_rate((struct rational){120, 1}, 30);
    assert_int_equal(r.num, 30);
    r = grid_halve_rate((struct rational){25, 1}, 30);
    assert_int_equal(r.num, 25);
    r = grid_halve_rate((struct rational){75, 1}, 30);
    assert_true(r.num == 75 && r.den == 4);
}

static void segments_cover_the_duration_and_nothing_else(void **state)
{
    (void)state;
    struct grid g;
    assert_int_equal(grid_video((struct rational){24, 1}, 30022000, 2, &g), RC_OK);
    assert_int_equal(g.gop, 48);
    assert_int_equal(g.frames, 721);
    assert_int_equal(grid_segments(&g), 16);
    assert_int_equal(grid_segment_frames(&g, 0), 48);
    assert_int_equal(grid_segment_frames(&g, 15), 1);
    assert_int_equal(grid_segment_frames(&g, 16), 0);
    assert_int_equal(grid_segment_frames(&g, -1), 0);
    assert_int_equal(grid_segment_start(&g, 15), 720);
    assert_int_equal(grid_segment_start(&g, 16), 721);
}

static void a_rounded_duration_gets_no_extra_frame(void **state)
{
    (void)state;
    struct grid g;
    assert_int_equal(grid_video((struct rational){25, 1}, 10000001, 2, &g), RC_OK);
    assert_int_equal(g.frames, 250);
    assert_int_equal(grid_video((struct rational){30000, 1001}, 2002000, 2, &g), RC_OK);
    assert_int_equal(g.frames, 60);
    assert_int_equal(grid_video((struct rational){25, 1}, 1, 2, &g), RC_OK);
    assert_int_equal(g.frames, 1);
}

static void segment_starts_are_exact_in_ticks(void **state)
{
    (void)state;
    struct grid g;
    uint64_t ticks = 0;
    assert_int_equal(grid_video((struct rational){30000, 1001}, 86400000000, 2, &g),
                     RC_OK);
    assert_int_equal(grid_segment_ticks(&g, 43000, 30000, &ticks), RC_OK);
    assert_int_equal(ticks, 43000ULL * 60 * 1001);
    assert_int_equal(grid_segment_ticks(&g, 1, 1000, &ticks), RC_OK);
    assert_int_equal(ticks, 2002);
    g.gop = 61;
    assert_int_equal(grid_segment_ticks(&g, 1, 1000, &ticks), RC_INVALID);
}

static void audio_segments_are_192_frames_of_aac(void **state)
{
    (void)state;
    struct grid g;
    uint64_t ticks = 0;
    assert_int_equal(grid_audio(30022000, &g), RC_OK);
    assert_int_equal(g.frames, 1408);
    assert_int_equal(grid_segments(&g), 8);
    assert_int_equal(grid_frame_us(&g, grid_segment_start(&g, 1)), 4096000);
    assert_int_equal(grid_segment_ticks(&g, 3, 48000, &ticks), RC_OK);
    assert_int_equal(ticks, 3 * 196608);
}

static void segments_count_once_they_have_ended(void **state)
{
    (void)state;
    struct grid g = {30000, 1001, 60, 130}; /* 2.002 s, 2.002 s and 10 frames */
    assert_int_equal(grid_segments_before(&g, -1), 0);
    assert_int_equal(grid_segments_before(&g, 2001999), 0);
    assert_int_equal(grid_segments_before(&g, 2002000), 1);
    assert_int_equal(grid_segments_before(&g, 4003999), 1);
    assert_int_equal(grid_segments_before(&g, 4004000), 2);
    assert_int_equal(grid_segments_before(&g, 4337665), 2);
    assert_int_equal(grid_segments_before(&g, 4337667), 3);
    assert_int_equal(grid_segments_before(&g, INT64_MAX), 3);
    g = (struct grid){24000, 1001, 37, 37 * INT64_C(100000)}; /* 1.543208333… s */
    for (int64_t k = 1; k < 100000; k += 997) {
        int64_t end = grid_frame_us(&g, k * 37);
        assert_int_equal(grid_segments_before(&g, end), k);
        assert_int_equal(grid_segments_before(&g, end - 1), k - 1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rates_snap_to_the_nearest_standard_one),
        cmocka_unit_test(a_rate_that_is_not_positive_is_refused),
        cmocka_unit_test(rates_are_halved_until_they_fit),
        cmocka_unit_test(segments_cover_the_duration_and_nothing_else),
        cmocka_unit_test(a_rounded_duration_gets_no_extra_frame),
        cmocka_unit_test(segment_starts_are_exact_in_ticks),
        cmocka_unit_test(audio_segments_are_192_frames_of_aac),
        cmocka_unit_test(segments_count_once_they_have_ended),
    };
    return cmocka_run_group_tests_name("grid", tests, NULL, NULL);
}
