/* The scheduler as a table of states: what there is, and what is to be done. */
#include "schedule_fixture.h"

/* ---- nobody waits --------------------------------------------------------- */

static void nothing_at_all_is_nothing_to_do(void **state)
{
    (void)state;
    assert_nothing();
    assert_int_equal(again_ms, -1);
}

static void a_new_rendition_is_begun_at_its_start(void **state)
{
    (void)state;
    picture(0, "..........");
    assert_starts(0, 0, 10);
}

static void a_run_ends_where_finished_segments_begin(void **state)
{
    (void)state;
    picture(0, "##...##...");
    assert_starts(0, 2, 5);
}

static void a_run_ends_where_another_one_is_at_work(void **state)
{
    (void)state;
    picture(0, "..........");
    run(0, 6, 10);
    assert_starts(0, 0, 6);
}

static void a_complete_rendition_needs_no_run(void **state)
{
    (void)state;
    picture(0, "##########");
    assert_nothing();
}

static void a_lost_init_segment_is_made_again(void **state)
{
    (void)state;
    picture(0, "##########");
    have[0].has_init = false;
    assert_starts(0, 9, 10);
}

static void a_lost_init_segment_is_made_for_who_waits(void **state)
{
    (void)state;
    picture(0, "##########");
    have[0].has_init = false;
    wanted(0, 0);
    assert_starts(0, 0, 1);
    run(0, 0, 1);
    runs[0].made = 0;
    assert_nothing();
    assert_true(serves[0]);
}

static void all_runs_stand_still_where_nothing_may_be_made(void **state)
{
    (void)state;
    picture(0, "#.........");
    sound(0, ".....");
    run(0, 1, 10);
    paused(1, 0, 5);
    s.still = true;
    wanted(0, 7);
    wanted(0, 1);
    assert_int_equal(apply_all(), 1);
    assert_int_equal(working(), 0);
    assert_int_equal(again_ms, -1);
    assert_false(serves[0]);
    s.still = false;
    assert_does(SCHEDULE_RESUME, 0);
}

static void one_run_a_rendition_fills_its_holes(void **state)
{
    (void)state;
    picture(0, "#...##....");
    run(0, 1, 4);
    assert_nothing();
}

static void picture_and_sound_go_on_side_by_side(void **state)
{
    (void)state;
    picture(0, "..........");
    sound(0, ".....");
    assert_int_equal(apply_all(), 2);
    assert_int_equal(working(), 2);
}

static void older_jobs_come_first_and_no_more_run_than_there_are_slots(void **state)
{
    (void)state;
    for (int video = 0; video < 3; video++) {
        picture(video, "..........");
        sound(video, ".....");
    }
    apply_all();
    assert_int_equal(s.n_runs, 3);
    for (int i = 0; i < 3; i++)
        assert_int_equal(runs[i].rendition, i);
}

static void a_video_of_which_nothing_exists_comes_before_older_jobs(void **state)
{
    (void)state;
    for (int i = 0; i < 3; i++)
        run(picture(i, "##........"), 2, 10);
    picture(3, "..........");
    assert_does(SCHEDULE_PAUSE, 2);
    runs[2].paused = true;
    assert_starts(3, 0, 10);
    run(3, 0, 10);
    assert_nothing();
    segments_add(&have[3], 0);
    runs[3].next = 1;
    assert_does(SCHEDULE_RESUME, 2);
    runs[2].paused = false;
    assert_does(SCHEDULE_PAUSE, 3);
}

static void runs_that_were_paused_go_on(void **state)
{
    (void)state;
    picture(0, "....#.....");
    paused(0, 5, 10);
    assert_does(SCHEDULE_RESUME, 0);
}

static void holes_are_filled_from_the_earliest_viewer_on(void **state)
{
    (void)state;
    picture(0, "#...####...#....");
    renditions[0].viewer = 5;
    assert_starts(0, 8, 11);
}

static void then_in_order_from_the_start(void **state)
{
    (void)state;
    picture(0, "#...############");
    renditions[0].viewer = 5;
    assert_starts(0, 1, 4);
}

static void what_a_viewer_is_about_to_need_comes_before_older_jobs(void **state)
{
    (void)state;
    for (int i = 0; i < 3; i++)
        run(picture(i, "###......."), 3, 10);
    int watched = picture(3, "##........");
    renditions[watched].viewer = 2;
    assert_does(SCHEDULE_PAUSE, 2);
    runs[2].paused = true;
    assert_starts(watched, 2, 10);
}

/* ---- someone waits ----------------------------------------------------------- */

static void a_demand_starts_a_run_there_and_the_others_stand_still(void **state)
{
    (void)state;
    picture(0, "....................");
    run(0, 2, 20);
    wanted(0, 12);
    assert_does(SCHEDULE_PAUSE, 0);
    runs[0].paused = true;
    assert_starts(0, 12, 20);
}

