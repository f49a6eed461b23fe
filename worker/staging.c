#include "staging.h"

#include "mediadir.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* A file in site/tmp that is to replace another one. There may be several for one
 * place, where tasks do not agree yet. */
struct staged {
    struct staged *next;
    struct staging *s;
    dev_t dev; /* of the folder … */
    ino_t ino;
    char name[64]; /* … and its name there */
    struct mediafile file;
    struct sync_order *order; /* NULL: it is over … */
    enum rc rc;               /* … and went so */
};

struct staging {
    struct loop *loop;
    struct syncer *syncer;
    int tmp_fd;
    struct staged *list;
    struct staging_waiter *waiters;
    struct loop_timer wake;
};

enum rc staging_open(struct loop *l, struct syncer *syncer, int tmp_fd,
                     struct staging **out)
{
    struct staging *s = calloc(1, sizeof(*s));
    if (!s)
        return RC_NOMEM;
    *s = (struct staging){.loop = l, .syncer = syncer, .tmp_fd = tmp_fd};
    *out = s;
    return RC_OK;
}

/* What was published is not there any more, and its descriptor is closed. */
static void drop(struct staged *e)
{
    struct staged **p = &e->s->list;
    while (*p != e)
        p = &(*p)->next;
    *p = e->next;
    syncer_forget(e->order);
    mediafile_abandon(e->s->tmp_fd, &e->file);
    free(e);
}

void staging_close(struct staging *s)
{
    if (!s)
        return;
    while (s->list)
        drop(s->list);
    if (s->loop)
        loop_timer_cancel(s->loop, &s->wake);
    free(s);
}

/* ---- what is waited for ----------------------------------------------------- */

static void append(struct staging *s, struct staging_waiter *waiter)
{
    struct staging_waiter **end = &s->waiters;
    while (*end)
        end = &(*end)->next;
    waiter->next = NULL;
    *end = waiter;
}

void staging_wait(struct staging *s, struct staging_waiter *waiter, const char *of,
                  void (*again)(void *arg), void *arg)
{
    staging_forget(s, waiter);
    *waiter =
        (struct staging_waiter){.of = of, .again = again, .arg = arg, .waits = true};
    append(s, waiter);
}

bool staging_is_awaited(const struct staging *s, const char *of)
{
    for (const struct staging_waiter *w = s->waiters; w; w = w->next)
        if (w->of && strcmp(w->of, of) == 0)
            return true;
    return false;
}

void staging_forget(struct staging *s, struct staging_waiter *waiter)
{
    struct staging_waiter **p = &s->waiters;
    if (!waiter->waits)
        return;
    while (*p != waiter)
        p = &(*p)->next;
    *p = waiter->next;
    waiter->waits = false;
}

/* Those who are there are called once each; they, and others, may come back or go. */
static void call_waiters(struct staging *s)
{
    struct staging_waiter last = {.waits = true}, *w;
    append(s, &last);
    while ((w = s->waiters) != &last) {
        staging_forget(s, w);
        w->again(w->arg);
    }
    staging_forget(s, &last);
}

/* What is on disk by now and was not asked for is wanted by nobody any more. */
static void on_wake(void *arg)
{
    struct staging *s = arg;
    call_waiters(s);
    for (struct staged *e = s->list, *next; e; e = next) {
        next = e->next;
        if (!e->order)
            drop(e);
    }
}

static void on_synced(void *arg, enum rc rc)
{
    struct staged *e = arg;
    e->order = NULL;
    e->rc = rc;
    if (e->s->syncer)
        loop_timer_set(e->s->loop, &e->s->wake, 0, on_wake, e->s);
}

/* ---- putting ---------------------------------------------------------------- */

