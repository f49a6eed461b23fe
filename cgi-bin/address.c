#include "address.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

void address_text(const char *remote, char out[ADDRESS_TEXT_MAX + 1])
{
    char text[INET6_ADDRSTRLEN];
    struct in6_addr v6;
    struct in_addr v4;

    snprintf(out, ADDRESS_TEXT_MAX + 1, "unknown");
    if (!remote)
        return;
    if (inet_pton(AF_INET, remote, &v4) == 1) {
        inet_ntop(AF_INET, &v4, out, ADDRESS_TEXT_MAX + 1);
    } else if (inet_pton(AF_INET6, remote, &v6) == 1) {
        if (IN6_IS_ADDR_V4MAPPED(&v6)) {
            inet_ntop(AF_INET, &v6.s6_addr[12], out, ADDRESS_TEXT_MAX + 1);
            return;
        }
        memset(&v6.s6_addr[8], 0, 8);
        inet_ntop(AF_INET6, &v6, text, sizeof(text));
        snprintf(out, ADDRESS_TEXT_MAX + 1, "%s/64", text);
    }
}
