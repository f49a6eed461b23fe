/*
 * grants.h: keeps the symlinks by which media are reached as their rows say, whoever
 * was killed half-way, and ends what time ends.
 *
 * Whoever takes a grant back ends it at once (grant.h); this comes after all of them.
 */
#ifndef DROPSTREAM_GRANTS_H
#define DROPSTREAM_GRANTS_H

#include "worker.h"

struct grants;

/* Ends the grants of user 0 where the site has accounts, and begins a first sweep.
 * RC_NOMEM. */
enum rc grants_open(struct worker *w, struct grants **out);
void grants_close(struct grants *g); /* NULL is legal */

/* After a change of the store: ends what is revoked, shares and sessions whose time is
 * over, and the passes of sessions; when the next one's time is, it looks again by
 * itself. Cheap where there is nothing to do. */
void grants_look(struct grants *g);

/*
 * Once a minute: compares htdocs/media with the rows, if either has changed since the
 * last time. Rows that have no symlink get it; a symlink that no row names goes, as
 * does an empty folder of no video, and nothing else ever does. Bit by bit, so that the
 * loop goes on meanwhile.
 */
void grants_sweep(struct grants *g);

#endif
