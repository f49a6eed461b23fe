/*
 * jail_rules.c: the part of the file system that a program in the jail sees. The
 * kernel's interface is spelled out here (Documentation/userspace-api/landlock.rst), as
 * the system's header may be older than the kernel. All paths are looked up for each
 * child: a library that was upgraded meanwhile is another file.
 */
#include "jail_priv.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/landlock.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define READ_FILE LANDLOCK_ACCESS_FS_READ_FILE
#define READ_DIR LANDLOCK_ACCESS_FS_READ_DIR
#define EXECUTE LANDLOCK_ACCESS_FS_EXECUTE

/* All rights of the file system that a version knows. */
static const uint64_t fs_rights[] = {
    0,
    (1ULL << 13) - 1,
    (1ULL << 14) - 1, /* and a file may not change its folder */
    (1ULL << 15) - 1, /* and truncate(2) */
    (1ULL << 15) - 1,
    (1ULL << 16) - 1, /* and ioctl(2) of devices */
};
#define NET_SINCE 4   /* TCP: bind, connect */
#define SCOPE_SINCE 6 /* abstract sockets and signals of others */

struct ruleset {
    uint64_t fs, net, scoped;
};

/* Shared libraries and what they read of the machine; no home, no /etc but these. */
static const char *const common[] = {
    "/lib",
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

const char *jail_rules_over(const char *path)
{
    for (size_t i = 0; i < COUNT(common); i++) {
        size_t n = strlen(common[i]);
        if (strncmp(path, common[i], n) == 0 && (path[n] == '/' || path[n] == '\0'))
            return common[i];
    }
    return NULL;
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

/* What is not there, or out of the caller's own reach, needs no rule. */
static int add_path(int ruleset, const char *path, uint64_t rights)
{
    int fd = open(path, O_PATH | O_CLOEXEC);
    if (fd < 0)
        return errno == ENOENT || errno == ENOTDIR || errno == EACCES ? 0 : -1;
    int failed = add_rule(ruleset, fd, rights);
    close(fd);
    return failed;
}

/* The dynamic loader that a program names (elf(5), PT_INTERP). False: none. */
static bool find_loader(int program_fd, char out[PATH_MAX])
{
    Elf64_Ehdr head;
    Elf64_Phdr part;
    if (pread(program_fd, &head, sizeof(head), 0) != (ssize_t)sizeof(head) ||
        memcmp(head.e_ident, ELFMAG, SELFMAG) != 0 ||
        head.e_ident[EI_CLASS] != ELFCLASS64)
        return false;
    for (int i = 0; i < head.e_phnum; i++) {
        off_t at = (off_t)head.e_phoff + (off_t)i * head.e_phentsize;
        if (pread(program_fd, &part, sizeof(part), at) != (ssize_t)sizeof(part))
            return false;
        if (part.p_type != PT_INTERP || part.p_filesz >= PATH_MAX)
            continue;
        ssize_t n = pread(program_fd, out, part.p_filesz, (off_t)part.p_offset);
        out[n > 0 ? n : 0] = '\0';
        return n > 0;
    }
    return false;
}

static int add_program(int ruleset, int program_fd)
{
    char loader[PATH_MAX];
    int failed = add_rule(ruleset, program_fd, READ_FILE | EXECUTE);
    if (!failed && find_loader(program_fd, loader))
        failed = add_path(ruleset, loader, READ_FILE | EXECUTE);
    return failed;
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

int jail_rules_make(int version, const char *more, int program_fd,
                    const char *const reads[JAIL_READS])
{
    int fd = create(version);
    if (fd < 0)
        return -1;
    int failed = add_program(fd, program_fd);
    for (int i = 0; i < JAIL_READS && !failed && reads[i]; i++)
        failed = add_path(fd, reads[i], READ_FILE);
    for (size_t i = 0; i < COUNT(common) && !failed; i++)
        failed = add_path(fd, common[i], READ_FILE | READ_DIR);
    if (!failed && *more)
        failed = add_path(fd, more, READ_FILE | READ_DIR);
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
