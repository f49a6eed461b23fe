#include "mp4_packets.h"

#include "mp4_time.h"

#include <stdlib.h>

/* ---- the packets of a timeline ---------------------------------------------- */

void mp4_packets_init(struct mp4_packets *p, const struct mp4_timeline *line)
{
    *p = (struct mp4_packets){.line = line};
    if (!line->edited)
        mp4_samples_init(&p->samples, &line->tables);
}

/* Sound whose first packet is partly before the edit begins as much before it. */
static bool is_cut_into(const struct mp4_packets *p, int64_t cts, int64_t duration)
{
    const struct mp4_edit *e = &p->line->edits[p->edit - 1];
    return p->line->audio && p->edit == 1 && cts < e->media &&
           cts + duration > e->media;
}

/* Places a sample in the current edit, and finds out if it is the last one of it. */
static void place(struct mp4_packets *p, const struct mp4_sample *s,
                  struct mp4_packet *out)
{
    const struct mp4_edit *e = &p->line->edits[p->edit - 1];
    int64_t end = e->media + e->length, cts = s->dts + s->offset;
    int64_t duration = s->last ? e->length : s->duration;

    if (is_cut_into(p, cts, duration)) {
        p->dts -= e->media - cts;
        p->started = true;
    } else if (cts < e->media || cts >= end) {
        out->discard = true;
    } else {
        p->started = true;
    }
    out->dts = p->dts;
    if (p->started)
        p->dts += duration;
    if (cts + duration < end || !(s->key || p->line->audio))
        return;
    /* Pictures that come after the first keyframe behind the edit may belong to it. */
    if (p->line->tables.ctts.n > 0 && !p->line->audio && !p->ending)
        p->ending = true;
    else
        p->in_edit = false;
}

static bool begin_edit(struct mp4_packets *p)
{
    if (p->edit == p->line->n_edits)
        return false;
    const struct mp4_edit *e = &p->line->edits[p->edit++];
    p->samples = e->from;
    p->dts = e->dts;
    p->in_edit = true;
    p->started = p->ending = false;
    return true;
}

/* The next sample that an edit shows or needs. */
static bool next_sample(struct mp4_packets *p, struct mp4_sample *out)
{
    if (!p->line->edited)
        return mp4_samples_next(&p->samples, out);
    while (!p->in_edit || !mp4_samples_next(&p->samples, out)) {
        p->in_edit = false;
        if (!begin_edit(p))
            return false;
    }
    return true;
}

bool mp4_packets_next(struct mp4_packets *p, struct mp4_packet *out)
{
    const struct mp4_timeline *line = p->line;
    struct mp4_sample s;
    if (!next_sample(p, &s))
        return false;
    *out = (struct mp4_packet){
        .duration = s.duration,
        .begin = s.begin,
        .end = s.end,
        .key = s.key,
    };
    if (line->edited)
        place(p, &s, out);
    else
        out->dts = s.dts - line->tables.shift;
    out->dts -= line->lead;
    out->pts = out->dts + line->tables.shift + s.offset;
    return true;
}

/* ---- making a timeline ------------------------------------------------------ */

static enum rc spend(uint64_t *budget, uint64_t steps)
{
    if (steps > *budget)
        return RC_TOO_LARGE;
    *budget -= steps;
    return RC_OK;
}

/* Where the reading of an edit that shows the media from `at` on has to begin: with the
 * last keyframe that is decoded and shown at that time or before. */
static enum rc find_start(const struct mp4_timeline *line, int64_t at,
                          struct mp4_samples from, uint64_t *budget,
                          struct mp4_samples *out)
{
    struct mp4_samples any = from, before = from;
    int64_t key_dts = INT64_MIN, any_dts = INT64_MIN;
    bool offsets = line->tables.ctts.n > 0;
    struct mp4_sample s;

    *out = from;
    for (; mp4_samples_next(&from, &s) && s.dts <= at; before = from) {
        if (spend(budget, 1) != RC_OK)
            return RC_TOO_LARGE;
        /* Of several at the same time the first one counts. */
        if (!offsets && s.dts != any_dts) {
            any = before;
            any_dts = s.dts;
        }
        if (s.key && s.dts != key_dts && (!offsets || s.dts + s.offset <= at)) {
            *out = before;
            key_dts = s.dts;
        }
    }
    if (key_dts == INT64_MIN)
        *out = any;
    return RC_OK;
}

