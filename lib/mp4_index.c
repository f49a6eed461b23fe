#include "mp4_index.h"

#include "bmff.h"
#include "mp4_reach.h"
#include "mp4_time.h"

#include <stdlib.h>

#define MOOV BMFF_FOURCC('m', 'o', 'o', 'v')
#define MVHD BMFF_FOURCC('m', 'v', 'h', 'd')
#define MVEX BMFF_FOURCC('m', 'v', 'e', 'x')
#define TRAK BMFF_FOURCC('t', 'r', 'a', 'k')
#define TKHD BMFF_FOURCC('t', 'k', 'h', 'd')
#define EDTS BMFF_FOURCC('e', 'd', 't', 's')
#define ELST BMFF_FOURCC('e', 'l', 's', 't')
#define MDIA BMFF_FOURCC('m', 'd', 'i', 'a')
#define MDHD BMFF_FOURCC('m', 'd', 'h', 'd')
#define HDLR BMFF_FOURCC('h', 'd', 'l', 'r')
#define MINF BMFF_FOURCC('m', 'i', 'n', 'f')
#define STBL BMFF_FOURCC('s', 't', 'b', 'l')

struct entry {
    struct mp4_track track;
    struct mp4_timeline line;
    struct mp4_reach reach;
};

struct mp4_index {
    struct entry entries[MP4_TRACKS_MAX];
    size_t n;
    bool fragmented;
    uint32_t timescale; /* of the movie */
    uint64_t file_size;
    uint64_t budget; /* steps that may still be taken */
};

/* ---- boxes ------------------------------------------------------------------ */

#define UNKNOWN INT64_MAX

/* A clock that a box states: mvhd and mdhd have it in the same places
 * (s. 8.2.2, 8.4.2). */
struct clock_box {
    uint32_t timescale;
    int64_t duration; /* ticks; UNKNOWN */
};

static enum rc read_clock(const struct bmff_box *box, struct clock_box *out)
{
    bool wide = box->body_size > 0 && box->body[0] == 1;
    size_t at = wide ? 20 : 12;
    if (box->body_size < at + 4 + (wide ? 8 : 4))
        return RC_INVALID;
    uint32_t timescale = bmff_u32(box->body + at);
    uint64_t duration =
        wide ? bmff_u64(box->body + at + 4) : bmff_u32(box->body + at + 4);
    if (timescale == 0 || timescale > INT32_MAX)
        return RC_INVALID;
    if (duration == (wide ? UINT64_MAX : UINT32_MAX))
        duration = UNKNOWN;
    else if (duration > (uint64_t)MP4_SECONDS_MAX * timescale)
        return RC_INVALID;
    *out = (struct clock_box){timescale, (int64_t)duration};
    return RC_OK;
}

static int64_t stated_us(const struct clock_box *clock)
{
    return clock->duration == UNKNOWN ? 0 : mp4_us(clock->duration, clock->timescale);
}

static enum rc find(const struct bmff_box *parent, uint32_t a, uint32_t b,
                    struct bmff_box *out)
{
    const uint32_t path[] = {a, b};
    return bmff_find(parent->body, parent->body_size, path, b ? 2 : 1, out);
}

static enum rc read_id(const struct bmff_box *trak, uint32_t *out)
{
    struct bmff_box tkhd;
    enum rc rc = find(trak, TKHD, 0, &tkhd);
    if (rc != RC_OK)
        return rc == RC_NOT_FOUND ? RC_OK : rc;
    size_t at = tkhd.body_size > 0 && tkhd.body[0] == 1 ? 20 : 12;
    if (tkhd.body_size < at + 4)
        return RC_INVALID;
    *out = bmff_u32(tkhd.body + at);
    return RC_OK;
}

