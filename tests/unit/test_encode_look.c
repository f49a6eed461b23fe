/* What exists of a rendition is looked at before anything is made: all of it, while
 * other work goes on. */
#include "encode_many.h"

#include <sys/resource.h>

static bool is_looked_at(void)
{
    return encode->look;
}

static bool has_begun(void)
{
    return !encode->look;
}

static bool has_run(void)
{
    return encode->runs;
}

static void remove_segment(int k)
{
    char path[PATH_MAX];
    at(path, name_of(k));
    assert_int_equal(unlink(path), 0);
}

static int left(void)
{
    int n = 0;
    for (int k = 0; k < MANY; k++)
        n += is_there(name_of(k));
    return n;
}

static void others_have_their_turn_while_all_is_looked_at(void **state)
{
    (void)state;
    claim(is_looked_at);
    assert_true(is_looked_at());
    turn_until(has_begun, "the work to begin");
    assert_true(turns >= MANY / ENCODE_LOOK_TURN - 1);
    assert_int_equal(encode->have.total, MANY);
    assert_int_equal(encode->have.done, MANY);
    assert_true(encode->have.has_init);
}

static void all_that_is_damaged_goes(void **state)
{
    (void)state;
    remove_segment(1);
    for (int k = 2; k < MANY; k += 2)
        put_file(name_of(k), "short", 5, 0644);
    claim(is_looked_at);
    turn_until(has_begun, "the work to begin");
    assert_int_equal(encode->have.done, MANY / 2);
    for (int k = 0; k < MANY; k++) {
        bool good = k == 0 || (k % 2 == 1 && k > 1);
        assert_int_equal(segments_has(&encode->have, k), good);
        assert_int_equal(is_there(name_of(k)), good);
    }
}

/* A folder with little in it costs nobody a turn. */
static void what_is_little_is_looked_at_at_once(void **state)
{
    (void)state;
    for (int k = 5; k < MANY; k++)
        remove_segment(k);
    claim(is_looked_at);
    assert_true(has_begun());
    assert_int_equal(encode->have.done, 5);
    assert_int_equal(now().done, 0); /* which is told with the next tick */
    task_tell(task);
    assert_int_equal(now().done, 5);
}

/* What is told of an earlier attempt stays until it is known better. */
static void nothing_is_told_meanwhile(void **state)
{
    (void)state;
    claim(is_looked_at);
    task_tell(task);
    assert_true(is_looked_at());
    assert_int_equal(task->told_changes, task->changes);
    turn_until(has_begun, "the work to begin");
    task_tell(task);
    assert_int_equal(now().done, MANY);
}

static void a_viewer_in_between_has_to_wait_for_its_end(void **state)
{
    (void)state;
    remove_segment(7);
    claim(is_looked_at);
    w.stopping = false;
    demand(7);
    turn_for(0); /* and what is to be made is decided */
    assert_true(is_looked_at());
    assert_null(encode->runs);
    turn_until(has_run, "a run");
    assert_true(has_begun());
    assert_int_equal(encode->runs->from, 7);
    assert_true(encode->runs->wanted_ms >= 0);
    w.stopping = true;
}

static void a_worker_that_stops_in_between_gives_the_job_back(void **state)
{
    (void)state;
    claim(is_looked_at);
    turn_for(0);
    jobs_stop_all(&w);
    assert_null(encode->look);
    turn_until(no_task, "the task to end");
    assert_int_equal(failures(), 0);
}

/* Another worker has it by now, and whatever it makes is its own. */
static void a_job_that_was_taken_away_removes_nothing_more(void **state)
{
    struct job job;
    (void)state;
    for (int k = 0; k < MANY; k++)
        put_file(name_of(k), "short", 5, 0644);
    claim(is_looked_at);
    int before = left();
    assert_in_range(before, MANY - ENCODE_LOOK_TURN, MANY - 1);
    lose_job(&job);
    turn_until(no_task, "the task to end");
    assert_int_equal(left(), before);
    assert_int_equal(store_job_check(w.store, &job), RC_OK);
}

static void a_video_that_is_deleted_in_between_lets_go(void **state)
{
    (void)state;
    claim(is_looked_at);
    assert_int_equal(store_video_delete(w.store, video.id, &video), RC_OK);
    w.stopping = false;
    jobs_look(&w);
    w.stopping = true;
    assert_null(encode->look);
    turn_until(no_task, "the task to end");
}

