#include "connections.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

static void map(const struct in_addr *v4, struct in6_addr *out)
{
    memset(out, 0, sizeof(*out));
    memset(&out->s6_addr[10], 0xff, 2);
    memcpy(&out->s6_addr[12], v4, sizeof(*v4));
}

/* One item of the list, which ends at a blank or the text's end. */
static bool parse_network(const char *text, size_t n, struct connections_network *out)
{
    char item[INET6_ADDRSTRLEN + sizeof("/128")], *slash;
    struct in_addr v4;
    int most = 128;

    if (n >= sizeof(item))
        return false;
    memcpy(item, text, n);
    item[n] = '\0';
    slash = strchr(item, '/');
    if (slash)
        *slash = '\0';
    if (inet_pton(AF_INET, item, &v4) == 1) {
        map(&v4, &out->address);
        most = 32;
    } else if (inet_pton(AF_INET6, item, &out->address) != 1) {
        return false;
    }
    out->bits = slash ? atoi(slash + 1) : most;
    if (out->bits < 0 || out->bits > most)
        return false;
    out->bits += 128 - most;
    return true;
}

void connections_exempt(struct connections *c, const char *list)
{
    size_t n;

    for (list += strspn(list, " "); *list && c->exempts < CONNECTIONS_NETWORKS;
         list += strspn(list, " ")) {
        n = strcspn(list, " ");
        c->exempts += parse_network(list, n, &c->exempt[c->exempts]);
        list += n;
    }
}

static bool is_within(const struct in6_addr *address,
                      const struct connections_network *n)
{
    int whole = n->bits / 8, rest = n->bits % 8;

    return memcmp(address, &n->address, (size_t)whole) == 0 &&
           (rest == 0 ||
            (address->s6_addr[whole] ^ n->address.s6_addr[whole]) >> (8 - rest) == 0);
}

static bool is_exempt(const struct connections *c, const struct in6_addr *address)
{
    int i;

    for (i = 0; i < c->exempts; i++)
        if (is_within(address, &c->exempt[i]))
            return true;
    return false;
}

static bool read_address(const struct sockaddr *from, struct in6_addr *out)
{
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;

    if (from->sa_family == AF_INET) {
        memcpy(&v4, from, sizeof(v4));
        map(&v4.sin_addr, out);
        return true;
    }
    if (from->sa_family != AF_INET6)
        return false;
    memcpy(&v6, from, sizeof(v6));
    *out = v6.sin6_addr;
    return true;
}

bool connections_open(struct connections *c, int fd, const struct sockaddr *from)
{
    struct in6_addr address;
    unsigned n = 0;
    int i;

    connections_close(c, fd);
    if (c->limit == 0 || fd < 0 || fd >= CONNECTIONS_FDS ||
        !read_address(from, &address) || is_exempt(c, &address))
        return true;
    if (!IN6_IS_ADDR_V4MAPPED(&address))
        memset(&address.s6_addr[8], 0, 8);
    for (i = 0; i < c->end; i++)
        n += c->counted[i] && memcmp(&c->of[i], &address, sizeof(address)) == 0;
    if (n >= c->limit)
        return false;
    c->counted[fd] = true;
    c->of[fd] = address;
    if (fd >= c->end)
        c->end = fd + 1;
    return true;
}

void connections_close(struct connections *c, int fd)
{
    if (fd < 0 || fd >= c->end)
        return;
    c->counted[fd] = false;
    while (c->end > 0 && !c->counted[c->end - 1])
        c->end--;
}
