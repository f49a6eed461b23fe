#include "check.h"

#include "store_fixture.h"

#include <stdlib.h>
#include <string.h>

static const uint8_t bounds[20] = {1, 2, 3};

/* The plan of the fixture with a copy of the source, and one rung. */
static struct video_plan rich_plan(int generation)
{
    struct video_plan plan = fixture_plan(generation);
    struct rendition source = plan.renditions[1], rung = plan.renditions[1];

    strcpy(source.name, "source");
    source.copied = source.extra = true;
    source.segments = source.frames = 0;
    strcpy(rung.name, "720p");
    rung.extra = true;
    rung.max_bitrate = 2000000;
    plan.renditions[plan.n_renditions++] = source;
    plan.renditions[plan.n_renditions++] = rung;
    return plan;
}

static struct video planned(struct fixture *f)
{
    struct video v = fixture_stored(f, "clip");
    struct video_plan plan = rich_plan(1);
    struct job job = fixture_claim(f, "w");

    assert_int_equal(store_job_planned(f->st, &job, &plan), RC_OK);
    return v;
}

static struct job claim_of(struct fixture *f, enum job_kind kind)
{
    struct job job;

    assert_int_equal(store_job_claim(f->st, "w", 30000, STORE_KIND(kind), &job), RC_OK);
    assert_int_equal(job.kind, kind);
    return job;
}

static size_t renditions_of(struct fixture *f, const char *id,
                            struct rendition all[STORE_RENDITIONS_MAX])
{
    size_t n = 0;

    assert_int_equal(store_renditions(f->st, id, all, &n), RC_OK);
    return n;
}

static bool has(struct fixture *f, const char *id, const char *name)
{
    struct rendition all[STORE_RENDITIONS_MAX];
    size_t n = renditions_of(f, id, all);

    for (size_t i = 0; i < n; i++)
        if (strcmp(all[i].name, name) == 0)
            return true;
    return false;
}

static void finish(struct fixture *f, const struct job *job, bool *ready)
{
    struct job_result result = {.bitrate = 5, .average_bitrate = 4};

    assert_int_equal(store_job_done(f->st, job, &result, ready), RC_OK);
}

static void a_plan_queues_a_copy_and_the_ladder_beside_its_encodes(void **state)
{
    struct fixture *f = *state;
    struct rendition all[STORE_RENDITIONS_MAX];
    struct video v = planned(f);

    assert_int_equal(fixture_claim(f, "w").kind, JOB_POSTER);
    assert_string_equal(fixture_claim(f, "w").rendition, "360p");
    assert_string_equal(fixture_claim(f, "w").rendition, "audio-0");
    assert_int_equal(fixture_claim(f, "w").kind, JOB_COPY);
    assert_int_equal(fixture_claim(f, "w").kind, JOB_STORYBOARD);
    struct job ladder = fixture_claim(f, "w");
    assert_int_equal(ladder.kind, JOB_LADDER);
    assert_string_equal(ladder.rendition, "720p");
    assert_nothing_due(f);
    assert_int_equal(renditions_of(f, v.id, all), 4);
    assert_true(all[1].copied && all[1].extra && !all[0].extra);
    assert_int_equal(all[2].max_bitrate, 2000000);
}

static void a_video_is_ready_without_what_is_extra(void **state)
{
    struct fixture *f = *state;
    struct video v = planned(f);
    bool ready = false;

    claim_of(f, JOB_COPY);
    claim_of(f, JOB_LADDER);
    struct job picture = claim_of(f, JOB_ENCODE), sound = claim_of(f, JOB_ENCODE);
    finish(f, &picture, &ready);
    assert_false(ready);
    finish(f, &sound, &ready);
    assert_true(ready);
    assert_int_equal(fixture_get(f, v.id).state, VIDEO_READY);
}

