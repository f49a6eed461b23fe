/* test_upload_hash.c: the hash of an upload, in one go and in parts. */
#include "check.h"

#include "upload_hash.h"

#include <string.h>

/* FIPS 180-4, of "abc" (as NIST's examples have it). */
static const uint8_t abc[] = {0xba, 0x78, 0x16, 0xbf, 0x8f, 0x01, 0xcf, 0xea,
                              0x41, 0x41, 0x40, 0xde, 0x5d, 0xae, 0x22, 0x23,
                              0xb0, 0x03, 0x61, 0xa3, 0x96, 0x17, 0x7a, 0x9c,
                              0xb4, 0x10, 0xff, 0x61, 0xf2, 0x00, 0x15, 0xad};

static void it_is_the_sha_256_of_so_many_bytes(void **state)
{
    uint8_t sum[SHA256_DIGEST_SIZE];
    struct upload_hash h;

    (void)state;
    upload_hash_begin(&h);
    upload_hash_add(&h, "ab", 2);
    upload_hash_add(&h, "c", 1);
    assert_false(upload_hash_digest(&h, 2, sum));
    for (int i = 0; i < 2; i++) {
        assert_true(upload_hash_digest(&h, 3, sum));
        assert_memory_equal(sum, abc, sizeof(abc));
    }
}

static void it_goes_on_from_what_was_kept_at_any_byte(void **state)
{
    uint8_t bytes[200], whole[SHA256_DIGEST_SIZE], sum[SHA256_DIGEST_SIZE];
    struct hash_state kept;
    struct upload_hash h, g;

    (void)state;
    for (size_t i = 0; i < sizeof(bytes); i++)
        bytes[i] = (uint8_t)(i * 7 + 1);
    upload_hash_begin(&h);
    upload_hash_add(&h, bytes, sizeof(bytes));
    assert_true(upload_hash_digest(&h, sizeof(bytes), whole));
    for (size_t at = 0; at <= sizeof(bytes); at++) {
        upload_hash_begin(&h);
        upload_hash_add(&h, bytes, at);
        upload_hash_save(&h, &kept);
        memset(&g, 0x55, sizeof(g));
        assert_int_equal(upload_hash_load(&g, &kept), RC_OK);
        assert_int_equal(g.at, at);
        upload_hash_add(&g, bytes + at, sizeof(bytes) - at);
        assert_true(upload_hash_digest(&g, sizeof(bytes), sum));
        assert_memory_equal(sum, whole, sizeof(whole));
    }
}

static void what_is_not_all_of_one_is_none(void **state)
{
    struct hash_state kept, torn;
    struct upload_hash h;

    (void)state;
    upload_hash_begin(&h);
    upload_hash_add(&h, abc, sizeof(abc));
    upload_hash_save(&h, &kept);
    for (torn = kept, torn.n = 0; torn.n < sizeof(torn.bytes); torn.n++) {
        enum rc expected = torn.n == kept.n ? RC_OK : RC_INVALID;
        assert_int_equal(upload_hash_load(&h, &torn), expected);
        assert_int_equal(h.at, expected == RC_OK ? (int64_t)sizeof(abc) : -1);
    }
    torn = kept;
    torn.bytes[0] = 0x80;
    assert_int_equal(upload_hash_load(&h, &torn), RC_INVALID);
}

static void what_is_unknown_stays_so(void **state)
{
    uint8_t sum[SHA256_DIGEST_SIZE];
    struct hash_state kept;
    struct upload_hash h;

    (void)state;
    upload_hash_begin(&h);
    upload_hash_lose(&h);
    upload_hash_add(&h, "abc", 3);
    upload_hash_save(&h, &kept);
    assert_int_equal(kept.n, 0);
    assert_false(upload_hash_digest(&h, 3, sum));
    assert_false(upload_hash_digest(&h, -1, sum));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_is_the_sha_256_of_so_many_bytes),
        cmocka_unit_test(it_goes_on_from_what_was_kept_at_any_byte),
        cmocka_unit_test(what_is_not_all_of_one_is_none),
        cmocka_unit_test(what_is_unknown_stays_so),
    };

    return cmocka_run_group_tests_name("upload_hash", tests, NULL, NULL);
}
