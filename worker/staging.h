/*
 * staging.h: small files that are written anew again and again: playlists, posters,
 * previews, subtitles.
 *
 * Invariant: a file is only replaced by one whose bytes are on disk, so that a loss of
 * power leaves one or the other, whole. It waits for that in site/tmp, and never the
 * loop. A name that is new gets its file at once: no row tells of it yet, or it is one
 * that the first sweep of the next worker writes anew (video_lists.h).
 */
#ifndef DROPSTREAM_STAGING_H
#define DROPSTREAM_STAGING_H

#include "loop.h"
#include "rc.h"
#include "syncer.h"

#include <stdbool.h>
#include <stddef.h>

struct staging;

/* Lives in its owner's struct; all zero is one that does not wait. */
struct staging_waiter {
    struct staging_waiter *next;
    const char *of;
    void (*again)(void *arg);
    void *arg;
    bool waits;
};

/* tmp_fd is site/tmp, and stays the caller's. With syncer NULL the disk is waited for
 * within each call, and l is not used. RC_NOMEM. */
enum rc staging_open(struct loop *l, struct syncer *syncer, int tmp_fd,
                     struct staging **out);

/* Drops what has not got its place yet. NULL is legal. */
void staging_close(struct staging *s);

/*
 * Puts these bytes at dir_fd/name, unless they are there already; *wrote is set to true
 * if they were not. RC_PENDING: they replace others, and are on their way to disk: once
 * staging_wait tells, the same call puts them there. Whoever does not make it then
 * wants them no more. RC_IO, RC_NOSPACE, RC_NOMEM.
 */
enum rc staging_put(struct staging *s, int dir_fd, const char *name, const void *data,
                    size_t n, bool *wrote);

/* Whoever may only put a file in place while something holds: hold(arg, act, act_arg)
 * calls act(act_arg), and returns what that does, or a code of its own and does not. */
struct staging_guard {
    enum rc (*hold)(void *arg, enum rc (*act)(void *act_arg), void *act_arg);
    void *arg;
};

/* As staging_put, but what puts the file in its place, a rename, is guarded. */
enum rc staging_put_guarded(struct staging *s, const struct staging_guard *guard,
                            int dir_fd, const char *name, const void *data, size_t n,
                            bool *wrote);

/* again(arg) is called once, in a later turn, after something was synced: not always
 * that which is waited for. of: the id of the video whose files are to agree, which
 * stays as it is until then; NULL: no other file has to agree with what is waited for.
 */
void staging_wait(struct staging *s, struct staging_waiter *waiter, const char *of,
                  void (*again)(void *arg), void *arg);

/* True while somebody waits for files of this video to agree. What changes without end
 * is not to change then, or they never do. */
bool staging_is_awaited(const struct staging *s, const char *of);

/* One that does not wait is fine. */
void staging_forget(struct staging *s, struct staging_waiter *waiter);

#endif
