/* test_passes.c: the worker keeps passes as the rows of sessions and shares say. */
#include "worker_fixture.h"

#include "grant.h"
#include "grants.h"
#include "pass.h"
#include "passes.h"

#include <sys/syscall.h>
#include <unistd.h>

#define PASSES "htdocs/media/pass/"
#define OTHER_KEY "kkkkkkkkkkkkkkkkkkkkkkkkkk"
#define STRANGER "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static struct grants *grants;
static struct passes *passes;

/* Links that are looked at: between two ticks of the loop, and at most. */
static size_t looks, most_looks;
static struct loop_timer ticks;

ssize_t readlinkat(int dir_fd, const char *name, char *out, size_t size)
{
    if (++looks > most_looks)
        most_looks = looks;
    return (ssize_t)syscall(SYS_readlinkat, dir_fd, name, out, size);
}

static bool there(const char *pass, const char *key)
{
    char name[sizeof(PASSES "/") + PASS_LEN + KEY_LEN];
    struct stat st;

    snprintf(name, sizeof(name), PASSES "%s/%s", pass, key);
    return lstat(worker_fixture_path(name), &st) == 0;
}

static void turn_until_gone(const char *pass, const char *key)
{
    loop_turn_until(w.loop, !there(pass, key), "%s/%s to go", pass, key);
}

static int setup(void **state)
{
    worker_fixture_setup(state);
    w.config.media_auth = MEDIA_STRICT;
    return 0;
}

static int teardown(void **state)
{
    passes_close(passes);
    grants_close(grants);
    passes = NULL;
    grants = NULL;
    loop_timer_cancel(w.loop, &ticks);
    return worker_fixture_teardown(state);
}

static void add(const char *pass, const char *key)
{
    bool made = false;

    assert_int_equal(pass_add(&w.site, pass, key, &made), RC_OK);
    assert_true(made);
}

static int64_t begin(int64_t user_id, const char *secret, int64_t lasts_ms,
                     char pass[PASS_LEN + 1])
{
    struct session s = {.user_id = user_id, .expires_ms = f->wall_ms + lasts_ms};
    uint8_t hash[SECRET_HASH_SIZE];

    pass_of_session(secret, pass, hash);
    assert_int_equal(store_session_begin(f->st, hash, FIXTURE_PASSWORD, &s), RC_OK);
    return s.n;
}

/* The grant of user 0 for a new video, which leads somewhere. */
static struct grant give(const char *title)
{
    struct video v = fixture_video_of(f, 0, title);
    char folder[sizeof("htdocs/media/") + KEY_LEN];
    struct grant g;

    assert_int_equal(grant_for_user(f->st, media_fd, v.id, 0, &g), RC_OK);
    snprintf(folder, sizeof(folder), "htdocs/media/%s", g.media_root);
    assert_int_equal(mkdir(worker_fixture_path(folder), 0755), 0);
    return g;
}

static struct share share_of(const struct grant *g)
{
    struct share s = {.expires_ms = -1};
    struct video v;

    memcpy(s.video_id, g->video_id, sizeof(s.video_id));
    assert_int_equal(store_share_add(f->st, &s, 0), RC_OK);
    assert_int_equal(store_video_get(f->st, g->video_id, &v), RC_OK);
    assert_int_equal(grant_of_share(f->st, &w.site, &s, &v), RC_OK);
    return s;
}

static void what_is_of_nobody_goes_at_the_start_and_the_others_stay(void **state)
{
    int64_t ada = fixture_user(f, "ada", USER_OWNER);
    struct grant a = give("a"), b = give("b");
    struct share s = share_of(&a);
    char pass[PASS_LEN + 1], ended[PASS_LEN + 1], shared[PASS_LEN + 1];
    char elsewhere[PATH_MAX];
    uint8_t site_key[SECRET_KEY_SIZE];

    (void)state;
    begin(ada, "lasts", DAY_MS, pass);
    add(pass, a.key);
    add(pass, b.key);
    begin(ada, "is over, and its row stays", 0, ended);
    add(ended, a.key);
    assert_int_equal(store_site_key(f->st, site_key), RC_OK);
    pass_of_share(site_key, s.key, shared);
    add(shared, s.key);
    snprintf(elsewhere, sizeof(elsewhere), PASSES "%s/%s", pass, OTHER_KEY);
    assert_int_equal(symlink("../../../../db", worker_fixture_path(elsewhere)), 0);
    add(STRANGER, a.key); /* as of a database that was there before this one */
    assert_int_equal(grant_unlink(media_fd, b.key), RC_OK);
    assert_int_equal(passes_open(&w, HOUR_MS, &passes), RC_OK);
    turn_until_gone(STRANGER, "");
    turn_until_gone(ended, "");
    turn_until_gone(pass, b.key); /* it leads nowhere */
    turn_until_gone(pass, OTHER_KEY);
    turn_to_the_end();
    assert_true(there(pass, a.key));
    assert_true(there(shared, s.key));
}

