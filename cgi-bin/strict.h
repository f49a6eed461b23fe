/*
 * strict.h: media_auth = strict: whether a request may have what is below one key.
 *
 * A key alone is not enough then: that of a user is for their sessions and tokens, that
 * of a share for browsers that its page has given a cookie. Who was let through once is
 * remembered until anything in the store changes, so that a player's next segment costs
 * no look-up.
 */
#ifndef DROPSTREAM_STRICT_H
#define DROPSTREAM_STRICT_H

#include "app.h"
#include "fcgi.h"
#include "rc.h"

struct strict;

/* app outlives it. RC_NOMEM, RC_TOO_LARGE. */
enum rc strict_open(const struct app *app, struct strict **out);

/* RC_OK: it may. RC_NOT_FOUND: whatever the reason, which is nobody's business. Or what
 * is wrong with the store. */
enum rc strict_check(struct strict *s, const struct request *r, const char *key);

/* NULL is legal. */
void strict_close(struct strict *s);

#endif
