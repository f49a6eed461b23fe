/* test_pass.c: what a pass leads to, and when it ends. */
#include "accounts_fixture.h"

#include "grant.h"
#include "pass.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define PASS "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define OTHER "fedcba9876543210fedcba9876543210fedcba9876543210fedcba9876543210"
#define KEY "kkkkkkkkkkkkkkkkkkkkkkkkkk"
#define KEY2 "jjjjjjjjjjjjjjjjjjjjjjjjjj"
#define ROOT "rrrrrrrrrrrrrrrrrrrrrrrrrr"
#define PASSES "htdocs/media/pass/"

static struct fixture *f;
static struct site site;
static int media;

/* Calls that make folders. */
static int makes;

int mkdir(const char *path, mode_t mode)
{
    return mkdirat(AT_FDCWD, path, mode);
}

int mkdirat(int dir_fd, const char *path, mode_t mode)
{
    makes++;
    return (int)syscall(SYS_mkdirat, dir_fd, path, mode);
}

static const char *at(const char *name)
{
    static char path[PATH_MAX];

    assert_int_equal(site_path(&site, name, path), RC_OK);
    return path;
}

static int setup(void **state)
{
    fixture_setup(state);
    f = *state;
    strcpy(site.root, f->dir);
    assert_int_equal(mkdir(at("htdocs"), 0755), 0);
    assert_int_equal(site_open_media(&site, &media), RC_OK);
    return 0;
}

static int teardown(void **state)
{
    close(media);
    return fixture_teardown(state);
}

static bool there(const char *name)
{
    struct stat st;

    return lstat(at(name), &st) == 0;
}

/* True if what is in the folder of the media is reached by name. */
static bool leads_on(const char *name)
{
    struct stat st;

    return stat(at(name), &st) == 0;
}

static void put_media(void)
{
    bool made;
    FILE *file;

    assert_int_equal(grant_link(media, KEY, ROOT, &made), RC_OK);
    assert_int_equal(mkdir(at("htdocs/media/" ROOT), 0755), 0);
    file = fopen(at("htdocs/media/" ROOT "/master.m3u8"), "w");
    assert_non_null(file);
    fclose(file);
}

static bool add(const char *pass, const char *key)
{
    bool made = false;

    assert_int_equal(pass_add(&site, pass, key, &made), RC_OK);
    return made;
}

/* Begins a session, and gives it a pass; its name goes to pass. */
static void begin(int64_t user_id, const char *secret, char pass[PASS_LEN + 1])
{
    struct session s = {.user_id = user_id, .expires_ms = f->wall_ms + DAY_MS};
    uint8_t hash[SECRET_HASH_SIZE];

    pass_of_session(secret, pass, hash);
    assert_int_equal(store_session_begin(f->st, hash, FIXTURE_PASSWORD, &s), RC_OK);
    assert_true(add(pass, KEY));
}

static bool has_pass(const char *pass)
{
    char name[sizeof(PASSES) + PASS_LEN];

    snprintf(name, sizeof(name), PASSES "%.*s", PASS_LEN, pass);
    return there(name);
}

/* ---- names ------------------------------------------------------------------- */

static void a_name_is_64_hexadecimal_digits(void **state)
{
    (void)state;
    assert_true(pass_valid(PASS));
    assert_false(pass_valid(PASS "0"));
    assert_false(pass_valid(&PASS[1]));
    assert_false(pass_valid(""));
    assert_false(pass_valid("."));
    assert_false(
        pass_valid("../56789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"));
    assert_false(
        pass_valid("0123456789ABCDEF0123456789abcdef0123456789abcdef0123456789abcdef"));
}

static void each_session_and_each_share_has_its_own(void **state)
{
    const uint8_t site_key[SECRET_KEY_SIZE] = "a", other_key[SECRET_KEY_SIZE] = "b";
    char names[5][PASS_LEN + 1];
    uint8_t hash[SECRET_HASH_SIZE], again[SECRET_HASH_SIZE];

    (void)state;
    pass_of_session("one", names[0], hash);
    pass_hash(names[0], again);
    assert_memory_equal(hash, again, sizeof(hash));
    pass_of_session("other", names[1], again);
    assert_memory_not_equal(hash, again, sizeof(hash));
    pass_of_share(site_key, KEY, names[2]);
    pass_of_share(site_key, KEY2, names[3]);
    pass_of_share(other_key, KEY, names[4]);
    for (int i = 0; i < 5; i++) {
        assert_true(pass_valid(names[i]));
        for (int k = 0; k < i; k++)
            assert_string_not_equal(names[i], names[k]);
    }
}

