#include "arrival_header.h"

#include "arrival_bounds.h"
#include "io.h"
#include "loop.h"
#include "mkv_walk.h"
#include "mp4_frag.h"
#include "mp4_head.h"
#include "mp4_index.h"
#include "mp4_walk.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define BLOCK 4096             /* bytes that are read at once while boxes are walked */
#define FTYP_MAX 4096          /* bytes */
#define TURN_MS 20             /* of a walk, until others have theirs */
#define ENOUGH_US 1000000      /* of the media, for a probe to see what it is */
#define ENOUGH_OPEN_US 5000000 /* likewise, and for a first segment to be promised */
#define LAST_US 40000 /* of a file whose last packet is not known: how long that is */
#define BEHIND_MS 1   /* until a walk goes on, with its turn over */
#define FAILED_MS 200 /* likewise, after what is there could not be read */

struct arrival_header {
    struct header_source source;
    enum header_state state;
    const char *reason;
    int64_t size;     /* once it is known: of what was counted */
    int64_t start_us; /* of the timeline, by the file's clock */
    /* Of an MP4: */
    struct mp4_walk mp4;
    uint8_t *ftyp, *moov;
    size_t moov_size;
    struct mp4_index *index;
    struct mp4_head head;
    struct mp4_frag *frag; /* NULL: it is not fragmented */
    /* Of a Matroska file: */
    struct mkv_walk mkv;
    bool is_mkv, started;
    bool behind; /* the last turn ended before what has arrived */
    struct arrival_bounds bounds;
};

enum rc arrival_header_open(const struct header_source *source,
                            struct arrival_header **out)
{
    uint64_t size = source->file_size < 0 ? INT64_MAX : (uint64_t)source->file_size;
    struct arrival_header *h = calloc(1, sizeof(*h));
    if (!h)
        return RC_NOMEM;
    h->source = *source;
    h->is_mkv =
        source->container == CONTAINER_MATROSKA || source->container == CONTAINER_WEBM;
    if (h->is_mkv)
        mkv_walk_init(&h->mkv, size);
    else
        mp4_walk_init(&h->mp4, size);
    enum rc rc = arrival_bounds_open(source->container, source->file_size, &h->bounds);
    if (rc == RC_OK)
        *out = h;
    else
        free(h);
    return rc;
}

static void forget(struct arrival_header *h)
{
    mp4_frag_close(h->frag);
    mp4_index_close(h->index);
    mp4_head_free(&h->head);
    free(h->ftyp);
    free(h->moov);
    h->frag = NULL;
    h->index = NULL;
    h->ftyp = h->moov = NULL;
    h->moov_size = 0;
    h->behind = false;
}

void arrival_header_close(struct arrival_header *h)
{
    if (!h)
        return;
    forget(h);
    arrival_bounds_close(&h->bounds);
    free(h);
}

static enum header_state give_up(struct arrival_header *h, const char *reason)
{
    h->reason = reason;
    forget(h);
    return HEADER_HOPELESS;
}

/* ---- reading ---------------------------------------------------------------- */

/* n bytes at offset of fd, which are there; the caller frees *out. */
static enum rc read_bytes(int fd, uint64_t offset, size_t n, uint8_t **out)
{
    uint8_t *bytes = malloc(n + 1);
    size_t got = 0;
    if (!bytes)
        return RC_NOMEM;
    enum rc rc = io_read_at(fd, bytes, n, (int64_t)offset, &got);
    if (rc == RC_OK && got < n)
        rc = RC_TRUNCATED;
    if (rc != RC_OK) {
        free(bytes);
        return rc;
    }
    *out = bytes;
    return RC_OK;
}

/* What has arrived of the block at offset; 0: nothing. */
static size_t read_block(const struct arrival_header *h, uint64_t offset,
                         uint8_t block[BLOCK])
{
    size_t n = 0;
    if (offset >= (uint64_t)h->size)
        return 0;
    uint64_t left = (uint64_t)h->size - offset;
    if (io_read_at(h->source.fd, block, left < BLOCK ? (size_t)left : BLOCK,
                   (int64_t)offset, &n) != RC_OK)
        return 0;
    return n;
}

/* ---- turns -------------------------------------------------------------------- */

/* A walk that has gone on until end_ms is to go on later. */
static bool is_over(struct arrival_header *h, int64_t end_ms)
{
    h->behind = loop_now_ms() >= end_ms;
    return h->behind;
}

/* ---- MP4 ------------------------------------------------------------------------ */

