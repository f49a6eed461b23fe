#include "cutter.h"

#include "bmff.h"

#include <stdlib.h>
#include <string.h>

#define FTYP BMFF_FOURCC('f', 't', 'y', 'p')
#define MOOV BMFF_FOURCC('m', 'o', 'o', 'v')
#define MOOF BMFF_FOURCC('m', 'o', 'o', 'f')
#define MDAT BMFF_FOURCC('m', 'd', 'a', 't')
#define TRAK BMFF_FOURCC('t', 'r', 'a', 'k')
#define MDIA BMFF_FOURCC('m', 'd', 'i', 'a')
#define MDHD BMFF_FOURCC('m', 'd', 'h', 'd')
#define TRAF BMFF_FOURCC('t', 'r', 'a', 'f')
#define TFDT BMFF_FOURCC('t', 'f', 'd', 't')
#define TRUN BMFF_FOURCC('t', 'r', 'u', 'n')

enum step {
    STEP_HEADER, /* collecting a box header */
    STEP_HOLD,   /* collecting a whole box that is looked into */
    STEP_PASS,   /* handing an mdat through */
    STEP_SKIP,   /* a box that is of no use here (mfra, free, sidx …) */
};

struct cutter {
    struct cutter_events events;
    enum step step;
    enum rc broken;  /* RC_OK, or what every later call returns */
    int have_init;   /* the init event was sent */
    int in_fragment; /* a moof was taken, its mdat is awaited */
    uint32_t type;   /* of the current box */
    uint64_t left;   /* bytes of the current box still to come */
    uint8_t *held;   /* ftyp + moov, or one moof, or a header being collected */
    size_t held_size, held_room;
    size_t box_at; /* where the current box begins in held */
};

enum rc cutter_open(const struct cutter_events *events, struct cutter **out)
{
    struct cutter *c = calloc(1, sizeof(*c));
    if (!c)
        return RC_NOMEM;
    c->events = *events;
    *out = c;
    return RC_OK;
}

void cutter_free(struct cutter *c)
{
    if (!c)
        return;
    free(c->held);
    free(c);
}

static enum rc hold(struct cutter *c, const uint8_t *data, size_t n)
{
    if (n > CUTTER_HEADER_MAX - c->held_size)
        return RC_TOO_LARGE;
    if (c->held_size + n > c->held_room) {
        size_t room = (c->held_size + n) * 2;
        if (room > CUTTER_HEADER_MAX)
            room = CUTTER_HEADER_MAX;
        uint8_t *p = realloc(c->held, room);
        if (!p)
            return RC_NOMEM;
        c->held = p;
        c->held_room = room;
    }
    memcpy(c->held + c->held_size, data, n);
    c->held_size += n;
    return RC_OK;
}

/* How many boxes of a type are in parent; -1 if the boxes do not fit into it. */
static int count_children(const struct bmff_box *parent, uint32_t type)
{
    struct bmff_iter it = bmff_children(parent, 0);
    struct bmff_box box;
    enum rc rc;
    int n = 0;
    while ((rc = bmff_next(&it, &box)) == RC_OK)
        n += box.type == type;
    return rc == RC_NOT_FOUND ? n : -1;
}

enum rc cutter_timescale(const uint8_t *moov, size_t n, uint32_t *out)
{
    static const uint32_t path[] = {MOOV, TRAK, MDIA, MDHD};
    struct bmff_box box, mdhd;

    if (bmff_find(moov, n, path, 4, &mdhd) != RC_OK || mdhd.body_size < 4)
        return RC_INVALID;
    if (bmff_find(moov, n, path, 1, &box) != RC_OK)
        return RC_INVALID;
    size_t at = mdhd.body[0] == 1 ? 20 : 12;
    if (count_children(&box, TRAK) != 1 || mdhd.body_size < at + 4)
        return RC_INVALID;
    *out = bmff_u32(mdhd.body + at);
    return *out ? RC_OK : RC_INVALID;
}

static enum rc read_tfdt(const struct bmff_box *tfdt, uint64_t *out)
{
    size_t width = tfdt->body_size > 0 && tfdt->body[0] == 1 ? 8 : 4;
    if (tfdt->body_size < 4 + width)
        return RC_INVALID;
    *out = width == 8 ? bmff_u64(tfdt->body + 4) : bmff_u32(tfdt->body + 4);
    return RC_OK;
}

/* Fields of a trun's entries (ISO/IEC 14496-12 s. 8.8.8), by their flags. */
enum {
    TRUN_DATA_OFFSET = 0x1,
    TRUN_FIRST_FLAGS = 0x4,
    TRUN_DURATION = 0x100,
    TRUN_SIZE = 0x200,
    TRUN_FLAGS = 0x400,
    TRUN_OFFSET = 0x800,
};

/* The composition offset of the first sample; 0 where none is stated. */
static enum rc read_offset(const struct bmff_box *trun, int64_t *out)
{
    uint32_t flags = bmff_u32(trun->body) & 0xffffff;
    size_t at = 8;
    *out = 0;
    if (!(flags & TRUN_OFFSET))
        return RC_OK;
    for (uint32_t f = TRUN_DATA_OFFSET; f < TRUN_OFFSET; f <<= 1)
        at += flags & f ? 4 : 0;
    if (trun->body_size < at + 4)
        return RC_INVALID;
    uint32_t v = bmff_u32(trun->body + at);
    *out = trun->body[0] == 0 ? (int64_t)v : (int64_t)(int32_t)v;
    return RC_OK;
}