/* ---- adding and removing --------------------------------------------------------- */

static void it_leads_to_the_keys_that_were_added(void **state)
{
    (void)state;
    put_media();
    assert_true(add(PASS, KEY));
    assert_false(add(PASS, KEY));
    assert_true(leads_on(PASSES PASS "/" KEY "/master.m3u8"));
    assert_false(leads_on(PASSES PASS "/" KEY2 "/master.m3u8"));
    assert_true(add(OTHER, KEY));
    assert_int_equal(pass_remove(&site, PASS), RC_OK);
    assert_false(there(PASSES PASS));
    assert_true(leads_on(PASSES OTHER "/" KEY "/master.m3u8"));
    assert_true(leads_on("htdocs/media/" KEY "/master.m3u8"));
}

static void folders_are_made_where_they_are_missing_alone(void **state)
{
    (void)state;
    makes = 0;
    add(PASS, KEY);
    assert_int_equal(makes, 2);
    add(PASS, KEY2);
    add(PASS, KEY);
    assert_int_equal(makes, 2);
    add(OTHER, KEY);
    assert_int_equal(makes, 3);
}

static void a_key_that_is_taken_back_is_led_to_no_more(void **state)
{
    (void)state;
    put_media();
    add(PASS, KEY);
    assert_int_equal(grant_unlink(media, KEY), RC_OK);
    assert_false(leads_on(PASSES PASS "/" KEY "/master.m3u8"));
}

static void what_is_no_name_is_refused(void **state)
{
    bool made = true;

    (void)state;
    put_media();
    assert_int_equal(pass_add(&site, KEY, KEY, &made), RC_IO);
    assert_false(made);
    assert_int_equal(pass_add(&site, PASS, "..", &made), RC_IO);
    assert_int_equal(pass_add(&site, PASS, ROOT "x", &made), RC_IO);
    assert_int_equal(pass_remove(&site, ".."), RC_IO);
    assert_int_equal(pass_remove(&site, ""), RC_IO);
    assert_false(there(PASSES PASS));
}

static void one_that_is_not_there_is_removed_already(void **state)
{
    (void)state;
    assert_int_equal(pass_remove(&site, PASS), RC_OK);
    add(OTHER, KEY);
    assert_int_equal(pass_remove(&site, PASS), RC_OK);
}

static void nothing_but_links_is_ever_removed(void **state)
{
    (void)state;
    add(PASS, KEY);
    assert_int_equal(mkdir(at(PASSES PASS "/folder"), 0700), 0);
    assert_int_equal(pass_remove(&site, PASS), RC_IO);
    assert_true(there(PASSES PASS "/folder"));
    assert_int_equal(mkdir(at("elsewhere"), 0700), 0);
    assert_int_equal(symlink("../../../elsewhere", at(PASSES OTHER)), 0);
    assert_int_equal(pass_remove(&site, OTHER), RC_IO);
    assert_true(there("elsewhere"));
}

/* ---- sessions that end -------------------------------------------------------------
 */

static void the_pass_of_a_session_that_ended_goes_and_no_other(void **state)
{
    int64_t ada = fixture_user(f, "ada", USER_OWNER);
    char first[PASS_LEN + 1], second[PASS_LEN + 1];
    uint8_t ended[1][SECRET_HASH_SIZE];
    size_t n = 1;

    (void)state;
    begin(ada, "first", first);
    begin(ada, "second", second);
    assert_int_equal(pass_end_sessions(f->st, &site), RC_OK);
    assert_true(has_pass(first));
    assert_int_equal(store_session_end(f->st, ada, 1), RC_OK);
    assert_int_equal(pass_end_sessions(f->st, &site), RC_OK);
    assert_false(has_pass(first));
    assert_true(has_pass(second));
    assert_int_equal(store_sessions_ended(f->st, NULL, ended, 1, &n), RC_OK);
    assert_int_equal(n, 0);
}

