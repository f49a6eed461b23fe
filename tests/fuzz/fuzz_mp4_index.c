/*
 * fuzz_mp4_index.c: whatever is uploaded as an MP4 file must not harm its readers in
 * lib. The input is a file, which comes in as a whole; the last byte says how.
 */
#include "fuzz.h"

#include "mp4_frag.h"
#include "mp4_head.h"
#include "mp4_index.h"
#include "mp4_walk.h"

#define SAMPLES_MAX 20000

static void walk_boxes(struct mp4_walk *walk, const uint8_t *data, size_t n,
                       size_t step)
{
    enum rc rc = RC_OK;
    while (rc == RC_OK && !walk->done && mp4_walk_wants(walk) < n) {
        uint64_t at = mp4_walk_wants(walk);
        size_t size = n - at < step ? (size_t)(n - at) : step;
        uint8_t *part = copy_of(data + at, size);
        rc = mp4_walk_feed(walk, part, size);
        must(rc != RC_OK || walk->done || mp4_walk_wants(walk) > at);
        free(part);
    }
}

static enum rc count_key(void *arg, int64_t pts_us, int64_t dts_us)
{
    (void)pts_us;
    (void)dts_us;
    return ++*(int64_t *)arg > SAMPLES_MAX ? RC_STOPPED : RC_OK;
}

/* The more has come, the later is what can be shown. */
static void ask(const struct mp4_index *index, size_t i, size_t n)
{
    const struct mp4_track *t = mp4_index_track(index, i);
    int64_t keys = 0, before = INT64_MIN;
    must(mp4_index_keyframes(index, i, count_key, &keys) == RC_OK);
    must(keys <= t->packets);
    must(t->packets == 0 || (t->first_us <= t->last_us && t->last_us <= t->end_us));
    must(mp4_index_reach(index, i, UINT64_MAX) == INT64_MAX);
    for (uint64_t k = 0; k <= 16; k++) {
        int64_t us = mp4_index_reach(index, i, n * k / 8);
        must(us >= before);
        must(us == INT64_MAX || (t->first_us <= us && us <= t->last_us));
        before = us;
    }
}

static void walk_fragments(const struct mp4_index *index, const uint8_t *data, size_t n,
                           const struct mp4_span *moov, uint64_t file_size)
{
    struct mp4_frag *frag;
    uint64_t at;
    size_t size;
    enum rc rc = RC_OK;
    if (mp4_frag_open(index, data + moov->offset, (size_t)moov->size,
                      moov->offset + moov->size, file_size, &frag) != RC_OK)
        return;
    while (rc == RC_OK && mp4_frag_wants(frag, &at, &size) && at < n) {
        if (size > n - at)
            size = (size_t)(n - at);
        uint8_t *part = copy_of(data + at, size);
        rc = mp4_frag_feed(frag, part, size);
        free(part);
        for (size_t i = 0; i < mp4_index_tracks(index); i++)
            must(mp4_frag_reach(frag, i, at) <= mp4_frag_reach(frag, i, UINT64_MAX));
    }
    mp4_frag_close(frag);
}

/* What a head says must be what the index said, moved. */
static void make_head(const struct mp4_index *index, const struct mp4_head_source *s)
{
    const struct mp4_index_limits limits = {MP4_SIZE_UNKNOWN, SAMPLES_MAX};
    struct mp4_head head;
    struct mp4_index *after;
    const char *fault = mp4_head_fault(s);
    enum rc rc = mp4_head_make(s, &head);
    must(rc != RC_OK || fault == NULL);
    must(rc != RC_INVALID || fault != NULL);
    if (rc != RC_OK)
        return;
    size_t mdat = head.end - head.from > UINT32_MAX - 8 ? 16 : 8;
    if (mp4_index_open(head.bytes + s->ftyp_size, head.size - s->ftyp_size - mdat,
                       &limits, &after) == RC_OK) {
        must(mp4_index_tracks(after) == mp4_index_tracks(index));
        for (size_t i = 0; i < mp4_index_tracks(index); i++) {
            for (uint64_t k = 0; k <= 8; k++) {
                uint64_t at = s->media + (head.end - s->media) / 8 * k;
                must(mp4_index_reach(after, i, at - s->media + head.size) ==
                     mp4_index_reach(index, i, at));
            }
        }
        mp4_index_close(after);
    }
    mp4_head_free(&head);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct mp4_walk walk;
    struct mp4_index *index;
    uint8_t how = n > 0 ? data[n - 1] : 0;
    uint64_t file_size = how & 1 ? n : MP4_SIZE_UNKNOWN;

    mp4_walk_init(&walk, file_size);
    walk_boxes(&walk, data, n, MP4_WALK_BYTES + how);
    if (!mp4_walk_has_index(&walk, n))
        return 0;
    const struct mp4_index_limits limits = {file_size, SAMPLES_MAX};
    uint8_t *moov = copy_of(data + walk.moov.offset, (size_t)walk.moov.size);
    if (mp4_index_open(moov, (size_t)walk.moov.size, &limits, &index) == RC_OK) {
        for (size_t i = 0; i < mp4_index_tracks(index); i++)
            ask(index, i, n);
        walk_fragments(index, data, n, &walk.moov, file_size);
        const struct mp4_head_source source = {
            .ftyp = data + walk.ftyp.offset,
            .ftyp_size = (size_t)walk.ftyp.size,
            .media = walk.media,
            .moov = moov,
            .moov_size = (size_t)walk.moov.size,
            .moov_offset = walk.moov.offset,
            .file_size = file_size,
        };
        if (walk.ftyp.size > 0 && walk.ftyp.size <= n && walk.mdat.size > 0)
            make_head(index, &source);
        mp4_index_close(index);
    }
    free(moov);
    return 0;
}