/* RC_TRUNCATED: more has to arrive. */
static enum rc walk_mp4(struct arrival_header *h)
{
    uint8_t block[BLOCK];
    /* Where media come first, where the index is to be was said by whoever sent it. */
    while (!h->mp4.done && h->mp4.layout != MP4_INDEX_AT_END) {
        size_t n = read_block(h, mp4_walk_wants(&h->mp4), block);
        enum rc rc = n > 0 ? mp4_walk_feed(&h->mp4, block, n) : RC_TRUNCATED;
        if (rc != RC_OK)
            return rc;
    }
    return RC_OK;
}

static enum rc read_index(struct arrival_header *h)
{
    const struct mp4_span *moov = &h->mp4.moov;
    if (moov->size > (uint64_t)h->source.index_max)
        return RC_TOO_LARGE;
    if (!mp4_walk_has_index(&h->mp4, (uint64_t)h->size))
        return RC_TRUNCATED;
    h->moov_size = (size_t)moov->size;
    return read_bytes(h->source.fd, moov->offset, h->moov_size, &h->moov);
}

/* The index that was sent ahead of a file that ends with it. */
static enum rc read_index_ahead(struct arrival_header *h)
{
    struct stat st;
    const struct mp4_span *ftyp = &h->mp4.ftyp;
    if (h->source.file_size < 0 || ftyp->size == 0 || ftyp->size > FTYP_MAX)
        return RC_UNSUPPORTED;
    int fd = open(h->source.index, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0)
        return rc_from_errno(errno);
    enum rc rc = fstat(fd, &st) < 0 ? RC_IO : RC_OK;
    if (rc == RC_OK && st.st_size > h->source.index_max)
        rc = RC_TOO_LARGE;
    if (rc == RC_OK)
        rc = read_bytes(fd, 0, (size_t)st.st_size, &h->moov);
    close(fd);
    if (rc == RC_OK)
        rc = read_bytes(h->source.fd, ftyp->offset, (size_t)ftyp->size, &h->ftyp);
    if (rc != RC_OK)
        return rc;
    h->moov_size = (size_t)st.st_size;
    rc = arrival_bounds_count_index(&h->bounds, h->moov, h->moov_size);
    if (rc != RC_OK)
        return rc;
    struct mp4_head_source source = {.ftyp = h->ftyp,
                                     .ftyp_size = (size_t)ftyp->size,
                                     .media = h->mp4.media,
                                     .moov = h->moov,
                                     .moov_size = h->moov_size,
                                     .moov_offset = (uint64_t)h->source.index_offset,
                                     .file_size = (uint64_t)h->source.file_size};
    return mp4_head_make(&source, &h->head);
}

/* The index of a fragmented file knows of no packet. */
static bool is_heard_or_seen(const struct arrival_header *h, size_t track)
{
    const struct mp4_track *t = mp4_index_track(h->index, track);
    return t->kind != MP4_OTHER && (h->frag || t->packets > 0);
}

/* The earliest picture or sound, at which the timeline begins. */
static int64_t earliest_us(const struct arrival_header *h)
{
    int64_t us = INT64_MAX;
    for (size_t i = 0; i < mp4_index_tracks(h->index); i++) {
        const struct mp4_track *t = mp4_index_track(h->index, i);
        if (!is_heard_or_seen(h, i))
            continue;
        if (t->packets > 0 && t->first_us < us)
            us = t->first_us;
        if (h->frag && mp4_frag_first_us(h->frag, i) < us)
            us = mp4_frag_first_us(h->frag, i);
    }
    return us == INT64_MAX ? 0 : us;
}

static enum rc open_index(struct arrival_header *h)
{
    struct mp4_index_limits limits = {.file_size = MP4_SIZE_UNKNOWN,
                                      .max_samples = MP4_SAMPLES_IN_LOOP};
    if (h->source.file_size >= 0)
        limits.file_size = (uint64_t)h->source.file_size;
    enum rc rc = mp4_index_open(h->moov, h->moov_size, &limits, &h->index);
    if (rc != RC_OK)
        return rc;
    if (mp4_index_fragmented(h->index))
        return mp4_frag_open(h->index, h->moov, h->moov_size,
                             h->mp4.moov.offset + h->mp4.moov.size, limits.file_size,
                             &h->frag);
    h->start_us = mp4_index_first_us(h->index);
    return RC_OK;
}

/* The boxes of the fragments, as far as they have arrived. The timeline begins with the
 * first of each track. */
