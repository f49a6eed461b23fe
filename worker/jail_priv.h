/* jail_priv.h: between jail.c and its fences. */
#ifndef DROPSTREAM_JAIL_PRIV_H
#define DROPSTREAM_JAIL_PRIV_H

#include "jail.h"

#include <linux/filter.h>

/* The path that execveat(2) is given; the filter knows its address. */
extern const char jail_no_path[1];

/* The list of system calls as a program for the kernel. The caller frees out->filter.
 * RC_NOMEM, RC_UNSUPPORTED. */
enum rc jail_filter_make(struct sock_fprog *out);

/* The version of Landlock that the kernel has; 0: it has none. */
int jail_rules_version(void);

/* What every child may read. more: as in jail_spec. fds: of what is there, n at most
 * JAIL_RULES_MAX; the caller closes them. */
#define JAIL_RULES_MAX 24
struct jail_rule {
    int fd;
    uint64_t rights; /* LANDLOCK_ACCESS_FS_… */
};
size_t jail_rules_open(const char *more, struct jail_rule rules[JAIL_RULES_MAX]);
void jail_rules_close(struct jail_rule *rules, size_t n);

/* A ruleset of these, the program and the files that are read (NULL: no more). Its
 * descriptor; -1 with errno set. */
int jail_rules_make(int version, const struct jail_rule *rules, size_t n,
                    int program_fd, const char *const reads[JAIL_READS]);

/* In the child. 0; -1 with errno set. */
int jail_rules_enter(int rules_fd);

#endif
