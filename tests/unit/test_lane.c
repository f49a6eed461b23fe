/* test_lane.c: who waits for a thread of the lane, and in which order they are taken.
 */
#include "check.h"

#include "lane.h"

#include <pthread.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

enum { LONG_MS = 20000 };

/* One thread, which holds each item until it is let go; what it was given stands in
 * `seen`, as the first letter of each. */
static struct {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    size_t n, let_go;
    char seen[10010];
} gate = {.lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};

static void hold(void *item, void *ctx)
{
    (void)ctx;
    pthread_mutex_lock(&gate.lock);
    gate.seen[gate.n++] = *(const char *)item;
    pthread_cond_broadcast(&gate.changed);
    while (gate.let_go < gate.n)
        pthread_cond_wait(&gate.changed, &gate.lock);
    pthread_mutex_unlock(&gate.lock);
}

static void let_go(size_t n)
{
    pthread_mutex_lock(&gate.lock);
    gate.let_go += n;
    pthread_cond_broadcast(&gate.changed);
    pthread_mutex_unlock(&gate.lock);
}

static bool is_held(size_t n)
{
    bool held = false;

    for (int i = 0; i < LONG_MS && !held; i++) {
        pthread_mutex_lock(&gate.lock);
        held = gate.n >= n;
        pthread_mutex_unlock(&gate.lock);
        if (!held)
            usleep(1000);
    }
    return held;
}

static enum rc give(struct lane *l, const char *item, const char *from)
{
    static char letters[128];
    char *letter = &letters[(unsigned char)*item];

    *letter = *item;
    return lane_give(l, letter, from);
}

/* A lane whose one thread is busy with "-". */
static struct lane *open_busy(size_t max, size_t each)
{
    const struct lane_limits limits = {.threads = 1, .max = max, .each = each};
    struct lane *l = NULL;

    gate.n = gate.let_go = 0;
    memset(gate.seen, 0, sizeof(gate.seen));
    assert_int_equal(lane_open(&limits, hold, NULL, &l), RC_OK);
    assert_int_equal(give(l, "-", "nobody"), RC_OK);
    assert_true(is_held(1));
    return l;
}

static void those_of_one_place_are_taken_as_they_came(void **state)
{
    struct lane *l = open_busy(8, 8);

    (void)state;
    assert_int_equal(give(l, "1", "a"), RC_OK);
    assert_int_equal(give(l, "2", "a"), RC_OK);
    assert_int_equal(give(l, "3", "a"), RC_OK);
    let_go(100);
    lane_close(l);
    assert_string_equal(gate.seen, "-123");
}

static void places_take_turns(void **state)
{
    struct lane *l = open_busy(16, 8);

    (void)state;
    for (int i = 0; i < 4; i++)
        assert_int_equal(give(l, "a", "crowd"), RC_OK);
    assert_int_equal(give(l, "b", "ada"), RC_OK);
    assert_int_equal(give(l, "c", "bob"), RC_OK);
    assert_int_equal(give(l, "b", "ada"), RC_OK);
    let_go(100);
    lane_close(l);
    assert_string_equal(gate.seen, "-abcabaa");
}

/* Whoever comes anew is before those who were served just now. */
static void a_newcomer_is_not_behind_a_crowd(void **state)
{
    struct lane *l = open_busy(16, 8);

    (void)state;
    for (int i = 0; i < 4; i++)
        assert_int_equal(give(l, "a", "crowd"), RC_OK);
    let_go(1);
    assert_true(is_held(2));
    assert_int_equal(give(l, "n", "new"), RC_OK);
    let_go(100);
    lane_close(l);
    assert_string_equal(gate.seen, "-anaaa");
}

static void one_place_gets_so_many_and_no_more(void **state)
{
    struct lane *l = open_busy(16, 2);

    (void)state;
    assert_int_equal(give(l, "a", "crowd"), RC_OK);
    assert_int_equal(give(l, "a", "crowd"), RC_OK);
    assert_int_equal(give(l, "a", "crowd"), RC_BUSY);
    /* The one that is handled counts as well. */
    assert_int_equal(give(l, "-", "nobody"), RC_OK);
    assert_int_equal(give(l, "-", "nobody"), RC_BUSY);
    assert_int_equal(give(l, "b", "ada"), RC_OK);
    let_go(1);
    assert_true(is_held(2));
    let_go(100);
    lane_close(l);
    assert_string_equal(gate.seen, "-ab-a");
}

static void a_place_is_free_again(void **state)
{
    struct lane *l = open_busy(4, 1);
    enum rc rc = RC_BUSY;

    (void)state;
    assert_int_equal(give(l, "x", "nobody"), RC_BUSY);
    let_go(100);
    for (int i = 0; i < LONG_MS && rc == RC_BUSY; i++) {
        usleep(1000);
        rc = give(l, "x", "nobody");
    }
    assert_int_equal(rc, RC_OK);
    lane_close(l);
    assert_string_equal(gate.seen, "-x");
}

static void a_full_lane_takes_nobody(void **state)
{
    struct lane *l = open_busy(2, 8);

    (void)state;
    assert_int_equal(give(l, "a", "a"), RC_OK);
    assert_int_equal(give(l, "b", "b"), RC_OK);
    assert_int_equal(give(l, "c", "c"), RC_BUSY);
    let_go(1);
    assert_true(is_held(2));
    assert_int_equal(give(l, "d", "d"), RC_OK);
    let_go(100);
    lane_close(l);
    assert_string_equal(gate.seen, "-abd");
}

static void *close_it(void *lane)
{
    lane_close(lane);
    return NULL;
}

static void what_waits_is_handled_when_it_is_closed(void **state)
{
    struct lane *l = open_busy(10000, 10000);
    pthread_t thread;

    (void)state;
    assert_int_equal(give(l, "a", "a"), RC_OK);
    assert_int_equal(give(l, "b", "b"), RC_OK);
    assert_int_equal(pthread_create(&thread, NULL, close_it, l), 0);
    while (give(l, "x", "x") == RC_OK) /* it takes none once it is being closed */
        usleep(1000);
    let_go(20000);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_memory_equal(gate.seen, "-ab", 3);
    lane_close(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(those_of_one_place_are_taken_as_they_came),
        cmocka_unit_test(places_take_turns),
        cmocka_unit_test(a_newcomer_is_not_behind_a_crowd),
        cmocka_unit_test(one_place_gets_so_many_and_no_more),
        cmocka_unit_test(a_place_is_free_again),
        cmocka_unit_test(a_full_lane_takes_nobody),
        cmocka_unit_test(what_waits_is_handled_when_it_is_closed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
