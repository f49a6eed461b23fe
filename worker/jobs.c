#include "encode.h"

#include "log.h"
#include "sweep.h"

#include <stdlib.h>

#define TICK_MS 250
#define ENCODES_HELD 32 /* of stored videos, unless someone waits for more */
#define COPIES_HELD 16
#define LADDERS_HELD 6 /* the rungs of two videos */
#define LOST_MAX 5     /* workers that one job may take with it */
#define HURRY_MS 1500
#define WAITING_A_SLOT 2 /* tasks that wait for the disk alone */
#define TROUBLE_MS 1000  /* until the next look when the store refuses */

/* ---- leases ------------------------------------------------------------- */

/* The lease is renewed while the child moves on; one that stalls is stopped by its
 * supervisor long before the lease matters. */
static void on_tick(void *arg)
{
    struct task *t = arg;
    int64_t now = loop_now_ms(), lease_ms = t->w->config.lease_s * 1000;
    bool told = t->progress - t->told_progress > 0.01;
    if (t->cancelled)
        return;
    loop_timer_set(t->w->loop, &t->tick, TICK_MS, on_tick, t);
    if (t->job.kind == JOB_CHECKSUM)
        checksum_stand_back(t->w); /* nothing tells when demand is over, say */
    task_tell(t);
    if (now - t->renewed_ms < 1000 || (!told && now - t->renewed_ms < lease_ms / 3))
        return;
    enum rc rc = store_job_renew(t->w->store, &t->job, lease_ms, t->progress);
    if (rc == RC_OK) {
        t->renewed_ms = now;
        t->told_progress = t->progress;
    } else if (rc == RC_FENCED) {
        task_cancel(t);
    }
}

/* ---- the queue ---------------------------------------------------------- */

static const struct task_kind *kind_of(enum job_kind k)
{
    switch (k) {
    case JOB_PROBE:
        return &task_probe;
    case JOB_ENCODE:
    case JOB_LADDER:
        return &task_encode;
    case JOB_COPY:
        return &task_copy;
    case JOB_POSTER:
        return &task_poster;
    case JOB_STORYBOARD:
        return &task_storyboard;
    case JOB_SUBTITLES:
        return &task_subtitles;
    case JOB_CHECKSUM:
        return &task_checksum;
    }
    return NULL;
}

/* A log that cannot be written must not stop the work. */
static void open_log(struct task *t)
{
    const struct worker *w = t->w;
    enum rc rc = joblog_open(&w->site, t->job.id, w->config.job_log_kb * 1024, &t->log);
    if (rc != RC_OK)
        log_warn("job %lld: no log: %s", (long long)t->job.id, rc_name(rc));
}

static void start_task(struct task *t)
{
    struct worker *w = t->w;
    enum rc rc = store_video_get(w->store, t->job.video_id, &t->video);
    /* A job that takes its worker with it has no failure to its name. */
    if (rc == RC_OK && t->job.lost > LOST_MAX) {
        task_fail(t, "The work on this was interrupted too often.");
        return;
    }
    if (rc == RC_OK) {
        open_log(t);
        joblog_note(t->log, "%s %s of video %s, attempt %lld",
                    job_kind_name(t->job.kind), t->job.rendition, t->job.video_id,
                    (long long)t->job.fence);
        rc = t->kind->start(t);
    }
    if (rc != RC_OK)
        task_not_started(t, rc);
}

/* Begins the task of a job that was just claimed. */
static void begin(struct worker *w, struct task *t)
{
    t->w = w;
    t->kind = kind_of(t->job.kind);
    t->started_ms = t->renewed_ms = loop_now_ms();
    t->next = w->tasks;
    w->tasks = t;
    w->running++;
    loop_timer_set(w->loop, &t->tick, TICK_MS, on_tick, t);
    start_task(t);
}

/* t was claimed, or (rc) not, and is then freed. RC_NOT_FOUND: nothing is due. */
static enum rc claimed(struct worker *w, struct task *t, enum rc rc)
{
    if (rc == RC_OK) {
        begin(w, t);
        return RC_OK;
    }
    if (rc != RC_NOT_FOUND)
        log_error("cannot claim a job: %s (%s)", rc_name(rc), store_message(w->store));
    free(t);
    return rc;
}

static enum rc claim(struct worker *w, unsigned kinds)
{
    int64_t lease_ms = w->config.lease_s * 1000;
    struct task *t = calloc(1, sizeof(*t));
    if (!t)
        return RC_NOMEM;
    return claimed(w, t, store_job_claim(w->store, w->owner, lease_ms, kinds, &t->job));
}

enum rc jobs_claim_encode(struct worker *w, const char *video_id, const char *rendition)
{
    int64_t lease_ms = w->config.lease_s * 1000;
    struct task *t = calloc(1, sizeof(*t));
    if (!t)
        return RC_NOMEM;
    return claimed(w, t,
                   store_job_claim_encode(w->store, w->owner, lease_ms, video_id,
                                          rendition, &t->job));
}

int jobs_short(const struct worker *w)
{
    int n = 0, waiting = 0;
    for (const struct task *t = w->tasks; t; t = t->next) {
        if (task_encodes(t) || t->job.kind == JOB_STORYBOARD ||
            t->job.kind == JOB_CHECKSUM)
            continue;
        if (task_waits_for_disk(t))
            waiting++;
        else
            n++;
    }
    return waiting > WAITING_A_SLOT * w->slots ? n + waiting - WAITING_A_SLOT * w->slots
                                               : n;
}

