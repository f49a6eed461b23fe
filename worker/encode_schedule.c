/*
 * encode_schedule.c: between schedule.c, which decides, and what it decides about: it
 * collects the state of all encode jobs and what is waited for, and does what comes
 * out.
 */
#include "encode.h"

#include "log.h"
#include "schedule.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define DEMANDS_MAX 4096   /* that are looked at; the oldest count */
#define LOOK_MS 1000       /* between looks at what is waited for, while anything is */
#define VIEWER_MS 60000    /* so long someone counts as watching after a demand */
#define VIEWER_SEGMENTS 20 /* closer together than this, demands are one viewer's */
#define ACTIONS_MAX 64     /* at a time: far more than there can be to do */

/* Everything that one decision is made from. */
struct picture {
    struct schedule s;
    struct task *tasks[ENCODES_MAX];
    struct schedule_rendition renditions[ENCODES_MAX];
    struct encode_run *of_run[SCHEDULE_RUNS_MAX];
    struct schedule_run runs[SCHEDULE_RUNS_MAX];
    struct schedule_demand demands[DEMANDS_MAX];
};

/* ---- viewers ------------------------------------------------------------ */

/* Notes that someone watches (or waits) at segment. */
static void note_viewer(struct encode *e, int64_t segment)
{
    int oldest = 0;
    for (int i = 0; i < ENCODE_VIEWERS; i++) {
        if (e->viewers[i].seen_ms < e->viewers[oldest].seen_ms)
            oldest = i;
        if (e->viewers[i].seen_ms > 0 && segment >= e->viewers[i].segment &&
            segment - e->viewers[i].segment <= VIEWER_SEGMENTS) {
            oldest = i;
            break;
        }
    }
    e->viewers[oldest].segment = segment;
    e->viewers[oldest].seen_ms = loop_now_ms();
}

/* Where the earliest one is; -1: nobody. */
static int64_t earliest_viewer(const struct encode *e)
{
    int64_t earliest = -1, now = loop_now_ms();
    for (int i = 0; i < ENCODE_VIEWERS; i++)
        if (e->viewers[i].seen_ms > 0 && now - e->viewers[i].seen_ms < VIEWER_MS &&
            (earliest < 0 || e->viewers[i].segment < earliest))
            earliest = e->viewers[i].segment;
    return earliest;
}

/* ---- the state ---------------------------------------------------------- */

/* What comes in is nowhere to be read before the worker follows it, nor after it was
 * refused; what was stored, once its last bytes were counted. */
static bool has_source(const struct task *t)
{
    return t->video.state == VIDEO_RECEIVING
               ? task_arrival(t) != NULL
               : !arrivals_counts(t->w->arrivals, t->video.id);
}

static bool takes_part(const struct task *t)
{
    const struct encode *e = t->state;
    return task_encodes(t) && !t->cancelled && e->ending == ENCODE_GOES_ON &&
           has_source(t);
}

/* In the order of the jobs' age, which is that of the work when nobody waits. One whose
 * files are still looked at is among them, as others may have to wait for it. */
static void collect_tasks(const struct worker *w, struct picture *p)
{
    int n = 0;
    for (struct task *t = w->tasks; t && n < ENCODES_MAX; t = t->next) {
        int at = n;
        if (!takes_part(t))
            continue;
        for (; at > 0 && p->tasks[at - 1]->job.id > t->job.id; at--)
            p->tasks[at] = p->tasks[at - 1];
        p->tasks[at] = t;
        n++;
    }
    p->s.n_renditions = n;
}

/* The number of a video: the index of its first rendition. */
static int video_of(const struct picture *p, int rendition)
{
    int i = 0;
    while (strcmp(p->tasks[i]->video.id, p->tasks[rendition]->video.id) != 0)
        i++;
    return i;
}

/* The index of a run that was collected before; -1: it was left out. */
static int index_of(const struct picture *p, const struct encode_run *r)
{
    for (int i = 0; i < p->s.n_runs; i++)
        if (p->of_run[i] == r)
            return i;
    return -1;
}

/* One that has given its last segment is only about to exit, unless it leads one that
 * has not. */
static bool is_over(const struct encode_run *r)
{
    return r->stopped || (r->k >= r->end && (!r->beside || is_over(r->beside)));
}

/* Those that lead, or have a program of their own, come before those that are led. */
static void collect_runs(struct picture *p, int rendition, bool led)
{
    const struct encode *e = p->tasks[rendition]->state;
    int64_t now = loop_now_ms();
    for (struct encode_run *r = e->runs; r && p->s.n_runs < SCHEDULE_RUNS_MAX;
         r = r->next) {
        int64_t end = r->end;
        /* It may have been paused with its last bytes on their way here. */
        if (is_over(r) && !r->leader)
            encode_run_pause(r, false);
        int leader = r->leader ? index_of(p, r->leader) : -1;
        if (is_over(r) || led != (r->leader != NULL) || (led && leader < 0))
            continue;
        /* Where another run is at work this one will stop, whatever it was told. */
        for (const struct encode_run *other = e->runs; other; other = other->next)
            if (!other->stopped && other->k > r->k && other->k < end)
                end = other->k;
        p->of_run[p->s.n_runs] = r;
        p->runs[p->s.n_runs++] = (struct schedule_run){
            .rendition = rendition,
            .next = r->k,
            .end = end,
            .made = r->k - r->from,
            .age_ms = now - r->started_ms,
            .at_it_ms = encode_run_worked_ms(r),
            .unused_ms = r->wanted_ms < 0 ? SCHEDULE_NEVER_MS : now - r->wanted_ms,
            .paused = r->paused,
            .leader = leader,
            .fed = r->fed,
            .starving = encode_run_starves(r),
        };
    }
}

