/* How a file is laid out, box by box as it comes in. */
#include "boxes.h"
#include "mp4_walk.h"

#include <stdlib.h>

#define UNKNOWN INT64_MAX

static struct bytes file;
static struct mp4_walk walk;

static int teardown(void **state)
{
    (void)state;
    bytes_free(&file);
    return 0;
}

static void add_moov(const char *const *children, size_t n)
{
    size_t at = box_open(&file, "moov");
    for (size_t i = 0; i < n; i++)
        box_filled(&file, children[i], 'x', 20);
    box_close(&file, at);
}

/* A file of some boxes of 100 bytes each, "moov" and "MOOV" (fragmented) apart. */
static void build(const char *const *types)
{
    static const char *const plain[] = {"mvhd", "trak", "trak"};
    static const char *const fragmented[] = {"mvhd", "trak", "mvex", "trak"};
    bytes_free(&file);
    for (; *types; types++)
        if (strcmp(*types, "moov") == 0)
            add_moov(plain, 3);
        else if (strcmp(*types, "MOOV") == 0)
            add_moov(fragmented, 4);
        else
            box_filled(&file, *types, 'y', 92);
}
#define FILE_OF(...) build((const char *const[]){__VA_ARGS__, NULL})

/* Offers the file in pieces of at most step bytes as it is asked for them. */
static enum rc walked(uint64_t size, size_t step)
{
    enum rc rc = RC_OK;
    mp4_walk_init(&walk, size);
    while (rc == RC_OK && !walk.done) {
        uint64_t at = mp4_walk_wants(&walk);
        if (at >= file.n)
            return RC_TRUNCATED;
        size_t n = file.n - at < step ? file.n - at : step;
        uint8_t *copy = malloc(n);
        assert_non_null(copy);
        memcpy(copy, file.p + at, n);
        rc = mp4_walk_feed(&walk, copy, n);
        free(copy);
        if (rc == RC_OK)
            assert_true(walk.done || mp4_walk_wants(&walk) > at);
        else if (rc == RC_TRUNCATED)
            assert_int_equal(mp4_walk_wants(&walk), at);
    }
    return rc;
}

static void assert_layout(enum mp4_layout layout)
{
    /* Whole, in pieces, and of unknown size. */
    assert_int_equal(walked(file.n, file.n), RC_OK);
    assert_int_equal(walk.layout, layout);
    assert_int_equal(walked(file.n, MP4_WALK_BYTES), RC_OK);
    assert_int_equal(walk.layout, layout);
    assert_int_equal(walked(UNKNOWN, 33), RC_OK);
    assert_int_equal(walk.layout, layout);
}

static void an_index_first_is_fast_to_start(void **state)
{
    (void)state;
    FILE_OF("ftyp", "free", "moov", "free", "mdat");
    assert_layout(MP4_FASTSTART);
    assert_int_equal(walk.ftyp.offset, 0);
    assert_int_equal(walk.ftyp.size, 100);
    assert_int_equal(walk.moov.offset, 200);
    assert_int_equal(walk.moov.size, 8 + 3 * 28);
    assert_int_equal(walk.mdat.offset, 300 + walk.moov.size);
    assert_int_equal(walk.mdat.size, 100);
    assert_int_equal(walk.media, walk.mdat.offset + 8);
    assert_int_equal(walk.moof.size, 0);
}

static void an_index_with_an_mvex_box_is_of_a_fragmented_file(void **state)
{
    (void)state;
    FILE_OF("ftyp", "MOOV", "sidx", "moof", "mdat", "moof", "mdat");
    assert_layout(MP4_FRAGMENTED);
    assert_int_equal(walk.moov.offset, 100);
    assert_int_equal(walk.moov.size, 8 + 4 * 28);
    assert_int_equal(walk.moof.offset, 200 + walk.moov.size);
    assert_int_equal(walk.mdat.offset, 300 + walk.moov.size);
}

