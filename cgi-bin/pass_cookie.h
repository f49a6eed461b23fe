/*
 * pass_cookie.h: the cookie that holds a pass (pass.h). It goes to media alone, and
 * lighttpd reads it: its name is in etc/options.sh, too.
 *
 * It is forgotten after some hours, so that from time to time media.fcgi is asked
 * again, and a session that is only watched with counts as used.
 */
#ifndef DROPSTREAM_PASS_COOKIE_H
#define DROPSTREAM_PASS_COOKIE_H

#include "fcgi.h"

#include <stdbool.h>

#define PASS_COOKIE_S (12 * 3600)

/* Adds it to the answer. key: of the only media that it is for; "": all. framed: also
 * from within a frame of another site, as long as there is TLS. */
void pass_cookie_set(struct request *r, const char *pass, const char *key, bool framed);

/* True if r has it with that pass. */
bool pass_cookie_is(const struct request *r, const char *pass);

#endif
