#include "schedule_priv.h"

#include <string.h>

/* A run whose viewer was just given something goes on for so long: the player is about
 * to ask for what comes next. */
#define HOLD_MS 100
/* Someone who drags the seek bar asks for many places in a row. A run that was begun in
 * vain puts off the next one of its rendition for so long, and each further one more.
 */
#define VAIN_MS 150
#define VAIN_MAX_MS 600
/* So far beyond what has arrived a demand counts: it is about to be met. */
#define BEYOND_SEGMENTS 2

static const struct schedule_action nothing = {
    .verb = SCHEDULE_NOTHING, .run = -1, .rendition = -1, .also = -1};

static const struct schedule_rendition *of(const struct schedule *s, int rendition)
{
    return &s->renditions[rendition];
}

int schedule_cores(const struct schedule *s, int rendition)
{
    return of(s, rendition)->light ? 1 : 2;
}

/* Where a run that begins at `from` ends: where finished segments begin, or another run
 * is at work. */
static int64_t end_of(const struct schedule *s, int rendition, int64_t from)
{
    int64_t end = segments_next_present(of(s, rendition)->have, from);
    for (int i = 0; i < s->n_runs; i++) {
        const struct schedule_run *r = &s->runs[i];
        if (r->rendition == rendition && r->next > from && r->next < end)
            end = r->next;
    }
    return end;
}

int64_t schedule_reach(const struct schedule_rendition *r)
{
    return r->arriving ? r->reach : r->have->total;
}

bool schedule_beyond(const struct schedule_rendition *r, int64_t segment)
{
    return r->arriving && segment >= r->reach;
}

int schedule_alive(const struct schedule *s)
{
    int n = 0;
    for (int i = 0; i < s->n_runs; i++)
        n += s->runs[i].leader < 0;
    return n;
}

bool schedule_has_fed(const struct schedule *s, int rendition)
{
    for (int i = 0; i < s->n_runs; i++)
        if (s->runs[i].rendition == rendition && s->runs[i].fed)
            return true;
    return false;
}

/* ---- who is served by what ------------------------------------------------ */

/* Where a run for a demanded segment begins: one earlier, if that is missing too and
 * has to be decoded on the way. It comes nearly for free, and who fills the hole later
 * would decode the same again. */
static int64_t begin_of(const struct schedule *s, const struct schedule_demand *d)
{
    const struct schedule_rendition *r = of(s, d->rendition);
    int64_t k = d->segment;
    if (!r->points || k == 0 || !r->points[k].shared || segments_has(r->have, k - 1))
        return k;
    for (int i = 0; i < s->n_runs; i++)
        if (s->runs[i].rendition == d->rendition && s->runs[i].next == k - 1)
            return k;
    return k - 1;
}

/* ms until run gives segment; -1: never, or later than limit_ms. */
static int64_t eta_ms(const struct schedule *s, const struct schedule_run *run,
                      const struct schedule_demand *d, int64_t limit_ms)
{
    const struct schedule_rendition *r = of(s, d->rendition);
    if (run->rendition != d->rendition || d->segment < run->next ||
        d->segment >= run->end)
        return -1;
    int64_t ms = (run->made > 0 ? r->segment_ms : r->start_ms) - run->at_it_ms;
    if (ms < 0)
        ms = 0;
    ms += (d->segment - run->next) * r->segment_ms;
    return ms <= limit_ms && segments_none(r->have, run->next, d->segment) ? ms : -1;
}

/*
 * The run that gives a demanded segment soonest, if that is sooner than by a new run:
 * -1 if none is. A new run costs others their time, so it has to be worth a quarter
 * more; and beside a run that someone waits for, which goes on, it takes twice as long.
 */
static int best_run(const struct thoughts *t, const struct schedule_demand *d)
{
    const struct schedule *s = t->s;
    const struct schedule_rendition *r = of(s, d->rendition);
    int64_t start_ms = r->start_ms, best_ms = INT64_MAX;
    bool beyond = schedule_beyond(r, d->segment);
    int best = -1;
    if (r->points && r->points[d->segment].shared)
        start_ms += r->segment_ms; /* the one before comes first: see begin_of */
    for (int i = 0; i < s->n_runs; i++) {
        int64_t limit_ms = t->serves[i] ? 2 * start_ms : start_ms * 5 / 4;
        if (beyond) /* no other could be begun there */
            limit_ms = s->runs[i].fed ? INT64_MAX : -1;
        int64_t ms = eta_ms(s, &s->runs[i], d, limit_ms);
        if (ms >= 0 && ms < best_ms) {
            best = i;
            best_ms = ms;
        }
    }
    return best;
}

/* The run whose program gives what a run gives. */
static int leader_of(const struct schedule *s, int run)
{
    return run >= 0 && s->runs[run].leader >= 0 ? s->runs[run].leader : run;
}

/* False for what will not arrive so soon. */
static bool is_near_reach(const struct schedule *s, const struct schedule_demand *d)
{
    return d->segment < schedule_reach(of(s, d->rendition)) + BEYOND_SEGMENTS;
}

