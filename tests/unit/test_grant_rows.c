/* test_grant_rows.c: symlinks and their rows, together. */
#include "check.h"

#include "accounts_fixture.h"
#include "grant.h"

#include <dirent.h>
#include <stdatomic.h>
#include <sys/syscall.h>
#include <unistd.h>

static struct site site;
static int media;

/* What happens just before the next symlink is looked at, however unlikely that is. */
static void (*meanwhile)(void);
/* What is seen just before each one that is removed. */
static void (*before_unlink)(void);
static atomic_int made, looks;

int symlinkat(const char *target, int dir_fd, const char *name)
{
    made++;
    return (int)syscall(SYS_symlinkat, target, dir_fd, name);
}

ssize_t readlinkat(int dir_fd, const char *name, char *out, size_t size)
{
    void (*happen)(void) = meanwhile;

    meanwhile = NULL;
    if (happen)
        happen();
    looks++;
    return (ssize_t)syscall(SYS_readlinkat, dir_fd, name, out, size);
}

int unlinkat(int dir_fd, const char *name, int flags)
{
    if (before_unlink)
        before_unlink();
    return (int)syscall(SYS_unlinkat, dir_fd, name, flags);
}

static int setup(void **state)
{
    char path[PATH_MAX + 16];
    struct fixture *f;

    fixture_setup(state);
    f = *state;
    snprintf(path, sizeof(path), "%s/htdocs", f->dir);
    assert_int_equal(mkdir(path, 0755), 0);
    snprintf(site.root, sizeof(site.root), "%s", f->dir);
    assert_int_equal(site_open_media(&site, &media), RC_OK);
    return 0;
}

static int teardown(void **state)
{
    close(media);
    return fixture_teardown(state);
}

static void media_path_of(const char *key, char out[PATH_MAX])
{
    char name[sizeof("htdocs/media/") + KEY_LEN];

    snprintf(name, sizeof(name), "htdocs/media/%s", key);
    assert_int_equal(site_path(&site, name, out), RC_OK);
}

static bool linked(const struct grant *g)
{
    char path[PATH_MAX], target[64] = "";

    media_path_of(g->key, path);
    if (readlink(path, target, sizeof(target) - 1) < 0)
        return false;
    assert_string_equal(target, g->media_root);
    return true;
}

static void unlink_by_hand(const struct grant *g)
{
    char path[PATH_MAX];

    media_path_of(g->key, path);
    assert_int_equal(unlink(path), 0);
}

static struct grant give(struct fixture *f, const struct video *v, int64_t user_id)
{
    struct grant g;

    assert_int_equal(grant_for_user(f->st, media, v->id, user_id, &g), RC_OK);
    return g;
}

static bool has_row(struct fixture *f, const struct grant *g)
{
    bool exists = false;

    assert_int_equal(store_grant_exists(f->st, g->key, &exists), RC_OK);
    return exists;
}

static void a_key_that_is_told_has_its_symlink(void **state)
{
    struct fixture *f = *state;
    int64_t ada = fixture_user(f, "ada", USER_OWNER);
    struct video v = fixture_video_of(f, ada, "clip");
    struct grant g = give(f, &v, ada), again;

    assert_true(linked(&g));
    unlink_by_hand(&g); /* as if who made the row had been killed */
    again = give(f, &v, ada);
    assert_string_equal(again.key, g.key);
    assert_true(linked(&g));
    assert_int_equal(grant_for_user(f->st, media, "nosuchvideo", ada, &g),
                     RC_NOT_FOUND);
}

static void what_is_as_it_should_be_costs_one_look_each(void **state)
{
    enum { VIDEOS = 50 };
    struct fixture *f = *state;
    struct video videos[VIDEOS];

    for (int i = 0; i < VIDEOS; i++) {
        videos[i] = fixture_video_of(f, 0, "clip");
        give(f, &videos[i], 0);
    }
    made = looks = 0;
    for (int i = 0; i < VIDEOS; i++)
        give(f, &videos[i], 0);
    assert_int_equal(looks, VIDEOS);
    assert_int_equal(made, 0);
}

/* A share of a video; *g: its grant, as far as it has a symlink. */
static struct share share(struct fixture *f, struct video *v, struct grant *g)
{
    struct share s = {.expires_ms = -1};

    memcpy(s.video_id, v->id, sizeof(s.video_id));
    assert_int_equal(store_share_add(f->st, &s, 0), RC_OK);
    *g = (struct grant){.key = ""};
    memcpy(g->key, s.key, sizeof(g->key));
    memcpy(g->media_root, v->media_root, sizeof(g->media_root));
    return s;
}

