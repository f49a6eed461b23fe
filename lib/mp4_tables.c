#include "mp4_tables.h"

#include "mp4_entry.h"

#define STSD BMFF_FOURCC('s', 't', 's', 'd')
#define STTS BMFF_FOURCC('s', 't', 't', 's')
#define CTTS BMFF_FOURCC('c', 't', 't', 's')
#define STSS BMFF_FOURCC('s', 't', 's', 's')
#define STPS BMFF_FOURCC('s', 't', 'p', 's')
#define STSC BMFF_FOURCC('s', 't', 's', 'c')
#define STSZ BMFF_FOURCC('s', 't', 's', 'z')
#define STZ2 BMFF_FOURCC('s', 't', 'z', '2')
#define STCO BMFF_FOURCC('s', 't', 'c', 'o')
#define CO64 BMFF_FOURCC('c', 'o', '6', '4')
#define SBGP BMFF_FOURCC('s', 'b', 'g', 'p')
#define RAP BMFF_FOURCC('r', 'a', 'p', ' ')

/* The same table once more would leave it open which one counts. */
enum once {
    ONCE_STSD = 1,
    ONCE_STTS = 2,
    ONCE_CTTS = 4,
    ONCE_STSS = 8,
    ONCE_STPS = 16,
    ONCE_STSC = 32,
    ONCE_SIZES = 64,
    ONCE_CHUNKS = 128,
    ONCE_RAP = 256,
};

struct reading {
    struct mp4_tables t;
    struct mp4_entry entry;
    bool audio;
    unsigned seen; /* bits of enum once */
};

enum rc mp4_table_read(const struct bmff_box *box, size_t skip, size_t entry_size,
                       struct mp4_table *out)
{
    size_t head = 8 + skip;
    if (box->body_size < head)
        return RC_INVALID;
    uint32_t n = bmff_u32(box->body + head - 4);
    if (n > (box->body_size - head) / entry_size)
        return RC_INVALID;
    *out = (struct mp4_table){box->body + head, n};
    return RC_OK;
}

/* stsz: version, size, count; stz2: version, bits, count (s. 8.7.3). */
static enum rc read_sizes(const struct bmff_box *box, struct mp4_tables *t)
{
    if (box->body_size < 12)
        return RC_INVALID;
    uint32_t size = bmff_u32(box->body + 4);
    uint32_t n = bmff_u32(box->body + 8);
    t->size_bits = box->type == STSZ ? 32 : size & 0xff;
    t->fixed_size = box->type == STSZ ? size : 0;
    t->samples = n;
    if (t->size_bits != 4 && t->size_bits != 8 && t->size_bits != 16 &&
        t->size_bits != 32)
        return RC_INVALID;
    if (t->fixed_size == 0 &&
        (uint64_t)n * t->size_bits > (uint64_t)(box->body_size - 12) * 8)
        return RC_INVALID;
    t->sizes = (struct mp4_table){box->body + 12, n};
    return RC_OK;
}

/* sbgp: version, type, in version 1 a parameter, count (s. 8.9.2). */
static enum rc read_groups(const struct bmff_box *box, struct reading *r)
{
    if (box->body_size < 8)
        return RC_INVALID;
    if (bmff_u32(box->body + 4) != RAP)
        return RC_OK;
    if (r->seen & ONCE_RAP)
        return RC_INVALID;
    r->seen |= ONCE_RAP;
    return mp4_table_read(box, box->body[0] == 1 ? 8 : 4, 8, &r->t.rap);
}

static enum rc read_box(const struct bmff_box *box, struct reading *r)
{
    struct mp4_tables *t = &r->t;
    switch (box->type) {
    case STSD:
        return mp4_entry_read(box, r->audio, &r->entry);
    case STTS:
        return mp4_table_read(box, 0, 8, &t->stts);
    case CTTS:
        return mp4_table_read(box, 0, 8, &t->ctts);
    case STSS:
        if (mp4_table_read(box, 0, 4, &t->stss) != RC_OK)
            return RC_INVALID;
        t->no_sync = t->stss.n == 0;
        return RC_OK;
    case STPS:
        return mp4_table_read(box, 0, 4, &t->stps);
    case STSC:
        return mp4_table_read(box, 0, 12, &t->stsc);
    case STSZ:
    case STZ2:
        return read_sizes(box, t);
    case STCO:
        return mp4_table_read(box, 0, 4, &t->chunks);
    case CO64:
        t->wide_chunks = true;
        return mp4_table_read(box, 0, 8, &t->chunks);
    case SBGP:
        return read_groups(box, r);
    default:
        return RC_OK;
    }
}

static unsigned once(uint32_t type)
{
    switch (type) {
    case STSD:
        return ONCE_STSD;
    case STTS:
        return ONCE_STTS;
    case CTTS:
        return ONCE_CTTS;
    case STSS:
        return ONCE_STSS;
    case STPS:
        return ONCE_STPS;
    case STSC:
        return ONCE_STSC;
    case STSZ:
    case STZ2:
        return ONCE_SIZES;
    case STCO:
    case CO64:
        return ONCE_CHUNKS;
    default:
        return 0;
    }
}

static enum rc read_boxes(const struct bmff_box *stbl, struct reading *r)
{
    struct bmff_iter it = bmff_children(stbl, 0);
    struct bmff_box box;
    enum rc rc;
    while ((rc = bmff_next(&it, &box)) == RC_OK) {
        unsigned bit = once(box.type);
        if (r->seen & bit)
            return RC_INVALID;
        r->seen |= bit;
        rc = read_box(&box, r);
        if (rc != RC_OK)
            return rc;
    }
    return rc == RC_NOT_FOUND ? RC_OK : rc;
}

