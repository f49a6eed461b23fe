/*
 * feed_fixture.h: an upload that grows under a worker, and its encode. The worker's
 * loop, store, arrivals, tasks, feeder and pipes are the real ones; a script stands in
 * for ffmpeg, and keeps what it was given. Nothing is started but by the tests: the
 * worker is one that stops.
 */
#ifndef DROPSTREAM_TEST_FEED_FIXTURE_H
#define DROPSTREAM_TEST_FEED_FIXTURE_H

#include "loop_turns.h"
#include "mp4_files.h"
#include "store_fixture.h"

#include "arrival_priv.h"
#include "encode.h"
#include "old_folders.h"
#include "spool.h"
#include "video_lists.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

#define SEGMENTS 6
#define SEGMENT_US 2000000
#define FAR_MS 1000000

/* As noisy as to be far larger than a pipe. */
#define CLIP                                                                           \
    " -f lavfi -i testsrc2=s=160x96:r=25:d=12,noise=alls=60:allf=t"                    \
    " -c:v libx264 -preset ultrafast -bf 2 -g 50 -crf 20 "

static struct fixture *f;
static struct worker w;
static struct loop_source *signals;
static int signal_fd, part_fd;
static char clip[2 * PATH_MAX]; /* what is uploaded … */
static int64_t size, sent;      /* … and how much of it has come */
static struct video video;
static struct task *task;
static struct encode *encode; /* of it */

/* ---- the loop ------------------------------------------------------------------ */

static inline void on_signal(void *arg)
{
    struct signalfd_siginfo info;
    (void)arg;
    while (read(signal_fd, &info, sizeof(info)) > 0)
        supervise_reap_all();
}

static inline void turn_for(int64_t ms)
{
    loop_turn_for(w.loop, ms);
}

static inline void turn_until(bool (*is_so)(void), const char *what)
{
    loop_turn_until(w.loop, is_so(), "%s", what);
}

static inline void never(void *arg)
{
    (void)arg;
}

/* Whether the runs are to be looked at again tells was_asked, from expect_none on. */
static inline void expect_none(void)
{
    loop_timer_set(w.loop, &w.schedule, FAR_MS, never, NULL);
}

static inline bool was_asked(void)
{
    return !w.schedule.is_set || w.schedule.due_ms < loop_now_ms() + FAR_MS / 2;
}

/* ---- the site ------------------------------------------------------------------ */

static inline void at(char out[PATH_MAX], const char *name)
{
    assert_int_equal(site_path(&w.site, name, out), RC_OK);
}

static inline void put_file(const char *name, const void *data, size_t n, mode_t mode)
{
    char path[PATH_MAX];
    at(path, name);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, data, n), n);
    close(fd);
}

static inline bool is_there(const char *name)
{
    char path[PATH_MAX];
    at(path, name);
    return access(path, F_OK) == 0;
}

/* Reads to the end, says so, and gives nothing; as long as there is a file `deaf` it
 * does not even read. */
static inline void put_ffmpeg(void)
{
    char script[2 * PATH_MAX];
    int n = snprintf(script, sizeof(script),
                     "#!/bin/sh\ncd %s\nwhile [ -e deaf ]; do sleep 0.02; done\n"
                     "cat >got; : >ended\nexec sleep 60\n",
                     w.site.root);
    put_file("ffmpeg", script, (size_t)n, 0700);
    at(w.config.ffmpeg, "ffmpeg");
}

static inline int setup(void **state)
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
    /* The disk is waited for at once: see test_staging for the rest. */
    assert_int_equal(staging_open(w.loop, NULL, w.tmp_fd, &w.staging), RC_OK);
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

static inline bool no_task(void)
{
    return w.tasks == NULL;
}

static inline int teardown(void **state)
{
    if (w.tasks)
        task_cancel(w.tasks);
    turn_until(no_task, "the task to end");
    lists_close(&w);
    old_folders_close(&w);
    staging_close(w.staging);
    arrivals_close(w.arrivals);
    loop_unwatch(w.loop, signals);
    loop_close(w.loop);
    close(signal_fd);
    free(w.demands);
    close(w.tmp_fd);
    if (part_fd >= 0)
        close(part_fd);
    return fixture_teardown(state);
}

/* ---- an upload ------------------------------------------------------------------- */

/* Begins to upload one of the files. index_offset > 0: its index was sent ahead. */
static inline void upload(const char *name, int64_t index_offset)
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

static inline bool has_seen_all(void)
{
    const struct arrival *a = w.arrivals->list;
    return a && arrival_size(a) == sent;
}

