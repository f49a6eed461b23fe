/*
 * feeder.h: moves a growing file into the standard input of a child as it arrives.
 *
 * First come bytes that were put together in memory (the head), then the file from some
 * offset on, by splice(2), which copies nothing. Where the child is the slower one, the
 * pipe is full and epoll tells when it is not; where the file is, the feeder stands
 * still until it is told of more. Invariant: the pipe is closed only after the last
 * byte of a whole file, so a child never takes what has arrived so far for the end.
 */
#ifndef DROPSTREAM_FEEDER_H
#define DROPSTREAM_FEEDER_H

#include "loop.h"
#include "rc.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct feeder;

struct feeder_spec {
    struct loop *loop;
    int pipe_fd;         /* write end, non-blocking; the feeder's once it is open */
    int file_fd;         /* stays the caller's, who keeps it open; read by offset */
    const uint8_t *head; /* outlives the feeder; NULL: none */
    size_t head_size;
    int64_t offset; /* in the file, where its part begins */
    /* The child has nothing to read, or has again. Not called from feeder_open. */
    void (*starving)(void *arg, bool starving);
    void *arg;
};

/* Begins with what has arrived so far: nothing but the head. RC_IO, RC_NOMEM: pipe_fd
 * is still the caller's. */
enum rc feeder_open(const struct feeder_spec *spec, struct feeder **out);

/* Bytes 0 … size - 1 of the file are there, size never gets less; whole: there will be
 * no more. May call starving. */
void feeder_arrived(struct feeder *f, int64_t size, bool whole);

/* Bytes that were moved, those of the head included. */
int64_t feeder_moved(const struct feeder *f);

/* Closes the pipe if it is still open: whoever ends a feeder before the end of its file
 * has ended its child before. NULL is legal. */
void feeder_close(struct feeder *f);

#endif