static enum rc read_trun(const struct bmff_box *trun, struct cutter_fragment *f)
{
    if (trun->body_size < 8)
        return RC_INVALID;
    uint32_t samples = bmff_u32(trun->body + 4);
    enum rc rc = RC_OK;
    if (f->frames == 0 && samples > 0)
        rc = read_offset(trun, &f->offset);
    f->frames += samples;
    return rc;
}

enum rc cutter_read_moof(const uint8_t *moof, size_t n, struct cutter_fragment *f)
{
    static const uint32_t path[] = {MOOF, TRAF};
    struct bmff_box traf, box;
    enum rc rc;
    int times = 0;

    if (bmff_find(moof, n, path, 1, &box) != RC_OK || count_children(&box, TRAF) != 1)
        return RC_INVALID;
    if (bmff_find(moof, n, path, 2, &traf) != RC_OK)
        return RC_INVALID;

    *f = (struct cutter_fragment){0};
    struct bmff_iter it = bmff_children(&traf, 0);
    while ((rc = bmff_next(&it, &box)) == RC_OK) {
        if (box.type == TFDT) {
            if (read_tfdt(&box, &f->decode_time) != RC_OK)
                return RC_INVALID;
            times++;
        } else if (box.type == TRUN && read_trun(&box, f) != RC_OK) {
            return RC_INVALID;
        }
    }
    return times == 1 && rc == RC_NOT_FOUND ? RC_OK : RC_INVALID;
}

/* A held box is whole: the init segment after moov, a fragment's start after moof. */
static enum rc held_box_done(struct cutter *c)
{
    enum rc rc = RC_OK;
    if (c->type == FTYP)
        return RC_OK; /* stays held until moov has come */
    if (c->type == MOOV) {
        uint32_t timescale;
        rc =
            cutter_timescale(c->held + c->box_at, c->held_size - c->box_at, &timescale);
        if (rc == RC_OK)
            rc = c->events.init(c->events.arg, c->held, c->held_size, timescale);
        c->have_init = 1;
    } else {
        struct cutter_fragment f;
        rc = cutter_read_moof(c->held, c->held_size, &f);
        if (rc == RC_OK)
            rc = c->events.fragment_begin(c->events.arg, &f);
        if (rc == RC_OK)
            rc = c->events.fragment_data(c->events.arg, c->held, c->held_size);
        c->in_fragment = 1;
    }
    c->held_size = 0;
    return rc;
}

static enum rc box_done(struct cutter *c)
{
    enum rc rc = RC_OK;
    if (c->step == STEP_HOLD) {
        rc = held_box_done(c);
    } else if (c->step == STEP_PASS) {
        c->in_fragment = 0;
        rc = c->events.fragment_end(c->events.arg);
    }
    c->step = STEP_HEADER;
    c->box_at = c->held_size;
    return rc;
}

/* What is to be done with the box whose header is at the end of held. */
static enum rc box_begin(struct cutter *c, const struct bmff_header *h)
{
    c->type = h->type;
    if (h->size == 0)
        return RC_INVALID; /* up to the end of file: not in a stream */
    c->left = h->size - h->header_size;
    switch (h->type) {
    case FTYP:
    case MOOV:
        c->step = STEP_HOLD;
        return c->have_init ? RC_INVALID : RC_OK;
    case MOOF:
        c->step = STEP_HOLD;
        return c->have_init && !c->in_fragment ? RC_OK : RC_INVALID;
    case MDAT:
        if (!c->in_fragment)
            return RC_INVALID;
        c->step = STEP_PASS;
        c->held_size = c->box_at;
        return c->events.fragment_data(c->events.arg, c->held + c->box_at,
                                       h->header_size);
    default:
        c->step = STEP_SKIP;
        c->held_size = c->box_at;
        return c->in_fragment ? RC_INVALID : RC_OK;
    }
}

/* One byte at a time up to a whole header: at most 16 of them a box. */
static enum rc take_header(struct cutter *c, uint8_t byte)
{
    struct bmff_header h;
    enum rc rc = hold(c, &byte, 1);
    if (rc != RC_OK)
        return rc;
    rc = bmff_header(c->held + c->box_at, c->held_size - c->box_at, &h);
    if (rc == RC_TRUNCATED)
        return RC_OK;
    if (rc == RC_OK)
        rc = box_begin(c, &h);
    if (rc == RC_OK && c->left == 0)
        rc = box_done(c);
    return rc;
}

static enum rc take_body(struct cutter *c, const uint8_t *data, size_t n)
{
    enum rc rc = RC_OK;
    if (c->step == STEP_HOLD)
        rc = hold(c, data, n);
    else if (c->step == STEP_PASS)
        rc = c->events.fragment_data(c->events.arg, data, n);
    c->left -= n;
    if (rc == RC_OK && c->left == 0)
        rc = box_done(c);
    return rc;
}

enum rc cutter_feed(struct cutter *c, const void *data, size_t n)
{
    const uint8_t *p = data;
    while (n > 0 && c->broken == RC_OK) {
        size_t take = 1;
        if (c->step == STEP_HEADER) {
            c->broken = take_header(c, *p);
        } else {
            take = n < c->left ? n : (size_t)c->left;
            c->broken = take_body(c, p, take);
        }
        p += take;
        n -= take;
    }
    return c->broken;
}

enum rc cutter_finish(struct cutter *c)
{
    if (c->broken != RC_OK)
        return c->broken;
    int whole = c->step == STEP_HEADER && c->held_size == c->box_at && !c->in_fragment;
    return whole && c->have_init ? RC_OK : RC_TRUNCATED;
}