static enum rc walk_fragments(struct arrival_header *h)
{
    uint64_t at, size = (uint64_t)h->size;
    int64_t end_ms = loop_now_ms() + TURN_MS;
    size_t n;
    enum rc rc = RC_OK;
    while (rc == RC_OK && mp4_frag_wants(h->frag, &at, &n) && at < size) {
        uint8_t *bytes;
        if (is_over(h, end_ms))
            break;
        if (n > size - at && h->size != h->source.file_size)
            break;
        if (n > size - at)
            n = (size_t)(size - at);
        rc = read_bytes(h->source.fd, at, n, &bytes);
        if (rc != RC_OK)
            break;
        rc = mp4_frag_feed(h->frag, bytes, n);
        free(bytes);
    }
    if (h->state == HEADER_LOOKING)
        h->start_us = earliest_us(h);
    return rc;
}

/* Some seconds of each track, or all of it. */
static bool has_enough(const struct arrival_header *h)
{
    int64_t enough = h->frag ? ENOUGH_OPEN_US : ENOUGH_US;
    for (size_t i = 0; i < mp4_index_tracks(h->index); i++)
        if (is_heard_or_seen(h, i) && arrival_header_reach_us(h, (int)i) < enough)
            return false;
    return true;
}

static const char *why(enum rc rc)
{
    switch (rc) {
    case RC_UNSUPPORTED:
        return "it is laid out in a way that is only understood from its end.";
    case RC_TOO_LARGE:
        return "its index is very large.";
    default:
        return "its index makes no sense.";
    }
}

static enum header_state read_mp4(struct arrival_header *h)
{
    enum rc rc = walk_mp4(h);
    if (rc == RC_OK && h->mp4.layout == MP4_INDEX_AT_END && !h->source.index)
        return give_up(h, "its index comes at its end.");
    if (rc == RC_OK && !h->index)
        rc = h->mp4.layout == MP4_INDEX_AT_END ? read_index_ahead(h) : read_index(h);
    if (rc == RC_OK && !h->index)
        rc = open_index(h);
    if (rc == RC_OK && h->frag)
        rc = walk_fragments(h);
    if (rc == RC_TRUNCATED)
        return HEADER_LOOKING;
    if (rc != RC_OK)
        return give_up(h, why(rc));
    return has_enough(h) ? HEADER_KNOWN : HEADER_LOOKING;
}

/* ---- Matroska ---------------------------------------------------------------------
 */

/* As far as it has arrived. The timeline begins with the first cluster. */
static enum rc walk_mkv(struct arrival_header *h)
{
    uint8_t block[BLOCK];
    uint64_t offset;
    int64_t end_ms = loop_now_ms() + TURN_MS;
    enum rc rc = RC_OK;
    while (rc == RC_OK && mkv_walk_wants(&h->mkv, (uint64_t)h->size, &offset) &&
           !is_over(h, end_ms)) {
        size_t n = read_block(h, offset, block);
        rc = n > 0 ? mkv_walk_feed(&h->mkv, block, n) : RC_TRUNCATED;
        if (!h->started && h->mkv.in_time) {
            h->started = true;
            h->start_us =
                (int64_t)((double)h->mkv.ticks * (double)h->mkv.scale_ns / 1000);
        }
    }
    return rc == RC_TRUNCATED ? RC_OK : rc;
}

static enum header_state read_mkv(struct arrival_header *h)
{
    enum rc rc = walk_mkv(h);
    if (rc != RC_OK)
        return give_up(h, why(rc));
    if (!h->mkv.has_tracks || !h->started)
        return HEADER_LOOKING;
    int64_t enough = h->mkv.duration_us > 0 ? ENOUGH_US : ENOUGH_OPEN_US;
    return arrival_header_reach_us(h, 0) >= enough ? HEADER_KNOWN : HEADER_LOOKING;
}

/* ---- for all ------------------------------------------------------------------ */

/* Of size bytes nothing is left that a program could trip over. */
static bool is_counted(const struct arrival_header *h, int64_t size)
{
    return !h->bounds.uncounted && arrival_bounds_has_room(&h->bounds, size);
}

static enum header_state read_header(struct arrival_header *h)
{
    enum header_state state = h->is_mkv ? read_mkv(h) : read_mp4(h);
    if (state != HEADER_LOOKING && h->bounds.refused) {
        give_up(h, h->bounds.why);
        return HEADER_REFUSED;
    }
    return state == HEADER_KNOWN && !is_counted(h, h->size) ? HEADER_LOOKING : state;
}

