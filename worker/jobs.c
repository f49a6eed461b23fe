#include "encode.h"

#include "log.h"
#include "spool.h"
#include "sweep.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#define TICK_MS 250
#define ENCODES_HELD 32   /* encodes of this worker, unless someone waits for more */
#define LOST_MAX 5        /* workers that one job may take with it */
#define POSTPONE_MS 15000 /* until the next look at a full disk */
#define TROUBLE_MS 1000   /* until the next look when the store refuses */

/* ---- the ends of a task ------------------------------------------------- */

static void unlink_task(struct task *t)
{
    for (struct task **p = &t->w->tasks; *p; p = &(*p)->next) {
        if (*p == t) {
            *p = t->next;
            t->w->running--;
            return;
        }
    }
}

/* A freed slot is filled on the next turn of the loop, not from inside a callback. */
static void on_due(void *arg)
{
    jobs_look(arg);
}

void task_end(struct task *t, const char *what)
{
    struct worker *w = t->w;
    joblog_note(t->log, "attempt %lld: %s", (long long)t->job.fence, what);
    loop_timer_cancel(w->loop, &t->tick);
    unlink_task(t);
    if (t->state)
        t->kind->release(t);
    joblog_close(t->log);
    free(t);
    if (w->stopping && w->running == 0)
        loop_stop(w->loop);
    jobs_look_soon(w);
}

/* A store that refuses is told in the log; the lease then ends by itself. */
static void expect(const struct task *t, enum rc rc, const char *what)
{
    if (rc != RC_OK && rc != RC_FENCED)
        log_error("job %lld: cannot say that it is %s: %s (%s)", (long long)t->job.id,
                  what, rc_name(rc), store_message(t->w->store));
}

static void tell_readiness(struct task *t)
{
    struct readiness ready;
    int changes = t->changes;
    if (changes == t->told_changes)
        return;
    t->kind->readiness(t, &ready);
    if (store_job_published(t->w->store, &t->job, &ready) == RC_OK)
        t->told_changes = changes;
}

void task_done(struct task *t, const struct job_result *result)
{
    bool ready = false;
    tell_readiness(t);
    expect(t, store_job_done(t->w->store, &t->job, result, &ready), "done");
    task_end(t, ready ? "done, the video is ready" : "done");
}

void task_fail(struct task *t, const char *sentence)
{
    expect(t, store_job_fail(t->w->store, &t->job, sentence), "failed");
    task_end(t, sentence);
}

void task_retry(struct task *t, const char *sentence)
{
    const struct config *c = &t->w->config;
    int64_t delay = c->backoff_ms;
    if (t->job.failures + 1 >= c->attempts) {
        task_fail(t, sentence);
        return;
    }
    for (int i = 0; i < t->job.failures && delay < 3600000; i++)
        delay *= 4;
    tell_readiness(t);
    expect(t, store_job_retry(t->w->store, &t->job, delay, sentence), "to be retried");
    task_end(t, sentence);
}

void task_postpone(struct task *t, const char *sentence)
{
    tell_readiness(t);
    expect(t, store_job_postpone(t->w->store, &t->job, POSTPONE_MS, sentence),
           "postponed");
    task_end(t, sentence);
}

void task_drop(struct task *t)
{
    enum rc rc = store_job_release(t->w->store, &t->job);
    expect(t, rc, "released");
    task_end(t, rc == RC_FENCED ? "no longer wanted" : "given back");
}

/* ---- children ----------------------------------------------------------- */

static void child_ended(void *arg, const struct supervise_end *end)
{
    struct task *t = arg;
    t->child = NULL;
    if (t->cancelled)
        task_drop(t);
    else
        t->on_end(t, end);
}

enum rc task_source(struct task *t, const char *program, char path[PATH_MAX],
                    struct args_source *src)
{
    enum rc rc = spool_src_path(&t->w->site, t->video.id, path);
    if (rc == RC_OK)
        *src = (struct args_source){program, path, t->video.container,
                                    t->w->config.max_pixels};
    return rc;
}

