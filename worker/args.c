#include "args_priv.h"

#include "filters.h"
#include "grid.h"
#include "plan.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* The share of pictures that may fail to decode before ffmpeg exits with 69. */
#define MAX_ERROR_RATE "0.02"
#define LEAD_LONG_US 30000000

void args_add(struct args *a, const char *fmt, ...)
{
    va_list ap;
    int room = (int)sizeof(a->text) - a->used;
    va_start(ap, fmt);
    int n = vsnprintf(a->text + a->used, (size_t)room, fmt, ap);
    va_end(ap);
    if (n < 0 || n >= room || a->n + 1 >= ARGS_MAX) {
        a->overflow = true;
        return;
    }
    a->v[a->n++] = a->text + a->used;
    a->v[a->n] = NULL;
    a->used += n + 1;
}

void args_add_all(struct args *a, const char *const *words)
{
    for (; *words; words++)
        args_add(a, "%s", *words);
}

/* Keeps a text beside the line. */
static const char *keep(struct args *a, const char *text)
{
    int room = (int)sizeof(a->text) - a->used;
    int n = snprintf(a->text + a->used, (size_t)room, "%s", text);
    if (n >= room) {
        a->overflow = true;
        return NULL;
    }
    text = a->text + a->used;
    a->used += n + 1;
    return text;
}

void args_begin(struct args *a, const char *program)
{
    a->jailed = false;
    a->reads[0] = a->reads[1] = NULL;
    a->n = a->used = 0;
    a->v[0] = NULL;
    a->overflow = false;
    args_add(a, "%s", program);
}

enum rc args_add_input_options(struct args *a, const struct args_source *src)
{
    const char *demuxer, *names; /* the demuxer's own name is a list */
    switch (src->container) {
    case CONTAINER_MP4:
    case CONTAINER_MOV:
        demuxer = "mov";
        names = "mov,mp4,m4a,3gp,3g2,mj2";
        break;
    case CONTAINER_MATROSKA:
    case CONTAINER_WEBM:
        demuxer = "matroska";
        names = "matroska,webm";
        break;
    default:
        return RC_INVALID;
    }
    args_add(a, "-protocol_whitelist");
    args_add(a, "%s",
             src->url && strncmp(src->url, "concat:", 7) == 0
                 ? "file,pipe,concat,subfile"
                 : "file,pipe");
    a->jailed = true;
    args_add_all(a, (const char *const[]){"-max_alloc", ARGS_MAX_ALLOC,
                                          "-format_whitelist", names,
                                          "-codec_whitelist", ARGS_DECODERS, NULL});
    args_add(a, "-max_pixels");
    args_add(a, "%" PRId64, src->max_pixels);
    args_add(a, "-f");
    args_add(a, "%s", demuxer);
    return RC_OK;
}

void args_add_input(struct args *a, const struct args_source *src)
{
    args_add(a, "-i");
    if (src->url)
        args_add(a, "%s", src->url);
    else
        args_add(a, "file:%s", src->path);
    if (a->overflow || (src->url && strncmp(src->url, "pipe:", 5) == 0))
        return;
    a->reads[0] = src->url ? keep(a, src->path) : a->v[a->n - 1] + strlen("file:");
    a->reads[1] = src->also ? keep(a, src->also) : NULL;
}

enum rc args_end(const struct args *a)
{
    return a->overflow ? RC_INVALID : RC_OK;
}

enum rc args_probe(const struct args_source *src, struct args *out)
{
    args_begin(out, src->program);
    args_add_all(out, (const char *const[]){"-v", "error", "-of", "json=compact=1",
                                            "-show_format", "-show_streams", NULL});
    if (args_add_input_options(out, src) != RC_OK)
        return RC_INVALID;
    args_add_input(out, src);
    return args_end(out);
}

enum rc args_packets(const struct args_source *src, int64_t from_us, int stream,
                     struct args *out)
{
    args_begin(out, src->program);
    args_add_all(out, (const char *const[]){
                          "-v", "error", "-of", "compact=p=0:nk=1", "-show_entries",
                          "packet=stream_index,pts_time,dts_time,duration_time,"
                          "flags",
                          "-fflags", "+discardcorrupt", NULL});
    if (stream >= 0) {
        args_add(out, "-select_streams");
        args_add(out, "%d", stream);
    }
    if (from_us > 0) {
        args_add(out, "-read_intervals");
        args_add(out, "%" PRId64 ".%06" PRId64 "%%", from_us / 1000000,
                 from_us % 1000000);
    }
    if (args_add_input_options(out, src) != RC_OK)
        return RC_INVALID;
    args_add_input(out, src);
    return args_end(out);
}

enum rc args_keyframes(const struct args_source *src, int stream, struct args *out)
{
    args_begin(out, src->program);
    args_add_all(out, (const char *const[]){"-v", "error", "-of", "compact=p=0:nk=1",
                                            "-select_streams", NULL});
    args_add(out, "%d", stream);
    args_add_all(out, (const char *const[]){
                          "-show_entries",
                          "format=start_time:packet=pts_time,dts_time,flags", NULL});
    if (args_add_input_options(out, src) != RC_OK)
        return RC_INVALID;
    args_add_input(out, src);
    return args_end(out);
}

