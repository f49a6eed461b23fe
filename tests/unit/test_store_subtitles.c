#include "store_fixture.h"

#include <stdlib.h>

#define TEXT "WEBVTT\n\n00:00:01.000 --> 00:00:02.000\nHello\n"

static struct subtitle file_of(const char *name, const char *label)
{
    struct subtitle s = {.read = true};
    char tag[LANGUAGE_MAX + 1];
    assert_int_equal(language_slot(name, s.name, tag), RC_OK);
    memcpy(s.language, tag, sizeof(tag));
    snprintf(s.label, sizeof(s.label), "%s", label);
    return s;
}

static void put(struct fixture *f, const char *id, const char *name, bool replaces)
{
    struct subtitle s = file_of(name, "");
    bool replaced = !replaces;
    assert_int_equal(store_subtitle_put(f->st, id, &s, TEXT, &replaced), RC_OK);
    assert_int_equal(replaced, replaces);
}

static struct subtitles list(struct fixture *f, const char *id)
{
    struct subtitles all;
    assert_int_equal(store_subtitles(f->st, id, &all), RC_OK);
    return all;
}

/* "en de-2": the names of all, in their order. */
static bool is_current(const struct subtitle *s)
{
    return s->published == s->version;
}

static void assert_names(struct fixture *f, const char *id, const char *names)
{
    struct subtitles all = list(f, id);
    char text[1024] = "";
    for (size_t i = 0; i < all.n; i++) {
        strcat(text, i > 0 ? " " : "");
        strcat(text, all.list[i].name);
    }
    assert_string_equal(text, names);
}

static struct job claim_subtitles(struct fixture *f)
{
    struct job job;
    assert_int_equal(
        store_job_claim(f->st, "w", 30000, STORE_KIND(JOB_SUBTITLES), &job), RC_OK);
    assert_int_equal(job.kind, JOB_SUBTITLES);
    return job;
}

static void assert_no_job(struct fixture *f)
{
    struct job job;
    assert_int_equal(
        store_job_claim(f->st, "w", 30000, STORE_KIND(JOB_SUBTITLES), &job),
        RC_NOT_FOUND);
}

static void done(struct fixture *f, const struct job *job)
{
    struct job_result result = {.poster_made = false};
    bool ready = true;
    assert_int_equal(store_job_done(f->st, job, &result, &ready), RC_OK);
    assert_false(ready);
}

static struct subtitle track_of(const char *language, int stream, bool forced)
{
    struct subtitle s = {.stream = stream, .forced = forced};
    snprintf(s.language, sizeof(s.language), "%s", language);
    snprintf(s.codec, sizeof(s.codec), "subrip");
    return s;
}

static struct video_plan plan_with_tracks(int generation)
{
    struct video_plan plan = fixture_plan(generation);
    plan.tracks.list[0] = track_of("en", 2, false);
    plan.tracks.list[1] = track_of("en", 3, true);
    plan.tracks.list[2] = track_of("und", 4, false);
    plan.tracks.n = 3;
    return plan;
}

static struct video planned_with_tracks(struct fixture *f)
{
    struct video v = fixture_stored(f, "tracks");
    struct video_plan plan = plan_with_tracks(1);
    struct job probe = fixture_claim(f, "w");
    assert_int_equal(store_job_planned(f->st, &probe, &plan), RC_OK);
    return v;
}

static void what_was_added_is_kept_and_has_a_job_once_there_is_a_plan(void **state)
{
    struct fixture *f = *state;
    struct video v = fixture_stored(f, "a");
    struct subtitle s = file_of("PT-br", "Para todos");
    bool replaced = true;
    char *text = NULL;

    assert_int_equal(store_subtitle_put(f->st, v.id, &s, TEXT, &replaced), RC_OK);
    assert_false(replaced);
    assert_no_job(f);
    struct subtitles all = list(f, v.id);
    assert_int_equal(all.n, 1);
    assert_string_equal(all.list[0].name, "pt-BR");
    assert_string_equal(all.list[0].language, "pt-BR");
    assert_string_equal(all.list[0].label, "Para todos");
    assert_false(all.list[0].is_track || all.list[0].forced || all.list[0].published);
    assert_true(all.list[0].read);
    assert_int_equal(store_subtitle_text(f->st, v.id, "pt-BR", &text), RC_OK);
    assert_string_equal(text, TEXT);
    free(text);

    struct job probe = fixture_claim(f, "w");
    struct video_plan plan = fixture_plan(1);
    assert_int_equal(store_job_planned(f->st, &probe, &plan), RC_OK);
    struct job job = claim_subtitles(f);
    assert_int_equal(store_job_subtitles_published(f->st, &job, &all), RC_OK);
    assert_true(list(f, v.id).list[0].published);
    done(f, &job);
}

