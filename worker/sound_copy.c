#include "sound_copy.h"

#include "bandwidth.h"
#include "grid.h"

#include <stdlib.h>
#include <string.h>

#define RATE_MIN 32000 /* below, LC may be what every decoder knows of HE-AAC */
#define RATE_MAX 96000
/* Within a segment packets may be off their places by so much of a frame: where it is
 * cut is told from half of one. */
#define DRIFT 0.4
#define APART 0.6 /* of a frame, from one to the next at least */

static bool is_copied(const struct media_stream *a)
{
    return a->kind == MEDIA_AUDIO && strcmp(a->codec, "aac") == 0 &&
           strcmp(a->profile, "LC") == 0 && (a->channels == 1 || a->channels == 2) &&
           a->sample_rate >= RATE_MIN && a->sample_rate <= RATE_MAX;
}

void sound_copy_free(struct sound_copy *s)
{
    bounds_free(&s->bounds);
    free(s->packed);
    *s = (struct sound_copy){0};
}

/* ---- where it is cut ---------------------------------------------------------- */

/* A track whose packets are read. */
struct cutting {
    struct bounds bounds; /* there is room for all of them */
    int64_t room;         /* segments */
    int64_t *bytes;       /* one a segment */
    int64_t start_us;     /* of the timeline, by the file's clock */
    double frame_us;
    int64_t frames;
    int64_t last_us; /* when the packet before comes */
    int64_t end_us;
};

/* When the next packet has to come, by where its segment or the one before began. */
static double expected_us(const struct cutting *c)
{
    int64_t k = c->frames / GRID_AUDIO_SEGMENT, j = c->frames % GRID_AUDIO_SEGMENT;
    if (j == 0)
        return (double)c->bounds.start_us[k - 1] + GRID_AUDIO_SEGMENT * c->frame_us;
    return (double)c->bounds.start_us[k] + (double)j * c->frame_us;
}

static bool is_in_place(const struct cutting *c, int64_t us)
{
    if (c->frames == 0)
        return us <= SOUND_COPY_LATE_US;
    double off = (double)us - expected_us(c);
    if ((double)(us - c->last_us) < APART * c->frame_us)
        return false;
    return off <= DRIFT * c->frame_us && off >= -DRIFT * c->frame_us;
}

/* RC_UNSUPPORTED: a hole, or an edit in its midst. */
static enum rc take_packet(void *arg, const struct mp4_index_packet *p)
{
    struct cutting *c = arg;
    int64_t us = p->pts_us - c->start_us, k = c->frames / GRID_AUDIO_SEGMENT;
    if ((us < 0 || p->discard) && c->frames == 0)
        return RC_OK; /* priming */
    if (p->discard || k >= c->room || !is_in_place(c, us))
        return RC_UNSUPPORTED;
    if (c->frames % GRID_AUDIO_SEGMENT == 0)
        c->bounds.start_us[k] = us;
    c->bounds.frames[k]++;
    c->bytes[k] += p->bytes;
    c->last_us = us;
    c->frames++;
    c->end_us = us + (p->duration_us > 0 && (double)p->duration_us < c->frame_us + 1
                          ? p->duration_us
                          : (int64_t)c->frame_us);
    return RC_OK;
}

static int64_t cut_us(const void *arg, int64_t k)
{
    const struct cutting *c = arg;
    return c->bounds.start_us[k + 1] - c->bounds.start_us[k];
}

static int64_t cut_bytes(const void *arg, int64_t k)
{
    return ((const struct cutting *)arg)->bytes[k];
}