static void that_of_a_share_goes_with_the_share(void **state)
{
    struct grant a = give("a");
    struct share s = share_of(&a), t = share_of(&a);
    char gone[PASS_LEN + 1], stays[PASS_LEN + 1];
    uint8_t site_key[SECRET_KEY_SIZE];

    (void)state;
    assert_int_equal(store_site_key(f->st, site_key), RC_OK);
    pass_of_share(site_key, s.key, gone);
    pass_of_share(site_key, t.key, stays);
    add(gone, s.key);
    add(stays, t.key);
    assert_int_equal(passes_open(&w, 20, &passes), RC_OK);
    turn_to_the_end();
    assert_true(there(gone, s.key));
    assert_int_equal(store_share_remove(f->st, s.token), RC_OK);
    assert_int_equal(grant_end_revoked(f->st, &w.site, ""), RC_OK);
    /* Nothing has changed, as far as is known: it is time twice, and nobody looks. */
    loop_turn_for(w.loop, 50);
    assert_true(there(gone, s.key));
    passes_changed(passes);
    turn_until_gone(gone, "");
    assert_true(there(stays, t.key));
}

static void a_change_is_no_reason_to_look_before_it_is_time(void **state)
{
    (void)state;
    assert_int_equal(passes_open(&w, HOUR_MS, &passes), RC_OK);
    turn_to_the_end();
    add(STRANGER, OTHER_KEY);
    passes_changed(passes);
    turn_to_the_end();
    assert_true(there(STRANGER, OTHER_KEY));
}

static void more_than_a_turn_has_are_looked_at(void **state)
{
    char pass[PASS_LEN + 1];
    uint8_t hash[SECRET_HASH_SIZE];
    struct grant a = give("a");
    char secret[16];

    (void)state;
    for (int i = 0; i < 120; i++) {
        snprintf(secret, sizeof(secret), "%d", i);
        pass_of_session(secret, pass, hash);
        add(pass, a.key);
    }
    assert_int_equal(passes_open(&w, HOUR_MS, &passes), RC_OK);
    for (int i = 0; i < 120; i++) {
        snprintf(secret, sizeof(secret), "%d", i);
        pass_of_session(secret, pass, hash);
        turn_until_gone(pass, "");
    }
}

static void tick(void *arg)
{
    (void)arg;
    looks = 0;
    loop_timer_set(w.loop, &ticks, 0, tick, NULL);
}

static void the_links_of_one_are_looked_at_in_more_than_a_turn(void **state)
{
    enum { LINKS = 700 };
    int64_t ada = fixture_user(f, "ada", USER_OWNER);
    char pass[PASS_LEN + 1], keys[LINKS][KEY_LEN + 1];

    (void)state;
    begin(ada, "lasts", DAY_MS, pass);
    for (int i = 0; i < LINKS; i++) {
        assert_int_equal(key_new(keys[i]), RC_OK);
        add(pass, keys[i]);
        add(STRANGER, keys[i]);
        if (i % 2 == 0)
            assert_int_equal(mkdirat(media_fd, keys[i], 0755), 0);
    }
    most_looks = 0;
    tick(NULL);
    assert_int_equal(passes_open(&w, HOUR_MS, &passes), RC_OK);
    turn_until_gone(STRANGER, "");
    for (int i = 1; i < LINKS; i += 2)
        turn_until_gone(pass, keys[i]);
    loop_timer_cancel(w.loop, &ticks);
    for (int i = 0; i < LINKS; i += 2)
        assert_true(there(pass, keys[i]));
    assert_in_range(most_looks, 1, 200);
}

static void where_media_are_static_all_of_them_go(void **state)
{
    int64_t ada = fixture_user(f, "ada", USER_OWNER);
    struct grant a = give("a");
    char pass[PASS_LEN + 1];
    struct stat st;

    (void)state;
    begin(ada, "lasts", DAY_MS, pass);
    add(pass, a.key);
    w.config.media_auth = MEDIA_STATIC;
    assert_int_equal(passes_open(&w, HOUR_MS, &passes), RC_OK);
    turn_until_gone(pass, "");
    loop_turn_until(w.loop, lstat(worker_fixture_path("htdocs/media/pass"), &st) != 0,
                    "their folder to go");
}

static void that_of_a_session_goes_when_that_ends_or_its_time_is_over(void **state)
{
    int64_t ada = fixture_user(f, "ada", USER_OWNER);
    struct grant a = give("a");
    char ended[PASS_LEN + 1], brief[PASS_LEN + 1], stays[PASS_LEN + 1];
    int64_t n = begin(ada, "ended", DAY_MS, ended);

    (void)state;
    begin(ada, "brief", 200, brief);
    begin(ada, "stays", DAY_MS, stays);
    add(ended, a.key);
    add(brief, a.key);
    add(stays, a.key);
    assert_int_equal(grants_open(&w, &grants), RC_OK);
    assert_int_equal(store_session_end(f->st, ada, n), RC_OK);
    grants_look(grants);
    assert_false(there(ended, ""));
    fixture_tick(f, 199);
    loop_turn_for(w.loop, 400); /* the clock stands still: none is gone too early */
    assert_true(there(brief, a.key));
    fixture_tick(f, 1); /* and nobody says so: it looks by itself then */
    turn_until_gone(brief, "");
    assert_true(there(stays, a.key));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_is_of_nobody_goes_at_the_start_and_the_others_stay),
        TEST(that_of_a_share_goes_with_the_share),
        TEST(a_change_is_no_reason_to_look_before_it_is_time),
        TEST(more_than_a_turn_has_are_looked_at),
        TEST(the_links_of_one_are_looked_at_in_more_than_a_turn),
        TEST(where_media_are_static_all_of_them_go),
        TEST(that_of_a_session_goes_when_that_ends_or_its_time_is_over),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
