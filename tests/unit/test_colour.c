#include "check.h"
#include "colour.h"

#include <stdio.h>
#include <string.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* A stream of that size which says so much of itself. */
static struct media_stream stream(int width, int height, const char *matrix,
                                  const char *primaries, const char *transfer)
{
    struct media_stream s = {.kind = MEDIA_VIDEO, .width = width, .height = height};
    snprintf(s.matrix, sizeof(s.matrix), "%s", matrix);
    snprintf(s.primaries, sizeof(s.primaries), "%s", primaries);
    snprintf(s.transfer, sizeof(s.transfer), "%s", transfer);
    snprintf(s.pixels, sizeof(s.pixels), "yuv420p");
    return s;
}

static const char *stored(const struct media_stream *s)
{
    static char colour[STORE_COLOUR_MAX + 1];
    colour_of(s, colour);
    return colour;
}

static const char *of(int width, int height, const char *matrix, const char *primaries,
                      const char *transfer)
{
    struct media_stream s = stream(width, height, matrix, primaries, transfer);
    return stored(&s);
}

static const char *params(const char *text, bool made)
{
    static char out[200];
    struct colour c = colour_read(text);
    colour_params(&c, made, out, sizeof(out));
    return out;
}

static void what_the_header_says_is_kept(void **state)
{
    (void)state;
    assert_string_equal(of(640, 360, "bt709", "bt709", "bt709"), "bt709/bt709/bt709");
    assert_string_equal(of(1920, 1080, "smpte170m", "bt470bg", "bt470m"),
                        "smpte170m/bt470bg/bt470m");
    assert_string_equal(of(64, 64, "bt2020nc", "bt2020", "arib-std-b67"),
                        "bt2020nc/bt2020/arib-std-b67");
}

static void what_is_not_said_is_that_of_television_of_its_size(void **state)
{
    (void)state;
    static const struct {
        int width, height;
        const char *colour;
    } cases[] = {
        {320, 240, "smpte170m/bt709/bt709"},
        {720, 480, "smpte170m/smpte170m/bt709"},
        {720, 486, "smpte170m/smpte170m/bt709"},
        {720, 576, "bt470bg/bt470bg/bt709"},
        {1024, 576, "bt470bg/bt470bg/bt709"},
        {720, 578, "bt709/bt709/bt709"},
        {1280, 534, "bt709/bt709/bt709"}, /* a film in 720p */
        {406, 720, "bt709/bt709/bt709"},
        {1920, 1080, "bt709/bt709/bt709"},
    };
    for (size_t i = 0; i < COUNT(cases); i++)
        assert_string_equal(of(cases[i].width, cases[i].height, "", "", ""),
                            cases[i].colour);
}

static void what_is_said_tells_of_what_is_not(void **state)
{
    (void)state;
    assert_string_equal(of(1920, 1080, "smpte170m", "", ""), "smpte170m/bt709/bt709");
    assert_string_equal(of(640, 360, "bt709", "", ""), "bt709/bt709/bt709");
    assert_string_equal(of(640, 360, "", "bt2020", ""), "bt2020nc/bt2020/bt709");
    assert_string_equal(of(640, 360, "bt2020nc", "", ""), "bt2020nc/bt2020/bt709");
    assert_string_equal(of(640, 360, "", "", "smpte2084"), "bt2020nc/bt2020/smpte2084");
}

static void names_that_nobody_can_use_count_as_not_said(void **state)
{
    (void)state;
    assert_string_equal(of(1280, 720, "reserved", "x,movie=/etc/passwd", "bt1361e"),
                        "bt709/bt709/bt709");
    assert_string_equal(of(64, 64, "ictcp", "bt2020", "bt709"),
                        "bt2020nc/bt2020/bt709");
    assert_string_equal(of(64, 64, "ictcp", "bt2020", "smpte2084"),
                        "ictcp/bt2020/smpte2084");
    assert_string_equal(of(64, 64, "bt2020c", "bt2020", "smpte2084"),
                        "bt2020nc/bt2020/smpte2084");
    assert_string_equal(of(64, 64, "bt2020c", "bt2020", "bt2020-10"),
                        "bt2020c/bt2020/bt2020-10");
}

