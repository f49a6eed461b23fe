/*
 * wake.h: notices that another process has committed to the database.
 *
 * inotify tells of a write to the WAL, which comes before the commit is visible, so the
 * look is repeated 1, 5 and 20 ms after it; a slow poll covers what inotify misses. An
 * idle site costs one poll every poll_ms.
 */
#ifndef DROPSTREAM_WAKE_H
#define DROPSTREAM_WAKE_H

#include "loop.h"
#include "rc.h"
#include "site.h"
#include "store.h"

struct wake;

/* Calls changed(arg) after a commit of another handle. RC_IO, RC_NOMEM. */
enum rc wake_open(struct loop *l, const struct site *site, struct store *st,
                  int64_t poll_ms, void (*changed)(void *arg), void *arg,
                  struct wake **out);
void wake_close(struct wake *w);

#endif
