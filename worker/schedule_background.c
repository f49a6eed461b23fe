#include "schedule_priv.h"

#include <string.h>

/* A run this many segments ahead of someone who watches counts as working for them. */
#define AHEAD_SEGMENTS 30

/* What takes less time than this is worth it that all others stand still meanwhile. */
#define SOON_MS 3000
#define QUICK_MS 20000
#define HURRY_CORES 2

static enum schedule_turn turn_of(const struct schedule_rendition *r)
{
    int64_t left_ms = (r->have->total - r->have->done) * r->segment_ms;
    if (r->last)
        return TURN_LAST;
    if (r->have->done == 0)
        return r->quick ? TURN_SOON : TURN_FIRST;
    /* A picture beside it loses more by that than sound gains. */
    if (r->light)
        return TURN_OTHERS;
    return left_ms <= (r->quick ? QUICK_MS : SOON_MS) ? TURN_SOON : TURN_OTHERS;
}

bool schedule_near_viewer(const struct schedule_rendition *r, int64_t segment)
{
    if (r->have->done == 0 && !r->last)
        return true;
    return r->viewer >= 0 && segment >= r->viewer &&
           segment - r->viewer <= AHEAD_SEGMENTS;
}

static bool less(const struct candidate *a, const struct candidate *b)
{
    if (a->turn != b->turn)
        return a->turn < b->turn;
    if (a->distance != b->distance)
        return a->distance < b->distance;
    if (a->nth != b->nth)
        return a->nth < b->nth;
    if (a->rendition != b->rendition)
        return a->rendition < b->rendition;
    return a->from < b->from;
}

static void insert(struct candidate *list, int *n, int max, struct candidate c)
{
    int at = *n;
    while (at > 0 && less(&c, &list[at - 1]))
        at--;
    if (at >= max)
        return;
    if (*n < max)
        ++*n;
    memmove(&list[at + 1], &list[at], (size_t)(*n - at - 1) * sizeof(c));
    list[at] = c;
}

/* Where the next hole is: from the earliest viewer on, else from the start, which is
 * also where what has not arrived yet is awaited. A rendition without its init segment
 * has one anywhere. -1: none. */
static int64_t next_hole(const struct schedule_rendition *r)
{
    const struct segments *have = r->have;
    int64_t k = segments_next_hole(have, r->viewer > 0 ? r->viewer : 0);
    if (k >= schedule_reach(r))
        k = segments_next_hole(have, 0);
    if (k == have->total)
        return have->has_init ? -1 : k - 1;
    return k;
}

/* True if a rendition beside which this one is made has the same hole, or may have. */
static bool comes_with_another(const struct schedule *s, int rendition, int64_t k)
{
    for (int i = 0; i < s->n_renditions; i++)
        if (s->renditions[i].partner == rendition &&
            !segments_has(s->renditions[i].have, k))
            return true;
    return false;
}

/* True if it is not known yet whether one run could make its partner's segments too. */
static bool awaits_partner(const struct schedule *s, const struct schedule_rendition *r)
{
    return r->partner >= 0 && s->renditions[r->partner].have->total == 0;
}

/* The hole of a rendition, unless a run is on its way to it. */
static bool find_fill(const struct thoughts *t, int rendition, struct candidate *out)
{
    const struct schedule *s = t->s;
    const struct schedule_rendition *r = &s->renditions[rendition];
    int64_t k = next_hole(r);
    int runs = 0;
    if (k < 0 ||
        (schedule_beyond(r, k) && (r->asleep || schedule_has_fed(s, rendition))))
        return false;
    if (comes_with_another(s, rendition, k) || awaits_partner(s, r))
        return false;
    for (int i = 0; i < s->n_runs; i++) {
        runs += s->runs[i].rendition == rendition;
        if (s->runs[i].rendition == rendition && s->runs[i].next <= k &&
            k < s->runs[i].end)
            return false;
    }
    for (int i = 0; i < t->n_starts; i++)
        runs += t->starts[i].rendition == rendition;
    int distance = schedule_near_viewer(r, k) ? 0 : 1;
    if (schedule_beyond(r, k))
        distance = 2;
    *out = (struct candidate){-1, rendition, k, turn_of(r), distance, runs};
    return true;
}

