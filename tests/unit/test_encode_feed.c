/* Encodes of an upload that is still coming in: how much can be made, and runs that are
 * given its bytes as they arrive. */
#include "feed_fixture.h"

#include "plan.h"

#include "sound_copy.h"

/* ---- how much can be made -------------------------------------------------------- */

static void what_has_arrived_can_be_made_and_no_more(void **state)
{
    (void)state;
    int between = 0;
    begin(10);
    for (int percent = 14; percent <= 100; percent += 2) {
        int64_t before = encode->reach, k;
        arrive(percent);
        int64_t us = arrival_reach_us(task_arrival(task), 0);
        k = encode->reach;
        assert_true(k >= before && k <= SEGMENTS);
        between += k > 0 && k < SEGMENTS;
        if (us == ARRIVAL_ALL) {
            assert_int_equal(k, SEGMENTS);
            continue;
        }
        assert_true(k == 0 || k * SEGMENT_US + ARRIVAL_MARGIN_US <= us);
        assert_true(k == SEGMENTS || (k + 1) * SEGMENT_US + ARRIVAL_MARGIN_US > us);
    }
    assert_true(between > 10);
    assert_int_equal(encode->reach, SEGMENTS);
    assert_true(encode->arriving); /* its row does not say yet that it is whole */
}

/* The sound of an upload, of which so much has come, is copied. */
static void begin_sound(const char *name, int percent,
                        struct sound_copy found[MEDIA_STREAMS_MAX])
{
    static const struct media_info info = {
        .n_streams = 2,
        .streams = {{.kind = MEDIA_VIDEO, .codec = "h264"},
                    {.index = 1,
                     .kind = MEDIA_AUDIO,
                     .codec = "aac",
                     .profile = "LC",
                     .channels = 1,
                     .sample_rate = 48000}}};
    struct video_plan plan = {.duration_us = 600000000, .n_renditions = 1};
    struct job probe;
    plan.renditions[0] = (struct rendition){
        .name = "audio-0", .kind = RENDITION_AUDIO, .generation = 1, .stream = 1};
    upload(name, 0);
    send_to(size * percent / 100);
    arrivals_look(w.arrivals);
    assert_int_equal(
        sound_copy_find(arrival_index(w.arrivals->list), &info, 384000, found), RC_OK);
    sound_copy_plan(found, &plan);
    assert_true(plan.renditions[0].copied);
    assert_int_equal(
        store_job_claim(w.store, w.owner, 30000, STORE_KIND(JOB_PROBE), &probe), RC_OK);
    assert_int_equal(mediadir_create(&w.site, video.media_root), RC_OK);
    assert_int_equal(store_job_planned(w.store, &probe, &plan), RC_OK);
    assert_int_equal(jobs_claim_encode(&w, video.id, "audio-0"), RC_OK);
    task = w.tasks;
    encode = task->state;
}

/* However far it is from its nominal rate by then. */
static void copied_sound_can_be_made_by_the_times_of_its_packets(void **state)
{
    (void)state;
    struct sound_copy found[MEDIA_STREAMS_MAX];
    begin_sound("drifting.mp4", 50, found);
    const struct bounds *b = &found[1].bounds;
    for (int percent = 52; percent < 100; percent += 2) {
        arrive(percent);
        int64_t us = arrival_reach_us(task_arrival(task), 1), k = encode->reach;
        assert_true(us > 0 && us < ARRIVAL_ALL && k > 0 && k < b->n);
        assert_true(b->start_us[k] + ARRIVAL_MARGIN_US <= us);
        assert_true(b->start_us[k + 1] + ARRIVAL_MARGIN_US > us);
    }
    arrive(100);
    assert_int_equal(encode->reach, b->n);
    sound_copy_free(&found[1]);
}

static void more_that_can_be_made_is_a_reason_to_look_at_the_runs(void **state)
{
    (void)state;
    begin(50);
    expect_none();
    int64_t reach = encode->reach;
    encode_arrived(&w, task_arrival(task));
    assert_int_equal(encode->reach, reach);
    assert_false(was_asked());
    arrive(80);
    assert_true(encode->reach > reach);
    assert_true(was_asked());
}

static void the_keyframes_are_taken_from_the_header_once(void **state)
{
    (void)state;
    begin(40);
    const struct seek_point *points = encode->points;
    assert_non_null(points);
    for (int k = 0; k < SEGMENTS; k++) /* one is where each segment begins */
        assert_in_range(points[k].us, k * SEGMENT_US, k * SEGMENT_US + 40000);
    arrive(60);
    encode_refresh(&w);
    assert_ptr_equal(encode->points, points);
}

static void a_worker_that_finds_the_upload_later_goes_by_it_then(void **state)
{
    (void)state;
    upload("clip.mp4", 0);
    send_to(size / 2);
    assert_int_equal(store_video_header_arrived(w.store, video.id), RC_OK);
    begin_encode();
    assert_true(encode->arriving && encode->asleep);
    assert_int_equal(encode->reach, 0);
    assert_null(encode->points);
    arrivals_look(w.arrivals);
    assert_non_null(encode->points);
    assert_false(encode->asleep);
    assert_true(encode->reach > 0 && encode->reach < SEGMENTS);
}

