/*
 * schedule_priv.h: what the two files of the decision share; nobody else includes it.
 *
 * schedule.c has who is served by which run, and what is to be done; what goes on
 * beside that is in schedule_background.c.
 */
#ifndef DROPSTREAM_SCHEDULE_PRIV_H
#define DROPSTREAM_SCHEDULE_PRIV_H

#include "schedule.h"

/* What is found out on the way to the answer. */
struct thoughts {
    const struct schedule *s;
    bool serves[SCHEDULE_RUNS_MAX];
    struct schedule_demand starts[SCHEDULE_RUNS_MAX]; /* runs to begin, in this order */
    int n_starts;
    int taken;       /* slots that have gone to demands */
    int taken_cores; /* and what that keeps busy */
    int64_t again_ms;
};

enum schedule_turn { TURN_FIRST, TURN_SOON, TURN_OTHERS, TURN_LAST };

/* A run, or (run -1) one that could begin at `from`. Less is more useful. */
struct candidate {
    int run, rendition;
    int64_t from;
    enum schedule_turn turn; /* of its rendition */
    int distance; /* 0: for someone who watches, or could once it exists; 2: what it
                     needs is still to come */
    int nth;      /* of its rendition's runs */
};

/* Cores that a run keeps busy: decoding and encoding a picture are threads of their
 * own, and so are the program that copies and the worker, which writes it down; sound
 * is one. */
int schedule_cores(const struct schedule *s, int rendition);

/* Segments from here on cannot be made from what has arrived; true if this is one. */
int64_t schedule_reach(const struct schedule_rendition *r);
bool schedule_beyond(const struct schedule_rendition *r, int64_t segment);

/* Runs that exist; one that is led costs next to nothing, and counts with its leader.
 */
int schedule_alive(const struct schedule *s);

/* True if a run of the rendition is given its source as that arrives. */
bool schedule_has_fed(const struct schedule *s, int rendition);

/* Someone is about to need it; or nothing exists yet, and nobody can begin to watch. */
bool schedule_near_viewer(const struct schedule_rendition *r, int64_t segment);

/* The most useful runs, ones to be begun included, that may go on beside what is waited
 * for, in list, the best first; returns how many. */
int schedule_background(const struct thoughts *t,
                        struct candidate list[SCHEDULE_RUNS_MAX]);

#endif
