/*
 * segments.h: which segments of a rendition exist, by the files on disk.
 *
 * The folder is the truth; this is its picture in memory. A file counts only if its
 * boxes fill it exactly, so that one that a crash left empty or short is made again.
 */
#ifndef DROPSTREAM_SEGMENTS_H
#define DROPSTREAM_SEGMENTS_H

#include "rc.h"

#include <stdbool.h>
#include <stdint.h>

struct segments {
    int64_t total;
    int64_t done;
    bool has_init;
    int64_t bytes; /* of all that exist, as they were found; who adds one counts it */
    uint8_t *bits; /* one a segment */
};

/*
 * A look at dir_fd, which has to stay open, for init.mp4 and 0.m4s … (total−1).m4s,
 * some files at a time; damaged ones are removed. What comes or goes meanwhile may be
 * found or not. RC_NOMEM, RC_IO.
 */
struct segments_scan;
enum rc segments_scan_open(int dir_fd, int64_t total, struct segments_scan **out);

/* Looks at n > 0 more entries of the folder at most. *over: there are no more, and the
 * caller ends *out with segments_free. RC_NOMEM, RC_IO: no more is to be had of it. */
enum rc segments_scan_some(struct segments_scan *s, int n, bool *over,
                           struct segments *out);
void segments_scan_close(struct segments_scan *s); /* NULL is legal */

void segments_free(struct segments *s);

bool segments_has(const struct segments *s, int64_t k);
void segments_add(struct segments *s, int64_t k);
void segments_lose(struct segments *s, int64_t k);

/*
 * *size of one file by its name, a segment or init.mp4; -1: it is missing or damaged,
 * and stays as it is. Any other code: it could not be looked at, which says nothing
 * against it.
 */
enum rc segments_measure(int dir_fd, const char *name, int64_t *size);

/* Removes n > 0 segments at most, promised or not; the init segment stays. *over: none
 * is left. RC_IO: one cannot go. */
enum rc segments_remove_some(int dir_fd, int n, bool *over);

/* How many bytes those of from … end - 1 have that exist. */
int64_t segments_bytes(int dir_fd, int64_t from, int64_t end);

/* The first missing one at or after from; total if there is none. */
int64_t segments_next_hole(const struct segments *s, int64_t from);

/* The first existing one at or after from; total if there is none. */
int64_t segments_next_present(const struct segments *s, int64_t from);

/* True if none of from … end - 1 exists; end is at most total. */
bool segments_none(const struct segments *s, int64_t from, int64_t end);

#endif
