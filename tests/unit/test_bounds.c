#include "check.h"

#include "bounds.h"

#include <stdlib.h>
#include <string.h>

static struct bounds three(void)
{
    struct bounds b;
    assert_int_equal(bounds_alloc(3, &b), RC_OK);
    const int64_t starts[] = {40000, 4040000, 9500000, 10000000};
    const uint32_t frames[] = {100, 137, 12};
    memcpy(b.start_us, starts, sizeof(starts));
    memcpy(b.frames, frames, sizeof(frames));
    return b;
}

static void the_first_duration_counts_from_the_beginning_of_the_timeline(void **state)
{
    (void)state;
    struct bounds b = three();
    assert_int_equal(bounds_duration_us(&b, 0), 4040000);
    assert_int_equal(bounds_duration_us(&b, 1), 5460000);
    assert_int_equal(bounds_duration_us(&b, 2), 500000);
    bounds_free(&b);
}

static void no_duration_rounds_to_more_than_the_target(void **state)
{
    (void)state;
    struct bounds b = three();
    assert_int_equal(bounds_target_s(&b), 5);
    b.start_us[2] = 9540000; /* 5.5 s */
    assert_int_equal(bounds_target_s(&b), 6);
    bounds_free(&b);
    assert_int_equal(bounds_alloc(1, &b), RC_OK);
    b.start_us[1] = 100000;
    assert_int_equal(bounds_target_s(&b), 1);
    bounds_free(&b);
}

static void segments_are_counted_by_where_they_end(void **state)
{
    (void)state;
    struct bounds b = three();
    assert_int_equal(bounds_segments_before(&b, -1), 0);
    assert_int_equal(bounds_segments_before(&b, 4039999), 0);
    assert_int_equal(bounds_segments_before(&b, 4040000), 1);
    assert_int_equal(bounds_segments_before(&b, 9499999), 1);
    assert_int_equal(bounds_segments_before(&b, 9500000), 2);
    assert_int_equal(bounds_segments_before(&b, 9999999), 2);
    assert_int_equal(bounds_segments_before(&b, 10000000), 3);
    assert_int_equal(bounds_segments_before(&b, INT64_MAX), 3);
    bounds_free(&b);
}

static void what_is_packed_comes_back(void **state)
{
    (void)state;
    struct bounds b = three(), again;
    uint8_t *bytes;
    size_t n;
    assert_int_equal(bounds_pack(&b, &bytes, &n), RC_OK);
    assert_int_equal(bounds_unpack(bytes, n, &again), RC_OK);
    assert_int_equal(again.n, 3);
    assert_memory_equal(again.start_us, b.start_us, 4 * sizeof(*b.start_us));
    assert_memory_equal(again.frames, b.frames, 3 * sizeof(*b.frames));
    bounds_free(&again);
    for (size_t cut = 0; cut < n; cut++)
        if (cut < 20 || (cut - 8) % 12 != 0)
            assert_int_equal(bounds_unpack(bytes, cut, &again), RC_INVALID);
    free(bytes);
    bounds_free(&b);
}

static void assert_refused(struct bounds *b)
{
    struct bounds again;
    uint8_t *bytes;
    size_t n;
    assert_int_equal(bounds_pack(b, &bytes, &n), RC_OK);
    assert_int_equal(bounds_unpack(bytes, n, &again), RC_INVALID);
    free(bytes);
    bounds_free(b);
}

static void bounds_that_cannot_be_are_refused(void **state)
{
    (void)state;
    struct bounds b = three();
    b.start_us[2] = b.start_us[1];
    assert_refused(&b);
    b = three();
    b.start_us[0] = -1;
    assert_refused(&b);
    b = three();
    b.frames[1] = 0;
    assert_refused(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_duration_counts_from_the_beginning_of_the_timeline),
        cmocka_unit_test(no_duration_rounds_to_more_than_the_target),
        cmocka_unit_test(segments_are_counted_by_where_they_end),
        cmocka_unit_test(what_is_packed_comes_back),
        cmocka_unit_test(bounds_that_cannot_be_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
