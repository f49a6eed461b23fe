#include "key_units.h"

#include <string.h>
#include <sys/uio.h>

#define UNITS_MAX 64    /* before the first slice of a keyframe */
#define HEAD_MAX 16     /* bytes of a slice that are passed on */
#define READS_MAX 40000 /* in all; some hours of film have fewer keyframes */
#define BYTES_MAX (8 << 20)

/* nal_unit_type: H.264 table 7-1, H.265 table 7-1. */
enum { AVC_SLICE_MAX = 5, AVC_IDR = 5, AVC_SPS = 7, AVC_PPS = 8 };
enum { HEVC_SLICE_MAX = 31, HEVC_IRAP = 16, HEVC_VPS = 32, HEVC_PPS = 34 };

enum unit { UNIT_OTHER, UNIT_SET, UNIT_SLICE, UNIT_REFRESH };

static enum unit unit_of(const struct key_units *k, uint8_t first)
{
    if (k->sets->hevc) {
        int type = first >> 1 & 0x3f;
        if (type <= HEVC_SLICE_MAX)
            return type >= HEVC_IRAP ? UNIT_REFRESH : UNIT_SLICE;
        return type >= HEVC_VPS && type <= HEVC_PPS ? UNIT_SET : UNIT_OTHER;
    }
    int type = first & 0x1f;
    if (type >= 1 && type <= AVC_SLICE_MAX)
        return type == AVC_IDR ? UNIT_REFRESH : UNIT_SLICE;
    return type == AVC_SPS || type == AVC_PPS ? UNIT_SET : UNIT_OTHER;
}

static void feed(struct key_units *k, const uint8_t *unit, size_t n)
{
    static const uint8_t start_code[] = {0, 0, 0, 1};
    param_sets_feed(k->sets, start_code, sizeof(start_code));
    param_sets_feed(k->sets, unit, n);
}

/* ---- the sample entry ------------------------------------------------------- */

/* n units, each behind a length of 2 bytes, from *at of the config on. */
static enum rc feed_listed(struct key_units *k, size_t *at, unsigned n, bool wanted)
{
    const struct bmff_box *c = &k->config;
    for (unsigned i = 0; i < n; i++) {
        if (c->body_size - *at < 2)
            return RC_UNSUPPORTED;
        size_t size = bmff_u16(c->body + *at);
        *at += 2;
        if (size > c->body_size - *at)
            return RC_UNSUPPORTED;
        if (wanted)
            feed(k, c->body + *at, size);
        *at += size;
    }
    return RC_OK;
}

/* AVCDecoderConfigurationRecord (s. 5.3.3.1.2). */
static enum rc feed_avc_config(struct key_units *k)
{
    const struct bmff_box *c = &k->config;
    size_t at = 6;
    enum rc rc = feed_listed(k, &at, c->body[5] & 0x1f, true);
    if (rc != RC_OK || at >= c->body_size)
        return RC_UNSUPPORTED;
    at++;
    return feed_listed(k, &at, c->body[at - 1], true);
}

/* HEVCDecoderConfigurationRecord (s. 8.3.3.1.2). */
static enum rc feed_hevc_config(struct key_units *k)
{
    const struct bmff_box *c = &k->config;
    size_t at = 23;
    for (unsigned arrays = c->body[22]; arrays > 0; arrays--) {
        if (c->body_size - at < 3)
            return RC_UNSUPPORTED;
        int type = c->body[at] & 0x3f;
        bool wanted = type >= HEVC_VPS && type <= HEVC_PPS;
        unsigned n = bmff_u16(c->body + at + 1);
        at += 3;
        enum rc rc = feed_listed(k, &at, n, wanted);
        if (rc != RC_OK)
            return rc;
    }
    return RC_OK;
}

static enum rc feed_config(struct key_units *k)
{
    if (k->took_config)
        return RC_OK;
    k->took_config = true;
    return k->sets->hevc ? feed_hevc_config(k) : feed_avc_config(k);
}

enum rc key_units_open(int fd, const uint8_t *entry, size_t n, struct param_sets *sets,
                       struct key_units *out)
{
    uint32_t type =
        sets->hevc ? BMFF_FOURCC('h', 'v', 'c', 'C') : BMFF_FOURCC('a', 'v', 'c', 'C');
    size_t least = sets->hevc ? 23 : 7, length_at = sets->hevc ? 21 : 4;
    if (n < BMFF_VISUAL_ENTRY)
        return RC_UNSUPPORTED;
    *out = (struct key_units){
        .sets = sets, .fd = fd, .reads_left = READS_MAX, .bytes_left = BYTES_MAX};
    if (bmff_find(entry + BMFF_VISUAL_ENTRY, n - BMFF_VISUAL_ENTRY, &type, 1,
                  &out->config) != RC_OK ||
        out->config.body_size < least)
        return RC_UNSUPPORTED;
    out->length_size = (out->config.body[length_at] & 3) + 1;
    return out->length_size == 3 ? RC_UNSUPPORTED : RC_OK;
}

/* ---- keyframes -------------------------------------------------------------- */

/* n bytes at begin, in the block. */
static enum rc look_at(struct key_units *k, int64_t begin, size_t n,
                       const uint8_t **out)
{
    if (n > sizeof(k->block))
        return RC_UNSUPPORTED;
    if (begin < k->at || begin + (int64_t)n > k->at + (int64_t)k->n) {
        struct iovec into = {k->block, sizeof(k->block)};
        if (k->reads_left-- == 0)
            return RC_TOO_LARGE;
        ssize_t got = preadv2(k->fd, &into, 1, begin, RWF_NOWAIT);
        k->at = begin;
        k->n = got > 0 ? (size_t)got : 0;
        if (k->n < n)
            return RC_BUSY;
    }
    *out = k->block + (begin - k->at);
    return RC_OK;
}

/* The unit at *at, which is moved behind it. */
static enum rc read_unit(struct key_units *k, int64_t *at, int64_t end, enum unit *what)
{
    const uint8_t *p;
    int64_t size = 0;
    if (end - *at < k->length_size)
        return RC_UNSUPPORTED;
    enum rc rc = look_at(k, *at, (size_t)k->length_size, &p);
    if (rc != RC_OK)
        return rc;
    for (int i = 0; i < k->length_size; i++)
        size = size << 8 | p[i];
    *at += k->length_size;
    if (size == 0 || size > end - *at)
        return RC_UNSUPPORTED;
    rc = look_at(k, *at, 1, &p);
    if (rc != RC_OK)
        return rc;
    *what = unit_of(k, p[0]);
    if (*what == UNIT_SET || *what == UNIT_SLICE) {
        size_t n = *what == UNIT_SLICE && size > HEAD_MAX ? HEAD_MAX : (size_t)size;
        rc = look_at(k, *at, n, &p);
        if (rc != RC_OK)
            return rc;
        if ((int64_t)n > k->bytes_left)
            return RC_TOO_LARGE;
        k->bytes_left -= (int64_t)n;
        feed(k, p, n);
    }
    *at += size;
    return RC_OK;
}

enum rc key_units_read(struct key_units *k, int64_t begin, int64_t bytes)
{
    int64_t at = begin, end = begin + bytes;
    bool has_sets = false;
    for (int i = 0; i < UNITS_MAX; i++) {
        enum unit what = UNIT_OTHER;
        enum rc rc = read_unit(k, &at, end, &what);
        if (rc != RC_OK)
            return rc;
        has_sets = has_sets || what == UNIT_SET;
        if (what == UNIT_SLICE || what == UNIT_REFRESH)
            return has_sets ? RC_OK : feed_config(k);
    }
    return RC_UNSUPPORTED;
}