static enum rc read_kind(const struct bmff_box *trak, enum mp4_kind *out)
{
    struct bmff_box hdlr;
    enum rc rc = find(trak, MDIA, HDLR, &hdlr);
    if (rc != RC_OK)
        return rc == RC_NOT_FOUND ? RC_OK : rc;
    if (hdlr.body_size < 12)
        return RC_INVALID;
    uint32_t type = bmff_u32(hdlr.body + 8);
    if (type == BMFF_FOURCC('v', 'i', 'd', 'e'))
        *out = MP4_VIDEO;
    else if (type == BMFF_FOURCC('s', 'o', 'u', 'n'))
        *out = MP4_AUDIO;
    return RC_OK;
}

/* ---- the facts of a track --------------------------------------------------- */

/* How long samples last on average, all but the last one, which may be shown for long.
 */
static int64_t usual_ticks(const struct mp4_tables *t)
{
    uint32_t last = bmff_u32(t->stts.p + 8 * (size_t)(t->stts.n - 1) + 4);
    return t->samples > 1 ? (t->ticks - last) / (t->samples - 1) : last;
}

/* Reordered pictures last equally long for ffmpeg: as long as the first one if only the
 * last one does not, else about as long as the table says, where that is no filler. But
 * a last one that the table has shown for longer is, as far as the track goes. */
static int64_t reordered_for(const struct mp4_timeline *line,
                             const struct mp4_packet *p, bool last)
{
    const struct mp4_tables *t = &line->tables;
    int64_t usual = usual_ticks(t), own = p->duration;
    if (last && own > usual) {
        int64_t at = line->edited ? p->pts : p->dts;
        if (line->end < INT64_MAX && own > line->end - at)
            own = line->end - at;
        if (own > usual)
            return own;
    }
    if (t->stts.n == 1 || (t->stts.n == 2 && bmff_u32(t->stts.p + 8) == 1))
        return bmff_u32(t->stts.p + 4);
    return own < usual / 2 ? usual : own;
}

/* How long a packet is shown, ticks: until next_dts, which is that of the next packet
 * or the end of the track; if that is earlier, as long as others are. */
static int64_t shown_for(const struct mp4_timeline *line, const struct mp4_packet *p,
                         int64_t next_dts, bool last, uint32_t usual)
{
    if (line->tables.ctts.n > 0)
        return reordered_for(line, p, last);
    return next_dts > p->dts ? next_dts - p->dts : usual;
}

/* The packets of a track, and how long each is shown. */
struct shown {
    const struct entry *e;
    struct mp4_packets packets;
    struct mp4_packet next;
    bool more;
    uint32_t usual;
};

static void shown_init(struct shown *s, const struct entry *e)
{
    *s = (struct shown){.e = e};
    mp4_packets_init(&s->packets, &e->line);
    s->more = mp4_packets_next(&s->packets, &s->next);
}

/* False after the last one. */
static bool shown_next(struct shown *s, struct mp4_packet *out, int64_t *duration_us)
{
    const struct mp4_timeline *line = &s->e->line;
    if (!s->more)
        return false;
    *out = s->next;
    s->more = mp4_packets_next(&s->packets, &s->next);
    if (line->tables.pcm_size > 0)
        s->usual = out->duration; /* known by its size */
    int64_t ticks =
        shown_for(line, out, s->more ? s->next.dts : line->ticks, !s->more, s->usual);
    *duration_us = mp4_us(ticks, s->e->track.timescale);
    if (*duration_us > MP4_LAST_MAX_US)
        *duration_us = MP4_LAST_MAX_US;
    s->usual = out->duration;
    return true;
}

/* What is shown last ends last, or what is decoded last, whatever is said of others:
 * reordered ones may be decoded long before they are shown. */
static void add_packet(struct mp4_track *t, int64_t pts, int64_t duration, bool last)
{
    if (t->packets == 0 || pts < t->first_us)
        t->first_us = pts;
    if (t->packets == 0 || pts > t->last_us) {
        t->last_us = pts;
        t->end_us = pts + duration;
    } else if (last && pts + duration > t->end_us) {
        t->end_us = pts + duration;
    }
    t->packets++;
}

