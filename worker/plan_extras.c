/*
 * What is planned besides what a video is ready with: its own packets, cut as they are,
 * and the rungs of the ladder.
 */
#include "plan.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* Until the exact one is read from what is made: without its constraint flags. */
static void copy_codecs(const struct media_stream *v, char out[STORE_CODEC_MAX + 1])
{
    static const struct {
        const char *codec, *text;
    } others[] = {{"hevc", "hvc1.1.6.L120.90"},
                  {"vp9", "vp09.00.40.08"},
                  {"av1", "av01.0.08M.08"}};
    static const struct {
        const char *name;
        unsigned idc;
    } profiles[] = {{"Baseline", 0x4200},
                    {"Constrained Baseline", PLAN_AVC_BASELINE},
                    {"Main", 0x4d40},
                    {"Extended", 0x5800}};
    unsigned profile = PLAN_AVC_HIGH;
    for (size_t i = 0; i < 3; i++)
        if (strcmp(others[i].codec, v->codec) == 0) {
            strcpy(out, others[i].text);
            return;
        }
    for (size_t i = 0; i < sizeof(profiles) / sizeof(profiles[0]); i++)
        if (strcmp(profiles[i].name, v->profile) == 0)
            profile = profiles[i].idc;
    snprintf(out, STORE_CODEC_MAX + 1, "avc1.%04x%02x", profile,
             (unsigned)(v->level > 0 ? v->level & 0xff : 40));
}

/* Bits a second of the picture: as the file says, or else what its size leaves for it.
 */
static int64_t source_bitrate(const struct media_info *info,
                              const struct media_stream *v,
                              const struct plan_limits *limits, int64_t duration_us)
{
    int64_t all;
    if (v->bitrate > 0)
        return v->bitrate;
    if (limits->file_size <= 0)
        return 0;
    all = (int64_t)((double)limits->file_size * 8e6 / (double)duration_us);
    for (size_t i = 0; i < info->n_streams; i++)
        if (info->streams[i].kind == MEDIA_AUDIO)
            all -= info->streams[i].bitrate;
    return all > 0 ? all : 0;
}

/* The source as it is, of which nothing is promised before all its keyframes are known.
 */
static void plan_copy(const struct media_stream *v, int64_t bitrate,
                      struct video_plan *plan)
{
    struct rendition *r = &plan->renditions[plan->n_renditions++];
    *r = plan->renditions[0];
    strcpy(r->name, "source");
    r->width = plan->width;
    r->height = plan->height;
    r->rate_num = plan->rate_num;
    r->rate_den = plan->rate_den;
    r->gop = (int)lround(LADDER_SEGMENT_S * (double)r->rate_num / r->rate_den);
    r->frames = r->segments = 0;
    r->bitrate = bitrate > 0 ? bitrate * 3 / 2 : LADDER_COPY_BITRATE;
    r->copied = r->extra = true;
    copy_codecs(v, r->codecs);
}

void plan_extras(const struct media_info *info, const struct media_stream *v,
                 const struct plan_limits *limits, struct video_plan *plan)
{
    bool every;
    const char *refusal = ladder_copy_refusal(v, &every);
    if (!limits->copies)
        refusal = "This site serves no source as it is.";
    int64_t bitrate = source_bitrate(info, v, limits, plan->duration_us);
    struct ladder_source source = {.width = plan->width,
                                   .height = plan->height,
                                   .rate = {plan->rate_num, plan->rate_den},
                                   .duration_us = plan->duration_us,
                                   .bitrate = bitrate,
                                   .served = !refusal && every};
    if (refusal)
        snprintf(plan->copy_refused, sizeof(plan->copy_refused), "%s", refusal);
    else
        plan_copy(v, bitrate, plan);
    plan->n_renditions += ladder_plan(&limits->ladder, &source, &plan->renditions[0],
                                      &plan->renditions[plan->n_renditions]);
}
