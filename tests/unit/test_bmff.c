#include "check.h"

#include "bmff.h"

#include <stdlib.h>
#include <string.h>

#define BYTES(text) ((const uint8_t *)(text))
#define SIZE(text) (sizeof(text) - 1)
#define MOOV BMFF_FOURCC('m', 'o', 'o', 'v')
#define TRAK BMFF_FOURCC('t', 'r', 'a', 'k')
#define MDIA BMFF_FOURCC('m', 'd', 'i', 'a')
#define FREE BMFF_FOURCC('f', 'r', 'e', 'e')

/* Header of exactly n bytes, so that a read past them is found. */
static enum rc header_of(const char *bytes, size_t n, struct bmff_header *out)
{
    uint8_t *copy = malloc(n > 0 ? n : 1);
    enum rc rc;

    assert_non_null(copy);
    memcpy(copy, bytes, n);
    rc = bmff_header(copy, n, out);
    free(copy);
    return rc;
}

static void a_header_has_its_size_in_32_or_64_bits(void **state)
{
    (void)state;
    struct bmff_header h;

    assert_int_equal(header_of("\0\0\1\2moov", 8, &h), RC_OK);
    assert_int_equal(h.type, MOOV);
    assert_int_equal(h.header_size, 8);
    assert_int_equal(h.size, 258);
    assert_int_equal(header_of("\0\0\0\0moov", 8, &h), RC_OK);
    assert_int_equal(h.size, 0);
    assert_int_equal(header_of("\xff\xff\xff\xffmoov", 8, &h), RC_OK);
    assert_true(h.size == 0xffffffff);
    assert_int_equal(header_of("\0\0\0\1moov\1\2\3\4\5\6\7\x10", 16, &h), RC_OK);
    assert_int_equal(h.header_size, 16);
    assert_true(h.size == 0x0102030405060710);
}

static void a_header_that_is_cut_off_is_truncated(void **state)
{
    (void)state;
    struct bmff_header h = {.type = 7};

    for (size_t n = 0; n < 8; n++)
        assert_int_equal(header_of("\0\0\0\x10moov", n, &h), RC_TRUNCATED);
    for (size_t n = 8; n < 16; n++)
        assert_int_equal(header_of("\0\0\0\1moov\0\0\0\0\0\0\0\x10", n, &h),
                         RC_TRUNCATED);
    assert_int_equal(h.type, 7);
}

static void a_size_smaller_than_its_header_is_invalid(void **state)
{
    (void)state;
    struct bmff_header h = {.type = 7};
    char small[] = "\0\0\0\2moov";
    char large[] = "\0\0\0\1moov\0\0\0\0\0\0\0\0";

    for (char size = 2; size < 8; size++) {
        small[3] = size;
        assert_int_equal(header_of(small, 8, &h), RC_INVALID);
    }
    for (char size = 0; size < 16; size++) {
        large[15] = size;
        assert_int_equal(header_of(large, 16, &h), RC_INVALID);
    }
    assert_int_equal(h.type, 7);
    large[15] = 16;
    assert_int_equal(header_of(large, 16, &h), RC_OK);
}

static void boxes_come_one_after_another(void **state)
{
    (void)state;
    static const char data[] = "\0\0\0\x0a"
                               "freeab"
                               "\0\0\0\1moov\0\0\0\0\0\0\0\x13xyz"
                               "\0\0\0\0mdiatail";
    struct bmff_iter it = bmff_iter(data, SIZE(data));
    struct bmff_box box;

    assert_int_equal(bmff_next(&it, &box), RC_OK);
    assert_int_equal(box.type, FREE);
    assert_ptr_equal(box.start, data);
    assert_int_equal(box.body_size, 2);
    assert_memory_equal(box.body, "ab", 2);
    assert_int_equal(bmff_next(&it, &box), RC_OK);
    assert_int_equal(box.type, MOOV);
    assert_int_equal(box.body_size, 3);
    assert_memory_equal(box.body, "xyz", 3);
    assert_int_equal(bmff_next(&it, &box), RC_OK);
    assert_int_equal(box.type, MDIA);
    assert_int_equal(box.body_size, 4);
    assert_memory_equal(box.body, "tail", 4);
    for (int i = 0; i < 2; i++)
        assert_int_equal(bmff_next(&it, &box), RC_NOT_FOUND);
}

static void a_box_that_does_not_fit_is_invalid(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        size_t n;
    } cases[] = {
        {"\0\0\0\x09moov", 8}, {"\0\0\0\7moov", 8},
        {"\0\0\0\1moov", 8},   {"\0\0\0\1moov\xff\xff\xff\xff\xff\xff\xff\xff", 16},
        {"\0\0\0\x08moo", 7},
    };
    struct bmff_box box;

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct bmff_iter it = bmff_iter(cases[i].bytes, cases[i].n);

        assert_int_equal(bmff_next(&it, &box), RC_INVALID);
        assert_int_equal(bmff_next(&it, &box), RC_INVALID);
    }
}

