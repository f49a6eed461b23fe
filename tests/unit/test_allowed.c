/* test_allowed.c: what was allowed, for as long as that lasts. */
#include "check.h"

#include "allowed.h"

#include <string.h>

static struct allowed table;

static int setup(void **state)
{
    (void)state;
    memset(&table, 0, sizeof(table));
    return 0;
}

static const uint8_t *name(const char *text)
{
    static uint8_t hashes[2][SECRET_HASH_SIZE];
    static int i;

    i = !i;
    secret_hash(text, strlen(text), hashes[i]);
    return hashes[i];
}

static void an_empty_table_allows_nothing(void **state)
{
    const uint8_t zero[SECRET_HASH_SIZE] = {0};

    (void)state;
    assert_false(allowed_has(&table, name("a"), 0));
    assert_false(allowed_has(&table, zero, 0));
}

static void what_was_added_is_allowed_until_its_time(void **state)
{
    (void)state;
    allowed_add(&table, name("a"), 100);
    assert_true(allowed_has(&table, name("a"), 99));
    assert_false(allowed_has(&table, name("a"), 100));
    assert_false(allowed_has(&table, name("b"), 99));
}

static void nothing_is_allowed_once_something_has_changed(void **state)
{
    (void)state;
    allowed_add(&table, name("a"), 100);
    allowed_forget(&table);
    assert_false(allowed_has(&table, name("a"), 1));
    allowed_add(&table, name("a"), 100);
    assert_true(allowed_has(&table, name("a"), 1));
}

static void whoever_takes_a_place_has_it_alone(void **state)
{
    uint8_t first[SECRET_HASH_SIZE] = {1, 2, 3}, second[SECRET_HASH_SIZE] = {1, 2, 4};

    (void)state;
    allowed_add(&table, first, 100);
    assert_false(allowed_has(&table, second, 1));
    allowed_add(&table, second, 100);
    assert_true(allowed_has(&table, second, 1));
    assert_false(allowed_has(&table, first, 1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(an_empty_table_allows_nothing, setup),
        cmocka_unit_test_setup(what_was_added_is_allowed_until_its_time, setup),
        cmocka_unit_test_setup(nothing_is_allowed_once_something_has_changed, setup),
        cmocka_unit_test_setup(whoever_takes_a_place_has_it_alone, setup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
