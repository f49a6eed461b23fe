/*
 * seek_points.h: where a run of the encoder has to begin to read, by the keyframes.
 *
 * Fed with ffprobe's lines "pts_time|dts_time|flags" of one stream's packets, and one
 * with the file's start time alone (compact writer, no keys). Holds 8 bytes a keyframe,
 * of which four a second count. Pure.
 */
#ifndef DROPSTREAM_SEEK_POINTS_H
#define DROPSTREAM_SEEK_POINTS_H

#include "rc.h"
#include "sniff.h"
#include "store.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct seek_points;

/* Where a run begins to read that begins with a segment. */
struct seek_point {
    int64_t us;  /* from the file's start, for ffmpeg's -ss */
    bool shared; /* the segment before begins to be read at the same keyframe */
};

/* RC_NOMEM. */
enum rc seek_points_open(struct seek_points **out);
void seek_points_free(struct seek_points *sp);

/* Takes n bytes of ffprobe's output, cut anywhere; other lines are passed over.
 * RC_NOMEM.
 */
enum rc seek_points_feed(struct seek_points *sp, const void *data, size_t n);

/* The same without a text: a keyframe by its two times, in decoding order, and when the
 * file begins; all in µs of its clock, dts may be MEDIA_UNKNOWN. RC_NOMEM. */
enum rc seek_points_key(struct seek_points *sp, int64_t pts_us, int64_t dts_us);
void seek_points_start(struct seek_points *sp, int64_t start_us);

/*
 * All was fed. *out, which the caller frees, has a point for each segment of a video
 * rendition, such that ffmpeg begins with the last keyframe that is not after the
 * segment's first picture. RC_UNSUPPORTED: it
 * cannot be relied on to land there (MP4 is searched by decode time, and here the
 * keyframes are not all shown equally long after it). RC_NOT_FOUND: no keyframe.
 * RC_NOMEM.
 */
enum rc seek_points_finish(const struct seek_points *sp, const struct rendition *r,
                           enum container container, struct seek_point **out);

/* Points as bytes to be kept, 8 a segment, and back; the caller frees *out. RC_INVALID:
 * n is no multiple of 8. RC_NOMEM. */
enum rc seek_points_pack(const struct seek_point *points, int64_t segments,
                         uint8_t **out, size_t *n);
enum rc seek_points_unpack(const uint8_t *bytes, size_t n, struct seek_point **out);

#endif
