#include "mp4_walk.h"

#include "bmff.h"

#define FTYP BMFF_FOURCC('f', 't', 'y', 'p')
#define MOOV BMFF_FOURCC('m', 'o', 'o', 'v')
#define MVEX BMFF_FOURCC('m', 'v', 'e', 'x')
#define MOOF BMFF_FOURCC('m', 'o', 'o', 'f')
#define MDAT BMFF_FOURCC('m', 'd', 'a', 't')

#define BOXES_MAX 4096

void mp4_walk_init(struct mp4_walk *walk, uint64_t file_size)
{
    *walk = (struct mp4_walk){.file_size = file_size};
}

uint64_t mp4_walk_wants(const struct mp4_walk *walk)
{
    return walk->at;
}

bool mp4_walk_has_index(const struct mp4_walk *walk, uint64_t frontier)
{
    return walk->moov.size > 0 && frontier >= walk->moov.offset + walk->moov.size;
}

static void note(struct mp4_span *span, uint64_t offset, uint64_t size)
{
    if (span->size == 0)
        *span = (struct mp4_span){offset, size};
}

static void settle(struct mp4_walk *w)
{
    switch (w->layout) {
    case MP4_FASTSTART:
        w->done = w->mdat.size > 0;
        break;
    case MP4_FRAGMENTED:
        w->done = w->mdat.size > 0 && w->moof.size > 0;
        break;
    case MP4_INDEX_AT_END:
        w->done = w->moov.size > 0;
        break;
    case MP4_UNDECIDED:
        break;
    }
}

/* Within moov only an mvex box is looked for. */
static enum rc take_inner(struct mp4_walk *w, const struct bmff_header *h)
{
    uint64_t left = w->moov_end - w->at;
    if (h->size > left)
        return RC_INVALID;
    w->at += h->size == 0 ? left : h->size;
    if (h->type == MVEX)
        w->layout = MP4_FRAGMENTED;
    return RC_OK;
}

/* Zeros too short for a box end some lists of QuickTime. */
static void end_inner(struct mp4_walk *w)
{
    if (w->moov_end == 0 || (w->moov_end - w->at >= 8 && w->layout == MP4_UNDECIDED))
        return;
    w->at = w->moov_end;
    w->moov_end = 0;
    if (w->layout == MP4_UNDECIDED)
        w->layout = MP4_FASTSTART;
}

static enum rc take_moov(struct mp4_walk *w, const struct bmff_header *h, uint64_t size)
{
    if (size > w->file_size - w->at)
        return RC_INVALID;
    bool first = w->layout == MP4_UNDECIDED;
    note(&w->moov, w->at, size);
    if (first)
        w->moov_end = w->at + size;
    w->at += first ? h->header_size : size;
    return RC_OK;
}

static enum rc take_mdat(struct mp4_walk *w, const struct bmff_header *h, uint64_t size)
{
    if (w->mdat.size == 0)
        w->media = w->at + h->header_size;
    note(&w->mdat, w->at, size);
    if (w->layout == MP4_UNDECIDED)
        w->layout = MP4_INDEX_AT_END;
    /* Behind the index a file may be cut off; before it, there will be none. */
    if (w->layout == MP4_INDEX_AT_END && size >= w->file_size - w->at)
        return RC_INVALID;
    w->at = size > w->file_size - w->at ? w->file_size : w->at + size;
    return RC_OK;
}

static enum rc take_outer(struct mp4_walk *w, const struct bmff_header *h)
{
    uint64_t size = h->size > 0 ? h->size : w->file_size - w->at;
    if (h->type == MOOV)
        return take_moov(w, h, size);
    if (h->type == MDAT)
        return take_mdat(w, h, size);
    if (h->type == MOOF && w->moov.size == 0)
        return RC_INVALID;
    if (h->type == MOOF)
        note(&w->moof, w->at, size);
    if (h->type == FTYP)
        note(&w->ftyp, w->at, size);
    if (size > w->file_size - w->at)
        return RC_INVALID;
    w->at += size;
    return RC_OK;
}

/* At the end of a file nothing more will come. */
static enum rc finish(struct mp4_walk *w)
{
    if (w->at < w->file_size || w->moov_end > 0 || w->done)
        return RC_OK;
    w->done = true;
    return w->moov.size > 0 ? RC_OK : RC_INVALID;
}

static enum rc take(struct mp4_walk *w, const uint8_t *data, size_t n)
{
    struct bmff_header h;
    enum rc rc = bmff_header(data, n, &h);
    if (rc == RC_TRUNCATED && n >= w->file_size - w->at)
        return RC_INVALID; /* cut off within a header */
    if (rc != RC_OK)
        return rc;
    if (w->boxes++ == BOXES_MAX)
        return RC_TOO_LARGE;
    rc = w->moov_end > 0 ? take_inner(w, &h) : take_outer(w, &h);
    if (rc != RC_OK)
        return rc;
    end_inner(w);
    settle(w);
    return finish(w);
}

enum rc mp4_walk_feed(struct mp4_walk *walk, const void *data, size_t n)
{
    const uint8_t *p = data;
    uint64_t begin = walk->at;
    enum rc rc = RC_OK;
    while (rc == RC_OK && !walk->done && walk->at - begin < n)
        rc = take(walk, p + (walk->at - begin), n - (size_t)(walk->at - begin));
    return rc == RC_TRUNCATED && walk->at > begin ? RC_OK : rc;
}
