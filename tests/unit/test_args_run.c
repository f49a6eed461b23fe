/* Which part of the timeline a run makes, and where it begins to read for that. */
#include "check.h"

#include "args.h"

#include <stdlib.h>
#include <string.h>

static struct args args;
static const struct args_source mp4 = {.program = "ffmpeg",
                                       .path = "/srv/clip.src",
                                       .container = CONTAINER_MP4,
                                       .max_pixels = 1000};

/* A minute at 25 frames a second, and of sound. */
static const struct rendition picture = {
    .kind = RENDITION_VIDEO,
    .width = 640,
    .height = 360,
    .rate_num = 25,
    .rate_den = 1,
    .gop = 50,
    .frames = 1490,
    .segments = 30,
    .source_last_us = 59560000,
    .seek_margin_us = 1000000,
};
static const struct rendition sound = {
    .kind = RENDITION_AUDIO,
    .rate_num = 375,
    .rate_den = 8,
    .gop = 192,
    .frames = 2800,
    .segments = 15,
    .stream = 1,
    .source_last_us = 59700000,
};

static void encode(const struct rendition *r, struct args_run run)
{
    assert_int_equal(args_encode(&mp4, r, 25, &run, &args), RC_OK);
}

static const char *value_of(const char *option)
{
    for (int i = 0; i + 1 < args.n; i++)
        if (strcmp(args.v[i], option) == 0)
            return args.v[i + 1];
    return NULL;
}

static double seconds(const char *option)
{
    const char *text = value_of(option);
    return text ? atof(text) : -1;
}

static void a_picture_run_ends_with_its_last_segment(void **state)
{
    (void)state;
    encode(&picture, (struct args_run){.from = 4, .end = 7});
    assert_string_equal(value_of("-frames:v"), "150");
    assert_non_null(strstr(value_of("-vf"), "start_time=8.000000"));
    encode(&picture, (struct args_run){.from = 29, .end = 30});
    assert_string_equal(value_of("-frames:v"), "40"); /* the short one at the end */
}

/* Nothing is shown or heard that is not in the source. */
static void an_open_run_makes_nothing_up(void **state)
{
    (void)state;
    encode(&picture, (struct args_run){.from = 4, .end = 7});
    assert_non_null(strstr(value_of("-vf"), "tpad"));
    encode(&picture, (struct args_run){.from = 4, .end = 7, .open = true});
    assert_null(strstr(value_of("-vf"), "tpad"));
    encode(&sound, (struct args_run){.from = 2, .end = 4});
    assert_non_null(strstr(value_of("-af"), "apad"));
    encode(&sound, (struct args_run){.from = 2, .end = 4, .open = true});
    assert_null(strstr(value_of("-af"), "apad"));
}

/* Each AAC frame overlaps with the next: three more are made and dropped. */
static void a_sound_run_goes_a_little_beyond_its_last_segment(void **state)
{
    (void)state;
    encode(&sound, (struct args_run){.from = 2, .end = 4});
    assert_non_null(strstr(value_of("-af"), "first_pts=390144"));
    assert_non_null(strstr(value_of("-af"), "atrim=end_pts=789504"));
    assert_string_equal(value_of("-bsf:a"),
                        "noise=drop=lt(pts\\,393216)+gte(pts\\,786432)");
    encode(&sound, (struct args_run){.from = 14, .end = 15});
    assert_non_null(strstr(value_of("-af"), "atrim=end_pts=2867200"));
    assert_non_null(strstr(value_of("-bsf:a"), "gte(pts\\,2867200)"));
}

static void a_known_keyframe_is_read_from_instead_of_a_guess(void **state)
{
    (void)state;
    encode(&picture, (struct args_run){.from = 4, .end = 7, .seek_us = 8016666});
    assert_string_equal(value_of("-ss"), "8.016666");
    encode(&picture, (struct args_run){.from = 4, .end = 7});
    assert_string_equal(value_of("-ss"), "6.980000"); /* half a frame and the margin */
}

static void a_seek_that_would_be_before_the_start_is_none(void **state)
{
    (void)state;
    struct rendition r = picture;
    r.gop = 25;
    encode(&r, (struct args_run){.from = 1, .end = 2});
    assert_null(value_of("-ss"));
    assert_non_null(strstr(value_of("-vf"), "start_time=1.000000"));
    encode(&picture, (struct args_run){.from = 0, .end = 1, .seek_us = 500});
    assert_null(value_of("-ss"));
}

