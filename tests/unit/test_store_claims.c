/* test_store_claims.c: jobs claimed by kind, and the encode of one rendition by name.
 */
#include "check.h"

#include "store_fixture.h"

#define QUICK (STORE_KIND(JOB_PROBE) | STORE_KIND(JOB_POSTER))
#define ENCODES STORE_KIND(JOB_ENCODE)

static enum rc claim(struct fixture *f, unsigned kinds, struct job *out)
{
    return store_job_claim(f->st, "w", 30000, kinds, out);
}

static enum rc claim_encode(struct fixture *f, const struct video *v, const char *name,
                            struct job *out)
{
    return store_job_claim_encode(f->st, "w", 30000, v->id, name, out);
}

static int64_t next_due(struct fixture *f, unsigned kinds)
{
    int64_t ms = -2;

    assert_int_equal(store_job_next_due(f->st, kinds, &ms), RC_OK);
    return ms;
}

/* ---- by kind ------------------------------------------------------------ */

static void only_the_kinds_asked_for_are_given(void **state)
{
    struct fixture *f = *state;
    struct video v = fixture_planned(f, "clip"), late;
    struct job job;

    late = fixture_stored(f, "late"); /* its probe is the most urgent of all */
    assert_int_equal(claim(f, 0, &job), RC_NOT_FOUND);
    assert_int_equal(claim(f, STORE_KIND(JOB_POSTER), &job), RC_OK);
    assert_int_equal(job.kind, JOB_POSTER);
    assert_string_equal(job.video_id, v.id);
    assert_int_equal(claim(f, STORE_KIND(JOB_POSTER), &job), RC_NOT_FOUND);
    assert_int_equal(claim(f, ENCODES, &job), RC_OK);
    assert_string_equal(job.rendition, "360p");
    assert_int_equal(claim(f, QUICK, &job), RC_OK);
    assert_int_equal(job.kind, JOB_PROBE);
    assert_string_equal(job.video_id, late.id);
    assert_int_equal(claim(f, QUICK, &job), RC_NOT_FOUND);
    assert_int_equal(claim(f, STORE_KINDS_ALL, &job), RC_OK);
    assert_string_equal(job.rendition, "audio-0");
    fixture_storyboard(f);
    assert_nothing_due(f);
}

static void urgency_holds_within_the_kinds(void **state)
{
    struct fixture *f = *state;
    struct video late;
    struct job job;

    (void)fixture_planned(f, "clip");
    late = fixture_stored(f, "late");
    assert_int_equal(claim(f, QUICK, &job), RC_OK);
    assert_string_equal(job.video_id, late.id);
    assert_int_equal(claim(f, QUICK | ENCODES, &job), RC_OK);
    assert_int_equal(job.kind, JOB_POSTER);
}

static void next_due_looks_at_the_kinds_asked_for(void **state)
{
    struct fixture *f = *state;
    struct job poster, encode;

    assert_int_equal(next_due(f, ENCODES), -1);
    fixture_stored(f, "clip");
    assert_int_equal(next_due(f, ENCODES), -1);
    assert_int_equal(next_due(f, QUICK), 0);
    assert_int_equal(claim(f, QUICK, &poster), RC_OK);
    assert_int_equal(next_due(f, STORE_KIND(JOB_PROBE)), 30000);
    assert_int_equal(next_due(f, STORE_KIND(JOB_POSTER)), -1);
    assert_int_equal(next_due(f, 0), -1);
    fixture_planned(f, "other");
    assert_int_equal(next_due(f, ENCODES), 0);
    assert_int_equal(claim(f, STORE_KIND(JOB_POSTER), &poster), RC_OK);
    assert_int_equal(claim(f, ENCODES, &encode), RC_OK);
    assert_int_equal(next_due(f, ENCODES), 0); /* the sound */
    assert_int_equal(store_job_retry(f->st, &encode, 700, "x"), RC_OK);
    assert_int_equal(claim(f, ENCODES, &encode), RC_OK);
    assert_int_equal(next_due(f, ENCODES), 700);
    assert_int_equal(next_due(f, QUICK), 30000);
    assert_int_equal(next_due(f, STORE_KIND(JOB_STORYBOARD)), 0);
    fixture_storyboard(f);
    assert_int_equal(next_due(f, STORE_KINDS_ALL), 700);
}

/* ---- by name ------------------------------------------------------------ */

static void an_encode_is_claimed_by_name_whatever_is_more_urgent(void **state)
{
    struct fixture *f = *state;
    struct video first = fixture_planned(f, "first"), v;
    struct job job, next;

    v = fixture_planned(f, "clip");
    fixture_stored(f, "late");
    assert_int_equal(claim_encode(f, &v, "audio-0", &job), RC_OK);
    assert_int_equal(job.kind, JOB_ENCODE);
    assert_string_equal(job.video_id, v.id);
    assert_string_equal(job.rendition, "audio-0");
    assert_int_equal(job.fence, 1);
    assert_int_equal(store_job_check(f->st, &job), RC_OK);
    assert_int_equal(claim_encode(f, &v, "audio-0", &next), RC_NOT_FOUND);
    /* The others of its video and of the first one are as they were. */
    assert_int_equal(claim(f, ENCODES, &next), RC_OK);
    assert_string_equal(next.video_id, first.id);
    assert_string_equal(next.rendition, "360p");
    assert_int_equal(claim_encode(f, &v, "360p", &next), RC_OK);
    assert_string_equal(next.video_id, v.id);
    assert_string_equal(next.rendition, "360p");
}

