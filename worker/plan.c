#include "plan.h"

#include "colour.h"
#include "language.h"
#include "source_bounds.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Containers round their times, and some count the last frame out. */
#define AGREE_US 500000

#define BURSTS_RATE 20 /* frames a second: below, a rate that varies is seen to */

/* A difference that a person would notice: over a second and over 1 %. */
static bool noticeable(int64_t declared, int64_t real)
{
    int64_t missing = declared - real;
    return missing > 1000000 && missing > declared / 100;
}

static int64_t declared_end(const struct media_info *info, const struct media_stream *s)
{
    if (!s)
        return MEDIA_UNKNOWN;
    if (s->duration_us > 0)
        return (s->start_us == MEDIA_UNKNOWN ? info->start_us : s->start_us) +
               s->duration_us;
    return MEDIA_UNKNOWN;
}

int64_t plan_declared_end(const struct media_info *info)
{
    int64_t video = declared_end(info, media_info_video(info));
    int64_t audio = declared_end(info, media_info_audio(info));
    int64_t end = video > audio ? video : audio;
    /* Matroska's Duration is the end of the last block, whenever the first begins. */
    if (end == MEDIA_UNKNOWN && info->duration_us > 0)
        end = info->duration_us;
    return end;
}

static const struct packet_stream *packets_of(const struct packet_scan *scan,
                                              const struct media_stream *s)
{
    if (!s || s->index >= MEDIA_STREAMS_MAX || scan->streams[s->index].packets == 0)
        return NULL;
    return &scan->streams[s->index];
}

/* The end of the packets of both streams; MEDIA_UNKNOWN if there are none. */
static int64_t real_end_of_both(const struct media_info *info,
                                const struct packet_scan *scan)
{
    const struct packet_stream *v = packets_of(scan, media_info_video(info));
    const struct packet_stream *a = packets_of(scan, media_info_audio(info));
    int64_t end = MEDIA_UNKNOWN;
    if (v)
        end = v->end_us;
    if (a && a->end_us > end)
        end = a->end_us;
    return end;
}

/* Both streams must be heard of near the end, or one may hide that the other stops. */
bool plan_times_agree(const struct media_info *info, const struct packet_scan *tail)
{
    const struct media_stream *video = media_info_video(info);
    const struct media_stream *audio = media_info_audio(info);
    if (!packets_of(tail, video) || (audio && !packets_of(tail, audio)))
        return false;
    int64_t declared = plan_declared_end(info);
    int64_t real = real_end_of_both(info, tail);
    return declared != MEDIA_UNKNOWN && llabs(declared - real) <= AGREE_US;
}

int plan_even(double v)
{
    int n = (int)lround(v / 2) * 2;
    return n < 2 ? 2 : n;
}

/* As shown: turned, and with square pixels (the shorter way is kept). */
static void shown_size(const struct media_stream *v, double *width, double *height)
{
    double w = v->width, h = v->height;
    double sar = (double)v->sar.num / (double)v->sar.den;
    if (sar >= LADDER_SAR_MIN && sar <= LADDER_SAR_MAX)
        w *= sar;
    bool turned = v->rotation == 90 || v->rotation == 270;
    *width = turned ? h : w;
    *height = turned ? w : h;
}

/* 1000/1 and the like is a time base taken for a rate. */
static bool is_rate(struct rational r)
{
    return r.num > 0 && r.num / r.den <= 240;
}

/* A recorded screen stands still and then moves: it would stutter at its average rate.
 */
static bool comes_in_bursts(struct rational average, struct rational fastest)
{
    double a = (double)average.num / (double)average.den;
    return a < BURSTS_RATE && (double)fastest.num / (double)fastest.den > 1.5 * a;
}

static struct rational source_rate(const struct media_stream *v)
{
    static const struct rational usual = {25, 1}, most = {PLAN_MAX_RATE, 1};
    struct rational average = v->average_rate;
    struct rational fastest = is_rate(v->base_rate) ? v->base_rate : most;
    if (!is_rate(average))
        return is_rate(v->base_rate) ? v->base_rate : usual;
    if (v->base_rate.num > 0 && comes_in_bursts(average, fastest))
        return fastest;
    return average;
}