static void a_file_that_was_stored_is_whole(void **state)
{
    (void)state;
    begin(30);
    send_to(size);
    expect_none();
    store();
    assert_false(encode->arriving);
    assert_int_equal(encode->reach, SEGMENTS);
    assert_int_equal(task->video.state, VIDEO_PROCESSING);
    assert_true(was_asked());
    assert_null(w.arrivals->list);
}

/* ---- runs that are fed
 * --------------------------------------------------------------- */

static void a_fed_run_gets_what_arrives_and_its_end_with_the_last_byte(void **state)
{
    (void)state;
    begin(40);
    struct encode_run *r = run();
    turn_until(got_all, "the first part");
    arrive(70);
    turn_until(got_all, "the second part");
    arrive(100);
    turn_until(got_all, "the rest");
    turn_for(100);
    assert_false(got_the_end()); /* nobody has said that this is all */
    assert_ptr_equal(encode->runs, r);
    store();
    turn_until(got_the_end, "the end");
    assert_int_equal(got(), size);
    assert_got(0, 0);
}

static void an_upload_stays_open_for_the_run_that_reads_it(void **state)
{
    (void)state;
    begin(40);
    struct encode_run *r = run();
    send_to(size);
    store();
    assert_null(task_arrival(task));
    assert_non_null(w.arrivals->list);
    turn_until(got_the_end, "the end");
    assert_got(0, 0);
    encode_run_stop(r);
    turn_until(no_run, "the run to end");
    assert_null(w.arrivals->list);
}

static void what_was_put_together_goes_before_the_bytes_of_the_file(void **state)
{
    (void)state;
    uint64_t from, to;
    size_t n;
    int64_t offset;
    char name[ID_LEN + 16];
    snprintf(clip, sizeof(clip), "%s/end.mp4", mp4_dir);
    assert_true(mp4_find_box(clip, "moov", &from, &to));
    upload("end.mp4", (int64_t)from);
    struct bytes moov = mp4_file_part(clip, from, to);
    snprintf(name, sizeof(name), "spool/%s.idx", video.id);
    put_file(name, moov.p, moov.n, 0600);
    bytes_free(&moov);
    send_to(size / 2);
    arrivals_look(w.arrivals);
    begin_encode();
    assert_true(encode->reach > 0 && encode->reach < SEGMENTS);
    run();
    const uint8_t *head = arrival_head(task_arrival(task), &n, &offset);
    assert_true(head && n > to - from && offset > 0);
    /* The index and the head that was made of it count among those of all uploads. */
    assert_int_equal(arrivals_room(w.arrivals),
                     (INT64_C(256) << 20) - (int64_t)(to - from) - (int64_t)n);
    arrive(90);
    for (int i = 0; i < 500 && got() < (int64_t)n + sent - offset; i++)
        turn_for(10);
    assert_int_equal(got(), (int64_t)n + sent - offset);
    assert_got(n, (uint64_t)offset);
    char path[PATH_MAX];
    at(path, "got");
    struct bytes b = mp4_file_part(path, 0, n);
    assert_memory_equal(b.p, head, n);
    bytes_free(&b);
}

static void who_has_nothing_to_read_does_not_work_and_soon_starves(void **state)
{
    (void)state;
    begin(40);
    struct encode_run *r = run();
    turn_until(got_all, "the first part");
    turn_for(5);
    assert_true(r->starving);
    expect_none();
    int64_t worked = encode_run_worked_ms(r);
    if (loop_now_ms() - r->starving_ms < 150) { /* it may have taken its time */
        turn_for(50);
        assert_false(encode_run_starves(r));
        assert_false(was_asked());
    }
    turn_for(350);
    assert_true(encode_run_starves(r));
    assert_true(was_asked()); /* others may have its slot */
    assert_int_equal(encode_run_worked_ms(r), worked);

    /* More than the pipe holds: it has to work on that. */
    int64_t since = loop_now_ms();
    send_to(size);
    turn_until(got_all, "the rest");
    assert_true(r->starving_ms >= since);
}

/* Bytes that come a few at a time never fill the pipe. */
static void what_comes_in_small_pieces_is_worked_on_too(void **state)
{
    (void)state;
    begin(40);
    struct encode_run *r = run();
    turn_until(got_all, "the first part");
    turn_for(400);
    assert_true(encode_run_starves(r));
    int64_t since = loop_now_ms();
    send_to(sent + 1000);
    turn_until(got_all, "a little more");
    assert_true(r->starving_ms >= since);
    turn_for(400);
    assert_true(encode_run_starves(r));
}

/* As if nothing had come for a minute. */
static void fall_asleep(void)
{
    struct arrival *a = task_arrival(task);
    a->grown_ms -= 60000;
    expect_none();
    encode_arrived(&w, a);
}

