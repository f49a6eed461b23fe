#include "check.h"

#include "id.h"

#include <string.h>

#define ALPHABET "abcdefghijklmnopqrstuvwxyz234567"
#define ROUNDS 2000

static void new_ids_and_keys_are_valid(void **state)
{
    char id[ID_LEN + 1], key[KEY_LEN + 1];
    int i;

    (void)state;
    for (i = 0; i < ROUNDS; i++) {
        assert_int_equal(id_new(id), RC_OK);
        assert_int_equal(key_new(key), RC_OK);
        assert_int_equal(strlen(id), ID_LEN);
        assert_int_equal(strlen(key), KEY_LEN);
        assert_true(id_valid(id));
        assert_true(key_valid(key));
    }
}

static void no_two_ids_are_alike(void **state)
{
    static char ids[ROUNDS][ID_LEN + 1];
    int i, k;

    (void)state;
    for (i = 0; i < ROUNDS; i++) {
        assert_int_equal(id_new(ids[i]), RC_OK);
        for (k = 0; k < i; k++)
            assert_string_not_equal(ids[i], ids[k]);
    }
}

/* 52000 letters, 1625 of each expected; a tenth off is seven standard deviations. */
static void every_letter_comes_equally_often(void **state)
{
    int count[32] = {0}, i, k;
    char key[KEY_LEN + 1];

    (void)state;
    for (i = 0; i < ROUNDS; i++) {
        assert_int_equal(key_new(key), RC_OK);
        for (k = 0; k < KEY_LEN; k++)
            count[strchr(ALPHABET, key[k]) - ALPHABET]++;
    }
    for (i = 0; i < 32; i++)
        assert_in_range(count[i], 1625 - 285, 1625 + 285);
}

static void only_a_whole_name_is_valid(void **state)
{
    static const char *const bad[] = {
        "",
        "abcdefghijklmno",   /* short */
        "abcdefghijklmnopq", /* long */
        "ABCDEFGHIJKLMNOP",
        "abcdefghijklmno0",
        "abcdefghijklmno1",
        "abcdefghijklmno8",
        "abcdefghijklmno/",
        "../../etc/passwd",
        "abcdefghijklmno\n",
        "abcdefghijklmno ",
    };
    size_t i;

    (void)state;
    assert_true(id_valid("abcdefghijklmno7"));
    assert_true(key_valid(&ALPHABET[6]));
    assert_false(id_valid(NULL));
    assert_false(key_valid(NULL));
    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_false(id_valid(bad[i]));
        assert_false(key_valid(bad[i]));
    }
    assert_false(id_valid(&ALPHABET[6]));
    assert_false(key_valid("abcdefghijklmno7"));
}

static void new_upload_ids_are_32_hex_digits_and_differ(void **state)
{
    char a[UPLOAD_ID_LEN + 1], b[UPLOAD_ID_LEN + 1], same[UPLOAD_ID_LEN + 1];

    (void)state;
    assert_int_equal(upload_id_new(a), RC_OK);
    assert_int_equal(upload_id_new(b), RC_OK);
    assert_string_not_equal(a, b);
    assert_int_equal(upload_id_read(a, same), RC_OK);
    assert_string_equal(a, same);
}

static void upload_ids_are_read_in_any_case_and_whole_only(void **state)
{
    static const char *const bad[] = {
        "",
        "0123456789abcdef0123456789abcde",
        "0123456789abcdef0123456789abcdefa",
        "0123456789abcdef0123456789abcdeg",
        "0123456789abcdef 123456789abcdef",
        "../../../../../../../../etc/pass",
    };
    char id[UPLOAD_ID_LEN + 1] = "old";

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_int_equal(upload_id_read(bad[i], id), RC_INVALID);
    assert_string_equal(id, "old");
    assert_int_equal(upload_id_read("0123456789ABCDEF0123456789abcdeF", id), RC_OK);
    assert_string_equal(id, "0123456789abcdef0123456789abcdef");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(new_ids_and_keys_are_valid),
        cmocka_unit_test(no_two_ids_are_alike),
        cmocka_unit_test(every_letter_comes_equally_often),
        cmocka_unit_test(only_a_whole_name_is_valid),
        cmocka_unit_test(new_upload_ids_are_32_hex_digits_and_differ),
        cmocka_unit_test(upload_ids_are_read_in_any_case_and_whole_only),
    };

    return cmocka_run_group_tests_name("id", tests, NULL, NULL);
}
