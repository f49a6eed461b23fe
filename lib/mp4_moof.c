#include "mp4_moof.h"

#include <stdbool.h>

#define TRAF BMFF_FOURCC('t', 'r', 'a', 'f')
#define TFHD BMFF_FOURCC('t', 'f', 'h', 'd')
#define TFDT BMFF_FOURCC('t', 'f', 'd', 't')
#define TRUN BMFF_FOURCC('t', 'r', 'u', 'n')

/* s. 8.8.7.1 */
enum {
    TFHD_BASE_OFFSET = 0x1,
    TFHD_ENTRY = 0x2,
    TFHD_DURATION = 0x8,
    TFHD_SIZE = 0x10,
    TFHD_BASE_IS_MOOF = 0x20000,
};

/* s. 8.8.8.1 */
enum {
    TRUN_OFFSET = 0x1,
    TRUN_FIRST_FLAGS = 0x4,
    TRUN_DURATION = 0x100,
    TRUN_SIZE = 0x200,
    TRUN_FLAGS = 0x400,
    TRUN_COMPOSITION = 0x800,
};

struct reading {
    uint64_t moof;                 /* offset in the file */
    struct mp4_moof_track *tracks; /* all of them */
    size_t n;
    uint32_t left; /* samples that may still come */
    void (*each)(void *arg, const struct mp4_moof_sample *sample);
    void *arg;
    /* The current traf: */
    struct mp4_moof_track *track; /* NULL: none of ours, or not known yet */
    uint32_t duration, size;
    uint64_t base; /* what the runs' offsets count from */
    uint64_t end;  /* of the media so far: where a run without offset begins */
};

/* A full box read field by field; overrun is set where it has no more. */
struct fields {
    const uint8_t *p, *end;
    bool overrun;
};

static uint64_t field(struct fields *f, size_t width)
{
    if ((size_t)(f->end - f->p) < width) {
        f->overrun = true;
        return 0;
    }
    f->p += width;
    return width == 8 ? bmff_u64(f->p - 8) : bmff_u32(f->p - 4);
}

static struct fields fields_of(const struct bmff_box *box)
{
    return (struct fields){.p = box->body, .end = box->body + box->body_size};
}

static enum rc read_tfhd(struct reading *r, const struct bmff_box *box)
{
    struct fields f = fields_of(box);
    uint32_t flags = (uint32_t)field(&f, 4) & 0xffffff;
    uint32_t id = (uint32_t)field(&f, 4);
    r->track = NULL;
    for (size_t i = 0; i < r->n && !r->track; i++)
        if (id != 0 && r->tracks[i].id == id)
            r->track = &r->tracks[i];
    r->base = flags & TFHD_BASE_IS_MOOF ? r->moof : r->end;
    if (flags & TFHD_BASE_OFFSET)
        r->base = field(&f, 8);
    if (flags & TFHD_ENTRY)
        field(&f, 4);
    r->duration = r->track ? r->track->duration : 0;
    r->size = r->track ? r->track->size : 0;
    if (flags & TFHD_DURATION)
        r->duration = (uint32_t)field(&f, 4);
    if (flags & TFHD_SIZE)
        r->size = (uint32_t)field(&f, 4);
    r->end = r->base;
    return f.overrun || r->base > INT64_MAX ? RC_INVALID : RC_OK;
}

static enum rc read_tfdt(struct reading *r, const struct bmff_box *box)
{
    struct fields f = fields_of(box);
    bool wide = field(&f, 4) >> 24 > 0;
    uint64_t dts = field(&f, wide ? 8 : 4);
    if (f.overrun)
        return RC_INVALID;
    if (r->track && dts > (uint64_t)r->track->dts_max)
        return RC_INVALID;
    if (r->track)
        r->track->dts = (int64_t)dts;
    return RC_OK;
}

static enum rc read_sample(struct reading *r, struct fields *f, uint32_t flags)
{
    struct mp4_moof_track *t = r->track;
    uint32_t duration = flags & TRUN_DURATION ? (uint32_t)field(f, 4) : r->duration;
    uint32_t size = flags & TRUN_SIZE ? (uint32_t)field(f, 4) : r->size;
    if (flags & TRUN_FLAGS)
        field(f, 4);
    int32_t offset = flags & TRUN_COMPOSITION ? (int32_t)field(f, 4) : 0;
    r->end += size;
    struct mp4_moof_sample sample = {
        .track = (size_t)(t - r->tracks),
        .dts = t->dts,
        .next = t->dts + duration,
        .offset = offset,
        .end = r->end,
    };
    if (f->overrun || r->end > INT64_MAX || sample.next > t->dts_max)
        return RC_INVALID;
    t->dts = sample.next;
    r->each(r->arg, &sample);
    return RC_OK;
}

static enum rc read_trun(struct reading *r, const struct bmff_box *box)
{
    struct fields f = fields_of(box);
    uint32_t flags = (uint32_t)field(&f, 4) & 0xffffff;
    uint32_t n = (uint32_t)field(&f, 4);
    enum rc rc = RC_OK;
    if (!r->track)
        return RC_OK;
    if (flags & TRUN_OFFSET) {
        /* Below 2^64: base is below 2^63, and a negative offset wraps around. */
        r->end = r->base + (uint64_t)(int64_t)(int32_t)field(&f, 4);
    }
    if (flags & TRUN_FIRST_FLAGS)
        field(&f, 4);
    if (f.overrun || r->end > INT64_MAX)
        return RC_INVALID;
    if (n > r->left)
        return RC_TOO_LARGE;
    r->left -= n;
    for (uint32_t i = 0; i < n && rc == RC_OK; i++)
        rc = read_sample(r, &f, flags);
    return rc;
}

static enum rc read_traf(struct reading *r, const struct bmff_box *traf)
{
    struct bmff_iter it = bmff_children(traf, 0);
    struct bmff_box box;
    enum rc rc;
    r->track = NULL;
    while ((rc = bmff_next(&it, &box)) == RC_OK) {
        if (box.type == TFHD)
            rc = read_tfhd(r, &box);
        else if (box.type == TFDT)
            rc = read_tfdt(r, &box);
        else if (box.type == TRUN)
            rc = read_trun(r, &box);
        if (rc != RC_OK)
            return rc;
    }
    return rc == RC_NOT_FOUND ? RC_OK : rc;
}

enum rc mp4_moof_samples(const struct bmff_box *moof, uint64_t offset,
                         struct mp4_moof_track *tracks, size_t n, uint32_t max,
                         void (*each)(void *arg, const struct mp4_moof_sample *sample),
                         void *arg)
{
    struct bmff_iter it = bmff_children(moof, 0);
    struct bmff_box box;
    struct reading r = {
        .moof = offset,
        .end = offset,
        .tracks = tracks,
        .n = n,
        .left = max,
        .each = each,
        .arg = arg,
    };
    enum rc rc;
    while ((rc = bmff_next(&it, &box)) == RC_OK)
        if (box.type == TRAF && (rc = read_traf(&r, &box)) != RC_OK)
            return rc;
    return rc == RC_NOT_FOUND ? RC_OK : rc;
}