enum rc args_begin_ffmpeg(struct args *a, const struct args_source *src, bool picture,
                          bool quick, int64_t seek_us)
{
    args_begin(a, src->program);
    args_add_all(a, (const char *const[]){"-nostdin", "-hide_banner", "-v", "error",
                                          "-max_error_rate", MAX_ERROR_RATE, NULL});
    if (seek_us > 0) {
        if (picture)
            args_add(a, "-noaccurate_seek");
        args_add(a, "-ss");
        args_add(a, "%" PRId64 ".%06" PRId64, seek_us / 1000000, seek_us % 1000000);
    }
    if (quick)
        args_add_all(a, (const char *const[]){"-skip_loop_filter", "noref", NULL});
    if (args_add_input_options(a, src) != RC_OK)
        return RC_INVALID;
    args_add_all(a, (const char *const[]){"-copyts", "-start_at_zero", NULL});
    args_add_input(a, src);
    return RC_OK;
}

void args_add_fragments(struct args *a, const char *flags, int fd)
{
    args_add_all(a, (const char *const[]){"-map_metadata", "-1", "-use_editlist", "0",
                                          "-avoid_negative_ts", "disabled", "-movflags",
                                          NULL});
    args_add(a, "%s+empty_moov+default_base_moof+frag_discont", flags);
    args_add_all(a, (const char *const[]){"-f", "mp4", NULL});
    args_add(a, "pipe:%d", fd);
}

/* Where a run begins to read, for something needed at need_us. */
static int64_t read_from(const struct rendition *r, int64_t need_us,
                         const struct args_run *run)
{
    int64_t at = need_us < r->source_last_us ? need_us : r->source_last_us;
    at -= r->seek_margin_us;
    if (run->seek_us > 0)
        at = run->seek_us;
    if (run->lead == LEAD_LONG)
        at -= LEAD_LONG_US;
    return run->from == 0 || run->lead == LEAD_ALL ? 0 : at;
}

/*
 * The filters of a run, or (beside) those of two renditions that are made of the same
 * pictures, the smaller one of those of the larger.
 */
static void add_video_filters(struct args *a, const struct rendition *r,
                              const struct rendition *beside, const char *filters)
{
    if (!beside) {
        args_add(a, "-map");
        args_add(a, "0:%d", r->stream);
        args_add(a, "-vf");
        args_add(a, "%s", filters);
        return;
    }
    args_add(a, "-filter_complex");
    args_add(a, "[0:%d]%s,split[one][two];[two]scale=%d:%d:flags=bicubic[three]",
             r->stream, filters, beside->width, beside->height);
    args_add_all(a, (const char *const[]){"-map", "[one]", NULL});
}

/*
 * The first rendition is made as fast as it can be; one that is held to a bit rate, as
 * well as it can be without taking for ever. zerolatency turns sliced threads on, which
 * only costs speed here. The place of the chroma samples would else be that of the
 * run's first picture.
 */
static void add_encoder(struct args *a, const struct rendition *r)
{
    int level;
    char codecs[STORE_CODEC_MAX + 1];
    bool held = r->max_bitrate > 0;
    plan_avc_codecs(held ? PLAN_AVC_HIGH : PLAN_AVC_BASELINE, r->width, r->height,
                    r->rate_num, r->rate_den, &level, codecs);
    args_add_all(a, (const char *const[]){"-c:v", "libx264", "-preset", NULL});
    if (held) {
        args_add_all(a,
                     (const char *const[]){"veryfast", "-crf", "23", "-maxrate", NULL});
        args_add(a, "%" PRId64, r->max_bitrate);
        args_add(a, "-bufsize");
        args_add(a, "%" PRId64, 2 * r->max_bitrate);
        args_add_all(a, (const char *const[]){"-x264-params", "chromaloc=0",
                                              "-profile:v", "high", "-level:v", NULL});
    } else {
        args_add_all(
            a, (const char *const[]){"ultrafast", "-tune", "zerolatency",
                                     "-x264-params", "sliced-threads=0:chromaloc=0",
                                     "-profile:v", "baseline", "-level:v", NULL});
    }
    args_add(a, "%d.%d", level / 10, level % 10);
}

static void add_video_output(struct args *a, const struct rendition *r, int64_t frames,
                             int fd)
{
    args_add(a, "-frames:v");
    args_add(a, "%" PRId64, frames);
    add_encoder(a, r);
    args_add_all(a, (const char *const[]){"-sc_threshold", "0", "-g", NULL});
    args_add(a, "%d", r->gop);
    args_add(a, "-keyint_min");
    args_add(a, "%d", r->gop);
    args_add_fragments(a,
                       r->max_bitrate > 0 ? "+frag_keyframe+negative_cts_offsets"
                                          : "+frag_keyframe",
                       fd);
}

