#include "source_bounds.h"

#include "bmff.h"
#include "compressed_index.h"
#include "ebml.h"
#include "io.h"
#include "media_info.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define BLOCK 4096
#define LOOK 48           /* bytes of a box that are looked at, header included */
#define BOXES_MAX 4000000 /* a day in fragments of a second has half as many */
#define DEPTH_MAX 10      /* of boxes; ffmpeg goes no deeper either */
#define PCM_PACKET 1024   /* samples of one tick in what ffmpeg makes of them */
#define EDITS_FREE 16     /* an edit list may have all that is in a track repeated */

#define TOO_LARGE "The file's index takes more than 64 MB when it is unpacked."

#define MKV_SEGMENT 0x18538067
#define MKV_TRACK 0xae

/* What is known of a track so far. */
struct track {
    uint64_t samples, duration, edits;
    uint32_t timescale;
    bool sound, picture;
    bool ticks; /* each sample lasts one */
};

/* Where the walk is within boxes or elements that hold others. */
struct level {
    uint64_t end;
    bool is_track;
};

struct source_bounds {
    bool is_mkv;
    struct source_bytes from;
    uint8_t block[BLOCK];
    uint64_t block_at;
    size_t block_n;
    /* How far the walk is. */
    uint64_t at;
    struct level levels[DEPTH_MAX + 1]; /* the first one is the file */
    int depth;
    int64_t boxes;
    bool behind; /* the last turn ended before what is there */
    /* What was counted. */
    int64_t streams;
    int64_t parts;    /* of Matroska's lists */
    uint64_t samples; /* saturates */
    int64_t rate;     /* the fastest of those that are too fast; 0: none is */
    struct track track;
    uint64_t packed, unpacked; /* bytes of compressed boxes, before and after */
    bool is_unpacked;          /* it is one of them that is read */
    const char *refusal;       /* a sentence, or NULL */
};

enum rc source_bounds_open(enum container container, struct source_bounds **out)
{
    struct source_bounds *b = calloc(1, sizeof(*b));
    if (!b)
        return RC_NOMEM;
    b->is_mkv = container == CONTAINER_MATROSKA || container == CONTAINER_WEBM;
    *out = b;
    return RC_OK;
}

void source_bounds_close(struct source_bounds *b)
{
    free(b);
}

/* The bytes that the walk is at, up to LOOK of them; *n: how many. */
static enum rc look(struct source_bounds *b, const uint8_t **p, size_t *n)
{
    uint64_t left = b->from.have - b->at;
    *n = left < LOOK ? (size_t)left : LOOK;
    if (b->from.memory) {
        *p = b->from.memory + b->at;
        return RC_OK;
    }
    bool here = b->at >= b->block_at && b->at + *n <= b->block_at + b->block_n;
    if (!here) {
        enum rc rc =
            io_read_at(b->from.fd, b->block, left < BLOCK ? (size_t)left : BLOCK,
                       (int64_t)b->at, &b->block_n);
        b->block_at = b->at;
        if (rc != RC_OK || b->block_n < *n) {
            b->block_n = 0;
            return rc == RC_OK ? RC_IO : rc;
        }
    }
    *p = b->block + (b->at - b->block_at);
    return RC_OK;
}

static void put_number(int64_t n, char out[32])
{
    char digits[24];
    int len = snprintf(digits, sizeof(digits), "%" PRId64, n);
    int used = 0;
    for (int i = 0; i < len; i++) {
        if (i > 0 && (len - i) % 3 == 0)
            out[used++] = ',';
        out[used++] = digits[i];
    }
    out[used] = '\0';
}

bool source_bounds_is_fast(int64_t pictures, int64_t us, int64_t *rate)
{
    int64_t s = us > 0 ? us / 1000000 : 0;
    if (pictures / SOURCE_RATE_MAX <= s + 1)
        return false;
    double each = us > 0 ? 1e6 * (double)pictures / (double)us : (double)pictures;
    *rate = each < 1e12 ? (int64_t)each : INT64_C(1000000000000);
    return true;
}

