/* test_store_grants.c: who may watch what. */
#include "check.h"

#include "accounts_fixture.h"

/* Three people and a video of bob's. */
struct people {
    int64_t ada, bob, vera; /* owner, member, viewer */
    struct video v;
};

static struct people make_people(struct fixture *f)
{
    struct people p = {.ada = fixture_user(f, "ada", USER_OWNER),
                       .bob = fixture_user(f, "bob", USER_MEMBER),
                       .vera = fixture_user(f, "vera", USER_VIEWER)};

    p.v = fixture_stored_of(f, p.bob, "clip");
    return p;
}

static void share_with(struct fixture *f, const struct video *v, enum visibility how)
{
    assert_int_equal(store_video_set_visibility(f->st, v->id, how), RC_OK);
}

static enum rc count(void *arg, const struct grant *g)
{
    (void)g;
    ++*(size_t *)arg;
    return RC_OK;
}

static size_t count_of(struct fixture *f, const char *video_id, bool revoked)
{
    size_t n = 0;

    assert_int_equal(store_grant_each(f->st, video_id, revoked, count, &n), RC_OK);
    return n;
}

/* ---- making ------------------------------------------------------------------ */

static void each_user_has_one_grant_of_a_video(void **state)
{
    struct fixture *f = *state;
    struct people p = make_people(f);
    struct grant a, b, again;
    struct video found;

    assert_int_equal(store_grant_user(f->st, p.v.id, p.ada, &a), RC_OK);
    assert_true(key_valid(a.key));
    assert_string_equal(a.video_id, p.v.id);
    assert_string_equal(a.media_root, p.v.media_root);
    assert_string_not_equal(a.key, a.media_root);
    assert_int_equal(a.kind, GRANT_USER);
    assert_int_equal(a.user_id, p.ada);
    assert_string_equal(a.share, "");
    assert_int_equal(store_grant_user(f->st, p.v.id, p.ada, &again), RC_OK);
    assert_memory_equal(&again, &a, sizeof(a));
    b = fixture_grant(f, &p.v, p.bob);
    assert_string_not_equal(a.key, b.key);
    assert_int_equal(store_grant_by_key(f->st, b.key, &again, &found), RC_OK);
    assert_memory_equal(&again, &b, sizeof(b));
    assert_string_equal(found.id, p.v.id);
    assert_string_equal(found.owner, "bob");
    assert_false(fixture_opens(f, p.v.media_root));
    assert_false(fixture_opens(f, ""));
}

static void without_a_right_there_is_no_grant(void **state)
{
    struct fixture *f = *state;
    struct people p = make_people(f);
    struct grant g;

    assert_int_equal(store_grant_user(f->st, p.v.id, p.vera, &g), RC_NOT_FOUND);
    assert_int_equal(store_grant_user(f->st, p.v.id, 99, &g), RC_NOT_FOUND);
    assert_int_equal(store_grant_user(f->st, p.v.id, -1, &g), RC_NOT_FOUND);
    assert_int_equal(store_grant_user(f->st, "nosuchvideo", p.ada, &g), RC_NOT_FOUND);
    share_with(f, &p.v, VISIBLE_EVERYONE);
    assert_string_not_equal(fixture_grant(f, &p.v, p.vera).key, "");
    assert_string_not_equal(fixture_grant(f, &p.v, 0).key, ""); /* the caller's word */
}

struct asking {
    const char *video_id;
    int64_t user_id;
    struct grant got;
};

static enum rc ask(struct store *st, void *arg)
{
    struct asking *a = arg;

    return store_grant_user(st, a->video_id, a->user_id, &a->got);
}

