/*
 * picture_pipe.h: two programs in a row that take small pictures out of a video: the
 * reader copies packets, the maker makes pictures of them; see args_pick.
 *
 * The pipe between the two is theirs alone. Exactly one on_end follows a successful
 * start, when both have ended.
 */
#ifndef DROPSTREAM_PICTURE_PIPE_H
#define DROPSTREAM_PICTURE_PIPE_H

#include "worker.h"

struct picture_pipe;

struct picture_pipe_spec {
    const struct args *reader, *maker; /* need not outlive the start */
    int nicer;                         /* as in struct task_child */
    int64_t stall_ms;                  /* without a picture */
    int64_t limit_ms;
    /* A picture of the maker's stream: its track, and its time on the timeline. */
    enum rc (*on_picture)(struct task *t, uint64_t track, int64_t time_us,
                          const uint8_t *data, size_t n);
    /* The pipe is gone by then. sentence: what went wrong with either of them; "" if
     * both came to their end. refusal: why no more was read of the maker's stream, what
     * picture_stream_feed returned. */
    void (*on_end)(struct task *t, enum rc refusal, const char *sentence);
};

/* RC_NOT_FOUND: there is no such program. RC_IO, RC_NOMEM. */
enum rc picture_pipe_start(struct task *t, const struct picture_pipe_spec *spec,
                           struct picture_pipe **out);

/* Ends both at once; on_end follows. */
void picture_pipe_stop(struct picture_pipe *p);

#endif
