#include "check.h"

#include "clock.h"

#include <string.h>
#include <time.h>

static void assert_iso8601(int64_t ms, const char *want)
{
    char text[CLOCK_ISO8601_LEN + 1];

    memset(text, 'x', sizeof(text));
    clock_iso8601(ms, text);
    assert_string_equal(text, want);
}

static void iso8601_is_utc_with_milliseconds(void **state)
{
    (void)state;
    assert_iso8601(0, "1970-01-01T00:00:00.000Z");
    assert_iso8601(INT64_C(1769860800007), "2026-01-31T12:00:00.007Z");
    assert_iso8601(INT64_C(1709251199999), "2024-02-29T23:59:59.999Z");
}

static void iso8601_before_1970_counts_up_within_the_second(void **state)
{
    (void)state;
    assert_iso8601(-1, "1969-12-31T23:59:59.999Z");
    assert_iso8601(-1000, "1969-12-31T23:59:59.000Z");
}

static void iso8601_stays_within_four_digits_of_year(void **state)
{
    (void)state;
    assert_iso8601(INT64_MAX, "9999-12-31T23:59:59.999Z");
    assert_iso8601(INT64_MIN, "0000-01-01T00:00:00.000Z");
}

/* From any moment within a second, and over its end. */
static void a_time_to_wait_until_is_so_far_from_now(void **state)
{
    (void)state;
    for (int64_t ms = 0; ms < 3000; ms += 37) {
        struct timespec before, at, after;
        clock_gettime(CLOCK_MONOTONIC, &before);
        at = clock_monotonic_in(ms);
        clock_gettime(CLOCK_MONOTONIC, &after);
        int64_t ns = (int64_t)at.tv_sec * 1000000000 + at.tv_nsec - ms * 1000000;
        assert_in_range(at.tv_nsec, 0, 999999999);
        assert_true(ns >= (int64_t)before.tv_sec * 1000000000 + before.tv_nsec);
        assert_true(ns <= (int64_t)after.tv_sec * 1000000000 + after.tv_nsec);
    }
}

static void http_date_is_utc_in_english(void **state)
{
    static const struct {
        int64_t ms;
        const char *text;
    } dates[] = {
        {0, "Thu, 01 Jan 1970 00:00:00 GMT"},
        {INT64_C(784111777999),
         "Sun, 06 Nov 1994 08:49:37 GMT"}, /* RFC 9110 s. 5.6.7 */
        {INT64_C(1798761599000), "Thu, 31 Dec 2026 23:59:59 GMT"},
        {INT64_MAX, "Fri, 31 Dec 9999 23:59:59 GMT"},
    };
    char text[CLOCK_HTTP_DATE_LEN + 1];

    (void)state;
    for (size_t i = 0; i < sizeof(dates) / sizeof(dates[0]); i++) {
        clock_http_date(dates[i].ms, text);
        assert_string_equal(text, dates[i].text);
    }
}

static void system_clock_knows_the_time_and_the_boot(void **state)
{
    struct clock c;
    int64_t wall, boot;

    (void)state;
    assert_int_equal(clock_system(&c), RC_OK);
    assert_int_equal(strlen(c.boot_id), CLOCK_BOOT_ID_LEN);
    assert_int_equal(strspn(c.boot_id, "0123456789abcdef-"), CLOCK_BOOT_ID_LEN);
    wall = c.wall_ms(c.ctx) - (int64_t)time(NULL) * 1000;
    assert_true(wall > -2000 && wall < 3000);
    boot = c.boot_ms(c.ctx);
    assert_true(boot > 0);
    assert_true(c.boot_ms(c.ctx) >= boot);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(iso8601_is_utc_with_milliseconds),
        cmocka_unit_test(iso8601_before_1970_counts_up_within_the_second),
        cmocka_unit_test(iso8601_stays_within_four_digits_of_year),
        cmocka_unit_test(a_time_to_wait_until_is_so_far_from_now),
        cmocka_unit_test(http_date_is_utc_in_english),
        cmocka_unit_test(system_clock_knows_the_time_and_the_boot),
    };

    return cmocka_run_group_tests_name("clock", tests, NULL, NULL);
}
