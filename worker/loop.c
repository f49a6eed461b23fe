#include "loop.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

#define EVENTS_MAX 32
#define RETRY_MS 100

struct loop_source {
    struct loop_source *next; /* in the list of the dead */
    struct loop *loop;
    struct loop_timer rest; /* set: epoll does not have it */
    int fd;
    uint32_t events; /* of epoll */
    bool dead;
    void (*ready)(void *arg);
    void *arg;
};

struct loop {
    int epoll_fd;
    bool stopped;
    struct loop_timer *timers; /* sorted by due_ms */
    struct loop_source *dead;  /* freed when no event can name them any more */
};

int64_t loop_now_ms(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

enum rc loop_open(struct loop **out)
{
    struct loop *l = calloc(1, sizeof(*l));
    if (!l)
        return RC_NOMEM;
    l->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    if (l->epoll_fd < 0) {
        free(l);
        return RC_IO;
    }
    *out = l;
    return RC_OK;
}

static void bury(struct loop *l)
{
    while (l->dead) {
        struct loop_source *s = l->dead;
        l->dead = s->next;
        free(s);
    }
}

void loop_close(struct loop *l)
{
    if (!l)
        return;
    bury(l);
    close(l->epoll_fd);
    free(l);
}

static bool add_to_epoll(struct loop_source *s)
{
    struct epoll_event ev = {.events = s->events, .data.ptr = s};
    return epoll_ctl(s->loop->epoll_fd, EPOLL_CTL_ADD, s->fd, &ev) == 0;
}

static enum rc watch(struct loop *l, int fd, uint32_t events, void (*ready)(void *arg),
                     void *arg, struct loop_source **out)
{
    struct loop_source *s = calloc(1, sizeof(*s));
    if (!s)
        return RC_NOMEM;
    *s = (struct loop_source){
        .loop = l, .fd = fd, .events = events, .ready = ready, .arg = arg};
    if (!add_to_epoll(s)) {
        free(s);
        return RC_IO;
    }
    *out = s;
    return RC_OK;
}

enum rc loop_watch(struct loop *l, int fd, void (*ready)(void *arg), void *arg,
                   struct loop_source **out)
{
    return watch(l, fd, EPOLLIN, ready, arg, out);
}

enum rc loop_watch_write(struct loop *l, int fd, void (*ready)(void *arg), void *arg,
                         struct loop_source **out)
{
    return watch(l, fd, EPOLLOUT, ready, arg, out);
}

void loop_unwatch(struct loop *l, struct loop_source *source)
{
    if (!source)
        return;
    if (source->rest.is_set)
        loop_timer_cancel(l, &source->rest);
    else
        epoll_ctl(l->epoll_fd, EPOLL_CTL_DEL, source->fd, NULL);
    source->dead = true;
    source->next = l->dead;
    l->dead = source;
}

static void on_rested(void *arg)
{
    struct loop_source *s = arg;
    if (!add_to_epoll(s)) /* no memory: there may be some later */
        loop_timer_set(s->loop, &s->rest, RETRY_MS, on_rested, s);
}

/* Out of epoll altogether, which tells of a hang-up whatever it is asked for. */
void loop_rest(struct loop *l, struct loop_source *source, int64_t ms)
{
    if (!source->rest.is_set)
        epoll_ctl(l->epoll_fd, EPOLL_CTL_DEL, source->fd, NULL);
    loop_timer_set(l, &source->rest, ms, on_rested, source);
}

void loop_timer_cancel(struct loop *l, struct loop_timer *t)
{
    if (!t->is_set)
        return;
    for (struct loop_timer **p = &l->timers; *p; p = &(*p)->next) {
        if (*p == t) {
            *p = t->next;
            break;
        }
    }
    t->is_set = false;
}

void loop_timer_set(struct loop *l, struct loop_timer *t, int64_t delay_ms,
                    void (*fire)(void *arg), void *arg)
{
    loop_timer_cancel(l, t);
    /* The clock was rounded down; one more, and nothing fires early. */
    t->due_ms = loop_now_ms() + delay_ms + 1;
    t->fire = fire;
    t->arg = arg;
    t->is_set = true;
    struct loop_timer **p = &l->timers;
    while (*p && (*p)->due_ms <= t->due_ms)
        p = &(*p)->next;
    t->next = *p;
    *p = t;
}

/* Only what was due on entry: what a callback sets to 0 ms is due a moment later. */
static void fire_timers(struct loop *l)
{
    int64_t now = loop_now_ms();
    while (l->timers && l->timers->due_ms <= now && !l->stopped) {
        struct loop_timer *t = l->timers;
        l->timers = t->next;
        t->is_set = false;
        t->fire(t->arg);
    }
}

static int wait_ms(const struct loop *l)
{
    if (!l->timers)
        return -1;
    int64_t ms = l->timers->due_ms - loop_now_ms();
    if (ms < 0)
        return 0;
    return ms > 3600000 ? 3600000 : (int)ms;
}

enum rc loop_run(struct loop *l)
{
    struct epoll_event events[EVENTS_MAX];
    l->stopped = false;
    while (!l->stopped) {
        int n = epoll_wait(l->epoll_fd, events, EVENTS_MAX, wait_ms(l));
        if (n < 0 && errno != EINTR)
            return RC_IO;
        for (int i = 0; i < n && !l->stopped; i++) {
            struct loop_source *s = events[i].data.ptr;
            if (!s->dead && !s->rest.is_set)
                s->ready(s->arg);
        }
        bury(l);
        fire_timers(l);
    }
    return RC_OK;
}

void loop_stop(struct loop *l)
{
    l->stopped = true;
}
