/*
 * jail_rules.c: the part of the file system that a program in the jail sees. The
 * kernel's interface is spelled out here (Documentation/userspace-api/landlock.rst), as
 * the system's header may be older than the kernel.
 */
#include "jail_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <link.h>
#include <linux/landlock.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define READ_FILE LANDLOCK_ACCESS_FS_READ_FILE
#define READ_DIR LANDLOCK_ACCESS_FS_READ_DIR
#define EXECUTE LANDLOCK_ACCESS_FS_EXECUTE

/* Rights of the file system by version; each has those of the ones before it. */
static const uint64_t fs_rights[] = {
    0,
    (1ULL << 13) - 1,
    (1ULL << 14) - 1,
    (1ULL << 15) - 1,
    (1ULL << 15) - 1,
    (1ULL << 16) - 1,
};
#define NET_SINCE 4   /* TCP: bind, connect */
#define SCOPE_SINCE 6 /* abstract sockets and signals of others */

struct ruleset {
    uint64_t fs, net, scoped;
};

/* Shared libraries and what they read of the machine; no home, no /etc but these. */
static const char *const common[] = {
    "/lib",
    "/lib32",
    "/lib64",
    "/usr/lib",
    "/usr/lib64",
    "/usr/local/lib",
    "/etc/ld.so.cache",
    "/etc/ld.so.preload",
    "/etc/localtime",
    "/usr/share/zoneinfo",
    "/dev/null",
    "/dev/zero",
    "/dev/urandom",
    "/proc/cpuinfo",
    "/proc/meminfo",
    "/proc/sys/vm/overcommit_memory",
    "/sys/devices/system/cpu",
    "/sys/devices/system/node",
};

int jail_rules_version(void)
{
    long version =
        syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
    return version > 0 ? (int)version : 0;
}

static void add_path(struct jail_rule *rules, size_t *n, const char *path,
                     uint64_t rights)
{
    int fd = *n < JAIL_RULES_MAX ? open(path, O_PATH | O_CLOEXEC) : -1;
    if (fd >= 0)
        rules[(*n)++] = (struct jail_rule){fd, rights};
}

/* The dynamic loader that began this program; a program of the system has the same. */
static int find_loader(struct dl_phdr_info *info, size_t size, void *arg)
{
    (void)size;
    for (int i = 0; i < info->dlpi_phnum; i++)
        if (info->dlpi_phdr[i].p_type == PT_INTERP)
            *(const char **)arg =
                (const char *)(info->dlpi_addr + info->dlpi_phdr[i].p_vaddr);
    return 1; /* the first one is the program itself */
}

size_t jail_rules_open(const char *more, struct jail_rule rules[JAIL_RULES_MAX])
{
    const char *loader = NULL;
    size_t n = 0;
    for (size_t i = 0; i < COUNT(common); i++)
        add_path(rules, &n, common[i], READ_FILE | READ_DIR);
    dl_iterate_phdr(find_loader, &loader);
    if (loader)
        add_path(rules, &n, loader, READ_FILE | EXECUTE);
    if (*more)
        add_path(rules, &n, more, READ_FILE | READ_DIR);
    return n;
}

void jail_rules_close(struct jail_rule *rules, size_t n)
{
    for (size_t i = 0; i < n; i++)
        close(rules[i].fd);
}

/* What is no folder has none of the rights of one. */
static int add_rule(int ruleset, int fd, uint64_t rights)
{
    struct stat st;
    struct landlock_path_beneath_attr rule = {.allowed_access = rights,
                                              .parent_fd = fd};
    if (fstat(fd, &st) != 0)
        return -1;
    if (!S_ISDIR(st.st_mode))
        rule.allowed_access &= READ_FILE | EXECUTE;
    return (int)syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH,
                        &rule, 0);
}

static int create(int version)
{
    int known = (int)COUNT(fs_rights) - 1;
    struct ruleset all = {.fs = fs_rights[version < known ? version : known],
                          .net = version >= NET_SINCE ? 3 : 0,
                          .scoped = version >= SCOPE_SINCE ? 3 : 0};
    size_t size = version >= SCOPE_SINCE ? sizeof(all)
                  : version >= NET_SINCE ? offsetof(struct ruleset, scoped)
                                         : offsetof(struct ruleset, net);
    return (int)syscall(SYS_landlock_create_ruleset, &all, size, 0);
}

static int add_file(int ruleset, const char *path)
{
    int fd = open(path, O_PATH | O_CLOEXEC);
    if (fd < 0)
        return -1;
    int failed = add_rule(ruleset, fd, READ_FILE);
    close(fd);
    return failed;
}

int jail_rules_make(int version, const struct jail_rule *rules, size_t n,
                    int program_fd, const char *const reads[JAIL_READS])
{
    int fd = create(version);
    if (fd < 0)
        return -1;
    int failed = add_rule(fd, program_fd, READ_FILE | EXECUTE);
    for (int i = 0; i < JAIL_READS && !failed && reads[i]; i++)
        failed = add_file(fd, reads[i]);
    for (size_t i = 0; i < n && !failed; i++)
        failed = add_rule(fd, rules[i].fd, rules[i].rights);
    if (!failed)
        return fd;
    int why = errno;
    close(fd);
    errno = why;
    return -1;
}

int jail_rules_enter(int rules_fd)
{
    return (int)syscall(SYS_landlock_restrict_self, rules_fd, 0);
}
