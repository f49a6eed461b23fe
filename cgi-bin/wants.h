/*
 * wants.h: which segments have to be made because someone waits, and what the store has
 * to be told of that.
 *
 * Like waits.h a table in memory to which time is a parameter. A *want* is one segment,
 * however many wait for it; wants become rows of the store's demand table, a batch at a
 * time.
 *
 * Invariant: a want is written when its first wait comes, and again only if it is still
 * waited for when its row is about to expire.
 */
#ifndef DROPSTREAM_WANTS_H
#define DROPSTREAM_WANTS_H

#include "media_path.h"
#include "rc.h"
#include "store.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    WANTS_GRACE_MS =
        2000, /* a want outlives a wait that was in vain: players ask again */
    WANTS_LAZY_MS = 1000, /* a want whose segment came is gone from the store by then */
    WANTS_BATCH = 128,    /* rows of one transaction, added and dropped ones each */
};

/* How a wait ended: its file is there, or will never be; its viewer asked for something
 * else, or has hung up; or its time was over. */
enum wait_end { WAIT_CAME, WAIT_GONE, WAIT_REPLACED, WAIT_LEFT, WAIT_EXPIRED };

struct wants;
struct want;

/* wait_ms: how long a wait lasts at most. RC_NOMEM. */
enum rc wants_open(int64_t wait_ms, struct wants **out);
void wants_close(struct wants *w);

/* ---- for waits.c ------------------------------------------------------------ */

/* The want of a file; an init segment is made with any segment and has that of the
 * first one. NULL: there is none. */
struct want *wants_find(const struct wants *w, const char *video_id,
                        const struct media_path *path);

/* A new one, which is to be joined before anything else is done. NULL: no memory. */
struct want *wants_add(struct wants *w, const char *video_id,
                       const struct media_path *path);

/* One more waits for it, until deadline_ms at the latest; one fewer does. */
void want_join(struct want *want, int64_t deadline_ms);
void want_leave(struct want *want, int64_t now_ms, enum wait_end end);

/* Frees the wants that nobody has and the store knows nothing of. */
void wants_sweep(struct wants *w);

/* ---- what the store has to be told ------------------------------------------ */

/* The arguments of store_demand_update. */
struct wants_batch {
    struct demand add[WANTS_BATCH];
    size_t n_add;
    struct demand drop[WANTS_BATCH];
    size_t n_drop;
    int64_t keep_ms;
};

/* ms until there is something to write, 0: now; -1: not unless something happens. */
int64_t wants_next_batch(const struct wants *w, int64_t now_ms);

/* Fills *out with what has to be written now, which may be nothing. The caller writes
 * it and then calls wants_written; one batch at a time, others may wait and end
 * meanwhile.
 */
void wants_batch(struct wants *w, int64_t now_ms, struct wants_batch *out);

/* The batch is in the store, or (done false) nothing of it: it will be in the next. */
void wants_written(struct wants *w, bool done);

#endif
