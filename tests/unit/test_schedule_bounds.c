/* What the scheduler never does, however many ask for however much. */
#include "schedule_fixture.h"

/* A keyframe each second segment: every odd one shares that of the one before. */
static void share_keyframes(int rendition)
{
    static struct seek_point points[256];
    for (int k = 0; k < 256; k++)
        points[k].shared = k % 2;
    renditions[rendition].points = points;
}

/* ---- where a run begins --------------------------------------------------- */

static void what_is_decoded_on_the_way_is_made_as_well(void **state)
{
    (void)state;
    picture(0, "####################");
    have[0].bits[0] = have[0].bits[1] = 0;
    have[0].done -= 16;
    share_keyframes(0);
    wanted(0, 7);
    assert_starts(0, 6, 16);
    run(0, 6, 16);
    runs[0].made = runs[0].age_ms = 0;
    runs[0].unused_ms = 0;
    assert_nothing(); /* that is the run that is waited for */
    assert_true(serves[0]);
}

static void only_what_is_missing_and_nobody_is_at_is_made_on_the_way(void **state)
{
    (void)state;
    picture(0, "#.....#.............");
    share_keyframes(0);
    wanted(0, 8); /* a keyframe of its own */
    assert_starts(0, 8, 20);
    demands[0].segment = 7; /* the one before exists */
    assert_starts(0, 7, 20);
    demands[0].segment = 5;
    assert_starts(0, 4, 6);
    renditions[0].points = NULL;
    assert_starts(0, 5, 6);
}

/* ---- room ----------------------------------------------------------------- */

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

static void the_run_that_was_waited_for_longest_ago_makes_room(void **state)
{
    (void)state;
    picture(0,
            "##......................................................................");
    for (int i = 0; i < 5; i++) {
        paused(0, 10 + 10 * i, 15 + 10 * i);
        runs[i].unused_ms = i == 2 ? 9000 : 200;
    }
    wanted(0, 70);
    assert_does(SCHEDULE_STOP, 2);
    renditions[0].viewer = 25; /* someone is about to need what it makes */
    runs[1].unused_ms = LONG_AGO;
    assert_does(SCHEDULE_STOP, 1);
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
    runs[1].age_ms = runs[1].unused_ms = 5000;
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
                runs[i].made = runs[i].age_ms = runs[i].unused_ms = 0;
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
            runs[i].age_ms = runs[i].unused_ms = runs[i].age_ms + 20;
    }
    assert_in_range(started, 3, 10);
    /* Where it comes to rest is begun soon. */
    assert_in_range(again_ms, 1, 600);
}

static void with_all_runs_there_no_slot_stays_empty(void **state)
{
    (void)state;
    picture(0, "............................................................");
    for (int i = 0; i < 5; i++)
        paused(0, 5 + 10 * i, 5 + 10 * i + 5); /* what is before them has no run */
    picture(1, "....................");
    sound(1, "..........");
    apply_all();
    assert_int_equal(working(), 3);
}

static void a_hole_before_a_viewer_displaces_no_run_that_exists(void **state)
{
    (void)state;
    picture(0, "##..........................................................");
    renditions[0].viewer = 1;
    for (int i = 0; i < 5; i++)
        paused(0, 10 + 10 * i, 15 + 10 * i);
    for (int n = apply_all(); n > 0; n--)
        assert_int_equal(s.n_runs, 5);
    assert_int_equal(working(), 3);
}

static void the_only_run_there_may_be_goes_on(void **state)
{
    (void)state;
    s.active_max = s.alive_max = 1;
    picture(0, "...#................");
    sound(0, "..........");
    paused(1, 6, 10); /* someone waited for it, and got it */
    assert_does(SCHEDULE_RESUME, 0);
    runs[0].paused = false;
    assert_nothing();
}

static void a_second_viewer_need_not_wait_for_a_first_run(void **state)
{
    (void)state;
    picture(0, "........................................");
    wanted(0, 5);
    wanted(0, 25);
    assert_int_equal(apply_all(), 2);
}

static bool is_work_left(void)
{
    for (int i = 0; i < s.n_renditions; i++)
        if (have[i].done < have[i].total || !have[i].has_init)
            return true;
    return false;
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
        for (int i = 0; i < s.n_runs; i++) {
            runs[i].paused = (seed = seed * 1103515245 + 12345) >> 16 & 1;
            runs[i].made = seed >> 17 & 1;
            runs[i].unused_ms = seed >> 18 & 1 ? LONG_AGO : 100000;
        }
        have[round % 4].has_init = round % 7 > 0;
        if (round % 3 == 0)
            share_keyframes(round % 4);
        apply_all();
        assert_true(s.n_runs <= s.alive_max);
        assert_true(working() <= s.active_max);
        assert_int_equal(is_work_left(), working() > 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(what_is_decoded_on_the_way_is_made_as_well, setup),
        cmocka_unit_test_setup(only_what_is_missing_and_nobody_is_at_is_made_on_the_way,
                               setup),
        cmocka_unit_test_setup(the_least_useful_run_makes_room, setup),
        cmocka_unit_test_setup(the_run_that_was_waited_for_longest_ago_makes_room,
                               setup),
        cmocka_unit_test_setup(a_run_begun_in_vain_is_the_least_useful, setup),
        cmocka_unit_test_setup(a_run_that_someone_waits_for_is_never_stopped, setup),
        cmocka_unit_test_setup(who_scrubs_wildly_starts_no_storm, setup),
        cmocka_unit_test_setup(with_all_runs_there_no_slot_stays_empty, setup),
        cmocka_unit_test_setup(a_hole_before_a_viewer_displaces_no_run_that_exists,
                               setup),
        cmocka_unit_test_setup(the_only_run_there_may_be_goes_on, setup),
        cmocka_unit_test_setup(a_second_viewer_need_not_wait_for_a_first_run, setup),
        cmocka_unit_test_setup(it_always_comes_to_rest, setup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
