/*
 * bmff.h: walking the boxes of the ISO base media file format (ISO 14496-12 s. 4.2).
 *
 * Works on bytes in memory and never reads past the end it is given. No I/O, no
 * allocation, no recursion.
 */
#ifndef DROPSTREAM_BMFF_H
#define DROPSTREAM_BMFF_H

#include "rc.h"

#include <stddef.h>
#include <stdint.h>

#define BMFF_FOURCC(a, b, c, d)                                                        \
    ((uint32_t)(a) << 24 | (uint32_t)(b) << 16 | (uint32_t)(c) << 8 | (uint32_t)(d))

/* Bytes of the body of a VisualSampleEntry before its boxes (s. 12.1.3). */
#define BMFF_VISUAL_ENTRY 78

struct bmff_header {
    uint32_t type;
    uint8_t header_size; /* 8, or 16 with a 64-bit size */
    uint64_t size;       /* of the whole box, header included; 0: to the end of file */
};

/*
 * Reads a box header from the first n bytes. RC_TRUNCATED: n is too small to tell.
 * RC_INVALID: a size smaller than its own header, or a 64-bit size of 0. Whether the
 * size fits in the file is for the caller to say.
 */
enum rc bmff_header(const uint8_t *data, size_t n, struct bmff_header *out);

/* A box inside a buffer; body points into that buffer. */
struct bmff_box {
    uint32_t type;
    const uint8_t *start; /* of the header */
    const uint8_t *body;
    size_t body_size;
};

/* Boxes one after another in [p, end). */
struct bmff_iter {
    const uint8_t *p;
    const uint8_t *end;
};

struct bmff_iter bmff_iter(const void *data, size_t n);

/* The boxes inside box's body, after skip bytes (4 for a FullBox, 8 for stsd…); none
 * if the body is shorter than that. */
struct bmff_iter bmff_children(const struct bmff_box *box, size_t skip);

/*
 * The next box. RC_NOT_FOUND at the clean end, which may be up to 7 zero bytes
 * (QuickTime ends some lists so); RC_INVALID where a size does not fit in what is
 * left, and again at every further call. A size of 0 reaches to the end.
 */
enum rc bmff_next(struct bmff_iter *it, struct bmff_box *out);

/*
 * Follows a path of types from the boxes in [data, data+n), taking the first match
 * at each level ("moov", "trak", "mdia"). count >= 1. RC_NOT_FOUND; RC_INVALID: a level
 * is broken before the match.
 */
enum rc bmff_find(const void *data, size_t n, const uint32_t *path, size_t count,
                  struct bmff_box *out);

/* Big-endian numbers at p; the caller has checked that the bytes are there. */
static inline uint16_t bmff_u16(const uint8_t *p)
{
    return (uint16_t)(p[0] << 8 | p[1]);
}

static inline uint32_t bmff_u32(const uint8_t *p)
{
    return BMFF_FOURCC(p[0], p[1], p[2], p[3]);
}

static inline uint64_t bmff_u64(const uint8_t *p)
{
    return (uint64_t)bmff_u32(p) << 32 | bmff_u32(p + 4);
}

#endif