static void where_nothing_was_decoded_more_is_read(void **state)
{
    (void)state;
    const struct rendition *both[] = {&picture, &sound};
    for (int i = 0; i < 2; i++) {
        struct args_run run = {.from = 12, .end = 13};
        encode(both[i], run);
        double usual = seconds("-ss");
        run.lead = LEAD_LONG;
        if (i == 0) { /* 22.98 s: not as much as half a minute is there */
            encode(both[i], run);
            assert_null(value_of("-ss"));
        } else {
            encode(both[i], run);
            assert_true(seconds("-ss") > usual - 30.001 &&
                        seconds("-ss") < usual - 29.999);
        }
        run.lead = LEAD_ALL;
        encode(both[i], run);
        assert_null(value_of("-ss"));
    }
}

static void a_run_of_segments_that_are_not_promised_is_refused(void **state)
{
    (void)state;
    static const struct args_run wrong[] = {
        {.from = -1, .end = 2},  {.from = 3, .end = 3},   {.from = 4, .end = 3},
        {.from = 29, .end = 31}, {.from = 30, .end = 31},
    };
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
        assert_int_equal(args_encode(&mp4, &picture, 25, &wrong[i], &args), RC_INVALID);
}

static void keyframes_are_asked_for_of_one_stream(void **state)
{
    (void)state;
    struct args_source src = mp4;
    src.program = "ffprobe";
    assert_int_equal(args_keyframes(&src, 3, &args), RC_OK);
    assert_string_equal(args.v[0], "ffprobe");
    assert_string_equal(value_of("-select_streams"), "3");
    assert_string_equal(value_of("-f"), "mov");
    assert_string_equal(value_of("-protocol_whitelist"), "file,pipe");
    assert_string_equal(value_of("-i"), "file:/srv/clip.src");
    src.container = CONTAINER_NONE;
    assert_int_equal(args_keyframes(&src, 0, &args), RC_INVALID);
}

/* ---- what has not arrived as a whole -------------------------------------- */

static void a_source_may_be_read_from_elsewhere(void **state)
{
    (void)state;
    struct args_source src = mp4;
    char text[4096];
    src.url = "pipe:0";
    assert_int_equal(args_probe(&src, &args), RC_OK);
    args_quote(&args, text, sizeof(text));
    assert_non_null(strstr(text, " -protocol_whitelist file,pipe "));
    assert_non_null(strstr(text, " -i pipe:0"));
    assert_null(strstr(text, "/srv/clip.src"));
}

/* Only the one that is made of parts may open parts. */
static void a_source_in_parts_has_the_protocols_for_that(void **state)
{
    (void)state;
    struct args_source src = mp4;
    char text[4096];
    src.url = "concat:/a|subfile,,start,40,end,90,,:/b";
    assert_int_equal(args_probe(&src, &args), RC_OK);
    args_quote(&args, text, sizeof(text));
    assert_non_null(strstr(text, " -protocol_whitelist file,pipe,concat,subfile "));
    assert_non_null(strstr(text, "-i 'concat:/a|subfile,,start,40,end,90,,:/b'"));
}

/* What a line tells the jail. */
static void it_says_which_files_are_read(void **state)
{
    (void)state;
    struct args_source src = mp4;
    assert_int_equal(args_probe(&src, &args), RC_OK);
    assert_true(args.jailed);
    assert_string_equal(args.reads[0], "/srv/clip.src");
    assert_null(args.reads[1]);
    src.url = "concat:/srv/head|subfile,,start,1,end,2,,:/srv/clip.src";
    src.also = "/srv/head";
    assert_int_equal(args_probe(&src, &args), RC_OK);
    assert_string_equal(args.reads[0], "/srv/clip.src");
    assert_string_equal(args.reads[1], "/srv/head");
    src.url = "pipe:0";
    assert_int_equal(args_probe(&src, &args), RC_OK);
    assert_true(args.jailed);
    assert_null(args.reads[0]);
    assert_int_equal(args_checksum("/srv/clip.src", &args), RC_OK);
    assert_true(args.jailed);
    assert_string_equal(args.reads[0], "/srv/clip.src");
    assert_null(args.reads[1]);
    assert_int_equal(args_sync("/srv", &args), RC_OK);
    assert_false(args.jailed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_says_which_files_are_read),
        cmocka_unit_test(a_picture_run_ends_with_its_last_segment),
        cmocka_unit_test(an_open_run_makes_nothing_up),
        cmocka_unit_test(a_sound_run_goes_a_little_beyond_its_last_segment),
        cmocka_unit_test(a_known_keyframe_is_read_from_instead_of_a_guess),
        cmocka_unit_test(a_seek_that_would_be_before_the_start_is_none),
        cmocka_unit_test(where_nothing_was_decoded_more_is_read),
        cmocka_unit_test(a_run_of_segments_that_are_not_promised_is_refused),
        cmocka_unit_test(keyframes_are_asked_for_of_one_stream),
        cmocka_unit_test(a_source_may_be_read_from_elsewhere),
        cmocka_unit_test(a_source_in_parts_has_the_protocols_for_that),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
