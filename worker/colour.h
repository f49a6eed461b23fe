/*
 * colour.h: what the colours of a source are, and what has to be done with them.
 *
 * An encoder takes the matrix, primaries and transfer (ISO/IEC 23091-2) from the first
 * picture it gets, and they are part of the init segment. In some files they change on
 * the way; so they are fixed once, from the header, for all runs. What a file does not
 * say is settled here too, as players do, since a player that has to guess goes by the
 * size of the picture, and that is another one after scaling. Pure.
 */
#ifndef DROPSTREAM_COLOUR_H
#define DROPSTREAM_COLOUR_H

#include "media_info.h"
#include "store.h"

#include <stdbool.h>
#include <stddef.h>

/* What becomes of it on the way to a picture that every player shows right. */
enum colour_way {
    COLOUR_KEPT,       /* BT.601 or BT.709: its tags say it all, its numbers stay */
    COLOUR_RGB,        /* RGB of BT.709 primaries: BT.709 by the scaler's own matrix */
    COLOUR_CONVERTED,  /* BT.2020 without HDR, DCI-P3 and the like: to BT.709 */
    COLOUR_TONE_MAPPED /* HDR (PQ or HLG): to BT.709, highlights rolled off */
};

struct colour {
    enum colour_way way;
    bool full; /* full range: black is 0; else 16 */
    bool rgb;
    const char *matrix, *primaries, *transfer; /* as setparams takes them; static */
};

/* As it is stored: "matrix/primaries/transfer", and "/pc" if it is of full range. */
void colour_of(const struct media_stream *s, char out[STORE_COLOUR_MAX + 1]);

/* A stored text read again; whatever is not known in it is "unknown", and kept. */
struct colour colour_read(const char *stored);

/* The options of setparams: "color_primaries=…:color_trc=…:colorspace=…", of the
 * source, or, if made, of what is made of it. */
void colour_params(const struct colour *c, bool made, char *out, size_t size);

#endif
