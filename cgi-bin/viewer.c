#include "viewer.h"

#include <arpa/inet.h>
#include <stddef.h>
#include <string.h>

static const uint8_t ipv4_prefix[12] = {[10] = 0xff, [11] = 0xff};

static void find_address(const char *text, uint8_t out[16])
{
    memset(out, 0, 16);
    if (!text || inet_pton(AF_INET6, text, out) == 1)
        return;
    if (inet_pton(AF_INET, text, out + sizeof(ipv4_prefix)) == 1)
        memcpy(out, ipv4_prefix, sizeof(ipv4_prefix));
}

/* FNV-1a. Two texts of one hash are one viewer; who makes such a pair on purpose only
 * replaces demands of their own address. */
static uint64_t hash(const char *text, size_t n)
{
    uint64_t h = UINT64_C(14695981039346656037);

    for (size_t i = 0; i < n; i++)
        h = (h ^ (unsigned char)text[i]) * UINT64_C(1099511628211);
    return h;
}

/* Bytes of a value; what is quoted (RFC 8941 s. 3.3.3) may hold commas. 0: its quotes
 * have no end. */
static size_t value_length(const char *value)
{
    size_t n = 1;

    if (*value != '"')
        return strcspn(value, ",");
    while (value[n] && value[n] != '"')
        n += value[n] == '\\' && value[n + 1] ? 2 : 1;
    return value[n] ? n + 1 : 0;
}

/* The value of sid within its quotes, as it was sent, and its length; 0: none. */
static size_t find_sid(const char *list, const char **out)
{
    const char *p = list, *value;
    size_t n;

    while (*p) {
        p += strspn(p, " \t,");
        value = p + strcspn(p, "=,");
        if (*value != '=') {
            p = value;
            continue;
        }
        n = value_length(++value);
        if (*value == '"' && (n == 0 || strncmp(p, "sid=", 4) == 0)) {
            *out = value + 1;
            return n == 0 ? 0 : n - 2;
        }
        p = value + n;
    }
    return 0;
}

struct viewer viewer_of(const char *address, const char *cmcd_session,
                        const char *playback_id, const char *user_agent)
{
    struct viewer v = {.named = true};
    const char *id = "";
    size_t n = cmcd_session ? find_sid(cmcd_session, &id) : 0;

    if ((n == 0 || n > VIEWER_SID_MAX) && playback_id) {
        id = playback_id;
        n = strlen(id);
    }
    if (n == 0 || n > VIEWER_SID_MAX) {
        v.named = false;
        id = user_agent ? user_agent : "";
        n = strlen(id);
    }
    v.id = hash(id, n);
    find_address(address, v.address);
    return v;
}

bool viewer_same(const struct viewer *a, const struct viewer *b)
{
    return a->id == b->id && a->named == b->named &&
           memcmp(a->address, b->address, sizeof(a->address)) == 0;
}

static bool is_ipv4(const struct viewer *v)
{
    return memcmp(v->address, ipv4_prefix, sizeof(ipv4_prefix)) == 0;
}

bool viewer_same_address(const struct viewer *a, const struct viewer *b)
{
    return memcmp(a->address, b->address, is_ipv4(a) || is_ipv4(b) ? 16 : 8) == 0;
}
