/* mkv_fed.h: a Matroska file in memory, fed to the walk as if it came in. */
#ifndef DROPSTREAM_TEST_MKV_FED_H
#define DROPSTREAM_TEST_MKV_FED_H

#include "boxes.h"
#include "mkv_walk.h"

static struct bytes file;
static struct mkv_walk walk;

/* Ends a test. */
static inline int teardown(void **state)
{
    (void)state;
    bytes_free(&file);
    return 0;
}

/* Feeds all that is asked for and lies before frontier, in pieces of at most step. */
static inline enum rc feed_until(uint64_t frontier, size_t step)
{
    uint64_t at;
    enum rc rc = RC_OK;
    while (rc == RC_OK && mkv_walk_wants(&walk, frontier, &at) && at < frontier) {
        size_t n = frontier - at < step ? (size_t)(frontier - at) : step;
        uint8_t *copy = malloc(n);
        assert_non_null(copy);
        memcpy(copy, file.p + at, n);
        rc = mkv_walk_feed(&walk, copy, n);
        free(copy);
    }
    return rc;
}

#endif
