#include "check.h"

#include "store_fixture.h"

#include <pthread.h>
#include <sqlite3.h>

static int64_t next_due(struct fixture *f)
{
    int64_t ms = -2;

    assert_int_equal(store_job_next_due(f->st, STORE_KINDS_ALL, &ms), RC_OK);
    return ms;
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

static enum rc try_to_write(void *arg)
{
    const struct fixture *f = arg;
    sqlite3 *db;

    assert_int_equal(sqlite3_open(f->path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL),
                     SQLITE_BUSY);
    sqlite3_close(db);
    return RC_PENDING;
}

static void nobody_takes_over_a_job_that_is_held(void **state)
{
    struct fixture *f = *state;
    struct job job, later;

    fixture_stored(f, "clip");
    job = fixture_claim(f, "w1");
    fixture_tick(f, 30000);
    assert_int_equal(store_job_hold(f->st, &job, try_to_write, f), RC_PENDING);
    later = fixture_claim(f, "w2");
    assert_int_equal(later.fence, job.fence + 1);
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
    fixture_storyboard(f);
    fixture_storyboard(f);
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
    assert_int_equal(store_job_claim(f->st, owner, 1000, STORE_KINDS_ALL, &job),
                     RC_INVALID);
    assert_int_equal(store_job_claim(f->st, "w", 0, STORE_KINDS_ALL, &job), RC_INVALID);
    owner[STORE_OWNER_MAX] = '\0';
    assert_int_equal(store_job_claim(f->st, owner, 1000, STORE_KINDS_ALL, &job), RC_OK);
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

static void workers_lost_at_a_job_are_counted_until_it_moves_on(void **state)
{
    struct fixture *f = *state;
    const struct readiness at_work = {.encoding = {1}, .n_encoding = 1};
    const struct readiness one_more = {.done = 1, .encoding = {1}, .n_encoding = 1};
    struct job job;
    int n;

    (void)fixture_planned(f, "clip");
    (void)fixture_claim(f, "w"); /* the poster */
    job = fixture_claim(f, "dead");
    assert_int_equal(job.lost, 0);
    assert_int_equal(store_job_release_owner(f->st, "dead", &n), RC_OK);
    job = fixture_claim(f, "dead");
    assert_int_equal(job.lost, 0); /* nothing of it was at work */
    assert_int_equal(store_job_published(f->st, &job, &at_work), RC_OK);
    assert_int_equal(store_job_release_owner(f->st, "dead", &n), RC_OK);
    job = fixture_claim(f, "w");
    assert_int_equal(job.lost, 1);
    assert_int_equal(store_job_release(f->st, &job), RC_OK); /* in good order */
    job = fixture_claim(f, "w");
    assert_int_equal(job.lost, 1);
    assert_int_equal(published(f->st, &job, 1), RC_OK);
    assert_int_equal(store_job_release(f->st, &job), RC_OK);
    job = fixture_claim(f, "w");
    assert_int_equal(job.lost, 0);
    assert_int_equal(store_job_published(f->st, &job, &one_more), RC_OK);
    f->boot_ms += 100000000;     /* frozen past its lease */
    (void)fixture_claim(f, "x"); /* the poster again */
    job = fixture_claim(f, "x");
    assert_int_equal(job.lost, 1);
    assert_int_equal(published(f->st, &job, 1), RC_OK); /* nothing new */
    assert_int_equal(store_job_release(f->st, &job), RC_OK);
    assert_int_equal(fixture_claim(f, "x").lost, 1);
}

static void a_postponed_job_is_not_blamed(void **state)
{
    struct fixture *f = *state;
    struct job job;

    fixture_stored(f, "a");
    job = fixture_claim(f, "w");
    assert_int_equal(store_job_postpone(f->st, &job, -1, "x"), RC_INVALID);
    assert_int_equal(store_job_postpone(f->st, &job, 5000, "The disk is full."), RC_OK);
    assert_fenced(f, &job);
    assert_nothing_due(f);
    f->boot_ms += 5000;
    job = fixture_claim(f, "w");
    assert_int_equal(job.failures, 0);
    assert_int_equal(job.lost, 0);
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
        c->rc = store_job_claim(st, "w", 1000000, STORE_KINDS_ALL, &job);
        if (c->rc == RC_OK && c->n < JOBS)
            c->ids[c->n++] = job.id;
    }
    store_close(st);
    return NULL;
}

static void two_handles_never_get_the_same_job(void **state)
{
    static struct claimer c[THREADS];
    static int claimed[2 * JOBS + 1]; /* each has a checksum, too */
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
            assert_in_range(c[i].ids[k], 1, 2 * JOBS);
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
    assert_int_equal(store_worker_beat(f->st, "w1", 10, ""), RC_OK);
    fixture_tick(f, 3000);
    assert_int_equal(store_worker_beat(f->st, "w2", 11, ""), RC_OK);
    fixture_tick(f, 500);
    assert_int_equal(store_worker_age(f->st, &age), RC_OK);
    assert_int_equal(age, 500);
    assert_int_equal(store_worker_gone(f->st, "w2"), RC_OK);
    assert_int_equal(store_worker_age(f->st, &age), RC_OK);
    assert_int_equal(age, 3500);
    assert_int_equal(store_worker_beat(f->st, "w1", 10, ""), RC_OK);
    assert_int_equal(store_worker_age(f->st, &age), RC_OK);
    assert_int_equal(age, 0);
    fixture_reboot(f);
    assert_int_equal(store_worker_age(f->st, &age), RC_NOT_FOUND);
}

static void what_the_jail_of_any_worker_lacks_is_told(void **state)
{
    struct fixture *f = *state;
    char text[STORE_TEXT_MAX + 1];

    assert_int_equal(store_worker_jail(f->st, text), RC_NOT_FOUND);
    assert_int_equal(store_worker_beat(f->st, "w1", 10, "Walls."), RC_OK);
    assert_int_equal(store_worker_jail(f->st, text), RC_OK);
    assert_string_equal(text, "Walls.");
    fixture_tick(f, 1);
    assert_int_equal(store_worker_beat(f->st, "w2", 11, ""), RC_OK);
    assert_int_equal(store_worker_jail(f->st, text), RC_OK);
    assert_string_equal(text, "Walls.");
    assert_int_equal(store_worker_gone(f->st, "w1"), RC_OK);
    assert_int_equal(store_worker_jail(f->st, text), RC_OK);
    assert_string_equal(text, "");
    fixture_reboot(f);
    assert_int_equal(store_worker_jail(f->st, text), RC_NOT_FOUND);
}

static void a_worker_that_refused_to_start_is_told_until_one_runs(void **state)
{
    struct fixture *f = *state;
    char text[STORE_TEXT_MAX + 1];
    int64_t age = -1;

    assert_int_equal(store_worker_refused(f->st, "No walls."), RC_OK);
    assert_int_equal(store_worker_refused(f->st, "No roof."), RC_OK);
    assert_int_equal(store_worker_jail(f->st, text), RC_OK);
    assert_string_equal(text, "No roof.");
    assert_int_equal(store_worker_age(f->st, &age), RC_NOT_FOUND);
    assert_int_equal(store_worker_beat(f->st, "w1", 10, ""), RC_OK);
    assert_int_equal(store_worker_jail(f->st, text), RC_OK);
    assert_string_equal(text, "");
    assert_int_equal(store_worker_gone(f->st, "w1"), RC_OK);
    assert_int_equal(store_worker_jail(f->st, text), RC_NOT_FOUND);
}

static void workers_silent_for_a_day_are_forgotten(void **state)
{
    struct fixture *f = *state;
    int64_t age = -1;

    assert_int_equal(store_worker_beat(f->st, "old", 10, ""), RC_OK);
    fixture_tick(f, INT64_C(86400000));
    assert_int_equal(store_worker_beat(f->st, "new", 11, ""), RC_OK);
    assert_int_equal(store_worker_gone(f->st, "new"), RC_OK);
    assert_int_equal(store_worker_age(f->st, &age), RC_OK);
    assert_int_equal(age, 86400000);
    fixture_tick(f, 1);
    assert_int_equal(store_worker_beat(f->st, "new", 11, ""), RC_OK);
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
        TEST(nobody_takes_over_a_job_that_is_held),
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
        TEST(workers_lost_at_a_job_are_counted_until_it_moves_on),
        TEST(a_postponed_job_is_not_blamed),
        TEST(two_handles_never_get_the_same_job),
        TEST(the_youngest_beat_of_this_boot_counts),
        TEST(what_the_jail_of_any_worker_lacks_is_told),
        TEST(a_worker_that_refused_to_start_is_told_until_one_runs),
        TEST(workers_silent_for_a_day_are_forgotten),
    };

    return cmocka_run_group_tests_name("store_jobs", tests, NULL, NULL);
}
