/* Who may get at a site: sign-in, proxies, origins, TLS. */
#include "config_fixture.h"

static int setup(void **state)
{
    static const char *const names[] = {"BIND",       "TLS_PEM",        "AUTH",
                                        "MEDIA_AUTH", "MEDIA_CORS",     "SESSION_DAYS",
                                        "LOG_LEVEL",  "TRUSTED_PROXIES"};
    char name[64];
    size_t i;

    for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        snprintf(name, sizeof(name), "DROPSTREAM_%s", names[i]);
        unsetenv(name);
    }
    return fixture_open(state);
}

static void access_without_sign_in_needs_a_loopback_address(void **state)
{
    static const char *const near[] = {"127.0.0.1", "127.1.2.3", "::1"};
    static const char *const far[] = {"0.0.0.0",   "::",          "10.0.0.1",
                                      "192.0.2.7", "2001:db8::1", "::ffff:127.0.0.1",
                                      "128.0.0.1"};
    char text[128], want[PATH_MAX + 512];
    struct config c;
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(near) / sizeof(near[0]); i++) {
        snprintf(text, sizeof(text), "[web]\nbind = %s\n[access]\nauth = none\n",
                 near[i]);
        assert_int_equal(load(text, &c), RC_OK);
        assert_int_equal(c.auth, AUTH_NONE);
    }
    for (i = 0; i < sizeof(far) / sizeof(far[0]); i++) {
        snprintf(text, sizeof(text), "[web]\nbind = %s\n[access]\nauth = none\n",
                 far[i]);
        snprintf(want, sizeof(want),
                 " auth = none makes everybody who reaches the site its owner: it is "
                 "refused unless bind is a loopback address such as 127.0.0.1, not %s",
                 far[i]);
        assert_problem(text, want);
    }
    /* Whichever of the two comes from where. */
    setenv("DROPSTREAM_BIND", "10.0.0.1", 1);
    assert_int_equal(load("[access]\nauth = none\n", &c), RC_INVALID);
    setenv("DROPSTREAM_AUTH", "required", 1);
    assert_int_equal(load("[access]\nauth = none\n", &c), RC_OK);
}

static void choices_are_told(void **state)
{
    (void)state;
    assert_problem("[access]\nauth = basic\n",
                   "2: auth must be required or none, not \"basic\"");
    assert_problem("[access]\nmedia_auth = Strict\n",
                   "2: media_auth must be static or strict, not \"Strict\"");
    assert_problem("[access]\nauth =\n", "2: auth must be required or none, not \"\"");
    assert_problem("[web]\ntls_pem = site.pem\n",
                   "2: tls_pem must be an absolute path without quotes, not "
                   "\"site.pem\"");
    assert_problem("[web]\ntls_pem = /a\"b\n",
                   "2: tls_pem must be an absolute path without quotes, not "
                   "\"/a\"b\"");
    assert_problem("[web]\ntls_pem = /a\\\n",
                   "2: tls_pem must be an absolute path without quotes, not \"/a\\\"");
}

static void a_list_may_stand_on_several_lines(void **state)
{
    struct config c;

    (void)state;
    assert_int_equal(load("[access]\n"
                          "trusted_proxies = 192.0.2.1 \t 198.51.100.0/24\n"
                          "  2001:db8::/32 192.0.2.1\n"
                          "media_cors =\n"
                          "trusted_proxies = ::1 ; and more\n"
                          "trusted_proxies =\n",
                          &c),
                     RC_OK);
    assert_string_equal(c.trusted_proxies,
                        "192.0.2.1 198.51.100.0/24 2001:db8::/32 ::1");
    assert_string_equal(c.media_cors, "");
    /* The environment replaces all of it. */
    setenv("DROPSTREAM_TRUSTED_PROXIES", " 10.0.0.0/8  10.0.0.0/8 ", 1);
    assert_int_equal(load("[access]\ntrusted_proxies = ::1\n", &c), RC_OK);
    assert_string_equal(c.trusted_proxies, "10.0.0.0/8");
}

