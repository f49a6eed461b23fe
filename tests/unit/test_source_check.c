/* Files of a few boxes, built here, and what is said about each. */
#include "boxes.h"
#include "source_check.h"
#include "tempdir.h"

#define NO_INDEX "The file is damaged: it has no index."
#define CUT_NO_INDEX "The file was cut off: its index, which comes last, is missing."
#define CUT "The file was cut off before its end."

static char dir[PATH_MAX];
static struct bytes file;

static int setup(void **state)
{
    (void)state;
    tempdir_make(dir);
    box_filled(&file, "ftyp", 0, 16);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    bytes_free(&file);
    tempdir_remove(dir);
    return 0;
}

/* What is said of the first n bytes of the file. */
static const char *said_of_first(size_t n)
{
    char path[PATH_MAX + 16];
    snprintf(path, sizeof(path), "%s/source", dir);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    assert_int_equal(fwrite(file.p, 1, n, f), n);
    assert_int_equal(fclose(f), 0);
    return source_check_mp4(path);
}

static const char *said(void)
{
    return said_of_first(file.n);
}

static void a_whole_file_has_no_fault(void **state)
{
    (void)state;
    box_filled(&file, "moov", 1, 300);
    box_filled(&file, "mdat", 2, 1000);
    assert_null(said());
}

static void the_index_may_come_last(void **state)
{
    (void)state;
    box_filled(&file, "mdat", 2, 1000);
    box_filled(&file, "moov", 1, 300);
    assert_null(said());
}

static void a_file_of_whole_boxes_without_index_is_damaged(void **state)
{
    (void)state;
    box_filled(&file, "mdat", 2, 1000);
    assert_string_equal(said(), NO_INDEX);
}

static void nothing_at_all_is_damaged(void **state)
{
    (void)state;
    assert_string_equal(said_of_first(0), NO_INDEX);
}

static void a_file_cut_before_its_index_is_said_to_be(void **state)
{
    (void)state;
    box_filled(&file, "mdat", 2, 1000);
    size_t end = file.n;
    box_filled(&file, "moov", 1, 300);
    assert_string_equal(said_of_first(end - 1), CUT_NO_INDEX);
    assert_string_equal(said_of_first(end - 900), CUT_NO_INDEX);
}

static void a_file_cut_after_its_index_is_said_to_be(void **state)
{
    (void)state;
    box_filled(&file, "moov", 1, 300);
    box_filled(&file, "mdat", 2, 1000);
    assert_null(said());
    assert_string_equal(said_of_first(file.n - 1), CUT);
    assert_string_equal(said_of_first(file.n - 1000), CUT);
}

static void a_file_cut_inside_its_index_is_said_to_be(void **state)
{
    (void)state;
    box_filled(&file, "mdat", 2, 1000);
    box_filled(&file, "moov", 1, 300);
    assert_string_equal(said_of_first(file.n - 1), CUT);
}

static bool first_is_cut(size_t n)
{
    char path[PATH_MAX + 16];
    said_of_first(n);
    snprintf(path, sizeof(path), "%s/source", dir);
    return source_is_cut(path);
}

static void a_file_that_ends_within_its_media_is_cut(void **state)
{
    (void)state;
    static const char *const media[] = {"moov", "mdat", "moof", "mdat",
                                        "styp", "sidx", "emsg", "prft"};
    for (size_t i = 0; i < sizeof(media) / sizeof(media[0]); i++) {
        size_t begin = file.n;
        box_filled(&file, media[i], 1, 300);
        assert_true(first_is_cut(begin + 8));
        assert_true(first_is_cut(file.n - 1));
        assert_false(first_is_cut(file.n));
    }
    assert_false(source_is_cut("/nowhere"));
}

static void what_somebody_has_put_behind_a_video_is_not_missed(void **state)
{
    (void)state;
    box_filled(&file, "moov", 1, 300);
    box_filled(&file, "mdat", 2, 1000);
    size_t end = file.n;
    box_filled(&file, "free", 3, 100);
    assert_false(first_is_cut(file.n - 1));
    assert_false(first_is_cut(end + 7)); /* no box yet */
    file.n = end;
    bytes_fill(&file, 0xff, 100); /* nor this: a box of 4 GB, by its size */
    assert_false(first_is_cut(file.n));
}

/* Those of a fragmented file may be many. */
static void a_long_file_is_followed_to_its_end(void **state)
{
    (void)state;
    box_filled(&file, "moov", 1, 300);
    for (int i = 0; i < 10000; i++) {
        box_filled(&file, "moof", 2, 8);
        box_filled(&file, "mdat", 2, 8);
    }
    assert_true(first_is_cut(file.n - 1));
    assert_false(first_is_cut(file.n));
}

/* The word "moov" in the data is no index: boxes are stepped over, not searched. */
static void an_index_inside_the_data_does_not_count(void **state)
{
    (void)state;
    size_t mdat = box_open(&file, "mdat");
    box_filled(&file, "moov", 1, 300);
    box_close(&file, mdat);
    assert_string_equal(said(), NO_INDEX);
}

