/*
 * loop.h: the worker's event loop: file descriptors and timers, one thread.
 *
 * Invariant: a callback may remove any source or timer, its own included; none is
 * called after it was removed. Timers count in CLOCK_MONOTONIC and never fire early.
 */
#ifndef DROPSTREAM_LOOP_H
#define DROPSTREAM_LOOP_H

#include "rc.h"

#include <stdbool.h>
#include <stdint.h>

struct loop;
struct loop_source;

/* A timer lives in its owner's struct; all zero is a timer that is not set. */
struct loop_timer {
    struct loop_timer *next;
    int64_t due_ms;
    void (*fire)(void *arg);
    void *arg;
    bool is_set;
};

enum rc loop_open(struct loop **out);

/* Sources must have been removed, timers need not be. NULL is legal. */
void loop_close(struct loop *l);

/* Calls ready(arg) whenever fd can be read or has hung up. Level-triggered; fd stays
 * the caller's and is removed before it is closed. RC_IO, RC_NOMEM. */
enum rc loop_watch(struct loop *l, int fd, void (*ready)(void *arg), void *arg,
                   struct loop_source **out);
/* Likewise whenever fd can be written to, or nobody is left to read it. */
enum rc loop_watch_write(struct loop *l, int fd, void (*ready)(void *arg), void *arg,
                         struct loop_source **out);
void loop_unwatch(struct loop *l, struct loop_source *source);

/* Leaves a source alone for ms >= 0, whatever there is to be read. A rest that goes on
 * is replaced. Never fails. */
void loop_rest(struct loop *l, struct loop_source *source, int64_t ms);

/* Sets (or moves) t to fire once in delay_ms >= 0. Never fails. */
void loop_timer_set(struct loop *l, struct loop_timer *t, int64_t delay_ms,
                    void (*fire)(void *arg), void *arg);
void loop_timer_cancel(struct loop *l, struct loop_timer *t);

/* Runs until loop_stop. RC_IO if epoll fails. */
enum rc loop_run(struct loop *l);
void loop_stop(struct loop *l);

/* ms of CLOCK_MONOTONIC; what timers count in. */
int64_t loop_now_ms(void);

#endif
