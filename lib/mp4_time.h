/* mp4_time.h: between the clocks of a file. For the mp4_ files only. */
#ifndef DROPSTREAM_MP4_TIME_H
#define DROPSTREAM_MP4_TIME_H

#include <stdint.h>

/* value × to / from, rounded to the nearest, halves away from 0. |value| is at most
 * 2^62, the others above 0, and the result must fit. */
static inline int64_t mp4_rescale(int64_t value, uint32_t to, uint32_t from)
{
    int64_t whole = value / from, rest = value % from;
    int64_t half = (rest < 0 ? -1 : 1) * (int64_t)(from / 2);
    return whole * to + (rest * to + half) / from;
}

static inline int64_t mp4_us(int64_t ticks, uint32_t timescale)
{
    return mp4_rescale(ticks, 1000000, timescale);
}

#endif
