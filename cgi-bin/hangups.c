#include "hangups.h"

#include "log.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#define EVENTS 64 /* that are read at once; the others come with the next read */

struct hangups {
    int epoll_fd; /* -1: there is none */
};

enum rc hangups_open(struct hangups **out)
{
    struct hangups *h = calloc(1, sizeof(*h));

    if (!h)
        return RC_NOMEM;
    h->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    if (h->epoll_fd < 0)
        log_warn("epoll: %s; who hangs up is waited for to the end", strerror(errno));
    *out = h;
    return RC_OK;
}

void hangups_close(struct hangups *h)
{
    if (!h)
        return;
    if (h->epoll_fd >= 0)
        close(h->epoll_fd);
    free(h);
}

int hangups_fd(const struct hangups *h)
{
    return h->epoll_fd;
}

void hangups_add(struct hangups *h, int fd, uint64_t id)
{
    struct epoll_event ev = {.events = EPOLLRDHUP | EPOLLONESHOT, .data.u64 = id};

    if (h->epoll_fd >= 0 && fd >= 0 &&
        epoll_ctl(h->epoll_fd, EPOLL_CTL_ADD, fd, &ev) != 0)
        log_warn("epoll: %s", strerror(errno));
}

void hangups_read(struct hangups *h, void (*cb)(void *arg, uint64_t id), void *arg)
{
    struct epoll_event events[EVENTS];
    int n = h->epoll_fd >= 0 ? epoll_wait(h->epoll_fd, events, EVENTS, 0) : 0;

    for (int i = 0; i < n; i++)
        cb(arg, events[i].data.u64);
}