static void a_list_that_does_not_fit_is_refused(void **state)
{
    static char text[16384];
    struct config c;
    size_t n, i;

    (void)state;
    /* 409 networks of 9 bytes and their blanks are 4089 bytes. */
    for (i = 0; i < 409; i++)
        snprintf(text + i * 10, 11, "10.%02zu.1.0 ", 10 + i % 90);
    setenv("DROPSTREAM_TRUSTED_PROXIES", text, 1);
    assert_int_equal(load("", &c), RC_OK);
    assert_int_equal(strlen(c.trusted_proxies), 90 * 10 - 1);
    n = (size_t)snprintf(text, sizeof(text), "192.0.2.1");
    for (i = 0; n < CONFIG_LIST_MAX; i++)
        n += (size_t)snprintf(text + n, sizeof(text) - n, " 10.%zu.%zu.0", i / 250,
                              i % 250);
    setenv("DROPSTREAM_TRUSTED_PROXIES", text, 1);
    assert_int_equal(load("", &c), RC_INVALID);
    assert_string_equal(err, "DROPSTREAM_TRUSTED_PROXIES: trusted_proxies must have at "
                             "most 4095 bytes in all");
    *strrchr(text, ' ') = '\0';
    setenv("DROPSTREAM_TRUSTED_PROXIES", text, 1);
    assert_int_equal(load("", &c), RC_OK);
    assert_string_equal(c.trusted_proxies, text);
}

/* What lighttpd would take for something else never gets there. */
static void only_addresses_and_origins_get_into_lists(void **state)
{
    static const char *const proxies[] = {
        "localhost",     "192.0.2",        "192.0.2.1/33",
        "192.0.2.1/0",   "192.0.2.1/",     "192.0.2.1/+8",
        "192.0.2.1/08",  "2001:db8::/129", "2001:db8::/0",
        "all",           "192.0.2.1,",     "\"192.0.2.1\"",
        "192.0.2.1/2/3", "192.0.2.1/8 all"};
    static const char *const origins[] = {"example.org",
                                          "https://",
                                          "https://example.org/",
                                          "https://Example.org",
                                          "https://a\"b",
                                          "https://example.org:443",
                                          "http://example.org:80",
                                          "https://example.org:",
                                          "https://example.org:0",
                                          "https://example.org:65536",
                                          "https://user@example.org",
                                          "https://[::1",
                                          "https://[::g]",
                                          "https://[::1]x",
                                          "ftp://example.org",
                                          "null",
                                          "* https://example.org",
                                          "https://example.org *"};
    static const char fine[] = "https://a.example http://b.example:8080 "
                               "https://[2001:db8::1]:8443 http://127.0.0.1";
    struct config c;
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(proxies) / sizeof(proxies[0]); i++) {
        setenv("DROPSTREAM_TRUSTED_PROXIES", proxies[i], 1);
        assert_int_equal(load("", &c), RC_INVALID);
        assert_non_null(strstr(err, "trusted_proxies must be addresses such as "
                                    "192.0.2.1 or 192.0.2.0/24, not \""));
    }
    unsetenv("DROPSTREAM_TRUSTED_PROXIES");
    for (i = 0; i < sizeof(origins) / sizeof(origins[0]); i++) {
        setenv("DROPSTREAM_MEDIA_CORS", origins[i], 1);
        assert_int_equal(load("", &c), RC_INVALID);
        assert_non_null(strstr(err, "media_cors must be \"*\" alone, or origins such "
                                    "as https://example.org, not \""));
    }
    setenv("DROPSTREAM_MEDIA_CORS", fine, 1);
    assert_int_equal(load("", &c), RC_OK);
    assert_string_equal(c.media_cors, fine);
    setenv("DROPSTREAM_MEDIA_CORS", "*", 1);
    assert_int_equal(load("", &c), RC_OK);
    assert_string_equal(c.media_cors, "*");
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, fixture_close)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(access_without_sign_in_needs_a_loopback_address),
        TEST(choices_are_told),
        TEST(a_list_may_stand_on_several_lines),
        TEST(a_list_that_does_not_fit_is_refused),
        TEST(only_addresses_and_origins_get_into_lists),
    };

    return cmocka_run_group_tests_name("config_access", tests, NULL, NULL);
}
