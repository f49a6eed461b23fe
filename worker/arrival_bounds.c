#include "arrival_bounds.h"

static uint64_t known_size(const struct arrival_bounds *b)
{
    return b->file_size < 0 ? UINT64_MAX : (uint64_t)b->file_size;
}

enum rc arrival_bounds_open(enum container container, int64_t file_size,
                            struct arrival_bounds *out)
{
    *out = (struct arrival_bounds){.container = container, .file_size = file_size};
    return source_bounds_open(container, &out->file);
}

void arrival_bounds_close(struct arrival_bounds *b)
{
    source_bounds_close(b->file);
    source_bounds_close(b->ahead);
}

void arrival_bounds_count(struct arrival_bounds *b, int fd, int64_t size)
{
    struct source_bytes from = {.fd = fd,
                                .have = (uint64_t)size,
                                .size = known_size(b),
                                .file_size = known_size(b)};
    enum rc rc = source_bounds_look(b->file, &from, b->why, sizeof(b->why));
    b->refused = rc == RC_UNSUPPORTED;
    b->failed = rc != RC_OK && !b->refused;
    b->uncounted = b->failed || source_bounds_is_behind(b->file);
}

enum rc arrival_bounds_count_index(struct arrival_bounds *b, const uint8_t *moov,
                                   size_t n)
{
    struct source_bytes from = {
        .memory = moov, .have = n, .size = n, .file_size = known_size(b)};
    enum rc rc = source_bounds_open(b->container, &b->ahead);
    if (rc != RC_OK)
        return rc;
    do
        rc = source_bounds_look(b->ahead, &from, b->why, sizeof(b->why));
    while (source_bounds_is_behind(b->ahead));
    b->ahead_size = (int64_t)n;
    b->refused |= rc == RC_UNSUPPORTED;
    return rc;
}

bool arrival_bounds_has_room(const struct arrival_bounds *b, int64_t size)
{
    return source_bounds_has_room(b->file, (uint64_t)size) &&
           (!b->ahead ||
            source_bounds_has_room(b->ahead, (uint64_t)(size + b->ahead_size)));
}
