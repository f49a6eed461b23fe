#include "origin.h"

#include <arpa/inet.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

/* True if the n bytes are a host as browsers write it. */
static bool is_host(const char *s, size_t n)
{
    unsigned char address[sizeof(struct in6_addr)];
    char v6[INET6_ADDRSTRLEN];

    if (n > 2 && s[0] == '[' && s[n - 1] == ']') {
        if (n - 2 >= sizeof(v6))
            return false;
        memcpy(v6, s + 1, n - 2);
        v6[n - 2] = '\0';
        return v6[strspn(v6, "0123456789abcdef:")] == '\0' &&
               inet_pton(AF_INET6, v6, address) == 1;
    }
    return n > 0 && strspn(s, "abcdefghijklmnopqrstuvwxyz0123456789-.") >= n;
}

static bool is_port(const char *text)
{
    return *text >= '1' && *text <= '9' && strlen(text) <= 5 &&
           text[strspn(text, "0123456789")] == '\0' && atol(text) <= 65535;
}

bool origin_valid(const char *text)
{
    const char *host, *port, *usual = "80";
    size_t n;

    if (strlen(text) > ORIGIN_MAX)
        return false;
    if (strncmp(text, "http://", 7) == 0) {
        host = text + 7;
    } else if (strncmp(text, "https://", 8) == 0) {
        host = text + 8;
        usual = "443";
    } else {
        return false;
    }
    n = *host == '[' ? strcspn(host, "]") + 1 : strcspn(host, ":");
    if (n > strlen(host) || !is_host(host, n))
        return false;
    port = host + n;
    return !*port ||
           (*port == ':' && is_port(port + 1) && strcmp(port + 1, usual) != 0);
}