/* Without a descriptor nothing can be said of any of them; they stay, and the job. */
static void a_look_that_fails_puts_the_job_off(void **state)
{
    struct rlimit old, none;
    (void)state;
    claim(is_looked_at);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &old), 0);
    none = old;
    none.rlim_cur = 0;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
    turn_until(no_task, "the task to end");
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &old), 0);
    assert_int_equal(left(), MANY);
    assert_int_equal(failures(), 0);
}

#define PROMISED (MANY - 3)

/* Of an upload that does not tell how long it is. */
static int open_setup(void **state)
{
    struct video_plan plan = fixture_plan(1);
    struct rendition *r = &plan.renditions[1];
    struct job probe;
    plan.duration_us = -1;
    r->gop = 1;
    r->frames = r->segments = PROMISED;
    setup(state);
    video = fixture_receiving(f, "clip");
    assert_int_equal(store_video_header_arrived(w.store, video.id), RC_OK);
    probe = fixture_claim(f, w.owner);
    assert_int_equal(store_job_planned(w.store, &probe, &plan), RC_OK);
    assert_int_equal(mediadir_create(&w.site, video.media_root), RC_OK);
    put_segments();
    return 0;
}

/* Its last byte comes, and its probe finds how long it is. */
static void end_upload(void)
{
    struct video_plan plan = fixture_plan(1);
    bool ready;
    plan.renditions[1].gop = 1;
    plan.renditions[1].frames = plan.renditions[1].segments = PROMISED;
    assert_int_equal(store_video_stored(w.store, video.id, 1000, &video), RC_OK);
    struct job probe = fixture_claim(f, w.owner);
    assert_int_equal(probe.kind, JOB_PROBE);
    assert_int_equal(store_job_confirmed(w.store, &probe, &plan, &ready), RC_OK);
    arrivals_look(w.arrivals);
}

static bool is_ended(void)
{
    return !encode->open;
}

static void assert_ended(void)
{
    struct stat st;
    char path[PATH_MAX];
    at(path, name_of(0));
    assert_int_equal(stat(path, &st), 0);
    assert_false(encode->arriving);
    assert_int_equal(encode->have.total, PROMISED);
    assert_int_equal(encode->have.done, PROMISED);
    assert_int_equal(encode->have.bytes, PROMISED * st.st_size);
}

static void an_end_that_comes_in_between_is_taken_after_it(void **state)
{
    (void)state;
    claim(is_looked_at);
    end_upload();
    assert_true(is_looked_at());
    assert_true(encode->open);
    w.stopping = false;
    turn_until(is_ended, "the end to be known");
    w.stopping = true;
    assert_ended();
}

/* It is one turn of the loop, and all is known already. */
static void an_end_that_comes_later_takes_no_other_look(void **state)
{
    (void)state;
    claim(is_looked_at);
    turn_until(has_begun, "the work to begin");
    assert_true(encode->open);
    assert_int_equal(encode->have.done, MANY);
    remove_segment(5); /* so that nothing but the last look misses it */
    end_upload();
    assert_true(is_ended());
    put_segment(5, 5);
    assert_ended();
}

int main(void)
{
#define TEST(test) cmocka_unit_test_setup_teardown(test, many_setup, many_teardown)
#define OPEN_TEST(test) cmocka_unit_test_setup_teardown(test, open_setup, many_teardown)
    const struct CMUnitTest tests[] = {
        TEST(others_have_their_turn_while_all_is_looked_at),
        TEST(all_that_is_damaged_goes),
        TEST(what_is_little_is_looked_at_at_once),
        TEST(nothing_is_told_meanwhile),
        TEST(a_viewer_in_between_has_to_wait_for_its_end),
        TEST(a_worker_that_stops_in_between_gives_the_job_back),
        TEST(a_job_that_was_taken_away_removes_nothing_more),
        TEST(a_video_that_is_deleted_in_between_lets_go),
        TEST(a_look_that_fails_puts_the_job_off),
        OPEN_TEST(an_end_that_comes_in_between_is_taken_after_it),
        OPEN_TEST(an_end_that_comes_later_takes_no_other_look),
    };
    return cmocka_run_group_tests_name("encode_look", tests, NULL, NULL);
}
