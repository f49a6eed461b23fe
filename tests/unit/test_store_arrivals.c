#include "check.h"

#include "store_fixture.h"

/* A receiving video that was planned by its header; *job gets the probe's. */
static struct video planned_early(struct fixture *f, const char *title)
{
    struct video v = fixture_receiving(f, title);
    struct video_plan plan = fixture_plan(1);

    assert_int_equal(store_video_header_arrived(f->st, v.id), RC_OK);
    struct job job = fixture_claim(f, "w");
    assert_int_equal(job.kind, JOB_PROBE);
    assert_int_equal(store_job_planned(f->st, &job, &plan), RC_OK);
    return v;
}

static void end_encode(struct fixture *f, const struct job *job, bool *ready)
{
    struct job_result result = {.bitrate = 0};

    assert_int_equal(job->kind, JOB_ENCODE);
    assert_int_equal(store_job_done(f->st, job, &result, ready), RC_OK);
}

static void a_header_queues_one_probe(void **state)
{
    struct fixture *f = *state;
    struct video v = fixture_receiving(f, "clip");

    assert_nothing_due(f);
    assert_int_equal(store_video_header_arrived(f->st, v.id), RC_OK);
    assert_int_equal(store_video_header_arrived(f->st, v.id), RC_EXISTS);
    struct job job = fixture_claim(f, "w");
    assert_int_equal(job.kind, JOB_PROBE);
    assert_string_equal(job.video_id, v.id);
    assert_nothing_due(f);
    assert_int_equal(store_video_header_arrived(f->st, "aaaaaaaaaaaaaaaa"),
                     RC_NOT_FOUND);
    v = fixture_stored(f, "whole");
    assert_int_equal(store_video_header_arrived(f->st, v.id), RC_NOT_FOUND);
}

static void a_planned_video_goes_on_receiving_and_may_be_playable(void **state)
{
    struct fixture *f = *state;
    struct video v = planned_early(f, "clip");

    assert_int_equal(store_video_header_arrived(f->st, v.id), RC_EXISTS);
    v = fixture_get(f, v.id);
    assert_int_equal(v.state, VIDEO_RECEIVING);
    assert_int_equal(v.duration_us, 12400000);
    struct job picture = fixture_claim(f, "w"), sound = fixture_claim(f, "w");
    assert_string_equal(picture.rendition, "360p");
    assert_string_equal(sound.rendition, "audio-0");
    assert_nothing_due(f); /* the poster's picture may not be there yet */
    assert_int_equal(published(f->st, &picture, 1), RC_OK);
    v = fixture_get(f, v.id);
    assert_true(v.playable);
    assert_int_equal(v.state, VIDEO_RECEIVING);
    assert_int_equal(store_video_received(f->st, v.id, 500, -1, NULL), RC_OK);
}

static void nothing_is_ready_before_its_last_byte_and_a_second_look(void **state)
{
    struct fixture *f = *state;
    struct video_plan plan = fixture_plan(2);
    struct video v = planned_early(f, "clip");
    struct job picture = fixture_claim(f, "w"), sound = fixture_claim(f, "w");
    bool ready = false;

    end_encode(f, &picture, &ready);
    end_encode(f, &sound, &ready);
    assert_false(ready);
    assert_int_equal(fixture_get(f, v.id).state, VIDEO_RECEIVING);
    assert_int_equal(store_video_stored(f->st, v.id, 1000, &v), RC_OK);
    assert_int_equal(v.state, VIDEO_PROCESSING);
    struct job probe = fixture_claim(f, "w");
    assert_int_equal(probe.kind, JOB_PROBE);
    assert_int_equal(fixture_claim(f, "w").kind, JOB_POSTER);
    strcpy(plan.warning, "The file is longer than it says.");
    plan.renditions[1].source_last_us = 12000000;
    assert_int_equal(store_job_confirmed(f->st, &probe, &plan, &ready), RC_OK);
    assert_true(ready);
    v = fixture_get(f, v.id);
    assert_int_equal(v.state, VIDEO_READY);
    assert_string_equal(v.warning, "The file is longer than it says.");
    struct rendition all[STORE_RENDITIONS_MAX];
    size_t n = 0;
    assert_int_equal(store_renditions(f->st, v.id, all, &n), RC_OK);
    assert_int_equal(n, 2);
    assert_int_equal(all[0].generation, 1);
    assert_int_equal(all[0].source_last_us, 12000000);
}

