/* test_http.c: texts of requests, outcomes as statuses, and paths of media. */
#include "check.h"

#include "http.h"
#include "http_text.h"
#include "media_path.h"

#include <stdlib.h>
#include <string.h>

#define KEY_REST "bcdefghijklmnopqrstuvwxyz"
#define KEY "a" KEY_REST

static void number_is_digits_in_range_only(void **state)
{
    static const char *const bad[] = {"",
                                      "-1",
                                      "+1",
                                      " 1",
                                      "1 ",
                                      "1x",
                                      "0x10",
                                      "11",
                                      "9223372036854775808",
                                      "99999999999999999999"};
    int64_t n = 77;

    (void)state;
    assert_int_equal(http_number("0", 0, 10, &n), RC_OK);
    assert_int_equal(n, 0);
    assert_int_equal(http_number("0010", 0, 10, &n), RC_OK);
    assert_int_equal(n, 10);
    assert_int_equal(http_number("9223372036854775807", 0, INT64_MAX, &n), RC_OK);
    assert_true(n == INT64_MAX);
    n = 77;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_int_equal(http_number(bad[i], 0, 10, &n), RC_INVALID);
    assert_int_equal(http_number("1", 2, 3, &n), RC_INVALID);
    assert_int_equal(n, 77);
}

static void assert_unescapes(const char *text, bool plus, const char *expected)
{
    char out[32];

    assert_int_equal(http_unescape(text, strlen(text), plus, out, sizeof(out)), RC_OK);
    assert_string_equal(out, expected);
}

static void escapes_are_undone(void **state)
{
    (void)state;
    assert_unescapes("", false, "");
    assert_unescapes("a%20b+c", false, "a b+c");
    assert_unescapes("a%20b+c", true, "a b c");
    assert_unescapes("%C3%a4%2F", false, "\xc3\xa4/");
    assert_unescapes("%2541", false, "%41");
}

static void broken_escapes_are_refused(void **state)
{
    static const char *const bad[] = {"%", "%4", "a%", "%zz", "%4g", "%00", "%-1"};
    char out[32] = "kept";

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_int_equal(http_unescape(bad[i], strlen(bad[i]), false, out, sizeof(out)),
                         RC_INVALID);
    /* The two digits lie beyond the text's own end. */
    assert_int_equal(http_unescape("%41", 2, false, out, sizeof(out)), RC_INVALID);
    assert_string_equal(out, "kept");
}

static void unescape_needs_room_for_the_nul(void **state)
{
    char out[4];

    (void)state;
    assert_int_equal(http_unescape("abc", 3, false, out, sizeof(out)), RC_OK);
    assert_int_equal(http_unescape("%41bcd", 6, false, out, sizeof(out)), RC_TOO_LARGE);
    assert_string_equal(out, "abc");
}

static void assert_param(const char *query, const char *name, const char *expected)
{
    char out[16];

    assert_int_equal(http_param(query, name, out, sizeof(out)), RC_OK);
    assert_string_equal(out, expected);
}

static void param_is_found_by_its_whole_name(void **state)
{
    char out[16];

    (void)state;
    assert_param("q=a+b&limit=5", "q", "a b");
    assert_param("q=a+b&limit=5", "limit", "5");
    assert_param("aq=1&q=2", "q", "2");
    assert_param("q=1&q=2", "q", "1");
    assert_param("&&q=1", "q", "1");
    assert_param("q=", "q", "");
    assert_param("q=a=b", "q", "a=b");
    assert_int_equal(http_param("", "q", out, sizeof(out)), RC_NOT_FOUND);
    assert_int_equal(http_param("q", "q", out, sizeof(out)), RC_NOT_FOUND);
    assert_int_equal(http_param("qq=1", "q", out, sizeof(out)), RC_NOT_FOUND);
}

static void param_must_be_clean_text(void **state)
{
    char out[16];

    (void)state;
    assert_int_equal(http_param("q=%ff", "q", out, sizeof(out)), RC_INVALID);
    assert_int_equal(http_param("q=%0a", "q", out, sizeof(out)), RC_INVALID);
    assert_int_equal(http_param("q=%4", "q", out, sizeof(out)), RC_INVALID);
    assert_int_equal(http_param("q=%4&b=1", "q", out, sizeof(out)), RC_INVALID);
    assert_int_equal(http_param("q=0123456789abcdef", "q", out, sizeof(out)),
                     RC_TOO_LARGE);
}

static void missing_number_leaves_the_default(void **state)
{
    int64_t n = 50;

    (void)state;
    assert_int_equal(http_param_number("q=1", "limit", 1, 200, &n), RC_OK);
    assert_int_equal(n, 50);
    assert_int_equal(http_param_number("limit=200", "limit", 1, 200, &n), RC_OK);
    assert_int_equal(n, 200);
    assert_int_equal(http_param_number("limit=201", "limit", 1, 200, &n), RC_INVALID);
    assert_int_equal(http_param_number("limit=", "limit", 1, 200, &n), RC_INVALID);
    assert_int_equal(n, 200);
}

