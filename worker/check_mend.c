/*
 * check_mend.c: does what can be done about a finding. What belongs to a running worker
 * is asked of it, by the store; what was uploaded is never removed.
 */
#include "site_check.h"

#include "grant.h"
#include "mediadir.h"
#include "spool.h"

#include <string.h>
#include <unistd.h>

/* The folder of a video is there before its jobs are queued, as they count on it. */
static enum rc make_folder(struct check *c, const char *id)
{
    struct video v;
    int fd;
    enum rc rc = store_video_get(c->store, id, &v);
    if (rc == RC_OK)
        rc = mediadir_open(c->site, v.media_root, "", false, &fd);
    if (rc == RC_OK)
        close(fd);
    else if (rc == RC_NOT_FOUND && *v.media_root)
        rc = mediadir_create(c->site, v.media_root);
    return rc;
}

static enum rc ask(struct check *c, const struct finding *f)
{
    enum rc rc = RC_OK;
    if (f->mend >= MEND_RENDITION && f->mend <= MEND_SUBTITLES)
        rc = make_folder(c, f->subject);
    if (rc == RC_OK)
        rc = store_mend(c->store, f->subject, f->mend, f->name, f->missing);
    return rc == RC_EXISTS ? RC_OK : rc; /* somebody was faster */
}

struct linking {
    struct check *c;
    int media;
};

static enum rc link_one(void *arg, const struct grant *g)
{
    const struct linking *l = arg;
    enum rc rc = RC_OK;
    if (!grant_leads_to(l->media, g->key, g->media_root))
        rc = grant_unlink(l->media, g->key);
    if (rc == RC_OK)
        rc = grant_ensure(l->c->store, l->media, g);
    return rc == RC_NOT_FOUND ? RC_OK : rc;
}

static enum rc link_grants(struct check *c, const char *id)
{
    struct linking l = {c, -1};
    enum rc rc = site_open_media(c->site, &l.media);
    if (rc != RC_OK)
        return rc;
    rc = store_grant_each(c->store, id, false, link_one, &l);
    close(l.media);
    return rc;
}

static enum rc unlink_grant(struct check *c, const char *key)
{
    int media;
    enum rc rc = site_open_media(c->site, &media);
    if (rc != RC_OK)
        return rc;
    rc = grant_unlink(media, key);
    close(media);
    return rc;
}

static enum rc remove_part(struct check *c, const char *id, const char *name)
{
    struct video v;
    int fd;
    enum rc rc = store_video_get(c->store, id, &v);
    if (rc == RC_OK)
        rc = mediadir_open(c->site, v.media_root, "", false, &fd);
    if (rc != RC_OK)
        return rc;
    rc = mediadir_remove_sub(fd, name);
    close(fd);
    return rc;
}

static enum rc remove_tmp(struct check *c, const char *name)
{
    int fd;
    enum rc rc = mediadir_open_tmp(c->site, false, &fd);
    if (rc != RC_OK)
        return rc;
    if (unlinkat(fd, name, 0) < 0)
        rc = RC_IO;
    close(fd);
    return rc;
}

enum rc check_mend(struct check *c, const struct finding *f, const char **said)
{
    switch (f->cure) {
    case CURE_STORE:
        *said = "queued";
        return ask(c, f);
    case CURE_WARN:
        *said = "its page warns of it";
        return store_video_warn(c->store, f->subject,
                                "Bytes of the uploaded file were lost since.");
    case CURE_GRANTS:
        *said = "made again";
        return link_grants(c, f->subject);
    case CURE_SET_ASIDE:
        *said = "moved to spool/" SPOOL_LOST;
        return spool_set_aside(c->site, f->name);
    case CURE_UNLINK_GRANT:
        *said = "removed";
        return unlink_grant(c, f->name);
    case CURE_REMOVE_MEDIA:
        *said = "removed";
        return mediadir_remove(c->site, f->name);
    case CURE_REMOVE_PART:
        *said = "removed";
        return remove_part(c, f->subject, f->name);
    case CURE_REMOVE_TMP:
        *said = "removed";
        return remove_tmp(c, f->name);
    case CURE_NONE:
        break;
    }
    return RC_UNSUPPORTED;
}
