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
    renditions[i].quick = true;
    renditions[i].segment_ms = 10;
    return i;
}

/* Long enough for its end not to be soon. */
#define LONG "#.................................."

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

static void all_others_stand_still_for_a_copy(void **state)
{
    (void)state;
    picture(0, LONG);
    sound(0, LONG); /* of 50 ms each: so little that it makes no difference */
    run(0, 1, 35);
    run(1, 1, 35);
    copy(0, "..........");
    assert_does(SCHEDULE_PAUSE, 0);
    runs[0].paused = true;
    assert_does(SCHEDULE_PAUSE, 1);
    runs[1].paused = true;
    assert_starts(2, 0, 10);
    run(2, 0, 10);
    assert_nothing();
    s.cores = 4; /* a copy and a picture */
    assert_does(SCHEDULE_RESUME, 0);
}

static void but_not_a_video_that_cannot_be_watched_yet(void **state)
{
    (void)state;
    copy(0, "#.........");
    run(0, 1, 10);
    picture(1, "..........");
    sound(1, ".....");
    assert_int_equal(apply_all(), 2);
    assert_int_equal(working(), 3);
}

static void nor_whoever_waits(void **state)
{
    (void)state;
    picture(0, LONG);
    copy(0, "#.........");
    run(1, 1, 10);
    wanted(0, 20);
    assert_does(SCHEDULE_PAUSE, 0);
    runs[0].paused = true;
    assert_starts(0, 20, 35);
}

static void a_copy_that_takes_long_is_no_reason_to_stand_still(void **state)
{
    (void)state;
    picture(0, LONG);
    run(0, 1, 35);
    copy(0, LONG);
    renditions[1].segment_ms = 1000;
    assert_starts(1, 1, 35);
    run(1, 1, 35);
    assert_nothing();
}

static void what_is_nearly_done_is_finished_first(void **state)
{
    (void)state;
    picture(0, LONG);
    run(0, 1, 35);
    picture(1, "########..");
    assert_does(SCHEDULE_PAUSE, 0);
    runs[0].paused = true;
    assert_starts(1, 8, 10);
}

