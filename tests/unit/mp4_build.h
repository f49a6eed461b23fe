/*
 * mp4_build.h: builds the index of an MP4 file (its moov box) in memory, as the tables
 * are told, right or wrong.
 */
#ifndef DROPSTREAM_TEST_MP4_BUILD_H
#define DROPSTREAM_TEST_MP4_BUILD_H

#include "boxes.h"
#include "mp4_index.h"

#include <stdbool.h>

/* Numbers of 4 bytes; those of 8 are given as two. */
struct list {
    const uint32_t *v;
    size_t n;
    bool given;     /* the box is there */
    uint32_t count; /* stated; 0: as many as there are */
    uint8_t version;
};

/* {} of a struct list with these numbers; static where it stands outside a function. */
#define LIST(...)                                                                      \
    {                                                                                  \
        (const uint32_t[]){__VA_ARGS__}, sizeof((uint32_t[]){__VA_ARGS__}) / 4, true,  \
            0, 0                                                                       \
    }

struct trak {
    uint32_t id;
    const char *handler; /* "vide" */
    const char *format;  /* "avc1"; NULL: no stsd box */
    const char *format2; /* of a second sample entry */
    uint32_t timescale, duration;
    uint32_t fixed_size, samples; /* instead of sizes */
    uint8_t compact_bits;         /* of sizes, which is an stz2 box then */
    int channels, bits;           /* of sound */
    bool wide_chunks;             /* chunks is a co64 box */
    struct list durations;        /* stts: count, duration */
    struct list offsets;          /* ctts: count, offset */
    struct list runs;             /* stsc: first chunk, samples, entry */
    struct list sizes;            /* stsz */
    struct list chunks;           /* stco */
    struct list keys, partial;    /* stss, stps */
    struct list groups;           /* sbgp of type rap: count, group */
    struct list edits;            /* elst: duration, media time, rate */
    const char *twice;            /* a table that is there once more */
};

/* An FullBox: version, flags, then head, then the numbers. */
static inline void build_list(struct bytes *b, const char *type, const struct list *l,
                              size_t width)
{
    if (!l->given)
        return;
    size_t at = box_open(b, type);
    bytes_number(b, (uint64_t)l->version << 24, 4);
    bytes_number(b, l->count ? l->count : l->n / width, 4);
    for (size_t i = 0; i < l->n; i++)
        bytes_number(b, l->v[i], 4);
    box_close(b, at);
}

static inline void build_sizes(struct bytes *b, const struct trak *t)
{
    const struct list *l = &t->sizes;
    size_t at = box_open(b, t->compact_bits ? "stz2" : "stsz");
    bytes_number(b, 0, 4);
    bytes_number(b, t->compact_bits ? t->compact_bits : t->fixed_size, 4);
    bytes_number(b, t->samples ? t->samples : l->count ? l->count : l->n, 4);
    for (size_t i = 0; i < l->n; i++) {
        if (t->compact_bits == 4) { /* two in a byte, the last one alone */
            bytes_number(b, l->v[i] << 4 | (i + 1 < l->n ? l->v[i + 1] : 0), 1);
            i++;
        } else {
            bytes_number(b, l->v[i], t->compact_bits ? t->compact_bits / 8 : 4);
        }
    }
    box_close(b, at);
}

static inline void build_groups(struct bytes *b, const struct list *l)
{
    if (!l->given)
        return;
    size_t at = box_open(b, "sbgp");
    bytes_number(b, (uint64_t)l->version << 24, 4);
    bytes_add(b, "rap ", 4);
    if (l->version == 1)
        bytes_number(b, 0, 4);
    bytes_number(b, l->n / 2, 4);
    for (size_t i = 0; i < l->n; i++)
        bytes_number(b, l->v[i], 4);
    box_close(b, at);
}

static inline void build_entry(struct bytes *b, const char *format,
                               const struct trak *t)
{
    size_t at = box_open(b, format);
    bytes_number(b, 1, 8);
    if (strcmp(t->handler, "soun") == 0) {
        bytes_number(b, 0, 8);
        bytes_number(b, (uint64_t)t->channels, 2);
        bytes_number(b, (uint64_t)t->bits, 2);
        bytes_number(b, 0, 8);
    } else {
        bytes_number(b, 0, 70);
    }
    box_close(b, at);
}

static inline void build_stsd(struct bytes *b, const struct trak *t)
{
    size_t at = box_open(b, "stsd");
    bytes_number(b, 0, 4);
    bytes_number(b, t->format2 ? 2 : 1, 4);
    build_entry(b, t->format, t);
    if (t->format2)
        build_entry(b, t->format2, t);
    box_close(b, at);
}

