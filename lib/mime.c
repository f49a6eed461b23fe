#include "mime.h"

#include <string.h>
#include <strings.h>

bool mime_is_blank(char c)
{
    return c == ' ' || c == '\t';
}

bool mime_is_token_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           (c != '\0' && strchr("!#$%&'*+-.^_`|~", c) != NULL);
}

bool mime_equals(const char *text, size_t n, const char *word)
{
    return strlen(word) == n && strncasecmp(text, word, n) == 0;
}

static const char *skip_blanks(const char *p, const char *end)
{
    while (p < end && mime_is_blank(*p))
        p++;
    return p;
}

bool mime_main_value(const char **p, const char *end, const char *word)
{
    const char *start = skip_blanks(*p, end);
    const char *q = start;

    while (q < end && *q != ';' && !mime_is_blank(*q))
        q++;
    if (!mime_equals(start, (size_t)(q - start), word))
        return false;
    q = skip_blanks(q, end);
    if (q < end && *q != ';')
        return false;
    *p = q;
    return true;
}

/* True if a backslash at p is an escape, not itself. */
static bool is_escape(const char *p, const char *end)
{
    return *p == '\\' && p + 1 < end && (p[1] == '"' || p[1] == '\\');
}

/* The value at q, where it ends, or NULL. */
static const char *param_value(const char *q, const char *end, struct mime_param *out)
{
    out->quoted = q < end && *q == '"';
    out->value = out->quoted ? q + 1 : q;
    q = out->value;
    if (out->quoted) {
        while (q < end && *q != '"')
            q += is_escape(q, end) ? 2 : 1;
        if (q == end)
            return NULL;
        out->value_size = (size_t)(q - out->value);
        return q + 1;
    }
    while (q < end && *q != ';' && *q != '"' && !mime_is_blank(*q))
        q++;
    out->value_size = (size_t)(q - out->value);
    return out->value_size > 0 ? q : NULL;
}

enum rc mime_next_param(const char **p, const char *end, struct mime_param *out)
{
    struct mime_param param = {0};
    const char *q = *p;

    while (q < end && (*q == ';' || mime_is_blank(*q)))
        q++;
    if (q == end)
        return RC_NOT_FOUND;
    param.name = q;
    while (q < end && mime_is_token_char(*q))
        q++;
    param.name_size = (size_t)(q - param.name);
    if (param.name_size == 0 || q == end || *q != '=')
        return RC_INVALID;
    q = param_value(q + 1, end, &param);
    if (q == NULL)
        return RC_INVALID;
    q = skip_blanks(q, end);
    if (q < end && *q != ';')
        return RC_INVALID;
    *p = q < end ? q + 1 : q;
    *out = param;
    return RC_OK;
}

/* The byte that the percent code at s stands for, or 0 if it is none. */
static char percent_byte(const char *s, size_t n)
{
    if (n < 3)
        return 0;
    if (strncasecmp(s, "%22", 3) == 0)
        return '"';
    if (strncasecmp(s, "%0D", 3) == 0)
        return '\r';
    if (strncasecmp(s, "%0A", 3) == 0)
        return '\n';
    return 0;
}

void mime_decode(char *value, size_t n, bool quoted)
{
    const char *src = value;
    const char *end = value + n;
    char *dst = value;

    if (!quoted) {
        value[n] = '\0';
        return;
    }
    while (src < end) {
        char byte = percent_byte(src, (size_t)(end - src));

        if (byte != 0) {
            src += 3;
        } else {
            src += is_escape(src, end) ? 1 : 0;
            byte = *src++;
        }
        *dst++ = byte;
    }
    *dst = '\0';
}
