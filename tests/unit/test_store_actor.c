/* test_store_actor.c: changes that are made for somebody who may lose the right to. */
#include "check.h"

#include "accounts_fixture.h"

static int64_t ada, bob;
static struct store_actor actor; /* bob, by a session */
static struct token token;       /* another of bob's */

static int setup(void **state)
{
    struct fixture *f;
    struct session s;
    uint8_t hash[SECRET_HASH_SIZE];

    assert_int_equal(fixture_setup(state), 0);
    f = *state;
    ada = fixture_user(f, "ada", USER_OWNER);
    bob = fixture_user(f, "bob", USER_OWNER);
    s = (struct session){.user_id = bob, .expires_ms = f->wall_ms + DAY_MS};
    fixture_hash("session", hash);
    assert_int_equal(store_session_begin(f->st, hash, FIXTURE_PASSWORD, &s), RC_OK);
    token = (struct token){
        .user_id = bob, .label = "t", .scopes = SCOPE_ADMIN, .expires_ms = -1};
    fixture_hash("token", hash);
    assert_int_equal(store_token_add(f->st, hash, &token), RC_OK);
    actor = (struct store_actor){.user_id = bob, .role = USER_OWNER, .session = s.n};
    return 0;
}

static enum rc add(struct fixture *f, const char *name)
{
    int64_t id;

    return store_user_add(f->st, name, USER_OWNER, FIXTURE_PASSWORD, &id);
}

static bool is_there(struct fixture *f, const char *name)
{
    struct user u;

    return store_user_by_name(f->st, name, &u) == RC_OK;
}

static void whoever_may_changes_things(void **state)
{
    struct fixture *f = *state;

    store_act_for(f->st, &actor);
    assert_int_equal(store_actor_check(f->st), RC_OK);
    assert_int_equal(add(f, "cleo"), RC_OK);
    actor.session = 0;
    actor.token = token.n;
    store_act_for(f->st, &actor);
    assert_int_equal(add(f, "dido"), RC_OK);
}

static void what_another_handle_has_ended_counts(void **state)
{
    struct fixture *f = *state;
    struct store *other = fixture_handle(f);

    store_act_for(f->st, &actor);
    assert_int_equal(store_session_end(other, bob, actor.session), RC_OK);
    assert_int_equal(store_actor_check(f->st), RC_REVOKED);
    assert_int_equal(add(f, "cleo"), RC_REVOKED);
    assert_false(is_there(f, "cleo"));
    store_close(other);
}

static void a_token_that_is_removed_counts(void **state)
{
    struct fixture *f = *state;
    struct store *other = fixture_handle(f);

    actor.session = 0;
    actor.token = token.n;
    store_act_for(f->st, &actor);
    assert_int_equal(store_token_remove(other, bob, token.n), RC_OK);
    assert_int_equal(add(f, "cleo"), RC_REVOKED);
    store_close(other);
}

static void another_role_counts(void **state)
{
    struct fixture *f = *state;

    actor.role = USER_MEMBER; /* as it was found before the change of role */
    store_act_for(f->st, &actor);
    assert_int_equal(add(f, "cleo"), RC_REVOKED);
}

/* Its number was a session's, but of another user. */
static void a_number_is_that_of_its_user(void **state)
{
    struct fixture *f = *state;

    actor.user_id = ada;
    store_act_for(f->st, &actor);
    assert_int_equal(add(f, "cleo"), RC_REVOKED);
}

static void what_one_ends_of_oneself_does_not(void **state)
{
    struct fixture *f = *state;

    store_act_for(f->st, &actor);
    assert_int_equal(store_user_remove(f->st, bob, NULL), RC_OK);
    assert_int_equal(add(f, "cleo"), RC_OK);
}

static void what_was_refused_leaves_the_handle_as_it_was(void **state)
{
    struct fixture *f = *state;

    actor.session += 100;
    store_act_for(f->st, &actor);
    assert_int_equal(add(f, "cleo"), RC_REVOKED);
    assert_int_equal(add(f, "cleo"), RC_REVOKED);
    store_act_for(f->st, NULL);
    assert_int_equal(store_actor_check(f->st), RC_OK);
    assert_int_equal(add(f, "cleo"), RC_OK);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(whoever_may_changes_things),
        TEST(what_another_handle_has_ended_counts),
        TEST(a_token_that_is_removed_counts),
        TEST(another_role_counts),
        TEST(a_number_is_that_of_its_user),
        TEST(what_one_ends_of_oneself_does_not),
        TEST(what_was_refused_leaves_the_handle_as_it_was),
    };

    return cmocka_run_group_tests_name("store_actor", tests, NULL, NULL);
}
