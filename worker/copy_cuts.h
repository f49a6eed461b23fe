/*
 * copy_cuts.h: whether the pictures of a file can be shown as they are, cut at its own
 * keyframes, and where.
 *
 * Fed with the packets of the video track in decoding order. Pure; memory grows by the
 * keyframes, a few bytes each. What a packet cannot tell (parameter sets, codecs) is
 * not its business: see param_sets.h, and ladder.h for what the header tells.
 */
#ifndef DROPSTREAM_COPY_CUTS_H
#define DROPSTREAM_COPY_CUTS_H

#include "bounds.h"
#include "rc.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define COPY_SEGMENT_US 4000000  /* what groups of pictures are put together to */
#define COPY_GOP_MAX_US 20000000 /* longer ones are too long to be waited for */
#define COPY_LATE_US 500000      /* a picture that begins later is no beginning */
#define COPY_EARLY_US 2000000    /* one that ends so long before the sound is no end */
#define COPY_DELAY_US 500000     /* by how much the wait of a keyframe may vary */

struct copy_packet {
    int64_t pts_us, dts_us,
        duration_us; /* by the file's clock; dts: or MEDIA_UNKNOWN */
    int64_t bytes;
    bool key, discard; /* discard: decoded, but left out by an edit list */
};

/* Why the pictures cannot be shown as they are. */
enum copy_refusal {
    COPY_FINE,
    COPY_NO_KEYFRAME, /* it does not begin with one */
    COPY_EDITED,      /* an edit list begins inside a group of pictures */
    COPY_OPEN_GOP,    /* pictures are shown before the keyframe that they come after */
    COPY_LONG_GOP,    /* over COPY_GOP_MAX_US */
    COPY_LATE,        /* it begins long after the timeline */
    COPY_EARLY,       /* it ends long before the timeline */
    COPY_PAUSED,      /* a keyframe is decoded long before it is shown, others not so */
    COPY_TIMES,       /* times go backwards or are missing */
    COPY_TOO_RICH,    /* more bits a second than are served */
};

/* For people, a sentence; static. */
const char *copy_refusal_sentence(enum copy_refusal r);

struct copy_cuts;

/* max_bitrate: bit/s on average; what is above it is refused. RC_NOMEM. */
enum rc copy_cuts_open(int64_t max_bitrate, struct copy_cuts **out);
void copy_cuts_free(struct copy_cuts *c);

/* The timeline's beginning, if it was not known at first. */
void copy_cuts_start(struct copy_cuts *c, int64_t start_us);

/* Takes a packet. RC_NOMEM. After a refusal is clear, more are taken and passed over.
 */
enum rc copy_cuts_feed(struct copy_cuts *c, const struct copy_packet *p);

/* Takes n bytes of ffprobe's output (args_copy_packets), cut anywhere. RC_NOMEM. */
enum rc copy_cuts_feed_text(struct copy_cuts *c, const void *data, size_t n);

struct copy_found {
    enum copy_refusal refusal;
    struct bounds bounds; /* the caller's to free; nothing where it is refused */
    int64_t peak_bitrate, average_bitrate; /* bit/s, of the media alone */
    int64_t frames;
};

/* All was fed. duration_us: of the timeline; 0: unknown. RC_NOMEM. */
enum rc copy_cuts_finish(struct copy_cuts *c, int64_t duration_us,
                         struct copy_found *out);

#endif
