/*
 * store_activity.h: what goes on: who waits for what, which workers are alive, and the
 * activity log. A part of store.h, which includes it.
 */
#ifndef DROPSTREAM_STORE_ACTIVITY_H
#define DROPSTREAM_STORE_ACTIVITY_H

#include "store.h"

/* ---- demand ------------------------------------------------------------- */

/* A segment that someone waits for, however many they are. */
struct demand {
    char video_id[ID_LEN + 1];
    char rendition[STORE_RENDITION_MAX + 1];
    int64_t segment;
    int64_t since_ms; /* boot clock; when it was first asked for. Not read by updates */
};

/*
 * One transaction: each of add is wanted until keep_ms from now (one that is there
 * keeps its since_ms), each of drop no longer, and what nobody renewed in time is
 * removed. What names no rendition of a video is skipped. n_add and n_drop may be 0.
 */
enum rc store_demand_update(struct store *st, const struct demand *add, size_t n_add,
                            int64_t keep_ms, const struct demand *drop, size_t n_drop);

/* Each demand of this boot whose time is not over, oldest first. What cb returned if
 * not RC_OK; cb must not use st. */
enum rc store_demand_each(struct store *st,
                          enum rc (*cb)(void *arg, const struct demand *d), void *arg);

/* Drops them all: who knew of the waiting has died. */
enum rc store_demand_clear(struct store *st);

/* ---- workers ------------------------------------------------------------ */

/* Says that worker owner is alive, and what its jail lacks ("": nothing; at most
 * STORE_TEXT_MAX bytes); forgets those silent for a day. */
enum rc store_worker_beat(struct store *st, const char *owner, int pid,
                          const char *jail_lacks);

/* Says why a worker did not start: its jail lacks what is required (at most
 * STORE_TEXT_MAX bytes). Told until one beats. */
enum rc store_worker_refused(struct store *st, const char *why);

/* ms since the youngest beat of this boot. RC_NOT_FOUND: none. */
enum rc store_worker_age(struct store *st, int64_t *out_ms);

/* What the jail of a worker of this boot lacks, or why one did not start; "" if that of
 * none lacks anything. RC_NOT_FOUND: there was no worker. */
enum rc store_worker_jail(struct store *st, char out[STORE_TEXT_MAX + 1]);

/* Takes the row away: the worker stopped in good order. */
enum rc store_worker_gone(struct store *st, const char *owner);

/* ---- activity ----------------------------------------------------------- */

enum activity_level { ACTIVITY_INFO, ACTIVITY_WARN, ACTIVITY_ERROR };

struct activity {
    int64_t id; /* grows; the cursor */
    int64_t at_ms;
    enum activity_level level;
    char kind[24];             /* "upload", "probe", "encode", "video", "worker"… */
    char video_id[ID_LEN + 1]; /* "" if none */
    char title[STORE_TITLE_MAX + 1]; /* of that video, "" if none or gone */
    char message[STORE_TEXT_MAX + 1];
};

/* "info", "warn", "error"; static. */
const char *activity_level_name(enum activity_level l);

/*
 * Adds a row; video_id may be NULL. The functions above write the rows of their own
 * events (upload begun, stored, abandoned; renamed, deleted, retried; job started,
 * planned, done, retried, failed; video ready, failed), so callers add only what
 * the store cannot know. Text over STORE_TEXT_MAX is cut at a UTF-8 border.
 */
enum rc store_activity_add(struct store *st, enum activity_level level,
                           const char *kind, const char *video_id, const char *fmt, ...)
    __attribute__((format(printf, 5, 6)));

/* Adds a row with about and rest, unless one of the same kind that begins with about
 * was added within the last minute: for what anybody can bring about as often as they
 * like.
 */
enum rc store_activity_add_rarely(struct store *st, enum activity_level level,
                                  const char *kind, const char *about,
                                  const char *rest);

/* Rows with id > after, oldest first, at most limit (1..1000). after < 0: the newest
 * limit rows, oldest first. owner_id: only those about the videos of this user, also of
 * videos that are gone; 0: all. */
enum rc store_activity_list(struct store *st, int64_t owner_id, int64_t after,
                            int limit,
                            enum rc (*cb)(void *arg, const struct activity *a),
                            void *arg);

/* Keeps the newest rows only. */
enum rc store_activity_trim(struct store *st, int64_t keep_rows);

#endif
