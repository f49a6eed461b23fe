/* test_store_checksums.c: the checksum of an upload, and the job that takes it. */
#include "check.h"

#include "store_check.h"
#include "store_fixture.h"

static const uint8_t one[STORE_CHECKSUM_SIZE] = {1, 2, 3};

static enum rc claim(struct fixture *f, struct job *out)
{
    return store_job_claim(f->st, "w", 30000, STORE_KIND(JOB_CHECKSUM), out);
}

static void assert_sum(struct fixture *f, const char *id, const uint8_t *expected)
{
    uint8_t sum[STORE_CHECKSUM_SIZE];
    bool known = false;

    assert_int_equal(store_video_checksum(f->st, id, sum, &known), RC_OK);
    assert_int_equal(known, expected != NULL);
    if (expected)
        assert_memory_equal(sum, expected, sizeof(sum));
}

static void what_is_stored_has_its_checksum_taken_once(void **state)
{
    struct fixture *f = *state;
    struct video v = fixture_receiving(f, "x");
    struct job job;

    assert_int_equal(claim(f, &job), RC_NOT_FOUND);
    assert_int_equal(store_video_stored(f->st, v.id, 1000, &v), RC_OK);
    assert_sum(f, v.id, NULL);
    assert_int_equal(claim(f, &job), RC_OK);
    assert_string_equal(job.video_id, v.id);
    assert_int_equal(store_job_checksum(f->st, &job, one), RC_OK);
    assert_sum(f, v.id, one);
    assert_int_equal(claim(f, &job), RC_NOT_FOUND);
    assert_int_equal(fixture_get(f, v.id).state, VIDEO_STORED);
}

static void that_of_what_came_in_is_kept_with_it(void **state)
{
    struct fixture *f = *state;
    struct video v = fixture_receiving(f, "x");
    struct job job;

    assert_int_equal(store_video_stored_with(f->st, v.id, 1000, one, &v), RC_OK);
    assert_int_equal(v.state, VIDEO_STORED);
    assert_sum(f, v.id, one);
    assert_int_equal(claim(f, &job), RC_NOT_FOUND);
    assert_int_equal(fixture_claim(f, "w").kind, JOB_PROBE);
}

static void what_an_upload_says_of_it_is_there_until_it_is_stored(void **state)
{
    const struct hash_state said = {.n = 3, .bytes = {7, 0, 9}};
    struct fixture *f = *state;
    struct video v = fixture_receiving(f, "x");
    struct hash_state found = {.n = 1};

    assert_int_equal(store_upload_hash(f->st, v.id, &found), RC_OK);
    assert_int_equal(found.n, 0);
    assert_int_equal(store_video_received(f->st, v.id, 10, -1, &said), RC_OK);
    assert_int_equal(store_upload_hash(f->st, v.id, &found), RC_OK);
    assert_int_equal(found.n, 3);
    assert_memory_equal(found.bytes, said.bytes, 3);
    assert_int_equal(store_video_received(f->st, v.id, 11, -1, NULL), RC_OK);
    assert_int_equal(store_upload_hash(f->st, v.id, &found), RC_OK);
    assert_int_equal(found.n, 3);
    assert_int_equal(store_upload_forget_hash(f->st, v.id), RC_OK);
    assert_int_equal(store_upload_hash(f->st, v.id, &found), RC_OK);
    assert_int_equal(found.n, 0);
    assert_int_equal(store_video_received(f->st, v.id, 12, -1, &said), RC_OK);
    assert_int_equal(store_video_stored(f->st, v.id, 1000, &v), RC_OK);
    assert_int_equal(store_upload_hash(f->st, v.id, &found), RC_NOT_FOUND);
    assert_int_equal(store_upload_hash(f->st, "nosuchvideo", &found), RC_NOT_FOUND);
}

static void all_else_comes_first(void **state)
{
    struct fixture *f = *state;
    struct job job;

    fixture_stored(f, "a");
    fixture_stored(f, "b");
    for (int i = 0; i < 4; i++) {
        assert_int_equal(store_job_claim(f->st, "w", 30000, ~0u, &job), RC_OK);
        assert_int_equal(job.kind, i < 2 ? JOB_PROBE : JOB_CHECKSUM);
    }
}

/* Whatever becomes of what is made of a file, the file stays the same. */
static void it_outlives_a_plan_a_failure_and_another_try(void **state)
{
    struct fixture *f = *state;
    struct video v = fixture_planned(f, "x");
    struct job encode = fixture_claim(f, "w"), job;

    while (encode.kind != JOB_ENCODE)
        encode = fixture_claim(f, "w");
    assert_int_equal(claim(f, &job), RC_OK);
    assert_int_equal(store_job_fail(f->st, &encode, "No."), RC_OK);
    assert_int_equal(fixture_get(f, v.id).state, VIDEO_FAILED);
    assert_int_equal(store_video_retry(f->st, v.id), RC_OK);
    assert_int_equal(store_job_checksum(f->st, &job, one), RC_OK);
    assert_sum(f, v.id, one);
}

static void one_that_fails_for_good_takes_no_video_with_it(void **state)
{
    struct fixture *f = *state;
    struct video v = fixture_planned(f, "x");
    struct job job;

    assert_int_equal(claim(f, &job), RC_OK);
    assert_int_equal(store_job_fail(f->st, &job, "It cannot be read."), RC_OK);
    assert_int_equal(fixture_get(f, v.id).state, VIDEO_PROCESSING);
    assert_sum(f, v.id, NULL);
}

static void only_who_holds_the_job_tells_it(void **state)
{
    struct fixture *f = *state;
    struct video v = fixture_stored(f, "x");
    struct job job, late, probe = fixture_claim(f, "w");

    assert_int_equal(store_job_checksum(f->st, &probe, one), RC_INVALID);
    assert_int_equal(claim(f, &late), RC_OK);
    fixture_tick(f, 30000);
    assert_int_equal(claim(f, &job), RC_OK);
    assert_int_equal(store_job_checksum(f->st, &late, one), RC_FENCED);
    assert_sum(f, v.id, NULL);
    assert_int_equal(store_video_delete(f->st, v.id, &v), RC_OK);
    assert_int_equal(store_job_check(f->st, &job), RC_FENCED);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, fixture_setup, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_is_stored_has_its_checksum_taken_once),
        TEST(that_of_what_came_in_is_kept_with_it),
        TEST(what_an_upload_says_of_it_is_there_until_it_is_stored),
        TEST(all_else_comes_first),
        TEST(it_outlives_a_plan_a_failure_and_another_try),
        TEST(one_that_fails_for_good_takes_no_video_with_it),
        TEST(only_who_holds_the_job_tells_it),
    };

    return cmocka_run_group_tests_name("store_checksums", tests, NULL, NULL);
}
