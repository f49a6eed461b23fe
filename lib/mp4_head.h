/*
 * mp4_head.h: the beginning of a stream that can be played as it comes in, made for an
 * MP4 or MOV file whose index (moov box) is at its end.
 *
 * The stream is the head and then the file's own bytes, unchanged, from the payload of
 * its first mdat box on. The head is the file's ftyp box, the index with all chunk
 * offsets moved, and the header of one mdat box that covers all that follows, so that
 * boxes between several mdat boxes of the file are no more than bytes nobody refers to.
 * What stands between ftyp and mdat (free, wide, uuid) is left out. Pure; one
 * allocation, of the head itself.
 */
#ifndef DROPSTREAM_MP4_HEAD_H
#define DROPSTREAM_MP4_HEAD_H

#include "rc.h"

#include <stddef.h>
#include <stdint.h>

/* What mp4_walk.h finds out about a file. All offsets are those of the file. */
struct mp4_head_source {
    const void *ftyp; /* the whole box */
    size_t ftyp_size;
    uint64_t media;   /* where the payload of the first mdat box begins */
    const void *moov; /* the whole box */
    size_t moov_size;
    uint64_t moov_offset;
    uint64_t file_size;
};

struct mp4_head {
    uint8_t *bytes;
    size_t size;
    /* The file's bytes that follow: from … end - 1. They end where the index begins, or
     * with the file if there are media after it. */
    uint64_t from, end;
};

/*
 * RC_EXISTS: the index comes before the media, and the file needs no head. RC_INVALID:
 * mp4_head_fault says why. RC_UNSUPPORTED: the media are in fragments, or the index is
 * compressed. RC_TOO_LARGE: the index is over 1 GB. RC_NOMEM.
 */
enum rc mp4_head_make(const struct mp4_head_source *source, struct mp4_head *out);
void mp4_head_free(struct mp4_head *head);

/*
 * Whether an index that is said to be at moov_offset can be that of the file: NULL, or
 * a static sentence for the one who sent it. ftyp is not looked at; media is 0 while it
 * is not known. What the index says of samples is for mp4_index.h.
 */
const char *mp4_head_fault(const struct mp4_head_source *source);

#endif
