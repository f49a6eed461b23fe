#include "mp4_frag.h"

#include "mp4_moof.h"
#include "mp4_tables.h"
#include "mp4_time.h"

#include <stdlib.h>
#include <string.h>

#define MOOV BMFF_FOURCC('m', 'o', 'o', 'v')
#define MVEX BMFF_FOURCC('m', 'v', 'e', 'x')
#define TREX BMFF_FOURCC('t', 'r', 'e', 'x')
#define MOOF BMFF_FOURCC('m', 'o', 'o', 'f')

#define HEADER_SIZE 16
#define SAMPLES_MAX (1u << 18) /* of one moof box: over a minute of any real file */

/* How a track's times became those of ffmpeg so far. */
struct clock {
    uint32_t timescale;
    int64_t start; /* of the media: where the presentation begins, ticks */
    int64_t shift; /* ticks: the most negative composition offset, made positive */
    int64_t next;  /* decode time after the last sample that was seen */
    int64_t first; /* the smallest presentation time, before `shift` */
    bool seen;
};

struct mp4_frag {
    struct mp4_moof_track
        tracks[MP4_TRACKS_MAX]; /* as they were before the last moof */
    struct clock clocks[MP4_TRACKS_MAX];
    size_t n;
    uint64_t file_size;
    uint64_t at;   /* of the next box */
    size_t wanted; /* bytes there */
    bool in_moof;  /* they are a moof box, and not a header */
    uint8_t *moof; /* the last one */
    size_t moof_size;
    uint64_t moof_at, moof_media_end;
};

/* ---- opening ---------------------------------------------------------------- */

static void read_trex(struct mp4_frag *f, const struct bmff_box *box)
{
    for (size_t i = 0; i < f->n; i++) {
        if (f->tracks[i].id != bmff_u32(box->body + 4))
            continue;
        f->tracks[i].duration = bmff_u32(box->body + 12);
        f->tracks[i].size = bmff_u32(box->body + 16);
    }
}

static enum rc read_mvex(struct mp4_frag *f, const void *moov, size_t n)
{
    static const uint32_t path[] = {MOOV, MVEX};
    struct bmff_box mvex, box;
    enum rc rc = bmff_find(moov, n, path, 2, &mvex);
    if (rc != RC_OK)
        return rc == RC_NOT_FOUND ? RC_UNSUPPORTED : rc;
    struct bmff_iter it = bmff_children(&mvex, 0);
    while ((rc = bmff_next(&it, &box)) == RC_OK) {
        if (box.type == TREX && box.body_size < 24)
            return RC_INVALID;
        if (box.type == TREX)
            read_trex(f, &box);
    }
    return rc == RC_NOT_FOUND ? RC_OK : rc;
}

enum rc mp4_frag_open(const struct mp4_index *index, const void *moov, size_t n,
                      uint64_t from, uint64_t file_size, struct mp4_frag **out)
{
    struct mp4_frag *f = calloc(1, sizeof(*f));
    if (!f)
        return RC_NOMEM;
    f->n = mp4_index_tracks(index);
    f->at = from;
    f->wanted = HEADER_SIZE;
    f->file_size = file_size;
    for (size_t i = 0; i < f->n; i++) {
        const struct mp4_track *t = mp4_index_track(index, i);
        if (t->kind == MP4_OTHER)
            continue;
        f->tracks[i].id = t->id;
        f->tracks[i].dts_max = MP4_SECONDS_MAX * t->timescale;
        f->clocks[i].timescale = t->timescale;
        f->clocks[i].start = t->start_ticks;
    }
    enum rc rc = read_mvex(f, moov, n);
    if (rc != RC_OK) {
        mp4_frag_close(f);
        return rc;
    }
    *out = f;
    return RC_OK;
}

void mp4_frag_close(struct mp4_frag *frag)
{
    if (!frag)
        return;
    free(frag->moof);
    free(frag);
}

/* ---- walking ---------------------------------------------------------------- */

static void note_sample(void *arg, const struct mp4_moof_sample *s)
{
    struct mp4_frag *f = arg;
    struct clock *c = &f->clocks[s->track];
    int64_t pts = s->dts - c->start + s->offset;
    c->next = s->next;
    if (!c->seen || pts < c->first)
        c->first = pts;
    c->seen = true;
    if (-(int64_t)s->offset > c->shift)
        c->shift = -(int64_t)s->offset;
    if (s->end > f->moof_media_end)
        f->moof_media_end = s->end;
}

static enum rc samples_of(const struct mp4_frag *f, struct mp4_moof_track *tracks,
                          void (*each)(void *arg, const struct mp4_moof_sample *sample),
                          void *arg)
{
    struct bmff_iter it = bmff_iter(f->moof, f->moof_size);
    struct bmff_box moof;
    if (bmff_next(&it, &moof) != RC_OK)
        return RC_INVALID;
    return mp4_moof_samples(&moof, f->moof_at, tracks, f->n, SAMPLES_MAX, each, arg);
}

