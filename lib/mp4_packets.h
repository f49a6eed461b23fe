/*
 * mp4_packets.h: the packets of a track as ffmpeg 5.1 lists them, its edit list applied
 * (ISO/IEC 14496-12 s. 8.6.6; what ffmpeg makes of it is mov_fix_index of its mov.c).
 * For the other mp4_ files.
 *
 * An edit begins with the keyframe before its first picture, or with a second of sound
 * before it, so that it can be decoded; what is not to be shown is marked. The clock is
 * that of ffprobe's pts and dts, in ticks of the track's timescale.
 */
#ifndef DROPSTREAM_MP4_PACKETS_H
#define DROPSTREAM_MP4_PACKETS_H

#include "mp4_samples.h"

/* Of one track. Files have one or two; those of an editor a few dozen. */
#define MP4_EDITS_MAX 1024

struct mp4_edit {
    int64_t media, length; /* what it shows, ticks of the media */
    int64_t dts;           /* where it begins, ticks of the presentation */
    struct mp4_samples from;
};

struct mp4_timeline {
    /* Set by the caller: */
    struct mp4_tables tables;
    bool video, audio;
    uint32_t timescale, movie_timescale; /* both > 0 */
    int64_t declared; /* how long the media is said to be, ticks; INT64_MAX: not said */
    /* Set here: */
    bool edited;   /* only what the edits show is listed */
    int64_t start; /* media time at which the presentation begins, ticks; with a pause
                      before it, as much less */
    struct mp4_edit *edits;
    uint32_t n_edits;
    int64_t lead;  /* ticks, taken from all times so that the first picture is at 0 */
    int64_t ticks; /* of all that is shown, as ffmpeg has the stream's duration */
    int64_t end; /* of that, in pts if it is edited, else in dts; INT64_MAX: unknown */
    uint32_t packets; /* those included that are not shown */
};

struct mp4_packet {
    int64_t pts, dts;
    uint32_t duration;   /* as the tables have it */
    uint64_t begin, end; /* in the file */
    bool key;
    bool discard; /* needed for decoding, but not to be shown */
};

struct mp4_packets {
    const struct mp4_timeline *line;
    struct mp4_samples samples;
    int64_t dts;   /* of the next packet */
    uint32_t edit; /* the one after the current one */
    bool in_edit;  /* samples are left in the current edit */
    bool started;  /* something of it was shown */
    bool ending;   /* a keyframe after its end was seen */
};

/*
 * Completes a timeline of which the caller has set its part; elst: its edit list, or
 * NULL. budget: how many steps may be taken for that, which is lowered by those that
 * were. RC_INVALID: the list does not fit its box or states times that cannot be.
 * RC_UNSUPPORTED: a pause between two edits, of which ffmpeg makes no sense.
 * RC_TOO_LARGE: over MP4_EDITS_MAX edits, or over the budget. RC_NOMEM.
 */
enum rc mp4_timeline_open(struct mp4_timeline *line, const struct bmff_box *elst,
                          uint64_t *budget);

/* Frees what mp4_timeline_open allocated; line itself is the caller's. */
void mp4_timeline_close(struct mp4_timeline *line);

/* line must stay, where it is, as long as the packets are walked. A struct mp4_packets
 * may be copied, and the copy goes on from the same place. */
void mp4_packets_init(struct mp4_packets *p, const struct mp4_timeline *line);

/* False after the last one. */
bool mp4_packets_next(struct mp4_packets *p, struct mp4_packet *out);

#endif