/* How fast pictures follow one another. The average that a file has counts a last one
 * that is shown for long, and what its edit list leaves out. */
static struct rational average_rate(const struct media_stream *v,
                                    const struct packet_stream *packets)
{
    struct rational average = v->average_rate;
    int64_t us = packets->last_us - packets->first_us;
    if (!packets->all || packets->packets < 2 || us <= 0 || !is_rate(average))
        return average;
    double rate = 1e6 * (double)(packets->packets - 1) / (double)us;
    double away = rate * (double)average.den / (double)average.num;
    if ((away > 0.99 && away < 1.01) || rate > 240)
        return average;
    return (struct rational){llround(rate * 1000), 1000};
}

static int64_t frame_duration_us(const struct media_stream *v)
{
    struct rational r = source_rate(v);
    int64_t us = 1000000 * r.den / r.num;
    return us < PACKET_LAST_MAX_US ? us : PACKET_LAST_MAX_US;
}

/* ITU-T H.264 table A-1: level_idc, MaxMBPS, MaxFS. Levels 1.3 and 4.1 take no more
 * than 2 and 4 here, so these stand for them. */
static const struct {
    int level, mbps, fs;
} avc_levels[] = {
    {10, 1485, 99},      {11, 3000, 396},      {12, 6000, 396},    {20, 11880, 396},
    {21, 19800, 792},    {22, 20250, 1620},    {30, 40500, 1620},  {31, 108000, 3600},
    {32, 216000, 5120},  {40, 245760, 8192},   {42, 522240, 8704}, {50, 589824, 22080},
    {51, 983040, 36864}, {52, 2073600, 36864},
};

void plan_avc_codecs(unsigned profile, int width, int height, int rate_num,
                     int rate_den, int *level, char out[STORE_CODEC_MAX + 1])
{
    const size_t n = sizeof(avc_levels) / sizeof(avc_levels[0]);
    int mb_wide = (width + 15) / 16, mb_high = (height + 15) / 16;
    double mbps = (double)mb_wide * mb_high * rate_num / rate_den;
    size_t i = 0;
    /* A side may be at most sqrt(8 × MaxFS) macroblocks long (A.3.1 f, g). */
    while (i + 1 < n &&
           (mb_wide * mb_high > avc_levels[i].fs || mbps > avc_levels[i].mbps ||
            mb_wide * mb_wide > 8 * avc_levels[i].fs ||
            mb_high * mb_high > 8 * avc_levels[i].fs))
        i++;
    *level = avc_levels[i].level;
    snprintf(out, STORE_CODEC_MAX + 1, "avc1.%04x%02x", profile, (unsigned)*level);
}

/* A first guess at the peak, until it is measured: bits per pixel of x264 ultrafast
 * on film at its default quality, doubled. */
static int64_t guess_bitrate(const struct rendition *r)
{
    double pixels_s = (double)r->width * r->height * r->rate_num / r->rate_den;
    return (int64_t)fmax(100000, pixels_s * 0.2);
}

void plan_set_grid(struct rendition *r, const struct grid *g)
{
    r->rate_num = g->rate_num;
    r->rate_den = g->rate_den;
    r->gop = g->gop;
    r->frames = g->frames;
    r->segments = grid_segments(g);
}

