/* test_store_disk.c: what is used of the disk, and what is put away to make room. */
#include "check.h"

#include "store_fixture.h"
#include "store_lists.h"

#include <stdlib.h>

struct made {
    struct video video;
    struct rendition_of rung;
};

static void make(struct fixture *f, enum job_kind kind, int64_t bytes, bool *ready)
{
    const uint8_t bits[] = {0xff};
    struct readiness told = {.bits = bits, .n_bytes = 1, .done = 4, .bytes = bytes};
    struct job_result result = {.bitrate = 5};
    struct job job;

    assert_int_equal(store_job_claim(f->st, "w", 30000, STORE_KIND(kind), &job), RC_OK);
    assert_int_equal(store_job_published(f->st, &job, &told), RC_OK);
    assert_int_equal(store_job_done(f->st, &job, &result, ready), RC_OK);
}

/* A ready video of 360p and sound, 100 bytes each, and a rung that has 1000. */
static struct made ready_video(struct fixture *f)
{
    struct made made = {.video = fixture_stored(f, "clip")};
    struct video_plan plan = fixture_plan(1);
    struct rendition rung = plan.renditions[1];
    struct job job = fixture_claim(f, "w");
    bool ready = false;

    strcpy(rung.name, "720p");
    rung.extra = true;
    rung.max_bitrate = 2000000;
    plan.renditions[plan.n_renditions++] = rung;
    assert_int_equal(store_job_planned(f->st, &job, &plan), RC_OK);
    make(f, JOB_ENCODE, 100, &ready);
    make(f, JOB_ENCODE, 100, &ready);
    assert_true(ready);
    make(f, JOB_LADDER, 1000, &ready);
    strcpy(made.rung.video_id, made.video.id);
    strcpy(made.rung.rendition, "720p");
    return made;
}

static struct rendition rung_of(struct fixture *f, const struct made *m)
{
    struct rendition r;

    assert_int_equal(store_rendition(f->st, m->rung.video_id, m->rung.rendition, &r),
                     RC_OK);
    return r;
}

static struct disk_use counted(struct fixture *f)
{
    struct disk_use use, told;

    assert_int_equal(store_disk_count(f->st, &use), RC_OK);
    assert_int_equal(store_disk_use(f->st, &told), RC_OK);
    assert_int_equal(told.originals, use.originals);
    assert_int_equal(told.media, use.media);
    return use;
}

struct found {
    struct evictable at[8];
    size_t n;
};

static enum rc note(void *arg, const struct evictable *e)
{
    struct found *found = arg;

    assert_true(found->n < 8);
    found->at[found->n++] = *e;
    return RC_OK;
}

static struct found evictable(struct fixture *f)
{
    struct found found = {.n = 0};

    assert_int_equal(store_evictable_each(f->st, note, &found), RC_OK);
    return found;
}

static void evict(struct fixture *f, const struct made *m)
{
    assert_int_equal(store_rendition_evict(f->st, &m->rung), RC_OK);
    assert_int_equal(store_rendition_evicted(f->st, &m->rung), RC_OK);
}

static void bytes_are_summed_up_and_kept(void **state)
{
    struct fixture *f = *state;
    struct disk_use use;

    assert_int_equal(store_disk_use(f->st, &use), RC_OK);
    assert_false(use.paused);
    assert_int_equal(use.media + use.originals, 0);
    ready_video(f);
    use = counted(f);
    assert_int_equal(use.originals, 1000);
    assert_int_equal(use.media, 1200);
}

static void sums_that_are_the_same_are_not_written(void **state)
{
    struct fixture *f = *state;
    struct store *other = fixture_handle(f);
    struct disk_use use;
    bool changed;

    ready_video(f);
    counted(f);
    store_changed(other, &changed);
    assert_int_equal(store_disk_count(f->st, &use), RC_OK);
    assert_int_equal(store_changed(other, &changed), RC_OK);
    assert_false(changed);
    store_close(other);
}

