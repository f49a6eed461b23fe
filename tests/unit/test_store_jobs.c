#include "check.h"

#include "store_fixture.h"

#include <pthread.h>

static const struct job_result nothing = {.poster_made = false};

static void assert_nothing_due(struct fixture *f)
{
    struct job job;

    assert_int_equal(store_job_claim(f->st, "w", 30000, &job), RC_NOT_FOUND);
}

static int64_t next_due(struct fixture *f)
{
    int64_t ms = -2;

    assert_int_equal(store_job_next_due(f->st, &ms), RC_OK);
    return ms;
}

/* Every function that a worker calls for a job says that it is not the worker's. */
static void assert_fenced(struct fixture *f, const struct job *job)
{
    struct video_plan plan = fixture_plan(9);
    bool ready = false;

    assert_int_equal(store_job_check(f->st, job), RC_FENCED);
    assert_int_equal(store_job_renew(f->st, job, 1000, 0.5), RC_FENCED);
    assert_int_equal(store_job_published(f->st, job, 1), RC_FENCED);
    assert_int_equal(store_job_retry(f->st, job, 0, "late"), RC_FENCED);
    assert_int_equal(store_job_release(f->st, job), RC_FENCED);
    assert_int_equal(store_job_fail(f->st, job, "late"), RC_FENCED);
    if (job->kind == JOB_PROBE)
        assert_int_equal(store_job_planned(f->st, job, &plan), RC_FENCED);
    else
        assert_int_equal(store_job_done(f->st, job, &nothing, &ready), RC_FENCED);
    assert_false(ready);
}

/* ---- claims and leases -------------------------------------------------- */

static void a_claimed_job_is_not_given_twice(void **state)
{
    struct fixture *f = *state;
    struct video v = fixture_stored(f, "clip");
    struct job job = fixture_claim(f, "w");

    assert_string_equal(job.video_id, v.id);
    assert_int_equal(job.fence, 1);
    assert_int_equal(job.failures, 0);
    assert_int_equal(store_job_check(f->st, &job), RC_OK);
    assert_nothing_due(f);
}

static void claim_returns_expired_lease_again(void **state)
{
    struct fixture *f = *state;
    struct job first, second;

    fixture_stored(f, "clip");
    first = fixture_claim(f, "w1");
    fixture_tick(f, 29999);
    assert_nothing_due(f);
    fixture_tick(f, 1);
    second = fixture_claim(f, "w2");
    assert_int_equal(second.id, first.id);
    assert_int_equal(second.fence, first.fence + 1);
    assert_int_equal(second.failures, 0);
}

static void late_worker_is_fenced(void **state)
{
    struct fixture *f = *state;
    struct video v = fixture_stored(f, "clip");
    struct job late = fixture_claim(f, "w1"), now;

    fixture_tick(f, 30000);
    now = fixture_claim(f, "w2");
    assert_fenced(f, &late);
    assert_int_equal(store_job_check(f->st, &now), RC_OK);
    assert_int_equal(fixture_get(f, v.id).state, VIDEO_STORED);
}

static void a_worker_that_is_late_but_not_replaced_goes_on(void **state)
{
    struct fixture *f = *state;
    struct job job;

    fixture_stored(f, "clip");
    job = fixture_claim(f, "w");
    fixture_tick(f, 100000);
    assert_int_equal(store_job_renew(f->st, &job, 30000, 0.5), RC_OK);
    assert_nothing_due(f);
}

static void a_renewed_lease_lasts_from_its_renewal(void **state)
{
    struct fixture *f = *state;
    struct job job;

    fixture_stored(f, "clip");
    job = fixture_claim(f, "w");
    fixture_tick(f, 20000);
    assert_int_equal(store_job_renew(f->st, &job, 30000, 0.5), RC_OK);
    fixture_tick(f, 29999);
    assert_nothing_due(f);
    assert_int_equal(next_due(f), 1);
    fixture_tick(f, 1);
    assert_int_equal(fixture_claim(f, "w").fence, 2);
}