enum header_state arrival_header_read(struct arrival_header *h, int64_t size)
{
    if (h->state == HEADER_HOPELESS || h->state == HEADER_REFUSED)
        return h->state;
    arrival_bounds_count(&h->bounds, h->source.fd, size);
    if (h->state == HEADER_KNOWN && h->bounds.refused) {
        h->reason = h->bounds.why;
        return h->state = HEADER_REFUSED;
    }
    if (h->state == HEADER_KNOWN && !is_counted(h, size))
        return h->state;
    h->size = size;
    h->behind = false;
    if (h->state == HEADER_LOOKING)
        h->state = read_header(h);
    else if (h->is_mkv)
        walk_mkv(h); /* what is not understood adds nothing to its reach */
    else if (h->frag)
        walk_fragments(h);
    return h->state;
}

int64_t arrival_header_size(const struct arrival_header *h)
{
    return h->size;
}

int64_t arrival_header_again_ms(const struct arrival_header *h)
{
    if (h->state == HEADER_HOPELESS || h->state == HEADER_REFUSED)
        return -1;
    if (h->bounds.failed)
        return FAILED_MS;
    return h->behind || h->bounds.uncounted ? BEHIND_MS : -1;
}

int64_t arrival_header_memory(const struct arrival_header *h)
{
    return h ? (int64_t)(h->moov_size + h->head.size) : 0;
}

bool arrival_header_is_open(const struct arrival_header *h)
{
    return h->is_mkv ? h->mkv.duration_us <= 0 : h->frag != NULL;
}

int64_t arrival_header_start_us(const struct arrival_header *h)
{
    return h->start_us;
}

const char *arrival_header_reason(const struct arrival_header *h)
{
    return h->reason;
}

int64_t arrival_header_reach_us(const struct arrival_header *h, int stream)
{
    int64_t us = 0;
    if (h->is_mkv)
        us = mkv_walk_reach(&h->mkv, (uint64_t)h->size);
    else if (stream >= 0 && (size_t)stream < mp4_index_tracks(h->index))
        us = h->frag ? mp4_frag_reach(h->frag, (size_t)stream, (uint64_t)h->size)
                     : mp4_index_reach(h->index, (size_t)stream, (uint64_t)h->size);
    if (us == INT64_MIN)
        return 0;
    return us == INT64_MAX ? us : us - h->start_us;
}

const uint8_t *arrival_header_head(const struct arrival_header *h, size_t *n,
                                   int64_t *offset, int64_t *end)
{
    *n = h->head.size;
    *offset = (int64_t)h->head.from;
    *end = (int64_t)h->head.end;
    return h->head.bytes;
}

/* The head of a Matroska file only tells when all of it ends. */
static enum rc guess_packets(const struct media_info *info, struct packet_scan *out)
{
    if (info->duration_us <= info->start_us)
        return RC_UNSUPPORTED;
    for (size_t i = 0; i < info->n_streams; i++) {
        int at = info->streams[i].index;
        if (at >= 0 && at < MEDIA_STREAMS_MAX && info->streams[i].kind != MEDIA_OTHER)
            out->streams[at] =
                (struct packet_stream){1, info->start_us, info->duration_us - LAST_US,
                                       info->duration_us, false};
    }
    return RC_OK;
}

enum rc arrival_header_packets(const struct arrival_header *h,
                               const struct media_info *info, struct packet_scan *out)
{
    packet_scan_init(out);
    if (arrival_header_is_open(h))
        return RC_UNSUPPORTED;
    if (h->is_mkv)
        return guess_packets(info, out);
    for (size_t i = 0; i < info->n_streams; i++) {
        int at = info->streams[i].index;
        if (at < 0 || at >= MEDIA_STREAMS_MAX ||
            (size_t)at >= mp4_index_tracks(h->index))
            continue;
        const struct mp4_track *t = mp4_index_track(h->index, (size_t)at);
        if (is_heard_or_seen(h, (size_t)at))
            out->streams[at] = packet_stream_of(t);
    }
    return RC_OK;
}

const struct mp4_index *arrival_header_index(const struct arrival_header *h)
{
    return h->frag ? NULL : h->index;
}

static enum rc take_key(void *arg, int64_t pts_us, int64_t dts_us)
{
    return seek_points_key(arg, pts_us, dts_us);
}

enum rc arrival_header_keyframes(const struct arrival_header *h, int stream,
                                 struct seek_points *sp)
{
    if (h->is_mkv || h->frag || stream < 0 ||
        (size_t)stream >= mp4_index_tracks(h->index))
        return RC_UNSUPPORTED;
    seek_points_start(sp, h->start_us);
    return mp4_index_keyframes(h->index, (size_t)stream, take_key, sp);
}
