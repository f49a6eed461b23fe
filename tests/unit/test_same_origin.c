/* test_same_origin.c: where a request comes from, and whom it was meant for. */
#include "check.h"

#include "same_origin.h"

#include <stddef.h>

static void browsers_say_it_in_sec_fetch_site(void **state)
{
    (void)state;
    assert_int_equal(same_origin("same-origin", NULL, "h", false), ORIGIN_SAME);
    assert_int_equal(same_origin("none", NULL, "h", false), ORIGIN_SAME);
    assert_int_equal(same_origin("same-site", NULL, "h", false), ORIGIN_OTHER);
    assert_int_equal(same_origin("cross-site", NULL, "h", false), ORIGIN_OTHER);
    assert_int_equal(same_origin("", NULL, "h", false), ORIGIN_OTHER);
    assert_int_equal(same_origin("Same-Origin", NULL, "h", false), ORIGIN_OTHER);
    assert_int_equal(same_origin("same-origin, cross-site", NULL, "h", false),
                     ORIGIN_OTHER);
}

static void it_counts_more_than_origin(void **state)
{
    (void)state;
    assert_int_equal(same_origin("cross-site", "http://h", "h", false), ORIGIN_OTHER);
    assert_int_equal(same_origin("same-origin", "http://x", "h", false), ORIGIN_SAME);
}

static void else_origin_must_be_the_scheme_and_the_host(void **state)
{
    (void)state;
    assert_int_equal(same_origin(NULL, "http://h:8080", "h:8080", false), ORIGIN_SAME);
    assert_int_equal(same_origin(NULL, "HTTP://H", "h", false), ORIGIN_SAME);
    assert_int_equal(same_origin(NULL, "http://[::1]:80", "[::1]", false), ORIGIN_SAME);
    assert_int_equal(same_origin(NULL, "http://h", "h:80", false), ORIGIN_SAME);
    assert_int_equal(same_origin(NULL, "https://h", "h:443", true), ORIGIN_SAME);
    assert_int_equal(same_origin(NULL, "https://h", "h", false), ORIGIN_OTHER);
    assert_int_equal(same_origin(NULL, "http://h", "h", true), ORIGIN_OTHER);
    assert_int_equal(same_origin(NULL, "http://h", "h:8080", false), ORIGIN_OTHER);
    assert_int_equal(same_origin(NULL, "http://h:8080", "h", false), ORIGIN_OTHER);
    assert_int_equal(same_origin(NULL, "http://h.evil", "h", false), ORIGIN_OTHER);
    assert_int_equal(same_origin(NULL, "http://evilh", "h", false), ORIGIN_OTHER);
    assert_int_equal(same_origin(NULL, "null", "h", false), ORIGIN_OTHER);
    assert_int_equal(same_origin(NULL, "", "h", false), ORIGIN_OTHER);
    assert_int_equal(same_origin(NULL, "http://", "", false), ORIGIN_OTHER);
    assert_int_equal(same_origin(NULL, "http://h", NULL, false), ORIGIN_OTHER);
}

static void nothing_said_is_told_apart(void **state)
{
    (void)state;
    assert_int_equal(same_origin(NULL, NULL, "h", false), ORIGIN_UNKNOWN);
}

static void this_machine_has_these_names(void **state)
{
    static const char *const local[] = {
        "localhost",        "localhost:8080", "LocalHost", "127.0.0.1",  "127.0.0.1:80",
        "127.9.8.7",        "[::1]",          "[::1]:80",  "localhost:", "",
        "[0:0:0:0:0:0:0:1]"};

    (void)state;
    for (size_t i = 0; i < sizeof(local) / sizeof(local[0]); i++)
        if (!same_origin_host_is_local(local[i]))
            fail_msg("%s", local[i]);
    assert_true(same_origin_host_is_local(NULL));
}

static void others_are_none(void **state)
{
    static const char *const foreign[] = {"evil.example",
                                          "localhost.evil",
                                          "evil.localhost",
                                          "127.0.0.1.evil",
                                          "128.0.0.1",
                                          "10.0.0.1",
                                          "[::2]",
                                          "[::1]x",
                                          "[::1",
                                          "[localhost]",
                                          "::1",
                                          "0.0.0.0",
                                          "127.1",
                                          "127.0.0.1:x",
                                          "localhost:80:1",
                                          " localhost",
                                          "localhost ",
                                          "2130706433",
                                          "[::ffff:127.0.0.1]"};

    (void)state;
    for (size_t i = 0; i < sizeof(foreign) / sizeof(foreign[0]); i++)
        if (same_origin_host_is_local(foreign[i]))
            fail_msg("%s", foreign[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(browsers_say_it_in_sec_fetch_site),
        cmocka_unit_test(it_counts_more_than_origin),
        cmocka_unit_test(else_origin_must_be_the_scheme_and_the_host),
        cmocka_unit_test(nothing_said_is_told_apart),
        cmocka_unit_test(this_machine_has_these_names),
        cmocka_unit_test(others_are_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
