/*
 * source_check.h: why an MP4 that ffprobe cannot read is broken, in plain words.
 */
#ifndef DROPSTREAM_SOURCE_CHECK_H
#define DROPSTREAM_SOURCE_CHECK_H

/*
 * Walks the top-level boxes (ISO 14496-12 s. 4.2) of the file at path. A static
 * sentence if the index (moov) is missing or the file ends inside a box; NULL if no
 * such fault is seen or the file cannot be read.
 */
const char *source_check_mp4(const char *path);

#endif
