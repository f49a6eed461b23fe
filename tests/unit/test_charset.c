#include "check.h"

#include "charset.h"

#include <stdlib.h>
#include <string.h>

#define FFFD "\xef\xbf\xbd"

static void check(enum rc (*from)(const char *, size_t, char **, size_t *),
                  const char *in, size_t n, const char *out)
{
    char *text = NULL;
    size_t size = 0;
    assert_int_equal(from(in, n, &text, &size), RC_OK);
    assert_int_equal(size, strlen(out));
    assert_string_equal(text, out);
    free(text);
}

static void only_well_formed_sequences_are_utf8(void **state)
{
    (void)state;
    assert_true(charset_is_utf8("", 0));
    assert_true(charset_is_utf8("a\xc3\xbc\xe2\x82\xac\xf0\x9f\x98\x80", 10));
    assert_false(charset_is_utf8("\xc0\x80", 2));         /* overlong */
    assert_false(charset_is_utf8("\xed\xa0\x80", 3));     /* a surrogate */
    assert_false(charset_is_utf8("\xf4\x90\x80\x80", 4)); /* above U+10FFFF */
    assert_false(charset_is_utf8("\xe2\x82", 2));         /* cut off */
    assert_false(charset_is_utf8("\xff", 1));
    assert_false(charset_is_utf8("\x80", 1));
}

static void utf16_is_read_in_both_orders(void **state)
{
    (void)state;
    assert_true(charset_is_utf16("\xff\xfe", 2));
    assert_true(charset_is_utf16("\xfe\xff"
                                 "a",
                                 3));
    assert_false(charset_is_utf16("\xff", 1));
    check(charset_from_utf16,
          "\xff\xfe"
          "a\0\xac\x20\x3d\xd8\x00\xde",
          10, "a\xe2\x82\xac\xf0\x9f\x98\x80");
    check(charset_from_utf16, "\xfe\xff\0a\x20\xac\xd8\x3d\xde\x00", 10,
          "a\xe2\x82\xac\xf0\x9f\x98\x80");
}

static void half_a_pair_and_half_a_unit_do_no_harm(void **state)
{
    (void)state;
    check(charset_from_utf16, "\xff\xfe\x3d\xd8", 4, FFFD);
    check(charset_from_utf16,
          "\xff\xfe\x00\xde"
          "a\0",
          6, FFFD "a");
    check(charset_from_utf16,
          "\xff\xfe"
          "a\0b",
          5, "a");
}

static void windows_1252_knows_more_than_latin_1(void **state)
{
    (void)state;
    check(charset_from_1252, "a\xe9\x80\x93\x81\xff", 6,
          "a\xc3\xa9\xe2\x82\xac\xe2\x80\x9c" FFFD "\xc3\xbf");
}

static void bad_bytes_are_replaced_one_by_one(void **state)
{
    (void)state;
    check(charset_repair, "\xc3\xbc\xe2\x82x\xff", 6, "\xc3\xbc" FFFD FFFD "x" FFFD);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_well_formed_sequences_are_utf8),
        cmocka_unit_test(utf16_is_read_in_both_orders),
        cmocka_unit_test(half_a_pair_and_half_a_unit_do_no_harm),
        cmocka_unit_test(windows_1252_knows_more_than_latin_1),
        cmocka_unit_test(bad_bytes_are_replaced_one_by_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