/* True if a run that is to be begun will give it sooner than yet another one. */
static bool will_be_reached(const struct thoughts *t, const struct schedule_demand *d)
{
    const struct schedule_rendition *r = of(t->s, d->rendition);
    for (int i = 0; i < t->n_starts; i++) {
        const struct schedule_demand *start = &t->starts[i];
        if (start->rendition == d->rendition && start->segment <= d->segment &&
            (d->segment - start->segment) * r->segment_ms <= r->start_ms &&
            segments_none(r->have, start->segment, d->segment))
            return true;
    }
    return false;
}

/* True if it can be made from what has arrived, and no run that is to be begun does. */
static bool is_worth_a_run(const struct thoughts *t, const struct schedule_demand *d)
{
    return d->segment < schedule_reach(of(t->s, d->rendition)) &&
           !will_be_reached(t, d);
}

/* Slots that the demands of a video have so far. */
static int share_of(const struct thoughts *t, int video)
{
    int n = 0;
    for (int i = 0; i < t->s->n_runs; i++)
        n += t->serves[i] && of(t->s, t->s->runs[i].rendition)->video == video;
    for (int i = 0; i < t->n_starts; i++)
        n += of(t->s, t->starts[i].rendition)->video == video;
    return n;
}

static void serve(struct thoughts *t, const struct schedule_demand *d)
{
    int run = leader_of(t->s, best_run(t, d));
    if (run >= 0)
        t->serves[run] = true;
    else
        t->starts[t->n_starts++] = *d;
    if (run >= 0 && t->s->runs[run].starving)
        return;
    t->taken++;
    t->taken_cores += schedule_cores(t->s, d->rendition);
}

/*
 * Gives the slots to demands, one after another: to the video that has the fewest of
 * them so far, and there to the one that has waited longest. What a run that has its
 * slot already will give needs none.
 */
static void serve_demands(struct thoughts *t)
{
    const struct schedule *s = t->s;
    while (t->taken < s->active_max && t->n_starts < SCHEDULE_RUNS_MAX) {
        const struct schedule_demand *chosen = NULL;
        int least = 0;
        for (int i = 0; i < s->n_demands; i++) {
            const struct schedule_demand *d = &s->demands[i];
            if (!is_near_reach(s, d))
                continue; /* first, as there may be many of them in a long upload */
            int run = leader_of(s, best_run(t, d));
            if (run >= 0 ? t->serves[run] : !is_worth_a_run(t, d))
                continue;
            int share = share_of(t, of(s, d->rendition)->video);
            if (!chosen || share < least) {
                chosen = d;
                least = share;
            }
        }
        if (!chosen)
            return;
        serve(t, chosen);
    }
}

/* ---- actions ----------------------------------------------------------------- */

static void look_again_in(struct thoughts *t, int64_t ms)
{
    if (t->again_ms < 0 || ms < t->again_ms)
        t->again_ms = ms;
}

static bool is_kept(const struct candidate *list, int n, int run)
{
    for (int i = 0; i < n; i++)
        if (list[i].run == run)
            return true;
    return false;
}

/* Which run to pause or resume; -1: every one does what it should. */
static struct schedule_action pause_or_resume(struct thoughts *t,
                                              const struct candidate *kept, int n)
{
    const struct schedule *s = t->s;
    struct schedule_action a = nothing;
    for (int i = 0; i < s->n_runs; i++) {
        const struct schedule_run *r = &s->runs[i];
        if (r->leader >= 0)
            continue;
        bool go = t->serves[i] || is_kept(kept, n, i) || (r->starving && !r->paused);
        bool held =
            !go && r->made > 0 && t->taken < s->active_max && r->unused_ms < HOLD_MS;
        a.run = i;
        a.verb = SCHEDULE_PAUSE;
        if (!go && !held && !r->paused)
            return a;
        a.verb = SCHEDULE_RESUME;
        if (go && r->paused)
            return a;
        if (held && !r->paused)
            look_again_in(t, HOLD_MS - r->unused_ms);
    }
    return nothing;
}

/* Somebody waited for it who then did not wait for its first segment. */
static bool in_vain(const struct schedule_run *run)
{
    return run->made == 0 && run->unused_ms < SCHEDULE_NEVER_MS;
}

/*
 * More is less useful: one begun in vain, or that has nothing to read; then those that
 * are not near the earliest viewer, by how long ago somebody last waited for one (there
 * may be other viewers); then the one farthest ahead of that viewer.
 */
static int64_t uselessness(const struct schedule *s, const struct schedule_run *run)
{
    const struct schedule_rendition *r = of(s, run->rendition);
    const int64_t far = INT64_MAX / 2, a_ms = (int64_t)1 << 32, day_ms = 86400000;
    if (run->starving || (in_vain(run) && run->paused))
        return INT64_MAX;
    if (r->last)
        return INT64_MAX - 1;
    if (schedule_near_viewer(r, run->next))
        return run->next - r->viewer;
    return far + (run->unused_ms < day_ms ? run->unused_ms : day_ms) * a_ms + run->next;
}

/* The least useful run that neither serves nor is to go on beside those that do. There
 * is one if alive_max runs exist and yet another is wanted: all wanted ones together
 * are never more than active_max. */
