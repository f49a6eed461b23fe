/* Whatever changes what the playlists of a video say is known until they follow. */
#include "store_fixture.h"
#include "store_lists.h"

static const uint8_t BOUNDS[20] = {0};

static enum rc count(void *arg, const struct video *v)
{
    int *n = arg;
    (void)v;
    ++*n;
    return RC_OK;
}

static int behind(struct fixture *f)
{
    int n = 0;
    assert_int_equal(store_lists_each_behind(f->st, count, &n), RC_OK);
    return n;
}

static struct lists_changes changes_of(struct fixture *f, const char *id)
{
    struct lists_changes changes;
    assert_int_equal(store_lists_changes(f->st, id, &changes), RC_OK);
    return changes;
}

/* That there was a change, which is then followed. */
static void assert_changed(struct fixture *f, const char *id)
{
    struct lists_changes changes = changes_of(f, id);
    assert_int_equal(changes.n, changes.followed + 1);
    assert_int_equal(behind(f), 1);
    assert_int_equal(store_lists_followed(f->st, id, changes.n), RC_OK);
    assert_int_equal(behind(f), 0);
}

static struct job claim(struct fixture *f, enum job_kind kind)
{
    struct job job;
    assert_int_equal(store_job_claim(f->st, "w", 30000, STORE_KIND(kind), &job), RC_OK);
    return job;
}

static struct video_plan plan_with_extras(int generation)
{
    struct video_plan plan = fixture_plan(generation);
    struct rendition source = plan.renditions[1], rung = source;
    strcpy(source.name, "source");
    source.extra = source.copied = true;
    source.segments = source.frames = 0;
    strcpy(rung.name, "720p");
    rung.extra = true;
    plan.renditions[plan.n_renditions++] = source;
    plan.renditions[plan.n_renditions++] = rung;
    return plan;
}

static struct video planned(struct fixture *f)
{
    struct video v = fixture_stored(f, "clip");
    struct video_plan plan = plan_with_extras(1);
    struct job probe = claim(f, JOB_PROBE);
    assert_int_equal(store_job_planned(f->st, &probe, &plan), RC_OK);
    assert_changed(f, v.id); /* it may be that what was written does not last */
    return v;
}

static void done(struct fixture *f, enum job_kind kind)
{
    struct job_result result = {.bitrate = 1};
    struct job job = claim(f, kind);
    bool ready;
    assert_int_equal(store_job_done(f->st, &job, &result, &ready), RC_OK);
}

static void the_end_of_a_rendition_is_a_change(void **state)
{
    struct fixture *f = *state;
    struct video v = planned(f);
    bool ready;
    done(f, JOB_POSTER);
    assert_int_equal(behind(f), 0);
    done(f, JOB_ENCODE);
    assert_changed(f, v.id);
    done(f, JOB_LADDER);
    assert_changed(f, v.id);
    struct job sound = claim(f, JOB_ENCODE);
    assert_int_equal(published(f->st, &sound, 1), RC_OK);
    assert_int_equal(behind(f), 0);
    assert_int_equal(store_job_without(f->st, &sound, "It is damaged.", &ready), RC_OK);
    assert_changed(f, v.id);
}

static void so_is_what_becomes_of_a_copy(void **state)
{
    struct fixture *f = *state;
    struct video v = planned(f);
    struct rendition r = plan_with_extras(1).renditions[2];
    struct video_plan none = {.n_renditions = 0};
    bool ready;
    r.segments = 1;
    struct job copy = claim(f, JOB_COPY);
    assert_int_equal(store_job_offer(f->st, &copy, &r, BOUNDS, sizeof(BOUNDS)), RC_OK);
    assert_changed(f, v.id);
    assert_int_equal(store_job_anew(f->st, &copy), RC_OK);
    assert_changed(f, v.id);
    copy = claim(f, JOB_COPY);
    assert_int_equal(store_job_instead(f->st, &copy, "No.", &none, &ready), RC_OK);
    assert_changed(f, v.id);
}

static void so_is_sound_that_is_encoded_after_all(void **state)
{
    struct fixture *f = *state;
    struct video v = fixture_stored(f, "clip");
    struct video_plan plan = fixture_plan(1);
    struct rendition encoded = plan.renditions[0];
    struct job probe = claim(f, JOB_PROBE);
    plan.renditions[0].copied = true;
    plan.bounds[0].bytes = BOUNDS;
    plan.bounds[0].n = sizeof(BOUNDS);
    assert_int_equal(store_job_planned(f->st, &probe, &plan), RC_OK);
    assert_changed(f, v.id);
    claim(f, JOB_ENCODE); /* of the picture */
    struct job sound = claim(f, JOB_ENCODE);
    assert_int_equal(store_job_encode_sounds(f->st, &sound, &encoded, "No."), RC_OK);
    assert_changed(f, v.id);
}