static enum rc find_starts(struct mp4_timeline *line, uint64_t *budget)
{
    int64_t before = INT64_MAX;
    for (uint32_t i = 0; i < line->n_edits; i++) {
        struct mp4_edit *e = &line->edits[i];
        int64_t at = e->media;
        struct mp4_samples from;
        /* A decoder of sound takes a while to settle. */
        if (line->audio)
            at = at > line->timescale ? at - line->timescale : 0;
        if (at >= before)
            from = e[-1].from;
        else
            mp4_samples_init(&from, &line->tables);
        if (find_start(line, at, from, budget, &e->from) != RC_OK)
            return RC_TOO_LARGE;
        before = at;
    }
    return RC_OK;
}

/* One entry of the list; *dts is moved behind it. */
static enum rc read_edit(struct mp4_timeline *line, int64_t media, uint64_t length,
                         int64_t *dts)
{
    if (length > (uint64_t)MP4_SECONDS_MAX * line->movie_timescale ||
        media > MP4_SECONDS_MAX * line->timescale || media < -1)
        return RC_INVALID;
    int64_t ticks =
        mp4_rescale((int64_t)length, line->timescale, line->movie_timescale);
    if (*dts + ticks > MP4_SECONDS_MAX * line->timescale)
        return RC_INVALID;
    if (media >= 0)
        line->edits[line->n_edits++] =
            (struct mp4_edit){.media = media, .length = ticks, .dts = *dts};
    else if (line->n_edits > 0)
        return RC_UNSUPPORTED;
    *dts += ticks;
    return RC_OK;
}

static enum rc read_edits(struct mp4_timeline *line, const struct bmff_box *elst)
{
    struct mp4_table list;
    bool wide = elst->body_size > 0 && elst->body[0] == 1;
    size_t size = wide ? 20 : 12;
    enum rc rc = mp4_table_read(elst, 0, size, &list);
    if (rc != RC_OK || elst->body_size != 8 + list.n * size)
        return RC_INVALID; /* ffmpeg goes by the size of the box, others by the count */
    if (list.n > MP4_EDITS_MAX)
        return RC_TOO_LARGE;
    line->edited = list.n > 0;
    line->edits = calloc(list.n + 1u, sizeof(*line->edits));
    if (!line->edits)
        return RC_NOMEM;

    int64_t begin = -line->tables.shift, dts = begin;
    for (uint32_t i = 0; i < list.n && rc == RC_OK; i++) {
        const uint8_t *p = list.p + i * size;
        int64_t media = wide ? (int64_t)bmff_u64(p + 8) : (int32_t)bmff_u32(p + 4);
        rc = read_edit(line, media, wide ? bmff_u64(p) : bmff_u32(p), &dts);
    }
    line->start = begin - (line->n_edits > 0 ? line->edits[0].dts : dts);
    if (line->n_edits > 0)
        line->start += line->edits[0].media;
    if (line->edited && dts - begin < line->ticks)
        line->ticks = dts - begin;
    if (line->edited)
        line->end = dts - begin;
    return rc;
}

/* Counts the packets. ffmpeg moves a picture track of which nothing is shown at the
 * beginning of its first edit to where that begins (mov_fix_index: min_corrected_pts).
 */
static enum rc settle(struct mp4_timeline *line, uint64_t *budget)
{
    int64_t least = -1, shift = line->tables.shift;
    struct mp4_packets p;
    struct mp4_packet packet;

    mp4_packets_init(&p, line);
    while (mp4_packets_next(&p, &packet)) {
        if (line->packets == UINT32_MAX || spend(budget, 1) != RC_OK)
            return RC_TOO_LARGE;
        line->packets++;
        if (!packet.discard && (least < 0 || packet.pts < least))
            least = packet.pts;
    }
    if (line->n_edits > 0 && line->video)
        least -= line->edits[0].dts + shift;
    if (line->n_edits > 0 && line->video && least > 0)
        line->lead = least;
    return RC_OK;
}

enum rc mp4_timeline_open(struct mp4_timeline *line, const struct bmff_box *elst,
                          uint64_t *budget)
{
    enum rc rc = RC_OK;
    line->ticks = line->declared;
    if (line->tables.ticks > 0 && line->tables.ticks < line->ticks)
        line->ticks = line->tables.ticks;
    line->end =
        line->declared < INT64_MAX ? line->declared - line->tables.shift : INT64_MAX;
    if (elst)
        rc = read_edits(line, elst);
    if (rc == RC_OK)
        rc = find_starts(line, budget);
    if (rc == RC_OK)
        rc = settle(line, budget);
    if (rc != RC_OK)
        mp4_timeline_close(line);
    return rc;
}

void mp4_timeline_close(struct mp4_timeline *line)
{
    free(line->edits);
    line->edits = NULL;
    line->n_edits = 0;
}
