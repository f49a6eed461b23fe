/*
 * What was promised of a file while it came in, against what is found when it is whole.
 * What is extra is not asked about: it is promised later, if at all.
 */
#include "plan.h"

#include <string.h>

/* What a promise that was made before the file was whole may be wrong by: what is left
 * out at its end, and for how long its last picture stays. */
#define KEPT_LONGER_US 100000
#define KEPT_SHORTER_US 1000000
/* By how much a frame rate that was taken from the first seconds may be wrong. */
#define KEPT_RATE 1.34

/* The same picture or sound, at whatever rate. */
static bool same_media(const struct rendition *a, const struct rendition *b)
{
    return strcmp(a->name, b->name) == 0 && a->kind == b->kind &&
           a->width == b->width && a->height == b->height && a->stream == b->stream &&
           a->deinterlace == b->deinterlace && strcmp(a->colour, b->colour) == 0;
}

/* All but the length, and what only says how the source is read. A copy can be no
 * longer than what it is made of. */
static bool same_rendition(const struct rendition *a, const struct rendition *b)
{
    return same_media(a, b) && strcmp(a->codecs, b->codecs) == 0 &&
           a->rate_num == b->rate_num && a->rate_den == b->rate_den &&
           a->gop == b->gop && a->copied == b->copied && a->channels == b->channels &&
           (!a->copied || a->frames == b->frames);
}

/* r goes on at the rate that it has, to the end of the timeline. */
static bool continue_one(const struct rendition *before, int64_t duration_us,
                         struct rendition *r)
{
    struct rational rate = {before->rate_num, before->rate_den};
    struct grid g;
    double ratio =
        (double)r->rate_num / r->rate_den * before->rate_den / (double)before->rate_num;
    if (!same_media(before, r) || ratio > KEPT_RATE || ratio * KEPT_RATE < 1)
        return false;
    enum rc rc = r->kind == RENDITION_AUDIO
                     ? grid_audio(duration_us, &g)
                     : grid_video(rate, duration_us, PLAN_SEGMENT_S, &g);
    if (rc != RC_OK || g.gop != before->gop || g.frames < before->frames)
        return false;
    int64_t last_us = r->source_last_us;
    *r = *before;
    r->source_last_us = last_us;
    plan_set_grid(r, &g);
    return true;
}

/* Goes on to the next two renditions that a video is not ready without; one of them may
 * be past the end of its list. False if both are. */
static bool next_pair(const struct rendition *a, size_t n_a, size_t *i,
                      const struct rendition *b, size_t n_b, size_t *j)
{
    while (*i < n_a && a[*i].extra)
        ++*i;
    while (*j < n_b && b[*j].extra)
        ++*j;
    return *i < n_a || *j < n_b;
}

bool plan_is_continued(const struct rendition *before, size_t n,
                       struct video_plan *found)
{
    struct video_plan plan = *found;
    size_t at = 0, i = 0;
    while (next_pair(before, n, &at, plan.renditions, plan.n_renditions, &i)) {
        if (at == n || i == plan.n_renditions ||
            !continue_one(&before[at++], plan.duration_us, &plan.renditions[i++]))
            return false;
    }
    for (i = 0; i < plan.n_renditions; i++)
        plan.renditions[i].generation = before[0].generation;
    *found = plan;
    return true;
}

bool plan_is_kept(const struct rendition *before, size_t n, int64_t duration_us,
                  const struct video_plan *found)
{
    int64_t missing_us = duration_us - found->duration_us;
    size_t at = 0, i = 0;
    if (missing_us < -KEPT_LONGER_US || missing_us > KEPT_SHORTER_US)
        return false;
    while (next_pair(before, n, &at, found->renditions, found->n_renditions, &i)) {
        if (at == n || i == found->n_renditions ||
            !same_rendition(&before[at++], &found->renditions[i++]))
            return false;
    }
    return true;
}