static void one_job_waits_however_many_are_added(void **state)
{
    struct fixture *f = *state;
    struct video v = fixture_planned(f, "a");
    put(f, v.id, "en", false);
    put(f, v.id, "de", false);
    put(f, v.id, "en", true);
    struct job job = claim_subtitles(f);
    assert_no_job(f);
    /* It may have looked already: what comes now needs another. */
    assert_int_equal(store_subtitle_delete(f->st, v.id, "de"), RC_OK);
    done(f, &job);
    job = claim_subtitles(f);
    done(f, &job);
    assert_no_job(f);
    assert_names(f, v.id, "en");
}

static void replacing_leaves_what_is_published_in_its_place(void **state)
{
    struct fixture *f = *state;
    struct video v = fixture_planned(f, "a");
    char *text = NULL;
    bool replaced = false;
    put(f, v.id, "en", false);
    struct job job = claim_subtitles(f);
    struct subtitles all = list(f, v.id);
    assert_int_equal(store_job_subtitles_published(f->st, &job, &all), RC_OK);
    struct subtitle s = file_of("en", "New");
    assert_int_equal(store_subtitle_put(f->st, v.id, &s, "other", &replaced), RC_OK);
    assert_true(replaced);
    assert_true(list(f, v.id).list[0].published);
    assert_string_equal(list(f, v.id).list[0].label, "New");
    assert_int_equal(store_subtitle_text(f->st, v.id, "en", &text), RC_OK);
    assert_string_equal(text, "other");
    free(text);
}

static void what_is_not_there_or_has_failed_takes_none(void **state)
{
    struct fixture *f = *state;
    struct video v = fixture_planned(f, "a");
    struct subtitle s = file_of("en", "");
    struct subtitles all;
    bool replaced;
    char *text;

    assert_int_equal(store_subtitle_put(f->st, "aaaaaaaaaaaaaaaa", &s, TEXT, &replaced),
                     RC_NOT_FOUND);
    assert_int_equal(store_subtitle_delete(f->st, v.id, "en"), RC_NOT_FOUND);
    assert_int_equal(store_subtitle_text(f->st, v.id, "en", &text), RC_NOT_FOUND);
    assert_int_equal(store_subtitles(f->st, "aaaaaaaaaaaaaaaa", &all), RC_NOT_FOUND);
    put(f, v.id, "en", false);
    struct job encode;
    assert_int_equal(
        store_job_claim(f->st, "w", 30000, STORE_KIND(JOB_ENCODE), &encode), RC_OK);
    assert_int_equal(store_job_fail(f->st, &encode, "broken"), RC_OK);
    assert_int_equal(store_subtitle_put(f->st, v.id, &s, TEXT, &replaced), RC_CONFLICT);
    assert_int_equal(store_subtitle_delete(f->st, v.id, "en"), RC_CONFLICT);
    assert_names(f, v.id, "en");
    assert_no_job(f);
}

static void there_is_an_end_to_how_many(void **state)
{
    struct fixture *f = *state;
    struct video v = fixture_planned(f, "a");
    struct subtitle s = file_of("de", "");
    bool replaced = true;
    char name[16] = "en";
    for (int i = 1; i <= STORE_SUBTITLES_MAX; i++) {
        if (i > 1)
            snprintf(name, sizeof(name), "en-%d", i);
        put(f, v.id, name, false);
    }
    assert_int_equal(store_subtitle_put(f->st, v.id, &s, TEXT, &replaced),
                     RC_TOO_LARGE);
    assert_true(replaced);
    put(f, v.id, "en", true);
    assert_int_equal(list(f, v.id).n, STORE_SUBTITLES_MAX);
}

