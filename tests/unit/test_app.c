/* test_app.c: the site's key, as a program keeps it. */
#include "store_fixture.h"

#include "app.h"
#include "store_accounts.h"
#include "store_priv.h"

static void run(struct fixture *f, const char *sql)
{
    assert_int_equal(sqlite3_exec(f->st->db, sql, NULL, NULL, NULL), SQLITE_OK);
}

static void the_key_of_the_site_is_read_once_by_a_program(void **state)
{
    struct fixture *f = *state;
    struct app app = {.key.lock = PTHREAD_MUTEX_INITIALIZER}, started_anew = app;
    uint8_t stored[SECRET_KEY_SIZE], key[SECRET_KEY_SIZE];

    assert_int_equal(store_site_key(f->st, stored), RC_OK);
    assert_int_equal(app_site_key(&app, f->st, key), RC_OK);
    assert_memory_equal(key, stored, sizeof(key));
    run(f, "DELETE FROM site_secrets"); /* as in another database */
    memset(key, 0, sizeof(key));
    assert_int_equal(app_site_key(&app, f->st, key), RC_OK);
    assert_memory_equal(key, stored, sizeof(key));
    assert_int_equal(app_site_key(&started_anew, f->st, key), RC_OK);
    assert_memory_not_equal(key, stored, sizeof(key));
}

static void a_key_that_could_not_be_read_is_asked_for_again(void **state)
{
    struct fixture *f = *state;
    struct app app = {.key.lock = PTHREAD_MUTEX_INITIALIZER};
    uint8_t stored[SECRET_KEY_SIZE], key[SECRET_KEY_SIZE] = {7};

    assert_int_equal(store_site_key(f->st, stored), RC_OK);
    run(f, "UPDATE site_secrets SET secret = x'00'");
    assert_int_equal(app_site_key(&app, f->st, key), RC_CORRUPT);
    assert_int_equal(key[0], 7);
    run(f, "DELETE FROM site_secrets");
    assert_int_equal(app_site_key(&app, f->st, key), RC_OK);
    assert_int_equal(store_site_key(f->st, stored), RC_OK);
    assert_memory_equal(key, stored, sizeof(key));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, fixture_setup, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_key_of_the_site_is_read_once_by_a_program),
        TEST(a_key_that_could_not_be_read_is_asked_for_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
