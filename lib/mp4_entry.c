#include "mp4_entry.h"

/* Offsets into the body of an audio sample entry (s. 12.2.3), and what QuickTime has
 * after it in versions 1 and 2. */
enum {
    AT_VERSION = 8,
    AT_CHANNELS = 16,
    AT_BITS = 18,
    V0_SIZE = 28,
    AT_V1_SAMPLES_PER_FRAME = 28,
    V1_SIZE = 44,
    AT_V2_CHANNELS = 40,
    AT_V2_BITS = 48,
    AT_V2_SAMPLES_PER_FRAME = 60,
    V2_SIZE = 64,
};

/* Bytes of one channel's sample, as ffmpeg 5.1 takes them; 0: not a format known to be
 * uncompressed. */
static uint32_t channel_bytes(uint32_t fourcc, unsigned version, uint32_t bits)
{
    switch (fourcc) {
    case BMFF_FOURCC('t', 'w', 'o', 's'):
    case BMFF_FOURCC('s', 'o', 'w', 't'):
        return bits == 8 || bits == 24 || bits == 32 ? bits / 8 : 2;
    case BMFF_FOURCC('r', 'a', 'w', ' '):
    case BMFF_FOURCC('N', 'O', 'N', 'E'):
        return bits == 16 ? 2 : 1;
    case BMFF_FOURCC('i', 'n', '2', '4'):
        return 3;
    case BMFF_FOURCC('i', 'n', '3', '2'):
    case BMFF_FOURCC('f', 'l', '3', '2'):
        return 4;
    case BMFF_FOURCC('f', 'l', '6', '4'):
        return 8;
    case BMFF_FOURCC('a', 'l', 'a', 'w'):
    case BMFF_FOURCC('u', 'l', 'a', 'w'):
        return 1;
    case BMFF_FOURCC('l', 'p', 'c', 'm'):
        return version == 2 && bits % 8 == 0 && bits <= 64 ? bits / 8 : 0;
    default:
        return 0;
    }
}

static enum rc read_sound(const struct bmff_box *entry, struct mp4_entry *e)
{
    const uint8_t *p = entry->body;
    if (entry->body_size < V0_SIZE)
        return RC_INVALID;
    unsigned version = bmff_u16(p + AT_VERSION);
    uint32_t channels = bmff_u16(p + AT_CHANNELS), bits = bmff_u16(p + AT_BITS);
    if (version == 1 && entry->body_size >= V1_SIZE) {
        e->samples_per_frame = bmff_u32(p + AT_V1_SAMPLES_PER_FRAME);
    } else if (version == 2 && entry->body_size >= V2_SIZE) {
        channels = bmff_u32(p + AT_V2_CHANNELS);
        bits = bmff_u32(p + AT_V2_BITS);
        e->samples_per_frame = bmff_u32(p + AT_V2_SAMPLES_PER_FRAME);
    }
    if (channels > UINT16_MAX)
        return RC_INVALID;
    e->pcm_size = channel_bytes(e->fourcc, version, bits) * channels;
    return RC_OK;
}

enum rc mp4_entry_read(const struct bmff_box *stsd, bool audio, struct mp4_entry *out)
{
    struct bmff_iter it = bmff_children(stsd, 8);
    struct bmff_box entry;
    struct mp4_entry e = {0};
    enum rc rc = RC_OK;

    if (stsd->body_size < 8)
        return RC_INVALID;
    uint32_t count = bmff_u32(stsd->body + 4);
    for (; e.count < count; e.count++) {
        if (bmff_next(&it, &entry) != RC_OK)
            return RC_INVALID;
        if (e.count > 0 && entry.type != e.fourcc)
            return RC_UNSUPPORTED;
        if (e.count == 0) {
            e.fourcc = entry.type;
            e.body = entry.body;
            e.body_size = entry.body_size;
        }
        if (e.count == 0 && audio)
            rc = read_sound(&entry, &e);
        if (rc != RC_OK)
            return rc;
    }
    *out = e;
    return RC_OK;
}
