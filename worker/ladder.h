/*
 * ladder.h: which renditions there are besides the first one: the source as it is, and
 * the rungs of better quality. One pure function; what it is held to is in the config.
 */
#ifndef DROPSTREAM_LADDER_H
#define DROPSTREAM_LADDER_H

#include "grid.h"
#include "media_info.h"
#include "store.h"

/* The width of a pixel by its height; beyond, it is nonsense. */
#define LADDER_SAR_MIN 0.1
#define LADDER_SAR_MAX 10
#define LADDER_SEGMENT_S 4 /* nobody waits for a whole one of them */
#define LADDER_MAX_RATE 60 /* frames a second */
/* Planned for a copy of which nobody knows how many bits it has. */
#define LADDER_COPY_BITRATE 8000000
#define LADDER_RUNGS_MAX 2 /* 720p, and 1080p or one of the source's own size */

struct ladder_rules {
    int64_t max_side;     /* pixels of the smaller side of the largest rung; 0: none */
    int64_t pixel_mbits;  /* thousandths of a bit a pixel, at most */
    int64_t near_percent; /* a rung so near to the source's bit rate is not worth it */
};

struct ladder_source {
    int width, height; /* as shown */
    struct rational rate;
    int64_t duration_us; /* of the timeline */
    int64_t bitrate;     /* of its picture, bit/s; 0 unknown */
    bool served;         /* every player can have the source as it is */
};

/* Bits a second of the picture of a source whose copy was planned as that: as they were
 * measured, else as its file says. Where that says nothing, those of all of the file.
 */
int64_t ladder_bitrate(const struct rendition *copy, int64_t file_size,
                       int64_t duration_us);

/*
 * The rungs for a source, the largest first, as renditions that are read as base is
 * (the first rendition of the video, of which the stream and its times are taken); n of
 * them, at most LADDER_RUNGS_MAX. None is larger than the source or has more bits a
 * second. Where the source is not served, its own quality is the first of them, up to
 * max_side.
 */
size_t ladder_plan(const struct ladder_rules *rules, const struct ladder_source *source,
                   const struct rendition *base,
                   struct rendition out[LADDER_RUNGS_MAX]);

/*
 * Why the picture of a file cannot be shown as it is, by what its header says: a
 * sentence for people, static; NULL: it may be. *every: every player plays it, which is
 * true of H.264 alone.
 */
const char *ladder_copy_refusal(const struct media_stream *v, bool *every);

#endif
