/*
 * cutter_stream.h: fragmented MP4 streams as ffmpeg writes them, and such as it never
 * would, with what the cutter must make of them.
 */
#ifndef DROPSTREAM_TEST_CUTTER_STREAM_H
#define DROPSTREAM_TEST_CUTTER_STREAM_H

#include "boxes.h"

#include <stdbool.h>

#define STREAM_SEGMENTS_MAX 8

struct stream_shape {
    uint32_t timescale;
    int mdhd_version, tfdt_version;
    int32_t offset;  /* ticks from decoding to presentation; 0: not stated */
    int truns;       /* a fragment, of 1, 2, 3 … samples */
    bool extras;     /* boxes of no use here in every place where they may be */
    bool wide;       /* 64-bit sizes of moov, moof and mdat */
    bool empty_mdat; /* the second segment has no media */
};

struct stream_segment {
    uint64_t decode_time, frames;
    size_t begin, moof_end, end; /* in the stream */
};

struct stream {
    struct stream_shape shape;
    struct bytes all;
    struct bytes init; /* as it must be handed out */
    size_t init_end;   /* the byte of the stream after moov */
    struct stream_segment segments[STREAM_SEGMENTS_MAX];
    size_t n;
    size_t ends[32]; /* where the stream could as well have ended */
    size_t n_ends;
};

enum moov_fault {
    MOOV_FINE,
    MOOV_NO_TRAK,
    MOOV_TWO_TRAKS,
    MOOV_NO_MDHD,
    MOOV_SHORT_MDHD,
    MOOV_NO_TIMESCALE,
    MOOV_OVERRUN, /* a box that ends after moov */
    MOOV_FAULTS
};

enum moof_fault {
    MOOF_FINE,
    MOOF_NO_TRAF,
    MOOF_TWO_TRAFS,
    MOOF_NO_TFDT,
    MOOF_TWO_TFDTS,
    MOOF_SHORT_TFDT,
    MOOF_SHORT_TRUN,
    MOOF_OVERRUN_IN_TRAF,
    MOOF_OVERRUN, /* a box that ends after moof */
    MOOF_FAULTS
};

static inline size_t stream_open(struct bytes *b, const char *type, bool wide)
{
    return wide ? box_open_wide(b, type) : box_open(b, type);
}

/* A header that promises more than its parent holds. */
static inline void stream_overrun(struct bytes *b, const char *type)
{
    bytes_number(b, 1000000, 4);
    bytes_add(b, type, 4);
}

static inline void stream_mdhd(struct bytes *b, const struct stream_shape *shape,
                               enum moov_fault fault)
{
    size_t at = box_open(b, "mdhd");
    int width = shape->mdhd_version == 1 ? 8 : 4;
    bytes_number(b, (uint64_t)shape->mdhd_version << 24, 4);
    bytes_number(b, 0x11223344, width);
    bytes_number(b, 0x55667788, width);
    if (fault != MOOV_SHORT_MDHD) {
        bytes_number(b, fault == MOOV_NO_TIMESCALE ? 0 : shape->timescale, 4);
        bytes_number(b, 0, width + 4);
    }
    box_close(b, at);
}

static inline void stream_trak(struct bytes *b, const struct stream_shape *shape,
                               enum moov_fault fault)
{
    size_t trak = box_open(b, "trak");
    box_filled(b, "tkhd", 't', 12);
    size_t mdia = box_open(b, "mdia");
    if (fault != MOOV_NO_MDHD)
        stream_mdhd(b, shape, fault);
    box_filled(b, "hdlr", 'h', 9);
    box_close(b, mdia);
    box_close(b, trak);
}

static inline void stream_moov(struct bytes *b, const struct stream_shape *shape,
                               enum moov_fault fault)
{
    size_t at = stream_open(b, "moov", shape->wide);
    box_filled(b, "mvhd", 'm', 12);
    if (fault != MOOV_NO_TRAK)
        stream_trak(b, shape, fault);
    if (fault == MOOV_TWO_TRAKS)
        stream_trak(b, shape, fault);
    if (fault == MOOV_OVERRUN)
        stream_overrun(b, "udta");
    box_close(b, at);
}

static inline void stream_tfdt(struct bytes *b, const struct stream_shape *shape,
                               uint64_t decode_time, enum moof_fault fault)
{
    size_t at = box_open(b, "tfdt");
    bytes_number(b, (uint64_t)shape->tfdt_version << 24, 4);
    if (fault != MOOF_SHORT_TFDT)
        bytes_number(b, decode_time, shape->tfdt_version == 1 ? 8 : 4);
    box_close(b, at);
}

/* A trun that states size and offset of each sample; where the shape asks for it also
 * when it is shown, with all that can stand before that. */
