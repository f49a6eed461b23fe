#include "ladder.h"

#include "plan.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static const int usual_sides[] = {1080, 720};

/* ---- the rungs -------------------------------------------------------------- */

/* Bits a second that pictures of that size take at most. Above 30 frames a second they
 * are more alike, and each further one takes half as much. */
static int64_t capped(const struct ladder_rules *rules, double pixels,
                      struct rational rate)
{
    double frames = (double)rate.num / (double)rate.den;
    if (frames > 30)
        frames = 30 + (frames - 30) / 2;
    return (int64_t)(pixels * frames * (double)rules->pixel_mbits / 1000);
}

/* A rung with little fewer bits than a source that all can have is only a worse one. */
static bool is_worth_it(const struct ladder_rules *rules,
                        const struct ladder_source *source, int64_t bitrate)
{
    if (!source->served || source->bitrate <= 0)
        return true;
    return (double)bitrate <
           (double)source->bitrate * (double)(100 - rules->near_percent) / 100;
}

static bool make_rung(const struct ladder_rules *rules,
                      const struct ladder_source *source, const struct rendition *base,
                      int side, struct rendition *out)
{
    struct rational rate;
    struct grid g;
    double small = fmin(source->width, source->height), scale = side / small;
    struct rendition r = *base;
    int level;
    if (grid_snap_rate(source->rate, &rate) != RC_OK)
        return false;
    rate = grid_halve_rate(rate, LADDER_MAX_RATE);
    if (grid_video(rate, source->duration_us, LADDER_SEGMENT_S, &g) != RC_OK)
        return false;
    snprintf(r.name, sizeof(r.name), "%dp", side);
    r.width = plan_even(source->width * scale);
    r.height = plan_even(source->height * scale);
    plan_set_grid(&r, &g);
    r.done = 0;
    r.extra = true;
    r.max_bitrate = capped(rules, (double)r.width * r.height, rate);
    if (source->bitrate > 0 && r.max_bitrate > source->bitrate)
        r.max_bitrate = source->bitrate;
    /* A guess at the peak, until it is measured. */
    r.bitrate = r.max_bitrate * 3 / 2;
    r.average_bitrate = 0;
    plan_avc_codecs(PLAN_AVC_HIGH, r.width, r.height, r.rate_num, r.rate_den, &level,
                    r.codecs);
    if (!is_worth_it(rules, source, r.max_bitrate))
        return false;
    *out = r;
    return true;
}

/* The sides of the rungs, the largest first. */
static int sides_of(const struct ladder_rules *rules,
                    const struct ladder_source *source, int out[LADDER_RUNGS_MAX])
{
    int small = source->width < source->height ? source->width : source->height, n = 0;
    int own = small / 2 * 2;
    bool usual = false;
    for (int i = 0; i < 2; i++)
        usual |= own == usual_sides[i];
    /* Else nobody would see the source at its own quality. */
    if (!source->served && !usual && own < usual_sides[0] && own > PLAN_SMALL_SIDE &&
        own <= rules->max_side)
        out[n++] = own;
    for (int i = 0; i < 2; i++)
        if (usual_sides[i] <= small && usual_sides[i] <= rules->max_side &&
            (n == 0 || usual_sides[i] * 5 < out[0] * 4))
            out[n++] = usual_sides[i];
    return n;
}

size_t ladder_plan(const struct ladder_rules *rules, const struct ladder_source *source,
                   const struct rendition *base, struct rendition out[LADDER_RUNGS_MAX])
{
    int sides[LADDER_RUNGS_MAX], sides_n;
    size_t n = 0;
    if (source->width < 1 || source->height < 1)
        return 0;
    sides_n = sides_of(rules, source, sides);
    for (int i = 0; i < sides_n; i++)
        if (make_rung(rules, source, base, sides[i], &out[n]))
            n++;
    return n;
}

int64_t ladder_bitrate(const struct rendition *copy, int64_t file_size,
                       int64_t duration_us)
{
    if (copy->average_bitrate > 0)
        return copy->average_bitrate;
    if (copy->bitrate == LADDER_COPY_BITRATE && file_size > 0 && duration_us > 0)
        return (int64_t)((double)file_size * 8e6 / (double)duration_us);
    return copy->bitrate * 2 / 3; /* which is a peak */
}

/* ---- the source as it is ---------------------------------------------------- */

static bool is_one_of(const char *text, const char *const *list)
{
    for (; *list; list++)
        if (strcmp(text, *list) == 0)
            return true;
    return false;
}

const char *ladder_copy_refusal(const struct media_stream *v, bool *every)
{
    static const char *const plain[] = {"yuv420p", "yuvj420p", NULL};
    static const char *const deep[] = {"yuv420p", "yuv420p10le", NULL};
    static const char *const profiles[] = {
        "Constrained Baseline", "Baseline",         "Main", "High",
        "Progressive High",     "Constrained High", NULL};
    static const char *const others[] = {"hevc", "vp9", "av1", NULL};
    *every = strcmp(v->codec, "h264") == 0;
    if (!*every && !is_one_of(v->codec, others))
        return "Its picture is in a format that browsers do not play.";
    if (!is_one_of(v->pixels, *every ? plain : deep) ||
        (*every && !is_one_of(v->profile, profiles)))
        return "Its colours are in a form that browsers do not play.";
    if (v->interlaced)
        return "Its picture is interlaced.";
    /* Elsewhere the shape is not believed: see plan.c. */
    double sar = v->sar.den > 0 ? (double)v->sar.num / (double)v->sar.den : 1;
    if (sar < LADDER_SAR_MIN || sar > LADDER_SAR_MAX)
        return "Its pixels have a shape that makes no sense.";
    return NULL;
}
