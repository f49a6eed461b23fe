#include "video_lists.h"

#include "bounds.h"
#include "log.h"
#include "mediadir.h"
#include "playlists.h"
#include "store_lists.h"

#include <stdlib.h>

#define LOOKS_MAX 20 /* each after a change that another worker made meanwhile */

static enum rc write_lists(const struct worker *w, const struct video *v,
                           const struct rendition *renditions, size_t n, bool open,
                           bool *wrote)
{
    struct subtitles subs;
    enum rc rc = store_subtitles(w->store, v->id, &subs);
    return rc == RC_OK ? playlists_write(&w->site, w->tmp_fd, v->media_root, renditions,
                                         n, open, &subs, wrote)
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
            rc = playlists_write_cut(&w->site, w->tmp_fd, v->media_root, &all[i],
                                     &bounds);
        bounds_free(&bounds);
        free(bytes);
        if (rc == RC_NOT_FOUND) /* it is another one by now: as the next look sees */
            rc = RC_OK;
    }
    return rc;
}

/* behind: what was written before may have been lost since, the folder too. */
static enum rc follow_once(const struct worker *w, const char *video_id, bool behind,
                           bool *wrote)
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
        rc = playlists_sync(&w->site, v.media_root, all, n);
    return rc;
}

enum rc lists_follow(const struct worker *w, const char *video_id)
{
    struct lists_changes changes;
    bool wrote = true, behind;
    enum rc rc = store_lists_changes(w->store, video_id, &changes);
    behind = rc == RC_OK && changes.followed < changes.n;
    for (int i = 0; i < LOOKS_MAX && rc == RC_OK && wrote; i++) {
        wrote = false;
        rc = follow_once(w, video_id, behind, &wrote);
    }
    if (rc == RC_OK && !wrote && behind)
        rc = store_lists_followed(w->store, video_id, changes.n);
    if (rc != RC_OK && rc != RC_NOT_FOUND)
        log_warn("video %s: cannot rewrite the playlists: %s", video_id, rc_name(rc));
    return rc;
}
