#include "check.h"

#include "password.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

static int64_t thread_us(void)
{
    struct timespec t;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static bool is_right(const char *text, const char *hash)
{
    bool right = false;

    assert_int_equal(password_check(text, hash, &right), RC_OK);
    return right;
}

static void a_password_is_told_from_any_other(void **state)
{
    char hash[PASSWORD_HASH_MAX + 1], again[PASSWORD_HASH_MAX + 1];

    (void)state;
    assert_int_equal(password_hash("correct horse", hash), RC_OK);
    assert_memory_equal(hash, "$y$j9T$", 7);
    assert_null(strstr(hash, "horse"));
    assert_true(is_right("correct horse", hash));
    assert_false(is_right("correct horsf", hash));
    assert_false(is_right("correct hors", hash));
    assert_false(is_right("correct horse ", hash));
    assert_false(is_right("", hash));
    assert_int_equal(password_hash("correct horse", again), RC_OK);
    assert_string_not_equal(hash, again); /* another salt */
    assert_true(is_right("correct horse", again));
}

static void what_comes_late_in_a_long_password_counts(void **state)
{
    char text[PASSWORD_MAX + 2], hash[PASSWORD_HASH_MAX + 1];

    (void)state;
    memset(text, 'x', sizeof(text));
    text[PASSWORD_MAX + 1] = '\0';
    assert_int_equal(password_hash(text, hash), RC_INVALID);
    text[PASSWORD_MAX] = '\0';
    assert_int_equal(password_hash(text, hash), RC_OK);
    assert_true(is_right(text, hash));
    text[PASSWORD_MAX - 1] = 'y';
    assert_false(is_right(text, hash));
    text[PASSWORD_MAX - 1] = 'x';
    text[PASSWORD_MAX] = 'x';
    assert_false(is_right(text, hash)); /* too long */
    assert_int_equal(password_hash("", hash), RC_INVALID);
}

/* Also what another method of crypt(3) would take. */
static void no_password_fits_what_is_no_hash(void **state)
{
    (void)state;
    assert_false(is_right("", ""));
    assert_false(is_right("x", ""));
    assert_false(is_right("x", "x"));
    assert_false(is_right("x", "*0"));
    assert_false(is_right("x", "juxWeUlXnH6Rw"));
    assert_false(is_right("x", "$1$salt$LZZHNSUFfYcbhHTNtS8lH/"));
}

static void an_account_needs_ten_bytes_of_text(void **state)
{
    char text[PASSWORD_MAX + 2];

    (void)state;
    assert_true(password_acceptable("0123456789"));
    assert_false(password_acceptable("012345678"));
    assert_true(password_acceptable("h\xc3\xa9h\xc3\xa9h\xc3\xa9h "));
    assert_false(password_acceptable("0123456789\xff"));
    assert_false(password_acceptable("0123456789\n"));
    memset(text, 'x', sizeof(text));
    text[PASSWORD_MAX] = '\0';
    assert_true(password_acceptable(text));
    text[PASSWORD_MAX] = 'x';
    text[PASSWORD_MAX + 1] = '\0';
    assert_false(password_acceptable(text));
}

static int by_size(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

    return (x > y) - (x < y);
}

/* The very first check of a process as well, so this test comes first. */
static void an_unknown_account_costs_as_much(void **state)
{
    int64_t known[21], unknown[21], first = thread_us();
    char hash[PASSWORD_HASH_MAX + 1];

    (void)state;
    assert_false(is_right("wrong password", ""));
    first = thread_us() - first;
    assert_int_equal(password_hash("correct horse", hash), RC_OK);
    for (int i = 0; i < 21; i++) {
        int64_t begun = thread_us();
        assert_false(is_right("wrong password", hash));
        known[i] = thread_us() - begun;
        begun = thread_us();
        assert_false(is_right("wrong password", ""));
        unknown[i] = thread_us() - begun;
    }
    qsort(known, 21, sizeof(known[0]), by_size);
    qsort(unknown, 21, sizeof(unknown[0]), by_size);
    print_message("known %lld us, unknown %lld us, first %lld us\n",
                  (long long)known[10], (long long)unknown[10], (long long)first);
    assert_in_range(unknown[10], known[10] * 4 / 5, known[10] * 5 / 4);
    assert_true(first > known[10] / 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_unknown_account_costs_as_much),
        cmocka_unit_test(a_password_is_told_from_any_other),
        cmocka_unit_test(what_comes_late_in_a_long_password_counts),
        cmocka_unit_test(no_password_fits_what_is_no_hash),
        cmocka_unit_test(an_account_needs_ten_bytes_of_text),
    };

    return cmocka_run_group_tests_name("password", tests, NULL, NULL);
}