static void lease_of_another_boot_has_ended(void **state)
{
    struct fixture *f = *state;
    struct job before, after;

    fixture_stored(f, "clip");
    before = fixture_claim(f, "w");
    fixture_reboot(f);
    assert_int_equal(next_due(f), 0);
    after = fixture_claim(f, "w");
    assert_int_equal(after.id, before.id);
    assert_int_equal(after.fence, 2);
    assert_fenced(f, &before);
}

static void wall_clock_does_not_move_leases(void **state)
{
    struct fixture *f = *state;

    fixture_stored(f, "clip");
    fixture_claim(f, "w");
    f->wall_ms += INT64_C(86400000) * 365;
    assert_nothing_due(f);
}

static void probe_then_poster_then_picture_then_sound_then_the_next_video(void **state)
{
    struct fixture *f = *state;
    struct video a = fixture_planned(f, "a"), b;
    struct job job;
    int i;
    static const char *const order[] = {"a poster ",     "b poster ",
                                        "a encode 360p", "a encode audio-0",
                                        "b encode 360p", "b encode audio-0"};

    fixture_tick(f, 10);
    b = fixture_planned(f, "b"); /* its probe went before all that waits of a */
    for (i = 0; i < 6; i++) {
        char got[64];

        job = fixture_claim(f, "w");
        snprintf(got, sizeof(got), "%s %s %s",
                 strcmp(job.video_id, a.id) == 0   ? "a"
                 : strcmp(job.video_id, b.id) == 0 ? "b"
                                                   : "?",
                 job_kind_name(job.kind), job.rendition);
        assert_string_equal(got, order[i]);
    }
    assert_nothing_due(f);
}

static void wrong_claims_are_refused(void **state)
{
    struct fixture *f = *state;
    char owner[STORE_OWNER_MAX + 2];
    struct job job;

    fixture_stored(f, "clip");
    memset(owner, 'x', sizeof(owner));
    owner[STORE_OWNER_MAX + 1] = '\0';
    assert_int_equal(store_job_claim(f->st, owner, 1000, &job), RC_INVALID);
    assert_int_equal(store_job_claim(f->st, "w", 0, &job), RC_INVALID);
    owner[STORE_OWNER_MAX] = '\0';
    assert_int_equal(store_job_claim(f->st, owner, 1000, &job), RC_OK);
    assert_int_equal(store_job_renew(f->st, &job, 0, 0), RC_INVALID);
}

/* ---- next due ----------------------------------------------------------- */

static void next_due_is_the_first_of_waits_and_leases(void **state)
{
    struct fixture *f = *state;
    struct job a, b;

    assert_int_equal(next_due(f), -1);
    fixture_stored(f, "a");
    assert_int_equal(next_due(f), 0);
    a = fixture_claim(f, "w");
    assert_int_equal(next_due(f), 30000);
    fixture_stored(f, "b");
    b = fixture_claim(f, "w");
    assert_int_equal(store_job_retry(f->st, &b, 500, "x"), RC_OK);
    assert_int_equal(next_due(f), 500);
    fixture_tick(f, 499);
    assert_int_equal(next_due(f), 1);
    fixture_tick(f, 10);
    assert_int_equal(next_due(f), 0);
    assert_int_equal(store_job_fail(f->st, &a, "x"), RC_OK);
    b = fixture_claim(f, "w");
    assert_int_equal(store_job_fail(f->st, &b, "x"), RC_OK);
    assert_int_equal(next_due(f), -1);
}

/* ---- giving back -------------------------------------------------------- */

static void retry_waits_out_its_delay_and_counts_the_failure(void **state)
{
    struct fixture *f = *state;
    struct job job, again;

    fixture_stored(f, "clip");
    job = fixture_claim(f, "w");
    assert_int_equal(store_job_retry(f->st, &job, 2000, "no \x01progress"), RC_OK);
    assert_fenced(f, &job);
    fixture_tick(f, 1999);
    assert_nothing_due(f);
    fixture_tick(f, 1);
    again = fixture_claim(f, "w");
    assert_int_equal(again.id, job.id);
    assert_int_equal(again.fence, 2);
    assert_int_equal(again.failures, 1);
    assert_int_equal(store_job_retry(f->st, &again, -1, "x"), RC_INVALID);
}

