/*
 * jail.h: what a program that reads what strangers send may do. It may compute, read
 * one file and the libraries that it needs, and write to the descriptors that it was
 * given; nothing else: no file, no network, no other program, no signal to anybody.
 *
 * Three fences, each of which the kernel keeps on its own: limits (setrlimit(2)), the
 * file system (landlock(7)) and the list of system calls (seccomp(2)). Landlock may be
 * missing: see jail_lacks. All of it is prepared by the parent; the child that enters
 * is between fork and exec, and only makes system calls.
 */
#ifndef DROPSTREAM_JAIL_H
#define DROPSTREAM_JAIL_H

#include "rc.h"

#include <stddef.h>
#include <stdint.h>

struct jail; /* what is the same for every child */

struct jail_spec {
    int64_t memory_bytes; /* of address space; 0: no limit */
    const char *more;     /* a file or folder that may be read too, as a program needs
                             that was not installed by the system; "": none */
    const char *site;     /* a folder that has to be out of reach */
};

/* The strings of spec outlive *out. RC_UNSUPPORTED: the kernel keeps no list of system
 * calls, or has another one than is known here (of a machine of 32 bits), or who
 * started this program has taken seccomp(2) from it. RC_NOMEM, RC_IO. */
enum rc jail_open(const struct jail_spec *spec, struct jail **out);
void jail_close(struct jail *j); /* NULL is fine */

/* What it cannot keep a program from, as a sentence; "" if from all. */
const char *jail_lacks(const struct jail *j);

#define JAIL_READS 2

/* What is particular to one child. */
struct jail_cell {
    const struct jail *jail;
    const char *reads[JAIL_READS]; /* the files that it may read; NULL: no more */
    int64_t cpu_s;                 /* of CPU time, then it is killed; 0: no limit */
};

/* What the parent holds for a child until that has entered. */
struct jail_door {
    const struct jail_cell *cell;
    int program_fd;
    int rules_fd; /* -1: the kernel has no Landlock */
};

#define JAIL_PROGRAM_FD 9 /* where the child has program_fd, until exec closes it */

/*
 * In the parent, before fork: finds the program (in PATH, if its name has no slash) and
 * opens what the child needs. A file that is not there is none that could be read. cell
 * outlives *out. RC_NOT_FOUND: there is no such program. RC_UNSUPPORTED: it is a
 * script, which cannot be started in a jail, as that would need to start its
 * interpreter. RC_IO, RC_NOMEM.
 */
enum rc jail_prepare(const struct jail_cell *cell, const char *program,
                     struct jail_door *out);
void jail_leave(struct jail_door *d); /* in the parent, after fork */

/* In the child: begins the program, or returns with errno set. None of its descriptors
 * that matter may have the number JAIL_PROGRAM_FD. */
void jail_enter(const struct jail_door *d, char *const *argv);

#endif
