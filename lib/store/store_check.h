/*
 * store_check.h: the part of store.h by which a site is proved whole: the checksums of
 * what was uploaded, what rows say of files and jobs, and how it is righted where that
 * is not so. Its functions are as those of store.h.
 *
 * A checksum is that of the bytes that came in (store_video_stored_with), or, where
 * that is not known, of the stored file, taken once, later: what the file should hold
 * is what it held then.
 */
#ifndef DROPSTREAM_STORE_CHECK_H
#define DROPSTREAM_STORE_CHECK_H

#include "store.h"

/* ---- checksums ------------------------------------------------------------ */

#define STORE_CHECKSUM_SIZE 32 /* bytes of SHA-256 (FIPS 180-4) */

/* *known: it was taken, and is in out. RC_NOT_FOUND: no such video. */
enum rc store_video_checksum(struct store *st, const char *id,
                             uint8_t out[STORE_CHECKSUM_SIZE], bool *known);

/* The job is done: this is the checksum of its video's file, unless another was taken
 * before, which stays. RC_FENCED; RC_INVALID: another kind of job. */
enum rc store_job_checksum(struct store *st, const struct job *job,
                           const uint8_t sum[STORE_CHECKSUM_SIZE]);

/* ---- looking --------------------------------------------------------------- */

/* Calls cb with a sentence of SQLite's for each thing that is wrong with the database
 * itself: its pages and indices (integrity_check), rows that refer to nothing
 * (foreign_key_check). */
enum rc store_check_database(struct store *st,
                             void (*cb)(void *arg, const char *sentence), void *arg);

/* True in *out if a video, a deleted one included, has its files in this folder. */
enum rc store_root_exists(struct store *st, const char *media_root, bool *out);

#define STORE_WORK_MAX 64

/* A job that is not done. */
struct work {
    enum job_kind kind;
    char rendition[STORE_RENDITION_MAX + 1];
    bool live;       /* queued or running; else it has failed for good */
    bool running;    /* … under a lease, which may have ended */
    int64_t late_ms; /* since that lease has ended; 0: it has not. That of another boot
                      * has ended for as long as this one lasts */
};

/* Those of a video, the oldest first, at most STORE_WORK_MAX. */
enum rc store_work_of(struct store *st, const char *video_id,
                      struct work out[STORE_WORK_MAX], size_t *n);

/* ---- mending ----------------------------------------------------------------- */

enum mend {
    MEND_NOTHING,   /* nobody can */
    MEND_RENDITION, /* what is missing of `name` is made again, while the rest plays */
    MEND_LISTS,     /* the playlists are written anew */
    MEND_POSTER,    /* and these are made again */
    MEND_STORYBOARD,
    MEND_SUBTITLES, /* the files of `name` */
    MEND_CHECKSUM,  /* it is taken */
    MEND_STUCK,     /* a video that is being made, but by nobody, is planned again */
    MEND_DOUBLE,    /* jobs that are queued twice are so once */
    MEND_LEASE,     /* jobs whose lease has ended go back to the queue */
};

/*
 * Has the worker mend something of a video. Each looks, in the transaction that changes
 * something, whether that is still wanted. missing: of MEND_RENDITION, how many
 * segments are. RC_NOT_FOUND: no such video, or no such name. RC_EXISTS: it is being
 * made. RC_CONFLICT: nothing to mend there (any more), MEND_NOTHING too.
 */
enum rc store_mend(struct store *st, const char *video_id, enum mend what,
                   const char *name, int64_t missing);

#endif
