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

#define FILES 64      /* descriptors: its own few, and a library at a time */
#define ENVIRONMENT 8 /* variables of it that are handed on, at most */

extern char **environ;

struct jail {
    struct sock_fprog filter;
    int version; /* of Landlock; 0: none */
    const char *more;
    int64_t memory_bytes;
    char *environment[ENVIRONMENT + 1]; /* parts of the worker's own, and constants */
    char lacks[256];
};

/* What a program needs to be found and to speak; nobody else's secrets. And few heaps:
 * the address space that each thread's own would take is limited. */
static void choose_environment(struct jail *j)
{
    static char heaps[] = "MALLOC_ARENA_MAX=4";
    static const char *const kept[] = {
        "PATH=", "LANG=", "LC_ALL=", "TZ=", "TMPDIR=", "LD_LIBRARY_PATH="};
    int n = 0;
    for (size_t i = 0; i < sizeof(kept) / sizeof(kept[0]); i++)
        for (char **e = environ; *e; e++)
            if (strncmp(*e, kept[i], strlen(kept[i])) == 0) {
                j->environment[n++] = *e;
                break;
            }
    j->environment[n] = heaps;
}

static void find_lacks(struct jail *j, const char *site)
{
    const char *over = j->version > 0 ? jail_rules_over(site) : NULL;
    if (j->version == 0)
        snprintf(j->lacks, sizeof(j->lacks),
                 "The kernel has no Landlock: programs that read uploads can read all "
                 "that the site's user can.");
    else if (over)
        snprintf(j->lacks, sizeof(j->lacks),
                 "The site lies in %s: programs that read uploads can read it.", over);
}

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
    j->more = spec->more;
    j->version = jail_rules_version();
    choose_environment(j);
    find_lacks(j, spec->site);
    *out = j;
    return RC_OK;
}

void jail_close(struct jail *j)
{
    if (!j)
        return;
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

static enum rc make_rules(struct jail_door *d)
{
    const struct jail *j = d->cell->jail;
    if (j->version == 0)
        return RC_OK;
    int fd = jail_rules_make(j->version, j->more, d->program_fd, d->cell->reads);
    if (fd < 0)
        return rc_from_errno(errno);
    d->rules_fd = moved(fd);
    return d->rules_fd < 0 ? RC_IO : RC_OK;
}

enum rc jail_prepare(const struct jail_cell *cell, const char *program,
                     struct jail_door *out)
{
    struct jail_door d = {.cell = cell, .program_fd = -1, .rules_fd = -1};
    int fd = -1;
    enum rc rc = find_program(program, &fd);
    if (rc != RC_OK)
        return rc;
    d.program_fd = moved(fd);
    rc = d.program_fd < 0 ? RC_IO : make_rules(&d);
    if (rc == RC_OK)
        *out = d;
    else
        jail_leave(&d);
    return rc;
}

void jail_leave(struct jail_door *d)
{
    if (d->program_fd >= 0)
        close(d->program_fd);
    if (d->rules_fd >= 0)
        close(d->rules_fd);
    d->program_fd = d->rules_fd = -1;
}

/* ---- in the child: system calls alone ---------------------------------------- */

/* One that is lower already stays. */
static bool limit(int what, int64_t most)
{
    struct rlimit r;
    if (getrlimit(what, &r) != 0)
        return false;
    if (r.rlim_max > (rlim_t)most)
        r.rlim_max = (rlim_t)most;
    r.rlim_cur = r.rlim_max;
    return setrlimit(what, &r) == 0;
}

static bool set_limits(const struct jail_cell *c)
{
    return limit(RLIMIT_CORE, 0) && limit(RLIMIT_FSIZE, 0) &&
           limit(RLIMIT_NOFILE, FILES) &&
           (c->jail->memory_bytes <= 0 || limit(RLIMIT_AS, c->jail->memory_bytes)) &&
           (c->cpu_s <= 0 || limit(RLIMIT_CPU, c->cpu_s));
}

void jail_enter(const struct jail_door *d, char *const *argv)
{
    const struct jail *j = d->cell->jail;
    if (dup3(d->program_fd, JAIL_PROGRAM_FD, O_CLOEXEC) < 0 || !set_limits(d->cell) ||
        prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
        return;
    if (d->rules_fd >= 0 && jail_rules_enter(d->rules_fd) != 0)
        return;
    if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &j->filter, 0, 0) != 0)
        return;
    syscall(SYS_execveat, JAIL_PROGRAM_FD, jail_no_path, argv, j->environment,
            AT_EMPTY_PATH);
}