static void an_offer_is_promised_and_can_be_cut_again(void **state)
{
    struct fixture *f = *state;
    struct rendition all[STORE_RENDITIONS_MAX], r;
    struct video v = planned(f);
    struct job job = claim_of(f, JOB_COPY);
    uint8_t *bytes;
    size_t n;

    assert_int_equal(store_bounds(f->st, v.id, "source", &bytes, &n), RC_NOT_FOUND);
    renditions_of(f, v.id, all);
    r = all[1];
    assert_int_equal(store_job_offer(f->st, &job, &r, bounds, 20), RC_INVALID);
    r.segments = 3;
    r.frames = 310;
    r.bitrate = 9;
    r.average_bitrate = 8;
    strcpy(r.codecs, "avc1.640028");
    assert_int_equal(store_job_offer(f->st, &job, &r, bounds, 20), RC_OK);
    assert_int_equal(store_bounds(f->st, v.id, "source", &bytes, &n), RC_OK);
    assert_int_equal(n, 20);
    assert_memory_equal(bytes, bounds, 20);
    free(bytes);
    renditions_of(f, v.id, all);
    assert_int_equal(all[1].segments, 3);
    assert_int_equal(all[1].average_bitrate, 8);
    assert_string_equal(all[1].codecs, "avc1.640028");
    bool ready = false;
    finish(f, &job, &ready);
    assert_false(ready);
    renditions_of(f, v.id, all);
    assert_int_equal(all[1].done, 3);
}

static void only_a_copy_job_can_offer(void **state)
{
    struct fixture *f = *state;
    struct rendition r = rich_plan(1).renditions[2];
    struct job job;

    planned(f);
    job = claim_of(f, JOB_LADDER);
    r.segments = 3;
    assert_int_equal(store_job_offer(f->st, &job, &r, bounds, 20), RC_INVALID);
    job = claim_of(f, JOB_COPY);
    assert_int_equal(store_job_release(f->st, &job), RC_OK);
    claim_of(f, JOB_COPY);
    assert_int_equal(store_job_offer(f->st, &job, &r, bounds, 20), RC_FENCED);
}

static void what_cannot_be_copied_says_why_and_has_rungs_instead(void **state)
{
    struct fixture *f = *state;
    struct video v = planned(f);
    struct job job = claim_of(f, JOB_COPY);
    struct video_plan extras = {.n_renditions = 2};
    struct rendition all[STORE_RENDITIONS_MAX];
    bool ready = false;
    size_t n = 0;

    extras.renditions[0] = extras.renditions[1] = rich_plan(1).renditions[3];
    strcpy(extras.renditions[0].name, "1080p");
    assert_int_equal(store_job_instead(f->st, &job, "It is too long.", &extras, &ready),
                     RC_OK);
    assert_false(ready);
    assert_string_equal(fixture_get(f, v.id).copy_refused, "It is too long.");
    assert_string_equal(fixture_get(f, v.id).warning, "");
    assert_false(has(f, v.id, "source"));
    assert_true(has(f, v.id, "1080p"));
    /* Whatever is added, the first one stays the first. */
    assert_int_equal(store_renditions(f->st, v.id, all, &n), RC_OK);
    assert_string_equal(all[0].name, "360p");
    /* The rung that was there keeps the job that it had. */
    assert_string_equal(claim_of(f, JOB_LADDER).rendition, "720p");
    assert_string_equal(claim_of(f, JOB_LADDER).rendition, "1080p");
    assert_int_equal(store_job_claim(f->st, "w", 1000, STORE_KIND(JOB_LADDER), &job),
                     RC_NOT_FOUND);
}

