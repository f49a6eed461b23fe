#include "supervise.h"

#include "child.h"
#include "own_time.h"
#include "text.h"
#include "trouble.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ffmpeg's; the second is AVERROR(ENOMEM). */
#define STATUS_ASKED 255
#define STATUS_NOMEM 244

#define READ_BYTES 65536
#define READS_A_TURN 16 /* so that one busy child does not starve the others */
#define ERR_READS 2     /* a turn: what a pipe holds, and then its end */
/*
 * After each turn at what is of no use but to know how it ends, the pipe is left to
 * fill up for so long: a child that writes as fast as it can is slowed down by it, to
 * some 10 MB/s of standard error or 100 MB/s of refused output, and costs little.
 */
#define REST_MS 10
/* A look at a child's time at least so often within its patience: of what it had
 * before and after its last output, what is not known is taken for after. */
#define LOOKS 4

enum state { RUNNING, ASKED, KILLED, STATES };

enum event { EV_STOP, EV_STOP_HARD, EV_STALL, EV_LIMIT, EV_REFUSED, EV_GRACE, EVENTS };

struct supervised {
    struct supervised *next;
    struct supervise_spec spec;
    struct child child;
    struct loop_source *out_source, *err_source; /* NULL after end of file */
    struct loop_source *second_source;
    struct loop_timer look, grace;
    struct own_time time;
    int64_t silent_ms; /* of its own time, without output */
    int64_t all_ms;    /* of its own time */
    int64_t heard_ms;  /* when it wrote something last, or was begun to be watched */
    enum state state;
    bool paused;
    bool starving;
    bool exited; /* the child itself; not reaped before the end */
    struct supervise_end end;
    char line[SUPERVISE_WORDS_MAX + 1]; /* the last one of standard error */
    size_t line_size;
    bool line_over;              /* its end has come */
    char tail[TROUBLE_TEXT_MAX]; /* the last bytes of standard error */
    size_t tail_size;
};

static struct supervised *all;

static void take_event(struct supervised *s, enum event ev);

/* ---- actions ------------------------------------------------------------ */

static void on_grace(void *arg)
{
    take_event(arg, EV_GRACE);
}

static void ask(struct supervised *s)
{
    child_signal(&s->child, SIGTERM);
    child_signal(&s->child, SIGCONT); /* who stands still does not hear it */
    loop_timer_set(s->spec.loop, &s->grace, s->spec.grace_ms, on_grace, s);
    s->state = ASKED;
}

static void force(struct supervised *s)
{
    child_signal(&s->child, SIGKILL);
    loop_timer_set(s->spec.loop, &s->grace, s->spec.grace_ms, on_grace, s);
    s->state = KILLED;
}

static void maybe_end(struct supervised *s, bool give_up);

static void give_up(struct supervised *s)
{
    maybe_end(s, true);
}

static void ignore(struct supervised *s)
{
    (void)s;
}

static void (*const table[STATES][EVENTS])(struct supervised *s) = {
    /*            STOP    STOP_HARD  STALL   LIMIT   REFUSED  GRACE   */
    [RUNNING] = {ask, force, ask, ask, ask, give_up},
    [ASKED] = {ignore, force, ignore, ignore, ignore, force},
    [KILLED] = {ignore, ignore, ignore, ignore, ignore, give_up},
};

static void take_event(struct supervised *s, enum event ev)
{
    static const enum supervise_reason reasons[EVENTS] = {
        [EV_STOP] = SUPERVISE_STOPPED,    [EV_STOP_HARD] = SUPERVISE_STOPPED,
        [EV_STALL] = SUPERVISE_STALLED,   [EV_LIMIT] = SUPERVISE_TIMEOUT,
        [EV_REFUSED] = SUPERVISE_REFUSED,
    };
    /* The first cause is the one that is told. */
    if (s->state == RUNNING && ev != EV_GRACE)
        s->end.reason = reasons[ev];
    table[s->state][ev](s);
}

/* ---- the end ------------------------------------------------------------ */

