/*
 * mp4_moof.h: the samples of one fragment (ISO/IEC 14496-12 s. 8.8.4 to 8.8.12). For
 * mp4_frag.c only.
 */
#ifndef DROPSTREAM_MP4_MOOF_H
#define DROPSTREAM_MP4_MOOF_H

#include "bmff.h"

/* A track as the fragments need it. */
struct mp4_moof_track {
    uint32_t id;             /* 0: it is passed over */
    uint32_t duration, size; /* of a sample that states none (trex) */
    int64_t dts;             /* where the next run begins that states no time, ticks */
    int64_t dts_max;         /* no time may be later */
};

struct mp4_moof_sample {
    size_t track;
    int64_t dts;    /* ticks */
    int64_t next;   /* dts of the one after it */
    int32_t offset; /* from decoding to presentation, ticks */
    uint64_t end;   /* the byte of the file after it */
};

/*
 * Calls each for every sample in a moof box that is at the given offset of the file,
 * and moves the tracks' dts on. Fragments of other tracks are passed over. RC_INVALID:
 * a box that does not fit, a time that cannot be or media beyond 2^63 bytes.
 * RC_TOO_LARGE: over max samples.
 */
enum rc mp4_moof_samples(const struct bmff_box *moof, uint64_t offset,
                         struct mp4_moof_track *tracks, size_t n, uint32_t max,
                         void (*each)(void *arg, const struct mp4_moof_sample *sample),
                         void *arg);

#endif
