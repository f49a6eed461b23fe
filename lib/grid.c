#include "grid.h"

#include <math.h>
#include <stddef.h>

static const struct rational standard_rates[] = {
    {5, 1},   {6, 1},         {8, 1},        {10, 1}, {12, 1},       {25, 2},
    {15, 1},  {20, 1},        {24000, 1001}, {24, 1}, {25, 1},       {30000, 1001},
    {30, 1},  {40, 1},        {48, 1},       {50, 1}, {60000, 1001}, {60, 1},
    {100, 1}, {120000, 1001}, {120, 1},
};

enum rc grid_snap_rate(struct rational rate, struct rational *out)
{
    if (rate.num <= 0 || rate.den <= 0)
        return RC_INVALID;
    double wanted = log((double)rate.num / (double)rate.den);
    double best = INFINITY;
    struct rational nearest = standard_rates[0];
    for (size_t i = 0; i < sizeof(standard_rates) / sizeof(standard_rates[0]); i++) {
        struct rational r = standard_rates[i];
        double away = fabs(log((double)r.num / (double)r.den) - wanted);
        if (away < best) {
            best = away;
            nearest = r;
        }
    }
    *out = nearest;
    return RC_OK;
}

struct rational grid_halve_rate(struct rational rate, int max)
{
    while (rate.num > rate.den * max) {
        if (rate.num % 2 == 0)
            rate.num /= 2;
        else
            rate.den *= 2;
    }
    return rate;
}

/* Frames to cover duration_us. A sixteenth of a frame is not worth one more: it is
 * what is left where a container rounds its times. */
static int64_t frames_covering(struct rational rate, int64_t duration_us)
{
    int64_t den = rate.den * 1000000;
    int64_t frames = (duration_us * rate.num + den - den / 16) / den;
    return frames > 0 ? frames : 1;
}

enum rc grid_video(struct rational rate, int64_t duration_us, int segment_s,
                   struct grid *out)
{
    if (rate.num <= 0 || rate.den <= 0 || rate.num > 1000000 || rate.den > 1000000)
        return RC_INVALID;
    if (duration_us <= 0 || segment_s <= 0)
        return RC_INVALID;
    int64_t gop = (2 * segment_s * rate.num + rate.den) / (2 * rate.den);
    *out = (struct grid){
        .rate_num = (int)rate.num,
        .rate_den = (int)rate.den,
        .gop = gop > 0 ? (int)gop : 1,
        .frames = frames_covering(rate, duration_us),
    };
    return RC_OK;
}

enum rc grid_audio(int64_t duration_us, struct grid *out)
{
    if (duration_us <= 0)
        return RC_INVALID;
    struct rational rate = {GRID_AUDIO_RATE / 128, GRID_AAC_FRAME / 128};
    *out = (struct grid){
        .rate_num = (int)rate.num,
        .rate_den = (int)rate.den,
        .gop = GRID_AUDIO_SEGMENT,
        .frames = frames_covering(rate, duration_us),
    };
    return RC_OK;
}

int64_t grid_segments(const struct grid *g)
{
    return (g->frames + g->gop - 1) / g->gop;
}

int grid_segment_frames(const struct grid *g, int64_t k)
{
    if (k < 0 || k >= grid_segments(g))
        return 0;
    int64_t left = g->frames - k * g->gop;
    return left < g->gop ? (int)left : g->gop;
}

int64_t grid_segment_start(const struct grid *g, int64_t k)
{
    int64_t start = k * g->gop;
    return start < g->frames ? start : g->frames;
}

/* All but the last segment are alike, so that one division does it, but for the
 * rounding of its microseconds. */
int64_t grid_segments_before(const struct grid *g, int64_t us)
{
    int64_t n = grid_segments(g), k;
    if (us <= 0)
        return 0;
    if (us >= grid_frame_us(g, g->frames))
        return n;
    k = us / grid_frame_us(g, g->gop) + 1;
    if (k > n)
        k = n;
    while (k > 0 && grid_frame_us(g, grid_segment_start(g, k)) > us)
        k--;
    return k;
}

int64_t grid_frame_us(const struct grid *g, int64_t n)
{
    return (n * g->rate_den * 1000000 + g->rate_num / 2) / g->rate_num;
}

enum rc grid_segment_ticks(const struct grid *g, int64_t k, uint32_t timescale,
                           uint64_t *out)
{
    uint64_t ticks = (uint64_t)k * (uint64_t)g->gop * (uint64_t)g->rate_den * timescale;
    if (ticks % (uint64_t)g->rate_num != 0)
        return RC_INVALID;
    *out = ticks / (uint64_t)g->rate_num;
    return RC_OK;
}