static void a_run_that_waits_for_an_upload_that_sleeps_is_ended(void **state)
{
    (void)state;
    begin(40);
    struct encode_run *r = run();
    turn_until(got_all, "the first part");
    turn_for(5);
    encode_arrived(&w, task_arrival(task));
    assert_false(encode->asleep || r->stopped);
    fall_asleep();
    assert_true(encode->asleep && r->stopped);
    assert_true(was_asked());
    turn_until(no_run, "it to end");
    assert_false(got_the_end()); /* it did not take that for the end of the video */
    arrive(50);
    assert_false(encode->asleep);
}

static void a_run_that_has_enough_to_read_stays_meanwhile(void **state)
{
    (void)state;
    begin(90);
    put_file("deaf", "", 0, 0600);
    struct encode_run *r = run();
    turn_for(50);
    assert_false(r->starving);
    fall_asleep();
    assert_true(encode->asleep);
    assert_false(r->stopped);
    turn_for(50);
    assert_ptr_equal(encode->runs, r);
}

/* It was still working when its upload fell asleep. */
static void a_run_that_has_done_its_work_by_then_is_ended_too(void **state)
{
    (void)state;
    char path[PATH_MAX];
    begin(90);
    put_file("deaf", "", 0, 0600);
    struct encode_run *r = run();
    turn_for(50);
    fall_asleep();
    assert_false(r->stopped);
    at(path, "deaf");
    assert_int_equal(unlink(path), 0);
    turn_until(no_run, "it to end");
    assert_false(got_the_end());
}

/* What does not tell its length, or its size, may tell of any time, in a few bytes. */
static void no_more_is_promised_than_the_bytes_are_good_for(void **state)
{
    (void)state;
    begin(90);
    struct arrival *a = task_arrival(task);
    const struct grid grid = encode->grid;
    const int64_t arrived = a->size;
    encode->open = true;
    encode->grid = (struct grid){1000, 1, 1, 100000}; /* a segment a millisecond */
    a->size = 4 * 2500;
    encode_arrived(&w, a);
    assert_int_equal(encode->reach, 2500);
    a->size = 100;
    encode_arrived(&w, a);
    assert_int_equal(encode->reach, PLAN_SEGMENTS_FREE);
    encode->open = false; /* where that was said, the plan was held to it */
    encode_arrived(&w, a);
    assert_true(encode->reach > PLAN_SEGMENTS_FREE);
    task->video.size = -1;
    encode_arrived(&w, a);
    assert_int_equal(encode->reach, PLAN_SEGMENTS_FREE);
    encode->grid = grid;
    a->size = arrived;
}

/* Ten minutes of silence, at the end of which packets are 1.2 s off their places. */
static int make_drifting_clip(void **state)
{
    make_clips(state);
    mp4_ffmpeg("-f lavfi -i testsrc2=s=64x64:r=1,noise=alls=60:allf=t -f lavfi -i "
               "anullsrc=cl=mono:r=48000"
               " -t 600 -c:v libx264 -preset ultrafast -c:a aac silent.mp4");
    mp4_ffmpeg("-i silent.mp4 -c copy -bsf:a setts=ts=1026*N -movflags +faststart"
               " drifting.mp4");
    return 0;
}

int main(void)
{
#define WITH_WORKER(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
    const struct CMUnitTest tests[] = {
        WITH_WORKER(what_has_arrived_can_be_made_and_no_more),
        WITH_WORKER(copied_sound_can_be_made_by_the_times_of_its_packets),
        WITH_WORKER(more_that_can_be_made_is_a_reason_to_look_at_the_runs),
        WITH_WORKER(the_keyframes_are_taken_from_the_header_once),
        WITH_WORKER(a_worker_that_finds_the_upload_later_goes_by_it_then),
        WITH_WORKER(a_file_that_was_stored_is_whole),
        WITH_WORKER(a_fed_run_gets_what_arrives_and_its_end_with_the_last_byte),
        WITH_WORKER(an_upload_stays_open_for_the_run_that_reads_it),
        WITH_WORKER(what_was_put_together_goes_before_the_bytes_of_the_file),
        WITH_WORKER(who_has_nothing_to_read_does_not_work_and_soon_starves),
        WITH_WORKER(no_more_is_promised_than_the_bytes_are_good_for),
        WITH_WORKER(a_run_that_waits_for_an_upload_that_sleeps_is_ended),
        WITH_WORKER(a_run_that_has_enough_to_read_stays_meanwhile),
        WITH_WORKER(a_run_that_has_done_its_work_by_then_is_ended_too),
        WITH_WORKER(what_comes_in_small_pieces_is_worked_on_too),
    };
    if (!mp4_have_ffmpeg()) {
        print_message("encode_feed: skipped, there is no ffmpeg\n");
        return 0;
    }
    return cmocka_run_group_tests_name("encode_feed", tests, make_drifting_clip,
                                       mp4_files_remove);
}
