/* test_store_tries.c: what fails too often has to wait. */
#include "check.h"

#include "accounts_fixture.h"
#include "store_priv.h"

/* As a sign-in counts, but for the account at the address, which adds nothing here. */
static const struct try_subject login[] = {{"account:ada", false},
                                           {"address:192.0.2.1", false}};
static const struct try_subject other_account[] = {{"account:bob", false},
                                                   {"address:192.0.2.1", false}};
static const struct try_subject other_address[] = {{"account:ada", false},
                                                   {"address:192.0.2.2", false}};
static const struct try_subject both_other[] = {{"account:bob", false},
                                                {"address:192.0.2.2", false}};

/* How long a try has to wait; 0: it was looked at, and failed. */
static int64_t try(struct fixture *f, const struct try_subject subjects[2])
{
    int64_t wait = -1;

    assert_int_equal(store_try_begin(f->st, subjects, 2, &wait), RC_OK);
    return wait;
}

static void fail_often(struct fixture *f, const struct try_subject subjects[2], int n)
{
    for (int i = 0; i < n; i++)
        assert_int_equal(try(f, subjects), 0);
}

static int64_t rows(struct fixture *f)
{
    sqlite3_stmt *q;
    int64_t n;

    assert_int_equal(
        sqlite3_prepare_v2(f->st->db, "SELECT count(*) FROM tries", -1, &q, NULL),
        SQLITE_OK);
    assert_int_equal(sqlite3_step(q), SQLITE_ROW);
    n = sqlite3_column_int64(q, 0);
    sqlite3_finalize(q);
    return n;
}

static void the_first_five_cost_nothing_and_then_it_doubles(void **state)
{
    static const int64_t waits[] = {1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900};
    struct fixture *f = *state;

    fail_often(f, login, STORE_TRIES_FREE);
    for (size_t i = 0; i < sizeof(waits) / sizeof(waits[0]); i++) {
        assert_int_equal(try(f, login), 0);
        assert_int_equal(try(f, login), waits[i] * 1000);
        fixture_tick(f, waits[i] * 1000 - 1);
        assert_int_equal(try(f, login), 1); /* nothing was counted */
        fixture_tick(f, 1);
    }
    assert_int_equal(STORE_TRIES_MS, 900 * 1000);
}

static void looking_counts_nothing(void **state)
{
    struct fixture *f = *state;
    int64_t wait = -1;

    for (int i = 0; i < 3 * STORE_TRIES_FREE; i++)
        assert_int_equal(store_try_look(f->st, login, 2, &wait), RC_OK);
    assert_int_equal(wait, 0);
    fail_often(f, login, STORE_TRIES_FREE + 1);
    assert_int_equal(store_try_look(f->st, login, 2, &wait), RC_OK);
    assert_int_equal(wait, 1000);
    fixture_tick(f, 400);
    assert_int_equal(store_try_look(f->st, login, 2, &wait), RC_OK);
    assert_int_equal(wait, 600);
}

static void account_and_address_count_each_for_itself(void **state)
{
    struct fixture *f = *state;

    fail_often(f, login, STORE_TRIES_FREE + 1);
    assert_int_equal(try(f, login), 1000);
    assert_int_equal(try(f, other_account), 1000);
    assert_int_equal(try(f, other_address), 1000);
    assert_int_equal(try(f, both_other), 0);
}

static void the_longest_wait_counts(void **state)
{
    struct fixture *f = *state;

    fail_often(f, login, STORE_TRIES_FREE + 1);
    fixture_tick(f, 1000);
    fail_often(f, other_address, 1); /* the account: 7 failed, the address 1 */
    assert_int_equal(try(f, other_address), 2000);
    assert_int_equal(try(f, login), 2000);
    assert_int_equal(try(f, other_account), 0); /* the address of 6 has waited */
}

static void what_failed_long_ago_is_forgotten(void **state)
{
    struct fixture *f = *state;

    fail_often(f, login, STORE_TRIES_FREE);
    fixture_tick(f, STORE_TRIES_MS - 1);
    fail_often(f, login, 1);
    assert_int_equal(try(f, login), 1000);
    fixture_tick(f, 1000 + STORE_TRIES_MS);
    fail_often(f, login, STORE_TRIES_FREE);
    fail_often(f, login, 1);
    assert_int_equal(try(f, login), 1000);
}

static void who_waits_for_the_longest_is_not_forgiven_by_it(void **state)
{
    struct fixture *f = *state;

    fail_often(f, login, STORE_TRIES_FREE);
    for (int i = 0; i < 20; i++) {
        fail_often(f, login, 1);
        fixture_tick(f, try(f, login));
    }
    fail_often(f, login, 1);
    assert_int_equal(try(f, login), STORE_TRIES_MS);
}

static void
success_begins_the_account_anew_and_takes_back_one_of_the_address(void **state)
{
    struct fixture *f = *state;

    fail_often(f, login, STORE_TRIES_FREE - 1);
    fail_often(f, login, 1);
    assert_int_equal(store_try_succeeded(f->st, login, 2), RC_OK);
    /* The account: none; the address: 4. */
    fail_often(f, other_account, 2);
    assert_int_equal(try(f, other_account), 1000);
    fail_often(f, other_address, STORE_TRIES_FREE + 1);
    assert_int_equal(try(f, other_address), 1000);
}

