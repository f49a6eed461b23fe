#include "seek_points.h"

#include "grid.h"
#include "media_info.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* Keyframes closer together than this are not all kept. */
#define APART_US 250000
#define KEYS_MAX 4000000 /* more are no video but an attempt on our memory */
/* Where pictures are reordered and the format is not searched by presentation time,
 * ffmpeg seeks 3/23 s earlier than told: so for Matroska it is told that much later. */
#define EARLIER_US 140000
/* Times are whole milliseconds in Matroska; a picture this close counts as after. */
#define ROUNDED_US 1000

struct seek_points {
    int64_t *keys; /* presentation times on the file's clock, growing */
    size_t n, room;
    int64_t start_us;                   /* of the file's clock */
    int64_t min_delay_us, max_delay_us; /* from decoding to presentation */
    bool dense;                         /* some were not kept */
    char line[128];
    size_t line_size;
};

enum rc seek_points_open(struct seek_points **out)
{
    struct seek_points *sp = calloc(1, sizeof(*sp));
    if (!sp)
        return RC_NOMEM;
    *out = sp;
    return RC_OK;
}

void seek_points_free(struct seek_points *sp)
{
    if (!sp)
        return;
    free(sp->keys);
    free(sp);
}

enum rc seek_points_key(struct seek_points *sp, int64_t pts, int64_t dts)
{
    int64_t delay = dts == MEDIA_UNKNOWN ? 0 : pts - dts;
    if (sp->n == 0)
        sp->min_delay_us = sp->max_delay_us = delay;
    if (delay < sp->min_delay_us)
        sp->min_delay_us = delay;
    if (delay > sp->max_delay_us)
        sp->max_delay_us = delay;
    if (sp->n == KEYS_MAX || (sp->n > 0 && pts < sp->keys[sp->n - 1] + APART_US)) {
        sp->dense = true;
        return RC_OK;
    }
    if (sp->n == sp->room) {
        size_t room = sp->room ? 2 * sp->room : 256;
        int64_t *grown = realloc(sp->keys, room * sizeof(*grown));
        if (!grown)
            return RC_NOMEM;
        sp->keys = grown;
        sp->room = room;
    }
    sp->keys[sp->n++] = pts;
    return RC_OK;
}

void seek_points_start(struct seek_points *sp, int64_t start_us)
{
    sp->start_us = start_us;
}

static enum rc take_line(struct seek_points *sp)
{
    char *save = NULL;
    const char *pts_text = strtok_r(sp->line, "|", &save);
    const char *dts_text = strtok_r(NULL, "|", &save);
    const char *flags = strtok_r(NULL, "|", &save);
    if (!pts_text)
        return RC_OK;
    int64_t pts = media_time_us(pts_text);
    if (pts == MEDIA_UNKNOWN)
        return RC_OK;
    if (!dts_text)
        sp->start_us = pts;
    else if (flags && strchr(flags, 'K') && !strchr(flags, 'D'))
        return seek_points_key(sp, pts, media_time_us(dts_text));
    return RC_OK;
}

enum rc seek_points_feed(struct seek_points *sp, const void *data, size_t n)
{
    const char *p = data;
    enum rc rc = RC_OK;
    for (size_t i = 0; i < n && rc == RC_OK; i++) {
        if (p[i] == '\n') {
            sp->line[sp->line_size] = '\0';
            rc = take_line(sp);
            sp->line_size = 0;
        } else if (sp->line_size < sizeof(sp->line) - 1) {
            sp->line[sp->line_size++] = p[i];
        }
    }
    return rc;
}

/* The first picture of a segment is the last one in the source that is nearer to the
 * segment's start than to the frame after it: keyframes before this moment will do. A
 * deinterlacer looks at the pictures around as well. */
static int64_t needed_before_us(const struct rendition *r, const struct grid *g,
                                int64_t k)
{
    int64_t half_us = grid_frame_us(g, 1) / 2;
    int64_t us = grid_frame_us(g, grid_segment_start(g, k)) + half_us - ROUNDED_US;
    if (us > r->source_last_us)
        us = r->source_last_us + 1;
    return r->deinterlace ? us - 4 * half_us : us;
}

/* at: the index of a keyframe; where to seek for it, with nothing after before_us. */
static int64_t seek_to(const struct seek_points *sp, size_t at, int64_t before_us,
                       bool matroska)
{
    int64_t us = sp->keys[at] - sp->start_us;
    if (!matroska)
        return before_us - 1;
    us += EARLIER_US;
    if (sp->dense && us >= before_us)
        us = before_us - 1;
    if (at + 1 < sp->n && us >= sp->keys[at + 1] - sp->start_us)
        us = before_us - 1;
    return us;
}

enum rc seek_points_finish(const struct seek_points *sp, const struct rendition *r,
                           enum container container, struct seek_point **out)
{
    struct grid g = {r->rate_num, r->rate_den, r->gop, r->frames};
    bool matroska = container == CONTAINER_MATROSKA || container == CONTAINER_WEBM;
    size_t next = 0; /* the first keyframe that is too late */
    if (sp->n == 0)
        return RC_NOT_FOUND;
    if (!matroska && sp->max_delay_us - sp->min_delay_us > ROUNDED_US)
        return RC_UNSUPPORTED;
    struct seek_point *points = calloc((size_t)r->segments, sizeof(*points));
    if (!points)
        return RC_NOMEM;
    for (int64_t k = 0; k < r->segments; k++) {
        int64_t before_us = needed_before_us(r, &g, k);
        size_t last = next;
        while (next < sp->n && sp->keys[next] - sp->start_us < before_us)
            next++;
        points[k].us = next > 0 ? seek_to(sp, next - 1, before_us, matroska) : 0;
        points[k].shared = k > 0 && next == last;
    }
    *out = points;
    return RC_OK;
}

/* Little-endian, the time doubled and one more where the keyframe is shared. */
enum rc seek_points_pack(const struct seek_point *points, int64_t segments,
                         uint8_t **out, size_t *n)
{
    uint8_t *bytes = malloc((size_t)segments * 8);
    if (!bytes)
        return RC_NOMEM;
    for (int64_t k = 0; k < segments; k++) {
        uint64_t v = (uint64_t)points[k].us << 1 | points[k].shared;
        for (int i = 0; i < 8; i++)
            bytes[k * 8 + i] = (uint8_t)(v >> (8 * i));
    }
    *out = bytes;
    *n = (size_t)segments * 8;
    return RC_OK;
}

enum rc seek_points_unpack(const uint8_t *bytes, size_t n, struct seek_point **out)
{
    if (n == 0 || n % 8 != 0)
        return RC_INVALID;
    struct seek_point *points = calloc(n / 8, sizeof(*points));
    if (!points)
        return RC_NOMEM;
    for (size_t k = 0; k < n / 8; k++) {
        uint64_t v = 0;
        for (int i = 0; i < 8; i++)
            v |= (uint64_t)bytes[k * 8 + (size_t)i] << (8 * i);
        points[k] = (struct seek_point){(int64_t)(v >> 1), v & 1};
    }
    *out = points;
    return RC_OK;
}
