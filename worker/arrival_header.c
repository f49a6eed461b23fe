#include "arrival_header.h"

#include "bmff.h"
#include "mp4_head.h"
#include "mp4_index.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define BOXES_MAX 1000               /* before the media; a handful is usual */
#define FTYP_MAX 4096                /* bytes */
#define INDEX_MAX (64 << 20)         /* bytes; that of a day of video is some 20 MB */
#define SAMPLES_MAX 20000000         /* of all tracks; a day at 60 a second is 9 million */
#define ENOUGH_US 1000000            /* of the media, for a probe to see what it is */

/* Where the boxes of an MP4 are, as far as they have been found. */
struct mp4_found {
    int64_t at; /* of the next box of the file itself */
    int boxes;
    uint8_t *ftyp, *moov;
    size_t ftyp_size, moov_size;
    int64_t moov_offset;
    int64_t media; /* where the first media begin; 0: not found */
};

struct arrival_header {
    struct header_source source;
    enum header_state state;
    const char *reason;
    int64_t size;
    struct mp4_found mp4;
    struct mp4_index *index;
    struct mp4_head head;
    int64_t start_us; /* of the timeline, by the file's clock */
};

enum rc arrival_header_open(const struct header_source *source,
                            struct arrival_header **out)
{
    struct arrival_header *h = calloc(1, sizeof(*h));
    if (!h)
        return RC_NOMEM;
    h->source = *source;
    *out = h;
    return RC_OK;
}

void arrival_header_close(struct arrival_header *h)
{
    if (!h)
        return;
    mp4_index_close(h->index);
    mp4_head_free(&h->head);
    free(h->mp4.ftyp);
    free(h->mp4.moov);
    free(h);
}

static enum header_state give_up(struct arrival_header *h, const char *reason)
{
    h->reason = reason;
    return HEADER_HOPELESS;
}

/* ---- reading ---------------------------------------------------------------- */

/* n bytes at offset of fd, which are there; the caller frees *out. */
static enum rc read_bytes(int fd, int64_t offset, size_t n, uint8_t **out)
{
    uint8_t *bytes = malloc(n + 1);
    size_t have = 0;
    if (!bytes)
        return RC_NOMEM;
    while (have < n) {
        ssize_t got = pread(fd, bytes + have, n - have, offset + (int64_t)have);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0) {
            free(bytes);
            return got < 0 ? rc_from_errno(errno) : RC_TRUNCATED;
        }
        have += (size_t)got;
    }
    *out = bytes;
    return RC_OK;
}

/* RC_TRUNCATED: it has not arrived. */
static enum rc read_box_header(const struct arrival_header *h, struct bmff_header *out)
{
    uint8_t bytes[16];
    int64_t left = h->size - h->mp4.at;
    size_t n = left < (int64_t)sizeof(bytes) ? (size_t)left : sizeof(bytes);
    if (left < 8 || pread(h->source.fd, bytes, n, h->mp4.at) != (ssize_t)n)
        return RC_TRUNCATED;
    return bmff_header(bytes, n, out);
}

/* The whole box, once it is there. RC_TRUNCATED: not yet. RC_TOO_LARGE. */
static enum rc keep_box(const struct arrival_header *h, uint64_t size, size_t max,
                        uint8_t **out, size_t *n)
{
    if (size > max)
        return RC_TOO_LARGE;
    if (h->mp4.at + (int64_t)size > h->size)
        return RC_TRUNCATED;
    if (*out)
        return RC_INVALID; /* there is one already */
    enum rc rc = read_bytes(h->source.fd, h->mp4.at, (size_t)size, out);
    *n = (size_t)size;
    return rc;
}

/* ---- the boxes of an MP4 ------------------------------------------------------ */

/* One box of the file. RC_OK: on to the next one. RC_EXISTS: the media begin here. */
static enum rc take_box(struct arrival_header *h, const struct bmff_header *box)
{
    struct mp4_found *f = &h->mp4;
    enum rc rc = RC_OK;
    switch (box->type) {
    case BMFF_FOURCC('m', 'd', 'a', 't'):
        f->media = f->at + box->header_size;
        return RC_EXISTS;
    case BMFF_FOURCC('m', 'o', 'o', 'f'):
        return RC_UNSUPPORTED;
    case BMFF_FOURCC('f', 't', 'y', 'p'):
        rc = keep_box(h, box->size, FTYP_MAX, &f->ftyp, &f->ftyp_size);
        break;
    case BMFF_FOURCC('m', 'o', 'o', 'v'):
        f->moov_offset = f->at;
        rc = keep_box(h, box->size, INDEX_MAX, &f->moov, &f->moov_size);
        break;
    default:
        break;
    }
    if (rc == RC_OK && (box->size == 0 || box->size > (uint64_t)INT64_MAX - (uint64_t)f->at))
        return RC_INVALID;
    if (rc == RC_OK)
        f->at += (int64_t)box->size;
    return rc;
}

/* Up to where the media begin. RC_TRUNCATED: more has to arrive. */
static enum rc find_media(struct arrival_header *h)
{
    struct bmff_header box;
    enum rc rc = RC_OK;
    if (h->mp4.media > 0)
        return RC_OK;
    while (rc == RC_OK && h->mp4.boxes < BOXES_MAX) {
        rc = read_box_header(h, &box);
        if (rc == RC_OK)
            rc = take_box(h, &box);
        h->mp4.boxes += rc == RC_OK;
    }
    if (rc == RC_EXISTS)
        return RC_OK;
    return rc == RC_OK ? RC_TOO_LARGE : rc;
}