static inline void send_to(int64_t n)
{
    struct bytes b = mp4_file_part(clip, (uint64_t)sent, (uint64_t)n);
    assert_int_equal(pwrite(part_fd, b.p, b.n, sent), b.n);
    bytes_free(&b);
    sent = n;
}

/* Sends so much of it in all, in hundredths, and waits until the worker knows. */
static inline void arrive(int percent)
{
    send_to(size * percent / 100);
    turn_until(has_seen_all, "what has come");
}

/* The last byte is there, and its row says so. */
static inline void store(void)
{
    char part[PATH_MAX], src[PATH_MAX];
    assert_int_equal(spool_part_path(&w.site, video.id, part), RC_OK);
    assert_int_equal(spool_src_path(&w.site, video.id, src), RC_OK);
    assert_int_equal(rename(part, src), 0);
    assert_int_equal(store_video_stored(w.store, video.id, size, &video), RC_OK);
    arrivals_look(w.arrivals);
}

/* What the probe would have found, and the encode of the picture is begun. */
static inline void begin_encode(void)
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
static inline void begin(int percent)
{
    upload("clip.mp4", 0);
    send_to(size * percent / 100);
    arrivals_look(w.arrivals);
    begin_encode();
}

/* A run that is fed. */
static inline struct encode_run *run(void)
{
    const struct encode_order order = {.end = SEGMENTS, .fed = true};
    assert_int_equal(encode_run_start(task, &order), RC_OK);
    assert_non_null(encode->runs->feeder);
    return encode->runs;
}

static inline bool no_run(void)
{
    return encode->runs == NULL;
}

static inline int64_t got(void)
{
    char path[PATH_MAX];
    at(path, "got");
    return access(path, F_OK) == 0 ? (int64_t)mp4_file_size(path) : 0;
}

static inline bool got_all(void)
{
    return got() == sent;
}

static inline bool got_the_end(void)
{
    return is_there("ended");
}

/* From byte `from` on it got the clip's bytes from offset on. */
static inline void assert_got(uint64_t from, uint64_t offset)
{
    char path[PATH_MAX];
    at(path, "got");
    struct bytes a = mp4_file_part(path, from, (uint64_t)got());
    struct bytes b = mp4_file_part(clip, offset, offset + a.n);
    assert_memory_equal(a.p, b.p, a.n);
    bytes_free(&a);
    bytes_free(&b);
}

static inline int make_clips(void **state)
{
    mp4_files_none(state);
    if (mp4_have_ffmpeg()) {
        mp4_ffmpeg(CLIP "end.mp4");
        mp4_ffmpeg("-i end.mp4 -c copy -movflags +faststart clip.mp4");
    }
    return 0;
}

/* A path below the folder of what is made of a video. */
static inline void in_media(char out[PATH_MAX], const struct video *v, const char *name)
{
    char below[KEY_LEN + 64];
    snprintf(below, sizeof(below), "htdocs/media/%s/%s", v->media_root, name);
    at(out, below);
}

/* 0.m4s … (n−1).m4s in a new folder of it, empty. */
static inline void put_empty_segments(const struct video *v, const char *folder, int n)
{
    char below[KEY_LEN + 64], path[PATH_MAX];
    in_media(path, v, folder);
    assert_int_equal(mkdir(path, 0755), 0);
    for (int k = 0; k < n; k++) {
        snprintf(below, sizeof(below), "htdocs/media/%s/%s/%d.m4s", v->media_root,
                 folder, k);
        put_file(below, "", 0, 0644);
    }
}

/* How many of those are left. */
static inline int segments_left(const struct video *v, const char *folder, int n)
{
    char name[48], path[PATH_MAX];
    int left = 0;
    for (int k = 0; k < n; k++) {
        snprintf(name, sizeof(name), "%s/%d.m4s", folder, k);
        in_media(path, v, name);
        left += access(path, F_OK) == 0;
    }
    return left;
}

/* `video` gets this plan, and a folder for what is made of it. */
static inline void lay_out(const struct video_plan *plan)
{
    struct job probe;
    assert_int_equal(
        store_job_claim(w.store, w.owner, 30000, STORE_KIND(JOB_PROBE), &probe), RC_OK);
    assert_int_equal(store_job_planned(w.store, &probe, plan), RC_OK);
    assert_int_equal(mediadir_create(&w.site, video.media_root), RC_OK);
}

/* … and is one that is stored. */
static inline void store_planned(const struct video_plan *plan)
{
    video = fixture_stored(f, "clip");
    lay_out(plan);
}

#endif
