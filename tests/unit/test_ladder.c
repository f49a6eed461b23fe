#include "check.h"

#include "ladder.h"

#include <string.h>

static const struct ladder_rules usual = {1080, 80, 20};

static const struct rendition base = {.name = "360p",
                                      .kind = RENDITION_VIDEO,
                                      .generation = 2,
                                      .width = 640,
                                      .height = 360,
                                      .stream = 1,
                                      .source_last_us = 9960000,
                                      .colour = "bt709/bt709/bt709",
                                      .done = 3};

static struct ladder_source source(int width, int height, int64_t bitrate, bool served)
{
    return (struct ladder_source){.width = width,
                                  .height = height,
                                  .rate = {30, 1},
                                  .duration_us = 10000000,
                                  .bitrate = bitrate,
                                  .served = served};
}

/* "1080p 720p" */
static const char *names(const struct ladder_rules *rules, struct ladder_source s)
{
    static char text[64];
    struct rendition rungs[LADDER_RUNGS_MAX];
    size_t n = ladder_plan(rules, &s, &base, rungs);
    text[0] = '\0';
    for (size_t i = 0; i < n; i++) {
        strcat(text, i ? " " : "");
        strcat(text, rungs[i].name);
    }
    return text;
}

static void the_smaller_side_decides_and_nothing_is_made_larger(void **state)
{
    (void)state;
    static const struct {
        int width, height;
        const char *served, *not_served;
    } cases[] = {
        {3840, 2160, "1080p 720p", "1080p 720p"},
        {1920, 1080, "1080p 720p", "1080p 720p"},
        {1080, 1920, "1080p 720p", "1080p 720p"},
        {1920, 800, "720p", "800p"}, /* two that are nearly the same are one */
        {1920, 960, "720p", "960p 720p"},
        {1280, 720, "720p", "720p"},
        {1280, 719, "", "718p"},
        {854, 480, "", "480p"},
        {640, 360, "", ""},
        {16, 16, "", ""},
        {0, 0, "", ""},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        int w = cases[i].width, h = cases[i].height;
        assert_string_equal(names(&usual, source(w, h, 100000000, true)),
                            cases[i].served);
        assert_string_equal(names(&usual, source(w, h, 100000000, false)),
                            cases[i].not_served);
    }
}

static void a_rung_near_to_a_source_that_all_can_have_is_dropped(void **state)
{
    (void)state;
    /* 1080p is held to 4.98 Mbit/s, 720p to 2.21. */
    assert_string_equal(names(&usual, source(1920, 1080, 6300000, true)), "1080p 720p");
    assert_string_equal(names(&usual, source(1920, 1080, 6200000, true)), "720p");
    assert_string_equal(names(&usual, source(1920, 1080, 2700000, true)), "");
    /* Whoever cannot have the source needs them all. */
    assert_string_equal(names(&usual, source(1920, 1080, 2700000, false)),
                        "1080p 720p");
    /* Of one whose bits are not known nothing is near. */
    assert_string_equal(names(&usual, source(1920, 1080, 0, true)), "1080p 720p");
}

/* What comes next in the plan is made in its place. */
static void a_dropped_rung_leaves_nothing_behind(void **state)
{
    (void)state;
    struct rendition r[LADDER_RUNGS_MAX], zero = {.name = ""};
    struct ladder_source s = source(1280, 720, 300000, true);
    memset(r, 0, sizeof(r));
    memset(&zero, 0, sizeof(zero));
    assert_int_equal(ladder_plan(&usual, &s, &base, r), 0);
    for (size_t i = 0; i < LADDER_RUNGS_MAX; i++)
        assert_memory_equal(&r[i], &zero, sizeof(zero));
}

static void no_rung_has_more_bits_than_the_source_or_the_cap(void **state)
{
    (void)state;
    struct rendition r[LADDER_RUNGS_MAX];
    struct ladder_source s = source(1920, 1080, 100000000, true);
    assert_int_equal(ladder_plan(&usual, &s, &base, r), 2);
    assert_int_equal(r[0].max_bitrate, 1920 * 1080 * 30 * 8 / 100);
    assert_int_equal(r[1].max_bitrate, 1280 * 720 * 30 * 8 / 100);
    s = source(1920, 1080, 1000000, false);
    ladder_plan(&usual, &s, &base, r);
    assert_int_equal(r[0].max_bitrate, 1000000);
    assert_int_equal(r[1].max_bitrate, 1000000);
    s = source(1920, 1080, 100000000, true);
    s.rate = (struct rational){60, 1};
    ladder_plan(&usual, &s, &base, r);
    assert_int_equal(r[0].max_bitrate, 1920 * 1080 * 45 * 8 / 100);
}

static void a_rung_is_read_as_the_first_rendition_is(void **state)
{
    (void)state;
    struct rendition r[LADDER_RUNGS_MAX];
    struct ladder_source s = source(1080, 1920, 9000000, true);
    assert_int_equal(ladder_plan(&usual, &s, &base, r), 2);
    assert_string_equal(r[1].name, "720p");
    assert_int_equal(r[1].width, 720);
    assert_int_equal(r[1].height, 1280);
    assert_int_equal(r[1].gop, 120);
    assert_int_equal(r[1].frames, 300);
    assert_int_equal(r[1].segments, 3);
    assert_int_equal(r[1].done, 0);
    assert_int_equal(r[1].stream, 1);
    assert_int_equal(r[1].generation, 2);
    assert_int_equal(r[1].source_last_us, base.source_last_us);
    assert_string_equal(r[1].colour, base.colour);
    assert_string_equal(r[1].codecs, "avc1.64001f");
    assert_true(r[1].extra && !r[1].copied);
}

