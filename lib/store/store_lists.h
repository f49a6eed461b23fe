/*
 * store_lists.h: the part of store.h about playlists: whether they have followed what
 * the store says of their video. Its functions are as those of store.h.
 *
 * Whatever changes what they say counts as a change: what a job's end means for its
 * rendition, an offered copy, a plan and its confirmation, what is promised of an
 * open-ended video, and subtitles that are published.
 */
#ifndef DROPSTREAM_STORE_LISTS_H
#define DROPSTREAM_STORE_LISTS_H

#include "store.h"

struct lists_changes {
    int64_t n;        /* there were so many */
    int64_t followed; /* of them, so many are in the playlists; less: they are behind */
};

/* Counts a change, inside a transaction or as one of its own: also where the playlists
 * say something that the store does not. */
enum rc store_lists_change(struct store *st, const char *id);

/* RC_NOT_FOUND. */
enum rc store_lists_changes(struct store *st, const char *id,
                            struct lists_changes *out);

/* The playlists have followed the first n changes, and are on disk for good. */
enum rc store_lists_followed(struct store *st, const char *id, int64_t n);

/* As store_video_each_receiving, of videos whose playlists are behind. */
enum rc store_lists_each_behind(struct store *st,
                                enum rc (*cb)(void *arg, const struct video *v),
                                void *arg);

#endif
