/*
 * address_limit.so: keeps one address from having all of lighttpd's connections.
 *
 * lighttpd 1.4.69 cannot: what Lua (mod_magnet) may refuse are requests, and who holds
 * connections makes none. So this is loaded into it (LD_PRELOAD, etc/options.sh) and
 * looks at what it accepts and closes. A connection too many is told 429 and closed;
 * lighttpd never hears of it. Its settings are in the environment, under their own
 * names: DROPSTREAM_CONNECTIONS_PER_ADDRESS, DROPSTREAM_TRUSTED_PROXIES,
 * DROPSTREAM_TLS_PEM.
 *
 * Invariant: one thread calls these, as lighttpd has only one.
 */
#include "connections.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* Refused one after another before lighttpd gets to what else it has to do. */
enum { REFUSED_AT_ONCE = 64 };
/* A proxy or a tunnel of this machine, or whoever has it: not kept from all they want.
 */
#define OWN_ADDRESSES "127.0.0.1 ::1"
/* Seconds between two lines in the log about it. */
enum { QUIET_S = 60 };

#define BODY                                                                           \
    "{\"error\":{\"code\":\"too_many\",\"message\":\"Too many connections from your "  \
    "address.\"}}\n"

static struct connections connections;
static bool tls;

__attribute__((constructor)) static void read_settings(void)
{
    const char *limit = getenv("DROPSTREAM_CONNECTIONS_PER_ADDRESS");
    const char *proxies = getenv("DROPSTREAM_TRUSTED_PROXIES");
    const char *pem = getenv("DROPSTREAM_TLS_PEM");

    connections.limit = limit ? (unsigned)strtoul(limit, NULL, 10) : 0;
    connections_exempt(&connections, OWN_ADDRESSES);
    connections_exempt(&connections, proxies ? proxies : "");
    tls = pem && *pem;
}

static void log_refusal(const struct sockaddr_storage *from)
{
    static time_t quiet_until;
    const struct sockaddr_in *v4 = (const struct sockaddr_in *)from;
    const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)from;
    char text[INET6_ADDRSTRLEN] = "";
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    if (now.tv_sec < quiet_until)
        return;
    quiet_until = now.tv_sec + QUIET_S;
    if (from->ss_family == AF_INET)
        inet_ntop(AF_INET, &v4->sin_addr, text, sizeof(text));
    else
        inet_ntop(AF_INET6, &v6->sin6_addr, text, sizeof(text));
    dprintf(STDERR_FILENO,
            "%s has %u connections, more are refused (connections_per_address)\n", text,
            connections.limit);
}

/* In clear only where that is what the client speaks. What came is taken off, since
 * bytes that nobody has read turn the end of a connection into a reset (RFC 1122
 * s. 4.2.2.13). */
static void refuse(int fd)
{
    static const char answer[] = "HTTP/1.1 429 Too Many Requests\r\n"
                                 "Content-Type: application/json\r\n"
                                 "Cache-Control: no-store\r\n"
                                 "Retry-After: 10\r\n"
                                 "Connection: close\r\n\r\n" BODY;
    char came[8192];

    if (!tls) {
        (void)!send(fd, answer, sizeof(answer) - 1, MSG_DONTWAIT | MSG_NOSIGNAL);
        shutdown(fd, SHUT_WR);
        (void)!recv(fd, came, sizeof(came), MSG_DONTWAIT);
    }
    syscall(SYS_close, fd);
}

/* lighttpd accepts with this alone. */
int accept4(int listener, struct sockaddr *restrict address, socklen_t *restrict size,
            int flags)
{
    struct sockaddr_storage from;
    socklen_t n, room = address ? *size : 0;
    int fd, tries;

    for (tries = 0; tries < REFUSED_AT_ONCE; tries++) {
        n = sizeof(from);
        fd = (int)syscall(SYS_accept4, listener, &from, &n, flags);
        if (fd < 0)
            return fd;
        if (connections_open(&connections, fd, (const struct sockaddr *)&from)) {
            if (address) {
                memcpy(address, &from, n < room ? n : room);
                *size = n;
            }
            return fd;
        }
        log_refusal(&from);
        refuse(fd);
    }
    errno = EAGAIN;
    return -1;
}

int close(int fd)
{
    connections_close(&connections, fd);
    return (int)syscall(SYS_close, fd);
}
