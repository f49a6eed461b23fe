/* test_store_sound.c: sound that is copied, and what becomes of it where it cannot be.
 */
#include "check.h"

#include "store_fixture.h"

#include <stdlib.h>
#include <string.h>

static const uint8_t bounds[20] = {1, 2, 3};

/* The plan of the fixture, whose sound is a copy. */
static struct video_plan copied_sound(void)
{
    struct video_plan plan = fixture_plan(1);

    for (size_t i = 0; i < plan.n_renditions; i++) {
        if (plan.renditions[i].kind != RENDITION_AUDIO)
            continue;
        plan.renditions[i].copied = true;
        plan.renditions[i].channels = 1;
        plan.bounds[i].bytes = bounds;
        plan.bounds[i].n = sizeof(bounds);
    }
    return plan;
}

static struct job claim_encode(struct fixture *f)
{
    struct job job;

    assert_int_equal(store_job_claim(f->st, "w", 30000, STORE_KIND(JOB_ENCODE), &job),
                     RC_OK);
    return job;
}

static size_t n_renditions(struct fixture *f, const char *id)
{
    struct rendition all[STORE_RENDITIONS_MAX];
    size_t n = 0;

    assert_int_equal(store_renditions(f->st, id, all, &n), RC_OK);
    return n;
}

static void sound_that_is_copied_is_planned_with_its_bounds(void **state)
{
    struct fixture *f = *state;
    struct video_plan plan = copied_sound(), bare = copied_sound();
    struct video v = fixture_stored(f, "clip");
    struct job probe = fixture_claim(f, "w");
    struct rendition all[STORE_RENDITIONS_MAX];
    uint8_t *bytes;
    size_t n;

    memset(bare.bounds, 0, sizeof(bare.bounds));
    assert_int_equal(store_job_planned(f->st, &probe, &bare), RC_INVALID);
    assert_int_equal(store_job_planned(f->st, &probe, &plan), RC_OK);
    assert_int_equal(store_bounds(f->st, v.id, "audio-0", &bytes, &n), RC_OK);
    assert_int_equal(n, sizeof(bounds));
    assert_memory_equal(bytes, bounds, n);
    free(bytes);
    assert_int_equal(store_renditions(f->st, v.id, all, &n), RC_OK);
    assert_int_equal(n, 2);
    assert_true(all[1].copied && !all[1].extra);
    assert_int_equal(all[1].channels, 1);
    assert_string_equal(claim_encode(f).rendition, "360p");
    assert_string_equal(claim_encode(f).rendition, "audio-0");
}

/* Another sound that is copied, and one that is encoded, behind those of the plan. */
static void add_sounds(struct video_plan *plan)
{
    size_t n = plan->n_renditions;

    for (size_t i = 0; i < 2; i++) {
        struct rendition *r = &plan->renditions[n + i];
        *r = plan->renditions[0];
        snprintf(r->name, sizeof(r->name), "audio-%zu", i + 1);
        r->copied = i == 0;
    }
    plan->bounds[n] = plan->bounds[0];
    plan->n_renditions += 2;
}

static struct rendition encoded_sound(void)
{
    struct rendition r = {.codecs = "mp4a.40.2",
                          .channels = 2,
                          .bitrate = 128000,
                          .rate_num = 375,
                          .rate_den = 8,
                          .gop = 192,
                          .frames = 600,
                          .segments = 4};

    return r;
}

static struct job claim_named(struct fixture *f, const char *rendition)
{
    struct job job = claim_encode(f);

    assert_string_equal(job.rendition, rendition);
    return job;
}

/* What is made of the picture goes on, and so does sound that was encoded anyway. */
static void
sound_that_cannot_be_copied_is_encoded_and_nothing_else_made_again(void **state)
{
    struct fixture *f = *state;
    struct video_plan plan = copied_sound();
    struct rendition encoded = encoded_sound(), all[STORE_RENDITIONS_MAX];
    struct job_result result = {.bitrate = 1};
    struct video v = fixture_stored(f, "clip");
    struct job job = fixture_claim(f, "w");
    uint8_t *bytes;
    bool ready = false;
    size_t n;

    add_sounds(&plan);
    assert_int_equal(store_job_planned(f->st, &job, &plan), RC_OK);
    assert_int_equal(store_job_encode_sounds(f->st, &job, &encoded, "No."), RC_INVALID);
    struct job picture = claim_named(f, "360p");
    struct job bad = claim_named(f, "audio-0"), good = claim_named(f, "audio-1");
    struct job other = claim_named(f, "audio-2");
    assert_int_equal(published(f->st, &picture, 3), RC_OK);
    assert_int_equal(published(f->st, &bad, 2), RC_OK);

    assert_int_equal(store_job_encode_sounds(f->st, &bad, &encoded, "No."), RC_OK);
    assert_true(fixture_get(f, v.id).encodes_sound);
    assert_int_equal(fixture_get(f, v.id).state, VIDEO_PROCESSING);
    assert_true(fixture_get(f, v.id).playable);
    assert_int_equal(store_job_check(f->st, &bad), RC_FENCED);
    assert_int_equal(store_job_check(f->st, &good), RC_FENCED);
    assert_int_equal(store_job_check(f->st, &other), RC_OK);
    assert_int_equal(store_renditions(f->st, v.id, all, &n), RC_OK);
    assert_int_equal(n, 4);
    assert_int_equal(all[0].generation, 1);
    assert_int_equal(all[0].done, 3);
    for (int i = 1; i < 3; i++) {
        assert_int_equal(all[i].generation, 2);
        assert_false(all[i].copied);
        assert_int_equal(all[i].done, 0);
        assert_int_equal(all[i].frames, 600);
        assert_int_equal(all[i].channels, 2);
        assert_int_equal(all[i].stream, plan.renditions[0].stream);
    }
    assert_int_equal(all[3].generation, 1);
    assert_int_equal(store_bounds(f->st, v.id, "audio-0", &bytes, &n), RC_NOT_FOUND);

    /* It is ready with what is made now, and not before. */
    assert_int_equal(store_job_done(f->st, &picture, &result, &ready), RC_OK);
    assert_int_equal(store_job_done(f->st, &other, &result, &ready), RC_OK);
    job = claim_named(f, "audio-0");
    assert_int_equal(store_job_done(f->st, &job, &result, &ready), RC_OK);
    assert_false(ready);
    job = claim_named(f, "audio-1");
    assert_int_equal(store_job_encode_sounds(f->st, &job, &encoded, "No."), RC_INVALID);
    assert_int_equal(store_job_done(f->st, &job, &result, &ready), RC_OK);
    assert_true(ready);
}