static void so_is_a_plan_after_another(void **state)
{
    struct fixture *f = *state;
    struct video v = planned(f);
    struct video_plan plan = plan_with_extras(2);
    struct job encode = claim(f, JOB_ENCODE);
    assert_int_equal(store_job_plan_again(f->st, &encode, "Why not."), RC_OK);
    struct job probe = claim(f, JOB_PROBE);
    assert_int_equal(store_job_planned(f->st, &probe, &plan), RC_OK);
    assert_changed(f, v.id);
}

static void so_is_what_arrives_and_that_it_is_whole(void **state)
{
    struct fixture *f = *state;
    struct video_plan found = plan_with_extras(1), open = fixture_plan(1);
    struct video v = fixture_receiving(f, "arriving");
    bool ready;
    open.duration_us = -1;
    assert_int_equal(store_video_header_arrived(f->st, v.id), RC_OK);
    struct job probe = claim(f, JOB_PROBE);
    assert_int_equal(store_job_planned(f->st, &probe, &open), RC_OK);
    assert_changed(f, v.id);
    struct job encode = claim(f, JOB_ENCODE);
    assert_int_equal(store_job_promise(f->st, &encode, 8), RC_OK);
    assert_changed(f, v.id);
    assert_int_equal(store_video_stored(f->st, v.id, 1000, &v), RC_OK);
    probe = claim(f, JOB_PROBE);
    assert_int_equal(store_job_confirmed(f->st, &probe, &found, &ready), RC_OK);
    assert_changed(f, v.id);
}

static void so_are_subtitles_that_have_their_files(void **state)
{
    struct fixture *f = *state;
    struct video v = planned(f);
    struct subtitle s = {.name = "en", .language = "en"};
    struct subtitles all;
    bool replaced;
    assert_int_equal(store_subtitle_put(f->st, v.id, &s, "WEBVTT\n", &replaced), RC_OK);
    assert_int_equal(behind(f), 0);
    struct job job = claim(f, JOB_SUBTITLES);
    assert_int_equal(store_subtitles(f->st, v.id, &all), RC_OK);
    assert_int_equal(store_job_subtitles_published(f->st, &job, &all), RC_OK);
    assert_changed(f, v.id);
}

static void what_changes_while_they_are_written_is_not_followed_yet(void **state)
{
    struct fixture *f = *state;
    struct video v = planned(f);
    done(f, JOB_ENCODE);
    struct lists_changes seen = changes_of(f, v.id);
    done(f, JOB_ENCODE);
    assert_int_equal(store_lists_followed(f->st, v.id, seen.n), RC_OK);
    assert_int_equal(behind(f), 1);
    seen = changes_of(f, v.id);
    assert_int_equal(store_lists_followed(f->st, v.id, seen.n), RC_OK);
    assert_int_equal(behind(f), 0);
    /* Nor is it forgotten by one who was slower. */
    assert_int_equal(store_lists_followed(f->st, v.id, seen.n - 1), RC_OK);
    assert_int_equal(behind(f), 0);
}

static void a_deleted_video_has_none(void **state)
{
    struct fixture *f = *state;
    struct video v = planned(f);
    struct lists_changes changes;
    done(f, JOB_ENCODE);
    assert_int_equal(store_video_delete(f->st, v.id, &v), RC_OK);
    assert_int_equal(behind(f), 0);
    assert_int_equal(store_lists_changes(f->st, v.id, &changes), RC_NOT_FOUND);
}

#define TEST(name)                                                                     \
    cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_end_of_a_rendition_is_a_change),
        TEST(so_is_what_becomes_of_a_copy),
        TEST(so_is_sound_that_is_encoded_after_all),
        TEST(so_is_a_plan_after_another),
        TEST(so_is_what_arrives_and_that_it_is_whole),
        TEST(so_are_subtitles_that_have_their_files),
        TEST(what_changes_while_they_are_written_is_not_followed_yet),
        TEST(a_deleted_video_has_none),
    };
    return cmocka_run_group_tests_name("store_lists", tests, NULL, NULL);
}