static void the_last_encode_makes_it_ready_after_the_second_look(void **state)
{
    struct fixture *f = *state;
    struct video_plan plan = fixture_plan(2);
    struct video v = planned_early(f, "clip");
    struct job picture = fixture_claim(f, "w"), sound = fixture_claim(f, "w");
    bool ready = true;

    assert_int_equal(store_video_stored(f->st, v.id, 1000, &v), RC_OK);
    assert_int_equal(store_job_check(f->st, &picture), RC_OK); /* it goes on */
    struct job probe = fixture_claim(f, "w");
    ready = false;
    assert_int_equal(store_job_confirmed(f->st, &probe, &plan, &ready), RC_OK);
    assert_false(ready);
    end_encode(f, &sound, &ready);
    assert_false(ready);
    end_encode(f, &picture, &ready);
    assert_true(ready);
}

static void what_was_promised_wrongly_is_made_anew(void **state)
{
    struct fixture *f = *state;
    struct video_plan plan = fixture_plan(2);
    struct video v = planned_early(f, "clip");
    struct job picture = fixture_claim(f, "w"), sound = fixture_claim(f, "w");

    assert_int_equal(published(f->st, &picture, 2), RC_OK);
    assert_int_equal(store_video_stored(f->st, v.id, 1000, &v), RC_OK);
    struct job probe = fixture_claim(f, "w");
    assert_int_equal(store_job_planned(f->st, &probe, &plan), RC_OK);
    assert_fenced(f, &picture);
    assert_fenced(f, &sound);
    v = fixture_get(f, v.id);
    assert_int_equal(v.state, VIDEO_PROCESSING);
    assert_false(v.playable);
    assert_int_equal(fixture_claim(f, "w").kind, JOB_POSTER);
    assert_string_equal(fixture_claim(f, "w").rendition, "360p");
    assert_string_equal(fixture_claim(f, "w").rendition, "audio-0");
    fixture_storyboard(f);
    assert_nothing_due(f); /* one poster, one job a rendition */
}

static void what_fails_meanwhile_fails_no_upload(void **state)
{
    struct fixture *f = *state;
    struct video_plan plan = fixture_plan(2);
    struct video v = planned_early(f, "clip");
    struct job picture = fixture_claim(f, "w"), sound = fixture_claim(f, "w");

    assert_int_equal(store_job_fail(f->st, &picture, "cannot be decoded"), RC_OK);
    assert_fenced(f, &sound);
    assert_nothing_due(f);
    assert_int_equal(fixture_get(f, v.id).state, VIDEO_RECEIVING);
    assert_int_equal(store_video_received(f->st, v.id, 500, -1, NULL), RC_OK);
    assert_int_equal(store_video_header_arrived(f->st, v.id), RC_EXISTS);
    assert_int_equal(store_video_stored(f->st, v.id, 1000, &v), RC_OK);
    assert_int_equal(v.state, VIDEO_STORED);
    struct job probe = fixture_claim(f, "w");
    assert_int_equal(probe.kind, JOB_PROBE);
    assert_nothing_due(f);
    assert_int_equal(store_job_planned(f->st, &probe, &plan), RC_OK);
    assert_int_equal(fixture_get(f, v.id).state, VIDEO_PROCESSING);
}