static void only_what_nobody_can_watch_yet_goes_on_in_a_hurry(void **state)
{
    (void)state;
    s.hurry = true;
    picture(0, LONG);
    run(0, 1, 35);
    assert_does(SCHEDULE_PAUSE, 0);
    runs[0].paused = true;
    assert_nothing();
    picture(1, "..........");
    assert_starts(1, 0, 10);
    setup(NULL);
    s.hurry = true;
    picture(0, LONG);
    wanted(0, 7);
    assert_starts(0, 7, 35);
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

/* ---- rungs that are made together ----------------------------------------- */

/* Two rungs of one video: the second is made beside the first. */
static void two_rungs(const char *large, const char *small)
{
    rung(0, large);
    rung(0, small);
    renditions[0].partner = 1;
}

/* A run of the first, and the one that it leads. */
static void run_of_both(int64_t next, int64_t end)
{
    int leader = run(0, next, end);
    runs[run(1, next, end)].leader = leader;
}

static void the_next_smaller_rung_is_made_in_the_same_run(void **state)
{
    (void)state;
    two_rungs("..........", "..........");
    struct schedule_action a = next();
    assert_int_equal(a.verb, SCHEDULE_START);
    assert_int_equal(a.rendition, 0);
    assert_int_equal(a.also, 1);
    assert_int_equal(a.end, 10);
    run_of_both(0, 10);
    assert_nothing();
}

static void as_far_as_both_are_missing(void **state)
{
    (void)state;
    two_rungs("..........", "....##....");
    struct schedule_action a = next();
    assert_int_equal(a.also, 1);
    assert_int_equal(a.end, 4);
    renditions[0].partner = -1;
    assert_starts(0, 0, 10);
}

static void what_only_one_of_them_lacks_is_made_alone(void **state)
{
    (void)state;
    two_rungs("..........", "##########");
    assert_int_equal(next().also, -1);
    assert_starts(0, 0, 10);
    setup(NULL);
    two_rungs("##########", "..........");
    assert_int_equal(next().also, -1);
    assert_starts(1, 0, 10);
}

static void the_smaller_one_waits_for_the_larger_one(void **state)
{
    (void)state;
    s.alive_max = 1;
    s.active_max = 1;
    two_rungs("..........", "..........");
    run(0, 0, 10);
    assert_nothing();
}

/* Of this rung nobody knows yet what exists. */
static void not_known(int rung)
{
    have[rung] = (struct segments){.bits = bits[rung]};
}

static void known(int rung)
{
    have[rung].total = 10;
}

static void
nothing_is_made_alone_that_might_lead_one_that_is_not_known_yet(void **state)
{
    (void)state;
    two_rungs("..........", "..........");
    not_known(1);
    assert_nothing();
    known(1);
    assert_starts(0, 0, 10);
    assert_int_equal(next().also, 1);
}

static void nor_what_might_be_led_by_such_a_one(void **state)
{
    (void)state;
    two_rungs("..........", "..........");
    not_known(0);
    assert_nothing();
    known(0);
    assert_starts(0, 0, 10);
    assert_int_equal(next().also, 1);
}

static void two_that_are_known_do_not_wait_for_a_third_one(void **state)
{
    (void)state;
    two_rungs("..........", "..........");
    renditions[1].partner = rung(0, "..........");
    not_known(2);
    assert_starts(0, 0, 10);
    assert_int_equal(next().also, 1);
}

static void what_is_not_known_yet_is_in_nobodys_way(void **state)
{
    (void)state;
    two_rungs("##........", "..........");
    not_known(1);
    int other = rung(1, "..........");
    assert_starts(other, 0, 10);
    s.n_renditions = other;
    run(0, 2, 10);
    assert_nothing();
    runs[0].paused = true;
    assert_does(SCHEDULE_RESUME, 0);
    s.n_runs = 0;
    wanted(0, 7);
    assert_starts(0, 7, 10);
    assert_int_equal(next().also, -1);
}

static void whoever_waits_for_one_gets_it_alone(void **state)
{
    (void)state;
    two_rungs("..........", "..........");
    wanted(1, 7);
    struct schedule_action a = next();
    assert_int_equal(a.rendition, 1);
    assert_int_equal(a.from, 7);
    assert_int_equal(a.also, -1);
    assert_true(a.wanted);
}

static void
a_demand_that_the_led_one_is_about_to_meet_keeps_its_leader_going(void **state)
{
    (void)state;
    two_rungs("##........", "##........");
    run_of_both(2, 10);
    wanted(1, 3);
    assert_nothing();
    assert_true(serves[0]);
    runs[0].paused = runs[1].paused = true;
    assert_does(SCHEDULE_RESUME, 0);
}

static void both_stand_still_by_one_order(void **state)
{
    (void)state;
    two_rungs("##........", "##........");
    run_of_both(2, 10);
    picture(1, "..........");
    assert_does(SCHEDULE_PAUSE, 0);
    runs[0].paused = runs[1].paused = true;
    assert_starts(2, 0, 10);
    run(2, 0, 10);
    assert_nothing();
}

static void who_is_led_is_never_stopped_by_itself(void **state)
{
    (void)state;
    s.alive_max = 1;
    s.active_max = 2;
    two_rungs("##..............", "##..............");
    run_of_both(2, 16);
    picture(1, "................");
    wanted(2, 5);
    assert_does(SCHEDULE_PAUSE, 0);
    runs[0].paused = runs[1].paused = true;
    assert_does(SCHEDULE_STOP, 0);
}

static void who_is_led_takes_the_place_of_nobody(void **state)
{
    (void)state;
    s.alive_max = 2;
    two_rungs("##..............", "##..............");
    run_of_both(2, 16);
    picture(1, "................");
    wanted(2, 5);
    assert_does(SCHEDULE_PAUSE, 0);
    runs[0].paused = runs[1].paused = true;
    assert_starts(2, 5, 16);
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
        TEST(all_others_stand_still_for_a_copy),
        TEST(but_not_a_video_that_cannot_be_watched_yet),
        TEST(nor_whoever_waits),
        TEST(a_copy_that_takes_long_is_no_reason_to_stand_still),
        TEST(what_is_nearly_done_is_finished_first),
        TEST(only_what_nobody_can_watch_yet_goes_on_in_a_hurry),
        TEST(runs_of_rungs_make_room_first),
        TEST(the_next_smaller_rung_is_made_in_the_same_run),
        TEST(as_far_as_both_are_missing),
        TEST(what_only_one_of_them_lacks_is_made_alone),
        TEST(the_smaller_one_waits_for_the_larger_one),
        TEST(nothing_is_made_alone_that_might_lead_one_that_is_not_known_yet),
        TEST(nor_what_might_be_led_by_such_a_one),
        TEST(two_that_are_known_do_not_wait_for_a_third_one),
        TEST(what_is_not_known_yet_is_in_nobodys_way),
        TEST(whoever_waits_for_one_gets_it_alone),
        TEST(a_demand_that_the_led_one_is_about_to_meet_keeps_its_leader_going),
        TEST(both_stand_still_by_one_order),
        TEST(who_is_led_is_never_stopped_by_itself),
        TEST(who_is_led_takes_the_place_of_nobody),
    };
    return cmocka_run_group_tests_name("schedule_last", tests, NULL, NULL);
}
