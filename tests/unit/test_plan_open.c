/* Plans of files that do not tell how long they are before all of them is there. */
#include "plan_clips.h"

static struct video_plan before;

/* The usual clip's, with what was promised when so many segments had arrived. */
static void plan_open(int64_t segments)
{
    struct media_info info = probed(&usual);
    char error[STORE_TEXT_MAX + 1];
    assert_int_equal(plan_make_open(&info, &limits, 3, &before, error), RC_OK);
    for (size_t i = 0; i < before.n_renditions; i++) {
        assert_int_equal(before.renditions[i].segments, 0);
        before.renditions[i].segments = segments;
        before.renditions[i].frames = segments * before.renditions[i].gop;
    }
}

static void an_open_plan_is_one_without_a_length(void **state)
{
    (void)state;
    static struct video_plan whole;
    plan_open(0);
    whole = planned(&usual, 30.03)->plan;
    assert_int_equal(before.duration_us, -1);
    assert_int_equal(before.n_renditions, whole.n_renditions);
    for (size_t i = 0; i < before.n_renditions; i++) {
        assert_string_equal(before.renditions[i].name, whole.renditions[i].name);
        assert_string_equal(before.renditions[i].codecs, whole.renditions[i].codecs);
        assert_int_equal(before.renditions[i].gop, whole.renditions[i].gop);
        assert_int_equal(before.renditions[i].generation, 3);
    }
    assert_string_equal(before.warning, "");
}

static void what_no_plan_is_made_of_gets_no_open_one(void **state)
{
    (void)state;
    struct clip large = usual;
    char error[STORE_TEXT_MAX + 1];
    large.width = 10000;
    struct media_info info = probed(&large);
    assert_int_equal(plan_make_open(&info, &limits, 3, &before, error), RC_UNSUPPORTED);
    assert_string_equal(error, "The picture is larger than this site takes.");
}

static void its_grid_is_as_long_as_a_video_may_be(void **state)
{
    (void)state;
    struct grid g;
    plan_open(0);
    for (size_t i = 0; i < before.n_renditions; i++) {
        plan_open_grid(&before.renditions[i], limits.max_duration_us, &g);
        int64_t us = grid_frame_us(&g, g.frames), last = grid_frame_us(&g, g.gop);
        assert_true(us > limits.max_duration_us);
        assert_true(us <= limits.max_duration_us + last);
        assert_int_equal(g.frames % g.gop, 0);
    }
}

static void it_goes_on_to_the_end_that_is_found(void **state)
{
    (void)state;
    static struct video_plan found;
    plan_open(5);
    found = planned(&usual, 30.03)->plan;
    found.renditions[0].source_last_us = 29000000;
    found.renditions[found.n_renditions] = found.renditions[0];
    found.renditions[found.n_renditions].extra = true;
    found.renditions[found.n_renditions++].generation = 9; /* not the one that stays */
    assert_true(plan_is_continued(before.renditions, before.n_renditions, &found));
    assert_int_equal(found.renditions[0].frames, 900);
    assert_int_equal(found.renditions[0].segments, 15);
    assert_int_equal(found.renditions[0].source_last_us, 29000000);
    assert_int_equal(found.renditions[1].segments, 8);
    for (size_t i = 0; i < found.n_renditions; i++)
        assert_int_equal(found.renditions[i].generation,
                         before.renditions[0].generation);
}

/* The average of some seconds is not that of all. */
static void its_rate_stays_if_it_is_near_enough(void **state)
{
    (void)state;
    static struct video_plan found;
    struct clip other = usual;
    plan_open(5);
    other.rate = "25/1";
    found = planned(&other, 30.03)->plan;
    assert_true(plan_is_continued(before.renditions, before.n_renditions, &found));
    assert_int_equal(found.renditions[0].rate_num, 30000);
    assert_int_equal(found.renditions[0].frames, 900);
    assert_string_equal(found.renditions[0].codecs, before.renditions[0].codecs);
    other.rate = "15/1";
    found = planned(&other, 30.03)->plan;
    assert_false(plan_is_continued(before.renditions, before.n_renditions, &found));
    assert_int_equal(found.renditions[0].rate_num, 15); /* as it was found */
}

static void what_is_something_else_is_not_continued(void **state)
{
    (void)state;
    static struct video_plan found;
    struct clip other = usual;
    plan_open(5);
    other.width = 1440;
    found = planned(&other, 30.03)->plan;
    assert_false(plan_is_continued(before.renditions, before.n_renditions, &found));
    other = usual;
    other.sound = NULL;
    found = planned(&other, 30.03)->plan;
    assert_false(plan_is_continued(before.renditions, before.n_renditions, &found));
    found = planned(&usual, 9)->plan; /* less than was promised */
    assert_false(plan_is_continued(before.renditions, before.n_renditions, &found));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_open_plan_is_one_without_a_length),
        cmocka_unit_test(what_no_plan_is_made_of_gets_no_open_one),
        cmocka_unit_test(its_grid_is_as_long_as_a_video_may_be),
        cmocka_unit_test(it_goes_on_to_the_end_that_is_found),
        cmocka_unit_test(its_rate_stays_if_it_is_near_enough),
        cmocka_unit_test(what_is_something_else_is_not_continued),
    };
    return cmocka_run_group_tests_name("plan_open", tests, NULL, NULL);
}
