/*
 * inject.c: makes one system call of a program fail, or kills or stops the program
 * there, or has its clock jump. Loaded before all libraries (LD_PRELOAD);
 * DROPSTREAM_FAULT in the environment says where:
 *
 *     PROGRAM FAULT CALL N MARK
 *
 * PROGRAM is the one that is meant, of those that start each other. FAULT is an errno
 * (28), `kill`, to be killed before the call is made, `stop`, to stand still before it
 * until somebody sends SIGCONT, or by how many seconds its clock is off from there on
 * (`+86400`, `-86400`); CALL one of write, sync, rename, mkdir and open, or change, which
 * is the first four, or any; N counts those calls from 1 on, of all threads. The file
 * MARK is made when it happens: without it the program has come through unharmed.
 *
 * Of the calls only those count that have to do with files of the site: a write to a
 * pipe or a socket is something else, and what the linker opens too. The children of
 * the program are left alone.
 *
 * DROPSTREAM_HOLD: a path. As long as there is something, no fsync of a file or folder
 * in site/htdocs, site/tmp or site/spool comes back. DROPSTREAM_CLOCK: by how many
 * seconds the clock is off from the beginning. DROPSTREAM_JOURNAL: what is written and
 * synced is written down (journal.h), by the children too.
 */
#include "journal.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

static char fault[16];
static char fault_call[16];
static char site[PATH_MAX];
static char mark[PATH_MAX];
static atomic_long left; /* calls until it happens; 0: never */
static atomic_long clock_off_s;

__attribute__((constructor)) static void begin(void)
{
    const char *spec = getenv("DROPSTREAM_FAULT"), *dir = getenv("DROPSTREAM_SITE");
    const char *off = getenv("DROPSTREAM_CLOCK");
    char program[64];
    long n = 0;
    if (!dir || strlen(dir) >= sizeof(site))
        return;
    strcpy(site, dir);
    bool is_kept = journal_begin(dir);
    atomic_store(&clock_off_s, off ? atol(off) : 0);
    if (!spec ||
        sscanf(spec, "%63s %15s %15s %ld %4095s", program, fault, fault_call, &n,
               mark) != 5 ||
        strcmp(program, program_invocation_short_name) != 0)
        return;
    atomic_store(&left, n);
    unsetenv("DROPSTREAM_FAULT");
    if (!is_kept)
        unsetenv("LD_PRELOAD");
}

static bool counts(const char *call)
{
    if (strcmp(fault_call, "change") == 0)
        return strcmp(call, "open") != 0;
    return strcmp(fault_call, "any") == 0 || strcmp(fault_call, call) == 0;
}

