/*
 * mp4_frag.h: up to which time a fragmented MP4 file (ISO/IEC 14496-12 s. 8.8) can be
 * shown while it comes in.
 *
 * It says which bytes it wants to see next: the header of each box, and the moof boxes
 * whole, of which it keeps the last one; the media are stepped over. What comes after
 * the last moof that has arrived is expected to begin where that ended, so that little
 * less than what is there may be promised, but never more. Times are on the clock of
 * mp4_index.h.
 */
#ifndef DROPSTREAM_MP4_FRAG_H
#define DROPSTREAM_MP4_FRAG_H

#include "mp4_index.h"

/* Of one moof box; those of real files have some kilobytes. */
#define MP4_MOOF_MAX (16u << 20)

struct mp4_frag;

/*
 * index: of the file, opened from the n bytes at moov; neither is needed afterwards.
 * from: where the boxes after moov begin. file_size: MP4_SIZE_UNKNOWN if it is. RC_OK:
 * *out is to be closed. RC_UNSUPPORTED: the file is not fragmented. RC_INVALID: an mvex
 * box that does not fit. RC_NOMEM.
 */
enum rc mp4_frag_open(const struct mp4_index *index, const void *moov, size_t n,
                      uint64_t from, uint64_t file_size, struct mp4_frag **out);
void mp4_frag_close(struct mp4_frag *frag);

/*
 * The offset of the bytes that mp4_frag_feed wants, and how many; at the end of a file
 * of known size those that are left will do. False when the walk has come to its end.
 */
bool mp4_frag_wants(const struct mp4_frag *frag, uint64_t *offset, size_t *n);

/*
 * Takes n bytes from the wanted offset on. RC_TRUNCATED: fewer than were wanted;
 * nothing was taken. RC_INVALID: a box that cannot be. RC_TOO_LARGE: a moof box over
 * MP4_MOOF_MAX, or of more than 262144 samples. RC_UNSUPPORTED: the media of one
 * fragment lie behind the next. RC_NOMEM. After those nothing more is to be fed, and
 * what was said to be complete stays so.
 */
enum rc mp4_frag_feed(struct mp4_frag *frag, const void *data, size_t n);

/*
 * As mp4_index_reach, of what was fed: up to which time (µs) a track is complete when
 * all bytes before frontier have arrived. INT64_MIN: nothing of it was seen yet.
 * INT64_MAX: the file is, to its end. Takes as long as a walk through one moof box.
 */
int64_t mp4_frag_reach(const struct mp4_frag *frag, size_t track, uint64_t frontier);

/* The smallest presentation time (µs) of a track's samples so far. INT64_MAX: nothing
 * of it was seen yet. */
int64_t mp4_frag_first_us(const struct mp4_frag *frag, size_t track);

#endif
