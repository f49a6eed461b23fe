/*
 * supervise.h: watches over one child program from start to end.
 *
 * A table of state × event (see supervise.c) decides when a child is left alone, asked
 * to stop (SIGTERM), or made to (SIGKILL to its process group): when it makes no
 * progress, takes too long, is no longer wanted, or what it writes is refused. Exactly
 * one on_end follows a successful start, after all of its output was handed over.
 *
 * Standard error, and output that was refused, is read at a bounded rate and nothing of
 * it is lost: a child that floods them waits at its pipe and costs hardly any CPU here.
 */
#ifndef DROPSTREAM_SUPERVISE_H
#define DROPSTREAM_SUPERVISE_H

#include "jail.h"
#include "joblog.h"
#include "loop.h"
#include "rc.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SUPERVISE_WORDS_MAX 400

enum supervise_reason {
    SUPERVISE_EXITED,  /* by itself: look at status */
    SUPERVISE_STALLED, /* no output for stall_ms, which it had for itself */
    SUPERVISE_TIMEOUT, /* longer than limit_ms in all, likewise */
    SUPERVISE_STOPPED, /* by supervise_stop */
    SUPERVISE_REFUSED, /* on_output said no; see refusal */
};

struct supervise_end {
    enum supervise_reason reason;
    int status;        /* of waitpid(2) */
    enum rc refusal;   /* what on_output returned, if refused */
    const char *words; /* the last line of standard error, cleaned; "" if none */
    bool trouble;      /* of the machine, as it said there: see trouble.h */
};

struct supervise_spec {
    struct loop *loop;
    struct joblog
        *log; /* gets the command line and standard error; outlives the child */
    char *const *argv;
    int nice;
    const struct jail_cell *jail; /* as in child.h */
    bool fed;                     /* it reads a pipe: see supervise_take_stdin */
    int to_fd;        /* the write end of a pipe that its output goes to, unseen: it is
                         not missed where there is none. 0: to on_output */
    int64_t stall_ms; /* > 0; see own_time.h */
    int64_t limit_ms; /* likewise, but for pauses and while it starves; 0: none */
    int64_t grace_ms; /* between SIGTERM and SIGKILL */
    /* Any code but RC_OK stops the child; neither is then called again. on_second: for
     * a child that has a second output (see child.h), which counts as the first one
     * does; NULL: it has none. */
    enum rc (*on_output)(void *arg, const void *data, size_t n);
    enum rc (*on_second)(void *arg, const void *data, size_t n);
    void (*on_end)(void *arg, const struct supervise_end *end);
    void *arg;
};

struct supervised;

/* RC_NOT_FOUND: no such program. RC_IO, RC_NOMEM. spec is copied. */
enum rc supervise_start(const struct supervise_spec *spec, struct supervised **out);

/* True for an end that says something of what the program was given to read: it ended
 * by itself, also well, told of no trouble of the machine, and not as ffmpeg does where
 * it is asked to, or has no memory. */
bool supervise_had_its_say(const struct supervise_end *end);

/* Ends the child: politely, or at once if hard. on_end follows later. */
void supervise_stop(struct supervised *s, bool hard);

/* Lets the child stand still (SIGSTOP to its process group) or go on (SIGCONT). While
 * it stands still it may take as long as it likes, to write something and in all; it
 * can be stopped as ever. */
void supervise_pause(struct supervised *s, bool pause);

/* The write end of the pipe that a fed child reads, once; -1 if it is not fed. It is
 * the caller's, who closes it for the child to see the end of what it reads. */
int supervise_take_stdin(struct supervised *s);

/* Says that the child has nothing to read: meanwhile it need not write anything. */
void supervise_starve(struct supervised *s, bool starving);

/* Reaps every child that has ended; call it on SIGCHLD. May call on_end. */
void supervise_reap_all(void);

#endif