static void nothing_is_added_to_that_of_a_session_that_has_ended(void **state)
{
    int64_t ada = fixture_user(f, "ada", USER_OWNER);
    char pass[PASS_LEN + 1];
    bool made = false;

    (void)state;
    begin(ada, "secret", pass);
    assert_int_equal(pass_add_of_session(f->st, &site, pass, KEY), RC_OK);
    assert_int_equal(pass_add_of_session(f->st, &site, pass, KEY2), RC_OK);
    assert_true(has_pass(pass));
    assert_int_equal(store_session_end(f->st, ada, 1), RC_OK);
    assert_int_equal(pass_end_sessions(f->st, &site), RC_OK);
    /* By who has found it a moment before that. */
    assert_int_equal(pass_add_of_session(f->st, &site, pass, KEY), RC_NOT_FOUND);
    assert_false(has_pass(pass));
    assert_int_equal(pass_add(&site, pass, KEY, &made), RC_OK);
    assert_int_equal(pass_add_of_session(f->st, &site, pass, KEY2), RC_NOT_FOUND);
    assert_false(has_pass(pass));
}

static void many_end_at_once(void **state)
{
    enum { MANY = STORE_SESSIONS_MAX };
    int64_t ada = fixture_user(f, "ada", USER_OWNER);
    int64_t bob = fixture_user(f, "bob", USER_OWNER);
    char passes[MANY][PASS_LEN + 1], stays[PASS_LEN + 1], secret[16];

    (void)state;
    begin(bob, "stays", stays);
    for (int i = 0; i < MANY; i++) {
        snprintf(secret, sizeof(secret), "%d", i);
        begin(ada, secret, passes[i]);
    }
    assert_int_equal(store_user_set_password(f->st, ada, "new", 0), RC_OK);
    assert_int_equal(pass_end_sessions(f->st, &site), RC_OK);
    for (int i = 0; i < MANY; i++)
        assert_false(has_pass(passes[i]));
    assert_true(has_pass(stays));
}

static void what_could_not_be_ended_is_tried_again(void **state)
{
    int64_t ada = fixture_user(f, "ada", USER_OWNER);
    char bad[PASS_LEN + 1], good[PASS_LEN + 1], name[PATH_MAX];

    (void)state;
    begin(ada, "bad", bad);
    begin(ada, "good", good);
    snprintf(name, sizeof(name), PASSES "%s/folder", bad);
    assert_int_equal(mkdir(at(name), 0700), 0);
    assert_int_equal(store_user_set_password(f->st, ada, "new", 0), RC_OK);
    assert_int_equal(pass_end_sessions(f->st, &site), RC_IO);
    assert_true(has_pass(bad));
    assert_false(has_pass(good));
    assert_int_equal(rmdir(at(name)), 0);
    assert_int_equal(pass_end_sessions(f->st, &site), RC_OK);
    assert_false(has_pass(bad));
}

static void a_session_without_a_pass_ends_too(void **state)
{
    int64_t ada = fixture_user(f, "ada", USER_OWNER);
    struct session s = {.user_id = ada, .expires_ms = f->wall_ms + DAY_MS};
    uint8_t hash[1][SECRET_HASH_SIZE] = {{1}};
    size_t n = 1;

    (void)state;
    assert_int_equal(store_session_begin(f->st, hash[0], FIXTURE_PASSWORD, &s), RC_OK);
    assert_int_equal(store_session_end(f->st, ada, s.n), RC_OK);
    assert_int_equal(pass_end_sessions(f->st, &site), RC_OK);
    assert_int_equal(store_sessions_ended(f->st, NULL, hash, 1, &n), RC_OK);
    assert_int_equal(n, 0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_name_is_64_hexadecimal_digits),
        TEST(each_session_and_each_share_has_its_own),
        TEST(it_leads_to_the_keys_that_were_added),
        TEST(folders_are_made_where_they_are_missing_alone),
        TEST(a_key_that_is_taken_back_is_led_to_no_more),
        TEST(what_is_no_name_is_refused),
        TEST(one_that_is_not_there_is_removed_already),
        TEST(nothing_but_links_is_ever_removed),
        TEST(the_pass_of_a_session_that_ended_goes_and_no_other),
        TEST(nothing_is_added_to_that_of_a_session_that_has_ended),
        TEST(many_end_at_once),
        TEST(what_could_not_be_ended_is_tried_again),
        TEST(a_session_without_a_pass_ends_too),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