static void a_pause_is_said_once(void **state)
{
    struct fixture *f = *state;
    struct disk_use use;

    assert_int_equal(store_disk_pause(f->st, true, "Full"), RC_OK);
    assert_int_equal(store_disk_pause(f->st, true, "Full"), RC_EXISTS);
    assert_int_equal(store_disk_use(f->st, &use), RC_OK);
    assert_true(use.paused);
    assert_int_equal(store_disk_pause(f->st, false, "Room"), RC_OK);
    assert_int_equal(store_disk_pause(f->st, false, "Room"), RC_EXISTS);
    assert_int_equal(store_disk_use(f->st, &use), RC_OK);
    assert_false(use.paused);
}

static void only_what_a_video_is_ready_without_can_go(void **state)
{
    struct fixture *f = *state;
    struct made m = ready_video(f);
    struct rendition_of first = m.rung;
    struct found found = evictable(f);

    assert_int_equal(found.n, 1);
    assert_string_equal(found.at[0].which.video_id, m.video.id);
    assert_string_equal(found.at[0].which.rendition, "720p");
    assert_int_equal(found.at[0].bytes, 1000);
    assert_int_equal(found.at[0].watched_ms, -1);
    assert_int_equal(found.at[0].created_ms, m.video.created_ms);
    assert_false(found.at[0].copied);
    strcpy(first.rendition, "360p");
    assert_int_equal(store_rendition_evict(f->st, &first), RC_CONFLICT);
    strcpy(first.rendition, "audio-0");
    assert_int_equal(store_rendition_evict(f->st, &first), RC_CONFLICT);
    strcpy(first.rendition, "none");
    assert_int_equal(store_rendition_evict(f->st, &first), RC_CONFLICT);
}

static void what_is_put_away_is_not_made_again_by_itself(void **state)
{
    struct fixture *f = *state;
    struct made m = ready_video(f);
    struct lists_changes lists;
    struct job job;
    int64_t due = 0;

    evict(f, &m);
    assert_true(rung_of(f, &m).put_away);
    assert_int_equal(rung_of(f, &m).done, 0);
    assert_int_equal(counted(f).media, 200);
    assert_int_equal(evictable(f).n, 0);
    assert_int_equal(fixture_get(f, m.video.id).state, VIDEO_READY);
    assert_int_equal(store_lists_changes(f->st, m.video.id, &lists), RC_OK);
    assert_true(lists.followed < lists.n);
    assert_int_equal(store_job_claim(f->st, "w", 30000, STORE_KIND(JOB_LADDER), &job),
                     RC_NOT_FOUND);
    assert_int_equal(store_job_next_due(f->st, STORE_KIND(JOB_LADDER), &due), RC_OK);
    assert_int_equal(due, -1);
}

static void who_waits_for_it_has_all_of_it_made_again(void **state)
{
    struct fixture *f = *state;
    struct made m = ready_video(f);
    struct job job;

    evict(f, &m);
    assert_int_equal(
        store_job_claim_encode(f->st, "w", 30000, m.video.id, "720p", &job), RC_OK);
    assert_int_equal(job.kind, JOB_LADDER);
    assert_false(rung_of(f, &m).put_away);
    /* Whoever goes on with it later needs nobody to wait. */
    assert_int_equal(store_job_release(f->st, &job), RC_OK);
    assert_int_equal(store_job_claim(f->st, "w", 30000, STORE_KIND(JOB_LADDER), &job),
                     RC_OK);
}

static void nobody_can_have_it_while_its_files_go(void **state)
{
    struct fixture *f = *state;
    struct made m = ready_video(f);
    struct rendition_of which;
    struct job job;

    assert_int_equal(store_evicting(f->st, &which), RC_NOT_FOUND);
    assert_int_equal(store_rendition_evict(f->st, &m.rung), RC_OK);
    assert_int_equal(store_evicting(f->st, &which), RC_OK);
    assert_string_equal(which.video_id, m.video.id);
    assert_string_equal(which.rendition, "720p");
    assert_int_equal(rung_of(f, &m).done, 0);
    assert_int_equal(counted(f).media, 1200); /* they are still there */
    assert_int_equal(
        store_job_claim_encode(f->st, "w", 30000, m.video.id, "720p", &job),
        RC_NOT_FOUND);
    assert_int_equal(store_rendition_evicted(f->st, &m.rung), RC_OK);
    assert_int_equal(store_evicting(f->st, &which), RC_NOT_FOUND);
    assert_int_equal(
        store_job_claim_encode(f->st, "w", 30000, m.video.id, "720p", &job), RC_OK);
    /* One who comes late with the last step changes nothing of what is made by now. */
    assert_int_equal(store_rendition_evicted(f->st, &m.rung), RC_OK);
    assert_int_equal(store_job_check(f->st, &job), RC_OK);
}

