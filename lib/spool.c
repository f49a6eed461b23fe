/*
 * Every file is named relative to a descriptor of the spool folder, by a name that was
 * made from a checked id. The order in spool_finish is what makes an acknowledged
 * upload durable; test_spool holds it.
 */
#include "spool.h"

#include "id.h"
#include "io.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define NAME_SIZE (ID_LEN + sizeof(".part"))

struct spool_file {
    int dir_fd;
    int fd;
    int64_t size;
    bool renamed; /* the bytes are called src now */
    char part[NAME_SIZE];
    char src[NAME_SIZE];
};

/* May be a link: a spool on another disk is the owner's choice. */
static enum rc open_dir(const struct site *site, int *out)
{
    char path[PATH_MAX];
    enum rc rc = site_path(site, "spool", path);
    int fd;

    if (rc != RC_OK)
        return rc;
    fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return RC_IO;
    *out = fd;
    return RC_OK;
}

static void name_of(const char *id, bool stored, char out[NAME_SIZE])
{
    snprintf(out, NAME_SIZE, "%.*s%s", ID_LEN, id, stored ? ".src" : ".part");
}

/* Closing gives the lock back, so this comes last, after any unlink. */
static void release(struct spool_file *f)
{
    if (f->fd >= 0)
        close(f->fd);
    if (f->dir_fd >= 0)
        close(f->dir_fd);
    free(f);
}

/* Waits: whoever asks spool_is_receiving holds a shared lock for an instant. */
static int lock_exclusive(int fd)
{
    while (flock(fd, LOCK_EX) != 0)
        if (errno != EINTR)
            return -1;
    return 0;
}

enum rc spool_create(const struct site *site, const char *id, struct spool_file **out)
{
    struct spool_file *f;
    enum rc rc;

    if (!id_valid(id))
        return RC_INVALID;
    f = calloc(1, sizeof(*f));
    if (!f)
        return RC_NOMEM;
    f->fd = f->dir_fd = -1;
    name_of(id, false, f->part);
    name_of(id, true, f->src);
    rc = open_dir(site, &f->dir_fd);
    if (rc != RC_OK)
        goto out;
    /* O_EXCL follows no link and shares no file: the id is new, or something is wrong.
     */
    f->fd = openat(f->dir_fd, f->part,
                   O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (f->fd < 0) {
        rc = rc_from_errno(errno);
    } else if (lock_exclusive(f->fd) != 0) {
        unlinkat(f->dir_fd, f->part, 0);
        rc = RC_IO;
    }
out:
    if (rc == RC_OK)
        *out = f;
    else
        release(f);
    return rc;
}

enum rc spool_write(struct spool_file *f, const void *data, size_t n)
{
    return io_write_all(f->fd, data, n, &f->size);
}

int64_t spool_size(const struct spool_file *f)
{
    return f->size;
}

/* fsync, not fdatasync: the size and the mode have to last as well. */
static int sync_fd(int fd)
{
    int r;

    do
        r = fsync(fd);
    while (r != 0 && errno == EINTR);
    return r;
}

/* Whether the .part in the folder is the file that f writes, and not gone. */
static enum rc check_entry(const struct spool_file *f)
{
    struct stat mine, there;

    if (fstat(f->fd, &mine) != 0)
        return RC_IO;
    if (fstatat(f->dir_fd, f->part, &there, AT_SYMLINK_NOFOLLOW) != 0)
        return rc_from_errno(errno);
    if (mine.st_dev != there.st_dev || mine.st_ino != there.st_ino)
        return RC_NOT_FOUND;
    return RC_OK;
}

static enum rc rename_to_src(struct spool_file *f)
{
    if (renameat2(f->dir_fd, f->part, f->dir_fd, f->src, RENAME_NOREPLACE) == 0)
        return RC_OK;
    if (errno != EINVAL && errno != ENOSYS)
        return rc_from_errno(errno);
    /* This file system cannot rename without replacing; a second link can. */
    if (linkat(f->dir_fd, f->part, f->dir_fd, f->src, 0) != 0)
        return rc_from_errno(errno);
    f->renamed = true;
    return unlinkat(f->dir_fd, f->part, 0) == 0 ? RC_OK : rc_from_errno(errno);
}

enum rc spool_finish(struct spool_file *f)
{
    enum rc rc;

