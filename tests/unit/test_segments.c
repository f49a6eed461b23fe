#include "check.h"

#include "boxes.h"
#include "segments.h"
#include "tempdir.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

static char dir[PATH_MAX];
static int dir_fd;

static int setup(void **state)
{
    (void)state;
    tempdir_make(dir);
    dir_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return dir_fd < 0;
}

static int teardown(void **state)
{
    (void)state;
    close(dir_fd);
    tempdir_remove(dir);
    return 0;
}

static void put(const char *name, const void *data, size_t n)
{
    int fd = openat(dir_fd, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    if (n > 0)
        assert_int_equal(write(fd, data, n), n);
    close(fd);
}

/* moof and mdat, n bytes together. */
static struct bytes segment_of(size_t n)
{
    struct bytes b = {0};
    box_filled(&b, "moof", 'h', 16);
    box_filled(&b, "mdat", 'd', n - b.n - 8);
    return b;
}

static void put_segment(const char *name, size_t n)
{
    struct bytes b = segment_of(n);
    put(name, b.p, b.n);
    bytes_free(&b);
}

static bool is_late; /* another worker comes between the look and the removal */

/* In place of the C library's. */
int unlinkat(int fd, const char *name, int flags)
{
    if (is_late) {
        is_late = false;
        put_segment(name, 64);
    }
    return (int)syscall(SYS_unlinkat, fd, name, flags);
}

static bool there(const char *name)
{
    struct stat st;
    return fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

/* To its end, n entries of the folder at a time. */
static enum rc scan(int fd, int64_t total, int n, struct segments *out)
{
    struct segments_scan *s;
    bool over = false;
    enum rc rc = segments_scan_open(fd, total, &s);
    if (rc != RC_OK)
        return rc;
    while (rc == RC_OK && !over)
        rc = segments_scan_some(s, n, &over, out);
    segments_scan_close(s);
    return rc;
}

static struct segments scanned(int64_t total)
{
    struct segments s;
    assert_int_equal(scan(dir_fd, total, 3, &s), RC_OK);
    assert_int_equal(s.total, total);
    return s;
}

/* True if a scan counts segment 0 in; then it must still be there, else be removed. */
static bool counts(void)
{
    struct segments s = scanned(1);
    bool has = segments_has(&s, 0);
    assert_int_equal(s.done, has);
    assert_int_equal(there("0.m4s"), has);
    segments_free(&s);
    return has;
}

static void an_empty_folder_has_only_holes(void **state)
{
    (void)state;
    struct segments s = scanned(20);
    assert_int_equal(s.done, 0);
    assert_false(s.has_init);
    assert_int_equal(segments_next_hole(&s, 0), 0);
    assert_int_equal(segments_next_hole(&s, 19), 19);
    assert_int_equal(segments_next_hole(&s, 20), 20);
    segments_free(&s);
}

static void what_is_there_is_counted_and_measured(void **state)
{
    (void)state;
    put_segment("init.mp4", 100);
    put_segment("0.m4s", 200);
    put_segment("1.m4s", 300);
    put_segment("8.m4s", 250);
    put_segment("19.m4s", 50);
    put_segment("20.m4s", 50); /* more than were promised */
    put_segment("01.m4s", 50);
    struct segments s = scanned(20);
    assert_true(s.has_init);
    assert_int_equal(s.done, 4);
    assert_int_equal(s.bytes, 800);
    for (int64_t k = -1; k <= 21; k++)
        assert_int_equal(segments_has(&s, k), k == 0 || k == 1 || k == 8 || k == 19);
    assert_int_equal(segments_next_hole(&s, 0), 2);
    assert_int_equal(segments_next_hole(&s, 8), 9);
    assert_int_equal(segments_next_hole(&s, 19), 20);
    assert_int_equal(segments_next_present(&s, 1), 1);
    assert_int_equal(segments_next_present(&s, 2), 8);
    assert_int_equal(segments_next_present(&s, 9), 19);
    assert_int_equal(segments_next_present(&s, 20), 20);
    for (int64_t from = 0; from <= 20; from++) {
        for (int64_t end = 0; end <= 20; end++) {
            bool none = true;
            for (int64_t k = from; k < end; k++)
                none &= !segments_has(&s, k);
            assert_int_equal(segments_none(&s, from, end), none);
        }
    }
    assert_true(there("20.m4s"));
    segments_free(&s);
}

/* One that is left before its end leaves nothing behind; how much it has seen by then
 * is the folder's. */
static void a_scan_takes_as_many_steps_as_it_is_given(void **state)
{
    struct segments_scan *s;
    struct segments found;
    char name[32];
    bool over = false;
    int steps = 0;
    (void)state;
    for (int k = 0; k < 50; k++) {
        snprintf(name, sizeof(name), "%d.m4s", k);
        put_segment(name, 60);
    }
    assert_int_equal(segments_scan_open(dir_fd, 50, &s), RC_OK);
    for (; !over; steps++)
        assert_int_equal(segments_scan_some(s, 10, &over, &found), RC_OK);
    assert_in_range(steps, 5, 6); /* with . and .. */
    segments_scan_close(s);
    assert_int_equal(found.done, 50);
    segments_free(&found);
    assert_int_equal(segments_scan_open(dir_fd, 50, &s), RC_OK);
    assert_int_equal(segments_scan_some(s, 10, &over, &found), RC_OK);
    assert_false(over);
    segments_scan_close(s);
    segments_scan_close(NULL);
}

static void all_segments_are_removed_and_the_init_segment_stays(void **state)
{
    (void)state;
    put_segment("init.mp4", 100);
    put_segment("0.m4s", 200);
    put_segment("57.m4s", 300);
    put_segment("01.m4s", 50);
    bool over = true;
    assert_int_equal(segments_remove_some(dir_fd, 1, &over), RC_OK);
    assert_false(over);
    assert_int_equal(there("0.m4s") + there("57.m4s"), 1);
    assert_int_equal(segments_remove_some(dir_fd, 2, &over), RC_OK);
    assert_true(over);
    assert_false(there("0.m4s"));
    assert_false(there("57.m4s"));
    assert_true(there("init.mp4"));
    assert_true(there("01.m4s"));
}

static void holes_are_filled_one_by_one(void **state)
{
    (void)state;
    struct segments s = scanned(17);
    for (int64_t k = 0; k < 17; k++) {
        int64_t hole = segments_next_hole(&s, 0);
        assert_int_equal(hole, k);
        segments_add(&s, hole);
        segments_add(&s, hole); /* a second time: it counts once */
    }
    segments_add(&s, -1);
    segments_add(&s, 17);
    assert_int_equal(segments_next_hole(&s, 0), 17);
    assert_int_equal(s.done, 17);
    segments_lose(&s, 9);
    segments_lose(&s, 9); /* a second time */
    segments_lose(&s, -1);
    segments_lose(&s, 17);
    assert_int_equal(segments_next_hole(&s, 0), 9);
    assert_int_equal(s.done, 16);
    segments_free(&s);
}

static void a_file_cut_anywhere_is_removed(void **state)
{
    (void)state;
    struct bytes b = segment_of(60);
    for (size_t n = 0; n < b.n; n++) {
        put("0.m4s", b.p, n);
        assert_false(counts());
    }
    put("0.m4s", b.p, b.n);
    assert_true(counts());
    bytes_free(&b);
}

static void a_file_with_something_behind_its_boxes_is_removed(void **state)
{
    (void)state;
    struct bytes b = segment_of(60);
    for (int i = 0; i < 12; i++) {
        bytes_fill(&b, 0, 1);
        put("0.m4s", b.p, b.n);
        assert_false(counts());
    }
    bytes_free(&b);
}

static void sizes_that_lie_are_found_out(void **state)
{
    (void)state;
    static const uint64_t sizes[] = {0, 2, 7, 36 + 1, 0x7fffffff, 0xffffffff};
    struct bytes b = segment_of(60);
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        box_put_size(&b, 24, sizes[i]); /* of mdat */
        put("0.m4s", b.p, b.n);
        assert_false(counts());
    }
    bytes_free(&b);
    box_filled(&b, "moof", 'h', 16);
    size_t at = box_open_wide(&b, "mdat");
    bytes_fill(&b, 'd', 30);
    box_close(&b, at);
    put("0.m4s", b.p, b.n);
    assert_true(counts());
    box_put_size(&b, at, UINT64_MAX);
    put("0.m4s", b.p, b.n);
    assert_false(counts());
    bytes_free(&b);
}

static void a_damaged_init_is_removed(void **state)
{
    (void)state;
    put("init.mp4", "", 0);
    put_segment("0.m4s", 60);
    struct segments s = scanned(1);
    assert_false(s.has_init);
    assert_false(there("init.mp4"));
    assert_int_equal(s.done, 1);
    segments_free(&s);
}

static void what_was_not_there_is_not_removed(void **state)
{
    (void)state;
    is_late = true;
    struct segments s = scanned(1);
    assert_false(s.has_init);
    segments_free(&s);
    if (is_late) /* nothing was to be removed */
        put_segment("init.mp4", 64);
    is_late = false;
    assert_true(there("init.mp4"));
}

static void a_link_is_not_a_segment(void **state)
{
    (void)state;
    put_segment("real", 60);
    assert_int_equal(symlinkat("real", dir_fd, "0.m4s"), 0);
    assert_false(counts());
    assert_true(there("real"));
}

/* Work that was done must not be thrown away because a descriptor was wanting. */
static void what_cannot_be_looked_at_is_left_alone(void **state)
{
    (void)state;
    struct rlimit old, none;
    struct segments s = {.total = 77};
    put_segment("init.mp4", 60);
    put_segment("0.m4s", 60);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &old), 0);
    none = old;
    none.rlim_cur = 0;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
    enum rc rc = scan(dir_fd, 1, 1, &s);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &old), 0);
    assert_int_equal(rc, RC_NOMEM);
    assert_int_equal(s.total, 77);
    assert_true(there("init.mp4"));
    assert_true(counts());
}

