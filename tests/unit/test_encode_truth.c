/* What was made is looked at once more before anybody is told that it is done: all of
 * it, while other work goes on. */
#include "cutter_stream.h"
#include "feed_fixture.h"

#define MANY (8 * ENCODE_TRUTH_TURN + 1) /* segments, of one picture each */

static char folder[KEY_LEN + 64]; /* of the rendition */
static int turns;                 /* that other work has had while all is looked at */
static struct loop_timer other_work;

static const char *name_of(int k)
{
    static char name[sizeof(folder) + 32];
    snprintf(name, sizeof(name), "%s/%d.m4s", folder, k);
    return name;
}

/* In the place of segment k, one that begins at picture at. */
static void put_segment(int k, int at)
{
    const struct stream_shape shape = {.timescale = 25, .truns = 1};
    struct bytes b = {0};
    stream_moof(&b, &shape, (uint64_t)at, MOOF_FINE);
    box_filled(&b, "mdat", 'm', 10);
    put_file(name_of(k), b.p, b.n, 0644);
    bytes_free(&b);
}

static void put_init(void)
{
    const struct stream_shape shape = {.timescale = 25, .truns = 1};
    char name[sizeof(folder) + 16];
    struct stream s;
    stream_make(&shape, &s);
    snprintf(name, sizeof(name), "%s/init.mp4", folder);
    put_file(name, s.init.p, s.init.n, 0644);
    stream_free(&s);
}

/* A video of which every segment is there. */
static int made(void **state)
{
    struct video_plan plan = fixture_plan(1);
    struct rendition *r = &plan.renditions[1];
    char path[PATH_MAX];
    r->gop = 1;
    r->frames = r->segments = MANY;
    setup(state);
    store_planned(&plan);
    snprintf(folder, sizeof(folder), "htdocs/media/%s/360p-1", video.media_root);
    at(path, folder);
    assert_int_equal(mkdir(path, 0755), 0);
    put_init();
    for (int k = 0; k < MANY; k++)
        put_segment(k, k);
    turns = 0;
    return 0;
}

static void count_turn(void *arg)
{
    (void)arg;
    turns += w.tasks && encode->truth;
    loop_timer_set(w.loop, &other_work, 0, count_turn, NULL);
}

/* The job of it begins, and there is other work. */
static void claim(void)
{
    assert_int_equal(jobs_claim_encode(&w, video.id, "360p"), RC_OK);
    task = w.tasks;
    encode = task->state;
    assert_int_equal(encode->have.done, MANY);
    assert_non_null(encode->truth);
    count_turn(NULL);
}

/* Until the first is found to be wrong, and a turn or two more. */
static void look_at_some(void)
{
    for (int i = 0; i < MANY && encode->have.done == MANY; i++)
        turn_for(0);
    assert_int_equal(encode->have.done, MANY - 1);
    assert_non_null(encode->truth);
}

static int end_made(void **state)
{
    loop_timer_cancel(w.loop, &other_work);
    return teardown(state);
}

static struct rendition now(void)
{
    struct rendition r;
    assert_int_equal(store_rendition(w.store, video.id, "360p", &r), RC_OK);
    return r;
}

static bool is_done(void)
{
    return now().done == MANY && now().average_bitrate > 0;
}

/* How often the job has failed so far. */
static int failures(void)
{
    struct job job;
    fixture_tick(f, 3600000);
    assert_int_equal(
        store_job_claim_encode(w.store, "other", 30000, video.id, "360p", &job), RC_OK);
    return job.failures;
}

static void others_have_their_turn_while_all_is_looked_at(void **state)
{
    (void)state;
    claim();
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
    claim();
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
    claim();
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
    claim();
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
    claim();
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
    struct demand d = {.segment = 0};
    (void)state;
    put_segment(0, 1);
    claim();
    look_at_some();
    strcpy(d.video_id, video.id);
    strcpy(d.rendition, "360p");
    assert_int_equal(store_demand_update(w.store, &d, 1, 60000, NULL, 0), RC_OK);
    w.stopping = false;
    encode_follow_demand(&w);
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
    claim();
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
    claim();
    fixture_tick(f, 3600000);
    assert_int_equal(
        store_job_claim_encode(w.store, "other", 30000, video.id, "360p", &job), RC_OK);
    turn_until(no_task, "the task to end");
    assert_true(is_there(name_of(MANY - 1)));
    assert_int_equal(store_job_check(w.store, &job), RC_OK);
}

static void a_video_that_is_deleted_in_between_lets_go(void **state)
{
    (void)state;
    put_segment(0, 1);
    claim();
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
#define TEST(test) cmocka_unit_test_setup_teardown(test, made, end_made)
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
