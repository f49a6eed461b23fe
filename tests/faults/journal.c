#include "journal.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Calls that inject.c stands in for are made directly. */

static int log_fd = -1;
static char site[PATH_MAX];
static char kept[PATH_MAX];
static char boot_id[PATH_MAX];

bool journal_begin(const char *site_dir)
{
    const char *dir = getenv("DROPSTREAM_JOURNAL");
    char path[PATH_MAX];
    if (!dir || strlen(dir) + sizeof("/boot_id") > PATH_MAX)
        return false;
    snprintf(site, sizeof(site), "%s/", site_dir);
    snprintf(kept, sizeof(kept), "%s/kept", dir);
    snprintf(boot_id, sizeof(boot_id), "%s/boot_id", dir);
    snprintf(path, sizeof(path), "%s/log", dir);
    int fd = (int)syscall(SYS_openat, AT_FDCWD, path,
                          O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    /* Programs close or replace low descriptors that they know. */
    log_fd = fcntl(fd, F_DUPFD_CLOEXEC, 500);
    close(fd);
    return log_fd >= 0;
}

const char *journal_instead_of(const char *path)
{
    bool is_boot_id = strcmp(path, "/proc/sys/kernel/random/boot_id") == 0;
    return log_fd >= 0 && is_boot_id ? boot_id : path;
}

static void put(const char *line, size_t n)
{
    if (syscall(SYS_write, log_fd, line, n) != (ssize_t)n)
        abort();
}

/* ---- what is of interest -------------------------------------------------- */

static bool ends_with(const char *text, const char *end)
{
    size_t n = strlen(text), m = strlen(end);
    return n >= m && strcmp(text + n - m, end) == 0;
}

static bool is_of_interest(const char *path)
{
    size_t n = strlen(site);
    return strncmp(path, site, n) == 0 && strncmp(path + n, "log/", 4) != 0 &&
           strncmp(path + n, "run/", 4) != 0 && !ends_with(path, "-shm") &&
           !ends_with(path, " (deleted)");
}

static bool path_of(int fd, char out[PATH_MAX])
{
    char link[40];
    snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
    ssize_t n = readlink(link, out, PATH_MAX - 1);
    out[n > 0 ? n : 0] = '\0';
    return n > 0;
}

static bool is_followed(int fd, struct stat *st, char path[PATH_MAX])
{
    return log_fd >= 0 && fstat(fd, st) == 0 && S_ISREG(st->st_mode) &&
           path_of(fd, path) && is_of_interest(path);
}

/* ---- bytes ---------------------------------------------------------------- */

static void keep(int dir, const char *path, ino_t inode, int flags)
{
    char to[PATH_MAX + 24];
    snprintf(to, sizeof(to), "%s/%ju", kept, (uintmax_t)inode);
    if (syscall(SYS_linkat, dir, path, AT_FDCWD, to, flags) != 0 && errno != EEXIST)
        abort();
}

static void read_all(int fd, unsigned char *out, size_t n, off_t at)
{
    char link[40];
    int flags = fcntl(fd, F_GETFL), other = -1;
    /* SQLite's files are never write-only: to close another descriptor of them would
     * take away their locks. */
    if ((flags & O_ACCMODE) == O_WRONLY) {
        snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
        other = (int)syscall(SYS_openat, AT_FDCWD, link, O_RDONLY | O_CLOEXEC);
    }
    if (pread(other >= 0 ? other : fd, out, n, at) != (ssize_t)n)
        abort();
    if (other >= 0)
        close(other);
}

/* Before the n bytes from at on are no longer what they are. */
static void lose(int fd, const struct stat *st, const char *path, off_t at, size_t n)
{
    char link[40];
    snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
    keep(AT_FDCWD, link, st->st_ino, AT_SYMLINK_FOLLOW);
    if (at >= st->st_size)
        n = 0;
    else if (n > (size_t)(st->st_size - at))
        n = (size_t)(st->st_size - at);
    unsigned char *bytes = malloc(n + 1);
    char *line = malloc(2 * n + PATH_MAX + 100);
    if (!bytes || !line)
        abort();
    if (n > 0)
        read_all(fd, bytes, n, at);
    int length = sprintf(line, "W %ju %s %jd %jd ", (uintmax_t)st->st_ino, path,
                         (intmax_t)st->st_size, (intmax_t)at);
    for (size_t i = 0; i < n; i++)
        length += sprintf(line + length, "%02x", bytes[i]);
    line[length] = '\n';
    put(line, (size_t)length + 1);
    free(bytes);
    free(line);
}

void journal_write(int fd, size_t n, off_t at)
{
    char path[PATH_MAX];
    struct stat st;
    int saved = errno;
    if (is_followed(fd, &st, path)) {
        if (at < 0 && fcntl(fd, F_GETFL) & O_APPEND)
            at = st.st_size;
        else if (at < 0)
            at = lseek(fd, 0, SEEK_CUR);
        lose(fd, &st, path, at, n);
    }
    errno = saved;
}

void journal_truncate(int fd, off_t size)
{
    char path[PATH_MAX];
    struct stat st;
    int saved = errno;
    if (is_followed(fd, &st, path))
        lose(fd, &st, path, size, SIZE_MAX);
    errno = saved;
}

/* ---- names ---------------------------------------------------------------- */

static bool resolve(int dir, const char *path, char out[PATH_MAX])
{
    if (path[0] == '/') {
        snprintf(out, PATH_MAX, "%s", path);
        return true;
    }
    if (dir == AT_FDCWD ? !getcwd(out, PATH_MAX) : !path_of(dir, out))
        return false;
    size_t n = strlen(out);
    snprintf(out + n, PATH_MAX - n, "/%s", path);
    return true;
}

void journal_look(int dir, const char *path, struct journal_name *out)
{
    struct stat st;
    int saved = errno;
    out->kind = 1;
    if (log_fd >= 0 && resolve(dir, path, out->path) && is_of_interest(out->path)) {
        if (fstatat(dir, path, &st, AT_SYMLINK_NOFOLLOW) != 0) {
            out->kind = 0;
        } else if (S_ISREG(st.st_mode)) {
            keep(dir, path, st.st_ino, 0);
            snprintf(out->what, sizeof(out->what), "%ju", (uintmax_t)st.st_ino);
            out->kind = 'F';
        } else if (S_ISLNK(st.st_mode)) {
            ssize_t n = readlinkat(dir, path, out->what, sizeof(out->what) - 1);
            out->what[n > 0 ? n : 0] = '\0';
            out->kind = 'L';
        } else if (S_ISDIR(st.st_mode)) {
            out->what[0] = '\0';
            out->kind = 'D';
        }
    }
    errno = saved;
}

static void put_name(char kind, const char *folder, const char *path, const char *what)
{
    char line[3 * PATH_MAX + 8], own[PATH_MAX];
    if (!folder) {
        snprintf(own, sizeof(own), "%s", path);
        *strrchr(own, '/') = '\0';
        folder = own;
    }
    int n = snprintf(line, sizeof(line), "%c %s %s %s\n", kind, folder, path, what);
    put(line, (size_t)n);
}

void journal_taken(const struct journal_name *name, const char *folder)
{
    int saved = errno;
    if (name->kind > 1)
        put_name(name->kind, folder, name->path, name->what);
    errno = saved;
}

void journal_made(const struct journal_name *name)
{
    int saved = errno;
    if (name->kind == 0)
        put_name('N', NULL, name->path, "");
    errno = saved;
}

/* ---- syncs ---------------------------------------------------------------- */

void journal_synced(int fd)
{
    char path[PATH_MAX], line[PATH_MAX + 8];
    struct stat st;
    int saved = errno, n = 0;
    if (log_fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode))
        n = snprintf(line, sizeof(line), "S %ju\n", (uintmax_t)st.st_ino);
    else if (log_fd >= 0 && S_ISDIR(st.st_mode) && path_of(fd, path))
        n = snprintf(line, sizeof(line), "T %s\n", path);
    if (n > 0)
        put(line, (size_t)n);
    errno = saved;
}

void journal_synced_all(void)
{
    int saved = errno;
    if (log_fd >= 0)
        put("A\n", 2);
    errno = saved;
}
