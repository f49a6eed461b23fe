/*
 * sound_copy.h: whether a track of sound can be served as it is, and where it is cut.
 *
 * AAC-LC of one or two channels can, where the index of the file tells the time of each
 * of its packets and they follow one another without a hole: every player decodes it,
 * and what a listener gets is what was recorded. All else is encoded. Segments have 192
 * AAC frames at the track's own rate, and begin where its packets do: what comes before
 * the timeline, an encoder's priming, is left out. Pure.
 */
#ifndef DROPSTREAM_SOUND_COPY_H
#define DROPSTREAM_SOUND_COPY_H

#include "bounds.h"
#include "media_info.h"
#include "mp4_index.h"
#include "rc.h"
#include "store.h"

#include <stddef.h>
#include <stdint.h>

#define SOUND_COPY_LATE_US                                                             \
    100000 /* sound that begins later has silence before it …                        \
            */
#define SOUND_COPY_EARLY_US 500000 /* … and so has what ends earlier, after it */

/* A track that is served as it is. */
struct sound_copy {
    struct bounds bounds; /* n is 0: it is not */
    int64_t frames;       /* AAC frames in all */
    int rate;             /* samples a second */
    int channels;
    int64_t peak_bitrate, average_bitrate; /* bit/s, of the media alone */
    uint8_t *packed;                       /* the bounds, as the store keeps them */
    size_t packed_size;
};

void sound_copy_free(struct sound_copy *s);

/*
 * Looks at each track of sound in the index of a file, of which info is what ffprobe
 * says; out[i] is of the stream that it numbers i. max_bitrate: bit/s on average of
 * what is served. *out is to be freed, whatever is returned. RC_NOMEM.
 */
enum rc sound_copy_find(const struct mp4_index *index, const struct media_info *info,
                        int64_t max_bitrate, struct sound_copy out[MEDIA_STREAMS_MAX]);

/* Has a plan serve the sounds that can be; it then points to what sounds have packed.
 */
void sound_copy_plan(const struct sound_copy sounds[MEDIA_STREAMS_MAX],
                     struct video_plan *plan);

#endif
