/* test_grants.c: the worker keeps symlinks as their rows say. */
#include "worker_fixture.h"

#include "grant.h"
#include "grants.h"
#include "store_priv.h"

#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

#define KEY "kkkkkkkkkkkkkkkkkkkkkkkkkk"
#define ROOT "rrrrrrrrrrrrrrrrrrrrrrrrrr"

static struct grants *grants;

static const char *media(const char *key)
{
    char name[PATH_MAX];
    snprintf(name, sizeof(name), "htdocs/media/%.99s", key);
    return worker_fixture_path(name);
}

static bool linked(const char *key)
{
    struct stat st;
    return lstat(media(key), &st) == 0 && S_ISLNK(st.st_mode);
}

static bool has_row(const char *key)
{
    bool exists = false;
    assert_int_equal(store_grant_exists(f->st, key, &exists), RC_OK);
    return exists;
}

static void turn_until_linked(const char *key, bool want)
{
    loop_turn_until(w.loop, linked(key) == want, "%s to %s", key, want ? "come" : "go");
}

static int setup(void **state)
{
    worker_fixture_setup(state);
    w.config.auth = AUTH_NONE;
    return 0;
}

static int teardown(void **state)
{
    grants_close(grants);
    grants = NULL;
    return worker_fixture_teardown(state);
}

static void begin(void)
{
    assert_int_equal(grants_open(&w, &grants), RC_OK);
}

static struct grant give(const struct video *v)
{
    struct grant g;
    assert_int_equal(grant_for_user(f->st, media_fd, v->id, 0, &g), RC_OK);
    return g;
}

static void link_to(const char *key, const char *root)
{
    bool made;
    assert_int_equal(grant_link(media_fd, key, root, &made), RC_OK);
}

/* ---- after a crash -------------------------------------------------------------- */

static void what_was_left_half_done_is_completed_at_the_start(void **state)
{
    struct video v = fixture_video_of(f, 0, "a"), u = fixture_video_of(f, 0, "b");
    struct share s = {.expires_ms = -1};
    (void)state;
    struct grant row_only = fixture_grant(f, &v, 0), whole = give(&u);
    memcpy(s.video_id, u.id, sizeof(s.video_id));
    assert_int_equal(store_share_add(f->st, &s, 0), RC_OK);
    link_to(s.key, u.media_root);
    assert_int_equal(store_share_remove(f->st, s.token), RC_OK); /* and no unlink */
    link_to(KEY, ROOT);                                          /* of no row */
    assert_false(linked(row_only.key));
    begin();
    turn_until_linked(row_only.key, true);
    turn_until_linked(s.key, false);
    turn_until_linked(KEY, false);
    assert_false(has_row(s.key));
    assert_true(linked(whole.key));
}

static void one_that_leads_elsewhere_is_put_right(void **state)
{
    char target[KEY_LEN + 1] = "";
    struct video v = fixture_video_of(f, 0, "a"), u = fixture_video_of(f, 0, "b");
    (void)state;
    struct grant wrong = fixture_grant(f, &v, 0), right = give(&u);
    link_to(wrong.key, ROOT);
    link_to(KEY, ROOT);
    begin();
    turn_until_linked(KEY, false);
    assert_int_equal(readlink(media(wrong.key), target, KEY_LEN), KEY_LEN);
    assert_string_equal(target, v.media_root);
    assert_true(linked(right.key));
}

/* A folder of this name, with a file in it. */
static void put_folder(const char *name)
{
    char inner[64];
    snprintf(inner, sizeof(inner), "%s/master.m3u8", name);
    assert_int_equal(mkdir(media(name), 0755), 0);
    FILE *file = fopen(media(inner), "w");
    assert_non_null(file);
    fclose(file);
}

static void nothing_but_symlinks_with_the_name_of_a_key_is_touched(void **state)
{
    (void)state;
    link_to(KEY, ROOT);
    put_folder(ROOT);
    assert_int_equal(mkdir(media("folder"), 0755), 0);
    assert_int_equal(symlink(ROOT, media("other")), 0);
    FILE *file = fopen(media("ffffffffffffffffffffffffff"), "w");
    assert_non_null(file);
    fclose(file);
    begin();
    turn_until_linked(KEY, false);
    turn_to_the_end();
    assert_int_equal(access(media(ROOT), F_OK), 0);
    assert_int_equal(access(media("folder"), F_OK), 0);
    assert_true(linked("other"));
    assert_int_equal(access(media("ffffffffffffffffffffffffff"), F_OK), 0);
}