static void what_is_being_made_stays(void **state)
{
    struct fixture *f = *state;
    struct made m = ready_video(f);
    struct job job;

    evict(f, &m);
    assert_int_equal(
        store_job_claim_encode(f->st, "w", 30000, m.video.id, "720p", &job), RC_OK);
    assert_int_equal(
        store_job_published(
            f->st, &job,
            &(struct readiness){
                .bits = (const uint8_t[]){1}, .n_bytes = 1, .done = 1, .bytes = 50}),
        RC_OK);
    assert_int_equal(evictable(f).n, 0);
    assert_int_equal(store_rendition_evict(f->st, &m.rung), RC_CONFLICT);
    assert_int_equal(store_job_check(f->st, &job), RC_OK);
}

static void a_deleted_video_is_left_to_who_clears_it_away(void **state)
{
    struct fixture *f = *state;
    struct made m = ready_video(f);
    struct rendition_of which;
    struct video v;

    assert_int_equal(store_rendition_evict(f->st, &m.rung), RC_OK);
    assert_int_equal(store_video_delete(f->st, m.video.id, &v), RC_OK);
    assert_int_equal(store_evicting(f->st, &which), RC_NOT_FOUND);
    assert_int_equal(store_rendition_evicted(f->st, &m.rung), RC_OK);
    assert_int_equal(store_rendition_evict(f->st, &m.rung), RC_CONFLICT);
    assert_int_equal(evictable(f).n, 0);
}

static int64_t watched_ms(struct fixture *f)
{
    struct found found = evictable(f);

    assert_int_equal(found.n, 1);
    return found.at[0].watched_ms;
}

static void who_watches_is_noted_now_and_then(void **state)
{
    struct fixture *f = *state;
    struct made m = ready_video(f);
    int64_t first = f->wall_ms;

    assert_int_equal(store_video_watched(f->st, m.video.id), RC_OK);
    assert_int_equal(watched_ms(f), first);
    fixture_tick(f, STORE_WATCHED_MS - 1);
    assert_int_equal(store_video_watched(f->st, m.video.id), RC_OK);
    assert_int_equal(watched_ms(f), first);
    fixture_tick(f, 1);
    assert_int_equal(store_video_watched(f->st, m.video.id), RC_OK);
    assert_int_equal(watched_ms(f), first + STORE_WATCHED_MS);
    assert_int_equal(store_video_watched(f->st, "nosuchvideoatall"), RC_OK);
}

static void who_waits_for_a_segment_watches(void **state)
{
    struct fixture *f = *state;
    struct made m = ready_video(f);
    struct demand d = {.segment = 1};

    strcpy(d.video_id, m.video.id);
    strcpy(d.rendition, "720p");
    assert_int_equal(store_demand_update(f->st, &d, 1, 1000, NULL, 0), RC_OK);
    assert_int_equal(watched_ms(f), f->wall_ms);
}

static void what_nobody_has_measured_is_found_once(void **state)
{
    struct fixture *f = *state;
    struct made m = ready_video(f);
    struct rendition_of which;

    assert_int_equal(store_unmeasured(f->st, &which), RC_NOT_FOUND);
    assert_int_equal(store_rendition_measured(f->st, &m.rung, 5), RC_OK);
    assert_int_equal(counted(f).media, 1200); /* somebody knows better */
}

int main(void)
{
#define test(name)                                                                     \
    cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
    const struct CMUnitTest tests[] = {
        test(bytes_are_summed_up_and_kept),
        test(sums_that_are_the_same_are_not_written),
        test(a_pause_is_said_once),
        test(only_what_a_video_is_ready_without_can_go),
        test(what_is_put_away_is_not_made_again_by_itself),
        test(who_waits_for_it_has_all_of_it_made_again),
        test(nobody_can_have_it_while_its_files_go),
        test(what_is_being_made_stays),
        test(a_deleted_video_is_left_to_who_clears_it_away),
        test(who_watches_is_noted_now_and_then),
        test(who_waits_for_a_segment_watches),
        test(what_nobody_has_measured_is_found_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