void source_bounds_explain_rate(int64_t rate, char *why, size_t size)
{
    char number[32], most[32];
    put_number(rate, number);
    put_number(SOURCE_RATE_MAX, most);
    snprintf(why, size, "The file has %s pictures a second; at most %s are taken.",
             number, most);
}

/* ---- MP4 ----------------------------------------------------------------- */

static void add_samples(struct source_bounds *b, uint64_t n)
{
    b->samples = n > UINT64_MAX - b->samples ? UINT64_MAX : b->samples + n;
}

static void end_track(struct source_bounds *b)
{
    const struct track *t = &b->track;
    uint64_t samples = t->samples;
    int64_t rate;
    if (t->ticks && t->sound && !t->picture)
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

static void enter(struct source_bounds *b, uint64_t end, bool is_track)
{
    b->levels[++b->depth] = (struct level){end, is_track};
}

/* What it is at the end of. */
static void leave(struct source_bounds *b)
{
    while (b->depth > 0 && b->at >= b->levels[b->depth].end) {
        if (b->levels[b->depth].is_track)
            end_track(b);
        b->depth--;
    }
}

static void take_times(struct track *t, const uint8_t *body, size_t n)
{
    bool wide = n > 0 && body[0] == 1;
    if (n < (wide ? 32u : 20u))
        return;
    t->timescale = bmff_u32(body + (wide ? 20 : 12));
    t->duration = wide ? bmff_u64(body + 24) : bmff_u32(body + 16);
}

/* A box that is not looked into. */
static void take_box(struct source_bounds *b, uint32_t type, const uint8_t *body,
                     size_t n)
{
    struct track *t = &b->track;
    uint32_t second = n >= 8 ? bmff_u32(body + 4) : 0;
    uint32_t third = n >= 12 ? bmff_u32(body + 8) : 0;
    switch (type) {
    case BMFF_FOURCC('m', 'd', 'h', 'd'):
        take_times(t, body, n);
        break;
    case BMFF_FOURCC('h', 'd', 'l', 'r'):
        t->picture |= third == BMFF_FOURCC('v', 'i', 'd', 'e');
        t->sound |= third == BMFF_FOURCC('s', 'o', 'u', 'n');
        break;
    case BMFF_FOURCC('s', 't', 't', 's'):
        t->ticks = n >= 16 && second == 1 && bmff_u32(body + 12) == 1;
        break;
    case BMFF_FOURCC('s', 't', 's', 'z'):
    case BMFF_FOURCC('s', 't', 'z', '2'):
        if (third > t->samples)
            t->samples = third;
        break;
    case BMFF_FOURCC('e', 'l', 's', 't'):
        t->edits = second;
        break;
    case BMFF_FOURCC('t', 'r', 'u', 'n'):
        add_samples(b, second);
        break;
    default:
        break;
    }
}

static bool holds_boxes(uint32_t type)
{
    static const uint32_t types[] = {
        BMFF_FOURCC('m', 'o', 'o', 'v'), BMFF_FOURCC('t', 'r', 'a', 'k'),
        BMFF_FOURCC('m', 'd', 'i', 'a'), BMFF_FOURCC('m', 'i', 'n', 'f'),
        BMFF_FOURCC('s', 't', 'b', 'l'), BMFF_FOURCC('e', 'd', 't', 's'),
        BMFF_FOURCC('m', 'o', 'o', 'f'), BMFF_FOURCC('t', 'r', 'a', 'f'),
        BMFF_FOURCC('u', 'd', 't', 'a'), BMFF_FOURCC('d', 'i', 'n', 'f'),
        BMFF_FOURCC('m', 'v', 'e', 'x'),
    };
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
        if (types[i] == type)
            return true;
    return false;
}

static enum rc walk(struct source_bounds *b);

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
        rc = walk(in);
    while (in->behind);
    b->boxes = in->boxes;
    b->streams += in->streams;
    add_samples(b, in->samples);
    b->rate = in->rate > b->rate ? in->rate : b->rate;
    b->refusal = in->refusal;
    source_bounds_close(in);
    return rc;
}

