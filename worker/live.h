/*
 * live.h: the live log for a person at a terminal: what happens, as it happens.
 *
 * New rows of the activity log as lines, and the progress of uploads and jobs: on a
 * terminal as one status line that is redrawn, else as a line every ten seconds. Colour
 * on a terminal only (and not with NO_COLOR or TERM=dumb).
 */
#ifndef DROPSTREAM_LIVE_H
#define DROPSTREAM_LIVE_H

#include "worker.h"

struct live;

/* Writes to standard output from the newest activity on. RC_NOMEM. */
enum rc live_open(struct worker *w, struct live **out);
void live_close(struct live *l);

/* After a change of the store. NULL is legal. */
void live_changed(struct live *l);

#endif
