#include "source_bounds_walk.h"

#include "ebml.h"

#define MKV_EBML 0x1a45dfa3
#define MKV_SEGMENT 0x18538067
#define MKV_TRACK 0xae
#define MKV_CLUSTER 0x1f43b675

/* Those that hold others, of which ffmpeg keeps each: the lists of places, tracks,
 * cues, chapters, tags and attachments. */
static bool holds_elements(uint32_t id)
{
    static const uint32_t ids[] = {
        0x114d9b74, 0x1654ae6b, 0x1c53bb6b, 0x1043a770,
        0x45b9,     0x1254c367, 0x7373,     0x1941a469,
    };
    return source_bounds_is_one_of(id, ids, sizeof(ids) / sizeof(ids[0]));
}

/* Those that are in no other than a segment (RFC 9559 s. 5.1), or in none at all. */
static bool ends_open_ones(uint32_t id)
{
    static const uint32_t ids[] = {
        MKV_EBML,   MKV_SEGMENT, MKV_CLUSTER, 0x114d9b74, 0x1549a966,
        0x1654ae6b, 0x1c53bb6b,  0x1941a469,  0x1043a770, 0x1254c367,
    };
    return source_bounds_is_one_of(id, ids, sizeof(ids) / sizeof(ids[0]));
}

enum rc source_bounds_step_mkv(struct source_bounds *b, const uint8_t *p, size_t n)
{
    struct ebml_element e;
    enum rc rc = ebml_header(p, n, &e);
    if (rc != RC_OK)
        return rc;
    while (b->depth >= 2 && b->levels[b->depth].is_open && ends_open_ones(e.id))
        b->depth--;
    const struct level *in = &b->levels[b->depth];
    uint64_t end = in->end, body = b->at + e.header_size;
    bool unknown = e.size == EBML_UNKNOWN;
    bool is_open_cluster = unknown && e.id == MKV_CLUSTER;
    bool enters = b->depth < SOURCE_DEPTH &&
                  (e.id == MKV_SEGMENT || is_open_cluster || holds_elements(e.id));
    if (unknown && !enters)
        return RC_INVALID;
    uint64_t stop = unknown || body > end || e.size > end - body ? end : body + e.size;
    b->streams += e.id == MKV_TRACK;
    b->parts += b->depth >= 2 && in->inside != INSIDE_CLUSTER;
    if (enters)
        b->levels[++b->depth] = (struct level){
            .end = stop,
            .inside = is_open_cluster ? INSIDE_CLUSTER : INSIDE_BOXES,
            .is_open = unknown,
        };
    b->at = enters && body < stop ? body : stop;
    return RC_OK;
}
