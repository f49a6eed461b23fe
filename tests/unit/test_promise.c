/* test_promise.c: which files will exist, and which promises are not kept. */
#include "store_fixture.h"

#include "promise.h"
#include "store_grants.h"

#include <unistd.h>

struct clip {
    struct video v;
    char key[KEY_LEN + 1];
};

/* A planned video of 7 segments of 360p and 4 of audio-0. */
static struct clip planned(struct fixture *f, const char *title)
{
    struct clip c = {.v = fixture_get(f, fixture_planned(f, title).id)};
    struct grant grant;

    assert_int_equal(store_grant_user(f->st, c.v.id, 0, &grant), RC_OK);
    memcpy(c.key, grant.key, sizeof(c.key));
    return c;
}

static struct media_path path_of(const struct clip *c, const char *rendition,
                                 int generation, int64_t segment)
{
    struct media_path path = {.generation = generation, .segment = segment};

    strcpy(path.key, c->key);
    strcpy(path.rendition, rendition);
    return path;
}

static enum rc find(struct fixture *f, const struct clip *c, const char *rendition,
                    int generation, int64_t segment)
{
    struct media_path path = path_of(c, rendition, generation, segment);
    struct promise promise = {.kind = RENDITION_VIDEO};
    enum rc rc = promise_find(f->st, &path, &promise);

    if (rc == RC_OK) {
        assert_string_equal(promise.video_id, c->v.id);
        assert_int_equal(promise.kind, strcmp(rendition, "360p") == 0
                                           ? RENDITION_VIDEO
                                           : RENDITION_AUDIO);
    }
    return rc;
}

/* The encode that is due next fails for good, and its video with it. */
static void fail_encode(struct fixture *f)
{
    struct job job;

    assert_int_equal(store_job_claim(f->st, "w", 30000, STORE_KIND(JOB_ENCODE), &job),
                     RC_OK);
    assert_int_equal(store_job_fail(f->st, &job, "It is broken."), RC_OK);
}

/* The failed video is planned anew, as the next generation. */
static void plan_again(struct fixture *f, const struct clip *c, int generation)
{
    struct video_plan plan = fixture_plan(generation);
    struct job job;

    assert_int_equal(store_video_retry(f->st, c->v.id), RC_OK);
    job = fixture_claim(f, "w");
    assert_int_equal(store_job_planned(f->st, &job, &plan), RC_OK);
}

/* ---- one file -------------------------------------------------------------------- */

static void what_the_plan_counts_is_promised(void **state)
{
    struct fixture *f = *state;
    struct clip c = planned(f, "a"), nobody = c;

    assert_int_equal(find(f, &c, "360p", 1, MEDIA_INIT), RC_OK);
    assert_int_equal(find(f, &c, "360p", 1, 0), RC_OK);
    assert_int_equal(find(f, &c, "360p", 1, 6), RC_OK);
    assert_int_equal(find(f, &c, "audio-0", 1, 3), RC_OK);
    assert_int_equal(find(f, &c, "360p", 1, 7), RC_NOT_FOUND);
    assert_int_equal(find(f, &c, "audio-0", 1, 4), RC_NOT_FOUND);
    assert_int_equal(find(f, &c, "360p", 2, 0), RC_NOT_FOUND);
    assert_int_equal(find(f, &c, "720p", 1, 0), RC_NOT_FOUND);
    strcpy(nobody.key, c.v.media_root);
    assert_int_equal(find(f, &nobody, "360p", 1, 0), RC_NOT_FOUND);
}

static void a_failed_video_promises_nothing(void **state)
{
    struct fixture *f = *state;
    struct clip c = planned(f, "a");

    fail_encode(f);
    assert_int_equal(find(f, &c, "360p", 1, 0), RC_NOT_FOUND);
    plan_again(f, &c, 2);
    assert_int_equal(find(f, &c, "360p", 1, 0), RC_NOT_FOUND);
    assert_int_equal(find(f, &c, "360p", 2, 0), RC_OK);
}

static void a_deleted_video_promises_nothing(void **state)
{
    struct fixture *f = *state;
    struct clip c = planned(f, "a");

    assert_int_equal(store_video_delete(f->st, c.v.id, &c.v), RC_OK);
    assert_int_equal(find(f, &c, "360p", 1, 0), RC_NOT_FOUND);
}

/* So who has looked the key up has no second look at it. */
static void a_video_that_is_known_needs_no_key(void **state)
{
    struct fixture *f = *state;
    struct clip c = planned(f, "a");
    struct media_path path = path_of(&c, "audio-0", 1, 3);
    struct promise promise = {.kind = RENDITION_VIDEO};

    strcpy(path.key, c.v.media_root); /* which nobody has */
    assert_int_equal(promise_of(f->st, &c.v, &path, &promise), RC_OK);
    assert_string_equal(promise.video_id, c.v.id);
    assert_int_equal(promise.kind, RENDITION_AUDIO);
    path.segment = 4;
    assert_int_equal(promise_of(f->st, &c.v, &path, &promise), RC_NOT_FOUND);
    c.v.state = VIDEO_FAILED;
    path.segment = 3;
    assert_int_equal(promise_of(f->st, &c.v, &path, &promise), RC_NOT_FOUND);
}

/* ---- what is waited for ---------------------------------------------------------- */

/* Of two videos, files in no order, more than one of some folders. */
struct waiting {
    struct fixture *f;
    struct promise_watch *watch;
    struct clip a, b;
    char text[256];
};

static struct waiting waiting_open(struct fixture *f)
{
    struct waiting w = {.f = f, .a = planned(f, "a")};