static void drop_source(struct supervised *s, struct loop_source **source, int *fd)
{
    loop_unwatch(s->spec.loop, *source);
    *source = NULL;
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

static void drop_sources(struct supervised *s)
{
    drop_source(s, &s->out_source, &s->child.out_fd);
    drop_source(s, &s->second_source, &s->child.second_fd);
    drop_source(s, &s->err_source, &s->child.err_fd);
}

static void close_stdin(struct supervised *s)
{
    if (s->child.in_fd >= 0)
        close(s->child.in_fd);
    s->child.in_fd = -1;
}

static void unlink_from_all(struct supervised *s)
{
    for (struct supervised **p = &all; *p; p = &(*p)->next) {
        if (*p == s) {
            *p = s->next;
            return;
        }
    }
}

/* Over once the child has ended and all its pipes are at their end. */
static void maybe_end(struct supervised *s, bool without_pipes)
{
    bool open = s->out_source || s->second_source || s->err_source;
    if (!s->exited || (open && !without_pipes))
        return;
    close_stdin(s);
    drop_sources(s);
    loop_timer_cancel(s->spec.loop, &s->look);
    loop_timer_cancel(s->spec.loop, &s->grace);
    child_reap(&s->child, &s->end.status);
    unlink_from_all(s);
    char words[SUPERVISE_WORDS_MAX + 1];
    s->line[s->line_size] = '\0';
    text_clean(words, sizeof(words), s->line);
    s->end.words = words;
    s->spec.on_end(s->spec.arg, &s->end);
    free(s);
}

void supervise_reap_all(void)
{
    struct supervised *s = all;
    while (s) {
        struct supervised *next = s->next;
        if (!s->exited && child_has_ended(&s->child)) {
            s->exited = true;
            loop_timer_cancel(s->spec.loop, &s->look);
            /* Someone may still hold its pipes open: wait for them so long only. */
            loop_timer_set(s->spec.loop, &s->grace, s->spec.grace_ms, on_grace, s);
            maybe_end(s, false);
            next = all; /* on_end may have started or ended others */
        }
        s = next;
    }
}

/* ---- how long it takes --------------------------------------------------- */

/* False while it stands still, has nothing to read, or its output is not seen. */
static bool is_awaited(const struct supervised *s)
{
    return !s->paused && !s->starving && s->spec.to_fd == 0;
}

static void count_time(struct supervised *s)
{
    int64_t own_ms = own_time_take(&s->time, s->child.pid);
    int64_t since_ms = loop_now_ms() - s->heard_ms;
    if (!s->paused && !s->starving)
        s->all_ms += own_ms;
    if (is_awaited(s))
        s->silent_ms += own_ms;
    if (s->silent_ms > since_ms)
        s->silent_ms = since_ms;
}

/* ms until it can have been silent, or at work, for too long. */
static int64_t next_look_ms(const struct supervised *s)
{
    int64_t ms = s->spec.limit_ms > 0 ? s->spec.limit_ms - s->all_ms : INT64_MAX;
    if (is_awaited(s)) {
        int64_t left_ms = s->spec.stall_ms - s->silent_ms;
        int64_t often_ms = s->spec.stall_ms / LOOKS + 1;
        left_ms = left_ms < often_ms ? left_ms : often_ms;
        ms = left_ms < ms ? left_ms : ms;
    }
    return ms;
}

static void on_look(void *arg);

static void look_later(struct supervised *s)
{
    int64_t ms = next_look_ms(s);
    loop_timer_cancel(s->spec.loop, &s->look);
    if (ms < INT64_MAX)
        loop_timer_set(s->spec.loop, &s->look, ms, on_look, s);
}

static void on_look(void *arg)
{
    struct supervised *s = arg;
    count_time(s);
    if (is_awaited(s) && s->silent_ms >= s->spec.stall_ms)
        take_event(s, EV_STALL);
    else if (s->spec.limit_ms > 0 && s->all_ms >= s->spec.limit_ms)
        take_event(s, EV_LIMIT);
    if (s->state == RUNNING)
        look_later(s);
}

static void heard(struct supervised *s)
{
    s->heard_ms = loop_now_ms();
    s->silent_ms = 0;
}

/* It is to write something from now on, or need not any more. */
static void await_output(struct supervised *s, bool *why, bool value)
{
    count_time(s);
    *why = value;
    heard(s);
    look_later(s);
}

/* ---- what the child writes ---------------------------------------------- */

/* false at end of file or error. */
static bool read_some(int fd, char *buf, ssize_t *n)
{
    *n = read(fd, buf, READ_BYTES);
    if (*n > 0)
        return true;
    if (*n < 0 && (errno == EAGAIN || errno == EINTR)) {
        *n = 0;
        return true;
    }
    return false;
}

static void read_output(struct supervised *s, struct loop_source **source, int *fd,
                        enum rc (*take)(void *arg, const void *data, size_t n))
{
    static char buf[READ_BYTES];
    ssize_t n = 1;
    for (int turn = 0; turn < READS_A_TURN && n > 0; turn++) {
        if (!read_some(*fd, buf, &n)) {
            drop_source(s, source, fd);
            maybe_end(s, false);
            return;
        }
        if (n == 0 || s->end.refusal != RC_OK)
            continue; /* a refused stream is read to its end, so that nobody hangs */
        heard(s);
        s->end.refusal = take(s->spec.arg, buf, (size_t)n);
        if (s->end.refusal != RC_OK)
            take_event(s, EV_REFUSED);
    }
    if (s->end.refusal != RC_OK)
        loop_rest(s->spec.loop, *source, REST_MS);
}

static void on_stdout(void *arg)
{
    struct supervised *s = arg;
    read_output(s, &s->out_source, &s->child.out_fd, s->spec.on_output);
}

static void on_second(void *arg)
{
    struct supervised *s = arg;
    read_output(s, &s->second_source, &s->child.second_fd, s->spec.on_second);
}

/* Keeps the last line that is not empty; it may be cut off by the child's end. */
static void collect_words(struct supervised *s, const char *buf, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (buf[i] == '\n' || buf[i] == '\r') {
            s->line_over = true;
            continue;
        }
        if (s->line_over)
            s->line_size = 0;
        s->line_over = false;
        if (s->line_size < SUPERVISE_WORDS_MAX)
            s->line[s->line_size++] = buf[i];
    }
}

