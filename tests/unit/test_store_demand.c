/* test_store_demand.c: segments that somebody waits for. */
#include "check.h"

#include "store_fixture.h"

#define KEEP_MS 12000

struct seen {
    struct demand at[16];
    size_t n;
};

static enum rc note(void *arg, const struct demand *d)
{
    struct seen *seen = arg;

    assert_true(seen->n < sizeof(seen->at) / sizeof(seen->at[0]));
    seen->at[seen->n++] = *d;
    return RC_OK;
}

static struct seen demands(struct fixture *f)
{
    struct seen seen = {.n = 0};

    assert_int_equal(store_demand_each(f->st, note, &seen), RC_OK);
    return seen;
}

static struct demand of(const struct video *v, const char *rendition, int64_t segment)
{
    struct demand d = {.segment = segment, .since_ms = -1};

    strcpy(d.video_id, v->id);
    strcpy(d.rendition, rendition);
    return d;
}

static void add(struct fixture *f, struct demand d)
{
    assert_int_equal(store_demand_update(f->st, &d, 1, KEEP_MS, NULL, 0), RC_OK);
}

static void drop(struct fixture *f, struct demand d)
{
    assert_int_equal(store_demand_update(f->st, NULL, 0, KEEP_MS, &d, 1), RC_OK);
}

/* "360p:3 audio-0:1", in their order. */
static void assert_demands(struct fixture *f, const char *expected)
{
    struct seen seen = demands(f);
    char got[256] = "";
    size_t i, n = 0;

    for (i = 0; i < seen.n; i++)
        n += (size_t)snprintf(got + n, sizeof(got) - n, "%s%s:%lld", i ? " " : "",
                              seen.at[i].rendition, (long long)seen.at[i].segment);
    assert_string_equal(got, expected);
}

/* ---- coming and going --------------------------------------------------- */

static void what_is_asked_for_is_there_until_dropped(void **state)
{
    struct fixture *f = *state;
    struct video v = fixture_planned(f, "clip");
    struct seen seen;

    assert_int_equal(demands(f).n, 0);
    add(f, of(&v, "360p", 3));
    seen = demands(f);
    assert_int_equal(seen.n, 1);
    assert_string_equal(seen.at[0].video_id, v.id);
    assert_string_equal(seen.at[0].rendition, "360p");
    assert_int_equal(seen.at[0].segment, 3);
    assert_int_equal(seen.at[0].since_ms, f->boot_ms);
    add(f, of(&v, "audio-0", 3));
    drop(f, of(&v, "360p", 4)); /* which nobody asked for */
    assert_demands(f, "360p:3 audio-0:3");
    drop(f, of(&v, "360p", 3));
    assert_demands(f, "audio-0:3");
}

static void asking_again_prolongs_and_keeps_the_first_time(void **state)
{
    struct fixture *f = *state;
    struct video v = fixture_planned(f, "clip");
    int64_t since = f->boot_ms;

    add(f, of(&v, "360p", 3));
    fixture_tick(f, KEEP_MS - 1);
    add(f, of(&v, "360p", 3));
    fixture_tick(f, KEEP_MS - 1);
    assert_int_equal(demands(f).n, 1);
    assert_int_equal(demands(f).at[0].since_ms, since);
    fixture_tick(f, 1);
    assert_int_equal(demands(f).n, 0);
}

static void what_was_given_up_begins_anew(void **state)
{
    struct fixture *f = *state;
    struct video v = fixture_planned(f, "clip");

    add(f, of(&v, "360p", 3));
    fixture_tick(f, KEEP_MS);
    add(f, of(&v, "360p", 3));
    assert_int_equal(demands(f).at[0].since_ms, f->boot_ms);
}

static void the_oldest_comes_first(void **state)
{
    struct fixture *f = *state;
    struct video v = fixture_planned(f, "clip");
    struct demand batch[] = {of(&v, "audio-0", 2), of(&v, "360p", 6),
                             of(&v, "360p", 1)};

    add(f, of(&v, "360p", 5));
    fixture_tick(f, 1);
    assert_int_equal(store_demand_update(f->st, batch, 3, KEEP_MS, NULL, 0), RC_OK);
    fixture_tick(f, 1);
    add(f, of(&v, "360p", 0));
    add(f, of(&v, "360p", 5));
    /* Of one moment: by rendition and number. */
    assert_demands(f, "360p:5 360p:1 360p:6 audio-0:2 360p:0");
}

static void one_update_adds_and_drops(void **state)
{
    struct fixture *f = *state;
    struct video v = fixture_planned(f, "clip");
    struct demand come[] = {of(&v, "360p", 5), of(&v, "360p", 6)};
    struct demand go[] = {of(&v, "360p", 1), of(&v, "360p", 2)};

    assert_int_equal(store_demand_update(f->st, go, 2, KEEP_MS, NULL, 0), RC_OK);
    add(f, of(&v, "360p", 3));
    assert_int_equal(store_demand_update(f->st, come, 2, KEEP_MS, go, 2), RC_OK);
    assert_demands(f, "360p:3 360p:5 360p:6");
    assert_int_equal(store_demand_update(f->st, NULL, 0, KEEP_MS, NULL, 0), RC_OK);
    assert_demands(f, "360p:3 360p:5 360p:6");
}

static void clear_drops_them_all(void **state)
{
    struct fixture *f = *state;
    struct video v = fixture_planned(f, "clip");

    add(f, of(&v, "360p", 3));
    add(f, of(&v, "audio-0", 3));
    assert_int_equal(store_demand_clear(f->st), RC_OK);
    assert_int_equal(demands(f).n, 0);
    assert_int_equal(store_demand_clear(f->st), RC_OK);
}