/* Its worker was killed where it stood still for so long before it made it. */
static void an_empty_folder_of_a_video_that_is_gone_goes(void **state)
{
    struct video v = fixture_video_of(f, 0, "a"), u = fixture_video_of(f, 0, "b"), out;
    (void)state;
    assert_int_equal(store_video_delete(f->st, u.id, &out), RC_OK); /* but not gone */
    assert_int_equal(mkdir(media(v.media_root), 0755), 0);
    assert_int_equal(mkdir(media(u.media_root), 0755), 0);
    assert_int_equal(mkdir(media(ROOT), 0755), 0);
    begin();
    loop_turn_until(w.loop, access(media(ROOT), F_OK) != 0, "it to go");
    turn_to_the_end();
    assert_int_equal(access(media(v.media_root), F_OK), 0);
    assert_int_equal(access(media(u.media_root), F_OK), 0);
    assert_int_equal(store_video_purge(f->st, u.id), RC_OK);
    grants_look(grants); /* as after any change */
    grants_sweep(grants);
    loop_turn_until(w.loop, access(media(u.media_root), F_OK) != 0, "the other to go");
}

static void a_site_with_accounts_ends_what_everybody_had(void **state)
{
    struct fixture *fixture = *state;
    int64_t ada = fixture_user(fixture, "ada", USER_OWNER);
    struct video v = fixture_video_of(f, 0, "a");
    struct grant open = give(&v), hers;
    assert_int_equal(grant_for_user(f->st, media_fd, v.id, ada, &hers), RC_OK);
    begin();
    turn_to_the_end();
    assert_true(linked(open.key)); /* without accounts */
    grants_close(grants);
    w.config.auth = AUTH_REQUIRED;
    begin();
    turn_until_linked(open.key, false);
    assert_true(linked(hers.key));
    assert_false(has_row(open.key));
}

/* One that cannot be put right, at every place among the others. */
static void one_that_is_in_the_way_does_not_keep_the_others(void **state)
{
    struct grant all[8];
    (void)state;
    for (int i = 0; i < 8; i++) {
        struct video v = fixture_video_of(f, 0, "a");
        all[i] = fixture_grant(f, &v, 0);
    }
    link_to(KEY, ROOT);
    put_folder(all[3].key);
    log_to_file("/dev/null");
    begin();
    turn_until_linked(KEY, false);
    for (int i = 0; i < 8; i++)
        assert_int_equal(linked(all[i].key), i != 3);
    char inner[KEY_LEN + 16];
    snprintf(inner, sizeof(inner), "%s/master.m3u8", all[3].key);
    assert_int_equal(unlink(media(inner)), 0);
    grants_sweep(grants);
    turn_until_linked(all[3].key, true);
}

/* ---- while it runs ----------------------------------------------------------------
 */

static void what_is_revoked_goes_with_the_next_look(void **state)
{
    struct video v = fixture_video_of(f, 0, "a"), out;
    (void)state;
    struct grant g = give(&v);
    begin();
    turn_to_the_end();
    assert_int_equal(store_video_delete(f->st, v.id, &out), RC_OK);
    grants_look(grants);
    assert_false(linked(g.key));
    assert_false(has_row(g.key));
}

static void what_is_revoked_goes_also_where_nothing_can_expire(void **state)
{
    struct video v = fixture_video_of(f, 0, "a"), out;
    (void)state;
    struct grant g = give(&v);
    begin();
    turn_to_the_end();
    assert_int_equal(store_video_delete(f->st, v.id, &out), RC_OK);
    assert_int_equal(sqlite3_exec(f->st->db,
                                  "ALTER TABLE shares RENAME COLUMN expires_ms TO x",
                                  NULL, NULL, NULL),
                     SQLITE_OK);
    log_to_file("/dev/null");
    grants_look(grants);
    assert_false(linked(g.key));
    assert_false(has_row(g.key));
}

/* How many rows are still to be ended: two are as many as more. */
static size_t revoked(void)
{
    struct grant left[2], first = {.key = ""};
    size_t n = 0;
    assert_int_equal(store_grant_list(f->st, "", true, &first, left, 2, &n), RC_OK);
    return n;
}

static void so_many_that_are_revoked_at_once_go_bit_by_bit(void **state)
{
    struct fixture *fixture = *state;
    int64_t ada = fixture_user(fixture, "ada", USER_OWNER);
    int64_t bob = fixture_user(fixture, "bob", USER_OWNER);
    struct grant last = {.key = ""};
    for (int i = 0; i < 450; i++) {
        struct video v = fixture_video_of(f, ada, "a");
        assert_int_equal(grant_for_user(f->st, media_fd, v.id, bob, &last), RC_OK);
    }
    begin();
    turn_to_the_end();
    assert_int_equal(store_user_remove(f->st, bob, NULL), RC_OK);
    grants_look(grants);
    assert_int_equal(revoked(), 2); /* not all in one go */
    loop_turn_until(w.loop, revoked() == 0, "all of them to go");
    assert_false(linked(last.key));
}

