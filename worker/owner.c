#include "owner.h"

#include "id.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#define PREFIX "worker-"
#define SUFFIX ".lock"

static enum rc lock_path(const struct site *site, const char *name, char out[PATH_MAX])
{
    char file[128];
    snprintf(file, sizeof(file), "run/%s" SUFFIX, name);
    return site_path(site, file, out);
}

/* The descriptor of a locked file, or -1: another process holds it. */
static int lock_file(const char *path, int flags)
{
    int fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW | flags, 0600);
    if (fd < 0)
        return -1;
    if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
        close(fd);
        return -1;
    }
    return fd;
}

enum rc owner_claim(const struct site *site, char name[STORE_OWNER_MAX + 1],
                    int *lock_fd)
{
    char id[ID_LEN + 1], path[PATH_MAX];
    enum rc rc = id_new(id);
    if (rc != RC_OK)
        return rc;
    snprintf(name, STORE_OWNER_MAX + 1, PREFIX "%s", id);
    rc = lock_path(site, name, path);
    if (rc != RC_OK)
        return rc;
    int fd = lock_file(path, O_CREAT | O_EXCL);
    if (fd < 0)
        return RC_IO;
    *lock_fd = fd;
    return RC_OK;
}

void owner_release(const struct site *site, const char *name, int lock_fd)
{
    char path[PATH_MAX];
    if (lock_path(site, name, path) == RC_OK)
        unlink(path);
    close(lock_fd);
}

/* "worker-<id>" of a file name of ours; false for any other file. */
static bool owner_of(const char *file, char name[STORE_OWNER_MAX + 1])
{
    char id[ID_LEN + 1];
    if (strlen(file) != strlen(PREFIX) + ID_LEN + strlen(SUFFIX) ||
        strncmp(file, PREFIX, strlen(PREFIX)) != 0 ||
        strcmp(file + strlen(PREFIX) + ID_LEN, SUFFIX) != 0)
        return false;
    memcpy(id, file + strlen(PREFIX), ID_LEN);
    id[ID_LEN] = '\0';
    if (!id_valid(id))
        return false;
    snprintf(name, STORE_OWNER_MAX + 1, PREFIX "%s", id);
    return true;
}

static enum rc bury(const struct site *site, struct store *st, const char *name,
                    int *jobs)
{
    char path[PATH_MAX];
    int n = 0;
    enum rc rc = lock_path(site, name, path);
    if (rc != RC_OK)
        return rc;
    int fd = lock_file(path, 0);
    if (fd < 0)
        return RC_OK; /* alive */
    rc = store_job_release_owner(st, name, &n);
    if (rc == RC_OK)
        rc = store_worker_gone(st, name);
    if (rc == RC_OK)
        unlink(path);
    close(fd);
    *jobs += n;
    return rc;
}

enum rc owner_bury_dead(const struct site *site, struct store *st, int *jobs)
{
    char path[PATH_MAX], name[STORE_OWNER_MAX + 1];
    enum rc rc = site_path(site, "run", path);
    if (rc != RC_OK)
        return rc;
    DIR *d = opendir(path);
    if (!d)
        return RC_IO;
    struct dirent *e;
    int n = 0;
    while (rc == RC_OK && (e = readdir(d)))
        if (owner_of(e->d_name, name))
            rc = bury(site, st, name, &n);
    closedir(d);
    if (rc == RC_OK)
        *jobs = n;
    return rc;
}

bool owner_may_checkpoint(const struct site *site)
{
    static int held = -1;
    char path[PATH_MAX];
    if (held < 0 && site_path(site, "run/checkpoint.lock", path) == RC_OK)
        held = lock_file(path, O_CREAT);
    return held >= 0;
}
