/*
 * encode.h: what the files of the encode job share: one rendition that is being made,
 * its runs of ffmpeg, and who watches it.
 *
 * encode_job.c is the job from start to end, encode_look.c what there is on disk when
 * it begins, and encode_truth.c when all is made, encode_run.c one run, encode_cut.c
 * what it gives, encode_scan.c reads the keyframes, and encode_schedule.c asks
 * schedule.c what runs there should be. A segment that exists is never published again,
 * and only one whose decode time and frame count are those that the playlist promised
 * is published at all.
 */
#ifndef DROPSTREAM_ENCODE_H
#define DROPSTREAM_ENCODE_H

#include "worker.h"

#include "arrival.h"
#include "bounds.h"
#include "cutter.h"
#include "grid.h"
#include "mediadir.h"
#include "seek_points.h"
#include "segments.h"

#define ENCODES_MAX 256  /* jobs that a worker holds at once */
#define ENCODE_VIEWERS 8 /* of one rendition, that are remembered */
/* No run may begin at such a segment for a demand: it is left to the one from before.
 */
#define ENCODE_HARD (LEAD_ALL + 1)
/* After so many of them no run begins in the middle of what is missing. */
#define ENCODE_HARD_PLACES 8

/* One ffmpeg that makes segments `from`, `from` + 1 … of a rendition. */
struct encode_run {
    struct encode_run *next;
    struct task *t;
    struct supervised *child;  /* NULL: it has a leader */
    struct encode_run *leader; /* whose child gives this one's segments too; or NULL */
    struct encode_run *beside; /* the one that this leads; or NULL */
    struct arrival *arrival;   /* held; NULL: it reads a stored file */
    struct feeder *feeder;     /* NULL: it is not fed, or no longer */
    struct cutter *cutter;
    struct mediafile file; /* of the segment that is being received */
    int64_t frames, bytes; /* of it, so far */
    bool passing_over;     /* what comes is from before its first segment */
    uint32_t timescale;    /* of its track; 0 before its init segment */
    int number;            /* of the job's runs, from 1; for its log */
    int64_t from, end;     /* it was told to make from … end - 1 */
    int64_t k;             /* the segment that it gives next */
    enum args_lead lead;
    bool paused;
    bool fed;            /* it reads a pipe */
    bool open;           /* it makes of its source what that has: see encode.open */
    bool starving;       /* it has nothing to read … */
    int64_t starving_ms; /* … since then; loop time */
    struct loop_timer starving_long;
    bool stopped;       /* it was told to end: how it ends does not matter */
    bool other_init;    /* than the stored one … */
    bool wrong_init;    /* … of another encoder than the one that began */
    int64_t started_ms; /* loop time */
    int64_t worked_ms;  /* on segment k, up to since_ms */
    int64_t
        since_ms; /* loop time of the last resumption, or of segment k's beginning */
    int64_t wanted_ms; /* loop time when someone last waited for it; -1: never */
};

/* How a job is to end once its last run has. */
enum encode_ending {
    ENCODE_GOES_ON,
    ENCODE_COMPLETE,   /* every segment was made */
    ENCODE_FAILED,     /* a run failed; see sentence */
    ENCODE_LATER,      /* the machine cannot go on with it: a full disk, say */
    ENCODE_START_OVER, /* another encoder than the one that began */
};

