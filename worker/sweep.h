/*
 * sweep.h: takes away what nobody needs any more, and rights what was left half done.
 */
#ifndef DROPSTREAM_SWEEP_H
#define DROPSTREAM_SWEEP_H

#include "worker.h"

/* Files and rows of deleted videos that no task here works on: the rows once no loss of
 * power brings the files back. Cheap when there are none. */
void sweep_deleted(struct worker *w);

/* Rows that wait for that go with the next start: the worker stops. */
void sweep_close(struct worker *w);

/*
 * Once a minute and at start: playlists follow what a worker that died has told the
 * store; and away goes what sweep_deleted could not remove, uploads whose writer is
 * gone, spool files without a row (what is whole goes to spool/lost) or of no more use,
 * sessions and tokens that are over, rows of the activity log and job logs beyond what
 * is kept. An upload that can go on is kept until it expires. One that was stored
 * whole, but whose handler died before it could say so, is kept and queued.
 */
void sweep_leftovers(struct worker *w);

#endif
