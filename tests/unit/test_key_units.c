/* test_key_units.c: the heads of keyframes, read from a file of the test's own. */
#include "check.h"

#include "boxes.h"
#include "key_units.h"
#include "tempdir.h"

#include <fcntl.h>
#include <unistd.h>

/* Without start codes; the sets of test_param_sets.c. */
static const uint8_t sps[] = {0x67, 0x42, 0xc0, 0x1e, 0x95, 0xa0, 0x28};
static const uint8_t sps_other[] = {0x67, 0x42, 0xc0, 0x1e, 0x95, 0xa8};
static const uint8_t pps[] = {0x68, 0xce, 0x3c, 0x80};
static const uint8_t sei[] = {0x06, 0x05, 0x01, 0xff, 0x80};
static const uint8_t idr[] = {0x65, 0x88, 0x84, 0x00, 0x33, 0xff};
static const uint8_t slice[] = {0x41, 0x9a, 0x22, 0x10};
static const uint8_t hevc_vps[] = {0x40, 0x01, 0x0c, 0x01};
static const uint8_t hevc_sps[] = {0x42, 0x01, 0x01, 0x01};
static const uint8_t hevc_sps_other[] = {0x42, 0x01, 0x01, 0x02};
static const uint8_t hevc_pps[] = {0x44, 0x01, 0xc1, 0x72};
static const uint8_t hevc_idr[] = {0x26, 0x01, 0xaf, 0x10};
static const uint8_t hevc_trail[] = {0x02, 0x01, 0xd0, 0x10};

static char dir[PATH_MAX];
static int fd;
static struct bytes file, entry;
static struct param_sets sets;
static struct key_units units;

static int setup(void **state)
{
    (void)state;
    char path[PATH_MAX + 8];
    tempdir_make(dir);
    snprintf(path, sizeof(path), "%s/file", dir);
    fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    return fd < 0;
}

static int teardown(void **state)
{
    (void)state;
    close(fd);
    tempdir_remove(dir);
    bytes_free(&file);
    bytes_free(&entry);
    return 0;
}

#define UNIT(b, unit) add_unit(b, unit, sizeof(unit), 4)

static void add_unit(struct bytes *b, const uint8_t *unit, size_t n, int length_size)
{
    bytes_number(b, n, length_size);
    bytes_add(b, unit, n);
}

/* A sample entry with one SPS and one PPS, and lengths of 4 bytes. */
static void begin_avc(void)
{
    static const uint8_t head[] = {1, 0x42, 0xc0, 0x1e, 0xff, 0xe1};
    bytes_fill(&entry, 0, 78);
    box_close(&entry, box_open(&entry, "pasp"));
    size_t c = box_open(&entry, "avcC");
    bytes_add(&entry, head, sizeof(head));
    add_unit(&entry, sps, sizeof(sps), 2);
    bytes_number(&entry, 1, 1);
    add_unit(&entry, pps, sizeof(pps), 2);
    box_close(&entry, c);
    param_sets_init(&sets, false);
    assert_int_equal(key_units_open(fd, entry.p, entry.n, &sets, &units), RC_OK);
}

static void add_array(uint8_t type, const uint8_t *unit, size_t n)
{
    bytes_number(&entry, type, 1);
    bytes_number(&entry, 1, 2);
    add_unit(&entry, unit, n, 2);
}

static void begin_hevc(void)
{
    bytes_fill(&entry, 0, 78);
    size_t c = box_open(&entry, "hvcC");
    bytes_fill(&entry, 1, 21);
    bytes_number(&entry, 3, 1);
    bytes_number(&entry, 3, 1);
    add_array(32, hevc_vps, sizeof(hevc_vps));
    add_array(0xa1, hevc_sps, sizeof(hevc_sps));
    add_array(34, hevc_pps, sizeof(hevc_pps));
    box_close(&entry, c);
    param_sets_init(&sets, true);
    assert_int_equal(key_units_open(fd, entry.p, entry.n, &sets, &units), RC_OK);
}

/* Reads all of what stands in `file` from begin on as one keyframe. */
static enum rc read_from(size_t begin)
{
    assert_int_equal(pwrite(fd, file.p, file.n, 0), file.n);
    enum rc rc = key_units_read(&units, (int64_t)begin, (int64_t)(file.n - begin));
    param_sets_finish(&sets);
    return rc;
}

static void what_stands_before_the_first_slice_counts(void **state)
{
    (void)state;
    begin_avc();
    bytes_fill(&file, 0xee, 5000); /* other packets */
    UNIT(&file, sei);
    UNIT(&file, sps);
    UNIT(&file, pps);
    UNIT(&file, idr);
    UNIT(&file, sps_other); /* behind it: of no matter */
    assert_int_equal(read_from(5000), RC_OK);
    assert_int_equal(sets.n, 2);
    assert_false(sets.changed || sets.not_refresh);
}

static void a_set_that_differs_is_a_change(void **state)
{
    (void)state;
    begin_avc();
    UNIT(&file, sps);
    UNIT(&file, idr);
    size_t second = file.n;
    assert_int_equal(read_from(0), RC_OK);
    assert_false(sets.changed);
    UNIT(&file, sps_other);
    UNIT(&file, idr);
    assert_int_equal(read_from(second), RC_OK);
    assert_true(sets.changed);
}

static void one_without_sets_has_those_of_the_entry(void **state)
{
    (void)state;
    begin_avc();
    UNIT(&file, idr);
    assert_int_equal(read_from(0), RC_OK);
    assert_int_equal(sets.n, 2);
    size_t second = file.n;
    UNIT(&file, sps_other);
    UNIT(&file, idr);
    assert_int_equal(read_from(second), RC_OK);
    assert_true(sets.changed);
}