static enum rc plan_video(const struct media_stream *v, int64_t last_us,
                          int64_t duration_us, struct rendition *r)
{
    struct rational rate;
    struct grid g;
    double width, height;
    int level;

    if (grid_snap_rate(source_rate(v), &rate) != RC_OK)
        return RC_INVALID;
    if (grid_video(grid_halve_rate(rate, PLAN_MAX_RATE), duration_us, PLAN_SEGMENT_S,
                   &g) != RC_OK)
        return RC_INVALID;
    shown_size(v, &width, &height);
    double small = fmin(width, height);
    double scale = small > PLAN_SMALL_SIDE ? PLAN_SMALL_SIDE / small : 1;
    strcpy(r->name, "360p");
    r->kind = RENDITION_VIDEO;
    r->stream = v->index;
    r->width = plan_even(width * scale);
    r->height = plan_even(height * scale);
    r->deinterlace = v->interlaced;
    colour_of(v, r->colour);
    r->source_last_us = last_us;
    plan_set_grid(r, &g);
    r->bitrate = guess_bitrate(r);
    plan_avc_codecs(PLAN_AVC_BASELINE, r->width, r->height, r->rate_num, r->rate_den,
                    &level, r->codecs);
    /* MP4 seeks by decode time: go back far enough for any usual reordering. */
    r->seek_margin_us = v->reordered ? 1000000 : 0;
    return RC_OK;
}

enum rc plan_encoded_sound(int64_t duration_us, struct rendition *r)
{
    struct grid g;
    if (grid_audio(duration_us, &g) != RC_OK)
        return RC_INVALID;
    strcpy(r->codecs, "mp4a.40.2");
    r->kind = RENDITION_AUDIO;
    r->copied = false;
    r->channels = 2;
    r->bitrate = PLAN_AUDIO_BITRATE;
    r->average_bitrate = 0;
    plan_set_grid(r, &g);
    return RC_OK;
}

static enum rc plan_audio(const struct media_stream *a, int number, int64_t last_us,
                          int64_t duration_us, struct rendition *r)
{
    char language[LANGUAGE_MAX + 1];
    if (plan_encoded_sound(duration_us, r) != RC_OK)
        return RC_INVALID;
    language_of_track(a->language, language);
    if (strcmp(language, "und") != 0 && strlen(language) <= STORE_LANGUAGE_MAX)
        strcpy(r->language, language);
    snprintf(r->label, sizeof(r->label), "%s", a->title);
    snprintf(r->name, sizeof(r->name), "audio-%d", number);
    r->stream = a->index;
    r->source_last_us = last_us;
    return RC_OK;
}

/* When the last of a track's packets comes, by what was seen of it or, of one that is
 * over before the part that was looked at, by what is said of it. MEDIA_UNKNOWN: it has
 * none. */
static int64_t last_heard_us(const struct media_info *info,
                             const struct packet_scan *scan, bool scanned_whole,
                             const struct media_stream *a)
{
    const struct packet_stream *packets = packets_of(scan, a);
    if (packets)
        return packets->last_us;
    return scanned_whole ? MEDIA_UNKNOWN : declared_end(info, a);
}

/* The one that is heard first, which has packets, and all others. */
static enum rc plan_sounds(const struct media_info *info,
                           const struct packet_scan *scan, bool scanned_whole,
                           struct video_plan *plan)
{
    const struct media_stream *sounds[PLAN_SOUNDS_MAX];
    size_t n = media_info_sounds(info, sounds, PLAN_SOUNDS_MAX);
    enum rc rc = RC_OK;
    int number = 0;
    for (size_t i = 0; i < n && rc == RC_OK; i++) {
        int64_t last_us = last_heard_us(info, scan, scanned_whole, sounds[i]);
        if (last_us == MEDIA_UNKNOWN || plan->n_renditions == STORE_RENDITIONS_MAX)
            continue;
        rc = plan_audio(sounds[i], number++, last_us - info->start_us,
                        plan->duration_us, &plan->renditions[plan->n_renditions++]);
    }
    return rc;
}

static void put_clock(char out[32], int64_t us)
{
    long long s = (us + 500000) / 1000000;
    if (s >= 3600)
        snprintf(out, 32, "%lld:%02lld:%02lld", s / 3600, s / 60 % 60, s % 60);
    else
        snprintf(out, 32, "%lld:%02lld", s / 60, s % 60);
}

