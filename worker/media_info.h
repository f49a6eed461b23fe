/*
 * media_info.h: what ffprobe says of a file, as a struct.
 *
 * Pure: JSON text in, struct out. Times are microseconds of the file's own clock;
 * the timeline of DESIGN begins at start_us. Nothing is believed further than it is
 * written here: the declared times of a container may lie, packet_scan.h has the
 * real ones.
 */
#ifndef DROPSTREAM_MEDIA_INFO_H
#define DROPSTREAM_MEDIA_INFO_H

#include "grid.h"
#include "rc.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MEDIA_STREAMS_MAX 64
#define MEDIA_UNKNOWN INT64_MIN /* a time that the file does not state */

#define MEDIA_TITLE_MAX 80 /* bytes; longer ones are cut */

enum media_kind { MEDIA_OTHER, MEDIA_VIDEO, MEDIA_AUDIO, MEDIA_SUBTITLE };

struct media_stream {
    int index; /* as ffprobe and -map count */
    enum media_kind kind;
    char codec[32];      /* ffprobe's codec_name; "" if unknown */
    int width, height;   /* coded */
    struct rational sar; /* sample aspect ratio; 1/1 if unknown */
    int rotation;        /* degrees clockwise: 0, 90, 180, 270 */
    bool interlaced;     /* or may be, picture by picture: its codec does not say */
    bool still;          /* a cover picture or a thumbnail, not a video */
    bool is_default;
    bool reordered;               /* frames are not in presentation order (B-frames) */
    struct rational average_rate; /* 0/1 if unknown */
    struct rational base_rate;    /* r_frame_rate; 0/1 if unknown */
    int64_t start_us;             /* MEDIA_UNKNOWN if not stated */
    int64_t duration_us;          /* MEDIA_UNKNOWN if not stated */
    int channels;                 /* audio only */
    int sample_rate;              /* audio only, Hz; 0 if not stated */
    int64_t bitrate;              /* bit/s; 0 if not stated */
    char profile[32];             /* as ffprobe names it; "" if not stated */
    int level;                    /* as ffprobe numbers it; 0 if not stated */
    char pixels[24];              /* pix_fmt; "" if not stated */
    char language[16];            /* its tag; "" if not stated or "und" */
    char title[MEDIA_TITLE_MAX + 1]; /* its tag, clean UTF-8; "" if there is none */
    bool forced;                     /* subtitles only: shown to everybody */
    bool full_range;                 /* of its colours: black is 0, not 16 */
    /* ffprobe's color_space, color_primaries, color_transfer; "" if not stated */
    char matrix[20], primaries[20], transfer[20];
};

struct media_info {
    int64_t start_us;    /* of the earliest stream; 0 if not stated */
    int64_t duration_us; /* MEDIA_UNKNOWN if not stated */
    struct media_stream streams[MEDIA_STREAMS_MAX];
    size_t n_streams; /* streams past the limit are left out */
};

/* RC_INVALID: not the JSON that ffprobe writes. RC_NOMEM. */
enum rc media_info_parse(const char *json, size_t n, struct media_info *out);

/* The first stream from number i of them on that is picture or sound; n_streams: none.
 */
size_t media_info_next_av(const struct media_info *info, size_t i);

/* The stream to show: the default one, else the first, of those that move and whose
 * codec is known. NULL if there is none. */
const struct media_stream *media_info_video(const struct media_info *info);

/* The stream to hear, by the same rule. NULL if there is none. */
const struct media_stream *media_info_audio(const struct media_info *info);

/* All sound that can be decoded, at most max tracks: the one above first, the others in
 * the order of the file. Returns how many there are in out. */
size_t media_info_sounds(const struct media_info *info,
                         const struct media_stream *out[], size_t max);

/* "12.345678" or "-0.000023" in microseconds; MEDIA_UNKNOWN for NULL, "N/A" and all
 * that is no number or beyond ± 10^12 s. */
int64_t media_time_us(const char *text);

#endif
