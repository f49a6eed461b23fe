/* The scheduler as a table of states, for a video that is still being uploaded. */
#include "schedule_fixture.h"

#include <sys/mman.h>
#include <unistd.h>

/* A picture of which segments before `reach` can be made from what has arrived. */
static int arriving(const char *segments, int64_t reach)
{
    int i = picture(s.n_renditions, segments);
    renditions[i].arriving = true;
    renditions[i].reach = reach;
    return i;
}

static int fed(int rendition, int64_t next)
{
    int i = run(rendition, next, have[rendition].total);
    runs[i].fed = true;
    return i;
}

#define assert_starts_fed(rendition_, from_, end_)                                     \
    do {                                                                               \
        struct schedule_action b_ = next();                                            \
        assert_starts(rendition_, from_, end_);                                        \
        assert_true(b_.fed);                                                           \
    } while (0)

#define assert_starts_plain(rendition_, from_, end_)                                   \
    do {                                                                               \
        struct schedule_action b_ = next();                                            \
        assert_starts(rendition_, from_, end_);                                        \
        assert_false(b_.fed);                                                          \
    } while (0)

static void what_arrives_is_made_by_one_run_that_is_fed(void **state)
{
    (void)state;
    int video = arriving("..........", 0);
    assert_starts_fed(video, 0, 10);
    fed(video, 0);
    assert_nothing();
}

static void what_is_whole_needs_no_run_that_is_fed(void **state)
{
    (void)state;
    int video = picture(0, "..........");
    assert_starts_plain(video, 0, 10);
}

static void it_begins_where_something_is_missing(void **state)
{
    (void)state;
    int video = arriving("####......", 2); /* of before: it has arrived for sure */
    assert_starts_fed(video, 4, 10);
}

static void whoever_waits_has_a_run_that_ends_where_the_arrived_does(void **state)
{
    (void)state;
    int video = arriving("..........", 7);
    int background = fed(video, 0);
    wanted(video, 5);
    assert_does(SCHEDULE_PAUSE, background);
    runs[background].paused = true;
    assert_starts_plain(video, 5, 7);
}

static void nobody_is_served_what_has_not_arrived(void **state)
{
    (void)state;
    int video = arriving("###.......", 5);
    fed(video, 3);
    wanted(video, 9);
    assert_nothing(); /* and the run goes on */
    assert_false(serves[0]);
}

static void without_a_run_nothing_is_begun_there_either(void **state)
{
    (void)state;
    int video = arriving("#####.....", 5);
    wanted(video, 7);
    assert_starts_fed(video, 5, 10);
}

static void who_waits_for_what_arrives_next_is_served_by_the_fed_run(void **state)
{
    (void)state;
    int video = arriving("#####.....", 5);
    int run = fed(video, 5);
    runs[run].paused = true;
    wanted(video, 6);
    assert_does(SCHEDULE_RESUME, run);
    assert_true(serves[run]);
}

static void a_run_that_starves_takes_no_slot(void **state)
{
    (void)state;
    int video = arriving("###.......", 3);
    int starving = fed(video, 3);
    runs[starving].starving = true;
    s.active_max = 1;
    int other = picture(7, "..........");
    assert_starts_plain(other, 0, 10);
    run(other, 0, 10);
    assert_nothing(); /* neither of them is paused */
    runs[starving].starving = false;
    assert_does(SCHEDULE_PAUSE, starving); /* nobody can watch the other one yet */
}

static void a_run_that_starves_keeps_nobody_from_being_served(void **state)
{
    (void)state;
    int video = arriving("###.......", 3);
    int starving = fed(video, 3);
    runs[starving].starving = true;
    s.active_max = 1;
    wanted(video, 3);
    int other = picture(7, "#.........");
    wanted(other, 6);
    assert_starts_plain(other, 6, 10);
    assert_true(serves[starving]);
}

static void holes_before_the_fed_run_are_filled_from_what_is_there(void **state)
{
    (void)state;
    int video = arriving("..###.....", 6);
    fed(video, 5);
    assert_starts_plain(video, 0, 2);
}