static void a_run_that_is_about_to_reach_it_serves_a_demand(void **state)
{
    (void)state;
    picture(0, "....................");
    run(0, 10, 20);
    wanted(0, 11);
    assert_nothing();
    assert_true(serves[0]);
}

static void the_speed_of_a_run_decides_whether_it_is_waited_for(void **state)
{
    (void)state;
    picture(0, "....................");
    run(0, 10, 20);
    renditions[0].segment_ms = 100; /* 14 in 500 ms: as soon as a new run */
    wanted(0, 14);
    assert_nothing();
    renditions[0].segment_ms = 400;
    assert_does(SCHEDULE_PAUSE, 0);
    runs[0].paused = true;
    assert_starts(0, 14, 20);
}

static void work_already_done_on_a_segment_counts(void **state)
{
    (void)state;
    picture(0, "....................");
    run(0, 10, 20);
    wanted(
        0,
        12); /* 750 ms, or 510 if the first is nearly there; a new run is worth 625 */
    assert_does(SCHEDULE_PAUSE, 0);
    runs[0].at_it_ms = 240;
    assert_nothing();
}

static void a_paused_run_that_is_near_goes_on_instead_of_a_new_one(void **state)
{
    (void)state;
    picture(0, "....................");
    paused(0, 10, 20);
    wanted(0, 10);
    assert_does(SCHEDULE_RESUME, 0);
}

static void a_run_that_ends_before_it_does_not_serve_a_demand(void **state)
{
    (void)state;
    picture(0, "...........#........");
    run(0, 10, 11);
    wanted(0, 12);
    assert_does(SCHEDULE_PAUSE, 0);
    runs[0].paused = true;
    assert_starts(0, 12, 20);
}

static void a_run_behind_it_does_not_serve_a_demand(void **state)
{
    (void)state;
    picture(0, "....................");
    paused(0, 13, 20);
    wanted(0, 12);
    assert_starts(0, 12, 13);
}

static void demands_close_together_share_a_run(void **state)
{
    (void)state;
    picture(0, "....................");
    wanted(0, 8);
    wanted(0, 9);
    wanted(0, 10);
    assert_int_equal(apply_all(), 1);
    assert_int_equal(runs[0].next, 8);
}

static void a_thousand_demands_are_few_runs(void **state)
{
    (void)state;
    picture(0, "........................................");
    for (int i = 0; i < 1000; i++)
        wanted(0, (i * 7) % 40);
    apply_all();
    assert_int_equal(working(), 3);
    assert_true(s.n_runs <= s.alive_max);
}

static void picture_and_sound_are_served_independently(void **state)
{
    (void)state;
    picture(0, "#...................");
    sound(0, "##........");
    run(0, 1, 20);
    run(1, 2, 10);
    wanted(0, 12);
    wanted(1,
           6); /* 250 ms away: no sooner by a new run, which would take 200 and cost */
    apply_all();
    assert_int_equal(s.n_runs, 3);
    assert_true(runs[0].paused);
    assert_false(runs[1].paused);
    assert_int_equal(runs[2].rendition, 0);
    assert_int_equal(runs[2].next, 12);
}

static void the_video_with_the_fewest_runs_is_served_next(void **state)
{
    (void)state;
    picture(0, "........................................");
    int other = picture(1, "....................");
    wanted(0, 5);
    wanted(0, 15);
    wanted(0, 25);
    wanted(other, 3);
    apply_all();
    int of_other = 0;
    for (int i = 0; i < s.n_runs; i++)
        of_other += runs[i].rendition == other;
    assert_int_equal(s.n_runs, 3);
    assert_int_equal(of_other, 1);
}

static void the_oldest_demand_of_a_video_goes_first(void **state)
{
    (void)state;
    picture(0, "........................................");
    s.active_max = 1;
    wanted(0, 30);
    wanted(0, 3);
    assert_starts(0, 30, 40);
}

static void a_run_that_was_just_waited_for_is_held(void **state)
{
    (void)state;
    picture(0, "........................................");
    run(0, 7, 40);
    runs[0].unused_ms = 40; /* its viewer asks for the next one any moment */
    picture(1, "....................");
    wanted(1, 4);
    assert_starts(1, 4, 20);
    run(1, 4, 20);
    assert_nothing();
    assert_int_equal(again_ms, 60);
    runs[0].unused_ms = 101;
    assert_does(SCHEDULE_PAUSE, 0);
}

static void one_idle_core_is_for_a_sound_and_not_for_a_picture(void **state)
{
    (void)state;
    picture(0, "....................");
    sound(0, "..........");
    run(0, 1, 20);
    run(1, 7, 10);
    sound(1, "..........");
    run(2, 1, 10);
    wanted(1, 7);
    assert_does(SCHEDULE_PAUSE, 0);
    runs[0].paused = true;
    assert_nothing();
    assert_false(runs[2].paused);
}

