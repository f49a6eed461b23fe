#include "check.h"

#include "accounts_fixture.h"
#include "store_priv.h"

struct log {
    struct activity rows[64];
    size_t n;
};

static enum rc collect(void *arg, const struct activity *a)
{
    struct log *l = arg;

    l->rows[l->n++] = *a;
    return RC_OK;
}

static void list_from(struct fixture *f, int64_t after, int limit, struct log *out)
{
    out->n = 0;
    assert_int_equal(store_activity_list(f->st, 0, after, limit, collect, out), RC_OK);
}

/* The messages since after, one a line: "level kind message". */
static const char *told_since(struct fixture *f, int64_t after)
{
    static struct log l;
    static char text[16384];
    size_t i, n = 0;

    text[0] = '\0';
    list_from(f, after, 64, &l);
    for (i = 0; i < l.n; i++)
        n += (size_t)snprintf(text + n, sizeof(text) - n, "%s %s %s\n",
                              activity_level_name(l.rows[i].level), l.rows[i].kind,
                              l.rows[i].message);
    return text;
}

static int64_t newest(struct fixture *f)
{
    static struct log l;

    list_from(f, -1, 1, &l);
    return l.n ? l.rows[0].id : 0;
}

static enum rc add_rarely(struct fixture *f, const char *about, const char *rest)
{
    return store_activity_add_rarely(f->st, ACTIVITY_WARN, "account", about, rest);
}

static void what_anybody_can_bring_about_is_told_once_a_minute(void **state)
{
    struct fixture *f = *state;
    int64_t before = newest(f);

    for (int i = 0; i < 5; i++) {
        assert_int_equal(add_rarely(f, "As ada", i ? ", from b" : ", from a"), RC_OK);
        assert_int_equal(add_rarely(f, "As bob", ", from a"), RC_OK);
        fixture_tick(f, 11000);
    }
    assert_string_equal(told_since(f, before), "warn account As ada, from a\n"
                                               "warn account As bob, from a\n");
    before = newest(f);
    fixture_tick(f, 6000); /* a minute and a second */
    assert_int_equal(add_rarely(f, "As ada", ", from c"), RC_OK);
    assert_string_equal(told_since(f, before), "warn account As ada, from c\n");
}

static void an_added_row_is_read_back(void **state)
{
    struct fixture *f = *state;
    struct video v = fixture_receiving(f, "Clip");
    static struct log l;
    int64_t before = newest(f);

    fixture_tick(f, 7);
    assert_int_equal(
        store_activity_add(f->st, ACTIVITY_WARN, "worker", v.id, "%d of %s", 3, "four"),
        RC_OK);
    list_from(f, before, 10, &l);
    assert_int_equal(l.n, 1);
    assert_true(l.rows[0].id > before);
    assert_int_equal(l.rows[0].at_ms, f->wall_ms);
    assert_int_equal(l.rows[0].level, ACTIVITY_WARN);
    assert_string_equal(l.rows[0].kind, "worker");
    assert_string_equal(l.rows[0].video_id, v.id);
    assert_string_equal(l.rows[0].title, "Clip");
    assert_string_equal(l.rows[0].message, "3 of four");
}

static void a_row_may_be_about_no_video(void **state)
{
    struct fixture *f = *state;
    static struct log l;

    assert_int_equal(
        store_activity_add(f->st, ACTIVITY_INFO, "worker", NULL, "started"), RC_OK);
    list_from(f, -1, 10, &l);
    assert_int_equal(l.n, 1);
    assert_string_equal(l.rows[0].video_id, "");
    assert_string_equal(l.rows[0].title, "");
}

static void titles_are_the_present_ones_and_go_with_the_video(void **state)
{
    struct fixture *f = *state;
    struct video v = fixture_receiving(f, "old");
    static struct log l;

    assert_int_equal(store_video_rename(f->st, v.id, "new"), RC_OK);
    list_from(f, 0, 1, &l);
    assert_string_equal(l.rows[0].title, "new");
    assert_int_equal(store_video_delete(f->st, v.id, &v), RC_OK);
    list_from(f, 0, 1, &l);
    assert_string_equal(l.rows[0].title, "");
    assert_string_equal(l.rows[0].video_id, v.id);
}

