/* The queue, and what jobs make, when allocations fail. */
#include "store_starve.h"

#include "store_check.h"
#include "store_pictures.h"

#define LEASE 30000

static const uint8_t bounds[20] = {1, 2, 3};
static const struct job_result result = {.bitrate = 900000, .average_bitrate = 800000};
static struct rendition rendition;

static enum rc claim(struct world *w, enum job_kind kind)
{
    return store_job_claim(w->st, "w", LEASE, STORE_KIND(kind), &w->job);
}

static void claim_now(struct world *w, enum job_kind kind)
{
    assert_int_equal(claim(w, kind), RC_OK);
}

/* A stored video whose plan has a copy of the source and of its sound, one rung, and a
 * track of text. */
static void plan_richly(struct world *w)
{
    w->plan = fixture_plan(1);
    struct rendition source = w->plan.renditions[1], rung = source;
    strcpy(source.name, "source");
    source.copied = source.extra = true;
    source.segments = source.frames = 0;
    strcpy(rung.name, "720p");
    rung.extra = true;
    w->plan.renditions[2] = source;
    w->plan.renditions[3] = rung;
    w->plan.n_renditions = 4;
    w->plan.renditions[0].copied = true;
    w->plan.bounds[0].bytes = bounds;
    w->plan.bounds[0].n = sizeof(bounds);
    w->plan.tracks.n = 1;
    w->plan.tracks.list[0] = (struct subtitle){
        .name = "en", .language = "en", .is_track = true, .stream = 2};
    rendition = source;
    rendition.segments = 3;
    rendition.frames = 310;
}

/* ---- the queue ------------------------------------------------------------------- */

static enum rc do_nothing(void *arg)
{
    (void)arg;
    return RC_OK;
}

CALL(claim_probe, claim(w, JOB_PROBE))
CALL(check, store_job_check(w->st, &w->job))
CALL(hold, store_job_hold(w->st, &w->job, do_nothing, NULL))
CALL(renew, store_job_renew(w->st, &w->job, LEASE, 0.5))
CALL(retry, store_job_retry(w->st, &w->job, 0, "It could not be read."))
CALL(next_due, store_job_next_due(w->st, STORE_KIND(JOB_PROBE), &w->n))
CALL(postpone, store_job_postpone(w->st, &w->job, 0, "There is no room."))
CALL(release, store_job_release(w->st, &w->job))
CALL(planned, store_job_planned(w->st, &w->job, &w->plan))
CALL(failed, store_job_fail(w->st, &w->job, "The file is damaged."))
CALL(video_retry, store_video_retry(w->st, w->video.id))
CALL(leave, store_job_leave(w->st, &w->job, "It is not there yet."))

static enum rc release_owner(struct world *w)
{
    int n;
    return store_job_release_owner(w->st, "w", &n);
}

static enum rc work_of(struct world *w)
{
    struct work all[STORE_WORK_MAX];
    size_t n = 0;
    enum rc rc = store_work_of(w->st, w->video.id, all, &n);
    if (rc == RC_OK)
        assert_int_equal(n, 2);
    return rc;
}

static void the_queue_is_as_it_was_or_as_it_should(void **state)
{
    static const struct call calls[] = {
        ONE(claim_probe),   ONE(check),       ONE(hold),     ONE(renew),
        ONE(work_of),       ONE(retry),       ONE(next_due), ONE(claim_probe),
        ONE(postpone),      ONE(claim_probe), ONE(release),  ONE(claim_probe),
        ONE(release_owner), ONE(claim_probe), ONE(failed),   ONE(video_retry),
        ONE(claim_probe),   ONE(planned),
    };
    static const struct call early[] = {ONE(claim_probe), ONE(leave)};
    struct world *w = *state;
    w->video = fixture_stored(w->f, "a");
    plan_richly(w);
    starve_calls(w, calls, N(calls));
    w->video = fixture_receiving(w->f, "b");
    assert_int_equal(store_video_header_arrived(w->st, w->video.id), RC_OK);
    starve_calls(w, early, N(early));
}

/* ---- what jobs make -------------------------------------------------------------- */

static void plan_now(struct world *w)
{
    w->video = fixture_stored(w->f, "a");
    plan_richly(w);
    claim_now(w, JOB_PROBE);
    assert_int_equal(planned(w), RC_OK);
}

static enum rc some_published(struct world *w)
{
    static const uint8_t bits[] = {0x07};
    const struct readiness ready = {.bits = bits,
                                    .n_bytes = 1,
                                    .done = 3,
                                    .bytes = 3000,
                                    .encoding = {3},
                                    .n_encoding = 1};
    return store_job_published(w->st, &w->job, &ready);
}

