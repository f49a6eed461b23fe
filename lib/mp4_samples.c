#include "mp4_samples.h"

void mp4_samples_init(struct mp4_samples *s, const struct mp4_tables *t)
{
    *s = (struct mp4_samples){.t = t};
}

/* The value of the run that the next sample is in; entries of none are passed over. */
static uint32_t next_of_runs(const struct mp4_table *runs, uint32_t *at, uint32_t *left)
{
    if (*left == 0) {
        while (*at < runs->n && bmff_u32(runs->p + (size_t)*at * 8) == 0)
            ++*at;
        if (*at == runs->n)
            return 0;
        *left = bmff_u32(runs->p + (size_t)*at * 8);
    }
    uint32_t value = bmff_u32(runs->p + (size_t)*at * 8 + 4);
    if (--*left == 0)
        ++*at;
    return value;
}

static uint32_t size_of(const struct mp4_tables *t, uint32_t i)
{
    const uint8_t *p = t->sizes.p;
    if (t->fixed_size > 0)
        return t->fixed_size;
    switch (t->size_bits) {
    case 4:
        return i % 2 == 0 ? p[i / 2] >> 4 : p[i / 2] & 15;
    case 8:
        return p[i];
    case 16:
        return bmff_u16(p + (size_t)i * 2);
    default:
        return bmff_u32(p + (size_t)i * 4);
    }
}

/* Numbers count from 1 but in files where the first is 0, as ffmpeg has it. A number
 * that comes too late in the list to be met ends it. */
static bool is_listed(const struct mp4_table *list, uint32_t *at, uint32_t i,
                      bool from_1)
{
    if (*at == list->n || bmff_u32(list->p + (size_t)*at * 4) != i + from_1)
        return false;
    ++*at;
    return true;
}

static bool is_key(struct mp4_samples *s)
{
    const struct mp4_tables *t = s->t;
    bool from_1 = (t->stss.n > 0 && bmff_u32(t->stss.p) > 0) ||
                  (t->stps.n > 0 && bmff_u32(t->stps.p) > 0);
    bool key = !t->no_sync && t->stss.n == 0;
    if (is_listed(&t->stss, &s->stss, s->number, from_1) ||
        is_listed(&t->stps, &s->stps, s->number, from_1))
        key = true;
    if (next_of_runs(&t->rap, &s->rap, &s->rap_left) > 0)
        key = true;
    if (t->no_sync && t->stps.n == 0 && t->rap.n == 0 && s->number == 0)
        key = true;
    return key;
}

static void begin_chunk(struct mp4_samples *s)
{
    const struct mp4_tables *t = s->t;
    const uint8_t *run = t->stsc.p + (size_t)s->stsc * 12;
    if (s->stsc + 1 < t->stsc.n && bmff_u32(run + 12) == s->chunk + 1) {
        s->stsc++;
        run += 12;
    }
    s->in_chunk = bmff_u32(run + 4);
    s->at = t->wide_chunks ? bmff_u64(t->chunks.p + (size_t)s->chunk * 8)
                           : bmff_u32(t->chunks.p + (size_t)s->chunk * 4);
    s->chunk++;
}

bool mp4_samples_next(struct mp4_samples *s, struct mp4_sample *out)
{
    const struct mp4_tables *t = s->t;
    uint64_t size;
    uint32_t n = 1;
    if (s->number == t->packets)
        return false;
    if (s->in_chunk == 0)
        begin_chunk(s);

    *out = (struct mp4_sample){.dts = s->dts, .begin = s->at};
    if (t->pcm_size > 0) {
        n = s->in_chunk < MP4_PCM_PACKET ? s->in_chunk : MP4_PCM_PACKET;
        out->duration = n;
        out->key = true;
        size = (uint64_t)n * t->pcm_size;
    } else {
        out->duration = next_of_runs(&t->stts, &s->stts, &s->stts_left);
        out->offset = (int32_t)next_of_runs(&t->ctts, &s->ctts, &s->ctts_left);
        out->key = is_key(s);
        size = size_of(t, s->number);
    }
    out->end = s->at > UINT64_MAX - size ? s->at : s->at + size;
    s->at = out->end;
    s->dts += out->duration;
    s->in_chunk -= n;
    s->number++;
    out->last = s->number == t->packets;
    return true;
}
