/* test_store_pictures.c: the poster that somebody chose, and the storyboard. */
#include "check.h"

#include "store_fixture.h"
#include "store_pictures.h"

static struct job claim_kind(struct fixture *f, enum job_kind kind)
{
    struct job job;

    assert_int_equal(store_job_claim(f->st, "w", 30000, STORE_KIND(kind), &job), RC_OK);
    return job;
}

static void end_poster(struct fixture *f, const struct job *job, bool dull)
{
    struct job_result result = {.poster_made = true, .poster_dull = dull};
    bool ready;

    assert_int_equal(store_job_done(f->st, job, &result, &ready), RC_OK);
}

/* ---- the poster --------------------------------------------------------- */

static void each_poster_has_a_number_of_its_own(void **state)
{
    struct fixture *f = *state;
    struct video v = fixture_planned(f, "clip");
    struct job job = claim_kind(f, JOB_POSTER);

    assert_int_equal(fixture_get(f, v.id).poster_version, 0);
    end_poster(f, &job, false);
    assert_int_equal(fixture_get(f, v.id).poster_version, 1);
    assert_int_equal(fixture_get(f, v.id).poster_at_us, -1);
    assert_int_equal(store_video_choose_poster(f->st, v.id, 5000000), RC_OK);
    v = fixture_get(f, v.id);
    assert_true(v.has_poster); /* the old one, until the new one is made */
    assert_int_equal(v.poster_version, 1);
    assert_int_equal(v.poster_at_us, 5000000);
    job = claim_kind(f, JOB_POSTER);
    end_poster(f, &job, false);
    assert_int_equal(fixture_get(f, v.id).poster_version, 2);
}

static void the_poster_chosen_last_is_the_one_that_is_made(void **state)
{
    struct fixture *f = *state;
    struct video v = fixture_planned(f, "clip");
    struct job first = claim_kind(f, JOB_POSTER), second;

    assert_int_equal(store_video_choose_poster(f->st, v.id, 1000000), RC_OK);
    assert_fenced(f, &first);
    second = claim_kind(f, JOB_POSTER);
    assert_int_equal(store_video_choose_poster(f->st, v.id, 2000000), RC_OK);
    assert_fenced(f, &second);
    assert_int_equal(fixture_get(f, v.id).poster_at_us, 2000000);
    first = claim_kind(f, JOB_POSTER);
    end_poster(f, &first, false);
    assert_int_equal(
        store_job_claim(f->st, "w", 30000, STORE_KIND(JOB_POSTER), &second),
        RC_NOT_FOUND);
}

static void what_is_not_there_cannot_be_chosen(void **state)
{
    struct fixture *f = *state;
    struct video v = fixture_receiving(f, "clip");
    struct video_plan plan = fixture_plan(1);
    struct job job;

    assert_int_equal(store_video_choose_poster(f->st, "aaaaaaaaaaaaaaaa", 0),
                     RC_NOT_FOUND);
    assert_int_equal(store_video_choose_poster(f->st, v.id, -1), RC_INVALID);
    assert_int_equal(store_video_choose_poster(f->st, v.id, 0), RC_CONFLICT);
    assert_int_equal(store_video_header_arrived(f->st, v.id), RC_OK);
    job = fixture_claim(f, "w");
    assert_int_equal(store_job_planned(f->st, &job, &plan), RC_OK);
    assert_int_equal(store_video_arrived(f->st, v.id, 4000000), RC_OK);
    assert_int_equal(store_video_choose_poster(f->st, v.id, 4000001), RC_CONFLICT);
    assert_int_equal(store_video_choose_poster(f->st, v.id, plan.duration_us + 1),
                     RC_INVALID);
    assert_int_equal(fixture_get(f, v.id).poster_at_us, -1);
    assert_int_equal(store_video_choose_poster(f->st, v.id, 4000000), RC_OK);
    assert_int_equal(claim_kind(f, JOB_POSTER).fence, 1);
}

static void a_failed_video_takes_no_choice(void **state)
{
    struct fixture *f = *state;
    struct video v = fixture_planned(f, "clip");
    struct job job = claim_kind(f, JOB_ENCODE);

    assert_int_equal(store_job_fail(f->st, &job, "x"), RC_OK);
    assert_int_equal(store_video_choose_poster(f->st, v.id, 0), RC_CONFLICT);
}

static void a_choice_outlives_the_plan(void **state)
{
    struct fixture *f = *state;
    struct video v = fixture_planned(f, "clip");
    struct video_plan plan = fixture_plan(2);
    struct job job;

    assert_int_equal(store_video_choose_poster(f->st, v.id, 7000000), RC_OK);
    job = claim_kind(f, JOB_ENCODE);
    assert_int_equal(store_job_fail(f->st, &job, "x"), RC_OK);
    assert_int_equal(store_video_retry(f->st, v.id), RC_OK);
    job = fixture_claim(f, "w");
    assert_int_equal(store_job_planned(f->st, &job, &plan), RC_OK);
    assert_int_equal(fixture_get(f, v.id).poster_at_us, 7000000);
    assert_string_equal(claim_kind(f, JOB_POSTER).video_id, v.id);
}

