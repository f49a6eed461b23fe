/* Accounts, tokens, shares and grants when allocations fail. */
#include "store_starve.h"

#include "store_accounts.h"
#include "store_grants.h"

static const uint8_t one[SECRET_HASH_SIZE] = {1}, other[SECRET_HASH_SIZE] = {2};
static struct session session;
static struct token token;
static struct share share;
static struct grant grant;
static struct user user;
static const struct try_subject subjects[] = {{"a:ada", false}, {"i:192.0.2.1", true}};

#define FAR INT64_C(4000000000000)
static enum rc nothing_with_user(void *arg, const struct user *u)
{
    assert_true(*u->name && u->created_ms > 0);
    ++*(int64_t *)arg;
    return RC_OK;
}

static enum rc nothing_with_session(void *arg, const struct session *s)
{
    assert_string_equal(s->agent, "An agent");
    ++*(int64_t *)arg;
    return RC_OK;
}

static enum rc nothing_with_token(void *arg, const struct token *t)
{
    assert_string_equal(t->label, "A label of more than a few bytes");
    ++*(int64_t *)arg;
    return RC_OK;
}

static enum rc nothing_with_share(void *arg, const struct share *s)
{
    assert_string_equal(s->embed, "https://a.example");
    ++*(int64_t *)arg;
    return RC_OK;
}

static enum rc nothing_with_grant(void *arg, const struct grant *g)
{
    assert_int_equal(strlen(g->key), KEY_LEN);
    ++*(int64_t *)arg;
    return RC_OK;
}

CALL(setup_begin, store_setup_begin(w->st, one, FAR))
CALL(user_first, store_user_first(w->st, one, "ada", "hash", &w->id))
CALL(user_add, store_user_add(w->st, "bob", USER_OWNER, "hash", &w->n))
CALL(user_by_name, store_user_by_name(w->st, "ADA", &user))
CALL(user_get, store_user_get(w->st, w->id, &user))
CALL(user_count, found(w, store_user_count(w->st, &w->n), 2))
CALL(user_each, found(w, store_user_each(w->st, nothing_with_user, &w->n), 2))

static enum rc site_key(struct world *w)
{
    uint8_t key[SECRET_KEY_SIZE];
    return store_site_key(w->st, key);
}

static enum rc session_begin(struct world *w)
{
    session = (struct session){
        .user_id = w->id, .expires_ms = FAR, .agent = "An agent", .address = "::1"};
    return store_session_begin(w->st, one, "hash", &session);
}

CALL(session_use, store_session_use(w->st, one, 86400000, &session, &user))
CALL(session_each,
     found(w, store_session_each(w->st, w->id, nothing_with_session, &w->n), 1))
CALL(session_exists, store_session_exists(w->st, one, &w->flag))

static enum rc token_add(struct world *w)
{
    token = (struct token){.user_id = w->id,
                           .scopes = SCOPE_READ,
                           .expires_ms = FAR,
                           .label = "A label of more than a few bytes"};
    return store_token_add(w->st, other, &token);
}

CALL(token_use, store_token_use(w->st, other, &token, &user))
CALL(token_each, found(w, store_token_each(w->st, w->id, nothing_with_token, &w->n), 1))
CALL(try_begin, store_try_begin(w->st, subjects, 2, &w->n))
CALL(try_look, store_try_look(w->st, subjects, 2, &w->n))
CALL(try_succeeded, store_try_succeeded(w->st, subjects, 2))
CALL(actor_check, store_actor_check(w->st))
CALL(add_as_actor, store_video_rename(w->st, w->video.id, "A title by somebody"))
CALL(set_password, store_user_set_password(w->st, w->id, "other", session.n))
CALL(session_end, store_session_end(w->st, w->id, session.n))
CALL(token_again, token_add(w))
CALL(token_remove, store_token_remove(w->st, w->id, token.n))
CALL(session_again, store_session_begin(w->st, one, "other", &session))
CALL(set_role, store_user_set_role(w->st, w->id, USER_MEMBER, &w->n))
CALL(sessions_expire, store_sessions_expire(w->st, &w->n))

static uint8_t ended[4][SECRET_HASH_SIZE];
static size_t n_ended;

