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

/*
 * Looks at each of them, now and then once in every_ms if the store has changed since.
 * What it takes away leads nowhere any more, or is left of another database: so it may
 * be seldom. Link by link, so that the loop goes on meanwhile. RC_NOMEM.
 */
enum rc passes_open(struct worker *w, int64_t every_ms, struct passes **out);
void passes_close(struct passes *p); /* NULL is legal */

/* The store has changed: the next sweep is needed. */
void passes_changed(struct passes *p);

#endif
