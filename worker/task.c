#include "worker.h"

#include "jail.h"
#include "log.h"
#include "spool.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#define CPU_BASE_S 1800
#define CPU_PER_S 100
#define POSTPONE_MS 15000 /* until the next look at a full disk */

/* ---- how far it is ------------------------------------------------------- */

void task_progress(struct task *t, double progress)
{
    t->progress = progress < 0 ? 0 : progress > 1 ? 1 : progress;
}

void task_tell(struct task *t)
{
    struct readiness ready;
    int changes = t->changes;
    if (changes == t->told_changes)
        return;
    t->kind->readiness(t, &ready);
    if (store_job_published(t->w->store, &t->job, &ready) == RC_OK)
        t->told_changes = changes;
}

void task_changed(struct task *t, bool at_once)
{
    t->changes++;
    if (at_once)
        task_tell(t);
}

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

void task_end(struct task *t, const char *what)
{
    struct worker *w = t->w;
    joblog_note(t->log, "attempt %lld: %s", (long long)t->job.fence, what);
    loop_timer_cancel(w->loop, &t->tick);
    staging_forget(w->staging, &t->waiter);
    syncer_forget(t->order);
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

void task_done(struct task *t, const struct job_result *result)
{
    bool ready = false;
    task_tell(t);
    expect(t, store_job_done(t->w->store, &t->job, result, &ready), "done");
    task_end(t, ready ? "done, the video is ready" : "done");
}

/* What is extra fails alone, and has a reason. */
static void fail_extra(struct task *t, const char *sentence)
{
    char why[STORE_TEXT_MAX + 1];
    snprintf(why, sizeof(why), "%s%s",
             t->job.kind == JOB_COPY ? "It could not be copied: " : "", sentence);
    task_without(t, why);
}

void task_fail(struct task *t, const char *sentence)
{
    if (job_is_extra(t->job.kind)) {
        fail_extra(t, sentence);
        return;
    }
    expect(t, store_job_fail(t->w->store, &t->job, sentence), "failed");
    task_end(t, sentence);
}

static bool is_last_try(const struct task *t)
{
    return t->job.failures + 1 >= t->w->config.attempts;
}

bool task_was_troubled(const struct task *t, const struct supervise_end *end)
{
    return end->trouble && !is_last_try(t);
}

void task_retry(struct task *t, const char *sentence)
{
    int64_t delay = t->w->config.backoff_ms;
    if (is_last_try(t)) {
        task_fail(t, sentence);
        return;
    }
    for (int i = 0; i < t->job.failures && delay < 3600000; i++)
        delay *= 4;
    task_tell(t);
    expect(t, store_job_retry(t->w->store, &t->job, delay, sentence), "to be retried");
    task_end(t, sentence);
}

void task_postpone(struct task *t, const char *sentence)
{
    task_tell(t);
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

bool task_is_no_try(enum rc rc)
{
    return rc == RC_FENCED || rc == RC_NOSPACE || rc == RC_BUSY || rc == RC_NOMEM;
}

void task_not_kept(struct task *t, enum rc rc, const char *sentence)
{
    if (rc == RC_FENCED)
        task_drop(t);
    else if (task_is_no_try(rc))
        task_postpone(t, rc == RC_NOSPACE ? "The disk is full." : sentence);
    else
        task_retry(t, sentence);
}

static void on_cancelled(void *arg)
{
    task_drop(arg);
}

void task_cancel(struct task *t)
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

/* ---- the disk ----------------------------------------------------------- */

static enum rc hold(void *arg, enum rc (*act)(void *act_arg), void *act_arg)
{
    const struct task *t = arg;
    return store_job_hold(t->w->store, &t->job, act, act_arg);
}

enum rc task_put(struct task *t, int dir_fd, const char *name, const void *data,
                 size_t n)
{
    const struct staging_guard guard = {hold, t};
    bool wrote;
    return staging_put_guarded(t->w->staging, &guard, dir_fd, name, data, n, &wrote);
}

bool task_waits_for_disk(const struct task *t)
{
    return t->waiter.waits || t->order;
}

static void staged(void *arg)
{
    struct task *t = arg;
    if (!t->cancelled)
        t->on_staged(t);
}

void task_wait_staged(struct task *t, void (*again)(struct task *t))
{
    t->on_staged = again;
    staging_wait(t->w->staging, &t->waiter, t->job.video_id, staged, t);
    jobs_look_soon(t->w);
}

static void synced(void *arg, enum rc rc)
{
    struct task *t = arg;
    t->order = NULL;
    if (!t->cancelled)
        t->on_synced(t, rc);
}

void task_sync(struct task *t, const int *fds, size_t n,
               void (*then)(struct task *t, enum rc rc))
{
    t->on_synced = then;
    jobs_look_soon(t->w);
    enum rc rc = syncer_sync(t->w->syncer, fds, n, synced, t, &t->order);
    if (rc != RC_OK)
        then(t, rc);
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

struct arrival *task_arrival(const struct task *t)
{
    if (t->video.state != VIDEO_RECEIVING)
        return NULL;
    return arrivals_find(t->w->arrivals, t->video.id);
}

enum rc task_source(struct task *t, const char *program, char path[PATH_MAX],
                    struct args_source *src)
{
    const struct arrival *a = task_arrival(t);
    enum rc rc = RC_OK;
    if (a)
        snprintf(path, PATH_MAX, "%s", arrival_path(a));
    else
        rc = spool_src_path(&t->w->site, t->video.id, path);
    if (rc == RC_OK)
        *src = (struct args_source){.program = program,
                                    .path = path,
                                    .container = t->video.container,
                                    .max_pixels = t->w->config.max_pixels,
                                    .url = a ? arrival_url(a) : NULL,
                                    .also = a ? arrival_head_path(a) : NULL};
    return rc;
}

/* s of CPU, and of time of its own, that one child may take: far more than decoding and
 * encoding all of the video takes on a slow machine. */
static int64_t limit_s(const struct task *t)
{
    int64_t s = t->video.duration_us / 1000000;
    if (task_arrival(t)) /* it may still grow */
        s = t->w->config.max_duration_s;
    return CPU_BASE_S + CPU_PER_S * s;
}

enum rc task_spawn(struct task *t, const struct args *args,
                   const struct task_child *child, struct supervised **out)
{
    const struct config *c = &t->w->config;
    int nice = (int)c->nice + child->nicer;
    char line[8192];
    args_quote(args, line, sizeof(line));
    joblog_command(t->log, line);
    struct supervise_spec spec = {
        .loop = t->w->loop,
        .log = t->log,
        .argv = args->v,
        .nice = nice < 0    ? 0
                : nice < 19 ? nice
                            : 19,
        .fed = child->fed,
        .to_fd = child->to_fd,
        .stall_ms = child->stall_ms,
        .limit_ms = child->limit_ms > 0 ? child->limit_ms : limit_s(t) * 1000,
        .grace_ms = c->grace_s * 1000,
        .on_output = child->on_output,
        .on_second = child->on_second,
        .on_end = child->on_end,
        .arg = child->arg,
    };
    const struct jail_cell cell = {.jail = t->w->jail,
                                   .reads = {args->reads[0], args->reads[1]},
                                   .cpu_s = limit_s(t)};
    if (args->jailed && t->w->jail)
        spec.jail = &cell;
    return supervise_start(&spec, out);
}

enum rc task_run(struct task *t, int64_t stall_ms, int64_t limit_ms,
                 enum rc (*on_output)(void *arg, const void *data, size_t n),
                 void (*on_end)(struct task *t, const struct supervise_end *end))
{
    t->on_end = on_end;
    return task_spawn(t, &t->args,
                      &(struct task_child){.nicer = t->kind->nicer,
                                           .stall_ms = stall_ms,
                                           .limit_ms = limit_ms,
                                           .on_output = on_output,
                                           .on_end = child_ended,
                                           .arg = t},
                      &t->child);
}

/* What it said, without "[h264 @ 0x55aea0f9b400] ", which is for its authors. */
static const char *said(const struct supervise_end *end)
{
    const char *words = end->words, *close;
    while (*words == '[' && (close = strstr(words, "] ")) != NULL)
        words = close + 2;
    return words;
}

void task_explain(const struct task *t, const char *path,
                  const struct supervise_end *end, char *out, size_t size)
{
    const char *words = said(end);
    const char *slash = strrchr(path, '/'), *program = slash ? slash + 1 : path;
    const char *before = *words ? ": " : ".";
    switch (end->reason) {
    case SUPERVISE_STALLED:
        snprintf(out, size, "%s made no progress for %lld s and was stopped%s%s",
                 program, (long long)t->w->config.stall_s, before, words);
        return;
    case SUPERVISE_TIMEOUT:
        snprintf(out, size, "%s took too long and was stopped%s%s", program, before,
                 words);
        return;
    case SUPERVISE_REFUSED:
        snprintf(out, size, "%s wrote something unexpected (%s)%s%s", program,
                 rc_name(end->refusal), before, words);
        return;
    default:
        break;
    }
    if (WIFSIGNALED(end->status) && WTERMSIG(end->status) == SIGSYS) {
        log_error("%s was ended in its jail: it made a system call that is not allowed",
                  program);
        snprintf(out, size, "%s tried what it may not, and was stopped%s%s", program,
                 before, words);
    } else if (WIFSIGNALED(end->status))
        snprintf(out, size, "%s was ended by signal %d%s%s", program,
                 WTERMSIG(end->status), before, words);
    else
        snprintf(out, size, "%s ended with status %d%s%s", program,
                 WEXITSTATUS(end->status), before, words);
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

void task_not_started(struct task *t, enum rc rc)
{
    char sentence[STORE_TEXT_MAX + 1];
    if (rc == RC_NOT_FOUND && store_job_check(t->w->store, &t->job) == RC_FENCED) {
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