static enum rc is_ready(void *arg, const struct rendition *r,
                        const struct readiness *ready)
{
    struct world *w = arg;
    if (strcmp(r->name, "360p") == 0)
        assert_true(ready->done == 3 && ready->n_bytes == 1 && ready->bits[0] == 7);
    w->n++;
    return RC_OK;
}

static enum rc read_bounds(struct world *w)
{
    uint8_t *bytes;
    size_t n;
    enum rc rc = store_bounds(w->st, w->video.id, "source", &bytes, &n);
    if (rc != RC_OK)
        return rc;
    assert_int_equal(n, sizeof(bounds));
    assert_memory_equal(bytes, bounds, n);
    free(bytes);
    return RC_OK;
}

static enum rc read_points(struct world *w)
{
    uint8_t *bytes;
    size_t n;
    enum rc rc = store_seek_points(w->st, w->video.id, "360p", &bytes, &n);
    if (rc != RC_OK)
        return rc;
    assert_int_equal(n, sizeof(bounds));
    free(bytes);
    return RC_OK;
}

CALL(claim_picture,
     store_job_claim_encode(w->st, "w", LEASE, w->video.id, "360p", &w->job))
CALL(claim_sound,
     store_job_claim_encode(w->st, "w", LEASE, w->video.id, "audio-0", &w->job))
CALL(seek_points, store_job_seek_points(w->st, &w->job, bounds, sizeof(bounds)))
CALL(readiness, found(w, store_readiness(w->st, w->video.id, is_ready, w), 4))
CALL(done, store_job_done(w->st, &w->job, &result, &w->flag))
CALL(claim_copy, claim(w, JOB_COPY))
CALL(offer, store_job_offer(w->st, &w->job, &rendition, bounds, sizeof(bounds)))
CALL(anew, store_job_anew(w->st, &w->job))
CALL(without, store_job_without(w->st, &w->job, "It cannot be had.", &w->flag))
CALL(instead, store_job_instead(w->st, &w->job, "It is too long.", &w->plan, &w->flag))
CALL(claim_ladder, claim(w, JOB_LADDER))
CALL(plan_again, store_job_plan_again(w->st, &w->job, "It is another file."))

static enum rc encode_sounds(struct world *w)
{
    struct rendition sound = fixture_plan(1).renditions[0];
    return store_job_encode_sounds(w->st, &w->job, &sound, "It is not what it says.");
}

static void renditions_are_as_they_were_or_as_they_should(void **state)
{
    static const struct call calls[] = {
        ONE(claim_picture), ONE(seek_points), ONE(read_points), ONE(some_published),
        ONE(readiness),     ONE(done),        ONE(claim_sound), ONE(encode_sounds),
        ONE(claim_sound),   ONE(done),        ONE(claim_copy),  ONE(offer),
        ONE(read_bounds),   ONE(anew),        ONE(claim_copy),  ONE(instead),
        ONE(claim_ladder),  ONE(without),
    };
    static const struct call again[] = {ONE(claim_picture), ONE(plan_again)};
    struct world *w = *state;
    plan_now(w);
    starve_calls(w, calls, N(calls));
    plan_now(w);
    starve_calls(w, again, N(again));
}

/* ---- open-ended ------------------------------------------------------------------ */

CALL(promise, store_job_promise(w->st, &w->job, 100))
CALL(confirmed, store_job_confirmed(w->st, &w->job, &w->plan, &w->flag))

static void what_grows_is_as_it_was_or_as_it_should(void **state)
{
    static const struct call growing[] = {ONE(claim_picture), ONE(promise)};
    static const struct call whole[] = {ONE(claim_probe), ONE(confirmed)};
    struct world *w = *state;
    w->video = fixture_receiving(w->f, "a");
    assert_int_equal(store_video_header_arrived(w->st, w->video.id), RC_OK);
    claim_now(w, JOB_PROBE);
    w->plan = fixture_plan(1);
    w->plan.duration_us = -1;
    assert_int_equal(planned(w), RC_OK);
    starve_calls(w, growing, N(growing));
    w->plan = fixture_plan(1);
    assert_int_equal(store_video_stored(w->st, w->video.id, 1000, &w->found), RC_OK);
    starve_calls(w, whole, N(whole));
}

/* ---- pictures, texts, checksums -------------------------------------------------- */

static const uint8_t sum[STORE_CHECKSUM_SIZE] = {1, 2, 3};
static const struct job_result poster = {.poster_made = true};
static struct subtitles written;