int64_t jobs_hurry_ms(const struct worker *w)
{
    int64_t now = loop_now_ms(), most = 0;
    for (const struct task *t = w->tasks; t; t = t->next) {
        int64_t left_ms = t->started_ms + HURRY_MS - now;
        if (t->kind->nicer < 0 && left_ms > most)
            most = left_ms;
    }
    return most;
}

/* A storyboard is for later: one at a time, beside all else but copies, which want the
 * disk too, and none is begun while somebody waits for a segment. */
static bool storyboard_has_room(const struct worker *w)
{
    for (const struct task *t = w->tasks; t; t = t->next)
        if (t->job.kind == JOB_STORYBOARD || t->job.kind == JOB_COPY)
            return false;
    return w->n_demands == 0 && w->config.previews;
}

/* Tasks of one kind, and those of them that have nothing to show yet. */
struct held {
    int all, waiting;
};

static struct held held_of(const struct worker *w, enum job_kind kind)
{
    struct held held = {0, 0};
    for (const struct task *t = w->tasks; t; t = t->next) {
        if (t->job.kind != kind)
            continue;
        held.all++;
        held.waiting += !encode_has_begun(t) && !encode_is_arriving(t);
    }
    return held;
}

/* Encodes and the rest are counted apart: an encode may wait for its turn with no child
 * program, and must not keep a probe waiting meanwhile. One that has its first segment
 * makes room for the next, so that each new video can be watched before an old one is
 * whole; and so does one that may have to wait for its bytes. What is extra has room of
 * its own, and little of it, as it is worked off in order. */
static unsigned kinds_with_room(const struct worker *w)
{
    struct held encodes = held_of(w, JOB_ENCODE), copies = held_of(w, JOB_COPY);
    struct held ladders = held_of(w, JOB_LADDER);
    unsigned kinds = 0;
    int arriving = 0;
    if (w->full)
        return 0;
    /* What reads all of a file leaves a slot to what a new upload needs. */
    bool may_read = jobs_short(w) < (w->slots > 1 ? w->slots - 1 : 1);
    for (const struct task *t = w->tasks; t; t = t->next)
        arriving += encode_is_arriving(t);
    if (jobs_short(w) < w->slots)
        kinds = STORE_KIND(JOB_PROBE) | STORE_KIND(JOB_POSTER);
    if (may_read)
        kinds |= STORE_KIND(JOB_SUBTITLES);
    if (w->running < ENCODES_MAX && encodes.all - arriving < ENCODES_HELD &&
        encodes.waiting < w->slots)
        kinds |= STORE_KIND(JOB_ENCODE);
    if (may_read && copies.all < COPIES_HELD && copies.waiting < w->slots)
        kinds |= STORE_KIND(JOB_COPY);
    if (ladders.all < LADDERS_HELD)
        kinds |= STORE_KIND(JOB_LADDER);
    if (storyboard_has_room(w))
        kinds |= STORE_KIND(JOB_STORYBOARD);
    if (checksum_has_room(w))
        kinds |= STORE_KIND(JOB_CHECKSUM);
    return kinds;
}

static void cancel_fenced(struct worker *w)
{
    for (struct task *t = w->tasks; t; t = t->next)
        if (store_job_check(w->store, &t->job) == RC_FENCED)
            task_cancel(t);
}

/* A freed slot is filled on the next turn of the loop, not from inside a callback. */
static void on_due(void *arg)
{
    jobs_look(arg);
}

void jobs_look_soon(struct worker *w)
{
    if (!w->stopping)
        loop_timer_set(w->loop, &w->due, 0, on_due, w);
}

static void look(struct worker *w)
{
    int64_t due_ms = -1;
    unsigned kinds;
    cancel_fenced(w);
    sweep_deleted(w);
    arrivals_look(w->arrivals);
    encode_follow_demand(w);
    enum rc rc = RC_OK;
    while ((kinds = kinds_with_room(w)) != 0 && rc == RC_OK) {
        rc = claim(w, kinds & ~(STORE_KIND(JOB_STORYBOARD) | STORE_KIND(JOB_CHECKSUM)));
        if (rc == RC_NOT_FOUND && kinds & STORE_KIND(JOB_STORYBOARD))
            rc = claim(w, STORE_KIND(JOB_STORYBOARD));
        if (rc == RC_NOT_FOUND && kinds & STORE_KIND(JOB_CHECKSUM))
            rc = claim(w, STORE_KIND(JOB_CHECKSUM));
    }
    if (kinds == 0)
        return; /* the next end of a task looks again, or disk.c once there is room */
    if (rc != RC_NOT_FOUND)
        due_ms = TROUBLE_MS;
    else if (store_job_next_due(w->store, kinds, &due_ms) != RC_OK || due_ms < 0)
        return;
    loop_timer_set(w->loop, &w->due, due_ms + 1, on_due, w);
}

void jobs_look(struct worker *w)
{
    if (w->stopping)
        return;
    look(w);
    checksum_stand_back(w);
}

void jobs_stop_all(struct worker *w)
{
    for (struct task *t = w->tasks; t; t = t->next)
        task_cancel(t);
}
