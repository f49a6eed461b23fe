/*
 * origin.h: web origins (RFC 6454 s. 6.2) as text, for headers that name some;
 * and addresses that only this machine has.
 */
#ifndef DROPSTREAM_ORIGIN_H
#define DROPSTREAM_ORIGIN_H

#include <stdbool.h>

#define ORIGIN_MAX 255 /* bytes */

/*
 * True for an origin just as browsers send it: http or https, a host in lower case (a
 * name in ASCII, an IPv4 address, or an IPv6 one in brackets), a port only where it is
 * not the usual one; no path, and nothing that could end a header or a word in it.
 */
bool origin_valid(const char *text);

/* True for an address of this machine alone, 127.0.0.0/8 or ::1, as numbers and without
 * brackets. */
bool origin_is_loopback(const char *address);

#endif
