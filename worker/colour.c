#include "colour.h"

#include <stdio.h>
#include <string.h>

#define UNKNOWN "unknown"

/* What ffmpeg 5.1's setparams takes and zscale can convert from, whatever they are
 * combined with; but see workable(). */
static const char *const matrices[] = {"bt709",     "fcc",      "bt470bg", "smpte170m",
                                       "smpte240m", "bt2020nc", "bt2020c", "ycgco",
                                       "ictcp",     "gbr",      NULL};
static const char *const primaries[] = {"bt709",     "bt470m",  "bt470bg", "smpte170m",
                                        "smpte240m", "film",    "bt2020",  "smpte431",
                                        "smpte432",  "ebu3213", NULL};
static const char *const transfers[] = {
    "bt709",     "bt470m",    "bt470bg",   "smpte170m",    "smpte240m",
    "linear",    "log100",    "log316",    "iec61966-2-1", "iec61966-2-4",
    "bt2020-10", "bt2020-12", "smpte2084", "arib-std-b67", NULL};

/* What is shown right as it is, by anything that reads tags or guesses them: television
 * of standard and of high definition. */
static const char *const kept_matrices[] = {"bt709", "bt470bg", "smpte170m", UNKNOWN,
                                            NULL};
static const char *const kept_primaries[] = {"bt709",     "bt470bg", "smpte170m",
                                             "smpte240m", UNKNOWN,   NULL};
static const char *const kept_transfers[] = {
    "bt709", "smpte170m", "bt470m", "bt470bg", "iec61966-2-1", UNKNOWN, NULL};

static const char *known(const char *const *names, const char *name)
{
    for (; *names; names++)
        if (strcmp(*names, name) == 0)
            return *names;
    return UNKNOWN;
}

static bool is(const char *a, const char *b)
{
    return strcmp(a, b) == 0;
}

static bool among(const char *const *names, const char *name)
{
    for (; *names; names++)
        if (is(*names, name))
            return true;
    return false;
}

static bool is_hdr(const char *transfer)
{
    return is(transfer, "smpte2084") || is(transfer, "arib-std-b67");
}

/* By the names of pixel formats: "gbrp10le", "rgb24", "0bgr", "pal8". */
static bool is_rgb(const char *pixels)
{
    return strstr(pixels, "rgb") || strstr(pixels, "bgr") || strstr(pixels, "gbr") ||
           is(pixels, "pal8");
}

/* What nobody says is that of television of its size. */
static const char *usual_matrix(const struct media_stream *s, const char *prim,
                                const char *transfer)
{
    if (is(prim, "bt2020") || is_hdr(transfer))
        return "bt2020nc";
    if (s->width >= 1280 || s->height > 576)
        return "bt709";
    return s->height == 576 ? "bt470bg" : "smpte170m";
}

static const char *usual_primaries(const struct media_stream *s, const char *matrix,
                                   const char *transfer)
{
    if (strncmp(matrix, "bt2020", 6) == 0 || is_hdr(transfer))
        return "bt2020";
    if (!is(matrix, "bt470bg") && !is(matrix, "smpte170m"))
        return "bt709";
    if (s->height == 576)
        return "bt470bg";
    return s->height == 480 || s->height == 486 ? "smpte170m" : "bt709";
}

/* Some matrices are defined for some transfers only. */
static const char *workable(const char *matrix, const char *transfer)
{
    static const char *const constant_luminance[] = {"bt709", "smpte170m", "bt2020-10",
                                                     "bt2020-12", NULL};
    if ((is(matrix, "ictcp") && !is_hdr(transfer)) ||
        (is(matrix, "bt2020c") && !among(constant_luminance, transfer)))
        return "bt2020nc";
    return matrix;
}

void colour_of(const struct media_stream *s, char out[STORE_COLOUR_MAX + 1])
{
    const char *matrix = known(matrices, s->matrix);
    const char *prim = known(primaries, s->primaries);
    const char *transfer = known(transfers, s->transfer);
    bool full = s->full_range || strncmp(s->pixels, "yuvj", 4) == 0;
    if (is_rgb(s->pixels))
        matrix = "gbr";
    else if (is(matrix, "gbr"))
        matrix = s->pixels[0] ? UNKNOWN : matrix;
    if (is(matrix, UNKNOWN))
        matrix = usual_matrix(s, prim, transfer);
    if (is(transfer, UNKNOWN))
        transfer = "bt709"; /* the curve of all television but HDR */
    if (is(prim, UNKNOWN))
        prim = usual_primaries(s, matrix, transfer);
    snprintf(out, STORE_COLOUR_MAX + 1, "%s/%s/%s%s", workable(matrix, transfer), prim,
             transfer, full && !is(matrix, "gbr") ? "/pc" : "");
}

static enum colour_way way_of(const struct colour *c)
{
    if (is_hdr(c->transfer))
        return COLOUR_TONE_MAPPED;
    if (!among(kept_primaries, c->primaries) || !among(kept_transfers, c->transfer))
        return COLOUR_CONVERTED;
    if (c->rgb)
        return is(c->primaries, "bt709") ? COLOUR_RGB : COLOUR_CONVERTED;
    return among(kept_matrices, c->matrix) ? COLOUR_KEPT : COLOUR_CONVERTED;
}

struct colour colour_read(const char *stored)
{
    char matrix[20], prim[20], transfer[20], range[4] = "";
    /* Looked up again: nothing else may reach the command line. */
    if (sscanf(stored, "%19[^/]/%19[^/]/%19[^/]/%3s", matrix, prim, transfer, range) <
        3)
        matrix[0] = prim[0] = transfer[0] = '\0';
    struct colour c = {
        .full = is(range, "pc"),
        .matrix = known(matrices, matrix),
        .primaries = known(primaries, prim),
        .transfer = known(transfers, transfer),
    };
    c.rgb = is(c.matrix, "gbr");
    c.way = way_of(&c);
    return c;
}

void colour_params(const struct colour *c, bool made, char *out, size_t size)
{
    static const struct colour bt709 = {
        .matrix = "bt709", .primaries = "bt709", .transfer = "bt709"};
    if (made && c->way != COLOUR_KEPT)
        c = &bt709;
    snprintf(out, size, "color_primaries=%s:color_trc=%s:colorspace=%s", c->primaries,
             c->transfer, c->matrix);
}