static void two_that_ask_at_once_get_the_same_one(void **state)
{
    struct fixture *f = *state;
    struct people p = make_people(f);

    for (int round = 0; round < 20; round++) {
        struct video v = fixture_video_of(f, p.bob, "clip");
        struct asking a = {.video_id = v.id, .user_id = p.bob}, b = a;
        struct racer racers[2] = {{.run = ask, .arg = &a}, {.run = ask, .arg = &b}};

        race(f, racers);
        assert_int_equal(racers[0].rc, RC_OK);
        assert_int_equal(racers[1].rc, RC_OK);
        assert_string_equal(a.got.key, b.got.key);
        assert_int_equal(count_of(f, v.id, false), 1);
    }
}

/* ---- taking back ------------------------------------------------------------- */

static void what_is_private_again_is_so_for_strangers_alone(void **state)
{
    struct fixture *f = *state;
    struct people p = make_people(f);
    struct grant ada, bob, vera, open;

    share_with(f, &p.v, VISIBLE_EVERYONE);
    assert_int_equal(fixture_get(f, p.v.id).visibility, VISIBLE_EVERYONE);
    ada = fixture_grant(f, &p.v, p.ada);
    bob = fixture_grant(f, &p.v, p.bob);
    vera = fixture_grant(f, &p.v, p.vera);
    open = fixture_grant(f, &p.v, 0);
    share_with(f, &p.v, VISIBLE_EVERYONE);
    assert_true(fixture_opens(f, vera.key));
    share_with(f, &p.v, VISIBLE_PRIVATE);
    assert_true(fixture_opens(f, ada.key));
    assert_true(fixture_opens(f, bob.key));
    assert_false(fixture_opens(f, vera.key));
    assert_true(fixture_opens(f, open.key));
    assert_string_equal(fixture_grant(f, &p.v, p.vera).key, "");
    share_with(f, &p.v, VISIBLE_EVERYONE);
    assert_false(fixture_opens(f, vera.key));
    assert_string_not_equal(fixture_grant(f, &p.v, p.vera).key, vera.key);
    assert_int_equal(store_video_set_visibility(f->st, "nosuchvideo", VISIBLE_PRIVATE),
                     RC_NOT_FOUND);
}

static void a_role_that_is_lost_takes_the_grants_with_it_that_came_by_it(void **state)
{
    struct fixture *f = *state;
    struct people p = make_people(f);
    struct video own = fixture_video_of(f, p.ada, "own"),
                 shared = fixture_video_of(f, p.bob, "shared");
    struct grant foreign, mine, for_all;

    share_with(f, &shared, VISIBLE_EVERYONE);
    fixture_user(f, "other", USER_OWNER);
    foreign = fixture_grant(f, &p.v, p.ada);
    mine = fixture_grant(f, &own, p.ada);
    for_all = fixture_grant(f, &shared, p.ada);
    assert_int_equal(store_user_set_role(f->st, p.ada, USER_MEMBER, NULL), RC_OK);
    assert_false(fixture_opens(f, foreign.key));
    assert_true(fixture_opens(f, mine.key));
    assert_true(fixture_opens(f, for_all.key));
}

static void a_removed_user_watches_nothing(void **state)
{
    struct fixture *f = *state;
    struct people p = make_people(f);
    struct grant ada = fixture_grant(f, &p.v, p.ada),
                 bob = fixture_grant(f, &p.v, p.bob);

    assert_int_equal(store_user_remove(f->st, p.bob, NULL), RC_OK);
    assert_false(fixture_opens(f, bob.key));
    assert_true(fixture_opens(f, ada.key));
    assert_int_equal(count_of(f, p.v.id, true), 1); /* until its symlink is gone */
}

static void a_deleted_video_is_watched_by_nobody(void **state)
{
    struct fixture *f = *state;
    struct people p = make_people(f);
    struct grant ada = fixture_grant(f, &p.v, p.ada), open = fixture_grant(f, &p.v, 0),
                 g;
    struct video v;

    assert_int_equal(store_video_delete(f->st, p.v.id, &v), RC_OK);
    assert_false(fixture_opens(f, ada.key));
    assert_false(fixture_opens(f, open.key));
    assert_int_equal(store_grant_user(f->st, p.v.id, p.ada, &g), RC_NOT_FOUND);
    assert_int_equal(count_of(f, p.v.id, false), 0);
    assert_int_equal(count_of(f, p.v.id, true), 2);
    assert_int_equal(store_grants_renew(f->st, p.v.id), RC_NOT_FOUND);
    assert_int_equal(store_video_purge(f->st, p.v.id), RC_OK);
    assert_int_equal(count_of(f, "", true), 0);
}