/* ---- time --------------------------------------------------------------- */

static void demand_of_another_boot_is_over(void **state)
{
    struct fixture *f = *state;
    struct video v = fixture_planned(f, "clip");

    add(f, of(&v, "360p", 3));
    fixture_reboot(f); /* its clock is far below the time that was noted */
    assert_int_equal(demands(f).n, 0);
    add(f, of(&v, "360p", 3));
    assert_int_equal(demands(f).n, 1);
    assert_int_equal(demands(f).at[0].since_ms, f->boot_ms);
}

static void what_is_over_is_removed_by_any_update(void **state)
{
    struct fixture *f = *state;
    struct video v = fixture_planned(f, "clip");
    int64_t before = f->boot_ms;

    add(f, of(&v, "360p", 3));
    fixture_tick(f, KEEP_MS);
    assert_int_equal(store_demand_update(f->st, NULL, 0, KEEP_MS, NULL, 0), RC_OK);
    f->boot_ms = before; /* back to when it would still count */
    assert_int_equal(demands(f).n, 0);
}

static void wall_clock_does_not_end_demand(void **state)
{
    struct fixture *f = *state;
    struct video v = fixture_planned(f, "clip");

    add(f, of(&v, "360p", 3));
    f->wall_ms += INT64_C(86400000) * 365;
    assert_int_equal(demands(f).n, 1);
}

/* ---- what there is no such segment of ----------------------------------- */

static void what_names_no_segment_is_skipped(void **state)
{
    struct fixture *f = *state;
    struct video v = fixture_planned(f, "clip"), early, gone;
    struct demand batch[8];

    fixture_tick(f, 1);
    gone = fixture_planned(f, "gone");
    early = fixture_stored(f, "early");
    assert_int_equal(store_video_delete(f->st, gone.id, &gone), RC_OK);
    batch[0] = of(&v, "720p", 0);
    batch[1] = of(&v, "360p", 7); /* it has 7 */
    batch[2] = of(&v, "360p", -1);
    batch[3] = of(&v, "360p", INT64_MAX);
    batch[4] = of(&early, "360p", 0); /* not planned yet */
    batch[5] = of(&gone, "360p", 0);
    strcpy(gone.id, "nosuchvideo");
    batch[6] = of(&gone, "360p", 0);
    batch[7] = of(&v, "360p", 6);
    assert_int_equal(store_demand_update(f->st, batch, 8, KEEP_MS, NULL, 0), RC_OK);
    assert_demands(f, "360p:6");
    assert_string_equal(demands(f).at[0].video_id, v.id);
}

static void a_purged_video_takes_its_demands_along(void **state)
{
    struct fixture *f = *state;
    struct video v = fixture_planned(f, "clip"), other;

    fixture_tick(f, 1);
    other = fixture_planned(f, "other");
    add(f, of(&v, "360p", 3));
    add(f, of(&other, "360p", 4));
    assert_int_equal(store_video_delete(f->st, v.id, &v), RC_OK);
    assert_int_equal(store_video_purge(f->st, v.id), RC_OK);
    assert_demands(f, "360p:4");
    assert_string_equal(demands(f).at[0].video_id, other.id);
}

static void other_handles_see_it_and_nothing_is_written_for_nothing(void **state)
{
    struct fixture *f = *state;
    struct video v = fixture_planned(f, "clip");
    struct store *other = fixture_handle(f);
    struct seen seen = {.n = 0};
    struct demand unknown = of(&v, "720p", 0);
    bool changed = false;

    add(f, of(&v, "360p", 3));
    assert_int_equal(store_changed(other, &changed), RC_OK);
    assert_true(changed);
    assert_int_equal(store_demand_each(other, note, &seen), RC_OK);
    assert_int_equal(seen.n, 1);
    /* A write would wake the worker. */
    assert_int_equal(store_demand_update(f->st, NULL, 0, KEEP_MS, NULL, 0), RC_OK);
    assert_int_equal(store_demand_update(f->st, &unknown, 1, KEEP_MS, &unknown, 1),
                     RC_OK);
    assert_int_equal(store_changed(other, &changed), RC_OK);
    assert_false(changed);
    store_close(other);
}

static enum rc refuse(void *arg, const struct demand *d)
{
    (void)d;
    ++*(int *)arg;
    return RC_STOPPED;
}

static void the_callers_code_ends_the_list(void **state)
{
    struct fixture *f = *state;
    struct video v = fixture_planned(f, "clip");
    int calls = 0;

    add(f, of(&v, "360p", 1));
    add(f, of(&v, "360p", 2));
    assert_int_equal(store_demand_each(f->st, refuse, &calls), RC_STOPPED);
    assert_int_equal(calls, 1);
    /* The list was left in order: others can write. */
    assert_int_equal(store_demand_clear(f->st), RC_OK);
    assert_int_equal(demands(f).n, 0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, fixture_setup, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_is_asked_for_is_there_until_dropped),
        TEST(asking_again_prolongs_and_keeps_the_first_time),
        TEST(what_was_given_up_begins_anew),
        TEST(the_oldest_comes_first),
        TEST(one_update_adds_and_drops),
        TEST(clear_drops_them_all),
        TEST(demand_of_another_boot_is_over),
        TEST(what_is_over_is_removed_by_any_update),
        TEST(wall_clock_does_not_end_demand),
        TEST(what_names_no_segment_is_skipped),
        TEST(a_purged_video_takes_its_demands_along),
        TEST(other_handles_see_it_and_nothing_is_written_for_nothing),
        TEST(the_callers_code_ends_the_list),
    };

    return cmocka_run_group_tests_name("store_demand", tests, NULL, NULL);
}