static void release_is_due_at_once_and_without_blame(void **state)
{
    struct fixture *f = *state;
    struct job job, again;

    fixture_stored(f, "clip");
    job = fixture_claim(f, "w");
    assert_int_equal(store_job_release(f->st, &job), RC_OK);
    assert_fenced(f, &job);
    again = fixture_claim(f, "w");
    assert_int_equal(again.fence, 2);
    assert_int_equal(again.failures, 0);
}

static void leases_of_a_dead_owner_end_at_once(void **state)
{
    struct fixture *f = *state;
    struct job mine, a, b;
    int n = -1;

    fixture_stored(f, "a");
    fixture_stored(f, "b");
    fixture_stored(f, "c");
    a = fixture_claim(f, "dead");
    b = fixture_claim(f, "dead");
    mine = fixture_claim(f, "alive");
    assert_int_equal(store_job_release_owner(f->st, "dead", &n), RC_OK);
    assert_int_equal(n, 2);
    assert_fenced(f, &a);
    assert_fenced(f, &b);
    assert_int_equal(store_job_check(f->st, &mine), RC_OK);
    assert_int_equal(fixture_claim(f, "alive").id, a.id);
    assert_int_equal(fixture_claim(f, "alive").id, b.id);
    assert_nothing_due(f);
    assert_int_equal(store_job_release_owner(f->st, "dead", &n), RC_OK);
    assert_int_equal(n, 0);
}

/* ---- deleted, failed, tried again --------------------------------------- */

static void deleted_video_fences_its_jobs(void **state)
{
    struct fixture *f = *state;
    struct video v = fixture_planned(f, "clip"), other;
    struct job poster = fixture_claim(f, "w"), encode = fixture_claim(f, "w"), next;

    assert_int_equal(poster.kind, JOB_POSTER);
    assert_int_equal(store_video_delete(f->st, v.id, &v), RC_OK);
    assert_fenced(f, &poster);
    assert_fenced(f, &encode);
    assert_nothing_due(f);
    assert_int_equal(next_due(f), -1);
    /* No later job may be mistaken for one of those. */
    assert_int_equal(store_video_purge(f->st, v.id), RC_OK);
    other = fixture_stored(f, "other");
    next = fixture_claim(f, "w");
    assert_string_equal(next.video_id, other.id);
    assert_true(next.id > encode.id);
    assert_fenced(f, &poster);
    assert_fenced(f, &encode);
}

static void failed_probe_fails_video(void **state)
{
    struct fixture *f = *state;
    struct video v = fixture_stored(f, "clip");
    struct job job = fixture_claim(f, "w");

    assert_int_equal(store_job_fail(f->st, &job, "There is no video in it."), RC_OK);
    v = fixture_get(f, v.id);
    assert_int_equal(v.state, VIDEO_FAILED);
    assert_string_equal(v.error, "There is no video in it.");
    assert_fenced(f, &job);
    assert_nothing_due(f);
}

static void failed_encode_fails_video_and_drops_its_other_jobs(void **state)
{
    struct fixture *f = *state;
    struct video v = fixture_planned(f, "clip"), other = fixture_planned(f, "other");
    struct job poster = fixture_claim(f, "w"), encode;

    fixture_claim(f, "w"); /* the other's poster */
    encode = fixture_claim(f, "w");
    assert_string_equal(encode.video_id, v.id);
    assert_int_equal(store_job_fail(f->st, &encode, "broken"), RC_OK);
    assert_int_equal(fixture_get(f, v.id).state, VIDEO_FAILED);
    assert_fenced(f, &poster);
    assert_string_equal(fixture_claim(f, "w").video_id, other.id);
    assert_int_equal(fixture_get(f, other.id).state, VIDEO_PROCESSING);
}

static void failed_poster_fails_only_itself(void **state)
{
    struct fixture *f = *state;
    struct video v = fixture_planned(f, "clip");
    struct job poster = fixture_claim(f, "w");

    assert_int_equal(poster.kind, JOB_POSTER);
    assert_int_equal(store_job_fail(f->st, &poster, "no picture"), RC_OK);
    v = fixture_get(f, v.id);
    assert_int_equal(v.state, VIDEO_PROCESSING);
    assert_string_equal(v.error, "");
    assert_false(v.has_poster);
    assert_fenced(f, &poster);
    assert_int_equal(fixture_claim(f, "w").kind, JOB_ENCODE);
}

