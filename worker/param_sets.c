#include "param_sets.h"

#include <string.h>

#define FNV_OFFSET UINT64_C(0xcbf29ce484222325)
#define ZEROS_MAX 65536 /* more are no part of a parameter set */
#define FNV_PRIME UINT64_C(0x100000001b3)

/* nal_unit_type: H.264 table 7-1, H.265 table 7-1. */
enum { AVC_SPS = 7, AVC_PPS = 8 };
enum { HEVC_VPS = 32, HEVC_SPS = 33, HEVC_PPS = 34 };

void param_sets_init(struct param_sets *p, bool hevc)
{
    memset(p, 0, sizeof(*p));
    p->hevc = hevc;
}

/* ---- one unit --------------------------------------------------------------- */

/* ue(v), H.264 s. 9.1, from bit *at of the unit's head; 0 beyond that. */
static uint32_t read_ue(const struct param_sets *p, size_t at)
{
    size_t bits = 8 * (p->size < PARAM_SET_HEAD_MAX ? p->size : PARAM_SET_HEAD_MAX);
    int zeros = 0;
    uint32_t v = 0;
    while (at < bits && !(p->head[at / 8] >> (7 - at % 8) & 1)) {
        zeros++;
        at++;
    }
    if (zeros > 16 || at + (size_t)zeros >= bits)
        return 0;
    for (int i = 0; i <= zeros; i++, at++)
        v = v << 1 | (p->head[at / 8] >> (7 - at % 8) & 1);
    return v - 1;
}

/* The number under which slices refer to a set. That of an HEVC sequence stands behind
 * too much: there one number is all that is expected. */
static uint32_t id_of(const struct param_sets *p, int type)
{
    if (!p->hevc)
        return read_ue(p, type == AVC_SPS ? 32 : 8);
    return type == HEVC_PPS ? read_ue(p, 16) : 0;
}

static bool is_set(const struct param_sets *p, int type)
{
    return p->hevc ? type >= HEVC_VPS && type <= HEVC_PPS
                   : type == AVC_SPS || type == AVC_PPS;
}

static void take_set(struct param_sets *p, int type)
{
    uint32_t id = id_of(p, type);
    for (int i = 0; i < p->n; i++) {
        if (p->sets[i].type != type || p->sets[i].id != id)
            continue;
        if (p->sets[i].hash != p->hash)
            p->changed = true;
        return;
    }
    if (p->n == PARAM_SETS_MAX)
        p->changed = true;
    else
        p->sets[p->n++] = (struct param_set){type, id, p->hash};
}

static void end_unit(struct param_sets *p)
{
    if (!p->inside || p->size == 0)
        return;
    int type = p->hevc ? p->head[0] >> 1 & 0x3f : p->head[0] & 0x1f;
    if (is_set(p, type))
        take_set(p, type);
    else
        p->not_refresh = true;
}

/* ---- the stream ------------------------------------------------------------- */

static void add(struct param_sets *p, uint8_t byte)
{
    if (p->size < PARAM_SET_HEAD_MAX)
        p->head[p->size] = byte;
    p->size++;
    p->hash = (p->hash ^ byte) * FNV_PRIME;
}

static void begin_unit(struct param_sets *p)
{
    p->inside = true;
    p->size = 0;
    p->hash = FNV_OFFSET;
}

void param_sets_feed(struct param_sets *p, const void *data, size_t n)
{
    const uint8_t *bytes = data;
    for (size_t i = 0; i < n; i++) {
        if (bytes[i] == 0) {
            p->zeros += p->zeros < ZEROS_MAX;
            continue;
        }
        if (bytes[i] == 1 && p->zeros >= 2) {
            end_unit(p);
            begin_unit(p);
        } else {
            for (; p->inside && p->zeros > 0; p->zeros--)
                add(p, 0);
            if (p->inside)
                add(p, bytes[i]);
        }
        p->zeros = 0;
    }
}

void param_sets_finish(struct param_sets *p)
{
    end_unit(p);
    p->inside = false;
}
