/*
 * store_pictures.h: the pictures that the page of a video shows beside it: the poster,
 * and the small ones of the seek bar. Its functions are as those of store.h.
 */
#ifndef DROPSTREAM_STORE_PICTURES_H
#define DROPSTREAM_STORE_PICTURES_H

#include "store.h"

/*
 * Somebody wants the picture at at_us of the timeline as the poster, now and whenever
 * the video is made again: a job for it is queued, in place of any other for a poster.
 * RC_NOT_FOUND. RC_INVALID: below 0, or beyond the length. RC_CONFLICT: the video has
 * no plan, has failed, or that place has not arrived yet.
 */
enum rc store_video_choose_poster(struct store *st, const char *id, int64_t at_us);

/* The job's video has a storyboard from here on, which may still grow. RC_FENCED;
 * RC_INVALID: another kind of job. */
enum rc store_job_storyboard(struct store *st, const struct job *job);

#endif
