/*
 * mkv_walk.h: what a Matroska or WebM file (RFC 9559) has, and up to which time it can
 * be shown, found out while it comes in.
 *
 * Only the headers of elements are looked at: it says which offset it wants to see
 * next. Clusters that have arrived whole are stepped over, but the first one; in the
 * one that grows each block counts. Of what has not arrived it is assumed that no block
 * is shown before the timestamp of its cluster, and none further back than others were
 * so far. No I/O, no allocation, the same memory however long the file.
 *
 * Times are microseconds of the file's own clock, as those of ffprobe's packets.
 */
#ifndef DROPSTREAM_MKV_WALK_H
#define DROPSTREAM_MKV_WALK_H

#include "rc.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* So many bytes from the wanted offset always bring it on; more save calls. */
#define MKV_WALK_BYTES 64
#define MKV_TRACKS_MAX 64
#define MKV_CODEC_MAX 31
#define MKV_DEPTH_MAX 4

enum mkv_kind { MKV_OTHER, MKV_VIDEO, MKV_AUDIO };

/* In the order of the file, which is that of ffprobe's streams. */
struct mkv_track {
    uint64_t number; /* that its blocks state */
    enum mkv_kind kind;
    char codec[MKV_CODEC_MAX + 1]; /* "V_MPEG4/ISO/AVC", cut off if longer */
    uint64_t default_duration_ns;  /* of a frame; 0 if it is not stated */
    uint64_t codec_delay_ns;       /* ffmpeg takes it off the timestamps of sound */
    /* The walk's own: */
    bool seen;
    int64_t top_us;  /* the latest block that is complete is shown then */
    int64_t back_us; /* a block came that was shown so much before the latest */
};

struct mkv_walk {
    uint64_t scale_ns;   /* of a tick of the timestamps */
    int64_t duration_us; /* as the file states it; 0 if it does not */
    struct mkv_track tracks[MKV_TRACKS_MAX];
    size_t n_tracks;
    bool has_tracks; /* all of them are known */
    bool done;       /* the end of the file's only segment was reached */
    /* The walk's own: */
    uint64_t file_size, at;
    struct {
        uint32_t id;
        uint64_t end; /* at the latest */
        bool open; /* of unknown size: ends where something follows that is not in it */
    } stack[MKV_DEPTH_MAX];
    int depth;
    double duration; /* ticks */
    uint64_t clusters;
    bool in_time;        /* the current cluster has told its timestamp */
    int64_t ticks;       /* it */
    int64_t least_ticks; /* the least that a block was before its cluster, 0 or below */
    struct {
        size_t track;
        int64_t us;
        uint64_t end; /* 0: there is none */
    } block;          /* the last one, which may not be complete */
};

/* file_size: INT64_MAX if it is not known. */
void mkv_walk_init(struct mkv_walk *walk, uint64_t file_size);

/*
 * The offset of the bytes that mkv_walk_feed wants next. frontier: all bytes of the
 * file before it have arrived. False when done.
 */
bool mkv_walk_wants(struct mkv_walk *walk, uint64_t frontier, uint64_t *offset);

/*
 * Takes n bytes of the file, all of which have arrived, from the wanted offset on.
 * RC_OK: it came on. RC_TRUNCATED: n is too small to tell anything; nothing was taken.
 * RC_INVALID: an element that cannot be, or does not fit in what it is in.
 * RC_TOO_LARGE: over MKV_TRACKS_MAX tracks. After those two nothing more is to be fed;
 * what was said to be complete stays so.
 */
enum rc mkv_walk_feed(struct mkv_walk *walk, const void *data, size_t n);

/*
 * Up to which time all bytes before frontier bring the video and the sound: every block
 * that is shown earlier lies before it. INT64_MIN: nothing is known yet. INT64_MAX: the
 * whole file has arrived. It falls only where a block comes that is further back than
 * was assumed.
 */
int64_t mkv_walk_reach(const struct mkv_walk *walk, uint64_t frontier);

#endif