static void media_first_leave_the_index_for_the_end(void **state)
{
    (void)state;
    FILE_OF("ftyp", "wide", "mdat", "free", "mdat", "moov");
    assert_layout(MP4_INDEX_AT_END);
    assert_int_equal(walk.mdat.offset, 200);
    assert_int_equal(walk.media, 208);
    assert_int_equal(walk.moov.offset, 500);
    assert_int_equal(walk.moov.size, 8 + 3 * 28);
}

/* Long before the index itself has come. */
static void a_layout_is_known_with_the_first_header(void **state)
{
    (void)state;
    FILE_OF("ftyp", "mdat", "moov");
    mp4_walk_init(&walk, file.n);
    assert_int_equal(mp4_walk_feed(&walk, file.p, 108), RC_OK);
    assert_int_equal(walk.layout, MP4_INDEX_AT_END);
    assert_int_equal(mp4_walk_wants(&walk), 200);
    assert_false(walk.done);
    FILE_OF("ftyp", "moov", "mdat");
    mp4_walk_init(&walk, file.n);
    assert_int_equal(mp4_walk_feed(&walk, file.p, 115), RC_OK);
    assert_int_equal(walk.layout, MP4_UNDECIDED); /* is it fragmented? */
    assert_int_equal(walk.moov.offset, 100);
    assert_int_equal(mp4_walk_wants(&walk), 108);
}

static void an_index_has_come_with_its_last_byte(void **state)
{
    (void)state;
    FILE_OF("ftyp", "moov", "mdat");
    mp4_walk_init(&walk, file.n);
    assert_false(mp4_walk_has_index(&walk, file.n));
    assert_int_equal(walked(file.n, 50), RC_OK);
    assert_false(mp4_walk_has_index(&walk, 100 + walk.moov.size - 1));
    assert_true(mp4_walk_has_index(&walk, 100 + walk.moov.size));
}

static void sizes_may_have_64_bits(void **state)
{
    (void)state;
    FILE_OF("ftyp");
    size_t at = box_open_wide(&file, "mdat");
    box_put_size(&file, at, UINT64_C(10) << 30);
    mp4_walk_init(&walk, UNKNOWN);
    assert_int_equal(mp4_walk_feed(&walk, file.p, file.n), RC_OK);
    assert_int_equal(walk.media, 116);
    assert_true(mp4_walk_wants(&walk) == (UINT64_C(10) << 30) + 100);
    /* A header that is not whole brings nothing. */
    FILE_OF("moov");
    assert_int_equal(mp4_walk_feed(&walk, file.p, 7), RC_TRUNCATED);
    assert_int_equal(mp4_walk_feed(&walk, file.p, 8), RC_OK);
    assert_true(walk.done);
    assert_true(walk.moov.offset == (UINT64_C(10) << 30) + 100);
}

static void an_index_may_reach_to_the_end_of_the_file(void **state)
{
    (void)state;
    FILE_OF("ftyp", "mdat", "moov");
    box_put_size(&file, 200, 0);
    assert_int_equal(walked(file.n, 16), RC_OK);
    assert_int_equal(walk.layout, MP4_INDEX_AT_END);
    assert_int_equal(walk.moov.size, file.n - 200);
}

/* QuickTime ends some lists with a zero that is too short for a box. */
static void an_index_may_end_with_a_few_zeros(void **state)
{
    (void)state;
    FILE_OF("ftyp");
    size_t at = box_open(&file, "moov");
    box_filled(&file, "mvhd", 0, 100);
    bytes_number(&file, 0, 4);
    box_close(&file, at);
    box_filled(&file, "mdat", 0, 100);
    assert_layout(MP4_FASTSTART);
}

static void a_file_may_be_cut_off_behind_its_index(void **state)
{
    (void)state;
    FILE_OF("ftyp", "moov", "mdat");
    assert_int_equal(walked(file.n - 50, 16), RC_OK);
    assert_int_equal(walk.layout, MP4_FASTSTART);
    FILE_OF("ftyp", "moov");
    assert_int_equal(walked(file.n, 16), RC_OK);
    assert_int_equal(walk.layout, MP4_FASTSTART);
    assert_int_equal(walk.mdat.size, 0);
}

