/* Two rungs that are made in one program: what is told of the one that is led,
 * whose fault is what, and that they begin together. */
#include "cutter_stream.h"
#include "feed_fixture.h"

static struct task *lead_task, *led_task;
static struct encode *lead, *led;

static struct rendition rung(const char *name, int width, int height)
{
    struct rendition r = {.kind = RENDITION_VIDEO,
                          .generation = 1,
                          .width = width,
                          .height = height,
                          .bitrate = 800000,
                          .codecs = "avc1.64001f",
                          .rate_num = 25,
                          .rate_den = 1,
                          .gop = 50,
                          .frames = 150,
                          .segments = 3,
                          .source_last_us = 5960000,
                          .extra = true};
    snprintf(r.name, sizeof(r.name), "%s", name);
    return r;
}

static struct task *claimed(const char *name)
{
    assert_int_equal(jobs_claim_encode(&w, video.id, name), RC_OK);
    assert_non_null(w.tasks->state);
    return w.tasks;
}

/* What stands for ffmpeg says this; its first output goes on once there is a file `go`,
 * with an init segment; and then it takes long. */
static void put_program(const char *says)
{
    const struct stream_shape shape = {.timescale = 25, .truns = 1};
    char script[3 * PATH_MAX];
    struct stream s;
    int n = snprintf(script, sizeof(script),
                     "#!/bin/sh\ncd %s\n%s\nwhile ! [ -e go ]; do sleep 0.02; done\n"
                     "cat init\nexec sleep 60\n",
                     w.site.root, says);
    put_file("ffmpeg", script, (size_t)n, 0700);
    stream_make(&shape, &s);
    put_file("init", s.all.p, s.init_end, 0644);
    stream_free(&s);
}

static void claim_rungs(void)
{
    lead_task = claimed("1080p");
    led_task = claimed("720p");
    lead = lead_task->state;
    led = led_task->state;
}

static int planned_rungs(void **state)
{
    struct video_plan plan = {.duration_us = 6000000,
                              .rate_num = 25,
                              .rate_den = 1,
                              .renditions = {rung("360p", 640, 360),
                                             rung("1080p", 1920, 1080),
                                             rung("720p", 1280, 720)},
                              .n_renditions = 3};
    plan.renditions[0].extra = false;
    setup(state);
    store_planned(&plan);
    return 0;
}

static int rungs(void **state)
{
    planned_rungs(state);
    claim_rungs();
    return 0;
}

static int end_rungs(void **state)
{
    while (w.tasks) {
        task_cancel(w.tasks);
        turn_for(20);
    }
    return teardown(state);
}

static void start_both(void)
{
    const struct encode_order order = {.end = 3, .beside = led_task};
    assert_int_equal(encode_run_start(lead_task, &order), RC_OK);
    assert_ptr_equal(lead->runs->beside, led->runs);
}

static bool led_is_gone(void)
{
    for (struct task *t = w.tasks; t; t = t->next)
        if (t == led_task)
            return false;
    return true;
}

static bool lead_has_init(void)
{
    return lead->have.has_init;
}

static enum rc count_encoding(void *arg, const struct rendition *r,
                              const struct readiness *ready)
{
    if (strcmp(r->name, "720p") == 0)
        *(size_t *)arg = ready->n_encoding;
    return RC_OK;
}

/* Segments of the led rendition that are being made, as far as anybody is told. */
static size_t told_of_led(void)
{
    size_t n = 99;
    task_tell(led_task);
    assert_int_equal(store_readiness(w.store, video.id, count_encoding, &n), RC_OK);
    return n;
}

static void one_that_is_led_stands_still_with_its_leader(void **state)
{
    (void)state;
    put_program("");
    start_both();
    task_changed(led_task, true);
    assert_int_equal(told_of_led(), 1);
    encode_run_pause(lead->runs, true);
    assert_true(led->runs->paused);
    assert_int_equal(told_of_led(), 0);
    int64_t worked_ms = encode_run_worked_ms(led->runs);
    turn_for(30);
    assert_int_equal(encode_run_worked_ms(led->runs), worked_ms);
    encode_run_pause(lead->runs, false);
    assert_false(led->runs->paused);
    assert_int_equal(told_of_led(), 1);
}

