/*
 * turns.h: who works on an upload, one thread at a time, and the newest comer wins.
 *
 * A client that lost its connection comes back on another while the old request still
 * waits for bytes that never will come. So whoever wants a turn tells all that had one
 * of the same name before to stop, and waits until they have. Within one process:
 * across processes the lock of the spool file counts.
 */
#ifndef DROPSTREAM_TURNS_H
#define DROPSTREAM_TURNS_H

#include "rc.h"

#include <stdbool.h>
#include <stdint.h>

#define TURN_NAME_MAX 39 /* bytes */

struct turns;

/* Filled in by its owner but for the last two; it stays where it is while it is taken.
 */
struct turn {
    char name[TURN_NAME_MAX + 1];
    void (*stop)(void *arg); /* makes the owner's work end soon; quick, any thread */
    void *arg;
    bool lost;
    struct turn *newer;
};

/* RC_NOMEM. */
enum rc turns_open(struct turns **out);

/* No turn may be taken. NULL is legal. */
void turns_close(struct turns *t);

/*
 * Tells those who had the name before to stop, and waits for them, at most wait_ms;
 * then the turn is the caller's until turns_leave. RC_STOPPED: one who came later has
 * it. RC_BUSY: those before did not end in time. After both it is not taken.
 */
enum rc turns_take(struct turns *t, struct turn *turn, int64_t wait_ms);

/* Whether a newer one waits for this turn to end. */
bool turns_lost(struct turns *t, const struct turn *turn);

void turns_leave(struct turns *t, struct turn *turn);

#endif
