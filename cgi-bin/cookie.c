#include "cookie.h"

#include "secret.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { COMPARED_MAX = 255 };

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

/* The next cookie called name from *p on: its value, of *n bytes; then *p is behind it.
 * NULL: there is none. */
static const char *next_value(const char **p, const char *name, size_t *n)
{
    size_t name_len = strlen(name), len;

    for (; **p; *p += len) {
        const char *pair = *p += strspn(*p, " \t;");
        len = strcspn(pair, ";");
        if (len <= name_len || strncmp(pair, name, name_len) != 0 ||
            pair[name_len] != '=')
            continue;
        *p += len;
        *n = len - name_len - 1;
        pair += name_len + 1;
        while (*n > 0 && strchr(" \t", pair[*n - 1]))
            --*n;
        return pair;
    }
    return NULL;
}

enum rc cookie_find(const char *header, const char *name, char *out, size_t size)
{
    const char *p = header ? header : "";
    size_t n;
    const char *value = next_value(&p, name, &n);

    return value ? copy_value(value, n, out, size) : RC_NOT_FOUND;
}

bool cookie_is(const char *header, const char *name, const char *value)
{
    const char *p = header ? header : "", *found;
    char text[COMPARED_MAX + 1];
    size_t n;
    bool is = false;

    while ((found = next_value(&p, name, &n)))
        is |= copy_value(found, n, text, sizeof(text)) == RC_OK &&
              secret_equal(text, value);
    return is;
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
