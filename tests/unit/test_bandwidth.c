#include "check.h"

#include "bandwidth.h"

struct segment {
    int64_t us, bytes;
};

static int64_t us_of(const void *arg, int64_t k)
{
    return ((const struct segment *)arg)[k].us;
}

static int64_t bytes_of(const void *arg, int64_t k)
{
    return ((const struct segment *)arg)[k].bytes;
}

static struct bandwidth_list list_of(const struct segment *s, int64_t n)
{
    return (struct bandwidth_list){n, us_of, bytes_of, s};
}

static void the_average_is_of_all_bytes_and_all_of_the_time(void **state)
{
    (void)state;
    const struct segment s[] = {{2000000, 1000}, {2000000, 3000}, {1000000, 1000}};
    struct bandwidth_list list = list_of(s, 3);
    assert_int_equal(bandwidth_average(&list), 8001);
}

static void the_peak_is_that_of_the_heaviest_segment_of_usual_length(void **state)
{
    (void)state;
    const struct segment s[] = {{4000000, 4000}, {4000000, 9000}, {4000000, 4000}};
    struct bandwidth_list list = list_of(s, 3);
    assert_int_equal(bandwidth_peak(&list, 4), 18001);
}

/* RFC 8216 s. 4.1: half to one and a half times the target duration. */
static void a_short_segment_counts_only_with_its_neighbours(void **state)
{
    (void)state;
    const struct segment s[] = {{4000000, 4000}, {100000, 5000}, {4000000, 4000}};
    struct bandwidth_list list = list_of(s, 3);
    assert_int_equal(bandwidth_peak(&list, 4), 9000 * 8 * 10 / 41 + 1);
}

static void runs_longer_than_one_and_a_half_targets_do_not_count(void **state)
{
    (void)state;
    const struct segment s[] = {{1000000, 100}, {3000000, 3000}, {2100000, 9000}};
    struct bandwidth_list list = list_of(s, 3);
    /* The last two together last 5.1 s: too long by 0.6 s. */
    assert_int_equal(bandwidth_peak(&list, 3), 9000 * 80 / 21 + 1);
}

static void a_clip_shorter_than_all_that_counts_as_a_whole(void **state)
{
    (void)state;
    const struct segment s[] = {{200000, 1000}};
    struct bandwidth_list list = list_of(s, 1);
    assert_int_equal(bandwidth_peak(&list, 1), 40001);
    list.n = 0;
    assert_int_equal(bandwidth_peak(&list, 1), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_average_is_of_all_bytes_and_all_of_the_time),
        cmocka_unit_test(the_peak_is_that_of_the_heaviest_segment_of_usual_length),
        cmocka_unit_test(a_short_segment_counts_only_with_its_neighbours),
        cmocka_unit_test(runs_longer_than_one_and_a_half_targets_do_not_count),
        cmocka_unit_test(a_clip_shorter_than_all_that_counts_as_a_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
