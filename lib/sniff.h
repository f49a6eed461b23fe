/*
 * sniff.h: what a file is, by its first 4096 bytes, whatever its name says.
 *
 * Taken are:
 *
 * - ISO BMFF and QuickTime (ISO 14496-12 s. 4.2, 4.3): an ftyp box of 16 to 512 bytes
 *   at the beginning, its size a multiple of 4. If the major brand is one of video the
 *   file is taken, if of audio or images refused, whatever else it is compatible with;
 *   if it is unknown, a compatible brand of video has it taken. Brand "qt  " makes it
 *   MOV. Then at least one box; each box that begins within the bytes has a type known
 *   at the top level and a size of at least its header and at most 2^48, and the last
 *   may run past them.
 *
 * - Matroska and WebM (RFC 8794, RFC 9559): an EBML header of at most 1024 bytes with a
 *   DocType of matroska or webm, an EBMLReadVersion of 1, a DocTypeReadVersion of 1 to
 *   4. Then, if it begins within the bytes, a Segment; Void and CRC-32 may come before.
 *
 * All else is refused with a sentence that says why. htdocs/src/lib/sniff.ts is the
 * same rule in the browser; tests/vectors/sniff.json holds both to it.
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
 * data: the first n bytes; n < SNIFF_BYTES only if the file is no longer than n. No
 * more than SNIFF_BYTES are looked at.
 * RC_OK when taken, RC_UNSUPPORTED when refused; *out is written in both cases (the
 * one exception to the rule of rc.h, since the reason is the result).
 */
enum rc sniff(const void *data, size_t n, struct sniff *out);

/* "mp4", "mov", "matroska", "webm" or "none"; static. */
const char *container_name(enum container c);

/* The reverse; CONTAINER_NONE for any other text or NULL. */
enum container container_from_name(const char *name);

#endif
