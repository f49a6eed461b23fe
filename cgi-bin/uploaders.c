/*
 * A list of all of them: as many as the program has threads, at most.
 */
#include "uploaders.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A page sends two files at once, and a person may have more than one open, or a
 * program that brings dozens; what is left is for others. */
enum { A_FEW = 4 };

struct uploaders {
    pthread_mutex_t lock;
    struct uploader *first;
};

enum rc uploaders_open(struct uploaders **out)
{
    struct uploaders *all = calloc(1, sizeof(*all));

    if (!all)
        return RC_NOMEM;
    pthread_mutex_init(&all->lock, NULL);
    *out = all;
    return RC_OK;
}

void uploaders_close(struct uploaders *all)
{
    if (!all)
        return;
    pthread_mutex_destroy(&all->lock);
    free(all);
}

void uploader_read(struct uploader *out, const struct identity *who, const char *peer)
{
    *out = (struct uploader){.person = ""};
    if (who->asker.user_id > 0)
        snprintf(out->person, sizeof(out->person), "user %" PRId64, who->asker.user_id);
    else if (strcmp(peer, "127.0.0.1") != 0 && strcmp(peer, "::1") != 0)
        address_text(peer, out->person);
}

int64_t uploaders_most(const struct config *config)
{
    int64_t threads = config->upload_threads, most = threads * 2 / 3;

    if (config->uploads_per_person > 0)
        return config->uploads_per_person;
    if (most < A_FEW)
        most = A_FEW;
    if (most >= threads)
        most = threads - 1;
    return most > 0 ? most : 1;
}

enum rc uploaders_enter(struct uploaders *all, struct uploader *one, int64_t most)
{
    int64_t same = 0;

    pthread_mutex_lock(&all->lock);
    if (*one->person)
        for (const struct uploader *i = all->first; i; i = i->next)
            same += strcmp(i->person, one->person) == 0;
    if (same < most) {
        one->next = all->first;
        all->first = one;
    }
    pthread_mutex_unlock(&all->lock);
    return same < most ? RC_OK : RC_BUSY;
}

void uploaders_leave(struct uploaders *all, struct uploader *one)
{
    struct uploader **at = &all->first;

    pthread_mutex_lock(&all->lock);
    while (*at != one)
        at = &(*at)->next;
    *at = one->next;
    pthread_mutex_unlock(&all->lock);
}
