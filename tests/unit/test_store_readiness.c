/* test_store_readiness.c: which segments exist and which are being made, as a worker
 * tells it and as others are told. */
#include "check.h"

#include "store_fixture.h"

static const struct job_result nothing = {.poster_made = false};

/* ---- what others are told ----------------------------------------------- */

struct told {
    char name[STORE_RENDITION_MAX + 1];
    bool has_bits;
    uint8_t bits[4];
    struct readiness ready;
};

struct told_list {
    struct told at[STORE_RENDITIONS_MAX];
    size_t n;
};

static enum rc note(void *arg, const struct rendition *r, const struct readiness *ready)
{
    struct told_list *list = arg;
    struct told *t = &list->at[list->n++];

    strcpy(t->name, r->name);
    assert_int_equal(r->done, ready->done);
    t->ready = *ready;
    t->has_bits = ready->bits != NULL;
    if (ready->bits) {
        assert_int_equal(ready->n_bytes, (r->segments + 7) / 8);
        assert_true(ready->n_bytes <= sizeof(t->bits));
        memcpy(t->bits, ready->bits, ready->n_bytes);
    }
    return RC_OK;
}

/* What is told of one rendition. */
static struct told told_of(struct fixture *f, const struct video *v, const char *name)
{
    struct told_list list = {.n = 0};
    size_t i;

    assert_int_equal(store_readiness(f->st, v->id, note, &list), RC_OK);
    for (i = 0; i < list.n; i++)
        if (strcmp(list.at[i].name, name) == 0)
            return list.at[i];
    fail_msg("nothing is told of %s", name);
    return list.at[0];
}

static size_t encoding(struct fixture *f, const struct video *v)
{
    return told_of(f, v, "360p").ready.n_encoding;
}

/* The encode job of the picture (7 segments), whose worker has told that 0, 1, 2 and 5
 * exist and that 3 and 6 are being encoded. */
static struct job started(struct fixture *f, struct video *v)
{
    static const uint8_t bits[] = {0x27};
    struct readiness ready = {
        .bits = bits, .n_bytes = 1, .done = 4, .encoding = {3, 6}, .n_encoding = 2};
    struct job job;

    *v = fixture_planned(f, "clip");
    (void)fixture_claim(f, "poster");
    job = fixture_claim(f, "w");
    assert_string_equal(job.rendition, "360p");
    assert_int_equal(store_job_published(f->st, &job, &ready), RC_OK);
    return job;
}

static void what_the_worker_said_is_told_with_video_first(void **state)
{
    struct fixture *f = *state;
    struct told_list list = {.n = 0};
    struct video v;

    (void)started(f, &v);
    assert_int_equal(store_readiness(f->st, v.id, note, &list), RC_OK);
    assert_int_equal(list.n, 2);
    assert_string_equal(list.at[0].name, "360p");
    assert_true(list.at[0].has_bits);
    assert_int_equal(list.at[0].bits[0], 0x27);
    assert_int_equal(list.at[0].ready.done, 4);
    assert_int_equal(list.at[0].ready.n_encoding, 2);
    assert_int_equal(list.at[0].ready.encoding[0], 3);
    assert_int_equal(list.at[0].ready.encoding[1], 6);
    assert_string_equal(list.at[1].name, "audio-0");
    assert_false(list.at[1].has_bits);
    assert_int_equal(list.at[1].ready.n_bytes, 0);
    assert_int_equal(list.at[1].ready.done, 0);
    assert_int_equal(list.at[1].ready.n_encoding, 0);
}

static void the_last_word_counts(void **state)
{
    struct fixture *f = *state;
    struct readiness ready = {.done = 5};
    struct video v;
    struct job job = started(f, &v);
    struct told told;
    size_t i;

    assert_int_equal(store_job_published(f->st, &job, &ready), RC_OK);
    told = told_of(f, &v, "360p");
    assert_false(told.has_bits);
    assert_int_equal(told.ready.done, 5);
    assert_int_equal(told.ready.n_encoding, 0);
    ready.n_encoding = STORE_RUNS_MAX;
    for (i = 0; i < STORE_RUNS_MAX; i++)
        ready.encoding[i] = INT64_MAX - (int64_t)i;
    assert_int_equal(store_job_published(f->st, &job, &ready), RC_OK);
    told = told_of(f, &v, "360p");
    assert_int_equal(told.ready.n_encoding, STORE_RUNS_MAX);
    for (i = 0; i < STORE_RUNS_MAX; i++)
        assert_true(told.ready.encoding[i] == INT64_MAX - (int64_t)i);
}

