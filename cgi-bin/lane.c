#include "lane.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>

/* As those of fcgi.c: the pages are the same. */
enum { STACK_BYTES = 512 * 1024 };

struct lane {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    void (*handle)(struct request *r, void *ctx);
    void *ctx;
    bool stopping;
    int n_threads;
    pthread_t *threads;
    size_t max, first, n; /* a ring */
    struct request *waiting[];
};

/* NULL: there is nothing more to do. */
static struct request *take(struct lane *l)
{
    struct request *r = NULL;

    pthread_mutex_lock(&l->lock);
    while (l->n == 0 && !l->stopping)
        pthread_cond_wait(&l->changed, &l->lock);
    if (l->n > 0) {
        r = l->waiting[l->first];
        l->first = (l->first + 1) % l->max;
        l->n--;
    }
    pthread_mutex_unlock(&l->lock);
    return r;
}

static void *work(void *arg)
{
    struct lane *l = arg;
    struct request *r;

    while ((r = take(l))) {
        l->handle(r, l->ctx);
        request_end(r);
    }
    return NULL;
}

static enum rc start(struct lane *l, int threads)
{
    pthread_attr_t attr;

    l->threads = calloc((size_t)threads, sizeof(*l->threads));
    if (!l->threads)
        return RC_NOMEM;
    pthread_attr_init(&attr);
    pthread_attr_setstacksize(&attr, STACK_BYTES);
    while (l->n_threads < threads &&
           pthread_create(&l->threads[l->n_threads], &attr, work, l) == 0)
        l->n_threads++;
    pthread_attr_destroy(&attr);
    return l->n_threads > 0 ? RC_OK : RC_IO;
}

enum rc lane_open(int threads, size_t max, void (*handle)(struct request *r, void *ctx),
                  void *ctx, struct lane **out)
{
    struct lane *l = calloc(1, sizeof(*l) + max * sizeof(l->waiting[0]));
    enum rc rc;

    if (!l)
        return RC_NOMEM;
    pthread_mutex_init(&l->lock, NULL);
    pthread_cond_init(&l->changed, NULL);
    l->handle = handle;
    l->ctx = ctx;
    l->max = max;
    rc = start(l, threads);
    if (rc == RC_OK)
        *out = l;
    else
        lane_close(l);
    return rc;
}

enum rc lane_give(struct lane *l, struct request *r)
{
    bool room;

    pthread_mutex_lock(&l->lock);
    room = l->n < l->max;
    if (room) {
        /* Before any other thread can have it. */
        request_keep(r);
        l->waiting[(l->first + l->n++) % l->max] = r;
        pthread_cond_signal(&l->changed);
    }
    pthread_mutex_unlock(&l->lock);
    return room ? RC_OK : RC_BUSY;
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
    free(l);
}