/* The clock stands still until it is told: none is gone too early. Nobody says so when
 * it goes on: it looks by itself, and long before it would look in any case. */
static void a_share_ends_when_its_time_is_over(void **state)
{
    struct video v = fixture_video_of(f, 0, "a");
    (void)state;
    struct grant g = give(&v);
    begin();
    turn_to_the_end();
    struct share s[2] = {{.expires_ms = f->wall_ms + 300},
                         {.expires_ms = f->wall_ms + 200}};
    for (int i = 0; i < 2; i++) {
        memcpy(s[i].video_id, v.id, sizeof(s[i].video_id));
        assert_int_equal(store_share_add(f->st, &s[i], 0), RC_OK);
        link_to(s[i].key, v.media_root);
        grants_look(grants); /* as after any change */
    }
    fixture_tick(f, 199);
    loop_turn_for(w.loop, 400);
    assert_true(linked(s[1].key));
    fixture_tick(f, 1);
    turn_until_linked(s[1].key, false);
    assert_true(linked(s[0].key));
    fixture_tick(f, 100);
    turn_until_linked(s[0].key, false);
    assert_false(has_row(s[0].key));
    assert_true(linked(g.key));
}

static void a_sweep_looks_only_where_something_has_changed(void **state)
{
    const struct timespec long_ago[2] = {{.tv_sec = 1}, {.tv_sec = 1}};
    struct video v = fixture_video_of(f, 0, "a");
    (void)state;
    struct grant g = fixture_grant(f, &v, 0);
    begin();
    turn_until_linked(g.key, true);
    turn_to_the_end();
    grants_sweep(grants); /* its own symlink was a change */
    turn_to_the_end();
    struct video u = fixture_video_of(f, 0, "b");
    struct grant unseen = fixture_grant(f, &u, 0); /* no look tells of it */
    grants_sweep(grants);
    turn_to_the_end();
    assert_false(linked(unseen.key));
    grants_look(grants);
    grants_sweep(grants);
    turn_until_linked(unseen.key, true);
    turn_to_the_end(); /* no other begins before */
    assert_int_equal(unlink(media(g.key)), 0);
    /* So the folder has changed, whatever the smallest step of its file system is. */
    assert_int_equal(utimensat(AT_FDCWD, media(""), long_ago, 0), 0);
    grants_sweep(grants);
    turn_until_linked(g.key, true);
}

static size_t links(void)
{
    DIR *d = opendir(media(""));
    size_t n = 0;
    assert_non_null(d);
    for (struct dirent *e; (e = readdir(d));)
        n += e->d_type == DT_LNK;
    closedir(d);
    return n;
}

static void many_are_compared_bit_by_bit(void **state)
{
    struct grant after = {.key = ""}, some[64];
    size_t n = 64;
    (void)state;
    for (int i = 0; i < 1000; i++) {
        struct video v = fixture_video_of(f, 0, "a");
        fixture_grant(f, &v, 0);
        if (i % 2 == 0)
            give(&v);
    }
    for (int i = 0; i < 3000; i++) {
        char key[KEY_LEN + 1];
        assert_int_equal(key_new(key), RC_OK);
        assert_int_equal(symlink(ROOT, media(key)), 0);
    }
    link_to(KEY, ROOT);
    begin();
    turn_until_linked(KEY, false);
    loop_turn_until(w.loop, links() == 1000, "those of no row to go");
    while (n == 64) {
        assert_int_equal(store_grant_list(f->st, "", false, &after, some, 64, &n),
                         RC_OK);
        for (size_t i = 0; i < n; i++)
            assert_true(linked(some[i].key));
        after = some[n - 1];
    }
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(what_was_left_half_done_is_completed_at_the_start),
        TEST(one_that_leads_elsewhere_is_put_right),
        TEST(nothing_but_symlinks_with_the_name_of_a_key_is_touched),
        TEST(an_empty_folder_of_a_video_that_is_gone_goes),
        TEST(a_site_with_accounts_ends_what_everybody_had),
        TEST(one_that_is_in_the_way_does_not_keep_the_others),
        TEST(what_is_revoked_goes_with_the_next_look),
        TEST(what_is_revoked_goes_also_where_nothing_can_expire),
        TEST(so_many_that_are_revoked_at_once_go_bit_by_bit),
        TEST(a_share_ends_when_its_time_is_over),
        TEST(a_sweep_looks_only_where_something_has_changed),
        TEST(many_are_compared_bit_by_bit),
    };
    return cmocka_run_group_tests_name("grants", tests, NULL, NULL);
}
