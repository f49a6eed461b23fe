#include "wake.h"

#include "log.h"

#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

#define WAL_NAME "dropstream.db-wal"

static const int64_t looks_ms[] = {1, 4, 15}; /* 1, 5 and 20 ms after the event */
#define LOOKS (sizeof(looks_ms) / sizeof(looks_ms[0]))

struct wake {
    struct loop *loop;
    struct store *store;
    int64_t poll_ms;
    void (*changed)(void *arg);
    void *arg;
    int inotify_fd; /* -1: no inotify to be had, the poll alone must do */
    struct loop_source *source;
    struct loop_timer look, poll;
    size_t next_look;
};

static void check(struct wake *w)
{
    bool changed = false;
    if (store_changed(w->store, &changed) == RC_OK && changed)
        w->changed(w->arg);
}

static void on_look(void *arg)
{
    struct wake *w = arg;
    if (++w->next_look < LOOKS)
        loop_timer_set(w->loop, &w->look, looks_ms[w->next_look], on_look, w);
    check(w);
}

static void on_poll(void *arg)
{
    struct wake *w = arg;
    loop_timer_set(w->loop, &w->poll, w->poll_ms, on_poll, w);
    check(w);
}

static bool names_wal(const char *buf, ssize_t n)
{
    bool found = false;
    for (ssize_t at = 0; at + (ssize_t)sizeof(struct inotify_event) <= n;) {
        struct inotify_event ev;
        memcpy(&ev, buf + at, sizeof(ev));
        const char *name = buf + at + sizeof(ev);
        found |= ev.len > 0 && strcmp(name, WAL_NAME) == 0;
        found |= (ev.mask & IN_Q_OVERFLOW) != 0;
        at += (ssize_t)(sizeof(ev) + ev.len);
    }
    return found;
}

/* An event starts the looks anew, but never puts off the first one: however busy the
 * database is, it is looked at, and at most once a millisecond. */
static void on_inotify(void *arg)
{
    struct wake *w = arg;
    char buf[4096];
    bool wal = false;
    ssize_t n;
    while ((n = read(w->inotify_fd, buf, sizeof(buf))) > 0)
        wal |= names_wal(buf, n);
    if (!wal)
        return;
    if (w->look.is_set && w->next_look == 0)
        return;
    w->next_look = 0;
    loop_timer_set(w->loop, &w->look, looks_ms[0], on_look, w);
}

static void start_inotify(struct wake *w, const char *db_dir)
{
    w->inotify_fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
    if (w->inotify_fd >= 0 &&
        inotify_add_watch(w->inotify_fd, db_dir, IN_MODIFY | IN_CREATE) >= 0 &&
        loop_watch(w->loop, w->inotify_fd, on_inotify, w, &w->source) == RC_OK)
        return;
    log_warn("no inotify: new jobs are seen every %lld ms only", (long long)w->poll_ms);
    if (w->inotify_fd >= 0)
        close(w->inotify_fd);
    w->inotify_fd = -1;
}

enum rc wake_open(struct loop *l, const struct site *site, struct store *st,
                  int64_t poll_ms, void (*changed)(void *arg), void *arg,
                  struct wake **out)
{
    char dir[PATH_MAX];
    enum rc rc = site_path(site, "db", dir);
    if (rc != RC_OK)
        return rc;
    struct wake *w = calloc(1, sizeof(*w));
    if (!w)
        return RC_NOMEM;
    *w = (struct wake){.loop = l,
                       .store = st,
                       .poll_ms = poll_ms,
                       .changed = changed,
                       .arg = arg,
                       .inotify_fd = -1};
    start_inotify(w, dir);
    loop_timer_set(l, &w->poll, poll_ms, on_poll, w);
    *out = w;
    return RC_OK;
}

void wake_close(struct wake *w)
{
    if (!w)
        return;
    loop_timer_cancel(w->loop, &w->look);
    loop_timer_cancel(w->loop, &w->poll);
    loop_unwatch(w->loop, w->source);
    if (w->inotify_fd >= 0)
        close(w->inotify_fd);
    free(w);
}