static void retry_works_only_from_failed(void **state)
{
    struct fixture *f = *state;
    struct video v = fixture_receiving(f, "clip");
    struct job first, job;

    assert_int_equal(store_video_retry(f->st, v.id), RC_CONFLICT);
    assert_int_equal(store_video_stored(f->st, v.id, 1, &v), RC_OK);
    assert_int_equal(store_video_retry(f->st, v.id), RC_CONFLICT);
    first = fixture_claim(f, "w");
    assert_int_equal(store_video_warn(f->st, v.id, "Cut off."), RC_OK);
    assert_int_equal(store_job_fail(f->st, &first, "broken"), RC_OK);
    assert_int_equal(store_video_retry(f->st, v.id), RC_OK);
    v = fixture_get(f, v.id);
    assert_int_equal(v.state, VIDEO_STORED);
    assert_string_equal(v.error, "");
    assert_string_equal(v.warning, "");
    assert_int_equal(store_video_retry(f->st, v.id), RC_CONFLICT);
    job = fixture_claim(f, "w");
    assert_int_equal(job.kind, JOB_PROBE);
    assert_true(job.id > first.id);
    assert_nothing_due(f);
    assert_int_equal(store_video_retry(f->st, "nosuchvideo"), RC_NOT_FOUND);
}

/* ---- the plan ----------------------------------------------------------- */

static void a_plan_is_read_back_with_video_first(void **state)
{
    struct fixture *f = *state;
    struct video_plan plan = fixture_plan(1);
    struct rendition list[STORE_RENDITIONS_MAX];
    struct video v = fixture_stored(f, "clip");
    struct job job = fixture_claim(f, "w");
    size_t n = 99;

    assert_int_equal(store_renditions(f->st, v.id, list, &n), RC_OK);
    assert_int_equal(n, 0);
    strcpy(plan.warning, "Cut off.");
    assert_int_equal(store_job_planned(f->st, &job, &plan), RC_OK);
    assert_fenced(f, &job);
    v = fixture_get(f, v.id);
    assert_int_equal(v.state, VIDEO_PROCESSING);
    assert_false(v.playable);
    assert_int_equal(v.duration_us, 12400000);
    assert_int_equal(v.width, 640);
    assert_int_equal(v.height, 360);
    assert_int_equal(v.rate_num, 25);
    assert_int_equal(v.rate_den, 1);
    assert_string_equal(v.video_codec, "h264");
    assert_string_equal(v.audio_codec, "aac");
    assert_string_equal(v.warning, "Cut off.");
    assert_int_equal(store_renditions(f->st, v.id, list, &n), RC_OK);
    assert_int_equal(n, 2);
    assert_memory_equal(&list[0], &plan.renditions[1], sizeof(list[0]));
    assert_memory_equal(&list[1], &plan.renditions[0], sizeof(list[1]));
    assert_int_equal(store_renditions(f->st, "nosuchvideo", list, &n), RC_NOT_FOUND);
}

static void what_is_made_again_needs_a_higher_generation(void **state)
{
    struct fixture *f = *state;
    struct video v = fixture_planned(f, "clip");
    struct video_plan plan = fixture_plan(1);
    struct rendition list[STORE_RENDITIONS_MAX];
    struct job job = fixture_claim(f, "w");
    size_t n;

    job = fixture_claim(f, "w");
    assert_int_equal(store_job_published(f->st, &job, 3), RC_OK);
    assert_true(fixture_get(f, v.id).playable);
    assert_int_equal(store_job_fail(f->st, &job, "broken"), RC_OK);
    assert_int_equal(store_video_retry(f->st, v.id), RC_OK);
    assert_int_equal(fixture_get(f, v.id).playable, true);
    job = fixture_claim(f, "w");
    assert_int_equal(store_job_planned(f->st, &job, &plan), RC_INVALID);
    assert_int_equal(store_job_check(f->st, &job), RC_OK);
    plan = fixture_plan(2);
    plan.n_renditions = 1;
    plan.renditions[0] = plan.renditions[1];
    assert_int_equal(store_job_planned(f->st, &job, &plan), RC_OK);
    assert_false(fixture_get(f, v.id).playable);
    assert_int_equal(store_renditions(f->st, v.id, list, &n), RC_OK);
    assert_int_equal(n, 1);
    assert_string_equal(list[0].name, "360p");
    assert_int_equal(list[0].generation, 2);
    assert_int_equal(list[0].done, 0);
}

