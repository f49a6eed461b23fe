/*
 * Every file is named relative to a descriptor of the spool folder, by a name that was
 * made from a checked id. The order in spool_finish is what makes an acknowledged
 * upload durable; test_spool holds it.
 */
#include "spool_priv.h"

#include "io.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* The position is always the end: what another request left is gone on with. */
#define OPEN_FLAGS (O_RDWR | O_APPEND | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)
#define LOCK_STEP_MS 20
#define COMPARE_BYTES 16384

struct spool_file {
    int dir_fd;
    int fd;
    int64_t size;
    bool synced;      /* the bytes were, all of them, by spool_finish */
    bool renamed;     /* the bytes have their last name now */
    bool name_synced; /* the folder was synced since the file has its name */
    char part[SPOOL_NAME_SIZE];
    char last[SPOOL_NAME_SIZE];
};

/* Closing gives the lock back, so this comes last, after any unlink. */
static void release(struct spool_file *f)
{
    if (f->fd >= 0)
        close(f->fd);
    if (f->dir_fd >= 0)
        close(f->dir_fd);
    free(f);
}

/* A file that is not open yet. */
static enum rc new_file(const struct site *site, const char *id, enum spool_kind part,
                        enum spool_kind last, struct spool_file **out)
{
    struct spool_file *f;
    enum rc rc;

    if (!id_valid(id))
        return RC_INVALID;
    f = calloc(1, sizeof(*f));
    if (!f)
        return RC_NOMEM;
    f->fd = f->dir_fd = -1;
    spool_name(id, part, f->part);
    spool_name(id, last, f->last);
    rc = spool_open_dir(site, &f->dir_fd);
    if (rc == RC_OK)
        *out = f;
    else
        release(f);
    return rc;
}

/* ---- locks ----------------------------------------------------------------- */

/* Waits: whoever asks spool_is_receiving holds a shared lock for an instant. */
static int lock_exclusive(int fd)
{
    while (flock(fd, LOCK_EX) != 0)
        if (errno != EINTR)
            return -1;
    return 0;
}

static enum rc lock_within(int fd, int64_t wait_ms)
{
    static const struct timespec step = {.tv_nsec = LOCK_STEP_MS * 1000000L};

    for (; flock(fd, LOCK_EX | LOCK_NB) != 0; wait_ms -= LOCK_STEP_MS) {
        if (errno != EWOULDBLOCK && errno != EINTR)
            return RC_IO;
        if (wait_ms <= 0)
            return RC_BUSY;
        nanosleep(&step, NULL);
    }
    return RC_OK;
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

/* ---- opening ----------------------------------------------------------------- */

enum rc spool_create(const struct site *site, const char *id, struct spool_file **out)
{
    struct spool_file *f;
    enum rc rc = new_file(site, id, SPOOL_PART, SPOOL_SRC, &f);

    if (rc != RC_OK)
        return rc;
    /* O_EXCL follows no link and shares no file: the id is new, or something is wrong.
     */
    f->fd = openat(f->dir_fd, f->part, OPEN_FLAGS | O_CREAT | O_EXCL, 0600);
    if (f->fd < 0) {
        rc = rc_from_errno(errno);
    } else if (lock_exclusive(f->fd) != 0) {
        unlinkat(f->dir_fd, f->part, 0);
        rc = RC_IO;
    }
    if (rc == RC_OK)
        *out = f;
    else
        release(f);
    return rc;
}

/* Opens f->part, which must be a file, and waits for its lock. */
static enum rc open_locked(struct spool_file *f, int flags, int64_t wait_ms)
{
    struct stat st;
    enum rc rc;

    f->fd = openat(f->dir_fd, f->part, OPEN_FLAGS | flags, 0600);
    if (f->fd < 0)
        return rc_from_errno(errno);
    rc = lock_within(f->fd, wait_ms);
    /* The writer before may have finished: then the lock is that of another file. */
    if (rc == RC_OK)
        rc = check_entry(f);
    if (rc == RC_OK && (fstat(f->fd, &st) != 0 || !S_ISREG(st.st_mode)))
        rc = RC_IO;
    if (rc == RC_OK)
        f->size = st.st_size;
    return rc;
}

enum rc spool_open(const struct site *site, const char *id, int64_t wait_ms,
                   struct spool_file **out)
{
    struct spool_file *f;
    enum rc rc = new_file(site, id, SPOOL_PART, SPOOL_SRC, &f);

    if (rc != RC_OK)
        return rc;
    rc = open_locked(f, 0, wait_ms);
    if (rc == RC_NOT_FOUND && faccessat(f->dir_fd, f->last, F_OK, 0) == 0)
        rc = RC_EXISTS;
    if (rc == RC_OK)
        *out = f;
    else
        release(f);
    return rc;
}

enum rc spool_create_index(const struct site *site, const char *id,
                           struct spool_file **out)
{
    struct spool_file *f;
    enum rc rc = new_file(site, id, SPOOL_INDEX_PART, SPOOL_INDEX, &f);