static void sizes_of_64_bits_are_followed(void **state)
{
    (void)state;
    size_t mdat = box_open_wide(&file, "mdat");
    bytes_fill(&file, 2, 1000);
    box_close(&file, mdat);
    size_t end = file.n;
    assert_string_equal(said(), NO_INDEX);
    box_filled(&file, "moov", 1, 300);
    assert_null(said());
    assert_string_equal(said_of_first(end - 1), CUT_NO_INDEX);
}

/* Added up without care, it would lead back to the beginning, or behind it. */
static void a_size_near_the_largest_number_is_a_cut(void **state)
{
    (void)state;
    size_t mdat = box_open_wide(&file, "mdat");
    bytes_fill(&file, 2, 1000);
    box_put_size(&file, mdat, UINT64_MAX);
    assert_string_equal(said(), CUT_NO_INDEX);
    box_put_size(&file, mdat, UINT64_MAX - mdat + 1);
    assert_string_equal(said(), CUT_NO_INDEX);
}

static void a_size_of_zero_reaches_to_the_end(void **state)
{
    (void)state;
    size_t mdat = box_open(&file, "mdat");
    bytes_fill(&file, 2, 1000);
    box_put_size(&file, mdat, 0);
    assert_string_equal(said(), NO_INDEX);
    bytes_free(&file);
    box_filled(&file, "ftyp", 0, 16);
    box_filled(&file, "moov", 1, 300);
    mdat = box_open(&file, "mdat");
    bytes_fill(&file, 2, 1000);
    box_put_size(&file, mdat, 0);
    assert_null(said());
}

static void a_size_below_its_own_header_ends_the_walk(void **state)
{
    (void)state;
    size_t mdat = box_open(&file, "mdat");
    bytes_fill(&file, 2, 1000);
    box_put_size(&file, mdat, 7);
    box_filled(&file, "moov", 1, 300);
    assert_string_equal(said(), NO_INDEX);
}

static void of_a_file_that_cannot_be_read_nothing_is_said(void **state)
{
    char path[PATH_MAX + 16];
    (void)state;
    snprintf(path, sizeof(path), "%s/missing", dir);
    assert_null(source_check_mp4(path));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

/* ---- what was said of a file beforehand ------------------------------------- */

static const char *written(const char *name, const void *data, size_t n)
{
    static char paths[2][PATH_MAX + 16];
    char *path = paths[name[0] == 'p'];
    snprintf(path, sizeof(paths[0]), "%s/%s", dir, name);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    assert_int_equal(fwrite(data, 1, n, f), n);
    assert_int_equal(fclose(f), 0);
    return path;
}

static void a_file_holds_what_is_at_that_place_in_it(void **state)
{
    (void)state;
    static uint8_t data[200000]; /* more than is compared at once */
    for (size_t i = 0; i < sizeof(data); i++)
        data[i] = (uint8_t)(i * 7 + i / 251);
    const char *src = written("source", data, sizeof(data));
    const char *part = written("part", data + 1000, 150000);
    assert_int_equal(source_holds(src, 1000, part), RC_OK);
    assert_int_equal(source_holds(src, 1001, part), RC_CONFLICT);
    assert_int_equal(source_holds(src, 60000, part), RC_CONFLICT); /* its end is over */
    data[140000] ^= 1;
    part = written("part", data + 1000, 150000);
    assert_int_equal(source_holds(src, 1000, part), RC_CONFLICT);
    assert_int_equal(source_holds(src, 1000, "/nowhere"), RC_NOT_FOUND);
    assert_int_equal(source_holds("/nowhere", 1000, part), RC_NOT_FOUND);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_whole_file_has_no_fault),
        TEST(the_index_may_come_last),
        TEST(a_file_of_whole_boxes_without_index_is_damaged),
        TEST(nothing_at_all_is_damaged),
        TEST(a_file_cut_before_its_index_is_said_to_be),
        TEST(a_file_cut_after_its_index_is_said_to_be),
        TEST(a_file_cut_inside_its_index_is_said_to_be),
        TEST(a_file_that_ends_within_its_media_is_cut),
        TEST(what_somebody_has_put_behind_a_video_is_not_missed),
        TEST(a_long_file_is_followed_to_its_end),
        TEST(an_index_inside_the_data_does_not_count),
        TEST(sizes_of_64_bits_are_followed),
        TEST(a_size_near_the_largest_number_is_a_cut),
        TEST(a_size_of_zero_reaches_to_the_end),
        TEST(a_size_below_its_own_header_ends_the_walk),
        TEST(of_a_file_that_cannot_be_read_nothing_is_said),
        TEST(a_file_holds_what_is_at_that_place_in_it),
    };
    return cmocka_run_group_tests_name("source_check", tests, NULL, NULL);
}
