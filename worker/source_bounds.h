/*
 * source_bounds.h: whether a stored file asks for more than a file of its size may,
 * found out before any program is given it.
 *
 * ffmpeg takes memory for each stream and for each sample that an index tells of,
 * before it has read one of them; and an index may tell of millions in a few bytes. So
 * the boxes of an MP4 or MOV (ISO 14496-12) and the lists of a Matroska file (RFC 9559)
 * are counted here. Nothing but headers and counts is read, and nothing kept.
 */
#ifndef DROPSTREAM_SOURCE_BOUNDS_H
#define DROPSTREAM_SOURCE_BOUNDS_H

#include "rc.h"
#include "sniff.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Of all tracks together: a day of 60 pictures a second with its sound has 9.3 million.
 * For each, ffmpeg takes 24 bytes or so. */
#define SOURCE_SAMPLES_MAX 12000000
#define SOURCE_SAMPLES_FREE 100000 /* cost nothing worth mentioning */
#define SOURCE_SAMPLE_BYTES 2   /* of the file, at least, for each of more than those */
#define SOURCE_PARTS_MAX 500000 /* cues, tags, chapters and the like of Matroska */
#define SOURCE_RATE_MAX 1000    /* pictures a second */

/*
 * RC_OK: it may be read, or says nothing that could be counted. RC_UNSUPPORTED: it may
 * not; why then holds a sentence for the person who uploaded it, of less than size
 * bytes. RC_IO, RC_NOT_FOUND: the file at path cannot be read.
 */
enum rc source_bounds_check(const char *path, enum container container, char *why,
                            size_t size);

/* True where so many pictures within us are more than a video has; *rate gets how many
 * there are in a second, at least. A few at once say nothing of a rate. */
bool source_bounds_is_fast(int64_t pictures, int64_t us, int64_t *rate);

/* The sentence for that. */
void source_bounds_explain_rate(int64_t rate, char *why, size_t size);

#endif
