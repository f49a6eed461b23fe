#include "codec_string.h"

#include "bmff.h"

#include <stdio.h>
#include <string.h>

static enum rc avc(const struct bmff_box *avcc, char out[STORE_CODEC_MAX + 1])
{
    if (avcc->body_size < 4)
        return RC_INVALID;
    snprintf(out, STORE_CODEC_MAX + 1, "avc1.%02x%02x%02x", avcc->body[1],
             avcc->body[2], avcc->body[3]);
    return RC_OK;
}

/* The compatibility flags are written with their bits in reverse order. */
static uint32_t reversed(uint32_t v)
{
    uint32_t r = 0;
    for (int i = 0; i < 32; i++)
        r |= (v >> i & 1) << (31 - i);
    return r;
}

static enum rc hevc(const struct bmff_box *hvcc, char out[STORE_CODEC_MAX + 1])
{
    const uint8_t *p = hvcc->body;
    if (hvcc->body_size < 13)
        return RC_INVALID;
    static const char *const spaces[] = {"", "A", "B", "C"};
    int n = snprintf(out, STORE_CODEC_MAX + 1, "hvc1.%s%u.%X.%c%u", spaces[p[1] >> 6],
                     p[1] & 0x1fu, reversed(bmff_u32(p + 2)), p[1] & 0x20 ? 'H' : 'L',
                     p[12]);
    int last =
        11; /* of the six constraint bytes, those of zero at the end are left out */
    while (last >= 6 && p[last] == 0)
        last--;
    for (int i = 6; i <= last && n <= STORE_CODEC_MAX; i++)
        n += snprintf(out + n, (size_t)(STORE_CODEC_MAX + 1 - n), ".%X", p[i]);
    return n <= STORE_CODEC_MAX ? RC_OK : RC_INVALID;
}

static enum rc vp9(const struct bmff_box *vpcc, char out[STORE_CODEC_MAX + 1])
{
    const uint8_t *p = vpcc->body;
    if (vpcc->body_size < 7)
        return RC_INVALID;
    snprintf(out, STORE_CODEC_MAX + 1, "vp09.%02u.%02u.%02u", p[4], p[5], p[6] >> 4);
    return RC_OK;
}

static enum rc av1(const struct bmff_box *av1c, char out[STORE_CODEC_MAX + 1])
{
    const uint8_t *p = av1c->body;
    if (av1c->body_size < 3)
        return RC_INVALID;
    unsigned profile = p[1] >> 5, level = p[1] & 0x1fu;
    bool high = p[2] & 0x40, twelve = p[2] & 0x20;
    snprintf(out, STORE_CODEC_MAX + 1, "av01.%u.%02u%c.%02u", profile, level,
             p[2] & 0x80 ? 'H' : 'M',
             !high                    ? 8u
             : profile == 2 && twelve ? 12u
                                      : 10u);
    return RC_OK;
}

static const struct {
    uint32_t entry, config;
    enum rc (*read)(const struct bmff_box *config, char out[STORE_CODEC_MAX + 1]);
} codecs[] = {
    {BMFF_FOURCC('a', 'v', 'c', '1'), BMFF_FOURCC('a', 'v', 'c', 'C'), avc},
    {BMFF_FOURCC('h', 'v', 'c', '1'), BMFF_FOURCC('h', 'v', 'c', 'C'), hevc},
    {BMFF_FOURCC('v', 'p', '0', '9'), BMFF_FOURCC('v', 'p', 'c', 'C'), vp9},
    {BMFF_FOURCC('a', 'v', '0', '1'), BMFF_FOURCC('a', 'v', '1', 'C'), av1},
};

static enum rc read_entry(const struct bmff_box *entry, char out[STORE_CODEC_MAX + 1])
{
    struct bmff_box box;
    for (size_t i = 0; i < sizeof(codecs) / sizeof(codecs[0]); i++) {
        if (codecs[i].entry != entry->type)
            continue;
        if (entry->body_size < BMFF_VISUAL_ENTRY)
            return RC_INVALID;
        struct bmff_iter it = bmff_children(entry, BMFF_VISUAL_ENTRY);
        while (bmff_next(&it, &box) == RC_OK)
            if (box.type == codecs[i].config)
                return codecs[i].read(&box, out);
        return RC_INVALID;
    }
    return RC_UNSUPPORTED;
}

enum rc codec_string(const uint8_t *init, size_t n, char out[STORE_CODEC_MAX + 1])
{
    static const uint32_t path[] = {
        BMFF_FOURCC('m', 'o', 'o', 'v'), BMFF_FOURCC('t', 'r', 'a', 'k'),
        BMFF_FOURCC('m', 'd', 'i', 'a'), BMFF_FOURCC('m', 'i', 'n', 'f'),
        BMFF_FOURCC('s', 't', 'b', 'l'), BMFF_FOURCC('s', 't', 's', 'd'),
    };
    struct bmff_box stsd, entry;
    char text[STORE_CODEC_MAX + 1];
    if (bmff_find(init, n, path, 6, &stsd) != RC_OK || stsd.body_size < 8)
        return RC_INVALID;
    struct bmff_iter it = bmff_children(&stsd, 8);
    if (bmff_next(&it, &entry) != RC_OK)
        return RC_INVALID;
    enum rc rc = read_entry(&entry, text);
    if (rc == RC_OK)
        memcpy(out, text, sizeof(text));
    return rc;
}
