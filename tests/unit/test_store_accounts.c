/* test_store_accounts.c: users, and the set-up of the first one. */
#include "check.h"

#include "accounts_fixture.h"

static struct user user_of(struct fixture *f, const char *name)
{
    struct user u;

    assert_int_equal(store_user_by_name(f->st, name, &u), RC_OK);
    return u;
}

/* ---- users ----------------------------------------------------------------- */

static void a_user_is_found_by_name_in_any_case(void **state)
{
    struct fixture *f = *state;
    int64_t id = 0, again = 7;
    struct user u, same;

    assert_int_equal(store_user_add(f->st, "Ada.L-1_x", USER_MEMBER, "$y$a", &id),
                     RC_OK);
    assert_int_equal(store_user_by_name(f->st, "ada.l-1_X", &u), RC_OK);
    assert_int_equal(u.id, id);
    assert_string_equal(u.name, "Ada.L-1_x");
    assert_int_equal(u.role, USER_MEMBER);
    assert_string_equal(u.password, "$y$a");
    assert_int_equal(u.created_ms, f->wall_ms);
    assert_int_equal(store_user_get(f->st, id, &same), RC_OK);
    assert_memory_equal(&same, &u, sizeof(u));
    assert_int_equal(store_user_add(f->st, "ADA.l-1_x", USER_VIEWER, "$y$b", &again),
                     RC_EXISTS);
    assert_int_equal(again, 7);
    assert_int_equal(store_user_by_name(f->st, "ada", &u), RC_NOT_FOUND);
    assert_int_equal(store_user_get(f->st, id + 1, &u), RC_NOT_FOUND);
    assert_int_equal(store_user_get(f->st, 0, &u), RC_NOT_FOUND);
}

static void names_are_letters_digits_and_three_signs(void **state)
{
    static const char *const bad[] = {
        "",    ".a",   "-a",  "_a",       "a b",
        "a/b", "a@b",  "a\n", "\xc3\xa9", "a\xc3\xa9",
        "a:b", "../a", "a'b", "a%",       "123456789012345678901234567890123", /* 33 */
    };
    struct fixture *f = *state;
    int64_t id = 0;

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_false(user_name_valid(bad[i]));
        assert_int_equal(store_user_add(f->st, bad[i], USER_OWNER, "x", &id),
                         RC_INVALID);
    }
    assert_true(user_name_valid("a"));
    assert_true(user_name_valid("0"));
    assert_true(user_name_valid("Z.-_"));
    assert_true(user_name_valid("12345678901234567890123456789012"));
    assert_int_equal(store_user_count(f->st, &id), RC_OK);
    assert_int_equal(id, 0);
}

static void roles_have_names(void **state)
{
    enum user_role role = USER_VIEWER;

    (void)state;
    for (int i = USER_OWNER; i <= USER_VIEWER; i++) {
        assert_int_equal(user_role_from(user_role_name((enum user_role)i), &role),
                         RC_OK);
        assert_int_equal(role, i);
    }
    assert_int_equal(user_role_from("Owner", &role), RC_INVALID);
    assert_int_equal(user_role_from("", &role), RC_INVALID);
    assert_int_equal(role, USER_VIEWER);
}

static enum rc add_name(void *arg, const struct user *u)
{
    strcat(strcat(arg, u->name), " ");
    return strcmp(u->name, "stop") == 0 ? RC_STOPPED : RC_OK;
}

static void users_are_listed_by_name(void **state)
{
    struct fixture *f = *state;
    char got[256] = "";
    int64_t n = 0;

    assert_int_equal(store_user_each(f->st, add_name, got), RC_OK);
    assert_string_equal(got, "");
    fixture_user(f, "bob", USER_VIEWER);
    fixture_user(f, "Ada", USER_OWNER);
    fixture_user(f, "carl", USER_MEMBER);
    fixture_user(f, "stop", USER_MEMBER);
    fixture_user(f, "zoe", USER_MEMBER);
    assert_int_equal(store_user_each(f->st, add_name, got), RC_STOPPED);
    assert_string_equal(got, "Ada bob carl stop ");
    assert_int_equal(store_user_count(f->st, &n), RC_OK);
    assert_int_equal(n, 5);
}

