/*
 * mp4_index.h: what the index of an MP4 or MOV file (its moov box, ISO/IEC 14496-12 s.
 * 8.2.1) says, before the media are there: the tracks, the times of their packets and
 * the keyframes as ffprobe 5.1 would list them, and, of a file that is still coming in,
 * up to which time it can be shown.
 *
 * Works on the box in memory, which must stay for as long as the index is open; copies
 * next to nothing of it (a byte a sample) and does no I/O. Whatever the bytes say,
 * time and memory are bounded by the size of the box and max_samples.
 *
 * Times are microseconds of the file's own clock, edit lists applied. They differ from
 * those of ffprobe only in the end of a track whose pictures are reordered and of
 * varying duration: ffprobe gives all of them the same one there, and does not show the
 * last one for as long as the file has it.
 */
#ifndef DROPSTREAM_MP4_INDEX_H
#define DROPSTREAM_MP4_INDEX_H

#include "rc.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MP4_TRACKS_MAX 64
/* A packet is shown for this long at most, as packet_scan.h of the worker has it. */
#define MP4_LAST_MAX_US 60000000
/* For a file of which only the beginning is known, and not how long it will be. */
#define MP4_SIZE_UNKNOWN INT64_MAX

enum mp4_kind { MP4_OTHER, MP4_VIDEO, MP4_AUDIO };

struct mp4_track {
    uint32_t id; /* of its tkhd box, as ffprobe's "id" */
    enum mp4_kind kind;
    uint32_t fourcc;      /* of its first sample entry ("avc1"); 0 if there is none */
    const uint8_t *entry; /* its body, entry_size bytes within moov; NULL if none */
    size_t entry_size;
    uint32_t timescale;   /* ticks a second */
    bool several_entries; /* its samples are described in more than one way */
    int64_t duration_us;  /* as its mdhd box states it; 0 if it does not */
    /* Of the media, ticks: where the presentation begins, as fragments count from it.
     * Less than 0 if it begins with a pause. */
    int64_t start_ticks;
    /* What packet_scan.h finds in the packets of the whole file; only of MP4_VIDEO and
     * MP4_AUDIO, else 0. Packets that an edit list leaves out do not count. */
    int64_t packets;
    int64_t first_us; /* smallest presentation time */
    int64_t last_us;  /* greatest presentation time */
    int64_t end_us;   /* end of the packet that ends last */
};

struct mp4_index;

/* Of all tracks together, where the index is walked within an event loop: some eight
 * hours of film, and 0.2 s. */
#define MP4_SAMPLES_IN_LOOP 2000000

struct mp4_index_limits {
    uint64_t file_size;   /* no sample may end after it; MP4_SIZE_UNKNOWN */
    uint64_t max_samples; /* of all tracks together; each takes time and about a byte */
};

/*
 * moov: the whole box with its header, n bytes, which must stay. RC_OK: *out is to be
 * closed. RC_TRUNCATED: n is less than the box says. RC_INVALID: it is not a moov box,
 * or something in it does not fit its box, contradicts itself, lies outside the file or
 * states times that cannot be. RC_UNSUPPORTED: lawful, but of a kind that ffmpeg reads
 * in a way of its own, so that nothing can be foretold. RC_TOO_LARGE: over max_samples,
 * MP4_TRACKS_MAX or some 1000 edits. RC_NOMEM.
 *
 * Only the sample tables of video and sound are looked at, and of what decides how
 * they are decoded nothing is.
 */
enum rc mp4_index_open(const void *moov, size_t n,
                       const struct mp4_index_limits *limits, struct mp4_index **out);
void mp4_index_close(struct mp4_index *index);

/* In the order of their trak boxes, which is that of ffprobe's streams. */
size_t mp4_index_tracks(const struct mp4_index *index);

/* track < mp4_index_tracks; valid until mp4_index_close. */
const struct mp4_track *mp4_index_track(const struct mp4_index *index, size_t track);

/* True if the samples are in fragments (there is an mvex box): see mp4_frag.h. */
bool mp4_index_fragmented(const struct mp4_index *index);

/*
 * Calls key for each sync sample that is shown, in decoding order: as ffprobe's packets
 * that are flagged K and not D. Whatever but RC_OK key returns ends the walk and is
 * returned. Where an stss box is there but empty it is the first sample alone.
 */
enum rc mp4_index_keyframes(const struct mp4_index *index, size_t track,
                            enum rc (*key)(void *arg, int64_t pts_us, int64_t dts_us),
                            void *arg);

/* When everything begins that is seen or heard, as ffprobe's start_time of the file:
 * the smallest first_us. Of sound whose first packet an edit list cuts into, the cut
 * counts. */
int64_t mp4_index_first_us(const struct mp4_index *index);

struct mp4_index_packet {
    int64_t pts_us, dts_us;
    int64_t
        duration_us; /* that it is shown for; the last one no longer than the track */
    int64_t begin;   /* in the file */
    int64_t bytes;
    bool key, discard; /* discard: left out by an edit list */
};

/* Calls packet for each one of the track, in decoding order. Whatever but RC_OK packet
 * returns ends the walk and is returned. */
enum rc mp4_index_packets(const struct mp4_index *index, size_t track,
                          enum rc (*packet)(void *arg,
                                            const struct mp4_index_packet *p),
                          void *arg);

/*
 * All bytes of the file before frontier have arrived: up to which time is the track
 * complete? Every packet that is shown earlier, and all that are decoded before it, lie
 * wholly before frontier. INT64_MAX: all of it is. Never falls as frontier grows. Takes
 * a few microseconds.
 */
int64_t mp4_index_reach(const struct mp4_index *index, size_t track, uint64_t frontier);

#endif
