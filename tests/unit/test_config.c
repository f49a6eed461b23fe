#include "config_fixture.h"

#include <ctype.h>
#include <stdbool.h>

static const struct {
    const char *section, *key, *text;
    int64_t min, max; /* 0, 0: not a number */
} keys[] = {
    {"web", "bind", "127.0.0.1", 0, 0},
    {"web", "port", "8080", 1, 65535},
    {"web", "tls_pem", "", 0, 0},
    {"web", "upload_threads", "128", 1, 256},
    {"web", "uploads_per_person", "0", 0, 256},
    {"web", "api_threads", "4", 1, 64},
    {"web", "store_handles", "4", 1, 64},
    {"web", "wait_s", "8", 1, 9},
    {"web", "waits", "1024", 1, 1536},
    {"web", "waits_per_address", "512", 1, 1536},
    {"web", "connections_per_address", "512", 0, 2000},
    {"access", "auth", "required", 0, 0},
    {"access", "media_auth", "static", 0, 0},
    {"access", "media_cors", "", 0, 0},
    {"access", "session_days", "30", 1, 365},
    {"access", "trusted_proxies", "", 0, 0},
    {"upload", "max_upload_mb", "51200", 1, 1048576},
    {"upload", "disk_reserve_mb", "1024", 0, 1048576},
    {"upload", "min_rate_bps", "1024", 0, 1048576},
    {"upload", "min_rate_s", "60", 1, 3600},
    {"upload", "index_max_mb", "64", 1, 1024},
    {"upload", "upload_chunk_mb", "0", 0, 10240},
    {"upload", "unseen_uploads", "1000", 1, 100000},
    {"upload", "unfinished_uploads", "500", 1, 100000},
    {"upload", "upload_expire_h", "24", 0, 8760},
    {"upload", "upload_total_h", "720", 1, 87600},
    {"upload", "upload_request_s", "86400", 0, 2592000},
    {"upload", "upload_checksums", "1", 0, 1},
    {"upload", "settle_s", "60", 1, 3600},
    {"media", "ffmpeg", "ffmpeg", 0, 0},
    {"media", "ffprobe", "ffprobe", 0, 0},
    {"media", "max_duration_s", "86400", 1, 604800},
    {"media", "max_pixels", "35389440", 65536, 268435456},
    {"media", "source_max_mbps", "60", 0, 100000},
    {"media", "sound_max_kbps", "384", 0, 10000},
    {"media", "ladder_max_side", "1080", 0, 1080},
    {"media", "ladder_pixel_mbits", "80", 10, 1000},
    {"media", "ladder_near_percent", "20", 0, 90},
    {"media", "media_budget_mb", "0", 0, 1073741824},
    {"media", "posters", "1", 0, 1},
    {"media", "previews", "1", 0, 1},
    {"worker", "jobs", "0", 0, 64},
    {"worker", "runs", "0", 0, 128},
    {"worker", "nice", "10", 0, 19},
    {"worker", "jail", "auto", 0, 0},
    {"worker", "jail_memory_mb", "8192", 0, 1048576},
    {"worker", "jail_read", "", 0, 0},
    {"worker", "lease_s", "30", 2, 600},
    {"worker", "stall_s", "60", 1, 3600},
    {"worker", "probe_timeout_s", "60", 1, 600},
    {"worker", "grace_s", "5", 1, 60},
    {"worker", "attempts", "3", 1, 10},
    {"worker", "backoff_ms", "2000", 0, 600000},
    {"worker", "poll_ms", "2000", 50, 60000},
    {"log", "job_log_kb", "256", 4, 65536},
    {"log", "activity_rows", "10000", 100, 1000000},
    {"log", "log_level", "info", 0, 0},
};

#define KEY_COUNT (sizeof(keys) / sizeof(keys[0]))

static void env_name(size_t i, char out[64])
{
    size_t k;

    snprintf(out, 64, "DROPSTREAM_%s", keys[i].key);
    for (k = 0; out[k]; k++)
        out[k] = (char)toupper((unsigned char)out[k]);
}

static int setup(void **state)
{
    char name[64];
    size_t i;

    (void)state;
    for (i = 0; i < KEY_COUNT; i++) {
        env_name(i, name);
        unsetenv(name);
    }
    return fixture_open(state);
}

static void assert_value(const struct config *c, const char *key, const char *want)
{
    char text[PATH_MAX];

    assert_int_equal(config_get(c, key, text, sizeof(text)), RC_OK);
    assert_string_equal(text, want);
}