static int victim(const struct thoughts *t, const struct candidate *kept, int n)
{
    const struct schedule *s = t->s;
    int worst = -1;
    for (int i = 0; i < s->n_runs; i++) {
        if (t->serves[i] || is_kept(kept, n, i) || s->runs[i].leader >= 0)
            continue;
        if (worst < 0 || uselessness(s, &s->runs[i]) > uselessness(s, &s->runs[worst]))
            worst = i;
    }
    return worst;
}

/* ms until a rendition may begin a run again after some that were begun in vain. */
static int64_t pause_after_vain(const struct thoughts *t, int rendition)
{
    const struct schedule *s = t->s;
    int64_t youngest_ms = INT64_MAX, wait_ms = 0;
    for (int i = 0; i < s->n_runs; i++) {
        const struct schedule_run *r = &s->runs[i];
        if (r->rendition != rendition || !in_vain(r) || t->serves[i])
            continue;
        wait_ms += VAIN_MS;
        if (r->age_ms < youngest_ms)
            youngest_ms = r->age_ms;
    }
    if (wait_ms > VAIN_MAX_MS)
        wait_ms = VAIN_MAX_MS;
    return wait_ms > youngest_ms ? wait_ms - youngest_ms : 0;
}

/* Where a run that begins at `from` ends if partner is made beside it; -1: that would
 * not begin there. */
static int64_t end_beside(const struct schedule *s, int partner, int64_t from)
{
    if (segments_has(of(s, partner)->have, from))
        return -1;
    for (int i = 0; i < s->n_runs; i++) {
        const struct schedule_run *r = &s->runs[i];
        if (r->rendition == partner && r->next <= from && from < r->end)
            return -1;
    }
    return end_of(s, partner, from);
}

/* A run that nobody waits for makes its partner's segments too, if they are missing. */
static void take_partner(const struct schedule *s, struct schedule_action *a)
{
    int partner = of(s, a->rendition)->partner;
    int64_t end = partner >= 0 ? end_beside(s, partner, a->from) : -1;
    if (end < 0)
        return;
    a->also = partner;
    if (end < a->end)
        a->end = end;
}

/* One that nobody waits for goes on as the source arrives; whoever waits is better
 * served by one that reads what is there, as it can jump. */
static struct schedule_action start(const struct schedule *s, int rendition,
                                    int64_t from, bool wanted)
{
    struct schedule_action a = {.verb = SCHEDULE_START,
                                .run = -1,
                                .rendition = rendition,
                                .also = -1,
                                .from = from,
                                .end = end_of(s, rendition, from),
                                .wanted = wanted};
    int64_t reach = schedule_reach(of(s, rendition));
    if (a.end > reach && !wanted && !schedule_has_fed(s, rendition))
        a.fed = true;
    else if (a.end > reach)
        a.end = reach;
    /* A segment that exists is only made again for the init segment before it. */
    if (a.end == from)
        a.end = from + 1;
    if (!wanted)
        take_partner(s, &a);
    return a;
}

/* Begins a run that is wanted; where as many exist as may, room is made first. */
static struct schedule_action start_one(struct thoughts *t,
                                        const struct candidate *kept, int n)
{
    const struct schedule *s = t->s;
    bool full = schedule_alive(s) >= s->alive_max;
    int stop = full ? victim(t, kept, n) : -1;
    struct schedule_action make_room = {
        .verb = SCHEDULE_STOP, .run = stop, .rendition = -1, .also = -1};
    if (full && stop < 0)
        return nothing;
    for (int i = 0; i < t->n_starts; i++) {
        const struct schedule_demand *d = &t->starts[i];
        int64_t wait_ms = pause_after_vain(t, d->rendition);
        if (wait_ms == 0)
            return full ? make_room : start(s, d->rendition, begin_of(s, d), true);
        look_again_in(t, wait_ms);
    }
    for (int i = 0; i < n; i++)
        if (kept[i].run < 0)
            return full ? make_room : start(s, kept[i].rendition, kept[i].from, false);
    return nothing;
}

static struct schedule_action stand_still(const struct schedule *s)
{
    struct schedule_action a = nothing;
    a.verb = SCHEDULE_PAUSE;
    for (a.run = 0; a.run < s->n_runs; a.run++)
        if (s->runs[a.run].leader < 0 && !s->runs[a.run].paused)
            return a;
    return nothing;
}

struct schedule_action schedule_next(const struct schedule *s, int64_t *again_ms,
                                     bool serves[SCHEDULE_RUNS_MAX])
{
    struct candidate kept[SCHEDULE_RUNS_MAX];
    struct thoughts t = {.s = s, .again_ms = -1};
    struct schedule_action a = nothing;
    if (s->still) {
        a = stand_still(s);
    } else {
        serve_demands(&t);
        int n = schedule_background(&t, kept);
        a = pause_or_resume(&t, kept, n);
        if (a.verb == SCHEDULE_NOTHING)
            a = start_one(&t, kept, n);
    }
    *again_ms = t.again_ms;
    if (serves)
        memcpy(serves, t.serves, sizeof(t.serves));
    return a;
}
