/*
 * A list of all turns, oldest first: as many as the program has threads, at most.
 */
#include "turns.h"

#include "clock.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct turns {
    pthread_mutex_t lock;
    pthread_cond_t left;
    struct turn *oldest;
};

enum rc turns_open(struct turns **out)
{
    struct turns *t = calloc(1, sizeof(*t));
    pthread_condattr_t attr;

    if (!t)
        return RC_NOMEM;
    pthread_mutex_init(&t->lock, NULL);
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&t->left, &attr);
    pthread_condattr_destroy(&attr);
    *out = t;
    return RC_OK;
}

void turns_close(struct turns *t)
{
    if (!t)
        return;
    pthread_cond_destroy(&t->left);
    pthread_mutex_destroy(&t->lock);
    free(t);
}

static bool is_first(const struct turns *t, const struct turn *turn)
{
    for (const struct turn *i = t->oldest; i != turn; i = i->newer)
        if (strcmp(i->name, turn->name) == 0)
            return false;
    return true;
}

static void take_out(struct turns *t, const struct turn *turn)
{
    struct turn **at = &t->oldest;

    while (*at != turn)
        at = &(*at)->newer;
    *at = turn->newer;
    pthread_cond_broadcast(&t->left);
}

/* Puts it behind all others and tells those of its name to stop. */
static void put_in(struct turns *t, struct turn *turn)
{
    struct turn **at = &t->oldest;

    turn->lost = false;
    turn->newer = NULL;
    for (; *at; at = &(*at)->newer) {
        if (strcmp((*at)->name, turn->name) != 0)
            continue;
        (*at)->lost = true;
        (*at)->stop((*at)->arg);
    }
    *at = turn;
    /* Among them may be some that wait themselves. */
    pthread_cond_broadcast(&t->left);
}

enum rc turns_take(struct turns *t, struct turn *turn, int64_t wait_ms)
{
    const struct timespec end = clock_monotonic_in(wait_ms);
    enum rc rc = RC_OK;

    pthread_mutex_lock(&t->lock);
    put_in(t, turn);
    while (rc == RC_OK && !turn->lost && !is_first(t, turn))
        if (pthread_cond_timedwait(&t->left, &t->lock, &end) == ETIMEDOUT)
            rc = RC_BUSY;
    if (turn->lost)
        rc = RC_STOPPED;
    else if (is_first(t, turn))
        rc = RC_OK;
    if (rc != RC_OK)
        take_out(t, turn);
    pthread_mutex_unlock(&t->lock);
    return rc;
}

bool turns_lost(struct turns *t, const struct turn *turn)
{
    bool lost;

    pthread_mutex_lock(&t->lock);
    lost = turn->lost;
    pthread_mutex_unlock(&t->lock);
    return lost;
}

void turns_leave(struct turns *t, struct turn *turn)
{
    pthread_mutex_lock(&t->lock);
    take_out(t, turn);
    pthread_mutex_unlock(&t->lock);
}
