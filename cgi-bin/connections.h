/*
 * connections.h: how many connections each address has, and whether it may have one
 * more.
 *
 * Invariant: a file descriptor stands for one connection at most; one that is given out
 * anew is no longer the one before, so that nothing is counted for ever.
 */
#ifndef DROPSTREAM_CONNECTIONS_H
#define DROPSTREAM_CONNECTIONS_H

#include <netinet/in.h>
#include <stdbool.h>
#include <sys/socket.h>

/* server.max-fds of etc/lighttpd.conf: connections have no higher descriptors. */
#define CONNECTIONS_FDS 4096
/* Networks whose connections are not counted; a list of 4095 bytes holds no more. */
#define CONNECTIONS_NETWORKS 2048

struct connections_network {
    struct in6_addr address; /* IPv4 as ::ffff:192.0.2.1 (RFC 4291 s. 2.5.5.2) */
    int bits;                /* 0..128 */
};

/* All zero: nothing is counted. */
struct connections {
    unsigned limit; /* connections of one address; 0: any */
    struct connections_network exempt[CONNECTIONS_NETWORKS];
    int exempts;
    int end; /* above the highest descriptor that is counted */
    bool counted[CONNECTIONS_FDS];
    struct in6_addr of[CONNECTIONS_FDS]; /* by what it counts */
};

/* Connections from these are not counted: addresses and networks (CIDR) with one blank
 * between them, as trusted_proxies has them. What is neither is passed over. */
void connections_exempt(struct connections *c, const char *list);

/*
 * A connection of descriptor fd has come from there. False: its address has as many as
 * it may, and it is not counted. Addresses of IPv6 count by their /64 (RFC 6177), IPv4
 * ones that are written as IPv6 as what they are. Of another family, or with a
 * descriptor that is out of range, it is let in and not counted.
 */
bool connections_open(struct connections *c, int fd, const struct sockaddr *from);

/* A descriptor is closed, whatever it was. */
void connections_close(struct connections *c, int fd);

#endif
