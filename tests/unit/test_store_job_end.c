#include "check.h"

#include "store_fixture.h"

static const struct job_result nothing = {.poster_made = false};

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
    assert_int_equal(published(f->st, &job, 3), RC_OK);
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
    assert_int_equal(published(f->st, &sound, 2), RC_OK);
    assert_int_equal(published(f->st, &picture, 0), RC_OK);
    assert_false(fixture_get(f, v.id).playable);
    fixture_tick(f, 700);
    assert_int_equal(published(f->st, &picture, 1), RC_OK);
    fixture_tick(f, 700);
    assert_int_equal(published(f->st, &picture, 2), RC_OK);
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
    assert_int_equal(published(f->st, &picture, 7), RC_OK);
    assert_int_equal(published(f->st, &picture, 8), RC_INVALID);
    assert_int_equal(published(f->st, &picture, -1), RC_INVALID);
    assert_int_equal(published(f->st, &poster, 0), RC_INVALID);
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

    assert_int_equal(store_job_without(f->st, &poster, "x", &ready), RC_INVALID);
    assert_int_equal(store_job_without(f->st, &sound, "No sound.", &ready), RC_OK);
    assert_false(ready);
    assert_int_equal(store_renditions(f->st, v.id, list, &n), RC_OK);
    assert_int_equal(n, 1);
    assert_string_equal(list[0].name, "360p");
    assert_string_equal(fixture_get(f, v.id).warning, "No sound.");
    assert_int_equal(store_job_done(f->st, &sound, &nothing, &ready), RC_FENCED);
    assert_int_equal(store_job_without(f->st, &sound, "Late.", &ready), RC_FENCED);
    assert_int_equal(store_job_done(f->st, &picture, &nothing, &ready), RC_OK);
    assert_true(ready);
}

static void the_last_encode_may_end_without_its_rendition(void **state)
{
    struct fixture *f = *state;
    struct video v = fixture_planned(f, "clip");
    struct job picture, sound;
    bool ready = false;

    (void)fixture_claim(f, "w"); /* the poster */
    picture = fixture_claim(f, "w");
    sound = fixture_claim(f, "w");
    assert_int_equal(store_job_done(f->st, &picture, &nothing, &ready), RC_OK);
    assert_false(ready);
    assert_int_equal(store_job_without(f->st, &sound, "No sound.", &ready), RC_OK);
    assert_true(ready);
    assert_int_equal(fixture_get(f, v.id).state, VIDEO_READY);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, fixture_setup, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
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
        TEST(the_last_encode_may_end_without_its_rendition),
    };

    return cmocka_run_group_tests_name("store_job_end", tests, NULL, NULL);
}