static void tracks_are_read_by_a_job_and_hold_nothing_up(void **state)
{
    struct fixture *f = *state;
    struct video v = planned_with_tracks(f);
    struct subtitles all = list(f, v.id);
    char *text = NULL;

    assert_names(f, v.id, "en en-2 und");
    assert_false(all.list[0].read);
    assert_true(all.list[1].is_track && all.list[1].forced);
    assert_int_equal(all.list[1].stream, 3);
    assert_string_equal(all.list[1].codec, "subrip");
    struct job job = claim_subtitles(f);
    assert_int_equal(store_job_subtitle_read(f->st, &job, 2, TEXT), RC_OK);
    assert_int_equal(store_subtitle_text(f->st, v.id, "en", &text), RC_OK);
    assert_string_equal(text, TEXT);
    free(text);
    assert_int_equal(store_job_subtitle_missing(f->st, &job, 3, "One is broken."),
                     RC_OK);
    assert_int_equal(store_job_subtitle_missing(f->st, &job, 4, NULL), RC_OK);
    assert_names(f, v.id, "en");
    assert_string_equal(fixture_get(f, v.id).warning, "One is broken.");
    /* Not a second time: it is read. */
    assert_int_equal(store_job_subtitle_missing(f->st, &job, 2, NULL), RC_OK);
    assert_names(f, v.id, "en");

    struct job encode;
    struct job_result result = {.bitrate = 1};
    bool ready = false;
    for (int i = 0; i < 2; i++) {
        assert_int_equal(
            store_job_claim(f->st, "w", 30000, STORE_KIND(JOB_ENCODE), &encode), RC_OK);
        assert_int_equal(store_job_done(f->st, &encode, &result, &ready), RC_OK);
    }
    assert_true(ready);
}

static void a_job_that_fails_takes_what_is_unread_and_not_its_video(void **state)
{
    struct fixture *f = *state;
    struct video v = planned_with_tracks(f);
    struct job job = claim_subtitles(f);
    put(f, v.id, "fr", false);
    assert_int_equal(store_job_subtitle_read(f->st, &job, 2, TEXT), RC_OK);
    assert_int_equal(store_job_fail(f->st, &job, "Out of luck."), RC_OK);
    assert_names(f, v.id, "en fr");
    v = fixture_get(f, v.id);
    assert_int_equal(v.state, VIDEO_PROCESSING);
    assert_string_equal(v.warning, "Its subtitles could not be made: Out of luck.");
}

static const char *error_of(struct fixture *f, const char *id, size_t i)
{
    static struct subtitles all;
    all = list(f, id);
    assert_true(i < all.n);
    return all.list[i].error;
}

static void what_was_added_and_cannot_be_made_says_why(void **state)
{
    struct fixture *f = *state;
    struct video v = fixture_planned(f, "a");
    struct subtitles made;
    put(f, v.id, "en", false);
    put(f, v.id, "de", false);
    struct job job = claim_subtitles(f);
    made = list(f, v.id);
    made.n = 1;
    assert_int_equal(store_job_subtitles_published(f->st, &job, &made), RC_OK);
    assert_int_equal(store_job_fail(f->st, &job, "Out of\nluck."), RC_OK);
    assert_string_equal(error_of(f, v.id, 0), "");
    assert_string_equal(error_of(f, v.id, 1), "Out of luck.");
    assert_string_equal(fixture_get(f, v.id).warning, "");

    /* The next job makes it after all; so does a new text, or a new plan, begin anew.
     */
    put(f, v.id, "fr", false);
    assert_string_equal(error_of(f, v.id, 1), "Out of luck.");
    job = claim_subtitles(f);
    made = list(f, v.id);
    assert_int_equal(store_job_subtitles_published(f->st, &job, &made), RC_OK);
    assert_string_equal(error_of(f, v.id, 1), "");
    done(f, &job);
    put(f, v.id, "en", true);
    job = claim_subtitles(f);
    assert_int_equal(store_job_fail(f->st, &job, "No."), RC_OK);
    assert_string_equal(error_of(f, v.id, 0), "No.");
    put(f, v.id, "en", true);
    assert_string_equal(error_of(f, v.id, 0), "");
}

