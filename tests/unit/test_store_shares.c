/* test_store_shares.c: links by which a video is watched without an account. */
#include "check.h"

#include "accounts_fixture.h"

static enum rc add(struct fixture *f, const struct video *v, struct share *s,
                   int64_t by)
{
    memcpy(s->video_id, v->id, sizeof(s->video_id));
    return store_share_add(f->st, s, by);
}

static enum rc get(struct fixture *f, const char *token)
{
    struct share s;
    struct video v;

    return store_share_get(f->st, token, &s, &v);
}

static void expire(struct fixture *f, int64_t n, int64_t next_ms)
{
    int64_t got = -9, next = -9;

    assert_int_equal(store_shares_expire(f->st, &got, &next), RC_OK);
    assert_int_equal(got, n);
    assert_int_equal(next, next_ms);
}

static void a_share_is_found_with_all_that_was_said_of_it(void **state)
{
    struct fixture *f = *state;
    int64_t ada = fixture_user(f, "Ada", USER_OWNER);
    struct video v = fixture_video_of(f, ada, "clip"), found;
    struct share s = {.password = "$y$x",
                      .download = true,
                      .embed = "https://a.example https://b.example:8443",
                      .expires_ms = f->wall_ms + HOUR_MS},
                 got;
    struct grant g;

    assert_int_equal(add(f, &v, &s, ada), RC_OK);
    assert_true(key_valid(s.token));
    assert_true(key_valid(s.key));
    assert_string_not_equal(s.token, s.key);
    assert_string_equal(s.created_by, "Ada");
    assert_int_equal(s.created_ms, f->wall_ms);
    assert_int_equal(store_share_get(f->st, s.token, &got, &found), RC_OK);
    assert_memory_equal(&got, &s, sizeof(s));
    assert_string_equal(found.id, v.id);
    assert_string_equal(got.password, "$y$x");
    assert_true(got.download);
    assert_string_equal(got.embed, "https://a.example https://b.example:8443");
    assert_int_equal(got.expires_ms, f->wall_ms + HOUR_MS);
    assert_int_equal(store_grant_by_key(f->st, s.key, &g, &found), RC_OK);
    assert_int_equal(g.kind, GRANT_SHARE);
    assert_string_equal(g.share, s.token);
    assert_int_equal(g.user_id, 0);
    assert_int_equal(get(f, s.key), RC_NOT_FOUND);
    assert_int_equal(get(f, ""), RC_NOT_FOUND);
}

static void each_share_has_a_key_of_its_own(void **state)
{
    struct fixture *f = *state;
    struct video v = fixture_video_of(f, 0, "clip");
    struct share a = {.expires_ms = -1}, b = a;

    assert_int_equal(add(f, &v, &a, 0), RC_OK);
    assert_int_equal(add(f, &v, &b, 0), RC_OK);
    assert_string_equal(a.created_by, "");
    assert_int_equal(a.expires_ms, -1);
    assert_string_not_equal(a.key, b.key);
    assert_string_not_equal(a.token, b.token);
    assert_int_equal(store_share_remove(f->st, a.token), RC_OK);
    assert_false(fixture_opens(f, a.key));
    assert_true(fixture_opens(f, b.key));
    assert_int_equal(get(f, a.token), RC_NOT_FOUND);
    assert_int_equal(get(f, b.token), RC_OK);
    assert_int_equal(store_share_remove(f->st, a.token), RC_NOT_FOUND);
    assert_int_equal(store_share_remove(f->st, ""), RC_NOT_FOUND);
}

static void an_expired_share_opens_nothing_from_that_moment_on(void **state)
{
    struct fixture *f = *state;
    struct video v = fixture_video_of(f, 0, "clip");
    struct share s = {.expires_ms = f->wall_ms + HOUR_MS};

    assert_int_equal(add(f, &v, &s, 0), RC_OK);
    fixture_tick(f, HOUR_MS - 1);
    assert_true(fixture_opens(f, s.key));
    assert_int_equal(get(f, s.token), RC_OK);
    fixture_tick(f, 1); /* nobody has cleared anything away yet */
    assert_false(fixture_opens(f, s.key));
    assert_int_equal(get(f, s.token), RC_NOT_FOUND);
    assert_int_equal(store_share_remove(f->st, s.token), RC_NOT_FOUND);
}

