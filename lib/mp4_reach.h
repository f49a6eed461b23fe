/*
 * mp4_reach.h: what of a track can be shown when only the file's beginning is there.
 * For the other mp4_ files.
 *
 * Packets count in the order they are decoded in: one is complete when it and all those
 * before it have arrived. So what is said to be complete can be decoded. For every 128
 * packets one place to read on from is kept, with the greatest end of a packet so far
 * and the least time of all that follow: about one byte a packet, and an answer takes a
 * binary search and a walk over 128.
 */
#ifndef DROPSTREAM_MP4_REACH_H
#define DROPSTREAM_MP4_REACH_H

#include "mp4_packets.h"

struct mp4_reach_block;

struct mp4_reach {
    struct mp4_reach_block *blocks;
    uint32_t n;
};

/* line must stay, where it is, until mp4_reach_close. RC_INVALID: a packet ends after
 * file_size. RC_NOMEM. */
enum rc mp4_reach_open(struct mp4_reach *reach, const struct mp4_timeline *line,
                       uint64_t file_size);
void mp4_reach_close(struct mp4_reach *reach);

/* The least time shown by a packet that is not complete, ticks; INT64_MAX if there is
 * none. frontier: all bytes before it have arrived. */
int64_t mp4_reach_time(const struct mp4_reach *reach, uint64_t frontier);

#endif
