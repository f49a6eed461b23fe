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

enum rc grant_link(int media, const char *key, const char *root, bool *made)
{
    *made = false;
    if (!key_valid(key) || !key_valid(root))
        return RC_IO;
    if (grant_leads_to(media, key, root))
        return RC_OK;
    *made = symlinkat(root, media, key) == 0;
    if (*made)
        return RC_OK;
    if (errno != EEXIST)
        return rc_from_errno(errno);
    return grant_leads_to(media, key, root) ? RC_OK : RC_IO;
}

enum rc grant_unlink(int media, const char *key)
{
    struct stat st;

    if (!key_valid(key))
        return RC_IO;
    if (fstatat(media, key, &st, AT_SYMLINK_NOFOLLOW) < 0)
        return errno == ENOENT ? RC_OK : RC_IO;
    if (!S_ISLNK(st.st_mode) || (unlinkat(media, key, 0) < 0 && errno != ENOENT))
        return RC_IO;
    return RC_OK;
}

/* ---- with their rows -------------------------------------------------------- */

/* One that is revoked at this moment may have been ended before its symlink was made
 * here, so whoever makes one looks once more. RC_NOT_FOUND: that has happened. */
enum rc grant_ensure(struct store *st, int media, const struct grant *g)
{
    struct grant now;
    struct video v;
    bool made;
    enum rc rc = grant_link(media, g->key, g->media_root, &made);

    if (rc != RC_OK || !made)
        return rc;
    rc = store_grant_by_key(st, g->key, &now, &v);
    if (rc == RC_NOT_FOUND)
        grant_unlink(media, g->key);
    return rc;
}

enum rc grant_for_user(struct store *st, int media, const char *video_id,
                       int64_t user_id, struct grant *out)
{
    struct grant g;
    enum rc rc = store_grant_user(st, video_id, user_id, &g);

    /* Also of one that was there: who made its row may have been killed since. */
    if (rc == RC_OK)
        rc = grant_ensure(st, media, &g);
    if (rc == RC_OK)
        *out = g;
    return rc;
}

enum rc grant_of_share(struct store *st, const struct site *site, const struct share *s,
                       const struct video *v)
{
    struct grant g = {.kind = GRANT_SHARE};
    int media;
    enum rc rc = site_open_media(site, &media);

    if (rc != RC_OK)
        return rc;
    memcpy(g.key, s->key, sizeof(g.key));
    memcpy(g.media_root, v->media_root, sizeof(g.media_root));
    rc = grant_ensure(st, media, &g);
    close(media);
    return rc;
}

/* ---- of all that a video has ------------------------------------------------- */

struct each {
    struct store *st;
    const struct site *site;
    int media;   /* -1: none of them needed it yet */
    size_t left; /* so many at most */
    enum rc rc;  /* the first error */
};

static void note_error(struct each *e, enum rc rc)
{
    if (e->rc == RC_OK)
        e->rc = rc;
}

static enum rc open_media(struct each *e)
{
    return e->media < 0 ? site_open_media(e->site, &e->media) : RC_OK;
}

static enum rc link_one(void *arg, const struct grant *g)
{
    struct each *e = arg;
    enum rc rc = open_media(e);

    if (rc != RC_OK)
        return rc;
    rc = grant_ensure(e->st, e->media, g);
    if (rc != RC_NOT_FOUND)
        note_error(e, rc);
    return RC_OK;
}

static enum rc end_one(void *arg, const struct grant *g)
{
    struct each *e = arg;
    enum rc rc;

    if (e->left-- == 0)
        return RC_STOPPED;
    rc = open_media(e);
    if (rc != RC_OK)
        return rc;
    rc = grant_unlink(e->media, g->key);
    if (rc == RC_OK)
        rc = store_grant_drop(e->st, g->key);
    note_error(e, rc);
    return RC_OK;
}

/* Ends those that are revoked, at most max of them; or makes the symlinks of those that
 * are not. *more: there may be others. */
static enum rc do_each(struct store *st, const struct site *site, const char *video_id,
                       bool revoked, size_t max, bool *more)
{
    struct each e = {.st = st, .site = site, .media = -1, .left = max, .rc = RC_OK};
    enum rc rc =
        store_grant_each(st, video_id, revoked, revoked ? end_one : link_one, &e);

    *more = rc == RC_STOPPED;
    if (!*more)
        note_error(&e, rc);
    if (e.media >= 0)
        close(e.media);
    return e.rc;
}

enum rc grant_end_revoked(struct store *st, const struct site *site,
                          const char *video_id)
{
    bool more;

    return do_each(st, site, video_id, true, SIZE_MAX, &more);
}

enum rc grant_end_some(struct store *st, const struct site *site, size_t max,
                       bool *more)
{
    return do_each(st, site, "", true, max, more);
}

enum rc grant_replace_revoked(struct store *st, const struct site *site,
                              const char *video_id)
{
    bool more;
    enum rc linked = do_each(st, site, video_id, false, SIZE_MAX, &more);
    enum rc ended = grant_end_revoked(st, site, video_id);

    return linked == RC_OK ? ended : linked;
}
