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

/* Or the next plan would be the same. */
static void sound_that_came_out_wrong_is_remembered(void **state)
{
    struct fixture *f = *state;
    struct video_plan plan = copied_sound();
    struct video v = fixture_stored(f, "clip");
    struct job job = fixture_claim(f, "w");

    assert_int_equal(store_job_planned(f->st, &job, &plan), RC_OK);
    assert_int_equal(store_job_encode_sound(f->st, &job), RC_INVALID);
    assert_false(fixture_get(f, v.id).encodes_sound);
    job = claim_encode(f);
    assert_int_equal(store_job_encode_sound(f->st, &job), RC_OK);
    assert_true(fixture_get(f, v.id).encodes_sound);
    assert_int_equal(store_job_plan_again(f->st, &job, "No.", false), RC_OK);
    assert_true(fixture_get(f, v.id).encodes_sound);
    assert_int_equal(store_job_encode_sound(f->st, &job), RC_FENCED);
}

/* Whoever is killed here leaves it planned, or planned again, and never failed. */
static void a_video_is_planned_again_in_one_step(void **state)
{
    struct fixture *f = *state;
    struct video_plan plan = copied_sound();
    struct video v = fixture_stored(f, "clip");
    struct job job = fixture_claim(f, "w"), other;

    assert_int_equal(store_job_plan_again(f->st, &job, "No.", true), RC_INVALID);
    assert_int_equal(store_job_planned(f->st, &job, &plan), RC_OK);
    job = claim_encode(f);
    other = claim_encode(f);
    assert_int_equal(store_job_plan_again(f->st, &job, "No.", true), RC_OK);
    assert_int_equal(fixture_get(f, v.id).state, VIDEO_STORED);
    assert_true(fixture_get(f, v.id).encodes_sound);
    assert_string_equal(fixture_get(f, v.id).error, "");
    assert_int_equal(n_renditions(f, v.id), 2); /* it plays on meanwhile */
    assert_int_equal(store_job_check(f->st, &other), RC_FENCED);
    assert_int_equal(store_job_plan_again(f->st, &job, "No.", true), RC_FENCED);
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
    assert_int_equal(store_job_plan_again(f->st, &job, "No.", false), RC_OK);
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
        TEST(sound_that_came_out_wrong_is_remembered),
        TEST(a_video_is_planned_again_in_one_step),
        TEST(what_is_receiving_is_planned_again_when_it_is_whole),
    };

    return cmocka_run_group_tests_name("store_sound", tests, NULL, NULL);
}
