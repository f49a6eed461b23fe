/*
 * sniff.h: what a file is, by its first 4096 bytes, whatever its name says.
 *
 * Taken: ISO BMFF and QuickTime that begin with an ftyp box with a video brand and
 * plausible box sizes after it (ISO 14496-12 s. 4.2, 4.3), and EBML files (RFC
 * 8794) whose DocType is matroska or webm (RFC 9559). All else is refused with a
 * sentence that says why. htdocs/src/lib/sniff.ts is the same rule in the browser;
 * tests/vectors/sniff.json holds both to it.
 */
#ifndef DROPSTREAM_SNIFF_H
#define DROPSTREAM_SNIFF_H

#include "rc.h"

#include <stddef.h>

#define SNIFF_BYTES 4096

enum container {
    CONTAINER_NONE = 0,
    CONTAINER_MP4,
    CONTAINER_MOV,
    CONTAINER_MATROSKA,
    CONTAINER_WEBM,
};

struct sniff {
    enum container container; /* CONTAINER_NONE when refused */
    const char *reason;       /* static sentence when refused, else NULL */
};

/*
 * data: the first n bytes; n < SNIFF_BYTES only if the file is no longer than n.
 * RC_OK when taken, RC_UNSUPPORTED when refused; *out is written in both cases (the
 * one exception to the rule of rc.h, since the reason is the result).
 */
enum rc sniff(const void *data, size_t n, struct sniff *out);

/* "mp4", "mov", "matroska", "webm" or "none"; static. */
const char *container_name(enum container c);

/* The reverse; CONTAINER_NONE for any other text or NULL. */
enum container container_from_name(const char *name);

#endif