static enum rc stage(struct staging *s, const struct stat *folder, const char *name,
                     const void *data, size_t n, struct staged **out)
{
    struct staged *e = calloc(1, sizeof(*e));
    if (!e)
        return RC_NOMEM;
    if (strlen(name) >= sizeof(e->name)) {
        free(e);
        return RC_TOO_LARGE;
    }
    e->s = s;
    e->dev = folder->st_dev;
    e->ino = folder->st_ino;
    strcpy(e->name, name);
    e->file.fd = -1;
    e->next = s->list;
    s->list = e;
    enum rc rc = mediafile_fill(s->tmp_fd, &e->file, data, n);
    if (rc == RC_OK) {
        int fd = fcntl(e->file.fd, F_DUPFD_CLOEXEC, 0);
        rc = fd < 0 ? rc_from_errno(errno)
                    : syncer_sync(s->syncer, &fd, 1, on_synced, e, &e->order);
    }
    if (rc != RC_OK)
        drop(e);
    else
        *out = e;
    return rc;
}

/* *out is NULL where these bytes are not on their way to that place. */
static enum rc find(const struct staging *s, const struct stat *folder,
                    const char *name, const void *data, size_t n, struct staged **out)
{
    enum rc rc = RC_OK;
    *out = NULL;
    for (struct staged *e = s->list; e && !*out && rc == RC_OK; e = e->next) {
        bool exists = false, same = false;
        if (e->dev != folder->st_dev || e->ino != folder->st_ino ||
            strcmp(e->name, name) != 0)
            continue;
        rc = mediafile_holds(s->tmp_fd, e->file.name, data, n, &exists, &same);
        if (same)
            *out = e;
    }
    return rc;
}

/* A file that is written, on its way into its place. */
struct place {
    int tmp_fd;
    struct mediafile *file;
    int dir_fd;
    const char *name;
    bool replace;
};

static enum rc publish(void *arg)
{
    const struct place *p = arg;
    return mediafile_publish(p->tmp_fd, p->file, p->dir_fd, p->name, p->replace);
}

/* guard may be NULL. The file is not ended where the guard does not hold. */
static enum rc publish_guarded(const struct staging_guard *guard, struct place *p)
{
    return guard ? guard->hold(guard->arg, publish, p) : publish(p);
}

static enum rc put_new(struct staging *s, const struct staging_guard *guard, int dir_fd,
                       const char *name, const void *data, size_t n)
{
    struct mediafile f;
    struct place place = {s->tmp_fd, &f, dir_fd, name, false};
    enum rc rc = mediafile_fill(s->tmp_fd, &f, data, n);
    if (rc != RC_OK)
        return rc;
    rc = publish_guarded(guard, &place);
    mediafile_abandon(s->tmp_fd, &f); /* where it was not let in */
    return rc;
}

static enum rc replace(struct staging *s, const struct staging_guard *guard, int dir_fd,
                       const char *name, const void *data, size_t n, bool *wrote)
{
    struct stat folder;
    struct staged *e;
    if (fstat(dir_fd, &folder) < 0)
        return rc_from_errno(errno);
    enum rc rc = find(s, &folder, name, data, n, &e);
    if (rc == RC_OK && !e)
        rc = stage(s, &folder, name, data, n, &e);
    if (rc != RC_OK)
        return rc;
    if (e->order)
        return RC_PENDING;
    rc = e->rc;
    struct place place = {s->tmp_fd, &e->file, dir_fd, name, true};
    if (rc == RC_OK)
        rc = publish_guarded(guard, &place);
    if (rc == RC_OK)
        *wrote = true;
    drop(e);
    return rc;
}

enum rc staging_put(struct staging *s, int dir_fd, const char *name, const void *data,
                    size_t n, bool *wrote)
{
    return staging_put_guarded(s, NULL, dir_fd, name, data, n, wrote);
}

enum rc staging_put_guarded(struct staging *s, const struct staging_guard *guard,
                            int dir_fd, const char *name, const void *data, size_t n,
                            bool *wrote)
{
    bool exists = true, same = false;
    enum rc rc = mediafile_holds(dir_fd, name, data, n, &exists, &same);
    if (rc != RC_OK || same)
        return rc;
    if (!exists) {
        rc = put_new(s, guard, dir_fd, name, data, n);
        if (rc == RC_OK)
            *wrote = true;
        if (rc != RC_EXISTS)
            return rc;
    }
    return replace(s, guard, dir_fd, name, data, n, wrote);
}
