/*
 * schedule.h: which runs of the encoder there should be, as a pure function from what
 * there is to the next thing to do.
 *
 * A run makes the segments of one rendition from some number on. Whoever waits for a
 * segment is served by the run that is about to reach it, or by a new one that begins
 * there; all other runs stand still meanwhile (they are paused, which loses nothing).
 * When nobody waits, the runs that there are go on, and holes are filled from where
 * somebody watches, then in order. All others stand still for what is soon done, as a
 * copy is; those of a rendition that comes last have only what cores all others leave.
 * No clock, no processes: see encode_schedule.c for those.
 */
#ifndef DROPSTREAM_SCHEDULE_H
#define DROPSTREAM_SCHEDULE_H

#include "seek_points.h"
#include "segments.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SCHEDULE_RUNS_MAX 256                      /* of all renditions together */
#define SCHEDULE_ALIVE_MAX (SCHEDULE_RUNS_MAX / 2) /* each may lead another one */
#define SCHEDULE_NEVER_MS INT64_MAX

/* A rendition whose job this worker holds. The order of renditions is that in which
 * they are worked off when nobody waits. */
struct schedule_rendition {
    int video;   /* renditions of one video have the same number */
    bool light;  /* one core is enough for it */
    bool last;   /* nothing is to wait for it: see above */
    bool quick;  /* a copy: it is worth waiting for */
    int partner; /* a rendition that is made beside this one in one run, nearly for
                    free; -1: none */
    const struct segments *have;     /* what exists; total 0: that is not known yet, so
                                        there is nothing to be made of it */
    const struct seek_point *points; /* where it is read from; NULL: not known */
    int64_t viewer;     /* where the earliest viewer is; -1: nobody watches */
    int64_t start_ms;   /* from the start of a run to its first segment */
    int64_t segment_ms; /* from one segment of a run to the next */
    bool arriving;      /* its source is still being uploaded … */
    int64_t reach;      /* … and what segments from here on need may be missing */
    bool asleep;        /* nothing has arrived for a while */
};

struct schedule_run {
    int rendition;     /* index */
    int64_t next;      /* the segment that it gives next */
    int64_t end;       /* it gives none from here on */
    int64_t made;      /* segments that it has given */
    int64_t age_ms;    /* since it was started */
    int64_t at_it_ms;  /* time that it has worked on `next`, pauses left out */
    int64_t unused_ms; /* since somebody waited for it last; or SCHEDULE_NEVER_MS */
    bool paused;
    bool fed;      /* it is given its source as that arrives: it gets beyond `reach` */
    bool starving; /* it has had nothing to read for a while: it takes no core */
    int leader; /* index of the run in whose program it is made beside; -1: it has its
                   own. Such a one goes on, stands still and ends with its leader */
};

/* Someone waits for a segment that does not exist. */
struct schedule_demand {
    int rendition; /* index */
    int64_t segment;
};

struct schedule {
    const struct schedule_rendition *renditions;
    int n_renditions;
    const struct schedule_run *runs;
    int n_runs;                            /* at most SCHEDULE_RUNS_MAX */
    const struct schedule_demand *demands; /* the oldest first */
    int n_demands;
    int cores;      /* of the machine */
    int active_max; /* runs that work at once, at least 1 */
    int alive_max;  /* runs that exist, paused ones included, those that are led not; at
                       least active_max, at most SCHEDULE_ALIVE_MAX */
    bool still;     /* nothing may be made: all runs stand still */
    bool hurry;     /* something that takes a moment is at work, and is waited for */
};

enum schedule_verb {
    SCHEDULE_NOTHING,
    SCHEDULE_START,  /* a run of `rendition` that makes segments `from` to `end` - 1 */
    SCHEDULE_STOP,   /* run */
    SCHEDULE_PAUSE,  /* run */
    SCHEDULE_RESUME, /* run */
};

struct schedule_action {
    enum schedule_verb verb;
    int run;       /* index; all but START */
    int rendition; /* index; START */
    int64_t from, end;
    bool wanted; /* START: somebody waits for it */
    bool fed;    /* START: a fed one, where the rendition is arriving */
    int also;    /* START: this rendition is made beside it; -1: none */
};

/*
 * The next thing to do. The caller does it, changes the state accordingly and asks
 * again, until it is SCHEDULE_NOTHING; then *again_ms is when the answer may be another
 * one without anything else having happened, -1 for never. serves (may be NULL): for
 * each run, whether someone waits for it.
 */
struct schedule_action schedule_next(const struct schedule *s, int64_t *again_ms,
                                     bool serves[SCHEDULE_RUNS_MAX]);

#endif
