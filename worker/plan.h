/*
 * plan.h: from what a probe found to what will be made. Pure.
 *
 * Decided here, once, and stored: the timeline's length, the frame rate grid, the
 * size of each rendition and how its source is read. See lib/grid.h for the grid.
 */
#ifndef DROPSTREAM_PLAN_H
#define DROPSTREAM_PLAN_H

#include "grid.h"
#include "ladder.h"
#include "media_info.h"
#include "packet_scan.h"
#include "store.h"

#define PLAN_SEGMENT_S 2    /* video at 360p: a seek waits for one whole segment */
#define PLAN_SMALL_SIDE 360 /* pixels of the smaller side at 360p */
#define PLAN_MAX_RATE 30    /* frames a second at 360p */
#define PLAN_AUDIO_BITRATE 128000
#define PLAN_SOUNDS_MAX 8 /* tracks of sound; more are left out */
/* Segments cost time and disk whatever is in them, and a few bytes may tell of a day. A
 * film that is black throughout and has one picture in ten seconds is the leanest that
 * an encoder makes, with 6 bytes a segment (one picture a second: 57; a real one, with
 * sound: thousands). */
#define PLAN_SEGMENT_BYTES 4    /* of the file, at least, for each of more than … */
#define PLAN_SEGMENTS_FREE 1800 /* … those of an hour */

struct plan_limits {
    int64_t max_duration_us;
    int64_t max_pixels; /* width × height as coded */
    int64_t file_size;  /* bytes when it is whole; -1 unknown */
    bool copies;        /* a source may be served as it is */
    bool cut_off;       /* there was more of the file */
    struct ladder_rules ladder;
};

/* When, by the file's own clock, it says that its picture and sound end.
 * MEDIA_UNKNOWN if it does not say. */
int64_t plan_declared_end(const struct media_info *info);

/*
 * True if the declared times of the two streams agree with what a look at the last
 * seconds found in packets, so that the rest need not be read. scan may hold the
 * packets of any part of the file.
 */
bool plan_times_agree(const struct media_info *info, const struct packet_scan *tail);

/*
 * generation: of the renditions. scan: of the whole file, or of its last seconds if
 * plan_times_agree. RC_OK fills *out. RC_UNSUPPORTED: nothing can be made of the
 * file; error then holds a sentence for the person who uploaded it.
 */
enum rc plan_make(const struct media_info *info, const struct packet_scan *scan,
                  bool scanned_whole, const struct plan_limits *limits, int generation,
                  struct video_plan *out, char error[STORE_TEXT_MAX + 1]);

/*
 * Likewise for a file of which only the beginning is there, and which does not tell how
 * long it is: an open-ended plan, of which nothing is promised yet (each rendition has
 * 0 segments; those that are extra have none before all of it is there).
 */
enum rc plan_make_open(const struct media_info *info, const struct plan_limits *limits,
                       int generation, struct video_plan *out,
                       char error[STORE_TEXT_MAX + 1]);

/* So many segments may be made of so many bytes. */
int64_t plan_segments_max(int64_t bytes);

/* Sides of pictures are even, and not 0, which the scaler takes for "as it was". */
int plan_even(double v);

/* r gets the rate, length and segments of g. */
void plan_set_grid(struct rendition *r, const struct grid *g);

/* Has r, a sound, be one that is encoded. RC_INVALID: the length is not positive. */
enum rc plan_encoded_sound(int64_t duration_us, struct rendition *r);

/* Adds to a plan, of which the first rendition and what it says of the source are
 * there, what is extra: for plan_make. */
void plan_extras(const struct media_info *info, const struct media_stream *v,
                 const struct plan_limits *limits, struct video_plan *plan);

/* The grid of a rendition of an open-ended plan: as long as a timeline may get. */
void plan_open_grid(const struct rendition *r, int64_t max_duration_us,
                    struct grid *out);

/*
 * True if an open-ended plan, of which n renditions promise what had arrived, is kept
 * now that the file is whole; *found, which is what would be planned now, is then that
 * plan with its end. Its frame rates stay, if they are near enough.
 */
bool plan_is_continued(const struct rendition *before, size_t n,
                       struct video_plan *found);

/*
 * True if what was promised of a file while it came in can be kept, now that it is
 * whole and found is what would be planned: the same pictures and sounds, and a length
 * that is the same or so little shorter that the last picture may stay. before: n
 * renditions of a timeline of duration_us.
 */
bool plan_is_kept(const struct rendition *before, size_t n, int64_t duration_us,
                  const struct video_plan *found);

/* profile_idc and constraint flags as RFC 6381 writes them. */
#define PLAN_AVC_BASELINE 0x42c0
#define PLAN_AVC_HIGH 0x6400

/*
 * The AVC codec string (RFC 6381 s. 3.3) of a profile at the lowest level (ITU-T H.264
 * table A-1) that takes the size and rate. *level gets level_idc.
 */
void plan_avc_codecs(unsigned profile, int width, int height, int rate_num,
                     int rate_den, int *level, char out[STORE_CODEC_MAX + 1]);

#endif
