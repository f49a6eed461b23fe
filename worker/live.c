#include "live.h"

#include "encode.h"
#include "spool.h"
#include "text.h"

#include <limits.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#define STATUS_MS 1000
#define PLAIN_STATUS_TURNS 10 /* without a terminal: every so many STATUS_MS */
#define STATUS_MAX 512
#define PENDING_MAX 32768
#define ROWS_A_TURN 10 /* of at most 1700 bytes each: they fit into what is pending */

struct live {
    struct worker *w;
    struct loop_timer timer;
    int64_t after; /* the last activity that was taken */
    int64_t turn;
    bool terminal, colour;
    bool status_shown;
    char pending[PENDING_MAX]; /* not written yet: nobody reads standard output */
    size_t pending_size;
};

static const char *paint(const struct live *l, const char *code)
{
    return l->colour ? code : "";
}

/* ---- output ------------------------------------------------------------- */

/* What does not fit is dropped whole: the log shows things, it keeps nothing. */
__attribute__((format(printf, 2, 3))) static void put(struct live *l, const char *fmt,
                                                      ...)
{
    va_list ap;
    size_t room = PENDING_MAX - l->pending_size;
    va_start(ap, fmt);
    int n = vsnprintf(l->pending + l->pending_size, room, fmt, ap);
    va_end(ap);
    if (n > 0 && (size_t)n < room)
        l->pending_size += (size_t)n;
}

/*
 * Writes what can be written without waiting: a terminal that was stopped with Ctrl-S,
 * or a pager that is not scrolled, must not stop the worker. poll(2) promises room for
 * PIPE_BUF bytes. False if some is left.
 */
static bool drain(struct live *l)
{
    struct pollfd p = {.fd = STDOUT_FILENO, .events = POLLOUT};
    while (l->pending_size > 0 && poll(&p, 1, 0) == 1) {
        size_t n = l->pending_size < PIPE_BUF ? l->pending_size : PIPE_BUF;
        ssize_t done = write(STDOUT_FILENO, l->pending, n);
        if (done <= 0) {
            l->pending_size = 0; /* whoever read has gone */
            break;
        }
        l->pending_size -= (size_t)done;
        memmove(l->pending, l->pending + done, l->pending_size);
    }
    return l->pending_size == 0;
}

static void put_time(struct live *l, int64_t wall_ms)
{
    time_t s = (time_t)(wall_ms / 1000);
    struct tm tm;
    localtime_r(&s, &tm);
    put(l, "%s%02d:%02d:%02d%s  ", paint(l, "\033[2m"), tm.tm_hour, tm.tm_min,
        tm.tm_sec, paint(l, "\033[0m"));
}

static enum rc show(void *arg, const struct activity *a)
{
    struct live *l = arg;
    static const char *const colours[] = {[ACTIVITY_INFO] = "",
                                          [ACTIVITY_WARN] = "\033[33m",
                                          [ACTIVITY_ERROR] = "\033[31m"};
    char title[61];
    l->after = a->id;
    put_time(l, a->at_ms);
    put(l, "%s%-7s%s ", paint(l, "\033[36m"), a->kind, paint(l, "\033[0m"));
    if (text_clean(title, sizeof(title), a->title) > 0)
        put(l, "%s%s%s  ", paint(l, "\033[1m"), title, paint(l, "\033[0m"));
    put(l, "%s%s%s\n", paint(l, colours[a->level]), a->message, paint(l, "\033[0m"));
    return RC_OK;
}

void live_changed(struct live *l)
{
    int64_t before = -1;
    if (!l || !drain(l))
        return; /* the rows wait in the store */
    if (l->status_shown)
        put(l, "\r\033[K");
    l->status_shown = false;
    while (before != l->after && drain(l)) {
        before = l->after;
        store_activity_list(l->w->store, 0, l->after, ROWS_A_TURN, show, l);
    }
    drain(l);
}

/* ---- progress ----------------------------------------------------------- */

