/*
 * source_bounds.h: whether a file asks for more than one of its size may, found out
 * before any program is given it.
 *
 * ffmpeg takes memory for each stream and for each sample that an index tells of,
 * before it has read one of them; and an index may tell of millions in a few bytes. So
 * the boxes of an MP4 or MOV (ISO 14496-12) and the lists of a Matroska file (RFC 9559)
 * are counted here, so many at a time as others can wait for. Nothing but headers and
 * counts is read, and nothing kept. ffmpeg finds boxes where ISO 14496-12 has none
 * (mov_read_default and those that call it): they are looked for there as well.
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
/* Bytes of all that is compressed, before and after. It is unpacked to be counted,
 * which takes some tenths of a second. Hours have a few. */
#define SOURCE_UNPACKED_MAX (64 << 20)

#define SOURCE_BOUNDS_TURN 10000 /* boxes that one look goes on for */

/* What has been counted of one. */
struct source_bounds;

/* Where it is counted. The bytes stay the caller's. */
struct source_bytes {
    int fd;
    const uint8_t *memory; /* in place of fd; NULL: there is none */
    uint64_t have;         /* bytes that are there, which never gets less … */
    uint64_t size;         /* … of so many; UINT64_MAX: nobody knows */
    uint64_t file_size;    /* of the file that they are of, likewise */
};

/* RC_NOMEM. */
enum rc source_bounds_open(enum container container, struct source_bounds **out);
void source_bounds_close(struct source_bounds *b); /* NULL is legal */

/*
 * Goes on where the last look ended, as far as there are bytes or a turn goes. What it
 * returns counts for all that was looked at so far. RC_OK: it may be read, or says
 * nothing that could be counted. RC_UNSUPPORTED: it may not; why then holds a sentence
 * for the person who uploaded it, of less than size bytes. RC_IO, RC_NOMEM: the next
 * look takes what failed once more; it counts once.
 */
enum rc source_bounds_look(struct source_bounds *b, const struct source_bytes *from,
                           char *why, size_t size);

/* The last look had its turn before it came to the end of what is there. */
bool source_bounds_is_behind(const struct source_bounds *b);

/* So many bytes have room for the samples that were counted. */
bool source_bounds_has_room(const struct source_bounds *b, uint64_t bytes);

/* ---- of pictures ----------------------------------------------------------- */

/* True where so many pictures within us are more than a video has; *rate gets how many
 * there are in a second, at least. A few at once say nothing of a rate. */
bool source_bounds_is_fast(int64_t pictures, int64_t us, int64_t *rate);

/* The sentence for that. */
void source_bounds_explain_rate(int64_t rate, char *why, size_t size);

#endif