static void a_header_that_tells_nothing_waits_for_the_rest(void **state)
{
    struct fixture *f = *state;
    struct video v = fixture_receiving(f, "clip");
    bool ready = false;
    struct video_plan plan = fixture_plan(1);

    assert_int_equal(store_video_header_arrived(f->st, v.id), RC_OK);
    struct job probe = fixture_claim(f, "w");
    assert_int_equal(store_job_leave(f->st, &probe, "its length is not known."), RC_OK);
    assert_fenced(f, &probe);
    assert_nothing_due(f);
    assert_int_equal(fixture_get(f, v.id).state, VIDEO_RECEIVING);
    assert_int_equal(store_video_header_arrived(f->st, v.id), RC_EXISTS);
    assert_int_equal(store_video_stored(f->st, v.id, 1000, &v), RC_OK);
    assert_int_equal(v.state, VIDEO_STORED);
    probe = fixture_claim(f, "w");
    assert_int_equal(store_job_leave(f->st, &probe, "late"), RC_INVALID);
    assert_int_equal(store_job_confirmed(f->st, &probe, &plan, &ready), RC_INVALID);
    assert_int_equal(store_job_planned(f->st, &probe, &plan), RC_OK);
    assert_int_equal(fixture_get(f, v.id).state, VIDEO_PROCESSING);
}

static void the_last_byte_overtakes_the_probe_of_the_header(void **state)
{
    struct fixture *f = *state;
    struct video v = fixture_receiving(f, "clip");

    assert_int_equal(store_video_header_arrived(f->st, v.id), RC_OK);
    struct job early = fixture_claim(f, "w");
    assert_int_equal(store_video_stored(f->st, v.id, 1000, &v), RC_OK);
    assert_fenced(f, &early);
    struct job probe = fixture_claim(f, "w");
    assert_int_equal(probe.kind, JOB_PROBE);
    assert_true(probe.id > early.id);
    assert_nothing_due(f);
}

static void how_much_has_arrived_is_told_while_it_does(void **state)
{
    struct fixture *f = *state;
    struct video v = fixture_receiving(f, "clip");

    assert_int_equal(v.arrived_us, -1);
    assert_int_equal(store_video_arrived(f->st, v.id, 2500000), RC_OK);
    assert_int_equal(fixture_get(f, v.id).arrived_us, 2500000);
    assert_int_equal(store_video_stored(f->st, v.id, 1000, &v), RC_OK);
    assert_int_equal(store_video_arrived(f->st, v.id, 3500000), RC_NOT_FOUND);
    assert_int_equal(store_video_arrived(f->st, "aaaaaaaaaaaaaaaa", 1), RC_NOT_FOUND);
}

/* Likewise, and its poster's picture has come too; *poster is that job, claimed. */
static struct video pictured_early(struct fixture *f, struct job *poster)
{
    struct video v = planned_early(f, "clip");

    assert_int_equal(store_video_picture_arrived(f->st, v.id), RC_OK);
    *poster = fixture_claim(f, "w");
    assert_int_equal(poster->kind, JOB_POSTER);
    return v;
}

static void end_poster(struct fixture *f, const struct job *job)
{
    struct job_result result = {.poster_made = true};
    bool ready = false;

    assert_int_equal(store_job_done(f->st, job, &result, &ready), RC_OK);
    assert_false(ready);
}

static void a_picture_that_has_arrived_queues_one_poster(void **state)
{
    struct fixture *f = *state;
    struct video v = fixture_receiving(f, "unplanned");
    struct job poster;

    assert_int_equal(store_video_picture_arrived(f->st, v.id), RC_INVALID);
    assert_nothing_due(f);
    assert_int_equal(store_video_picture_arrived(f->st, "aaaaaaaaaaaaaaaa"),
                     RC_NOT_FOUND);

    v = pictured_early(f, &poster);
    assert_string_equal(poster.video_id, v.id);
    assert_int_equal(store_video_picture_arrived(f->st, v.id), RC_EXISTS);
    end_poster(f, &poster);
    assert_int_equal(store_video_picture_arrived(f->st, v.id), RC_EXISTS);
    v = fixture_get(f, v.id);
    assert_true(v.has_poster);
    assert_int_equal(v.state, VIDEO_RECEIVING);

    assert_int_equal(store_video_stored(f->st, v.id, 1000, &v), RC_OK);
    assert_int_equal(store_video_picture_arrived(f->st, v.id), RC_NOT_FOUND);
}