/* The index that was sent ahead of a file that ends with it. */
static enum rc read_index_ahead(struct arrival_header *h)
{
    struct stat st;
    int fd = open(h->source.index, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0)
        return rc_from_errno(errno);
    enum rc rc = fstat(fd, &st) < 0 ? RC_IO : RC_OK;
    if (rc == RC_OK && st.st_size > INDEX_MAX)
        rc = RC_TOO_LARGE;
    if (rc == RC_OK)
        rc = read_bytes(fd, 0, (size_t)st.st_size, &h->mp4.moov);
    close(fd);
    if (rc != RC_OK)
        return rc;
    h->mp4.moov_size = (size_t)st.st_size;
    h->mp4.moov_offset = h->source.index_offset;
    struct mp4_head_source source = {.ftyp = h->mp4.ftyp,
                                     .ftyp_size = h->mp4.ftyp_size,
                                     .media = (uint64_t)h->mp4.media,
                                     .moov = h->mp4.moov,
                                     .moov_size = h->mp4.moov_size,
                                     .moov_offset = (uint64_t)h->mp4.moov_offset,
                                     .file_size = (uint64_t)h->source.file_size};
    if (h->source.file_size < 0 || !h->mp4.ftyp)
        return RC_UNSUPPORTED;
    return mp4_head_make(&source, &h->head);
}

static bool is_heard_or_seen(const struct mp4_track *t)
{
    return t->kind != MP4_OTHER && t->packets > 0;
}

/* The earliest picture or sound, at which the timeline begins. */
static int64_t earliest_us(const struct mp4_index *index)
{
    int64_t us = INT64_MAX;
    for (size_t i = 0; i < mp4_index_tracks(index); i++) {
        const struct mp4_track *t = mp4_index_track(index, i);
        if (is_heard_or_seen(t) && t->first_us < us)
            us = t->first_us;
    }
    return us == INT64_MAX ? 0 : us;
}

static enum rc open_index(struct arrival_header *h)
{
    struct mp4_index_limits limits = {.file_size = MP4_SIZE_UNKNOWN,
                                      .max_samples = SAMPLES_MAX};
    if (h->source.file_size >= 0)
        limits.file_size = (uint64_t)h->source.file_size;
    enum rc rc = mp4_index_open(h->mp4.moov, h->mp4.moov_size, &limits, &h->index);
    if (rc == RC_OK && mp4_index_fragmented(h->index))
        rc = RC_UNSUPPORTED;
    if (rc == RC_OK)
        h->start_us = earliest_us(h->index);
    return rc;
}

/* A second of each track, or all of it. */
static bool has_enough(const struct arrival_header *h)
{
    for (size_t i = 0; i < mp4_index_tracks(h->index); i++)
        if (is_heard_or_seen(mp4_index_track(h->index, i)) &&
            arrival_header_reach_us(h, (int)i) < ENOUGH_US)
            return false;
    return true;
}

static const char *why(enum rc rc)
{
    switch (rc) {
    case RC_UNSUPPORTED:
        return "its length is not known before its end.";
    case RC_TOO_LARGE:
        return "its index is very large.";
    default:
        return "its index makes no sense.";
    }
}

static enum header_state read_mp4(struct arrival_header *h)
{
    enum rc rc = find_media(h);
    if (rc == RC_TRUNCATED)
        return HEADER_LOOKING;
    if (rc == RC_OK && !h->mp4.moov && !h->source.index)
        return give_up(h, "its index comes at its end.");
    if (rc == RC_OK && !h->mp4.moov)
        rc = read_index_ahead(h);
    if (rc == RC_OK && !h->index)
        rc = open_index(h);
    if (rc != RC_OK)
        return give_up(h, why(rc));
    return has_enough(h) ? HEADER_KNOWN : HEADER_LOOKING;
}

/* ---- for all ------------------------------------------------------------------ */

enum header_state arrival_header_read(struct arrival_header *h, int64_t size)
{
    h->size = size;
    if (h->state != HEADER_LOOKING)
        return h->state;
    switch (h->source.container) {
    case CONTAINER_MP4:
    case CONTAINER_MOV:
        h->state = read_mp4(h);
        break;
    default:
        h->state = give_up(h, "its length is not known before its end.");
        break;
    }
    return h->state;
}

const char *arrival_header_reason(const struct arrival_header *h)
{
    return h->reason;
}

int64_t arrival_header_reach_us(const struct arrival_header *h, int stream)
{
    if (stream < 0 || (size_t)stream >= mp4_index_tracks(h->index))
        return 0;
    int64_t us = mp4_index_reach(h->index, (size_t)stream, (uint64_t)h->size);
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

enum rc arrival_header_packets(const struct arrival_header *h,
                               const struct media_info *info, struct packet_scan *out)
{
    packet_scan_init(out);
    for (size_t i = 0; i < info->n_streams; i++) {
        int at = info->streams[i].index;
        if (at < 0 || at >= MEDIA_STREAMS_MAX || (size_t)at >= mp4_index_tracks(h->index))
            continue;
        const struct mp4_track *t = mp4_index_track(h->index, (size_t)at);
        if (is_heard_or_seen(t))
            out->streams[at] = (struct packet_stream){t->packets, t->first_us, t->last_us,
                                                      t->end_us};
    }
    return RC_OK;
}

static enum rc take_key(void *arg, int64_t pts_us, int64_t dts_us)
{
    return seek_points_key(arg, pts_us, dts_us);
}

enum rc arrival_header_keyframes(const struct arrival_header *h, int stream,
                                 struct seek_points *sp)
{
    if (stream < 0 || (size_t)stream >= mp4_index_tracks(h->index))
        return RC_UNSUPPORTED;
    seek_points_start(sp, h->start_us);
    return mp4_index_keyframes(h->index, (size_t)stream, take_key, sp);
}
