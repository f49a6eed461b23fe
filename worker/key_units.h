/*
 * key_units.h: what param_sets.h wants to see of each keyframe of an MP4 or MOV file,
 * read from the file itself: some hundred bytes a keyframe, with no program started.
 *
 * NAL units stand behind their lengths there (ISO/IEC 14496-15 s. 5.3.3, 8.3.3). Only
 * what the page cache has is read, so that the caller never waits for a disk.
 */
#ifndef DROPSTREAM_KEY_UNITS_H
#define DROPSTREAM_KEY_UNITS_H

#include "bmff.h"
#include "param_sets.h"
#include "rc.h"

#include <stdint.h>

#define KEY_UNITS_BLOCK 4096

struct key_units {
    struct param_sets *sets;
    struct bmff_box config; /* avcC or hvcC */
    int length_size;        /* bytes of a unit's length: 1, 2 or 4 */
    bool took_config;
    int reads_left; /* of the budget: calls of the kernel, and bytes that are fed */
    int64_t bytes_left;
    /* What was read last: */
    int fd;
    uint8_t block[KEY_UNITS_BLOCK];
    int64_t at;
    size_t n;
};

/*
 * entry: the body of the track's sample entry, n bytes, which must stay as long as
 * units are read; fd is the caller's too. sets: begun, of the same codec.
 * RC_UNSUPPORTED: it is neither H.264 nor HEVC with its parameter sets in the entry.
 */
enum rc key_units_open(int fd, const uint8_t *entry, size_t n, struct param_sets *sets,
                       struct key_units *out);

/*
 * Feeds a keyframe, bytes long from begin in the file: its parameter sets, or those of
 * the sample entry where it has none, and the head of its first slice if that is not of
 * a refresh picture. RC_BUSY: it is not in the page cache. RC_UNSUPPORTED:
 * it is built in an unusual way. RC_TOO_LARGE: all keyframes so far have taken as much
 * of the caller's time as is meant for them. After any of these only ffmpeg can tell.
 */
enum rc key_units_read(struct key_units *k, int64_t begin, int64_t bytes);

#endif
