/*
 * lane.h: a few threads beside those that take requests, for what takes long.
 *
 * A password costs so much to check that a crowd which signs in would hold up all
 * others if it was done where requests come in. Nor must one client with many
 * connections hold up those who wait here: it gets a few places, and whoever waits is
 * taken in turns among those that they come from.
 */
#ifndef DROPSTREAM_LANE_H
#define DROPSTREAM_LANE_H

#include "rc.h"

#include <stddef.h>

#define LANE_FROM_MAX 63 /* bytes */

struct lane;

struct lane_limits {
    int threads;
    size_t max;  /* that wait, in all */
    size_t each; /* that wait or are handled, of those from one place */
};

/* handle is given one item at a time, in one of the threads. RC_NOMEM; RC_IO: no
 * thread. */
enum rc lane_open(const struct lane_limits *limits,
                  void (*handle)(void *item, void *ctx), void *ctx, struct lane **out);

/*
 * Has item handled by one of the threads, perhaps before this returns. from: where it
 * comes from; cut after LANE_FROM_MAX bytes. RC_BUSY: too many wait already, in all or
 * from there, or the lane is being closed; item stays the caller's.
 */
enum rc lane_give(struct lane *l, void *item, const char *from);

/* Has everything handled that waits still, and ends. NULL is legal. */
void lane_close(struct lane *l);

#endif
