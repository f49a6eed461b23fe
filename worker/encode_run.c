#include "encode.h"

#include "log.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* ffmpeg's exit status when more frames failed to decode than -max_error_rate. */
#define EXIT_DAMAGED 69
#define NICER 9 /* of what nobody waits for, and is there for more than a picture */
#define COPY_NICER (-5)
#define COPY_LEAD_LONG_US 30000000

/* ---- its end ------------------------------------------------------------ */

static void warn_damaged(struct task *t)
{
    const struct encode *e = t->state;
    enum rc rc = store_video_warn(t->w->store, t->video.id,
                                  e->rendition.kind == RENDITION_AUDIO
                                      ? "Parts of the sound are damaged."
                                      : "Parts of the picture are damaged.");
    if (rc != RC_OK)
        log_warn("video %s: cannot keep a warning: %s", t->video.id, rc_name(rc));
}

/*
 * A run that has given nothing, what now? A place in a damaged file may have nothing to
 * decode where an earlier one has, so the next run from there reads from further back.
 * If that is no help in the middle of what is missing, the place is left to the run
 * that comes from before. RC_OK: it goes on; else the attempt has failed.
 */
static enum rc work_around(const struct encode_run *r, bool exited)
{
    struct encode *e = r->t->state;
    bool hole = encode_begins_hole(e, r->from);
    uint8_t *trouble = &e->trouble[r->from];
    e->troubled = true;
    if (exited && r->from > 0 && r->lead < (hole ? LEAD_ALL : LEAD_LONG)) {
        *trouble = (uint8_t)(r->lead + 1);
        joblog_note(r->t->log, "segment %" PRId64 ": trying from further back",
                    r->from);
        return RC_OK;
    }
    if (hole)
        return RC_INVALID;
    if (*trouble != ENCODE_HARD)
        e->hard_places++;
    *trouble = ENCODE_HARD;
    joblog_note(r->t->log, "segment %" PRId64 ": left to the run before it", r->from);
    return RC_OK;
}

/* Sound that is copied has no second way; but of a file that is still coming in it may
 * only be that something is not there yet. */
static bool is_hopeless(const struct encode *e, const struct supervise_end *end)
{
    bool wrong =
        end->reason == SUPERVISE_REFUSED && end->refusal == RC_INVALID && !end->trouble;
    return e->rendition.copied && !e->rendition.extra && !e->arriving &&
           (wrong || supervise_had_its_say(end));
}

static void failed(struct encode_run *r, const struct supervise_end *end)
{
    struct task *t = r->t;
    struct encode *e = t->state;
    char how[STORE_TEXT_MAX + 1], sentence[STORE_TEXT_MAX + 1];
    bool exited = end->reason == SUPERVISE_EXITED && WIFEXITED(end->status);
    task_explain(t, t->w->config.ffmpeg, end, how, sizeof(how));
    joblog_note(t->log, "%s", how);
    if (end->reason == SUPERVISE_REFUSED && end->refusal == RC_NOSPACE) {
        encode_end(t, ENCODE_LATER, "The disk is full.");
        return;
    }
    /* One that has moved on counts as no failure: what it left is begun anew. */
    bool hopeless = is_hopeless(e, end);
    if (!hopeless && (r->k > r->from || work_around(r, exited) == RC_OK))
        return;
    if (e->have.done == 0)
        snprintf(sentence, sizeof(sentence), "The %s could not be decoded. %.400s",
                 e->rendition.kind == RENDITION_AUDIO ? "sound" : "picture", how);
    else
        snprintf(sentence, sizeof(sentence), "Encoding stopped before its end. %.400s",
                 how);
    bool wrong = end->reason == SUPERVISE_REFUSED && end->refusal == RC_INVALID;
    e->undecodable = exited || (wrong && e->rendition.kind == RENDITION_AUDIO);
    if (e->rendition.copied)
        e->undecodable = hopeless;
    encode_end(t, ENCODE_FAILED, sentence);
}

static void judge(struct encode_run *r, const struct supervise_end *end, enum rc cut)
{
    bool exited = end->reason == SUPERVISE_EXITED && WIFEXITED(end->status);
    bool met = end->reason == SUPERVISE_REFUSED && end->refusal == RC_STOPPED;
    bool complete = exited && cut == RC_OK && r->k >= r->end;
    if (exited && WEXITSTATUS(end->status) == EXIT_DAMAGED && r->k > r->from)
        warn_damaged(r->t);
    joblog_note(r->t->log, "run %d at %" PRId64 ": made %" PRId64 " segments, %s",
                r->number, r->from, r->k - r->from,
                r->stopped ? "stopped"
                : complete ? "complete"
                : met      ? "met finished ones"
                           : "failed");
    if (r->wrong_init)
        encode_end(r->t, ENCODE_START_OVER, "");
    else if (!r->stopped && !met && !complete)
        failed(r, end);
}