static void what_is_extra_takes_no_video_with_it(void **state)
{
    struct fixture *f = *state;
    struct video v = planned(f);
    struct job copy = claim_of(f, JOB_COPY), ladder = claim_of(f, JOB_LADDER);
    bool ready = false;

    assert_int_equal(store_job_without(f->st, &copy, "No.", &ready), RC_OK);
    assert_int_equal(store_job_without(f->st, &ladder, "No.", &ready), RC_OK);
    assert_false(has(f, v.id, "source"));
    assert_false(has(f, v.id, "720p"));
    assert_int_equal(fixture_get(f, v.id).state, VIDEO_PROCESSING);
    assert_string_equal(fixture_get(f, v.id).warning, "");
    assert_string_equal(fixture_get(f, v.id).copy_refused, "No.");
}

/* It would leave a video without what comes in place of a copy. */
static void what_is_extra_ends_in_one_way(void **state)
{
    struct fixture *f = *state;
    struct video v = planned(f);
    struct job copy = claim_of(f, JOB_COPY), ladder = claim_of(f, JOB_LADDER);

    assert_int_equal(store_job_fail(f->st, &copy, "No."), RC_INVALID);
    assert_int_equal(store_job_fail(f->st, &ladder, "No."), RC_INVALID);
    assert_int_equal(store_job_check(f->st, &copy), RC_OK);
    assert_true(has(f, v.id, "source"));
    assert_true(has(f, v.id, "720p"));
}

/* Nobody would make it. */
static void a_rung_that_was_given_up_is_not_added_again(void **state)
{
    struct fixture *f = *state;
    struct video v = planned(f);
    struct job copy = claim_of(f, JOB_COPY), ladder = claim_of(f, JOB_LADDER), job;
    struct video_plan extras = {.n_renditions = 2};
    bool ready = false;

    assert_int_equal(store_job_without(f->st, &ladder, "No.", &ready), RC_OK);
    extras.renditions[0] = extras.renditions[1] = rich_plan(1).renditions[3];
    strcpy(extras.renditions[0].name, "1080p");
    assert_int_equal(store_job_instead(f->st, &copy, "No.", &extras, &ready), RC_OK);
    assert_false(has(f, v.id, "720p"));
    assert_true(has(f, v.id, "1080p"));
    assert_string_equal(claim_of(f, JOB_LADDER).rendition, "1080p");
    assert_int_equal(store_job_claim(f->st, "w", 1000, STORE_KIND(JOB_LADDER), &job),
                     RC_NOT_FOUND);
}

static void a_rung_that_is_whole_is_not_made_again(void **state)
{
    struct fixture *f = *state;
    struct video v = planned(f);
    struct job copy = claim_of(f, JOB_COPY), ladder = claim_of(f, JOB_LADDER), job;
    struct video_plan extras = {.n_renditions = 1};
    struct rendition all[STORE_RENDITIONS_MAX];
    bool ready = false;

    finish(f, &ladder, &ready);
    extras.renditions[0] = rich_plan(1).renditions[3];
    assert_int_equal(store_job_instead(f->st, &copy, "No.", &extras, &ready), RC_OK);
    renditions_of(f, v.id, all);
    assert_string_equal(all[1].name, "720p");
    assert_int_equal(all[1].done, all[1].segments);
    assert_int_equal(store_job_claim(f->st, "w", 1000, STORE_KIND(JOB_LADDER), &job),
                     RC_NOT_FOUND);
}

/* Such a reason has the words of a program in it. */
static void a_reason_is_text(void **state)
{
    struct fixture *f = *state;
    struct video v = planned(f);
    struct job copy = claim_of(f, JOB_COPY);
    struct video_plan none = {.n_renditions = 0};
    bool ready = false;

    assert_int_equal(store_job_instead(f->st, &copy, "No:\n\xff", &none, &ready),
                     RC_OK);
    assert_string_equal(fixture_get(f, v.id).copy_refused, "No: \xef\xbf\xbd");
}

