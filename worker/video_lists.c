#include "video_lists.h"

#include "log.h"
#include "playlists.h"
#include "store_lists.h"

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

static enum rc follow_once(const struct worker *w, const char *video_id, bool *wrote)
{
    struct rendition all[STORE_RENDITIONS_MAX];
    struct video v;
    size_t n = 0;
    enum rc rc = store_video_get(w->store, video_id, &v);
    if (rc == RC_OK)
        rc = store_renditions(w->store, video_id, all, &n);
    if (rc != RC_OK || n == 0)
        return rc;
    return write_lists(w, &v, all, n, v.duration_us < 0, wrote);
}

enum rc lists_follow(const struct worker *w, const char *video_id)
{
    struct lists_changes changes;
    bool wrote = true;
    enum rc rc = store_lists_changes(w->store, video_id, &changes);
    for (int i = 0; i < LOOKS_MAX && rc == RC_OK && wrote; i++) {
        wrote = false;
        rc = follow_once(w, video_id, &wrote);
    }
    if (rc == RC_OK && !wrote && changes.followed < changes.n)
        rc = store_lists_followed(w->store, video_id, changes.n);
    if (rc != RC_OK && rc != RC_NOT_FOUND)
        log_warn("video %s: cannot rewrite the playlists: %s", video_id, rc_name(rc));
    return rc;
}
