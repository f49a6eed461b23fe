#include "copy_cuts.h"

#include "bandwidth.h"
#include "media_info.h"

#include <stdlib.h>
#include <string.h>

/* Times that were rounded on their way may be this far apart and the same. */
#define ROUNDED_US 1000
/* More keyframes are no video but an attempt on our memory. */
#define GOPS_MAX 2000000

/* One group of pictures. */
struct gop {
    int64_t pts_us, bytes;
    uint32_t frames;
};

struct copy_cuts {
    struct gop *gops;
    size_t n, room;
    int64_t start_us, max_bitrate;
    int64_t last_us;    /* of what was shown so far the latest begins then … */
    int64_t end_us;     /* … and ends then; not later if nobody says when */
    int64_t decoded_us; /* what was decoded last ends then */
    int64_t frames, bytes, last_dts_us;
    int64_t delay_us; /* from decoding to showing a keyframe; MEDIA_UNKNOWN so far */
    enum copy_refusal refusal;
    char line[160];
    size_t line_size;
};

const char *copy_refusal_sentence(enum copy_refusal r)
{
    static const char *const sentences[] = {
        [COPY_FINE] = "",
        [COPY_NO_KEYFRAME] = "The file does not begin with a keyframe.",
        [COPY_EDITED] = "Its edit list begins or ends inside a group of pictures.",
        [COPY_OPEN_GOP] = "Its groups of pictures are open: they cannot be cut apart.",
        [COPY_LONG_GOP] = "Its keyframes are more than 20 seconds apart.",
        [COPY_LATE] = "Its picture begins much later than its sound.",
        [COPY_EARLY] = "Its picture ends much earlier than its sound.",
        [COPY_PAUSED] = "Its picture pauses where it cannot be cut.",
        [COPY_TIMES] = "The times of its pictures make no sense.",
        [COPY_TOO_RICH] = "It has more bits a second than this site serves.",
    };
    return (size_t)r < sizeof(sentences) / sizeof(sentences[0]) ? sentences[r] : "";
}

enum rc copy_cuts_open(int64_t max_bitrate, struct copy_cuts **out)
{
    struct copy_cuts *c = calloc(1, sizeof(*c));
    if (!c)
        return RC_NOMEM;
    c->max_bitrate = max_bitrate;
    c->last_dts_us = c->delay_us = MEDIA_UNKNOWN;
    c->last_us = c->end_us = INT64_MIN;
    *out = c;
    return RC_OK;
}

void copy_cuts_free(struct copy_cuts *c)
{
    if (!c)
        return;
    free(c->gops);
    free(c);
}

void copy_cuts_start(struct copy_cuts *c, int64_t start_us)
{
    c->start_us = start_us;
}

/* ---- packets ---------------------------------------------------------------- */

static enum rc add_gop(struct copy_cuts *c, int64_t pts_us)
{
    if (c->n == c->room) {
        size_t room = c->room ? 2 * c->room : 256;
        struct gop *grown = realloc(c->gops, room * sizeof(*grown));
        if (!grown)
            return RC_NOMEM;
        c->gops = grown;
        c->room = room;
    }
    c->gops[c->n++] = (struct gop){.pts_us = pts_us};
    return RC_OK;
}

static enum copy_refusal judge(const struct copy_cuts *c, const struct copy_packet *p)
{
    const struct gop *gop = c->n > 0 ? &c->gops[c->n - 1] : NULL;
    if (p->discard)
        return COPY_EDITED;
    if (p->pts_us == MEDIA_UNKNOWN)
        return COPY_TIMES;
    if (p->dts_us != MEDIA_UNKNOWN && c->last_dts_us != MEDIA_UNKNOWN &&
        p->dts_us < c->last_dts_us - ROUNDED_US)
        return COPY_TIMES;
    /* A segment is decoded from when its keyframe is shown, less what all wait. */
    if (p->key && p->dts_us != MEDIA_UNKNOWN && c->delay_us != MEDIA_UNKNOWN &&
        llabs(p->pts_us - p->dts_us - c->delay_us) > COPY_DELAY_US)
        return COPY_PAUSED;
    if (!gop)
        return p->key ? COPY_FINE : COPY_NO_KEYFRAME;
    if (!p->key)
        return p->pts_us < gop->pts_us ? COPY_OPEN_GOP : COPY_FINE;
    /* A picture of the group before that is shown after this keyframe would be cut from
     * what it belongs to. */
    if (p->pts_us <= c->last_us)
        return COPY_OPEN_GOP;
    if (c->n == GOPS_MAX)
        return COPY_TIMES;
    return p->pts_us - gop->pts_us > COPY_GOP_MAX_US ? COPY_LONG_GOP : COPY_FINE;
}

