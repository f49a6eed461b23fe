/*
 * The scheduler as a table of states: what there is on the left, what is to be done on
 * the right. Two cores, three slots and five runs, unless a test says otherwise.
 *
 * A rendition's segments are written as text: '#' exists, '.' does not.
 */
#include "check.h"
#include "schedule.h"

#include <stdio.h>
#include <string.h>

#define LONG_AGO INT64_MAX

static struct schedule s;
static struct schedule_rendition renditions[16];
static struct schedule_run runs[16];
static struct schedule_demand demands[2048];
static struct segments have[16];
static uint8_t bits[16][32];
static int64_t again_ms;
static bool serves[SCHEDULE_RUNS_MAX];

static int setup(void **state)
{
    (void)state;
    memset(renditions, 0, sizeof(renditions));
    memset(runs, 0, sizeof(runs));
    memset(have, 0, sizeof(have));
    memset(bits, 0, sizeof(bits));
    s = (struct schedule){.renditions = renditions,
                          .runs = runs,
                          .demands = demands,
                          .cores = 2,
                          .active_max = 3,
                          .alive_max = 5};
    return 0;
}

/* A picture of `video`: 500 ms to the first segment, 250 ms for each one after it. */
static int picture(int video, const char *segments)
{
    int i = s.n_renditions++;
    have[i] = (struct segments){
        .total = (int64_t)strlen(segments), .has_init = true, .bits = bits[i]};
    for (int64_t k = 0; k < have[i].total; k++)
        if (segments[k] == '#')
            segments_add(&have[i], k, 1);
    renditions[i] = (struct schedule_rendition){.video = video,
                                                .have = &have[i],
                                                .viewer = -1,
                                                .start_ms = 500,
                                                .segment_ms = 250};
    return i;
}

static int sound(int video, const char *segments)
{
    int i = picture(video, segments);
    renditions[i].audio = true;
    renditions[i].start_ms = 200;
    renditions[i].segment_ms = 50;
    return i;
}

/* A run that works, has made something, and that nobody waited for. */
static int run(int rendition, int64_t next, int64_t end)
{
    int i = s.n_runs++;
    runs[i] = (struct schedule_run){.rendition = rendition,
                                    .next = next,
                                    .end = end,
                                    .made = 1,
                                    .age_ms = 60000,
                                    .unused_ms = LONG_AGO};
    return i;
}

static int paused(int rendition, int64_t next, int64_t end)
{
    int i = run(rendition, next, end);
    runs[i].paused = true;
    return i;
}

static void wanted(int rendition, int64_t segment)
{
    demands[s.n_demands++] = (struct schedule_demand){rendition, segment};
}

static struct schedule_action next(void)
{
    return schedule_next(&s, &again_ms, serves);
}

#define assert_does(verb_, run_)                                                       \
    do {                                                                               \
        struct schedule_action a_ = next();                                            \
        assert_int_equal(a_.verb, verb_);                                              \
        assert_int_equal(a_.run, run_);                                                \
    } while (0)

#define assert_starts(rendition_, from_, end_)                                         \
    do {                                                                               \
        struct schedule_action a_ = next();                                            \
        assert_int_equal(a_.verb, SCHEDULE_START);                                     \
        assert_int_equal(a_.rendition, rendition_);                                    \
        assert_int_equal(a_.from, from_);                                              \
        assert_int_equal(a_.end, end_);                                                \
    } while (0)

#define assert_nothing() assert_int_equal(next().verb, SCHEDULE_NOTHING)

/* Does what the scheduler says, as the worker would, until it says nothing. */
static int apply_all(void)
{
    for (int n = 0; n < 100; n++) {
        struct schedule_action a = next();
        int i;
        switch (a.verb) {
        case SCHEDULE_NOTHING:
            return n;
        case SCHEDULE_START:
            i = run(a.rendition, a.from, a.end);
            runs[i].made = runs[i].age_ms = 0;
            break;
        case SCHEDULE_STOP:
            runs[a.run] = runs[--s.n_runs];
            break;
        case SCHEDULE_PAUSE:
            assert_false(runs[a.run].paused);
            runs[a.run].paused = true;
            break;
        case SCHEDULE_RESUME:
            assert_true(runs[a.run].paused);
            runs[a.run].paused = false;
            break;
        }
    }
    fail_msg("it never comes to rest");
    return -1;
}

static int working(void)
{
    int n = 0;
    for (int i = 0; i < s.n_runs; i++)
        n += !runs[i].paused;
    return n;
}

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
        run(picture(i, ".........."), 3, 10);
    int watched = picture(3, "..........");
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
    picture(0, "....................");
    sound(0, "..........");
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
    runs[0].unused_ms = 100; /* its viewer asks for the next one any moment */
    picture(1, "....................");
    wanted(1, 4);
    assert_starts(1, 4, 20);
    run(1, 4, 20);
    assert_nothing();
    assert_int_equal(again_ms, 150);
    runs[0].unused_ms = 251;
    assert_does(SCHEDULE_PAUSE, 0);
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