static void unlink_run(struct encode *e, struct encode_run *r)
{
    struct encode_run **p = &e->runs;
    while (*p != r)
        p = &(*p)->next;
    *p = r->next;
}

static void free_run(struct encode_run *r)
{
    mediafile_abandon(r->t->w->tmp_fd, &r->file);
    cutter_free(r->cutter);
    free(r);
}

/* end: of its part alone; NULL: its leader has ended, which is blamed for whatever
 * happened but for what this one has given itself. */
static void end_beside(struct encode_run *r, const struct supervise_end *end)
{
    struct task *t = r->t;
    bool counts = !t->cancelled && !r->stopped;
    unlink_run(t->state, r);
    joblog_note(t->log,
                "run %d at %" PRId64 ": made %" PRId64 " segments beside another",
                r->number, r->from, r->k - r->from);
    if (r->wrong_init && counts)
        encode_end(t, ENCODE_START_OVER, "");
    else if (end && counts)
        failed(r, end);
    free_run(r);
    encode_settle(t);
}

/* What is made beside a run is of no use, for a reason of its own: the run goes on. */
static void cut_loose(struct encode_run *leader, enum rc why)
{
    const struct supervise_end end = {
        .reason = SUPERVISE_REFUSED, .refusal = why, .words = ""};
    struct encode_run *r = leader->beside;
    leader->beside = NULL;
    end_beside(r, &end);
}

static void on_end(void *arg, const struct supervise_end *end)
{
    struct encode_run *r = arg;
    struct task *t = r->t;
    struct encode_run *beside = r->beside;
    r->child = NULL;
    bool moved = r->arrival && access(arrival_path(r->arrival), F_OK) != 0;
    enum rc cut = cutter_finish(r->cutter);
    unlink_run(t->state, r);
    /* A file that was stored between the start of a run and its first read is read
     * again under its new name. */
    if (moved && !r->feeder && r->k == r->from)
        r->stopped = true;
    encode_feed_end(r);
    if (!t->cancelled)
        judge(r, end, cut);
    free_run(r);
    if (beside)
        end_beside(beside, NULL);
    encode_settle(t);
}

/* ---- starting, pausing and stopping --------------------------------------- */

/* How long a run may give nothing. One that reads everything from the start is given
 * time to decode at twice the speed of the video. */
static int64_t stall_ms(const struct encode_run *r)
{
    const struct encode *e = r->t->state;
    int64_t ms = r->t->w->config.stall_s * 1000;
    if (r->lead == LEAD_ALL)
        ms += encode_segment_us(e, r->from) / 2000;
    return ms;
}

#define SOUND_LEAD_US 200000 /* a track is read from a keyframe of the picture on */

#define REORDERED_US 1000000 /* what is shown last may be decoded so long before */

/* True if the last picture of a copy is shown for longer than others are. */
static bool has_still(const struct encode *e, struct args_still *out)
{
    const struct rendition *r = &e->rendition;
    int64_t last_us = r->source_last_us, end_us = e->bounds.start_us[e->bounds.n];
    int64_t usual_us = 1000000 * (int64_t)r->rate_den / r->rate_num;
    *out = (struct args_still){last_us - REORDERED_US, end_us};
    return end_us - last_us > 2 * usual_us;
}

/* Its own keyframes are where it is cut: one is the beginning of its first segment. */
static enum rc copy_args(const struct encode_run *r, const struct args_source *src,
                         struct args *out)
{
    const struct encode *e = r->t->state;
    int64_t us = encode_segment_us(e, r->from);
    if (r->lead == LEAD_LONG)
        us -= COPY_LEAD_LONG_US;
    if (r->from == 0 || r->lead == LEAD_ALL)
        us = 0;
    if (e->rendition.kind == RENDITION_AUDIO)
        return args_copy_sound(
            src, e->rendition.stream, us - SOUND_LEAD_US, encode_segment_us(e, r->from),
            1e6 * e->grid.rate_den / e->grid.rate_num, e->grid.gop, out);
    struct args_still still;
    return args_copy(src, e->rendition.stream,
                     strncmp(e->rendition.codecs, "hvc1", 4) == 0, us, 0,
                     has_still(e, &still) ? &still : NULL, out);
}

static enum rc on_output(void *arg, const void *data, size_t n)
{
    return encode_cut_feed(arg, data, n);
}

static const struct encode *beside_of(const struct encode_run *r)
{
    return r->beside->t->state;
}

static enum rc on_second(void *arg, const void *data, size_t n)
{
    struct encode_run *r = arg;
    enum rc rc = r->beside ? encode_cut_feed(r->beside, data, n) : RC_OK;
    if (rc != RC_OK)
        cut_loose(r, rc);
    return RC_OK;
}

/* Sound that nobody waits for leaves the cores to the picture beside it, and so does a
 * rung. A copy takes little of them for so much. */
