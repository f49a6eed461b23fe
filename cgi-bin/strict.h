/*
 * strict.h: media_auth = strict: a key alone does not let anybody at media. That of a
 * user is for their sessions and tokens, that of a share for browsers that its page has
 * given a pass. A session that may is given a pass too (pass.h), so that lighttpd asks
 * no more; tokens are asked about each time.
 */
#ifndef DROPSTREAM_STRICT_H
#define DROPSTREAM_STRICT_H

#include "app.h"
#include "fcgi.h"
#include "rc.h"
#include "store.h"

#include <stdbool.h>

struct strict;

/* app outlives it. RC_NOMEM, RC_TOO_LARGE. */
enum rc strict_open(struct app *app, struct strict **out);

/* True if r is answered: it may not have what it asks for, and so is not told whether
 * that is there (404); or it may, and it is there. False: it may, but there is no such
 * file; *video is the one that its key leads to. */
bool strict_answers(struct strict *s, struct request *r, struct video *video);

/* NULL is legal. */
void strict_close(struct strict *s);

#endif