/* Of the jobs that are due, none makes a poster. */
static void assert_no_poster_due(struct fixture *f)
{
    struct job job;

    assert_int_equal(store_job_claim(f->st, "w", 30000, STORE_KIND(JOB_POSTER), &job),
                     RC_NOT_FOUND);
}

static void
a_poster_that_is_there_stays_when_the_whole_file_is_as_promised(void **state)
{
    struct fixture *f = *state;
    struct video_plan plan = fixture_plan(2);
    struct job poster;
    struct video v = pictured_early(f, &poster);
    bool ready = false;

    end_poster(f, &poster);
    assert_int_equal(store_video_stored(f->st, v.id, 1000, &v), RC_OK);
    struct job probe = fixture_claim(f, "w");
    assert_int_equal(store_job_confirmed(f->st, &probe, &plan, &ready), RC_OK);
    assert_no_poster_due(f);
    assert_true(fixture_get(f, v.id).has_poster);
}

static void a_poster_that_is_being_made_goes_on_when_the_last_byte_comes(void **state)
{
    struct fixture *f = *state;
    struct job poster;
    struct video v = pictured_early(f, &poster);

    assert_int_equal(store_video_stored(f->st, v.id, 1000, &v), RC_OK);
    assert_int_equal(store_job_check(f->st, &poster), RC_OK);
    assert_no_poster_due(f);
    /* And if it fails, it is no longer that of a part: it is tried again as any. */
    assert_int_equal(store_job_leave(f->st, &poster, "late"), RC_INVALID);
    assert_int_equal(store_job_release(f->st, &poster), RC_OK);
    assert_int_equal(fixture_claim(f, "w").kind, JOB_PROBE);
    assert_int_equal(fixture_claim(f, "w").id, poster.id);
}

static void a_poster_of_what_was_promised_wrongly_is_made_anew(void **state)
{
    struct fixture *f = *state;
    struct video_plan plan = fixture_plan(2);
    struct job poster, again;
    struct video v = pictured_early(f, &poster);

    assert_int_equal(store_video_stored(f->st, v.id, 1000, &v), RC_OK);
    struct job probe = fixture_claim(f, "w");
    assert_int_equal(store_job_planned(f->st, &probe, &plan), RC_OK);
    assert_fenced(f, &poster);
    again = fixture_claim(f, "w");
    assert_int_equal(again.kind, JOB_POSTER);
    end_poster(f, &again);
    assert_no_poster_due(f);
}

/* left: the worker says that it has to wait; else it is given up as any job may be. */
static void poster_fails(struct fixture *f, bool left)
{
    struct video_plan plan = fixture_plan(2);
    struct job poster, again;
    struct video v = pictured_early(f, &poster);
    struct job picture = fixture_claim(f, "w"), sound = fixture_claim(f, "w");
    bool ready = false;

    assert_int_equal(left ? store_job_leave(f->st, &poster, "no picture")
                          : store_job_fail(f->st, &poster, "no picture"),
                     RC_OK);
    assert_fenced(f, &poster);
    assert_int_equal(store_video_picture_arrived(f->st, v.id), RC_EXISTS);
    assert_nothing_due(f); /* no second try before it is whole */
    v = fixture_get(f, v.id);
    assert_int_equal(v.state, VIDEO_RECEIVING);
    assert_false(v.has_poster);
    assert_string_equal(v.error, "");
    assert_string_equal(v.warning, "");

    assert_int_equal(store_video_stored(f->st, v.id, 1000, &v), RC_OK);
    assert_int_equal(v.state, VIDEO_PROCESSING); /* what is made stays */
    assert_int_equal(store_job_check(f->st, &picture), RC_OK);
    struct job probe = fixture_claim(f, "w");
    again = fixture_claim(f, "w");
    assert_int_equal(again.kind, JOB_POSTER);
    assert_true(again.id > poster.id);
    assert_int_equal(store_job_confirmed(f->st, &probe, &plan, &ready), RC_OK);
    end_encode(f, &picture, &ready);
    end_encode(f, &sound, &ready);
    assert_true(ready); /* with or without a poster */
    end_poster(f, &again);
    fixture_storyboard(f);
    assert_nothing_due(f);
    assert_true(fixture_get(f, v.id).has_poster);
}

