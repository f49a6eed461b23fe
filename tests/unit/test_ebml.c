#include "check.h"

#include "ebml.h"

#include <string.h>

#define BYTES(text) (const uint8_t *)(text), sizeof(text) - 1

static void an_element_has_its_id_with_and_its_size_without_a_marker(void **state)
{
    (void)state;
    struct ebml_element e;
    assert_int_equal(ebml_header(BYTES("\xe7\x82zz"), &e), RC_OK);
    assert_int_equal(e.id, 0xe7);
    assert_int_equal(e.size, 2);
    assert_int_equal(e.header_size, 2);
    assert_int_equal(ebml_header(BYTES("\x1a\x45\xdf\xa3\x40\x02"), &e), RC_OK);
    assert_true(e.id == 0x1a45dfa3);
    assert_int_equal(e.size, 2);
    assert_int_equal(e.header_size, 6);
    assert_int_equal(ebml_header(BYTES("\xec\x01\xff\xff\xff\xff\xff\xff\xfe"), &e),
                     RC_OK);
    assert_true(e.size == 0xfffffffffffffe);
    assert_int_equal(e.header_size, 9);
}

static void a_size_of_ones_is_unknown_at_every_length(void **state)
{
    (void)state;
    static const uint8_t first[] = {0xff, 0x7f, 0x3f, 0x1f, 0x0f, 0x07, 0x03, 0x01};
    for (size_t i = 0; i < 8; i++) {
        uint8_t data[9];
        struct ebml_element e;
        memset(data, 0xff, sizeof(data));
        data[0] = 0xe7;
        data[1] = first[i];
        assert_int_equal(ebml_header(data, i + 2, &e), RC_OK);
        assert_true(e.size == EBML_UNKNOWN);
        assert_int_equal(ebml_header(data, i + 1, &e), RC_TRUNCATED);
        data[i + 1] ^= i == 0 ? 2 : 1;
        assert_int_equal(ebml_header(data, i + 2, &e), RC_OK);
        assert_true(e.size < EBML_UNKNOWN);
    }
}

static void what_is_no_length_is_invalid(void **state)
{
    (void)state;
    struct ebml_element e = {.id = 5};
    assert_int_equal(ebml_header(BYTES("\x08zzzzzzz"), &e), RC_INVALID); /* ID of 5 */
    assert_int_equal(ebml_header(BYTES("\0zzzzzzzz"), &e), RC_INVALID);
    assert_int_equal(ebml_header(BYTES("\xe7\0zzzzzzzzz"), &e), RC_INVALID);
    assert_int_equal(ebml_header(BYTES(""), &e), RC_TRUNCATED);
    assert_int_equal(ebml_header(BYTES("\x1a\x45\xdf"), &e), RC_TRUNCATED);
    assert_int_equal(ebml_header(BYTES("\xe7"), &e), RC_TRUNCATED);
    assert_int_equal(e.id, 5);
}

static void a_number_of_variable_length_has_a_bound(void **state)
{
    (void)state;
    uint64_t value = 7;
    int length = 7;
    assert_int_equal(ebml_vint(BYTES("\x81"), 8, &value, &length), RC_OK);
    assert_int_equal(value, 1);
    assert_int_equal(length, 1);
    assert_int_equal(ebml_vint(BYTES("\x21\x02\x03z"), 8, &value, &length), RC_OK);
    assert_int_equal(value, 0x10203);
    assert_int_equal(length, 3);
    value = 7;
    assert_int_equal(ebml_vint(BYTES("\x21\x02\x03"), 2, &value, &length), RC_INVALID);
    assert_int_equal(ebml_vint(BYTES("\x21\x02"), 3, &value, &length), RC_TRUNCATED);
    assert_int_equal(value, 7);
}

static void values_are_big_endian(void **state)
{
    (void)state;
    assert_int_equal(ebml_uint(BYTES("")), 0);
    assert_int_equal(ebml_uint(BYTES("\1\2\3")), 0x10203);
    assert_true(ebml_uint(BYTES("\xfe\2\3\4\5\6\7\x08")) == 0xfe02030405060708);
    assert_true(ebml_float(BYTES("\x3f\xc0\0\0")) == 1.5);
    assert_true(ebml_float(BYTES("\xbf\xf8\0\0\0\0\0\0")) == -1.5);
    assert_true(ebml_float(BYTES("")) == 0);
    assert_true(ebml_float(BYTES("\x3f\xc0\0")) == 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_element_has_its_id_with_and_its_size_without_a_marker),
        cmocka_unit_test(a_size_of_ones_is_unknown_at_every_length),
        cmocka_unit_test(what_is_no_length_is_invalid),
        cmocka_unit_test(a_number_of_variable_length_has_a_bound),
        cmocka_unit_test(values_are_big_endian),
    };
    return cmocka_run_group_tests_name("ebml", tests, NULL, NULL);
}
