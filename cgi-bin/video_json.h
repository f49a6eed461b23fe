/*
 * video_json.h: a video as clients see it.
 *
 * The fields and their names are the contract of the HTTP interface. What is not
 * known yet is null; durations are seconds, sizes bytes, times ISO 8601 UTC. The
 * media root is never in it.
 */
#ifndef DROPSTREAM_VIDEO_JSON_H
#define DROPSTREAM_VIDEO_JSON_H

#include "store.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

/* What a video is to the one who is told of it. */
struct video_view {
    char
        key[KEY_LEN + 1]; /* by which they reach its media; "": they are told of none */
    bool edit, download;  /* what they may; who may edit it may share it */
};

/* All of a video that there is to tell. */
struct video_parts {
    struct video video;
    struct rendition renditions[STORE_RENDITIONS_MAX];
    size_t n_renditions;
    struct subtitles subtitles;
};

/* True if it has something that is reached by a key. */
bool video_json_has_media(const struct video_parts *p);

/* A new object, or NULL when out of memory. */
json_t *video_json(const struct video_parts *p, const struct video_view *view);

/* What is told of it to who has nothing but a link: what a player needs. Not why it
 * failed, which is for who can do something about it. */
json_t *video_json_shared(const struct video_parts *p, const char *key);

/* The array of renditions alone; NULL when out of memory. */
json_t *video_json_renditions(const struct rendition *renditions, size_t n);

/* ms as seconds, or null if negative. */
json_t *video_json_seconds(int64_t ms);

/* A time of the wall clock, or null if negative: never. */
json_t *video_json_time(int64_t wall_ms);

#endif
