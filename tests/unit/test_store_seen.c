/* test_store_seen.c: the lists as each user sees them. */
#include "check.h"

#include "accounts_fixture.h"
#include "store_priv.h"

#include <time.h>

struct people {
    int64_t ada, bob, carl; /* owner, member, member */
};

static struct people make_people(struct fixture *f)
{
    return (struct people){fixture_user(f, "ada", USER_OWNER),
                           fixture_user(f, "bob", USER_MEMBER),
                           fixture_user(f, "carl", USER_MEMBER)};
}

struct listing {
    char text[4096], last[ID_LEN + 1];
};

static enum rc add_title(void *arg, const struct video *v)
{
    struct listing *l = arg;

    strcat(strcat(l->text, v->title), " ");
    memcpy(l->last, v->id, sizeof(l->last));
    return RC_OK;
}

/* All titles of a query, page by page. */
static const char *titles(struct fixture *f, struct video_query query)
{
    static struct listing l;
    bool more = true;

    l.text[0] = '\0';
    while (more) {
        assert_int_equal(store_video_list(f->st, &query, add_title, &l, &more), RC_OK);
        query.after = l.last;
    }
    return l.text;
}

/* b-own c-own are private, b-all c-all for everyone, old is nobody's. */
static void make_library(struct fixture *f, const struct people *p)
{
    struct video v;

    fixture_video_of(f, 0, "old");
    fixture_tick(f, 10);
    v = fixture_video_of(f, p->carl, "c-all");
    store_video_set_visibility(f->st, v.id, VISIBLE_EVERYONE);
    fixture_tick(f, 10);
    fixture_video_of(f, p->bob, "b-own");
    fixture_tick(f, 10);
    fixture_video_of(f, p->carl, "c-own");
    fixture_tick(f, 10);
    v = fixture_video_of(f, p->bob, "b-all");
    store_video_set_visibility(f->st, v.id, VISIBLE_EVERYONE);
}

static void who_asks_sees_their_own_and_those_for_everyone(void **state)
{
    struct fixture *f = *state;
    struct people p = make_people(f);

    make_library(f, &p);
    for (int limit = 1; limit <= 6; limit++) {
        struct video_query q = {.limit = limit, .user_id = p.bob};

        assert_string_equal(titles(f, q), "b-all b-own c-all ");
        q.sort = SORT_OLDEST;
        assert_string_equal(titles(f, q), "c-all b-own b-all ");
        q.sort = SORT_TITLE;
        assert_string_equal(titles(f, q), "b-all b-own c-all ");
        q.mine = true;
        assert_string_equal(titles(f, q), "b-all b-own ");
        q.all = true;
        assert_string_equal(titles(f, q), "b-all b-own ");
        q.mine = false;
        assert_string_equal(titles(f, q), "b-all b-own c-all c-own old ");
        q.q = "own";
        assert_string_equal(titles(f, q), "b-own c-own ");
        q.all = false;
        assert_string_equal(titles(f, q), "b-own ");
    }
}

static void who_owns_nothing_sees_those_for_everyone(void **state)
{
    struct fixture *f = *state;
    struct people p = make_people(f);
    struct video_query q = {.limit = 3, .user_id = p.ada};

    make_library(f, &p);
    assert_string_equal(titles(f, q), "b-all c-all ");
    q.mine = true;
    assert_string_equal(titles(f, q), "");
    q.user_id = 0; /* of a site without accounts */
    assert_string_equal(titles(f, q), "old ");
}

/* Also in the order of titles, whose case makes no difference. */
static void both_lists_are_merged_in_one_order(void **state)
{
    static const char *const names[] = {"b", "A", "c", "D", "e", "F"};
    struct fixture *f = *state;
    struct people p = make_people(f);
    struct video_query q = {.limit = 1, .user_id = p.bob, .sort = SORT_TITLE};

    for (int i = 0; i < 6; i++) {
        struct video v = fixture_video_of(f, i % 2 ? p.bob : p.carl, names[i]);

        if (i % 2 == 0)
            store_video_set_visibility(f->st, v.id, VISIBLE_EVERYONE);
    }
    assert_string_equal(titles(f, q), "A b c D e F ");
    q.limit = 4;
    assert_string_equal(titles(f, q), "A b c D e F ");
}

static void a_page_does_not_go_on_behind_what_nobody_told_of(void **state)
{
    struct fixture *f = *state;
    struct people p = make_people(f);
    struct video v = fixture_video_of(f, p.carl, "c-own");
    struct video_query q = {.limit = 1, .user_id = p.bob, .after = v.id};
    struct listing got = {.text = ""};
    bool more;

    assert_int_equal(store_video_list(f->st, &q, add_title, &got, &more), RC_NOT_FOUND);
    q.user_id = p.carl;
    assert_int_equal(store_video_list(f->st, &q, add_title, &got, &more), RC_OK);
    q.user_id = p.bob;
    q.all = true;
    assert_int_equal(store_video_list(f->st, &q, add_title, &got, &more), RC_OK);
}

