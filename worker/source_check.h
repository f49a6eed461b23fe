/*
 * source_check.h: why an MP4 that ffprobe cannot read is broken, in plain words;
 * whether one was cut off, and whether a file holds what was said of it.
 */
#ifndef DROPSTREAM_SOURCE_CHECK_H
#define DROPSTREAM_SOURCE_CHECK_H

#include "rc.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * Walks the top-level boxes (ISO 14496-12 s. 4.2) of the file at path. A static
 * sentence if the index (moov) is missing or the file ends inside a box; NULL if no
 * such fault is seen or the file cannot be read.
 */
const char *source_check_mp4(const char *path);

/*
 * True if the file at path, which has been read just now, ends inside a box of an MP4
 * that has to do with its media: there was more of it. False of a file that ends
 * between two boxes, or cannot be read.
 */
bool source_is_cut(const char *path);

/* RC_OK: the bytes of the file at src from offset on are all those of the file at part.
 * RC_CONFLICT: others. RC_IO, RC_NOT_FOUND: one of them cannot be read. */
enum rc source_holds(const char *src, int64_t offset, const char *part);

#endif
