/*
 * store_fixture.h: a new database in a folder of its own, under clocks that stand
 * still until the test moves them.
 */
#ifndef DROPSTREAM_TEST_STORE_FIXTURE_H
#define DROPSTREAM_TEST_STORE_FIXTURE_H

#include "check.h"
#include "store.h"
#include "store_uploads.h"
#include "tempdir.h"

#include <string.h>

/* But for the checksum of each video, which is due as long as nobody takes it. */
#define STORE_KINDS_ALL (~STORE_KIND(JOB_CHECKSUM))

struct fixture {
    char dir[PATH_MAX];
    char path[PATH_MAX + 16];
    int64_t wall_ms, boot_ms;
    struct clock clock;
    struct store *st;
};

static inline int64_t fixture_wall_ms(void *ctx)
{
    return ((struct fixture *)ctx)->wall_ms;
}

static inline int64_t fixture_boot_ms(void *ctx)
{
    return ((struct fixture *)ctx)->boot_ms;
}

static inline struct store *fixture_handle(const struct fixture *f)
{
    struct store *st = NULL;

    assert_int_equal(store_open(f->path, &f->clock, &st), RC_OK);
    return st;
}

static inline int fixture_setup(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));

    assert_non_null(f);
    tempdir_make(f->dir);
    snprintf(f->path, sizeof(f->path), "%s/test.db", f->dir);
    f->wall_ms = INT64_C(1769860800000);
    f->boot_ms = 1000000;
    f->clock.wall_ms = fixture_wall_ms;
    f->clock.boot_ms = fixture_boot_ms;
    f->clock.ctx = f;
    strcpy(f->clock.boot_id, "11111111-1111-1111-1111-111111111111");
    f->st = fixture_handle(f);
    *state = f;
    return 0;
}

static inline int fixture_teardown(void **state)
{
    struct fixture *f = *state;

    store_close(f->st);
    tempdir_remove(f->dir);
    free(f);
    return 0;
}

static inline void fixture_tick(struct fixture *f, int64_t ms)
{
    f->wall_ms += ms;
    f->boot_ms += ms;
}

/* The machine starts anew: another boot id, and the boot clock begins again. */
static inline void fixture_reboot(struct fixture *f)
{
    store_close(f->st);
    strcpy(f->clock.boot_id, "22222222-2222-2222-2222-222222222222");
    f->boot_ms = 5;
    f->st = fixture_handle(f);
}

static inline struct video fixture_receiving(struct fixture *f, const char *title)
{
    struct video_new n = {
        .container = CONTAINER_MP4, .size = -1, .created_ms = f->wall_ms};
    struct video v;

    snprintf(n.title, sizeof(n.title), "%s", title);
    snprintf(n.filename, sizeof(n.filename), "%s.mp4", title);
    assert_int_equal(store_video_create(f->st, &n, &v), RC_OK);
    return v;
}

static inline struct video fixture_stored(struct fixture *f, const char *title)
{
    struct video v = fixture_receiving(f, title);

    assert_int_equal(store_video_stored(f->st, v.id, 1000, &v), RC_OK);
    return v;
}

static inline struct video fixture_get(struct fixture *f, const char *id)
{
    struct video v;

    assert_int_equal(store_video_get(f->st, id, &v), RC_OK);
    return v;
}

static inline struct job fixture_claim(struct fixture *f, const char *owner)
{
    struct job job;

    assert_int_equal(store_job_claim(f->st, owner, 30000, STORE_KINDS_ALL, &job),
                     RC_OK);
    return job;
}

/* That done segments exist, without saying which. */
static inline enum rc published(struct store *st, const struct job *job, int64_t done)
{
    struct readiness ready = {.done = done};

    return store_job_published(st, job, &ready);
}