static void an_encode_that_waits_is_not_claimed_by_name(void **state)
{
    struct fixture *f = *state;
    struct video v = fixture_planned(f, "clip");
    struct job job;

    assert_int_equal(claim_encode(f, &v, "360p", &job), RC_OK);
    assert_int_equal(store_job_retry(f->st, &job, 2000, "broken"), RC_OK);
    fixture_tick(f, 1999);
    assert_int_equal(claim_encode(f, &v, "360p", &job), RC_NOT_FOUND);
    fixture_tick(f, 1);
    assert_int_equal(claim_encode(f, &v, "360p", &job), RC_OK);
    assert_int_equal(job.fence, 2);
    assert_int_equal(job.failures, 1);
}

static void an_encode_whose_lease_has_ended_is_claimed_by_name(void **state)
{
    const struct readiness at_work = {.encoding = {0}, .n_encoding = 1};
    struct fixture *f = *state;
    struct video v = fixture_planned(f, "clip");
    struct job late, job;

    assert_int_equal(claim_encode(f, &v, "360p", &late), RC_OK);
    assert_int_equal(store_job_published(f->st, &late, &at_work), RC_OK);
    fixture_tick(f, 29999);
    assert_int_equal(claim_encode(f, &v, "360p", &job), RC_NOT_FOUND);
    fixture_tick(f, 1);
    assert_int_equal(claim_encode(f, &v, "360p", &job), RC_OK);
    assert_int_equal(job.id, late.id);
    assert_int_equal(job.fence, 2);
    assert_int_equal(job.lost, 1);
    assert_fenced(f, &late);
    fixture_reboot(f);
    assert_int_equal(claim_encode(f, &v, "360p", &late), RC_OK);
    assert_int_equal(late.fence, 3);
}

static void what_has_no_encode_to_do_is_not_found(void **state)
{
    struct fixture *f = *state;
    struct video v = fixture_planned(f, "clip"), early, unknown = v;
    struct job_result nothing = {.poster_made = false};
    struct job job, seen = {.id = -7};
    bool ready;

    assert_int_equal(claim(f, STORE_KIND(JOB_POSTER), &job), RC_OK);
    early = fixture_stored(f, "early");
    strcpy(unknown.id, "nosuchvideo");
    assert_int_equal(claim_encode(f, &v, "720p", &seen), RC_NOT_FOUND);
    assert_int_equal(claim_encode(f, &v, "", &seen), RC_NOT_FOUND); /* the poster's */
    assert_int_equal(claim_encode(f, &early, "360p", &seen), RC_NOT_FOUND);
    assert_int_equal(claim_encode(f, &early, "", &seen), RC_NOT_FOUND);
    assert_int_equal(claim_encode(f, &unknown, "360p", &seen), RC_NOT_FOUND);
    assert_int_equal(claim_encode(f, &v, "360p", &job), RC_OK);
    assert_int_equal(store_job_done(f->st, &job, &nothing, &ready), RC_OK);
    assert_int_equal(claim_encode(f, &v, "360p", &seen), RC_NOT_FOUND);
    assert_int_equal(store_video_delete(f->st, v.id, &v), RC_OK);
    assert_int_equal(claim_encode(f, &v, "audio-0", &seen), RC_NOT_FOUND);
    assert_int_equal(seen.id, -7);
}

static void wrong_claims_by_name_are_refused(void **state)
{
    struct fixture *f = *state;
    struct video v = fixture_planned(f, "clip");
    char owner[STORE_OWNER_MAX + 2];
    struct job job;

    memset(owner, 'x', sizeof(owner));
    owner[STORE_OWNER_MAX + 1] = '\0';
    assert_int_equal(store_job_claim_encode(f->st, owner, 1000, v.id, "360p", &job),
                     RC_INVALID);
    assert_int_equal(store_job_claim_encode(f->st, "w", 0, v.id, "360p", &job),
                     RC_INVALID);
    owner[STORE_OWNER_MAX] = '\0';
    assert_int_equal(store_job_claim_encode(f->st, owner, 1000, v.id, "360p", &job),
                     RC_OK);
}

static void a_claim_that_finds_nothing_writes_nothing(void **state)
{
    struct fixture *f = *state;
    struct video v = fixture_stored(f, "clip");
    struct store *other = fixture_handle(f);
    bool changed = false;
    struct job job;

    assert_int_equal(store_changed(other, &changed), RC_OK);
    assert_int_equal(claim(f, ENCODES, &job), RC_NOT_FOUND);
    assert_int_equal(claim_encode(f, &v, "360p", &job), RC_NOT_FOUND);
    assert_int_equal(store_changed(other, &changed), RC_OK);
    assert_false(changed);
    assert_int_equal(claim(f, QUICK, &job), RC_OK);
    assert_int_equal(store_changed(other, &changed), RC_OK);
    assert_true(changed);
    store_close(other);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, fixture_setup, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(only_the_kinds_asked_for_are_given),
        TEST(urgency_holds_within_the_kinds),
        TEST(next_due_looks_at_the_kinds_asked_for),
        TEST(an_encode_is_claimed_by_name_whatever_is_more_urgent),
        TEST(an_encode_that_waits_is_not_claimed_by_name),
        TEST(an_encode_whose_lease_has_ended_is_claimed_by_name),
        TEST(what_has_no_encode_to_do_is_not_found),
        TEST(wrong_claims_by_name_are_refused),
        TEST(a_claim_that_finds_nothing_writes_nothing),
    };

    return cmocka_run_group_tests_name("store_claims", tests, NULL, NULL);
}
