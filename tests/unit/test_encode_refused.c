/* Encodes of an upload that comes to ask for more than it may, and what becomes of one
 * whose last bytes take long to be counted. */
#include "feed_fixture.h"

static bool has_been_refused(void)
{
    return w.arrivals->list->state == HEADER_REFUSED;
}

/* A clip that so many small boxes come behind, and then an index of 65 streams, or
 * nothing. Two fifths of it have come, which a run was given. */
static void begin_with_boxes(int boxes, bool bomb)
{
    char path[PATH_MAX + 16];
    snprintf(path, sizeof(path), "%s/clip.mp4", mp4_dir);
    struct bytes b = mp4_file_part(path, 0, mp4_file_size(path));
    for (int i = 0; i < boxes; i++)
        box_filled(&b, "free", 0, 0);
    size_t moov = box_open(&b, bomb ? "moov" : "free");
    for (int i = 0; i < 65; i++)
        box_filled(&b, "trak", 0, 40);
    box_close(&b, moov);
    snprintf(path, sizeof(path), "%s/boxes.mp4", mp4_dir);
    FILE *out = fopen(path, "wb");
    assert_non_null(out);
    assert_int_equal(fwrite(b.p, 1, b.n, out), b.n);
    assert_int_equal(fclose(out), 0);
    bytes_free(&b);
    upload("boxes.mp4", 0);
    send_to(2 * size / 5);
    arrivals_look(w.arrivals);
    begin_encode();
}

/* The encode is put off, which is no failure of its; its run got no more than that. */
static void assert_put_off(int64_t given)
{
    struct job job;
    turn_until(no_task, "the encode to be put off");
    assert_int_equal(got(), given);
    assert_false(got_the_end());
    assert_string_equal(fixture_get(f, video.id).warning,
                        "The file has 66 streams; at most 64 are taken.");
    fixture_tick(f, 60000);
    assert_int_equal(
        store_job_claim_encode(w.store, w.owner, 30000, video.id, "360p", &job), RC_OK);
    assert_int_equal(job.failures, 0);
}

static void a_run_gets_nothing_of_what_is_refused(void **state)
{
    (void)state;
    begin_with_boxes(0, true);
    run();
    turn_until(got_all, "the first part");
    int64_t given = sent;
    send_to(size);
    turn_until(has_been_refused, "what has come to be counted");
    assert_true(no_task() || !task_arrival(w.tasks));
    assert_put_off(given);
    store();
    assert_null(w.arrivals->list);
}

/* Its last bytes and its row come at once; it may take several turns to count them. */
static void what_is_refused_at_its_end_has_no_end(void **state)
{
    (void)state;
    begin_with_boxes(0, true);
    run();
    turn_until(got_all, "the first part");
    int64_t given = sent;
    send_to(size);
    store();
    assert_put_off(given);
    assert_null(w.arrivals->list);
}

static void what_is_refused_after_its_end_has_no_end(void **state)
{
    (void)state;
    begin_with_boxes(25000, true);
    run();
    turn_until(got_all, "the first part");
    int64_t given = sent;
    send_to(size);
    store();
    assert_non_null(w.tasks);
    assert_put_off(given);
    assert_null(w.arrivals->list);
}

static void what_is_counted_after_its_end_is_whole_then(void **state)
{
    (void)state;
    begin_with_boxes(25000, false);
    run();
    turn_until(got_all, "the first part");
    send_to(size);
    store();
    assert_false(arrival_is_whole(w.arrivals->list));
    turn_until(got_the_end, "the end");
    assert_int_equal(got(), size);
    assert_got(0, 0);
}

static bool has_run(void)
{
    return encode->runs != NULL;
}

/* The scheduler is on here. */
static void nothing_is_started_on_what_was_refused(void **state)
{
    (void)state;
    begin_with_boxes(0, true);
    w.stopping = false;
    encode_schedule_soon(&w);
    turn_until(has_run, "a run of what has come");
    assert_true(encode->reach > 0);
    send_to(size);
    turn_until(no_task, "the encode to be put off");
    fixture_tick(f, 60000);
    assert_int_equal(jobs_claim_encode(&w, video.id, "360p"), RC_OK);
    task = w.tasks;
    encode = task->state;
    assert_true(encode->arriving);
    encode->reach = 3; /* as where so much was promised */
    encode_schedule_soon(&w);
    loop_turn_times(w.loop, 10);
    assert_int_equal(encode->runs_so_far, 0);
    store(); /* before its probe has said so again */
    turn_until(no_task, "the encode to be put off again");
    w.stopping = true;
}

/* What was stored before all of it was counted, with the scheduler on: nothing is
 * started in its first turn. */
static void store_uncounted(bool bomb)
{
    begin_with_boxes(25000, bomb);
    send_to(size);
    store();
    w.stopping = false;
    encode_schedule_soon(&w);
    loop_turn_times(w.loop, 1);
    assert_ptr_equal(w.tasks, task);
    assert_int_equal(encode->runs_so_far, 0);
}

static void nothing_is_started_before_the_last_bytes_are_counted(void **state)
{
    (void)state;
    store_uncounted(false);
    turn_until(has_run, "a run of what was counted");
    w.stopping = true;
    assert_null(w.arrivals->list);
}

static void nothing_is_started_if_the_last_bytes_are_refused(void **state)
{
    (void)state;
    store_uncounted(true);
    assert_put_off(0);
    w.stopping = true;
    assert_null(w.arrivals->list);
}

int main(void)
{
#define WITH_WORKER(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
    const struct CMUnitTest tests[] = {
        WITH_WORKER(a_run_gets_nothing_of_what_is_refused),
        WITH_WORKER(what_is_refused_at_its_end_has_no_end),
        WITH_WORKER(what_is_refused_after_its_end_has_no_end),
        WITH_WORKER(what_is_counted_after_its_end_is_whole_then),
        WITH_WORKER(nothing_is_started_on_what_was_refused),
        WITH_WORKER(nothing_is_started_before_the_last_bytes_are_counted),
        WITH_WORKER(nothing_is_started_if_the_last_bytes_are_refused),
    };
    if (!mp4_have_ffmpeg()) {
        print_message("encode_refused: skipped, there is no ffmpeg\n");
        return 0;
    }
    return cmocka_run_group_tests_name("encode_refused", tests, make_clips,
                                       mp4_files_remove);
}
