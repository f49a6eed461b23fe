/*
 * The folder and the files in it, as whoever does not write them sees them.
 */
#include "spool_priv.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *const suffixes[] = {
    [SPOOL_PART] = "part",
    [SPOOL_SRC] = "src",
    [SPOOL_INDEX] = "idx",
    [SPOOL_INDEX_PART] = "idx-part",
};

#define KIND_COUNT (sizeof(suffixes) / sizeof(suffixes[0]))

const char *spool_suffix(enum spool_kind kind)
{
    return suffixes[kind];
}

void spool_name(const char *id, enum spool_kind kind, char out[SPOOL_NAME_SIZE])
{
    snprintf(out, SPOOL_NAME_SIZE, "%.*s.%s", ID_LEN, id, suffixes[kind]);
}

enum rc spool_open_dir(const struct site *site, int *out)
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

bool spool_is_receiving(const struct site *site, const char *id)
{
    char name[SPOOL_NAME_SIZE];
    bool held = false;
    int dir_fd, fd;

    if (!id_valid(id) || spool_open_dir(site, &dir_fd) != RC_OK)
        return false;
    spool_name(id, SPOOL_PART, name);
    /* O_NONBLOCK in case someone put a pipe there: opening it must not hang. */
    fd = openat(dir_fd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd >= 0) {
        held = flock(fd, LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK;
        close(fd);
    }
    close(dir_fd);
    return held;
}

enum rc spool_stored(const struct site *site, const char *id, int64_t *size)
{
    char name[SPOOL_NAME_SIZE];
    struct stat st;
    enum rc rc;
    int dir_fd;

    if (!id_valid(id))
        return RC_INVALID;
    rc = spool_open_dir(site, &dir_fd);
    if (rc != RC_OK)
        return rc;
    spool_name(id, SPOOL_SRC, name);
    if (fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) != 0 ||
        spool_sync_fd(dir_fd) != 0)
        rc = rc_from_errno(errno);
    else
        *size = st.st_size;
    close(dir_fd);
    return rc;
}

/* Removes the files of kinds from first to the last. All are tried even if one fails,
 * so that as little as possible stays. */
static enum rc remove_from(const struct site *site, const char *id, size_t first)
{
    char name[SPOOL_NAME_SIZE];
    enum rc rc;
    int dir_fd;

    if (!id_valid(id))
        return RC_INVALID;
    rc = spool_open_dir(site, &dir_fd);
    if (rc != RC_OK)
        return rc;
    for (size_t kind = first; kind < KIND_COUNT; kind++) {
        spool_name(id, (enum spool_kind)kind, name);
        if (unlinkat(dir_fd, name, 0) != 0 && errno != ENOENT)
            rc = RC_IO;
    }
    close(dir_fd);
    return rc;
}

enum rc spool_remove(const struct site *site, const char *id)
{
    return remove_from(site, id, SPOOL_PART);
}

enum rc spool_remove_index(const struct site *site, const char *id)
{
    return remove_from(site, id, SPOOL_INDEX);
}

/* To the first free of "name", "name.1" …, synced: what is moved there is to last. */
static enum rc move_to(int dir_fd, const char *name, int lost_fd)
{
    char to[NAME_MAX + 8];
    int i;

    for (i = 0; i < 100; i++) {
        snprintf(to, sizeof(to), i == 0 ? "%s" : "%s.%d", name, i);
        if (renameat2(dir_fd, name, lost_fd, to, RENAME_NOREPLACE) == 0)
            return spool_sync_fd(lost_fd) == 0 ? RC_OK : RC_IO;
        if (errno != EEXIST)
            return rc_from_errno(errno);
    }
    return RC_EXISTS;
}

enum rc spool_set_aside(const struct site *site, const char *name)
{
    int dir_fd, lost_fd = -1;
    struct stat st;
    enum rc rc;

    if (strchr(name, '/') || *name == '.' || strlen(name) > NAME_MAX)
        return RC_NOT_FOUND;
    rc = spool_open_dir(site, &dir_fd);
    if (rc != RC_OK)
        return rc;
    if (fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) != 0)
        rc = rc_from_errno(errno);
    if (rc == RC_OK && mkdirat(dir_fd, SPOOL_LOST, 0700) != 0 && errno != EEXIST)
        rc = rc_from_errno(errno);
    if (rc == RC_OK) {
        lost_fd =
            openat(dir_fd, SPOOL_LOST, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        rc = lost_fd < 0 ? RC_IO : move_to(dir_fd, name, lost_fd);
    }
    if (lost_fd >= 0)
        close(lost_fd);
    close(dir_fd);
    return rc;
}

enum rc spool_set_source_aside(const struct site *site, const char *id)
{
    char name[SPOOL_NAME_SIZE];

    if (!id_valid(id))
        return RC_INVALID;
    spool_name(id, SPOOL_SRC, name);
    return spool_set_aside(site, name);
}

static enum rc path_of(const struct site *site, const char *id, enum spool_kind kind,
                       char out[PATH_MAX])
{
    char name[sizeof("spool/") + SPOOL_NAME_SIZE];

    if (!id_valid(id))
        return RC_INVALID;
    snprintf(name, sizeof(name), "spool/%s.%s", id, suffixes[kind]);
    return site_path(site, name, out);
}

enum rc spool_part_path(const struct site *site, const char *id, char out[PATH_MAX])
{
    return path_of(site, id, SPOOL_PART, out);
}

enum rc spool_src_path(const struct site *site, const char *id, char out[PATH_MAX])
{
    return path_of(site, id, SPOOL_SRC, out);
}

enum rc spool_index_path(const struct site *site, const char *id, char out[PATH_MAX])
{
    return path_of(site, id, SPOOL_INDEX, out);
}

/* Splits "<id>.<suffix>"; false for any other name. */
static bool parse_name(const char *name, char id[ID_LEN + 1], enum spool_kind *kind)
{
    if (strlen(name) <= ID_LEN || name[ID_LEN] != '.')
        return false;
    memcpy(id, name, ID_LEN);
    id[ID_LEN] = '\0';
    for (size_t i = 0; i < KIND_COUNT; i++) {
        if (strcmp(name + ID_LEN + 1, suffixes[i]) == 0) {
            *kind = (enum spool_kind)i;
            return id_valid(id);
        }
    }
    return false;
}

enum rc spool_each(const struct site *site,
                   enum rc (*cb)(void *arg, const char *id, enum spool_kind kind),
                   void *arg)
{
    enum rc rc;
    struct dirent *entry;
    DIR *dir;
    int fd;

    rc = spool_open_dir(site, &fd);
    if (rc != RC_OK)
        return rc;
    dir = fdopendir(fd);
    if (!dir) {
        close(fd);
        return RC_IO;
    }
    while (rc == RC_OK) {
        char id[ID_LEN + 1];
        enum spool_kind kind;

        /* readdir tells its end from an error by errno alone. */
        errno = 0;
        entry = readdir(dir);
        if (!entry) {
            rc = errno ? RC_IO : RC_OK;
            break;
        }
        if (parse_name(entry->d_name, id, &kind))
            rc = cb(arg, id, kind);
    }
    closedir(dir);
    return rc;
}
