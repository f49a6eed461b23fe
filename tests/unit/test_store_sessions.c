/* test_store_sessions.c: browsers that are signed in, and tokens of programs. */
#include "check.h"

#include "accounts_fixture.h"
#include "store_priv.h"

#define LASTS_MS (30 * DAY_MS)

static struct session begin(struct fixture *f, int64_t user_id, const char *secret)
{
    struct session s = {.user_id = user_id,
                        .expires_ms = f->wall_ms + LASTS_MS,
                        .agent = "  Fire\x01"
                                 "fox\xff ",
                        .address = "192.0.2.1"};
    uint8_t hash[SECRET_HASH_SIZE];

    fixture_hash(secret, hash);
    assert_int_equal(store_session_begin(f->st, hash, FIXTURE_PASSWORD, &s), RC_OK);
    return s;
}

static enum rc use(struct fixture *f, const char *secret, struct session *s)
{
    uint8_t hash[SECRET_HASH_SIZE];
    struct user u;
    enum rc rc;

    fixture_hash(secret, hash);
    rc = store_session_use(f->st, hash, LASTS_MS, s, &u);
    if (rc == RC_OK)
        assert_int_equal(u.id, s->user_id);
    return rc;
}

static int64_t rows(struct fixture *f, const char *table)
{
    char sql[64];
    sqlite3_stmt *q;
    int64_t n;

    snprintf(sql, sizeof(sql), "SELECT count(*) FROM %s", table);
    assert_int_equal(sqlite3_prepare_v2(f->st->db, sql, -1, &q, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(q), SQLITE_ROW);
    n = sqlite3_column_int64(q, 0);
    sqlite3_finalize(q);
    return n;
}

/* ---- sessions ---------------------------------------------------------------- */

static void a_session_tells_who_it_is(void **state)
{
    struct fixture *f = *state;
    int64_t ada = fixture_user(f, "ada", USER_OWNER);
    struct session begun = begin(f, ada, "secret"), s;

    assert_int_equal(use(f, "secret", &s), RC_OK);
    assert_memory_equal(&s, &begun, sizeof(s));
    assert_int_equal(s.user_id, ada);
    assert_int_equal(s.created_ms, f->wall_ms);
    assert_int_equal(s.used_ms, f->wall_ms);
    assert_string_equal(s.agent, "Fire fox\xef\xbf\xbd");
    assert_string_equal(s.address, "192.0.2.1");
    assert_int_equal(use(f, "Secret", &s), RC_NOT_FOUND);
    assert_int_equal(use(f, "", &s), RC_NOT_FOUND);
}

static void only_its_hash_is_kept(void **state)
{
    struct fixture *f = *state;
    sqlite3_stmt *q;

    begin(f, fixture_user(f, "ada", USER_OWNER), "the secret itself");
    assert_int_equal(
        sqlite3_prepare_v2(f->st->db, "SELECT hash FROM sessions", -1, &q, NULL),
        SQLITE_OK);
    assert_int_equal(sqlite3_step(q), SQLITE_ROW);
    assert_int_equal(sqlite3_column_bytes(q, 0), SECRET_HASH_SIZE);
    assert_memory_not_equal(sqlite3_column_blob(q, 0), "the secret itself", 17);
    sqlite3_finalize(q);
}

static void nobody_who_is_gone_signs_in(void **state)
{
    struct session s = {.user_id = 9, .expires_ms = INT64_MAX};
    struct fixture *f = *state;
    uint8_t hash[SECRET_HASH_SIZE] = {0};

    assert_int_equal(store_session_begin(f->st, hash, FIXTURE_PASSWORD, &s),
                     RC_NOT_FOUND);
    assert_int_equal(rows(f, "sessions"), 0);
}

/* The password was checked before, which takes a while. */
static void a_password_that_was_changed_meanwhile_signs_nobody_in(void **state)
{
    struct fixture *f = *state;
    struct session s = {.expires_ms = INT64_MAX};
    uint8_t hash[SECRET_HASH_SIZE] = {0};

    s.user_id = fixture_user(f, "ada", USER_OWNER);
    assert_int_equal(store_user_set_password(f->st, s.user_id, "$y$new", 0), RC_OK);
    assert_int_equal(store_session_begin(f->st, hash, FIXTURE_PASSWORD, &s),
                     RC_NOT_FOUND);
    assert_int_equal(rows(f, "sessions"), 0);
    assert_int_equal(store_session_begin(f->st, hash, "$y$new", &s), RC_OK);
}

static void its_time_goes_on_while_it_is_used(void **state)
{
    struct fixture *f = *state;
    struct session s;

    begin(f, fixture_user(f, "ada", USER_OWNER), "secret");
    fixture_tick(f, MINUTE_MS - 1);
    assert_int_equal(use(f, "secret", &s), RC_OK);
    assert_int_equal(s.used_ms, f->wall_ms - (MINUTE_MS - 1));
    fixture_tick(f, 1);
    assert_int_equal(use(f, "secret", &s), RC_OK);
    assert_int_equal(s.used_ms, f->wall_ms);
    assert_int_equal(s.expires_ms, f->wall_ms + LASTS_MS);
    assert_int_equal(use(f, "secret", &s), RC_OK);
    for (int i = 0; i < 5; i++) { /* far beyond its first end */
        fixture_tick(f, LASTS_MS - 1);
        assert_int_equal(use(f, "secret", &s), RC_OK);
    }
    fixture_tick(f, LASTS_MS);
    assert_int_equal(use(f, "secret", &s), RC_NOT_FOUND);
}

/* Most requests only read: no other handle sees a change. */
static void it_is_written_once_a_minute(void **state)
{
    struct fixture *f = *state;
    struct store *other = fixture_handle(f);
    struct session s;
    bool changed = true;

    begin(f, fixture_user(f, "ada", USER_OWNER), "secret");
    store_changed(other, &changed);
    for (int i = 0; i < 59; i++) {
        fixture_tick(f, 1000);
        assert_int_equal(use(f, "secret", &s), RC_OK);
    }
    assert_int_equal(store_changed(other, &changed), RC_OK);
    assert_false(changed);
    fixture_tick(f, 1000);
    assert_int_equal(use(f, "secret", &s), RC_OK);
    assert_int_equal(store_changed(other, &changed), RC_OK);
    assert_true(changed);
    store_close(other);
}

static void a_clock_that_is_put_back_ends_no_session(void **state)
{
    struct fixture *f = *state;
    struct session s;

    begin(f, fixture_user(f, "ada", USER_OWNER), "secret");
    f->wall_ms -= 365 * DAY_MS;
    assert_int_equal(use(f, "secret", &s), RC_OK);
    assert_int_equal(s.expires_ms, f->wall_ms + LASTS_MS);
}

/* Nothing can be written for as long as another handle does not let go. */
static void one_that_cannot_be_renewed_is_good_all_the_same(void **state)
{
    struct fixture *f = *state;
    struct store *other = fixture_handle(f);
    struct session s;

    begin(f, fixture_user(f, "ada", USER_OWNER), "secret");
    sqlite3_busy_timeout(f->st->db, 10);
    assert_int_equal(store_begin(other), RC_OK);
    fixture_tick(f, HOUR_MS);
    assert_int_equal(use(f, "secret", &s), RC_OK);
    assert_int_equal(s.used_ms, f->wall_ms - HOUR_MS);
    assert_int_equal(store_end(other, RC_STOPPED), RC_STOPPED);
    store_close(other);
}

static void a_session_is_ended_by_its_user_alone(void **state)
{
    struct fixture *f = *state;
    int64_t ada = fixture_user(f, "ada", USER_OWNER);
    int64_t bob = fixture_user(f, "bob", USER_OWNER);
    struct session a = begin(f, ada, "a"), s;

    assert_int_equal(store_session_end(f->st, bob, a.n), RC_NOT_FOUND);
    assert_int_equal(use(f, "a", &s), RC_OK);
    assert_int_equal(store_session_end(f->st, ada, a.n), RC_OK);
    assert_int_equal(use(f, "a", &s), RC_NOT_FOUND);
    assert_int_equal(store_session_end(f->st, ada, a.n), RC_NOT_FOUND);
    assert_true(begin(f, ada, "b").n > a.n);
}

struct listed {
    int64_t n[2 * STORE_SESSIONS_MAX];
    size_t count;
};

static enum rc list_session(void *arg, const struct session *s)
{
    struct listed *l = arg;

    l->n[l->count++] = s->n;
    return RC_OK;
}

static void sessions_are_listed_the_last_used_first(void **state)
{
    struct fixture *f = *state;
    int64_t ada = fixture_user(f, "ada", USER_OWNER);
    struct session first, second, s;
    struct listed l = {.count = 0};

    begin(f, fixture_user(f, "bob", USER_OWNER), "b");
    first = begin(f, ada, "1");
    second = begin(f, ada, "2");
    fixture_tick(f, HOUR_MS);
    assert_int_equal(use(f, "1", &s), RC_OK);
    assert_int_equal(store_session_each(f->st, ada, list_session, &l), RC_OK);
    assert_int_equal(l.count, 2);
    assert_int_equal(l.n[0], first.n);
    assert_int_equal(l.n[1], second.n);
    fixture_tick(f, LASTS_MS - HOUR_MS); /* the second one is over */
    l.count = 0;
    assert_int_equal(store_session_each(f->st, ada, list_session, &l), RC_OK);
    assert_int_equal(l.count, 1);
}

static void of_too_many_those_unused_longest_end(void **state)
{
    struct fixture *f = *state;
    int64_t ada = fixture_user(f, "ada", USER_OWNER);
    struct listed l = {.count = 0};
    struct session s;
    char secret[16];

    begin(f, fixture_user(f, "bob", USER_OWNER), "b");
    for (int i = 0; i < STORE_SESSIONS_MAX + 5; i++) {
        snprintf(secret, sizeof(secret), "%d", i);
        begin(f, ada, secret);
        fixture_tick(f, MINUTE_MS);
        assert_int_equal(use(f, "0", &s), RC_OK); /* the first one is */
    }
    assert_int_equal(store_session_each(f->st, ada, list_session, &l), RC_OK);
    assert_int_equal(l.count, STORE_SESSIONS_MAX);
    assert_int_equal(use(f, "5", &s), RC_NOT_FOUND);
    assert_int_equal(use(f, "6", &s), RC_OK);
    assert_int_equal(use(f, "b", &s), RC_OK);
    f->wall_ms -= DAY_MS; /* also if it looks older than all others */
    begin(f, ada, "new");
    assert_int_equal(use(f, "new", &s), RC_OK);
}

struct ending {
    int64_t user_id, n;
};

static enum rc end_it(struct store *st, void *arg)
{
    struct ending *e = arg;

    return store_session_end(st, e->user_id, e->n);
}

static enum rc use_it(struct store *st, void *arg)
{
    struct session s;
    struct user u;

    return store_session_use(st, arg, LASTS_MS, &s, &u);
}

/* A use that is under way must not bring it back to life. */
static void an_ended_session_stays_ended(void **state)
{
    struct fixture *f = *state;
    int64_t ada = fixture_user(f, "ada", USER_OWNER);
    uint8_t hash[SECRET_HASH_SIZE];

    fixture_hash("secret", hash);
    for (int round = 0; round < 20; round++) {
        struct ending e = {ada, begin(f, ada, "secret").n};
        struct racer racers[2] = {{.run = end_it, .arg = &e},
                                  {.run = use_it, .arg = hash}};

        fixture_tick(f, HOUR_MS);
        race(f, racers);
        assert_int_equal(racers[0].rc, RC_OK);
        assert_true(racers[1].rc == RC_OK || racers[1].rc == RC_NOT_FOUND);
        assert_int_equal(use_it(f->st, hash), RC_NOT_FOUND);
    }
}

/* ---- tokens ------------------------------------------------------------------ */

static enum rc add(struct fixture *f, int64_t user_id, const char *secret,
                   struct token *t)
{
    uint8_t hash[SECRET_HASH_SIZE];

    t->user_id = user_id;
    fixture_hash(secret, hash);
    return store_token_add(f->st, hash, t);
}

static enum rc use_token(struct fixture *f, const char *secret, struct token *t)
{
    uint8_t hash[SECRET_HASH_SIZE];
    struct user u;
    enum rc rc;

    fixture_hash(secret, hash);
    rc = store_token_use(f->st, hash, t, &u);
    if (rc == RC_OK)
        assert_int_equal(u.id, t->user_id);
    return rc;
}

static void a_token_has_scopes_and_an_end(void **state)
{
    struct fixture *f = *state;
    int64_t ada = fixture_user(f, "ada", USER_OWNER);
    struct token made = {.label = "curl, at home",
                         .scopes = SCOPE_READ | SCOPE_UPLOAD,
                         .expires_ms = f->wall_ms + DAY_MS};
    struct token t;

    assert_int_equal(add(f, ada, "secret", &made), RC_OK);
    assert_int_equal(made.created_ms, f->wall_ms);
    assert_int_equal(made.used_ms, -1);
    assert_int_equal(use_token(f, "secret", &t), RC_OK);
    assert_int_equal(t.n, made.n);
    assert_string_equal(t.label, "curl, at home");
    assert_int_equal(t.scopes, SCOPE_READ | SCOPE_UPLOAD);
    assert_int_equal(t.used_ms, f->wall_ms);
    assert_int_equal(t.expires_ms, made.expires_ms);
    fixture_tick(f, MINUTE_MS - 1);
    assert_int_equal(use_token(f, "secret", &t), RC_OK);
    assert_int_equal(t.used_ms, made.created_ms);
    fixture_tick(f, 1);
    assert_int_equal(use_token(f, "secret", &t), RC_OK);
    assert_int_equal(t.used_ms, f->wall_ms);
    fixture_tick(f, DAY_MS - MINUTE_MS - 1);
    assert_int_equal(use_token(f, "secret", &t), RC_OK);
    fixture_tick(f, 1);
    assert_int_equal(use_token(f, "secret", &t), RC_NOT_FOUND);
    assert_int_equal(use_token(f, "other", &t), RC_NOT_FOUND);
}

static void wrong_tokens_are_refused(void **state)
{
    struct fixture *f = *state;
    int64_t ada = fixture_user(f, "ada", USER_OWNER);
    struct token t = {.label = "", .scopes = SCOPE_READ, .expires_ms = -1};

    assert_int_equal(add(f, ada, "1", &t), RC_INVALID);
    strcpy(t.label, "  ");
    assert_int_equal(add(f, ada, "1", &t), RC_INVALID);
    strcpy(t.label, "a\nb");
    assert_int_equal(add(f, ada, "1", &t), RC_INVALID);
    strcpy(t.label, "a\xff");
    assert_int_equal(add(f, ada, "1", &t), RC_INVALID);
    strcpy(t.label, "a");
    t.scopes = 0;
    assert_int_equal(add(f, ada, "1", &t), RC_INVALID);
    t.scopes = SCOPE_READ | 8;
    assert_int_equal(add(f, ada, "1", &t), RC_INVALID);
    t.scopes = SCOPE_ADMIN;
    assert_int_equal(add(f, ada + 1, "1", &t), RC_NOT_FOUND);
    strcpy(t.label, " a ");
    assert_int_equal(add(f, ada, "1", &t), RC_OK);
    assert_string_equal(t.label, "a");
}

static enum rc list_token(void *arg, const struct token *t)
{
    struct listed *l = arg;

    l->n[l->count++] = t->n;
    return RC_OK;
}

static void a_user_has_so_many_tokens_and_removes_their_own(void **state)
{
    struct fixture *f = *state;
    int64_t ada = fixture_user(f, "ada", USER_OWNER);
    int64_t bob = fixture_user(f, "bob", USER_OWNER);
    struct token t = {.label = "x", .scopes = SCOPE_READ, .expires_ms = -1};
    struct listed l = {.count = 0};
    char secret[16];

    for (int i = 0; i < STORE_TOKENS_MAX; i++) {
        snprintf(secret, sizeof(secret), "%d", i);
        t.expires_ms = i == 0 ? f->wall_ms + DAY_MS : -1;
        assert_int_equal(add(f, ada, secret, &t), RC_OK);
    }
    assert_int_equal(add(f, ada, "more", &t), RC_TOO_LARGE);
    assert_int_equal(add(f, bob, "more", &t), RC_OK);
    assert_int_equal(store_token_remove(f->st, ada, t.n), RC_NOT_FOUND);
    assert_int_equal(store_token_each(f->st, ada, list_token, &l), RC_OK);
    assert_int_equal(l.count, STORE_TOKENS_MAX);
    assert_true(l.n[0] < l.n[1]);
    assert_int_equal(store_token_remove(f->st, ada, l.n[1]), RC_OK);
    assert_int_equal(store_token_remove(f->st, ada, l.n[1]), RC_NOT_FOUND);
    assert_int_equal(use_token(f, "1", &t), RC_NOT_FOUND);
    fixture_tick(f, DAY_MS); /* and the first one is over */
    t.expires_ms = -1;
    assert_int_equal(add(f, ada, "a", &t), RC_OK);
    assert_int_equal(add(f, ada, "b", &t), RC_OK);
    assert_int_equal(add(f, ada, "c", &t), RC_TOO_LARGE);
}

static void what_is_over_is_cleared_away(void **state)
{
    struct fixture *f = *state;
    int64_t ada = fixture_user(f, "ada", USER_OWNER);
    struct token t = {
        .label = "x", .scopes = SCOPE_READ, .expires_ms = f->wall_ms + LASTS_MS};

    assert_int_equal(add(f, ada, "t", &t), RC_OK);
    t.expires_ms = -1;
    assert_int_equal(add(f, ada, "for ever", &t), RC_OK);
    fixture_tick(f, LASTS_MS - 1);
    assert_int_equal(store_accounts_expire(f->st), RC_OK);
    assert_int_equal(rows(f, "tokens"), 2);
    fixture_tick(f, 1);
    assert_int_equal(store_accounts_expire(f->st), RC_OK);
    assert_int_equal(rows(f, "tokens"), 1);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, fixture_setup, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_session_tells_who_it_is),
        TEST(only_its_hash_is_kept),
        TEST(nobody_who_is_gone_signs_in),
        TEST(a_password_that_was_changed_meanwhile_signs_nobody_in),
        TEST(its_time_goes_on_while_it_is_used),
        TEST(it_is_written_once_a_minute),
        TEST(a_clock_that_is_put_back_ends_no_session),
        TEST(one_that_cannot_be_renewed_is_good_all_the_same),
        TEST(a_session_is_ended_by_its_user_alone),
        TEST(sessions_are_listed_the_last_used_first),
        TEST(of_too_many_those_unused_longest_end),
        TEST(an_ended_session_stays_ended),
        TEST(a_token_has_scopes_and_an_end),
        TEST(wrong_tokens_are_refused),
        TEST(a_user_has_so_many_tokens_and_removes_their_own),
        TEST(what_is_over_is_cleared_away),
    };

    return cmocka_run_group_tests_name("store_sessions", tests, NULL, NULL);
}
