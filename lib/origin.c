#include "origin.h"

#include "text.h"

#include <arpa/inet.h>
#include <stddef.h>
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
    return !*port || (*port == ':' && text_is_number(port + 1, 65535) &&
                      strcmp(port + 1, usual) != 0);
}

bool origin_is_loopback(const char *address)
{
    struct in_addr v4;
    struct in6_addr v6;

    if (inet_pton(AF_INET, address, &v4) == 1)
        return (ntohl(v4.s_addr) >> 24) == IN_LOOPBACKNET;
    return inet_pton(AF_INET6, address, &v6) == 1 && IN6_IS_ADDR_LOOPBACK(&v6);
}