static void star_stands_for_one_segment(void **state)
{
    char arg[8] = "kept";

    (void)state;
    assert_true(http_match("/api/videos", "/api/videos", arg, sizeof(arg)));
    assert_false(http_match("/api/videos", "/api/videos/", arg, sizeof(arg)));
    assert_false(http_match("/v/*", "/v/", arg, sizeof(arg)));
    assert_false(http_match("/v/*", "/v/a/b", arg, sizeof(arg)));
    assert_false(http_match("/v/*", "/v/12345678", arg, sizeof(arg)));
    assert_false(http_match("/v/*/retry", "/v/a/other", arg, sizeof(arg)));
    assert_string_equal(arg, "kept");
    assert_true(http_match("/v/*", "/v/1234567", arg, sizeof(arg)));
    assert_string_equal(arg, "1234567");
    assert_true(http_match("/v/*/retry", "/v/a/retry", arg, sizeof(arg)));
    assert_string_equal(arg, "a");
}

static void a_second_star_stands_for_the_last_segment(void **state)
{
    static const char pattern[] = "/v/*/subs/*";
    char arg[8] = "kept", rest[8] = "kept";

    (void)state;
    assert_false(http_match_two(pattern, "/v/a/subs/", arg, 8, rest, 8));
    assert_false(http_match_two(pattern, "/v/a/subs", arg, 8, rest, 8));
    assert_false(http_match_two(pattern, "/v/a/subs/en/x", arg, 8, rest, 8));
    assert_false(http_match_two(pattern, "/v//subs/en", arg, 8, rest, 8));
    assert_false(http_match_two(pattern, "/v/a/subs/12345678", arg, 8, rest, 8));
    assert_false(http_match_two(pattern, "/v/12345678/subs/en", arg, 8, rest, 8));
    assert_false(http_match_two(pattern, "no slash", arg, 8, rest, 8));
    assert_string_equal(arg, "kept");
    assert_string_equal(rest, "kept");
    assert_true(http_match_two("/v/*", "/v/b", arg, 8, rest, 8));
    assert_string_equal(arg, "b");
    assert_string_equal(rest, "kept");
    assert_true(http_match_two(pattern, "/v/a/subs/en-2", arg, 8, rest, 8));
    assert_string_equal(arg, "a");
    assert_string_equal(rest, "en-2");
}

static void every_outcome_has_a_status_of_the_contract(void **state)
{
    static const int contract[] = {400, 401, 404, 409, 410, 413, 415, 422, 503, 507};

    (void)state;
    for (int rc = RC_OK + 1; rc < RC_COUNT; rc++) {
        struct http_error error = http_error_of((enum rc)rc);
        bool known = false;
        for (size_t i = 0; i < sizeof(contract) / sizeof(contract[0]); i++)
            known |= contract[i] == error.status;
        assert_true(known);
        assert_string_not_equal(error.code, "internal");
        assert_string_not_equal(request_reason(error.status), "Unknown");
    }
    assert_string_equal(http_error_of(RC_OK).code, "internal");
    assert_string_equal(http_error_of(RC_COUNT).code, "internal");
}

static void error_is_json_whatever_its_message(void **state)
{
    char *text = http_error_text("bad", "a \"quote\"\n");

    (void)state;
    assert_string_equal(
        text, "{\"error\":{\"code\":\"bad\",\"message\":\"a \\\"quote\\\"\\n\"}}");
    free(text);
    text = http_error_text("bad", "\xff");
    assert_string_equal(text, "{\"error\":{\"code\":\"bad\",\"message\":\"\"}}");
    free(text);
}

static void media_path_names_a_segment(void **state)
{
    struct media_path p;

    (void)state;
    assert_int_equal(media_path_parse("/media/" KEY "/360p-1/0.m4s", &p), RC_OK);
    assert_string_equal(p.key, KEY);
    assert_string_equal(p.rendition, "360p");
    assert_int_equal(p.generation, 1);
    assert_int_equal(p.segment, 0);
    assert_int_equal(media_path_parse("/media/" KEY "/audio-0-12/345.m4s", &p), RC_OK);
    assert_string_equal(p.rendition, "audio-0");
    assert_int_equal(p.generation, 12);
    assert_int_equal(p.segment, 345);
    assert_int_equal(media_path_parse("/media/" KEY "/360p-2/init.mp4", &p), RC_OK);
    assert_int_equal(p.segment, MEDIA_INIT);
}

static void media_path_is_written_as_it_was_read(void **state)
{
    static const char *const texts[] = {
        "/media/" KEY "/360p-1/0.m4s",
        "/media/" KEY "/audio-0-12/init.mp4",
        "/media/" KEY
        "/0123456789012345678901234567890-2147483647/9223372036854775807.m4s",
    };
    char file[MEDIA_FILE_MAX + 1], folder[MEDIA_FOLDER_MAX + 1];
    struct media_path p;

    (void)state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        const char *text = texts[i] + strlen("/media/");
        assert_int_equal(media_path_parse(texts[i], &p), RC_OK);
        media_path_file(&p, file);
        assert_string_equal(file, text);
        media_path_folder(&p, folder);
        assert_int_equal(strlen(folder), strrchr(text, '/') - text);
        assert_memory_equal(folder, text, strlen(folder));
    }
}

