/*
 * fuzz_mkv_walk.c: whatever is uploaded as a Matroska file must not harm its reader in
 * lib. The input is a file that comes in bit by bit; the last byte says by how much.
 */
#include "fuzz.h"

#include "mkv_walk.h"

/* Offers what has arrived, in pieces of at most step bytes. */
static enum rc feed(struct mkv_walk *walk, const uint8_t *data, size_t frontier,
                    size_t step)
{
    enum rc rc = RC_OK;
    uint64_t at;
    while (rc == RC_OK && mkv_walk_wants(walk, frontier, &at) && at < frontier) {
        size_t size = frontier - at < step ? (size_t)(frontier - at) : step;
        uint8_t *part = copy_of(data + at, size);
        uint64_t next;
        rc = mkv_walk_feed(walk, part, size);
        free(part);
        must(rc != RC_OK || !mkv_walk_wants(walk, 0, &next) || next > at);
    }
    return rc;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct mkv_walk walk;
    uint8_t how = n > 0 ? data[n - 1] : 0;
    enum rc rc = RC_OK;

    mkv_walk_init(&walk, how & 1 ? n : INT64_MAX);
    for (size_t frontier = how; rc != RC_INVALID && rc != RC_TOO_LARGE;) {
        rc = feed(&walk, data, frontier < n ? frontier : n, MKV_WALK_BYTES + how % 7);
        must(walk.n_tracks <= MKV_TRACKS_MAX && walk.depth <= MKV_DEPTH_MAX);
        mkv_walk_reach(&walk, frontier);
        if (frontier >= n)
            break;
        frontier += 1 + how / 2;
    }
    return 0;
}