static void more_than_sixty_frames_a_second_are_halved(void **state)
{
    (void)state;
    struct rendition r[LADDER_RUNGS_MAX];
    struct ladder_source s = source(1280, 720, 9000000, true);
    s.rate = (struct rational){120, 1};
    assert_int_equal(ladder_plan(&usual, &s, &base, r), 1);
    assert_int_equal(r[0].rate_num / r[0].rate_den, 60);
    assert_int_equal(r[0].gop, 240);
}

static void the_rules_can_be_changed(void **state)
{
    (void)state;
    struct ladder_rules rules = usual;
    rules.max_side = 720;
    assert_string_equal(names(&rules, source(1920, 1080, 9000000, true)), "720p");
    assert_string_equal(names(&rules, source(1920, 800, 9000000, false)), "720p");
    rules.max_side = 0;
    assert_string_equal(names(&rules, source(1920, 1080, 9000000, false)), "");
    rules = usual;
    rules.near_percent = 60;
    assert_string_equal(names(&rules, source(1920, 1080, 9000000, true)), "720p");
}

static const char *refusal(const char *codec, const char *profile, const char *pixels,
                           bool interlaced, bool *every)
{
    struct media_stream v = {.interlaced = interlaced};
    strcpy(v.codec, codec);
    strcpy(v.profile, profile);
    strcpy(v.pixels, pixels);
    return ladder_copy_refusal(&v, every);
}

static void pixels_of_absurd_shape_are_not_copied(void **state)
{
    (void)state;
    bool every;
    struct media_stream v = {
        .codec = "h264", .profile = "High", .pixels = "yuv420p", .sar = {1000, 3}};
    assert_non_null(ladder_copy_refusal(&v, &every));
    v.sar = (struct rational){1, 50};
    assert_non_null(ladder_copy_refusal(&v, &every));
    v.sar = (struct rational){64, 45};
    assert_null(ladder_copy_refusal(&v, &every));
}

static void bits_are_those_that_are_known(void **state)
{
    (void)state;
    struct rendition copy = {.bitrate = 3000000, .copied = true};
    assert_int_equal(ladder_bitrate(&copy, 10000000, 10000000), 2000000);
    copy.average_bitrate = 1900000;
    assert_int_equal(ladder_bitrate(&copy, 10000000, 10000000), 1900000);
    copy = (struct rendition){.bitrate = LADDER_COPY_BITRATE, .copied = true};
    assert_int_equal(ladder_bitrate(&copy, 1250000, 10000000), 1000000);
    assert_int_equal(ladder_bitrate(&copy, -1, 10000000), 5333333);
    assert_int_equal(ladder_bitrate(&copy, 1250000, -1), 5333333);
}

static void what_browsers_play_may_be_copied(void **state)
{
    (void)state;
    bool every;
    static const char *const profiles[] = {"Constrained Baseline", "Baseline", "Main",
                                           "High", "Progressive High"};
    for (size_t i = 0; i < sizeof(profiles) / sizeof(profiles[0]); i++) {
        assert_null(refusal("h264", profiles[i], "yuv420p", false, &every));
        assert_true(every);
    }
    assert_null(refusal("h264", "High", "yuvj420p", false, &every));
    assert_null(refusal("hevc", "Main 10", "yuv420p10le", false, &every));
    assert_false(every);
    assert_null(refusal("vp9", "Profile 0", "yuv420p", false, &every));
    assert_null(refusal("av1", "Main", "yuv420p10le", false, &every));
}

static void what_they_do_not_play_is_refused_with_a_reason(void **state)
{
    (void)state;
    bool every;
    assert_non_null(refusal("vp8", "", "yuv420p", false, &every));
    assert_non_null(refusal("mpeg2video", "Main", "yuv420p", false, &every));
    assert_non_null(refusal("h264", "High 10", "yuv420p10le", false, &every));
    assert_non_null(refusal("h264", "High 4:4:4 Predictive", "yuv420p", false, &every));
    assert_non_null(refusal("h264", "High", "", false, &every));
    assert_non_null(refusal("hevc", "Rext", "yuv444p", false, &every));
    assert_string_equal(refusal("h264", "High", "yuv420p", true, &every),
                        "Its picture is interlaced.");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_smaller_side_decides_and_nothing_is_made_larger),
        cmocka_unit_test(a_rung_near_to_a_source_that_all_can_have_is_dropped),
        cmocka_unit_test(a_dropped_rung_leaves_nothing_behind),
        cmocka_unit_test(no_rung_has_more_bits_than_the_source_or_the_cap),
        cmocka_unit_test(a_rung_is_read_as_the_first_rendition_is),
        cmocka_unit_test(more_than_sixty_frames_a_second_are_halved),
        cmocka_unit_test(the_rules_can_be_changed),
        cmocka_unit_test(pixels_of_absurd_shape_are_not_copied),
        cmocka_unit_test(bits_are_those_that_are_known),
        cmocka_unit_test(what_browsers_play_may_be_copied),
        cmocka_unit_test(what_they_do_not_play_is_refused_with_a_reason),
    };
    return cmocka_run_group_tests_name("ladder", tests, NULL, NULL);
}
