/*
 * cookie.h: cookies in headers (RFC 6265).
 *
 * Pure. All that are set here are HttpOnly, so that no script reads them, and, but for
 * those that say otherwise, SameSite=Lax: no other site's page sends them along but by
 * a plain link.
 */
#ifndef DROPSTREAM_COOKIE_H
#define DROPSTREAM_COOKIE_H

#include "rc.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * The value of the first cookie called name (case counts) in a Cookie header (s. 4.2.1;
 * NULL: none was sent), without quotes around it. A browser sends the one with the
 * longest path first. RC_NOT_FOUND. RC_TOO_LARGE: it does not fit.
 */
enum rc cookie_find(const char *header, const char *name, char *out, size_t size);

/* True if any of the cookies called name in header has that value (at most 255 bytes);
 * the time that it takes tells nothing of it. */
bool cookie_is(const char *header, const char *name, const char *value);

struct cookie {
    const char *name;
    const char *value; /* letters, digits and "-._" */
    const char *path;
    int64_t max_age_s; /* 0: the browser forgets it */
    bool secure;       /* sent through TLS alone */
    bool framed; /* sent, if it is secure, from within a frame of another site too,
                  * where that site has one of its own (Partitioned) */
};

/* The value of a Set-Cookie header (s. 4.1.1). RC_TOO_LARGE. */
enum rc cookie_format(const struct cookie *c, char *out, size_t size);

#endif
