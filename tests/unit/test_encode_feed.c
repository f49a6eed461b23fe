/*
 * Encodes of an upload that is still coming in: a real file that grows, the worker's
 * own loop, arrivals, feeder and pipes. A script stands in for ffmpeg, and keeps what
 * it was given. Nothing is started but by the tests: the worker is one that stops.
 */
#include "mp4_files.h"
#include "store_fixture.h"

#include "arrival_priv.h"
#include "encode.h"
#include "spool.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

#define SEGMENTS 6
#define SEGMENT_US 2000000
#define MARGIN_US 500000 /* what has to be there beyond a segment */
#define PATIENCE_MS 10000
#define FAR_MS 1000000

/* As noisy as to be far larger than a pipe. */
#define CLIP                                                                           \
    " -f lavfi -i testsrc2=s=160x96:r=25:d=12,noise=alls=60:allf=t"                    \
    " -c:v libx264 -preset ultrafast -bf 2 -g 50 -crf 20 "

static struct fixture *f;
static struct worker w;
static struct loop_source *signals;
static int signal_fd, part_fd;
static struct loop_timer patience;
static char clip[2 * PATH_MAX]; /* what is uploaded … */
static int64_t size, sent;      /* … and how much of it has come */
static struct video video;
static struct task *task;
static struct encode *encode; /* of it */

/* ---- the loop ------------------------------------------------------------------ */

static void on_signal(void *arg)
{
    struct signalfd_siginfo info;
    (void)arg;
    while (read(signal_fd, &info, sizeof(info)) > 0)
        supervise_reap_all();
}

static void stop_turning(void *arg)
{
    (void)arg;
    loop_stop(w.loop);
}

static void turn_for(int64_t ms)
{
    loop_timer_set(w.loop, &patience, ms, stop_turning, NULL);
    assert_int_equal(loop_run(w.loop), RC_OK);
}

static void turn_until(bool (*is_so)(void), const char *what)
{
    int64_t end = loop_now_ms() + PATIENCE_MS;
    while (!is_so()) {
        if (loop_now_ms() > end)
            fail_msg("waited in vain for %s", what);
        turn_for(5);
    }
}

static void never(void *arg)
{
    (void)arg;
}

/* Whether the runs are to be looked at again tells was_asked, from expect_none on. */
static void expect_none(void)
{
    loop_timer_set(w.loop, &w.schedule, FAR_MS, never, NULL);
}

static bool was_asked(void)
{
    return !w.schedule.is_set || w.schedule.due_ms < loop_now_ms() + FAR_MS / 2;
}

/* ---- the site ------------------------------------------------------------------ */

static void at(char out[PATH_MAX], const char *name)
{
    assert_int_equal(site_path(&w.site, name, out), RC_OK);
}

static void put_file(const char *name, const void *data, size_t n, mode_t mode)
{
    char path[PATH_MAX];
    at(path, name);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, data, n), n);
    close(fd);
}

static bool is_there(const char *name)
{
    char path[PATH_MAX];
    at(path, name);
    return access(path, F_OK) == 0;
}

/* Reads to the end, says so, and gives nothing; where there is a file `deaf` it does
 * not even read. */
static void put_ffmpeg(void)
{
    char script[2 * PATH_MAX];
    int n = snprintf(script, sizeof(script),
                     "#!/bin/sh\ncd %s\n[ -e deaf ] || { cat >got; : >ended; }\n"
                     "exec sleep 60\n",
                     w.site.root);
    put_file("ffmpeg", script, (size_t)n, 0700);
    at(w.config.ffmpeg, "ffmpeg");
}

