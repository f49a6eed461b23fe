#include "check.h"

#include "filters.h"

#include <stdio.h>
#include <string.h>

#define BT709                                                                          \
    "setparams=range=tv:color_primaries=bt709:color_trc=bt709:colorspace=bt709"
#define TONE_MAP                                                                       \
    "zscale=t=linear:npl=203,format=gbrpf32le,zscale=p=bt709,"                         \
    "tonemap=mobius:param=0.5:peak=5:desat=0,zscale=t=bt709:m=bt709:r=tv"

static char chain[FILTERS_MAX];

/* 640 × 360 in 25 frames a second. */
static struct rendition of(const char *colour)
{
    struct rendition r = {.width = 640, .height = 360, .rate_num = 25, .rate_den = 1};
    snprintf(r.colour, sizeof(r.colour), "%s", colour);
    return r;
}

static const char *video(const char *colour)
{
    struct rendition r = of(colour);
    assert_int_equal(filters_video(&r, 25, 4000000, false, chain), RC_OK);
    return chain;
}

static const char *still(const char *colour)
{
    struct rendition r = of(colour);
    assert_int_equal(filters_still(&r, 320, 180, chain), RC_OK);
    return chain;
}

static void an_ordinary_picture_is_scaled_and_tagged(void **state)
{
    (void)state;
    assert_string_equal(video("bt709/bt709/bt709"),
                        "scale=640:360:flags=bilinear:in_range=tv:out_range=tv,"
                        "tpad=stop_mode=clone:stop=-1,"
                        "fps=25/1:start_time=4.000000,format=yuv420p," BT709
                        ",setsar=1");
    assert_string_equal(video("smpte170m/bt470bg/bt709"),
                        "scale=640:360:flags=bilinear:in_range=tv:out_range=tv,"
                        "tpad=stop_mode=clone:stop=-1,"
                        "fps=25/1:start_time=4.000000,format=yuv420p,"
                        "setparams=range=tv:color_primaries=bt470bg:color_trc=bt709:"
                        "colorspace=smpte170m,setsar=1");
}

static void full_range_becomes_limited(void **state)
{
    (void)state;
    assert_non_null(strstr(video("bt709/bt709/bt709/pc"),
                           "flags=bilinear:in_range=pc:out_range=tv,"));
}

static void nothing_is_made_up_after_an_open_end(void **state)
{
    (void)state;
    struct rendition r = of("bt709/bt709/bt709");
    assert_int_equal(filters_video(&r, 25, 0, true, chain), RC_OK);
    assert_null(strstr(chain, "tpad"));
    assert_int_equal(strncmp(chain, "scale=", 6), 0);
}

static void a_rung_is_scaled_with_more_care(void **state)
{
    (void)state;
    struct rendition r = of("bt709/bt709/bt709");
    r.max_bitrate = 2000000;
    assert_int_equal(filters_video(&r, 25, 0, false, chain), RC_OK);
    assert_non_null(strstr(chain, ":flags=bicubic:"));
}

/* The dear part comes after scaling. */
static void hdr_is_tone_mapped_when_it_is_small(void **state)
{
    (void)state;
    assert_string_equal(
        video("bt2020nc/bt2020/arib-std-b67"),
        "scale=640:360:flags=bilinear:in_range=tv:out_range=tv,"
        "tpad=stop_mode=clone:stop=-1,"
        "fps=25/1:start_time=4.000000,format=yuv420p10le,"
        "setparams=range=tv:color_primaries=bt2020:color_trc=arib-std-b67:"
        "colorspace=bt2020nc," TONE_MAP ",format=yuv420p," BT709 ",setsar=1");
}

static void other_primaries_are_converted(void **state)
{
    (void)state;
    assert_non_null(
        strstr(video("bt709/smpte432/bt709"),
               "format=yuv420p10le,setparams=range=tv:color_primaries="
               "smpte432:color_trc=bt709:colorspace=bt709,"
               "zscale=p=bt709:t=bt709:m=bt709:r=tv,format=yuv420p," BT709));
}

static void rgb_becomes_bt709(void **state)
{
    (void)state;
    assert_string_equal(
        video("gbr/bt709/bt709"),
        "scale=640:360:flags=bilinear:out_color_matrix=bt709:out_range=tv,"
        "tpad=stop_mode=clone:stop=-1,"
        "fps=25/1:start_time=4.000000,format=yuv420p," BT709 ",setsar=1");
    assert_non_null(strstr(video("gbr/bt2020/smpte2084"),
                           "flags=bilinear:out_range=pc,tpad=stop_mode=clone:stop=-1,"
                           "fps=25/1:start_time=4.000000,"
                           "format=gbrp10le,setparams=range=pc:"));
}

