/* test_args_picture.c: command lines that take single pictures; that of the usual
 * poster is in test_args.c. */
#include "args_line.h"
#include "check.h"

#include "args.h"
#include "filters.h"

#include <stdio.h>
#include <string.h>

#define SRC "/srv/site/spool/aaaaaaaaaaaaaaaa.src"
#define SAFE "-protocol_whitelist file,pipe -max_pixels 1000 -f "
#define MAKER                                                                          \
    "ffmpeg -nostdin -hide_banner -v error -max_error_rate 1 -filter_threads 1 "       \
    "-filter_complex_threads 1 -threads 1 -skip_loop_filter all " SAFE
#define OUT                                                                            \
    "-enc_time_base:v 1/90000 -fps_mode:v passthrough -threads 1 -map_metadata -1 "    \
    "-avoid_negative_ts disabled -max_interleave_delta 1 -flush_packets 1 -f "         \
    "matroska pipe:1"

static struct args args;
static struct args_source src;
static const struct rendition wide = {
    .width = 640, .height = 360, .stream = 1, .seek_margin_us = 1000000};

static int setup(void **state)
{
    (void)state;
    src = (struct args_source){.program = "ffmpeg",
                               .path = SRC,
                               .container = CONTAINER_MP4,
                               .max_pixels = 1000};
    return 0;
}

static void assert_line(const char *want)
{
    char line[4096] = "";

    for (int i = 0; i < args.n; i++)
        snprintf(line + strlen(line), sizeof(line) - strlen(line), "%s%s", i ? " " : "",
                 args.v[i]);
    take_guards_out(line);
    assert_string_equal(line, want);
}

/* What becomes of a picture: see test_filters.c. */
static const char *still(int width, int height)
{
    static char filters[FILTERS_MAX];

    assert_int_equal(filters_still(&wide, width, height, filters), RC_OK);
    return filters;
}

static const char *with(const char *before, const char *filters, const char *after)
{
    static char text[4096];

    snprintf(text, sizeof(text), "%s%s%s", before, filters, after);
    return text;
}

static bool has(const char *words)
{
    char line[8192] = " ";

    for (int i = 0; i < args.n; i++)
        snprintf(line + strlen(line), sizeof(line) - strlen(line), "%s ", args.v[i]);
    take_guards_out(line);
    return strstr(line, words) != NULL;
}

static void a_still_is_the_first_picture_from_its_time_on(void **state)
{
    (void)state;
    assert_int_equal(args_still(&src, &wide, 41500000, 320, &args), RC_OK);
    assert_line(with("ffmpeg -nostdin -hide_banner -v error -max_error_rate 0.02 "
                     "-noaccurate_seek -ss 40.500000 -skip_loop_filter noref " SAFE
                     "mov -copyts -start_at_zero -i file:" SRC " -map 0:1 -vf "
                     "select=gte(t\\,41.500000),",
                     still(320, 180),
                     " -frames:v 1 -c:v mjpeg -q:v 4 -f image2pipe pipe:1"));
    assert_int_equal(args_still(&src, &wide, -40000, 320, &args), RC_OK);
    assert_false(has(" -ss "));
    assert_true(has("select=gte(t\\,0.000000),"));
}

static void keyframes_are_picked_by_what_they_cost(void **state)
{
    const struct args_pick pick = {.every_us = 5000000, .pixels = 3000000};

    (void)state;
    assert_int_equal(args_pick(&src, &wide, &pick, &args), RC_OK);
    assert_line("ffmpeg -nostdin -hide_banner -v error " SAFE "mov -copyts "
                "-start_at_zero -i file:" SRC " -map 0:1 -c copy -copypriorss 1 -bsf:v "
                "noise=drop=if(not(key)+ld(1)*lt(pts*tb\\,ld(0))\\,1\\,0*st(1\\,1)"
                "*st(0\\,pts*tb+max(5.000\\,2.000+size/22000))) -map_metadata -1 "
                "-avoid_negative_ts disabled -output_ts_offset 16 -time_base 1/90000 "
                "-video_track_timescale 90000 -use_editlist 0 -movflags "
                "+frag_every_frame+empty_moov+default_base_moof+frag_discont -f mp4 "
                "pipe:1");
}

