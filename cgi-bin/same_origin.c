#include "same_origin.h"

#include "origin.h"

#include <arpa/inet.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

/* Bytes of a host without its port, where that is this one. */
static size_t without_port(const char *host, const char *port)
{
    size_t n = strlen(host), m = strlen(port);

    return n > m && strcmp(host + n - m, port) == 0 ? n - m : n;
}

/* Origins leave the usual port out; Host may have it. */
static bool origin_is(const char *origin, const char *host, bool tls)
{
    const char *scheme = tls ? "https://" : "http://";
    const char *port = tls ? ":443" : ":80";
    size_t n = strlen(scheme), host_len;

    if (!host || !*host || strncasecmp(origin, scheme, n) != 0)
        return false;
    origin += n;
    host_len = without_port(host, port);
    return without_port(origin, port) == host_len &&
           strncasecmp(origin, host, host_len) == 0;
}

enum same_origin same_origin(const char *fetch_site, const char *origin,
                             const char *host, bool tls)
{
    bool same;

    if (fetch_site)
        same =
            strcmp(fetch_site, "same-origin") == 0 || strcmp(fetch_site, "none") == 0;
    else if (origin)
        same = origin_is(origin, host, tls);
    else
        return ORIGIN_UNKNOWN;
    return same ? ORIGIN_SAME : ORIGIN_OTHER;
}

/* Behind the address or name: nothing, or ":" and digits. */
static bool is_port(const char *text)
{
    return !*text ||
           (text[0] == ':' && strspn(text + 1, "0123456789") == strlen(text + 1));
}

bool same_origin_host_is_local(const char *host)
{
    char name[INET6_ADDRSTRLEN];
    size_t n;

    if (!host || !*host)
        return true;
    n = *host == '[' ? strcspn(host, "]") + 1 : strcspn(host, ":");
    if (n > strlen(host) || n >= sizeof(name) || !is_port(host + n))
        return false;
    if (*host == '[')
        snprintf(name, sizeof(name), "%.*s", (int)n - 2, host + 1);
    else
        snprintf(name, sizeof(name), "%.*s", (int)n, host);
    return (*host != '[' && strcasecmp(name, "localhost") == 0) ||
           origin_is_loopback(name);
}
