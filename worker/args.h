/*
 * args.h: the command lines of ffprobe and ffmpeg. A struct in, an argv out; pure.
 *
 * Invariant of the encoders' lines: a run that begins at segment k gives the same
 * init segment, the same decode times and the same frame counts as a run from the
 * start, so any run may make any segment.
 */
#ifndef DROPSTREAM_ARGS_H
#define DROPSTREAM_ARGS_H

#include "rc.h"
#include "sniff.h"
#include "store.h"

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>

#define ARGS_MAX 128
#define ARGS_BESIDE_FD 3 /* see child.h */

/* A command line. v is NULL-terminated and points into text; not to be copied. */
struct args {
    char *v[ARGS_MAX];
    int n;
    char text[16384];
    int used;
    bool overflow;
};

/* The file to read and what every program is told about it. */
struct args_source {
    const char *program;      /* "ffmpeg" or "ffprobe", name or path */
    const char *path;         /* absolute */
    enum container container; /* forces the demuxer, whatever the content pretends */
    int64_t max_pixels;
    const char *url; /* where to read instead, as ffmpeg has it; NULL: path */
};

/* All of the following: RC_INVALID if the container is none or the line does not fit.
 */

/* Streams and format as JSON, for media_info_parse. */
enum rc args_probe(const struct args_source *src, struct args *out);

/* Packets as lines for packet_scan_feed: from from_us of the file's clock to the end;
 * from_us <= 0: the whole file. */
enum rc args_packets(const struct args_source *src, int64_t from_us, struct args *out);

/* The packets of one stream as lines for seek_points_feed. */
enum rc args_keyframes(const struct args_source *src, int stream, struct args *out);

/* How much earlier than needed a run begins to read: a little; half a minute, where
 * that has given nothing to decode; or at the very beginning of the file. */
enum args_lead { LEAD_USUAL, LEAD_LONG, LEAD_ALL };

/* One run of the encoder: segments from to end - 1. */
struct args_run {
    int64_t from, end;
    enum args_lead lead;
    int64_t seek_us;                /* a point from seek_points.h; 0: not known */
    const struct rendition *beside; /* made of the same pictures, smaller, on descriptor
                                       3; NULL: none */
    bool open; /* the source may end before: nothing is made up after its end */
};

/* That run of a video or audio rendition, as one fragmented MP4 on standard output, and
 * another one on ARGS_BESIDE_FD where one is made beside it.
 * source_rate: of the source, frames/s. RC_INVALID also where the rendition has no such
 * segments. */
enum rc args_encode(const struct args_source *src, const struct rendition *r,
                    double source_rate, const struct args_run *run, struct args *out);

/* The packets of one stream as lines for copy_cuts_feed_text. */
enum rc args_copy_packets(const struct args_source *src, int stream, struct args *out);

/* Of the keyframes of a stream what param_sets_feed looks at, on standard output. */
enum rc args_param_sets(const struct args_source *src, int stream, bool hevc,
                        struct args *out);

/* The packets of a video stream as they are, from the last keyframe at or before
 * seek_us of the timeline on, as fragmented MP4 on standard output, a fragment for each
 * group of pictures. frames: so many at most; 0: all that come. */
enum rc args_copy(const struct args_source *src, int stream, bool hevc, int64_t seek_us,
                  int64_t frames, struct args *out);

/* One JPEG on standard output, of the picture at at_us of the timeline, at most
 * max_side pixels on its longer side. */
enum rc args_poster(const struct args_source *src, const struct rendition *r,
                    int64_t at_us, int max_side, struct args *out);

/* sync(1) of the file system that holds the folder at path. RC_INVALID as above. */
enum rc args_sync(const char *path, struct args *out);

/* The line as a person would type it, quoted for a shell, at most size bytes with the
 * NUL; cut if it does not fit. */
void args_quote(const struct args *args, char *out, int size);

#endif
