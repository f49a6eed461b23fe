/*
 * picture_stream.h: pictures and their times out of a Matroska stream (RFC 9559) as
 * ffmpeg writes it into a pipe.
 *
 * Takes bytes cut anywhere and hands on the data of each block, whole. Holds one block
 * at a time, of at most PICTURE_BYTES_MAX. No I/O.
 */
#ifndef DROPSTREAM_PICTURE_STREAM_H
#define DROPSTREAM_PICTURE_STREAM_H

#include "rc.h"

#include <stddef.h>
#include <stdint.h>

#define PICTURE_BYTES_MAX (1 << 20)

struct picture_stream;

/* on_picture: track, from 1; its time in ms; its bytes, which live until it returns.
 * RC_NOMEM. */
enum rc picture_stream_open(enum rc (*on_picture)(void *arg, uint64_t track,
                                                  int64_t time_ms, const uint8_t *data,
                                                  size_t n),
                            void *arg, struct picture_stream **out);
void picture_stream_free(struct picture_stream *s);

/* RC_INVALID: no such stream. RC_TOO_LARGE: a picture over PICTURE_BYTES_MAX. RC_NOMEM.
 * What on_picture returned, if not RC_OK. Nothing is to be fed after any of these. */
enum rc picture_stream_feed(struct picture_stream *s, const void *data, size_t n);

#endif
