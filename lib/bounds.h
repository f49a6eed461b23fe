/*
 * bounds.h: where the segments of a rendition begin that is cut at its own keyframes.
 *
 * The counterpart of grid.h for a rendition whose packets are copied: segment k has
 * frames[k] pictures and is shown from start_us[k] until start_us[k + 1]. Pure.
 */
#ifndef DROPSTREAM_BOUNDS_H
#define DROPSTREAM_BOUNDS_H

#include "rc.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct bounds {
    int64_t n;         /* segments */
    int64_t *start_us; /* of the timeline; n + 1, growing: the last is the end of all */
    uint32_t *frames;  /* n, each at least 1 */
};

/* Room for n > 0 segments, all 0. RC_NOMEM. */
enum rc bounds_alloc(int64_t n, struct bounds *out);
void bounds_free(struct bounds *b);

/* How long segment k is shown, of the timeline: the first one from 0 on, so that a sum
 * of durations is the time at which the next segment begins. */
int64_t bounds_duration_us(const struct bounds *b, int64_t k);

/* Segments that end at or before us of the timeline. */
int64_t bounds_segments_before(const struct bounds *b, int64_t us);

/* EXT-X-TARGETDURATION (RFC 8216 s. 4.3.3.1): no duration, rounded to a whole second,
 * is above it. At least 1. */
int64_t bounds_target_s(const struct bounds *b);

/* Each has a length and frames, and there are no more than a day and a half's. */
bool bounds_are_valid(const struct bounds *b);

/* As bytes to be kept, which the caller frees, and back. RC_INVALID: no such bytes, or
 * they are of what cannot be. RC_NOMEM. */
enum rc bounds_pack(const struct bounds *b, uint8_t **out, size_t *n);
enum rc bounds_unpack(const uint8_t *bytes, size_t n, struct bounds *out);

#endif
