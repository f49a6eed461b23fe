/*
 * syncer.h: one thread that waits for the disk, so that the loop does not.
 *
 * An fsync(2) may take seconds where much is being written. The thread does nothing
 * else: it has descriptors, and the loop is told in a later turn how it went. Whatever
 * is done then, as a rename or a row, is done by the loop.
 */
#ifndef DROPSTREAM_SYNCER_H
#define DROPSTREAM_SYNCER_H

#include "loop.h"
#include "rc.h"

#include <stddef.h>

struct syncer;
struct sync_order;

/* Starts the thread, which blocks the signals that its caller does. RC_IO, RC_NOMEM. */
enum rc syncer_open(struct loop *l, struct syncer **out);

/* Waits for the sync that is under way, if any; no order is told of any more. NULL is
 * legal. */
void syncer_close(struct syncer *s);

/*
 * Has n files or folders synced, one after the other, and closes them,
 * whatever it returns. done(arg, rc) is called once, in a later turn of the loop, RC_OK
 * or the first error (RC_IO, RC_NOSPACE); *out is the order until then. With s NULL it
 * is all done within the call, done too, and *out is NULL. RC_NOMEM.
 */
enum rc syncer_sync(struct syncer *s, const int *fds, size_t n,
                    void (*done)(void *arg, enum rc rc), void *arg,
                    struct sync_order **out);

/* done is not called any more. NULL is legal. */
void syncer_forget(struct sync_order *order);

#endif