enum rc task_spawn(struct task *t, const struct args *args, int nicer, int64_t stall_ms,
                   int64_t limit_ms,
                   enum rc (*on_output)(void *arg, const void *data, size_t n),
                   void (*on_end)(void *arg, const struct supervise_end *end),
                   void *arg, struct supervised **out)
{
    const struct config *c = &t->w->config;
    char line[8192];
    args_quote(args, line, sizeof(line));
    joblog_command(t->log, line);
    struct supervise_spec spec = {
        .loop = t->w->loop,
        .log = t->log,
        .argv = args->v,
        .nice = c->nice + nicer < 19 ? (int)c->nice + nicer : 19,
        .stall_ms = stall_ms,
        .limit_ms = limit_ms,
        .grace_ms = c->grace_s * 1000,
        .on_output = on_output,
        .on_end = on_end,
        .arg = arg,
    };
    return supervise_start(&spec, out);
}

enum rc task_run(struct task *t, int64_t stall_ms, int64_t limit_ms,
                 enum rc (*on_output)(void *arg, const void *data, size_t n),
                 void (*on_end)(struct task *t, const struct supervise_end *end))
{
    t->on_end = on_end;
    return task_spawn(t, &t->args, 0, stall_ms, limit_ms, on_output, child_ended, t,
                      &t->child);
}

void task_explain(const struct task *t, const char *path,
                  const struct supervise_end *end, char *out, size_t size)
{
    const char *slash = strrchr(path, '/'), *program = slash ? slash + 1 : path;
    const char *before = end->words[0] ? ": " : ".";
    switch (end->reason) {
    case SUPERVISE_STALLED:
        snprintf(out, size, "%s made no progress for %lld s and was stopped%s%s",
                 program, (long long)t->w->config.stall_s, before, end->words);
        return;
    case SUPERVISE_TIMEOUT:
        snprintf(out, size, "%s took too long and was stopped%s%s", program, before,
                 end->words);
        return;
    case SUPERVISE_REFUSED:
        snprintf(out, size, "%s wrote something unexpected (%s)%s%s", program,
                 rc_name(end->refusal), before, end->words);
        return;
    default:
        break;
    }
    if (WIFSIGNALED(end->status))
        snprintf(out, size, "%s was ended by signal %d%s%s", program,
                 WTERMSIG(end->status), before, end->words);
    else
        snprintf(out, size, "%s ended with status %d%s%s", program,
                 WEXITSTATUS(end->status), before, end->words);
}

void task_explain_start(const char *program, enum rc rc, char *out, size_t size)
{
    if (rc == RC_NOSPACE)
        snprintf(out, size, "The disk is full.");
    else if (rc == RC_NOT_FOUND && *program)
        snprintf(out, size, "%s cannot be started: is it installed?", program);
    else
        snprintf(out, size, "The work could not be started (%s).", rc_name(rc));
}

/* ---- leases ------------------------------------------------------------- */

void task_progress(struct task *t, double progress)
{
    t->progress = progress < 0 ? 0 : progress > 1 ? 1 : progress;
}

void task_changed(struct task *t, bool at_once)
{
    t->changes++;
    if (at_once)
        tell_readiness(t);
}

static void on_cancelled(void *arg)
{
    task_drop(arg);
}

/* Its children are killed; with the last one's end, or at once if there is none, the
 * task ends. Not from in here, as callers walk the list of tasks. */
static void cancel(struct task *t)
{
    bool idle;
    if (t->cancelled)
        return;
    t->cancelled = true;
    idle = !t->kind->cancel || t->kind->cancel(t);
    if (t->child)
        supervise_stop(t->child, true);
    else if (idle)
        loop_timer_set(t->w->loop, &t->tick, 0, on_cancelled, t);
}

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
    tell_readiness(t);
    if (now - t->renewed_ms < 1000 || (!told && now - t->renewed_ms < lease_ms / 3))
        return;
    enum rc rc = store_job_renew(t->w->store, &t->job, lease_ms, t->progress);
    if (rc == RC_OK) {
        t->renewed_ms = now;
        t->told_progress = t->progress;
    } else if (rc == RC_FENCED) {
        cancel(t);
    }
}

/* ---- the queue ---------------------------------------------------------- */

