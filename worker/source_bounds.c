#include "source_bounds.h"

#include "bmff.h"
#include "ebml.h"
#include "io.h"
#include "media_info.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define BLOCK 4096
#define LOOK 48           /* bytes of a box that are looked at, header included */
#define BOXES_MAX 4000000 /* a day in fragments of a second has half as many */
#define DEPTH_MAX 10      /* of boxes; ffmpeg goes no deeper either */
#define PCM_PACKET 1024   /* samples of one tick in what ffmpeg makes of them */
#define EDITS_FREE 16     /* an edit list may have all that is in a track repeated */

#define MKV_SEGMENT 0x18538067
#define MKV_TRACK 0xae

/* What is known of a track so far. */
struct track {
    uint64_t samples, duration, edits;
    uint32_t timescale;
    bool sound, picture;
    bool ticks; /* each sample lasts one */
};

struct walk {
    int fd;
    enum rc rc; /* RC_OK, or what ended the walk */
    uint64_t size;
    uint8_t block[BLOCK];
    uint64_t block_at;
    size_t block_n;
    int64_t boxes;
    int64_t streams;
    int64_t parts;    /* of Matroska's lists */
    uint64_t samples; /* saturates */
    int64_t rate;     /* the fastest of those that are too fast; 0: none is */
    struct track track;
};

/* The bytes at `at`, up to LOOK of them; *n: how many. */
static const uint8_t *look(struct walk *w, uint64_t at, size_t *n)
{
    *n = 0;
    if (w->rc != RC_OK || at >= w->size)
        return w->block;
    bool here = at >= w->block_at && at + LOOK <= w->block_at + w->block_n;
    if (!here) {
        w->rc = io_read_at(w->fd, w->block, BLOCK, (int64_t)at, &w->block_n);
        w->block_at = at;
        if (w->rc != RC_OK)
            return w->block;
    }
    size_t left = w->block_n - (size_t)(at - w->block_at);
    *n = left < LOOK ? left : LOOK;
    return w->block + (at - w->block_at);
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

static void add_samples(struct walk *w, uint64_t n)
{
    w->samples = n > UINT64_MAX - w->samples ? UINT64_MAX : w->samples + n;
}

static void end_track(struct walk *w)
{
    const struct track *t = &w->track;
    uint64_t samples = t->samples;
    int64_t rate;
    if (t->ticks && t->sound && !t->picture)
        samples /= PCM_PACKET;
    if (t->edits > EDITS_FREE)
        samples *= t->edits / EDITS_FREE; /* both have 32 bits */
    add_samples(w, samples);
    if (!t->picture || t->timescale == 0)
        return;
    double us = 1e6 * (double)t->duration / t->timescale;
    if (source_bounds_is_fast((int64_t)t->samples, us < 1e18 ? (int64_t)us : INT64_MAX,
                              &rate) &&
        rate > w->rate)
        w->rate = rate;
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
static void take_box(struct walk *w, uint32_t type, const uint8_t *body, size_t n)
{
    struct track *t = &w->track;
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
        add_samples(w, second);
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

/* A box that is longer than what it is in ends with that, as ffmpeg has it. */
static void walk_boxes(struct walk *w, uint64_t at, uint64_t end, int depth)
{
    while (at < end && w->boxes++ < BOXES_MAX) {
        size_t n;
        struct bmff_header h;
        const uint8_t *p = look(w, at, &n);
        if (bmff_header(p, n, &h) != RC_OK)
            return;
        uint64_t size = h.size == 0 || h.size > end - at ? end - at : h.size;
        if (h.header_size > size)
            return;
        bool is_track = h.type == BMFF_FOURCC('t', 'r', 'a', 'k');
        if (is_track) {
            w->streams++;
            w->track = (struct track){0};
        }
        size_t body = (uint64_t)n < size ? n : (size_t)size;
        if (!holds_boxes(h.type))
            take_box(w, h.type, p + h.header_size, body - h.header_size);
        else if (depth < DEPTH_MAX)
            walk_boxes(w, at + h.header_size, at + size, depth + 1);
        if (is_track)
            end_track(w);
        at += size;
    }
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

/* Those of the lists count. */
static void walk_elements(struct walk *w, uint64_t at, uint64_t end, int depth)
{
    while (at < end && w->boxes++ < BOXES_MAX) {
        size_t n;
        struct ebml_element e;
        const uint8_t *p = look(w, at, &n);
        if (ebml_header(p, n, &e) != RC_OK)
            return;
        at += e.header_size;
        bool unknown = e.size == EBML_UNKNOWN;
        uint64_t stop = unknown || at > end || e.size > end - at ? end : at + e.size;
        w->streams += e.id == MKV_TRACK;
        w->parts += depth >= 2;
        if (depth < DEPTH_MAX && (e.id == MKV_SEGMENT || holds_elements(e.id)))
            walk_elements(w, at, stop, depth + 1);
        else if (unknown)
            return;
        at = stop;
    }
}

/* ---- the verdict --------------------------------------------------------------- */

static enum rc judge(const struct walk *w, char *why, size_t size)
{
    bool many =
        w->samples > SOURCE_SAMPLES_FREE && w->samples > w->size / SOURCE_SAMPLE_BYTES;
    char number[32];
    if (w->streams > MEDIA_STREAMS_MAX) {
        put_number(w->streams, number);
        snprintf(why, size, "The file has %s streams; at most %d are taken.", number,
                 MEDIA_STREAMS_MAX);
    } else if (w->rate > 0) {
        source_bounds_explain_rate(w->rate, why, size);
    } else if (many || w->samples > SOURCE_SAMPLES_MAX) {
        snprintf(why, size, "The file is damaged: its index tells of more pictures %s",
                 many ? "than it has room for." : "than a video has.");
    } else if (w->parts > SOURCE_PARTS_MAX) {
        snprintf(why, size, "The file is damaged: its index has no end.");
    } else {
        return RC_OK;
    }
    return RC_UNSUPPORTED;
}

enum rc source_bounds_check(const char *path, enum container container, char *why,
                            size_t size)
{
    struct walk w = {.fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)};
    struct stat st;
    if (w.fd < 0)
        return rc_from_errno(errno);
    w.rc = fstat(w.fd, &st) < 0 ? rc_from_errno(errno) : RC_OK;
    if (w.rc == RC_OK) {
        w.size = (uint64_t)st.st_size;
        if (container == CONTAINER_MP4 || container == CONTAINER_MOV)
            walk_boxes(&w, 0, w.size, 0);
        else
            walk_elements(&w, 0, w.size, 0);
    }
    close(w.fd);
    return w.rc == RC_OK ? judge(&w, why, size) : w.rc;
}
