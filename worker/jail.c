#include "jail_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/seccomp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define FILES 64 /* descriptors: its own few, and a library at a time */

extern char **environ;

struct jail {
    struct sock_fprog filter;
    int version; /* of Landlock; 0: none */
    struct jail_rule rules[JAIL_RULES_MAX];
    size_t n_rules;
    int64_t memory_bytes;
    char lacks[128];
};

enum rc jail_open(const struct jail_spec *spec, struct jail **out)
{
    struct jail *j = calloc(1, sizeof(*j));
    if (!j)
        return RC_NOMEM;
    enum rc rc = jail_filter_make(&j->filter);
    if (rc != RC_OK) {
        free(j);
        return rc;
    }
    j->memory_bytes = spec->memory_bytes;
    j->version = jail_rules_version();
    if (j->version > 0)
        j->n_rules = jail_rules_open(spec->more, j->rules);
    else
        snprintf(j->lacks, sizeof(j->lacks),
                 "The kernel has no Landlock: programs that read uploads see all files "
                 "of the site's user.");
    *out = j;
    return RC_OK;
}

void jail_close(struct jail *j)
{
    if (!j)
        return;
    jail_rules_close(j->rules, j->n_rules);
    free(j->filter.filter);
    free(j);
}

const char *jail_lacks(const struct jail *j)
{
    return j->lacks;
}

/* ---- in the parent ---------------------------------------------------------- */

/* RC_NOT_FOUND: this is no program that could be started. */
static enum rc open_program(const char *path, int *out)
{
    struct stat st;
    char head[2] = "";
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (fd < 0)
        return errno == EACCES ? RC_NOT_FOUND : rc_from_errno(errno);
    bool fine = fstat(fd, &st) == 0 && S_ISREG(st.st_mode) &&
                faccessat(AT_FDCWD, path, X_OK, AT_EACCESS) == 0;
    bool script = pread(fd, head, 2, 0) == 2 && memcmp(head, "#!", 2) == 0;
    if (fine && !script) {
        *out = fd;
        return RC_OK;
    }
    close(fd);
    return fine ? RC_UNSUPPORTED : RC_NOT_FOUND;
}

/* As execvp(3) does it. */
static enum rc find_program(const char *name, int *out)
{
    char path[PATH_MAX];
    const char *dirs = getenv("PATH");
    if (strchr(name, '/'))
        return open_program(name, out);
    for (const char *d = dirs ? dirs : "/usr/bin:/bin"; *d;) {
        int size = (int)strcspn(d, ":");
        int n = snprintf(path, sizeof(path), "%.*s/%s", size, d, name);
        enum rc rc = n < (int)sizeof(path) ? open_program(path, out) : RC_NOT_FOUND;
        if (rc == RC_OK || rc == RC_UNSUPPORTED)
            return rc;
        d += size;
        d += *d == ':';
    }
    return RC_NOT_FOUND;
}

/* Beyond the number that the child wants for the program. */
static int moved(int fd)
{
    int other = fd >= 0 ? fcntl(fd, F_DUPFD_CLOEXEC, JAIL_PROGRAM_FD + 1) : -1;
    if (fd >= 0)
        close(fd);
    return other;
}

static enum rc make_rules(const struct jail *j, struct jail_cell *c)
{
    if (j->version == 0)
        return RC_OK;
    int fd = jail_rules_make(j->version, j->rules, j->n_rules, c->program_fd, c->reads);
    if (fd < 0)
        return rc_from_errno(errno);
    c->rules_fd = moved(fd);
    return c->rules_fd < 0 ? RC_IO : RC_OK;
}

enum rc jail_prepare(struct jail_cell *c, const char *program)
{
    c->program_fd = c->rules_fd = -1;
    int fd = -1;
    enum rc rc = find_program(program, &fd);
    if (rc != RC_OK)
        return rc;
    c->program_fd = moved(fd);
    rc = c->program_fd < 0 ? RC_IO : make_rules(c->jail, c);
    if (rc != RC_OK)
        jail_leave(c);
    return rc;
}

void jail_leave(struct jail_cell *c)
{
    if (c->program_fd >= 0)
        close(c->program_fd);
    if (c->rules_fd >= 0)
        close(c->rules_fd);
    c->program_fd = c->rules_fd = -1;
}

/* ---- in the child: system calls alone ---------------------------------------- */

static bool limit(int what, int64_t most)
{
    struct rlimit r = {.rlim_cur = (rlim_t)most, .rlim_max = (rlim_t)most};
    return setrlimit(what, &r) == 0;
}

static bool set_limits(const struct jail_cell *c)
{
    return limit(RLIMIT_CORE, 0) && limit(RLIMIT_FSIZE, 0) &&
           limit(RLIMIT_NOFILE, FILES) &&
           (c->jail->memory_bytes <= 0 || limit(RLIMIT_AS, c->jail->memory_bytes)) &&
           (c->cpu_s <= 0 || limit(RLIMIT_CPU, c->cpu_s));
}

void jail_enter(const struct jail_cell *c, char *const *argv)
{
    if (dup3(c->program_fd, JAIL_PROGRAM_FD, O_CLOEXEC) < 0 || !set_limits(c) ||
        prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
        return;
    if (c->rules_fd >= 0 && jail_rules_enter(c->rules_fd) != 0)
        return;
    if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &c->jail->filter, 0, 0) != 0)
        return;
    syscall(SYS_execveat, JAIL_PROGRAM_FD, jail_no_path, argv, environ, AT_EMPTY_PATH);
}
