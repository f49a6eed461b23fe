/*
 * parking.h: requests that wait for a file, without a thread each.
 *
 * Invariant: a parked request is in the table of waits until one thread takes it out;
 * that thread answers and ends it, holding no lock. So each is answered once.
 */
#ifndef DROPSTREAM_PARKING_H
#define DROPSTREAM_PARKING_H

#include "app.h"
#include "fcgi.h"
#include "rc.h"
#include "waits.h"

struct parking;

/*
 * Starts two threads: one that sees files come and time go by, and one that writes what
 * is wanted. app outlives them. RC_NOMEM, RC_TOO_LARGE, RC_IO.
 */
enum rc parking_open(const struct app *app, struct parking **out);

/*
 * Answers r: with the file, if it is there, else it keeps r until the file is there or
 * will never be, the time is over or its viewer hangs up or asks for something else.
 * Only from the handler of r, which has to return after it.
 */
void parking_wait(struct parking *p, struct request *r, const struct wait_ask *ask);

/* Ends the threads; nobody may wait any more. NULL is legal. */
void parking_close(struct parking *p);

#endif
