#include "grant.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

bool grant_leads_to(int media, const char *key, const char *root)
{
    char target[KEY_LEN + 1];
    ssize_t n = readlinkat(media, key, target, sizeof(target));

    return n == KEY_LEN && memcmp(target, root, KEY_LEN) == 0;
}

enum rc grant_link(const struct site *site, const char *key, const char *root,
                   bool *made)
{
    enum rc rc;
    int media;

    if (!key_valid(key) || !key_valid(root))
        return RC_IO;
    rc = site_open_media(site, &media);
    if (rc != RC_OK)
        return rc;
    if (symlinkat(root, media, key) != 0)
        rc = rc_from_errno(errno);
    if (made)
        *made = rc == RC_OK;
    if (rc == RC_EXISTS)
        rc = grant_leads_to(media, key, root) ? RC_OK : RC_IO;
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
    rc = site_open_media(site, &media);
    if (rc != RC_OK)
        return rc;
    if (fstatat(media, key, &st, AT_SYMLINK_NOFOLLOW) < 0)
        rc = errno == ENOENT ? RC_OK : RC_IO;
    else if (!S_ISLNK(st.st_mode) || (unlinkat(media, key, 0) < 0 && errno != ENOENT))
        rc = RC_IO;
    close(media);
    return rc;
}

/* ---- with their rows -------------------------------------------------------- */

/* One that is revoked at this moment may have been ended before its symlink was made
 * here, so whoever makes one looks once more. RC_NOT_FOUND: that has happened. */
enum rc grant_ensure(struct store *st, const struct site *site, const struct grant *g)
{
    struct grant now;
    struct video v;
    bool made;
    enum rc rc = grant_link(site, g->key, g->media_root, &made);

    if (rc != RC_OK || !made)
        return rc;
    rc = store_grant_by_key(st, g->key, &now, &v);
    if (rc == RC_NOT_FOUND)
        grant_unlink(site, g->key);
    return rc;
}

enum rc grant_for_user(struct store *st, const struct site *site, const char *video_id,
                       int64_t user_id, struct grant *out)
{
    struct grant g;
    enum rc rc = store_grant_user(st, video_id, user_id, &g);

    /* Also of one that was there: who made its row may have been killed since. */
    if (rc == RC_OK)
        rc = grant_ensure(st, site, &g);
    if (rc == RC_OK)
        *out = g;
    return rc;
}

struct ending {
    struct store *st;
    const struct site *site;
    char linked[ID_LEN + 1]; /* the video whose other grants were seen to */
    size_t left;             /* so many at most */
    enum rc rc;              /* the first error */
};

static void note_error(struct ending *e, enum rc rc)
{
    if (e->rc == RC_OK)
        e->rc = rc;
}

static enum rc link_one(void *arg, const struct grant *g)
{
    struct ending *e = arg;
    enum rc rc = grant_ensure(e->st, e->site, g);

    if (rc != RC_NOT_FOUND)
        note_error(e, rc);
    return RC_OK;
}

enum rc grant_link_all(struct store *st, const struct site *site, const char *video_id)
{
    struct ending e = {.st = st, .site = site, .rc = RC_OK};

    note_error(&e, store_grant_each(st, video_id, false, link_one, &e));
    return e.rc;
}

static enum rc end_one(void *arg, const struct grant *g)
{
    struct ending *e = arg;
    enum rc rc;

    if (e->left-- == 0)
        return RC_STOPPED;
    if (strcmp(e->linked, g->video_id) != 0) {
        memcpy(e->linked, g->video_id, sizeof(e->linked));
        note_error(e, grant_link_all(e->st, e->site, g->video_id));
    }
    rc = grant_unlink(e->site, g->key);
    if (rc == RC_OK)
        rc = store_grant_drop(e->st, g->key);
    note_error(e, rc);
    return RC_OK;
}

static enum rc end_revoked(struct store *st, const struct site *site,
                           const char *video_id, size_t max, bool *more)
{
    struct ending e = {.st = st, .site = site, .left = max, .rc = RC_OK};
    enum rc rc = store_grant_each(st, video_id, true, end_one, &e);

    *more = rc == RC_STOPPED;
    if (!*more)
        note_error(&e, rc);
    return e.rc;
}

enum rc grant_end_revoked(struct store *st, const struct site *site,
                          const char *video_id)
{
    bool more;

    return end_revoked(st, site, video_id, SIZE_MAX, &more);
}

enum rc grant_end_some(struct store *st, const struct site *site, size_t max,
                       bool *more)
{
    return end_revoked(st, site, "", max, more);
}
