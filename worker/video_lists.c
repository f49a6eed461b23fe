#include "video_lists.h"

#include "bounds.h"
#include "log.h"
#include "mediadir.h"
#include "old_folders.h"
#include "playlists.h"
#include "store_lists.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LOOKS_MAX 20  /* each after a change that another worker made meanwhile */
#define STAGED_MAX 16 /* videos: two descriptors for each file of theirs that waits */

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

/* Looked at again behind it: whoever deletes the video may have removed the folder just
 * before it was made. */
enum rc lists_make_folder(struct worker *w, const struct video *v)
{
    struct video now;
    enum rc rc = mediadir_create(&w->site, v->media_root);
    if (rc == RC_OK)
        rc = store_video_get(w->store, v->id, &now);
    if (rc == RC_NOT_FOUND)
        old_folders_remove(w, v->media_root, "");
    return rc;
}

/* behind: what was written before may have been lost since, the folder too; once all is
 * there, it is opened to be synced. */
static enum rc follow_once(struct worker *w, const char *video_id, bool behind,
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
        rc = lists_make_folder(w, &v);
    if (rc == RC_OK)
        rc = write_cuts(w, &v, all, n);
    if (rc == RC_OK)
        rc = write_lists(w, &v, all, n, v.duration_us < 0, wrote);
    if (rc == RC_OK && behind && !*wrote)
        rc = playlists_open_all(&w->site, v.media_root, all, n, out->fds, &out->n);
    return rc;
}

/* A folder that no playlist is to name any more. */
struct gone {
    struct gone *next;
    struct rendition rendition;
};

/*
 * A video whose playlists are to follow, and wait: for the disk to have what replaces
 * others (waiter), for a sync of all that is there (order), or for the end of another
 * one's (again). One video is synced at a time, as each takes many descriptors.
 */
struct following {
    struct following *next; /* the older ones */
    struct worker *w;
    char id[ID_LEN + 1];
    struct staging_waiter waiter;
    struct sync_order *order; /* NULL: no sync is under way … */
    int64_t n;                /* … after which they have followed so many changes */
    bool again;
    struct gone *gone; /* removed once the playlists are written */
    char root[sizeof(((struct video *)NULL)->media_root)]; /* … from here */
};

static void take_out(struct following *f)
{
    struct following **p = &f->w->following;
    while (*p != f)
        p = &(*p)->next;
    *p = f->next;
}

static void put_in(struct following *f)
{
    f->next = f->w->following;
    f->w->following = f;
}

static void remove_gone(struct following *f)
{
    struct gone *g;
    while ((g = f->gone)) {
        f->gone = g->next;
        old_folders_remove_rendition(f->w, f->root, &g->rendition);
        free(g);
    }
}

static void forget(struct following *f)
{
    take_out(f);
    staging_forget(f->w->staging, &f->waiter);
    syncer_forget(f->order);
    remove_gone(f);
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

static bool is_syncing(const struct worker *w)
{
    for (const struct following *f = w->following; f; f = f->next)
        if (f->order)
            return true;
    return false;
}

static enum rc follow(struct following *f);

/* Whoever waits for the end of a sync, the oldest first, until there is one again. */
static void go_on(struct worker *w)
{
    struct following *oldest;
    do {
        oldest = NULL;
        for (struct following *f = w->following; f; f = f->next)
            if (f->again && !f->waiter.waits)
                oldest = f;
        if (oldest && !is_syncing(w))
            follow(oldest);
    } while (oldest && !is_syncing(w));
}

static void on_staged(void *arg)
{
    follow(arg);
}

static void on_synced(void *arg, enum rc rc)
{
    struct following *f = arg;
    struct worker *w = f->w;
    f->order = NULL;
    if (rc == RC_OK)
        rc = store_lists_followed(w->store, f->id, f->n);
    complain(f, rc);
    if (!f->again && !f->waiter.waits)
        forget(f);
    go_on(w);
}

static void wait_for_turn(struct following *f)
{
    f->again = true;
    take_out(f);
    put_in(f);
}

/* f may be gone afterwards. */
static enum rc follow(struct following *f)
{
    struct worker *w = f->w;
    struct lists_changes changes;
    struct synced s = {.n = 0};
    bool wrote = true, behind, syncing = is_syncing(w);
    enum rc rc = store_lists_changes(w->store, f->id, &changes);
    behind = rc == RC_OK && changes.followed < changes.n;
    for (int i = 0; i < LOOKS_MAX && rc == RC_OK && wrote; i++) {
        wrote = false;
        rc = follow_once(w, f->id, behind && !syncing, &wrote, &s);
    }
    complain(f, rc);
    f->again = false;
    if (rc == RC_PENDING) {
        staging_wait(w->staging, &f->waiter, f->id, on_staged, f);
        return rc;
    }
    remove_gone(f);
    if (behind && syncing && (rc == RC_OK || f->order)) {
        wait_for_turn(f);
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
    f->w = w;
    snprintf(f->id, sizeof(f->id), "%s", video_id);
    put_in(f);
    return f;
}

enum rc lists_follow(struct worker *w, const char *video_id)
{
    struct following *f = find(w, video_id);
    return f ? follow(f) : RC_NOMEM;
}

void lists_follow_without(struct worker *w, const struct video *v,
                          const struct rendition *gone, size_t n)
{
    struct following *f = find(w, v->id);
    if (f)
        snprintf(f->root, sizeof(f->root), "%s", v->media_root);
    for (size_t i = 0; i < n; i++) {
        struct gone *g = f ? malloc(sizeof(*g)) : NULL;
        if (g) {
            *g = (struct gone){f->gone, gone[i]};
            f->gone = g;
        } else {
            old_folders_remove_rendition(w, v->media_root, &gone[i]);
        }
    }
    if (f)
        follow(f);
}

bool lists_are_many(const struct worker *w)
{
    int n = 0;
    for (const struct following *f = w->following; f; f = f->next)
        n += f->waiter.waits;
    return n >= STAGED_MAX;
}

void lists_take_back(struct worker *w, const struct video *v)
{
    struct video now;
    enum rc rc = store_video_get(w->store, v->id, &now);
    /* It counts: who dies here has somebody else do it. */
    if (rc == RC_OK)
        rc = store_lists_change(w->store, v->id);
    if (rc == RC_OK)
        lists_follow(w, v->id);
    else if (rc == RC_NOT_FOUND)
        old_folders_remove(w, v->media_root, "");
    else
        log_warn("video %s: cannot take its playlists back: %s", v->id, rc_name(rc));
}
