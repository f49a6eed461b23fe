/*
 * store_disk.h: the part of store.h about room on the disk: how much is used for what,
 * and what was made is put away until somebody wants it again. Its functions are as
 * those of store.h.
 *
 * Only renditions that a video is ready without (extra) are ever put away. That goes
 * in two steps, so that whoever is killed between them loses nothing: first the row
 * says that nothing exists, and its job can be claimed by nobody; then the segments
 * go; then the job can be claimed again, but only for somebody who waits.
 */
#ifndef DROPSTREAM_STORE_DISK_H
#define DROPSTREAM_STORE_DISK_H

#include "store.h"

struct disk_use {
    bool paused;       /* less is free than the reserve: nothing is made meanwhile */
    int64_t originals; /* bytes of the uploaded files */
    int64_t media;     /* bytes of all segments */
};

/* What the worker found last. */
enum rc store_disk_use(struct store *st, struct disk_use *out);

/* Sums up both kinds of bytes, and keeps the sums; nothing is written where they are
 * the same as before. */
enum rc store_disk_count(struct store *st, struct disk_use *out);

/* Nothing is made from now on, or (paused false) it goes on; why, a sentence, goes to
 * the activity log. RC_EXISTS: that was so before, and nothing was written. */
enum rc store_disk_pause(struct store *st, bool paused, const char *why);

/* ---- who watches --------------------------------------------------------- */

/* Somebody watches the video. Written at most every STORE_WATCHED_MS. RC_OK also where
 * there is none. */
#define STORE_WATCHED_MS 120000
enum rc store_video_watched(struct store *st, const char *id);

/* ---- what can be put away ------------------------------------------------- */

/* The name of a rendition, and whose it is. */
struct rendition_of {
    char video_id[ID_LEN + 1];
    char rendition[STORE_RENDITION_MAX + 1];
};

/* An extra rendition of which segments exist and that nobody works on. */
struct evictable {
    struct rendition_of which;
    int64_t bytes;       /* of its segments, over 0 */
    int64_t watched_ms;  /* wall clock: when its video was last watched; -1: never */
    int64_t created_ms;  /* wall clock: when its upload began */
    int64_t duration_us; /* of its video */
    bool copied;         /* of the source, which is made again in no time */
};

/* Calls cb for each, in no order. What cb returned if not RC_OK; cb must not use st. */
enum rc store_evictable_each(struct store *st,
                             enum rc (*cb)(void *arg, const struct evictable *e),
                             void *arg);

/* The first step: see above; on disk for good when this returns. Its playlists are to
 * follow (store_lists.h). RC_CONFLICT: somebody is at work on it, or it is not extra,
 * or nothing of it exists. */
enum rc store_rendition_evict(struct store *st, const struct rendition_of *which);

/* The last one, when its segments are gone and their removal is synced. RC_OK also
 * where there is none. */
enum rc store_rendition_evicted(struct store *st, const struct rendition_of *which);

/* One between the two steps: who began it has died, or is at it. RC_NOT_FOUND: there is
 * none. */
enum rc store_evicting(struct store *st, struct rendition_of *out);

/* ---- what is not measured yet ---------------------------------------------- */

/* One that nobody works on, and of which nobody knows how many bytes its segments have.
 * RC_NOT_FOUND: there is none. */
enum rc store_unmeasured(struct store *st, struct rendition_of *out);

/* They are so many, unless somebody knows better by now. */
enum rc store_rendition_measured(struct store *st, const struct rendition_of *which,
                                 int64_t bytes);

#endif
