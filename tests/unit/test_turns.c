/* test_turns.c: the newest comer has the turn, as soon as those before have ended. */
#include "check.h"

#include "turns.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { LONG_MS = 20000 };

static struct turns *turns;

/* One who has a turn and works until told to stop. */
struct worker {
    struct turn turn;
    pthread_t thread;
    int64_t wait_ms;
    atomic_bool told, has, deaf;
    enum rc rc;
};

static void tell(void *arg)
{
    atomic_store(&((struct worker *)arg)->told, true);
}

static void *work(void *arg)
{
    struct worker *w = arg;

    w->rc = turns_take(turns, &w->turn, w->wait_ms);
    if (w->rc != RC_OK)
        return NULL;
    atomic_store(&w->has, true);
    while (!atomic_load(&w->told) || atomic_load(&w->deaf))
        usleep(1000);
    atomic_store(&w->has, false);
    turns_leave(turns, &w->turn);
    return NULL;
}

static void begin(struct worker *w, const char *name, int64_t wait_ms)
{
    memset(w, 0, sizeof(*w));
    snprintf(w->turn.name, sizeof(w->turn.name), "%s", name);
    w->turn.stop = tell;
    w->turn.arg = w;
    w->wait_ms = wait_ms;
    assert_int_equal(pthread_create(&w->thread, NULL, work, w), 0);
}

static void until(atomic_bool *flag)
{
    for (int i = 0; i < LONG_MS && !atomic_load(flag); i++)
        usleep(1000);
    assert_true(atomic_load(flag));
}

static enum rc ended(struct worker *w)
{
    assert_int_equal(pthread_join(w->thread, NULL), 0);
    return w->rc;
}

static int setup(void **state)
{
    (void)state;
    return turns_open(&turns) == RC_OK ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    turns_close(turns);
    turns_close(NULL);
    return 0;
}

static void the_one_before_is_stopped_and_then_the_turn_is_free(void **state)
{
    struct worker old, new;

    (void)state;
    begin(&old, "a", LONG_MS);
    until(&old.has);
    assert_false(turns_lost(turns, &old.turn));
    begin(&new, "a", LONG_MS);
    until(&new.has);
    assert_false(atomic_load(&old.has));
    assert_int_equal(ended(&old), RC_OK);
    assert_false(turns_lost(turns, &new.turn));
    tell(&new);
    assert_int_equal(ended(&new), RC_OK);
}

static void the_one_before_can_see_that_its_turn_is_lost(void **state)
{
    struct worker old, new;

    (void)state;
    begin(&old, "a", LONG_MS);
    atomic_store(&old.deaf, true);
    until(&old.has);
    begin(&new, "a", LONG_MS);
    until(&old.told);
    assert_true(turns_lost(turns, &old.turn));
    assert_false(atomic_load(&new.has));
    atomic_store(&old.deaf, false);
    until(&new.has);
    tell(&new);
    ended(&old);
    ended(&new);
}

static void other_names_are_left_alone(void **state)
{
    struct worker a, b;

    (void)state;
    begin(&a, "a", LONG_MS);
    begin(&b, "b", LONG_MS);
    until(&a.has);
    until(&b.has);
    assert_false(atomic_load(&a.told));
    assert_false(atomic_load(&b.told));
    tell(&a);
    tell(&b);
    assert_int_equal(ended(&a), RC_OK);
    assert_int_equal(ended(&b), RC_OK);
}

static void who_does_not_end_in_time_keeps_the_turn(void **state)
{
    struct worker old, new;

    (void)state;
    begin(&old, "a", LONG_MS);
    atomic_store(&old.deaf, true);
    until(&old.has);
    begin(&new, "a", 30);
    assert_int_equal(ended(&new), RC_BUSY);
    assert_true(atomic_load(&old.has));
    atomic_store(&old.deaf, false);
    assert_int_equal(ended(&old), RC_OK);
}

static void of_several_that_wait_the_newest_has_it(void **state)
{
    struct worker old, middle, new;

    (void)state;
    begin(&old, "a", LONG_MS);
    atomic_store(&old.deaf, true);
    until(&old.has);
    begin(&middle, "a", LONG_MS);
    until(&old.told);
    begin(&new, "a", LONG_MS);
    assert_int_equal(ended(&middle), RC_STOPPED);
    atomic_store(&old.deaf, false);
    until(&new.has);
    tell(&new);
    assert_int_equal(ended(&old), RC_OK);
    assert_int_equal(ended(&new), RC_OK);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(the_one_before_is_stopped_and_then_the_turn_is_free),
        TEST(the_one_before_can_see_that_its_turn_is_lost),
        TEST(other_names_are_left_alone),
        TEST(who_does_not_end_in_time_keeps_the_turn),
        TEST(of_several_that_wait_the_newest_has_it),
    };
    return cmocka_run_group_tests_name("turns", tests, NULL, NULL);
}