/* Sound before picture, so that the store's own order can be seen. */
static inline struct video_plan fixture_plan(int generation)
{
    struct video_plan plan = {
        .duration_us = 12400000,
        .width = 640,
        .height = 360,
        .rate_num = 25,
        .rate_den = 1,
        .video_codec = "h264",
        .audio_codec = "aac",
        .n_renditions = 2,
    };
    /* Static, as padding is 0 then: they are compared as memory. */
    static const struct rendition audio = {.name = "audio-0",
                                           .kind = RENDITION_AUDIO,
                                           .bitrate = 128000,
                                           .codecs = "mp4a.40.2",
                                           .channels = 2,
                                           .rate_num = 375,
                                           .rate_den = 8,
                                           .gop = 192,
                                           .frames = 582,
                                           .segments = 4,
                                           .stream = 1,
                                           .source_last_us = 12380000,
                                           .seek_margin_us = 64000};
    static const struct rendition video = {.name = "360p",
                                           .kind = RENDITION_VIDEO,
                                           .width = 640,
                                           .height = 360,
                                           .bitrate = 800000,
                                           .codecs = "avc1.64001e",
                                           .rate_num = 25,
                                           .rate_den = 1,
                                           .gop = 50,
                                           .frames = 310,
                                           .segments = 7,
                                           .stream = 0,
                                           .source_last_us = 12360000,
                                           .seek_margin_us = 20000,
                                           .deinterlace = true};

    plan.renditions[0] = audio;
    plan.renditions[1] = video;
    plan.renditions[0].generation = plan.renditions[1].generation = generation;
    return plan;
}

/* A stored video whose probe job is done by owner "w"; its encodes wait. */
static inline struct video fixture_planned(struct fixture *f, const char *title)
{
    struct video v = fixture_stored(f, title);
    struct video_plan plan = fixture_plan(1);
    struct job job = fixture_claim(f, "w");

    assert_int_equal(job.kind, JOB_PROBE);
    assert_string_equal(job.video_id, v.id);
    assert_int_equal(store_job_planned(f->st, &job, &plan), RC_OK);
    return v;
}

/* A video that is planned before it is whole and grows, until it is gone again. */
static inline void fixture_arrival(struct fixture *f)
{
    struct video_plan plan = fixture_plan(1), open = plan;
    struct video v = fixture_receiving(f, "arriving");
    bool flag;

    open.duration_us = -1;
    store_video_header_arrived(f->st, v.id);
    struct job probe = fixture_claim(f, "w");
    store_job_planned(f->st, &probe, &open);
    struct job encode = fixture_claim(f, "w");
    store_job_promise(f->st, &encode, 100);
    store_video_arrived(f->st, v.id, 1);
    store_video_stored(f->st, v.id, 1000, &v);
    probe = fixture_claim(f, "w");
    store_job_confirmed(f->st, &probe, &plan, &flag);
    store_video_delete(f->st, v.id, &v);
    store_video_purge(f->st, v.id);
}

/* What is done when all else is. */
static inline void fixture_storyboard(struct fixture *f)
{
    struct job_result result = {.bitrate = 0};
    struct job job = fixture_claim(f, "w");
    bool ready;

    assert_int_equal(job.kind, JOB_STORYBOARD);
    assert_int_equal(store_job_done(f->st, &job, &result, &ready), RC_OK);
}

static inline void assert_nothing_due(struct fixture *f)
{
    struct job job;

    assert_int_equal(store_job_claim(f->st, "w", 30000, STORE_KINDS_ALL, &job),
                     RC_NOT_FOUND);
}

static inline enum rc fixture_must_not(void *arg)
{
    (void)arg;
    fail_msg("what has to be held for that is not");
    return RC_OK;
}

/* Every function that a worker calls for a job says that it is not the worker's. */
static inline void assert_fenced(struct fixture *f, const struct job *job)
{
    struct video_plan plan = fixture_plan(9);
    struct job_result result = {.poster_made = false};
    bool ready = false;

    assert_int_equal(store_job_check(f->st, job), RC_FENCED);
    assert_int_equal(store_job_hold(f->st, job, fixture_must_not, NULL), RC_FENCED);
    assert_int_equal(store_job_renew(f->st, job, 1000, 0.5), RC_FENCED);
    assert_int_equal(published(f->st, job, 1), RC_FENCED);
    if (job->kind == JOB_ENCODE)
        assert_int_equal(store_job_promise(f->st, job, 9), RC_FENCED);
    assert_int_equal(store_job_retry(f->st, job, 0, "late"), RC_FENCED);
    assert_int_equal(store_job_release(f->st, job), RC_FENCED);
    assert_int_equal(store_job_fail(f->st, job, "late"), RC_FENCED);
    if (job->kind == JOB_PROBE)
        assert_int_equal(store_job_planned(f->st, job, &plan), RC_FENCED);
    else
        assert_int_equal(store_job_done(f->st, job, &result, &ready), RC_FENCED);
    assert_false(ready);
}

#endif
