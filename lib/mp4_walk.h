/*
 * mp4_walk.h: how an MP4 or MOV file is laid out, found out while it comes in: where
 * its index is, and whether it comes before the media (ISO/IEC 14496-12
 * s. 4.2, 8.1, 8.2).
 *
 * It says which offset it wants to see next, so that a box of a gigabyte is stepped
 * over, and is done when it knows all that is in the struct. No I/O, no allocation.
 */
#ifndef DROPSTREAM_MP4_WALK_H
#define DROPSTREAM_MP4_WALK_H

#include "rc.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* So many bytes from the wanted offset always bring it on. */
#define MP4_WALK_BYTES 16

enum mp4_layout {
    MP4_UNDECIDED,
    MP4_FASTSTART,    /* the index comes first */
    MP4_FRAGMENTED,   /* so it does, and the samples are in fragments (mvex) */
    MP4_INDEX_AT_END, /* media come first */
};

struct mp4_span {
    uint64_t offset, size; /* of the whole box; size 0: not seen */
};

struct mp4_walk {
    enum mp4_layout layout;
    struct mp4_span ftyp, moov, moof, mdat; /* the first of each */
    uint64_t media; /* where the payload of the first mdat begins */
    bool done;      /* nothing more is wanted */
    /* The walk's own: */
    uint64_t file_size;
    uint64_t at;       /* of the next box header */
    uint64_t moov_end; /* while the boxes in moov are walked, else 0 */
    uint32_t boxes;
};

/* file_size: INT64_MAX (MP4_SIZE_UNKNOWN of mp4_index.h) if it is not known. */
void mp4_walk_init(struct mp4_walk *walk, uint64_t file_size);

/* The offset of the bytes that mp4_walk_feed wants next; only until done. */
uint64_t mp4_walk_wants(const struct mp4_walk *walk);

/*
 * Takes n bytes of the file from the wanted offset on; all boxes that begin in them are
 * walked. RC_OK: some were. RC_TRUNCATED: n is too small to tell anything; nothing was
 * taken, and as much may be offered again with more after it. RC_INVALID: a box that
 * cannot be, fragments before any index, or a file that ends (or is to end) without
 * one. RC_TOO_LARGE: over 4096 boxes, which no real file has there. After those two
 * nothing more is to be fed.
 */
enum rc mp4_walk_feed(struct mp4_walk *walk, const void *data, size_t n);

/* True if the whole index has arrived. frontier: all bytes before it have. */
bool mp4_walk_has_index(const struct mp4_walk *walk, uint64_t frontier);

#endif
