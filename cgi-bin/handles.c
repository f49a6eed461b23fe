#include "handles.h"

#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

struct handles {
    pthread_mutex_t lock;
    pthread_cond_t given;
    char path[PATH_MAX];
    struct clock clock;
    int max;
    int opened; /* free, held or just being opened */
    int n_free;
    struct store *free[]; /* a stack: the one used last is warm */
};

enum rc handles_open(const char *path, const struct clock *clock, int max,
                     struct handles **out)
{
    struct handles *h = calloc(1, sizeof(*h) + (size_t)max * sizeof(h->free[0]));

    if (!h)
        return RC_NOMEM;
    pthread_mutex_init(&h->lock, NULL);
    pthread_cond_init(&h->given, NULL);
    snprintf(h->path, sizeof(h->path), "%s", path);
    h->clock = *clock;
    h->max = max;
    *out = h;
    return RC_OK;
}

enum rc handles_take(struct handles *h, struct store **out)
{
    enum rc rc;

    pthread_mutex_lock(&h->lock);
    while (h->n_free == 0 && h->opened == h->max)
        pthread_cond_wait(&h->given, &h->lock);
    if (h->n_free > 0) {
        *out = h->free[--h->n_free];
        pthread_mutex_unlock(&h->lock);
        return RC_OK;
    }
    h->opened++;
    pthread_mutex_unlock(&h->lock);

    rc = store_open(h->path, &h->clock, out);
    if (rc == RC_OK)
        return RC_OK;
    /* The place is free again, and whoever waits may try in turn. */
    pthread_mutex_lock(&h->lock);
    h->opened--;
    pthread_cond_signal(&h->given);
    pthread_mutex_unlock(&h->lock);
    return rc;
}

void handles_give(struct handles *h, struct store *st)
{
    pthread_mutex_lock(&h->lock);
    h->free[h->n_free++] = st;
    pthread_cond_signal(&h->given);
    pthread_mutex_unlock(&h->lock);
}

void handles_close(struct handles *h)
{
    if (!h)
        return;
    while (h->n_free > 0)
        store_close(h->free[--h->n_free]);
    pthread_cond_destroy(&h->given);
    pthread_mutex_destroy(&h->lock);
    free(h);
}