static enum rc unpack(struct source_bounds *b, const uint8_t *body, size_t n)
{
    size_t size, got;
    uint8_t *moov;
    if (compressed_index_size(body, n, &size) != RC_OK)
        return RC_OK; /* ffmpeg does not read it either */
    b->unpacked += size;
    if (b->is_unpacked)
        b->refusal = "The file is damaged: its index is compressed more than once.";
    else if (b->unpacked > SOURCE_UNPACKED_MAX)
        b->refusal = TOO_LARGE;
    if (b->refusal)
        return RC_OK;
    enum rc rc = compressed_index_inflate(body, n, size, &moov, &got);
    if (rc != RC_OK)
        return rc == RC_INVALID ? RC_OK : rc;
    rc = count_unpacked(b, moov, got);
    free(moov);
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
    b->packed += n;
    if (b->from.memory)
        return unpack(b, b->from.memory + at, (size_t)n);
    uint8_t *body = malloc((size_t)n + 1);
    size_t got = 0;
    if (!body)
        return RC_NOMEM;
    enum rc rc = io_read_at(b->from.fd, body, (size_t)n, (int64_t)at, &got);
    if (rc == RC_OK)
        rc = unpack(b, body, got);
    free(body);
    return rc;
}

/* One box, of which n bytes are at p. A box that is longer than what it is in ends with
 * that, as ffmpeg has it. RC_TRUNCATED: more of it has to come. */
static enum rc step_mp4(struct source_bounds *b, const uint8_t *p, size_t n)
{
    struct bmff_header h;
    enum rc rc = bmff_header(p, n, &h);
    if (rc != RC_OK)
        return rc;
    uint64_t left = b->levels[b->depth].end - b->at;
    uint64_t size = h.size == 0 || h.size > left ? left : h.size;
    if (h.header_size > size)
        return RC_INVALID;
    if (holds_boxes(h.type) && b->depth < DEPTH_MAX) {
        bool is_track = h.type == BMFF_FOURCC('t', 'r', 'a', 'k');
        if (is_track) {
            b->streams++;
            b->track = (struct track){0};
        }
        enter(b, b->at + size, is_track);
        b->at += h.header_size;
        return RC_OK;
    }
    if (h.type == BMFF_FOURCC('c', 'm', 'o', 'v')) {
        rc = step_compressed(b, b->at + h.header_size, size - h.header_size);
        if (rc == RC_OK)
            b->at += size;
        return rc;
    }
    if (n < LOOK && n < size && b->from.have < b->from.size)
        return RC_TRUNCATED;
    size_t there = (uint64_t)n < size ? n : (size_t)size;
    take_box(b, h.type, p + h.header_size, there - h.header_size);
    b->at += size;
    return RC_OK;
}

/* ---- Matroska --------------------------------------------------------------- */

/* Those that hold others, of which ffmpeg keeps each: the lists of places, tracks,
 * cues, chapters, tags and attachments. */
static bool holds_elements(uint32_t id)
{
    static const uint32_t ids[] = {
        0x114d9b74, 0x1654ae6b, 0x1c53bb6b, 0x1043a770,
        0x45b9,     0x1254c367, 0x7373,     0x1941a469,
    };
    for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++)
        if (ids[i] == id)
            return true;
    return false;
}

/* One element; those of the lists count. */
static enum rc step_mkv(struct source_bounds *b, const uint8_t *p, size_t n)
{
    struct ebml_element e;
    enum rc rc = ebml_header(p, n, &e);
    if (rc != RC_OK)
        return rc;
    uint64_t end = b->levels[b->depth].end, body = b->at + e.header_size;
    bool unknown = e.size == EBML_UNKNOWN;
    bool enters = b->depth < DEPTH_MAX && (e.id == MKV_SEGMENT || holds_elements(e.id));
    if (unknown && !enters)
        return RC_INVALID;
    uint64_t stop = unknown || body > end || e.size > end - body ? end : body + e.size;
    b->streams += e.id == MKV_TRACK;
    b->parts += b->depth >= 2;
    if (enters)
        enter(b, stop, false);
    b->at = enters && body < stop ? body : stop;
    return RC_OK;
}

