/* test_wants.c: when waits end, and what the store is told of them and when. */
#include "waits_fixture.h"

/* ---- time ------------------------------------------------------------------------ */

static void a_wait_ends_when_its_time_is_over(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(waits_next_expiry(f->w, f->now), -1);
    asks(f, "a", "360p-1/3.m4s");
    f->now += 1000;
    asks(f, "b", "360p-1/3.m4s");
    assert_int_equal(waits_next_expiry(f->w, f->now), WAIT - 1000);
    f->now += WAIT - 1001;
    waits_expire(f->w, f->now, &f->ended);
    assert_string_equal(ended(f), "");
    f->now++;
    assert_int_equal(waits_next_expiry(f->w, f->now), 0);
    waits_expire(f->w, f->now, &f->ended);
    assert_string_equal(ended(f), "expired 360p-1/3 ");
    assert_int_equal(waits_next_expiry(f->w, f->now), 1000);
}

static void a_demand_outlives_a_wait_in_vain(void **state)
{
    struct fixture *f = *state;

    asks(f, "a", "360p-1/3.m4s");
    assert_string_equal(written(f), "+360p/3 ");
    assert_int_equal(next_batch(f), -1);
    f->now += WAIT;
    assert_int_equal(next_batch(f), -1);
    waits_expire(f->w, f->now, &f->ended);
    assert_string_equal(ended(f), "expired 360p-1/3 ");
    assert_int_equal(next_batch(f), WANTS_GRACE_MS);
    /* It is asked for again: its row will not last for another wait. */
    f->now += 500;
    asks(f, "a", "360p-1/3.m4s");
    assert_int_equal(next_batch(f), 0);
    assert_string_equal(written(f), "+360p/3 ");
    f->now += WAIT;
    waits_expire(f->w, f->now, &f->ended);
    f->now += WANTS_GRACE_MS;
    /* And not again: the row has expired by itself, and the table is empty. */
    assert_string_equal(written(f), "");
    assert_int_equal(next_batch(f), -1);
}

/* Whatever the times of those who come and go, the row lasts for each wait and its
 * grace, and is written no more than once a wait's time. */
static void a_long_standing_demand_is_renewed_only_when_needed(void **state)
{
    struct fixture *f = *state;
    int64_t until = 0, last = 0;
    int writes = 0;

    for (int i = 0; i < 400; i++, f->now += 100) {
        waits_expire(f->w, f->now, &f->ended);
        forget(f);
        if (i % 7 == 0 && i < 250) {
            asks(f, "a", "360p-1/3.m4s");
            last = f->now;
        }
        if (next_batch(f) == 0 && written(f)[0] == '+') {
            until = f->now + KEEP;
            writes++;
        }
        if (waits_count(f->w) > 0)
            assert_true(until > f->now + WANTS_GRACE_MS - 100);
    }
    assert_true(until >= last + KEEP);
    assert_in_range(writes, 4, 5);
}

static void a_demand_whose_segment_came_is_dropped_soon(void **state)
{
    struct fixture *f = *state;

    asks(f, "a", "360p-1/3.m4s");
    assert_string_equal(written(f), "+360p/3 ");
    came(f, "360p-1/3.m4s");
    assert_int_equal(next_batch(f), WANTS_LAZY_MS);
    assert_string_equal(written(f), "");
    f->now += WANTS_LAZY_MS;
    assert_string_equal(written(f), "-360p/3 ");
    assert_int_equal(next_batch(f), -1);
}

static void it_goes_with_the_next_batch_if_that_is_sooner(void **state)
{
    struct fixture *f = *state;

    asks(f, "a", "360p-1/3.m4s");
    assert_string_equal(written(f), "+360p/3 ");
    came(f, "360p-1/3.m4s");
    asks(f, "a", "360p-1/4.m4s");
    assert_string_equal(written(f), "+360p/4 -360p/3 ");
    assert_int_equal(next_batch(f), -1);
}

static void a_demand_that_cannot_be_met_is_dropped_at_once(void **state)
{
    struct fixture *f = *state;

    asks(f, "a", "360p-1/3.m4s");
    assert_string_equal(written(f), "+360p/3 ");
    f->now += WAIT;
    waits_expire(f->w, f->now, &f->ended);
    asks(f, "a", "360p-1/3.m4s");
    assert_string_equal(written(f), "+360p/3 ");
    asks(f, "b", "360p-2/3.m4s");
    gone(f, "360p-1/3.m4s");
    /* Another generation of it is still waited for. */
    assert_string_equal(written(f), "");
    gone(f, "360p-2/3.m4s");
    assert_int_equal(next_batch(f), 0);
    assert_string_equal(written(f), "-360p/3 ");
    assert_int_equal(next_batch(f), -1);
}

