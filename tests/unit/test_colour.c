#include "check.h"
#include "colour.h"

#include <stdio.h>
#include <string.h>

static const char *of(const char *matrix, const char *primaries, const char *transfer)
{
    static char colour[STORE_COLOUR_MAX + 1];
    struct media_stream s = {.kind = MEDIA_VIDEO};
    snprintf(s.matrix, sizeof(s.matrix), "%s", matrix);
    snprintf(s.primaries, sizeof(s.primaries), "%s", primaries);
    snprintf(s.transfer, sizeof(s.transfer), "%s", transfer);
    colour_of(&s, colour);
    return colour;
}

static const char *params(const char *colour)
{
    static char text[200];
    colour_params(colour, text, sizeof(text));
    return text;
}

static void what_the_header_says_is_kept(void **state)
{
    (void)state;
    assert_string_equal(of("bt709", "bt709", "bt709"), "bt709/bt709/bt709");
    assert_string_equal(of("bt2020nc", "bt2020", "arib-std-b67"),
                        "bt2020nc/bt2020/arib-std-b67");
}

static void what_is_not_said_or_not_known_is_unknown(void **state)
{
    (void)state;
    assert_string_equal(of("", "", ""), "unknown/unknown/unknown");
    assert_string_equal(of("reserved", "x,movie=/etc/passwd", "bt709"),
                        "unknown/unknown/bt709");
}

static void rgb_has_become_bt601(void **state)
{
    (void)state;
    assert_string_equal(of("gbr", "bt709", "iec61966-2-1"),
                        "smpte170m/bt709/iec61966-2-1");
}

static void it_becomes_options_of_setparams(void **state)
{
    (void)state;
    assert_string_equal(
        params("smpte170m/bt470bg/bt709"),
        "range=tv:color_primaries=bt470bg:color_trc=bt709:colorspace=smpte170m");
    const char *none =
        "range=tv:color_primaries=unknown:color_trc=unknown:colorspace=unknown";
    assert_string_equal(params(""), none);
    assert_string_equal(params("bt709"), none);
    assert_string_equal(params("a,b/c=d/e:f"), none);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_the_header_says_is_kept),
        cmocka_unit_test(what_is_not_said_or_not_known_is_unknown),
        cmocka_unit_test(rgb_has_become_bt601),
        cmocka_unit_test(it_becomes_options_of_setparams),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
