/*
 * lane.h: a few threads beside those that take requests, for requests that take long.
 *
 * A password costs so much to check that a crowd which signs in would hold up all
 * others if it was done where requests come in.
 */
#ifndef DROPSTREAM_LANE_H
#define DROPSTREAM_LANE_H

#include "fcgi.h"
#include "rc.h"

#include <stddef.h>

struct lane;

/* handle answers a request, in one of `threads` threads, as that of fcgi_run. At most
 * `max` requests wait for one. RC_NOMEM; RC_IO: no thread. */
enum rc lane_open(int threads, size_t max, void (*handle)(struct request *r, void *ctx),
                  void *ctx, struct lane **out);

/*
 * Keeps r, and has it handled and ended by one of the threads. Only from the handler of
 * r, which has to return after it. RC_BUSY: max wait already, and r is still the
 * caller's to answer.
 */
enum rc lane_give(struct lane *l, struct request *r);

/* Waits for those that are handled just now; nobody may be waiting. NULL is legal. */
void lane_close(struct lane *l);

#endif
