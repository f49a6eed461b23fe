#include "lane.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* As those of fcgi.c: the pages are the same. */
enum { STACK_BYTES = 512 * 1024 };

/* What somebody has given. */
struct place {
    enum { FREE, WAITING, HANDLED } state;
    uint64_t order; /* of those that wait: a smaller one came earlier */
    void *item;
    char from[LANE_FROM_MAX + 1];
};

struct lane {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    void (*handle)(void *item, void *ctx);
    void *ctx;
    bool stopping;
    int n_threads;
    pthread_t *threads;
    struct lane_limits limits;
    uint64_t given, taken; /* counters that put things in order */
    size_t waiting, n;     /* places: limits.max and one for each thread */
    struct served {
        uint64_t when; /* `taken` at that time; 0: never */
        char from[LANE_FROM_MAX + 1];
    } * served; /* n of them: from where those came that were taken last */
    struct place places[];
};

/* When one from there was taken the last time; 0: not while any of these waited. */
static uint64_t last_served(const struct lane *l, const char *from)
{
    for (size_t i = 0; i < l->n; i++)
        if (l->served[i].when > 0 && strcmp(l->served[i].from, from) == 0)
            return l->served[i].when;
    return 0;
}

/* In the place of an older time of the same, else of the oldest one of all. */
static void remember(struct lane *l, const char *from)
{
    struct served *oldest = &l->served[0];

    for (size_t i = 0; i < l->n; i++) {
        if (strcmp(l->served[i].from, from) == 0) {
            oldest = &l->served[i];
            break;
        }
        if (l->served[i].when < oldest->when)
            oldest = &l->served[i];
    }
    oldest->when = ++l->taken;
    memcpy(oldest->from, from, sizeof(oldest->from));
}

/* Of those that wait, the one whose like was taken longest ago, and of these the one
 * that came first. */
static struct place *next(struct lane *l)
{
    struct place *best = NULL;
    uint64_t best_served = 0;

    for (size_t i = 0; i < l->n; i++) {
        struct place *p = &l->places[i];
        uint64_t served;

        if (p->state != WAITING)
            continue;
        served = last_served(l, p->from);
        if (!best || served < best_served ||
            (served == best_served && p->order < best->order)) {
            best = p;
            best_served = served;
        }
    }
    return best;
}

/* NULL: there is nothing more to do. */
static struct place *take(struct lane *l)
{
    struct place *p = NULL;

    pthread_mutex_lock(&l->lock);
    while (l->waiting == 0 && !l->stopping)
        pthread_cond_wait(&l->changed, &l->lock);
    if (l->waiting > 0) {
        p = next(l);
        p->state = HANDLED;
        l->waiting--;
        remember(l, p->from);
    }
    pthread_mutex_unlock(&l->lock);
    return p;
}

static void *work(void *arg)
{
    struct lane *l = arg;
    struct place *p;

    while ((p = take(l))) {
        l->handle(p->item, l->ctx);
        pthread_mutex_lock(&l->lock);
        p->state = FREE;
        pthread_mutex_unlock(&l->lock);
    }
    return NULL;
}

static enum rc start(struct lane *l)
{
    int threads = l->limits.threads;
    pthread_attr_t attr;

    l->served = calloc(l->n, sizeof(*l->served));
    l->threads = calloc((size_t)threads, sizeof(*l->threads));
    if (!l->served || !l->threads)
        return RC_NOMEM;
    pthread_attr_init(&attr);
    pthread_attr_setstacksize(&attr, STACK_BYTES);
    while (l->n_threads < threads &&
           pthread_create(&l->threads[l->n_threads], &attr, work, l) == 0)
        l->n_threads++;
    pthread_attr_destroy(&attr);
    return l->n_threads > 0 ? RC_OK : RC_IO;
}

enum rc lane_open(const struct lane_limits *limits,
                  void (*handle)(void *item, void *ctx), void *ctx, struct lane **out)
{
    size_t n = limits->max + (size_t)limits->threads;
    struct lane *l = calloc(1, sizeof(*l) + n * sizeof(l->places[0]));
    enum rc rc;

    if (!l)
        return RC_NOMEM;
    pthread_mutex_init(&l->lock, NULL);
    pthread_cond_init(&l->changed, NULL);
    l->handle = handle;
    l->ctx = ctx;
    l->limits = *limits;
    l->n = n;
    rc = start(l);
    if (rc == RC_OK)
        *out = l;
    else
        lane_close(l);
    return rc;
}

/* A free place; NULL: those from there have as many as they may. */
static struct place *find_place(struct lane *l, const char *from)
{
    struct place *free_one = NULL;
    size_t same = 0;

    for (size_t i = 0; i < l->n; i++) {
        if (l->places[i].state == FREE)
            free_one = &l->places[i];
        else
            same += strcmp(l->places[i].from, from) == 0;
    }
    return same < l->limits.each ? free_one : NULL;
}

enum rc lane_give(struct lane *l, void *item, const char *from)
{
    char cut[LANE_FROM_MAX + 1];
    struct place *p = NULL;

    snprintf(cut, sizeof(cut), "%s", from);
    pthread_mutex_lock(&l->lock);
    if (!l->stopping && l->waiting < l->limits.max)
        p = find_place(l, cut);
    if (p) {
        *p = (struct place){.state = WAITING, .order = ++l->given, .item = item};
        memcpy(p->from, cut, sizeof(cut));
        l->waiting++;
        pthread_cond_signal(&l->changed);
    }
    pthread_mutex_unlock(&l->lock);
    return p ? RC_OK : RC_BUSY;
}

void lane_close(struct lane *l)
{
    if (!l)
        return;
    pthread_mutex_lock(&l->lock);
    l->stopping = true;
    pthread_cond_broadcast(&l->changed);
    pthread_mutex_unlock(&l->lock);
    for (int i = 0; i < l->n_threads; i++)
        pthread_join(l->threads[i], NULL);
    pthread_cond_destroy(&l->changed);
    pthread_mutex_destroy(&l->lock);
    free(l->threads);
    free(l->served);
    free(l);
}