static void a_poster_that_fails_meanwhile_is_made_of_the_whole_file(void **state)
{
    poster_fails(*state, true);
}

static void a_poster_that_is_given_up_meanwhile_takes_nothing_with_it(void **state)
{
    poster_fails(*state, false);
}

static void an_encode_cannot_be_left_for_the_whole_file(void **state)
{
    struct fixture *f = *state;

    planned_early(f, "clip");
    struct job encode = fixture_claim(f, "w");
    assert_int_equal(encode.kind, JOB_ENCODE);
    assert_int_equal(store_job_leave(f->st, &encode, "no"), RC_INVALID);
    assert_int_equal(store_job_check(f->st, &encode), RC_OK);
}

static enum rc count_it(void *arg, const struct video *v)
{
    (void)v;
    ++*(int *)arg;
    return RC_OK;
}

static int marked_deleted(struct fixture *f)
{
    int n = 0;

    assert_int_equal(store_video_each_deleted(f->st, count_it, &n), RC_OK);
    return n;
}

/* The worker has files of it, so the row must tell of them until they are gone. */
static void what_was_begun_of_an_abandoned_upload_is_the_workers_to_clear(void **state)
{
    struct fixture *f = *state;
    struct video v = planned_early(f, "planned");
    struct job encode = fixture_claim(f, "w");

    assert_int_equal(store_video_abandon(f->st, v.id, "it broke off"), RC_OK);
    assert_int_equal(store_video_get(f->st, v.id, &v), RC_NOT_FOUND);
    assert_int_equal(marked_deleted(f), 1);
    assert_fenced(f, &encode);
    assert_nothing_due(f);

    v = fixture_receiving(f, "queued");
    assert_int_equal(store_video_header_arrived(f->st, v.id), RC_OK);
    assert_int_equal(store_upload_expire(f->st, v.id), RC_OK);
    assert_int_equal(marked_deleted(f), 2);
    assert_nothing_due(f);

    v = fixture_receiving(f, "untouched");
    assert_int_equal(store_video_abandon(f->st, v.id, "it broke off"), RC_OK);
    assert_int_equal(marked_deleted(f), 2);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, fixture_setup, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_header_queues_one_probe),
        TEST(a_planned_video_goes_on_receiving_and_may_be_playable),
        TEST(nothing_is_ready_before_its_last_byte_and_a_second_look),
        TEST(the_last_encode_makes_it_ready_after_the_second_look),
        TEST(what_was_promised_wrongly_is_made_anew),
        TEST(what_fails_meanwhile_fails_no_upload),
        TEST(a_header_that_tells_nothing_waits_for_the_rest),
        TEST(the_last_byte_overtakes_the_probe_of_the_header),
        TEST(how_much_has_arrived_is_told_while_it_does),
        TEST(a_picture_that_has_arrived_queues_one_poster),
        TEST(a_poster_that_is_there_stays_when_the_whole_file_is_as_promised),
        TEST(a_poster_that_is_being_made_goes_on_when_the_last_byte_comes),
        TEST(a_poster_of_what_was_promised_wrongly_is_made_anew),
        TEST(a_poster_that_fails_meanwhile_is_made_of_the_whole_file),
        TEST(a_poster_that_is_given_up_meanwhile_takes_nothing_with_it),
        TEST(an_encode_cannot_be_left_for_the_whole_file),
        TEST(what_was_begun_of_an_abandoned_upload_is_the_workers_to_clear),
    };

    return cmocka_run_group_tests_name("store_arrivals", tests, NULL, NULL);
}