static void a_video_without_renditions_tells_nothing(void **state)
{
    struct fixture *f = *state;
    struct video gone = fixture_planned(f, "gone"), early = fixture_stored(f, "early");
    struct told_list list = {.n = 0};

    assert_int_equal(store_readiness(f->st, early.id, note, &list), RC_OK);
    assert_int_equal(store_readiness(f->st, "nosuchvideo", note, &list), RC_NOT_FOUND);
    assert_int_equal(store_video_delete(f->st, gone.id, &gone), RC_OK);
    assert_int_equal(store_readiness(f->st, gone.id, note, &list), RC_NOT_FOUND);
    assert_int_equal(list.n, 0);
}

static enum rc refuse(void *arg, const struct rendition *r,
                      const struct readiness *ready)
{
    (void)r;
    (void)ready;
    ++*(int *)arg;
    return RC_STOPPED;
}

static void the_callers_code_ends_it(void **state)
{
    struct fixture *f = *state;
    struct video v;
    int calls = 0;

    (void)started(f, &v);
    assert_int_equal(store_readiness(f->st, v.id, refuse, &calls), RC_STOPPED);
    assert_int_equal(calls, 1);
}

struct nested {
    struct fixture *f;
    const struct video *v;
    int calls;
};

static enum rc ask_again(void *arg, const struct rendition *r,
                         const struct readiness *ready)
{
    struct nested *n = arg;
    struct told told = told_of(n->f, n->v, r->name);

    n->calls++;
    assert_int_equal(told.has_bits, ready->bits != NULL);
    if (ready->bits)
        assert_memory_equal(told.bits, ready->bits, ready->n_bytes);
    return RC_OK;
}

static void who_is_told_may_ask_again(void **state)
{
    struct fixture *f = *state;
    struct video v;
    struct nested n = {.f = f, .v = &v};

    (void)started(f, &v);
    assert_int_equal(store_readiness(f->st, v.id, ask_again, &n), RC_OK);
    assert_int_equal(n.calls, 2);
}

/* ---- what a worker may say ---------------------------------------------- */

static void bits_of_the_wrong_size_are_refused(void **state)
{
    static const uint8_t bits[2] = {0x7f, 0};
    struct fixture *f = *state;
    struct readiness ready = {.bits = bits, .n_bytes = 2, .done = 7};
    struct video v;
    struct job job = started(f, &v);

    assert_int_equal(store_job_published(f->st, &job, &ready), RC_INVALID);
    ready.n_bytes = 0;
    assert_int_equal(store_job_published(f->st, &job, &ready), RC_INVALID);
    assert_int_equal(told_of(f, &v, "360p").ready.done, 4);
    ready.n_bytes = 1;
    assert_int_equal(store_job_published(f->st, &job, &ready), RC_OK);
    assert_int_equal(told_of(f, &v, "360p").bits[0], 0x7f);
}

static void more_runs_than_are_told_of_are_refused(void **state)
{
    struct fixture *f = *state;
    struct readiness ready = {.done = 5, .n_encoding = STORE_RUNS_MAX + 1};
    struct video v;
    struct job job = started(f, &v);

    assert_int_equal(store_job_published(f->st, &job, &ready), RC_INVALID);
    assert_int_equal(told_of(f, &v, "360p").ready.done, 4);
    assert_int_equal(encoding(f, &v), 2);
}

static void a_late_worker_tells_nothing(void **state)
{
    struct fixture *f = *state;
    struct readiness ready = {.done = 7, .encoding = {4}, .n_encoding = 1};
    struct video v;
    struct job late = started(f, &v), now;

    fixture_tick(f, 30000);
    assert_int_equal(
        store_job_claim_encode(f->st, "w2", 30000, v.id, late.rendition, &now), RC_OK);
    assert_int_equal(store_job_published(f->st, &late, &ready), RC_FENCED);
    assert_int_equal(told_of(f, &v, "360p").ready.done, 4);
    assert_int_equal(encoding(f, &v), 0);
}

/* ---- when nothing is being encoded any more ------------------------------ */

