#include "playlist.h"

#include "memtext.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

int64_t playlist_target_s(const struct grid *g)
{
    int64_t longest = grid_frame_us(g, grid_segment_frames(g, 0));
    int64_t s = (longest + 500000) / 1000000;
    return s > 0 ? s : 1;
}

static void put_segment(FILE *f, int64_t k, int64_t us)
{
    fprintf(f, "#EXTINF:%" PRId64 ".%06" PRId64 ",\n%" PRId64 ".m4s\n", us / 1000000,
            us % 1000000, k);
}

/* Durations are differences of rounded starts, so that their sum never drifts. */
static void put_segments(FILE *f, const struct grid *g)
{
    int64_t n = grid_segments(g);
    for (int64_t k = 0; k < n; k++)
        put_segment(f, k,
                    grid_frame_us(g, grid_segment_start(g, k + 1)) -
                        grid_frame_us(g, grid_segment_start(g, k)));
}

/* What differs between the types. */
struct kind {
    const char *tags, *end;
};

static const struct kind vod = {"#EXT-X-PLAYLIST-TYPE:VOD\n", "#EXT-X-ENDLIST\n"};

static void put_head(FILE *f, int64_t target_s, const struct kind *kind)
{
    fprintf(f,
            "#EXTM3U\n"
            "#EXT-X-VERSION:7\n"
            "#EXT-X-TARGETDURATION:%" PRId64 "\n"
            "#EXT-X-MEDIA-SEQUENCE:0\n"
            "%s"
            "#EXT-X-INDEPENDENT-SEGMENTS\n"
            "#EXT-X-MAP:URI=\"init.mp4\"\n",
            target_s, kind->tags);
}

enum rc playlist_media_cut(const struct bounds *b, char **out)
{
    struct memtext m;
    size_t n;
    if (memtext_open(&m) != RC_OK)
        return RC_NOMEM;
    put_head(m.f, bounds_target_s(b), &vod);
    for (int64_t k = 0; k < b->n; k++)
        put_segment(m.f, k, bounds_duration_us(b, k));
    fputs(vod.end, m.f);
    return memtext_close(&m, out, &n);
}

static enum rc media(const struct grid *g, const struct kind *kind, char **out)
{
    struct memtext m;
    size_t n;
    if (memtext_open(&m) != RC_OK)
        return RC_NOMEM;
    put_head(m.f, playlist_target_s(g), kind);
    put_segments(m.f, g);
    fputs(kind->end, m.f);
    return memtext_close(&m, out, &n);
}

enum rc playlist_media(const struct grid *g, char **out)
{
    return media(g, &vod, out);
}

enum rc playlist_event(const struct grid *g, char **out)
{
    static const struct kind event = {"#EXT-X-PLAYLIST-TYPE:EVENT\n"
                                      "#EXT-X-START:TIME-OFFSET=0,PRECISE=YES\n",
                                      ""};
    return media(g, &event, out);
}

enum rc playlist_text(const char *name, int64_t length_us, char **out)
{
    struct memtext m;
    size_t n;
    if (memtext_open(&m) != RC_OK)
        return RC_NOMEM;
    fprintf(m.f,
            "#EXTM3U\n"
            "#EXT-X-VERSION:7\n"
            "#EXT-X-TARGETDURATION:%" PRId64 "\n"
            "#EXT-X-MEDIA-SEQUENCE:0\n"
            "#EXT-X-PLAYLIST-TYPE:VOD\n"
            "#EXTINF:%" PRId64 ".%06" PRId64 ",\n%s.vtt\n"
            "#EXT-X-ENDLIST\n",
            (length_us + 999999) / 1000000, length_us / 1000000, length_us % 1000000,
            name);
    return memtext_close(&m, out, &n);
}

/* RFC 8216 s. 4.2: a quoted-string holds no line break and no double quote. */
static int quotable(const char *s)
{
    return s && strpbrk(s, "\"\r\n") == NULL;
}

static enum rc put_audio(FILE *f, const struct playlist_audio *a)
{
    if (!quotable(a->uri) || !quotable(a->name))
        return RC_INVALID;
    if (a->language && !quotable(a->language))
        return RC_INVALID;
    fprintf(f, "#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"audio\",NAME=\"%s\"", a->name);
    if (a->language)
        fprintf(f, ",LANGUAGE=\"%s\"", a->language);
    fprintf(f, ",DEFAULT=%s,AUTOSELECT=YES,CHANNELS=\"%d\",URI=\"%s\"\n",
            a->is_default ? "YES" : "NO", a->channels, a->uri);
    return RC_OK;
}

/* AUTOSELECT: a player may choose them by the language of its user. */
static enum rc put_subtitles(FILE *f, const struct playlist_subtitles *s)
{
    if (!quotable(s->uri) || !quotable(s->name))
        return RC_INVALID;
    if (s->language && !quotable(s->language))
        return RC_INVALID;
    fprintf(f, "#EXT-X-MEDIA:TYPE=SUBTITLES,GROUP-ID=\"subs\",NAME=\"%s\"", s->name);
    if (s->language)
        fprintf(f, ",LANGUAGE=\"%s\"", s->language);
    fprintf(f, ",DEFAULT=NO,AUTOSELECT=YES,FORCED=%s,URI=\"%s\"\n",
            s->is_forced ? "YES" : "NO", s->uri);
    return RC_OK;
}

static enum rc put_variant(FILE *f, const struct playlist_variant *v, int has_audio,
                           int has_subtitles)
{
    if (!quotable(v->uri) || !quotable(v->codecs))
        return RC_INVALID;
    fprintf(f, "#EXT-X-STREAM-INF:BANDWIDTH=%" PRId64, v->bandwidth);
    if (v->average_bandwidth > 0)
        fprintf(f, ",AVERAGE-BANDWIDTH=%" PRId64, v->average_bandwidth);
    fprintf(f, ",CODECS=\"%s\",RESOLUTION=%dx%d,FRAME-RATE=%.3f", v->codecs, v->width,
            v->height, (double)v->rate_num / v->rate_den);
    if (v->video_range)
        fprintf(f, ",VIDEO-RANGE=%s", v->video_range);
    if (has_audio)
        fputs(",AUDIO=\"audio\"", f);
    if (has_subtitles)
        fputs(",SUBTITLES=\"subs\"", f);
    fprintf(f, "\n%s\n", v->uri);
    return RC_OK;
}

enum rc playlist_master(const struct playlist_variant *variants, size_t n_variants,
                        const struct playlist_audio *audio, size_t n_audio,
                        const struct playlist_subtitles *subtitles, size_t n_subtitles,
                        char **out)
{
    enum rc rc = RC_OK;
    struct memtext m;
    size_t n;
    if (memtext_open(&m) != RC_OK)
        return RC_NOMEM;
    fputs("#EXTM3U\n#EXT-X-VERSION:7\n#EXT-X-INDEPENDENT-SEGMENTS\n", m.f);
    for (size_t i = 0; i < n_audio && rc == RC_OK; i++)
        rc = put_audio(m.f, &audio[i]);
    for (size_t i = 0; i < n_subtitles && rc == RC_OK; i++)
        rc = put_subtitles(m.f, &subtitles[i]);
    for (size_t i = 0; i < n_variants && rc == RC_OK; i++)
        rc = put_variant(m.f, &variants[i], n_audio > 0, n_subtitles > 0);
    if (rc != RC_OK) {
        memtext_drop(&m);
        return rc;
    }
    return memtext_close(&m, out, &n);
}