static void a_site_with_accounts_has_no_open_grants(void **state)
{
    struct fixture *f = *state;
    struct people p = make_people(f);
    struct grant open = fixture_grant(f, &p.v, 0), bob = fixture_grant(f, &p.v, p.bob);

    assert_int_equal(store_grants_end_open(f->st), RC_OK);
    assert_false(fixture_opens(f, open.key));
    assert_true(fixture_opens(f, bob.key));
}

static enum rc make_private(struct store *st, void *id)
{
    return store_video_set_visibility(st, id, VISIBLE_PRIVATE);
}

/* Whoever asks while it is being made private has nothing of it afterwards. */
static void a_grant_does_not_come_after_it_was_taken_back(void **state)
{
    struct fixture *f = *state;
    struct people p = make_people(f);

    for (int round = 0; round < 30; round++) {
        struct video v = fixture_video_of(f, p.bob, "clip");
        struct asking a = {.video_id = v.id, .user_id = p.vera};
        struct racer racers[2] = {{.run = ask, .arg = &a},
                                  {.run = make_private, .arg = v.id}};

        share_with(f, &v, VISIBLE_EVERYONE);
        race(f, racers);
        assert_int_equal(racers[1].rc, RC_OK);
        assert_true(racers[0].rc == RC_OK || racers[0].rc == RC_NOT_FOUND);
        assert_int_equal(count_of(f, v.id, false), 0);
    }
}

/* ---- new keys ---------------------------------------------------------------- */

static void new_keys_replace_all_that_count(void **state)
{
    struct fixture *f = *state;
    struct people p = make_people(f);
    struct video other = fixture_video_of(f, p.bob, "other");
    struct share s = {.expires_ms = -1}, same;
    struct grant ada = fixture_grant(f, &p.v, p.ada),
                 bob = fixture_grant(f, &p.v, p.bob),
                 elsewhere = fixture_grant(f, &other, p.bob), now;
    struct video v;

    memcpy(s.video_id, p.v.id, sizeof(s.video_id));
    assert_int_equal(store_share_add(f->st, &s, p.bob), RC_OK);
    assert_int_equal(store_grants_renew(f->st, p.v.id), RC_OK);
    assert_false(fixture_opens(f, ada.key));
    assert_false(fixture_opens(f, bob.key));
    assert_false(fixture_opens(f, s.key));
    assert_true(fixture_opens(f, elsewhere.key));
    now = fixture_grant(f, &p.v, p.ada);
    assert_string_not_equal(now.key, ada.key);
    assert_true(fixture_opens(f, now.key));
    assert_int_equal(store_share_get(f->st, s.token, &same, &v), RC_OK);
    assert_string_not_equal(same.key, s.key);
    assert_true(fixture_opens(f, same.key));
    assert_int_equal(count_of(f, p.v.id, false), 3);
    assert_int_equal(count_of(f, p.v.id, true), 3);
    assert_int_equal(store_grants_renew(f->st, "nosuchvideo"), RC_NOT_FOUND);
}

static void so_many_that_they_come_in_several_batches(void **state)
{
    struct fixture *f = *state;
    int64_t ada = fixture_user(f, "ada", USER_OWNER), user;
    struct video v = fixture_video_of(f, ada, "clip");
    char name[16];

    share_with(f, &v, VISIBLE_EVERYONE);
    for (int i = 0; i < 150; i++) {
        snprintf(name, sizeof(name), "u%d", i);
        user = fixture_user(f, name, USER_VIEWER);
        fixture_grant(f, &v, user);
    }
    assert_int_equal(store_grants_renew(f->st, v.id), RC_OK);
    assert_int_equal(count_of(f, v.id, false), 150);
    assert_int_equal(count_of(f, v.id, true), 150);
    assert_int_equal(count_of(f, "", false), 150);
    assert_int_equal(count_of(f, "", true), 150);
}

