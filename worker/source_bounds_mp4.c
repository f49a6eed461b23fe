#include "source_bounds_walk.h"

#include "bmff.h"
#include "compressed_index.h"
#include "io.h"

#include <stdlib.h>

#define PCM_PACKET 1024 /* samples of one tick in what ffmpeg makes of them */
#define EDITS_FREE 16   /* an edit list may have all that is in a track repeated */
#define NUMBERS 16      /* bytes of a body that take_box reads … */
#define TIMES 32        /* … for times */
#define SIGNS 16        /* bytes of a box that is_moov reads */

#define TOO_LARGE "The file's index takes more than 64 MB when it is unpacked."

static void add_samples(struct source_bounds *b, uint64_t n)
{
    b->samples = n > UINT64_MAX - b->samples ? UINT64_MAX : b->samples + n;
}

static void count_track(struct source_bounds *b)
{
    const struct track *t = &b->track;
    uint64_t samples = t->samples;
    int64_t rate;
    if (t->ticks && !t->uneven && t->sound && !t->picture)
        samples /= PCM_PACKET;
    if (t->edits > EDITS_FREE)
        samples *= t->edits / EDITS_FREE; /* both have 32 bits */
    add_samples(b, samples);
    if (!t->picture || t->timescale == 0)
        return;
    double us = 1e6 * (double)t->duration / t->timescale;
    if (source_bounds_is_fast((int64_t)t->samples, us < 1e18 ? (int64_t)us : INT64_MAX,
                              &rate) &&
        rate > b->rate)
        b->rate = rate;
}

void source_bounds_end_track(struct source_bounds *b)
{
    count_track(b);
    b->track = b->levels[b->depth].outer;
    b->track.uneven = true; /* what comes now may be for either of them */
}

static void enter(struct source_bounds *b, uint64_t end, enum inside inside)
{
    b->levels[++b->depth] = (struct level){.end = end, .inside = inside};
}

/* What is counted for itself. */
static void enter_track(struct source_bounds *b, uint64_t end)
{
    enter(b, end, INSIDE_BOXES);
    b->levels[b->depth].is_track = true;
    b->levels[b->depth].outer = b->track;
    b->track = (struct track){0};
}

static void take_times(struct track *t, const uint8_t *body, size_t n)
{
    bool wide = n > 0 && body[0] == 1;
    if (n < (wide ? TIMES : 20))
        return;
    t->timescale = bmff_u32(body + (wide ? 20 : 12));
    t->duration = wide ? bmff_u64(body + 24) : bmff_u32(body + 16);
}

/* The body of a box that counts, of which n bytes are there. ffmpeg reads its numbers
 * even where the box ends before them. */
static void take_box(struct source_bounds *b, uint32_t type, const uint8_t *body,
                     size_t n)
{
    struct track *t = &b->track;
    uint32_t second = n >= 8 ? bmff_u32(body + 4) : 0;
    uint32_t third = n >= 12 ? bmff_u32(body + 8) : 0;
    bool one_tick = n >= 16 && second == 1 && bmff_u32(body + 12) == 1;
    switch (type) {
    case BMFF_FOURCC('m', 'd', 'h', 'd'):
        take_times(t, body, n);
        break;
    case BMFF_FOURCC('h', 'd', 'l', 'r'):
        t->picture |= third == BMFF_FOURCC('v', 'i', 'd', 'e');
        t->sound |= third == BMFF_FOURCC('s', 'o', 'u', 'n');
        break;
    case BMFF_FOURCC('s', 't', 't', 's'):
        t->ticks |= one_tick;
        t->uneven |= !one_tick;
        break;
    case BMFF_FOURCC('s', 't', 's', 'z'):
    case BMFF_FOURCC('s', 't', 'z', '2'):
        if (third > t->samples)
            t->samples = third;
        break;
    case BMFF_FOURCC('e', 'l', 's', 't'):
        if (second > t->edits)
            t->edits = second;
        break;
    case BMFF_FOURCC('t', 'r', 'u', 'n'):
        add_samples(b, second);
        break;
    default:
        break;
    }
}

/* Those that take_box knows. */
static bool counts(uint32_t type)
{
    static const uint32_t types[] = {
        BMFF_FOURCC('m', 'd', 'h', 'd'), BMFF_FOURCC('h', 'd', 'l', 'r'),
        BMFF_FOURCC('s', 't', 't', 's'), BMFF_FOURCC('s', 't', 's', 'z'),
        BMFF_FOURCC('s', 't', 'z', '2'), BMFF_FOURCC('e', 'l', 's', 't'),
        BMFF_FOURCC('t', 'r', 'u', 'n'),
    };
    return source_bounds_is_one_of(type, types, sizeof(types) / sizeof(types[0]));
}

/* Those that ffmpeg looks into wherever they are (mov_default_parse_table): nothing but
 * boxes is in them. */