static int nicer(const struct encode_run *r)
{
    const struct encode *e = r->t->state;
    if (e->rendition.copied)
        return COPY_NICER;
    bool may_wait = e->rendition.kind == RENDITION_AUDIO || e->rendition.extra;
    return may_wait && r->wanted_ms < 0 ? NICER : 0;
}

static enum rc spawn(struct encode_run *r)
{
    struct task *t = r->t;
    struct encode *e = t->state;
    struct args_source src;
    struct args args;
    char path[PATH_MAX];
    bool fed = r->arrival && r->fed;
    double rate = t->video.rate_den ? (double)t->video.rate_num / t->video.rate_den : 0;
    struct args_run what = {.from = r->from,
                            .end = r->end,
                            .lead = r->lead,
                            .open = r->open,
                            .beside = r->beside ? &beside_of(r)->rendition : NULL,
                            .seek_us = e->points ? e->points[r->from].us : 0};
    enum rc rc = task_source(t, t->w->config.ffmpeg, path, &src);
    if (fed)
        src.url = "pipe:0";
    if (rc == RC_OK)
        rc = e->rendition.copied ? copy_args(r, &src, &args)
                                 : args_encode(&src, &e->rendition, rate, &what, &args);
    if (rc == RC_OK)
        rc = encode_cut_open(r);
    if (rc == RC_OK)
        rc = task_spawn(t, &args,
                        &(struct task_child){.nicer = nicer(r),
                                             .stall_ms = stall_ms(r),
                                             .fed = fed,
                                             .on_output = on_output,
                                             .on_second = r->beside ? on_second : NULL,
                                             .on_end = on_end,
                                             .arg = r},
                        &r->child);
    return rc;
}

/* Of t, as ordered; nothing of it has begun. NULL: no memory. */
static struct encode_run *new_run(struct task *t, const struct encode_order *order)
{
    struct encode *e = t->state;
    struct encode_run *r = calloc(1, sizeof(*r));
    if (!r)
        return NULL;
    *r = (struct encode_run){.t = t,
                             .file = {.fd = -1},
                             .from = order->from,
                             .end = order->end,
                             .k = order->from};
    r->number = ++e->runs_so_far;
    r->started_ms = r->since_ms = loop_now_ms();
    r->wanted_ms = order->wanted ? r->started_ms : -1;
    return r;
}

static enum rc new_beside(struct encode_run *leader, const struct encode_order *order)
{
    struct encode_run *r = new_run(order->beside, order);
    if (!r)
        return RC_NOMEM;
    r->leader = leader;
    leader->beside = r;
    return encode_cut_open(r);
}

static void link_run(struct encode_run *r)
{
    struct encode *e = r->t->state;
    r->next = e->runs;
    e->runs = r;
}

enum rc encode_run_start(struct task *t, const struct encode_order *order)
{
    const struct encode *e = t->state;
    struct encode_run *r = new_run(t, order);
    struct arrival *a = task_arrival(t);
    uint8_t trouble = e->trouble[order->from];
    if (!r)
        return RC_NOMEM;
    r->lead = trouble > LEAD_ALL ? LEAD_ALL : (enum args_lead)trouble;
    r->arrival = a ? arrival_hold(a) : NULL;
    r->fed = order->fed && a;
    r->open = r->fed && e->open;
    enum rc rc = order->beside ? new_beside(r, order) : RC_OK;
    if (rc == RC_OK)
        rc = spawn(r);
    if (rc != RC_OK) {
        arrival_let_go(r->arrival);
        if (r->beside)
            free_run(r->beside);
        free_run(r);
        return rc;
    }
    link_run(r);
    if (r->beside)
        link_run(r->beside);
    if (r->fed && encode_feed_start(r) != RC_OK)
        encode_run_stop(r); /* and it is begun anew */
    return RC_OK;
}

int64_t encode_run_worked_ms(const struct encode_run *r)
{
    return r->worked_ms + (r->paused || r->starving ? 0 : loop_now_ms() - r->since_ms);
}

/* Closes the account of what it has worked so far. */
static void count_work(struct encode_run *r)
{
    r->worked_ms = encode_run_worked_ms(r);
    r->since_ms = loop_now_ms();
}

void encode_run_idle(struct encode_run *r, bool starving)
{
    count_work(r);
    r->starving = starving;
    r->starving_ms = r->since_ms;
}

static void set_paused(struct encode_run *r, bool pause)
{
    count_work(r);
    r->paused = pause;
    task_changed(r->t, false);
}

void encode_run_pause(struct encode_run *r, bool pause)
{
    if (r->paused == pause)
        return;
    set_paused(r, pause);
    if (r->beside)
        set_paused(r->beside, pause);
    supervise_pause(r->child, pause);
}

void encode_run_stop(struct encode_run *r)
{
    if (r->leader)
        r = r->leader;
    r->stopped = true;
    if (r->beside)
        r->beside->stopped = true;
    supervise_stop(r->child, true);
}
