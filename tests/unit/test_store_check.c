/* test_store_check.c: what rows say, for who compares it; and how it is mended. */
#include "check.h"

#include "store_check.h"
#include "store_fixture.h"
#include "store_lists.h"
#include "store_priv.h"

static void end_job(struct fixture *f, const struct job *job)
{
    struct job_result result = {.poster_made = job->kind == JOB_POSTER};
    bool ready;

    assert_int_equal(store_job_done(f->st, job, &result, &ready), RC_OK);
}

/* A video that is ready, with nothing left to do but its checksum. */
static struct video make_ready(struct fixture *f)
{
    struct video v = fixture_planned(f, "x");
    struct job job;

    while (store_job_claim(f->st, "w", 30000, STORE_KINDS_ALL, &job) == RC_OK)
        end_job(f, &job);
    v = fixture_get(f, v.id);
    assert_int_equal(v.state, VIDEO_READY);
    return v;
}

static size_t live(struct fixture *f, const char *id, enum job_kind kind)
{
    struct work work[STORE_WORK_MAX];
    size_t n = 0, found = 0;

    assert_int_equal(store_work_of(f->st, id, work, &n), RC_OK);
    for (size_t i = 0; i < n; i++)
        found += work[i].live && work[i].kind == kind;
    return found;
}

static enum rc mend(struct fixture *f, const struct video *v, enum mend what,
                    const char *name)
{
    return store_mend(f->st, v->id, what, name, 2);
}

static void work_is_what_is_not_done(void **state)
{
    struct fixture *f = *state;
    struct video v = fixture_stored(f, "x");
    struct work work[STORE_WORK_MAX];
    struct job job = fixture_claim(f, "w");
    size_t n = 0;

    assert_int_equal(store_work_of(f->st, v.id, work, &n), RC_OK);
    assert_int_equal(n, 2);
    assert_int_equal(work[0].kind, JOB_PROBE);
    assert_true(work[0].live && work[0].running);
    assert_int_equal(work[0].late_ms, 0);
    assert_int_equal(work[1].kind, JOB_CHECKSUM);
    assert_true(work[1].live && !work[1].running);
    fixture_tick(f, 30500);
    assert_int_equal(store_work_of(f->st, v.id, work, &n), RC_OK);
    assert_int_equal(work[0].late_ms, 500);
    assert_int_equal(store_job_fail(f->st, &job, "No."), RC_OK);
    assert_int_equal(store_work_of(f->st, v.id, work, &n), RC_OK);
    assert_int_equal(n, 2);
    assert_false(work[0].live);
}

/* It never was anything else, and plays on meanwhile. */
static void a_rendition_is_mended_while_its_video_stays_ready(void **state)
{
    struct fixture *f = *state;
    struct video v = make_ready(f);
    struct rendition all[STORE_RENDITIONS_MAX];
    struct job job;
    size_t n;

    fixture_tick(f, 5000);
    assert_int_equal(mend(f, &v, MEND_RENDITION, "8k"), RC_NOT_FOUND);
    assert_int_equal(mend(f, &v, MEND_RENDITION, "360p"), RC_OK);
    assert_int_equal(mend(f, &v, MEND_RENDITION, "360p"), RC_EXISTS);
    assert_int_equal(store_renditions(f->st, v.id, all, &n), RC_OK);
    assert_int_equal(all[0].done, all[0].segments - 2);
    assert_int_equal(fixture_get(f, v.id).state, VIDEO_READY);
    job = fixture_claim(f, "w");
    assert_int_equal(job.kind, JOB_ENCODE);
    end_job(f, &job);
    assert_int_equal(fixture_get(f, v.id).state, VIDEO_READY);
    assert_int_equal(fixture_get(f, v.id).ready_ms, v.ready_ms);
    assert_int_equal(store_renditions(f->st, v.id, all, &n), RC_OK);
    assert_int_equal(all[0].done, all[0].segments);
}

static void one_that_cannot_be_mended_takes_no_video_with_it(void **state)
{
    struct fixture *f = *state;
    struct video v = make_ready(f);
    struct job job;

    assert_int_equal(mend(f, &v, MEND_RENDITION, "audio-0"), RC_OK);
    assert_int_equal(mend(f, &v, MEND_POSTER, ""), RC_OK);
    assert_int_equal(store_job_claim(f->st, "w", 30000, STORE_KIND(JOB_ENCODE), &job),
                     RC_OK);
    assert_int_equal(store_job_fail(f->st, &job, "It is gone."), RC_OK);
    v = fixture_get(f, v.id);
    assert_int_equal(v.state, VIDEO_READY);
    assert_string_equal(v.warning, "It is gone.");
    assert_int_equal(live(f, v.id, JOB_POSTER), 1);
}

