#include "waits.h"

#include <stdlib.h>
#include <string.h>

struct waits {
    struct waits_limits limits;
    struct wait *first; /* oldest first, so also by deadline */
    struct wait **last;
    size_t count;
    uint64_t last_id;
    struct wants *wants;
};

enum rc waits_open(const struct waits_limits *limits, struct waits **out)
{
    struct waits *w = calloc(1, sizeof(*w));

    if (!w || wants_open(limits->wait_ms, &w->wants) != RC_OK) {
        free(w);
        return RC_NOMEM;
    }
    w->limits = *limits;
    w->last = &w->first;
    *out = w;
    return RC_OK;
}

void waits_close(struct waits *w)
{
    struct wait *x, *next;

    if (!w)
        return;
    for (x = w->first; x; x = next) {
        next = x->next;
        free(x);
    }
    wants_close(w->wants);
    free(w);
}

struct wants *waits_wants(const struct waits *w)
{
    return w->wants;
}

/* ---- waits that come --------------------------------------------------------- */

static bool same_folder(const struct media_path *a, const struct media_path *b)
{
    return media_path_folder_order(a, b) == 0;
}

/* True if x is of the viewer, the video and the kind of ask. */
static bool is_rival(const struct wait *x, const struct wait_ask *ask)
{
    return x->ask.kind == ask->kind && viewer_same(&x->ask.viewer, &ask->viewer) &&
           strcmp(x->ask.video_id, ask->video_id) == 0;
}

/*
 * The want that ask will share, NULL: a new one. Every run makes the init segment
 * first, so a viewer who wants a segment already needs no second run for its init.
 */
static struct want *want_for(const struct waits *w, const struct wait_ask *ask)
{
    if (ask->viewer.named && ask->path.segment == MEDIA_INIT)
        for (struct wait *x = w->first; x; x = x->next)
            if (is_rival(x, ask) && same_folder(&x->ask.path, &ask->path))
                return x->want;
    return wants_find(w->wants, ask->video_id, &ask->path);
}

/* A newcomer and whom it replaces. */
struct newcomer {
    const struct wait_ask *ask;
    const struct want *want;   /* what it will wait for; NULL: nobody did before */
    const struct want *oldest; /* anonymous: the want that it replaces, or NULL */
};

/* What anonymous viewers who look like this one wanted first, if they want as much as
 * they may without what it asks for. */
static const struct want *oldest_of_too_many(const struct waits *w,
                                             const struct newcomer *c)
{
    const struct want *seen[WAITS_ANONYMOUS];
    size_t n = 0, i;

    for (const struct wait *x = w->first; x && n < WAITS_ANONYMOUS; x = x->next) {
        if (x->want == c->want || !is_rival(x, c->ask))
            continue;
        for (i = 0; i < n && seen[i] != x->want; i++)
            ;
        if (i == n)
            seen[n++] = x->want;
    }
    return n == WAITS_ANONYMOUS ? seen[0] : NULL;
}

/* An init segment's wait whose viewer goes on to another segment of that rendition. */
static bool goes_along(const struct wait *x, const struct newcomer *c)
{
    return c->ask->viewer.named && x->want != c->want &&
           x->ask.path.segment == MEDIA_INIT && is_rival(x, c->ask) &&
           same_folder(&x->ask.path, &c->ask->path);
}

static bool is_replaced(const struct wait *x, const void *arg)
{
    const struct newcomer *c = arg;

    if (!c->ask->viewer.named)
        return c->oldest && x->want == c->oldest && is_rival(x, c->ask);
    return x->want != c->want && is_rival(x, c->ask) && !goes_along(x, c);
}

static bool has_room(const struct waits *w, const struct newcomer *c)
{
    size_t all = 0, address = 0;

    for (const struct wait *x = w->first; x; x = x->next) {
        if (is_replaced(x, c))
            continue;
        all++;
        address += viewer_same_address(&x->ask.viewer, &c->ask->viewer);
    }
    return all < w->limits.total && address < w->limits.per_address;
}

static void join(struct wait *x, struct want *want)
{
    x->want = want;
    want_join(want, x->deadline_ms);
}

