#include "grant.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static enum rc open_media(const struct site *site, int *out)
{
    char path[PATH_MAX];
    enum rc rc = site_path(site, "htdocs/media", path);
    int fd;

    if (rc != RC_OK)
        return rc;
    if (mkdir(path, 0755) < 0 && errno != EEXIST)
        return rc_from_errno(errno);
    fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0)
        return rc_from_errno(errno);
    *out = fd;
    return RC_OK;
}

/* True if key is a symlink to root. */
static bool leads_to(int media, const char *key, const char *root)
{
    char target[KEY_LEN + 1];
    ssize_t n = readlinkat(media, key, target, sizeof(target));

    return n == KEY_LEN && memcmp(target, root, KEY_LEN) == 0;
}

enum rc grant_link(const struct site *site, const char *key, const char *root)
{
    enum rc rc;
    int media;

    if (!key_valid(key) || !key_valid(root))
        return RC_IO;
    rc = open_media(site, &media);
    if (rc != RC_OK)
        return rc;
    if (symlinkat(root, media, key) < 0) {
        rc = rc_from_errno(errno);
        if (rc == RC_EXISTS)
            rc = leads_to(media, key, root) ? RC_OK : RC_IO;
    }
    close(media);
    return rc;
}

enum rc grant_unlink(const struct site *site, const char *key)
{
    struct stat st;
    enum rc rc;
    int media;

    if (!key_valid(key))
        return RC_IO;
    rc = open_media(site, &media);
    if (rc != RC_OK)
        return rc;
    if (fstatat(media, key, &st, AT_SYMLINK_NOFOLLOW) < 0)
        rc = errno == ENOENT ? RC_OK : RC_IO;
    else if (!S_ISLNK(st.st_mode) || (unlinkat(media, key, 0) < 0 && errno != ENOENT))
        rc = RC_IO;
    close(media);
    return rc;
}