static void nothing_is_encoded_once_the_lease_is_over(void **state)
{
    struct fixture *f = *state;
    struct video v;
    struct job job = started(f, &v);

    fixture_tick(f, 29999);
    assert_int_equal(encoding(f, &v), 2);
    fixture_tick(f, 1);
    assert_int_equal(encoding(f, &v), 0);
    /* What exists goes on existing. */
    assert_int_equal(told_of(f, &v, "360p").bits[0], 0x27);
    /* Late but not replaced: it is the same worker with the same children. */
    assert_int_equal(store_job_renew(f->st, &job, 30000, 0.5), RC_OK);
    assert_int_equal(encoding(f, &v), 2);
}

static void nothing_is_encoded_after_another_boot(void **state)
{
    struct fixture *f = *state;
    struct video v;

    (void)started(f, &v);
    fixture_reboot(f);
    f->boot_ms = 1000000; /* when that lease would still have lasted */
    assert_int_equal(encoding(f, &v), 0);
    assert_int_equal(told_of(f, &v, "360p").ready.done, 4);
}

static enum rc give_back_release(struct fixture *f, const struct job *job)
{
    return store_job_release(f->st, job);
}

static enum rc give_back_retry(struct fixture *f, const struct job *job)
{
    return store_job_retry(f->st, job, 0, "broken");
}

static enum rc give_back_postpone(struct fixture *f, const struct job *job)
{
    return store_job_postpone(f->st, job, 0, "The disk is full.");
}

static enum rc give_back_owner(struct fixture *f, const struct job *job)
{
    int n = 0;
    enum rc rc = store_job_release_owner(f->st, "w", &n);

    (void)job;
    assert_int_equal(n, 1);
    return rc;
}

static enum rc give_back_lease(struct fixture *f, const struct job *job)
{
    (void)job;
    fixture_tick(f, 30000);
    return RC_OK;
}

/* However the job came back to the queue: its next worker has to speak first. */
static void nothing_is_encoded_by_a_job_that_was_given_back(void **state)
{
    static enum rc (*const ways[])(struct fixture *, const struct job *) = {
        give_back_release, give_back_retry, give_back_postpone,
        give_back_owner,   give_back_lease,
    };
    struct fixture *f = *state;
    struct video v;
    struct readiness ready = {.done = 5, .encoding = {6}, .n_encoding = 1};
    struct job job = started(f, &v);
    size_t i;

    for (i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
        assert_int_not_equal(encoding(f, &v), 0);
        assert_int_equal(ways[i](f, &job), RC_OK);
        assert_int_equal(encoding(f, &v), 0);
        assert_int_equal(store_job_claim_encode(f->st, "w", 30000, v.id, "360p", &job),
                         RC_OK);
        assert_int_equal(encoding(f, &v), 0);
        assert_int_equal(store_job_published(f->st, &job, &ready), RC_OK);
    }
    assert_int_equal(told_of(f, &v, "360p").ready.encoding[0], 6);
}

static void nothing_is_encoded_for_a_video_that_failed(void **state)
{
    struct fixture *f = *state;
    struct video v;
    struct job job = started(f, &v);

    assert_int_equal(store_job_fail(f->st, &job, "broken"), RC_OK);
    assert_int_equal(encoding(f, &v), 0);
    assert_int_equal(told_of(f, &v, "360p").bits[0], 0x27);
    assert_int_equal(store_video_retry(f->st, v.id), RC_OK);
    assert_int_equal(encoding(f, &v), 0);
}

static void nothing_is_encoded_when_another_job_fails_the_video(void **state)
{
    struct fixture *f = *state;
    struct video v;
    struct job sound;

    (void)started(f, &v);
    sound = fixture_claim(f, "w2");
    assert_string_equal(sound.rendition, "audio-0");
    assert_int_equal(store_job_fail(f->st, &sound, "broken"), RC_OK);
    assert_int_equal(encoding(f, &v), 0);
}

static void what_is_planned_again_begins_without_segments(void **state)
{
    struct fixture *f = *state;
    struct video_plan plan = fixture_plan(2);
    struct video v;
    struct job job = started(f, &v);
    struct told told;

    assert_int_equal(store_job_fail(f->st, &job, "broken"), RC_OK);
    assert_int_equal(store_video_retry(f->st, v.id), RC_OK);
    job = fixture_claim(f, "w");
    assert_int_equal(store_job_planned(f->st, &job, &plan), RC_OK);
    told = told_of(f, &v, "360p");
    assert_false(told.has_bits);
    assert_int_equal(told.ready.done, 0);
    assert_int_equal(told.ready.n_encoding, 0);
}