/* Likewise while the file comes in; and what is promised then is kept. */
static void also_of_what_is_receiving(void **state)
{
    struct fixture *f = *state;
    struct video_plan plan = copied_sound();
    struct rendition encoded = encoded_sound();
    struct video v = fixture_receiving(f, "arriving");
    struct job job;

    store_video_header_arrived(f->st, v.id);
    job = fixture_claim(f, "w");
    assert_int_equal(store_job_planned(f->st, &job, &plan), RC_OK);
    claim_named(f, "360p");
    job = claim_named(f, "audio-0");
    assert_int_equal(store_job_encode_sounds(f->st, &job, &encoded, "No."), RC_OK);
    assert_int_equal(fixture_get(f, v.id).state, VIDEO_RECEIVING);
    claim_named(f, "audio-0");
    assert_int_equal(store_video_stored(f->st, v.id, 1000, &v), RC_OK);
    assert_int_equal(v.state, VIDEO_PROCESSING);
}

/* Whoever is killed here leaves it planned, or planned again, and never failed. */
static void a_video_is_planned_again_in_one_step(void **state)
{
    struct fixture *f = *state;
    struct video_plan plan = copied_sound();
    struct video v = fixture_stored(f, "clip");
    struct job job = fixture_claim(f, "w"), other;

    assert_int_equal(store_job_plan_again(f->st, &job, "No."), RC_INVALID);
    assert_int_equal(store_job_planned(f->st, &job, &plan), RC_OK);
    job = claim_encode(f);
    other = claim_encode(f);
    assert_int_equal(store_job_plan_again(f->st, &job, "No."), RC_OK);
    assert_int_equal(fixture_get(f, v.id).state, VIDEO_STORED);
    assert_string_equal(fixture_get(f, v.id).error, "");
    assert_int_equal(n_renditions(f, v.id), 2); /* it plays on meanwhile */
    assert_int_equal(store_job_check(f->st, &other), RC_FENCED);
    assert_int_equal(store_job_plan_again(f->st, &job, "No."), RC_FENCED);
    assert_int_equal(fixture_claim(f, "w").kind, JOB_PROBE);
    assert_nothing_due(f);
}

static void what_is_receiving_is_planned_again_when_it_is_whole(void **state)
{
    struct fixture *f = *state;
    struct video_plan plan = copied_sound();
    struct video v = fixture_receiving(f, "arriving");
    struct job job;

    store_video_header_arrived(f->st, v.id);
    job = fixture_claim(f, "w");
    assert_int_equal(store_job_planned(f->st, &job, &plan), RC_OK);
    job = claim_encode(f);
    assert_int_equal(store_job_plan_again(f->st, &job, "No."), RC_OK);
    assert_int_equal(fixture_get(f, v.id).state, VIDEO_RECEIVING);
    assert_nothing_due(f);
    /* Or what was promised would be confirmed, and nobody there to make it. */
    assert_int_equal(store_video_stored(f->st, v.id, 1000, &v), RC_OK);
    assert_int_equal(v.state, VIDEO_STORED);
    assert_int_equal(fixture_claim(f, "w").kind, JOB_PROBE);
    assert_nothing_due(f);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, fixture_setup, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(sound_that_is_copied_is_planned_with_its_bounds),
        TEST(sound_that_cannot_be_copied_is_encoded_and_nothing_else_made_again),
        TEST(also_of_what_is_receiving),
        TEST(a_video_is_planned_again_in_one_step),
        TEST(what_is_receiving_is_planned_again_when_it_is_whole),
    };

    return cmocka_run_group_tests_name("store_sound", tests, NULL, NULL);
}