/* RC_UNSUPPORTED: it has none, or too many bits. */
static enum rc measure(struct cutting *c, int64_t max_bitrate, struct sound_copy *out)
{
    struct bandwidth_list list = {0, cut_us, cut_bytes, c};
    if (c->frames == 0)
        return RC_UNSUPPORTED;
    list.n = c->bounds.n = (c->frames - 1) / GRID_AUDIO_SEGMENT + 1;
    c->bounds.start_us[list.n] = c->end_us;
    if (!bounds_are_valid(&c->bounds))
        return RC_UNSUPPORTED;
    out->frames = c->frames;
    out->peak_bitrate = bandwidth_peak(&list, bounds_target_s(&c->bounds));
    out->average_bitrate = bandwidth_average(&list);
    return out->average_bitrate > max_bitrate ? RC_UNSUPPORTED : RC_OK;
}

static enum rc cut(const struct mp4_index *index, size_t track, int64_t max_bitrate,
                   struct cutting *c, struct sound_copy *out)
{
    c->room = mp4_index_track(index, track)->packets / GRID_AUDIO_SEGMENT + 1;
    enum rc rc = bounds_alloc(c->room, &c->bounds);
    c->bytes = calloc((size_t)c->room, sizeof(*c->bytes));
    if (rc == RC_OK && !c->bytes)
        rc = RC_NOMEM;
    if (rc == RC_OK)
        rc = mp4_index_packets(index, track, take_packet, c);
    if (rc == RC_OK)
        rc = measure(c, max_bitrate, out);
    if (rc == RC_OK)
        rc = bounds_pack(&c->bounds, &out->packed, &out->packed_size);
    if (rc == RC_OK)
        out->bounds = c->bounds;
    else
        bounds_free(&c->bounds);
    free(c->bytes);
    return rc;
}

enum rc sound_copy_find(const struct mp4_index *index, const struct media_info *info,
                        int64_t max_bitrate, struct sound_copy out[MEDIA_STREAMS_MAX])
{
    memset(out, 0, MEDIA_STREAMS_MAX * sizeof(*out));
    if (mp4_index_fragmented(index))
        return RC_OK;
    for (size_t i = 0; i < info->n_streams; i++) {
        const struct media_stream *a = &info->streams[i];
        if (!is_copied(a) || a->index < 0 || a->index >= MEDIA_STREAMS_MAX ||
            (size_t)a->index >= mp4_index_tracks(index) ||
            mp4_index_track(index, (size_t)a->index)->several_entries)
            continue;
        struct cutting c = {.start_us = info->start_us,
                            .frame_us = 1e6 * GRID_AAC_FRAME / a->sample_rate};
        struct sound_copy *s = &out[a->index];
        s->rate = a->sample_rate;
        s->channels = a->channels;
        if (cut(index, (size_t)a->index, max_bitrate, &c, s) == RC_NOMEM)
            return RC_NOMEM;
    }
    return RC_OK;
}

/* ---- the plan ------------------------------------------------------------------- */

static int common_divisor(int a, int b)
{
    while (b) {
        int rest = a % b;
        a = b;
        b = rest;
    }
    return a;
}

void sound_copy_plan(const struct sound_copy sounds[MEDIA_STREAMS_MAX],
                     struct video_plan *plan)
{
    for (size_t i = 0; i < plan->n_renditions; i++) {
        struct rendition *r = &plan->renditions[i];
        if (r->kind != RENDITION_AUDIO)
            continue;
        const struct sound_copy *s = &sounds[r->stream];
        int64_t n = s->bounds.n;
        if (n == 0 || s->bounds.start_us[n] < plan->duration_us - SOUND_COPY_EARLY_US)
            continue;
        int divisor = common_divisor(s->rate, GRID_AAC_FRAME);
        r->copied = true;
        r->rate_num = s->rate / divisor;
        r->rate_den = GRID_AAC_FRAME / divisor;
        r->gop = GRID_AUDIO_SEGMENT;
        r->channels = s->channels;
        r->frames = s->frames;
        r->segments = n;
        r->bitrate = s->peak_bitrate;
        r->average_bitrate = s->average_bitrate;
        plan->bounds[i].bytes = s->packed;
        plan->bounds[i].n = s->packed_size;
    }
}
