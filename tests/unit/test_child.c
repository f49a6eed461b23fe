/* What a child program is to the process that started it. */
#include "child.h"

#include "check.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
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
    jail_close(jail);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_dies_with_a_worker_that_is_killed),
        cmocka_unit_test(in_the_jail_too),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