static void find_facts(struct entry *e)
{
    struct shown shown;
    struct mp4_packet p;
    int64_t duration_us;
    shown_init(&shown, e);
    while (shown_next(&shown, &p, &duration_us))
        if (!p.discard)
            add_packet(&e->track, mp4_us(p.pts, e->track.timescale), duration_us,
                       !shown.more);
}

/* ---- opening ---------------------------------------------------------------- */

static enum rc read_media(struct mp4_index *index, const struct bmff_box *trak,
                          struct entry *e)
{
    struct bmff_box mdhd, minf, stbl, elst;
    struct clock_box clock;
    bool audio = e->track.kind == MP4_AUDIO;

    if (find(trak, MDIA, MDHD, &mdhd) != RC_OK || read_clock(&mdhd, &clock) != RC_OK ||
        find(trak, MDIA, MINF, &minf) != RC_OK || find(&minf, STBL, 0, &stbl) != RC_OK)
        return RC_INVALID;
    enum rc has_edits = find(trak, EDTS, ELST, &elst);
    if (has_edits == RC_INVALID)
        return RC_INVALID;
    e->track.timescale = clock.timescale;
    e->track.duration_us = stated_us(&clock);
    e->line = (struct mp4_timeline){
        .video = !audio,
        .audio = audio,
        .timescale = clock.timescale,
        .movie_timescale = index->timescale,
        .declared = clock.duration,
    };
    enum rc rc = mp4_tables_read(&stbl, audio, clock.timescale, &e->line.tables);
    if (rc != RC_OK)
        return rc;
    e->track.fourcc = e->line.tables.fourcc;
    e->track.entry = e->line.tables.entry;
    e->track.entry_size = e->line.tables.entry_size;
    e->track.several_entries = e->line.tables.several_entries;
    rc = mp4_timeline_open(&e->line, has_edits == RC_OK ? &elst : NULL, &index->budget);
    e->track.start_ticks = e->line.start;
    return rc;
}

static enum rc read_track(struct mp4_index *index, const struct bmff_box *trak)
{
    if (index->n == MP4_TRACKS_MAX)
        return RC_TOO_LARGE;
    struct entry *e = &index->entries[index->n];
    enum rc rc = read_id(trak, &e->track.id);
    if (rc == RC_OK)
        rc = read_kind(trak, &e->track.kind);
    if (rc != RC_OK)
        return rc;
    index->n++; /* from here on mp4_index_close frees what the entry holds */
    if (e->track.kind == MP4_OTHER)
        return RC_OK;
    rc = read_media(index, trak, e);
    if (rc == RC_OK)
        rc = mp4_reach_open(&e->reach, &e->line, index->file_size);
    if (rc == RC_OK)
        find_facts(e);
    return rc;
}

static enum rc read_moov(struct mp4_index *index, const struct bmff_box *moov)
{
    struct bmff_iter it = bmff_children(moov, 0);
    struct bmff_box box;
    struct clock_box clock;
    enum rc rc = find(moov, MVHD, 0, &box);

    if (rc != RC_OK || read_clock(&box, &clock) != RC_OK)
        return RC_INVALID;
    index->timescale = clock.timescale;
    while ((rc = bmff_next(&it, &box)) == RC_OK) {
        if (box.type == MVEX)
            index->fragmented = true;
        if (box.type == TRAK && (rc = read_track(index, &box)) != RC_OK)
            return rc;
    }
    return rc == RC_NOT_FOUND ? RC_OK : rc;
}