static void a_number_is_never_given_out_again(void **state)
{
    struct fixture *f = *state;
    int64_t ada = fixture_user(f, "ada", USER_OWNER);
    int64_t bob = fixture_user(f, "bob", USER_OWNER);

    assert_true(bob > ada);
    assert_int_equal(store_user_remove(f->st, bob, NULL), RC_OK);
    assert_true(fixture_user(f, "bob", USER_MEMBER) > bob);
}

/* ---- owners ----------------------------------------------------------------- */

static void the_last_owner_stays_one(void **state)
{
    struct fixture *f = *state;
    int64_t ada = fixture_user(f, "ada", USER_OWNER);
    int64_t bob = fixture_user(f, "bob", USER_MEMBER);

    assert_int_equal(store_user_remove(f->st, ada, NULL), RC_CONFLICT);
    assert_int_equal(store_user_set_role(f->st, ada, USER_MEMBER, NULL), RC_CONFLICT);
    assert_int_equal(store_user_set_role(f->st, ada, USER_OWNER, NULL), RC_OK);
    assert_int_equal(user_of(f, "ada").role, USER_OWNER);
    assert_int_equal(store_user_set_role(f->st, bob, USER_OWNER, NULL), RC_OK);
    assert_int_equal(user_of(f, "bob").role, USER_OWNER);
    assert_int_equal(store_user_set_role(f->st, ada, USER_VIEWER, NULL), RC_OK);
    assert_int_equal(store_user_remove(f->st, bob, NULL), RC_CONFLICT);
    assert_int_equal(store_user_remove(f->st, ada, NULL), RC_OK);
    assert_int_equal(store_user_remove(f->st, ada, NULL), RC_NOT_FOUND);
    assert_int_equal(store_user_set_role(f->st, ada, USER_VIEWER, NULL), RC_NOT_FOUND);
    assert_int_equal(store_user_set_password(f->st, ada, "x", 0), RC_NOT_FOUND);
}

static enum rc demote(struct store *st, void *id)
{
    return store_user_set_role(st, *(int64_t *)id, USER_MEMBER, NULL);
}

static enum rc remove_user(struct store *st, void *id)
{
    return store_user_remove(st, *(int64_t *)id, NULL);
}

/* Two owners that take each other's role away at the same moment. */
static void of_two_owners_one_remains_whoever_is_faster(void **state)
{
    struct fixture *f = *state;

    for (int round = 0; round < 20; round++) {
        char names[2][16];
        int64_t ids[2];
        struct racer racers[2] = {{.run = demote, .arg = &ids[0]},
                                  {.run = remove_user, .arg = &ids[1]}};

        for (int i = 0; i < 2; i++) {
            snprintf(names[i], sizeof(names[i]), "u%d-%d", round, i);
            ids[i] = fixture_user(f, names[i], USER_OWNER);
        }
        if (round > 0) { /* the one that is left of the round before */
            char before[16];
            struct user u;

            for (int i = 0; i < 2; i++) {
                snprintf(before, sizeof(before), "u%d-%d", round - 1, i);
                if (store_user_by_name(f->st, before, &u) == RC_OK)
                    assert_int_equal(store_user_remove(f->st, u.id, NULL), RC_OK);
            }
        }
        race(f, racers);
        assert_true((racers[0].rc == RC_OK) != (racers[1].rc == RC_OK));
        assert_int_equal(racers[racers[0].rc == RC_OK].rc, RC_CONFLICT);
    }
}

/* ---- what ends with it ------------------------------------------------------- */

static int64_t sign_in(struct fixture *f, int64_t user_id, const char *secret)
{
    struct session s = {.user_id = user_id, .expires_ms = f->wall_ms + DAY_MS};
    uint8_t hash[SECRET_HASH_SIZE];

    fixture_hash(secret, hash);
    assert_int_equal(store_session_begin(f->st, hash, FIXTURE_PASSWORD, &s), RC_OK);
    return s.n;
}

static void add_token(struct fixture *f, int64_t user_id, const char *secret)
{
    struct token t = {
        .user_id = user_id, .label = "x", .scopes = SCOPE_READ, .expires_ms = -1};
    uint8_t hash[SECRET_HASH_SIZE];

    fixture_hash(secret, hash);
    assert_int_equal(store_token_add(f->st, hash, &t), RC_OK);
}

static bool session_lives(struct fixture *f, const char *secret)
{
    uint8_t hash[SECRET_HASH_SIZE];
    struct session s;
    struct user u;

    fixture_hash(secret, hash);
    return store_session_use(f->st, hash, DAY_MS, &s, &u) == RC_OK;
}

