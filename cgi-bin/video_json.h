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

/* True if there is something of a video to be told that lies under its key. subs NULL:
 * there are none. */
bool video_json_needs_key(const struct video *v, const struct subtitles *subs);

/* A new object, or NULL when out of memory. key: of the grant of who asks, NULL where
 * none is needed or to be had. subs NULL: there are none. */
json_t *video_json(const struct video *v, const char *key,
                   const struct rendition *renditions, size_t n,
                   const struct subtitles *subs);

/* The array of renditions alone; NULL when out of memory. */
json_t *video_json_renditions(const struct rendition *renditions, size_t n);

/* ms as seconds, or null if negative. */
json_t *video_json_seconds(int64_t ms);

/* A time of the wall clock. */
json_t *video_json_time(int64_t wall_ms);

#endif