/* True if this very call is to fail; errno says how. */
static bool strikes(const char *call)
{
    if (atomic_load(&left) <= 0 || !counts(call))
        return false;
    if (atomic_fetch_sub(&left, 1) != 1)
        return false;
    long fd = syscall(SYS_openat, AT_FDCWD, mark, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
    if (fd >= 0)
        syscall(SYS_close, fd);
    if (strcmp(fault, "kill") == 0)
        syscall(SYS_kill, getpid(), SIGKILL);
    if (strcmp(fault, "stop") == 0) {
        syscall(SYS_kill, getpid(), SIGSTOP);
        return false;
    }
    if (fault[0] == '+' || fault[0] == '-') {
        atomic_store(&clock_off_s, atol(fault));
        return false;
    }
    errno = atoi(fault);
    return true;
}

static bool is_file(int fd)
{
    struct stat st;
    return fstat(fd, &st) == 0 && (S_ISREG(st.st_mode) || S_ISDIR(st.st_mode));
}

static bool is_of_site(const char *path)
{
    return path[0] != '/' || strncmp(path, site, strlen(site)) == 0;
}

/* ---- write -------------------------------------------------------------- */

ssize_t write(int fd, const void *data, size_t n)
{
    if (is_file(fd) && strikes("write"))
        return -1;
    journal_write(fd, n, -1);
    return syscall(SYS_write, fd, data, n);
}

ssize_t writev(int fd, const struct iovec *parts, int n)
{
    size_t size = 0;
    if (is_file(fd) && strikes("write"))
        return -1;
    for (int i = 0; i < n; i++)
        size += parts[i].iov_len;
    journal_write(fd, size, -1);
    return syscall(SYS_writev, fd, parts, n);
}

ssize_t pwrite64(int fd, const void *data, size_t n, off64_t at)
{
    if (strikes("write"))
        return -1;
    journal_write(fd, n, at);
    return syscall(SYS_pwrite64, fd, data, n, at);
}

ssize_t pwrite(int fd, const void *data, size_t n, off_t at)
{
    return pwrite64(fd, data, n, at);
}

int ftruncate64(int fd, off64_t size)
{
    if (strikes("write"))
        return -1;
    journal_truncate(fd, size);
    return (int)syscall(SYS_ftruncate, fd, size);
}

int ftruncate(int fd, off_t size)
{
    return ftruncate64(fd, size);
}

/* ---- sync --------------------------------------------------------------- */

static int synced(int result, int fd)
{
    if (result == 0)
        journal_synced(fd);
    return result;
}

/* A disk that has much to do. */
static void hold(int fd)
{
    const char *path = getenv("DROPSTREAM_HOLD");
    char link[40], of[PATH_MAX];
    const struct timespec moment = {.tv_nsec = 10000000};
    snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
    ssize_t n = path ? readlink(link, of, sizeof(of) - 1) : 0;
    if (n <= 0)
        return;
    of[n] = '\0';
    const char *below = of + strlen(site);
    if (strncmp(of, site, strlen(site)) != 0 ||
        (strncmp(below, "/htdocs", 7) != 0 && strncmp(below, "/tmp", 4) != 0 &&
         strncmp(below, "/spool", 6) != 0))
        return;
    while (syscall(SYS_faccessat, AT_FDCWD, path, F_OK) == 0)
        nanosleep(&moment, NULL);
}

int fsync(int fd)
{
    if (strikes("sync"))
        return -1;
    hold(fd);
    return synced((int)syscall(SYS_fsync, fd), fd);
}

int fdatasync(int fd)
{
    if (strikes("sync"))
        return -1;
    return synced((int)syscall(SYS_fdatasync, fd), fd);
}

/* As sync(1) calls it, of a child: it is no call of the program's. */
int syncfs(int fd)
{
    int result = (int)syscall(SYS_syncfs, fd);
    if (result == 0)
        journal_synced_all();
    return result;
}

/* ---- rename, link, unlink, folders ----------------------------------------- */

int renameat2(int from_dir, const char *from, int to_dir, const char *to,
              unsigned flags)
{
    struct journal_name old, new;
    char folder[sizeof(new.path)];
    if (strikes("rename"))
        return -1;
    journal_look(from_dir, from, &old);
    journal_look(to_dir, to, &new);
    int result = (int)syscall(SYS_renameat2, from_dir, from, to_dir, to, flags);
    if (result != 0 || new.kind == 1)
        return result;
    journal_taken(&new, NULL);
    new.kind = 0;
    journal_made(&new);
    strcpy(folder, new.path);
    *strrchr(folder, '/') = '\0';
    journal_taken(&old, folder);
    return result;
}

int renameat(int from_dir, const char *from, int to_dir, const char *to)
{
    return renameat2(from_dir, from, to_dir, to, 0);
}

int rename(const char *from, const char *to)
{
    return renameat2(AT_FDCWD, from, AT_FDCWD, to, 0);
}

static int made(int result, const struct journal_name *name)
{
    if (result == 0)
        journal_made(name);
    return result;
}

int linkat(int from_dir, const char *from, int to_dir, const char *to, int flags)
{
    struct journal_name name;
    if (strikes("rename"))
        return -1;
    journal_look(to_dir, to, &name);
    return made((int)syscall(SYS_linkat, from_dir, from, to_dir, to, flags), &name);
}

int link(const char *from, const char *to)
{
    return linkat(AT_FDCWD, from, AT_FDCWD, to, 0);
}

int symlinkat(const char *target, int dir, const char *path)
{
    struct journal_name name;
    if (strikes("rename"))
        return -1;
    journal_look(dir, path, &name);
    return made((int)syscall(SYS_symlinkat, target, dir, path), &name);
}

int symlink(const char *target, const char *path)
{
    return symlinkat(target, AT_FDCWD, path);
}

int unlinkat(int dir, const char *path, int flags)
{
    struct journal_name name;
    if (strikes("rename"))
        return -1;
    journal_look(dir, path, &name);
    int result = (int)syscall(SYS_unlinkat, dir, path, flags);
    if (result == 0)
        journal_taken(&name, NULL);
    return result;
}

int unlink(const char *path)
{
    return unlinkat(AT_FDCWD, path, 0);
}

int mkdirat(int dir, const char *path, mode_t mode)
{
    struct journal_name name;
    if (strikes("mkdir"))
        return -1;
    journal_look(dir, path, &name);
    return made((int)syscall(SYS_mkdirat, dir, path, mode), &name);
}

int mkdir(const char *path, mode_t mode)
{
    return mkdirat(AT_FDCWD, path, mode);
}

int mknod(const char *path, mode_t mode, dev_t device)
{
    struct journal_name name;
    journal_look(AT_FDCWD, path, &name);
    return made((int)syscall(SYS_mknodat, AT_FDCWD, path, mode, device), &name);
}

/* ---- open ----------------------------------------------------------------- */

static int open_file(int dir, const char *path, int flags, mode_t mode)
{
    if (is_of_site(path) && strikes("open"))
        return -1;
    path = journal_instead_of(path);
    if (!(flags & (O_CREAT | O_TRUNC)) || flags & O_TMPFILE & ~O_DIRECTORY)
        return (int)syscall(SYS_openat, dir, path, flags, mode);
    struct journal_name name;
    journal_look(dir, path, &name);
    /* Cut off when it is open, so that what is cut off can be told. */
    int fd = (int)syscall(SYS_openat, dir, path, flags & ~O_TRUNC, mode);
    if (fd >= 0)
        journal_made(&name);
    if (fd >= 0 && flags & O_TRUNC && is_file(fd)) {
        journal_truncate(fd, 0);
        syscall(SYS_ftruncate, fd, 0);
    }
    return fd;
}

static mode_t mode_of(int flags, va_list more)
{
    return flags & (O_CREAT | O_TMPFILE) ? va_arg(more, mode_t) : 0;
}

int openat64(int dir, const char *path, int flags, ...)
{
    va_list more;
    va_start(more, flags);
    mode_t mode = mode_of(flags, more);
    va_end(more);
    return open_file(dir, path, flags, mode);
}

int openat(int dir, const char *path, int flags, ...)
{
    va_list more;
    va_start(more, flags);
    mode_t mode = mode_of(flags, more);
    va_end(more);
    return open_file(dir, path, flags, mode);
}

int open64(const char *path, int flags, ...)
{
    va_list more;
    va_start(more, flags);
    mode_t mode = mode_of(flags, more);
    va_end(more);
    return open_file(AT_FDCWD, path, flags, mode);
}

int open(const char *path, int flags, ...)
{
    va_list more;
    va_start(more, flags);
    mode_t mode = mode_of(flags, more);
    va_end(more);
    return open_file(AT_FDCWD, path, flags, mode);
}

/* ---- the clock ------------------------------------------------------------- */

static bool may_jump(clockid_t id)
{
    return id == CLOCK_REALTIME || id == CLOCK_REALTIME_COARSE;
}

int clock_gettime(clockid_t id, struct timespec *out)
{
    int result = (int)syscall(SYS_clock_gettime, id, out);
    if (result == 0 && may_jump(id))
        out->tv_sec += atomic_load(&clock_off_s);
    return result;
}

int gettimeofday(struct timeval *restrict out, void *restrict zone)
{
    struct timespec now;
    (void)zone;
    clock_gettime(CLOCK_REALTIME, &now);
    *out = (struct timeval){now.tv_sec, now.tv_nsec / 1000};
    return 0;
}

time_t time(time_t *out)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (out)
        *out = now.tv_sec;
    return now.tv_sec;
}