/* text: what came before, as far as it counts, and n bytes in all. */
static void look_for_trouble(struct supervised *s, const char *text, size_t n)
{
    s->end.trouble = s->end.trouble || trouble_in(text, n);
    s->tail_size = n < sizeof(s->tail) ? n : sizeof(s->tail);
    memcpy(s->tail, text + n - s->tail_size, s->tail_size);
}

static void on_stderr(void *arg)
{
    struct supervised *s = arg;
    static char text[TROUBLE_TEXT_MAX + READ_BYTES];
    ssize_t n = 1;
    for (int turn = 0; turn < ERR_READS && n > 0; turn++) {
        char *buf = text + s->tail_size;
        memcpy(text, s->tail, s->tail_size);
        if (!read_some(s->child.err_fd, buf, &n)) {
            drop_source(s, &s->err_source, &s->child.err_fd);
            maybe_end(s, false);
            return;
        }
        look_for_trouble(s, text, s->tail_size + (size_t)n);
        collect_words(s, buf, (size_t)n);
        joblog_write(s->spec.log, buf, (size_t)n);
    }
    loop_rest(s->spec.loop, s->err_source, REST_MS);
}

/* ---- start and stop ----------------------------------------------------- */

enum rc supervise_start(const struct supervise_spec *spec, struct supervised **out)
{
    struct supervised *s = calloc(1, sizeof(*s));
    if (!s)
        return RC_NOMEM;
    s->spec = *spec;
    s->spec.jail = NULL; /* it need not outlive the call */
    s->child.in_fd = s->child.out_fd = s->child.second_fd = s->child.err_fd = -1;
    struct child_how how = {.nice = spec->nice,
                            .jail = spec->jail,
                            .fed = spec->fed,
                            .second = spec->on_second != NULL,
                            .to_fd = spec->to_fd > 0 ? spec->to_fd : -1};
    enum rc rc = child_start(spec->argv, &how, &s->child);
    if (rc == RC_OK && s->child.out_fd >= 0)
        rc = loop_watch(spec->loop, s->child.out_fd, on_stdout, s, &s->out_source);
    if (rc == RC_OK)
        rc = loop_watch(spec->loop, s->child.err_fd, on_stderr, s, &s->err_source);
    if (rc == RC_OK && spec->on_second)
        rc =
            loop_watch(spec->loop, s->child.second_fd, on_second, s, &s->second_source);
    if (rc != RC_OK) {
        int status;
        child_signal(&s->child, SIGKILL);
        if (s->child.pid > 0)
            child_reap(&s->child, &status);
        close_stdin(s);
        drop_sources(s);
        free(s);
        return rc;
    }
    s->time = own_time_from_now(s->child.pid);
    heard(s);
    look_later(s);
    s->next = all;
    all = s;
    *out = s;
    return RC_OK;
}

bool supervise_had_its_say(const struct supervise_end *end)
{
    if (end->reason != SUPERVISE_EXITED || !WIFEXITED(end->status) || end->trouble)
        return false;
    return WEXITSTATUS(end->status) != STATUS_ASKED &&
           WEXITSTATUS(end->status) != STATUS_NOMEM;
}

void supervise_stop(struct supervised *s, bool hard)
{
    take_event(s, hard ? EV_STOP_HARD : EV_STOP);
}

void supervise_pause(struct supervised *s, bool pause)
{
    if (s->paused == pause || s->state != RUNNING || s->exited)
        return;
    child_signal(&s->child, pause ? SIGSTOP : SIGCONT);
    await_output(s, &s->paused, pause);
}

int supervise_take_stdin(struct supervised *s)
{
    int fd = s->child.in_fd;
    s->child.in_fd = -1;
    return fd;
}

void supervise_starve(struct supervised *s, bool starving)
{
    if (s->starving == starving || s->state != RUNNING || s->exited)
        return;
    await_output(s, &s->starving, starving);
}