static void extras_of_a_video_that_arrives_wait_until_it_is_whole(void **state)
{
    struct fixture *f = *state;
    struct video_plan plan = rich_plan(1), early = rich_plan(1);
    struct rendition all[STORE_RENDITIONS_MAX];
    struct video v = fixture_receiving(f, "arriving");
    bool ready = false;

    early.n_renditions = 3; /* its rung was not known of then */
    store_video_header_arrived(f->st, v.id);
    struct job probe = fixture_claim(f, "w");
    assert_int_equal(store_job_planned(f->st, &probe, &early), RC_OK);
    claim_of(f, JOB_ENCODE);
    claim_of(f, JOB_ENCODE);
    assert_nothing_due(f);
    assert_int_equal(store_video_stored(f->st, v.id, 1000, &v), RC_OK);
    probe = claim_of(f, JOB_PROBE);
    assert_int_equal(store_job_confirmed(f->st, &probe, &plan, &ready), RC_OK);
    assert_int_equal(renditions_of(f, v.id, all), 4);
    assert_string_equal(claim_of(f, JOB_COPY).rendition, "source");
    assert_string_equal(claim_of(f, JOB_LADDER).rendition, "720p");
}

/* A header may not tell how many bits there are; and what it tells may be wrong. */
static void a_copy_is_as_the_whole_file_has_it(void **state)
{
    struct fixture *f = *state;
    struct video_plan early = rich_plan(1), plan = rich_plan(1);
    struct rendition all[STORE_RENDITIONS_MAX];
    struct job probe, job;
    bool ready = false;

    for (int has_copy = 1; has_copy >= 0; has_copy--) {
        struct video v = fixture_receiving(f, "arriving");
        plan.renditions[2].bitrate = 5000000;
        if (!has_copy)
            plan.renditions[2] = plan.renditions[--plan.n_renditions];
        store_video_header_arrived(f->st, v.id);
        probe = claim_of(f, JOB_PROBE);
        assert_int_equal(store_job_planned(f->st, &probe, &early), RC_OK);
        assert_int_equal(store_video_stored(f->st, v.id, 1000, &v), RC_OK);
        probe = claim_of(f, JOB_PROBE);
        assert_int_equal(store_job_confirmed(f->st, &probe, &plan, &ready), RC_OK);
        assert_int_equal(has(f, v.id, "source"), has_copy);
        if (has_copy) {
            renditions_of(f, v.id, all);
            assert_int_equal(all[1].bitrate, 5000000);
            claim_of(f, JOB_COPY);
        }
    }
    assert_int_equal(store_job_claim(f->st, "w", 1000, STORE_KIND(JOB_COPY), &job),
                     RC_NOT_FOUND);
}

/* What nobody would make must not be left waiting for its turn. */
static void a_rung_that_the_whole_file_is_too_poor_for_goes(void **state)
{
    struct fixture *f = *state;
    struct video_plan early = rich_plan(1), plan = rich_plan(1);
    struct video v = fixture_receiving(f, "arriving");
    struct job probe, job;
    bool ready = false;

    early.renditions[3].segments = 0; /* of unknown length */
    plan.n_renditions = 3;
    store_video_header_arrived(f->st, v.id);
    probe = fixture_claim(f, "w");
    assert_int_equal(store_job_planned(f->st, &probe, &early), RC_OK);
    assert_true(has(f, v.id, "720p"));
    assert_int_equal(store_video_stored(f->st, v.id, 1000, &v), RC_OK);
    probe = claim_of(f, JOB_PROBE);
    assert_int_equal(store_job_confirmed(f->st, &probe, &plan, &ready), RC_OK);
    assert_false(has(f, v.id, "720p"));
    assert_string_equal(claim_of(f, JOB_COPY).rendition, "source");
    assert_int_equal(store_job_claim(f->st, "w", 1000, STORE_KIND(JOB_LADDER), &job),
                     RC_NOT_FOUND);
}

