/*
 * owner.h: who this worker is, in a way that others can tell whether it still lives.
 *
 * A worker's name is that of a file in site/run that it holds locked (flock(2)) as long
 * as it lives; the kernel lets go of the lock when it dies, however it dies. So the
 * leases of a dead worker can be ended at once instead of waiting them out.
 */
#ifndef DROPSTREAM_OWNER_H
#define DROPSTREAM_OWNER_H

#include "rc.h"
#include "site.h"
#include "store.h"

#include <stdbool.h>

/* A new name and its locked file; *lock_fd stays open for the worker's life. RC_IO. */
enum rc owner_claim(const struct site *site, char name[STORE_OWNER_MAX + 1],
                    int *lock_fd);

/* Removes the file; for a worker that stops in good order. */
void owner_release(const struct site *site, const char *name, int lock_fd);

/* Ends the leases of all workers of this site that are dead and removes their files.
 * *jobs: how many jobs were freed. RC_IO and the codes of the store. */
enum rc owner_bury_dead(const struct site *site, struct store *st, int *jobs);

/* True if this process now holds, or held already, the site's checkpoint lock. */
bool owner_may_checkpoint(const struct site *site);

#endif