static void a_still_is_bt601_of_full_range(void **state)
{
    (void)state;
    assert_string_equal(
        still("bt709/bt709/bt709"),
        "scale=320:180:flags=bicubic:in_range=tv:out_range=tv,"
        "format=yuv444p,scale=in_color_matrix=bt709:in_range=tv:out_color_matrix="
        "bt601:out_range=pc,setsar=1,format=yuvj420p");
    assert_non_null(strstr(still("smpte170m/bt709/bt709"), "in_color_matrix=bt601:"));
    assert_non_null(strstr(still("bt470bg/bt709/bt709"), "in_color_matrix=bt601:"));
    assert_non_null(strstr(still(""), "in_color_matrix=bt601:"));
    assert_non_null(strstr(still("bt2020nc/bt2020/smpte2084"),
                           TONE_MAP ",format=yuv444p,scale=in_color_matrix=bt709:"));
    assert_null(strstr(chain, "tpad"));
    assert_non_null(strstr(still("gbr/bt709/bt709"),
                           "out_range=tv,format=yuv444p,scale=in_color_matrix=bt709:"));
}

static void fields_become_whole_pictures_before_anything_else(void **state)
{
    (void)state;
    struct rendition r = of("bt709/bt709/bt709");
    r.deinterlace = true;
    assert_int_equal(filters_video(&r, 25, 0, false, chain), RC_OK);
    const char *first = "bwdif=mode=send_frame:deint=interlaced,";
    assert_int_equal(strncmp(chain, first, strlen(first)), 0);
    assert_int_equal(filters_still(&r, 320, 180, chain), RC_OK);
    assert_int_equal(strncmp(chain, first, strlen(first)), 0);
}

static void frames_to_drop_are_dropped_before_they_cost_anything(void **state)
{
    (void)state;
    struct rendition r = of("bt2020nc/bt2020/smpte2084");
    assert_int_equal(filters_video(&r, 50, 0, false, chain), RC_OK);
    assert_non_null(strstr(chain, "fps=25/1:start_time=0.000000,scale=640"));
    snprintf(r.colour, sizeof(r.colour), "bt709/bt709/bt709/pc");
    assert_int_equal(filters_video(&r, 50, 0, false, chain), RC_OK);
    assert_int_equal(strncmp(chain, "scale=640", 9), 0);
    r = of("bt2020nc/bt2020/smpte2084");
    assert_int_equal(filters_video(&r, 25.5, 0, false, chain), RC_OK);
    assert_non_null(strstr(chain, "out_range=tv,tpad=stop_mode=clone:stop=-1,fps="));
}

static void any_chain_fits(void **state)
{
    (void)state;
    struct rendition r = of("bt470bg/smpte240m/iec61966-2-4/pc");
    r.width = r.height = r.rate_num = r.rate_den = INT32_MIN;
    r.deinterlace = true;
    assert_int_equal(filters_video(&r, 1, INT64_MAX, false, chain), RC_OK);
    snprintf(r.colour, sizeof(r.colour), "gbr/smpte240m/arib-std-b67");
    assert_int_equal(filters_video(&r, 1, INT64_MAX, false, chain), RC_OK);
    assert_int_equal(filters_still(&r, INT32_MIN, INT32_MIN, chain), RC_OK);
    assert_null(strchr(chain, ' '));
}

static void sound_is_resampled_then_mixed_then_limited(void **state)
{
    (void)state;
    assert_int_equal(filters_audio(979968, 2880512, false, chain), RC_OK);
    assert_int_equal(strncmp(chain, "aresample=48000,apad,aresample=async=1:", 39), 0);
    const char *parts[] = {":first_pts=979968,aformat=sample_fmts=fltp,", "pan=stereo|",
                           "alimiter=", "atrim=end_pts=2880512"};
    const char *at = chain;
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
        at = strstr(at, parts[i]);
        assert_non_null(at);
    }
    assert_int_equal(filters_audio(INT64_MIN, INT64_MIN, true, chain), RC_OK);
    assert_null(strstr(chain, "apad"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_ordinary_picture_is_scaled_and_tagged),
        cmocka_unit_test(full_range_becomes_limited),
        cmocka_unit_test(nothing_is_made_up_after_an_open_end),
        cmocka_unit_test(a_rung_is_scaled_with_more_care),
        cmocka_unit_test(hdr_is_tone_mapped_when_it_is_small),
        cmocka_unit_test(other_primaries_are_converted),
        cmocka_unit_test(rgb_becomes_bt709),
        cmocka_unit_test(a_still_is_bt601_of_full_range),
        cmocka_unit_test(fields_become_whole_pictures_before_anything_else),
        cmocka_unit_test(frames_to_drop_are_dropped_before_they_cost_anything),
        cmocka_unit_test(any_chain_fits),
        cmocka_unit_test(sound_is_resampled_then_mixed_then_limited),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
