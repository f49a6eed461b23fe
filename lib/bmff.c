#include "bmff.h"

#include <stdbool.h>

enum rc bmff_header(const uint8_t *data, size_t n, struct bmff_header *out)
{
    struct bmff_header h = {.header_size = 8};

    if (n < 8)
        return RC_TRUNCATED;
    h.size = bmff_u32(data);
    h.type = bmff_u32(data + 4);
    if (h.size == 1) {
        if (n < 16)
            return RC_TRUNCATED;
        h.header_size = 16;
        h.size = bmff_u64(data + 8);
        /* "To the end of the file" is a zero in the 32-bit field only. */
        if (h.size == 0)
            return RC_INVALID;
    }
    if (h.size != 0 && h.size < h.header_size)
        return RC_INVALID;
    *out = h;
    return RC_OK;
}

struct bmff_iter bmff_iter(const void *data, size_t n)
{
    const uint8_t *p = data;

    return (struct bmff_iter){.p = p, .end = n > 0 ? p + n : p};
}

struct bmff_iter bmff_children(const struct bmff_box *box, size_t skip)
{
    if (skip > box->body_size)
        skip = box->body_size;
    if (box->body_size == 0)
        return bmff_iter(box->body, 0);
    return bmff_iter(box->body + skip, box->body_size - skip);
}

/* QuickTime ends some lists with a zero too short to be a box (QTFF, "User data"). */
static bool is_terminator(const uint8_t *p, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (p[i] != 0)
            return false;
    return n < 8;
}

enum rc bmff_next(struct bmff_iter *it, struct bmff_box *out)
{
    size_t left = (size_t)(it->end - it->p);
    struct bmff_header h;
    size_t size;

    if (is_terminator(it->p, left)) {
        it->p = it->end;
        return RC_NOT_FOUND;
    }
    if (bmff_header(it->p, left, &h) != RC_OK || h.size > left)
        return RC_INVALID;
    size = h.size == 0 ? left : (size_t)h.size;
    *out = (struct bmff_box){
        .type = h.type,
        .start = it->p,
        .body = it->p + h.header_size,
        .body_size = size - h.header_size,
    };
    it->p += size;
    return RC_OK;
}

static enum rc find_one(struct bmff_iter it, uint32_t type, struct bmff_box *out)
{
    struct bmff_box box;
    enum rc rc;

    while ((rc = bmff_next(&it, &box)) == RC_OK) {
        if (box.type == type) {
            *out = box;
            return RC_OK;
        }
    }
    return rc;
}

enum rc bmff_find(const void *data, size_t n, const uint32_t *path, size_t count,
                  struct bmff_box *out)
{
    struct bmff_iter it = bmff_iter(data, n);
    struct bmff_box box;

    for (size_t i = 0; i < count; i++) {
        enum rc rc = find_one(it, path[i], &box);

        if (rc != RC_OK)
            return rc;
        it = bmff_children(&box, 0);
    }
    *out = box;
    return RC_OK;
}