/* Moves the waits that test says yes to from the table to the end of *ended. */
static void end_all(struct waits *w, int64_t now_ms, enum wait_end end,
                    bool (*test)(const struct wait *x, const void *arg),
                    const void *arg, struct wait **ended)
{
    struct wait **at = &w->first;

    while (*ended)
        ended = &(*ended)->next;
    while (*at) {
        struct wait *x = *at;
        if (!test(x, arg)) {
            at = &x->next;
            continue;
        }
        *at = x->next;
        want_leave(x->want, now_ms, end);
        x->end = end;
        x->next = NULL;
        *ended = x;
        ended = &x->next;
        w->count--;
    }
    w->last = at;
    wants_sweep(w->wants);
}

enum rc waits_add(struct waits *w, int64_t now_ms, const struct wait_ask *ask,
                  void *request, uint64_t *id, struct wait **ended)
{
    struct want *want = want_for(w, ask);
    struct newcomer c = {.ask = ask, .want = want};
    struct wait *x;

    if (!ask->viewer.named)
        c.oldest = oldest_of_too_many(w, &c);
    if (!has_room(w, &c))
        return RC_TOO_LARGE;
    x = calloc(1, sizeof(*x));
    if (x && !want)
        want = wants_add(w->wants, ask->video_id, &ask->path);
    if (!x || !want) {
        free(x);
        return RC_NOMEM;
    }
    *id = x->id = ++w->last_id;
    x->request = request;
    x->ask = *ask;
    x->deadline_ms = now_ms + w->limits.wait_ms;
    join(x, want);
    c.want = want;
    for (struct wait *other = w->first; other; other = other->next) {
        if (!goes_along(other, &c))
            continue;
        want_leave(other->want, now_ms, WAIT_REPLACED);
        join(other, want);
    }
    end_all(w, now_ms, WAIT_REPLACED, is_replaced, &c, ended);
    *w->last = x;
    w->last = &x->next;
    w->count++;
    return RC_OK;
}

/* ---- waits that end ---------------------------------------------------------- */

static bool waits_for(const struct wait *x, const void *arg)
{
    const struct media_path *path = arg;

    return x->ask.path.segment == path->segment && same_folder(&x->ask.path, path);
}

void waits_came(struct waits *w, int64_t now_ms, const struct media_path *path,
                struct wait **ended)
{
    end_all(w, now_ms, WAIT_CAME, waits_for, path, ended);
}

static bool is_in_folder(const struct wait *x, const void *arg)
{
    return same_folder(&x->ask.path, arg);
}

void waits_gone(struct waits *w, int64_t now_ms, const struct media_path *path,
                struct wait **ended)
{
    end_all(w, now_ms, WAIT_GONE, is_in_folder, path, ended);
}

static bool has_id(const struct wait *x, const void *arg)
{
    return x->id == *(const uint64_t *)arg;
}

void waits_left(struct waits *w, int64_t now_ms, uint64_t id, struct wait **ended)
{
    end_all(w, now_ms, WAIT_LEFT, has_id, &id, ended);
}

static bool is_over(const struct wait *x, const void *arg)
{
    return x->deadline_ms <= *(const int64_t *)arg;
}

void waits_expire(struct waits *w, int64_t now_ms, struct wait **ended)
{
    end_all(w, now_ms, WAIT_EXPIRED, is_over, &now_ms, ended);
}

int64_t waits_next_expiry(const struct waits *w, int64_t now_ms)
{
    if (!w->first)
        return -1;
    return w->first->deadline_ms > now_ms ? w->first->deadline_ms - now_ms : 0;
}

size_t waits_count(const struct waits *w)
{
    return w->count;
}

enum rc waits_files(const struct waits *w, struct media_path **out, size_t *n)
{
    struct media_path *files = calloc(w->count + 1, sizeof(*files));
    size_t have = 0;

    if (!files)
        return RC_NOMEM;
    for (const struct wait *x = w->first; x; x = x->next)
        if (have == 0 || !waits_for(x, &files[have - 1]))
            files[have++] = x->ask.path;
    *out = files;
    *n = have;
    return RC_OK;
}