static void a_dull_poster_of_a_part_is_made_again_of_the_whole(void **state)
{
    struct fixture *f = *state;
    struct video v = fixture_receiving(f, "clip");
    struct video_plan plan = fixture_plan(1);
    struct job job;

    assert_int_equal(store_video_header_arrived(f->st, v.id), RC_OK);
    job = fixture_claim(f, "w");
    assert_int_equal(store_job_planned(f->st, &job, &plan), RC_OK);
    assert_int_equal(store_video_picture_arrived(f->st, v.id), RC_OK);
    job = claim_kind(f, JOB_POSTER);
    end_poster(f, &job, true);
    assert_true(fixture_get(f, v.id).has_poster);
    assert_int_equal(store_video_picture_arrived(f->st, v.id), RC_EXISTS);
    assert_int_equal(store_video_stored(f->st, v.id, 1000, &v), RC_OK);
    job = claim_kind(f, JOB_POSTER);
    end_poster(f, &job, false);
    assert_false(fixture_get(f, v.id).poster_dull);
    assert_int_equal(fixture_get(f, v.id).poster_version, 2);
}

/* ---- the storyboard ------------------------------------------------------ */

static void a_storyboard_comes_last_and_holds_nothing_up(void **state)
{
    struct fixture *f = *state;
    struct video v = fixture_planned(f, "clip");
    struct job_result result = {.poster_made = true};
    bool ready = false;
    int i;

    for (i = 0; i < 3; i++) {
        struct job job = fixture_claim(f, "w");
        assert_int_not_equal(job.kind, JOB_STORYBOARD);
        assert_int_equal(store_job_done(f->st, &job, &result, &ready), RC_OK);
    }
    assert_true(ready);
    assert_false(fixture_get(f, v.id).has_storyboard);
    struct job board = fixture_claim(f, "w");
    assert_int_equal(board.kind, JOB_STORYBOARD);
    assert_int_equal(store_job_storyboard(f->st, &board), RC_OK);
    assert_true(fixture_get(f, v.id).has_storyboard);
    assert_int_equal(store_job_fail(f->st, &board, "x"), RC_OK);
    assert_int_equal(fixture_get(f, v.id).state, VIDEO_READY);
    assert_string_equal(fixture_get(f, v.id).error, "");
    assert_fenced(f, &board);
    assert_int_equal(store_job_storyboard(f->st, &board), RC_FENCED);
}

static void only_its_own_job_says_that_there_is_a_storyboard(void **state)
{
    struct fixture *f = *state;
    struct video v = fixture_planned(f, "clip");
    struct job job = fixture_claim(f, "w");

    assert_int_equal(store_job_storyboard(f->st, &job), RC_INVALID);
    assert_false(fixture_get(f, v.id).has_storyboard);
}

static void a_storyboard_waits_for_the_last_byte(void **state)
{
    struct fixture *f = *state;
    struct video v = fixture_receiving(f, "clip");
    struct video_plan plan = fixture_plan(1);
    bool ready;
    struct job job, board;

    assert_int_equal(store_video_header_arrived(f->st, v.id), RC_OK);
    job = fixture_claim(f, "w");
    assert_int_equal(store_job_planned(f->st, &job, &plan), RC_OK);
    assert_int_equal(
        store_job_claim(f->st, "w", 30000, STORE_KIND(JOB_STORYBOARD), &board),
        RC_NOT_FOUND);
    assert_int_equal(store_video_stored(f->st, v.id, 1000, &v), RC_OK);
    job = fixture_claim(f, "w");
    assert_int_equal(store_job_confirmed(f->st, &job, &plan, &ready), RC_OK);
    board = claim_kind(f, JOB_STORYBOARD);
    assert_string_equal(board.video_id, v.id);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, fixture_setup, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(each_poster_has_a_number_of_its_own),
        TEST(the_poster_chosen_last_is_the_one_that_is_made),
        TEST(what_is_not_there_cannot_be_chosen),
        TEST(a_failed_video_takes_no_choice),
        TEST(a_choice_outlives_the_plan),
        TEST(a_dull_poster_of_a_part_is_made_again_of_the_whole),
        TEST(a_storyboard_comes_last_and_holds_nothing_up),
        TEST(only_its_own_job_says_that_there_is_a_storyboard),
        TEST(a_storyboard_waits_for_the_last_byte),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
