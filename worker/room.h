/*
 * room.h: whether there is room on the disk, and what is to go to make some. Pure: no
 * clock, no disk; see disk.c for those.
 *
 * What goes is only what can be made again and what no video needs to be played: copies
 * of the source and rungs of the ladder. Originals, the first rendition, sounds and
 * playlists stay, whatever the budget is.
 */
#ifndef DROPSTREAM_ROOM_H
#define DROPSTREAM_ROOM_H

#include "store_disk.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* So long after somebody has begun to watch a video, and has had the time to see all of
 * it, nothing of it goes. */
#define ROOM_WATCHED_MS 600000

/* In bytes. */
struct room {
    int64_t free;    /* -1: nobody knows */
    int64_t reserve; /* that is to stay free; 0: none */
    int64_t media;   /* of all segments */
    int64_t budget;  /* that they may have; 0: any */
};

/* What is made room for beyond the reserve, so that there is some to work with. */
int64_t room_margin(int64_t reserve);

/* Whether less is free than the reserve. was: it was so before; then it is no longer
 * once half of the margin is free too. */
bool room_is_short(const struct room *r, bool was);

/* Bytes that are to go; 0: none. */
int64_t room_wanted(const struct room *r);

/*
 * Puts what is to go first in list, in the order in which it goes, and returns how many
 * those are: as many as have `wanted` bytes together, or all that may go. Those of the
 * video that was watched longest ago go first (of one that nobody has watched the time
 * of its upload counts), of one video the copy of the source first and then the larger.
 */
size_t room_choose(struct evictable *list, size_t n, int64_t wanted, int64_t now_ms);

#endif