CALL(choose, store_video_choose_poster(w->st, w->video.id, 1000000))
CALL(claim_poster, claim(w, JOB_POSTER))
CALL(poster_done, store_job_done(w->st, &w->job, &poster, &w->flag))
CALL(claim_storyboard, claim(w, JOB_STORYBOARD))
CALL(storyboard, store_job_storyboard(w->st, &w->job))
CALL(claim_texts, claim(w, JOB_SUBTITLES))
CALL(text_read, store_job_subtitle_read(w->st, &w->job, 2, "WEBVTT\n\nA text\n"))
CALL(text_missing, store_job_subtitle_missing(w->st, &w->job, 2, "It cannot be read."))
CALL(texts, store_subtitles(w->st, w->video.id, &written))
CALL(texts_published, store_job_subtitles_published(w->st, &w->job, &written))
CALL(claim_checksum, claim(w, JOB_CHECKSUM))
CALL(checksum_taken, store_job_checksum(w->st, &w->job, sum))

static enum rc checksum(struct world *w)
{
    uint8_t out[STORE_CHECKSUM_SIZE];
    bool known = false;
    enum rc rc = store_video_checksum(w->st, w->video.id, out, &known);
    if (rc == RC_OK)
        assert_true(known);
    return rc;
}

static void end_encodes(struct world *w)
{
    assert_int_equal(claim_picture(w), RC_OK);
    assert_int_equal(done(w), RC_OK);
    assert_int_equal(claim_sound(w), RC_OK);
    assert_int_equal(done(w), RC_OK);
}

static void what_is_beside_is_as_it_was_or_as_it_should(void **state)
{
    static const struct call calls[] = {
        ONE(choose),           ONE(claim_poster), ONE(poster_done),
        ONE(claim_storyboard), ONE(storyboard),   ONE(done),
        ONE(claim_texts),      ONE(text_read),    ONE(texts),
        ONE(texts_published),  ONE(done),         ONE(claim_checksum),
        ONE(checksum_taken),   ONE(checksum),
    };
    static const struct call missing[] = {ONE(claim_texts), ONE(text_missing)};
    struct world *w = *state;
    plan_now(w);
    end_encodes(w);
    starve_calls(w, calls, N(calls));
    plan_now(w);
    end_encodes(w);
    starve_calls(w, missing, N(missing));
}

/* ---- room, and mending ----------------------------------------------------------- */

static struct rendition_of which;

static enum rc one_evictable(void *arg, const struct evictable *e)
{
    assert_string_equal(e->which.rendition, "720p");
    ++*(int64_t *)arg;
    return RC_OK;
}

CALL(unmeasured, store_unmeasured(w->st, &which))
CALL(measured, store_rendition_measured(w->st, &which, 1000))
CALL(evictable_each, found(w, store_evictable_each(w->st, one_evictable, &w->n), 1))
CALL(evict, store_rendition_evict(w->st, &which))
CALL(evicting, store_evicting(w->st, &which))
CALL(evicted, store_rendition_evicted(w->st, &which))
CALL(mend_rendition, store_mend(w->st, w->video.id, MEND_RENDITION, "360p", 1))
CALL(mend_lists, store_mend(w->st, w->video.id, MEND_LISTS, "", 0))
CALL(mend_poster, store_mend(w->st, w->video.id, MEND_POSTER, "", 0))

static void what_makes_room_is_as_it_was_or_as_it_should(void **state)
{
    static const struct call calls[] = {
        ONE(evictable_each), ONE(evict),      ONE(evicting),    ONE(evicted),
        ONE(mend_rendition), ONE(mend_lists), ONE(mend_poster),
    };
    static const struct call measuring[] = {ONE(unmeasured), ONE(measured)};
    struct world *w = *state;
    plan_now(w);
    end_encodes(w);
    claim_now(w, JOB_POSTER);
    assert_int_equal(poster_done(w), RC_OK);
    claim_now(w, JOB_LADDER);
    assert_int_equal(some_published(w), RC_OK);
    assert_int_equal(done(w), RC_OK);
    strcpy(which.video_id, w->video.id);
    strcpy(which.rendition, "720p");
    starve_calls(w, calls, N(calls));
    plainly(w, "UPDATE renditions SET bytes = NULL WHERE done > 0");
    starve_calls(w, measuring, N(measuring));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, starve_setup, starve_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_queue_is_as_it_was_or_as_it_should),
        TEST(renditions_are_as_they_were_or_as_they_should),
        TEST(what_grows_is_as_it_was_or_as_it_should),
        TEST(what_is_beside_is_as_it_was_or_as_it_should),
        TEST(what_makes_room_is_as_it_was_or_as_it_should),
    };
    return cmocka_run_group_tests_name("nomem_jobs", tests, NULL, NULL);
}
