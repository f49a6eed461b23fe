#include "mkv_values.h"

#include <math.h>
#include <string.h>

/* Of pictures of MPEG codecs: 16 at most may be shown before one that comes earlier,
 * and mostly it is one or a few. */
#define REORDERED_US 500000
/* 31 years, in ns; a longer time is nonsense, and would not fit in all that follows. */
#define NS_MAX UINT64_C(1000000000000000000)

/* ---- times ------------------------------------------------------------------ */

static int64_t us_of(const struct mkv_walk *w, int64_t ticks)
{
    /* scale × ticks is below 2^63: see take_timestamp. */
    return ticks * (int64_t)w->scale_ns / 1000;
}

/* What ffmpeg takes off a track's times: whole ticks. */
static int64_t delay_us(const struct mkv_walk *w, const struct mkv_track *t)
{
    return us_of(w, (int64_t)((t->codec_delay_ns + w->scale_ns / 2) / w->scale_ns));
}

/* How much earlier than the latest block one may be shown that is still to come. */
static int64_t back_us(const struct mkv_track *t)
{
    bool in_order = t->kind == MKV_AUDIO || strcmp(t->codec, "V_VP8") == 0 ||
                    strcmp(t->codec, "V_VP9") == 0 || strcmp(t->codec, "V_AV1") == 0;
    return in_order || t->back_us > REORDERED_US ? t->back_us : REORDERED_US;
}

/* A block that is complete now. */
static void count_block(struct mkv_track *t, int64_t us)
{
    if (t->seen && t->top_us - us > t->back_us)
        t->back_us = t->top_us - us;
    if (!t->seen || us > t->top_us)
        t->top_us = us;
    t->seen = true;
}

void mkv_settle_block(struct mkv_walk *w)
{
    if (w->block.end > 0)
        count_block(&w->tracks[w->block.track], w->block.us);
    w->block.end = 0;
}

/* ---- values ----------------------------------------------------------------- */

static struct mkv_track *track(struct mkv_walk *w)
{
    return &w->tracks[w->n_tracks - 1];
}

/* The value of a number; RC_INVALID if it has more than 8 bytes. */
static enum rc number(const struct mkv_element *el, uint64_t *out)
{
    if (el->e.size > 8)
        return RC_INVALID;
    if (el->n < el->e.size)
        return RC_TRUNCATED;
    *out = ebml_uint(el->body, (size_t)el->e.size);
    return RC_OK;
}

static enum rc take_info(struct mkv_walk *w, const struct mkv_element *el)
{
    uint64_t scale;
    enum rc rc = RC_OK;
    if (el->e.id == ID_TIMESTAMP_SCALE) {
        rc = number(el, &scale);
        if (rc == RC_OK && (scale == 0 || scale > NS_MAX))
            rc = RC_INVALID;
        if (rc == RC_OK && w->clusters == 0)
            w->scale_ns = scale;
    } else if (el->e.id == ID_DURATION) {
        if (el->e.size != 4 && el->e.size != 8)
            return RC_INVALID;
        if (el->n < el->e.size)
            return RC_TRUNCATED;
        w->duration = ebml_float(el->body, (size_t)el->e.size);
    }
    double ns = w->duration * (double)w->scale_ns;
    w->duration_us = isfinite(ns) && ns > 0 && ns < NS_MAX ? (int64_t)(ns / 1000) : 0;
    return rc;
}

static enum rc take_codec(struct mkv_walk *w, const struct mkv_element *el)
{
    size_t n = el->e.size < MKV_CODEC_MAX ? (size_t)el->e.size : MKV_CODEC_MAX;
    if (el->n < n)
        return RC_TRUNCATED;
    memcpy(track(w)->codec, el->body, n);
    track(w)->codec[n] = '\0';
    return RC_OK;
}

