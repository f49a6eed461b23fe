#include "live.h"

#include <inttypes.h>
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

struct live {
    struct worker *w;
    struct loop_timer timer;
    int64_t after; /* the last activity that was shown */
    int64_t turn;
    bool terminal, colour;
    bool status_shown;
};

static const char *paint(const struct live *l, const char *code)
{
    return l->colour ? code : "";
}

static void put_time(const struct live *l, int64_t wall_ms)
{
    time_t s = (time_t)(wall_ms / 1000);
    struct tm tm;
    localtime_r(&s, &tm);
    printf("%s%02d:%02d:%02d%s  ", paint(l, "\033[2m"), tm.tm_hour, tm.tm_min,
           tm.tm_sec, paint(l, "\033[0m"));
}

static void erase_status(struct live *l)
{
    if (l->status_shown)
        fputs("\r\033[K", stdout);
    l->status_shown = false;
}

static enum rc show(void *arg, const struct activity *a)
{
    struct live *l = arg;
    static const char *const colours[] = {[ACTIVITY_INFO] = "",
                                          [ACTIVITY_WARN] = "\033[33m",
                                          [ACTIVITY_ERROR] = "\033[31m"};
    l->after = a->id;
    put_time(l, a->at_ms);
    printf("%s%-7s%s ", paint(l, "\033[36m"), a->kind, paint(l, "\033[0m"));
    if (a->title[0])
        printf("%s%.60s%s  ", paint(l, "\033[1m"), a->title, paint(l, "\033[0m"));
    printf("%s%s%s\n", paint(l, colours[a->level]), a->message, paint(l, "\033[0m"));
    return RC_OK;
}

void live_changed(struct live *l)
{
    if (!l)
        return;
    erase_status(l);
    store_activity_list(l->w->store, l->after, 1000, show, l);
    fflush(stdout);
}

/* ---- progress ----------------------------------------------------------- */

struct status {
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
    add(s, "%s%s %.30s", s->used ? "  |  " : "", what, t->video.title);
    if (t->job.kind != JOB_ENCODE)
        return;
    double seconds = (double)(loop_now_ms() - t->started_ms) / 1000;
    double speed =
        seconds > 0.5 ? t->progress * (double)t->video.duration_us / 1e6 / seconds : 0;
    add(s, " %.0f %%", t->progress * 100);
    if (speed > 0)
        add(s, " %.1fx", speed);
}

static enum rc add_upload(void *arg, const struct video *v)
{
    struct status *s = arg;
    add(s, "%supload %.30s", s->used ? "  |  " : "", v->title);
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
    struct status s = {.used = 0};
    loop_timer_set(l->w->loop, &l->timer, STATUS_MS, on_timer, l);
    live_changed(l);
    if (!l->terminal && ++l->turn % PLAIN_STATUS_TURNS != 0)
        return;
    store_video_each_receiving(l->w->store, add_upload, &s);
    for (const struct task *t = l->w->tasks; t; t = t->next)
        add_task(&s, t);
    if (s.used == 0)
        return;
    if (l->terminal) {
        printf("%s%.*s%s", paint(l, "\033[2m"), columns(), s.text, paint(l, "\033[0m"));
        l->status_shown = true;
    } else {
        put_time(l, l->w->clock.wall_ms(l->w->clock.ctx));
        printf("progress %s\n", s.text);
    }
    fflush(stdout);
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
    store_activity_list(w->store, -1, 1, remember, l);
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
