/*
 * address.h: the address that a client counts by where tries are limited.
 */
#ifndef DROPSTREAM_ADDRESS_H
#define DROPSTREAM_ADDRESS_H

#define ADDRESS_TEXT_MAX 49 /* bytes */

/*
 * Of the text of REMOTE_ADDR: an IPv4 address as it is, also one that is written as
 * IPv6
 * (::ffff:192.0.2.1); of an IPv6 address its /64, which is what one household or
 * machine is given (RFC 6177): "2001:db8:1:2::/64". "unknown": it is neither, or NULL.
 */
void address_text(const char *remote, char out[ADDRESS_TEXT_MAX + 1]);

#endif