static int find_task(const struct picture *p, const struct demand *d)
{
    for (int i = 0; i < p->s.n_renditions; i++)
        if (strcmp(p->tasks[i]->video.id, d->video_id) == 0 &&
            strcmp(p->tasks[i]->job.rendition, d->rendition) == 0)
            return i;
    return -1;
}

/* False for what is left to the run that comes from before it. */
static bool may_begin_at(const struct encode *e, int64_t segment)
{
    if (encode_begins_hole(e, segment))
        return true;
    return e->trouble[segment] != ENCODE_HARD && e->hard_places < ENCODE_HARD_PLACES;
}

/* The next smaller rung of the same video, which can be made of its pictures. */
static int partner_of(const struct picture *p, int rendition)
{
    const struct encode *e = p->tasks[rendition]->state;
    if (!e->rendition.extra || e->rendition.copied || e->arriving)
        return -1;
    int found = -1, width = 0;
    for (int i = 0; i < p->s.n_renditions; i++) {
        const struct encode *other = p->tasks[i]->state;
        const struct rendition *r = &other->rendition;
        if (video_of(p, i) != video_of(p, rendition) || !r->extra || r->copied ||
            r->width >= e->rendition.width || r->width <= width ||
            memcmp(&other->grid, &e->grid, sizeof(e->grid)) != 0)
            continue;
        found = i;
        width = r->width;
    }
    return found;
}

static void collect_demands(const struct worker *w, struct picture *p)
{
    for (size_t i = 0; i < w->n_demands; i++) {
        const struct demand *d = &w->demands[i];
        int rendition = find_task(p, d);
        if (rendition < 0)
            continue;
        const struct encode *e = p->tasks[rendition]->state;
        /* Segment 0 stands for the init segment too, which may be what is missing. */
        bool there = segments_has(&e->have, d->segment) && e->have.has_init;
        if (!there && d->segment < e->have.total && may_begin_at(e, d->segment))
            p->demands[p->s.n_demands++] =
                (struct schedule_demand){rendition, d->segment};
    }
}

static void collect(const struct worker *w, struct picture *p)
{
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    int room = w->slots - jobs_short(w);
    p->s = (struct schedule){
        .renditions = p->renditions,
        .runs = p->runs,
        .demands = p->demands,
        .cores = cores > 0 ? (int)cores : 1,
        .active_max = room > 1 ? room : 1,
        .alive_max = (int)w->config.runs,
        .still = w->full,
        .hurry = jobs_hurry_ms(w) > 0,
    };
    if (p->s.alive_max <= 0)
        p->s.alive_max = 4 * w->slots;
    if (p->s.active_max > SCHEDULE_ALIVE_MAX)
        p->s.active_max = SCHEDULE_ALIVE_MAX;
    if (p->s.alive_max > SCHEDULE_ALIVE_MAX)
        p->s.alive_max = SCHEDULE_ALIVE_MAX;
    if (p->s.alive_max < p->s.active_max)
        p->s.alive_max = p->s.active_max;
    collect_tasks(w, p);
    for (int i = 0; i < p->s.n_renditions; i++) {
        const struct encode *e = p->tasks[i]->state;
        p->renditions[i] = (struct schedule_rendition){
            .video = video_of(p, i),
            .light = e->rendition.kind == RENDITION_AUDIO,
            .quick = e->rendition.copied && e->rendition.kind == RENDITION_VIDEO,
            .last = e->rendition.extra && !e->rendition.copied,
            .have = &e->have,
            /* Where a place is bad, runs begin just where they are asked for. */
            .points = e->troubled ? NULL : e->points,
            .arriving = e->arriving,
            .reach = e->reach,
            .asleep = e->asleep,
            .partner = partner_of(p, i),
            .viewer = earliest_viewer(e),
            .start_ms = e->start_ms,
            .segment_ms = e->segment_ms,
        };
        collect_runs(p, i, false);
    }
    for (int i = 0; i < p->s.n_renditions; i++)
        collect_runs(p, i, true);
    collect_demands(w, p);
}

/* ---- the actions -------------------------------------------------------- */

