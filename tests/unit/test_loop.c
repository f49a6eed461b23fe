#include "check.h"

#include "loop.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static struct loop *loop;
static char calls[256]; /* what was called, in order */

static int setup(void **state)
{
    (void)state;
    calls[0] = '\0';
    return loop_open(&loop) == RC_OK ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    loop_close(loop);
    return 0;
}

/* What note writes down when it gets this. */
static void *letter(char c)
{
    static char alphabet[] = "abcdefghijklmnopqrstuvwxyz";
    return &alphabet[c - 'a'];
}

static void note(void *arg)
{
    if (strlen(calls) < sizeof(calls) - 1)
        strncat(calls, arg, 1);
}

static void stop(void *arg)
{
    (void)arg;
    loop_stop(loop);
}

static void run_for(int64_t ms)
{
    struct loop_timer t = {0};
    loop_timer_set(loop, &t, ms, stop, NULL);
    assert_int_equal(loop_run(loop), RC_OK);
}

static int64_t now_us(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

/* ---- timers ------------------------------------------------------------- */

static void timers_fire_once_in_the_order_of_their_times(void **state)
{
    (void)state;
    struct loop_timer a = {0}, b = {0}, c = {0}, d = {0};
    loop_timer_set(loop, &c, 20, note, letter('c'));
    loop_timer_set(loop, &a, 0, note, letter('a'));
    loop_timer_set(loop, &d, 20, note, letter('d')); /* equal times: as they were set */
    loop_timer_set(loop, &b, 10, note, letter('b'));
    assert_true(a.is_set);
    run_for(40);
    assert_string_equal(calls, "abcd");
    assert_false(a.is_set || b.is_set || c.is_set || d.is_set);
}

static void a_cancelled_timer_does_not_fire(void **state)
{
    (void)state;
    struct loop_timer a = {0}, b = {0}, c = {0}, never = {0};
    loop_timer_set(loop, &a, 5, note, letter('a'));
    loop_timer_set(loop, &b, 5, note, letter('b'));
    loop_timer_set(loop, &c, 5, note, letter('c'));
    loop_timer_cancel(loop, &b);
    loop_timer_cancel(loop, &b);
    loop_timer_cancel(loop, &never);
    assert_false(b.is_set);
    run_for(20);
    assert_string_equal(calls, "ac");
}

static void a_timer_that_is_set_again_moves(void **state)
{
    (void)state;
    struct loop_timer a = {0}, b = {0};
    loop_timer_set(loop, &a, 60000, note, letter('x'));
    loop_timer_set(loop, &b, 10, note, letter('b'));
    loop_timer_set(loop, &a, 0, note, letter('a'));
    run_for(30);
    assert_string_equal(calls, "ab");
}

static struct loop_timer victim, again;

static void cancel_victim(void *arg)
{
    note(arg);
    loop_timer_cancel(loop, &victim);
}

static void a_timer_may_cancel_one_that_is_due_as_well(void **state)
{
    (void)state;
    struct loop_timer a = {0};
    loop_timer_set(loop, &a, 0, cancel_victim, letter('a'));
    loop_timer_set(loop, &victim, 0, note, letter('v'));
    usleep(5000);
    run_for(10);
    assert_string_equal(calls, "a");
}

static int rounds;

static void set_again(void *arg)
{
    rounds++;
    loop_timer_set(loop, &again, 0, set_again, arg);
}

/* Else a callback that always finds more to do would keep all others waiting. */
static void a_timer_that_sets_itself_lets_others_have_their_turn(void **state)
{
    (void)state;
    rounds = 0;
    loop_timer_set(loop, &again, 0, set_again, NULL);
    run_for(30);
    assert_in_range(rounds, 1, 32);
    loop_timer_cancel(loop, &again);
}

static void what_is_set_when_the_loop_stops_fires_when_it_goes_on(void **state)
{
    (void)state;
    struct loop_timer first = {0}, second = {0};
    loop_timer_set(loop, &first, 0, stop, NULL);
    loop_timer_set(loop, &second, 0, note, letter('s'));
    usleep(5000);
    assert_int_equal(loop_run(loop), RC_OK);
    assert_string_equal(calls, "");
    run_for(5);
    assert_string_equal(calls, "s");
}

/* ---- descriptors -------------------------------------------------------- */

struct reader {
    int fd[2];
    struct loop_source *source;
    struct reader *other; /* removed by whoever is called first */
    char name;
};

static void watch(struct reader *r, char name, void (*ready)(void *))
{
    *r = (struct reader){.name = name};
    assert_int_equal(pipe2(r->fd, O_CLOEXEC | O_NONBLOCK), 0);
    assert_int_equal(loop_watch(loop, r->fd[0], ready, r, &r->source), RC_OK);
}

static void unwatch(struct reader *r)
{
    loop_unwatch(loop, r->source);
    r->source = NULL;
    close(r->fd[0]);
    if (r->fd[1] >= 0)
        close(r->fd[1]);
}

static void take(void *arg)
{
    struct reader *r = arg;
    char c;
    note(letter(r->name));
    if (read(r->fd[0], &c, 1) == 1)
        return;
    note(letter('e'));
    loop_stop(loop);
}

static void a_source_is_called_until_it_is_read_empty(void **state)
{
    (void)state;
    struct reader r;
    watch(&r, 'r', take);
    run_for(5);
    assert_string_equal(calls, "");
    assert_int_equal(write(r.fd[1], "xyz", 3), 3);
    run_for(20);
    assert_string_equal(calls, "rrr");
    unwatch(&r);
}

static void the_other_end_hanging_up_is_told(void **state)
{
    (void)state;
    struct reader r;
    watch(&r, 'r', take);
    close(r.fd[1]);
    r.fd[1] = -1;
    assert_int_equal(loop_run(loop), RC_OK);
    assert_string_equal(calls, "re");
    unwatch(&r);
}

static void remove_the_other(void *arg)
{
    struct reader *r = arg;
    note(letter(r->name));
    unwatch(r->other);
    unwatch(r);
}

static void a_source_that_another_removed_is_not_called(void **state)
{
    (void)state;
    struct reader a, b;
    watch(&a, 'x', remove_the_other);
    watch(&b, 'x', remove_the_other);
    a.other = &b;
    b.other = &a;
    assert_int_equal(write(a.fd[1], "x", 1), 1);
    assert_int_equal(write(b.fd[1], "x", 1), 1);
    run_for(20);
    assert_string_equal(calls, "x");
}

static struct reader reused;

static void replace(void *arg)
{
    struct reader *r = arg;
    int old = r->fd[0];
    note(letter(r->name));
    unwatch(r);
    watch(&reused, 'n', take);
    assert_int_equal(reused.fd[0], old);
}

/* The descriptor's number is taken again at once; the old events are not the new's. */
static void a_source_may_be_replaced_by_one_with_the_same_number(void **state)
{
    (void)state;
    struct reader r;
    watch(&r, 'o', replace);
    assert_int_equal(write(r.fd[1], "x", 1), 1);
    run_for(20);
    assert_string_equal(calls, "o");
    assert_int_equal(write(reused.fd[1], "x", 1), 1);
    run_for(20);
    assert_string_equal(calls, "on");
    unwatch(&reused);
}

static void leave(void *arg)
{
    note(letter(((struct reader *)arg)->name));
}

static void timers_fire_beside_a_source_that_is_always_ready(void **state)
{
    (void)state;
    struct reader r;
    watch(&r, 'r', leave);
    assert_int_equal(write(r.fd[1], "x", 1), 1);
    run_for(20);
    assert_memory_equal(calls, "rrr", 3);
    unwatch(&r);
}

/* A loop that is awake all the time notices the very moment that a timer is due. */
static void no_timer_fires_early(void **state)
{
    (void)state;
    struct reader r;
    watch(&r, 'r', leave);
    assert_int_equal(write(r.fd[1], "x", 1), 1);
    for (int i = 0; i < 40; i++) {
        int64_t began = now_us();
        run_for(i % 4);
        assert_true(now_us() - began >= i % 4 * 1000);
    }
    unwatch(&r);
}

/* ---- rests --------------------------------------------------------------- */

static void rest(void *arg)
{
    struct reader *r = arg;
    note(letter(r->name));
    loop_rest(loop, r->source, 10);
    if (strlen(calls) == 4)
        loop_stop(loop);
}

static void a_source_that_rests_is_called_when_it_has_rested(void **state)
{
    (void)state;
    struct reader r;
    int64_t began = now_us();
    watch(&r, 'r', rest);
    assert_int_equal(write(r.fd[1], "x", 1), 1);
    assert_int_equal(loop_run(loop), RC_OK);
    assert_string_equal(calls, "rrrr");
    assert_true(now_us() - began >= 30000);
    unwatch(&r);
}

/* epoll would tell of it again and again. */
static void a_hang_up_does_not_break_a_rest(void **state)
{
    (void)state;
    struct reader r;
    int64_t began = now_us();
    watch(&r, 'r', rest);
    close(r.fd[1]);
    r.fd[1] = -1;
    assert_int_equal(loop_run(loop), RC_OK);
    assert_string_equal(calls, "rrrr");
    assert_true(now_us() - began >= 30000);
    unwatch(&r);
}

static void rest_both(void *arg)
{
    struct reader *r = arg;
    note(letter(r->name));
    loop_rest(loop, r->other->source, 10000);
    loop_rest(loop, r->source, 10000);
}

static void a_source_that_another_laid_to_rest_is_not_called(void **state)
{
    (void)state;
    struct reader a, b;
    watch(&a, 'x', rest_both);
    watch(&b, 'x', rest_both);
    a.other = &b;
    b.other = &a;
    assert_int_equal(write(a.fd[1], "x", 1), 1);
    assert_int_equal(write(b.fd[1], "x", 1), 1);
    run_for(20);
    assert_string_equal(calls, "x");
    unwatch(&a);
    unwatch(&b);
}

static void a_rest_may_be_made_shorter(void **state)
{
    (void)state;
    struct reader r;
    watch(&r, 'r', take);
    loop_rest(loop, r.source, 10000);
    assert_int_equal(write(r.fd[1], "x", 1), 1);
    run_for(5);
    assert_string_equal(calls, "");
    loop_rest(loop, r.source, 0);
    run_for(20);
    assert_string_equal(calls, "r");
    unwatch(&r);
}

static void a_source_may_be_removed_while_it_rests(void **state)
{
    (void)state;
    struct reader r;
    watch(&r, 'r', take);
    assert_int_equal(write(r.fd[1], "x", 1), 1);
    loop_rest(loop, r.source, 5);
    unwatch(&r);
    run_for(20);
    assert_string_equal(calls, "");
}

static void what_cannot_be_watched_is_refused(void **state)
{
    (void)state;
    struct loop_source *source = NULL;
    int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    close(fd);
    assert_int_equal(loop_watch(loop, fd, note, letter('a'), &source), RC_IO);
    fd = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    assert_int_equal(loop_watch(loop, fd, note, letter('a'), &source), RC_IO);
    assert_null(source);
    close(fd);
    loop_unwatch(loop, NULL);
    loop_close(NULL);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(timers_fire_once_in_the_order_of_their_times),
        TEST(a_cancelled_timer_does_not_fire),
        TEST(a_timer_that_is_set_again_moves),
        TEST(a_timer_may_cancel_one_that_is_due_as_well),
        TEST(a_timer_that_sets_itself_lets_others_have_their_turn),
        TEST(what_is_set_when_the_loop_stops_fires_when_it_goes_on),
        TEST(a_source_is_called_until_it_is_read_empty),
        TEST(the_other_end_hanging_up_is_told),
        TEST(a_source_that_another_removed_is_not_called),
        TEST(a_source_may_be_replaced_by_one_with_the_same_number),
        TEST(timers_fire_beside_a_source_that_is_always_ready),
        TEST(no_timer_fires_early),
        TEST(a_source_that_rests_is_called_when_it_has_rested),
        TEST(a_hang_up_does_not_break_a_rest),
        TEST(a_source_that_another_laid_to_rest_is_not_called),
        TEST(a_rest_may_be_made_shorter),
        TEST(a_source_may_be_removed_while_it_rests),
        TEST(what_cannot_be_watched_is_refused),
    };
    return cmocka_run_group_tests_name("loop", tests, NULL, NULL);
}