static void what_another_job_will_see_to_has_not_failed(void **state)
{
    struct fixture *f = *state;
    struct video v = fixture_planned(f, "a");
    put(f, v.id, "en", false);
    struct job job = claim_subtitles(f);
    put(f, v.id, "de", false);
    assert_int_equal(store_job_fail(f->st, &job, "No."), RC_OK);
    assert_string_equal(error_of(f, v.id, 0), "");
    job = claim_subtitles(f);
    assert_int_equal(store_job_fail(f->st, &job, "No."), RC_OK);
    assert_string_equal(error_of(f, v.id, 0), "No.");
    assert_string_equal(error_of(f, v.id, 1), "No.");
}

/* A job that has begun before a text came does not pass for one that wrote it. */
static void files_are_those_of_one_text(void **state)
{
    struct fixture *f = *state;
    struct video v = fixture_planned(f, "a");
    put(f, v.id, "en", false);
    struct job job = claim_subtitles(f);
    struct subtitles written = list(f, v.id);
    assert_false(is_current(&written.list[0]));
    put(f, v.id, "en", true);
    assert_int_equal(store_job_subtitles_published(f->st, &job, &written), RC_OK);
    assert_true(list(f, v.id).list[0].published);
    assert_false(is_current(&list(f, v.id).list[0]));
    written = list(f, v.id);
    assert_int_equal(store_job_subtitles_published(f->st, &job, &written), RC_OK);
    assert_true(is_current(&list(f, v.id).list[0]));
    /* Nor does one of the same name that was taken away. */
    assert_int_equal(store_subtitle_delete(f->st, v.id, "en"), RC_OK);
    put(f, v.id, "en", false);
    assert_int_equal(store_job_subtitles_published(f->st, &job, &written), RC_OK);
    assert_false(is_current(&list(f, v.id).list[0]));
}

static void a_file_takes_the_name_of_a_track_that_was_not_read_yet(void **state)
{
    struct fixture *f = *state;
    struct video v = planned_with_tracks(f);
    put(f, v.id, "en", false);
    assert_names(f, v.id, "en-3 en-2 und en");
    struct job job = claim_subtitles(f);
    assert_int_equal(store_job_subtitle_read(f->st, &job, 2, TEXT), RC_OK);
    assert_int_equal(list(f, v.id).list[0].stream, 2);
    assert_true(list(f, v.id).list[0].read);
    /* One that is read is replaced. */
    put(f, v.id, "en-3", true);
    assert_false(list(f, v.id).list[0].is_track);
}

static void an_unread_track_cannot_be_taken_away(void **state)
{
    struct fixture *f = *state;
    struct video v = planned_with_tracks(f);
    assert_int_equal(store_subtitle_delete(f->st, v.id, "en"), RC_NOT_FOUND);
    assert_names(f, v.id, "en en-2 und");
}

static void files_outlive_a_new_plan_and_tracks_are_read_again(void **state)
{
    struct fixture *f = *state;
    struct video v = planned_with_tracks(f);
    struct job encode, job = claim_subtitles(f);
    assert_int_equal(store_job_subtitle_read(f->st, &job, 2, TEXT), RC_OK);
    put(f, v.id, "de", false);
    assert_int_equal(
        store_job_claim(f->st, "w", 30000, STORE_KIND(JOB_ENCODE), &encode), RC_OK);
    assert_int_equal(store_job_fail(f->st, &encode, "broken"), RC_OK);
    assert_int_equal(store_job_subtitle_read(f->st, &job, 3, TEXT), RC_FENCED);
    assert_int_equal(store_job_subtitle_missing(f->st, &job, 3, NULL), RC_FENCED);
    assert_int_equal(store_video_retry(f->st, v.id), RC_OK);
    struct job probe = fixture_claim(f, "w");
    struct video_plan plan = plan_with_tracks(2);
    plan.tracks.n = 1;
    assert_int_equal(store_job_planned(f->st, &probe, &plan), RC_OK);
    assert_names(f, v.id, "de en");
    assert_true(list(f, v.id).list[0].read);
    assert_false(list(f, v.id).list[1].read);
    job = claim_subtitles(f);
    done(f, &job);
}

