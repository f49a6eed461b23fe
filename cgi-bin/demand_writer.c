#include "demand_writer.h"

#include "log.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { RETRY_MS = 250 };

struct demand_writer {
    pthread_t thread;
    pthread_mutex_t *lock; /* of wants and stopping */
    pthread_cond_t changed;
    struct wants *wants;
    bool stopping;
    /* All below is the thread's own. */
    char path[PATH_MAX];
    struct clock clock;
    struct store *store; /* NULL: not opened yet */
    bool must_clear;
    bool failing; /* and the log knows */
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
    clock_gettime(CLOCK_MONOTONIC, &at);
    at.tv_sec += ms / 1000;
    at.tv_nsec += ms % 1000 * 1000000;
    if (at.tv_nsec >= 1000000000) {
        at.tv_sec++;
        at.tv_nsec -= 1000000000;
    }
    pthread_cond_timedwait(&d->changed, d->lock, &at);
}

static enum rc write_batch(struct demand_writer *d)
{
    const struct wants_batch *b = &d->batch;
    enum rc rc = RC_OK;

    if (!d->store)
        rc = store_open(d->path, &d->clock, &d->store);
    if (rc == RC_OK && d->must_clear) {
        rc = store_demand_clear(d->store);
        d->must_clear = rc != RC_OK;
    }
    if (rc == RC_OK && b->n_add + b->n_drop > 0)
        rc = store_demand_update(d->store, b->add, b->n_add, b->keep_ms, b->drop,
                                 b->n_drop);
    return rc;
}

/* One line when it begins and one when it is over, however long that takes. */
static void report(struct demand_writer *d, enum rc rc)
{
    if (rc == RC_OK && d->failing)
        log_info("demands reach the database again");
    if (rc != RC_OK && !d->failing)
        log_error("demands do not reach the database: %s: %s", rc_name(rc),
                  d->store ? store_message(d->store) : d->path);
    d->failing = rc != RC_OK;
}

/* Called and returns with the lock held. */
static enum rc write_now(struct demand_writer *d, int64_t at_ms)
{
    enum rc rc;

    wants_batch(d->wants, at_ms, &d->batch);
    pthread_mutex_unlock(d->lock);
    rc = write_batch(d);
    report(d, rc);
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
    store_close(d->store);
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
    snprintf(d->path, sizeof(d->path), "%s", path);
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