CALL(sessions_ended, store_sessions_ended(w->st, NULL, ended, 4, &n_ended))
CALL(sessions_drop, store_sessions_drop(w->st, ended, n_ended))
CALL(accounts_expire, store_accounts_expire(w->st))
CALL(user_remove, store_user_remove(w->st, w->id, &w->n))

static void accounts_are_as_they_were_or_as_they_should(void **state)
{
    static const struct call calls[] = {
        ONE(setup_begin),   ONE(user_first),
        ONE(user_add),      ONE(user_by_name),
        ONE(user_get),      ONE(user_count),
        ONE(user_each),     {"site_key", site_key, true},
        ONE(session_begin), ONE(session_use),
        ONE(session_each),  ONE(session_exists),
        ONE(token_add),     ONE(token_use),
        ONE(token_each),    ONE(try_begin),
        ONE(try_look),      ONE(try_succeeded),
    };
    static const struct call acting[] = {ONE(actor_check), ONE(add_as_actor)};
    static const struct call ending[] = {
        ONE(set_password),    ONE(session_end),    ONE(token_again),
        ONE(token_remove),    ONE(session_again),  ONE(set_role),
        ONE(sessions_expire), ONE(sessions_ended), ONE(sessions_drop),
        ONE(accounts_expire), ONE(user_remove),
    };
    struct world *w = *state;
    w->video = fixture_stored(w->f, "a");
    starve_calls(w, calls, N(calls));
    const struct store_actor actor = {w->id, USER_OWNER, session.n, 0};
    store_act_for(w->st, &actor);
    starve_calls(w, acting, N(acting));
    store_act_for(w->st, NULL);
    starve_calls(w, ending, N(ending));
}

/* ---- shares and grants ----------------------------------------------------------- */

static enum rc share_add(struct world *w)
{
    share = (struct share){.expires_ms = FAR, .embed = "https://a.example"};
    strcpy(share.video_id, w->video.id);
    return store_share_add(w->st, &share, w->id);
}

static struct grant grants[4];
static size_t n_grants;

CALL(share_get, store_share_get(w->st, share.token, &share, &w->found))
CALL(share_each,
     found(w, store_share_each(w->st, w->video.id, nothing_with_share, &w->n), 1))
CALL(grant_user, store_grant_user(w->st, w->video.id, w->id, &grant))
CALL(grant_by_key, store_grant_by_key(w->st, grant.key, &grant, &w->found))
CALL(grant_exists, store_grant_exists(w->st, grant.key, &w->flag))
CALL(grant_each,
     found(w, store_grant_each(w->st, "", false, nothing_with_grant, &w->n), 2))
CALL(grants_renew, store_grants_renew(w->st, w->video.id))
CALL(grant_list, store_grant_list(w->st, w->video.id, true, &(struct grant){.key = ""},
                                  grants, 4, &n_grants))
CALL(grant_drop, store_grant_drop(w->st, grants[0].key))
CALL(grants_end_open, store_grants_end_open(w->st))
CALL(open_to_all, store_video_set_visibility(w->st, w->video.id, VISIBLE_EVERYONE))
CALL(close_to_all, store_video_set_visibility(w->st, w->video.id, VISIBLE_PRIVATE))
CALL(share_remove, store_share_remove(w->st, share.token))
CALL(shares_expire, store_shares_expire(w->st, &w->n, &w->id))

static void who_may_watch_is_as_it_was_or_as_it_should(void **state)
{
    static const struct call calls[] = {
        ONE(share_add),    ONE(share_get),     ONE(share_each),      ONE(grant_user),
        ONE(grant_by_key), ONE(grant_exists),  ONE(grant_each),      ONE(grants_renew),
        ONE(grant_list),   ONE(grant_drop),    ONE(open_to_all),     ONE(close_to_all),
        ONE(share_remove), ONE(shares_expire), ONE(grants_end_open),
    };
    struct world *w = *state;
    w->video = fixture_stored(w->f, "a");
    assert_int_equal(store_user_add(w->st, "ada", USER_OWNER, "hash", &w->id), RC_OK);
    starve_calls(w, calls, N(calls));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, starve_setup, starve_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(accounts_are_as_they_were_or_as_they_should),
        TEST(who_may_watch_is_as_it_was_or_as_it_should),
    };
    return cmocka_run_group_tests_name("nomem_accounts", tests, NULL, NULL);
}