static void long_text_is_cut_between_code_points(void **state)
{
    struct fixture *f = *state;
    static struct log l;
    char text[3001];
    size_t i;

    for (i = 0; i < 3000; i += 3)
        memcpy(text + i, "€", 3);
    text[3000] = '\0';
    assert_int_equal(store_activity_add(f->st, ACTIVITY_INFO, "x", NULL, "%s", text),
                     RC_OK);
    assert_int_equal(store_activity_add(f->st, ACTIVITY_INFO, "x", NULL, "a%s", text),
                     RC_OK);
    assert_int_equal(store_activity_add(f->st, ACTIVITY_INFO, "x", NULL, "a\nb\x1b[1m"),
                     RC_OK);
    list_from(f, -1, 3, &l);
    assert_int_equal(strlen(l.rows[0].message), 498);
    assert_memory_equal(l.rows[0].message, text, 498);
    assert_int_equal(strlen(l.rows[1].message), 499);
    assert_memory_equal(l.rows[1].message + 1, text, 498);
    assert_string_equal(l.rows[2].message, "a b [1m");
}

static void the_cursor_gives_what_came_after_it(void **state)
{
    struct fixture *f = *state;
    static struct log l;
    int64_t first;
    int i;

    for (i = 1; i <= 10; i++)
        assert_int_equal(store_activity_add(f->st, ACTIVITY_INFO, "x", NULL, "%d", i),
                         RC_OK);
    list_from(f, -1, 4, &l);
    assert_int_equal(l.n, 4);
    assert_string_equal(l.rows[0].message, "7");
    assert_string_equal(l.rows[3].message, "10");
    list_from(f, l.rows[3].id, 4, &l);
    assert_int_equal(l.n, 0);
    list_from(f, 0, 4, &l);
    assert_int_equal(l.n, 4);
    assert_string_equal(l.rows[0].message, "1");
    first = l.rows[0].id;
    list_from(f, first, 1, &l);
    assert_int_equal(l.n, 1);
    assert_string_equal(l.rows[0].message, "2");
}

static enum rc stop(void *arg, const struct activity *a)
{
    (void)a;
    ++*(int *)arg;
    return RC_STOPPED;
}

static void wrong_limits_are_refused_and_a_callback_may_stop(void **state)
{
    struct fixture *f = *state;
    int n = 0;

    assert_int_equal(store_activity_add(f->st, ACTIVITY_INFO, "x", NULL, "1"), RC_OK);
    assert_int_equal(store_activity_add(f->st, ACTIVITY_INFO, "x", NULL, "2"), RC_OK);
    assert_int_equal(store_activity_list(f->st, 0, 0, 0, stop, &n), RC_INVALID);
    assert_int_equal(store_activity_list(f->st, 0, 0, 1001, stop, &n), RC_INVALID);
    assert_int_equal(n, 0);
    assert_int_equal(store_activity_list(f->st, 0, 0, 1000, stop, &n), RC_STOPPED);
    assert_int_equal(n, 1);
}

static void trim_keeps_the_newest_and_the_cursor_grows_on(void **state)
{
    struct fixture *f = *state;
    static struct log l;
    int64_t last;
    int i;

    for (i = 1; i <= 10; i++)
        assert_int_equal(store_activity_add(f->st, ACTIVITY_INFO, "x", NULL, "%d", i),
                         RC_OK);
    assert_int_equal(store_activity_trim(f->st, 20), RC_OK);
    list_from(f, 0, 64, &l);
    assert_int_equal(l.n, 10);
    assert_int_equal(store_activity_trim(f->st, 3), RC_OK);
    list_from(f, 0, 64, &l);
    assert_int_equal(l.n, 3);
    assert_string_equal(l.rows[0].message, "8");
    last = l.rows[2].id;
    assert_int_equal(store_activity_trim(f->st, 0), RC_OK);
    assert_int_equal(store_activity_add(f->st, ACTIVITY_INFO, "x", NULL, "11"), RC_OK);
    assert_true(newest(f) > last);
    assert_int_equal(store_activity_trim(f->st, -1), RC_INVALID);
}

