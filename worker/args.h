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
#define ARGS_READS 2

/* A command line. v is NULL-terminated and points into text; not to be copied. */
struct args {
    char *v[ARGS_MAX];
    int n;
    char text[16384];
    int used;
    bool jailed;                   /* what it reads is a stranger's: see jail.h */
    const char *reads[ARGS_READS]; /* the files that it reads then; NULL: none more */
    bool overflow;
};

/* The file to read and what every program is told about it. */
struct args_source {
    const char *program;      /* "ffmpeg" or "ffprobe", name or path */
    const char *path;         /* absolute */
    enum container container; /* forces the demuxer, whatever the content pretends */
    int64_t max_pixels;
    const char *url;  /* where to read instead, as ffmpeg has it; NULL: path */
    const char *also; /* a file that url names besides path; NULL: none */
};

/* All of the following: RC_INVALID if the container is none or the line does not fit.
 */

/* Shows whether a program works at all, and reads nothing: its version; or (encodes) a
 * picture that threads encode, as MP4 on standard output. */
enum rc args_trial(const char *program, bool encodes, struct args *out);

/* Streams and format as JSON, for media_info_parse. */
enum rc args_probe(const struct args_source *src, struct args *out);

/* Packets as lines for packet_scan_feed: from from_us of the file's clock to the end;
 * from_us <= 0: the whole file. stream: of it alone; -1: of all. One that the file's
 * end cuts in two is none, as in a copy. */
enum rc args_packets(const struct args_source *src, int64_t from_us, int stream,
                     struct args *out);

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
 * group of pictures. frames: so many at most; 0: all that come. still: where the last
 * picture is shown for long, which ffmpeg 5.1 does not take from a file whose pictures
 * are reordered; NULL: it is not. */
struct args_still {
    int64_t from_us; /* of the timeline: what comes from here on … */
    int64_t end_us;  /* … is shown until then, if nothing follows */
};
enum rc args_copy(const struct args_source *src, int stream, bool hevc, int64_t seek_us,
                  int64_t frames, const struct args_still *still, struct args *out);

/* The packets of a stream of sound as they are, as long as they can be decoded, that
 * come from first_us of the timeline on, likewise, a fragment for each frames of them
 * at frame_us each. seek_us: where it begins to read; 0: at the start. */
enum rc args_copy_sound(const struct args_source *src, int stream, int64_t seek_us,
                        int64_t first_us, double frame_us, int frames,
                        struct args *out);

/* ---- single pictures: args_picture.c ------------------------------------- */

/* The sides of a picture of r, at most max_side the longer one; both even. */
void args_picture_size(const struct rendition *r, int max_side, int *width,
                       int *height);

/* One JPEG on standard output, of the keyframe before at_us of the timeline, at most
 * max_side pixels on its longer side. */
enum rc args_poster(const struct args_source *src, const struct rendition *r,
                    int64_t at_us, int max_side, struct args *out);

/* Likewise of the first picture that is not before from_us. */
enum rc args_still(const struct args_source *src, const struct rendition *r,
                   int64_t from_us, int max_side, struct args *out);

/* What decoding a keyframe costs of the time around it; see args_pick.pixels. */
#define ARGS_PICK_PIXELS 1500000
#define ARGS_PICK_BYTES 22000

#define ARGS_PICK_OFFSET_MS 16000

/* Which packets of a video are picked. */
struct args_pick {
    int64_t from_us;   /* of the timeline */
    int64_t length_us; /* of what is read; 0: to the end */
    bool all;          /* all of them; what follows is for keyframes only */
    int64_t every_us;  /* keyframes are so far apart at least */
    /* Of a picture: the gap behind one grows with what it costs to decode it, a second
     * for each ARGS_PICK_PIXELS and one for each ARGS_PICK_BYTES. 0: each gap is half
     * as long again as the one before. */
    int64_t pixels;
};

/* Packets of a video stream on standard output, copied, in src's own format, all times
 * ARGS_PICK_OFFSET_MS later than on the timeline: the input of the next two. */
enum rc args_pick(const struct args_source *src, const struct rendition *r,
                  const struct args_pick *pick, struct args *out);

/* How pictures stand on a sheet; in pixels. */
struct args_grid {
    int width, height; /* of a picture */
    int columns, rows;
};

/* Of what it reads on standard input: JPEG sheets of small pictures as track 1 of a
 * Matroska stream for picture_stream.h, and as track 2 something of no interest at the
 * time of each single picture. src: what args_pick was given. */
enum rc args_sheets(const struct args_source *src, const struct rendition *r,
                    const struct args_grid *grid, struct args *out);

/* Likewise the first pictures as track 1, in 8 bits of grey; all: one each three
 * seconds. */
enum rc args_survey(const struct args_source *src, int width, int height, int pictures,
                    bool all, struct args *out);

/* ---- others -------------------------------------------------------------- */

/* A track of text as WebVTT on standard output, on the timeline. codec: as ffprobe
 * names it; "" where it does not know: then it is read as plain text. In args_text.c.
 */
enum rc args_subtitles(const struct args_source *src, int stream, const char *codec,
                       struct args *out);

/* sync(1) of the file system that holds the folder at path. RC_INVALID as above. */
enum rc args_sync(const char *path, struct args *out);

/* sha256sum(1) of the file at path, in the jail: it writes 64 hexadecimal digits first.
 * In args_text.c. RC_INVALID as above. */
enum rc args_checksum(const char *path, struct args *out);

/* sync(1) of the files of n subtitles and of their folder; of its whole file system,
 * where that would not fit. In args_text.c. */
enum rc args_sync_subtitles(const char *folder, const char *const *names, size_t n,
                            struct args *out);

/* The line as a person would type it, quoted for a shell, at most size bytes with the
 * NUL; cut if it does not fit. */
void args_quote(const struct args *args, char *out, int size);

#endif
