#include "args_line.h"
#include "check.h"

#include "args.h"
#include "grid.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define SRC "/srv/site/spool/aaaaaaaaaaaaaaaa.src"

static struct args args;

static const struct args_source mp4 = {.program = "ffmpeg",
                                       .path = SRC,
                                       .container = CONTAINER_MP4,
                                       .max_pixels = 35389440};
#define INPUT "-protocol_whitelist file,pipe -max_pixels 35389440 -f mov "
#define COPIED "-fflags +discardcorrupt " INPUT
#define FMP4                                                                           \
    "-map_metadata -1 -use_editlist 0 -avoid_negative_ts disabled -movflags "          \
    "+frag_keyframe+negative_cts_offsets+empty_moov+default_base_moof+frag_discont "   \
    "-f mp4 "

static void assert_line(const char *want)
{
    static char got[8192];
    args_quote(&args, got, sizeof(got));
    take_guards_out(got);
    assert_string_equal(got, want);
}

static void a_copy_from_the_start_does_not_seek(void **state)
{
    (void)state;
    assert_int_equal(args_copy(&mp4, 1, false, 0, 0, NULL, &args), RC_OK);
    assert_line("ffmpeg -nostdin -hide_banner -v error " COPIED
                "-copyts -start_at_zero -i file:" SRC " -map 0:1 -c copy " FMP4
                "pipe:1");
}

static void one_from_a_keyframe_on_begins_there(void **state)
{
    (void)state;
    assert_int_equal(args_copy(&mp4, 0, false, 10416667, 0, NULL, &args), RC_OK);
    assert_line(
        "ffmpeg -nostdin -hide_banner -v error -noaccurate_seek -ss 10.416667 " COPIED
        "-copyts -start_at_zero -i file:" SRC " -map 0:0 -c copy " FMP4 "pipe:1");
}

static void a_still_at_the_end_is_shown_for_as_long_as_it_is(void **state)
{
    (void)state;
    const struct args_still still = {58960000, 67960000};
    assert_int_equal(args_copy(&mp4, 1, false, 0, 0, &still, &args), RC_OK);
    assert_line("ffmpeg -nostdin -hide_banner -v error " COPIED
                "-copyts -start_at_zero -i file:" SRC " -map 0:1 -c copy -bsf:v "
                "'setts=pts=PTS:dts=DTS:duration=if(gte(PTS*TB\\,58.960000)"
                "\\,67.960000/TB-PTS\\,DURATION)' " FMP4 "pipe:1");
}

#define SOUND                                                                          \
    " -map_metadata -1 -use_editlist 0 -avoid_negative_ts disabled -movflags "         \
    "+empty_moov+default_base_moof+frag_discont -f mp4 pipe:1 -map 0:1 -f null -"

static void sound_is_cut_between_its_frames(void **state)
{
    (void)state;
    double frame_us = 1e6 * 1024 / 44100;
    assert_int_equal(args_copy_sound(&mp4, 1, 0, 0, frame_us, 192, &args), RC_OK);
    assert_line("ffmpeg -nostdin -hide_banner -v error " COPIED
                "-copyts -start_at_zero -i file:" SRC " -map 0:1 -c copy "
                "-xerror -bsf:a 'noise=drop=lt(pts*tb\\,-0.011610)' -frag_duration "
                "4446621" SOUND);
    assert_int_equal(args_copy_sound(&mp4, 1, 8716463, 8916463, frame_us, 192, &args),
                     RC_OK);
    assert_line(
        "ffmpeg -nostdin -hide_banner -v error -noaccurate_seek -ss 8.716463 " COPIED
        "-copyts -start_at_zero -i file:" SRC " -map 0:1 -c copy "
        "-xerror -bsf:a 'noise=drop=lt(pts*tb\\,8.904853)' -frag_duration "
        "4446621" SOUND);
    const struct args_source none = {
        .program = "ffmpeg", .path = SRC, .container = CONTAINER_NONE, .max_pixels = 1};
    assert_int_equal(args_copy_sound(&none, 1, 0, 0, frame_us, 192, &args), RC_INVALID);
}

static void hevc_has_the_tag_that_all_players_know(void **state)
{
    (void)state;
    assert_int_equal(args_copy(&mp4, 0, true, 0, 1, NULL, &args), RC_OK);
    assert_line("ffmpeg -nostdin -hide_banner -v error " COPIED
                "-copyts -start_at_zero -i file:" SRC
                " -map 0:0 -c copy -frames:v 1 -tag:v hvc1 " FMP4 "pipe:1");
}