/* It was stopped with its last bytes on their way: nobody else would let it exit. */
static void who_has_given_all_does_not_stand_still(void **state)
{
    (void)state;
    put_program("");
    start_both();
    encode_run_pause(lead->runs, true);
    lead->runs->k = lead->runs->end;
    led->runs->k = led->runs->end;
    memset(lead->trouble, ENCODE_HARD, 3); /* nothing is begun besides */
    memset(led->trouble, ENCODE_HARD, 3);
    struct encode_run *both[] = {lead->runs, led->runs};
    w.stopping = false;
    encode_schedule_soon(&w);
    turn_for(10);
    w.stopping = true;
    assert_false(both[0]->paused);
    assert_false(both[1]->paused);
}

static void
what_is_wrong_with_the_one_that_is_led_is_no_fault_of_its_leader(void **state)
{
    (void)state;
    put_program("printf '\\000\\000\\000\\003moof' >&3"); /* no size of a box */
    start_both();
    turn_until(led_is_gone, "the led one to end");
    assert_false(lead_has_init());
    put_file("go", "", 0, 0600);
    turn_until(lead_has_init, "what its leader gives after that");
    assert_ptr_equal(w.tasks, lead_task);
    assert_int_equal(lead->ending, ENCODE_GOES_ON);
    assert_non_null(lead->runs);
    assert_null(lead->runs->beside);
    assert_false(lead->runs->stopped);
    /* It is tried again, and that is its first failure. */
    fixture_tick(f, 3600000);
    assert_int_equal(store_job_renew(w.store, &lead_task->job, 30000, 0), RC_OK);
    struct job job;
    assert_int_equal(
        store_job_claim_encode(w.store, "w", 30000, video.id, "720p", &job), RC_OK);
    assert_int_equal(job.failures, 1);
}

/* ---- while one of them is looked at ------------------------------------------ */

#define FILES (3 * ENCODE_LOOK_TURN) /* which takes three turns of the loop */

static bool one_has_a_run(void)
{
    return lead->runs || led->runs;
}

static void assert_one_program_makes_both(void)
{
    assert_null(lead->look);
    assert_null(led->look);
    assert_non_null(lead->runs);
    assert_non_null(led->runs);
    assert_ptr_equal(lead->runs->beside, led->runs);
    assert_int_equal(lead->runs_so_far, 1);
    assert_int_equal(led->runs_so_far, 1);
}

static void
one_begins_when_it_is_known_what_exists_of_the_one_that_it_might_lead(void **state)
{
    (void)state;
    put_empty_segments(&video, "720p-1", FILES);
    claim_rungs();
    assert_null(lead->look);
    assert_non_null(led->look);
    w.stopping = false;
    turn_until(one_has_a_run, "a run");
    w.stopping = true;
    assert_one_program_makes_both();
}

static void or_when_it_is_known_what_exists_of_the_one_that_might_lead_it(void **state)
{
    (void)state;
    put_empty_segments(&video, "1080p-1", FILES);
    claim_rungs();
    assert_non_null(lead->look);
    assert_null(led->look);
    w.stopping = false;
    turn_until(one_has_a_run, "a run");
    w.stopping = true;
    assert_one_program_makes_both();
}

static bool lead_has_a_run(void)
{
    return lead->runs;
}

/* The look ends without an answer. */
static void nobody_waits_for_one_whose_job_was_lost(void **state)
{
    struct job job;
    (void)state;
    put_empty_segments(&video, "720p-1", FILES);
    claim_rungs();
    fixture_tick(f, 3600000);
    assert_int_equal(store_job_renew(w.store, &lead_task->job, 30000, 0), RC_OK);
    assert_int_equal(
        store_job_claim_encode(w.store, "other", 30000, video.id, "720p", &job), RC_OK);
    w.stopping = false;
    turn_until(lead_has_a_run, "a run");
    w.stopping = true;
    assert_true(led_is_gone());
    assert_null(lead->runs->beside);
}

int main(void)
{
#define TEST(test) cmocka_unit_test_setup_teardown(test, rungs, end_rungs)
#define LOOK_TEST(test) cmocka_unit_test_setup_teardown(test, planned_rungs, end_rungs)
    const struct CMUnitTest tests[] = {
        TEST(one_that_is_led_stands_still_with_its_leader),
        TEST(who_has_given_all_does_not_stand_still),
        TEST(what_is_wrong_with_the_one_that_is_led_is_no_fault_of_its_leader),
        LOOK_TEST(
            one_begins_when_it_is_known_what_exists_of_the_one_that_it_might_lead),
        LOOK_TEST(or_when_it_is_known_what_exists_of_the_one_that_might_lead_it),
        LOOK_TEST(nobody_waits_for_one_whose_job_was_lost),
    };
    return cmocka_run_group_tests_name("encode_beside", tests, NULL, NULL);
}