static void an_empty_file_gives_the_defaults(void **state)
{
    struct config c;
    size_t i;

    (void)state;
    assert_int_equal(load("", &c), RC_OK);
    for (i = 0; i < KEY_COUNT; i++)
        assert_value(&c, keys[i].key, keys[i].text);
    assert_int_equal(c.port, 8080);
    assert_int_equal(c.log_level, LOG_INFO);
    assert_int_equal(c.auth, AUTH_REQUIRED);
    assert_int_equal(c.media_auth, MEDIA_STATIC);
}

/* The shipped file with every "#key = value" line uncommented is still the defaults. */
static void the_shipped_file_shows_every_key_with_its_default(void **state)
{
    static char text[65536];
    char line[256], want[256];
    bool seen[KEY_COUNT] = {false};
    FILE *f = fopen(SOURCE_DIR "/etc/dropstream.conf", "r");
    struct config c;
    size_t i, n = 0, shown = 0;

    (void)state;
    assert_non_null(f);
    while (fgets(line, sizeof(line), f)) {
        bool key = line[0] == '#' && islower((unsigned char)line[1]);

        n += (size_t)snprintf(text + n, sizeof(text) - n, "%s", key ? line + 1 : line);
        shown += key;
        for (i = 0; i < KEY_COUNT; i++) {
            snprintf(want, sizeof(want), "#%s =%s%s\n", keys[i].key,
                     *keys[i].text ? " " : "", keys[i].text);
            seen[i] |= strcmp(line, want) == 0;
        }
    }
    fclose(f);
    for (i = 0; i < KEY_COUNT; i++)
        if (!seen[i])
            fail_msg("etc/dropstream.conf does not show \"%s\"", keys[i].key);
    assert_int_equal(shown, KEY_COUNT);
    assert_int_equal(load(text, &c), RC_OK);
    for (i = 0; i < KEY_COUNT; i++)
        assert_value(&c, keys[i].key, keys[i].text);
    assert_int_equal(
        config_load(SOURCE_DIR "/etc/dropstream.conf", &c, err, sizeof(err)), RC_OK);
}

static void values_of_the_file_win_over_defaults(void **state)
{
    struct config c;

    (void)state;
    assert_int_equal(load("\xef\xbb\xbf# byte order mark and comments\n"
                          "[web]\r\n"
                          "  bind = ::1\r\n"
                          "port=9000 ; trailing words\n"
                          "[media]\n"
                          "ffmpeg = /opt/ff mpeg/bin/ffmpeg\n"
                          "[log]\n"
                          "log_level = debug",
                          &c),
                     RC_OK);
    assert_string_equal(c.bind, "::1");
    assert_int_equal(c.port, 9000);
    assert_string_equal(c.ffmpeg, "/opt/ff mpeg/bin/ffmpeg");
    assert_int_equal(c.log_level, LOG_DEBUG);
    assert_int_equal(c.api_threads, 4);
}

static void the_environment_wins_over_the_file(void **state)
{
    struct config c;

    (void)state;
    setenv("DROPSTREAM_PORT", "9001", 1);
    setenv("DROPSTREAM_BIND", "", 1);
    setenv("DROPSTREAM_SITE", "/not/a/key", 1);
    assert_int_equal(load("[web]\nport = 9000\nbind = 10.0.0.1\n", &c), RC_OK);
    assert_int_equal(c.port, 9001);
    assert_string_equal(c.bind, "10.0.0.1");
    unsetenv("DROPSTREAM_SITE");
}

static void a_wrong_variable_is_named(void **state)
{
    struct config c;

    (void)state;
    setenv("DROPSTREAM_PORT", "eighty", 1);
    assert_int_equal(load("", &c), RC_INVALID);
    assert_string_equal(err,
                        "DROPSTREAM_PORT: port must be a whole number, not \"eighty\"");
}

static void a_problem_has_file_and_line(void **state)
{
    (void)state;
    assert_problem("[web]\n\n# x\nprot = 1\n", "4: unknown key \"prot\"");
    assert_problem("[net]\nport = 1\n", "2: unknown section [net]");
    assert_problem("[worker]\nport = 1\n", "2: port belongs in section [web]");
    assert_problem("port = 1\n", "1: a key before the first [section]");
    assert_problem("[web]\nport = 1\nport = 1\n", "3: port is set twice");
    assert_problem("[web]\nport\n", "2: neither \"key = value\" nor [section]");
    assert_problem("[web\n", "1: neither \"key = value\" nor [section]");
    assert_problem("[web]\nport = 0\n", "2: port must be 1 to 65535, not 0");
    assert_problem("[worker]\nlease_s = 1\n", "2: lease_s must be 2 to 600 s, not 1");
    assert_problem("[web]\nbind = localhost\n",
                   "2: bind must be an IPv4 or IPv6 address, not \"localhost\"");
    assert_problem("[media]\nffmpeg =\n", "2: ffmpeg must be 1 to 4095 bytes of UTF-8 "
                                          "without control characters");
    assert_problem("[media]\nffmpeg = a\tb\n", "2: ffmpeg must be 1 to 4095 bytes of "
                                               "UTF-8 without control characters");
    assert_problem("[log]\nlog_level = loud\n",
                   "2: log_level must be error, warn, info or debug, not \"loud\"");
}