static void a_plan_without_the_tracks_of_before_has_their_files_taken_away(void **state)
{
    struct fixture *f = *state;
    struct video v = planned_with_tracks(f);
    struct job encode;
    assert_int_equal(
        store_job_claim(f->st, "w", 30000, STORE_KIND(JOB_ENCODE), &encode), RC_OK);
    assert_int_equal(store_job_fail(f->st, &encode, "broken"), RC_OK);
    assert_int_equal(store_video_retry(f->st, v.id), RC_OK);
    struct job probe = fixture_claim(f, "w");
    struct video_plan plan = fixture_plan(2);
    assert_int_equal(store_job_planned(f->st, &probe, &plan), RC_OK);
    assert_names(f, v.id, "");
    struct job job = claim_subtitles(f);
    done(f, &job);
}

static void tracks_of_what_comes_in_wait_for_its_last_byte(void **state)
{
    struct fixture *f = *state;
    struct video v = fixture_receiving(f, "a");
    struct video_plan plan = plan_with_tracks(1);
    bool ready = false;
    assert_int_equal(store_video_header_arrived(f->st, v.id), RC_OK);
    struct job probe = fixture_claim(f, "w");
    assert_int_equal(store_job_planned(f->st, &probe, &plan), RC_OK);
    assert_names(f, v.id, "");
    assert_no_job(f);
    put(f, v.id, "de", false);
    struct job job = claim_subtitles(f);
    done(f, &job);
    assert_int_equal(store_video_stored(f->st, v.id, 1000, &v), RC_OK);
    probe = fixture_claim(f, "w");
    assert_int_equal(probe.kind, JOB_PROBE);
    assert_int_equal(store_job_confirmed(f->st, &probe, &plan, &ready), RC_OK);
    assert_names(f, v.id, "de en en-2 und");
    job = claim_subtitles(f);
    done(f, &job);
}

static void they_go_with_their_video(void **state)
{
    struct fixture *f = *state;
    struct video v = planned_with_tracks(f);
    struct subtitles all;
    char *text;
    put(f, v.id, "de", false);
    struct job job = claim_subtitles(f);
    assert_int_equal(store_video_delete(f->st, v.id, &v), RC_OK);
    assert_int_equal(store_job_subtitle_read(f->st, &job, 2, TEXT), RC_FENCED);
    assert_int_equal(store_subtitles(f->st, v.id, &all), RC_NOT_FOUND);
    assert_int_equal(store_video_purge(f->st, v.id), RC_OK);
    assert_int_equal(store_subtitle_text(f->st, v.id, "de", &text), RC_NOT_FOUND);
}

#define TEST(name)                                                                     \
    cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_was_added_is_kept_and_has_a_job_once_there_is_a_plan),
        TEST(one_job_waits_however_many_are_added),
        TEST(replacing_leaves_what_is_published_in_its_place),
        TEST(what_is_not_there_or_has_failed_takes_none),
        TEST(there_is_an_end_to_how_many),
        TEST(tracks_are_read_by_a_job_and_hold_nothing_up),
        TEST(a_job_that_fails_takes_what_is_unread_and_not_its_video),
        TEST(what_was_added_and_cannot_be_made_says_why),
        TEST(what_another_job_will_see_to_has_not_failed),
        TEST(files_are_those_of_one_text),
        TEST(a_file_takes_the_name_of_a_track_that_was_not_read_yet),
        TEST(an_unread_track_cannot_be_taken_away),
        TEST(files_outlive_a_new_plan_and_tracks_are_read_again),
        TEST(a_plan_without_the_tracks_of_before_has_their_files_taken_away),
        TEST(tracks_of_what_comes_in_wait_for_its_last_byte),
        TEST(they_go_with_their_video),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
