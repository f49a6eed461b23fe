/*
 * starved.h: a core that this process shares with one that spins, so that a child with
 * a high nice value hardly runs.
 */
#ifndef DROPSTREAM_TEST_STARVED_H
#define DROPSTREAM_TEST_STARVED_H

#include "check.h"

#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

struct starved {
    cpu_set_t before; /* the cores that this process may use otherwise */
    pid_t spinning;
};

/* Ends by itself after s seconds. */
static inline pid_t spin_for(unsigned s)
{
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        signal(SIGALRM, SIG_DFL);
        alarm(s);
        for (;;)
            ;
    }
    return pid;
}

static inline struct starved starved_begin(unsigned s)
{
    struct starved it;
    cpu_set_t one;
    int cpu = 0;
    assert_int_equal(sched_getaffinity(0, sizeof(it.before), &it.before), 0);
    while (!CPU_ISSET(cpu, &it.before))
        cpu++;
    CPU_ZERO(&one);
    CPU_SET(cpu, &one);
    assert_int_equal(sched_setaffinity(0, sizeof(one), &one), 0);
    it.spinning = spin_for(s);
    return it;
}

static inline void starved_end(const struct starved *it)
{
    kill(it->spinning, SIGKILL);
    assert_int_equal(waitpid(it->spinning, NULL, 0), it->spinning);
    assert_int_equal(sched_setaffinity(0, sizeof(it->before), &it->before), 0);
}

#endif
