/*
 * waits.h: who waits for which file, and which segments are wanted because of that.
 *
 * A table in memory, without threads, clocks and files: time is a parameter and never
 * goes back, who parks the requests does so around it. A *wait* is one request that
 * waits for one file. A *want* is the segment that has to be made for it, one however
 * many wait; wants become rows of the store's demand table, a batch at a time.
 *
 * Invariants: a wait has one want, and ends once. A want is written when its first wait
 * comes, and again only if it is still waited for when its row is about to expire.
 */
#ifndef DROPSTREAM_WAITS_H
#define DROPSTREAM_WAITS_H

#include "media_path.h"
#include "rc.h"
#include "store.h"
#include "viewer.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    WAITS_ANONYMOUS = 4, /* wants of one kind and video that viewers without a session
                            id have at once: as they look alike, more than one */
    WAITS_GRACE_MS =
        2000, /* a want outlives a wait that was in vain: players ask again */
    WAITS_LAZY_MS = 1000, /* a want whose segment came is gone from the store by then */
    WAITS_BATCH = 128,    /* rows of one transaction, added and dropped ones each */
};

struct waits_limits {
    size_t total;
    size_t per_address; /* IPv6 addresses by their /64 */
    int64_t wait_ms;    /* how long one wait lasts at most */
};

/* What a request asks for. */
struct wait_ask {
    struct viewer viewer;
    char video_id[ID_LEN + 1];
    enum rendition_kind kind;
    struct media_path path; /* an init segment is made with any segment: it wants the
                               first one unless its viewer wants another */
};

/* How a wait ended: its file is there, its viewer asked for something else, or its time
 * was over. */
enum wait_end { WAIT_CAME, WAIT_REPLACED, WAIT_EXPIRED };

struct want;

struct wait {
    struct wait *next;
    void *request; /* what waits_add was given */
    struct wait_ask ask;
    struct want *want; /* not to be used once the wait has ended */
    int64_t deadline_ms;
    enum wait_end end; /* once it has ended */
};

struct waits;

/* RC_NOMEM. */
enum rc waits_open(const struct waits_limits *limits, struct waits **out);

/* Frees the table, its waits included; their requests are the caller's. NULL is legal.
 */
void waits_close(struct waits *w);

/*
 * A request begins to wait. Equal wants merge. A new want replaces what the same viewer
 * wanted before of that kind (video or audio) of that video: all of it, or for viewers
 * without a session id the oldest one of WAITS_ANONYMOUS. RC_TOO_LARGE: over a limit,
 * and nothing has changed. RC_NOMEM.
 *
 * Here and below waits that end are added to the list *ended, oldest first; the caller
 * answers them and frees each with free(3).
 */
enum rc waits_add(struct waits *w, int64_t now_ms, const struct wait_ask *ask,
                  void *request, struct wait **ended);

/* The file is there: everyone who waits for it has it. */
void waits_came(struct waits *w, int64_t now_ms, const struct media_path *path,
                struct wait **ended);

/* Ends the waits whose time is over. */
void waits_expire(struct waits *w, int64_t now_ms, struct wait **ended);

/* ms until the next wait's time is over, 0: one is; -1: nobody waits. */
int64_t waits_next_expiry(const struct waits *w, int64_t now_ms);

/* How many wait. */
size_t waits_count(const struct waits *w);

/* The files that are waited for, some of them perhaps twice; the caller frees *out.
 * RC_NOMEM. */
enum rc waits_files(const struct waits *w, struct media_path **out, size_t *n);

/* ---- what the store has to be told ------------------------------------------ */

/* The arguments of store_demand_update. */
struct wants_batch {
    struct demand add[WAITS_BATCH];
    size_t n_add;
    struct demand drop[WAITS_BATCH];
    size_t n_drop;
    int64_t keep_ms;
};

/* ms until there is something to write, 0: now; -1: not unless something happens. */
int64_t waits_next_batch(const struct waits *w, int64_t now_ms);

/* Fills *out with what has to be written now, which may be nothing. The caller writes
 * it and then calls waits_written; one batch at a time, others may wait and end
 * meanwhile.
 */
void waits_batch(struct waits *w, int64_t now_ms, struct wants_batch *out);

/* The batch is in the store, or (done false) nothing of it: it will be in the next. */
void waits_written(struct waits *w, bool done);

#endif
