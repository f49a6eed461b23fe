#include "disposition.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

/* What would end the value, be an escape, or a folder for somebody. */
static bool is_awkward(unsigned char c)
{
    return c < 0x20 || c == 0x7f || strchr("\"\\/:*?<>|", c);
}

/* Of several bytes of one letter the first stands for all. */
static size_t plain(const char *name, char *out)
{
    size_t n = 0;

    for (; *name; name++) {
        unsigned char c = (unsigned char)*name;
        if ((c & 0xc0) != 0x80)
            out[n++] = c >= 0x80 || c == '%' || is_awkward(c) ? '_' : (char)c;
    }
    return n;
}

/* attr-char of RFC 8187 s. 3.2.1, else %XX. */
static size_t extended(const char *name, char *out)
{
    static const char digits[] = "0123456789ABCDEF";
    size_t n = 0;

    for (; *name; name++) {
        unsigned char c = is_awkward((unsigned char)*name) ? '_' : (unsigned char)*name;
        if (c < 0x80 && (isalnum(c) || strchr("!#$&+-.^_`|~", c))) {
            out[n++] = (char)c;
        } else {
            out[n++] = '%';
            out[n++] = digits[c >> 4];
            out[n++] = digits[c & 15];
        }
    }
    return n;
}

enum rc disposition_attachment(const char *name, char *out, size_t size)
{
    size_t n;

    if (size < DISPOSITION_MAX(strlen(name)))
        return RC_TOO_LARGE;
    n = (size_t)snprintf(out, size, "attachment; filename=\"");
    n += plain(name, out + n);
    n += (size_t)snprintf(out + n, size - n, "\"; filename*=UTF-8''");
    n += extended(name, out + n);
    out[n] = '\0';
    return RC_OK;
}