static void start(const struct picture *p, const struct schedule_action *a)
{
    struct task *t = p->tasks[a->rendition];
    char sentence[STORE_TEXT_MAX + 1];
    struct encode_order order = {.from = a->from,
                                 .end = a->end,
                                 .wanted = a->wanted,
                                 .fed = a->fed,
                                 .beside = a->also >= 0 ? p->tasks[a->also] : NULL};
    enum rc rc = encode_run_start(t, &order);
    if (rc == RC_OK) {
        task_changed(t, true); /* whoever waits sees that it is being made */
        if (order.beside)
            task_changed(order.beside, true);
        return;
    }
    /* No descriptor or process to be had is no fault of the job. */
    bool fault = rc == RC_NOT_FOUND || rc == RC_INVALID || rc == RC_TOO_LARGE;
    task_explain_start(t->w->config.ffmpeg, rc, sentence, sizeof(sentence));
    encode_end(t, fault ? ENCODE_FAILED : ENCODE_LATER, sentence);
    encode_settle(t);
}

static void act(const struct picture *p, const struct schedule_action *a)
{
    struct encode_run *r = a->run >= 0 ? p->of_run[a->run] : NULL;
    switch (a->verb) {
    case SCHEDULE_START:
        start(p, a);
        return;
    case SCHEDULE_STOP:
        encode_run_stop(r);
        break;
    case SCHEDULE_PAUSE:
    case SCHEDULE_RESUME:
        encode_run_pause(r, a->verb == SCHEDULE_PAUSE);
        return;
    case SCHEDULE_NOTHING:
        return;
    }
    task_changed(r->t, false);
}

static void note_served(const struct picture *p, const bool *serves)
{
    for (int i = 0; i < p->s.n_runs; i++)
        if (serves[i])
            p->of_run[i]->wanted_ms = loop_now_ms();
}

static void on_schedule(void *arg)
{
    static struct picture p; /* large; the worker has one thread */
    static bool serves[SCHEDULE_RUNS_MAX];
    struct worker *w = arg;
    int64_t again_ms = -1;
    for (int i = 0; i < ACTIONS_MAX && !w->stopping; i++) {
        collect(w, &p);
        struct schedule_action a = schedule_next(&p.s, &again_ms, serves);
        note_served(&p, serves);
        act(&p, &a);
        if (a.verb == SCHEDULE_NOTHING)
            break;
    }
    int64_t hurry_ms = jobs_hurry_ms(w);
    if (hurry_ms > 0 && (again_ms < 0 || hurry_ms < again_ms))
        again_ms = hurry_ms;
    if (again_ms >= 0 && !w->stopping)
        loop_timer_set(w->loop, &w->schedule, again_ms, on_schedule, w);
}

void encode_schedule_soon(struct worker *w)
{
    loop_timer_set(w->loop, &w->schedule, 0, on_schedule, w);
}

/* ---- what is waited for --------------------------------------------------- */

static enum rc take_demand(void *arg, const struct demand *d)
{
    struct worker *w = arg;
    if (w->n_demands < DEMANDS_MAX)
        w->demands[w->n_demands++] = *d;
    return RC_OK;
}

static struct task *holder(const struct worker *w, const struct demand *d)
{
    for (struct task *t = w->tasks; t; t = t->next)
        if (job_makes_rendition(t->job.kind) &&
            strcmp(t->job.video_id, d->video_id) == 0 &&
            strcmp(t->job.rendition, d->rendition) == 0)
            return t;
    return NULL;
}

static bool same_rendition(const struct demand *a, const struct demand *b)
{
    return strcmp(a->video_id, b->video_id) == 0 &&
           strcmp(a->rendition, b->rendition) == 0;
}

/* True if a demand before this one was for the same rendition. */
static bool is_repeated(const struct worker *w, size_t i)
{
    for (size_t j = i; j > 0; j--)
        if (same_rendition(&w->demands[j - 1], &w->demands[i]))
            return true;
    return false;
}

/* Jobs that wait for their turn are taken on at once if someone waits for them; each is
 * asked for once a look, as that takes a write lock. */
static void claim_demanded(struct worker *w)
{
    for (size_t i = 0; i < w->n_demands && !w->full; i++) {
        const struct demand *d = &w->demands[i];
        struct task *t = holder(w, d);
        if (!t && w->running < ENCODES_MAX && !is_repeated(w, i) &&
            jobs_claim_encode(w, d->video_id, d->rendition) == RC_OK)
            t = holder(w, d);
        if (t && takes_part(t))
            note_viewer(t->state, d->segment);
    }
}

static void on_look(void *arg)
{
    encode_follow_demand(arg);
}

void encode_follow_demand(struct worker *w)
{
    if (!w->demands)
        w->demands = calloc(DEMANDS_MAX, sizeof(*w->demands));
    if (!w->demands || w->stopping)
        return;
    size_t before = w->n_demands;
    w->n_demands = 0;
    enum rc rc = store_demand_each(w->store, take_demand, w);
    if (rc != RC_OK)
        log_error("cannot read what is waited for: %s (%s)", rc_name(rc),
                  store_message(w->store));
    claim_demanded(w);
    encode_schedule_soon(w);
    if (w->n_demands > 0)
        loop_timer_set(w->loop, &w->look_at_demand, LOOK_MS, on_look, w);
    else if (before > 0)
        jobs_look_soon(w); /* what gave way to them may begin */
}
