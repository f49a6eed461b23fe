/*
 * encode_many.h: the encode of a video of which every segment is there, and there are
 * more of them than are looked at in one turn of the loop.
 */
#ifndef DROPSTREAM_TEST_ENCODE_MANY_H
#define DROPSTREAM_TEST_ENCODE_MANY_H

#include "cutter_stream.h"
#include "feed_fixture.h"

/* Segments, of one picture each. */
#define MANY (2 * ENCODE_LOOK_TURN + ENCODE_TRUTH_TURN + 1)

static char folder[KEY_LEN + 64]; /* of the rendition */
static struct loop_timer other_work;
static int turns;            /* that it has had … */
static bool (*counts)(void); /* … while this was so */

static inline const char *name_of(int k)
{
    static char name[sizeof(folder) + 32];
    snprintf(name, sizeof(name), "%s/%d.m4s", folder, k);
    return name;
}

/* In the place of segment k, one that begins at picture at. */
static inline void put_segment(int k, int at)
{
    const struct stream_shape shape = {.timescale = 25, .truns = 1};
    struct bytes b = {0};
    stream_moof(&b, &shape, (uint64_t)at, MOOF_FINE);
    box_filled(&b, "mdat", 'm', 10);
    put_file(name_of(k), b.p, b.n, 0644);
    bytes_free(&b);
}

static inline void put_init(void)
{
    const struct stream_shape shape = {.timescale = 25, .truns = 1};
    char name[sizeof(folder) + 16];
    struct stream s;
    stream_make(&shape, &s);
    snprintf(name, sizeof(name), "%s/init.mp4", folder);
    put_file(name, s.init.p, s.init.n, 0644);
    stream_free(&s);
}

/* All of them, of `video`. */
static inline void put_segments(void)
{
    char path[PATH_MAX];
    snprintf(folder, sizeof(folder), "htdocs/media/%s/360p-1", video.media_root);
    at(path, folder);
    assert_int_equal(mkdir(path, 0755), 0);
    put_init();
    for (int k = 0; k < MANY; k++)
        put_segment(k, k);
    turns = 0;
}

static inline int many_setup(void **state)
{
    struct video_plan plan = fixture_plan(1);
    struct rendition *r = &plan.renditions[1];
    r->gop = 1;
    r->frames = r->segments = MANY;
    setup(state);
    store_planned(&plan);
    put_segments();
    return 0;
}

static inline int many_teardown(void **state)
{
    loop_timer_cancel(w.loop, &other_work);
    return teardown(state);
}

static inline void count_turn(void *arg)
{
    (void)arg;
    turns += w.tasks && counts();
    loop_timer_set(w.loop, &other_work, 0, count_turn, NULL);
}

/* The job of it begins, and there is other work, whose turns are counted while so. */
static inline void claim(bool (*so)(void))
{
    assert_int_equal(jobs_claim_encode(&w, video.id, "360p"), RC_OK);
    task = w.tasks;
    encode = task->state;
    counts = so;
    count_turn(NULL);
}

/* Somebody waits for segment k by now. */
static inline void demand(int64_t k)
{
    struct demand d = {.segment = k};
    strcpy(d.video_id, video.id);
    strcpy(d.rendition, "360p");
    assert_int_equal(store_demand_update(w.store, &d, 1, 60000, NULL, 0), RC_OK);
    encode_follow_demand(&w);
}

static inline struct rendition now(void)
{
    struct rendition r;
    assert_int_equal(store_rendition(w.store, video.id, "360p", &r), RC_OK);
    return r;
}

/* Another worker has the job from now on, as the lease has ended. */
static inline void lose_job(struct job *job)
{
    fixture_tick(f, 3600000);
    assert_int_equal(
        store_job_claim_encode(w.store, "other", 30000, video.id, "360p", job), RC_OK);
}

/* How often the job has failed so far. */
static inline int failures(void)
{
    struct job job;
    lose_job(&job);
    return job.failures;
}

#endif