/* Why nothing can be made of the file, or NULL. */
static const char *refusal(const struct media_info *info, const struct media_stream *v,
                           const struct packet_scan *scan,
                           const struct plan_limits *limits)
{
    if (info->n_streams == 0)
        return "The file holds no picture and no sound.";
    if (!v && media_info_audio(info))
        return "The file holds only sound, no video.";
    if (!v)
        return "The file holds no video that can be decoded.";
    if ((int64_t)v->width * v->height > limits->max_pixels)
        return "The picture is larger than this site takes.";
    if (!packets_of(scan, v))
        return "No picture could be read: the file is damaged or was cut off.";
    return NULL;
}

static bool is_too_fast(const struct packet_stream *p, char error[STORE_TEXT_MAX + 1])
{
    int64_t rate;
    if (!source_bounds_is_fast(p->packets, p->last_us - p->first_us, &rate))
        return false;
    source_bounds_explain_rate(rate, error, STORE_TEXT_MAX + 1);
    return true;
}

/* The file says it is longer than what is in it, or shorter; or was, but says no more
 * than what is there. */
static void warn_if_wrong(const struct media_info *info, int64_t real_end, bool cut_off,
                          char *warning)
{
    char said[32], found[32];
    int64_t declared = plan_declared_end(info), real_us = real_end - info->start_us;
    if (real_us < 0)
        real_us = 0; /* packets before the stated start */
    put_clock(found, real_us);
    if (cut_off)
        snprintf(warning, STORE_TEXT_MAX + 1,
                 "The file was cut off before its end: %s of it could be read.", found);
    if (declared == MEDIA_UNKNOWN)
        return;
    int64_t declared_us = declared - info->start_us;
    put_clock(said, declared_us);
    if (noticeable(real_us, declared_us))
        snprintf(warning, STORE_TEXT_MAX + 1,
                 "The file is longer than it says: %s instead of %s.", found, said);
    if (!noticeable(declared_us, real_us))
        return;
    /* A time of years is nonsense, not a length that went missing. */
    if (declared_us > 1000 * real_us + (int64_t)86400 * 1000000)
        return;
    snprintf(warning, STORE_TEXT_MAX + 1,
             "The file ends early: it should be %s long, %s of it could be read.", said,
             found);
}

static bool has_sound(const struct media_info *info)
{
    for (size_t i = 0; i < info->n_streams; i++)
        if (info->streams[i].kind == MEDIA_AUDIO)
            return true;
    return false;
}

static void add_sentence(char *warning, const char *sentence)
{
    size_t n = strlen(warning);
    snprintf(warning + n, STORE_TEXT_MAX + 1 - n, "%s%s", n ? " " : "", sentence);
}

/* 24.9 frames a second is 25, counted over a length that was rounded. */
static struct rational shown_rate(const struct media_stream *v)
{
    struct rational rate = source_rate(v), standard;
    if (grid_snap_rate(rate, &standard) != RC_OK)
        return rate;
    double away = (double)rate.num / (double)rate.den * (double)standard.den /
                  (double)standard.num;
    return away > 0.99 && away < 1.01 ? standard : rate;
}

static void describe(const struct media_stream *v, const struct media_stream *a,
                     struct video_plan *out)
{
    double width, height;
    shown_size(v, &width, &height);
    out->width = (int)lround(width);
    out->height = (int)lround(height);
    struct rational rate = shown_rate(v);
    out->rate_num = (int)rate.num;
    out->rate_den = (int)rate.den;
    snprintf(out->video_codec, sizeof(out->video_codec), "%s", v->codec);
    if (a)
        snprintf(out->audio_codec, sizeof(out->audio_codec), "%s", a->codec);
}

int64_t plan_segments_max(int64_t bytes)
{
    int64_t n = bytes / PLAN_SEGMENT_BYTES;
    return n > PLAN_SEGMENTS_FREE ? n : PLAN_SEGMENTS_FREE;
}

static bool is_too_small(const struct video_plan *plan, int64_t file_size,
                         char error[STORE_TEXT_MAX + 1])
{
    int64_t segments = 0;
    char length[32];
    for (size_t i = 0; i < plan->n_renditions; i++)
        segments += plan->renditions[i].segments;
    if (file_size <= 0 || segments <= plan_segments_max(file_size))
        return false;
    put_clock(length, plan->duration_us);
    snprintf(error, STORE_TEXT_MAX + 1,
             "The file is damaged: it is too small for a video of %s.", length);
    return true;
}