static enum rc take_entry(struct mkv_walk *w, const struct mkv_element *el)
{
    uint64_t value = 0;
    enum rc rc;
    switch (el->e.id) {
    case ID_CODEC:
        return take_codec(w, el);
    case ID_TRACK_NUMBER:
    case ID_TRACK_TYPE:
    case ID_DEFAULT_DURATION:
    case ID_CODEC_DELAY:
        rc = number(el, &value);
        if (rc != RC_OK)
            return rc;
        break;
    default:
        return RC_OK;
    }
    if (el->e.id == ID_TRACK_NUMBER)
        track(w)->number = value;
    else if (el->e.id == ID_TRACK_TYPE) /* RFC 9559 s. 5.1.4.1.3 */
        track(w)->kind = value == 1 ? MKV_VIDEO : value == 2 ? MKV_AUDIO : MKV_OTHER;
    else if (el->e.id == ID_DEFAULT_DURATION)
        track(w)->default_duration_ns = value;
    else if (value <= NS_MAX)
        track(w)->codec_delay_ns = value;
    return RC_OK;
}

static enum rc take_timestamp(struct mkv_walk *w, const struct mkv_element *el)
{
    uint64_t ticks;
    enum rc rc = number(el, &ticks);
    if (rc != RC_OK)
        return rc;
    /* With the 16 bits of a block more, in ns, still below 2^63. */
    if (ticks > NS_MAX / w->scale_ns || w->scale_ns > NS_MAX / 65536)
        return RC_INVALID;
    w->ticks = (int64_t)ticks;
    w->in_time = true;
    return RC_OK;
}

/* Of a SimpleBlock or a Block the track's number and the time (s. 10.1). */
static enum rc take_block(struct mkv_walk *w, const struct mkv_element *el)
{
    uint64_t track_number;
    int length;
    enum rc rc = ebml_vint(el->body, el->n, 8, &track_number, &length);
    if (rc == RC_OK && el->n < (size_t)length + 2)
        rc = RC_TRUNCATED;
    if (rc == RC_TRUNCATED && el->n == el->e.size)
        rc = RC_INVALID;
    if (rc != RC_OK)
        return rc;
    if (!w->in_time)
        return RC_INVALID;
    int16_t relative = (int16_t)ebml_uint(el->body + length, 2);
    if (relative < w->least_ticks)
        w->least_ticks = relative;
    for (size_t i = 0; i < w->n_tracks; i++) {
        struct mkv_track *t = &w->tracks[i];
        if (t->number != track_number || t->kind == MKV_OTHER)
            continue;
        w->block.track = i;
        w->block.us = us_of(w, w->ticks + relative) - delay_us(w, t);
        w->block.end = el->end;
        break;
    }
    return RC_OK;
}

enum rc mkv_take_value(struct mkv_walk *w, uint32_t parent,
                       const struct mkv_element *el)
{
    switch (parent) {
    case ID_INFO:
        return take_info(w, el);
    case ID_TRACK_ENTRY:
        return take_entry(w, el);
    case ID_CLUSTER:
        if (el->e.id == ID_TIMESTAMP)
            return take_timestamp(w, el);
        return el->e.id == ID_SIMPLE_BLOCK ? take_block(w, el) : RC_OK;
    case ID_BLOCK_GROUP:
        return el->e.id == ID_BLOCK ? take_block(w, el) : RC_OK;
    default:
        return RC_OK;
    }
}

/* ---- asking ----------------------------------------------------------------- */

int64_t mkv_walk_reach(const struct mkv_walk *walk, uint64_t frontier)
{
    uint64_t end = walk->at < walk->file_size ? walk->at : walk->file_size;
    int64_t blocks = INT64_MAX, delay = 0, back = 0;
    if (walk->done && frontier >= end)
        return INT64_MAX;
    if (walk->clusters == 0 || (walk->clusters == 1 && !walk->in_time))
        return INT64_MIN;
    for (size_t i = 0; i < walk->n_tracks; i++) {
        struct mkv_track t = walk->tracks[i];
        if (t.kind == MKV_OTHER)
            continue;
        if (walk->block.end > 0 && walk->block.end <= frontier &&
            walk->block.track == i)
            count_block(&t, walk->block.us);
        int64_t us = t.seen ? t.top_us - back_us(&t) : INT64_MIN;
        blocks = us < blocks ? us : blocks;
        delay = delay_us(walk, &t) > delay ? delay_us(walk, &t) : delay;
        back = back_us(&t) > back ? back_us(&t) : back;
    }
    /* By the cluster alone. */
    int64_t us = us_of(walk, walk->ticks + walk->least_ticks) - delay - back;
    return blocks < INT64_MAX && blocks > us ? blocks : us;
}