static void sets_that_only_the_entry_has_otherwise_are_no_change(void **state)
{
    (void)state;
    begin_avc();
    UNIT(&file, sps_other);
    UNIT(&file, pps);
    UNIT(&file, idr);
    assert_int_equal(read_from(0), RC_OK);
    assert_false(sets.changed);
}

static void a_slice_that_is_no_refresh_is_noticed(void **state)
{
    (void)state;
    begin_avc();
    UNIT(&file, sps);
    UNIT(&file, slice);
    assert_int_equal(read_from(0), RC_OK);
    assert_true(sets.not_refresh);
}

static void hevc_has_arrays_of_sets(void **state)
{
    (void)state;
    begin_hevc();
    UNIT(&file, hevc_idr);
    assert_int_equal(read_from(0), RC_OK);
    assert_int_equal(sets.n, 3);
    assert_false(sets.changed || sets.not_refresh);
    size_t second = file.n;
    UNIT(&file, hevc_sps_other);
    UNIT(&file, hevc_trail);
    assert_int_equal(read_from(second), RC_OK);
    assert_true(sets.changed && sets.not_refresh);
}

static void what_is_built_in_an_unusual_way_is_left_to_ffmpeg(void **state)
{
    (void)state;
    begin_avc();
    assert_int_equal(read_from(0), RC_UNSUPPORTED); /* empty */
    bytes_number(&file, 1000, 4);                   /* longer than the keyframe */
    bytes_add(&file, idr, sizeof(idr));
    assert_int_equal(read_from(0), RC_UNSUPPORTED);
    bytes_free(&file);
    bytes_number(&file, 0, 4); /* an empty unit */
    assert_int_equal(read_from(0), RC_UNSUPPORTED);
    bytes_free(&file);
    for (int i = 0; i < 100; i++) /* no slice in sight */
        UNIT(&file, sei);
    assert_int_equal(read_from(0), RC_UNSUPPORTED);
}

static void what_cannot_be_read_is_not_waited_for(void **state)
{
    (void)state;
    begin_avc();
    UNIT(&file, idr);
    assert_int_equal(key_units_read(&units, 1 << 20, 100), RC_BUSY);
}

/* A small file can have millions of keyframes that all stand at the same place. */
static void keyframes_without_end_are_left_to_ffmpeg(void **state)
{
    (void)state;
    uint8_t large[4000] = {0x67};
    enum rc rc = RC_OK;
    int n = 0;
    begin_avc();
    for (int i = 0; i < 60; i++)
        UNIT(&file, large);
    UNIT(&file, idr);
    assert_int_equal(pwrite(fd, file.p, file.n, 0), file.n);
    while (rc == RC_OK && n++ < 1000)
        rc = key_units_read(&units, 0, (int64_t)file.n);
    assert_int_equal(rc, RC_TOO_LARGE);
    assert_true(n > 10 && n < 100);
}

static void an_entry_without_sets_is_left_to_ffmpeg(void **state)
{
    (void)state;
    struct key_units k;
    param_sets_init(&sets, false);
    bytes_fill(&entry, 0, 40);
    assert_int_equal(key_units_open(fd, entry.p, entry.n, &sets, &k), RC_UNSUPPORTED);
    bytes_fill(&entry, 0, 38);
    box_close(&entry, box_open(&entry, "pasp"));
    assert_int_equal(key_units_open(fd, entry.p, entry.n, &sets, &k), RC_UNSUPPORTED);
    size_t c = box_open(&entry, "avcC");
    bytes_fill(&entry, 1, 4);
    box_close(&entry, c);
    assert_int_equal(key_units_open(fd, entry.p, entry.n, &sets, &k), RC_UNSUPPORTED);
}

/* Sets that the entry promises and does not have. */
static void an_entry_that_ends_too_soon_is_left_to_ffmpeg(void **state)
{
    (void)state;
    static const uint8_t head[] = {1, 0x42, 0xc0, 0x1e, 0xff, 0xe3, 0, 1, 0x67};
    struct key_units k;
    param_sets_init(&sets, false);
    bytes_fill(&entry, 0, 78);
    size_t c = box_open(&entry, "avcC");
    bytes_add(&entry, head, sizeof(head));
    box_close(&entry, c);
    assert_int_equal(key_units_open(fd, entry.p, entry.n, &sets, &k), RC_OK);
    UNIT(&file, idr);
    assert_int_equal(pwrite(fd, file.p, file.n, 0), file.n);
    assert_int_equal(key_units_read(&k, 0, (int64_t)file.n), RC_UNSUPPORTED);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_stands_before_the_first_slice_counts),
        TEST(a_set_that_differs_is_a_change),
        TEST(one_without_sets_has_those_of_the_entry),
        TEST(sets_that_only_the_entry_has_otherwise_are_no_change),
        TEST(a_slice_that_is_no_refresh_is_noticed),
        TEST(hevc_has_arrays_of_sets),
        TEST(what_is_built_in_an_unusual_way_is_left_to_ffmpeg),
        TEST(what_cannot_be_read_is_not_waited_for),
        TEST(keyframes_without_end_are_left_to_ffmpeg),
        TEST(an_entry_without_sets_is_left_to_ffmpeg),
        TEST(an_entry_that_ends_too_soon_is_left_to_ffmpeg),
    };
    return cmocka_run_group_tests_name("key_units", tests, NULL, NULL);
}
