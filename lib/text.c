#include "text.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/*
 * Decodes one code point of s, which has n > 0 bytes. Returns its length, or 0 if s
 * does not begin with one (RFC 3629 section 4).
 */
static size_t decode(const unsigned char *s, size_t n, uint32_t *out)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    size_t len = s[0] < 0x80             ? 1
                 : (s[0] & 0xe0) == 0xc0 ? 2
                 : (s[0] & 0xf0) == 0xe0 ? 3
                 : (s[0] & 0xf8) == 0xf0 ? 4
                                         : 0;
    uint32_t c;

    if (len == 0 || len > n)
        return 0;
    c = len == 1 ? s[0] : s[0] & (0x7fu >> len);
    for (size_t i = 1; i < len; i++) {
        if ((s[i] & 0xc0) != 0x80)
            return 0;
        c = c << 6 | (s[i] & 0x3f);
    }
    if (c < least[len] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
        return 0;
    *out = c;
    return len;
}

static bool is_control(uint32_t c)
{
    return c < 0x20 || (c >= 0x7f && c <= 0x9f);
}

bool text_is_clean(const char *s, size_t n)
{
    const unsigned char *p = (const unsigned char *)s;

    while (n > 0) {
        uint32_t c;
        size_t len = decode(p, n, &c);

        if (len == 0 || is_control(c))
            return false;
        p += len;
        n -= len;
    }
    return true;
}

size_t text_clean(char *dst, size_t size, const char *src)
{
    static const char replacement[] = "\xef\xbf\xbd"; /* U+FFFD */
    const unsigned char *p = (const unsigned char *)src;
    size_t left = strlen(src);
    size_t length = 0;

    if (size == 0)
        return 0;
    while (left > 0) {
        uint32_t c = 0;
        size_t used = decode(p, left, &c);
        const char *from = (const char *)p;
        size_t n = used;

        if (used == 0) {
            used = 1;
            from = replacement;
            n = sizeof(replacement) - 1;
        } else if (is_control(c)) {
            from = " ";
            n = 1;
        }
        if (length + n > size - 1)
            break;
        if (length > 0 || *from != ' ') {
            memcpy(dst + length, from, n);
            length += n;
        }
        p += used;
        left -= used;
    }
    while (length > 0 && dst[length - 1] == ' ')
        length--;
    dst[length] = '\0';
    return length;
}

bool text_is_number(const char *s, long max)
{
    return *s >= '1' && *s <= '9' && strlen(s) <= 5 &&
           s[strspn(s, "0123456789")] == '\0' && atol(s) <= max;
}

const char *text_basename(const char *s)
{
    const char *base = s;

    for (; *s != '\0'; s++)
        if (*s == '/' || *s == '\\')
            base = s + 1;
    return base;
}
