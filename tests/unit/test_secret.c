#include "check.h"

#include "secret.h"

#include <stdio.h>
#include <string.h>

static void a_new_secret_is_valid_and_never_the_same(void **state)
{
    char secrets[200][SECRET_LEN + 1];
    int seen[32] = {0};
    size_t i, k;

    (void)state;
    for (i = 0; i < 200; i++) {
        assert_int_equal(secret_new(secrets[i]), RC_OK);
        assert_int_equal(strlen(secrets[i]), SECRET_LEN);
        assert_true(secret_valid(secrets[i]));
        for (k = 0; k < i; k++)
            assert_string_not_equal(secrets[i], secrets[k]);
        for (k = 0; k < SECRET_LEN; k++)
            seen[strchr("abcdefghijklmnopqrstuvwxyz234567", secrets[i][k]) -
                 "abcdefghijklmnopqrstuvwxyz234567"]++;
    }
    for (i = 0; i < 32; i++) /* 325 of each are expected */
        assert_in_range(seen[i], 200, 450);
}

static void only_a_whole_secret_is_valid(void **state)
{
    char s[SECRET_LEN + 2];

    (void)state;
    memset(s, 'a', sizeof(s));
    s[SECRET_LEN] = '\0';
    assert_true(secret_valid(s));
    s[SECRET_LEN] = 'a';
    s[SECRET_LEN + 1] = '\0';
    assert_false(secret_valid(s));
    s[SECRET_LEN - 1] = '\0';
    assert_false(secret_valid(s));
    memset(s, 'a', SECRET_LEN);
    s[SECRET_LEN] = '\0';
    s[20] = 'A';
    assert_false(secret_valid(s));
    s[20] = '1';
    assert_false(secret_valid(s));
    s[20] = '/';
    assert_false(secret_valid(s));
    assert_false(secret_valid(""));
    assert_false(secret_valid(NULL));
}

static void to_hex(const uint8_t *bytes, char out[2 * SECRET_HASH_SIZE + 1])
{
    for (size_t i = 0; i < SECRET_HASH_SIZE; i++)
        snprintf(out + 2 * i, 3, "%02x", bytes[i]);
}

/* FIPS 180-4, the examples of NIST. */
static void a_hash_is_sha_256(void **state)
{
    uint8_t hash[SECRET_HASH_SIZE];
    char hex[2 * SECRET_HASH_SIZE + 1];

    (void)state;
    secret_hash("abc", 3, hash);
    to_hex(hash, hex);
    assert_string_equal(
        hex, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    secret_hash("", 0, hash);
    to_hex(hash, hex);
    assert_string_equal(
        hex, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

/* RFC 4231 section 4.2; its key of 20 bytes, which HMAC fills up with zeros itself. */
static void a_signature_is_hmac_sha_256(void **state)
{
    uint8_t key[SECRET_KEY_SIZE] = {0};
    char hex[2 * SECRET_HASH_SIZE + 1], other[2 * SECRET_HASH_SIZE + 1];

    (void)state;
    memset(key, 0x0b, 20);
    secret_sign(key, "Hi There", 8, hex);
    assert_string_equal(
        hex, "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
    secret_sign(key, "Hi there", 8, other);
    assert_string_not_equal(hex, other);
    key[31] = 1;
    secret_sign(key, "Hi There", 8, other);
    assert_string_not_equal(hex, other);
}

static void texts_are_compared_to_the_last_letter(void **state)
{
    (void)state;
    assert_true(secret_equal("", ""));
    assert_true(secret_equal("abc", "abc"));
    assert_false(secret_equal("abc", "abd"));
    assert_false(secret_equal("abc", "Abc"));
    assert_false(secret_equal("abc", "ab"));
    assert_false(secret_equal("ab", "abc"));
    assert_false(secret_equal("abc", ""));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_new_secret_is_valid_and_never_the_same),
        cmocka_unit_test(only_a_whole_secret_is_valid),
        cmocka_unit_test(a_hash_is_sha_256),
        cmocka_unit_test(a_signature_is_hmac_sha_256),
        cmocka_unit_test(texts_are_compared_to_the_last_letter),
    };

    return cmocka_run_group_tests_name("secret", tests, NULL, NULL);
}
