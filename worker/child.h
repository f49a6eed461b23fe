/*
 * child.h: starting, signalling and reaping one child program. The only file of the
 * program that forks.
 *
 * A child runs in a process group of its own, dies with the worker (PR_SET_PDEATHSIG)
 * and has no descriptor but its three standard ones and, if asked for, a second output.
 */
#ifndef DROPSTREAM_CHILD_H
#define DROPSTREAM_CHILD_H

#include "jail.h"
#include "rc.h"

#include <stdbool.h>
#include <sys/types.h>

struct child {
    pid_t pid;
    int in_fd;     /* what it reads from standard input; non-blocking. -1: /dev/null */
    int out_fd;    /* what it writes to standard output; non-blocking */
    int second_fd; /* what it writes to descriptor 3; non-blocking. -1: there is none */
    int err_fd;    /* what it writes to standard error; non-blocking */
};

#define CHILD_SECOND_FD 3 /* of the second output, as the child sees it */

struct child_how {
    int nice;                     /* 0..19, added; its reads stand back likewise */
    const struct jail_cell *jail; /* that it runs in; NULL: as free as its parent */
    bool fed;                     /* it reads a pipe, else /dev/null */
    bool second;                  /* it has a second output */
    int to_fd; /* the write end of a pipe that it writes to, which stays the caller's;
                  -1: to out_fd, else that is -1 */
};

/* Starts argv[0] (looked up in PATH). The caller owns the descriptors of *out and must
 * reap the child. RC_NOT_FOUND: there is no such program; RC_IO, RC_NOMEM;
 * and what jail_prepare returns. */
enum rc child_start(char *const *argv, const struct child_how *how, struct child *out);

/* Sends sig to the child's whole process group. Harmless after it was reaped. */
void child_signal(const struct child *c, int sig);

/* True if the child itself has ended; it stays to be reaped, and its group's number
 * with it. Never blocks. */
bool child_has_ended(const struct child *c);

/* Kills what is left of the child's process group, waits for the child and sets pid to
 * 0. *status is that of waitpid(2). */
void child_reap(struct child *c, int *status);

#endif
