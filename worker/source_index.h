/*
 * source_index.h: the packets of a stored MP4 or MOV file by its index (moov box), with
 * no program started: a millisecond for each minute of video or so.
 */
#ifndef DROPSTREAM_SOURCE_INDEX_H
#define DROPSTREAM_SOURCE_INDEX_H

#include "copy_cuts.h"
#include "mp4_index.h"
#include "param_sets.h"
#include "rc.h"

#include <stdint.h>

/* What is fed. */
struct source_index_takers {
    struct copy_cuts *cuts;
    struct param_sets *sets; /* begun; NULL: not asked for */
    bool has_sets; /* set: `sets` was told all; else it was told anything and has to be
                      begun anew */
};

/*
 * index_max: bytes of moov that are read at most.
 *
 * Feeds the packets of a stream (number as ffprobe counts) to cuts, the beginning of
 * the timeline, and what the keyframes begin with, as far as they are in the page
 * cache. RC_UNSUPPORTED: its index does not tell (a fragmented file, or one that only
 * ffmpeg understands): nothing was fed. RC_CONFLICT: its samples are described in more
 * than one way, so that it cannot be copied. RC_TOO_LARGE: over index_max or
 * MP4_SAMPLES_IN_LOOP. RC_INVALID: the file is damaged. RC_IO, RC_NOMEM.
 */
enum rc source_index_packets(const char *path, int64_t index_max, int stream,
                             struct source_index_takers *takers);

/* Calls read with the index of the file, which lasts as long as the call. Errors as
 * above, and what read returns. */
enum rc source_index_read(const char *path, int64_t index_max,
                          enum rc (*read)(void *arg, const struct mp4_index *index),
                          void *arg);

#endif
