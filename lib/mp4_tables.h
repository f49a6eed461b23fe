/*
 * mp4_tables.h: the sample tables of one track (ISO/IEC 14496-12 s. 8.5 to 8.7), found
 * and checked. For the other mp4_ files; what a caller wants is in mp4_index.h.
 *
 * Invariant: what mp4_tables_read gives out can be walked without further checks. Every
 * table lies whole in its box, all of them speak of the same number of samples, and no
 * sum of sizes or times overflows. The tables stay where they are: nothing is copied.
 */
#ifndef DROPSTREAM_MP4_TABLES_H
#define DROPSTREAM_MP4_TABLES_H

#include "bmff.h"

#include <stdbool.h>

/* No track lasts longer (31 years): times in µs stay far from the end of an int64. */
#define MP4_SECONDS_MAX INT64_C(1000000000)
/* A larger composition offset is nonsense; ffmpeg then disregards the whole table. */
#define MP4_OFFSET_MAX (1 << 28)
/* ffmpeg makes packets of this many samples where each sample is one tick long. */
#define MP4_PCM_PACKET 1024

/* n entries one after another at p, in the box's own byte order. */
struct mp4_table {
    const uint8_t *p;
    uint32_t n;
};

struct mp4_tables {
    uint32_t fourcc;      /* of the first sample entry; 0 if there is none */
    const uint8_t *entry; /* its body, of entry_size bytes; NULL if there is none */
    size_t entry_size;
    struct mp4_table stts;   /* count, duration */
    struct mp4_table ctts;   /* count, offset; n is 0 or all samples have one */
    struct mp4_table stsc;   /* first chunk, samples in each, sample entry */
    struct mp4_table chunks; /* offsets, of 8 bytes if wide_chunks */
    struct mp4_table sizes;  /* of size_bits each, unless fixed_size */
    struct mp4_table stss;   /* sync samples */
    struct mp4_table stps;   /* QuickTime's partial sync samples */
    struct mp4_table rap;    /* count, group: not 0 for a random access point */
    uint32_t samples;
    uint32_t packets;    /* as ffmpeg makes them of the samples */
    uint32_t fixed_size; /* of every sample; 0: look in sizes */
    uint8_t size_bits;
    bool wide_chunks;
    bool several_entries; /* samples are described in more than one way */
    bool no_sync;         /* an stss without entries: no sample is one */
    uint32_t pcm_size;    /* bytes of one sample where packets are made; else 0 */
    int64_t ticks;        /* sum of all durations */
    int64_t shift; /* of decode times, ticks: the most negative offset made positive */
};

/*
 * Reads the tables in an stbl box; timescale is the track's, > 0. No samples at all is
 * RC_OK (the tables of a fragmented file are empty). RC_INVALID: a table that does not
 * fit its box, is there twice or disagrees with another; times beyond MP4_SECONDS_MAX.
 * RC_UNSUPPORTED: something lawful that ffmpeg and this file would read differently
 * (negative durations, sample entries of several formats, frames of old QuickTime
 * audio).
 */
enum rc mp4_tables_read(const struct bmff_box *stbl, bool audio, uint32_t timescale,
                        struct mp4_tables *out);

/*
 * The table in a full box (4 bytes of version and flags, then a count, then entries of
 * entry_size bytes) whose count stands after skip more bytes. RC_INVALID: it does not
 * fit.
 */
enum rc mp4_table_read(const struct bmff_box *box, size_t skip, size_t entry_size,
                       struct mp4_table *out);

#endif
