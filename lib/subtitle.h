/*
 * subtitle.h: subtitles as people have them, made into clean WebVTT (W3C).
 *
 * Pure: bytes in, text out, in one pass and in memory that is bounded by the input.
 * What comes out is the same again when it goes in once more. It begins with the header
 * that HLS asks for (RFC 8216 s. 3.5): time 0 of the cues is time 0 of the media.
 */
#ifndef DROPSTREAM_SUBTITLE_H
#define DROPSTREAM_SUBTITLE_H

#include "rc.h"

#include <stddef.h>
#include <stdint.h>

#define SUBTITLE_FILE_MAX (2 << 20)  /* bytes of a file that is taken from a client */
#define SUBTITLE_TRACK_MAX (8 << 20) /* bytes of a track inside a video */
#define SUBTITLE_TEXT_MAX (8 << 20)  /* bytes of what comes out */
#define SUBTITLE_CUES_MAX 50000

/*
 * SubRip (SRT) or WebVTT, which its first line decides; the caller frees *out, which
 * has a NUL after its *out_n bytes. Encodings: UTF-16 with a byte order mark, UTF-8
 * with or without; what is neither is Windows-1252 in SRT, and repaired in WebVTT,
 * which has to be UTF-8.
 *
 * Cues come in the order of their times; those without text, that end before they
 * begin, or whose times cannot be read are dropped, and so are styles, regions and
 * comments. Of tags those stay that WebVTT knows, each of them closed; of cue settings
 * those that are well-formed, but for regions.
 *
 * RC_UNSUPPORTED: neither of the two. RC_INVALID: no cue is left. RC_TOO_LARGE: more
 * cues or more text than the limits above. RC_NOMEM.
 */
enum rc subtitle_to_webvtt(const char *data, size_t n, char **out, size_t *out_n);

#endif
