#include "storyboard.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#define CUE_MAX 160 /* bytes of one */

struct args_grid storyboard_grid(const struct rendition *r)
{
    struct args_grid g = {.columns = STORYBOARD_COLUMNS, .rows = STORYBOARD_ROWS};
    args_picture_size(r, STORYBOARD_SIDE, &g.width, &g.height);
    return g;
}

struct args_pick storyboard_pick(int64_t duration_us, int width, int height)
{
    /* One for each gap, and the first one. */
    int64_t widest = duration_us / (STORYBOARD_PICTURES_MAX - 1) + 1;
    int64_t pixels = (int64_t)width * height;
    return (struct args_pick){
        .every_us = widest > STORYBOARD_EVERY_US ? widest : STORYBOARD_EVERY_US,
        .pixels = pixels > 0 ? pixels : 1,
    };
}

void storyboard_sheet_name(const struct job *job, size_t sheet,
                           char out[STORYBOARD_NAME_MAX + 1])
{
    snprintf(out, STORYBOARD_NAME_MAX + 1,
             STORYBOARD_PREFIX "%" PRId64 "-%" PRId64 "-%zu.jpg", job->id, job->fence,
             sheet);
}

bool storyboard_is_later(const struct job *job, const char *name)
{
    int64_t id, fence;
    if (sscanf(name, STORYBOARD_PREFIX "%" SCNd64 "-%" SCNd64 "-", &id, &fence) != 2)
        return false;
    return id > job->id || (id == job->id && fence > job->fence);
}

/* "01:02:03.004" */
static void timestamp(int64_t ms, char out[32])
{
    snprintf(out, 32, "%02" PRId64 ":%02" PRId64 ":%02" PRId64 ".%03" PRId64,
             ms / 3600000, ms / 60000 % 60, ms / 1000 % 60, ms % 1000);
}

static int cue(const struct job *job, const struct args_grid *g, size_t i,
               int64_t from_ms, int64_t to_ms, char *out)
{
    char name[STORYBOARD_NAME_MAX + 1], from[32], to[32];
    size_t at = i % STORYBOARD_SHEET;
    storyboard_sheet_name(job, i / STORYBOARD_SHEET, name);
    timestamp(from_ms, from);
    timestamp(to_ms, to);
    return snprintf(out, CUE_MAX, "\n%s --> %s\n%s#xywh=%d,%d,%d,%d\n", from, to, name,
                    (int)(at % STORYBOARD_COLUMNS) * g->width,
                    (int)(at / STORYBOARD_COLUMNS) * g->height, g->width, g->height);
}

enum rc storyboard_vtt(const struct job *job, const struct args_grid *grid,
                       const int64_t *times_us, size_t n, int64_t end_us, char **out,
                       size_t *size)
{
    char *text = malloc(16 + n * CUE_MAX);
    if (!text)
        return RC_NOMEM;
    int used = sprintf(text, "WEBVTT\n");
    for (size_t i = 0; i < n; i++) {
        int64_t from_ms = i == 0 ? 0 : (times_us[i] + 500) / 1000;
        int64_t to_ms = ((i + 1 < n ? times_us[i + 1] : end_us) + 500) / 1000;
        /* Of two at the same time the later one is shown, and of one beyond the end
         * nothing. */
        if (to_ms > from_ms)
            used += cue(job, grid, i, from_ms, to_ms, text + used);
    }
    *out = text;
    *size = (size_t)used;
    return RC_OK;
}