    w.b = planned(f, "b");
    assert_int_equal(promise_watch_open(f->path, &f->clock, &w.watch), RC_OK);
    return w;
}

/* "a 360p-1 b audio-0-1 ": the folders that are broken, sorted by video and name. */
static const char *broken(struct waiting *w, bool fresh)
{
    struct media_path files[] = {
        path_of(&w->b, "360p", 1, 3),    path_of(&w->a, "360p", 1, MEDIA_INIT),
        path_of(&w->a, "audio-0", 1, 2), path_of(&w->b, "360p", 1, 5),
        path_of(&w->a, "360p", 1, 6),    path_of(&w->b, "audio-0", 1, 0),
    };
    size_t all = sizeof(files) / sizeof(files[0]), n, len = 0;

    n = promise_broken(w->watch, fresh, files, all);
    w->text[0] = '\0';
    for (const struct clip *c = &w->a; c; c = c == &w->a ? &w->b : NULL)
        for (size_t i = 0; i < n; i++)
            if (strcmp(files[i].key, c->key) == 0)
                len += (size_t)snprintf(w->text + len, sizeof(w->text) - len,
                                        "%s %s-%d ", c->v.title, files[i].rendition,
                                        files[i].generation);
    return w->text;
}

static void each_folder_of_a_deleted_video_is_told_once(void **state)
{
    struct waiting w = waiting_open(*state);
    struct video v;

    assert_string_equal(broken(&w, true), "");
    assert_int_equal(store_video_delete(w.f->st, w.a.v.id, &v), RC_OK);
    assert_string_equal(broken(&w, false), "a 360p-1 a audio-0-1 ");
    promise_watch_close(w.watch);
}

static void what_is_asked_for_by_a_key_that_was_revoked_is_broken(void **state)
{
    struct waiting w = waiting_open(*state);
    struct grant grant;

    assert_string_equal(broken(&w, true), "");
    assert_int_equal(store_grants_renew(w.f->st, w.b.v.id), RC_OK);
    assert_int_equal(find(w.f, &w.b, "360p", 1, 0), RC_NOT_FOUND);
    assert_string_equal(broken(&w, false), "b 360p-1 b audio-0-1 ");
    assert_int_equal(store_grant_user(w.f->st, w.b.v.id, 0, &grant), RC_OK);
    memcpy(w.b.key, grant.key, sizeof(w.b.key));
    assert_int_equal(find(w.f, &w.b, "360p", 1, 0), RC_OK);
    promise_watch_close(w.watch);
}

static void a_rendition_that_is_given_up_leaves_the_others(void **state)
{
    struct waiting w = waiting_open(*state);
    struct job job;
    bool ready;

    assert_int_equal(
        store_job_claim_encode(w.f->st, "w", 30000, w.b.v.id, "audio-0", &job), RC_OK);
    assert_int_equal(store_job_without(w.f->st, &job, "It has no sound.", &ready),
                     RC_OK);
    assert_string_equal(broken(&w, true), "b audio-0-1 ");
    promise_watch_close(w.watch);
}

/* Deletes a while only a file of b is asked about: whether the store is asked for those
 * of a after that can be seen by whether it is noticed. */
static void delete_unseen(struct waiting *w)
{
    struct media_path other = path_of(&w->b, "360p", 1, 0);
    struct video v;

    assert_int_equal(store_video_delete(w->f->st, w->a.v.id, &v), RC_OK);
    assert_int_equal(promise_broken(w->watch, false, &other, 1), 0);
}

static void the_store_is_asked_when_it_changed_or_someone_came(void **state)
{
    struct waiting w = waiting_open(*state);

    assert_string_equal(broken(&w, false), "");
    delete_unseen(&w);
    assert_string_equal(broken(&w, false), "");
    assert_string_equal(broken(&w, true), "a 360p-1 a audio-0-1 ");
    assert_string_equal(broken(&w, false), "");
    assert_int_equal(store_video_rename(w.f->st, w.b.v.id, "b"), RC_OK);
    assert_string_equal(broken(&w, false), "a 360p-1 a audio-0-1 ");
    promise_watch_close(w.watch);
}

static void what_could_not_be_asked_is_asked_again(void **state)
{
    struct waiting w = waiting_open(*state);
    char folder[PATH_MAX + 8], path[PATH_MAX + 16];
    struct video v;

    promise_watch_close(w.watch);
    snprintf(folder, sizeof(folder), "%s/away", w.f->dir);
    snprintf(path, sizeof(path), "%s/test.db", folder);
    assert_int_equal(promise_watch_open(path, &w.f->clock, &w.watch), RC_OK);
    assert_int_equal(store_video_delete(w.f->st, w.a.v.id, &v), RC_OK);
    assert_string_equal(broken(&w, true), "");
    assert_int_equal(symlink(w.f->dir, folder), 0);
    assert_string_equal(broken(&w, false), "a 360p-1 a audio-0-1 ");
    assert_string_equal(broken(&w, false), "");
    promise_watch_close(w.watch);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, fixture_setup, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_the_plan_counts_is_promised),
        TEST(a_failed_video_promises_nothing),
        TEST(a_deleted_video_promises_nothing),
        TEST(a_video_that_is_known_needs_no_key),
        TEST(each_folder_of_a_deleted_video_is_told_once),
        TEST(what_is_asked_for_by_a_key_that_was_revoked_is_broken),
        TEST(a_rendition_that_is_given_up_leaves_the_others),
        TEST(the_store_is_asked_when_it_changed_or_someone_came),
        TEST(what_could_not_be_asked_is_asked_again),
    };

    return cmocka_run_group_tests_name("promise", tests, NULL, NULL);
}