static void pictures_are_made_again_unless_they_are_just_now(void **state)
{
    struct fixture *f = *state;
    struct video v = make_ready(f);

    for (int i = 0; i < 2; i++) {
        assert_int_equal(mend(f, &v, MEND_POSTER, ""), i ? RC_EXISTS : RC_OK);
        assert_int_equal(mend(f, &v, MEND_STORYBOARD, ""), i ? RC_EXISTS : RC_OK);
    }
    assert_int_equal(live(f, v.id, JOB_POSTER), 1);
    assert_int_equal(live(f, v.id, JOB_STORYBOARD), 1);
}

static void playlists_fall_behind(void **state)
{
    struct fixture *f = *state;
    struct video v = make_ready(f);
    struct lists_changes lists;

    assert_int_equal(store_lists_changes(f->st, v.id, &lists), RC_OK);
    assert_int_equal(store_lists_followed(f->st, v.id, lists.n), RC_OK);
    assert_int_equal(mend(f, &v, MEND_LISTS, ""), RC_OK);
    assert_int_equal(store_lists_changes(f->st, v.id, &lists), RC_OK);
    assert_int_equal(lists.followed, lists.n - 1);
}

static void subtitles_are_published_again(void **state)
{
    struct fixture *f = *state;
    struct subtitle s = {.name = "en", .language = "en"};
    struct video v = make_ready(f);
    struct subtitles all;
    struct job job;
    bool replaced;

    assert_int_equal(store_subtitle_put(f->st, v.id, &s, "WEBVTT", &replaced), RC_OK);
    job = fixture_claim(f, "w");
    assert_int_equal(store_subtitles(f->st, v.id, &all), RC_OK);
    assert_int_equal(store_job_subtitles_published(f->st, &job, &all), RC_OK);
    end_job(f, &job);
    assert_int_equal(mend(f, &v, MEND_SUBTITLES, "de"), RC_NOT_FOUND);
    assert_int_equal(mend(f, &v, MEND_SUBTITLES, "en"), RC_OK);
    assert_int_equal(store_subtitles(f->st, v.id, &all), RC_OK);
    assert_int_equal(all.list[0].published, 0);
    assert_int_equal(live(f, v.id, JOB_SUBTITLES), 1);
}

static void a_checksum_is_taken_once(void **state)
{
    static const uint8_t sum[STORE_CHECKSUM_SIZE] = {1};
    struct fixture *f = *state;
    struct video v = make_ready(f);
    struct job job;

    assert_int_equal(mend(f, &v, MEND_CHECKSUM, ""), RC_EXISTS);
    assert_int_equal(store_job_claim(f->st, "w", 30000, STORE_KIND(JOB_CHECKSUM), &job),
                     RC_OK);
    assert_int_equal(store_job_fail(f->st, &job, "No."), RC_OK);
    assert_int_equal(mend(f, &v, MEND_CHECKSUM, ""), RC_OK);
    assert_int_equal(store_job_claim(f->st, "w", 30000, STORE_KIND(JOB_CHECKSUM), &job),
                     RC_OK);
    assert_int_equal(store_job_checksum(f->st, &job, sum), RC_OK);
    assert_int_equal(mend(f, &v, MEND_CHECKSUM, ""), RC_CONFLICT);
}

static void only_what_is_stuck_is_planned_again(void **state)
{
    struct fixture *f = *state;
    struct video ready = make_ready(f), v = fixture_planned(f, "y");

    assert_int_equal(mend(f, &ready, MEND_STUCK, ""), RC_CONFLICT);
    assert_int_equal(mend(f, &v, MEND_STUCK, ""), RC_EXISTS);
    assert_int_equal(sqlite3_exec(f->st->db, "DELETE FROM jobs WHERE kind = 'encode'",
                                  NULL, NULL, NULL),
                     SQLITE_OK);
    assert_int_equal(mend(f, &v, MEND_STUCK, ""), RC_OK);
    assert_int_equal(fixture_get(f, v.id).state, VIDEO_STORED);
    assert_int_equal(live(f, v.id, JOB_PROBE), 1);
    assert_int_equal(live(f, v.id, JOB_CHECKSUM), 1);
}

