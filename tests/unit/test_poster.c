/* Which videos get a poster. */
#include "picture_fixture.h"

#include "store_activity.h"
#include "store_pictures.h"

#define JPEG "#!/bin/sh\necho >>\"$0.ran\"; printf 'poster\\377\\331'\n"

static int planned(void **state)
{
    struct video_plan plan = fixture_plan(1);
    setup(state);
    store_planned(&plan);
    w.config.posters = 0;
    return 0;
}

static void a_site_that_wants_none_starts_no_program_for_them(void **state)
{
    struct job next;
    (void)state;
    begin_job(JOB_POSTER, JPEG);
    turn_until(is_idle, "the job to end");
    assert_false(is_there("ffmpeg.ran"));
    assert_false(fixture_get(f, video.id).has_poster);
    fixture_tick(f, 3600000);
    assert_int_equal(store_job_claim(f->st, "w", 1000, STORE_KIND(JOB_POSTER), &next),
                     RC_NOT_FOUND);
}

static enum rc keep_message(void *arg, const struct activity *a)
{
    strcpy(arg, a->message);
    return RC_OK;
}

static void it_says_in_the_log_that_none_is_made(void **state)
{
    char last[STORE_TEXT_MAX + 1] = "";
    (void)state;
    begin_job(JOB_POSTER, JPEG);
    turn_until(is_idle, "the job to end");
    assert_int_equal(store_activity_list(w.store, 0, 0, 1000, keep_message, last),
                     RC_OK);
    assert_memory_equal(last, "No poster", 9);
}

/* As where its file was lost, and dropstreamctl check has it made again. */
static void one_that_there_was_before_is_made_again(void **state)
{
    sqlite3 *db;
    (void)state;
    assert_int_equal(sqlite3_open(f->path, &db), SQLITE_OK);
    assert_int_equal(
        sqlite3_exec(db, "UPDATE videos SET has_poster = 1", NULL, NULL, NULL),
        SQLITE_OK);
    sqlite3_close(db);
    begin_job(JOB_POSTER, JPEG);
    turn_until(is_idle, "the job to end");
    assert_true(is_there("ffmpeg.ran"));
}

static void a_moment_that_is_chosen_is_taken_there_too(void **state)
{
    (void)state;
    assert_int_equal(store_video_choose_poster(w.store, video.id, 1000000), RC_OK);
    begin_job(JOB_POSTER, JPEG);
    turn_until(is_idle, "the job to end");
    assert_true(is_there("ffmpeg.ran"));
    assert_true(fixture_get(f, video.id).has_poster);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            a_site_that_wants_none_starts_no_program_for_them, planned, teardown),
        cmocka_unit_test_setup_teardown(it_says_in_the_log_that_none_is_made, planned,
                                        teardown),
        cmocka_unit_test_setup_teardown(one_that_there_was_before_is_made_again,
                                        planned, teardown),
        cmocka_unit_test_setup_teardown(a_moment_that_is_chosen_is_taken_there_too,
                                        planned, teardown),
    };
    return cmocka_run_group_tests_name("poster", tests, NULL, NULL);
}