/* The last to leave decides, but not against one who will ask again. */
static void grace_is_not_lost_when_another_viewer_leaves(void **state)
{
    struct fixture *f = *state;

    asks(f, "a", "360p-1/3.m4s");
    assert_string_equal(written(f), "+360p/3 ");
    f->now += 1000;
    asks(f, "b", "360p-1/3.m4s");
    f->now += WAIT - 1000;
    waits_expire(f->w, f->now, &f->ended);
    assert_string_equal(written(f), "+360p/3 ");
    asks(f, "b", "360p-1/70.m4s");
    assert_string_equal(written(f), "+360p/70 ");
    assert_int_equal(next_batch(f), WANTS_GRACE_MS);
    f->now += WANTS_GRACE_MS;
    assert_string_equal(written(f), "-360p/3 ");
}

/* ---- the store ------------------------------------------------------------------- */

static void what_nobody_wants_any_more_is_never_written(void **state)
{
    struct fixture *f = *state;

    asks(f, "a", "360p-1/3.m4s");
    asks(f, "a", "360p-1/4.m4s");
    assert_string_equal(written(f), "+360p/4 ");
}

static void a_refused_batch_is_written_again(void **state)
{
    struct fixture *f = *state;

    asks(f, "a", "360p-1/3.m4s");
    assert_string_equal(begin_batch(f), "+360p/3 ");
    wants_written(waits_wants(f->w), false);
    assert_int_equal(next_batch(f), 0);
    assert_string_equal(written(f), "+360p/3 ");
    asks(f, "a", "360p-1/4.m4s");
    assert_string_equal(begin_batch(f), "+360p/4 -360p/3 ");
    wants_written(waits_wants(f->w), false);
    assert_string_equal(written(f), "+360p/4 -360p/3 ");
    assert_int_equal(next_batch(f), -1);
}

static void demands_may_change_while_they_are_written(void **state)
{
    struct fixture *f = *state;

    asks(f, "a", "360p-1/3.m4s");
    assert_string_equal(begin_batch(f), "+360p/3 ");
    asks(f, "b", "360p-1/3.m4s");
    asks(f, "a", "360p-1/4.m4s");
    asks(f, "b", "360p-1/4.m4s");
    wants_written(waits_wants(f->w), true);
    /* Written in vain, so it has to go. */
    assert_string_equal(begin_batch(f), "+360p/4 -360p/3 ");
    asks(f, "c", "360p-1/3.m4s");
    wants_written(waits_wants(f->w), true);
    /* Dropped in vain, so it has to come back. */
    assert_string_equal(written(f), "+360p/3 ");
}

static void a_batch_has_an_end(void **state)
{
    struct fixture *f = *state;
    const struct waits_limits limits = {
        .total = 2 * WANTS_BATCH, .per_address = 2 * WANTS_BATCH, .wait_ms = WAIT};
    char sid[16], file[32];

    waits_close(f->w);
    assert_int_equal(waits_open(&limits, &f->w), RC_OK);
    for (int i = 0; i < WANTS_BATCH + 10; i++) {
        snprintf(sid, sizeof(sid), "v%d", i);
        snprintf(file, sizeof(file), "360p-1/%d.m4s", i);
        asks(f, sid, file);
    }
    wants_batch(waits_wants(f->w), f->now, &f->batch);
    assert_int_equal(f->batch.n_add, WANTS_BATCH);
    wants_written(waits_wants(f->w), true);
    assert_int_equal(next_batch(f), 0);
    wants_batch(waits_wants(f->w), f->now, &f->batch);
    assert_int_equal(f->batch.n_add, 10);
    wants_written(waits_wants(f->w), true);
    assert_int_equal(next_batch(f), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_wait_ends_when_its_time_is_over),
        TEST(a_demand_outlives_a_wait_in_vain),
        TEST(a_long_standing_demand_is_renewed_only_when_needed),
        TEST(a_demand_whose_segment_came_is_dropped_soon),
        TEST(it_goes_with_the_next_batch_if_that_is_sooner),
        TEST(a_demand_that_cannot_be_met_is_dropped_at_once),
        TEST(grace_is_not_lost_when_another_viewer_leaves),
        TEST(what_nobody_wants_any_more_is_never_written),
        TEST(a_refused_batch_is_written_again),
        TEST(demands_may_change_while_they_are_written),
        TEST(a_batch_has_an_end),
    };

    return cmocka_run_group_tests_name("wants", tests, NULL, NULL);
}
