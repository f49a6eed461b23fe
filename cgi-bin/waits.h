/*
 * waits.h: who waits for which file.
 *
 * A table in memory, without threads, clocks and files: time is a parameter and never
 * goes back, who parks the requests does so around it. A *wait* is one request that
 * waits for one file; its *want* (wants.h) is the segment that has to be made for it.
 *
 * Invariant: a wait has one want, and ends once.
 */
#ifndef DROPSTREAM_WAITS_H
#define DROPSTREAM_WAITS_H

#include "media_path.h"
#include "rc.h"
#include "store.h"
#include "viewer.h"
#include "wants.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    WAITS_ANONYMOUS = 4, /* wants of one kind and video that viewers without a session
                            id have at once: as they look alike, more than one */
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

struct wait {
    struct wait *next;
    uint64_t id;   /* no other of this table ever had it */
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

/* What has to be made for them; it is w's. */
struct wants *waits_wants(const struct waits *w);

/*
 * A request begins to wait. Equal wants merge. A new want replaces what the same viewer
 * wanted before of that kind (video or audio) of that video: all of it, or for viewers
 * without a session id the oldest one of WAITS_ANONYMOUS. RC_TOO_LARGE: over a limit,
 * and nothing has changed. RC_NOMEM. RC_OK: *id is that of the new wait.
 *
 * Here and below waits that end are added to the list *ended, oldest first; the caller
 * answers them and frees each with free(3).
 */
enum rc waits_add(struct waits *w, int64_t now_ms, const struct wait_ask *ask,
                  void *request, uint64_t *id, struct wait **ended);

/* The file is there: everyone who waits for it has it. */
void waits_came(struct waits *w, int64_t now_ms, const struct media_path *path,
                struct wait **ended);

/* No file of path's folder will come any more: whoever waits for one is told. */
void waits_gone(struct waits *w, int64_t now_ms, const struct media_path *path,
                struct wait **ended);

/* Whoever asked for it has hung up; if it has ended already, nothing happens. */
void waits_left(struct waits *w, int64_t now_ms, uint64_t id, struct wait **ended);

/* Ends the waits whose time is over. */
void waits_expire(struct waits *w, int64_t now_ms, struct wait **ended);

/* ms until the next wait's time is over, 0: one is; -1: nobody waits. */
int64_t waits_next_expiry(const struct waits *w, int64_t now_ms);

/* How many wait. */
size_t waits_count(const struct waits *w);

/* The files that are waited for, some of them perhaps twice; the caller frees *out.
 * RC_NOMEM. */
enum rc waits_files(const struct waits *w, struct media_path **out, size_t *n);

#endif