static bool holds_boxes(uint32_t type)
{
    static const uint32_t types[] = {
        BMFF_FOURCC('m', 'o', 'o', 'v'), BMFF_FOURCC('m', 'd', 'i', 'a'),
        BMFF_FOURCC('m', 'i', 'n', 'f'), BMFF_FOURCC('s', 't', 'b', 'l'),
        BMFF_FOURCC('e', 'd', 't', 's'), BMFF_FOURCC('m', 'o', 'o', 'f'),
        BMFF_FOURCC('t', 'r', 'a', 'f'), BMFF_FOURCC('u', 'd', 't', 'a'),
        BMFF_FOURCC('d', 'i', 'n', 'f'), BMFF_FOURCC('m', 'v', 'e', 'x'),
        BMFF_FOURCC('t', 'r', 'e', 'f'), BMFF_FOURCC('s', 'i', 'n', 'f'),
        BMFF_FOURCC('s', 'c', 'h', 'i'), BMFF_FOURCC('i', 'l', 's', 't'),
    };
    return source_bounds_is_one_of(type, types, sizeof(types) / sizeof(types[0]));
}

static bool may_be_moov(uint32_t type)
{
    return type == BMFF_FOURCC('h', 'o', 'o', 'v') ||
           type == BMFF_FOURCC('f', 'r', 'e', 'e') ||
           type == BMFF_FOURCC('s', 'k', 'i', 'p');
}

/* ffmpeg takes it for a moov box by what begins in it, of whatever size its header is.
 */
static bool is_moov(const uint8_t *p, size_t n)
{
    uint32_t first = n >= SIGNS ? bmff_u32(p + 12) : 0;
    return first == BMFF_FOURCC('m', 'v', 'h', 'd') ||
           first == BMFF_FOURCC('c', 'm', 'o', 'v');
}

/* What is in a compressed box counts as well. */
static enum rc count_unpacked(struct source_bounds *b, const uint8_t *moov, size_t n)
{
    struct source_bounds *in;
    enum rc rc = source_bounds_open(CONTAINER_MP4, &in);
    if (rc != RC_OK)
        return rc;
    in->is_unpacked = true;
    in->from = (struct source_bytes){.memory = moov, .have = n, .size = n};
    in->boxes = b->boxes;
    do
        rc = source_bounds_walk(in);
    while (in->behind);
    if (rc == RC_OK) {
        b->boxes = in->boxes;
        b->streams += in->streams;
        add_samples(b, in->samples);
        b->rate = in->rate > b->rate ? in->rate : b->rate;
        b->refusal = in->refusal;
    }
    source_bounds_close(in);
    return rc;
}

static enum rc unpack(struct source_bounds *b, const uint8_t *body, size_t n)
{
    size_t size, got;
    uint8_t *moov;
    if (compressed_index_size(body, n, &size) != RC_OK)
        return RC_OK; /* ffmpeg does not read it either */
    if (b->is_unpacked)
        b->refusal = "The file is damaged: its index is compressed more than once.";
    else if (size > SOURCE_UNPACKED_MAX - b->unpacked)
        b->refusal = TOO_LARGE;
    if (b->refusal)
        return RC_OK;
    enum rc rc = compressed_index_inflate(body, n, size, &moov, &got);
    if (rc == RC_OK) {
        rc = count_unpacked(b, moov, got);
        free(moov);
    } else if (rc == RC_INVALID) {
        rc = RC_OK;
    }
    if (rc == RC_OK)
        b->unpacked += size;
    return rc;
}

/* A compressed one, as QuickTime has it; its body is of n bytes at `at`. */
static enum rc step_compressed(struct source_bounds *b, uint64_t at, uint64_t n)
{
    if (n > SOURCE_UNPACKED_MAX - b->packed) {
        b->refusal = TOO_LARGE;
        return RC_OK;
    }
    if (n > b->from.have || at > b->from.have - n)
        return RC_TRUNCATED;
    enum rc rc;
    if (b->from.memory) {
        rc = unpack(b, b->from.memory + at, (size_t)n);
    } else {
        uint8_t *body = malloc((size_t)n + 1);
        size_t got = 0;
        if (!body)
            return RC_NOMEM;
        rc = io_read_at(b->from.fd, body, (size_t)n, (int64_t)at, &got);
        if (rc == RC_OK)
            rc = unpack(b, body, got);
        free(body);
    }
    if (rc == RC_OK)
        b->packed += n;
    return rc;
}

/* A type among entries. Nobody knows what ffmpeg makes of the bytes around it, so it
 * can only make things worse. */
static void take_hidden(struct source_bounds *b, uint32_t type, const uint8_t *body,
                        size_t n)
{
    if (type == BMFF_FOURCC('t', 'r', 'a', 'k')) {
        b->streams++;
    } else if (type == BMFF_FOURCC('c', 'm', 'o', 'v')) {
        b->refusal = "The file is damaged: its index is in the description of a track.";
    } else if (counts(type) && type != BMFF_FOURCC('m', 'd', 'h', 'd')) {
        take_box(b, type, body, n);
        b->track.uneven = true;
    }
}

