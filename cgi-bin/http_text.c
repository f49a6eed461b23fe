#include "http_text.h"

#include "text.h"

#include <string.h>

enum rc http_number(const char *text, int64_t min, int64_t max, int64_t *out)
{
    int64_t value = 0;

    if (!*text)
        return RC_INVALID;
    for (; *text; text++) {
        if (*text < '0' || *text > '9')
            return RC_INVALID;
        if (__builtin_mul_overflow(value, 10, &value) ||
            __builtin_add_overflow(value, *text - '0', &value))
            return RC_INVALID;
    }
    if (value < min || value > max)
        return RC_INVALID;
    *out = value;
    return RC_OK;
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

/* The byte of the escape at text[i], or -1; NUL is refused since it would end a string
 * early. */
static int escaped_byte(const char *text, size_t n, size_t i)
{
    int high = i + 2 < n ? hex_digit(text[i + 1]) : -1;
    int low = i + 2 < n ? hex_digit(text[i + 2]) : -1;

    if (high < 0 || low < 0 || (high == 0 && low == 0))
        return -1;
    return high * 16 + low;
}

enum rc http_unescape(const char *text, size_t n, bool plus, char *out, size_t size)
{
    size_t len = 0;

    /* Checked first, so that out is written on success only. */
    for (size_t i = 0; i < n; i++, len++) {
        if (text[i] != '%')
            continue;
        if (escaped_byte(text, n, i) < 0)
            return RC_INVALID;
        i += 2;
    }
    if (len >= size)
        return RC_TOO_LARGE;
    for (size_t i = 0; i < n; i++) {
        if (text[i] == '%') {
            *out++ = (char)escaped_byte(text, n, i);
            i += 2;
        } else {
            *out++ = plus && text[i] == '+' ? ' ' : text[i];
        }
    }
    *out = '\0';
    return RC_OK;
}

enum rc http_param(const char *query, const char *name, char *out, size_t size)
{
    size_t name_len = strlen(name);

    while (*query) {
        size_t n = strcspn(query, "&");
        if (n > name_len && strncmp(query, name, name_len) == 0 &&
            query[name_len] == '=') {
            enum rc rc =
                http_unescape(query + name_len + 1, n - name_len - 1, true, out, size);
            if (rc == RC_OK && !text_is_clean(out, strlen(out)))
                rc = RC_INVALID;
            return rc;
        }
        query += n + (query[n] == '&');
    }
    return RC_NOT_FOUND;
}

enum rc http_param_number(const char *query, const char *name, int64_t min, int64_t max,
                          int64_t *out)
{
    char text[32];
    enum rc rc = http_param(query, name, text, sizeof(text));

    if (rc == RC_NOT_FOUND)
        return RC_OK;
    return rc == RC_OK ? http_number(text, min, max, out) : RC_INVALID;
}

bool http_match(const char *pattern, const char *path, char *arg, size_t size)
{
    const char *star = strchr(pattern, '*');
    size_t before = star ? (size_t)(star - pattern) : 0;
    size_t n;

    if (!star)
        return strcmp(pattern, path) == 0;
    if (strncmp(pattern, path, before) != 0)
        return false;
    n = strcspn(path + before, "/");
    if (n == 0 || n >= size || strcmp(star + 1, path + before + n) != 0)
        return false;
    memcpy(arg, path + before, n);
    arg[n] = '\0';
    return true;
}

bool http_match_two(const char *pattern, const char *path, char *arg, size_t size,
                    char *rest, size_t rest_size)
{
    const char *star = strrchr(pattern, '*'), *slash = strrchr(path, '/');
    char before[128], head[1024];
    size_t n = slash ? strlen(slash + 1) : 0;

    if (!star || star == strchr(pattern, '*'))
        return http_match(pattern, path, arg, size);
    if (star[1] || n == 0 || n >= rest_size ||
        (size_t)(star - pattern) >= sizeof(before) ||
        (size_t)(slash + 1 - path) >= sizeof(head))
        return false;
    memcpy(before, pattern, (size_t)(star - pattern));
    before[star - pattern] = '\0';
    memcpy(head, path, (size_t)(slash + 1 - path));
    head[slash + 1 - path] = '\0';
    if (!http_match(before, head, arg, size))
        return false;
    memcpy(rest, slash + 1, n + 1);
    return true;
}
