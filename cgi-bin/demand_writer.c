#include "demand_writer.h"

#include "own_store.h"

#include <stdlib.h>
#include <time.h>

enum { RETRY_MS = 250 };

struct demand_writer {
    pthread_t thread;
    pthread_mutex_t *lock; /* of wants and stopping */
    pthread_cond_t changed;
    struct wants *wants;
    bool stopping;
    /* All below is the thread's own. */
    struct clock clock;
    struct own_store store;
    bool must_clear;
    struct wants_batch batch;
};

static int64_t now_ms(const struct demand_writer *d)
{
    return d->clock.boot_ms(d->clock.ctx);
}

/* Waits for a change, or ms; -1: for ever. */
static void wait_for_change(struct demand_writer *d, int64_t ms)
{
    struct timespec at;

    if (ms < 0) {
        pthread_cond_wait(&d->changed, d->lock);
        return;
    }
    at = clock_monotonic_in(ms);
    pthread_cond_timedwait(&d->changed, d->lock, &at);
}

static enum rc write_batch(struct demand_writer *d)
{
    const struct wants_batch *b = &d->batch;
    enum rc rc = own_store_open(&d->store);

    if (rc == RC_OK && d->must_clear) {
        rc = store_demand_clear(d->store.st);
        d->must_clear = rc != RC_OK;
    }
    if (rc == RC_OK && b->n_add + b->n_drop > 0)
        rc = store_demand_update(d->store.st, b->add, b->n_add, b->keep_ms, b->drop,
                                 b->n_drop);
    return rc;
}

/* Called and returns with the lock held. */
static enum rc write_now(struct demand_writer *d, int64_t at_ms)
{
    enum rc rc;

    wants_batch(d->wants, at_ms, &d->batch);
    pthread_mutex_unlock(d->lock);
    rc = write_batch(d);
    own_store_report(&d->store, rc);
    pthread_mutex_lock(d->lock);
    wants_written(d->wants, rc == RC_OK);
    return rc;
}

static void pause_unlocked(struct demand_writer *d)
{
    const struct timespec pause = {.tv_nsec = RETRY_MS * 1000000L};

    pthread_mutex_unlock(d->lock);
    nanosleep(&pause, NULL);
    pthread_mutex_lock(d->lock);
}

static void *run(void *arg)
{
    struct demand_writer *d = arg;

    pthread_mutex_lock(d->lock);
    while (!d->stopping) {
        int64_t due = wants_next_batch(d->wants, now_ms(d));
        if (due != 0 && !d->must_clear)
            wait_for_change(d, due);
        else if (write_now(d, now_ms(d)) != RC_OK)
            pause_unlocked(d);
    }
    /* Also what could have waited a little: there is no later. */
    if (wants_next_batch(d->wants, now_ms(d)) >= 0)
        write_now(d, now_ms(d) + WANTS_LAZY_MS);
    pthread_mutex_unlock(d->lock);
    own_store_close(&d->store);
    return NULL;
}

enum rc demand_writer_open(const char *path, const struct clock *clock, bool clear,
                           struct wants *wants, pthread_mutex_t *lock,
                           struct demand_writer **out)
{
    struct demand_writer *d = calloc(1, sizeof(*d));
    pthread_condattr_t attr;

    if (!d)
        return RC_NOMEM;
    own_store_init(&d->store, path, clock, "demands do not reach the database",
                   "demands reach the database again");
    d->clock = *clock;
    d->must_clear = clear;
    d->wants = wants;
    d->lock = lock;
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&d->changed, &attr);
    pthread_condattr_destroy(&attr);
    if (pthread_create(&d->thread, NULL, run, d) != 0) {
        pthread_cond_destroy(&d->changed);
        free(d);
        return RC_IO;
    }
    *out = d;
    return RC_OK;
}

void demand_writer_wake(struct demand_writer *d)
{
    pthread_cond_signal(&d->changed);
}

void demand_writer_close(struct demand_writer *d)
{
    if (!d)
        return;
    pthread_mutex_lock(d->lock);
    d->stopping = true;
    pthread_cond_signal(&d->changed);
    pthread_mutex_unlock(d->lock);
    pthread_join(d->thread, NULL);
    pthread_cond_destroy(&d->changed);
    free(d);
}