enum rc plan_make(const struct media_info *info, const struct packet_scan *scan,
                  bool scanned_whole, const struct plan_limits *limits, int generation,
                  struct video_plan *out, char error[STORE_TEXT_MAX + 1])
{
    const struct media_stream *v = media_info_video(info);
    const struct media_stream *a = media_info_audio(info);
    const char *why = refusal(info, v, scan, limits);
    if (why) {
        snprintf(error, STORE_TEXT_MAX + 1, "%s", why);
        return RC_UNSUPPORTED;
    }
    if (is_too_fast(packets_of(scan, v), error))
        return RC_UNSUPPORTED;
    if (!packets_of(scan, a))
        a = NULL; /* a track without a packet is not heard */
    struct media_stream shown = *v;
    shown.average_rate = average_rate(v, packets_of(scan, v));
    v = &shown;

    int64_t end = real_end_of_both(info, scan), frame_us = frame_duration_us(v);
    struct video_plan plan = {.duration_us = end - info->start_us};
    if (plan.duration_us < frame_us)
        plan.duration_us = frame_us; /* one picture, of which no duration is stated */
    if (plan.duration_us > limits->max_duration_us) {
        snprintf(error, STORE_TEXT_MAX + 1,
                 "The video is longer than this site takes.");
        return RC_UNSUPPORTED;
    }
    if (scanned_whole)
        warn_if_wrong(info, end, limits->cut_off, plan.warning);
    if (!media_info_audio(info) && has_sound(info))
        add_sentence(plan.warning, "The sound is in a format that cannot be decoded.");
    describe(v, a, &plan);

    enum rc rc = plan_video(v, packets_of(scan, v)->last_us - info->start_us,
                            plan.duration_us, &plan.renditions[plan.n_renditions++]);
    if (rc == RC_OK)
        plan_extras(info, v, limits, &plan);
    if (rc == RC_OK && a)
        rc = plan_sounds(info, scan, scanned_whole, &plan);
    if (rc != RC_OK) {
        snprintf(error, STORE_TEXT_MAX + 1, "The video's times make no sense.");
        return RC_UNSUPPORTED;
    }
    if (is_too_small(&plan, limits->file_size, error))
        return RC_UNSUPPORTED;
    for (size_t i = 0; i < plan.n_renditions; i++)
        plan.renditions[i].generation = generation;
    *out = plan;
    return RC_OK;
}

/* ---- open-ended ones ---------------------------------------------------- */

enum rc plan_make_open(const struct media_info *info, const struct plan_limits *limits,
                       int generation, struct video_plan *out,
                       char error[STORE_TEXT_MAX + 1])
{
    struct packet_scan scan; /* as if it were as long as it may be … */
    struct plan_limits open = *limits;
    open.file_size = -1; /* … for which its size says nothing */
    int64_t end_us = info->start_us + limits->max_duration_us;
    packet_scan_init(&scan);
    for (size_t i = 0; i < info->n_streams; i++) {
        int at = info->streams[i].index;
        if (at >= 0 && at < MEDIA_STREAMS_MAX)
            scan.streams[at] =
                (struct packet_stream){1, info->start_us, end_us, end_us, false};
    }
    enum rc rc = plan_make(info, &scan, false, &open, generation, out, error);
    if (rc != RC_OK)
        return rc;
    out->duration_us = -1;
    for (size_t i = 0; i < out->n_renditions; i++)
        out->renditions[i].frames = out->renditions[i].segments = 0;
    return RC_OK;
}

void plan_open_grid(const struct rendition *r, int64_t max_duration_us,
                    struct grid *out)
{
    struct grid g = {r->rate_num, r->rate_den, r->gop, r->gop};
    g.frames *= max_duration_us / grid_frame_us(&g, g.gop) + 1;
    *out = g;
}
