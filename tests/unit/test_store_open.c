/* Videos whose length nobody knows before their last byte is there. */
#include "check.h"

#include "store_fixture.h"

/* An open-ended video that is receiving, with the jobs of its picture and sound. */
static struct video planned_open(struct fixture *f, struct job *picture,
                                 struct job *sound)
{
    struct video v = fixture_receiving(f, "clip");
    struct video_plan plan = fixture_plan(1);

    plan.duration_us = -1;
    for (size_t i = 0; i < plan.n_renditions; i++) {
        plan.renditions[i].segments = 2;
        plan.renditions[i].frames = 2 * plan.renditions[i].gop;
    }
    assert_int_equal(store_video_header_arrived(f->st, v.id), RC_OK);
    struct job job = fixture_claim(f, "w");
    assert_int_equal(store_job_planned(f->st, &job, &plan), RC_OK);
    *picture = fixture_claim(f, "w");
    *sound = fixture_claim(f, "w");
    return fixture_get(f, v.id);
}

static struct rendition rendition_of(struct fixture *f, const struct job *job)
{
    struct rendition all[STORE_RENDITIONS_MAX];
    size_t n = 0;
    assert_int_equal(store_renditions(f->st, job->video_id, all, &n), RC_OK);
    for (size_t i = 0; i < n; i++)
        if (strcmp(all[i].name, job->rendition) == 0)
            return all[i];
    fail();
    return all[0];
}

static void an_open_ended_timeline_grows_until_it_ends(void **state)
{
    struct fixture *f = *state;
    struct job picture, sound;
    struct video v = planned_open(f, &picture, &sound);
    bool ready = false;
    uint8_t bits[] = {0x03};

    assert_int_equal(v.duration_us, -1);
    assert_int_equal(
        store_job_published(f->st, &picture,
                            &(struct readiness){.bits = bits, .n_bytes = 1, .done = 2}),
        RC_OK);
    assert_int_equal(published(f->st, &picture, 3), RC_INVALID); /* not promised yet */
    assert_int_equal(store_job_promise(f->st, &picture, 12), RC_OK);
    assert_int_equal(store_job_promise(f->st, &picture, 7),
                     RC_OK); /* nothing shrinks */
    struct rendition r = rendition_of(f, &picture);
    assert_int_equal(r.segments, 12);
    assert_int_equal(r.frames, 12 * r.gop);
    assert_int_equal(rendition_of(f, &sound).segments, 2);

    struct video_plan plan = fixture_plan(1);
    plan.renditions[1].frames = 12 * r.gop + 7;
    plan.renditions[1].segments = 13;
    assert_int_equal(store_video_stored(f->st, v.id, 1000, &v), RC_OK);
    assert_int_equal(v.state, VIDEO_PROCESSING);
    assert_int_equal(v.duration_us, -1);
    assert_int_equal(store_job_promise(f->st, &picture, 12), RC_OK);
    struct job probe = fixture_claim(f, "w");
    assert_int_equal(store_job_confirmed(f->st, &probe, &plan, &ready), RC_OK);
    assert_false(ready);
    v = fixture_get(f, v.id);
    assert_int_equal(v.duration_us, plan.duration_us);
    r = rendition_of(f, &picture);
    assert_int_equal(r.segments, 13);
    assert_int_equal(r.frames, 12 * r.gop + 7);
    assert_int_equal(r.done, 2);
    assert_int_equal(store_job_promise(f->st, &picture, 20), RC_CONFLICT);
    assert_int_equal(store_job_promise(f->st, &probe, 20), RC_INVALID);
}

static enum rc take_readiness(void *arg, const struct rendition *r,
                              const struct readiness *ready)
{
    size_t *n_bytes = arg;
    if (r->kind != RENDITION_VIDEO)
        return RC_OK;
    assert_int_equal(ready->done, 1);
    assert_non_null(ready->bits);
    assert_int_equal(ready->bits[0], 0x02);
    *n_bytes = ready->n_bytes;
    return RC_OK;
}

/* What exists is not forgotten when more is promised. */
static void readiness_outlives_growth(void **state)
{
    struct fixture *f = *state;
    struct job picture, sound;
    struct video v = planned_open(f, &picture, &sound);
    uint8_t bits[] = {0x02};
    size_t n_bytes = 0;

    assert_int_equal(
        store_job_published(f->st, &picture,
                            &(struct readiness){.bits = bits, .n_bytes = 1, .done = 1}),
        RC_OK);
    assert_int_equal(store_job_promise(f->st, &picture, 40), RC_OK);
    assert_int_equal(store_readiness(f->st, v.id, take_readiness, &n_bytes), RC_OK);
    assert_int_equal(n_bytes, 1);
}

/* Whoever planned it while it was being stored comes too late. */
static void a_whole_file_has_a_length(void **state)
{
    struct fixture *f = *state;
    struct video v = fixture_receiving(f, "clip");
    struct video_plan plan = fixture_plan(1);

    assert_int_equal(store_video_stored(f->st, v.id, 1000, &v), RC_OK);
    struct job probe = fixture_claim(f, "w");
    plan.duration_us = -1;
    assert_int_equal(store_job_planned(f->st, &probe, &plan), RC_INVALID);
    plan.duration_us = 0;
    assert_int_equal(store_job_planned(f->st, &probe, &plan), RC_INVALID);
    plan.duration_us = 12400000;
    assert_int_equal(store_job_planned(f->st, &probe, &plan), RC_OK);
}

#define TEST(name)                                                                     \
    cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(an_open_ended_timeline_grows_until_it_ends),
        TEST(readiness_outlives_growth),
        TEST(a_whole_file_has_a_length),
    };

    return cmocka_run_group_tests_name("store_open", tests, NULL, NULL);
}
