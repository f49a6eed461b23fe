/*
 * supervise_run.h: runs a shell script under supervision until it has ended, and keeps
 * what came of it. The script stands in for ffmpeg.
 */
#ifndef DROPSTREAM_TEST_SUPERVISE_RUN_H
#define DROPSTREAM_TEST_SUPERVISE_RUN_H

#include "check.h"

#include "supervise.h"
#include "tempdir.h"

#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#define RUN_PATIENCE_MS 20000 /* a test that takes longer has failed */

/* How a script is run: 0 and NULL are the defaults. */
struct how {
    int64_t stall_ms; /* 0: 10 s */
    int64_t limit_ms; /* 0: none */
    int64_t grace_ms; /* 0: 10 s */
    int64_t stop_ms;  /* supervise_stop after so long */
    int64_t kill_ms;  /* likewise, hard */
    int64_t pause_ms; /* supervise_pause after so long … */
    int64_t go_on_ms; /* … and until so long */
    enum rc refusal;  /* what on_output says … */
    int refuse_at;    /* … from this call on, from 1 */
    int nice;
    bool fed;               /* who runs it takes the pipe */
    bool second;            /* it has a second output … */
    enum rc second_refusal; /* … of which this is said */
    int to_fd;              /* 0: its output is taken here */
    struct joblog *log;
    const char *program; /* NULL: /bin/sh -c script */
};

struct run {
    struct loop *loop;
    struct how how;
    struct supervised *child;
    int calls;         /* of on_output */
    size_t bytes;      /* of output */
    char out[1024];    /* its beginning, with a NUL */
    char second[1024]; /* all of the second output, with a NUL */
    size_t second_bytes;
    int ends; /* calls of on_end */
    struct supervise_end end;
    char words[SUPERVISE_WORDS_MAX + 1];
    int64_t took_ms;
    struct loop_timer patience, stop, kill, pause, go_on;
    struct loop_source *signals;
    int signal_fd;
};

static inline enum rc run_output(void *arg, const void *data, size_t n)
{
    struct run *r = arg;
    assert_true(n > 0);
    if (r->bytes < sizeof(r->out) - 1) {
        size_t room = sizeof(r->out) - 1 - r->bytes;
        memcpy(r->out + r->bytes, data, n < room ? n : room);
    }
    r->bytes += n;
    return r->how.refuse_at && ++r->calls >= r->how.refuse_at ? r->how.refusal : RC_OK;
}

static inline enum rc run_second(void *arg, const void *data, size_t n)
{
    struct run *r = arg;
    assert_true(n > 0 && r->second_bytes + n < sizeof(r->second));
    memcpy(r->second + r->second_bytes, data, n);
    r->second_bytes += n;
    return r->how.second_refusal;
}

static inline void run_out_of_patience(void *arg)
{
    loop_stop(((struct run *)arg)->loop);
}

static inline void run_soft(void *arg)
{
    supervise_stop(((struct run *)arg)->child, false);
}

static inline void run_hard(void *arg)
{
    supervise_stop(((struct run *)arg)->child, true);
}

static inline void run_pause(void *arg)
{
    supervise_pause(((struct run *)arg)->child, true);
}

static inline void run_go_on(void *arg)
{
    supervise_pause(((struct run *)arg)->child, false);
}

static inline void run_signals(void *arg)
{
    struct signalfd_siginfo info;
    while (read(((struct run *)arg)->signal_fd, &info, sizeof(info)) > 0)
        supervise_reap_all();
}

static inline void run_ended(void *arg, const struct supervise_end *end)
{
    struct run *r = arg;
    r->ends++;
    r->end = *end;
    snprintf(r->words, sizeof(r->words), "%s", end->words);
    loop_timer_cancel(r->loop, &r->stop);
    loop_timer_cancel(r->loop, &r->kill);
    loop_timer_cancel(r->loop, &r->pause);
    loop_timer_cancel(r->loop, &r->go_on);
    loop_stop(r->loop);
}

static inline int open_descriptors(void)
{
    int n = 0;
    DIR *d = opendir("/proc/self/fd");
    assert_non_null(d);
    while (readdir(d))
        n++;
    closedir(d);
    return n;
}

static inline void run_open(struct run *r, const struct how *how)
{
    sigset_t set;
    *r = (struct run){.how = *how};
    sigemptyset(&set);
    sigaddset(&set, SIGCHLD);
    assert_int_equal(sigprocmask(SIG_BLOCK, &set, NULL), 0);
    assert_int_equal(loop_open(&r->loop), RC_OK);
    r->signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    assert_true(r->signal_fd >= 0);
    assert_int_equal(loop_watch(r->loop, r->signal_fd, run_signals, r, &r->signals),
                     RC_OK);
}

