/*
 * own_time.h: how much of the time that passes a process has for itself.
 *
 * On a machine with more to do than cores, a process with a high nice value may hardly
 * run for minutes. That is no sign that it hangs, and it is left out here: what counts
 * is the time in which the process ran, or wanted no core.
 */
#ifndef DROPSTREAM_OWN_TIME_H
#define DROPSTREAM_OWN_TIME_H

#include <stdint.h>
#include <sys/types.h>

struct own_time {
    int64_t at_ms;  /* until when it is counted; loop_now_ms */
    int64_t cpu_us; /* that it has used by then; -1: not known */
};

/* Counts from now on. pid: of a process that was not reaped yet. */
struct own_time own_time_from_now(pid_t pid);

/*
 * The ms since from_now or the last take that were the process's own, 0 to all of them.
 * It is looked at only now: if one of its threads wants a core (state R, proc(5),
 * /proc/PID/task/TID/stat), what they used of one was its own, else all was. So it is
 * to be taken several times before anything is concluded.
 */
int64_t own_time_take(struct own_time *t, pid_t pid);

#endif