/* Of entries, of which n bytes are at p. A type with too little behind it is left for
 * the next step; ffmpeg reads its numbers even behind the last entry. */
static enum rc step_entries(struct source_bounds *b, const uint8_t *p, size_t n)
{
    uint64_t left = b->levels[b->depth].end - b->at;
    const size_t starts = SOURCE_LOOK - (4 + NUMBERS) + 1;
    bool more = starts < left;
    for (size_t i = 0; i < starts && i + 4 <= left && i + 4 <= n; i++)
        take_hidden(b, bmff_u32(p + i), p + i + 4, n - i - 4);
    b->at += more ? starts : left;
    return RC_OK;
}

/* Of a meta box. ffmpeg looks for the type of the hdlr box at each fourth byte, and
 * takes what follows for boxes: in an ISO file a version comes before it, in QuickTime
 * none. */
static enum rc step_meta(struct source_bounds *b, const uint8_t *p, size_t n)
{
    uint64_t left = b->levels[b->depth].end - b->at;
    for (size_t i = 0; i + 4 <= left && i + 4 <= n; i += 4) {
        if (bmff_u32(p + i) == BMFF_FOURCC('h', 'd', 'l', 'r')) {
            b->levels[b->depth].inside = INSIDE_BOXES;
            b->at = b->at + i - 4;
            return RC_OK;
        }
    }
    b->at += n == SOURCE_LOOK && n < left ? n : left;
    return RC_OK;
}

/* As bmff_header; ffmpeg takes a 64-bit size of 8 for one of 0. */
static enum rc read_header(const uint8_t *p, size_t n, struct bmff_header *h)
{
    enum rc rc = bmff_header(p, n, h);
    if (rc == RC_INVALID && n >= 16 && bmff_u32(p) == 1 && bmff_u64(p + 8) == 8) {
        *h = (struct bmff_header){.type = bmff_u32(p + 4), .header_size = 16};
        rc = RC_OK;
    }
    return rc;
}

/* Enters the box of which n bytes are at p, or does not: false. */
static bool enter_box(struct source_bounds *b, uint32_t type, uint64_t end,
                      const uint8_t *p, size_t n)
{
    if (b->depth == SOURCE_DEPTH)
        return false;
    bool is_track = type == BMFF_FOURCC('t', 'r', 'a', 'k');
    b->streams += is_track;
    if (is_track || (may_be_moov(type) && is_moov(p, n)))
        enter_track(b, end);
    else if (type == BMFF_FOURCC('m', 'e', 't', 'a'))
        enter(b, end, INSIDE_META);
    else if (type == BMFF_FOURCC('s', 't', 's', 'd') ||
             type == BMFF_FOURCC('w', 'a', 'v', 'e'))
        enter(b, end, INSIDE_ENTRIES);
    else if (holds_boxes(type))
        enter(b, end, INSIDE_BOXES);
    else
        return false;
    return true;
}

/* How many bytes say what there is to know of a box, of those that a step gets; they
 * may be more than it has. */
static uint64_t needed(const struct bmff_header *h)
{
    if (may_be_moov(h->type))
        return SIGNS;
    if (counts(h->type))
        return h->header_size +
               (h->type == BMFF_FOURCC('m', 'd', 'h', 'd') ? TIMES : NUMBERS);
    return h->header_size;
}

enum rc source_bounds_step_mp4(struct source_bounds *b, const uint8_t *p, size_t n)
{
    enum inside inside = b->levels[b->depth].inside;
    uint64_t left = b->levels[b->depth].end - b->at;
    bool short_of_it = n < SOURCE_LOOK && b->from.have < b->from.size;
    uint64_t behind = inside == INSIDE_ENTRIES ? NUMBERS : 0;
    if (inside != INSIDE_BOXES && short_of_it && (n < left || n - left < behind))
        return RC_TRUNCATED;
    if (inside == INSIDE_META)
        return step_meta(b, p, n);
    if (inside == INSIDE_ENTRIES)
        return step_entries(b, p, n);
    struct bmff_header h;
    enum rc rc = read_header(p, n, &h);
    if (rc != RC_OK)
        return rc;
    uint64_t size = h.size == 0 || h.size > left ? left : h.size;
    if (h.header_size > size)
        return RC_INVALID;
    if (h.type == BMFF_FOURCC('c', 'm', 'o', 'v')) {
        rc = step_compressed(b, b->at + h.header_size, size - h.header_size);
        if (rc == RC_OK)
            b->at += size;
        return rc;
    }
    if (short_of_it && n < needed(&h))
        return RC_TRUNCATED;
    if (enter_box(b, h.type, b->at + size, p, n)) {
        b->at += h.header_size;
        return RC_OK;
    }
    take_box(b, h.type, p + h.header_size, n - h.header_size);
    b->at += size;
    return RC_OK;
}
