#include "mp4_head.h"

#include "bmff.h"
#include "mp4_tables.h"

#include <stdlib.h>
#include <string.h>

#define FTYP BMFF_FOURCC('f', 't', 'y', 'p')
#define MOOV BMFF_FOURCC('m', 'o', 'o', 'v')
#define MVEX BMFF_FOURCC('m', 'v', 'e', 'x')
#define CMOV BMFF_FOURCC('c', 'm', 'o', 'v')
#define STCO BMFF_FOURCC('s', 't', 'c', 'o')
#define CO64 BMFF_FOURCC('c', 'o', '6', '4')

#define MOOV_MAX (1u << 30)

/* Where the tables of chunk offsets are. */
static const uint32_t path[] = {
    BMFF_FOURCC('t', 'r', 'a', 'k'),
    BMFF_FOURCC('m', 'd', 'i', 'a'),
    BMFF_FOURCC('m', 'i', 'n', 'f'),
    BMFF_FOURCC('s', 't', 'b', 'l'),
};
#define PATH_SIZE (sizeof(path) / sizeof(path[0]))

/* ---- what the index refers to ----------------------------------------------- */

struct chunks {
    uint64_t begin, end; /* of the index in the file */
    uint64_t n_narrow;   /* offsets of 32 bits */
    uint64_t max_narrow; /* the greatest of them */
    uint64_t least, greatest;
    uint64_t n;
    bool inside; /* one points into the index itself */
    bool behind; /* one points to after it */
    bool fragmented, compressed;
};

static enum rc scan_table(const struct bmff_box *box, struct chunks *c)
{
    struct mp4_table t;
    bool wide = box->type == CO64;
    if (mp4_table_read(box, 0, wide ? 8 : 4, &t) != RC_OK)
        return RC_INVALID;
    for (uint32_t i = 0; i < t.n; i++) {
        uint64_t at =
            wide ? bmff_u64(t.p + (size_t)i * 8) : bmff_u32(t.p + (size_t)i * 4);
        if (c->n == 0 || at < c->least)
            c->least = at;
        if (at > c->greatest)
            c->greatest = at;
        if (!wide && at > c->max_narrow)
            c->max_narrow = at;
        c->inside |= at >= c->begin && at < c->end;
        c->behind |= at >= c->end;
        c->n++;
        c->n_narrow += !wide;
    }
    return RC_OK;
}

/* box: at this depth of the path. */
static enum rc scan(const struct bmff_box *box, size_t depth, struct chunks *c)
{
    struct bmff_iter it = bmff_children(box, 0);
    struct bmff_box child;
    enum rc rc;
    while ((rc = bmff_next(&it, &child)) == RC_OK) {
        if (depth == PATH_SIZE && (child.type == STCO || child.type == CO64))
            rc = scan_table(&child, c);
        else if (depth < PATH_SIZE && child.type == path[depth])
            rc = scan(&child, depth + 1, c);
        if (rc != RC_OK)
            return rc;
        c->fragmented |= depth == 0 && child.type == MVEX;
        c->compressed |= depth == 0 && child.type == CMOV;
    }
    return rc == RC_NOT_FOUND ? RC_OK : rc;
}

static enum rc whole_box(const void *p, size_t n, uint32_t type, struct bmff_box *out)
{
    struct bmff_iter it = bmff_iter(p, n);
    if (bmff_next(&it, out) != RC_OK || out->type != type || it.p != it.end)
        return RC_INVALID;
    return RC_OK;
}

/* Fills c too where it returns NULL. */
static const char *fault(const struct mp4_head_source *s, struct chunks *c)
{
    struct bmff_box moov;
    *c = (struct chunks){.begin = s->moov_offset, .end = s->moov_offset + s->moov_size};
    if (whole_box(s->moov, s->moov_size, MOOV, &moov) != RC_OK)
        return "The index that was sent is not a whole moov box.";
    if (s->moov_offset > s->file_size || s->moov_size > s->file_size - s->moov_offset)
        return "The index that was sent would end after the file does.";
    if (s->moov_offset < s->media)
        return "The index that was sent would begin before the media do.";
    if (scan(&moov, 0, c) != RC_OK)
        return "The index that was sent is damaged.";
    if (c->n > 0 && (c->least < s->media || c->greatest >= s->file_size))
        return "The index that was sent refers to media outside the file.";
    if (c->inside)
        return "The index that was sent refers to media where it is itself.";
    return NULL;
}

const char *mp4_head_fault(const struct mp4_head_source *source)
{
    struct chunks c;
    return fault(source, &c);
}

/* ---- making the head -------------------------------------------------------- */

struct writer {
    uint8_t *p; /* has room for all */
    size_t n;
    int64_t delta; /* added to each chunk offset */
    bool widen;    /* offsets of 32 bits become 64 */
};

