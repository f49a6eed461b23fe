/*
 * handles.h: the few store handles that all threads of a program share.
 *
 * Invariant: a handle is held by one thread at a time. There are never more than
 * max of them, each opened when it is first needed and then kept.
 */
#ifndef DROPSTREAM_HANDLES_H
#define DROPSTREAM_HANDLES_H

#include "clock.h"
#include "rc.h"
#include "store.h"

struct handles;

/* For the database at path; opens nothing yet. max >= 1. RC_NOMEM. */
enum rc handles_open(const char *path, const struct clock *clock, int max,
                     struct handles **out);

/*
 * Waits for a free handle. The caller gives it back with handles_give, soon: others
 * wait for it. What store_open returned if a new one could not be opened.
 */
enum rc handles_take(struct handles *h, struct store **out);
void handles_give(struct handles *h, struct store *st);

/* Closes all of them; none may be held. NULL is legal. */
void handles_close(struct handles *h);

#endif