struct status {
    const struct site *site;
    char text[STATUS_MAX];
    int used;
};

__attribute__((format(printf, 2, 3))) static void add(struct status *s, const char *fmt,
                                                      ...)
{
    va_list ap;
    int room = STATUS_MAX - s->used;
    va_start(ap, fmt);
    int n = vsnprintf(s->text + s->used, (size_t)room, fmt, ap);
    va_end(ap);
    if (n > 0)
        s->used += n < room ? n : room - 1;
}

static void add_task(struct status *s, const struct task *t)
{
    const char *what =
        t->job.rendition[0] ? t->job.rendition : job_kind_name(t->job.kind);
    char title[31];
    text_clean(title, sizeof(title), t->video.title);
    add(s, "%s%s %s", s->used ? "  |  " : "", what, title);
    if (!task_encodes(t))
        return;
    double seconds = (double)(loop_now_ms() - t->started_ms) / 1000;
    double length = t->video.duration_us > 0 ? (double)t->video.duration_us / 1e6 : 0;
    double speed = seconds > 0.5 ? t->progress * length / seconds : 0;
    add(s, " %.0f %%", t->progress * 100);
    if (speed > 0)
        add(s, " %.1fx", speed);
}

static enum rc add_upload(void *arg, const struct video *v)
{
    struct status *s = arg;
    char title[31];
    if (!spool_is_receiving(s->site, v->id)) /* interrupted: nothing moves */
        return RC_OK;
    text_clean(title, sizeof(title), v->title);
    add(s, "%supload %s", s->used ? "  |  " : "", title);
    if (v->size > 0)
        add(s, " %.0f %%", 100.0 * (double)v->received / (double)v->size);
    return RC_OK;
}

static int columns(void)
{
    struct winsize ws;
    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &ws) == 0 && ws.ws_col > 10)
        return ws.ws_col - 1;
    return 79;
}

static void on_timer(void *arg)
{
    struct live *l = arg;
    struct status s = {.site = &l->w->site};
    loop_timer_set(l->w->loop, &l->timer, STATUS_MS, on_timer, l);
    live_changed(l);
    if (l->pending_size > 0 || (!l->terminal && ++l->turn % PLAIN_STATUS_TURNS != 0))
        return;
    store_video_each_receiving(l->w->store, add_upload, &s);
    for (const struct task *t = l->w->tasks; t; t = t->next)
        add_task(&s, t);
    if (s.used == 0)
        return;
    if (l->terminal) {
        char line[STATUS_MAX];
        size_t width = (size_t)columns() + 1;
        text_clean(line, width < sizeof(line) ? width : sizeof(line), s.text);
        put(l, "%s%s%s", paint(l, "\033[2m"), line, paint(l, "\033[0m"));
        l->status_shown = true;
    } else {
        put_time(l, l->w->clock.wall_ms(l->w->clock.ctx));
        put(l, "progress %s\n", s.text);
    }
    drain(l);
}

/* ---- open and close ----------------------------------------------------- */

static enum rc remember(void *arg, const struct activity *a)
{
    ((struct live *)arg)->after = a->id;
    return RC_OK;
}

enum rc live_open(struct worker *w, struct live **out)
{
    struct live *l = calloc(1, sizeof(*l));
    if (!l)
        return RC_NOMEM;
    const char *term = getenv("TERM");
    l->w = w;
    l->terminal = isatty(STDOUT_FILENO) && !(term && strcmp(term, "dumb") == 0);
    l->colour = l->terminal && !getenv("NO_COLOR");
    store_activity_list(w->store, 0, -1, 1, remember, l);
    loop_timer_set(w->loop, &l->timer, STATUS_MS, on_timer, l);
    *out = l;
    return RC_OK;
}

void live_close(struct live *l)
{
    if (!l)
        return;
    loop_timer_cancel(l->w->loop, &l->timer);
    live_changed(l);
    free(l);
}
