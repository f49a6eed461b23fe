/*
 * demand_writer.h: the thread that brings what is wanted from the table in memory to
 * the store, all that is new in one transaction.
 *
 * It has a store handle of its own, and holds no lock while it writes: a database that
 * is busy or full delays demands, but no request.
 */
#ifndef DROPSTREAM_DEMAND_WRITER_H
#define DROPSTREAM_DEMAND_WRITER_H

#include "clock.h"
#include "rc.h"
#include "wants.h"

#include <pthread.h>
#include <stdbool.h>

struct demand_writer;

/*
 * Starts the thread for the database at path. lock guards wants. clear: first drops the
 * demands that a process before this one has left. What the store refuses is tried
 * again until it works, with one line in the log. RC_NOMEM; RC_IO: no thread to be had.
 */
enum rc demand_writer_open(const char *path, const struct clock *clock, bool clear,
                           struct wants *wants, pthread_mutex_t *lock,
                           struct demand_writer **out);

/* wants has changed. Called with the lock held. */
void demand_writer_wake(struct demand_writer *d);

/* Writes what there is to write, once, and ends the thread. NULL is legal. */
void demand_writer_close(struct demand_writer *d);

#endif
