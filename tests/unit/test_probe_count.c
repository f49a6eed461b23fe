/* A stored file is counted before any program has it, while other work goes on. */
#include "feed_fixture.h"
#include "source_bounds.h"

#define STREAMS 65 /* one more than are taken */

static int turns; /* that other work has had while it is counted */
static struct loop_timer other_work;
static struct video stored;

static void no_boxes_within(struct bytes *b, const char *type, int n)
{
    for (int i = 0; i < n; i++)
        box_close(b, box_open(b, type));
}

/* A file with more boxes than one turn goes on for, and more streams than are taken
 * behind them. */
static void put_source(void)
{
    struct bytes b = {0};
    char name[64];
    box_filled(&b, "ftyp", 0, 8);
    no_boxes_within(&b, "free", 4 * SOURCE_BOUNDS_TURN);
    size_t moov = box_open(&b, "moov");
    no_boxes_within(&b, "trak", STREAMS);
    box_close(&b, moov);
    snprintf(name, sizeof(name), "spool/%s.src", stored.id);
    put_file(name, b.p, b.n, 0600);
    bytes_free(&b);
}

static void count_turn(void *arg)
{
    (void)arg;
    turns += w.tasks != NULL;
    loop_timer_set(w.loop, &other_work, 0, count_turn, NULL);
}

/* The probe of it begins, and there is other work. */
static int begun(void **state)
{
    setup(state);
    stored = fixture_stored(f, "clip");
    put_source();
    turns = 0;
    w.slots = 1;
    w.stopping = false;
    jobs_look(&w);
    w.stopping = true;
    assert_non_null(w.tasks);
    assert_int_equal(w.tasks->job.kind, JOB_PROBE);
    count_turn(NULL);
    return 0;
}

static int ended(void **state)
{
    loop_timer_cancel(w.loop, &other_work);
    return teardown(state);
}

static struct video now(void)
{
    struct video v;
    assert_int_equal(store_video_get(w.store, stored.id, &v), RC_OK);
    return v;
}

static void others_have_their_turn_while_it_is_counted(void **state)
{
    (void)state;
    turn_until(no_task, "the probe to end");
    assert_true(turns >= 4);
    assert_int_equal(now().state, VIDEO_FAILED);
    assert_string_equal(now().error, "The file has 65 streams; at most 64 are taken.");
}

static void a_worker_that_stops_in_between_gives_the_job_back(void **state)
{
    struct job job;
    (void)state;
    turn_for(0);
    assert_non_null(w.tasks);
    jobs_stop_all(&w);
    turn_until(no_task, "the task to end");
    assert_int_equal(now().state, VIDEO_STORED);
    assert_int_equal(
        store_job_claim(w.store, "other", 30000, STORE_KIND(JOB_PROBE), &job), RC_OK);
    assert_int_equal(job.failures, 0);
}

static void a_source_that_is_gone_is_tried_again(void **state)
{
    char path[PATH_MAX], name[64];
    (void)state;
    jobs_stop_all(&w);
    turn_until(no_task, "the task to end");
    snprintf(name, sizeof(name), "spool/%s.src", stored.id);
    at(path, name);
    assert_int_equal(unlink(path), 0);
    w.stopping = false;
    jobs_look(&w);
    w.stopping = true;
    turn_until(no_task, "the task to end");
    assert_int_equal(now().state, VIDEO_STORED);
}

int main(void)
{
#define TEST(test) cmocka_unit_test_setup_teardown(test, begun, ended)
    const struct CMUnitTest tests[] = {
        TEST(others_have_their_turn_while_it_is_counted),
        TEST(a_worker_that_stops_in_between_gives_the_job_back),
        TEST(a_source_that_is_gone_is_tried_again),
    };
    return cmocka_run_group_tests_name("probe_count", tests, NULL, NULL);
}