static inline void run_close(struct run *r)
{
    loop_unwatch(r->loop, r->signals);
    close(r->signal_fd);
    loop_close(r->loop);
}

static inline enum rc run_start(struct run *r, const char *script)
{
    char *shell[] = {(char[]){"/bin/sh"}, (char[]){"-c"}, NULL, NULL};
    char text[1024];
    snprintf(text, sizeof(text), "%s", r->how.program ? r->how.program : script);
    shell[2] = text;
    struct supervise_spec spec = {
        .loop = r->loop,
        .log = r->how.log,
        .argv = r->how.program ? shell + 2 : shell,
        .nice = r->how.nice,
        .fed = r->how.fed,
        .to_fd = r->how.to_fd,
        .stall_ms = r->how.stall_ms ? r->how.stall_ms : 10000,
        .limit_ms = r->how.limit_ms,
        .grace_ms = r->how.grace_ms ? r->how.grace_ms : 10000,
        .on_output = run_output,
        .on_second = r->how.second ? run_second : NULL,
        .on_end = run_ended,
        .arg = r,
    };
    return supervise_start(&spec, &r->child);
}

/* Runs a script to its end, which must come, and come once. */
static inline struct run *run_script(const char *script, const struct how *how)
{
    static struct run r;
    int before = open_descriptors();
    int64_t began = loop_now_ms();
    run_open(&r, how);
    assert_int_equal(run_start(&r, script), RC_OK);
    loop_timer_set(r.loop, &r.patience, RUN_PATIENCE_MS, run_out_of_patience, &r);
    if (how->stop_ms)
        loop_timer_set(r.loop, &r.stop, how->stop_ms, run_soft, &r);
    if (how->kill_ms)
        loop_timer_set(r.loop, &r.kill, how->kill_ms, run_hard, &r);
    if (how->pause_ms)
        loop_timer_set(r.loop, &r.pause, how->pause_ms, run_pause, &r);
    if (how->go_on_ms)
        loop_timer_set(r.loop, &r.go_on, how->go_on_ms, run_go_on, &r);
    assert_int_equal(loop_run(r.loop), RC_OK);
    r.took_ms = loop_now_ms() - began;
    r.out[r.bytes < sizeof(r.out) - 1 ? r.bytes : sizeof(r.out) - 1] = '\0';
    r.second[r.second_bytes] = '\0';
    assert_int_equal(r.ends, 1);
    run_close(&r);
    assert_int_equal(open_descriptors(), before);
    return &r;
}

/* Runs a script with a log of at most max_bytes, and gives what the log then holds:
 * *size bytes, of which the beginning is in text. */
static inline struct run *run_logged(const char *script, int64_t max_bytes,
                                     char text[64], int64_t *size)
{
    struct site site;
    char path[PATH_MAX];
    struct how how = {.log = NULL};
    struct stat st;
    tempdir_make(site.root);
    assert_int_equal(site_path(&site, "log", path), RC_OK);
    assert_int_equal(mkdir(path, 0700), 0);
    assert_int_equal(joblog_open(&site, 1, max_bytes, &how.log), RC_OK);
    struct run *r = run_script(script, &how);
    joblog_close(how.log);
    assert_int_equal(site_path(&site, "log/jobs/1.log", path), RC_OK);
    FILE *f = fopen(path, "r");
    assert_non_null(f);
    memset(text, 0, 64);
    assert_true(fread(text, 1, 63, f) > 0);
    assert_int_equal(fstat(fileno(f), &st), 0);
    *size = st.st_size;
    fclose(f);
    tempdir_remove(site.root);
    return r;
}

static inline void assert_exited(const struct run *r, int code)
{
    assert_int_equal(r->end.reason, SUPERVISE_EXITED);
    assert_true(WIFEXITED(r->end.status));
    assert_int_equal(WEXITSTATUS(r->end.status), code);
}

/* Ended by a signal, for this reason. */
static inline void assert_ended(const struct run *r, enum supervise_reason reason,
                                int sig)
{
    assert_int_equal(r->end.reason, reason);
    assert_true(WIFSIGNALED(r->end.status));
    assert_int_equal(WTERMSIG(r->end.status), sig);
}

#endif
