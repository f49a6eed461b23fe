/* test_store_ended.c: sessions that have ended are told, until they are dropped. */
#include "accounts_fixture.h"

#include "store_priv.h"

#define LASTS_MS (30 * DAY_MS)

static void begin(struct fixture *f, int64_t user_id, const char *secret,
                  int64_t lasts_ms)
{
    struct session s = {.user_id = user_id, .expires_ms = f->wall_ms + lasts_ms};
    uint8_t hash[SECRET_HASH_SIZE];

    fixture_hash(secret, hash);
    assert_int_equal(store_session_begin(f->st, hash, FIXTURE_PASSWORD, &s), RC_OK);
}

static bool exists(struct fixture *f, const char *secret)
{
    uint8_t hash[SECRET_HASH_SIZE];
    bool out = false;

    fixture_hash(secret, hash);
    assert_int_equal(store_session_exists(f->st, hash, &out), RC_OK);
    return out;
}

static bool has_ended(struct fixture *f, const char *secret)
{
    uint8_t ended[STORE_SESSIONS_MAX][SECRET_HASH_SIZE], hash[SECRET_HASH_SIZE];
    size_t n = 0;
    bool is = false;

    fixture_hash(secret, hash);
    assert_int_equal(store_sessions_ended(f->st, NULL, ended, STORE_SESSIONS_MAX, &n),
                     RC_OK);
    for (size_t i = 0; i < n; i++)
        is |= memcmp(ended[i], hash, sizeof(hash)) == 0;
    return is;
}

static void assert_ended(struct fixture *f, const char *secret)
{
    assert_false(exists(f, secret));
    assert_true(has_ended(f, secret));
}

static void assert_goes_on(struct fixture *f, const char *secret)
{
    assert_true(exists(f, secret));
    assert_false(has_ended(f, secret));
}

static void one_that_is_ended_is_told_until_it_is_dropped(void **state)
{
    struct fixture *f = *state;
    int64_t ada = fixture_user(f, "ada", USER_OWNER);
    uint8_t hash[1][SECRET_HASH_SIZE];

    begin(f, ada, "a", LASTS_MS);
    begin(f, ada, "b", LASTS_MS);
    assert_int_equal(store_session_end(f->st, ada, 1), RC_OK);
    assert_ended(f, "a");
    assert_goes_on(f, "b");
    fixture_hash("a", hash[0]);
    assert_int_equal(
        store_sessions_drop(f->st, (const uint8_t(*)[SECRET_HASH_SIZE])hash, 1), RC_OK);
    assert_false(has_ended(f, "a"));
    assert_int_equal(
        store_sessions_drop(f->st, (const uint8_t(*)[SECRET_HASH_SIZE])hash, 1), RC_OK);
    assert_goes_on(f, "b");
}

/* Its transaction would wait for the one of somebody else. */
static void dropping_none_begins_nothing(void **state)
{
    struct fixture *f = *state;
    struct store *busy = fixture_handle(f);
    const uint8_t none[1][SECRET_HASH_SIZE] = {{0}};

    assert_int_equal(store_begin(busy), RC_OK);
    assert_int_equal(store_sessions_drop(f->st, none, 0), RC_OK);
    assert_int_equal(store_end(busy, RC_OK), RC_OK);
    store_close(busy);
}

static void whatever_ends_it_it_is_told(void **state)
{
    struct fixture *f = *state;
    int64_t ada = fixture_user(f, "ada", USER_OWNER);
    int64_t bob = fixture_user(f, "bob", USER_OWNER);
    int64_t eve = fixture_user(f, "eve", USER_MEMBER);
    char secret[16];

    begin(f, ada, "password", LASTS_MS);
    begin(f, ada, "kept", LASTS_MS);
    begin(f, bob, "role", LASTS_MS);
    begin(f, eve, "removed", LASTS_MS);
    assert_int_equal(store_user_set_password(f->st, ada, FIXTURE_PASSWORD, 2), RC_OK);
    assert_ended(f, "password");
    assert_goes_on(f, "kept");
    assert_int_equal(store_user_set_role(f->st, bob, USER_MEMBER, NULL), RC_OK);
    assert_ended(f, "role");
    assert_int_equal(store_user_remove(f->st, eve, NULL), RC_OK);
    assert_ended(f, "removed");

    fixture_tick(f, 1);
    for (int i = 0; i < STORE_SESSIONS_MAX; i++) {
        assert_goes_on(f, "kept");
        snprintf(secret, sizeof(secret), "%d", i);
        begin(f, ada, secret, LASTS_MS);
    }
    assert_ended(f, "kept"); /* of too many, the one unused longest */
}

static void time_ends_those_whose_time_it_is_and_tells_when_the_next_is(void **state)
{
    struct fixture *f = *state;
    int64_t ada = fixture_user(f, "ada", USER_OWNER), began = f->wall_ms, next = 0;

    assert_int_equal(store_sessions_expire(f->st, &next), RC_OK);
    assert_int_equal(next, -1);
    begin(f, ada, "second", 2000);
    begin(f, ada, "first", 1000);
    assert_int_equal(store_sessions_expire(f->st, &next), RC_OK);
    assert_int_equal(next, began + 1000);
    fixture_tick(f, 1000);
    assert_false(exists(f, "first")); /* whether its row is gone or not */
    assert_false(has_ended(f, "first"));
    assert_int_equal(store_sessions_expire(f->st, &next), RC_OK);
    assert_int_equal(next, began + 2000);
    assert_ended(f, "first");
    assert_goes_on(f, "second");
    fixture_tick(f, 5000);
    assert_int_equal(store_sessions_expire(f->st, &next), RC_OK);
    assert_int_equal(next, -1);
    assert_ended(f, "second");
}

static void they_are_told_in_an_order_part_by_part(void **state)
{
    struct fixture *f = *state;
    int64_t ada = fixture_user(f, "ada", USER_OWNER);
    uint8_t all[5][SECRET_HASH_SIZE], part[2][SECRET_HASH_SIZE];
    size_t n = 9, got = 0;
    char secret[2] = "a";

    assert_int_equal(store_sessions_ended(f->st, NULL, all, 5, &n), RC_OK);
    assert_int_equal(n, 0);
    for (int i = 1; i <= 5; i++, secret[0]++) {
        begin(f, ada, secret, LASTS_MS);
        assert_int_equal(store_session_end(f->st, ada, i), RC_OK);
    }
    assert_int_equal(store_sessions_ended(f->st, NULL, all, 5, &n), RC_OK);
    assert_int_equal(n, 5);
    do {
        assert_int_equal(
            store_sessions_ended(f->st, got > 0 ? all[got - 1] : NULL, part, 2, &n),
            RC_OK);
        assert_memory_equal(part, all[got], n * SECRET_HASH_SIZE);
        got += n;
    } while (n == 2);
    assert_int_equal(got, 5);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, fixture_setup, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(one_that_is_ended_is_told_until_it_is_dropped),
        TEST(dropping_none_begins_nothing),
        TEST(whatever_ends_it_it_is_told),
        TEST(time_ends_those_whose_time_it_is_and_tells_when_the_next_is),
        TEST(they_are_told_in_an_order_part_by_part),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
