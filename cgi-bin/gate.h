/*
 * gate.h: who asks, and whether they may, before anything else is done for a request:
 * no byte of its body is read and no row is looked up for whom it does not let through.
 */
#ifndef DROPSTREAM_GATE_H
#define DROPSTREAM_GATE_H

#include "access.h"
#include "app.h"
#include "fcgi.h"
#include "http.h"
#include "identity.h"

#include <stdbool.h>

enum {
    GATE_CHANGES = 1, /* the request changes something, so no other site may send it */
    GATE_ALONE = 2    /* it is answered also where nobody can tell who asks */
};

/*
 * True if r may go on: *who is who asks. What depends on which video it is about is
 * still to be checked (access.h). False: r is answered, with 401, 403, or what is wrong
 * with the store.
 */
bool gate_enter(struct request *r, const struct app *app, enum want want,
                unsigned flags, struct identity *who);

/* Answers with what the table says; not for ACCESS_YES. */
void gate_refuse(struct request *r, enum access verdict);

/* What one is told whom it let through, and whose right has ended since (RC_REVOKED).
 */
struct http_error gate_revoked(const struct identity *who);

#endif
