/* test_disposition.c: names of downloads. */
#include "check.h"

#include "disposition.h"

#include <stdio.h>

static void assert_header(const char *name, const char *plain, const char *extended)
{
    char out[DISPOSITION_MAX(300)], expected[sizeof(out) + 64];

    assert_int_equal(disposition_attachment(name, out, sizeof(out)), RC_OK);
    snprintf(expected, sizeof(expected),
             "attachment; filename=\"%s\"; filename*=UTF-8''%s", plain, extended);
    assert_string_equal(out, expected);
}

static void a_plain_name_stays(void **state)
{
    (void)state;
    assert_header("clip.mp4", "clip.mp4", "clip.mp4");
    assert_header("Holiday 2024 (1).mov", "Holiday 2024 (1).mov",
                  "Holiday%202024%20%281%29.mov");
}

static void other_letters_are_told_in_full_and_in_ascii(void **state)
{
    (void)state;
    assert_header("Z\303\274rich.mp4", "Z_rich.mp4", "Z%C3%BCrich.mp4");
    assert_header("\360\237\216\254", "_", "%F0%9F%8E%AC");
}

/* Not even where a client decodes what it should not. */
static void nothing_ends_the_value_or_names_a_folder(void **state)
{
    (void)state;
    assert_header("a\"; filename=\"b", "a_; filename=_b", "a_%3B%20filename%3D_b");
    assert_header("../../etc/passwd", ".._.._etc_passwd", ".._.._etc_passwd");
    assert_header("C:\\x", "C__x", "C__x");
    assert_header("a\r\nSet-Cookie: b", "a__Set-Cookie_ b", "a__Set-Cookie_%20b");
    assert_header("50%22.mp4", "50_22.mp4", "50%2522.mp4");
    assert_header("<script>", "_script_", "_script_");
    assert_header("it's*", "it's_", "it%27s_");
}

static void a_name_that_does_not_fit_is_said(void **state)
{
    char out[DISPOSITION_MAX(3)];

    (void)state;
    assert_int_equal(disposition_attachment("abcd", out, sizeof(out)), RC_TOO_LARGE);
    assert_int_equal(disposition_attachment("\303\274b", out, sizeof(out)), RC_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_plain_name_stays),
        cmocka_unit_test(other_letters_are_told_in_full_and_in_ascii),
        cmocka_unit_test(nothing_ends_the_value_or_names_a_folder),
        cmocka_unit_test(a_name_that_does_not_fit_is_said),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