static void a_viewer_beyond_what_has_arrived_does_not_move_the_fed_run(void **state)
{
    (void)state;
    int video = arriving("..........", 3);
    renditions[video].viewer = 8;
    assert_starts_fed(video, 0, 10);
}

static void of_what_arrived_a_viewers_place_goes_first(void **state)
{
    (void)state;
    int video = arriving("..........", 8);
    renditions[video].viewer = 4;
    assert_starts_fed(video, 4, 10);
    fed(video, 4);
    assert_nothing();
    segments_add(&have[video], 4);
    runs[0].next = 5;
    renditions[video].viewer = -1;
    assert_starts_plain(video, 0, 4);
}

static void nothing_waits_for_an_upload_that_stands_still(void **state)
{
    (void)state;
    int video = arriving("##........", 2);
    renditions[video].asleep = true;
    assert_nothing();
    renditions[video].reach = 4; /* what is there is made all the same */
    assert_starts_fed(video, 2, 10);
}

static void many_that_wait_leave_the_runs_to_one_that_can_go_on(void **state)
{
    (void)state;
    for (int i = 0; i < 8; i++) {
        arriving("..........", 0);
        if (i < s.alive_max)
            runs[fed(i, 0)].starving = true;
    }
    assert_nothing(); /* no run is stopped for one that can do no more */
    int there = picture(9, "..........");
    struct schedule_action a = next();
    assert_int_equal(a.verb, SCHEDULE_STOP);
    assert_true(runs[a.run].starving);
    runs[a.run] = runs[--s.n_runs];
    assert_starts_plain(there, 0, 10);
}

/* Hundreds may wait far behind what has arrived of a long video, and each of them is
 * thought of whenever a segment is published. */
static void what_is_far_beyond_the_arrived_is_not_searched(void **state)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    uint8_t *all = mmap(NULL, 2 * page, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    int video = arriving("###.......", 5);
    int64_t total = (int64_t)page * 16;

    (void)state;
    assert_true(all != MAP_FAILED);
    *all = bits[video][0];
    have[video].bits = all;
    have[video].total = total;
    fed(video, 3);
    for (int64_t k = total / 2; k < total; k += total / 64)
        wanted(video, k);
    /* Whoever looks there dies. */
    assert_int_equal(mprotect(all + page, page, PROT_NONE), 0);
    assert_nothing();
    assert_false(serves[0]);
    demands[5].segment = 6;
    assert_nothing();
    assert_true(serves[0]); /* among all of them */
    munmap(all, 2 * page);
}

static void all_states_come_to_rest(void **state)
{
    for (int reach = 0; reach <= 10; reach++) {
        for (int demand = 0; demand < 10; demand++) {
            setup(state);
            int video = arriving("..##..#...", reach);
            wanted(video, demand);
            apply_all();
            for (int i = 0; i < s.n_runs; i++)
                assert_true(runs[i].fed || runs[i].end <= reach);
        }
    }
}

#define TEST(f) cmocka_unit_test_setup(f, setup)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_arrives_is_made_by_one_run_that_is_fed),
        TEST(what_is_whole_needs_no_run_that_is_fed),
        TEST(it_begins_where_something_is_missing),
        TEST(whoever_waits_has_a_run_that_ends_where_the_arrived_does),
        TEST(nobody_is_served_what_has_not_arrived),
        TEST(without_a_run_nothing_is_begun_there_either),
        TEST(who_waits_for_what_arrives_next_is_served_by_the_fed_run),
        TEST(a_run_that_starves_takes_no_slot),
        TEST(a_run_that_starves_keeps_nobody_from_being_served),
        TEST(holes_before_the_fed_run_are_filled_from_what_is_there),
        TEST(a_viewer_beyond_what_has_arrived_does_not_move_the_fed_run),
        TEST(of_what_arrived_a_viewers_place_goes_first),
        TEST(nothing_waits_for_an_upload_that_stands_still),
        TEST(many_that_wait_leave_the_runs_to_one_that_can_go_on),
        TEST(what_is_far_beyond_the_arrived_is_not_searched),
        TEST(all_states_come_to_rest),
    };

    return cmocka_run_group_tests_name("schedule_arriving", tests, NULL, NULL);
}
