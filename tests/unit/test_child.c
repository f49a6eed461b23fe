/* What a child program is to the process that started it. */
#include "child.h"

#include "check.h"

#include <errno.h>
#include <linux/ioprio.h>
#include <seccomp.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define PATIENCE_MS 20000

/* Does nothing that would tell it that nobody is there any more. */
static char *const standing_still[] = {(char[]){"sleep"}, (char[]){"600"}, NULL};

/* Starts a program as a worker does, tells its number and is killed. */
static _Noreturn void be_worker(const struct jail_cell *cell, int to_fd)
{
    struct child c;
    const struct child_how how = {.to_fd = -1, .jail = cell};
    if (child_start(standing_still, &how, &c) == RC_OK &&
        write(to_fd, &c.pid, sizeof(c.pid)) == sizeof(c.pid))
        kill(getpid(), SIGKILL);
    _exit(1);
}

/* The signal that the child of a worker that was killed ended by; SIGALRM if it had to
 * be ended from here. */
static int end_without_worker(const struct jail_cell *cell)
{
    int fds[2], status = 0;
    pid_t orphan = 0;
    assert_int_equal(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
    assert_int_equal(pipe(fds), 0);
    pid_t worker = fork();
    assert_true(worker >= 0);
    if (worker == 0)
        be_worker(cell, fds[1]);
    close(fds[1]);
    assert_int_equal(read(fds[0], &orphan, sizeof(orphan)), sizeof(orphan));
    close(fds[0]);
    assert_int_equal(waitpid(worker, &status, 0), worker);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    pid_t ended = 0;
    for (int ms = 0; ms < PATIENCE_MS && ended == 0; ms++) {
        ended = waitpid(orphan, &status, WNOHANG);
        usleep(1000);
    }
    if (ended == 0) {
        kill(orphan, SIGALRM);
        ended = waitpid(orphan, &status, 0);
    }
    assert_int_equal(ended, orphan);
    assert_true(WIFSIGNALED(status));
    return WTERMSIG(status);
}

static void it_dies_with_a_worker_that_is_killed(void **state)
{
    (void)state;
    assert_int_equal(end_without_worker(NULL), SIGKILL);
}

/* ---- its turn at the disk ------------------------------------------------------ */

#define BEST_EFFORT(level) IOPRIO_PRIO_VALUE(IOPRIO_CLASS_BE, level)
#define IDLE IOPRIO_PRIO_VALUE(IOPRIO_CLASS_IDLE, 0)

static long priority_of(pid_t pid)
{
    return syscall(SYS_ioprio_get, IOPRIO_WHO_PROCESS, pid);
}

static bool take_priority(long priority)
{
    return syscall(SYS_ioprio_set, IOPRIO_WHO_PROCESS, 0, priority) == 0;
}

/* Of a child that stands back so far. */
static long priority_at(int nice, const struct jail_cell *cell)
{
    struct child c;
    int status;
    const struct child_how how = {.nice = nice, .to_fd = -1, .jail = cell};
    assert_int_equal(child_start(standing_still, &how, &c), RC_OK);
    long priority = priority_of(c.pid);
    child_reap(&c, &status);
    close(c.out_fd);
    close(c.err_fd);
    return priority;
}

static void the_nicer_it_is_the_later_it_reads(void **state)
{
    (void)state;
    static const struct {
        long worker;
        int nice;
        long child;
    } cases[] = {
        {BEST_EFFORT(4), 0, BEST_EFFORT(4)},  {BEST_EFFORT(4), 5, BEST_EFFORT(5)},
        {BEST_EFFORT(4), 10, BEST_EFFORT(6)}, {BEST_EFFORT(4), 19, BEST_EFFORT(7)},
        {BEST_EFFORT(0), 10, BEST_EFFORT(6)}, {BEST_EFFORT(6), 5, BEST_EFFORT(6)},
        {BEST_EFFORT(6), 19, BEST_EFFORT(7)}, {IDLE, 5, IDLE},
    };
    long own = priority_of(0);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        if (take_priority(cases[i].worker))
            assert_int_equal(priority_at(cases[i].nice, NULL), cases[i].child);
        else
            print_message("the kernel refuses priority %ld\n", cases[i].worker);
    take_priority(own);
}

/* Of a worker for which nobody chose one. */
static void a_worker_that_is_nice_itself_has_none_that_are_less(void **state)
{
    (void)state;
    int status;
    pid_t worker = fork();
    assert_true(worker >= 0);
    if (worker == 0) {
        bool as_it_is =
            !take_priority(0) || nice(15 - getpriority(PRIO_PROCESS, 0)) < 15;
        _exit(as_it_is || priority_at(1, NULL) == BEST_EFFORT(7) ? 0 : 1);
    }
    assert_int_equal(waitpid(worker, &status, 0), worker);
    assert_int_equal(status, 0);
}

static void where_the_kernel_refuses_it_runs_all_the_same(void **state)
{
    (void)state;
    int status;
    if (getenv("DROPSTREAM_UNDER"))
        skip();
    pid_t worker = fork();
    assert_true(worker >= 0);
    if (worker == 0) {
        scmp_filter_ctx f = seccomp_init(SCMP_ACT_ALLOW);
        bool refused =
            seccomp_rule_add(f, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(ioprio_set), 0) == 0 &&
            seccomp_load(f) == 0;
        seccomp_release(f);
        long own = priority_of(0);
        _exit(refused && priority_at(10, NULL) == own ? 0 : 1);
    }
    assert_int_equal(waitpid(worker, &status, 0), worker);
    assert_int_equal(status, 0);
}

static void in_the_jail_too(void **state)
{
    (void)state;
    const struct jail_spec spec = {.more = "", .site = "/srv"};
    struct jail *jail;
    if (getenv("DROPSTREAM_UNDER")) /* valgrind knows no seccomp(2) */
        skip();
    assert_int_equal(jail_open(&spec, &jail), RC_OK);
    const struct jail_cell cell = {.jail = jail};
    assert_int_equal(end_without_worker(&cell), SIGKILL);
    if (take_priority(priority_of(0)))
        assert_int_equal(priority_at(19, &cell), BEST_EFFORT(7));
    jail_close(jail);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_dies_with_a_worker_that_is_killed),
        cmocka_unit_test(the_nicer_it_is_the_later_it_reads),
        cmocka_unit_test(a_worker_that_is_nice_itself_has_none_that_are_less),
        cmocka_unit_test(where_the_kernel_refuses_it_runs_all_the_same),
        cmocka_unit_test(in_the_jail_too),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