static bool token_lives(struct fixture *f, const char *secret)
{
    uint8_t hash[SECRET_HASH_SIZE];
    struct token t;
    struct user u;

    fixture_hash(secret, hash);
    return store_token_use(f->st, hash, &t, &u) == RC_OK;
}

static void a_new_password_ends_all_but_the_session_that_gave_it(void **state)
{
    struct fixture *f = *state;
    int64_t ada = fixture_user(f, "ada", USER_OWNER);
    int64_t bob = fixture_user(f, "bob", USER_MEMBER), kept;

    sign_in(f, ada, "a1");
    kept = sign_in(f, ada, "a2");
    sign_in(f, bob, "b");
    add_token(f, ada, "at");
    add_token(f, bob, "bt");
    assert_int_equal(store_user_set_password(f->st, ada, "$y$new", kept), RC_OK);
    assert_string_equal(user_of(f, "ada").password, "$y$new");
    assert_false(session_lives(f, "a1"));
    assert_true(session_lives(f, "a2"));
    assert_false(token_lives(f, "at"));
    assert_true(session_lives(f, "b"));
    assert_true(token_lives(f, "bt"));
    assert_int_equal(store_user_set_password(f->st, ada, "$y$newer", 0), RC_OK);
    assert_false(session_lives(f, "a2"));
}

static void tokens_end_with_every_change_of_role(void **state)
{
    struct fixture *f = *state;
    int64_t bob;

    fixture_user(f, "ada", USER_OWNER);
    bob = fixture_user(f, "bob", USER_VIEWER);
    sign_in(f, bob, "s1");
    add_token(f, bob, "t");
    assert_int_equal(store_user_set_role(f->st, bob, USER_VIEWER, NULL), RC_OK);
    assert_true(session_lives(f, "s1")); /* nothing has changed */
    assert_true(token_lives(f, "t"));
    assert_int_equal(store_user_set_role(f->st, bob, USER_MEMBER, NULL), RC_OK);
    assert_false(session_lives(f, "s1"));
    assert_false(token_lives(f, "t"));
    add_token(f, bob, "u");
    assert_int_equal(store_user_set_role(f->st, bob, USER_VIEWER, NULL), RC_OK);
    assert_false(token_lives(f, "u"));
}

static void what_a_removed_user_has_uploaded_stays(void **state)
{
    struct fixture *f = *state;
    int64_t bob;
    struct video v;

    fixture_user(f, "ada", USER_OWNER);
    bob = fixture_user(f, "Bob", USER_MEMBER);
    v = fixture_stored_of(f, bob, "clip");
    assert_int_equal(v.owner_id, bob);
    assert_string_equal(v.owner, "Bob");
    sign_in(f, bob, "s");
    add_token(f, bob, "t");
    assert_int_equal(store_user_remove(f->st, bob, NULL), RC_OK);
    assert_false(session_lives(f, "s"));
    assert_false(token_lives(f, "t"));
    v = fixture_get(f, v.id);
    assert_int_equal(v.owner_id, 0);
    assert_string_equal(v.owner, "");
}

static void nobody_who_is_gone_uploads(void **state)
{
    struct fixture *f = *state;
    struct video_new n = {.title = "x", .filename = "x", .owner_id = 99, .size = 1};
    struct video v;

    assert_int_equal(store_video_create(f->st, &n, &v), RC_NOT_FOUND);
}

static void uploads_of_a_removed_user_are_never_stored(void **state)
{
    struct fixture *f = *state;
    struct video v, stored, theirs;
    int64_t ada = fixture_user(f, "ada", USER_OWNER);
    int64_t bob = fixture_user(f, "bob", USER_MEMBER);

    v = fixture_video_of(f, bob, "half");
    stored = fixture_stored_of(f, bob, "whole");
    theirs = fixture_video_of(f, ada, "other");
    assert_int_equal(store_user_remove(f->st, bob, NULL), RC_OK);
    assert_int_equal(store_video_received(f->st, v.id, 1, -1, NULL), RC_NOT_FOUND);
    assert_int_equal(store_video_stored(f->st, v.id, 1, &v), RC_NOT_FOUND);
    assert_int_equal(store_video_get(f->st, stored.id, &stored), RC_OK);
    assert_int_equal(store_video_stored(f->st, theirs.id, 1, &theirs), RC_OK);
}

