/* test_cookie.c: cookies in headers. */
#include "check.h"

#include "cookie.h"

#include <stdio.h>
#include <string.h>

static void assert_found(const char *header, const char *value)
{
    char out[64];

    assert_int_equal(cookie_find(header, "sid", out, sizeof(out)), RC_OK);
    assert_string_equal(out, value);
}

static void assert_missing(const char *header)
{
    char out[64];

    assert_int_equal(cookie_find(header, "sid", out, sizeof(out)), RC_NOT_FOUND);
}

static void a_cookie_is_found_among_others(void **state)
{
    (void)state;
    assert_found("sid=a", "a");
    assert_found("x=1; sid=abc; y=2", "abc");
    assert_found("x=1;sid=abc", "abc");
    assert_found("  sid=abc ; y", "abc");
    assert_found("; ;sid=abc", "abc");
    assert_found("sid=a=b", "a=b");
    assert_found("sid=", "");
    assert_found("x; sid=1", "1");
}

static void the_first_of_a_name_counts(void **state)
{
    (void)state;
    assert_found("sid=1; sid=2", "1");
}

static void any_of_a_name_may_have_a_value(void **state)
{
    char long_value[300] = "", header[320];

    (void)state;
    assert_true(cookie_is("sid=1; x=3; sid=2", "sid", "1"));
    assert_true(cookie_is("sid=1; x=3; sid=2", "sid", "2"));
    assert_true(cookie_is("sid=\"2\" ;y", "sid", "2"));
    assert_false(cookie_is("sid=1; x=3; sid=2", "sid", "3"));
    assert_false(cookie_is("sid=12; sid=; asid=1", "sid", "1"));
    assert_false(cookie_is("", "sid", "1"));
    assert_false(cookie_is(NULL, "sid", "1"));
    memset(long_value, 'x', sizeof(long_value) - 1);
    snprintf(header, sizeof(header), "sid=%s", long_value);
    assert_false(cookie_is(header, "sid", "x"));
    snprintf(header, sizeof(header), "sid=%s; sid=1", long_value);
    assert_true(cookie_is(header, "sid", "1"));
}

static void quotes_around_a_value_go(void **state)
{
    (void)state;
    assert_found("sid=\"abc\"", "abc");
    assert_found("sid=\"abc", "\"abc");
    assert_found("sid=\"", "\"");
}

static void what_only_looks_like_it_is_another(void **state)
{
    (void)state;
    assert_missing(NULL);
    assert_missing("");
    assert_missing("sid");
    assert_missing("SID=1");
    assert_missing("xsid=1");
    assert_missing("sidx=1");
    assert_missing("x=sid=1");
    assert_missing("x=1, sid=1");
    assert_missing("sid =1");
}

static void a_value_that_does_not_fit_is_said(void **state)
{
    char out[4] = "old";

    (void)state;
    assert_int_equal(cookie_find("sid=abcd", "sid", out, sizeof(out)), RC_TOO_LARGE);
    assert_string_equal(out, "old");
    assert_int_equal(cookie_find("sid=abc", "sid", out, sizeof(out)), RC_OK);
}

static void a_cookie_is_set_for_no_script_and_no_other_site(void **state)
{
    struct cookie c = {.name = "sid", .value = "abc", .path = "/", .max_age_s = 60};
    char out[128];

    (void)state;
    assert_int_equal(cookie_format(&c, out, sizeof(out)), RC_OK);
    assert_string_equal(out, "sid=abc; Path=/; Max-Age=60; HttpOnly; SameSite=Lax");
    c.secure = true;
    c.max_age_s = 0;
    assert_int_equal(cookie_format(&c, out, sizeof(out)), RC_OK);
    assert_string_equal(out,
                        "sid=abc; Path=/; Max-Age=0; HttpOnly; SameSite=Lax; Secure");
    assert_int_equal(cookie_format(&c, out, 20), RC_TOO_LARGE);
}

static void one_for_frames_needs_tls(void **state)
{
    struct cookie c = {
        .name = "sid", .value = "abc", .path = "/", .max_age_s = 60, .framed = true};
    char out[128];

    (void)state;
    assert_int_equal(cookie_format(&c, out, sizeof(out)), RC_OK);
    assert_string_equal(out, "sid=abc; Path=/; Max-Age=60; HttpOnly; SameSite=Lax");
    c.secure = true;
    assert_int_equal(cookie_format(&c, out, sizeof(out)), RC_OK);
    assert_string_equal(out, "sid=abc; Path=/; Max-Age=60; HttpOnly; SameSite=None; "
                             "Secure; Partitioned");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_cookie_is_found_among_others),
        cmocka_unit_test(the_first_of_a_name_counts),
        cmocka_unit_test(any_of_a_name_may_have_a_value),
        cmocka_unit_test(quotes_around_a_value_go),
        cmocka_unit_test(what_only_looks_like_it_is_another),
        cmocka_unit_test(a_value_that_does_not_fit_is_said),
        cmocka_unit_test(a_cookie_is_set_for_no_script_and_no_other_site),
        cmocka_unit_test(one_for_frames_needs_tls),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
