/* boxes.h: builds ISO BMFF boxes (ISO 14496-12) in memory, for tests. */
#ifndef DROPSTREAM_TEST_BOXES_H
#define DROPSTREAM_TEST_BOXES_H

#include "check.h"

#include <stdlib.h>
#include <string.h>

/* Grows as needed; all zero is empty. Freed by bytes_free. */
struct bytes {
    uint8_t *p;
    size_t n, room;
};

static inline void bytes_add(struct bytes *b, const void *data, size_t n)
{
    if (b->n + n > b->room) {
        b->room = (b->n + n) * 2;
        b->p = realloc(b->p, b->room);
        assert_non_null(b->p);
    }
    if (n > 0)
        memcpy(b->p + b->n, data, n);
    b->n += n;
}

static inline void bytes_free(struct bytes *b)
{
    free(b->p);
    *b = (struct bytes){0};
}

static inline void bytes_fill(struct bytes *b, uint8_t value, size_t n)
{
    for (size_t i = 0; i < n; i++)
        bytes_add(b, &value, 1);
}

/* value in n bytes, big-endian. */
static inline void bytes_number(struct bytes *b, uint64_t value, int n)
{
    for (int i = n - 1; i >= 0; i--)
        bytes_fill(b, i < 8 ? (uint8_t)(value >> (8 * i)) : 0, 1);
}

/* Begins a box; what is added until box_close(b, <the result>) is in it. */
static inline size_t box_open(struct bytes *b, const char *type)
{
    size_t at = b->n;
    bytes_number(b, 0, 4);
    bytes_add(b, type, 4);
    return at;
}

/* As box_open, with a 64-bit size. */
static inline size_t box_open_wide(struct bytes *b, const char *type)
{
    size_t at = b->n;
    bytes_number(b, 1, 4);
    bytes_add(b, type, 4);
    bytes_number(b, 0, 8);
    return at;
}

static inline void box_put_size(struct bytes *b, size_t at, uint64_t size)
{
    struct bytes number = {0};
    int wide = b->p[at + 3] == 1;
    bytes_number(&number, size, wide ? 8 : 4);
    memcpy(b->p + at + (wide ? 8 : 0), number.p, number.n);
    bytes_free(&number);
}

static inline void box_close(struct bytes *b, size_t at)
{
    box_put_size(b, at, b->n - at);
}

/* A box of n bytes of filling. */
static inline void box_filled(struct bytes *b, const char *type, uint8_t value,
                              size_t n)
{
    size_t at = box_open(b, type);
    bytes_fill(b, value, n);
    box_close(b, at);
}

#endif