static void what_is_over_is_ended_and_the_next_end_told(void **state)
{
    struct fixture *f = *state;
    struct video v = fixture_video_of(f, 0, "clip");
    int64_t begun = f->wall_ms;
    struct share s[4] = {{.expires_ms = begun + 2 * HOUR_MS},
                         {.expires_ms = begun + HOUR_MS},
                         {.expires_ms = -1},
                         {.expires_ms = begun + HOUR_MS}};
    struct store *other = fixture_handle(f);
    bool changed;
    size_t n = 0;
    struct grant g[4], first = {.key = ""};

    expire(f, 0, -1);
    for (int i = 0; i < 4; i++)
        assert_int_equal(add(f, &v, &s[i], 0), RC_OK);
    assert_int_equal(store_changed(other, &changed), RC_OK);
    fixture_tick(f, HOUR_MS - 1);
    expire(f, 0, begun + HOUR_MS);
    assert_int_equal(store_changed(other, &changed), RC_OK);
    assert_false(changed); /* it has only read */
    fixture_tick(f, 1);
    expire(f, 2, begun + 2 * HOUR_MS);
    expire(f, 0, begun + 2 * HOUR_MS);
    assert_int_equal(store_grant_list(f->st, v.id, true, &first, g, 4, &n), RC_OK);
    assert_int_equal(n, 2);
    fixture_tick(f, HOUR_MS);
    expire(f, 1, -1);
    assert_true(fixture_opens(f, s[2].key));
    store_close(other);
}

static enum rc collect(void *arg, const struct share *s)
{
    strcat(strcat(arg, s->embed), " ");
    return RC_OK;
}

static void shares_of_a_video_are_listed_the_oldest_first(void **state)
{
    struct fixture *f = *state;
    struct video v = fixture_video_of(f, 0, "clip"),
                 other = fixture_video_of(f, 0, "other");
    struct share s = {.expires_ms = -1};
    char got[64] = "";

    assert_int_equal(store_share_each(f->st, v.id, collect, got), RC_OK);
    strcpy(s.embed, "1");
    assert_int_equal(add(f, &v, &s, 0), RC_OK);
    strcpy(s.embed, "2");
    s.expires_ms = f->wall_ms + HOUR_MS;
    assert_int_equal(add(f, &v, &s, 0), RC_OK);
    strcpy(s.embed, "3");
    s.expires_ms = -1;
    assert_int_equal(add(f, &v, &s, 0), RC_OK);
    assert_int_equal(add(f, &other, &s, 0), RC_OK);
    assert_int_equal(store_share_each(f->st, v.id, collect, got), RC_OK);
    assert_string_equal(got, "1 2 3 ");
    fixture_tick(f, HOUR_MS);
    *got = '\0';
    assert_int_equal(store_share_each(f->st, v.id, collect, got), RC_OK);
    assert_string_equal(got, "1 3 ");
    assert_int_equal(store_share_each(f->st, "nosuchvideo", collect, got),
                     RC_NOT_FOUND);
}

static void a_video_has_so_many_shares(void **state)
{
    struct fixture *f = *state;
    struct video v = fixture_video_of(f, 0, "clip");
    struct share s = {.expires_ms = -1};

    for (int i = 0; i < STORE_SHARES_MAX; i++)
        assert_int_equal(add(f, &v, &s, 0), RC_OK);
    assert_int_equal(add(f, &v, &s, 0), RC_TOO_LARGE);
    assert_int_equal(store_share_remove(f->st, s.token), RC_OK);
    assert_int_equal(add(f, &v, &s, 0), RC_OK);
}

