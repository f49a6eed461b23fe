/*
 * bandwidth.h: how many bits a second a rendition takes, measured from its segments.
 *
 * Pure. Durations in microseconds, sizes in bytes, results in bit/s, rounded up.
 */
#ifndef DROPSTREAM_BANDWIDTH_H
#define DROPSTREAM_BANDWIDTH_H

#include <stdint.h>

/* A list of n segments: how long each is shown and how large it is. */
struct bandwidth_list {
    int64_t n;
    int64_t (*duration_us)(const void *arg, int64_t k);
    int64_t (*bytes)(const void *arg, int64_t k);
    const void *arg;
};

/*
 * The peak segment bit rate (RFC 8216 s. 4.1): the largest of any run of segments that
 * together last half to one and a half times the target duration (s). Where there is no
 * such run, as in a clip of half a second, that of all of it.
 */
int64_t bandwidth_peak(const struct bandwidth_list *list, int64_t target_s);

/* Of all of it together. */
int64_t bandwidth_average(const struct bandwidth_list *list);

#endif
