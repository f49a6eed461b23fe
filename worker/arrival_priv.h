/* arrival_priv.h: what an upload that is followed consists of; for arrival.c,
 * arrivals.c and arrival_tell.c only. */
#ifndef DROPSTREAM_ARRIVAL_PRIV_H
#define DROPSTREAM_ARRIVAL_PRIV_H

#include "arrival.h"
#include "arrival_header.h"
#include "worker.h"

/* What has to be there beyond the last picture that is needed: a decoder reads ahead,
 * and the picture that follows tells how long the last one is shown. */
#define ARRIVAL_MARGIN_US 500000

struct arrival {
    struct arrival *next;
    struct arrivals *all;
    struct video video; /* as it was when it was first seen */
    struct arrival_header *header;
    enum header_state state;
    char path[PATH_MAX]; /* of the .part */
    char head_path[PATH_MAX];
    char index[PATH_MAX];
    char url[3 * PATH_MAX]; /* "": the file itself is good to read */
    int fd, watch;
    int64_t seen;              /* bytes that are there … */
    int64_t size;              /* … and those of them that programs may have */
    int64_t grown_ms, told_ms; /* loop time */
    int64_t told_us;           /* how far the store knows it to be */
    bool counting;             /* it is stored, but not all is counted: holds itself */
    bool whole;                /* every byte is there, and programs may have them */
    bool held_back;            /* some of its bytes may be taken back yet */
    bool receiving;            /* its row says so; else it only lives for its holders */
    bool pictured; /* the picture for its poster is there, as the store knows */
    int holders;
    struct loop_timer look, sleep, tell;
};

struct arrivals {
    struct worker *w;
    struct arrival *list;
    int inotify_fd; /* -1: there is none */
    struct loop_source *source;
    struct loop_timer retry;
    int64_t retry_ms; /* 0: nothing was missing at the last look */
};

/* Opens the file of one that has its row and nothing else; a look at it follows.
 * RC_NOT_FOUND: it is not there. RC_IO, RC_NOMEM. */
enum rc arrival_open(struct arrival *a);

/* How much of it is there now? What that changes is told to whoever it matters to. */
void arrival_look(struct arrival *a);
void arrival_look_soon(struct arrival *a);

/* It is on no list of those that are receiving: ends what its row says has ended. */
void arrival_settle(struct arrival *a);

/* Frees it, whoever holds it. */
void arrival_remove(struct arrival *a);

/* Bytes that may still be taken for the indices of uploads. */
int64_t arrivals_room(const struct arrivals *all);

/* ---- arrival_tell.c ------------------------------------------------------- */

/* Tells the store how far it is, about once a second and as soon as there is a plan. */
void arrival_tell(struct arrival *a);

#endif