static int setup(void **state)
{
    static const char *const folders[] = {"spool", "tmp", "log", "htdocs",
                                          "htdocs/media"};
    char path[PATH_MAX];
    sigset_t set;
    fixture_setup(state);
    f = *state;
    w = (struct worker){.store = f->st, .clock = f->clock, .stopping = true};
    strcpy(w.site.root, f->dir);
    strcpy(w.owner, "w");
    config_defaults(&w.config);
    for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++) {
        at(path, folders[i]);
        assert_int_equal(mkdir(path, 0700), 0);
    }
    put_ffmpeg();
    at(path, "tmp");
    w.tmp_fd = open(path, O_DIRECTORY | O_RDONLY | O_CLOEXEC);
    assert_int_equal(loop_open(&w.loop), RC_OK);
    sigemptyset(&set);
    sigaddset(&set, SIGCHLD);
    assert_int_equal(sigprocmask(SIG_BLOCK, &set, NULL), 0);
    signal(SIGPIPE, SIG_IGN);
    signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    assert_int_equal(loop_watch(w.loop, signal_fd, on_signal, NULL, &signals), RC_OK);
    assert_int_equal(arrivals_open(&w, &w.arrivals), RC_OK);
    part_fd = -1;
    sent = 0;
    task = NULL;
    return 0;
}

static bool no_task(void)
{
    return w.tasks == NULL;
}

static int teardown(void **state)
{
    if (w.tasks)
        task_cancel(w.tasks);
    turn_until(no_task, "the task to end");
    arrivals_close(w.arrivals);
    loop_unwatch(w.loop, signals);
    loop_close(w.loop);
    close(signal_fd);
    close(w.tmp_fd);
    if (part_fd >= 0)
        close(part_fd);
    return fixture_teardown(state);
}

/* ---- an upload ------------------------------------------------------------------- */

/* Begins to upload one of the files. index_offset > 0: its index was sent ahead. */
static void upload(const char *name, int64_t index_offset)
{
    struct video_new n = {.container = CONTAINER_MP4,
                          .filename = "clip.mp4",
                          .title = "clip",
                          .created_ms = f->wall_ms,
                          .index_offset = index_offset};
    char path[PATH_MAX];
    snprintf(clip, sizeof(clip), "%s/%s", mp4_dir, name);
    n.size = size = (int64_t)mp4_file_size(clip);
    assert_int_equal(store_video_create(w.store, &n, &video), RC_OK);
    assert_int_equal(spool_part_path(&w.site, video.id, path), RC_OK);
    part_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    assert_true(part_fd >= 0);
}

static bool has_seen_all(void)
{
    const struct arrival *a = w.arrivals->list;
    return a && arrival_size(a) == sent;
}

static void send_to(int64_t n)
{
    struct bytes b = mp4_file_part(clip, (uint64_t)sent, (uint64_t)n);
    assert_int_equal(pwrite(part_fd, b.p, b.n, sent), b.n);
    bytes_free(&b);
    sent = n;
}

/* Sends so much of it in all, in hundredths, and waits until the worker knows. */
static void arrive(int percent)
{
    send_to(size * percent / 100);
    turn_until(has_seen_all, "what has come");
}

/* The last byte is there, and its row says so. */
static void store(void)
{
    char part[PATH_MAX], src[PATH_MAX];
    assert_int_equal(spool_part_path(&w.site, video.id, part), RC_OK);
    assert_int_equal(spool_src_path(&w.site, video.id, src), RC_OK);
    assert_int_equal(rename(part, src), 0);
    assert_int_equal(store_video_stored(w.store, video.id, size, &video), RC_OK);
    arrivals_look(w.arrivals);
}

/* What the probe would have found, and the encode of the picture is begun. */
static void begin_encode(void)
{
    struct video_plan plan = {.duration_us = SEGMENTS * SEGMENT_US,
                              .width = 160,
                              .height = 96,
                              .rate_num = 25,
                              .rate_den = 1,
                              .video_codec = "h264",
                              .n_renditions = 1};
    struct job probe;
    char folder[KEY_LEN + 32], path[PATH_MAX];
    snprintf(folder, sizeof(folder), "htdocs/media/%s", video.media_root);
    at(path, folder); /* as the probe lays it out */
    assert_int_equal(mkdir(path, 0700), 0);
    plan.renditions[0] = (struct rendition){.name = "360p",
                                            .kind = RENDITION_VIDEO,
                                            .generation = 1,
                                            .width = 160,
                                            .height = 96,
                                            .bitrate = 800000,
                                            .codecs = "avc1.64001e",
                                            .rate_num = 25,
                                            .rate_den = 1,
                                            .gop = 50,
                                            .frames = 50 * SEGMENTS,
                                            .segments = SEGMENTS,
                                            .source_last_us = 11960000,
                                            .seek_margin_us = 20000};
    assert_int_equal(
        store_job_claim(w.store, w.owner, 30000, STORE_KIND(JOB_PROBE), &probe), RC_OK);
    assert_int_equal(store_job_planned(w.store, &probe, &plan), RC_OK);
    assert_int_equal(jobs_claim_encode(&w, video.id, "360p"), RC_OK);
    task = w.tasks;
    encode = task->state;
}

