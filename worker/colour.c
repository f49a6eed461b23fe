#include "colour.h"

#include <stdio.h>
#include <string.h>

/* What ffmpeg 5.1's setparams takes. RGB is not among them: it has become YCbCr by
 * then, by the matrix of BT.601, which is what the scaler does without being told. */
static const char *const matrices[] = {"bt709",     "fcc",      "bt470bg", "smpte170m",
                                       "smpte240m", "bt2020nc", "bt2020c", NULL};
static const char *const primaries[] = {"bt709",     "bt470m",   "bt470bg", "smpte170m",
                                        "smpte240m", "film",     "bt2020",  "smpte428",
                                        "smpte431",  "smpte432", NULL};
static const char *const transfers[] = {
    "bt709",        "bt470m",    "bt470bg",  "smpte170m",    "smpte240m", "linear",
    "log100",       "log316",    "bt1361e",  "iec61966-2-1", "bt2020-10", "bt2020-12",
    "iec61966-2-4", "smpte2084", "smpte428", "arib-std-b67", NULL};

static const char *known(const char *const *names, const char *name)
{
    for (; *names; names++)
        if (strcmp(*names, name) == 0)
            return *names;
    return "unknown";
}

void colour_of(const struct media_stream *s, char out[STORE_COLOUR_MAX + 1])
{
    const char *matrix = strcmp(s->matrix, "gbr") == 0 ? "smpte170m" : s->matrix;
    snprintf(out, STORE_COLOUR_MAX + 1, "%s/%s/%s", known(matrices, matrix),
             known(primaries, s->primaries), known(transfers, s->transfer));
}

void colour_params(const char *colour, char *out, size_t size)
{
    char matrix[20], prim[20], transfer[20];
    /* Looked up again: nothing else may reach the command line. */
    if (sscanf(colour, "%19[^/]/%19[^/]/%19s", matrix, prim, transfer) != 3)
        matrix[0] = prim[0] = transfer[0] = '\0';
    snprintf(out, size, "range=tv:color_primaries=%s:color_trc=%s:colorspace=%s",
             known(primaries, prim), known(transfers, transfer),
             known(matrices, matrix));
}
