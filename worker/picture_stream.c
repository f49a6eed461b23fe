#include "picture_stream.h"

#include "ebml.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* RFC 9559, section 5.1. */
enum {
    SEGMENT = 0x18538067,
    CLUSTER = 0x1F43B675,
    TIMESTAMP = 0xE7,
    SIMPLE_BLOCK = 0xA3,
    BLOCK_GROUP = 0xA0,
    BLOCK = 0xA1,
};

#define LACING 0x06 /* of a block's flags, section 10.2 */

struct picture_stream {
    enum rc (*on_picture)(void *arg, uint64_t track, int64_t time_ms,
                          const uint8_t *data, size_t n);
    void *arg;
    uint8_t head[EBML_HEADER_MAX];
    size_t n_head;
    struct ebml_element element; /* whose body comes, while `left` is not 0 */
    uint64_t left;               /* bytes of it */
    uint8_t *body;               /* what has come of it; NULL: it is passed over */
    size_t n_body;
    int64_t cluster_ms;
};

enum rc picture_stream_open(enum rc (*on_picture)(void *arg, uint64_t track,
                                                  int64_t time_ms, const uint8_t *data,
                                                  size_t n),
                            void *arg, struct picture_stream **out)
{
    struct picture_stream *s = calloc(1, sizeof(*s));
    if (!s)
        return RC_NOMEM;
    s->on_picture = on_picture;
    s->arg = arg;
    *out = s;
    return RC_OK;
}

void picture_stream_free(struct picture_stream *s)
{
    if (!s)
        return;
    free(s->body);
    free(s);
}

static enum rc take_block(struct picture_stream *s)
{
    uint64_t track;
    int length;
    if (ebml_vint(s->body, s->n_body, 8, &track, &length) != RC_OK ||
        s->n_body < (size_t)length + 3)
        return RC_INVALID;
    const uint8_t *p = s->body + length;
    if (p[2] & LACING)
        return RC_INVALID;
    int64_t time_ms = s->cluster_ms + (int16_t)(p[0] << 8 | p[1]);
    return s->on_picture(s->arg, track, time_ms, p + 3, s->n_body - (size_t)length - 3);
}

static enum rc end_element(struct picture_stream *s)
{
    enum rc rc = RC_OK;
    if (s->body && s->element.id == TIMESTAMP)
        s->cluster_ms = (int64_t)ebml_uint(s->body, s->n_body);
    else if (s->body)
        rc = take_block(s);
    free(s->body);
    s->body = NULL;
    s->n_body = 0;
    return rc;
}

/* The header of an element is complete: its body is entered, kept or passed over. */
static enum rc begin_element(struct picture_stream *s)
{
    const struct ebml_element *e = &s->element;
    if (e->id == SEGMENT || e->id == CLUSTER || e->id == BLOCK_GROUP)
        return RC_OK;
    if (e->size == EBML_UNKNOWN)
        return RC_INVALID;
    s->left = e->size;
    if (e->id != TIMESTAMP && e->id != SIMPLE_BLOCK && e->id != BLOCK)
        return RC_OK;
    if (e->size == 0)
        return RC_INVALID;
    if (e->size > PICTURE_BYTES_MAX)
        return RC_TOO_LARGE;
    s->body = malloc((size_t)e->size);
    return s->body ? RC_OK : RC_NOMEM;
}

static enum rc take_head_byte(struct picture_stream *s, uint8_t byte)
{
    s->head[s->n_head++] = byte;
    enum rc rc = ebml_header(s->head, s->n_head, &s->element);
    if (rc == RC_TRUNCATED && s->n_head < sizeof(s->head))
        return RC_OK;
    s->n_head = 0;
    return rc == RC_OK ? begin_element(s) : RC_INVALID;
}

enum rc picture_stream_feed(struct picture_stream *s, const void *data, size_t n)
{
    const uint8_t *p = data;
    enum rc rc = RC_OK;
    while (n > 0 && rc == RC_OK) {
        size_t part = s->left < n ? (size_t)s->left : n;
        if (part == 0) {
            rc = take_head_byte(s, *p);
            p++;
            n--;
            continue;
        }
        if (s->body) {
            memcpy(s->body + s->n_body, p, part);
            s->n_body += part;
        }
        p += part;
        n -= part;
        s->left -= part;
        if (s->left == 0)
            rc = end_element(s);
    }
    return rc;
}