enum rc copy_cuts_feed(struct copy_cuts *c, const struct copy_packet *p)
{
    enum rc rc = RC_OK;
    if (c->refusal == COPY_FINE)
        c->refusal = judge(c, p);
    if (c->refusal != COPY_FINE)
        return RC_OK;
    if (p->key)
        rc = add_gop(c, p->pts_us);
    if (rc != RC_OK)
        return rc;
    struct gop *gop = &c->gops[c->n - 1];
    gop->frames++;
    gop->bytes += p->bytes;
    c->frames++;
    c->bytes += p->bytes;
    c->last_dts_us = p->dts_us;
    if (p->key && p->dts_us != MEDIA_UNKNOWN && c->delay_us == MEDIA_UNKNOWN)
        c->delay_us = p->pts_us - p->dts_us;
    c->decoded_us = p->pts_us + p->duration_us;
    if (p->pts_us > c->last_us) {
        c->last_us = p->pts_us;
        c->end_us = c->decoded_us;
    }
    return RC_OK;
}

/* "pts|dts|duration|size|flags", or the start of the file alone. */
static enum rc take_line(struct copy_cuts *c)
{
    char *save = NULL, *fields[5] = {NULL};
    int n = 0;
    for (char *f = strtok_r(c->line, "|", &save); f && n < 5;
         f = strtok_r(NULL, "|", &save))
        fields[n++] = f;
    if (n == 1 && media_time_us(fields[0]) != MEDIA_UNKNOWN)
        copy_cuts_start(c, media_time_us(fields[0]));
    if (n < 5)
        return RC_OK;
    int64_t duration_us = media_time_us(fields[2]);
    struct copy_packet p = {
        .pts_us = media_time_us(fields[0]),
        .dts_us = media_time_us(fields[1]),
        .duration_us = duration_us > 0 ? duration_us : 0,
        .bytes = strtoll(fields[3], NULL, 10),
        .key = strchr(fields[4], 'K') != NULL,
        .discard = strchr(fields[4], 'D') != NULL,
    };
    return copy_cuts_feed(c, &p);
}

enum rc copy_cuts_feed_text(struct copy_cuts *c, const void *data, size_t n)
{
    const char *p = data;
    enum rc rc = RC_OK;
    for (size_t i = 0; i < n && rc == RC_OK; i++) {
        if (p[i] == '\n') {
            c->line[c->line_size] = '\0';
            rc = take_line(c);
            c->line_size = 0;
        } else if (c->line_size < sizeof(c->line) - 1) {
            c->line[c->line_size++] = p[i];
        }
    }
    return rc;
}

/* ---- cuts ------------------------------------------------------------------- */

static int64_t gop_end_us(const struct copy_cuts *c, size_t i)
{
    return i + 1 < c->n ? c->gops[i + 1].pts_us : c->end_us;
}

/* The groups from `first` on that make one segment: as many as bring it nearest to the
 * usual length. Returns the one after them. */
static size_t segment_end(const struct copy_cuts *c, size_t first)
{
    int64_t start_us = c->gops[first].pts_us;
    size_t end = first + 1;
    while (end < c->n && llabs(gop_end_us(c, end) - start_us - COPY_SEGMENT_US) <=
                             llabs(c->gops[end].pts_us - start_us - COPY_SEGMENT_US))
        end++;
    return end;
}

/* What the list of segments is made from. */
struct cut_list {
    const struct bounds *bounds;
    const int64_t *bytes;
};

