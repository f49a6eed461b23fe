/* The time that a process has for itself, on a core of its own and on a crowded one. */
#include "own_time.h"

#include "loop.h"
#include "starved.h"
#include "supervise_run.h"

#include <sys/resource.h>
#include <time.h>

#define TAKES 5

static void pass_ms(int64_t ms)
{
    const struct timespec t = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};
    nanosleep(&t, NULL);
}

static pid_t sleeping(void)
{
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        for (;;)
            pause();
    }
    return pid;
}

static void end(pid_t pid)
{
    kill(pid, SIGKILL);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
}

/* In ms, of the ms in *passed. */
static int64_t own_of(pid_t pid, int64_t *passed)
{
    int64_t began_ms = loop_now_ms(), own_ms = 0;
    struct own_time t = own_time_from_now(pid);
    for (int i = 0; i < TAKES; i++) {
        pass_ms(100);
        own_ms += own_time_take(&t, pid);
    }
    *passed = t.at_ms - began_ms;
    return own_ms;
}

static void time_in_which_nothing_is_wanted_is_its_own(void **state)
{
    (void)state;
    int64_t passed;
    pid_t pid = sleeping();
    pass_ms(100); /* until it sleeps */
    int64_t own_ms = own_of(pid, &passed);
    end(pid);
    assert_in_range(own_ms, passed * 9 / 10, passed);
}

static void time_that_is_spent_waiting_for_a_core_is_not(void **state)
{
    (void)state;
    int64_t passed;
    struct starved crowd = starved_begin(60);
    pid_t pid = spin_for(60);
    assert_int_equal(setpriority(PRIO_PROCESS, (id_t)pid, 19), 0);
    int64_t own_ms = own_of(pid, &passed);
    end(pid);
    starved_end(&crowd);
    assert_in_range(own_ms, 0, passed / 2);
}

static void time_in_which_it_runs_is_its_own(void **state)
{
    (void)state;
    pid_t pid = spin_for(60);
    struct own_time t = own_time_from_now(pid);
    int64_t before_us = t.cpu_us;
    pass_ms(300);
    int64_t own_ms = own_time_take(&t, pid);
    end(pid);
    assert_true(before_us >= 0 && t.cpu_us > before_us);
    assert_true(own_ms >= (t.cpu_us - before_us) / 1000 - 1);
}

static void one_that_has_ended_has_all_the_time(void **state)
{
    (void)state;
    pid_t pid = sleeping();
    struct own_time t = own_time_from_now(pid);
    siginfo_t info;
    kill(pid, SIGKILL);
    assert_int_equal(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), 0);
    pass_ms(20);
    assert_true(own_time_take(&t, pid) >= 19);
    end(pid);
}

/* It has a sixtieth of a core for longer than it may be silent. */
static void waiting_for_a_core_is_no_silence(void **state)
{
    (void)state;
    struct how how = {.stall_ms = 700, .limit_ms = 900, .nice = 19};
    struct starved crowd = starved_begin(3);
    const struct run *r = run_script(
        "i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done; echo done", &how);
    starved_end(&crowd);
    assert_exited(r, 0);
    assert_string_equal(r->out, "done\n");
    assert_true(r->took_ms > how.limit_ms);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(time_in_which_nothing_is_wanted_is_its_own),
        cmocka_unit_test(time_that_is_spent_waiting_for_a_core_is_not),
        cmocka_unit_test(time_in_which_it_runs_is_its_own),
        cmocka_unit_test(one_that_has_ended_has_all_the_time),
        cmocka_unit_test(waiting_for_a_core_is_no_silence),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
