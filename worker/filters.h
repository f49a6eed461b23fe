/*
 * filters.h: the chains of ffmpeg's filters that make the pictures of a rendition out
 * of those of its source. A struct in, a text out; pure.
 *
 * Whatever the source is, what comes out is upright, of square pixels and whole
 * pictures, yuv420p in 8 bits of limited range, and tagged with its matrix, primaries
 * and transfer:
 *
 *   - BT.601 and BT.709 stay what they are, and say so. Their numbers are not touched,
 * so the same colours come out of a rendition as of the file itself.
 *   - All others become BT.709: RGB, BT.2020, DCI-P3; and HDR (PQ, HLG) by tone
 * mapping.
 *
 * ffmpeg turns the pictures by itself, before the first filter. Whatever is dear comes
 * after the pictures were made small.
 */
#ifndef DROPSTREAM_FILTERS_H
#define DROPSTREAM_FILTERS_H

#include "rc.h"
#include "store.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FILTERS_MAX 1024 /* bytes of a chain, with its NUL */

/*
 * -vf of a run of r whose first picture is at start_us of the timeline. source_rate: of
 * the source, frames/s. open: the source may end before the run does, and nothing is
 * made up after its end. RC_INVALID: it does not fit.
 */
enum rc filters_video(const struct rendition *r, double source_rate, int64_t start_us,
                      bool open, char out[FILTERS_MAX]);

/* -vf of a still picture of that size for a JPEG, which is BT.601 of full range,
 * whatever r is (JFIF). RC_INVALID: it does not fit. */
enum rc filters_still(const struct rendition *r, int width, int height,
                      char out[FILTERS_MAX]);

/*
 * -af of a run whose first sample (of 48 kHz) is number begin, and which ends with
 * number end - 1. open: as above. What comes out is stereo: sound in one channel is as
 * loud in both, a centre too, surround is 3 dB down, and what would be too loud
 * together is held down for as long as it is. RC_INVALID: it does not fit.
 */
enum rc filters_audio(int64_t begin, int64_t end, bool open, char out[FILTERS_MAX]);

#endif