static void a_descriptor_that_is_no_folder_is_an_error(void **state)
{
    (void)state;
    struct segments s;
    int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    assert_int_equal(scan(fd, 1, 1, &s), RC_IO);
    close(fd);
}

static void who_only_looks_removes_nothing(void **state)
{
    int64_t size = 0;
    (void)state;
    put_segment("0.m4s", 100);
    put("1.m4s", "short", 5);
    put("2.m4s", "", 0);
    assert_int_equal(segments_measure(dir_fd, "0.m4s", &size), RC_OK);
    assert_int_equal(size, 100);
    for (const char *const *name = (const char *const[]){"1.m4s", "2.m4s", NULL}; *name;
         name++) {
        assert_int_equal(segments_measure(dir_fd, *name, &size), RC_OK);
        assert_int_equal(size, -1);
        assert_true(there(*name));
    }
    assert_int_equal(segments_measure(dir_fd, "3.m4s", &size), RC_OK);
    assert_int_equal(size, -1);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(an_empty_folder_has_only_holes),
        TEST(what_is_there_is_counted_and_measured),
        TEST(a_scan_takes_as_many_steps_as_it_is_given),
        TEST(all_segments_are_removed_and_the_init_segment_stays),
        TEST(holes_are_filled_one_by_one),
        TEST(a_file_cut_anywhere_is_removed),
        TEST(a_file_with_something_behind_its_boxes_is_removed),
        TEST(sizes_that_lie_are_found_out),
        TEST(a_damaged_init_is_removed),
        TEST(what_was_not_there_is_not_removed),
        TEST(a_link_is_not_a_segment),
        TEST(who_only_looks_removes_nothing),
        TEST(what_cannot_be_looked_at_is_left_alone),
        TEST(a_descriptor_that_is_no_folder_is_an_error),
    };
    return cmocka_run_group_tests_name("segments", tests, NULL, NULL);
}
