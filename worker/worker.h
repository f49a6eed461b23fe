/*
 * worker.h: what the parts of the daemon share: the handles, and the running tasks.
 *
 * A task is one claimed job while it runs here. Its kind (probe, encode, poster …) says
 * what to do; jobs.c claims it and renews its lease, task.c runs its children and ends
 * it in exactly one way.
 */
#ifndef DROPSTREAM_WORKER_H
#define DROPSTREAM_WORKER_H

#include "args.h"
#include "arrival.h"
#include "config.h"
#include "joblog.h"
#include "loop.h"
#include "site.h"
#include "staging.h"
#include "store.h"
#include "supervise.h"

struct task;
struct following;
struct removal;
struct old_folder;

struct worker {
    struct loop *loop;
    struct store *store;
    struct clock clock;
    struct site site;
    struct config config;
    char owner[STORE_OWNER_MAX + 1];
    int tmp_fd; /* site/tmp */
    struct syncer *syncer;
    struct staging *staging;
    int slots;   /* child programs that work at once; see schedule.h for encoders */
    int running; /* tasks now */
    bool stopping;
    bool full; /* less is free than the disk's reserve: nothing is made; see disk.h */
    struct task *tasks;
    struct loop_timer due;  /* when a job becomes due without anyone writing */
    struct demand *demands; /* what is waited for, the oldest first; see encode.h */
    size_t n_demands;
    struct loop_timer schedule, look_at_demand;
    struct jail *jail;         /* NULL: there is none */
    struct arrivals *arrivals; /* uploads that are coming in; see arrival.h */
    struct following
        *following;          /* playlists that wait for the disk; see video_lists.c */
    struct removal *removal; /* of deleted videos, likewise; see sweep.c */
    struct old_folder *old_folders; /* which are being removed, the first one now */
    struct loop_timer old_folders_turn;
};

struct task_kind {
    int nicer; /* of its children: see task_child */
    /* Begins the work. Any code but RC_OK: the job is retried, later. */
    enum rc (*start)(struct task *t);
    /* Frees t->state; called once, after the last child has ended. */
    void (*release)(struct task *t);
    /* For a kind with children of its own (or NULL): ends them, for a task that no
     * longer counts; true if there are none, else the kind calls task_drop later. */
    bool (*cancel)(struct task *t);
    /* What exists of an encode's rendition; NULL for kinds that make none. */
    void (*readiness)(const struct task *t, struct readiness *out);
};

struct task {
    struct task *next;
    struct worker *w;
    const struct task_kind *kind;
    void *state; /* of the kind */
    struct job job;
    struct video video;
    struct joblog *log;
    struct args args;         /* of task_run's child */
    struct supervised *child; /* NULL between children */
    void (*on_end)(struct task *t, const struct supervise_end *end);
    struct staging_waiter waiter; /* of task_wait_staged … */
    void (*on_staged)(struct task *t);
    struct sync_order *order; /* of task_sync; NULL: none … */
    void (*on_synced)(struct task *t, enum rc rc);
    struct loop_timer tick;
    double progress; /* 0..1 */
    double told_progress;
    int changes, told_changes; /* of readiness; those that the store knows of */
    int64_t renewed_ms;        /* loop time of the last renewal */
    int64_t started_ms;        /* loop time */
    bool cancelled;            /* fenced off or the worker stops: no result counts */
};

extern const struct task_kind task_probe, task_encode, task_copy, task_poster,
    task_storyboard, task_subtitles, task_checksum;

/* ---- poster_job.c ------------------------------------------------------- */

/* Where in the timeline of a video the picture for its poster is. duration_us: -1 where
 * nobody knows it yet. */
int64_t poster_at_us(int64_t duration_us);

/* ---- jobs.c ------------------------------------------------------------- */

/* Drops tasks that were fenced off, takes deleted videos away that no task works on any
 * more, and claims and starts what is due while there is a free slot. Called after any
 * change of the store and after the end of each task. */
void jobs_look(struct worker *w);

/* The same on the next turn of the loop. */
void jobs_look_soon(struct worker *w);

/* Claims and starts the encode of a rendition that someone waits for, slots or not.
 * RC_NOT_FOUND: it is not to be had. */
enum rc jobs_claim_encode(struct worker *w, const char *video_id,
                          const char *rendition);

/* Tasks that are neither encodes nor storyboards nor checksums: each has a child
 * program or two, and a slot; without those that wait for the disk alone, of which
 * there may be two a slot. */
int jobs_short(const struct worker *w);

/* ms for which the encodes that nobody waits for stand back for tasks that find out
 * what a file is, since all else waits for those; 0: there is none, or it takes long.
 */
int64_t jobs_hurry_ms(const struct worker *w);

/* Ends every task's child at once; their jobs go back to the queue. */
void jobs_stop_all(struct worker *w);

/* ---- checksum_job.c ----------------------------------------------------- */

/* True if nothing else is at work and nobody waits: a checksum may be begun. */
bool checksum_has_room(const struct worker *w);

/* Has those that are being taken stand still while anything else is at work. */
void checksum_stand_back(struct worker *w);

/* ---- without.c ---------------------------------------------------------- */