/* ---- bounds ------------------------------------------------------------------ */

static void the_least_useful_run_makes_room(void **state)
{
    (void)state;
    picture(0,
            "........................................................................"
            "............................................................");
    renditions[0].viewer = 10;
    for (int i = 0; i < 5; i++)
        paused(0, 20 + 20 * i, 20 + 20 * i + 15);
    wanted(0, 17);
    assert_does(SCHEDULE_STOP, 4); /* the one farthest ahead of the viewer */
}

static void a_run_begun_in_vain_is_the_least_useful(void **state)
{
    (void)state;
    picture(0,
            "........................................................................");
    renditions[0].viewer = 10;
    for (int i = 0; i < 5; i++)
        paused(0, 12 + 10 * i, 12 + 10 * i + 5);
    runs[1].made = 0;
    runs[1].age_ms = 5000;
    wanted(0, 70);
    assert_does(SCHEDULE_STOP, 1);
}

static void a_run_that_someone_waits_for_is_never_stopped(void **state)
{
    (void)state;
    s.active_max = s.alive_max = 3;
    picture(0, "........................................");
    for (int i = 0; i < 3; i++) {
        run(0, 10 * i, 10 * i + 5);
        wanted(0, 10 * i);
    }
    wanted(0, 37);
    assert_nothing();
}

static void who_scrubs_wildly_starts_no_storm(void **state)
{
    (void)state;
    int started = 0;
    picture(0,
            "........................................................................"
            "........................................................................");
    /* A new place every 20 ms, for two seconds; no run lives to give anything. */
    for (int64_t now = 0; now < 2000; now += 20) {
        s.n_demands = 0;
        wanted(0, (now * 37 / 20) % 144);
        for (struct schedule_action a = next(); a.verb != SCHEDULE_NOTHING;
             a = next()) {
            int i;
            switch (a.verb) {
            case SCHEDULE_START:
                i = run(0, a.from, a.end);
                runs[i].made = runs[i].age_ms = 0;
                started++;
                break;
            case SCHEDULE_STOP:
                runs[a.run] = runs[--s.n_runs];
                break;
            case SCHEDULE_PAUSE:
                runs[a.run].paused = true;
                break;
            default:
                runs[a.run].paused = false;
            }
            assert_true(s.n_runs <= s.alive_max);
        }
        for (int i = 0; i < s.n_runs; i++)
            runs[i].age_ms += 20;
    }
    assert_in_range(started, 3, 10);
    /* Where it comes to rest is begun soon. */
    assert_in_range(again_ms, 1, 600);
}

static void a_second_viewer_need_not_wait_for_a_first_run(void **state)
{
    (void)state;
    picture(0, "........................................");
    wanted(0, 5);
    wanted(0, 25);
    assert_int_equal(apply_all(), 2);
}

static void it_always_comes_to_rest(void **state)
{
    (void)state;
    unsigned seed = 1;
    for (int round = 0; round < 3000; round++) {
        setup(NULL);
        s.cores = 1 + round % 5;
        s.active_max = 1 + round % 4;
        s.alive_max = s.active_max + round % 3;
        for (int i = 0; i < 4; i++) {
            char text[33] = "";
            for (int k = 0; k < 32; k++)
                text[k] = (seed = seed * 1103515245 + 12345) >> 16 & 1 ? '#' : '.';
            if (i % 2)
                sound(i / 2, text);
            else
                picture(i / 2, text);
            renditions[i].viewer = (int64_t)(seed >> 8) % 33 - 1;
        }
        for (int i = 0; i < 6; i++) {
            int of = (seed = seed * 1103515245 + 12345) >> 16 & 3;
            int64_t k = segments_next_hole(&have[of], (seed >> 20) % 32);
            if (k < 32 && (seed >> 4) % 2)
                wanted(of, k);
            else if (k < 32 && s.n_runs < s.alive_max)
                run(of, k, segments_next_present(&have[of], k));
        }
        apply_all();
        assert_true(s.n_runs <= s.alive_max);
        assert_true(working() <= s.active_max);
    }
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
        cmocka_unit_test_setup(one_run_a_rendition_fills_its_holes, setup),
        cmocka_unit_test_setup(picture_and_sound_go_on_side_by_side, setup),
        cmocka_unit_test_setup(
            older_jobs_come_first_and_no_more_run_than_there_are_slots, setup),
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
        cmocka_unit_test_setup(cores_that_waiting_leaves_idle_are_used, setup),
        cmocka_unit_test_setup(the_least_useful_run_makes_room, setup),
        cmocka_unit_test_setup(a_run_begun_in_vain_is_the_least_useful, setup),
        cmocka_unit_test_setup(a_run_that_someone_waits_for_is_never_stopped, setup),
        cmocka_unit_test_setup(who_scrubs_wildly_starts_no_storm, setup),
        cmocka_unit_test_setup(a_second_viewer_need_not_wait_for_a_first_run, setup),
        cmocka_unit_test_setup(it_always_comes_to_rest, setup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