    if (rc != RC_OK)
        return rc;
    rc = open_locked(f, O_CREAT, 0);
    /* It went to its last name, or away, between opening and locking it. */
    if (rc == RC_NOT_FOUND)
        rc = RC_BUSY;
    if (rc == RC_OK)
        rc = spool_truncate(f, 0);
    if (rc == RC_OK)
        *out = f;
    else
        release(f);
    return rc;
}

/* ---- bytes ----------------------------------------------------------------- */

enum rc spool_write(struct spool_file *f, const void *data, size_t n)
{
    return io_write_all(f->fd, data, n, &f->size);
}

int64_t spool_size(const struct spool_file *f)
{
    return f->size;
}

enum rc spool_read(const struct spool_file *f, int64_t offset, void *out, size_t n,
                   size_t *got)
{
    return io_read_at(f->fd, out, n, offset, got);
}

enum rc spool_map(const struct spool_file *f, const void **out)
{
    void *p;

    if (f->size <= 0 || (uint64_t)f->size > SIZE_MAX)
        return RC_INVALID;
    p = mmap(NULL, (size_t)f->size, PROT_READ, MAP_SHARED, f->fd, 0);
    if (p == MAP_FAILED)
        return rc_from_errno(errno);
    *out = p;
    return RC_OK;
}

void spool_unmap(const struct spool_file *f, const void *bytes)
{
    munmap((void *)bytes, (size_t)f->size);
}

enum rc spool_truncate(struct spool_file *f, int64_t size)
{
    int r;

    do
        r = ftruncate(f->fd, size);
    while (r != 0 && errno == EINTR);
    if (r != 0)
        return RC_IO;
    f->size = size;
    return RC_OK;
}

int spool_sync_fd(int fd)
{
    int r;

    do
        r = fsync(fd);
    while (r != 0 && errno == EINTR);
    return r;
}

enum rc spool_sync(struct spool_file *f)
{
    int r;

    do
        r = fdatasync(f->fd);
    while (r != 0 && errno == EINTR);
    if (r == 0 && !f->name_synced)
        r = spool_sync_fd(f->dir_fd);
    if (r != 0)
        return rc_from_errno(errno);
    f->name_synced = true;
    return RC_OK;
}

void spool_flush(struct spool_file *f)
{
    sync_file_range(f->fd, 0, 0, SYNC_FILE_RANGE_WRITE);
}

/* ---- the end --------------------------------------------------------------- */

/* RC_EXISTS: another has that name. */
static enum rc rename_to_last(struct spool_file *f)
{
    if (renameat2(f->dir_fd, f->part, f->dir_fd, f->last, RENAME_NOREPLACE) == 0)
        return RC_OK;
    if (errno != EINVAL && errno != ENOSYS)
        return rc_from_errno(errno);
    /* This file system cannot rename without replacing; a second link can. */
    if (linkat(f->dir_fd, f->part, f->dir_fd, f->last, 0) != 0)
        return rc_from_errno(errno);
    f->renamed = true;
    return unlinkat(f->dir_fd, f->part, 0) == 0 ? RC_OK : rc_from_errno(errno);
}

enum rc spool_finish(struct spool_file *f)
{
    enum rc rc;

    /* The bytes first: a name must never be durable before what it names. fsync, not
     * fdatasync: the size and the mode have to last as well. */
    if (spool_sync_fd(f->fd) != 0)
        return rc_from_errno(errno);
    f->synced = true;
    rc = check_entry(f);
    if (rc == RC_OK)
        rc = rename_to_last(f);
    if (rc != RC_OK)
        return rc;
    f->renamed = true;
    /* And the new name, else a power cut could take the file back. */
    if (spool_sync_fd(f->dir_fd) != 0)
        return rc_from_errno(errno);
    release(f);
    return RC_OK;
}

bool spool_is_synced(const struct spool_file *f)
{
    return f->synced;
}

/* RC_CONFLICT: the files differ. */
static enum rc compare(int a, int b)
{
    char x[COMPARE_BYTES], y[COMPARE_BYTES];
    size_t n, m;
    int64_t at = 0;

    do {
        enum rc rc = io_read_at(a, x, sizeof(x), at, &n);

        if (rc == RC_OK)
            rc = io_read_at(b, y, sizeof(y), at, &m);
        if (rc != RC_OK)
            return rc;
        if (n != m || memcmp(x, y, n) != 0)
            return RC_CONFLICT;
        at += (int64_t)n;
    } while (n > 0);
    return RC_OK;
}

enum rc spool_compare_index(const struct spool_file *f)
{
    int fd = openat(f->dir_fd, f->last, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    enum rc rc;

    if (fd < 0)
        return rc_from_errno(errno);
    rc = compare(f->fd, fd);
    close(fd);
    /* Its bytes were on disk before it had that name. */
    if (rc == RC_OK && spool_sync_fd(f->dir_fd) != 0)
        rc = rc_from_errno(errno);
    return rc;
}

void spool_close(struct spool_file *f)
{
    if (f)
        release(f);
}

void spool_abandon(struct spool_file *f)
{
    if (!f)
        return;
    /* Not what another put there after ours was removed. */
    if (check_entry(f) == RC_OK)
        unlinkat(f->dir_fd, f->part, 0);
    /* Only a .src of ours: RC_EXISTS means that it is another's. */
    if (f->renamed)
        unlinkat(f->dir_fd, f->last, 0);
    release(f);
}
