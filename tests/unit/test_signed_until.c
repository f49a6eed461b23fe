/* test_signed_until.c: what a client keeps for the site. */
#include "check.h"

#include "signed_until.h"

#include <stdio.h>
#include <string.h>

static const uint8_t key[SECRET_KEY_SIZE] = "a key of the site, 32 bytes long";
static const uint8_t other[SECRET_KEY_SIZE] = "another key that is not the site";

enum { NOW = 1700000000 };

static bool check(const char *said, const char *value)
{
    return signed_until_check(key, said, value, NOW);
}

static void what_was_signed_is_true_until_its_time(void **state)
{
    char value[SIGNED_UNTIL_MAX + 1];

    (void)state;
    signed_until_make(key, "share x", NOW + 10, value);
    assert_true(signed_until_check(key, "share x", value, NOW));
    assert_true(signed_until_check(key, "share x", value, NOW + 9));
    assert_false(signed_until_check(key, "share x", value, NOW + 10));
}

static void it_is_true_of_nothing_else(void **state)
{
    char value[SIGNED_UNTIL_MAX + 1];

    (void)state;
    signed_until_make(key, "share x", NOW + 10, value);
    assert_false(check("share y", value));
    assert_false(check("share x ", value));
    assert_false(check("", value));
    assert_false(signed_until_check(other, "share x", value, NOW));
}

static void whoever_changes_it_spoils_it(void **state)
{
    char value[SIGNED_UNTIL_MAX + 1], changed[SIGNED_UNTIL_MAX + 3];
    size_t n;

    (void)state;
    signed_until_make(key, "share x", NOW + 10, value);
    n = strlen(value);
    for (size_t i = 0; i < n; i++) {
        strcpy(changed, value);
        changed[i] = changed[i] == '1' ? '2' : '1';
        assert_false(check("share x", changed));
    }
    snprintf(changed, sizeof(changed), "0%s", value);
    assert_true(check("share x", changed)); /* the same number */
    snprintf(changed, sizeof(changed), "%s0", value);
    assert_false(check("share x", changed));
    value[n - 1] = '\0';
    assert_false(check("share x", value));
}

static void what_is_no_such_thing_is_false(void **state)
{
    (void)state;
    assert_false(check("x", NULL));
    assert_false(check("x", ""));
    assert_false(check("x", "."));
    assert_false(check("x", "1700000010"));
    assert_false(check("x", "1700000010."));
    assert_false(check("x", "-1.00"));
    assert_false(check("x", "99999999999999999999999.00"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_signed_is_true_until_its_time),
        cmocka_unit_test(it_is_true_of_nothing_else),
        cmocka_unit_test(whoever_changes_it_spoils_it),
        cmocka_unit_test(what_is_no_such_thing_is_false),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