static void plans_that_make_no_sense_are_refused(void **state)
{
    struct fixture *f = *state;
    struct video_plan plan;
    struct job job, poster;
    bool ready;

    fixture_stored(f, "clip");
    job = fixture_claim(f, "w");
    plan = fixture_plan(1);
    plan.n_renditions = 0;
    assert_int_equal(store_job_planned(f->st, &job, &plan), RC_INVALID);
    plan.n_renditions = STORE_RENDITIONS_MAX + 1;
    assert_int_equal(store_job_planned(f->st, &job, &plan), RC_INVALID);
    plan = fixture_plan(0);
    assert_int_equal(store_job_planned(f->st, &job, &plan), RC_INVALID);
    plan = fixture_plan(1);
    plan.duration_us = 0;
    assert_int_equal(store_job_planned(f->st, &job, &plan), RC_INVALID);
    plan = fixture_plan(1);
    strcpy(plan.renditions[0].name, plan.renditions[1].name);
    assert_int_equal(store_job_planned(f->st, &job, &plan), RC_INVALID);
    plan.renditions[0].name[0] = '\0';
    assert_int_equal(store_job_planned(f->st, &job, &plan), RC_INVALID);
    assert_int_equal(store_job_done(f->st, &job, &nothing, &ready), RC_INVALID);
    plan = fixture_plan(1);
    assert_int_equal(store_job_planned(f->st, &job, &plan), RC_OK);
    poster = fixture_claim(f, "w");
    assert_int_equal(store_job_planned(f->st, &poster, &plan), RC_INVALID);
}

/* ---- segments and the end ----------------------------------------------- */

static void first_video_segment_makes_it_playable(void **state)
{
    struct fixture *f = *state;
    struct video v = fixture_planned(f, "clip");
    struct rendition list[STORE_RENDITIONS_MAX];
    struct job picture, sound;
    size_t n;

    fixture_claim(f, "w");
    picture = fixture_claim(f, "w");
    sound = fixture_claim(f, "w");
    assert_string_equal(picture.rendition, "360p");
    assert_string_equal(sound.rendition, "audio-0");
    assert_int_equal(store_job_published(f->st, &sound, 2), RC_OK);
    assert_int_equal(store_job_published(f->st, &picture, 0), RC_OK);
    assert_false(fixture_get(f, v.id).playable);
    fixture_tick(f, 700);
    assert_int_equal(store_job_published(f->st, &picture, 1), RC_OK);
    fixture_tick(f, 700);
    assert_int_equal(store_job_published(f->st, &picture, 2), RC_OK);
    v = fixture_get(f, v.id);
    assert_true(v.playable);
    assert_int_equal(v.first_segment_ms, 700);
    assert_int_equal(v.state, VIDEO_PROCESSING);
    assert_int_equal(store_renditions(f->st, v.id, list, &n), RC_OK);
    assert_int_equal(list[0].done, 2);
    assert_int_equal(list[1].done, 2);
}

static void no_more_segments_than_promised(void **state)
{
    struct fixture *f = *state;
    struct job poster, picture;

    fixture_planned(f, "clip");
    poster = fixture_claim(f, "w");
    picture = fixture_claim(f, "w");
    assert_int_equal(store_job_published(f->st, &picture, 7), RC_OK);
    assert_int_equal(store_job_published(f->st, &picture, 8), RC_INVALID);
    assert_int_equal(store_job_published(f->st, &picture, -1), RC_INVALID);
    assert_int_equal(store_job_published(f->st, &poster, 0), RC_INVALID);
}

