/*
 * arrival_bounds.h: whether a file that is still coming in asks for more than it may;
 * see source_bounds.h, which counts.
 *
 * How long the file will be is only what its sender says: so what its index tells of is
 * held against what has come, too.
 */
#ifndef DROPSTREAM_ARRIVAL_BOUNDS_H
#define DROPSTREAM_ARRIVAL_BOUNDS_H

#include "source_bounds.h"

struct arrival_bounds {
    enum container container;
    int64_t file_size;           /* when it is whole; -1 unknown */
    struct source_bounds *file;  /* of the bytes that have come … */
    struct source_bounds *ahead; /* … and of the index that was sent ahead, or NULL */
    int64_t ahead_size;          /* bytes of that */
    bool refused;                /* it asks for more than it may: why */
    bool uncounted;              /* not all that has come was counted … */
    bool failed;                 /* … as it could not be read */
    char why[256];
};

/* RC_NOMEM. */
enum rc arrival_bounds_open(enum container container, int64_t file_size,
                            struct arrival_bounds *out);
void arrival_bounds_close(struct arrival_bounds *b);

/* Counts what has come since the last call of a file of which size bytes are there, as
 * far as one turn goes. */
void arrival_bounds_count(struct arrival_bounds *b, int fd, int64_t size);

/* Likewise of the n bytes of an index that was sent ahead, once. RC_UNSUPPORTED: it is
 * refused. RC_NOMEM. */
enum rc arrival_bounds_count_index(struct arrival_bounds *b, const uint8_t *moov,
                                   size_t n);

/* What it tells of has room in the size bytes that have come. */
bool arrival_bounds_has_room(const struct arrival_bounds *b, int64_t size);

#endif