/* An upload of which so much has come, and its encode. */
static void begin(int percent)
{
    upload("clip.mp4", 0);
    send_to(size * percent / 100);
    arrivals_look(w.arrivals);
    begin_encode();
}

/* A run that is fed. */
static struct encode_run *run(void)
{
    assert_int_equal(encode_run_start(task, 0, SEGMENTS, false, true), RC_OK);
    assert_non_null(encode->runs->feeder);
    return encode->runs;
}

static bool no_run(void)
{
    return encode->runs == NULL;
}

static int64_t got(void)
{
    char path[PATH_MAX];
    at(path, "got");
    return access(path, F_OK) == 0 ? (int64_t)mp4_file_size(path) : 0;
}

static bool got_all(void)
{
    return got() == sent;
}

static bool got_the_end(void)
{
    return is_there("ended");
}

/* From byte `from` on it got the clip's bytes from offset on. */
static void assert_got(uint64_t from, uint64_t offset)
{
    char path[PATH_MAX];
    at(path, "got");
    struct bytes a = mp4_file_part(path, from, (uint64_t)got());
    struct bytes b = mp4_file_part(clip, offset, offset + a.n);
    assert_memory_equal(a.p, b.p, a.n);
    bytes_free(&a);
    bytes_free(&b);
}

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
        assert_true(k == 0 || k * SEGMENT_US + MARGIN_US <= us);
        assert_true(k == SEGMENTS || (k + 1) * SEGMENT_US + MARGIN_US > us);
    }
    assert_true(between > 10);
    assert_int_equal(encode->reach, SEGMENTS);
    assert_true(encode->arriving); /* its row does not say yet that it is whole */
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

static int make_clips(void **state)
{
    mp4_files_none(state);
    if (mp4_have_ffmpeg()) {
        mp4_ffmpeg(CLIP "end.mp4");
        mp4_ffmpeg("-i end.mp4 -c copy -movflags +faststart clip.mp4");
    }
    return 0;
}

int main(void)
{
#define WITH_WORKER(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
    const struct CMUnitTest tests[] = {
        WITH_WORKER(what_has_arrived_can_be_made_and_no_more),
        WITH_WORKER(more_that_can_be_made_is_a_reason_to_look_at_the_runs),
        WITH_WORKER(the_keyframes_are_taken_from_the_header_once),
        WITH_WORKER(a_worker_that_finds_the_upload_later_goes_by_it_then),
        WITH_WORKER(a_file_that_was_stored_is_whole),
        WITH_WORKER(a_fed_run_gets_what_arrives_and_its_end_with_the_last_byte),
        WITH_WORKER(an_upload_stays_open_for_the_run_that_reads_it),
        WITH_WORKER(what_was_put_together_goes_before_the_bytes_of_the_file),
        WITH_WORKER(who_has_nothing_to_read_does_not_work_and_soon_starves),
        WITH_WORKER(a_run_that_waits_for_an_upload_that_sleeps_is_ended),
        WITH_WORKER(a_run_that_has_enough_to_read_stays_meanwhile),
    };
    if (!mp4_have_ffmpeg()) {
        print_message("encode_feed: skipped, there is no ffmpeg\n");
        return 0;
    }
    return cmocka_run_group_tests_name("encode_feed", tests, make_clips,
                                       mp4_files_remove);
}