static void last_encode_job_makes_video_ready(void **state)
{
    struct fixture *f = *state;
    struct video v = fixture_planned(f, "clip");
    struct job_result measured = {.bitrate = 900001, .average_bitrate = 700001};
    struct rendition list[STORE_RENDITIONS_MAX];
    struct job poster = fixture_claim(f, "w");
    struct job picture = fixture_claim(f, "w"), sound = fixture_claim(f, "w");
    bool ready = true;
    size_t n;

    assert_int_equal(store_job_done(f->st, &sound, &nothing, &ready), RC_OK);
    assert_false(ready);
    assert_int_equal(fixture_get(f, v.id).state, VIDEO_PROCESSING);
    fixture_tick(f, 12400);
    assert_int_equal(store_job_done(f->st, &picture, &measured, &ready), RC_OK);
    assert_true(ready);
    v = fixture_get(f, v.id);
    assert_int_equal(v.state, VIDEO_READY);
    assert_int_equal(v.ready_ms, 12400);
    assert_false(v.has_poster);
    assert_fenced(f, &picture);
    /* A late poster changes nothing about that, whatever becomes of it. */
    measured.poster_made = true;
    assert_int_equal(store_job_done(f->st, &poster, &measured, &ready), RC_OK);
    assert_false(ready);
    v = fixture_get(f, v.id);
    assert_int_equal(v.state, VIDEO_READY);
    assert_true(v.has_poster);
    assert_int_equal(store_renditions(f->st, v.id, list, &n), RC_OK);
    assert_int_equal(list[0].bitrate, 900001);
    assert_int_equal(list[0].average_bitrate, 700001);
    assert_int_equal(list[1].bitrate, 128000);
    assert_int_equal(list[1].average_bitrate, 0);
}

static void a_video_may_go_on_without_its_sound(void **state)
{
    struct fixture *f = *state;
    struct video v = fixture_planned(f, "clip");
    struct rendition list[STORE_RENDITIONS_MAX];
    struct job poster = fixture_claim(f, "w");
    struct job picture = fixture_claim(f, "w"), sound = fixture_claim(f, "w");
    bool ready = false;
    size_t n;

    assert_int_equal(store_job_without(f->st, &poster, "x"), RC_INVALID);
    assert_int_equal(store_job_without(f->st, &sound, "No sound."), RC_OK);
    assert_int_equal(store_renditions(f->st, v.id, list, &n), RC_OK);
    assert_int_equal(n, 1);
    assert_string_equal(list[0].name, "360p");
    assert_string_equal(fixture_get(f, v.id).warning, "No sound.");
    assert_int_equal(store_job_done(f->st, &sound, &nothing, &ready), RC_OK);
    assert_int_equal(store_job_without(f->st, &sound, "Late."), RC_FENCED);
    assert_false(ready);
    assert_int_equal(store_job_done(f->st, &picture, &nothing, &ready), RC_OK);
    assert_true(ready);
}

/* ---- threads ------------------------------------------------------------ */

#define THREADS 4
#define JOBS 500

struct claimer {
    pthread_t thread;
    struct fixture *f;
    int64_t ids[JOBS];
    int n;
    enum rc rc;
};

static void *claim_all(void *arg)
{
    struct claimer *c = arg;
    struct store *st = NULL;
    struct job job;

    c->rc = store_open(c->f->path, &c->f->clock, &st);
    while (c->rc == RC_OK) {
        c->rc = store_job_claim(st, "w", 1000000, &job);
        if (c->rc == RC_OK && c->n < JOBS)
            c->ids[c->n++] = job.id;
    }
    store_close(st);
    return NULL;
}

static void two_handles_never_get_the_same_job(void **state)
{
    static struct claimer c[THREADS];
    static int claimed[JOBS + 1];
    int i, k, total = 0;

    memset(c, 0, sizeof(c));
    for (i = 0; i < JOBS; i++)
        fixture_stored(*state, "clip");
    for (i = 0; i < THREADS; i++) {
        c[i].f = *state;
        assert_int_equal(pthread_create(&c[i].thread, NULL, claim_all, &c[i]), 0);
    }
    for (i = 0; i < THREADS; i++)
        pthread_join(c[i].thread, NULL);
    for (i = 0; i < THREADS; i++) {
        assert_int_equal(c[i].rc, RC_NOT_FOUND);
        total += c[i].n;
        for (k = 0; k < c[i].n; k++) {
            assert_in_range(c[i].ids[k], 1, JOBS);
            assert_int_equal(claimed[c[i].ids[k]]++, 0);
        }
    }
    assert_int_equal(total, JOBS);
}