struct encode {
    struct rendition rendition;
    struct grid grid;
    struct bounds bounds; /* of one whose packets are copied, in place of the grid */
    int dir_fd;
    struct segments_scan *look; /* of which `have` comes; NULL: it is over */
    struct loop_timer look_turn;
    struct segments have;
    struct encode_run *runs;
    int runs_so_far;
    struct seek_points *keyframes; /* while they are being read */
    bool scanned;                  /* or being so */
    bool header_read;              /* what that of an upload tells of them was taken */
    struct supervised *scan;       /* by this child */
    struct seek_point *points;     /* one a segment; NULL: not known */
    int64_t start_ms, segment_ms;  /* of its runs, as measured; see schedule.h */
    uint8_t *trouble; /* one a segment: the args_lead of a run that begins there, as
                         those before gave nothing; or ENCODE_HARD */
    bool arriving;    /* its source is still coming in … */
    int64_t reach;    /* … and only segments before this one can be made of it */
    bool asleep;      /* nothing has come for a while */
    bool open; /* nobody knows yet how long it is: `have` and `grid` are as long as a
                  timeline may get … */
    int64_t promised;    /* … and its playlist goes that far … */
    int64_t promised_ms; /* … since then; loop time */
    struct loop_timer promise;
    struct staging_waiter growing; /* its playlist waits for the disk */
    int hard_places;               /* segments that are so */
    bool troubled;                 /* some run has given nothing */
    struct {
        int64_t segment, seen_ms; /* loop time; 0: no one */
    } viewers[ENCODE_VIEWERS];
    enum encode_ending ending;
    bool undecodable;    /* ENCODE_FAILED: a new try is not likely to help */
    struct truth *truth; /* while all segments are looked at; else NULL */
    int64_t *sizes;      /* bytes of each, after that; else NULL */
    char sentence[STORE_TEXT_MAX + 1];
};

/* ---- encode_run.c ---------------------------------------------------------- */

/* What a run is to make: segments from … end - 1. */
struct encode_order {
    int64_t from, end;
    bool wanted;         /* somebody waits for it */
    bool fed;            /* it is given its source as that arrives */
    struct task *beside; /* whose rendition is made in the same program; or NULL */
};

/* Starts a run of t's rendition. RC_NOT_FOUND: there is no ffmpeg. RC_IO, RC_NOSPACE,
 * RC_NOMEM. */
enum rc encode_run_start(struct task *t, const struct encode_order *order);

/* Lets a run that is not led stand still, or go on, and the one that is made beside it.
 */
void encode_run_pause(struct encode_run *r, bool pause);

/* Has nothing to do meanwhile: that is no work. */
void encode_run_idle(struct encode_run *r, bool starving);

/* Ends a run at once, and the one that is made beside it; what they have begun is lost.
 * encode_settle is called later. */
void encode_run_stop(struct encode_run *r);

/* How long it has worked on the segment that it gives next. */
int64_t encode_run_worked_ms(const struct encode_run *r);

/* ---- encode_cut.c ---------------------------------------------------------- */

/* What r gives is cut into segments, which are published: opens r->cutter. RC_NOMEM. */
enum rc encode_cut_open(struct encode_run *r);

/* True if segment k is to begin when f does, in ticks of timescale. */
bool encode_cut_begins(const struct encode *e, int64_t k, uint32_t timescale,
                       const struct cutter_fragment *f);

/* Of n bytes of its output. */
enum rc encode_cut_feed(struct encode_run *r, const void *data, size_t n);

/* ---- encode_job.c ------------------------------------------------------------ */

/* All is known of what exists: the work begins. t may be gone afterwards. */
void encode_begin(struct task *t);

/* A run has published one more segment. */
void encode_published(struct task *t);

/* A run has worked worked_ms on its last n > 0 segments. */
void encode_measured(const struct encode_run *r, int64_t n, int64_t worked_ms);

/* True for the task of a job that makes a rendition, and is at that. */
bool task_encodes(const struct task *t);

/* When segment k of its rendition begins, µs of the timeline; k may be their number. */
int64_t encode_segment_us(const struct encode *e, int64_t k);

/* Frames that segment k is promised to have. */
int64_t encode_segment_frames(const struct encode *e, int64_t k);

/* True for the task of an encode of which something exists. */
bool encode_has_begun(const struct task *t);

/* True for the task of an encode whose source is still coming in. */
bool encode_is_arriving(const struct task *t);

/* The rendition of t's job as the store has it. RC_NOT_FOUND. */
enum rc encode_find_rendition(const struct task *t, struct rendition *out);

/* True if what is missing begins with this segment. */
bool encode_begins_hole(const struct encode *e, int64_t segment);

/* Has the job end as soon as encode_settle finds that its last run, all of which are
 * stopped, has ended. The first call counts. */
void encode_end(struct task *t, enum encode_ending ending, const char *sentence);

