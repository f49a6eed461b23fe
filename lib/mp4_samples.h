/*
 * mp4_samples.h: the samples of a track one after another, in the order they are
 * decoded in. For the other mp4_ files.
 *
 * A struct mp4_samples may be copied, and the copy goes on from the same place. Where
 * ffmpeg makes packets of uncompressed sound, a sample here is such a packet.
 */
#ifndef DROPSTREAM_MP4_SAMPLES_H
#define DROPSTREAM_MP4_SAMPLES_H

#include "mp4_tables.h"

struct mp4_sample {
    int64_t dts;       /* ticks from the start of the media */
    uint32_t duration; /* ticks */
    int32_t offset;    /* from decoding to presentation, ticks */
    uint64_t begin;    /* in the file */
    uint64_t end;      /* the byte after it; begin if that would pass UINT64_MAX */
    bool key;
    bool last;
};

struct mp4_samples {
    const struct mp4_tables *t;
    int64_t dts;
    uint64_t at;       /* where the next sample begins */
    uint32_t number;   /* of the next sample, from 0 */
    uint32_t in_chunk; /* samples that are still to come in this chunk */
    uint32_t chunk;    /* of the next one, from 0 */
    uint32_t stsc;
    uint32_t stts, stts_left;
    uint32_t ctts, ctts_left;
    uint32_t stss, stps;
    uint32_t rap, rap_left;
};

/* The tables must stay as long as the samples are walked. */
void mp4_samples_init(struct mp4_samples *s, const struct mp4_tables *t);

/* False after the last one. */
bool mp4_samples_next(struct mp4_samples *s, struct mp4_sample *out);

#endif
