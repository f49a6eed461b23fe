#include "waits.h"

#include <stdlib.h>
#include <string.h>

#define NEVER INT64_MAX

/* A want in the batch that is being written stays where it is until that is done. */
enum flight { ON_GROUND, ADDING, DROPPING };

struct want {
    struct want *next;
    char video_id[ID_LEN + 1];
    char rendition[STORE_RENDITION_MAX + 1];
    int64_t segment;
    size_t n_waits;
    int64_t last_deadline_ms; /* of the waits it ever had */
    int64_t until_ms;         /* its row expires; 0: it has none */
    int64_t grace_ms;         /* until then a wait in vain keeps it */
    int64_t drop_ms;          /* without waits: its row is to go; NEVER: by itself */
    bool came;                /* its last wait ended with the file */
    enum flight flight;
};

struct waits {
    struct waits_limits limits;
    struct wait *first; /* oldest first, so also by deadline */
    struct wait **last;
    size_t count;
    struct want *wants;
    int64_t batch_until_ms; /* of what is in flight */
};

enum rc waits_open(const struct waits_limits *limits, struct waits **out)
{
    struct waits *w = calloc(1, sizeof(*w));

    if (!w)
        return RC_NOMEM;
    w->limits = *limits;
    w->last = &w->first;
    *out = w;
    return RC_OK;
}

void waits_close(struct waits *w)
{
    struct wait *x, *next_wait;
    struct want *want, *next_want;

    if (!w)
        return;
    for (x = w->first; x; x = next_wait) {
        next_wait = x->next;
        free(x);
    }
    for (want = w->wants; want; want = next_want) {
        next_want = want->next;
        free(want);
    }
    free(w);
}

/* ---- wants ------------------------------------------------------------------- */

static struct want *find_want(const struct waits *w, const struct wait_ask *ask)
{
    int64_t segment = ask->path.segment == MEDIA_INIT ? 0 : ask->path.segment;

    for (struct want *want = w->wants; want; want = want->next)
        if (want->segment == segment && strcmp(want->video_id, ask->video_id) == 0 &&
            strcmp(want->rendition, ask->path.rendition) == 0)
            return want;
    return NULL;
}

static struct want *new_want(struct waits *w, const struct wait_ask *ask)
{
    struct want *want = calloc(1, sizeof(*want));

    if (!want)
        return NULL;
    memcpy(want->video_id, ask->video_id, sizeof(want->video_id));
    memcpy(want->rendition, ask->path.rendition, sizeof(want->rendition));
    want->segment = ask->path.segment == MEDIA_INIT ? 0 : ask->path.segment;
    want->next = w->wants;
    w->wants = want;
    return want;
}

static void join(struct wait *x, struct want *want)
{
    x->want = want;
    want->n_waits++;
    if (x->deadline_ms > want->last_deadline_ms)
        want->last_deadline_ms = x->deadline_ms;
}

static void leave(struct want *want, int64_t now_ms, enum wait_end end)
{
    want->n_waits--;
    want->came = end == WAIT_CAME;
    if (end == WAIT_CAME)
        want->drop_ms = now_ms + WAITS_LAZY_MS;
    else if (end == WAIT_REPLACED)
        want->drop_ms = want->grace_ms > now_ms ? want->grace_ms : now_ms;
    else {
        want->grace_ms = now_ms + WAITS_GRACE_MS;
        want->drop_ms = NEVER;
    }
}

static bool is_idle(const struct want *want)
{
    return want->n_waits == 0 && want->flight == ON_GROUND;
}

/* Frees the wants that nobody has and no row tells of. */
static void sweep(struct waits *w)
{
    struct want **at = &w->wants;

    while (*at) {
        struct want *want = *at;
        if (is_idle(want) && want->until_ms == 0) {
            *at = want->next;
            free(want);
        } else {
            at = &want->next;
        }
    }
}

/* ---- waits that come --------------------------------------------------------- */