static void who_may_not_upload_any_more_has_none_under_way(void **state)
{
    struct fixture *f = *state;
    struct video half, whole;
    int64_t bob;

    fixture_user(f, "ada", USER_OWNER);
    bob = fixture_user(f, "bob", USER_OWNER);
    half = fixture_video_of(f, bob, "half");
    whole = fixture_stored_of(f, bob, "whole");
    assert_int_equal(store_user_set_role(f->st, bob, USER_MEMBER, NULL), RC_OK);
    assert_int_equal(store_video_received(f->st, half.id, 1, -1, NULL), RC_OK);
    assert_int_equal(store_user_set_role(f->st, bob, USER_VIEWER, NULL), RC_OK);
    assert_int_equal(store_video_received(f->st, half.id, 1, -1, NULL), RC_NOT_FOUND);
    assert_int_equal(store_video_get(f->st, whole.id, &whole), RC_OK);
}

static enum rc begin_unseen(struct fixture *f, int64_t owner_id)
{
    struct video_new n = {.title = "x",
                          .filename = "x",
                          .size = -1,
                          .owner_id = owner_id,
                          .unseen_max = 5,
                          .unseen_each = 2};
    struct video v;

    return store_video_create(f->st, &n, &v);
}

static void one_user_cannot_stop_the_uploads_of_all(void **state)
{
    struct fixture *f = *state;
    int64_t ada = fixture_user(f, "ada", USER_OWNER);
    int64_t bob = fixture_user(f, "bob", USER_MEMBER);

    assert_int_equal(begin_unseen(f, bob), RC_OK);
    assert_int_equal(begin_unseen(f, bob), RC_OK);
    assert_int_equal(begin_unseen(f, bob), RC_TOO_LARGE);
    assert_int_equal(begin_unseen(f, ada), RC_OK);
    /* Nobody in particular may have as many as the site. */
    assert_int_equal(begin_unseen(f, 0), RC_OK);
    assert_int_equal(begin_unseen(f, 0), RC_OK);
    assert_int_equal(begin_unseen(f, 0), RC_TOO_LARGE);
    assert_int_equal(begin_unseen(f, ada), RC_TOO_LARGE);
}

static void each_user_has_unfinished_uploads_of_their_own(void **state)
{
    struct fixture *f = *state;
    const int64_t owners[] = {fixture_user(f, "ada", USER_OWNER),
                              fixture_user(f, "bob", USER_MEMBER), 0};
    struct video_new n = {
        .title = "x", .filename = "x", .size = -1, .unfinished_each = 2};
    struct video v;

    for (int i = 0; i < 3; i++) {
        n.owner_id = owners[i];
        assert_int_equal(store_video_create(f->st, &n, &v), RC_OK);
        assert_int_equal(store_video_create(f->st, &n, &v), RC_OK);
        assert_int_equal(store_video_create(f->st, &n, &v), RC_CONFLICT);
    }
}

/* ---- set-up ------------------------------------------------------------------ */

static void the_first_user_needs_the_newest_secret_in_time(void **state)
{
    struct fixture *f = *state;
    uint8_t old[SECRET_HASH_SIZE], hash[SECRET_HASH_SIZE];
    int64_t id = 0;

    fixture_hash("old", old);
    fixture_hash("new", hash);
    assert_int_equal(store_user_first(f->st, old, "ada", "$y$", &id), RC_NOT_FOUND);
    assert_int_equal(store_setup_begin(f->st, old, f->wall_ms + DAY_MS), RC_OK);
    assert_int_equal(store_setup_begin(f->st, hash, f->wall_ms + HOUR_MS), RC_OK);
    assert_int_equal(store_user_first(f->st, old, "ada", "$y$", &id), RC_NOT_FOUND);
    assert_int_equal(store_user_first(f->st, hash, "a b", "$y$", &id), RC_INVALID);
    fixture_tick(f, HOUR_MS);
    assert_int_equal(store_user_first(f->st, hash, "ada", "$y$", &id), RC_NOT_FOUND);
    assert_int_equal(store_setup_begin(f->st, hash, f->wall_ms + HOUR_MS), RC_OK);
    fixture_tick(f, HOUR_MS - 1);
    assert_int_equal(store_user_first(f->st, hash, "ada", "$y$", &id), RC_OK);
    assert_int_equal(user_of(f, "ada").role, USER_OWNER);
    assert_int_equal(user_of(f, "ada").id, id);
    assert_int_equal(store_user_first(f->st, hash, "bob", "$y$", &id), RC_CONFLICT);
    assert_int_equal(store_setup_begin(f->st, hash, f->wall_ms + HOUR_MS), RC_CONFLICT);
}