static void zeros_too_short_for_a_box_are_an_end(void **state)
{
    (void)state;
    struct bmff_box box;

    for (size_t n = 0; n < 8; n++) {
        struct bmff_iter it = bmff_iter("\0\0\0\0\0\0\0", n);

        assert_int_equal(bmff_next(&it, &box), RC_NOT_FOUND);
        assert_int_equal(bmff_next(&it, &box), RC_NOT_FOUND);
    }
    struct bmff_iter eight = bmff_iter("\0\0\0\0\0\0\0\0", 8);
    assert_int_equal(bmff_next(&eight, &box), RC_OK);
    assert_int_equal(box.type, 0);
    struct bmff_iter none = bmff_iter(NULL, 0);
    assert_int_equal(bmff_next(&none, &box), RC_NOT_FOUND);
}

static void children_begin_after_the_bytes_to_skip(void **state)
{
    (void)state;
    static const char data[] = "\0\0\0\x14moov\0\0\0\1\0\0\0\x08trak";
    struct bmff_iter it = bmff_iter(data, SIZE(data));
    struct bmff_box moov, box;

    assert_int_equal(bmff_next(&it, &moov), RC_OK);
    it = bmff_children(&moov, 4);
    assert_int_equal(bmff_next(&it, &box), RC_OK);
    assert_int_equal(box.type, TRAK);
    assert_int_equal(box.body_size, 0);
    it = bmff_children(&box, 0);
    assert_int_equal(bmff_next(&it, &box), RC_NOT_FOUND);
    it = bmff_children(&moov, 13);
    assert_int_equal(bmff_next(&it, &box), RC_NOT_FOUND);
}

static void a_path_takes_the_first_match_of_each_level(void **state)
{
    (void)state;
    static const char data[] = "\0\0\0\x08"
                               "free"
                               "\0\0\0\x2amoov"
                               "\0\0\0\x11trak\0\0\0\x09mdia1"
                               "\0\0\0\x11trak\0\0\0\x09mdia2"
                               "\0\0\0\x08moov";
    const uint32_t path[] = {MOOV, TRAK, MDIA};
    const uint32_t missing[] = {MOOV, TRAK, FREE};
    struct bmff_box box = {.type = 7};

    assert_int_equal(bmff_find(data, SIZE(data), path, 1, &box), RC_OK);
    assert_int_equal(box.body_size, 34);
    assert_int_equal(bmff_find(data, SIZE(data), path, 3, &box), RC_OK);
    assert_memory_equal(box.body, "1", 1);
    box.type = 7;
    assert_int_equal(bmff_find(data, SIZE(data), missing, 3, &box), RC_NOT_FOUND);
    assert_int_equal(bmff_find(data, SIZE(data), path + 1, 1, &box), RC_NOT_FOUND);
    assert_int_equal(bmff_find(data, 20, path, 1, &box), RC_INVALID);
    assert_int_equal(box.type, 7);
}

static void random_bytes_are_never_read_past_their_end(void **state)
{
    (void)state;
    uint32_t random = 1;

    for (int round = 0; round < 20000; round++) {
        size_t n = (size_t)(round % 60);
        uint8_t *data = malloc(n > 0 ? n : 1);
        struct bmff_iter it = bmff_iter(data, n);
        struct bmff_box box;

        assert_non_null(data);
        for (size_t i = 0; i < n; i++) {
            random = random * 1664525 + 1013904223;
            /* Mostly zeros and small numbers, so that sizes are often plausible. */
            data[i] = random >> 30 == 0 ? (uint8_t)(random >> 16 & 31) : 0;
        }
        while (bmff_next(&it, &box) == RC_OK) {
            assert_true(box.start >= data && box.body >= box.start + 8);
            assert_true(box.body + box.body_size == it.p && it.p <= data + n);
        }
        free(data);
    }
}

static void numbers_are_big_endian(void **state)
{
    (void)state;
    assert_int_equal(bmff_u16(BYTES("\xfe\x01")), 0xfe01);
    assert_true(bmff_u32(BYTES("\xfe\1\2\3")) == 0xfe010203);
    assert_true(bmff_u64(BYTES("\xfe\1\2\3\xff\5\6\7")) == 0xfe010203ff050607);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_header_has_its_size_in_32_or_64_bits),
        cmocka_unit_test(a_header_that_is_cut_off_is_truncated),
        cmocka_unit_test(a_size_smaller_than_its_header_is_invalid),
        cmocka_unit_test(boxes_come_one_after_another),
        cmocka_unit_test(a_box_that_does_not_fit_is_invalid),
        cmocka_unit_test(zeros_too_short_for_a_box_are_an_end),
        cmocka_unit_test(children_begin_after_the_bytes_to_skip),
        cmocka_unit_test(a_path_takes_the_first_match_of_each_level),
        cmocka_unit_test(random_bytes_are_never_read_past_their_end),
        cmocka_unit_test(numbers_are_big_endian),
    };
    return cmocka_run_group_tests_name("bmff", tests, NULL, NULL);
}