static void escape_is_undone_by_unescape(void **state)
{
    char out[64], back[64];

    (void)state;
    assert_int_equal(media_path_escape("/srv/a-b_c.d~e/09", out, sizeof(out)), RC_OK);
    assert_string_equal(out, "/srv/a-b_c.d~e/09");
    assert_int_equal(media_path_escape("/a b%41?\xc3\xa4\n", out, sizeof(out)), RC_OK);
    assert_string_equal(out, "/a%20b%2541%3F%C3%A4%0A");
    assert_int_equal(http_unescape(out, strlen(out), false, back, sizeof(back)), RC_OK);
    assert_string_equal(back, "/a b%41?\xc3\xa4\n");
    assert_int_equal(media_path_escape("%%", out, 6), RC_TOO_LARGE);
    assert_int_equal(media_path_escape("%%", out, 7), RC_OK);
    assert_int_equal(media_path_escape("abc", out, 3), RC_TOO_LARGE);
    assert_int_equal(media_path_escape("abc", out, 4), RC_OK);
}

static void media_paths_have_an_order_of_folders(void **state)
{
    static const char *const rising[] = {
        "/media/" KEY "/360p-1/4.m4s",       "/media/" KEY "/360p-2/3.m4s",
        "/media/" KEY "/360p-10/2.m4s",      "/media/" KEY "/audio-0-1/1.m4s",
        "/media/z" KEY_REST "/360p-1/0.m4s",
    };
    const int n = sizeof(rising) / sizeof(rising[0]);
    struct media_path a, b;

    (void)state;
    for (int i = 0; i < n; i++) {
        assert_int_equal(media_path_parse(rising[i], &a), RC_OK);
        for (int j = 0; j < n; j++) {
            assert_int_equal(media_path_parse(rising[j], &b), RC_OK);
            b.segment = MEDIA_INIT;
            int order = media_path_folder_order(&a, &b);
            assert_int_equal((order > 0) - (order < 0), (i > j) - (i < j));
        }
    }
}

static void media_path_refuses_all_else(void **state)
{
    static const char *const bad[] = {
        "",
        "/",
        "/media/",
        "/media/" KEY,
        "/media/" KEY "/",
        "/media/" KEY "/360p-1",
        "/media/" KEY "/360p-1/",
        "/media/short/360p-1/0.m4s",
        "/media/" KEY "x/360p-1/0.m4s",
        "/media/ABCDEFGHIJKLMNOPQRSTUVWXYZ/360p-1/0.m4s",
        "/media/" KEY "/360p/0.m4s",
        "/media/" KEY "/-1/0.m4s",
        "/media/" KEY "/360p-/0.m4s",
        "/media/" KEY "/360p-0/0.m4s",
        "/media/" KEY "/360p-01/0.m4s",
        "/media/" KEY "/360p-2147483648/0.m4s",
        "/media/" KEY "/0123456789012345678901234567890-2-1/0.m4s",
        "/media/" KEY "/360p-1/.m4s",
        "/media/" KEY "/360p-1/00.m4s",
        "/media/" KEY "/360p-1/-1.m4s",
        "/media/" KEY "/360p-1/1.m4s/x",
        "/media/" KEY "/360p-1/1.m4sx",
        "/media/" KEY "/360p-1/1.1.m4s",
        "/media/" KEY "/360p-1/99999999999999999999.m4s",
        "/media/" KEY "/360p-1/init.mp4x",
        "/media/" KEY "/a/b/0.m4s",
        "/other/" KEY "/360p-1/0.m4s",
    };
    struct media_path p = {.generation = 77};

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_int_equal(media_path_parse(bad[i], &p), RC_INVALID);
    assert_int_equal(p.generation, 77);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(number_is_digits_in_range_only),
        cmocka_unit_test(escapes_are_undone),
        cmocka_unit_test(broken_escapes_are_refused),
        cmocka_unit_test(unescape_needs_room_for_the_nul),
        cmocka_unit_test(param_is_found_by_its_whole_name),
        cmocka_unit_test(param_must_be_clean_text),
        cmocka_unit_test(missing_number_leaves_the_default),
        cmocka_unit_test(star_stands_for_one_segment),
        cmocka_unit_test(a_second_star_stands_for_the_last_segment),
        cmocka_unit_test(every_outcome_has_a_status_of_the_contract),
        cmocka_unit_test(error_is_json_whatever_its_message),
        cmocka_unit_test(media_path_names_a_segment),
        cmocka_unit_test(media_paths_have_an_order_of_folders),
        cmocka_unit_test(media_path_refuses_all_else),
        cmocka_unit_test(media_path_is_written_as_it_was_read),
        cmocka_unit_test(escape_is_undone_by_unescape),
    };
    return cmocka_run_group_tests_name("http", tests, NULL, NULL);
}
