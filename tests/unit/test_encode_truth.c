/* What was made is looked at once more before anybody is told that it is done: all of
 * it, while other work goes on. */
#include "encode_many.h"

static bool is_looked_at(void)
{
    return encode->truth;
}

/* All segments are known to exist, and are looked at once more. */
static void claim_all(void)
{
    claim(is_looked_at);
    for (int i = 0; i < MANY && !encode->truth; i++)
        turn_for(0);
    assert_non_null(encode->truth);
    assert_int_equal(encode->have.done, MANY);
}

/* Until the first is found to be wrong, and a turn or two more. */
static void look_at_some(void)
{
    for (int i = 0; i < MANY && encode->have.done == MANY; i++)
        turn_for(0);
    assert_int_equal(encode->have.done, MANY - 1);
    assert_non_null(encode->truth);
}

static bool is_done(void)
{
    return now().done == MANY && now().average_bitrate > 0;
}

static void others_have_their_turn_while_all_is_looked_at(void **state)
{
    (void)state;
    claim_all();
    turn_until(no_task, "the encode to end");
    assert_true(turns >= MANY / ENCODE_TRUTH_TURN - 1);
    assert_true(is_done());
    /* Each has as many bytes as the next one. */
    struct stat st;
    char path[PATH_MAX];
    at(path, name_of(0));
    assert_int_equal(stat(path, &st), 0);
    assert_in_range(now().average_bitrate, st.st_size * 8 * 25,
                    st.st_size * 8 * 25 + 1);
}

static void all_that_is_wrong_goes_up_to_the_last(void **state)
{
    (void)state;
    put_segment(1, 2);
    put_segment(MANY - 2, 0);
    put_segment(MANY - 1, MANY);
    claim_all();
    turn_until(no_task, "the encode to end");
    assert_false(is_there(name_of(1)));
    assert_true(is_there(name_of(2)));
    assert_true(is_there(name_of(MANY - 3)));
    assert_false(is_there(name_of(MANY - 2)));
    assert_false(is_there(name_of(MANY - 1)));
    assert_int_equal(now().done, MANY - 3); /* and nobody is told otherwise */
    assert_int_equal(failures(), 1);
}

static void what_is_wrong_is_not_told_to_be_there_meanwhile(void **state)
{
    (void)state;
    put_segment(0, 1);
    claim_all();
    look_at_some();
    assert_false(segments_has(&encode->have, 0));
    task_tell(task);
    assert_int_equal(now().done, MANY - 1);
}

static void what_goes_in_between_is_missed(void **state)
{
    char path[PATH_MAX];
    (void)state;
    put_segment(0, 1);
    claim_all();
    look_at_some();
    at(path, name_of(MANY - 1));
    assert_int_equal(unlink(path), 0);
    turn_until(no_task, "the encode to end");
    assert_int_equal(now().done, MANY - 2);
}

static void init_that_goes_in_between_is_missed(void **state)
{
    char path[PATH_MAX], name[sizeof(folder) + 16];
    (void)state;
    claim_all();
    turn_for(0);
    assert_non_null(encode->truth);
    snprintf(name, sizeof(name), "%s/init.mp4", folder);
    at(path, name);
    assert_int_equal(unlink(path), 0);
    turn_until(no_task, "the encode to end");
    assert_false(now().average_bitrate > 0);
    assert_int_equal(failures(), 1);
}

/* Whoever waits for what was wrong gets it as soon as all is known of what is. */
static void a_viewer_in_between_begins_no_run(void **state)
{
    (void)state;
    put_segment(0, 1);
    claim_all();
    look_at_some();
    w.stopping = false;
    demand(0);
    turn_for(0); /* and what is to be made is decided */
    w.stopping = true;
    assert_non_null(encode->truth);
    assert_null(encode->runs);
    turn_until(no_task, "the encode to end");
    assert_int_equal(now().done, MANY - 1);
}

static void a_worker_that_stops_in_between_gives_the_job_back(void **state)
{
    (void)state;
    put_segment(0, 1);
    claim_all();
    look_at_some();
    jobs_stop_all(&w);
    assert_null(encode->truth);
    turn_until(no_task, "the task to end");
    assert_int_equal(failures(), 0);
}

/* Another worker has it by now, and whatever it makes is its own. */
static void a_job_that_was_taken_away_removes_nothing(void **state)
{
    struct job job;
    (void)state;
    put_segment(MANY - 1, 0);
    claim_all();
    lose_job(&job);
    turn_until(no_task, "the task to end");
    assert_true(is_there(name_of(MANY - 1)));
    assert_int_equal(store_job_check(w.store, &job), RC_OK);
}

static void a_video_that_is_deleted_in_between_lets_go(void **state)
{
    (void)state;
    put_segment(0, 1);
    claim_all();
    look_at_some();
    assert_int_equal(store_video_delete(w.store, video.id, &video), RC_OK);
    w.stopping = false;
    jobs_look(&w);
    w.stopping = true;
    assert_null(encode->truth);
    turn_until(no_task, "the task to end");
}

int main(void)
{
#define TEST(test) cmocka_unit_test_setup_teardown(test, many_setup, many_teardown)
    const struct CMUnitTest tests[] = {
        TEST(others_have_their_turn_while_all_is_looked_at),
        TEST(all_that_is_wrong_goes_up_to_the_last),
        TEST(what_is_wrong_is_not_told_to_be_there_meanwhile),
        TEST(what_goes_in_between_is_missed),
        TEST(init_that_goes_in_between_is_missed),
        TEST(a_viewer_in_between_begins_no_run),
        TEST(a_worker_that_stops_in_between_gives_the_job_back),
        TEST(a_job_that_was_taken_away_removes_nothing),
        TEST(a_video_that_is_deleted_in_between_lets_go),
    };
    return cmocka_run_group_tests_name("encode_truth", tests, NULL, NULL);
}
