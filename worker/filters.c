#include "filters.h"

#include "colour.h"
#include "grid.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/*
 * Diffuse white of HDR is 203 cd/m² (ITU-R BT.2408), which becomes the 1.0 of the
 * linear numbers; highlights are mastered up to some 1000 cd/m², so to 5. Up to half of
 * white all is what it would be in SDR, and from there on a curve bends to the peak.
 */
#define TONE_MAP                                                                       \
    "zscale=t=linear:npl=203,format=gbrpf32le,zscale=p=bt709,"                         \
    "tonemap=mobius:param=0.5:peak=5:desat=0,zscale=t=bt709:m=bt709:r=tv"
#define TO_BT709 "zscale=p=bt709:t=bt709:m=bt709:r=tv"

/*
 * By the names of channels; a name that the source does not have counts for nothing.
 * ffmpeg's own mix makes one channel 3 dB softer, and either clips or makes all of it
 * softer by 8 dB, as the format of the samples has it. In floating point nothing is
 * lost until the limiter, which looks 1 ms ahead, so all is 1 ms late. It does nothing
 * to what is not too loud.
 */
#define SIDE(s)                                                                        \
    "F" s "=F" s "+FC+F" s "C+D" s "+W" s "+0.707*B" s "+0.707*S" s "+0.707*TF" s      \
    "+0.707*TB" s "+0.5*BC+0.5*TC"
#define STEREO                                                                         \
    "aformat=sample_fmts=fltp,pan=stereo|" SIDE("L") "|" SIDE(                         \
        "R") ","                                                                       \
             "alimiter=level=disabled:limit=1:attack=1:release=50"

struct chain {
    char *text;
    size_t used;
    bool overflow;
};

/* Adds a filter behind the others. */
__attribute__((format(printf, 2, 3))) static void put(struct chain *c, const char *fmt,
                                                      ...)
{
    va_list ap;
    size_t room = FILTERS_MAX - c->used;
    int comma = c->used > 0 && room > 1;
    if (comma)
        c->text[c->used] = ',';
    va_start(ap, fmt);
    int n = vsnprintf(c->text + c->used + comma, room - (size_t)comma, fmt, ap);
    va_end(ap);
    if (n < 0 || (size_t)(n + comma) >= room)
        c->overflow = true;
    else
        c->used += (size_t)(n + comma);
}

static struct chain begin(const struct rendition *r, char *out)
{
    struct chain c = {.text = out};
    out[0] = '\0';
    /* Those pictures that say they are of two fields; in many files not all are. */
    if (r->deinterlace)
        put(&c, "bwdif=mode=send_frame:deint=interlaced");
    return c;
}

static enum rc end(const struct chain *c)
{
    return c->overflow ? RC_INVALID : RC_OK;
}

/* The range is told, or the scaler would take grey for full and believe what each
 * picture says of itself. */
static void put_scale(struct chain *c, const struct colour *colour, int width,
                      int height, const char *flags)
{
    const char *range =
        colour->full ? "in_range=pc:out_range=tv" : "in_range=tv:out_range=tv";
    if (colour->rgb)
        range = colour->way == COLOUR_RGB ? "out_color_matrix=bt709:out_range=tv"
                                          : "out_range=pc";
    put(c, "scale=%d:%d:flags=%s:%s", width, height, flags, range);
}

/* From what scaling has left to BT.709, in 10 bits so that nothing is rounded twice. */
static void put_conversion(struct chain *c, const struct colour *colour)
{
    char params[160];
    if (colour->way != COLOUR_CONVERTED && colour->way != COLOUR_TONE_MAPPED)
        return;
    colour_params(colour, false, params, sizeof(params));
    put(c, "format=%s", colour->rgb ? "gbrp10le" : "yuv420p10le");
    put(c, "setparams=range=%s:%s", colour->rgb ? "pc" : "tv", params);
    put(c, "%s", colour->way == COLOUR_CONVERTED ? TO_BT709 : TONE_MAP);
}

/*
 * tpad repeats the last picture for ever, so that -frames:v alone decides the end; fps
 * puts the pictures on the grid, beginning with the run's first one. Dropping pictures
 * comes before scaling where the source has many more than the grid. bilinear costs a
 * tenth of a 360p encode less than bicubic; a rung takes the time for 0.3 to 1 dB more.
 */
enum rc filters_video(const struct rendition *r, double source_rate, int64_t start_us,
                      bool open, char out[FILTERS_MAX])
{
    struct colour colour = colour_read(r->colour);
    struct chain c = begin(r, out);
    char params[160], fps[96];
    /* Before any other filter, full range may be in formats that only a scaler takes.
     */
    const char *scaler = r->max_bitrate > 0 ? "bicubic" : "bilinear";
    bool drop_first = source_rate > 1.2 * r->rate_num / r->rate_den && !colour.full;

    snprintf(fps, sizeof(fps), "fps=%d/%d:start_time=%" PRId64 ".%06" PRId64,
             r->rate_num, r->rate_den, start_us / 1000000, start_us % 1000000);
    if (!drop_first)
        put_scale(&c, &colour, r->width, r->height, scaler);
    if (!open)
        put(&c, "tpad=stop_mode=clone:stop=-1");
    put(&c, "%s", fps);
    if (drop_first)
        put_scale(&c, &colour, r->width, r->height, scaler);
    put_conversion(&c, &colour);
    colour_params(&colour, true, params, sizeof(params));
    put(&c, "format=yuv420p,setparams=range=tv:%s,setsar=1", params);
    return end(&c);
}

/* The scaler's names. What is not known is BT.601 to it. */
static const char *scaler_matrix(const struct colour *colour)
{
    bool is_709 = colour->way != COLOUR_KEPT || strcmp(colour->matrix, "bt709") == 0;
    return is_709 ? "bt709" : "bt601";
}

enum rc filters_still(const struct rendition *r, int width, int height,
                      char out[FILTERS_MAX])
{
    struct colour colour = colour_read(r->colour);
    struct chain c = begin(r, out);
    put_scale(&c, &colour, width, height, "bicubic");
    put_conversion(&c, &colour);
    put(&c, "format=yuv444p"); /* or it is RGB, or of full range, until the next one */
    put(&c, "scale=in_color_matrix=%s:in_range=tv:out_color_matrix=bt601:out_range=pc",
        scaler_matrix(&colour));
    put(&c, "setsar=1,format=yuvj420p");
    return end(&c);
}

/*
 * Resampled first, since a single aresample miscounts at 44.1 kHz. apad before the
 * second one gives a run that begins after the end of the sound something to trim:
 * silence.
 */
enum rc filters_audio(int64_t begin_at, int64_t end_at, bool open,
                      char out[FILTERS_MAX])
{
    struct chain c = {.text = out};
    put(&c, "aresample=%d", GRID_AUDIO_RATE);
    if (!open)
        put(&c, "apad");
    put(&c, "aresample=async=1:min_hard_comp=0.02:first_pts=%" PRId64, begin_at);
    put(&c, "%s", STEREO);
    put(&c, "atrim=end_pts=%" PRId64, end_at);
    return end(&c);
}
