/*
 * same_origin.h: whether a request comes from the site's own pages, by what browsers
 * say of that themselves, and whether it was meant for this machine.
 *
 * Pure. A page of another site can have a browser send a request with the cookies of
 * this one, but it cannot keep it from saying so: in Sec-Fetch-Site (Fetch Metadata,
 * s. 2.4), and where that is not sent (plain HTTP, old browsers) in Origin (RFC 6454).
 */
#ifndef DROPSTREAM_SAME_ORIGIN_H
#define DROPSTREAM_SAME_ORIGIN_H

#include <stdbool.h>

enum same_origin {
    ORIGIN_SAME,   /* a page of this site, or a person by themselves */
    ORIGIN_OTHER,  /* or anything that was not understood */
    ORIGIN_UNKNOWN /* nothing is said: not a browser, or a very old one */
};

/* From the values of Sec-Fetch-Site, Origin and Host, each NULL where it was not sent;
 * tls: the browser speaks TLS to this site, or to a proxy in front of it. */
enum same_origin same_origin(const char *fetch_site, const char *origin,
                             const char *host, bool tls);

/*
 * True if the value of Host is a name or an address of this machine (localhost,
 * 127.0.0.0/8, ::1), whatever the port; or if there is none, as no browser leaves it
 * out. A site that asks nobody to sign in answers no other: a foreign page can have its
 * own name lead to 127.0.0.1 (DNS rebinding), but not call itself localhost.
 */
bool same_origin_host_is_local(const char *host);

#endif
