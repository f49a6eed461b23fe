/*
 * mp4_entry.h: the sample entries of a track (ISO/IEC 14496-12 s. 8.5.2; for sound of
 * QuickTime also QTFF, "Sound sample descriptions"). For the mp4_ files only.
 */
#ifndef DROPSTREAM_MP4_ENTRY_H
#define DROPSTREAM_MP4_ENTRY_H

#include "bmff.h"

#include <stdbool.h>

struct mp4_entry {
    uint32_t count;      /* of entries */
    uint32_t fourcc;     /* of the first; 0 if there is none */
    const uint8_t *body; /* of the first, body_size bytes; NULL if there is none */
    size_t body_size;
    /* of the first, for sound: */
    uint32_t pcm_size; /* bytes of a sample of all channels; 0 if it is compressed */
    uint32_t samples_per_frame; /* that QuickTime states; else 0 */
};

/* RC_INVALID: an entry does not fit. RC_UNSUPPORTED: entries of several formats, of
 * which ffmpeg leaves out all but the first. */
enum rc mp4_entry_read(const struct bmff_box *stsd, bool audio, struct mp4_entry *out);

#endif
