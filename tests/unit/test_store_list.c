#include "check.h"

#include "store_fixture.h"

#include <strings.h>

#define VIDEOS 23

struct page {
    struct video v[64];
    size_t n;
};

static enum rc collect(void *arg, const struct video *v)
{
    struct page *p = arg;

    p->v[p->n++] = *v;
    return RC_OK;
}

/* All videos of a query, page by page. */
static void list_all(struct fixture *f, struct video_query query, struct page *out)
{
    bool more = true;

    out->n = 0;
    while (more) {
        size_t before = out->n;

        assert_int_equal(store_video_list(f->st, &query, collect, out, &more), RC_OK);
        if (more)
            assert_int_equal(out->n - before, query.limit);
        if (out->n > 0)
            query.after = out->v[out->n - 1].id;
    }
}

static bool in_order(enum video_sort sort, const struct video *a, const struct video *b)
{
    int64_t by = sort == SORT_TITLE    ? strcasecmp(b->title, a->title)
                 : sort == SORT_OLDEST ? b->created_ms - a->created_ms
                                       : a->created_ms - b->created_ms;
    int id = strcmp(b->id, a->id);

    return by > 0 || (by == 0 && (sort == SORT_NEWEST ? id < 0 : id > 0));
}

/* Several of one age and of one title, in different cases, so that the id decides. */
static void make_library(struct fixture *f)
{
    static const char *const titles[] = {"beta", "Alpha", "BETA", "gamma", "alpha"};
    int i;

    for (i = 0; i < VIDEOS; i++) {
        fixture_receiving(f, titles[i % 5]);
        if (i % 4 == 0)
            fixture_tick(f, 10);
    }
}

static void pages_hold_every_video_once_in_order(void **state)
{
    static const int limits[] = {1, 4, 22, 23, 24, 200};
    struct fixture *f = *state;
    static struct page p;
    size_t i, k;
    int sort;

    make_library(f);
    for (sort = SORT_NEWEST; sort <= SORT_TITLE; sort++) {
        for (i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
            struct video_query q = {.sort = (enum video_sort)sort, .limit = limits[i]};

            list_all(f, q, &p);
            assert_int_equal(p.n, VIDEOS);
            for (k = 1; k < p.n; k++)
                assert_true(in_order(q.sort, &p.v[k - 1], &p.v[k]));
        }
    }
}

static void a_page_ends_where_it_did_when_others_come_and_go(void **state)
{
    struct fixture *f = *state;
    static struct page all, p;
    struct video_query q = {.sort = SORT_NEWEST, .limit = 5};
    struct video v;
    bool more;

    make_library(f);
    list_all(f, q, &all);
    fixture_tick(f, 1000);
    fixture_receiving(f, "newer than the page");
    assert_int_equal(store_video_delete(f->st, all.v[2].id, &v), RC_OK);
    q.after = all.v[4].id;
    p.n = 0;
    assert_int_equal(store_video_list(f->st, &q, collect, &p, &more), RC_OK);
    assert_string_equal(p.v[0].id, all.v[5].id);
}

static void assert_found(struct fixture *f, const char *q, const char *want)
{
    static struct page p;
    struct video_query query = {.q = q, .sort = SORT_TITLE, .limit = 2};
    char got[256] = "";
    size_t i;

    list_all(f, query, &p);
    for (i = 0; i < p.n; i++) {
        strcat(got, p.v[i].title);
        strcat(got, ";");
    }
    assert_string_equal(got, want);
}

static void search_looks_for_the_text_itself(void **state)
{
    struct fixture *f = *state;
    char longer[STORE_TITLE_MAX + 2];

    fixture_receiving(f, "100% sure");
    fixture_receiving(f, "1000 sure");
    fixture_receiving(f, "a_b");
    fixture_receiving(f, "aXb");
    fixture_receiving(f, "back\\slash");
    assert_found(f, "100%", "100% sure;");
    assert_found(f, "A_B", "a_b;");
    assert_found(f, "axB", "aXb;");
    assert_found(f, "k\\S", "back\\slash;");
    assert_found(f, "SURE", "100% sure;1000 sure;");
    assert_found(f, "b.MP4", "a_b;aXb;");
    assert_found(f, "' OR 1", "");
    assert_found(f, "", "100% sure;1000 sure;a_b;aXb;back\\slash;");
    memset(longer, 'a', sizeof(longer));
    longer[STORE_TITLE_MAX + 1] = '\0';
    assert_found(f, longer, "");
    longer[STORE_TITLE_MAX] = '\0';
    memset(longer, '%', STORE_TITLE_MAX);
    assert_found(f, longer, "");
}

static void a_list_leaves_out_what_is_deleted(void **state)
{
    struct fixture *f = *state;
    static struct page p;
    struct video_query q = {.sort = SORT_NEWEST, .limit = 2};
    struct video v = fixture_receiving(f, "a");

    fixture_receiving(f, "b");
    assert_int_equal(store_video_delete(f->st, v.id, &v), RC_OK);
    list_all(f, q, &p);
    assert_int_equal(p.n, 1);
    assert_string_equal(p.v[0].title, "b");
}

static enum rc rename_it(void *arg, const struct video *v)
{
    struct fixture *f = arg;

    return store_video_rename(f->st, v->id, "renamed");
}

static void a_callback_may_write(void **state)
{
    struct fixture *f = *state;
    struct video_query q = {.sort = SORT_OLDEST, .limit = 10};
    struct video v = fixture_receiving(f, "a");
    bool more = true;

    assert_int_equal(store_video_list(f->st, &q, rename_it, f, &more), RC_OK);
    assert_false(more);
    assert_string_equal(fixture_get(f, v.id).title, "renamed");
}

static void wrong_queries_are_refused(void **state)
{
    struct fixture *f = *state;
    static struct page p;
    struct video_query q = {.sort = SORT_OLDEST, .limit = 0};
    bool more = true;

    assert_int_equal(store_video_list(f->st, &q, collect, &p, &more), RC_INVALID);
    q.limit = 201;
    assert_int_equal(store_video_list(f->st, &q, collect, &p, &more), RC_INVALID);
    q.limit = 1;
    q.after = "nosuchvideo";
    assert_int_equal(store_video_list(f->st, &q, collect, &p, &more), RC_NOT_FOUND);
    assert_true(more);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, fixture_setup, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(pages_hold_every_video_once_in_order),
        TEST(a_page_ends_where_it_did_when_others_come_and_go),
        TEST(search_looks_for_the_text_itself),
        TEST(a_list_leaves_out_what_is_deleted),
        TEST(a_callback_may_write),
        TEST(wrong_queries_are_refused),
    };

    return cmocka_run_group_tests_name("store_list", tests, NULL, NULL);
}