/* ---- workers ------------------------------------------------------------ */

static void the_youngest_beat_of_this_boot_counts(void **state)
{
    struct fixture *f = *state;
    int64_t age = -1;

    assert_int_equal(store_worker_age(f->st, &age), RC_NOT_FOUND);
    assert_int_equal(store_worker_beat(f->st, "w1", 10), RC_OK);
    fixture_tick(f, 3000);
    assert_int_equal(store_worker_beat(f->st, "w2", 11), RC_OK);
    fixture_tick(f, 500);
    assert_int_equal(store_worker_age(f->st, &age), RC_OK);
    assert_int_equal(age, 500);
    assert_int_equal(store_worker_gone(f->st, "w2"), RC_OK);
    assert_int_equal(store_worker_age(f->st, &age), RC_OK);
    assert_int_equal(age, 3500);
    assert_int_equal(store_worker_beat(f->st, "w1", 10), RC_OK);
    assert_int_equal(store_worker_age(f->st, &age), RC_OK);
    assert_int_equal(age, 0);
    fixture_reboot(f);
    assert_int_equal(store_worker_age(f->st, &age), RC_NOT_FOUND);
}

static void workers_silent_for_a_day_are_forgotten(void **state)
{
    struct fixture *f = *state;
    int64_t age = -1;

    assert_int_equal(store_worker_beat(f->st, "old", 10), RC_OK);
    fixture_tick(f, INT64_C(86400000));
    assert_int_equal(store_worker_beat(f->st, "new", 11), RC_OK);
    assert_int_equal(store_worker_gone(f->st, "new"), RC_OK);
    assert_int_equal(store_worker_age(f->st, &age), RC_OK);
    assert_int_equal(age, 86400000);
    fixture_tick(f, 1);
    assert_int_equal(store_worker_beat(f->st, "new", 11), RC_OK);
    assert_int_equal(store_worker_gone(f->st, "new"), RC_OK);
    assert_int_equal(store_worker_age(f->st, &age), RC_NOT_FOUND);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, fixture_setup, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_claimed_job_is_not_given_twice),
        TEST(claim_returns_expired_lease_again),
        TEST(late_worker_is_fenced),
        TEST(a_worker_that_is_late_but_not_replaced_goes_on),
        TEST(a_renewed_lease_lasts_from_its_renewal),
        TEST(lease_of_another_boot_has_ended),
        TEST(wall_clock_does_not_move_leases),
        TEST(probe_then_poster_then_picture_then_sound_then_the_next_video),
        TEST(wrong_claims_are_refused),
        TEST(next_due_is_the_first_of_waits_and_leases),
        TEST(retry_waits_out_its_delay_and_counts_the_failure),
        TEST(release_is_due_at_once_and_without_blame),
        TEST(leases_of_a_dead_owner_end_at_once),
        TEST(deleted_video_fences_its_jobs),
        TEST(failed_probe_fails_video),
        TEST(failed_encode_fails_video_and_drops_its_other_jobs),
        TEST(failed_poster_fails_only_itself),
        TEST(retry_works_only_from_failed),
        TEST(a_plan_is_read_back_with_video_first),
        TEST(what_is_made_again_needs_a_higher_generation),
        TEST(plans_that_make_no_sense_are_refused),
        TEST(first_video_segment_makes_it_playable),
        TEST(no_more_segments_than_promised),
        TEST(last_encode_job_makes_video_ready),
        TEST(a_video_may_go_on_without_its_sound),
        TEST(two_handles_never_get_the_same_job),
        TEST(the_youngest_beat_of_this_boot_counts),
        TEST(workers_silent_for_a_day_are_forgotten),
    };

    return cmocka_run_group_tests_name("store_jobs", tests, NULL, NULL);
}