static void who_is_added_by_hand_ends_the_set_up(void **state)
{
    struct fixture *f = *state;
    uint8_t hash[SECRET_HASH_SIZE];
    int64_t id = 0;

    fixture_hash("secret", hash);
    assert_int_equal(store_setup_begin(f->st, hash, f->wall_ms + DAY_MS), RC_OK);
    fixture_user(f, "ada", USER_OWNER);
    assert_int_equal(store_user_first(f->st, hash, "eve", "$y$", &id), RC_CONFLICT);
}

struct first {
    const char *name;
    uint8_t hash[SECRET_HASH_SIZE];
};

static enum rc be_first(struct store *st, void *arg)
{
    struct first *first = arg;
    int64_t id;

    return store_user_first(st, first->hash, first->name, "$y$", &id);
}

static void a_set_up_makes_one_user_however_many_try(void **state)
{
    struct fixture *f = *state;
    struct first ada = {.name = "ada"}, eve = {.name = "eve"};
    struct racer racers[2] = {{.run = be_first, .arg = &ada},
                              {.run = be_first, .arg = &eve}};
    int64_t n = 0;

    fixture_hash("secret", ada.hash);
    fixture_hash("secret", eve.hash);
    assert_int_equal(store_setup_begin(f->st, ada.hash, f->wall_ms + DAY_MS), RC_OK);
    race(f, racers);
    assert_true((racers[0].rc == RC_OK) != (racers[1].rc == RC_OK));
    assert_int_equal(racers[racers[0].rc == RC_OK].rc, RC_CONFLICT);
    assert_int_equal(store_user_count(f->st, &n), RC_OK);
    assert_int_equal(n, 1);
}

struct site_key {
    uint8_t bytes[SECRET_KEY_SIZE];
};

static enum rc read_key(struct store *st, void *arg)
{
    return store_site_key(st, ((struct site_key *)arg)->bytes);
}

static void a_site_has_one_key_for_good(void **state)
{
    static const struct site_key none;
    struct fixture *f = *state;
    struct site_key a, b;
    struct racer racers[2] = {{.run = read_key, .arg = &a},
                              {.run = read_key, .arg = &b}};

    race(f, racers);
    assert_int_equal(racers[0].rc, RC_OK);
    assert_int_equal(racers[1].rc, RC_OK);
    assert_memory_equal(&a, &b, sizeof(a));
    assert_memory_not_equal(&a, &none, sizeof(a));
    fixture_tick(f, 1000 * DAY_MS);
    assert_int_equal(store_accounts_expire(f->st), RC_OK);
    assert_int_equal(store_site_key(f->st, b.bytes), RC_OK);
    assert_memory_equal(&a, &b, sizeof(a));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, fixture_setup, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_user_is_found_by_name_in_any_case),
        TEST(names_are_letters_digits_and_three_signs),
        TEST(roles_have_names),
        TEST(users_are_listed_by_name),
        TEST(a_number_is_never_given_out_again),
        TEST(the_last_owner_stays_one),
        TEST(of_two_owners_one_remains_whoever_is_faster),
        TEST(a_new_password_ends_all_but_the_session_that_gave_it),
        TEST(tokens_end_with_every_change_of_role),
        TEST(what_a_removed_user_has_uploaded_stays),
        TEST(nobody_who_is_gone_uploads),
        TEST(uploads_of_a_removed_user_are_never_stored),
        TEST(who_may_not_upload_any_more_has_none_under_way),
        TEST(one_user_cannot_stop_the_uploads_of_all),
        TEST(each_user_has_unfinished_uploads_of_their_own),
        TEST(the_first_user_needs_the_newest_secret_in_time),
        TEST(who_is_added_by_hand_ends_the_set_up),
        TEST(a_set_up_makes_one_user_however_many_try),
        TEST(a_site_has_one_key_for_good),
    };

    return cmocka_run_group_tests_name("store_accounts", tests, NULL, NULL);
}