/* The sum of the counts that every entry of 8 bytes begins with: below 2^61. */
static uint64_t sum_counts(const struct mp4_table *t)
{
    uint64_t sum = 0;
    for (uint32_t i = 0; i < t->n; i++)
        sum += bmff_u32(t->p + (size_t)i * 8);
    return sum;
}

static enum rc check_times(struct mp4_tables *t, uint32_t timescale)
{
    int64_t max = MP4_SECONDS_MAX * timescale; /* below 2^62 */
    t->ticks = 0;
    for (uint32_t i = 0; i < t->stts.n; i++) {
        uint32_t count = bmff_u32(t->stts.p + (size_t)i * 8);
        uint32_t duration = bmff_u32(t->stts.p + (size_t)i * 8 + 4);
        if (count == 0)
            return RC_INVALID;
        if (duration > INT32_MAX)
            return RC_UNSUPPORTED;
        if ((int64_t)count * duration > max - t->ticks)
            return RC_INVALID;
        t->ticks += (int64_t)count * duration;
    }
    return sum_counts(&t->stts) == t->samples ? RC_OK : RC_INVALID;
}

/*
 * Offsets are signed in version 1 and in many files of version 0. Where some are
 * negative ffmpeg has decode times begin as much earlier, so that none is after its
 * presentation; the last two entries it leaves out of that (its mov_read_ctts).
 */
static enum rc check_offsets(struct mp4_tables *t)
{
    t->shift = 0;
    for (uint32_t i = 0; i < t->ctts.n; i++) {
        uint32_t count = bmff_u32(t->ctts.p + (size_t)i * 8);
        int32_t offset = (int32_t)bmff_u32(t->ctts.p + (size_t)i * 8 + 4);
        if (offset > MP4_OFFSET_MAX || offset < -MP4_OFFSET_MAX)
            return RC_INVALID;
        if (count > 0 && i + 2 < t->ctts.n && -offset > t->shift)
            t->shift = -offset;
    }
    return t->ctts.n == 0 || sum_counts(&t->ctts) == t->samples ? RC_OK : RC_INVALID;
}

/* Packets that are made of a chunk of count samples. */
static uint64_t packets_of(const struct mp4_tables *t, uint32_t count)
{
    return t->pcm_size == 0 ? count
                            : ((uint64_t)count + MP4_PCM_PACKET - 1) / MP4_PCM_PACKET;
}

/* Chunks in runs; the first chunk is number 1 (s. 8.7.4). */
static enum rc check_chunks(struct mp4_tables *t, uint32_t entries)
{
    uint64_t samples = 0, packets = 0;
    for (uint32_t i = 0; i < t->stsc.n; i++) {
        const uint8_t *p = t->stsc.p + (size_t)i * 12;
        uint32_t first = bmff_u32(p), count = bmff_u32(p + 4), entry = bmff_u32(p + 8);
        uint64_t end = i + 1 < t->stsc.n ? bmff_u32(p + 12) : (uint64_t)t->chunks.n + 1;
        if ((i == 0 && first != 1) || first >= end || end > (uint64_t)t->chunks.n + 1)
            return RC_INVALID;
        if (count == 0 || entry == 0 || entry > entries)
            return RC_INVALID;
        if (entry != bmff_u32(t->stsc.p + 8))
            t->several_entries = true;
        if (end - first > UINT32_MAX / count)
            return RC_INVALID;
        samples += (end - first) * count;
        packets += (end - first) * packets_of(t, count);
        if (samples > UINT32_MAX)
            return RC_INVALID;
    }
    if (samples != t->samples)
        return RC_INVALID;
    t->packets = (uint32_t)packets;
    return RC_OK;
}

/* Sound of which each sample is a tick long: ffmpeg then reads it in packets of its own
 * making, as QuickTime does with what is not compressed. */
static enum rc check_pcm(struct reading *r)
{
    struct mp4_tables *t = &r->t;
    if (!r->audio || t->stts.n != 1 || bmff_u32(t->stts.p + 4) != 1)
        return r->entry.pcm_size == 0 || t->fixed_size == r->entry.pcm_size
                   ? RC_OK
                   : RC_UNSUPPORTED;
    t->pcm_size = r->entry.pcm_size ? r->entry.pcm_size : t->fixed_size;
    if (t->pcm_size == 0 || r->entry.samples_per_frame > 1 || t->ctts.n > 0)
        return RC_UNSUPPORTED;
    return RC_OK;
}

enum rc mp4_tables_read(const struct bmff_box *stbl, bool audio, uint32_t timescale,
                        struct mp4_tables *out)
{
    struct reading r = {.audio = audio};
    enum rc rc = read_boxes(stbl, &r);
    if (rc != RC_OK)
        return rc;
    r.t.fourcc = r.entry.fourcc;
    r.t.entry = r.entry.body;
    r.t.entry_size = r.entry.body_size;
    if (r.t.samples > 0)
        rc = check_pcm(&r);
    if (rc == RC_OK)
        rc = check_times(&r.t, timescale);
    if (rc == RC_OK)
        rc = check_offsets(&r.t);
    if (rc == RC_OK)
        rc = check_chunks(&r.t, r.entry.count ? r.entry.count : 1);
    if (rc == RC_OK)
        *out = r.t;
    return rc;
}
