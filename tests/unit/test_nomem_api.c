/* Each allocation of a page of api.fcgi fails in turn, SQLite's too: its answer is the
 * right one, or that there is no memory. */
#include "failing_malloc.h"

#include "page_fixture.h"
#include "store_fixture.h"

#include "log.h"
#include "store_activity.h"
#include "store_grants.h"

#include <sys/stat.h>

struct page {
    void (*run)(struct api_call *call);
    const char *query, *body; /* NULL: it takes none */
    int status;
};

struct world {
    struct fixture *f;
    struct app app;
    struct api_call call;
    char share[STORE_SHARE_LEN + 1];
};

/* What SQLite keeps between calls is no loss: what pages lose is seen by a sanitizer.
 */
static void ask(struct world *w, const struct page *page, struct request *r, long left,
                bool onward)
{
    struct api_call call = w->call;
    r->query = page->query ? page->query : "";
    r->status = 0;
    call.r = r;
    call.st = w->f->st;
    call.body = page->body;
    call.body_size = page->body ? strlen(page->body) : 0;
    heap.failed = 0;
    heap.onward = onward;
    heap.left = left;
    page->run(&call);
    heap.left = 0;
}

/* Of errors the text may be missing; then there is still the status. */
static void check_answer(const struct request *r, const struct request *right, long n)
{
    const bool same = r->status == right->status && r->n == right->n &&
                      memcmp(r->body, right->body, r->n) == 0;
    const bool bare = r->n == 0 && (r->status == 503 || r->status == right->status) &&
                      r->status >= 400;
    const bool told = r->status == 503 && (strstr(r->body, "\"no_memory\"") ||
                                           strstr(r->body, "\"degraded\""));
    if (!same && !bare && !told)
        fail_msg("allocation %ld fails: %d %s", n, r->status, r->body);
}

static void starve(struct world *w, const struct page *page)
{
    static struct request right, r;
    ask(w, page, &right, 0, false);
    ask(w, page, &right, 0, false); /* what is opened and looked up once only */
    if (right.status != page->status)
        fail_msg("%d instead of %d: %s", right.status, page->status, right.body);
    for (int onward = 0; onward < 2; onward++) {
        long n = 0;
        do {
            ask(w, page, &r, ++n, onward);
            check_answer(&r, &right, n);
        } while (heap.failed > 0);
        assert_true(n > 1);
    }
    ask(w, page, &r, 0, false);
    assert_string_equal(r.body, right.body);
}

static void lists_are_whole_or_not_there(void **state)
{
    static const struct page pages[] = {
        {api_video_list, "limit=1&mine=0", NULL, 200},
        {api_share_list, NULL, NULL, 200},
        {api_sessions_list, NULL, NULL, 200},
        {api_tokens_list, NULL, NULL, 200},
        {api_users_list, NULL, NULL, 200},
        {api_activity_list, "limit=2", NULL, 200},
        {api_video_segments, NULL, NULL, 200},
    };
    for (size_t i = 0; i < sizeof(pages) / sizeof(pages[0]); i++)
        starve(*state, &pages[i]);
}

static void what_is_asked_for_is_whole_or_not_there(void **state)
{
    static const struct page pages[] = {
        {api_video_get, NULL, NULL, 200},
        {api_session_get, NULL, NULL, 200},
    };
    struct world *w = *state;
    for (size_t i = 0; i < sizeof(pages) / sizeof(pages[0]); i++)
        starve(w, &pages[i]);
    const struct page share = {api_share_get, NULL, NULL, 200};
    strcpy(w->call.id, w->share);
    starve(w, &share);
}

/* Of a disk that is not there, as what is free of one changes. */
static void health_is_not_well_without_memory(void **state)
{
    const struct page health = {api_health_get, NULL, NULL, 503};
    struct world *w = *state;
    strcpy(w->app.site.root, "/nonexistent");
    starve(w, &health);
}

/* 400 for a lack of memory would have a client throw away what it was about to send. */
static void a_body_is_not_blamed_for_a_lack_of_memory(void **state)
{
    static const struct page pages[] = {
        {api_video_patch, NULL, "{\"title\":\"A title of more than sixteen bytes\"}",
         200},
        {api_video_patch, NULL, "{\"title\":\"A title of more than sixteen bytes\"",
         400},
        {api_video_patch, NULL, "{\"a key of more than sixteen bytes\":1}", 422},
        {api_tokens_add, NULL, "{\"label\":\"A label\",\"scopes\":[\"rea\"]}", 422},
    };
    for (size_t i = 0; i < sizeof(pages) / sizeof(pages[0]); i++)
        starve(*state, &pages[i]);
}

/* ---- what there is ----------------------------------------------------------------
 */

static void add_people(struct world *w, struct video *v)
{
    struct store *st = w->f->st;
    struct session s = {.expires_ms = INT64_MAX, .agent = "An agent"};
    struct token t = {
        .label = "A label", .scopes = SCOPE_READ | SCOPE_ADMIN, .expires_ms = -1};
    struct share share = {.embed = "https://a.example https://b.example",
                          .expires_ms = -1,
                          .download = true};
    static const uint8_t hash[SECRET_HASH_SIZE] = {1};
    int64_t id;
    assert_int_equal(store_user_add(st, "ada", USER_OWNER, "hash", &id), RC_OK);
    s.user_id = t.user_id = id;
    assert_int_equal(store_session_begin(st, hash, "hash", &s), RC_OK);
    assert_int_equal(store_token_add(st, hash, &t), RC_OK);
    strcpy(share.video_id, v->id);
    assert_int_equal(store_share_add(st, &share, id), RC_OK);
    strcpy(w->share, share.token);
    w->call.who = (struct identity){.kind = IDENTITY_SESSION,
                                    .asker = {true, id, USER_OWNER, ACCESS_ALL},
                                    .name = "ada",
                                    .session = s.n};
}

static int setup(void **state)
{
    static struct world world;
    struct world *w = &world;
    struct video v;
    char folder[PATH_MAX + 16];
    memset(w, 0, sizeof(*w));
    fixture_setup(state);
    w->f = *state;
    fixture_planned(w->f, "one");
    v = fixture_stored(w->f, "two");
    snprintf(folder, sizeof(folder), "%s/htdocs", w->f->dir);
    assert_int_equal(mkdir(folder, 0700), 0);
    snprintf(w->app.site.root, sizeof(w->app.site.root), "%s", w->f->dir);
    w->app.config.auth = AUTH_REQUIRED;
    w->app.config.media_budget_mb = 1;
    w->app.clock = w->f->clock;
    pthread_mutex_init(&w->app.key.lock, NULL);
    assert_int_equal(handles_open(w->f->path, &w->f->clock, 1, &w->app.handles), RC_OK);
    w->call.app = &w->app;
    w->call.want = WANT_WATCH;
    add_people(w, &v);
    assert_int_equal(
        store_activity_add(w->f->st, ACTIVITY_WARN, "video", v.id, "A line"), RC_OK);
    w->call.video = fixture_get(w->f, v.id);
    strcpy(w->call.id, v.id);
    *state = w;
    return log_to_file("/dev/null");
}

static int teardown(void **state)
{
    struct world *w = *state;
    handles_close(w->app.handles);
    *state = w->f;
    return fixture_teardown(state);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(lists_are_whole_or_not_there),
        TEST(what_is_asked_for_is_whole_or_not_there),
        TEST(health_is_not_well_without_memory),
        TEST(a_body_is_not_blamed_for_a_lack_of_memory),
    };
    return cmocka_run_group_tests_name("nomem_api", tests, NULL, NULL);
}