static enum rc encode_video(const struct args_source *src, const struct rendition *r,
                            const struct grid *g, double source_rate,
                            const struct args_run *run, struct args *a)
{
    char filters[FILTERS_MAX];
    int64_t first = grid_segment_start(g, run->from);
    int64_t start_us = grid_frame_us(g, first);
    int64_t seek = read_from(r, start_us - grid_frame_us(g, 1) / 2, run);

    if (args_begin_ffmpeg(a, src, true, r->max_bitrate == 0, seek) != RC_OK ||
        filters_video(r, source_rate, start_us, run->open, filters) != RC_OK)
        return RC_INVALID;
    add_video_filters(a, r, run->beside, filters);
    int64_t frames = grid_segment_start(g, run->end) - first;
    add_video_output(a, r, frames, 1);
    if (run->beside) {
        args_add_all(a, (const char *const[]){"-map", "[three]", NULL});
        add_video_output(a, run->beside, frames, ARGS_BESIDE_FD);
    }
    return args_end(a);
}

/*
 * A run starts 3072 samples early so that the encoder is warm, and goes on as much
 * after its end, since each AAC frame overlaps with the next; the bitstream filter
 * drops those packets and the priming.
 */
static enum rc encode_audio(const struct args_source *src, const struct rendition *r,
                            const struct grid *g, const struct args_run *run,
                            struct args *a)
{
    const int64_t warm_up = 3 * GRID_AAC_FRAME;
    char filters[FILTERS_MAX];
    int64_t first = grid_segment_start(g, run->from) * GRID_AAC_FRAME;
    int64_t end_at = grid_segment_start(g, run->end) * GRID_AAC_FRAME;
    int64_t begin_at = first > warm_up ? first - warm_up : 0;
    int64_t trim_at = g->frames * GRID_AAC_FRAME;
    int64_t seek = read_from(r, first * 1000000 / GRID_AUDIO_RATE - 64000, run);
    if (trim_at > end_at + warm_up)
        trim_at = end_at + warm_up;

    if (args_begin_ffmpeg(a, src, false, false, seek) != RC_OK ||
        filters_audio(begin_at, trim_at, run->open, filters) != RC_OK)
        return RC_INVALID;
    args_add(a, "-map");
    args_add(a, "0:%d", r->stream);
    args_add(a, "-af");
    args_add(a, "%s", filters);
    args_add_all(a, (const char *const[]){"-c:a", "aac", "-b:a", NULL});
    args_add(a, "%d", PLAN_AUDIO_BITRATE);
    args_add(a, "-bsf:a");
    args_add(a, "noise=drop=lt(pts\\,%" PRId64 ")+gte(pts\\,%" PRId64 ")", first,
             end_at);
    args_add(a, "-frag_duration");
    args_add(a, "%" PRId64, grid_frame_us(g, g->gop));
    args_add_fragments(a, "", 1);
    return args_end(a);
}

enum rc args_encode(const struct args_source *src, const struct rendition *r,
                    double source_rate, const struct args_run *run, struct args *out)
{
    struct grid g = {r->rate_num, r->rate_den, r->gop, r->frames};
    if (run->from < 0 || run->end <= run->from || run->end > grid_segments(&g))
        return RC_INVALID;
    if (r->kind == RENDITION_AUDIO)
        return encode_audio(src, r, &g, run, out);
    return encode_video(src, r, &g, source_rate, run, out);
}

enum rc args_trial(const char *program, bool encodes, struct args *out)
{
    args_begin(out, program);
    if (encodes)
        args_add_all(out,
                     (const char *const[]){"-nostdin", "-v", "error", "-f", "lavfi",
                                           "-i", "color=s=64x64:d=0.2", "-threads", "2",
                                           "-c:v", "libx264", "-f", "mp4", "-movflags",
                                           "frag_keyframe+empty_moov", "pipe:1", NULL});
    else
        args_add(out, "-version");
    return args_end(out);
}

enum rc args_sync(const char *path, struct args *out)
{
    args_begin(out, "sync");
    args_add(out, "-f");
    args_add(out, "%s", path);
    return args_end(out);
}

static bool plain(const char *s)
{
    return *s && s[strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                             "0123456789_-+=./:,%@")] == '\0';
}

/* Appends n bytes if they fit, and nothing after some that did not. */
static void append(char *out, int size, int *used, const char *s, int n)
{
    if (*used + n >= size) {
        *used = size;
        return;
    }
    memcpy(out + *used, s, (size_t)n);
    *used += n;
    out[*used] = '\0';
}

void args_quote(const struct args *args, char *out, int size)
{
    int used = 0;
    out[0] = '\0';
    for (int i = 0; i < args->n; i++) {
        const char *s = args->v[i];
        if (i > 0)
            append(out, size, &used, " ", 1);
        if (plain(s)) {
            append(out, size, &used, s, (int)strlen(s));
            continue;
        }
        append(out, size, &used, "'", 1);
        for (; *s; s++)
            append(out, size, &used, *s == '\'' ? "'\\''" : s, *s == '\'' ? 4 : 1);
        append(out, size, &used, "'", 1);
    }
}
