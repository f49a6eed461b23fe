/*
 * playlist.h: the texts of HLS playlists (RFC 8216), from the plan alone.
 *
 * Pure: structs in, text out. The caller frees *out.
 */
#ifndef DROPSTREAM_PLAYLIST_H
#define DROPSTREAM_PLAYLIST_H

#include "bounds.h"
#include "grid.h"
#include "rc.h"

#include <stddef.h>
#include <stdint.h>

/*
 * The media playlist of one rendition: VOD, EXT-X-ENDLIST, EXT-X-MAP init.mp4 and
 * <k>.m4s for every segment of the grid (RFC 8216 s. 4.3.3, 4.3.2). RC_NOMEM.
 */
enum rc playlist_media(const struct grid *g, char **out);

/*
 * The same while nobody knows how long the timeline will be, with the segments that are
 * promised so far, all of them whole: EVENT, to be played from its start (EXT-X-START),
 * and without an end (RFC 8216 s. 4.3.3.5, 4.3.5.2). RC_NOMEM.
 */
enum rc playlist_event(const struct grid *g, char **out);

/* The same of a rendition that is cut at its own keyframes. RC_NOMEM. */
enum rc playlist_media_cut(const struct bounds *b, char **out);

/* EXT-X-TARGETDURATION (RFC 8216 s. 4.3.3.1): no EXTINF, rounded to a whole second, may
 * be above it. At least 1. */
int64_t playlist_target_s(const struct grid *g);

struct playlist_variant {
    const char *uri;           /* "360p-1/index.m3u8" */
    int64_t bandwidth;         /* bit/s, peak, audio included */
    int64_t average_bandwidth; /* bit/s; 0 leaves the attribute out */
    const char *codecs;        /* RFC 6381, audio included */
    int width, height;
    int rate_num, rate_den;
    const char *video_range; /* "PQ" or "HLG"; NULL: SDR, which goes without saying */
};

struct playlist_audio {
    const char *uri;      /* "audio-0-1/index.m3u8" */
    const char *name;     /* shown to people; no quote, no control character */
    const char *language; /* BCP 47, or NULL */
    int is_default;
    int channels;
};

struct playlist_subtitles {
    const char *uri;      /* "subs/en.m3u8" */
    const char *name;     /* shown to people; one of a kind */
    const char *language; /* BCP 47, or NULL */
    int is_forced;
};

/* The media playlist of subtitles: <name>.vtt is all there is, as long as the video
 * (RFC 8216 s. 3.5). RC_NOMEM. */
enum rc playlist_text(const char *name, int64_t length_us, char **out);

/*
 * The master playlist: one EXT-X-MEDIA for each audio rendition in the group
 * "audio" and for each of the subtitles in the group "subs", one EXT-X-STREAM-INF for
 * each variant (RFC 8216 s. 4.3.4). RC_INVALID: a text that a quoted string cannot
 * hold. RC_NOMEM.
 */
enum rc playlist_master(const struct playlist_variant *variants, size_t n_variants,
                        const struct playlist_audio *audio, size_t n_audio,
                        const struct playlist_subtitles *subtitles, size_t n_subtitles,
                        char **out);

#endif
