/*
 * colour.h: how the colours of a source are to be read, as every run says it.
 *
 * An encoder takes the matrix, primaries and transfer (ISO/IEC 23091-2) from the first
 * picture it gets, and they are part of the init segment. In some files they change on
 * the way; so they are fixed once, from the header, for all runs. Pure.
 */
#ifndef DROPSTREAM_COLOUR_H
#define DROPSTREAM_COLOUR_H

#include "media_info.h"
#include "store.h"

/* "matrix/primaries/transfer"; names that ffmpeg's setparams does not take become
 * "unknown". */
void colour_of(const struct media_stream *s, char out[STORE_COLOUR_MAX + 1]);

/* The options of setparams for it: "range=tv:color_primaries=…". "" is all unknown. */
void colour_params(const char *colour, char *out, size_t size);

#endif