/* Another handle holds the lock all the while. */
static void who_has_nothing_to_write_waits_for_no_writer(void **state)
{
    struct fixture *f = *state;
    struct store *other = fixture_handle(f);

    assert_int_equal(add_rarely(f, "As ada", ", from a"), RC_OK);
    assert_int_equal(store_begin(other), RC_OK);
    assert_int_equal(add_rarely(f, "As ada", ", from b"), RC_OK);
    assert_int_equal(store_activity_trim(f->st, 1), RC_OK);
    assert_int_equal(store_end(other, RC_OK), RC_OK);
    store_close(other);
}

static void the_life_of_a_video_is_told(void **state)
{
    struct fixture *f = *state;
    struct job_result result = {.poster_made = true};
    struct video_plan plan = fixture_plan(1);
    struct video v = fixture_receiving(f, "clip");
    struct job job;
    bool ready;

    fixture_tick(f, 900);
    assert_int_equal(store_video_stored(f->st, v.id, 1234567890, &v), RC_OK);
    job = fixture_claim(f, "w");
    assert_int_equal(store_job_planned(f->st, &job, &plan), RC_OK);
    job = fixture_claim(f, "w");
    assert_int_equal(store_job_done(f->st, &job, &result, &ready), RC_OK);
    job = fixture_claim(f, "w");
    assert_int_equal(store_job_retry(f->st, &job, 2000, "no progress"), RC_OK);
    fixture_tick(f, 2000);
    job = fixture_claim(f, "w");
    assert_int_equal(store_job_renew(f->st, &job, 1000, 0.5), RC_OK);
    assert_int_equal(published(f->st, &job, 7), RC_OK);
    assert_int_equal(store_job_done(f->st, &job, &result, &ready), RC_OK);
    job = fixture_claim(f, "w");
    fixture_tick(f, 9500);
    assert_int_equal(store_job_done(f->st, &job, &result, &ready), RC_OK);
    assert_int_equal(store_video_rename(f->st, v.id, "Holiday"), RC_OK);
    assert_int_equal(store_video_delete(f->st, v.id, &v), RC_OK);
    assert_string_equal(told_since(f, 0),
                        "info upload Upload of \"clip.mp4\" begun\n"
                        "info upload Stored, 1.2 GB\n"
                        "info probe Looking into the file\n"
                        "info probe Planned audio-0, 360p for 12.4 s\n"
                        "info poster Making the poster\n"
                        "info poster Poster made\n"
                        "info encode 360p: encoding\n"
                        "warn encode 360p: attempt 1 failed, the next in 2.0 s: "
                        "no progress\n"
                        "info encode 360p: encoding, attempt 2\n"
                        "info encode 360p: encoded\n"
                        "info encode audio-0: encoding\n"
                        "info encode audio-0: encoded\n"
                        "info video Ready after 12.4 s\n"
                        "info video Renamed, was \"clip\"\n"
                        "info video Deleted \"Holiday\"\n");
}

static void failure_and_retry_are_told(void **state)
{
    struct fixture *f = *state;
    struct video v = fixture_stored(f, "clip");
    struct job job = fixture_claim(f, "w");
    int64_t before = newest(f);

    assert_int_equal(store_job_fail(f->st, &job, "There is no video in it."), RC_OK);
    assert_int_equal(store_video_retry(f->st, v.id), RC_OK);
    assert_string_equal(told_since(f, before),
                        "warn probe given up at attempt 1: There is no video in it.\n"
                        "error video Failed: There is no video in it.\n"
                        "info video To be processed again\n");
}

static void an_abandoned_upload_is_told(void **state)
{
    struct fixture *f = *state;
    struct video v = fixture_receiving(f, "clip");
    int64_t before = newest(f);

    assert_int_equal(store_video_abandon(f->st, v.id, "the client went away"), RC_OK);
    assert_int_equal(store_video_abandon(f->st, v.id, "twice"), RC_OK);
    assert_string_equal(told_since(f, before), "warn upload Upload of \"clip.mp4\" "
                                               "abandoned: the client went away\n");
}

/* A member sees the lines of their own videos alone. */
static void whose_upload_was_abandoned_is_told_of_it(void **state)
{
    struct fixture *f = *state;
    int64_t ada = fixture_user(f, "ada", USER_MEMBER);
    struct video v = fixture_video_of(f, ada, "clip");
    static struct log l;

    assert_int_equal(store_video_abandon(f->st, v.id, "given up"), RC_OK);
    assert_int_equal(store_activity_list(f->st, ada, -1, 1, collect, &l), RC_OK);
    assert_int_equal(l.n, 1);
    assert_string_equal(l.rows[0].message,
                        "Upload of \"clip.mp4\" abandoned: given up");
}