enum rc mp4_index_open(const void *moov, size_t n,
                       const struct mp4_index_limits *limits, struct mp4_index **out)
{
    struct bmff_header h;
    enum rc rc = bmff_header(moov, n, &h);
    if (rc != RC_OK)
        return rc;
    if (h.type != MOOV || (h.size > 0 && h.size < n))
        return RC_INVALID;
    if (h.size > n)
        return RC_TRUNCATED;

    struct mp4_index *index = calloc(1, sizeof(*index));
    struct bmff_box box = {
        .type = h.type,
        .start = moov,
        .body = (const uint8_t *)moov + h.header_size,
        .body_size = n - h.header_size,
    };
    if (!index)
        return RC_NOMEM;
    index->file_size = limits->file_size;
    index->budget = limits->max_samples;
    rc = read_moov(index, &box);
    if (rc != RC_OK) {
        mp4_index_close(index);
        return rc;
    }
    *out = index;
    return RC_OK;
}

void mp4_index_close(struct mp4_index *index)
{
    if (!index)
        return;
    for (size_t i = 0; i < index->n; i++) {
        mp4_reach_close(&index->entries[i].reach);
        mp4_timeline_close(&index->entries[i].line);
    }
    free(index);
}

/* ---- asking ----------------------------------------------------------------- */

size_t mp4_index_tracks(const struct mp4_index *index)
{
    return index->n;
}

const struct mp4_track *mp4_index_track(const struct mp4_index *index, size_t track)
{
    return &index->entries[track].track;
}

bool mp4_index_fragmented(const struct mp4_index *index)
{
    return index->fragmented;
}

enum rc mp4_index_keyframes(const struct mp4_index *index, size_t track,
                            enum rc (*key)(void *arg, int64_t pts_us, int64_t dts_us),
                            void *arg)
{
    const struct entry *e = &index->entries[track];
    struct mp4_packets packets;
    struct mp4_packet p;
    enum rc rc = RC_OK;
    mp4_packets_init(&packets, &e->line);
    while (rc == RC_OK && mp4_packets_next(&packets, &p))
        if (p.key && !p.discard)
            rc = key(arg, mp4_us(p.pts, e->track.timescale),
                     mp4_us(p.dts, e->track.timescale));
    return rc;
}

/* A packet that an edit cuts into begins before it; its samples before that are not
 * heard. */
static int64_t begins_us(const struct entry *e)
{
    int64_t us = e->track.first_us, edit_us;
    if (e->track.kind != MP4_AUDIO || e->line.n_edits == 0)
        return us;
    edit_us = mp4_us(e->line.edits[0].dts, e->track.timescale);
    return us < edit_us ? edit_us : us;
}

int64_t mp4_index_first_us(const struct mp4_index *index)
{
    int64_t us = INT64_MAX;
    for (size_t i = 0; i < index->n; i++) {
        const struct mp4_track *t = &index->entries[i].track;
        int64_t begin_us = begins_us(&index->entries[i]);
        if (t->kind != MP4_OTHER && t->packets > 0 && begin_us < us)
            us = begin_us;
    }
    return us == INT64_MAX ? 0 : us;
}

enum rc mp4_index_packets(const struct mp4_index *index, size_t track,
                          enum rc (*packet)(void *arg,
                                            const struct mp4_index_packet *p),
                          void *arg)
{
    const struct entry *e = &index->entries[track];
    uint32_t scale = e->track.timescale;
    struct shown shown;
    struct mp4_packet p;
    int64_t duration_us;
    enum rc rc = RC_OK;
    shown_init(&shown, e);
    while (rc == RC_OK && shown_next(&shown, &p, &duration_us)) {
        struct mp4_index_packet out = {.pts_us = mp4_us(p.pts, scale),
                                       .dts_us = mp4_us(p.dts, scale),
                                       .duration_us = duration_us,
                                       .begin = (int64_t)p.begin,
                                       .bytes = (int64_t)(p.end - p.begin),
                                       .key = p.key,
                                       .discard = p.discard};
        rc = packet(arg, &out);
    }
    return rc;
}

int64_t mp4_index_reach(const struct mp4_index *index, size_t track, uint64_t frontier)
{
    const struct entry *e = &index->entries[track];
    int64_t ticks = mp4_reach_time(&e->reach, frontier);
    return ticks == INT64_MAX ? ticks : mp4_us(ticks, e->track.timescale);
}
