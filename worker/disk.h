/*
 * disk.h: the worker and the room that there is on its disk.
 *
 * Once a second it looks how much is free. While that is less than the reserve nothing
 * is begun, and what is being made stands still (worker.full); it goes on by itself.
 * One worker of a site, the one that holds the checkpoint lock, puts away what can be
 * made again while the budget is exceeded or room gets scarce: see room.h for what that
 * is, and store_disk.h for the order of it.
 */
#ifndef DROPSTREAM_DISK_H
#define DROPSTREAM_DISK_H

#include "worker.h"

struct disk;

/* Begins to finish what a dead worker has begun to put away, looks for the first time,
 * and goes on once a second. RC_NOMEM. */
enum rc disk_open(struct worker *w, struct disk **out);
void disk_close(struct disk *d);

/* The store has changed: so may what is used of the disk have. */
void disk_changed(struct disk *d);

#endif