static void what_is_extra_is_begun_anew_alone(void **state)
{
    struct fixture *f = *state;
    struct rendition all[STORE_RENDITIONS_MAX], r;
    struct video v = planned(f);
    struct job copy = claim_of(f, JOB_COPY), ladder = claim_of(f, JOB_LADDER), late;
    uint8_t *bytes;
    size_t n;

    renditions_of(f, v.id, all);
    r = all[1];
    r.segments = r.frames = 3;
    assert_int_equal(store_job_offer(f->st, &copy, &r, bounds, 20), RC_OK);
    assert_int_equal(published(f->st, &copy, 2), RC_OK);
    assert_int_equal(published(f->st, &ladder, 4), RC_OK);
    late = ladder;
    assert_int_equal(store_job_anew(f->st, &ladder), RC_OK);
    assert_int_equal(store_job_anew(f->st, &copy), RC_OK);
    assert_int_equal(store_job_anew(f->st, &late), RC_FENCED);
    renditions_of(f, v.id, all);
    assert_int_equal(all[0].generation, 1);
    assert_true(all[1].copied && all[1].generation == 2);
    assert_int_equal(all[1].segments, 0);
    assert_int_equal(all[1].done, 0);
    assert_int_equal(store_bounds(f->st, v.id, "source", &bytes, &n), RC_NOT_FOUND);
    assert_int_equal(all[2].generation, 2);
    assert_int_equal(all[2].segments, 7);
    assert_int_equal(all[2].done, 0);
    ladder = claim_of(f, JOB_LADDER);
    assert_int_equal(ladder.failures + ladder.lost, 0);
    assert_int_equal(claim_of(f, JOB_COPY).failures, 0);
    assert_int_equal(fixture_get(f, v.id).state, VIDEO_PROCESSING);
}

static void what_a_video_is_ready_with_is_not_begun_anew_alone(void **state)
{
    struct fixture *f = *state;
    struct video v = planned(f);
    struct job encode = claim_of(f, JOB_ENCODE), ladder = claim_of(f, JOB_LADDER);

    assert_int_equal(store_job_anew(f->st, &encode), RC_INVALID);
    assert_int_equal(store_job_check(f->st, &encode), RC_OK);
    assert_int_equal(store_video_delete(f->st, v.id, &v), RC_OK);
    assert_int_equal(store_job_anew(f->st, &ladder), RC_FENCED);
}

/* A copy that takes its worker with it while it is looked at is given up in the end. */
static void a_worker_that_dies_while_it_looks_counts(void **state)
{
    struct fixture *f = *state;

    planned(f);
    claim_of(f, JOB_COPY);
    fixture_tick(f, 31000);
    assert_int_equal(claim_of(f, JOB_COPY).lost, 1);
    claim_of(f, JOB_LADDER);
    fixture_tick(f, 31000);
    assert_int_equal(claim_of(f, JOB_LADDER).lost, 0); /* had no run */
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, fixture_setup, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_plan_queues_a_copy_and_the_ladder_beside_its_encodes),
        TEST(a_video_is_ready_without_what_is_extra),
        TEST(an_offer_is_promised_and_can_be_cut_again),
        TEST(only_a_copy_job_can_offer),
        TEST(what_cannot_be_copied_says_why_and_has_rungs_instead),
        TEST(what_is_extra_takes_no_video_with_it),
        TEST(what_is_extra_ends_in_one_way),
        TEST(a_rung_that_was_given_up_is_not_added_again),
        TEST(a_rung_that_is_whole_is_not_made_again),
        TEST(a_reason_is_text),
        TEST(extras_of_a_video_that_arrives_wait_until_it_is_whole),
        TEST(a_copy_is_as_the_whole_file_has_it),
        TEST(a_rung_that_the_whole_file_is_too_poor_for_goes),
        TEST(what_is_extra_is_begun_anew_alone),
        TEST(what_a_video_is_ready_with_is_not_begun_anew_alone),
        TEST(a_worker_that_dies_while_it_looks_counts),
    };

    return cmocka_run_group_tests_name("store_copies", tests, NULL, NULL);
}
