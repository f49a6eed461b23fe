#include "check.h"

#include "text.h"

#include <stdlib.h>
#include <string.h>

#define FFFD "\xef\xbf\xbd"

static void text_of_any_script_is_clean(void **state)
{
    (void)state;
    static const char *const clean[] = {
        "",
        "plain text ~",
        "Gr\xc3\xbc\xc3\x9f!",
        "\xc2\xa0",         /* U+00A0, the first after the C1 controls */
        "\xe0\xa0\x80",     /* U+0800 */
        "\xed\x9f\xbf",     /* U+D7FF */
        "\xee\x80\x80",     /* U+E000 */
        "\xef\xbf\xbf",     /* U+FFFF */
        "\xf0\x90\x80\x80", /* U+10000 */
        "\xf4\x8f\xbf\xbf", /* U+10FFFF */
    };

    for (size_t i = 0; i < sizeof(clean) / sizeof(clean[0]); i++)
        assert_true(text_is_clean(clean[i], strlen(clean[i])));
}

static void controls_and_what_is_not_utf8_are_not_clean(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        size_t n;
    } dirty[] = {
        {"a\0b", 3},
        {"\n", 1},
        {"\x1b[31m", 5},
        {"\x1f", 1},
        {"\x7f", 1},
        {"\xc2\x80", 2},
        {"\xc2\x9f", 2},
        {"\x80", 1},
        {"\xbf", 1},
        {"\xc3", 1},
        {"\xc3(", 2},
        {"\xc0\xaf", 2}, /* overlong '/' */
        {"\xc1\xbf", 2},
        {"\xe0\x9f\xbf", 3}, /* overlong */
        {"\xe2\x82", 2},
        {"\xf0\x8f\xbf\xbf", 4}, /* overlong */
        {"\xed\xa0\x80", 3},
        {"\xed\xbf\xbf", 3}, /* surrogates */
        {"\xf4\x90\x80\x80", 4},
        {"\xf5\x80\x80\x80", 4}, /* over U+10FFFF */
        {"\xf8\x88\x80\x80\x80", 5},
        {"\xff", 1},
        {"ok \xf0\x9f\x8e", 6},
    };

    for (size_t i = 0; i < sizeof(dirty) / sizeof(dirty[0]); i++) {
        char *copy = malloc(dirty[i].n);

        assert_non_null(copy);
        memcpy(copy, dirty[i].bytes, dirty[i].n);
        assert_false(text_is_clean(copy, dirty[i].n));
        free(copy);
    }
}

static void check_clean(const char *src, size_t size, const char *expected)
{
    char *dst = malloc(size);
    size_t n;

    assert_non_null(dst);
    n = text_clean(dst, size, src);
    assert_string_equal(dst, expected);
    assert_int_equal(n, strlen(expected));
    assert_true(text_is_clean(dst, n));
    free(dst);
}

static void cleaning_replaces_what_is_not_text(void **state)
{
    (void)state;
    check_clean("Caf\xc3\xa9 \xf0\x9f\x8e\xac", 64, "Caf\xc3\xa9 \xf0\x9f\x8e\xac");
    check_clean("a\tb\r\nc\x7f"
                "d\xc2\x85"
                "e",
                64, "a b  c d e");
    check_clean("a\xff"
                "b\xc3",
                64, "a" FFFD "b" FFFD);
    check_clean("\xc0\xaf", 64, FFFD FFFD);
    check_clean("", 1, "");
}

static void cleaning_trims_both_ends(void **state)
{
    (void)state;
    check_clean("  a b\n \t", 64, "a b");
    check_clean("\r\n \x01", 64, "");
    /* Spaces that go take no room. */
    check_clean("          abc", 4, "abc");
}

static void cleaning_cuts_at_a_code_point(void **state)
{
    (void)state;
    check_clean("abcdef", 4, "abc");
    check_clean("ab\xc3\xa9", 4, "ab");
    check_clean("ab\xc3\xa9", 5, "ab\xc3\xa9");
    check_clean("a\xf0\x9f\x8e\xac"
                "b",
                5, "a");
    check_clean("ab\xff", 5, "ab");
    check_clean("ab cd", 4, "ab");
    check_clean("abc", 1, "");
}

static void a_basename_is_what_follows_the_last_slash(void **state)
{
    (void)state;
    assert_string_equal(text_basename("clip.mp4"), "clip.mp4");
    assert_string_equal(text_basename("/a/b/clip.mp4"), "clip.mp4");
    assert_string_equal(text_basename("C:\\fakepath\\clip.mp4"), "clip.mp4");
    assert_string_equal(text_basename("a\\b/c\\clip.mp4"), "clip.mp4");
    assert_string_equal(text_basename("../../etc/"), "");
    assert_string_equal(text_basename(""), "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_of_any_script_is_clean),
        cmocka_unit_test(controls_and_what_is_not_utf8_are_not_clean),
        cmocka_unit_test(cleaning_replaces_what_is_not_text),
        cmocka_unit_test(cleaning_trims_both_ends),
        cmocka_unit_test(cleaning_cuts_at_a_code_point),
        cmocka_unit_test(a_basename_is_what_follows_the_last_slash),
    };
    return cmocka_run_group_tests_name("text", tests, NULL, NULL);
}