/* Guessing at others between sign-ins of one's own does not get round the limit. */
static void an_account_of_ones_own_buys_no_tries(void **state)
{
    static const struct try_subject own[] = {{"account:eve", false},
                                             {"address:192.0.2.1", false}};
    struct fixture *f = *state;
    char account[32];
    const struct try_subject victim[] = {{account, false},
                                         {"address:192.0.2.1", false}};
    int failed = 0;

    for (int i = 0; i < 100; i++) {
        snprintf(account, sizeof(account), "account:%d", i);
        if (try(f, victim) == 0)
            failed++;
        if (try(f, own) == 0)
            assert_int_equal(store_try_succeeded(f->st, own, 2), RC_OK);
    }
    assert_true(failed <= STORE_TRIES_FREE + 1);
}

/* Whoever fails at it from many addresses does not keep its user out. */
static void a_lenient_subject_waits_late_and_not_for_long(void **state)
{
    static const int64_t waits[] = {1, 2, 4, 8, 16, 30, 30};
    struct fixture *f = *state;
    char address[32];
    const struct try_subject guess[] = {{address, false}, {"account:ada", true}};
    const struct try_subject user[] = {{"address:192.0.2.1", false},
                                       {"account:ada", true}};

    for (int i = 0; i < STORE_TRIES_LENIENT_FREE; i++) {
        snprintf(address, sizeof(address), "address:198.51.100.%d", i);
        assert_int_equal(try(f, guess), 0);
    }
    for (size_t i = 0; i < sizeof(waits) / sizeof(waits[0]); i++) {
        snprintf(address, sizeof(address), "address:203.0.113.%d", (int)i);
        assert_int_equal(try(f, guess), 0);
        assert_int_equal(try(f, user), waits[i] * 1000);
        fixture_tick(f, waits[i] * 1000);
    }
    assert_int_equal(try(f, user), 0);
    assert_int_equal(store_try_succeeded(f->st, user, 2), RC_OK);
    assert_int_equal(STORE_TRIES_LENIENT_MS, 30 * 1000);
}

static enum rc try_once(struct store *st, void *looked)
{
    int64_t wait = 0;
    enum rc rc;

    for (int i = 0; i < 20; i++) {
        rc = store_try_begin(st, login, 2, &wait);
        if (rc != RC_OK)
            return rc;
        if (wait == 0)
            ++*(int *)looked;
    }
    return RC_OK;
}

static void tries_at_the_same_time_count_as_if_in_a_row(void **state)
{
    struct fixture *f = *state;
    int looked[2] = {0};
    struct racer racers[2] = {{.run = try_once, .arg = &looked[0]},
                              {.run = try_once, .arg = &looked[1]}};

    race(f, racers);
    assert_int_equal(racers[0].rc, RC_OK);
    assert_int_equal(racers[1].rc, RC_OK);
    assert_int_equal(looked[0] + looked[1], STORE_TRIES_FREE + 1);
}

static void after_a_boot_the_wait_begins_anew(void **state)
{
    struct fixture *f = *state;

    fail_often(f, login, STORE_TRIES_FREE + 1);
    fixture_tick(f, 999);
    fixture_reboot(f);
    assert_int_equal(try(f, login), 1000);
    fixture_tick(f, 600);
    assert_int_equal(try(f, login), 400);
    fixture_tick(f, 400);
    fail_often(f, login, 1);
    assert_int_equal(try(f, login), 2000);
}

static void counts_are_cleared_away_when_they_are_over(void **state)
{
    struct fixture *f = *state;

    fail_often(f, login, 1);
    fixture_tick(f, 1000);
    fail_often(f, both_other, 1);
    fixture_tick(f, 2 * STORE_TRIES_MS - 1000);
    assert_int_equal(rows(f), 4);
    assert_int_equal(store_accounts_expire(f->st), RC_OK);
    assert_int_equal(rows(f), 2);
    fixture_reboot(f); /* of another boot: nobody knows how long ago */
    assert_int_equal(store_accounts_expire(f->st), RC_OK);
    assert_int_equal(rows(f), 2);
    fixture_tick(f, 2 * STORE_TRIES_MS);
    assert_int_equal(store_accounts_expire(f->st), RC_OK);
    assert_int_equal(rows(f), 0);
}

static void subjects_are_not_kept_in_clear(void **state)
{
    struct fixture *f = *state;
    sqlite3_stmt *q;

    fail_often(f, login, 1);
    assert_int_equal(sqlite3_prepare_v2(f->st->db,
                                        "SELECT 1 FROM tries"
                                        " WHERE instr(subject, CAST('ada' AS BLOB))"
                                        " OR length(subject) <> 32",
                                        -1, &q, NULL),
                     SQLITE_OK);
    assert_int_equal(sqlite3_step(q), SQLITE_DONE);
    sqlite3_finalize(q);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, fixture_setup, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_first_five_cost_nothing_and_then_it_doubles),
        TEST(looking_counts_nothing),
        TEST(account_and_address_count_each_for_itself),
        TEST(the_longest_wait_counts),
        TEST(what_failed_long_ago_is_forgotten),
        TEST(who_waits_for_the_longest_is_not_forgiven_by_it),
        TEST(success_begins_the_account_anew_and_takes_back_one_of_the_address),
        TEST(an_account_of_ones_own_buys_no_tries),
        TEST(a_lenient_subject_waits_late_and_not_for_long),
        TEST(tries_at_the_same_time_count_as_if_in_a_row),
        TEST(after_a_boot_the_wait_begins_anew),
        TEST(counts_are_cleared_away_when_they_are_over),
        TEST(subjects_are_not_kept_in_clear),
    };

    return cmocka_run_group_tests_name("store_tries", tests, NULL, NULL);
}