/* The bytes of the moof box that was waited for; nothing changes if it is refused. */
static enum rc take_moof(struct mp4_frag *f, const uint8_t *data)
{
    struct mp4_moof_track tracks[MP4_TRACKS_MAX];
    struct mp4_frag after = *f;
    if (f->moof_media_end > f->at)
        return RC_UNSUPPORTED;
    after.moof = malloc(f->wanted);
    if (!after.moof)
        return RC_NOMEM;
    memcpy(after.moof, data, f->wanted);
    after.moof_size = f->wanted;
    after.moof_at = f->at;
    for (size_t i = 0; i < f->n; i++)
        after.tracks[i].dts = f->clocks[i].next;
    memcpy(tracks, after.tracks, sizeof(tracks));
    enum rc rc = samples_of(&after, tracks, note_sample, &after);
    if (rc != RC_OK) {
        free(after.moof);
        return rc;
    }
    free(f->moof);
    *f = after;
    f->at += f->wanted;
    f->wanted = HEADER_SIZE;
    f->in_moof = false;
    return RC_OK;
}

static enum rc take_header(struct mp4_frag *f, const uint8_t *data, size_t n)
{
    uint64_t left = f->file_size - f->at;
    struct bmff_header h;
    enum rc rc = bmff_header(data, n, &h);
    if (rc == RC_TRUNCATED && n >= left)
        return RC_INVALID; /* cut off within a header */
    if (rc != RC_OK)
        return rc;
    if (h.type != MOOF) {
        f->at += h.size == 0 || h.size > left ? left : h.size;
        return RC_OK;
    }
    if (h.size == 0 || h.size > left)
        return RC_INVALID;
    if (h.size > MP4_MOOF_MAX)
        return RC_TOO_LARGE;
    f->wanted = (size_t)h.size;
    f->in_moof = true;
    return RC_OK;
}

bool mp4_frag_wants(const struct mp4_frag *frag, uint64_t *offset, size_t *n)
{
    if (frag->at >= frag->file_size)
        return false;
    *offset = frag->at;
    *n = frag->wanted;
    return true;
}

enum rc mp4_frag_feed(struct mp4_frag *frag, const void *data, size_t n)
{
    const uint8_t *p = data;
    uint64_t begin = frag->at;
    bool taken = false;
    while (frag->at - begin < n) {
        size_t done = (size_t)(frag->at - begin);
        enum rc rc = RC_TRUNCATED;
        if (!frag->in_moof)
            rc = take_header(frag, p + done, n - done);
        else if (n - done >= frag->wanted)
            rc = take_moof(frag, p + done);
        if (rc != RC_OK)
            return rc == RC_TRUNCATED && taken ? RC_OK : rc;
        taken = true;
    }
    return taken ? RC_OK : RC_TRUNCATED;
}

/* ---- asking ----------------------------------------------------------------- */

/* Through the last moof, for what of one track is not complete. */
struct search {
    const struct mp4_frag *frag;
    size_t track;
    uint64_t frontier;
    bool open;     /* from here on, in the order of decoding */
    int64_t least; /* time shown, ticks */
};

static void look_at(void *arg, const struct mp4_moof_sample *s)
{
    struct search *search = arg;
    const struct clock *c = &search->frag->clocks[s->track];
    if (s->track != search->track)
        return;
    search->open |= s->end > search->frontier;
    int64_t pts = s->dts - c->start + c->shift + s->offset;
    if (search->open && pts < search->least)
        search->least = pts;
}

int64_t mp4_frag_reach(const struct mp4_frag *frag, size_t track, uint64_t frontier)
{
    const struct clock *c = &frag->clocks[track];
    struct mp4_moof_track tracks[MP4_TRACKS_MAX];
    struct search search = {
        .frag = frag,
        .track = track,
        .frontier = frontier,
        .least = c->next - c->start, /* of what is still to be seen */
    };
    if (frag->at >= frag->file_size && frontier >= frag->moof_media_end)
        return INT64_MAX;
    if (!c->seen)
        return INT64_MIN;
    memcpy(tracks, frag->tracks, sizeof(tracks));
    /* It was walked before, and cannot fail. */
    if (samples_of(frag, tracks, look_at, &search) != RC_OK)
        return INT64_MIN;
    return mp4_us(search.least, c->timescale);
}

int64_t mp4_frag_first_us(const struct mp4_frag *frag, size_t track)
{
    const struct clock *c = &frag->clocks[track];
    return c->seen ? mp4_us(c->first + c->shift, c->timescale) : INT64_MAX;
}