static void a_share_is_told_with_its_symlink_and_makes_no_other(void **state)
{
    struct fixture *f = *state;
    struct video v = fixture_video_of(f, 0, "clip");
    struct grant of_user = fixture_grant(f, &v, 0), of_share;
    struct share s = share(f, &v, &of_share);

    for (int round = 0; round < 2; round++) {
        assert_int_equal(grant_of_share(f->st, &site, &s, &v), RC_OK);
        assert_true(linked(&of_share));
        assert_false(linked(&of_user));
        unlink_by_hand(&of_share); /* as if who made the row had been killed */
    }
    assert_int_equal(store_share_remove(f->st, s.token), RC_OK);
    assert_int_equal(grant_of_share(f->st, &site, &s, &v), RC_NOT_FOUND);
    assert_false(linked(&of_share));
}

static void what_is_in_the_way_is_told(void **state)
{
    struct fixture *f = *state;
    struct video v = fixture_video_of(f, 0, "clip");
    char path[PATH_MAX];
    struct grant g = fixture_grant(f, &v, 0), got = {.key = ""};

    media_path_of(g.key, path);
    assert_int_equal(symlink("elsewhere", path), 0);
    assert_int_equal(grant_for_user(f->st, media, v.id, 0, &got), RC_IO);
    assert_string_equal(got.key, "");
    assert_int_equal(grant_replace_revoked(f->st, &site, v.id), RC_IO);
}

static void ending_takes_symlink_and_row_of_the_revoked_alone(void **state)
{
    struct fixture *f = *state;
    int64_t ada = fixture_user(f, "ada", USER_OWNER);
    int64_t vera = fixture_user(f, "vera", USER_VIEWER);
    struct video v = fixture_video_of(f, ada, "clip"),
                 other = fixture_video_of(f, ada, "other");
    struct grant a = give(f, &v, ada), b, c;

    store_video_set_visibility(f->st, v.id, VISIBLE_EVERYONE);
    store_video_set_visibility(f->st, other.id, VISIBLE_EVERYONE);
    b = give(f, &v, vera);
    c = give(f, &other, vera);
    assert_int_equal(grant_end_revoked(f->st, &site, ""), RC_OK);
    assert_true(linked(&a) && linked(&b) && linked(&c));
    assert_int_equal(store_user_remove(f->st, vera, NULL), RC_OK);
    assert_int_equal(grant_end_revoked(f->st, &site, v.id), RC_OK);
    assert_true(linked(&a));
    assert_false(linked(&b));
    assert_false(has_row(f, &b));
    assert_true(linked(&c));
    assert_true(has_row(f, &c));
    assert_int_equal(grant_end_revoked(f->st, &site, ""), RC_OK);
    assert_false(linked(&c));
    assert_false(has_row(f, &c));
    assert_true(has_row(f, &a));
}

static void ending_one_leaves_the_others_as_they_are(void **state)
{
    struct fixture *f = *state;
    struct video v = fixture_video_of(f, 0, "clip");
    struct grant stays = give(f, &v, 0), ends;
    struct share s = share(f, &v, &ends);

    assert_int_equal(grant_of_share(f->st, &site, &s, &v), RC_OK);
    assert_int_equal(store_share_remove(f->st, s.token), RC_OK);
    unlink_by_hand(&stays);
    made = looks = 0;
    assert_int_equal(grant_end_revoked(f->st, &site, v.id), RC_OK);
    assert_false(linked(&ends));
    assert_false(linked(&stays));
    assert_int_equal(made + looks, 0);
}

static void one_that_cannot_be_ended_does_not_keep_the_others(void **state)
{
    struct fixture *f = *state;
    struct video v = fixture_video_of(f, 0, "clip"), w = fixture_video_of(f, 0, "w");
    struct grant a = give(f, &v, 0), b = give(f, &w, 0);
    char path[PATH_MAX];

    unlink_by_hand(&a);
    media_path_of(a.key, path);
    assert_int_equal(mkdir(path, 0755), 0);
    assert_int_equal(store_grants_end_open(f->st), RC_OK);
    assert_int_equal(grant_end_revoked(f->st, &site, ""), RC_IO);
    assert_true(has_row(f, &a));
    assert_false(linked(&b));
    assert_false(has_row(f, &b));
}

static struct grant renewed[2];
static int ended;

static void see_new_ones(void)
{
    ended++;
    assert_true(linked(&renewed[0]) && linked(&renewed[1]));
}

