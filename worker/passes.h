/*
 * passes.h: keeps the passes (pass.h) as the rows of sessions and shares say, whoever
 * was killed half-way or put an older database in place; and takes all of them away
 * where nobody looks at them, as media_auth is static.
 *
 * Those of sessions that end are ended at once (grants_look); this comes after that.
 */
#ifndef DROPSTREAM_PASSES_H
#define DROPSTREAM_PASSES_H

#include "worker.h"

struct passes;

/* Begins a first sweep. RC_NOMEM. */
enum rc passes_open(struct worker *w, struct passes **out);
void passes_close(struct passes *p); /* NULL is legal */

/* The store has changed, so that the next sweep is needed. */
void passes_changed(struct passes *p);

/* Once a minute: looks at each of them, if the store has changed. Bit by bit, so that
 * the loop goes on meanwhile. */
void passes_sweep(struct passes *p);

#endif
