/*
 * grid.h: the rational timeline that every rendition of a video shares.
 *
 * A rendition has a fixed rate num/den and a segment of gop frames; segment k
 * starts at frame k × gop, exactly. Nothing here is rounded but where a text or a
 * whole microsecond is asked for, and then from the exact value, so that errors
 * never add up. Pure; no allocation.
 */
#ifndef DROPSTREAM_GRID_H
#define DROPSTREAM_GRID_H

#include "rc.h"

#include <stdint.h>

#define GRID_AUDIO_RATE 48000
#define GRID_AAC_FRAME 1024    /* samples; ISO 14496-3 */
#define GRID_AUDIO_SEGMENT 192 /* AAC frames: 4.096 s at 48 kHz */

struct rational {
    int64_t num, den;
};

struct grid {
    int rate_num, rate_den; /* frames per second; AAC: 48000/1024 = 375/8 */
    int gop;                /* frames in a segment, all but the last */
    int64_t frames;         /* of the whole timeline, > 0 */
};

/* The standard frame rate nearest to num/den by ratio (5 … 120, with the 1001 ones).
 * RC_INVALID if num or den is not positive. */
enum rc grid_snap_rate(struct rational rate, struct rational *out);

/* rate halved until it is at most max frames a second. */
struct rational grid_halve_rate(struct rational rate, int max);

/*
 * The grid of a transcoded video rendition: as many frames as it takes to cover
 * duration_us, at least one; a segment of round(segment_s × rate) frames. RC_INVALID:
 * a rate or duration that is not positive.
 */
enum rc grid_video(struct rational rate, int64_t duration_us, int segment_s,
                   struct grid *out);

/* The grid of an AAC-LC rendition at 48 kHz. RC_INVALID as above. */
enum rc grid_audio(int64_t duration_us, struct grid *out);

/* Segments that the timeline has. */
int64_t grid_segments(const struct grid *g);

/* Frames in segment k; 0 if there is no such segment. */
int grid_segment_frames(const struct grid *g, int64_t k);

/* The first frame of segment k (k = segments: the frame after the last). */
int64_t grid_segment_start(const struct grid *g, int64_t k);

/* Segments that end at or before us of the timeline. */
int64_t grid_segments_before(const struct grid *g, int64_t us);

/* When frame n is presented, in whole microseconds, rounded to the nearest. */
int64_t grid_frame_us(const struct grid *g, int64_t n);

/*
 * The decode time of segment k in ticks of a track's timescale. RC_INVALID where that
 * is not a whole number: the timescale does not suit the rate.
 */
enum rc grid_segment_ticks(const struct grid *g, int64_t k, uint32_t timescale,
                           uint64_t *out);

#endif