static int64_t duration_of(const void *arg, int64_t k)
{
    const struct cut_list *list = arg;
    return bounds_duration_us(list->bounds, k);
}

static int64_t bytes_of(const void *arg, int64_t k)
{
    const struct cut_list *list = arg;
    return list->bytes[k];
}

static void measure(const struct bounds *b, const int64_t *bytes,
                    struct copy_found *out)
{
    struct cut_list cuts = {b, bytes};
    struct bandwidth_list list = {b->n, duration_of, bytes_of, &cuts};
    out->peak_bitrate = bandwidth_peak(&list, bounds_target_s(b));
    out->average_bitrate = bandwidth_average(&list);
}

/* The segments' number, or with b their contents. */
static int64_t cut(const struct copy_cuts *c, struct bounds *b, int64_t *bytes)
{
    int64_t k = 0;
    for (size_t i = 0, end; i < c->n; i = end, k++) {
        end = segment_end(c, i);
        if (!b)
            continue;
        b->start_us[k] = c->gops[i].pts_us - c->start_us;
        b->start_us[k + 1] = gop_end_us(c, end - 1) - c->start_us;
        for (size_t j = i; j < end; j++) {
            b->frames[k] += c->gops[j].frames;
            bytes[k] += c->gops[j].bytes;
        }
    }
    return k;
}

/* What only shows when all is known. */
static enum copy_refusal judge_all(const struct copy_cuts *c, int64_t duration_us)
{
    if (c->refusal != COPY_FINE)
        return c->refusal;
    if (c->n == 0)
        return COPY_NO_KEYFRAME;
    const struct gop *first = &c->gops[0], *last = &c->gops[c->n - 1];
    int64_t late_us = first->pts_us - c->start_us;
    if (late_us < 0)
        return COPY_TIMES;
    if (late_us > COPY_LATE_US)
        return COPY_LATE;
    if (c->end_us - c->start_us < duration_us - COPY_EARLY_US)
        return COPY_EARLY;
    if (duration_us > 0 && c->end_us - c->start_us > duration_us + COPY_EARLY_US)
        return COPY_TIMES;
    if (c->end_us - last->pts_us > COPY_GOP_MAX_US)
        return COPY_LONG_GOP;
    double s = (double)(c->end_us - c->start_us) / 1e6;
    return s > 0 && (double)c->bytes * 8 / s > (double)c->max_bitrate ? COPY_TOO_RICH
                                                                      : COPY_FINE;
}

/* How long a picture is shown, on average. */
static int64_t usual_us(const struct copy_cuts *c)
{
    if (c->frames < 2)
        return 40000;
    return (c->last_us - c->gops[0].pts_us) / (c->frames - 1);
}

enum rc copy_cuts_finish(struct copy_cuts *c, int64_t duration_us,
                         struct copy_found *out)
{
    /* A still at the end is what was decoded last, and maybe not what begins last. */
    if (c->decoded_us > c->end_us)
        c->end_us = c->decoded_us;
    struct copy_found found = {.refusal = judge_all(c, duration_us),
                               .frames = c->frames};
    int64_t *bytes = NULL;
    if (found.refusal == COPY_FINE && c->end_us == c->last_us)
        c->end_us += usual_us(c);
    if (found.refusal != COPY_FINE) {
        *out = found;
        return RC_OK;
    }
    int64_t n = cut(c, NULL, NULL);
    enum rc rc = bounds_alloc(n, &found.bounds);
    if (rc == RC_OK && !(bytes = calloc((size_t)n, sizeof(*bytes))))
        rc = RC_NOMEM;
    if (rc == RC_OK) {
        cut(c, &found.bounds, bytes);
        if (bounds_are_valid(&found.bounds))
            measure(&found.bounds, bytes, &found);
        else
            found.refusal = COPY_TIMES;
    }
    if (rc != RC_OK || found.refusal != COPY_FINE)
        bounds_free(&found.bounds);
    if (rc == RC_OK)
        *out = found;
    free(bytes);
    return rc;
}
