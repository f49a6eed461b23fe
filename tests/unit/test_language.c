#include "check.h"

#include "language.h"

#include <string.h>

static void tags_get_their_usual_case(void **state)
{
    (void)state;
    static const char *const tags[][2] = {
        {"en", "en"},
        {"EN", "en"},
        {"PT-br", "pt-BR"},
        {"zh-hant-hk", "zh-Hant-HK"},
        {"es-419", "es-419"},
        {"DE-1996", "de-1996"},
        {"sl-ROZAJ-biske", "sl-rozaj-biske"},
        {"zh-CMN-hans-cn", "zh-cmn-Hans-CN"},
        {"de-DE-u-CO-phonebk", "de-DE-u-co-phonebk"},
        {"en-x-Twain", "en-x-twain"},
        {"x-Klingon", "x-klingon"},
        {"fil", "fil"},
        {"ger", "de"},
        {"deu-at", "de-AT"},
        {"chi", "zh"},
        {"qaa", "qaa"},
        {"und", "und"},
    };
    for (size_t i = 0; i < sizeof(tags) / sizeof(tags[0]); i++) {
        char out[LANGUAGE_MAX + 1] = "";
        language_of_track(tags[i][0], out);
        assert_string_equal(out, tags[i][1]);
    }
}

static void what_is_no_tag_is_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",
        "e",
        "en-",
        "-en",
        "en--us",
        "en_US",
        "en us",
        "en-2",
        "en-10",
        "123",
        "en-us-de",
        "../etc",
        "en/x",
        "en.vtt",
        "x",
        "en-x",
        "en-u",
        "d\xc3\xa9",
        "toolonglanguage",
        "en-toolongvar",
        "en-abcd-efgh",
        "de-DE-1996-u-co-phonebk-x-aaaaaaaaaa",
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        char out[LANGUAGE_MAX + 1] = "";
        language_of_track(bad[i], out);
        assert_string_equal(out, "und");
    }
}

static void a_number_tells_tracks_of_one_language_apart(void **state)
{
    (void)state;
    static const char *const slots[][3] = {
        {"EN", "en", "en"},
        {"en-2", "en-2", "en"},
        {"ENG-99", "en-99", "en"},
        {"pt-br-3", "pt-BR-3", "pt-BR"},
        {"de-1996", "de-1996", "de-1996"},
        {"en-a-10", "en-a-10", "en-a-10"},
    };
    static const char *const bad[] = {"en-1", "en-0",    "en-02", "en-99-2",
                                      "2",    "en-x-2-", "-2",    "en-2-3"};
    char slot[LANGUAGE_SLOT_MAX + 1], tag[LANGUAGE_MAX + 1];
    for (size_t i = 0; i < sizeof(slots) / sizeof(slots[0]); i++) {
        assert_int_equal(language_slot(slots[i][0], slot, tag), RC_OK);
        assert_string_equal(slot, slots[i][1]);
        assert_string_equal(tag, slots[i][2]);
    }
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_int_equal(language_slot(bad[i], slot, tag), RC_INVALID);
}

static void a_track_of_no_language_is_undetermined(void **state)
{
    (void)state;
    char out[LANGUAGE_MAX + 1];
    language_of_track("spa", out);
    assert_string_equal(out, "es");
    language_of_track("", out);
    assert_string_equal(out, "und");
    language_of_track("English (US)", out);
    assert_string_equal(out, "und");
}

static void languages_have_names(void **state)
{
    (void)state;
    assert_string_equal(language_name("de-AT"), "German");
    assert_string_equal(language_name("zh"), "Chinese");
    assert_null(language_name("tlh"));
    assert_null(language_name("und"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tags_get_their_usual_case),
        cmocka_unit_test(what_is_no_tag_is_refused),
        cmocka_unit_test(a_number_tells_tracks_of_one_language_apart),
        cmocka_unit_test(a_track_of_no_language_is_undetermined),
        cmocka_unit_test(languages_have_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