/* ---- going through them -------------------------------------------------------- */

struct dropping {
    struct store *st;
    size_t n;
};

static enum rc drop(void *arg, const struct grant *g)
{
    struct dropping *d = arg;

    d->n++;
    return store_grant_drop(d->st, g->key);
}

static enum rc stop(void *arg, const struct grant *g)
{
    (void)arg, (void)g;
    return RC_STOPPED;
}

static void only_a_revoked_one_can_be_dropped(void **state)
{
    struct fixture *f = *state;
    struct people p = make_people(f);
    struct dropping d = {.st = f->st};
    struct grant ada = fixture_grant(f, &p.v, p.ada),
                 bob = fixture_grant(f, &p.v, p.bob);
    bool exists = false;

    assert_int_equal(store_grant_drop(f->st, ada.key), RC_OK);
    assert_true(fixture_opens(f, ada.key));
    assert_int_equal(store_user_remove(f->st, p.bob, NULL), RC_OK);
    assert_int_equal(store_grant_exists(f->st, bob.key, &exists), RC_OK);
    assert_true(exists);
    assert_int_equal(store_grant_each(f->st, "", true, stop, NULL), RC_STOPPED);
    assert_int_equal(store_grant_each(f->st, "", true, drop, &d), RC_OK);
    assert_int_equal(d.n, 1);
    assert_int_equal(store_grant_exists(f->st, bob.key, &exists), RC_OK);
    assert_false(exists);
    assert_int_equal(store_grant_exists(f->st, ada.key, &exists), RC_OK);
    assert_true(exists);
    assert_int_equal(store_grant_drop(f->st, bob.key), RC_OK);
    assert_int_equal(count_of(f, "", false), 1);
}

static void a_list_goes_on_behind_the_last_one(void **state)
{
    struct fixture *f = *state;
    int64_t ada = fixture_user(f, "ada", USER_OWNER);
    struct grant after = {.key = ""}, got[4];
    char seen[12][KEY_LEN + 1];
    size_t n = 4, all = 0;

    for (int i = 0; i < 5; i++) {
        struct video v = fixture_video_of(f, ada, "clip");

        fixture_grant(f, &v, ada);
        fixture_grant(f, &v, 0);
    }
    while (n == 4) {
        assert_int_equal(store_grant_list(f->st, "", false, &after, got, 4, &n), RC_OK);
        for (size_t i = 0; i < n; i++, all++) {
            memcpy(seen[all], got[i].key, sizeof(seen[all]));
            for (size_t k = 0; k < all; k++)
                assert_string_not_equal(seen[k], seen[all]);
        }
        after = got[n - 1];
    }
    assert_int_equal(all, 10);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, fixture_setup, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(each_user_has_one_grant_of_a_video),
        TEST(without_a_right_there_is_no_grant),
        TEST(two_that_ask_at_once_get_the_same_one),
        TEST(what_is_private_again_is_so_for_strangers_alone),
        TEST(a_role_that_is_lost_takes_the_grants_with_it_that_came_by_it),
        TEST(a_removed_user_watches_nothing),
        TEST(a_deleted_video_is_watched_by_nobody),
        TEST(a_site_with_accounts_has_no_open_grants),
        TEST(a_grant_does_not_come_after_it_was_taken_back),
        TEST(new_keys_replace_all_that_count),
        TEST(so_many_that_they_come_in_several_batches),
        TEST(only_a_revoked_one_can_be_dropped),
        TEST(a_list_goes_on_behind_the_last_one),
    };

    return cmocka_run_group_tests_name("store_grants", tests, NULL, NULL);
}