/* A link is taken back, keys are made anew, and a video is opened and closed. */
static void share_and_take_back(struct fixture *f, const struct video *v)
{
    struct share s = {.expires_ms = -1};

    memcpy(s.video_id, v->id, sizeof(s.video_id));
    assert_int_equal(store_share_add(f->st, &s, 0), RC_OK);
    assert_int_equal(store_grants_renew(f->st, v->id), RC_OK);
    assert_int_equal(store_share_remove(f->st, s.token), RC_OK);
    assert_int_equal(store_video_set_visibility(f->st, v->id, VISIBLE_EVERYONE), RC_OK);
    assert_int_equal(store_video_set_visibility(f->st, v->id, VISIBLE_PRIVATE), RC_OK);
}

static void who_gave_and_took_is_told(void **state)
{
    struct fixture *f = *state;
    int64_t ada = fixture_user(f, "ada", USER_OWNER);
    struct video v = fixture_video_of(f, ada, "clip");
    struct session s = {.user_id = ada, .expires_ms = f->wall_ms + DAY_MS};
    struct store_actor actor = {.user_id = ada, .role = USER_OWNER};
    uint8_t hash[SECRET_HASH_SIZE];
    int64_t before;

    fixture_hash("session", hash);
    assert_int_equal(store_session_begin(f->st, hash, FIXTURE_PASSWORD, &s), RC_OK);
    actor.session = s.n;
    before = newest(f);
    store_act_for(f->st, &actor);
    share_and_take_back(f, &v);
    assert_string_equal(
        told_since(f, before),
        "info share A link to it was made\n"
        "info share New keys for all who may watch it, by \"ada\"\n"
        "info share A link to it was taken back, by \"ada\"\n"
        "info share Everyone who is signed in may watch it, by \"ada\"\n"
        "info share It is private again, by \"ada\"\n");
    store_act_for(f->st, NULL);
    before = newest(f);
    share_and_take_back(f, &v);
    assert_string_equal(told_since(f, before),
                        "info share A link to it was made\n"
                        "info share New keys for all who may watch it\n"
                        "info share A link to it was taken back\n"
                        "info share Everyone who is signed in may watch it\n"
                        "info share It is private again\n");
}

static void what_is_refused_is_not_told(void **state)
{
    struct fixture *f = *state;
    struct video v = fixture_stored(f, "clip");
    struct job job = fixture_claim(f, "w"), none;
    int64_t before = newest(f);

    assert_int_equal(store_video_stored(f->st, v.id, 1, &v), RC_CONFLICT);
    assert_int_equal(store_video_retry(f->st, v.id), RC_CONFLICT);
    assert_int_equal(store_video_rename(f->st, v.id, ""), RC_INVALID);
    assert_int_equal(store_job_claim(f->st, "w", 1000, STORE_KINDS_ALL, &none),
                     RC_NOT_FOUND);
    job.fence++;
    assert_int_equal(store_job_fail(f->st, &job, "x"), RC_FENCED);
    assert_string_equal(told_since(f, before), "");
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, fixture_setup, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(an_added_row_is_read_back),
        TEST(a_row_may_be_about_no_video),
        TEST(titles_are_the_present_ones_and_go_with_the_video),
        TEST(long_text_is_cut_between_code_points),
        TEST(the_cursor_gives_what_came_after_it),
        TEST(wrong_limits_are_refused_and_a_callback_may_stop),
        TEST(trim_keeps_the_newest_and_the_cursor_grows_on),
        TEST(the_life_of_a_video_is_told),
        TEST(failure_and_retry_are_told),
        TEST(an_abandoned_upload_is_told),
        TEST(whose_upload_was_abandoned_is_told_of_it),
        TEST(who_gave_and_took_is_told),
        TEST(what_is_refused_is_not_told),
        TEST(what_anybody_can_bring_about_is_told_once_a_minute),
        TEST(who_has_nothing_to_write_waits_for_no_writer),
    };

    return cmocka_run_group_tests_name("store_activity", tests, NULL, NULL);
}
