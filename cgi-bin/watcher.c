#include "watcher.h"

#include "log.h"

#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

/* A folder is one inode with one watch, but may have several names: one for each grant
 * that is a link to it. */
struct folder {
    struct folder *next;
    int wd; /* -1: no watch, or the folder is gone and its watch with it */
    int n_added;
    char name[];
};

struct watcher {
    pthread_mutex_t lock; /* of folders; held while cb runs */
    struct folder *folders;
    int fd;
    char base[PATH_MAX];
};

enum rc watcher_open(const char *base, struct watcher **out)
{
    struct watcher *w = calloc(1, sizeof(*w));

    if (!w)
        return RC_NOMEM;
    pthread_mutex_init(&w->lock, NULL);
    snprintf(w->base, sizeof(w->base), "%s", base);
    w->fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
    if (w->fd < 0)
        log_warn("no inotify (%s): new segments are seen a little later",
                 strerror(errno));
    *out = w;
    return RC_OK;
}

void watcher_close(struct watcher *w)
{
    struct folder *next;

    if (!w)
        return;
    for (struct folder *f = w->folders; f; f = next) {
        next = f->next;
        free(f);
    }
    if (w->fd >= 0)
        close(w->fd);
    pthread_mutex_destroy(&w->lock);
    free(w);
}

int watcher_fd(const struct watcher *w)
{
    return w->fd;
}

static struct folder **find(struct watcher *w, const char *name)
{
    struct folder **at = &w->folders;

    while (*at && strcmp((*at)->name, name) != 0)
        at = &(*at)->next;
    return at;
}

/* -1 where the kernel gives no watch; the same number again for an inode that has one.
 */
static int watch(struct watcher *w, const char *name)
{
    char path[PATH_MAX + NAME_MAX];

    snprintf(path, sizeof(path), "%s/%s", w->base, name);
    return inotify_add_watch(w->fd, path, IN_CREATE | IN_MOVED_TO | IN_ONLYDIR);
}

static struct folder *new_folder(struct watcher *w, const char *name)
{
    size_t size = strlen(name) + 1;
    struct folder *f = calloc(1, sizeof(*f) + size);

    if (!f)
        return NULL;
    memcpy(f->name, name, size);
    f->wd = -1;
    f->next = w->folders;
    w->folders = f;
    return f;
}

enum rc watcher_add(struct watcher *w, const char *name)
{
    struct folder *f;

    pthread_mutex_lock(&w->lock);
    f = *find(w, name);
    if (!f)
        f = new_folder(w, name);
    if (f) {
        f->n_added++;
        if (f->wd < 0)
            f->wd = watch(w, name);
    }
    pthread_mutex_unlock(&w->lock);
    return f ? RC_OK : RC_NOMEM;
}

static bool is_watched(const struct watcher *w, int wd)
{
    for (const struct folder *f = w->folders; f; f = f->next)
        if (f->wd == wd)
            return true;
    return false;
}

void watcher_drop(struct watcher *w, const char *name)
{
    struct folder **at, *f;

    pthread_mutex_lock(&w->lock);
    at = find(w, name);
    f = *at;
    if (f && --f->n_added == 0) {
        *at = f->next;
        if (f->wd >= 0 && !is_watched(w, f->wd))
            inotify_rm_watch(w->fd, f->wd);
        free(f);
    }
    pthread_mutex_unlock(&w->lock);
}

static void tell(struct watcher *w, const struct inotify_event *ev, const char *name,
                 void (*cb)(void *arg, const char *folder, const char *name), void *arg)
{
    for (struct folder *f = w->folders; f; f = f->next) {
        if (f->wd != ev->wd)
            continue;
        if (ev->mask & IN_IGNORED)
            f->wd = -1;
        else if (ev->len > 0)
            cb(arg, f->name, name);
    }
}

void watcher_read(struct watcher *w,
                  void (*cb)(void *arg, const char *folder, const char *name),
                  void *arg, bool *lost)
{
    char buf[4096];
    ssize_t n;

    while (w->fd >= 0 && (n = read(w->fd, buf, sizeof(buf))) > 0) {
        pthread_mutex_lock(&w->lock);
        for (ssize_t at = 0; at + (ssize_t)sizeof(struct inotify_event) <= n;) {
            struct inotify_event ev;
            memcpy(&ev, buf + at, sizeof(ev));
            *lost |= (ev.mask & IN_Q_OVERFLOW) != 0;
            tell(w, &ev, buf + at + sizeof(ev), cb, arg);
            at += (ssize_t)(sizeof(ev) + ev.len);
        }
        pthread_mutex_unlock(&w->lock);
    }
}
