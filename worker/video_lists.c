#include "video_lists.h"

#include "bounds.h"
#include "log.h"
#include "mediadir.h"
#include "playlists.h"
#include "store_lists.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LOOKS_MAX 20 /* each after a change that another worker made meanwhile */

static enum rc write_lists(const struct worker *w, const struct video *v,
                           const struct rendition *renditions, size_t n, bool open,
                           bool *wrote)
{
    struct subtitles subs;
    enum rc rc = store_subtitles(w->store, v->id, &subs);
    return rc == RC_OK ? playlists_write(&w->site, w->staging, v->media_root,
                                         renditions, n, open, &subs, wrote)
                       : rc;
}

enum rc lists_write(const struct worker *w, const struct video *v,
                    const struct rendition *renditions, size_t n, bool open)
{
    bool wrote;
    return write_lists(w, v, renditions, n, open, &wrote);
}

/* That of a copy is written once, and does not change; it may have been lost. */
static enum rc write_cuts(const struct worker *w, const struct video *v,
                          const struct rendition *all, size_t n)
{
    enum rc rc = RC_OK;
    for (size_t i = 0; i < n && rc == RC_OK; i++) {
        struct bounds bounds = {.n = 0};
        uint8_t *bytes = NULL;
        size_t size;
        if (!all[i].copied || all[i].segments == 0)
            continue;
        rc = store_bounds(w->store, v->id, all[i].name, &bytes, &size);
        if (rc == RC_OK)
            rc = bounds_unpack(bytes, size, &bounds);
        if (rc == RC_OK)
            rc = playlists_write_cut(&w->site, w->staging, v->media_root, &all[i],
                                     &bounds);
        bounds_free(&bounds);
        free(bytes);
        if (rc == RC_NOT_FOUND) /* it is another one by now: as the next look sees */
            rc = RC_OK;
    }
    return rc;
}

/* Descriptors of the playlists and their folders, to be synced. */
struct synced {
    int fds[PLAYLISTS_FDS];
    size_t n;
};

/* behind: what was written before may have been lost since, the folder too; once all is
 * there, it is opened to be synced. */
static enum rc follow_once(const struct worker *w, const char *video_id, bool behind,
                           bool *wrote, struct synced *out)
{
    struct rendition all[STORE_RENDITIONS_MAX];
    struct video v;
    size_t n = 0;
    enum rc rc = store_video_get(w->store, video_id, &v);
    if (rc == RC_OK)
        rc = store_renditions(w->store, video_id, all, &n);
    if (rc != RC_OK || n == 0)
        return rc;
    if (behind)
        rc = mediadir_create(&w->site, v.media_root);
    if (rc == RC_OK)
        rc = write_cuts(w, &v, all, n);
    if (rc == RC_OK)
        rc = write_lists(w, &v, all, n, v.duration_us < 0, wrote);
    if (rc == RC_OK && behind && !*wrote)
        rc = playlists_open_all(&w->site, v.media_root, all, n, out->fds, &out->n);
    return rc;
}

/* A video whose playlists are to follow, and wait for the disk. */
struct following {
    struct following *next;
    struct worker *w;
    char id[ID_LEN + 1];
    struct staging_waiter waiter;
    struct sync_order *order; /* NULL: no sync is under way … */
    int64_t n;                /* … after which they have followed so many changes */
    bool again;               /* after it they are looked at once more */
};

static void forget(struct following *f)
{
    struct following **p = &f->w->following;
    while (*p != f)
        p = &(*p)->next;
    *p = f->next;
    staging_forget(f->w->staging, &f->waiter);
    syncer_forget(f->order);
    free(f);
}

void lists_close(struct worker *w)
{
    while (w->following)
        forget(w->following);
}

static void complain(const struct following *f, enum rc rc)
{
    if (rc != RC_OK && rc != RC_NOT_FOUND && rc != RC_PENDING)
        log_warn("video %s: cannot rewrite the playlists: %s", f->id, rc_name(rc));
}

static enum rc follow(struct following *f);

static void on_staged(void *arg)
{
    follow(arg);
}

static void on_synced(void *arg, enum rc rc)
{
    struct following *f = arg;
    f->order = NULL;
    if (rc == RC_OK)
        rc = store_lists_followed(f->w->store, f->id, f->n);
    complain(f, rc);
    if (f->again)
        follow(f);
    else if (!f->waiter.waits)
        forget(f);
}

/* f may be gone afterwards. */
static enum rc follow(struct following *f)
{
    struct worker *w = f->w;
    struct lists_changes changes;
    struct synced s = {.n = 0};
    bool wrote = true, behind;
    enum rc rc = store_lists_changes(w->store, f->id, &changes);
    behind = rc == RC_OK && changes.followed < changes.n;
    for (int i = 0; i < LOOKS_MAX && rc == RC_OK && wrote; i++) {
        wrote = false;
        rc = follow_once(w, f->id, behind && !f->order, &wrote, &s);
    }
    f->again = f->order && behind;
    complain(f, rc);
    if (rc == RC_PENDING) {
        staging_wait(w->staging, &f->waiter, on_staged, f);
    } else if (rc == RC_OK && s.n > 0) {
        f->n = changes.n;
        rc = syncer_sync(w->syncer, s.fds, s.n, on_synced, f, &f->order);
        if (rc != RC_OK)
            forget(f);
    } else if (!f->order) {
        forget(f);
    }
    return rc;
}

static struct following *find(struct worker *w, const char *video_id)
{
    struct following *f;
    for (f = w->following; f; f = f->next)
        if (strcmp(f->id, video_id) == 0)
            return f;
    f = calloc(1, sizeof(*f));
    if (!f)
        return NULL;
    *f = (struct following){.next = w->following, .w = w};
    snprintf(f->id, sizeof(f->id), "%s", video_id);
    w->following = f;
    return f;
}

enum rc lists_follow(struct worker *w, const char *video_id)
{
    struct following *f = find(w, video_id);
    return f ? follow(f) : RC_NOMEM;
}