static void packets_are_listed_with_their_sizes_and_the_start_of_the_file(void **state)
{
    (void)state;
    assert_int_equal(args_copy_packets(&mp4, 2, &args), RC_OK);
    assert_line(
        "ffmpeg -v error -of compact=p=0:nk=1 -select_streams 2 -show_entries "
        "format=start_time:packet=pts_time,dts_time,duration_time,size,flags " COPIED
        "-i file:" SRC);
}

static void of_keyframes_only_parameter_sets_and_wrong_slices_come_out(void **state)
{
    (void)state;
    assert_int_equal(args_param_sets(&mp4, 0, false, &args), RC_OK);
    assert_line("ffmpeg -nostdin -hide_banner -v error -discard:v nokey " INPUT
                "-i file:" SRC " -map 0:0 -c copy -bsf:v "
                "'noise=drop=not(key),h264_mp4toannexb,filter_units=pass_types=1|7|8' "
                "-f data pipe:1");
    assert_int_equal(args_param_sets(&mp4, 0, true, &args), RC_OK);
    assert_string_equal(args.v[args.n - 4], "noise=drop=not(key),hevc_mp4toannexb,"
                                            "filter_units=pass_types=0-15|32-34");
}

static void no_container_no_line(void **state)
{
    (void)state;
    struct args_source none = mp4;
    none.container = CONTAINER_NONE;
    assert_int_equal(args_copy(&none, 0, false, 0, 0, NULL, &args), RC_INVALID);
    assert_int_equal(args_copy_packets(&none, 0, &args), RC_INVALID);
    assert_int_equal(args_param_sets(&none, 0, false, &args), RC_INVALID);
}

/* ---- the ladder ----------------------------------------------------------- */

static const struct rendition large = {.name = "1080p",
                                       .kind = RENDITION_VIDEO,
                                       .width = 1920,
                                       .height = 1080,
                                       .rate_num = 25,
                                       .rate_den = 1,
                                       .gop = 100,
                                       .frames = 1000,
                                       .segments = 10,
                                       .source_last_us = 39960000,
                                       .extra = true,
                                       .max_bitrate = 4000000};

static bool has(const char *text)
{
    static char line[8192];
    args_quote(&args, line, sizeof(line));
    return strstr(line, text) != NULL;
}

static void a_rung_is_encoded_well_and_held_to_its_bits(void **state)
{
    (void)state;
    struct args_run run = {.from = 3, .end = 5};
    assert_int_equal(args_encode(&mp4, &large, 25, &run, &args), RC_OK);
    assert_true(has(" -c:v libx264 -preset veryfast -crf 23 -maxrate 4000000 -bufsize "
                    "8000000 -x264-params chromaloc=0 -profile:v high -level:v 4.0 "
                    "-sc_threshold 0 -g 100 -keyint_min 100 "));
    assert_true(has(" -frames:v 200 "));
    assert_true(has(FMP4 "pipe:1"));
    assert_false(has("skip_loop_filter"));
    assert_false(has("zerolatency"));
}

static void a_smaller_one_beside_it_is_made_of_its_pictures(void **state)
{
    (void)state;
    struct rendition small = large;
    struct args_run run = {.from = 0, .end = 10, .beside = &small};
    small.width = 1280;
    small.height = 720;
    small.max_bitrate = 2000000;
    assert_int_equal(args_encode(&mp4, &large, 25, &run, &args), RC_OK);
    assert_true(has("-filter_complex '[0:0]"));
    assert_true(has(",split[one][two];[two]scale=1280:720:flags=bicubic[three]' "
                    "-map '[one]' -frames:v 1000 "));
    assert_true(has("pipe:1 -map '[three]' -frames:v 1000 -c:v libx264 "));
    assert_true(has("-maxrate 2000000 "));
    assert_true(has(FMP4 "pipe:3"));
    assert_false(has("-vf"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_copy_from_the_start_does_not_seek),
        cmocka_unit_test(one_from_a_keyframe_on_begins_there),
        cmocka_unit_test(a_still_at_the_end_is_shown_for_as_long_as_it_is),
        cmocka_unit_test(sound_is_cut_between_its_frames),
        cmocka_unit_test(hevc_has_the_tag_that_all_players_know),
        cmocka_unit_test(packets_are_listed_with_their_sizes_and_the_start_of_the_file),
        cmocka_unit_test(of_keyframes_only_parameter_sets_and_wrong_slices_come_out),
        cmocka_unit_test(no_container_no_line),
        cmocka_unit_test(a_rung_is_encoded_well_and_held_to_its_bits),
        cmocka_unit_test(a_smaller_one_beside_it_is_made_of_its_pictures),
    };
    return cmocka_run_group_tests_name("args_copy", tests, NULL, NULL);
}
