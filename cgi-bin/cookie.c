#include "cookie.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static enum rc copy_value(const char *value, size_t n, char *out, size_t size)
{
    if (n >= 2 && value[0] == '"' && value[n - 1] == '"') {
        value++;
        n -= 2;
    }
    if (n >= size)
        return RC_TOO_LARGE;
    memcpy(out, value, n);
    out[n] = '\0';
    return RC_OK;
}

enum rc cookie_find(const char *header, const char *name, char *out, size_t size)
{
    size_t name_len = strlen(name);
    const char *p = header ? header : "";

    while (*p) {
        size_t n;
        p += strspn(p, " \t;");
        n = strcspn(p, ";");
        if (n > name_len && strncmp(p, name, name_len) == 0 && p[name_len] == '=') {
            const char *value = p + name_len + 1;
            size_t value_len = n - name_len - 1;
            while (value_len > 0 && strchr(" \t", value[value_len - 1]))
                value_len--;
            return copy_value(value, value_len, out, size);
        }
        p += n;
    }
    return RC_NOT_FOUND;
}

enum rc cookie_format(const struct cookie *c, char *out, size_t size)
{
    const char *rest = !c->secure  ? "SameSite=Lax"
                       : c->framed ? "SameSite=None; Secure; Partitioned"
                                   : "SameSite=Lax; Secure";
    int n = snprintf(out, size, "%s=%s; Path=%s; Max-Age=%" PRId64 "; HttpOnly; %s",
                     c->name, c->value, c->path, c->max_age_s, rest);

    return n >= 0 && (size_t)n < size ? RC_OK : RC_TOO_LARGE;
}