static void the_first_problem_is_the_one_told(void **state)
{
    (void)state;
    assert_problem("[web]\nfirst = 1\nport\n", "2: unknown key \"first\"");
    assert_problem("[web]\nport\nsecond = 1\n",
                   "2: neither \"key = value\" nor [section]");
}

static void a_line_is_never_cut_in_silence(void **state)
{
    char text[1024], want[256];
    struct config c;

    (void)state;
    /* 199 bytes is the longest line there may be, with and without its newline. */
    snprintf(want, sizeof(want), "/%0189d", 7);
    snprintf(text, sizeof(text), "[media]\nffmpeg = %s\nffprobe = /x", want);
    assert_int_equal(strlen("ffmpeg = ") + strlen(want), 199);
    assert_int_equal(load(text, &c), RC_OK);
    assert_string_equal(c.ffmpeg, want);
    assert_string_equal(c.ffprobe, "/x");
    snprintf(text, sizeof(text), "[media]\nffmpeg = %s", want);
    assert_int_equal(load(text, &c), RC_OK);
    assert_string_equal(c.ffmpeg, want);
    snprintf(text, sizeof(text), "[media]\nffmpeg = %s/\nnonsense = 1\n", want);
    assert_problem(text, "2: the line is too long");
    snprintf(text, sizeof(text), "[media]\n# %0400d\nnonsense = 1\n", 7);
    assert_problem(text, "2: the line is too long");
}

static void numbers_have_a_range(void **state)
{
    char name[64], value[32];
    struct config c;
    size_t i;
    int k;

    (void)state;
    for (i = 0; i < KEY_COUNT; i++) {
        if (keys[i].max == 0)
            continue;
        env_name(i, name);
        for (k = 0; k < 4; k++) {
            int64_t v = (k & 1 ? keys[i].max : keys[i].min) + (k == 2 ? -1 : k == 3);

            snprintf(value, sizeof(value), "%lld", (long long)v);
            setenv(name, value, 1);
            assert_int_equal(load("", &c), k < 2 ? RC_OK : RC_INVALID);
            if (k < 2)
                assert_value(&c, keys[i].key, value);
        }
        unsetenv(name);
    }
}

static void only_whole_numbers_are_numbers(void **state)
{
    static const char *const bad[] = {"x",   "1x", "0x10", "1.5", "+1",
                                      "--1", "-",  " 1",   "1 2", "1e3"};
    struct config c;
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        setenv("DROPSTREAM_NICE", bad[i], 1);
        assert_int_equal(load("", &c), RC_INVALID);
        assert_non_null(strstr(err, "nice must be a whole number"));
    }
    setenv("DROPSTREAM_NICE", "99999999999999999999", 1);
    assert_int_equal(load("", &c), RC_INVALID);
    assert_non_null(strstr(err, "nice must be 0 to 19"));
}

static void a_file_that_cannot_be_read_is_told_apart(void **state)
{
    struct config c;

    (void)state;
    assert_int_equal(config_load("/nonexistent/x.conf", &c, err, sizeof(err)),
                     RC_NOT_FOUND);
    assert_int_equal(config_load(dir, &c, err, sizeof(err)), RC_IO);
}

static void get_refuses_unknown_keys_and_small_buffers(void **state)
{
    struct config c;
    char out[5] = "old";

    (void)state;
    config_defaults(&c);
    assert_int_equal(config_get(&c, "prot", out, sizeof(out)), RC_NOT_FOUND);
    assert_int_equal(config_get(&c, "port", out, 4), RC_TOO_LARGE);
    assert_string_equal(out, "old");
    assert_int_equal(config_get(&c, "port", out, 5), RC_OK);
    assert_string_equal(out, "8080");
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, fixture_close)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(an_empty_file_gives_the_defaults),
        TEST(the_shipped_file_shows_every_key_with_its_default),
        TEST(values_of_the_file_win_over_defaults),
        TEST(the_environment_wins_over_the_file),
        TEST(a_wrong_variable_is_named),
        TEST(a_problem_has_file_and_line),
        TEST(the_first_problem_is_the_one_told),
        TEST(a_line_is_never_cut_in_silence),
        TEST(numbers_have_a_range),
        TEST(only_whole_numbers_are_numbers),
        TEST(a_file_that_cannot_be_read_is_told_apart),
        TEST(get_refuses_unknown_keys_and_small_buffers),
    };

    return cmocka_run_group_tests_name("config", tests, NULL, NULL);
}
