#include "charset.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define REPLACEMENT 0xFFFD

/* The smallest number that needs so many bytes: what is less is an overlong form. */
static const uint32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};

size_t charset_utf8_length(const char *s, size_t n)
{
    unsigned char first = (unsigned char)*s;
    size_t length = first < 0x80    ? 1
                    : first >= 0xF8 ? 0
                    : first >= 0xF0 ? 4
                    : first >= 0xE0 ? 3
                    : first >= 0xC0 ? 2
                                    : 0;
    if (length < 2)
        return length;
    if (length > n)
        return 0;
    uint32_t c = first & (0x7Fu >> length);
    for (size_t i = 1; i < length; i++) {
        if (((unsigned char)s[i] & 0xC0) != 0x80)
            return 0;
        c = c << 6 | ((unsigned char)s[i] & 0x3F);
    }
    bool good = c >= smallest[length] && c <= 0x10FFFF && (c < 0xD800 || c > 0xDFFF);
    return good ? length : 0;
}

bool charset_is_utf8(const char *s, size_t n)
{
    for (size_t i = 0; i < n;) {
        size_t length = charset_utf8_length(s + i, n - i);
        if (length == 0)
            return false;
        i += length;
    }
    return true;
}

/* At most four bytes. */
static size_t put(char *out, uint32_t c)
{
    unsigned char *o = (unsigned char *)out;
    if (c < 0x80) {
        o[0] = (unsigned char)c;
        return 1;
    }
    if (c < 0x800) {
        o[0] = (unsigned char)(0xC0 | c >> 6);
        o[1] = (unsigned char)(0x80 | (c & 0x3F));
        return 2;
    }
    if (c < 0x10000) {
        o[0] = (unsigned char)(0xE0 | c >> 12);
        o[1] = (unsigned char)(0x80 | (c >> 6 & 0x3F));
        o[2] = (unsigned char)(0x80 | (c & 0x3F));
        return 3;
    }
    o[0] = (unsigned char)(0xF0 | c >> 18);
    o[1] = (unsigned char)(0x80 | (c >> 12 & 0x3F));
    o[2] = (unsigned char)(0x80 | (c >> 6 & 0x3F));
    o[3] = (unsigned char)(0x80 | (c & 0x3F));
    return 4;
}

/* ---- UTF-16 ----------------------------------------------------------------- */

bool charset_is_utf16(const char *s, size_t n)
{
    return n >= 2 && (memcmp(s, "\xff\xfe", 2) == 0 || memcmp(s, "\xfe\xff", 2) == 0);
}

static uint32_t unit(const char *s, size_t i, bool little)
{
    unsigned a = (unsigned char)s[2 * i], b = (unsigned char)s[2 * i + 1];
    return little ? b << 8 | a : a << 8 | b;
}

enum rc charset_from_utf16(const char *s, size_t n, char **out, size_t *out_n)
{
    bool little = (unsigned char)s[0] == 0xFF;
    size_t units = n / 2, used = 0;
    /* Three bytes are the most that two become; a pair of surrogates becomes four. */
    char *text = malloc(units * 3 + 1);
    if (!text)
        return RC_NOMEM;
    for (size_t i = 1; i < units; i++) {
        uint32_t c = unit(s, i, little);
        uint32_t low = i + 1 < units ? unit(s, i + 1, little) : 0;
        if (c >= 0xD800 && c <= 0xDBFF && low >= 0xDC00 && low <= 0xDFFF) {
            c = 0x10000 + ((c - 0xD800) << 10) + (low - 0xDC00);
            i++;
        } else if (c >= 0xD800 && c <= 0xDFFF) {
            c = REPLACEMENT;
        }
        used += put(text + used, c);
    }
    text[used] = '\0';
    *out = text;
    *out_n = used;
    return RC_OK;
}

/* ---- one byte, one character ------------------------------------------------- */

/* 0x80 to 0x9F, which are control characters in Latin-1. */
static const uint16_t high_1252[32] = {
    0x20AC, 0xFFFD, 0x201A, 0x0192, 0x201E, 0x2026, 0x2020, 0x2021,
    0x02C6, 0x2030, 0x0160, 0x2039, 0x0152, 0xFFFD, 0x017D, 0xFFFD,
    0xFFFD, 0x2018, 0x2019, 0x201C, 0x201D, 0x2022, 0x2013, 0x2014,
    0x02DC, 0x2122, 0x0161, 0x203A, 0x0153, 0xFFFD, 0x017E, 0x0178,
};

static enum rc convert(const char *s, size_t n, bool utf8, char **out, size_t *out_n)
{
    size_t used = 0;
    char *text = malloc(n * 3 + 1);
    if (!text)
        return RC_NOMEM;
    for (size_t i = 0; i < n;) {
        unsigned char c = (unsigned char)s[i];
        size_t length = utf8 ? charset_utf8_length(s + i, n - i) : 0;
        if (length > 0) {
            memcpy(text + used, s + i, length);
            used += length;
            i += length;
            continue;
        }
        uint32_t code = c >= 0x80 && c < 0xA0 ? high_1252[c - 0x80] : c;
        used += put(text + used, utf8 ? REPLACEMENT : code);
        i++;
    }
    text[used] = '\0';
    *out = text;
    *out_n = used;
    return RC_OK;
}

enum rc charset_from_1252(const char *s, size_t n, char **out, size_t *out_n)
{
    return convert(s, n, false, out, out_n);
}

enum rc charset_repair(const char *s, size_t n, char **out, size_t *out_n)
{
    return convert(s, n, true, out, out_n);
}
