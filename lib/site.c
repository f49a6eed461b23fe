/*
 * Where the site is. Only realpath's answer is ever kept, so that a working directory
 * that changes later, or a link that is moved, cannot make the programs of one site
 * disagree.
 */
#include "site.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define FOLDER (O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW)

static bool has_folder(const struct site *site, const char *name)
{
    char path[PATH_MAX];
    struct stat st;

    return site_path(site, name, path) == RC_OK && stat(path, &st) == 0 &&
           S_ISDIR(st.st_mode);
}

enum rc site_at(const char *dir, struct site *out)
{
    struct site site;

    if (!realpath(dir, site.root))
        return RC_INVALID;
    /* The root folder would break "no trailing slash", and is nobody's site. */
    if (strcmp(site.root, "/") == 0)
        return RC_INVALID;
    if (!has_folder(&site, "etc") || !has_folder(&site, "htdocs"))
        return RC_INVALID;
    *out = site;
    return RC_OK;
}

enum rc site_find(struct site *out)
{
    const char *set = getenv("DROPSTREAM_SITE");
    char exe[PATH_MAX];
    ssize_t n;
    int up;

    if (set && *set)
        return site_at(set, out);
    /* The kernel's own word, unlike argv[0]. A program that was replaced while it runs
     * has " (deleted)" behind its name, which the first step up takes away. */
    n = readlink("/proc/self/exe", exe, sizeof(exe) - 1);
    if (n <= 0)
        return RC_INVALID;
    exe[n] = '\0';
    for (up = 0; up < 2; up++) {
        char *slash = strrchr(exe, '/');

        if (!slash)
            return RC_INVALID;
        *slash = '\0';
    }
    return site_at(exe, out);
}

enum rc site_path(const struct site *site, const char *name, char out[PATH_MAX])
{
    char path[PATH_MAX];
    int n = snprintf(path, sizeof(path), "%s/%s", site->root, name);

    if (n < 0 || (size_t)n >= sizeof(path))
        return RC_TOO_LARGE;
    memcpy(out, path, (size_t)n + 1);
    return RC_OK;
}

enum rc site_open_media(const struct site *site, int *out_fd)
{
    char path[PATH_MAX];
    enum rc rc = site_path(site, "htdocs/media", path);
    int fd;

    if (rc != RC_OK)
        return rc;
    fd = open(path, FOLDER);
    if (fd < 0 && errno == ENOENT) {
        if (mkdir(path, 0755) < 0 && errno != EEXIST)
            return rc_from_errno(errno);
        fd = open(path, FOLDER);
    }
    if (fd < 0)
        return rc_from_errno(errno);
    *out_fd = fd;
    return RC_OK;
}

enum rc site_free_bytes(const struct site *site, long long *out)
{
    struct statvfs fs;

    while (statvfs(site->root, &fs) != 0)
        if (errno != EINTR)
            return RC_IO;
    /* bavail, not bfree: root's reserve is not ours. */
    *out = (long long)fs.f_bavail * (long long)fs.f_frsize;
    return RC_OK;
}
