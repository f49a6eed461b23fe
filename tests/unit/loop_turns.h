/*
 * loop_turns.h: has a loop go round until something is so, or so many times.
 */
#ifndef DROPSTREAM_TEST_LOOP_TURNS_H
#define DROPSTREAM_TEST_LOOP_TURNS_H

#include "check.h"

#include "loop.h"

#define PATIENCE_MS 20000

static inline void loop_turns_end(void *loop)
{
    loop_stop(loop);
}

/* For so long, or until something stops the loop. */
static inline void loop_turn_for(struct loop *l, int64_t ms)
{
    struct loop_timer end = {.is_set = false};

    loop_timer_set(l, &end, ms, loop_turns_end, l);
    assert_int_equal(loop_run(l), RC_OK);
    loop_timer_cancel(l, &end);
}

/* Whatever is done bit by bit, each bit set for at once by the one before, does so many
 * bits meanwhile: timers of one moment fire in the order in which they were set. */
static inline void loop_turn_times(struct loop *l, int n)
{
    for (int i = 0; i < n; i++)
        loop_turn_for(l, 0);
}

/* The rest is what to say where it never comes to be so. */
#define loop_turn_until(l, is_so, ...)                                                 \
    for (int64_t end_ms_ = loop_now_ms() + PATIENCE_MS; !(is_so); loop_turn_for(l, 5)) \
        if (loop_now_ms() > end_ms_)                                                   \
    fail_msg("waited in vain for " __VA_ARGS__)

#endif
