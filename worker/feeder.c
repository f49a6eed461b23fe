#include "feeder.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#define TURN_BYTES (1 << 20) /* so that one feeder does not starve the others */

struct feeder {
    struct feeder_spec spec;
    struct loop_source *source; /* set while the pipe is waited for */
    size_t head_at;
    int64_t at;      /* in the file */
    int64_t arrived; /* bytes of the file that are there */
    bool whole;
    bool starving;
    bool closed; /* everything was moved, or the child reads no more */
};

static void on_room(void *arg);

static bool has_more(const struct feeder *f)
{
    return f->head_at < f->spec.head_size || f->at < f->arrived;
}

static void unwatch(struct feeder *f)
{
    loop_unwatch(f->spec.loop, f->source);
    f->source = NULL;
}

static void end(struct feeder *f)
{
    unwatch(f);
    if (!f->closed)
        close(f->spec.pipe_fd);
    f->closed = true;
}

static void tell(struct feeder *f, bool starving)
{
    if (f->starving == starving)
        return;
    f->starving = starving;
    if (f->spec.starving)
        f->spec.starving(f->spec.arg, starving);
}

/* Some bytes, at most max; 0: the file is shorter than was said; -1 with errno. */
static ssize_t move(struct feeder *f, size_t max)
{
    if (f->head_at < f->spec.head_size) {
        size_t left = f->spec.head_size - f->head_at;
        ssize_t n =
            write(f->spec.pipe_fd, f->spec.head + f->head_at, left < max ? left : max);
        f->head_at += n > 0 ? (size_t)n : 0;
        return n;
    }
    int64_t left = f->arrived - f->at;
    loff_t from = f->at;
    ssize_t n = splice(f->spec.file_fd, &from, f->spec.pipe_fd, NULL,
                       left < (int64_t)max ? (size_t)left : max, SPLICE_F_NONBLOCK);
    f->at += n > 0 ? n : 0;
    return n;
}

/* True if the pipe has to be waited for (or the next turn of the loop). */
static bool move_some(struct feeder *f)
{
    size_t budget = TURN_BYTES;
    while (budget > 0 && has_more(f)) {
        ssize_t n = move(f, budget);
        if (n > 0)
            budget -= (size_t)n;
        else if (n == 0)
            return false;
        else if (errno == EAGAIN)
            return true;
        else if (errno != EINTR) {
            end(f); /* the child has ended, or has had enough */
            return false;
        }
    }
    return has_more(f);
}

static void go_on(struct feeder *f)
{
    if (f->closed)
        return;
    bool wait = move_some(f);
    if (f->closed)
        return;
    if (wait && !f->source &&
        loop_watch_write(f->spec.loop, f->spec.pipe_fd, on_room, f, &f->source) !=
            RC_OK)
        f->source = NULL; /* the next arrival tries again */
    if (!wait)
        unwatch(f);
    if (!has_more(f) && f->whole)
        end(f);
    /* What was cut off behind our back is no reason to wait for ever. */
    tell(f, !wait && !f->closed && !has_more(f));
}

static void on_room(void *arg)
{
    go_on(arg);
}

enum rc feeder_open(const struct feeder_spec *spec, struct feeder **out)
{
    struct feeder *f = calloc(1, sizeof(*f));
    if (!f)
        return RC_NOMEM;
    f->spec = *spec;
    f->at = f->arrived = spec->offset;
    if (loop_watch_write(spec->loop, spec->pipe_fd, on_room, f, &f->source) != RC_OK) {
        free(f);
        return RC_IO;
    }
    *out = f;
    return RC_OK;
}

void feeder_arrived(struct feeder *f, int64_t size, bool whole)
{
    if (size > f->arrived)
        f->arrived = size;
    f->whole |= whole;
    if (!f->source)
        go_on(f);
}

int64_t feeder_moved(const struct feeder *f)
{
    return (int64_t)f->head_at + f->at - f->spec.offset;
}

void feeder_close(struct feeder *f)
{
    if (!f)
        return;
    end(f);
    free(f);
}