static void the_pixels_say_what_is_rgb(void **state)
{
    (void)state;
    struct media_stream s = stream(320, 240, "", "", "");
    strcpy(s.pixels, "gbrp");
    assert_string_equal(stored(&s), "gbr/bt709/bt709");
    s.full_range = true; /* as it always is */
    assert_string_equal(stored(&s), "gbr/bt709/bt709");
    strcpy(s.pixels, "bgr0");
    assert_string_equal(stored(&s), "gbr/bt709/bt709");
    /* An RGB matrix of pixels that are none is a mistake. */
    s = stream(1280, 720, "gbr", "bt709", "bt709");
    assert_string_equal(stored(&s), "bt709/bt709/bt709");
    s.pixels[0] = '\0';
    assert_string_equal(stored(&s), "gbr/bt709/bt709");
}

static void full_range_is_kept_in_mind(void **state)
{
    (void)state;
    struct media_stream s = stream(320, 240, "bt709", "bt709", "bt709");
    s.full_range = true;
    assert_string_equal(stored(&s), "bt709/bt709/bt709/pc");
    assert_true(colour_read(stored(&s)).full);
    s.full_range = false;
    assert_false(colour_read(stored(&s)).full);
    strcpy(s.pixels, "yuvj422p");
    assert_true(colour_read(stored(&s)).full);
}

static void only_what_needs_it_is_converted(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        enum colour_way way;
    } cases[] = {
        {"", COLOUR_KEPT},
        {"unknown/unknown/unknown", COLOUR_KEPT},
        {"bt709/bt709/bt709", COLOUR_KEPT},
        {"bt709/bt709/iec61966-2-1/pc", COLOUR_KEPT},
        {"smpte170m/smpte170m/smpte170m", COLOUR_KEPT},
        {"bt470bg/bt470bg/bt709", COLOUR_KEPT},
        {"gbr/bt709/iec61966-2-1", COLOUR_RGB},
        {"gbr/smpte432/bt709", COLOUR_CONVERTED},
        {"bt709/smpte432/bt709", COLOUR_CONVERTED},
        {"fcc/bt709/bt709", COLOUR_CONVERTED},
        {"ycgco/bt709/bt709", COLOUR_CONVERTED},
        {"bt709/bt709/linear", COLOUR_CONVERTED},
        {"bt2020nc/bt2020/bt2020-10", COLOUR_CONVERTED},
        {"bt2020nc/bt2020/arib-std-b67", COLOUR_TONE_MAPPED},
        {"bt709/bt709/smpte2084", COLOUR_TONE_MAPPED},
        {"gbr/bt2020/smpte2084", COLOUR_TONE_MAPPED},
    };
    for (size_t i = 0; i < COUNT(cases); i++)
        assert_int_equal(colour_read(cases[i].text).way, cases[i].way);
}

static void it_becomes_options_of_setparams(void **state)
{
    (void)state;
    assert_string_equal(params("smpte170m/bt470bg/bt709/pc", true),
                        "color_primaries=bt470bg:color_trc=bt709:colorspace=smpte170m");
    const char *hdr = "bt2020nc/bt2020/smpte2084";
    assert_string_equal(
        params(hdr, false),
        "color_primaries=bt2020:color_trc=smpte2084:colorspace=bt2020nc");
    assert_string_equal(params(hdr, true),
                        "color_primaries=bt709:color_trc=bt709:colorspace=bt709");
}

static void nothing_else_reaches_the_command_line(void **state)
{
    (void)state;
    const char *none = "color_primaries=unknown:color_trc=unknown:colorspace=unknown";
    assert_string_equal(params("", true), none);
    assert_string_equal(params("bt709", true), none);
    assert_string_equal(params("a,b/c=d/e:f", true), none);
    assert_string_equal(params("a,b/c=d/e:f/pc,null", true), none);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_the_header_says_is_kept),
        cmocka_unit_test(what_is_not_said_is_that_of_television_of_its_size),
        cmocka_unit_test(what_is_said_tells_of_what_is_not),
        cmocka_unit_test(names_that_nobody_can_use_count_as_not_said),
        cmocka_unit_test(the_pixels_say_what_is_rgb),
        cmocka_unit_test(full_range_is_kept_in_mind),
        cmocka_unit_test(only_what_needs_it_is_converted),
        cmocka_unit_test(it_becomes_options_of_setparams),
        cmocka_unit_test(nothing_else_reaches_the_command_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
