/*
 * store_subtitles.h: the part of store.h about subtitles.
 *
 * Their text is kept as clean WebVTT (subtitle.h); a job 'subtitles' makes files of it.
 * Those that somebody added stay with their video whatever happens to that; those of
 * tracks inside the file are read anew with each plan.
 */
#ifndef DROPSTREAM_STORE_SUBTITLES_H
#define DROPSTREAM_STORE_SUBTITLES_H

#include "language.h"
#include "rc.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define STORE_LABEL_MAX 80     /* bytes */
#define STORE_SUBTITLES_MAX 32 /* of one video */
#define STORE_TRACK_CODEC_MAX 31
#define STORE_SUBTITLE_ERROR_MAX 300 /* bytes */

struct store;
struct job;

struct subtitle {
    char name[LANGUAGE_SLOT_MAX + 1]; /* "en-2": see language_slot */
    char language[LANGUAGE_MAX + 1];  /* BCP 47; "und" unknown */
    char label[STORE_LABEL_MAX + 1];  /* "" if nobody gave one */
    bool forced;
    bool is_track;                         /* of the video, not a file that was added */
    int stream;                            /* of a track: as ffprobe counts */
    char codec[STORE_TRACK_CODEC_MAX + 1]; /* of a track; "" unknown */
    bool read;                             /* its text is here */
    int64_t version;                       /* of its text */
    int64_t published;                     /* the one that its files hold; 0: none */
    char error[STORE_SUBTITLE_ERROR_MAX + 1]; /* why there are no files of this text; ""
                                                 if there are, or will be */
};

struct subtitles {
    struct subtitle list[STORE_SUBTITLES_MAX];
    size_t n;
};

/* Of a video, oldest first, also those that were not read yet. RC_NOT_FOUND. */
enum rc store_subtitles(struct store *st, const char *video_id, struct subtitles *out);

/* The text; the caller frees *out. RC_NOT_FOUND: there is none of this name, or not
 * yet. */
enum rc store_subtitle_text(struct store *st, const char *video_id, const char *name,
                            char **out);

/*
 * Adds subtitles from a file, or has them replace those of the same name, whatever
 * their source; of s, name, language and label count. Their files follow by a job.
 * RC_NOT_FOUND: no such video. RC_CONFLICT: it has failed. RC_TOO_LARGE: there are
 * STORE_SUBTITLES_MAX already.
 */
enum rc store_subtitle_put(struct store *st, const char *video_id,
                           const struct subtitle *s, const char *text, bool *replaced);

/* Takes them away again. RC_NOT_FOUND: no such video, or none of this name.
 * RC_CONFLICT: it has failed. */
enum rc store_subtitle_delete(struct store *st, const char *video_id, const char *name);

/* ---- by a job 'subtitles' -------------------------------------------------- */

/* A track was read, if it is still wanted. RC_FENCED. */
enum rc store_job_subtitle_read(struct store *st, const struct job *job, int stream,
                                const char *text);

/* A track has nothing to be read, and is forgotten. sentence goes to the video's
 * warning; NULL: nothing is wrong with that. RC_FENCED. */
enum rc store_job_subtitle_missing(struct store *st, const struct job *job, int stream,
                                   const char *sentence);

/* The files of these exist, in the version that each is of. One of which another text
 * is wanted by now has another job queued, unless its files are there. RC_FENCED. */
enum rc store_job_subtitles_published(struct store *st, const struct job *job,
                                      const struct subtitles *written);

#endif
