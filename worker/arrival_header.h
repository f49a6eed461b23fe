/*
 * arrival_header.h: what the header of a file that is still coming in tells: its
 * tracks' times, and how far the bytes that are there reach.
 *
 * Reads what it needs by pread(2) from the growing file: the boxes of an MP4 up to its
 * index, which may have been sent ahead, those of its fragments, or the head and the
 * clusters of a Matroska file. Whatever the bytes say, a call takes some tenths of a
 * second at most (and as a rule a millisecond), and the memory is that of the index,
 * twice.
 */
#ifndef DROPSTREAM_ARRIVAL_HEADER_H
#define DROPSTREAM_ARRIVAL_HEADER_H

#include "media_info.h"
#include "packet_scan.h"
#include "seek_points.h"
#include "sniff.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct arrival_header;
struct mp4_index;

enum header_state {
    HEADER_LOOKING,  /* more has to arrive */
    HEADER_KNOWN,    /* it can be played as it comes in */
    HEADER_HOPELESS, /* nothing can be told before it is whole */
    HEADER_REFUSED,  /* it asks for more than it may: no program may have it */
};

struct header_source {
    int fd; /* the growing file; stays the caller's */
    enum container container;
    int64_t file_size; /* when it is whole; -1 unknown */
    int64_t index_max; /* bytes; a larger index is not read before the file is whole */
    const char *index; /* file with the index that was sent ahead; NULL: none */
    int64_t index_offset; /* where that will be in the file */
};

/* RC_NOMEM. */
enum rc arrival_header_open(const struct header_source *source,
                            struct arrival_header **out);
void arrival_header_close(struct arrival_header *h);

/* size bytes have arrived, which never gets less. HOPELESS and REFUSED are final; KNOWN
 * stays, unless it comes to be REFUSED by what has arrived since: then how far it
 * reaches, and its size, are told as of the call before. */
enum header_state arrival_header_read(struct arrival_header *h, int64_t size);

/* Bytes that have arrived; of a known one those that were counted, and have room for
 * all that they tell of: programs may have so many. */
int64_t arrival_header_size(const struct arrival_header *h);

/* ms until it is to be read again, also if nothing comes: the last call had no time for
 * all that has arrived, or could not read it. -1: there is no need. */
int64_t arrival_header_again_ms(const struct arrival_header *h);

/* Bytes that are kept of the file. NULL is legal. */
int64_t arrival_header_memory(const struct arrival_header *h);

/* Why one is hopeless, half a sentence that goes on after "it"; or refused, a sentence
 * for the person who uploads it. h's. */
const char *arrival_header_reason(const struct arrival_header *h);

/* Of a known one: nothing tells how long it is before its end has come. */
bool arrival_header_is_open(const struct arrival_header *h);

/* Of a known one: when its timeline begins, µs by the clock of ffprobe's packets. */
int64_t arrival_header_start_us(const struct arrival_header *h);

/* Of a known one: until when, µs of the timeline, the stream of that number has
 * arrived; INT64_MAX: all of it. */
int64_t arrival_header_reach_us(const struct arrival_header *h, int stream);

/* What a stream of the file has to begin with in place of the file's bytes before
 * *offset; NULL: nothing. The bytes are h's. *end: of the bytes to be read, 0: all. */
const uint8_t *arrival_header_head(const struct arrival_header *h, size_t *n,
                                   int64_t *offset, int64_t *end);

/* What a look at all packets of the file would find. RC_UNSUPPORTED: the header does
 * not tell, as where it is open. info: what ffprobe says of its streams. */
enum rc arrival_header_packets(const struct arrival_header *h,
                               const struct media_info *info, struct packet_scan *out);

/* The index of a known one; NULL: it has none, or one that tells of no packets. */
const struct mp4_index *arrival_header_index(const struct arrival_header *h);

/* The keyframes of a stream, for seek_points_finish. RC_UNSUPPORTED: the header does
 * not tell. RC_NOMEM. */
enum rc arrival_header_keyframes(const struct arrival_header *h, int stream,
                                 struct seek_points *sp);

#endif
