/* jail_priv.h: between jail.c and its fences. */
#ifndef DROPSTREAM_JAIL_PRIV_H
#define DROPSTREAM_JAIL_PRIV_H

#include "jail.h"

#include <linux/filter.h>

/* The path that execveat(2) is given; the filter knows its address. */
extern const char jail_no_path[1];

/* The list of system calls as a program for the kernel. The caller frees out->filter.
 * RC_NOMEM, RC_IO, RC_UNSUPPORTED. */
enum rc jail_filter_make(struct sock_fprog *out);

/* The version of Landlock that the kernel has; 0: it has none. */
int jail_rules_version(void);

/* The folder that everyone in a jail may read and that path lies in; NULL: none. */
const char *jail_rules_over(const char *path);

/* A ruleset: what every child may read, more (as in jail_spec), the program and its
 * loader, and the files that are read (NULL: no more). Its descriptor; -1 with errno
 * set. */
int jail_rules_make(int version, const char *more, int program_fd,
                    const char *const reads[JAIL_READS]);

/* In the child. 0; -1 with errno set. */
int jail_rules_enter(int rules_fd);

#endif