/* Ends the task of a job that makes a rendition: its video goes on without that, also
 * in its playlists, and in place of a copy with the rungs that were left out for it.
 * why is a sentence, as for store_job_without. A store or a disk that refuses puts the
 * job off. t is gone afterwards. */
void task_without(struct task *t, const char *why);

/* ---- task.c ------------------------------------------------------------- */

/* The kind's ways to end its task; t is gone afterwards. */
void task_done(struct task *t, const struct job_result *result);
void task_retry(struct task *t, const char *sentence); /* or fail after the last try */
void task_fail(struct task *t, const char *sentence); /* task_without, if it is extra */
void task_drop(struct task *t);
/* Later, without blame: the machine cannot go on with it. */
void task_postpone(struct task *t, const char *sentence);
/* What it has found or made could not be kept, as rc says. A full disk, a busy database
 * and memory that is short are no try; RC_FENCED: it is dropped. */
void task_not_kept(struct task *t, enum rc rc, const char *sentence);
/* Whether it takes rc for no try. */
bool task_is_no_try(enum rc rc);
/* For a kind that has told the store of its end itself; what is for the job's log. */
void task_end(struct task *t, const char *what);

/* Whether a child that ended so has told of trouble of the machine, and task_retry
 * would try again: then even a good end says nothing. At the last try it is believed.
 */
bool task_was_troubled(const struct task *t, const struct supervise_end *end);

/* Says that the work moved on, for the lease and for people. */
void task_progress(struct task *t, double progress);

/* Says that the kind's readiness has changed; the store is told soon, or at once. */
void task_changed(struct task *t, bool at_once);

/* Tells the store of the readiness, if that has changed since it was told. */
void task_tell(struct task *t);

/* For a task that no longer counts: its children are killed, and it ends with the last
 * of them or, if it has none, on the next turn of the loop. Never within the call:
 * callers walk the list of tasks. */
void task_cancel(struct task *t);

/* The upload that brings the task's source; NULL: it is whole. What the task itself was
 * told of its video counts: the list of uploads may be a moment behind. */
struct arrival *task_arrival(const struct task *t);

/* The source as the programs are told of it, also one that is still coming in; path
 * must outlive src. RC_TOO_LARGE. */
enum rc task_source(struct task *t, const char *program, char path[PATH_MAX],
                    struct args_source *src);

/*
 * Starts t->args as the task's child, its line noted in the job's log. on_end is called
 * with t and with t->child already NULL, unless the task was cancelled: then the task
 * ends by itself. stall_ms: without output; limit_ms: in all, 0 for what the length
 * of the video allows. RC_NOT_FOUND:
 * there is no such program; RC_IO, RC_NOMEM.
 */
enum rc task_run(struct task *t, int64_t stall_ms, int64_t limit_ms,
                 enum rc (*on_output)(void *arg, const void *data, size_t n),
                 void (*on_end)(struct task *t, const struct supervise_end *end));

struct task_child {
    int nicer;        /* added to the setting for all children; less is less nice */
    int64_t stall_ms; /* without output */
    int64_t limit_ms; /* in all; 0: what the length of the video allows */
    bool fed;         /* it reads a pipe: see supervise_take_stdin */
    int to_fd;        /* as in supervise.h */
    enum rc (*on_output)(void *arg, const void *data, size_t n);
    enum rc (*on_second)(void *arg, const void *data, size_t n); /* NULL: none */
    void (*on_end)(void *arg, const struct supervise_end *end);
    void *arg;
};

/* Likewise for a kind that has several children at once: on_end is called also after
 * the task was cancelled. *out is the child until then. Neither args nor child need
 * outlive the call. */
enum rc task_spawn(struct task *t, const struct args *args,
                   const struct task_child *child, struct supervised **out);

/*
 * Puts a file as staging_put does, whose codes it returns, if the job is still this
 * task's: what a worker that was frozen past its lease has made must not take the place
 * of what is newer, nor stay where nobody would remove it. RC_FENCED; RC_BUSY as
 * store_job_hold.
 */
enum rc task_put(struct task *t, int dir_fd, const char *name, const void *data,
                 size_t n);

/* For a task that was told RC_PENDING (staging.h): calls again(t), which makes the same
 * call once more, in a later turn; unless the task is cancelled, and so ends. */
void task_wait_staged(struct task *t, void (*again)(struct task *t));

/* Has n files or folders synced and closed, and calls then(t, rc) with what came of it,
 * in a later turn; unless the task is cancelled. One such call at a time. */
void task_sync(struct task *t, const int *fds, size_t n,
               void (*then)(struct task *t, enum rc rc));

/* True while either is waited for, and so nothing is at work. */
bool task_waits_for_disk(const struct task *t);

/* A sentence about how a child ended, for a person: "ffmpeg stopped: <last words>". */
void task_explain(const struct task *t, const char *program,
                  const struct supervise_end *end, char *out, size_t size);

/* Likewise, about a child that task_run (or what came before it) refused with rc. */
void task_explain_start(const char *program, enum rc rc, char *out, size_t size);

/* Ends a task whose start was refused with rc: where the machine lacks something, it is
 * tried again later and without blame. t is gone afterwards. */
void task_not_started(struct task *t, enum rc rc);

#endif