static void put(struct writer *w, const void *data, size_t n)
{
    memcpy(w->p + w->n, data, n);
    w->n += n;
}

static void put_number(struct writer *w, uint64_t value, int bytes)
{
    for (int i = bytes - 1; i >= 0; i--)
        w->p[w->n++] = (uint8_t)(value >> (8 * i));
}

/* The size of the box that begins at `at` and ends here, in the field it had it in. */
static void put_size(struct writer *w, size_t at)
{
    size_t end = w->n;
    bool wide = bmff_u32(w->p + at) == 1;
    w->n = wide ? at + 8 : at;
    put_number(w, end - at, wide ? 8 : 4);
    w->n = end;
}

static void put_table(struct writer *w, const struct bmff_box *box)
{
    bool wide = box->type == CO64;
    size_t at = w->n;
    struct mp4_table t;
    /* It was scanned before, and cannot fail. */
    if (mp4_table_read(box, 0, wide ? 8 : 4, &t) != RC_OK)
        return;
    put(w, box->start, (size_t)(box->body - box->start));
    put(w, box->body, 8);
    for (uint32_t i = 0; i < t.n; i++) {
        uint64_t old =
            wide ? bmff_u64(t.p + (size_t)i * 8) : bmff_u32(t.p + (size_t)i * 4);
        put_number(w, old + (uint64_t)w->delta, wide || w->widen ? 8 : 4);
    }
    const uint8_t *rest = t.p + (size_t)t.n * (wide ? 8 : 4);
    put(w, rest, (size_t)(box->body + box->body_size - rest));
    if (w->widen)
        memcpy(w->p + at + 4, "co64", 4);
    put_size(w, at);
}

static void put_box(struct writer *w, const struct bmff_box *box, size_t depth)
{
    struct bmff_iter it = bmff_children(box, 0);
    const uint8_t *rest = it.p;
    struct bmff_box child;
    size_t at = w->n;
    put(w, box->start, (size_t)(box->body - box->start));
    for (; bmff_next(&it, &child) == RC_OK; rest = it.p) {
        if (depth == PATH_SIZE && (child.type == STCO || child.type == CO64))
            put_table(w, &child);
        else if (depth < PATH_SIZE && child.type == path[depth])
            put_box(w, &child, depth + 1);
        else
            put(w, child.start, (size_t)(it.p - child.start));
    }
    put(w, rest, (size_t)(it.end - rest)); /* a terminator of QuickTime */
    put_size(w, at);
}

/* An mdat box whose payload has n bytes. */
static void put_mdat(struct writer *w, uint64_t n, bool wide)
{
    put_number(w, wide ? 1 : n + 8, 4);
    put(w, "mdat", 4);
    if (wide)
        put_number(w, n + 16, 8);
}

/* Room for the head, and by how much it moves the media. */
static size_t plan(const struct mp4_head_source *s, const struct chunks *c,
                   uint64_t payload, struct writer *w)
{
    size_t size = s->ftyp_size + s->moov_size + (payload > UINT32_MAX - 8 ? 16 : 8);
    w->delta = (int64_t)size - (int64_t)s->media;
    w->widen = (int64_t)c->max_narrow + w->delta > UINT32_MAX;
    if (w->widen) {
        size += 4 * (size_t)c->n_narrow;
        w->delta += 4 * (int64_t)c->n_narrow;
    }
    return size;
}

enum rc mp4_head_make(const struct mp4_head_source *source, struct mp4_head *out)
{
    const struct mp4_head_source *s = source;
    struct bmff_box ftyp, moov;
    struct writer w = {0};
    struct chunks c;

    if (s->moov_size > MOOV_MAX || s->ftyp_size > MOOV_MAX)
        return RC_TOO_LARGE;
    if (s->moov_offset < s->media)
        return RC_EXISTS;
    if (fault(s, &c) || s->file_size > INT64_MAX ||
        whole_box(s->ftyp, s->ftyp_size, FTYP, &ftyp) != RC_OK ||
        whole_box(s->moov, s->moov_size, MOOV, &moov) != RC_OK)
        return RC_INVALID;
    if (c.fragmented || c.compressed)
        return RC_UNSUPPORTED;

    uint64_t end = c.behind ? s->file_size : s->moov_offset;
    size_t size = plan(s, &c, end - s->media, &w);
    w.p = malloc(size);
    if (!w.p)
        return RC_NOMEM;
    put(&w, s->ftyp, s->ftyp_size);
    put_size(&w, 0);
    put_box(&w, &moov, 0);
    put_mdat(&w, end - s->media, end - s->media > UINT32_MAX - 8);
    *out = (struct mp4_head){w.p, w.n, s->media, end};
    return RC_OK;
}

void mp4_head_free(struct mp4_head *head)
{
    if (!head)
        return;
    free(head->bytes);
    *head = (struct mp4_head){0};
}