static bool same_folder(const struct media_path *a, const struct media_path *b)
{
    return a->generation == b->generation && strcmp(a->rendition, b->rendition) == 0 &&
           strcmp(a->key, b->key) == 0;
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
    return find_want(w, ask);
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
        leave(x->want, now_ms, end);
        x->end = end;
        x->next = NULL;
        *ended = x;
        ended = &x->next;
        w->count--;
    }
    w->last = at;
    sweep(w);
}

enum rc waits_add(struct waits *w, int64_t now_ms, const struct wait_ask *ask,
                  void *request, struct wait **ended)
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
        want = new_want(w, ask);
    if (!x || !want) {
        free(x);
        return RC_NOMEM;
    }
    x->request = request;
    x->ask = *ask;
    x->deadline_ms = now_ms + w->limits.wait_ms;
    join(x, want);
    c.want = want;
    for (struct wait *other = w->first; other; other = other->next) {
        if (!goes_along(other, &c))
            continue;
        leave(other->want, now_ms, WAIT_REPLACED);
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

/* ---- what the store has to be told ------------------------------------------ */

/* When the want's row has to be written, or written again; NEVER. A row that outlives
 * the last wait and its grace needs no renewal. */
static int64_t add_due_ms(const struct want *want)
{
    if (want->n_waits == 0 || want->flight != ON_GROUND)
        return NEVER;
    if (want->until_ms == 0)
        return 0;
    return want->until_ms < want->last_deadline_ms + WAITS_GRACE_MS
               ? want->until_ms - WAITS_GRACE_MS
               : NEVER;
}

/* When the want's row has to go, or has gone by itself. */
static int64_t drop_due_ms(const struct want *want)
{
    if (!is_idle(want))
        return NEVER;
    return want->drop_ms < want->until_ms ? want->drop_ms : want->until_ms;
}

int64_t waits_next_batch(const struct waits *w, int64_t now_ms)
{
    int64_t due = NEVER;

    for (const struct want *want = w->wants; want; want = want->next) {
        int64_t add = add_due_ms(want), drop = drop_due_ms(want);
        if (add < due)
            due = add;
        if (drop < due)
            due = drop;
    }
    if (due == NEVER)
        return -1;
    return due > now_ms ? due - now_ms : 0;
}

static void put(struct demand *out, const struct want *want)
{
    memset(out, 0, sizeof(*out));
    memcpy(out->video_id, want->video_id, sizeof(out->video_id));
    memcpy(out->rendition, want->rendition, sizeof(out->rendition));
    out->segment = want->segment;
}

static void add_to(struct wants_batch *b, struct want *want)
{
    if (b->n_add == WAITS_BATCH)
        return;
    want->flight = ADDING;
    put(&b->add[b->n_add++], want);
}

static void drop_in(struct wants_batch *b, struct want *want)
{
    if (b->n_drop == WAITS_BATCH)
        return;
    want->flight = DROPPING;
    put(&b->drop[b->n_drop++], want);
}

void waits_batch(struct waits *w, int64_t now_ms, struct wants_batch *out)
{
    struct want *want;

    out->n_add = out->n_drop = 0;
    out->keep_ms = w->limits.wait_ms + WAITS_GRACE_MS;
    w->batch_until_ms = now_ms + out->keep_ms;
    for (want = w->wants; want; want = want->next) {
        if (is_idle(want) && want->until_ms <= now_ms)
            want->until_ms = 0; /* expired: nothing to write */
        else if (add_due_ms(want) <= now_ms)
            add_to(out, want);
        else if (drop_due_ms(want) <= now_ms)
            drop_in(out, want);
    }
    /* A transaction anyway: what may wait a little goes along. */
    for (want = w->wants; want && out->n_add + out->n_drop > 0; want = want->next)
        if (is_idle(want) && want->came && want->until_ms > now_ms)
            drop_in(out, want);
    sweep(w);
}

void waits_written(struct waits *w, bool done)
{
    for (struct want *want = w->wants; want; want = want->next) {
        if (done && want->flight == ADDING)
            want->until_ms = w->batch_until_ms;
        if (done && want->flight == DROPPING)
            want->until_ms = 0;
        want->flight = ON_GROUND;
    }
    sweep(w);
}