    /* The bytes first: a name must never be durable before what it names. */
    if (sync_fd(f->fd) != 0)
        return rc_from_errno(errno);
    rc = check_entry(f);
    if (rc == RC_OK)
        rc = rename_to_src(f);
    if (rc != RC_OK)
        return rc;
    f->renamed = true;
    /* And the new name, else a power cut could take the file back. */
    if (sync_fd(f->dir_fd) != 0)
        return rc_from_errno(errno);
    release(f);
    return RC_OK;
}

void spool_abandon(struct spool_file *f)
{
    if (!f)
        return;
    unlinkat(f->dir_fd, f->part, 0);
    /* Only a .src of ours: RC_EXISTS means that it is another's. */
    if (f->renamed)
        unlinkat(f->dir_fd, f->src, 0);
    release(f);
}

bool spool_is_receiving(const struct site *site, const char *id)
{
    char name[NAME_SIZE];
    bool held = false;
    int dir_fd, fd;

    if (!id_valid(id) || open_dir(site, &dir_fd) != RC_OK)
        return false;
    name_of(id, false, name);
    /* O_NONBLOCK in case someone put a pipe there: opening it must not hang. */
    fd = openat(dir_fd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd >= 0) {
        held = flock(fd, LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK;
        close(fd);
    }
    close(dir_fd);
    return held;
}

enum rc spool_remove(const struct site *site, const char *id)
{
    char name[NAME_SIZE];
    enum rc rc;
    int dir_fd, stored;

    if (!id_valid(id))
        return RC_INVALID;
    rc = open_dir(site, &dir_fd);
    if (rc != RC_OK)
        return rc;
    /* Both are tried even if one fails, so that as little as possible stays. */
    for (stored = 0; stored <= 1; stored++) {
        name_of(id, stored, name);
        if (unlinkat(dir_fd, name, 0) != 0 && errno != ENOENT)
            rc = RC_IO;
    }
    close(dir_fd);
    return rc;
}

static enum rc path_of(const struct site *site, const char *id, const char *suffix,
                       char out[PATH_MAX])
{
    char name[sizeof("spool/") + NAME_SIZE];

    if (!id_valid(id))
        return RC_INVALID;
    snprintf(name, sizeof(name), "spool/%s.%s", id, suffix);
    return site_path(site, name, out);
}

enum rc spool_src_path(const struct site *site, const char *id, char out[PATH_MAX])
{
    return path_of(site, id, "src", out);
}

enum rc spool_part_path(const struct site *site, const char *id, char out[PATH_MAX])
{
    return path_of(site, id, "part", out);
}

/* Splits "<id>.part" or "<id>.src"; false for any other name. */
static bool parse_name(const char *name, char id[ID_LEN + 1], bool *stored)
{
    if (strlen(name) <= ID_LEN)
        return false;
    memcpy(id, name, ID_LEN);
    id[ID_LEN] = '\0';
    *stored = strcmp(name + ID_LEN, ".src") == 0;
    return id_valid(id) && (*stored || strcmp(name + ID_LEN, ".part") == 0);
}

enum rc spool_each(const struct site *site,
                   enum rc (*cb)(void *arg, const char *id, bool stored), void *arg)
{
    enum rc rc;
    struct dirent *entry;
    DIR *dir;
    int fd;

    rc = open_dir(site, &fd);
    if (rc != RC_OK)
        return rc;
    dir = fdopendir(fd);
    if (!dir) {
        close(fd);
        return RC_IO;
    }
    while (rc == RC_OK) {
        char id[ID_LEN + 1];
        bool stored;

        /* readdir tells its end from an error by errno alone. */
        errno = 0;
        entry = readdir(dir);
        if (!entry) {
            rc = errno ? RC_IO : RC_OK;
            break;
        }
        if (parse_name(entry->d_name, id, &stored))
            rc = cb(arg, id, stored);
    }
    closedir(dir);
    return rc;
}