/* ---- many -------------------------------------------------------------------- */

static int64_t cpu_us(void)
{
    struct timespec t;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static enum rc count(void *arg, const struct video *v)
{
    (void)v;
    ++*(int *)arg;
    return RC_OK;
}

/* 10,000 videos: ten of them bob's, two for everyone, far from each other. */
static void make_many(struct fixture *f, const struct people *p)
{
    char sql[1024];

    snprintf(sql, sizeof(sql),
             "WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n"
             " WHERE i < 9999)"
             " INSERT INTO videos (id, title, filename, owner_id, visibility,"
             " container, state, size, media_root, created_ms)"
             " SELECT printf('%%016d', i), printf('%%d', i * 7919 %% 10000), 'x',"
             " iif(i %% 1000 = 500, %lld, %lld), iif(i %% 5000 = 777, 'everyone', "
             "'private'),"
             " 'mp4', 'ready', 1, printf('%%026d', i), i FROM n",
             (long long)p->bob, (long long)p->carl);
    assert_int_equal(sqlite3_exec(f->st->db, sql, NULL, NULL, NULL), SQLITE_OK);
}

/* The least of a few runs, as the machine has other things to do. */
static int64_t page_cost_us(struct fixture *f, struct video_query q, int want)
{
    int64_t least = INT64_MAX;

    for (int run = 0; run < 5; run++) {
        int64_t took = cpu_us();
        bool more;
        int n = 0;

        assert_int_equal(store_video_list(f->st, &q, count, &n, &more), RC_OK);
        took = cpu_us() - took;
        assert_int_equal(n, want);
        if (took < least)
            least = took;
    }
    return least;
}

/* However few of all videos are on it, a page costs no more than one of all. */
static void a_page_of_many_videos_is_read_from_its_index(void **state)
{
    struct fixture *f = *state;
    struct people p = make_people(f);

    make_many(f, &p);
    for (int sort = SORT_NEWEST; sort <= SORT_TITLE; sort++) {
        struct video_query all = {
            .limit = 50, .user_id = p.bob, .sort = (enum video_sort)sort, .all = true};
        struct video_query seen = all, mine = all;
        int64_t all_us, seen_us, mine_us;

        seen.all = false;
        mine.mine = true;
        all_us = page_cost_us(f, all, 50);
        seen_us = page_cost_us(f, seen, 12);
        mine_us = page_cost_us(f, mine, 10);
        print_message("sort %d: all %lld us, seen %lld us, mine %lld us\n", sort,
                      (long long)all_us, (long long)seen_us, (long long)mine_us);
        assert_true(seen_us < 2 * all_us);
        assert_true(mine_us < 2 * all_us);
    }
}

/* ---- activity ------------------------------------------------------------------ */

static enum rc add_message(void *arg, const struct activity *a)
{
    strcat(strcat(arg, a->message), "; ");
    return RC_OK;
}

static void the_log_can_be_read_as_that_of_one_users_videos(void **state)
{
    struct fixture *f = *state;
    struct people p = make_people(f);
    struct video b = fixture_video_of(f, p.bob, "b"), v;
    char got[4096] = "";

    fixture_video_of(f, p.carl, "c");
    assert_int_equal(store_video_rename(f->st, b.id, "b2"), RC_OK);
    store_activity_add(f->st, ACTIVITY_INFO, "worker", NULL, "Worker started");
    assert_int_equal(store_activity_list(f->st, p.bob, -1, 10, add_message, got),
                     RC_OK);
    assert_string_equal(got, "Upload of \"b.mp4\" begun; Renamed, was \"b\"; ");
    *got = '\0';
    assert_int_equal(store_activity_list(f->st, p.bob, -1, 1, add_message, got), RC_OK);
    assert_string_equal(got, "Renamed, was \"b\"; ");
    *got = '\0'; /* also what was of it when it is gone */
    assert_int_equal(store_video_delete(f->st, b.id, &v), RC_OK);
    assert_int_equal(store_video_purge(f->st, b.id), RC_OK);
    assert_int_equal(store_activity_list(f->st, p.bob, 0, 10, add_message, got), RC_OK);
    assert_string_equal(got, "Upload of \"b.mp4\" begun; Renamed, was \"b\"; "
                             "Deleted \"b2\"; ");
    *got = '\0';
    assert_int_equal(store_activity_list(f->st, p.ada, -1, 10, add_message, got),
                     RC_OK);
    assert_string_equal(got, "");
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, fixture_setup, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(who_asks_sees_their_own_and_those_for_everyone),
        TEST(who_owns_nothing_sees_those_for_everyone),
        TEST(both_lists_are_merged_in_one_order),
        TEST(a_page_does_not_go_on_behind_what_nobody_told_of),
        TEST(a_page_of_many_videos_is_read_from_its_index),
        TEST(the_log_can_be_read_as_that_of_one_users_videos),
    };

    return cmocka_run_group_tests_name("store_seen", tests, NULL, NULL);
}