static inline void build_stbl(struct bytes *b, const struct trak *t)
{
    size_t at = box_open(b, "stbl");
    if (t->format)
        build_stsd(b, t);
    build_list(b, "stts", &t->durations, 2);
    build_list(b, "ctts", &t->offsets, 2);
    build_list(b, "stss", &t->keys, 1);
    build_list(b, "stps", &t->partial, 1);
    build_list(b, "stsc", &t->runs, 3);
    build_sizes(b, t);
    build_list(b, t->wide_chunks ? "co64" : "stco", &t->chunks, t->wide_chunks ? 2 : 1);
    build_groups(b, &t->groups);
    if (t->twice)
        build_list(b, t->twice, &t->durations, 2);
    box_close(b, at);
}

static inline void build_clock(struct bytes *b, const char *type, uint32_t timescale,
                               uint32_t duration)
{
    size_t at = box_open(b, type);
    bytes_number(b, 0, 12);
    bytes_number(b, timescale, 4);
    bytes_number(b, duration, 4);
    bytes_number(b, 0, 80);
    box_close(b, at);
}

static inline void build_trak(struct bytes *b, const struct trak *t)
{
    size_t trak = box_open(b, "trak"), at = box_open(b, "tkhd");
    bytes_number(b, 0, 12);
    bytes_number(b, t->id, 4);
    bytes_number(b, 0, 68);
    box_close(b, at);
    if (t->edits.given) {
        at = box_open(b, "edts");
        build_list(b, "elst", &t->edits, t->edits.version ? 5 : 3);
        box_close(b, at);
    }
    size_t mdia = box_open(b, "mdia");
    build_clock(b, "mdhd", t->timescale, t->duration);
    at = box_open(b, "hdlr");
    bytes_number(b, 0, 8);
    bytes_add(b, t->handler, 4);
    bytes_number(b, 0, 13);
    box_close(b, at);
    at = box_open(b, "minf");
    build_stbl(b, t);
    box_close(b, at);
    box_close(b, mdia);
    box_close(b, trak);
}

/* The movie's clock counts milliseconds. */
static inline void build_moov(struct bytes *b, const struct trak *traks, size_t n)
{
    size_t at = box_open(b, "moov");
    build_clock(b, "mvhd", 1000, 0);
    for (size_t i = 0; i < n; i++)
        build_trak(b, &traks[i]);
    box_close(b, at);
}

/* Six pictures of 40 ms, I P B B P B, shown from 40 ms on, in two chunks. */
static const struct trak plain_video = {
    .id = 1,
    .handler = "vide",
    .format = "avc1",
    .timescale = 1000,
    .duration = 240,
    .durations = LIST(6, 40),
    .offsets = LIST(1, 40, 1, 120, 2, 0, 1, 80, 1, 0),
    .runs = LIST(1, 4, 1, 2, 2, 1),
    .sizes = LIST(100, 50, 10, 10, 50, 10),
    .chunks = LIST(1000, 2000),
    .keys = LIST(1),
};

/* Four frames of 1024 samples in two chunks, each after one of the pictures. */
static const struct trak plain_audio = {
    .id = 2,
    .handler = "soun",
    .format = "mp4a",
    .channels = 2,
    .bits = 16,
    .timescale = 48000,
    .duration = 4096,
    .durations = LIST(4, 1024),
    .runs = LIST(1, 2, 1),
    .sizes = LIST(20, 20, 20, 20),
    .chunks = LIST(1500, 2500),
};

/* ---- an opened index -------------------------------------------------------- */

#define FILE_SIZE 10000

static struct bytes moov;
static struct mp4_index *opened;

/* The least frontier for which the reach is before_us or later. */
static inline uint64_t bytes_needed(const struct mp4_index *index, size_t track,
                                    int64_t before_us)
{
    uint64_t low = 0, high = INT64_MAX;
    while (low < high) {
        uint64_t middle = low + (high - low) / 2;
        if (mp4_index_reach(index, track, middle) >= before_us)
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

/* Ends a test. */
static inline int close_index(void **state)
{
    (void)state;
    mp4_index_close(opened);
    opened = NULL;
    bytes_free(&moov);
    return 0;
}

/* The index of some tracks; until the next one or the test's end. */
static inline const struct mp4_index *of(const struct trak *traks, size_t n)
{
    const struct mp4_index_limits limits = {FILE_SIZE, 1000000};
    close_index(NULL);
    build_moov(&moov, traks, n);
    assert_int_equal(mp4_index_open(moov.p, moov.n, &limits, &opened), RC_OK);
    return opened;
}

#endif
