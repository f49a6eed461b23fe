/*
 * inject.c: makes one system call of a program fail, or kills the program there. Loaded
 * before all libraries (LD_PRELOAD); DROPSTREAM_FAULT in the environment says where:
 *
 *     PROGRAM ERROR CALL N MARK
 *
 * PROGRAM is the one that is meant, of those that start each other. ERROR is an errno
 * (28: ENOSPC), or 0 to be killed before the call is made; CALL one of write, sync,
 * rename and open, or any; N counts those calls from 1 on, of all threads. The file
 * MARK is made when it happens: without it the program has come through unharmed.
 *
 * Of the calls only those count that have to do with files of the site: a write to a
 * pipe or a socket is something else, and what the linker opens too. The children of
 * the program are left alone.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

static int fault_errno;
static char fault_call[16];
static char site[PATH_MAX];
static char mark[PATH_MAX];
static atomic_long left; /* calls until it happens; 0: never */

__attribute__((constructor)) static void begin(void)
{
    const char *spec = getenv("DROPSTREAM_FAULT"), *dir = getenv("DROPSTREAM_SITE");
    char program[64];
    long n = 0;
    if (!spec || !dir || strlen(dir) >= sizeof(site) ||
        sscanf(spec, "%63s %d %15s %ld %4095s", program, &fault_errno, fault_call, &n,
               mark) != 5 ||
        strcmp(program, program_invocation_short_name) != 0)
        return;
    strcpy(site, dir);
    atomic_store(&left, n);
    unsetenv("DROPSTREAM_FAULT");
    unsetenv("LD_PRELOAD");
}

/* True if this very call is to fail; errno says how. */
static bool strikes(const char *call)
{
    if (atomic_load(&left) <= 0)
        return false;
    if (strcmp(fault_call, "any") != 0 && strcmp(fault_call, call) != 0)
        return false;
    if (atomic_fetch_sub(&left, 1) != 1)
        return false;
    long fd = syscall(SYS_openat, AT_FDCWD, mark, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
    if (fd >= 0)
        syscall(SYS_close, fd);
    if (fault_errno == 0)
        syscall(SYS_kill, getpid(), SIGKILL);
    errno = fault_errno;
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
    return syscall(SYS_write, fd, data, n);
}

ssize_t writev(int fd, const struct iovec *parts, int n)
{
    if (is_file(fd) && strikes("write"))
        return -1;
    return syscall(SYS_writev, fd, parts, n);
}

ssize_t pwrite64(int fd, const void *data, size_t n, off64_t at)
{
    if (strikes("write"))
        return -1;
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
    return (int)syscall(SYS_ftruncate, fd, size);
}

int ftruncate(int fd, off_t size)
{
    return ftruncate64(fd, size);
}

/* ---- sync --------------------------------------------------------------- */

int fsync(int fd)
{
    if (strikes("sync"))
        return -1;
    return (int)syscall(SYS_fsync, fd);
}

int fdatasync(int fd)
{
    if (strikes("sync"))
        return -1;
    return (int)syscall(SYS_fdatasync, fd);
}

/* ---- rename, link, unlink ------------------------------------------------ */

int renameat2(int from_dir, const char *from, int to_dir, const char *to,
              unsigned flags)
{
    if (strikes("rename"))
        return -1;
    return (int)syscall(SYS_renameat2, from_dir, from, to_dir, to, flags);
}

int renameat(int from_dir, const char *from, int to_dir, const char *to)
{
    return renameat2(from_dir, from, to_dir, to, 0);
}

int rename(const char *from, const char *to)
{
    return renameat2(AT_FDCWD, from, AT_FDCWD, to, 0);
}

int linkat(int from_dir, const char *from, int to_dir, const char *to, int flags)
{
    if (strikes("rename"))
        return -1;
    return (int)syscall(SYS_linkat, from_dir, from, to_dir, to, flags);
}

int link(const char *from, const char *to)
{
    return linkat(AT_FDCWD, from, AT_FDCWD, to, 0);
}

int symlinkat(const char *target, int dir, const char *path)
{
    if (strikes("rename"))
        return -1;
    return (int)syscall(SYS_symlinkat, target, dir, path);
}

int symlink(const char *target, const char *path)
{
    return symlinkat(target, AT_FDCWD, path);
}

int unlinkat(int dir, const char *path, int flags)
{
    if (strikes("rename"))
        return -1;
    return (int)syscall(SYS_unlinkat, dir, path, flags);
}

int unlink(const char *path)
{
    return unlinkat(AT_FDCWD, path, 0);
}

/* ---- open ----------------------------------------------------------------- */

static int open_file(int dir, const char *path, int flags, mode_t mode)
{
    if (is_of_site(path) && strikes("open"))
        return -1;
    return (int)syscall(SYS_openat, dir, path, flags, mode);
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