static void an_owner_who_is_none_any_more_shares_nothing_of_others(void **state)
{
    struct fixture *f = *state;
    int64_t ada = fixture_user(f, "ada", USER_OWNER), ended = -1;
    int64_t bob = fixture_user(f, "bob", USER_OWNER);
    struct video own = fixture_stored_of(f, bob, "own"),
                 other = fixture_stored_of(f, ada, "other"),
                 nobodys = fixture_stored_of(f, 0, "nobody's");
    struct share of_own = {.expires_ms = -1}, of_other = of_own, of_nobodys = of_own,
                 by_ada = of_own;

    assert_int_equal(add(f, &own, &of_own, bob), RC_OK);
    assert_int_equal(add(f, &other, &of_other, bob), RC_OK);
    assert_int_equal(add(f, &other, &by_ada, ada), RC_OK);
    assert_int_equal(store_user_set_role(f->st, bob, USER_MEMBER, &ended), RC_OK);
    assert_int_equal(ended, 1);
    assert_int_equal(get(f, of_other.token), RC_NOT_FOUND);
    assert_false(fixture_opens(f, of_other.key));
    assert_int_equal(get(f, of_own.token), RC_OK);
    assert_int_equal(get(f, by_ada.token), RC_OK);
    assert_int_equal(store_user_set_role(f->st, bob, USER_OWNER, &ended), RC_OK);
    assert_int_equal(ended, 0);
    assert_int_equal(add(f, &nobodys, &of_nobodys, bob), RC_OK);
    assert_int_equal(store_user_remove(f->st, bob, &ended), RC_OK);
    assert_int_equal(ended, 1);
    assert_int_equal(get(f, of_nobodys.token), RC_NOT_FOUND);
    assert_int_equal(get(f, of_own.token), RC_OK);
}

static void shares_end_with_their_video_not_with_who_made_them(void **state)
{
    struct fixture *f = *state;
    int64_t bob = fixture_user(f, "bob", USER_MEMBER);
    struct video v = fixture_stored_of(f, bob, "clip"), out;
    struct share s = {.expires_ms = -1}, got;

    assert_int_equal(add(f, &v, &s, bob), RC_OK);
    assert_int_equal(store_user_remove(f->st, bob, NULL), RC_OK);
    assert_int_equal(store_share_get(f->st, s.token, &got, &out), RC_OK);
    assert_string_equal(got.created_by, "");
    assert_true(fixture_opens(f, s.key));
    assert_int_equal(store_video_delete(f->st, v.id, &out), RC_OK);
    assert_false(fixture_opens(f, s.key));
    assert_int_equal(get(f, s.token), RC_NOT_FOUND);
    assert_int_equal(store_share_remove(f->st, s.token), RC_NOT_FOUND);
    assert_int_equal(add(f, &v, &s, 0), RC_NOT_FOUND);
    assert_int_equal(store_video_purge(f->st, v.id), RC_OK);
    assert_int_equal(get(f, s.token), RC_NOT_FOUND);
}

static enum rc remove_share(struct store *st, void *token)
{
    return store_share_remove(st, token);
}

static enum rc renew(struct store *st, void *video_id)
{
    return store_grants_renew(st, video_id);
}

/* New keys for a share that is taken back at the same moment. */
static void a_share_that_was_taken_back_gets_no_new_key(void **state)
{
    struct fixture *f = *state;

    for (int round = 0; round < 20; round++) {
        struct video v = fixture_video_of(f, 0, "clip");
        struct share s = {.expires_ms = -1};
        struct racer racers[2] = {{.run = remove_share, .arg = s.token},
                                  {.run = renew, .arg = v.id}};
        struct grant g[2], first = {.key = ""};
        size_t n = 9;

        assert_int_equal(add(f, &v, &s, 0), RC_OK);
        race(f, racers);
        assert_int_equal(racers[0].rc, RC_OK);
        assert_int_equal(racers[1].rc, RC_OK);
        assert_int_equal(store_grant_list(f->st, v.id, false, &first, g, 2, &n), RC_OK);
        assert_int_equal(n, 0);
    }
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, fixture_setup, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_share_is_found_with_all_that_was_said_of_it),
        TEST(each_share_has_a_key_of_its_own),
        TEST(an_expired_share_opens_nothing_from_that_moment_on),
        TEST(what_is_over_is_ended_and_the_next_end_told),
        TEST(shares_of_a_video_are_listed_the_oldest_first),
        TEST(a_video_has_so_many_shares),
        TEST(an_owner_who_is_none_any_more_shares_nothing_of_others),
        TEST(shares_end_with_their_video_not_with_who_made_them),
        TEST(a_share_that_was_taken_back_gets_no_new_key),
    };

    return cmocka_run_group_tests_name("store_shares", tests, NULL, NULL);
}