/* ---- the walk --------------------------------------------------------------- */

/* What cannot be read ends what it is in. */
static void skip_the_rest(struct source_bounds *b)
{
    b->at = b->levels[b->depth].end;
}

/* As far as there are bytes, or as a turn goes. */
static enum rc walk(struct source_bounds *b)
{
    b->levels[0].end = b->from.size;
    b->behind = false;
    for (int n = 0;; n++) {
        const uint8_t *p;
        size_t there;
        leave(b);
        if (b->at >= b->from.have || b->boxes >= BOXES_MAX || b->refusal)
            return RC_OK;
        b->behind = n == SOURCE_BOUNDS_TURN;
        if (b->behind)
            return RC_OK;
        enum rc rc = look(b, &p, &there);
        if (rc == RC_OK)
            rc = b->is_mkv ? step_mkv(b, p, there) : step_mp4(b, p, there);
        if (rc == RC_TRUNCATED && b->from.have < b->from.size)
            return RC_OK; /* more is to come */
        b->boxes++;
        if (rc == RC_TRUNCATED || rc == RC_INVALID)
            skip_the_rest(b);
        else if (rc != RC_OK)
            return rc;
    }
}

/* ---- the verdict --------------------------------------------------------------- */

bool source_bounds_has_room(const struct source_bounds *b, uint64_t bytes)
{
    return b->samples <= SOURCE_SAMPLES_FREE ||
           b->samples <= bytes / SOURCE_SAMPLE_BYTES;
}

static enum rc judge(const struct source_bounds *b, char *why, size_t size)
{
    bool many = !source_bounds_has_room(b, b->from.file_size);
    char number[32];
    if (b->refusal) {
        snprintf(why, size, "%s", b->refusal);
    } else if (b->streams > MEDIA_STREAMS_MAX) {
        put_number(b->streams, number);
        snprintf(why, size, "The file has %s streams; at most %d are taken.", number,
                 MEDIA_STREAMS_MAX);
    } else if (b->rate > 0) {
        source_bounds_explain_rate(b->rate, why, size);
    } else if (many || b->samples > SOURCE_SAMPLES_MAX) {
        snprintf(why, size, "The file is damaged: its index tells of more pictures %s",
                 many ? "than it has room for." : "than a video has.");
    } else if (b->parts > SOURCE_PARTS_MAX) {
        snprintf(why, size, "The file is damaged: its index has no end.");
    } else {
        return RC_OK;
    }
    return RC_UNSUPPORTED;
}

bool source_bounds_is_behind(const struct source_bounds *b)
{
    return b->behind;
}

enum rc source_bounds_look(struct source_bounds *b, const struct source_bytes *from,
                           char *why, size_t size)
{
    b->from = *from;
    enum rc rc = walk(b);
    return rc == RC_OK ? judge(b, why, size) : rc;
}

enum rc source_bounds_check(const char *path, enum container container, char *why,
                            size_t size)
{
    struct source_bounds *b = NULL;
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0)
        return rc_from_errno(errno);
    enum rc rc = fstat(fd, &st) < 0 ? rc_from_errno(errno) : RC_OK;
    if (rc == RC_OK)
        rc = source_bounds_open(container, &b);
    if (rc == RC_OK) {
        uint64_t all = (uint64_t)st.st_size;
        struct source_bytes from = {
            .fd = fd, .have = all, .size = all, .file_size = all};
        do
            rc = source_bounds_look(b, &from, why, size);
        while (b->behind);
    }
    source_bounds_close(b);
    close(fd);
    return rc;
}