/* ---- done --------------------------------------------------------------- */

static void a_done_job_has_all_segments(void **state)
{
    struct fixture *f = *state;
    struct video v;
    struct job job = started(f, &v);
    struct told told;
    bool ready;

    assert_int_equal(store_job_done(f->st, &job, &nothing, &ready), RC_OK);
    told = told_of(f, &v, "360p");
    assert_false(told.has_bits);
    assert_int_equal(told.ready.done, 7);
    assert_int_equal(told.ready.n_encoding, 0);
    assert_int_equal(told_of(f, &v, "audio-0").ready.done, 0);
}

static void a_done_job_has_all_segments_though_its_worker_never_said_so(void **state)
{
    struct fixture *f = *state;
    struct video v = fixture_planned(f, "clip");
    struct job picture, sound, poster = fixture_claim(f, "w");
    bool ready;

    picture = fixture_claim(f, "w");
    sound = fixture_claim(f, "w");
    assert_int_equal(store_job_done(f->st, &sound, &nothing, &ready), RC_OK);
    assert_int_equal(told_of(f, &v, "audio-0").ready.done, 4);
    assert_false(fixture_get(f, v.id).playable);
    assert_int_equal(store_job_done(f->st, &poster, &nothing, &ready), RC_OK);
    assert_int_equal(told_of(f, &v, "360p").ready.done, 0);
    fixture_tick(f, 900);
    assert_int_equal(store_job_done(f->st, &picture, &nothing, &ready), RC_OK);
    assert_true(ready);
    assert_int_equal(told_of(f, &v, "360p").ready.done, 7);
    assert_false(told_of(f, &v, "360p").has_bits);
    v = fixture_get(f, v.id);
    assert_true(v.playable);
    assert_int_equal(v.first_segment_ms, 900);
}

/* ---- where to read -------------------------------------------------------- */

static void seek_points_are_kept_for_the_next_attempt(void **state)
{
    struct fixture *f = *state;
    struct video v = fixture_planned(f, "clip");
    struct job poster = fixture_claim(f, "w"), encode = fixture_claim(f, "w");
    const uint8_t bytes[] = {1, 2, 0, 4};
    uint8_t *back = NULL;
    size_t n = 0;

    assert_int_equal(poster.kind, JOB_POSTER);
    assert_int_equal(store_seek_points(f->st, v.id, encode.rendition, &back, &n),
                     RC_NOT_FOUND);
    assert_int_equal(store_job_seek_points(f->st, &encode, bytes, sizeof(bytes)),
                     RC_OK);
    assert_int_equal(store_seek_points(f->st, v.id, encode.rendition, &back, &n),
                     RC_OK);
    assert_int_equal(n, sizeof(bytes));
    assert_memory_equal(back, bytes, n);
    free(back);
    assert_int_equal(store_seek_points(f->st, v.id, "audio-0", &back, &n),
                     RC_NOT_FOUND);
    assert_int_equal(store_job_release(f->st, &encode), RC_OK);
    assert_int_equal(store_job_seek_points(f->st, &encode, bytes, 1), RC_FENCED);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, fixture_setup, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_the_worker_said_is_told_with_video_first),
        TEST(the_last_word_counts),
        TEST(a_video_without_renditions_tells_nothing),
        TEST(the_callers_code_ends_it),
        TEST(who_is_told_may_ask_again),
        TEST(bits_of_the_wrong_size_are_refused),
        TEST(more_runs_than_are_told_of_are_refused),
        TEST(a_late_worker_tells_nothing),
        TEST(nothing_is_encoded_once_the_lease_is_over),
        TEST(nothing_is_encoded_after_another_boot),
        TEST(nothing_is_encoded_by_a_job_that_was_given_back),
        TEST(nothing_is_encoded_for_a_video_that_failed),
        TEST(nothing_is_encoded_when_another_job_fails_the_video),
        TEST(what_is_planned_again_begins_without_segments),
        TEST(a_done_job_has_all_segments),
        TEST(a_done_job_has_all_segments_though_its_worker_never_said_so),
        TEST(seek_points_are_kept_for_the_next_attempt),
    };

    return cmocka_run_group_tests_name("store_readiness", tests, NULL, NULL);
}