static void new_keys_are_there_before_the_old_ones_go(void **state)
{
    struct fixture *f = *state;
    struct video v = fixture_video_of(f, 0, "clip");
    struct grant old[2] = {give(f, &v, 0)};
    struct share s = share(f, &v, &old[1]), now;

    assert_int_equal(grant_of_share(f->st, &site, &s, &v), RC_OK);
    assert_int_equal(store_grants_renew(f->st, v.id), RC_OK);
    renewed[0] = renewed[1] = fixture_grant(f, &v, 0);
    assert_int_equal(store_share_get(f->st, s.token, &now, &v), RC_OK);
    memcpy(renewed[1].key, now.key, sizeof(now.key));
    assert_false(linked(&renewed[0]) || linked(&renewed[1]));
    before_unlink = see_new_ones;
    assert_int_equal(grant_replace_revoked(f->st, &site, v.id), RC_OK);
    before_unlink = NULL;
    assert_int_equal(ended, 2);
    assert_false(linked(&old[0]) || linked(&old[1]));
    assert_true(linked(&renewed[0]) && linked(&renewed[1]));
}

struct asking {
    const char *video_id;
    int64_t user_id;
    struct grant got;
};

static enum rc ask(struct store *st, void *arg)
{
    struct asking *a = arg;

    return grant_for_user(st, media, a->video_id, a->user_id, &a->got);
}

static enum rc make_private(struct store *st, void *id)
{
    enum rc rc = store_video_set_visibility(st, id, VISIBLE_PRIVATE);

    return rc == RC_OK ? grant_end_revoked(st, &site, id) : rc;
}

static size_t symlinks(void)
{
    char path[PATH_MAX];
    struct dirent *e;
    size_t n = 0;
    DIR *d;

    assert_int_equal(site_path(&site, "htdocs/media", path), RC_OK);
    d = opendir(path);
    assert_non_null(d);
    while ((e = readdir(d)))
        n += e->d_type == DT_LNK;
    closedir(d);
    return n;
}

/* However the two fall together, no symlink outlives the right. */
static void a_symlink_does_not_come_after_it_was_taken_back(void **state)
{
    struct fixture *f = *state;
    int64_t ada = fixture_user(f, "ada", USER_OWNER);
    int64_t vera = fixture_user(f, "vera", USER_VIEWER);
    struct video first = fixture_video_of(f, ada, "first");

    give(f, &first, ada);
    for (int round = 0; round < 100; round++) {
        struct video v = fixture_video_of(f, ada, "clip");
        struct asking a = {.video_id = v.id, .user_id = vera};
        struct racer racers[2] = {{.run = ask, .arg = &a},
                                  {.run = make_private, .arg = v.id}};

        store_video_set_visibility(f->st, v.id, VISIBLE_EVERYONE);
        race(f, racers);
        assert_int_equal(racers[1].rc, RC_OK);
        assert_true(racers[0].rc == RC_OK || racers[0].rc == RC_NOT_FOUND);
        assert_int_equal(symlinks(), 1);
    }
}

static struct store *elsewhere;
static struct video taken;

static void take_back(void)
{
    assert_int_equal(make_private(elsewhere, taken.id), RC_OK);
}

/* Likewise of a grant that was there before. */
static void what_ended_while_it_was_asked_for_is_not_brought_back(void **state)
{
    struct fixture *f = *state;
    int64_t ada = fixture_user(f, "ada", USER_OWNER);
    int64_t vera = fixture_user(f, "vera", USER_VIEWER);
    struct grant g;

    elsewhere = fixture_handle(f);
    for (int had_one = 0; had_one < 2; had_one++) {
        taken = fixture_video_of(f, ada, "clip");
        store_video_set_visibility(f->st, taken.id, VISIBLE_EVERYONE);
        if (had_one)
            give(f, &taken, vera);
        meanwhile = take_back;
        assert_int_equal(grant_for_user(f->st, media, taken.id, vera, &g),
                         RC_NOT_FOUND);
        assert_int_equal(symlinks(), 0);
    }
    taken = fixture_video_of(f, ada, "clip");
    store_video_set_visibility(f->st, taken.id, VISIBLE_EVERYONE);
    give(f, &taken, vera);
    meanwhile = take_back;
    assert_int_equal(store_grants_renew(f->st, taken.id), RC_OK);
    assert_int_equal(grant_replace_revoked(f->st, &site, taken.id), RC_OK);
    assert_int_equal(symlinks(), 0);
    store_close(elsewhere);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_key_that_is_told_has_its_symlink),
        TEST(what_is_as_it_should_be_costs_one_look_each),
        TEST(a_share_is_told_with_its_symlink_and_makes_no_other),
        TEST(what_is_in_the_way_is_told),
        TEST(ending_takes_symlink_and_row_of_the_revoked_alone),
        TEST(ending_one_leaves_the_others_as_they_are),
        TEST(one_that_cannot_be_ended_does_not_keep_the_others),
        TEST(new_keys_are_there_before_the_old_ones_go),
        TEST(a_symlink_does_not_come_after_it_was_taken_back),
        TEST(what_ended_while_it_was_asked_for_is_not_brought_back),
    };

    return cmocka_run_group_tests_name("grant_rows", tests, NULL, NULL);
}