static struct candidate candidate_of(const struct thoughts *t, int run)
{
    const struct schedule *s = t->s;
    const struct schedule_run *r = &s->runs[run];
    int nth = 0;
    for (int i = 0; i < s->n_runs; i++)
        nth += s->runs[i].rendition == r->rendition &&
               (t->serves[i] || s->runs[i].next < r->next);
    const struct schedule_rendition *of = &s->renditions[r->rendition];
    int distance = schedule_near_viewer(of, r->next) ? 0 : 1;
    return (struct candidate){run, r->rendition, r->next, turn_of(of), distance, nth};
}

/* How much of list has its turn no later than this one. */
static int up_to(enum schedule_turn turn, const struct candidate *list, int n)
{
    int count = 0;
    while (count < n && list[count].turn <= turn)
        count++;
    return count;
}

/* How many of the first ones work whether or not cores are idle. */
static int not_to_wait(const struct thoughts *t, const struct candidate *list, int n)
{
    int first = up_to(TURN_FIRST, list, n), soon = up_to(TURN_SOON, list, n);
    if (t->taken > 0)
        return 0;
    if (t->s->hurry)
        return first;
    return soon > first ? soon : up_to(TURN_OTHERS, list, n);
}

/*
 * While someone waits, only cores that would otherwise stand idle are for others; the
 * more useful run is the one that has them. (A low priority does not make up for it: a
 * sound at 19 beside a picture at 10 costs that a fifth of its speed.) The same is true
 * of what comes last, beside all others. The first `from` stay in any case. Returns how
 * many of n do, at most room.
 */
static int keep_idle_cores(const struct thoughts *t, struct candidate *list, int from,
                           int n, int room)
{
    int cores = t->s->cores - t->taken_cores, kept = from;
    if (t->s->hurry)
        cores -= HURRY_CORES;
    for (int i = 0; i < from; i++)
        cores -= schedule_cores(t->s, list[i].rendition);
    for (int i = from; i < n && kept < room; i++) {
        int needed = schedule_cores(t->s, list[i].rendition);
        if (needed > cores)
            continue;
        cores -= needed;
        list[kept++] = list[i];
    }
    return kept;
}

int schedule_background(const struct thoughts *t,
                        struct candidate list[SCHEDULE_RUNS_MAX])
{
    const struct schedule *s = t->s;
    struct candidate c;
    int n = 0, room = s->active_max - t->taken, alive = schedule_alive(s);
    if (room <= 0)
        return 0;
    for (int i = 0; i < s->n_runs; i++)
        if (!t->serves[i] && !s->runs[i].starving && s->runs[i].leader < 0)
            insert(list, &n, SCHEDULE_RUNS_MAX, candidate_of(t, i));
    /* A hole that nobody waits for is not worth a run that exists, and one that may not
     * begin would only keep others from going on. The first segment of all is worth it,
     * once it has arrived. */
    for (int i = 0; i < s->n_renditions; i++) {
        const struct schedule_rendition *r = &s->renditions[i];
        bool first = r->have->done == 0;
        if (find_fill(t, i, &c) &&
            (alive < s->alive_max || (first && !schedule_beyond(r, c.from))))
            insert(list, &n, SCHEDULE_RUNS_MAX, c);
    }
    int kept = not_to_wait(t, list, n);
    if (kept >= room)
        return room;
    /* Where nothing else is to be made, what comes last has all cores. */
    if (kept == 0 && t->taken == 0 && !s->hurry)
        return n < room ? n : room;
    return keep_idle_cores(t, list, kept, n, room);
}
