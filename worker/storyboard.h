/*
 * storyboard.h: the small pictures of the seek bar: how large they are, how they stand
 * on their sheets, and the WebVTT file that says which one belongs to what time.
 *
 * A cue reaches from the time of its picture to that of the next one, so the picture
 * that is shown for a time is the last one that is not after it; the first cue begins
 * at 0. Pure.
 */
#ifndef DROPSTREAM_STORYBOARD_H
#define DROPSTREAM_STORYBOARD_H

#include "args.h"
#include "rc.h"
#include "store.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define STORYBOARD_FILE "storyboard.vtt"
#define STORYBOARD_PREFIX "storyboard-" /* of the names of sheets */
#define STORYBOARD_SIDE 160             /* pixels of a picture's longer side */
#define STORYBOARD_COLUMNS 5
#define STORYBOARD_ROWS 5
#define STORYBOARD_SHEET (STORYBOARD_COLUMNS * STORYBOARD_ROWS)
#define STORYBOARD_PICTURES_MAX 1000
#define STORYBOARD_EVERY_US 5000000 /* pictures are not closer than that */
#define STORYBOARD_NAME_MAX 63

/* How the pictures of a rendition stand on a sheet: square pixels, its own shape. */
struct args_grid storyboard_grid(const struct rendition *r);

/* Which keyframes are taken: no more of them than STORYBOARD_PICTURES_MAX, and so few
 * that they cost no more than a few seconds for an hour. width, height: of a picture
 * before it is made small. */
struct args_pick storyboard_pick(int64_t duration_us, int width, int height);

/* The name of sheet `sheet` (from 0) of the job's attempt: no two attempts share one.
 */
void storyboard_sheet_name(const struct job *job, size_t sheet,
                           char out[STORYBOARD_NAME_MAX + 1]);

/* True for the name of a sheet of a later attempt than this one, or of a later job. */
bool storyboard_is_later(const struct job *job, const char *name);

/*
 * The WebVTT text for the first n pictures, which were taken at times_us of the
 * timeline, growing; the last one is shown until end_us. The caller frees *out.
 * RC_NOMEM.
 */
enum rc storyboard_vtt(const struct job *job, const struct args_grid *grid,
                       const int64_t *times_us, size_t n, int64_t end_us, char **out,
                       size_t *size);

#endif
