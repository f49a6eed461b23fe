/*
 * cutter.h: cuts ffmpeg's fragmented MP4 stream into an init segment and segments.
 *
 * A push parser over ISO 14496-12: ftyp + moov become the init segment, each moof with
 * the mdat after it is a fragment, one or several of which make a media segment. What a
 * fragment says of itself (times, frames) is handed out before its bytes, so that
 * nothing wrong is ever published. The media bytes pass through; only moov and moof are
 * held, at most CUTTER_HEADER_MAX. Pure: no I/O.
 */
#ifndef DROPSTREAM_CUTTER_H
#define DROPSTREAM_CUTTER_H

#include "rc.h"

#include <stddef.h>
#include <stdint.h>

#define CUTTER_HEADER_MAX (1 << 20) /* bytes of ftyp + moov, or of one moof */

struct cutter_fragment {
    uint64_t decode_time; /* baseMediaDecodeTime (tfdt), ticks */
    int64_t offset;       /* from there to when its first sample is shown, ticks */
    uint64_t frames;      /* samples of all its truns */
};

/* Any code but RC_OK from a callback ends the parse and is returned. */
struct cutter_events {
    /* ftyp and moov; timescale in ticks a second, of the one track (mdhd). */
    enum rc (*init)(void *arg, const uint8_t *data, size_t n, uint32_t timescale);
    enum rc (*fragment_begin)(void *arg, const struct cutter_fragment *f);
    enum rc (*fragment_data)(void *arg, const uint8_t *data, size_t n);
    enum rc (*fragment_end)(void *arg);
    void *arg;
};

struct cutter;

/* The events are copied. RC_NOMEM. */
enum rc cutter_open(const struct cutter_events *events, struct cutter **out);

/*
 * Takes all n bytes. RC_INVALID: not such a stream (a media box before moov, no tfdt,
 * more than one track, boxes that do not fit into each other). RC_TOO_LARGE: a header
 * over the limit. Errors stick.
 */
enum rc cutter_feed(struct cutter *c, const void *data, size_t n);

/* The stream is over. RC_TRUNCATED: in the middle of a box or before moov. */
enum rc cutter_finish(struct cutter *c);

void cutter_free(struct cutter *c);

/* The same of a file that was made of the stream. Both: RC_INVALID as above; *out, *f
 * are then undefined. The timescale (mdhd), > 0, of the only track in n bytes that hold
 * a moov box, others before it; what the moof box that n bytes begin with says of
 * itself. */
enum rc cutter_timescale(const uint8_t *moov, size_t n, uint32_t *out);
enum rc cutter_read_moof(const uint8_t *moof, size_t n, struct cutter_fragment *f);

#endif
