/* test_origin.c: which texts are web origins. */
#include "check.h"

#include "origin.h"

#include <stdio.h>
#include <string.h>

static void an_origin_is_one_as_browsers_send_it(void **state)
{
    static const char *const good[] = {"http://example.org",
                                       "https://example.org",
                                       "https://example.org:8443",
                                       "http://192.0.2.1:8080",
                                       "http://[2001:db8::1]",
                                       "https://[::1]:80",
                                       "https://xn--bcher-kva.example",
                                       "http://localhost:443"};

    (void)state;
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
        if (!origin_valid(good[i]))
            fail_msg("%s", good[i]);
}

static void nothing_else_is(void **state)
{
    static const char *const bad[] = {
        "",
        "*",
        "null",
        "example.org",
        "ftp://example.org",
        "https://",
        "https://:80",
        "https://example.org/",
        "https://example.org/path",
        "https://Example.org",
        "HTTPS://example.org",
        "https://example.org:443",
        "http://example.org:80",
        "http://example.org:",
        "http://example.org:0",
        "http://example.org:080",
        "http://example.org:65536",
        "http://example.org:8080x",
        "https://user@example.org",
        "https://*.example.org",
        "https://a b",
        "https://a;script-src",
        "https://a'",
        "https://a,https://b",
        "https://a\nb",
        "https://b\303\274cher.example",
        "http://[::1",
        "http://[::g]",
        "http://[::1]x",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        if (origin_valid(bad[i]))
            fail_msg("%s", bad[i]);
}

static void one_that_is_too_long_is_none(void **state)
{
    char text[ORIGIN_MAX + 2];

    (void)state;
    memset(text, 'a', sizeof(text));
    memcpy(text, "https://", 8);
    text[ORIGIN_MAX] = '\0';
    assert_true(origin_valid(text));
    text[ORIGIN_MAX] = 'a';
    text[ORIGIN_MAX + 1] = '\0';
    assert_false(origin_valid(text));
    snprintf(text, sizeof(text), "http://[%0*d]", 60, 0);
    assert_false(origin_valid(text));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_origin_is_one_as_browsers_send_it),
        cmocka_unit_test(nothing_else_is),
        cmocka_unit_test(one_that_is_too_long_is_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
