#include "bounds.h"

#include <stdlib.h>

/* Bytes of one segment: its start and its frames, both little-endian. */
#define ENTRY 12
/* More than a day of one segment a second; what claims more is no list of ours. */
#define SEGMENTS_MAX 1000000

enum rc bounds_alloc(int64_t n, struct bounds *out)
{
    struct bounds b = {.n = n};
    b.start_us = calloc((size_t)n + 1, sizeof(*b.start_us));
    b.frames = calloc((size_t)n, sizeof(*b.frames));
    if (!b.start_us || !b.frames) {
        bounds_free(&b);
        return RC_NOMEM;
    }
    *out = b;
    return RC_OK;
}

void bounds_free(struct bounds *b)
{
    free(b->start_us);
    free(b->frames);
    *b = (struct bounds){0};
}

int64_t bounds_duration_us(const struct bounds *b, int64_t k)
{
    return b->start_us[k + 1] - (k == 0 ? 0 : b->start_us[k]);
}

int64_t bounds_segments_before(const struct bounds *b, int64_t us)
{
    int64_t low = 0, high = b->n; /* so many at least, and at most */
    while (low < high) {
        int64_t k = low + (high - low) / 2;
        if (b->start_us[k + 1] <= us)
            low = k + 1;
        else
            high = k;
    }
    return low;
}

int64_t bounds_target_s(const struct bounds *b)
{
    int64_t target = 1;
    for (int64_t k = 0; k < b->n; k++) {
        int64_t s = (bounds_duration_us(b, k) + 500000) / 1000000;
        if (s > target)
            target = s;
    }
    return target;
}

static void put(uint8_t *at, uint64_t v, int bytes)
{
    for (int i = 0; i < bytes; i++)
        at[i] = (uint8_t)(v >> (8 * i));
}

static uint64_t get(const uint8_t *at, int bytes)
{
    uint64_t v = 0;
    for (int i = 0; i < bytes; i++)
        v |= (uint64_t)at[i] << (8 * i);
    return v;
}

enum rc bounds_pack(const struct bounds *b, uint8_t **out, size_t *n)
{
    size_t size = (size_t)b->n * ENTRY + 8;
    uint8_t *bytes = malloc(size);
    if (!bytes)
        return RC_NOMEM;
    for (int64_t k = 0; k < b->n; k++) {
        put(bytes + k * ENTRY, (uint64_t)b->start_us[k], 8);
        put(bytes + k * ENTRY + 8, b->frames[k], 4);
    }
    put(bytes + b->n * ENTRY, (uint64_t)b->start_us[b->n], 8);
    *out = bytes;
    *n = size;
    return RC_OK;
}

bool bounds_are_valid(const struct bounds *b)
{
    if (b->n < 1 || b->n > SEGMENTS_MAX)
        return false;
    for (int64_t k = 0; k < b->n; k++)
        if (b->frames[k] == 0 || b->start_us[k] < 0 ||
            b->start_us[k + 1] <= b->start_us[k])
            return false;
    return true;
}

enum rc bounds_unpack(const uint8_t *bytes, size_t n, struct bounds *out)
{
    struct bounds b;
    if (n < ENTRY + 8 || (n - 8) % ENTRY != 0 || (n - 8) / ENTRY > SEGMENTS_MAX)
        return RC_INVALID;
    enum rc rc = bounds_alloc((int64_t)((n - 8) / ENTRY), &b);
    if (rc != RC_OK)
        return rc;
    for (int64_t k = 0; k < b.n; k++) {
        b.start_us[k] = (int64_t)get(bytes + k * ENTRY, 8);
        b.frames[k] = (uint32_t)get(bytes + k * ENTRY + 8, 4);
    }
    b.start_us[b.n] = (int64_t)get(bytes + b.n * ENTRY, 8);
    if (!bounds_are_valid(&b)) {
        bounds_free(&b);
        return RC_INVALID;
    }
    *out = b;
    return RC_OK;
}