static void a_file_that_can_have_no_index_is_refused(void **state)
{
    (void)state;
    FILE_OF("ftyp", "mdat");
    assert_int_equal(walked(file.n, 16), RC_INVALID);
    assert_int_equal(walked(file.n - 1, 16), RC_INVALID);
    assert_int_equal(walked(file.n + 8, 16), RC_TRUNCATED); /* it may still come */
    box_put_size(&file, 100, 0);
    assert_int_equal(walked(file.n, 16), RC_INVALID);
    FILE_OF("ftyp", "free");
    assert_int_equal(walked(file.n, 16), RC_INVALID);
    FILE_OF("ftyp", "moof", "mdat", "MOOV");
    assert_int_equal(walked(file.n, 16), RC_INVALID);
}

static void boxes_that_cannot_be_are_refused(void **state)
{
    (void)state;
    FILE_OF("ftyp", "free", "moov", "mdat");
    box_put_size(&file, 100, 7);
    assert_int_equal(walked(file.n, 16), RC_INVALID);
    box_put_size(&file, 100, file.n);
    assert_int_equal(walked(file.n, 16), RC_INVALID);
    box_put_size(&file, 100, 100);
    box_put_size(&file, 200, file.n); /* moov */
    assert_int_equal(walked(file.n, 16), RC_INVALID);
    box_put_size(&file, 200, 92);
    box_put_size(&file, 208, 85); /* mvhd in it */
    assert_int_equal(walked(file.n, 16), RC_INVALID);
    box_put_size(&file, 208, 28);
    assert_int_equal(walked(file.n, 16), RC_OK);
    assert_int_equal(walked(205, 16), RC_INVALID); /* cut off within a header */
}

static void sizes_do_not_wrap_around(void **state)
{
    (void)state;
    static const uint64_t sizes[] = {UINT64_MAX, UINT64_MAX - 99, (UINT64_C(1) << 63)};
    for (size_t i = 0; i < 3; i++) {
        FILE_OF("ftyp");
        size_t at = box_open_wide(&file, "free");
        box_put_size(&file, at, sizes[i]);
        mp4_walk_init(&walk, UNKNOWN);
        assert_int_equal(mp4_walk_feed(&walk, file.p, 100), RC_OK);
        assert_int_equal(mp4_walk_feed(&walk, file.p + 100, file.n - 100), RC_INVALID);
    }
}

static void very_many_boxes_are_refused(void **state)
{
    (void)state;
    FILE_OF("ftyp");
    for (int i = 0; i < 5000; i++)
        box_filled(&file, "free", 0, 0);
    box_filled(&file, "moov", 0, 0);
    box_filled(&file, "mdat", 0, 0);
    assert_int_equal(walked(file.n, 4096), RC_TOO_LARGE);
    bytes_free(&file);
    size_t at = box_open(&file, "moov");
    for (int i = 0; i < 5000; i++)
        box_filled(&file, "free", 0, 0);
    box_close(&file, at);
    assert_int_equal(walked(file.n, 4096), RC_TOO_LARGE);
}

#define TEST(name) cmocka_unit_test_teardown(name, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(an_index_first_is_fast_to_start),
        TEST(an_index_with_an_mvex_box_is_of_a_fragmented_file),
        TEST(media_first_leave_the_index_for_the_end),
        TEST(a_layout_is_known_with_the_first_header),
        TEST(an_index_has_come_with_its_last_byte),
        TEST(sizes_may_have_64_bits),
        TEST(an_index_may_reach_to_the_end_of_the_file),
        TEST(an_index_may_end_with_a_few_zeros),
        TEST(a_file_may_be_cut_off_behind_its_index),
        TEST(a_file_that_can_have_no_index_is_refused),
        TEST(boxes_that_cannot_be_are_refused),
        TEST(sizes_do_not_wrap_around),
        TEST(very_many_boxes_are_refused),
    };
    return cmocka_run_group_tests_name("mp4_walk", tests, NULL, NULL);
}