static inline void stream_trun(struct bytes *b, const struct stream_shape *shape,
                               int samples, enum moof_fault fault)
{
    size_t at = box_open(b, "trun");
    bytes_number(b, shape->offset ? 0x01000f05 : 0x000201, 4);
    if (fault != MOOF_SHORT_TRUN) {
        bytes_number(b, (uint64_t)samples, 4);
        bytes_number(b, 0, shape->offset ? 8 : 4 + 4 * samples);
        for (int i = 0; shape->offset && i < samples; i++) {
            bytes_number(b, 0, 12);
            bytes_number(b, (uint32_t)shape->offset + (uint32_t)i, 4);
        }
    }
    box_close(b, at);
}

static inline void stream_traf(struct bytes *b, const struct stream_shape *shape,
                               uint64_t decode_time, enum moof_fault fault)
{
    size_t at = box_open(b, "traf");
    box_filled(b, "tfhd", 'f', 8);
    if (fault != MOOF_NO_TFDT)
        stream_tfdt(b, shape, decode_time, fault);
    if (fault == MOOF_TWO_TFDTS)
        stream_tfdt(b, shape, decode_time, fault);
    for (int i = 1; i <= shape->truns; i++)
        stream_trun(b, shape, i, fault);
    if (fault == MOOF_OVERRUN_IN_TRAF)
        stream_overrun(b, "trun");
    box_close(b, at);
}

static inline void stream_moof(struct bytes *b, const struct stream_shape *shape,
                               uint64_t decode_time, enum moof_fault fault)
{
    size_t at = stream_open(b, "moof", shape->wide);
    box_filled(b, "mfhd", 'm', 8);
    if (fault != MOOF_NO_TRAF)
        stream_traf(b, shape, decode_time, fault);
    if (fault == MOOF_TWO_TRAFS)
        stream_traf(b, shape, decode_time, fault);
    if (fault == MOOF_OVERRUN)
        stream_overrun(b, "traf");
    box_close(b, at);
}

/* A box that is right in itself, by the first four letters at type. */
static inline void stream_box(struct bytes *b, const char *type)
{
    static const struct stream_shape plain = {.timescale = 25, .truns = 1};
    char name[5] = {type[0], type[1], type[2], type[3], '\0'};
    if (strcmp(name, "moov") == 0)
        stream_moov(b, &plain, MOOV_FINE);
    else if (strcmp(name, "moof") == 0)
        stream_moof(b, &plain, 0, MOOF_FINE);
    else
        box_filled(b, name, 'x', 8);
}

static inline void stream_extra(struct stream *s, const char *type)
{
    if (s->shape.extras)
        box_filled(&s->all, type, 'e', 5);
}

static inline void stream_end_here(struct stream *s)
{
    assert_true(s->n_ends < sizeof(s->ends) / sizeof(s->ends[0]));
    s->ends[s->n_ends++] = s->all.n;
}

static inline void stream_segment(struct stream *s)
{
    struct stream_segment *seg = &s->segments[s->n];
    /* 2^31 and, where it fits, more: times are not signed and not 32 bits wide. */
    seg->decode_time =
        s->n * (s->shape.tfdt_version == 1 ? UINT64_C(1) << 40 : 1U << 31);
    seg->frames = (uint64_t)s->shape.truns * (uint64_t)(s->shape.truns + 1) / 2;
    seg->begin = s->all.n;
    stream_moof(&s->all, &s->shape, seg->decode_time, MOOF_FINE);
    seg->moof_end = s->all.n;
    size_t at = stream_open(&s->all, "mdat", s->shape.wide);
    if (!s->shape.empty_mdat || s->n != 1)
        bytes_fill(&s->all, (uint8_t)('0' + s->n), 20 + s->n);
    box_close(&s->all, at);
    seg->end = s->all.n;
    s->n++;
    stream_end_here(s);
}

/* A stream of three segments (two where a decode time has 32 bits). */
static inline void stream_make(const struct stream_shape *shape, struct stream *s)
{
    *s = (struct stream){.shape = *shape};
    box_filled(&s->all, "ftyp", 'q', 12);
    bytes_add(&s->init, s->all.p, s->all.n);
    stream_extra(s, "free");
    size_t at = s->all.n;
    stream_moov(&s->all, shape, MOOV_FINE);
    bytes_add(&s->init, s->all.p + at, s->all.n - at);
    s->init_end = s->all.n;
    stream_end_here(s);
    for (int i = 0; i < (shape->tfdt_version == 1 ? 3 : 2); i++) {
        size_t before = s->all.n;
        stream_extra(s, "styp");
        if (s->all.n > before)
            stream_end_here(s);
        stream_segment(s);
    }
    if (shape->extras) {
        stream_extra(s, "mfra");
        stream_end_here(s);
    }
}

static inline bool stream_may_end(const struct stream *s, size_t n)
{
    for (size_t i = 0; i < s->n_ends; i++)
        if (s->ends[i] == n)
            return true;
    return false;
}

static inline void stream_free(struct stream *s)
{
    bytes_free(&s->all);
    bytes_free(&s->init);
}

#endif
