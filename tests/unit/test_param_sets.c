#include "check.h"

#include "param_sets.h"

/* Baseline 4:2:0: profile 66, level 30, seq_parameter_set_id 0 and 1; PPS 0 and 1. */
static const uint8_t sps_0[] = {0, 0, 0, 1, 0x67, 0x42, 0xc0, 0x1e, 0x95, 0xa0, 0x28};
static const uint8_t sps_0_other[] = {0, 0, 0, 1, 0x67, 0x42, 0xc0, 0x1e, 0x95, 0xa8};
static const uint8_t sps_1[] = {0, 0, 0, 1, 0x67, 0x42, 0xc0, 0x1e, 0x55, 0xa0, 0x28};
static const uint8_t pps_0[] = {0, 0, 0, 1, 0x68, 0xce, 0x3c, 0x80};
static const uint8_t pps_0_other[] = {0, 0, 1, 0x68, 0xce, 0x3c, 0x90};
static const uint8_t pps_1[] = {0, 0, 0, 1, 0x68, 0x4e, 0x3c, 0x80};
static const uint8_t slice[] = {0, 0, 1, 0x41, 0x9a, 0x22, 0x00};
/* HEVC: VPS, SPS, PPS 0 and a trailing picture. */
static const uint8_t hevc_sets[] = {0,    0, 0, 1, 0x40, 0x01, 0x0c, 0x01, 0,    0,   1,
                                    0x42, 1, 1, 0, 0,    1,    0x44, 0x01, 0xc1, 0x72};
static const uint8_t hevc_sps_other[] = {0, 0, 1, 0x42, 0x01, 0x02};
static const uint8_t hevc_slice[] = {0, 0, 1, 0x02, 0x01, 0xd0};

#define FEED(p, bytes) param_sets_feed(p, bytes, sizeof(bytes))

static struct param_sets begun(bool hevc)
{
    struct param_sets p;
    param_sets_init(&p, hevc);
    return p;
}

static void the_same_sets_again_are_no_change(void **state)
{
    (void)state;
    struct param_sets p = begun(false);
    for (int i = 0; i < 3; i++) {
        FEED(&p, sps_0);
        FEED(&p, pps_0);
    }
    param_sets_finish(&p);
    assert_int_equal(p.n, 2);
    assert_false(p.changed || p.not_refresh);
}

static void sets_of_other_numbers_are_no_change(void **state)
{
    (void)state;
    struct param_sets p = begun(false);
    FEED(&p, sps_0);
    FEED(&p, sps_1);
    FEED(&p, pps_0);
    FEED(&p, pps_1);
    param_sets_finish(&p);
    assert_int_equal(p.n, 4);
    assert_false(p.changed);
}

static void a_set_with_other_contents_is_a_change(void **state)
{
    (void)state;
    struct param_sets p = begun(false);
    FEED(&p, sps_0);
    FEED(&p, pps_0);
    FEED(&p, sps_0_other);
    param_sets_finish(&p);
    assert_true(p.changed);
    p = begun(false);
    FEED(&p, pps_0);
    FEED(&p, pps_0_other);
    assert_false(p.changed); /* its end is not seen yet */
    param_sets_finish(&p);
    assert_true(p.changed);
}

static void slices_that_are_no_refresh_are_noticed(void **state)
{
    (void)state;
    struct param_sets p = begun(false);
    FEED(&p, sps_0);
    FEED(&p, slice);
    FEED(&p, sps_0);
    param_sets_finish(&p);
    assert_true(p.not_refresh);
    assert_false(p.changed);
}

static void units_may_be_cut_anywhere(void **state)
{
    (void)state;
    struct param_sets p = begun(false);
    const uint8_t *all[] = {sps_0, pps_0, sps_0};
    const size_t sizes[] = {sizeof(sps_0), sizeof(pps_0), sizeof(sps_0)};
    for (int i = 0; i < 3; i++)
        for (size_t at = 0; at < sizes[i]; at++)
            param_sets_feed(&p, all[i] + at, 1);
    param_sets_finish(&p);
    assert_int_equal(p.n, 2);
    assert_false(p.changed);
}

static void hevc_sets_are_told_apart(void **state)
{
    (void)state;
    struct param_sets p = begun(true);
    FEED(&p, hevc_sets);
    FEED(&p, hevc_sets);
    param_sets_finish(&p);
    assert_int_equal(p.n, 3);
    assert_false(p.changed || p.not_refresh);
    FEED(&p, hevc_sps_other);
    FEED(&p, hevc_slice);
    param_sets_finish(&p);
    assert_true(p.changed && p.not_refresh);
}

static void more_sets_than_a_video_has_are_a_change(void **state)
{
    (void)state;
    struct param_sets p = begun(false);
    for (uint32_t id = 0; id < PARAM_SETS_MAX + 1; id++) {
        /* ue(v) of id, of up to 13 bits, behind the head of a PPS */
        uint8_t unit[6] = {0, 0, 1, 0x68};
        uint32_t v = id + 1, bits = 0;
        while (v >> (bits + 1))
            bits++;
        uint32_t code = (v << 1 | 1) << (14 - 2 * bits);
        unit[4] = (uint8_t)(code >> 8);
        unit[5] = (uint8_t)(code | 1);
        FEED(&p, unit);
    }
    assert_false(p.changed);
    param_sets_finish(&p);
    assert_true(p.changed);
}

static void nothing_is_fine(void **state)
{
    (void)state;
    static const uint8_t junk[] = {0, 0, 0, 7, 0, 0, 1, 0, 0, 1, 0, 0};
    struct param_sets p = begun(false);
    param_sets_finish(&p);
    assert_false(p.changed || p.not_refresh);
    FEED(&p, junk);
    param_sets_finish(&p);
    assert_int_equal(p.n, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_same_sets_again_are_no_change),
        cmocka_unit_test(sets_of_other_numbers_are_no_change),
        cmocka_unit_test(a_set_with_other_contents_is_a_change),
        cmocka_unit_test(slices_that_are_no_refresh_are_noticed),
        cmocka_unit_test(units_may_be_cut_anywhere),
        cmocka_unit_test(hevc_sets_are_told_apart),
        cmocka_unit_test(more_sets_than_a_video_has_are_a_change),
        cmocka_unit_test(nothing_is_fine),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
