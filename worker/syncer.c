#include "syncer.h"

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

struct sync_order {
    struct sync_order *next;
    enum rc rc;                          /* the thread's, until it hands it back */
    void (*done)(void *arg, enum rc rc); /* NULL: forgotten */
    void *arg;
    size_t n;
    int fds[];
};

struct list {
    struct sync_order *first, **end;
};

struct syncer {
    struct loop *loop;
    struct loop_source *source;
    int event_fd; /* something is in `ended` */
    pthread_t thread;
    pthread_mutex_t lock; /* of all below */
    pthread_cond_t changed;
    struct list waiting, ended;
    bool stopping;
};

static void clear(struct list *l)
{
    *l = (struct list){NULL, &l->first};
}

static void append(struct list *l, struct sync_order *o)
{
    o->next = NULL;
    *l->end = o;
    l->end = &o->next;
}

static struct sync_order *take_first(struct list *l)
{
    struct sync_order *o = l->first;
    if (!o)
        return NULL;
    l->first = o->next;
    if (!l->first)
        l->end = &l->first;
    return o;
}

static void close_all(const int *fds, size_t n)
{
    for (size_t i = 0; i < n; i++)
        close(fds[i]);
}

static enum rc sync_all(const int *fds, size_t n)
{
    enum rc rc = RC_OK;
    for (size_t i = 0; i < n && rc == RC_OK; i++)
        if (fsync(fds[i]) < 0)
            rc = rc_from_errno(errno);
    close_all(fds, n);
    return rc;
}

/* ---- the thread ----------------------------------------------------------- */

static void *work(void *arg)
{
    struct syncer *s = arg;
    const uint64_t one = 1;
    pthread_mutex_lock(&s->lock);
    while (!s->stopping) {
        struct sync_order *o = take_first(&s->waiting);
        if (!o) {
            pthread_cond_wait(&s->changed, &s->lock);
            continue;
        }
        pthread_mutex_unlock(&s->lock);
        o->rc = sync_all(o->fds, o->n);
        pthread_mutex_lock(&s->lock);
        append(&s->ended, o);
        ssize_t ignored = write(s->event_fd, &one, sizeof(one));
        (void)ignored; /* it only fails where it is up already */
    }
    pthread_mutex_unlock(&s->lock);
    return NULL;
}

/* ---- the loop ------------------------------------------------------------- */

static struct sync_order *take_ended(struct syncer *s)
{
    pthread_mutex_lock(&s->lock);
    struct sync_order *o = take_first(&s->ended);
    pthread_mutex_unlock(&s->lock);
    return o;
}

static void on_ended(void *arg)
{
    struct syncer *s = arg;
    struct sync_order *o;
    uint64_t n;
    ssize_t ignored = read(s->event_fd, &n, sizeof(n));
    (void)ignored;
    while ((o = take_ended(s))) {
        if (o->done)
            o->done(o->arg, o->rc);
        free(o);
    }
}

enum rc syncer_open(struct loop *l, struct syncer **out)
{
    struct syncer *s = calloc(1, sizeof(*s));
    if (!s)
        return RC_NOMEM;
    s->loop = l;
    clear(&s->waiting);
    clear(&s->ended);
    s->event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    enum rc rc =
        s->event_fd < 0 ? RC_IO : loop_watch(l, s->event_fd, on_ended, s, &s->source);
    if (rc == RC_OK) {
        pthread_mutex_init(&s->lock, NULL);
        pthread_cond_init(&s->changed, NULL);
        if (pthread_create(&s->thread, NULL, work, s) == 0) {
            *out = s;
            return RC_OK;
        }
        loop_unwatch(l, s->source);
        rc = RC_NOMEM;
    }
    if (s->event_fd >= 0)
        close(s->event_fd);
    free(s);
    return rc;
}

static void drop_all(struct list *l)
{
    struct sync_order *o;
    while ((o = take_first(l)))
        free(o);
}

void syncer_close(struct syncer *s)
{
    if (!s)
        return;
    pthread_mutex_lock(&s->lock);
    s->stopping = true;
    pthread_cond_signal(&s->changed);
    pthread_mutex_unlock(&s->lock);
    pthread_join(s->thread, NULL);
    for (const struct sync_order *o = s->waiting.first; o; o = o->next)
        close_all(o->fds, o->n);
    drop_all(&s->waiting);
    drop_all(&s->ended);
    loop_unwatch(s->loop, s->source);
    close(s->event_fd);
    pthread_mutex_destroy(&s->lock);
    pthread_cond_destroy(&s->changed);
    free(s);
}

enum rc syncer_sync(struct syncer *s, const int *fds, size_t n,
                    void (*done)(void *arg, enum rc rc), void *arg,
                    struct sync_order **out)
{
    if (!s) {
        *out = NULL;
        done(arg, sync_all(fds, n));
        return RC_OK;
    }
    struct sync_order *o = malloc(sizeof(*o) + n * sizeof(*fds));
    if (!o) {
        close_all(fds, n);
        return RC_NOMEM;
    }
    *o = (struct sync_order){.done = done, .arg = arg, .n = n};
    memcpy(o->fds, fds, n * sizeof(*fds));
    *out = o;
    pthread_mutex_lock(&s->lock);
    append(&s->waiting, o);
    pthread_cond_signal(&s->changed);
    pthread_mutex_unlock(&s->lock);
    return RC_OK;
}

void syncer_forget(struct sync_order *order)
{
    if (order)
        order->done = NULL;
}