/* Ends the job, if it is to end and has no child left: t may be gone afterwards. */
void encode_settle(struct task *t);

/* ---- encode_look.c ---------------------------------------------------------- */

#define ENCODE_LOOK_TURN 256 /* files that are looked at in one turn of the loop */

/*
 * Looks at what exists of t's rendition, and calls encode_begin then: at once if that
 * is little, else in a later turn, as a day has 43200 files and others wait meanwhile.
 * What has changed by then is for encode_begin to find out, or for those that look at
 * the store after it. An error may come later too, and ends t. RC_NOMEM, RC_IO.
 */
enum rc encode_look_start(struct task *t);

/* encode_begin is not called any more. */
void encode_look_stop(struct task *t);

/* ---- encode_truth.c --------------------------------------------------------- */

#define ENCODE_TRUTH_TURN 64 /* segments that are looked at in one turn of the loop */

/*
 * Looks at all segments on disk, of which none is missing as far as e->have knows; some
 * in each turn of the loop, as a day has 43200 and others wait meanwhile. Each has to
 * be whole, to say that it begins at the time that the playlist gives it, and to have
 * the frames that it promised, so that all add up to the length of the timeline. Only
 * their headers are read.
 *
 * looked is called once, in a later turn, and t may end in it. why: NULL if all is as
 * it should be, and e->sizes is there then; else a sentence: what is something else was
 * removed, and taken out of e->have, or it could not be looked at. RC_NOMEM.
 */
enum rc encode_truth_start(struct task *t,
                           void (*looked)(struct task *t, const char *why));

/* looked is not called any more. */
void encode_truth_stop(struct encode *e);

/* ---- encode_anew.c ---------------------------------------------------------- */

/* Ends a job whose stored segments another encoder began; they are made again, as
 * another generation. t is gone afterwards. */
void encode_start_over(struct task *t);

/* A copy of sound that did not come out as the index of the file has it is given up,
 * and all sound of the video encoded in its place; its pictures stay. t is gone. */
void encode_sound_anew(struct task *t);

/* ---- encode_scan.c ---------------------------------------------------------- */

/* Begins to read the keyframes of a video rendition, once and if it is long enough, so
 * that later runs decode no more than they must. A failure is no harm. */
void encode_scan_keyframes(struct task *t);

/* What another attempt has read of them is taken from the store. */
void encode_recall_keyframes(struct task *t);

/* ---- encode_feed.c ----------------------------------------------------------- */

/* A job begins: finds out how much of its source has arrived. */
void encode_begin_arriving(struct task *t);

/* More of an upload has arrived, or the last of it, or nothing for a while; or it was
 * refused. Tasks may be gone afterwards. */
void encode_arrived(struct worker *w, const struct arrival *a);

/* After any change of the store: sources that were stored meanwhile are whole. */
void encode_refresh(struct worker *w);

/* Begins to feed the child of a run that holds its arrival; and ends that, also for one
 * that is not fed. RC_IO, RC_NOMEM. */
enum rc encode_feed_start(struct encode_run *r);
void encode_feed_end(struct encode_run *r);

/* True if it has had nothing to read for a while. */
bool encode_run_starves(const struct encode_run *r);

/* ---- encode_open.c ----------------------------------------------------------- */

/* A job of an open-ended video begins: what it makes has no end yet. */
void encode_open_begin(struct task *t);

/* More has arrived: about once a second the playlist promises it. */
void encode_promise(struct task *t);

/* The length is known by now: t->video and the store have it. What was begun without it
 * ends. RC_NOT_FOUND: another plan replaced it; RC_IO: the store failed. */
enum rc encode_end_open(struct task *t);

/* Of the segments that are promised, those that exist. */
int64_t encode_promised_done(const struct encode *e);

/* ---- encode_schedule.c --------------------------------------------------------- */

/* Reads from the store what is waited for, claims the jobs that can make it, and has
 * the runs follow. Called after any change of the store. */
void encode_follow_demand(struct worker *w);

/* Has the runs follow soon, on the next turn of the loop. Called after any change of
 * the tasks, their runs or their segments. */
void encode_schedule_soon(struct worker *w);

#endif