static void of_two_jobs_the_one_that_was_there_stays(void **state)
{
    struct fixture *f = *state;
    struct video v = fixture_stored(f, "x");
    struct job probe = fixture_claim(f, "w");

    assert_int_equal(store_begin(f->st), RC_OK);
    assert_int_equal(store_job_add(f->st, v.id, JOB_PROBE, ""), RC_OK);
    assert_int_equal(store_job_add(f->st, v.id, JOB_POSTER, ""), RC_OK);
    assert_int_equal(store_job_add(f->st, v.id, JOB_POSTER, ""), RC_OK);
    assert_int_equal(store_end(f->st, RC_OK), RC_OK);
    assert_int_equal(mend(f, &v, MEND_DOUBLE, ""), RC_OK);
    assert_int_equal(live(f, v.id, JOB_PROBE), 1);
    assert_int_equal(live(f, v.id, JOB_POSTER), 1);
    assert_int_equal(store_job_check(f->st, &probe), RC_OK);
}

static void a_lease_that_has_long_ended_is_ended(void **state)
{
    struct fixture *f = *state;
    struct video v = fixture_stored(f, "x");
    struct job probe = fixture_claim(f, "w");

    fixture_tick(f, 30001);
    assert_int_equal(mend(f, &v, MEND_LEASE, ""), RC_OK);
    assert_int_equal(store_job_check(f->st, &probe), RC_OK);
    fixture_tick(f, 60000);
    assert_int_equal(mend(f, &v, MEND_LEASE, ""), RC_OK);
    assert_int_equal(store_job_check(f->st, &probe), RC_FENCED);
    assert_int_equal(live(f, v.id, JOB_PROBE), 1);
    assert_int_equal(mend(f, &v, MEND_NOTHING, ""), RC_CONFLICT);
    assert_int_equal(store_video_delete(f->st, v.id, &v), RC_OK);
    assert_int_equal(mend(f, &v, MEND_LEASE, ""), RC_NOT_FOUND);
}

static void count(void *arg, const char *sentence)
{
    ++*(int *)arg;
    assert_non_null(strstr(sentence, "of subtitles refers to nothing in videos"));
}

static enum rc count_video(void *arg, const struct video *v)
{
    (void)v;
    ++*(int *)arg;
    return RC_OK;
}

static void rows_are_gone_through(void **state)
{
    struct fixture *f = *state;
    struct video v = fixture_stored(f, "x"), gone = fixture_stored(f, "y");
    bool exists = false;
    int n = 0;

    fixture_receiving(f, "z");
    assert_int_equal(store_video_delete(f->st, gone.id, &gone), RC_OK);
    assert_int_equal(store_video_each(f->st, count_video, &n), RC_OK);
    assert_int_equal(n, 2);
    assert_int_equal(store_root_exists(f->st, gone.media_root, &exists), RC_OK);
    assert_true(exists);
    assert_int_equal(store_root_exists(f->st, v.id, &exists), RC_OK);
    assert_false(exists);
    n = 0;
    assert_int_equal(store_check_database(f->st, count, &n), RC_OK);
    assert_int_equal(n, 0);
    assert_int_equal(
        sqlite3_exec(f->st->db,
                     "PRAGMA foreign_keys=OFF; INSERT INTO subtitles (video_id, name,"
                     " language, label, source) VALUES ('x', 'en', 'en', '', 'file');"
                     "PRAGMA foreign_keys=ON",
                     NULL, NULL, NULL),
        SQLITE_OK);
    assert_int_equal(store_check_database(f->st, count, &n), RC_OK);
    assert_int_equal(n, 1);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, fixture_setup, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(work_is_what_is_not_done),
        TEST(a_rendition_is_mended_while_its_video_stays_ready),
        TEST(one_that_cannot_be_mended_takes_no_video_with_it),
        TEST(pictures_are_made_again_unless_they_are_just_now),
        TEST(playlists_fall_behind),
        TEST(subtitles_are_published_again),
        TEST(a_checksum_is_taken_once),
        TEST(only_what_is_stuck_is_planned_again),
        TEST(of_two_jobs_the_one_that_was_there_stays),
        TEST(a_lease_that_has_long_ended_is_ended),
        TEST(rows_are_gone_through),
    };

    return cmocka_run_group_tests_name("store_check", tests, NULL, NULL);
}