static void a_run_that_nobody_waited_for_was_not_begun_in_vain(void **state)
{
    (void)state;
    picture(0, "....................");
    run(0, 0, 20);
    runs[0].made = runs[0].age_ms = 0; /* the encode has just begun */
    wanted(0, 12);
    assert_does(SCHEDULE_PAUSE, 0);
    runs[0].paused = true;
    assert_starts(0, 12, 20);
}

static void no_sound_goes_on_beside_a_picture_that_is_waited_for(void **state)
{
    (void)state;
    picture(0, "##..................");
    sound(0, "##........");
    sound(1, "##........");
    run(0, 2, 20);
    run(1, 2, 10);
    run(2, 2, 10);
    wanted(0, 12);
    apply_all();
    for (int i = 0; i < 3; i++)
        assert_true(runs[i].paused);
    assert_int_equal(s.n_runs, 4);
    assert_false(runs[3].paused);
}

static void cores_that_waiting_leaves_idle_are_used(void **state)
{
    (void)state;
    s.cores = 8;
    s.active_max = 9;
    s.alive_max = 20;
    picture(0, "........................................");
    run(0, 0, 40);
    run(picture(1, "...................."), 0, 20);
    wanted(0, 20);
    assert_starts(0, 20, 40);
    run(0, 20, 40);
    assert_nothing();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(nothing_at_all_is_nothing_to_do, setup),
        cmocka_unit_test_setup(a_new_rendition_is_begun_at_its_start, setup),
        cmocka_unit_test_setup(a_run_ends_where_finished_segments_begin, setup),
        cmocka_unit_test_setup(a_run_ends_where_another_one_is_at_work, setup),
        cmocka_unit_test_setup(a_complete_rendition_needs_no_run, setup),
        cmocka_unit_test_setup(a_lost_init_segment_is_made_again, setup),
        cmocka_unit_test_setup(a_lost_init_segment_is_made_for_who_waits, setup),
        cmocka_unit_test_setup(all_runs_stand_still_where_nothing_may_be_made, setup),
        cmocka_unit_test_setup(one_run_a_rendition_fills_its_holes, setup),
        cmocka_unit_test_setup(picture_and_sound_go_on_side_by_side, setup),
        cmocka_unit_test_setup(
            older_jobs_come_first_and_no_more_run_than_there_are_slots, setup),
        cmocka_unit_test_setup(a_video_of_which_nothing_exists_comes_before_older_jobs,
                               setup),
        cmocka_unit_test_setup(runs_that_were_paused_go_on, setup),
        cmocka_unit_test_setup(holes_are_filled_from_the_earliest_viewer_on, setup),
        cmocka_unit_test_setup(then_in_order_from_the_start, setup),
        cmocka_unit_test_setup(what_a_viewer_is_about_to_need_comes_before_older_jobs,
                               setup),
        cmocka_unit_test_setup(a_demand_starts_a_run_there_and_the_others_stand_still,
                               setup),
        cmocka_unit_test_setup(a_run_that_is_about_to_reach_it_serves_a_demand, setup),
        cmocka_unit_test_setup(the_speed_of_a_run_decides_whether_it_is_waited_for,
                               setup),
        cmocka_unit_test_setup(work_already_done_on_a_segment_counts, setup),
        cmocka_unit_test_setup(a_paused_run_that_is_near_goes_on_instead_of_a_new_one,
                               setup),
        cmocka_unit_test_setup(a_run_that_ends_before_it_does_not_serve_a_demand,
                               setup),
        cmocka_unit_test_setup(a_run_behind_it_does_not_serve_a_demand, setup),
        cmocka_unit_test_setup(demands_close_together_share_a_run, setup),
        cmocka_unit_test_setup(a_thousand_demands_are_few_runs, setup),
        cmocka_unit_test_setup(picture_and_sound_are_served_independently, setup),
        cmocka_unit_test_setup(the_video_with_the_fewest_runs_is_served_next, setup),
        cmocka_unit_test_setup(the_oldest_demand_of_a_video_goes_first, setup),
        cmocka_unit_test_setup(a_run_that_was_just_waited_for_is_held, setup),
        cmocka_unit_test_setup(one_idle_core_is_for_a_sound_and_not_for_a_picture,
                               setup),
        cmocka_unit_test_setup(a_run_that_nobody_waited_for_was_not_begun_in_vain,
                               setup),
        cmocka_unit_test_setup(no_sound_goes_on_beside_a_picture_that_is_waited_for,
                               setup),
        cmocka_unit_test_setup(cores_that_waiting_leaves_idle_are_used, setup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
