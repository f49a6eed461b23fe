/*
 * trouble.h: whether what a program says on standard error tells of trouble of the
 * machine, and not of what it was given to read.
 *
 * ffmpeg's exit status does not: it is 1, or even 0, for a file that is damaged and for
 * a disk that cannot be read. But it says what the system said (av_err2str, strerror(3)
 * in the C locale), and says so of no file that is merely damaged or cut off.
 */
#ifndef DROPSTREAM_TROUBLE_H
#define DROPSTREAM_TROUBLE_H

#include <stdbool.h>
#include <stddef.h>

#define TROUBLE_TEXT_MAX 64 /* bytes; no sentence of the system's is longer */

/* Pure. A sentence that is cut off at an end of the n bytes is not found. */
bool trouble_in(const char *text, size_t n);

#endif