static void packets_stay_in_the_format_that_they_come_in(void **state)
{
    static const struct {
        enum container container;
        const char *format;
    } cases[] = {
        {CONTAINER_MP4, " -f mp4 pipe:1 "},
        {CONTAINER_MOV, " -f mov pipe:1 "},
        {CONTAINER_MATROSKA, " -time_base 1/1000 -f matroska pipe:1 "},
        {CONTAINER_WEBM, " -time_base 1/1000 -f matroska pipe:1 "},
    };
    const struct args_pick pick = {.every_us = 1};

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        src.container = cases[i].container;
        assert_int_equal(args_pick(&src, &wide, &pick, &args), RC_OK);
        assert_true(has(cases[i].format));
    }
}

static void a_span_is_picked_with_growing_gaps_or_whole(void **state)
{
    struct args_pick pick = {
        .from_us = 3000000, .length_us = 120000000, .every_us = 1500000};

    (void)state;
    assert_int_equal(args_pick(&src, &wide, &pick, &args), RC_OK);
    assert_true(has(" -ss 3.000000 -t 120.000000 -protocol_whitelist "));
    assert_true(has("*st(2\\,max(1.500\\,1.5*ld(2)))*st(0\\,pts*tb+ld(2))) "));
    pick.all = true;
    assert_int_equal(args_pick(&src, &wide, &pick, &args), RC_OK);
    assert_false(has("-bsf"));
}

static void sheets_are_made_of_what_is_read(void **state)
{
    const struct args_grid grid = {160, 90, 5, 4};

    (void)state;
    assert_int_equal(args_sheets(&src, &wide, &grid, &args), RC_OK);
    assert_line(with(MAKER "mov -copyts -i pipe:0 -filter_complex [0:v]",
                     still(160, 90),
                     ",split[a][b];[a]tile=5x4[sheets];[b]scale=16:16[times] "
                     "-map [sheets] -map [times] -c:v mjpeg -q:v 5 " OUT));
}

static void a_survey_is_grey_and_ends_by_itself(void **state)
{
    (void)state;
    src.container = CONTAINER_WEBM;
    assert_int_equal(args_survey(&src, 32, 18, 10, false, &args), RC_OK);
    assert_line(MAKER "matroska -copyts -i pipe:0 -vf scale=32:18:flags=area,setsar=1,"
                      "format=gray -frames:v 10 -c:v rawvideo " OUT);
    assert_int_equal(args_survey(&src, 32, 18, 10, true, &args), RC_OK);
    assert_true(has("-vf select=isnan(prev_selected_t)+gte(t-prev_selected_t\\,3),"));
}

static void no_container_no_line(void **state)
{
    const struct args_pick pick = {.every_us = 1};
    const struct args_grid grid = {2, 2, 1, 1};

    (void)state;
    src.container = CONTAINER_NONE;
    assert_int_equal(args_still(&src, &wide, 0, 2, &args), RC_INVALID);
    assert_int_equal(args_pick(&src, &wide, &pick, &args), RC_INVALID);
    assert_int_equal(args_sheets(&src, &wide, &grid, &args), RC_INVALID);
    assert_int_equal(args_survey(&src, 2, 2, 1, false, &args), RC_INVALID);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_still_is_the_first_picture_from_its_time_on, setup),
        cmocka_unit_test_setup(keyframes_are_picked_by_what_they_cost, setup),
        cmocka_unit_test_setup(packets_stay_in_the_format_that_they_come_in, setup),
        cmocka_unit_test_setup(a_span_is_picked_with_growing_gaps_or_whole, setup),
        cmocka_unit_test_setup(sheets_are_made_of_what_is_read, setup),
        cmocka_unit_test_setup(a_survey_is_grey_and_ends_by_itself, setup),
        cmocka_unit_test_setup(no_container_no_line, setup),
    };
    return cmocka_run_group_tests_name("args_picture", tests, NULL, NULL);
}