static const struct task_kind *kind_of(enum job_kind k)
{
    switch (k) {
    case JOB_PROBE:
        return &task_probe;
    case JOB_ENCODE:
        return &task_encode;
    case JOB_POSTER:
        return &task_poster;
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
    char sentence[STORE_TEXT_MAX + 1];
    /* A job that takes its worker with it has no failure to its name. */
    if (t->job.lost > LOST_MAX) {
        task_fail(t, "The work on this was interrupted too often.");
        return;
    }
    enum rc rc = store_video_get(w->store, t->job.video_id, &t->video);
    if (rc == RC_OK) {
        open_log(t);
        joblog_note(t->log, "%s %s of video %s, attempt %lld",
                    job_kind_name(t->job.kind), t->job.rendition, t->job.video_id,
                    (long long)t->job.fence);
        rc = t->kind->start(t);
    }
    if (rc == RC_OK)
        return;
    if (rc == RC_NOT_FOUND && store_job_check(w->store, &t->job) == RC_FENCED) {
        task_drop(t);
        return;
    }
    log_error("job %lld: cannot start: %s", (long long)t->job.id, rc_name(rc));
    task_explain_start(t->args.n > 0 ? t->args.v[0] : "", rc, sentence,
                       sizeof(sentence));
    if (rc == RC_NOSPACE || rc == RC_BUSY || rc == RC_NOMEM)
        task_postpone(t, sentence);
    else
        task_retry(t, sentence);
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

/* rendition NULL: any job of these kinds. RC_NOT_FOUND: none is due. */
static enum rc claim(struct worker *w, unsigned kinds, const char *video_id,
                     const char *rendition)
{
    int64_t lease_ms = w->config.lease_s * 1000;
    struct task *t = calloc(1, sizeof(*t));
    if (!t)
        return RC_NOMEM;
    enum rc rc = rendition
                     ? store_job_claim_encode(w->store, w->owner, lease_ms, video_id,
                                              rendition, &t->job)
                     : store_job_claim(w->store, w->owner, lease_ms, kinds, &t->job);
    if (rc == RC_OK) {
        begin(w, t);
        return RC_OK;
    }
    if (rc != RC_NOT_FOUND)
        log_error("cannot claim a job: %s (%s)", rc_name(rc), store_message(w->store));
    free(t);
    return rc;
}

enum rc jobs_claim_encode(struct worker *w, const char *video_id, const char *rendition)
{
    return claim(w, STORE_KIND(JOB_ENCODE), video_id, rendition);
}

int jobs_short(const struct worker *w)
{
    int n = 0;
    for (const struct task *t = w->tasks; t; t = t->next)
        n += t->job.kind != JOB_ENCODE;
    return n;
}

/* Encodes and the rest are counted apart: an encode may wait for its turn with no child
 * program, and must not keep a probe waiting meanwhile. One that has its first segment
 * makes room for the next, so that each new video can be watched before an old one is
 * whole. */
static unsigned kinds_with_room(const struct worker *w)
{
    int others = jobs_short(w), encodes = w->running - others, begun = 0;
    for (const struct task *t = w->tasks; t; t = t->next)
        begun += encode_has_begun(t);
    bool room = encodes < ENCODES_HELD && encodes - begun < w->slots;
    return (others < w->slots ? STORE_KINDS_ALL & ~STORE_KIND(JOB_ENCODE) : 0) |
           (room ? STORE_KIND(JOB_ENCODE) : 0);
}

static void cancel_fenced(struct worker *w)
{
    for (struct task *t = w->tasks; t; t = t->next)
        if (store_job_check(w->store, &t->job) == RC_FENCED)
            cancel(t);
}

void jobs_look_soon(struct worker *w)
{
    if (!w->stopping)
        loop_timer_set(w->loop, &w->due, 0, on_due, w);
}

void jobs_look(struct worker *w)
{
    int64_t due_ms = -1;
    unsigned kinds;
    if (w->stopping)
        return;
    cancel_fenced(w);
    sweep_deleted(w);
    encode_follow_demand(w);
    enum rc rc = RC_OK;
    while ((kinds = kinds_with_room(w)) != 0 && rc == RC_OK)
        rc = claim(w, kinds, NULL, NULL);
    if (kinds == 0)
        return; /* every slot is taken: the next end of a task looks again */
    if (rc != RC_NOT_FOUND)
        due_ms = TROUBLE_MS;
    else if (store_job_next_due(w->store, kinds, &due_ms) != RC_OK || due_ms < 0)
        return;
    loop_timer_set(w->loop, &w->due, due_ms + 1, on_due, w);
}

void jobs_stop_all(struct worker *w)
{
    for (struct task *t = w->tasks; t; t = t->next)
        cancel(t);
}
