/*
 * fuzz_mp4_tables.c: what is taken of the sample tables of a track can be walked
 * without further checks, and the walk finds what was said of it. The input is an stbl
 * box's body; its last two bytes are the timescale, and whether the track is sound.
 */
#include "fuzz.h"

#include "mp4_samples.h"

#define SAMPLES_MAX 20000 /* that are walked: each table may state 2^32 */

static void walk(const struct mp4_tables *t, uint32_t timescale)
{
    struct mp4_samples s, twin;
    struct mp4_sample sample = {0}, again;
    int64_t before = INT64_MIN, ticks = 0;
    uint32_t n = 0;

    mp4_samples_init(&s, t);
    while (n < SAMPLES_MAX) {
        twin = s;
        if (!mp4_samples_next(&s, &sample))
            break;
        must(mp4_samples_next(&twin, &again) && again.begin == sample.begin);
        must(sample.dts >= before && sample.dts == ticks);
        must(sample.begin <= sample.end);
        must(sample.offset >= -MP4_OFFSET_MAX && sample.offset <= MP4_OFFSET_MAX);
        must(sample.last == (++n == t->packets));
        must(!t->no_sync || !sample.key || n == 1 || t->stps.n > 0 || t->rap.n > 0);
        before = sample.dts;
        ticks += sample.duration;
        must(ticks / timescale <= MP4_SECONDS_MAX);
    }
    must(n <= t->packets && (n == t->packets || n == SAMPLES_MAX));
    must(n < t->packets ? ticks <= t->ticks : ticks == t->ticks);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct mp4_tables t;
    if (n < 2)
        return 0;
    const bool audio = data[n - 1] & 1;
    const uint32_t timescale = data[n - 2] == 0 ? UINT32_MAX : data[n - 2] * 1000u;
    uint8_t *copy = copy_of(data, n - 2);
    const struct bmff_box stbl = {BMFF_FOURCC('s', 't', 'b', 'l'), copy, copy, n - 2};

    if (mp4_tables_read(&stbl, audio, timescale, &t) == RC_OK) {
        must(t.packets <= t.samples && (t.samples == 0) == (t.packets == 0));
        must(t.entry == NULL || (t.entry >= copy && t.entry_size <= n - 2));
        walk(&t, timescale);
    }
    free(copy);
    return 0;
}
