#include "mkv_walk.h"

#include "mkv_values.h"

void mkv_walk_init(struct mkv_walk *walk, uint64_t file_size)
{
    *walk = (struct mkv_walk){.file_size = file_size, .scale_ns = 1000000};
}

static uint32_t parent(const struct mkv_walk *w)
{
    return w->depth > 0 ? w->stack[w->depth - 1].id : 0;
}

/* True for what is gone into where it stands in its proper parent. */
static bool is_master(uint32_t id, uint32_t in)
{
    switch (id) {
    case ID_SEGMENT:
        return in == 0;
    case ID_INFO:
    case ID_TRACKS:
    case ID_CLUSTER:
        return in == ID_SEGMENT;
    case ID_TRACK_ENTRY:
        return in == ID_TRACKS;
    case ID_BLOCK_GROUP:
        return in == ID_CLUSTER;
    default:
        return false;
    }
}

/* What ends a cluster of unknown size: the other children of a segment. */
static bool is_of_segment(uint32_t id)
{
    switch (id) {
    case ID_SEEK_HEAD:
    case ID_INFO:
    case ID_CLUSTER:
    case ID_TRACKS:
    case ID_CUES:
    case ID_CHAPTERS:
    case ID_TAGS:
    case ID_ATTACHMENTS:
        return true;
    default:
        return false;
    }
}

static enum rc push(struct mkv_walk *w, uint32_t id, uint64_t end, bool open)
{
    if (id == ID_TRACK_ENTRY) {
        if (w->n_tracks == MKV_TRACKS_MAX)
            return RC_TOO_LARGE;
        w->tracks[w->n_tracks++] = (struct mkv_track){0};
    }
    if (id == ID_CLUSTER) {
        w->clusters++;
        w->in_time = false;
    }
    w->stack[w->depth].id = id;
    w->stack[w->depth].end = end;
    w->stack[w->depth].open = open;
    w->depth++;
    return RC_OK;
}

static void pop(struct mkv_walk *w)
{
    w->depth--;
    if (w->stack[w->depth].id == ID_TRACKS)
        w->has_tracks = true;
    if (w->stack[w->depth].id == ID_SEGMENT)
        w->done = true;
}

/* Leaves all that ends here. */
static void leave(struct mkv_walk *w)
{
    while (w->depth > 0 && w->at >= w->stack[w->depth - 1].end)
        pop(w);
    if (w->at >= w->file_size)
        w->done = true;
}

/* Leaves what ends because this element cannot be in it. */
static void leave_for(struct mkv_walk *w, uint32_t id)
{
    if (parent(w) == ID_CLUSTER && w->stack[w->depth - 1].open && is_of_segment(id))
        pop(w);
    if (parent(w) == ID_SEGMENT && w->stack[w->depth - 1].open &&
        (id == ID_SEGMENT || id == ID_EBML))
        pop(w);
}

/* Where an element ends, if it fits in what it is in. One of unknown size ends with
 * that at the latest. A file may be cut off anywhere, and be shorter than all of them.
 */
static enum rc find_end(const struct mkv_walk *w, struct mkv_element *el)
{
    uint64_t limit = w->depth > 0 ? w->stack[w->depth - 1].end : EBML_UNKNOWN;
    el->end = limit;
    if (el->e.size == EBML_UNKNOWN)
        return el->e.id == ID_SEGMENT || el->e.id == ID_CLUSTER ? RC_OK : RC_INVALID;
    el->end = w->at + el->e.header_size + el->e.size;
    return el->end > INT64_MAX || el->end > limit ? RC_INVALID : RC_OK;
}

static enum rc take(struct mkv_walk *w, const uint8_t *data, size_t n)
{
    struct mkv_element el;
    enum rc rc = ebml_header(data, n, &el.e);
    if (rc != RC_OK)
        return rc;
    leave_for(w, el.e.id);
    if (w->done)
        return RC_OK;
    rc = find_end(w, &el);
    if (rc != RC_OK)
        return rc;
    el.body = data + el.e.header_size;
    el.n = n - el.e.header_size;
    if (el.n > el.e.size)
        el.n = (size_t)el.e.size;

    bool into = is_master(el.e.id, parent(w));
    if (into)
        rc = push(w, el.e.id, el.end, el.e.size == EBML_UNKNOWN);
    else if (el.e.size == EBML_UNKNOWN || (w->depth == 0 && el.e.id != ID_EBML))
        rc = RC_INVALID;
    else
        rc = mkv_take_value(w, parent(w), &el);
    if (rc != RC_OK)
        return rc;
    w->at = into ? w->at + el.e.header_size : el.end;
    leave(w);
    return RC_OK;
}

enum rc mkv_walk_feed(struct mkv_walk *walk, const void *data, size_t n)
{
    const uint8_t *p = data;
    uint64_t begin = walk->at;
    enum rc rc = RC_OK;
    if (n > 0)
        mkv_settle_block(walk);
    while (rc == RC_OK && !walk->done && walk->at - begin < n) {
        size_t done = (size_t)(walk->at - begin);
        rc = take(walk, p + done, n - done);
        if (rc == RC_OK && walk->at - begin < n)
            mkv_settle_block(walk);
    }
    return rc == RC_TRUNCATED && walk->at > begin ? RC_OK : rc;
}

bool mkv_walk_wants(struct mkv_walk *walk, uint64_t frontier, uint64_t *offset)
{
    int top = walk->depth - 1;
    if (walk->done)
        return false;
    /* Past the blocks of a cluster that is there, once its time is known. */
    if (parent(walk) == ID_CLUSTER && walk->in_time && walk->clusters > 1 &&
        !walk->stack[top].open && walk->stack[top].end <= frontier) {
        walk->block.end = 0;
        walk->at = walk->stack[top].end;
        leave(walk);
    }
    if (walk->done)
        return false;
    *offset = walk->at;
    return true;
}
