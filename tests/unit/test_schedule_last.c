/* test_schedule_last.c: what is extra, and copies, beside all else. */
#include "schedule_fixture.h"

static int rung(int video, const char *segments)
{
    int i = picture(video, segments);
    renditions[i].last = true;
    return i;
}

static int copy(int video, const char *segments)
{
    int i = picture(video, segments);
    renditions[i].light = true;
    return i;
}

static void a_rung_has_the_machine_when_nothing_else_is_left(void **state)
{
    (void)state;
    picture(0, "##########");
    rung(0, "..........");
    assert_starts(1, 0, 10);
}

static void a_rung_stands_still_while_anything_else_is_to_be_made(void **state)
{
    (void)state;
    rung(0, "#.........");
    run(0, 1, 10);
    picture(1, "..........");
    assert_does(SCHEDULE_PAUSE, 0);
    runs[0].paused = true;
    assert_starts(1, 0, 10);
    run(1, 0, 10);
    assert_nothing();
}

static void of_an_older_video_it_waits_for_the_newest_sound_too(void **state)
{
    (void)state;
    rung(0, "#.........");
    run(0, 1, 10);
    sound(1, ".....");
    s.cores = 1;
    assert_does(SCHEDULE_PAUSE, 0);
}

static void cores_that_all_others_leave_are_used(void **state)
{
    (void)state;
    s.cores = 4;
    picture(0, "#.........");
    rung(1, "#.........");
    run(0, 1, 10);
    run(1, 1, 10);
    assert_nothing();
    s.cores = 3;
    assert_does(SCHEDULE_PAUSE, 1);
}

static void whoever_waits_for_a_rung_gets_it(void **state)
{
    (void)state;
    picture(0, "#.........");
    run(0, 1, 10);
    rung(0, "..........");
    wanted(1, 4);
    assert_does(SCHEDULE_PAUSE, 0);
    runs[0].paused = true;
    assert_starts(1, 4, 10);
}

static void its_first_segment_is_no_more_urgent_than_the_rest(void **state)
{
    (void)state;
    s.active_max = 1;
    picture(0, "###.......");
    rung(0, "..........");
    assert_starts(0, 3, 10);
}

static void a_copy_goes_on_beside_a_picture(void **state)
{
    (void)state;
    picture(0, "..........");
    copy(0, "..........");
    sound(0, ".....");
    assert_int_equal(apply_all(), 3);
    assert_int_equal(working(), 3);
}

static void runs_of_rungs_make_room_first(void **state)
{
    (void)state;
    s.alive_max = 2;
    s.active_max = 2;
    picture(0, "#...............");
    rung(0, "#...............");
    paused(0, 1, 16);
    paused(1, 1, 16);
    wanted(0, 12);
    assert_does(SCHEDULE_STOP, 1);
}

#define TEST(f) cmocka_unit_test_setup(f, setup)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_rung_has_the_machine_when_nothing_else_is_left),
        TEST(a_rung_stands_still_while_anything_else_is_to_be_made),
        TEST(of_an_older_video_it_waits_for_the_newest_sound_too),
        TEST(cores_that_all_others_leave_are_used),
        TEST(whoever_waits_for_a_rung_gets_it),
        TEST(its_first_segment_is_no_more_urgent_than_the_rest),
        TEST(a_copy_goes_on_beside_a_picture),
        TEST(runs_of_rungs_make_room_first),
    };
    return cmocka_run_group_tests_name("schedule_last", tests, NULL, NULL);
}
