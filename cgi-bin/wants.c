#include "wants.h"

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

struct wants {
    struct want *first;
    int64_t wait_ms;
    int64_t batch_until_ms; /* of what is in flight */
};

enum rc wants_open(int64_t wait_ms, struct wants **out)
{
    struct wants *w = calloc(1, sizeof(*w));

    if (!w)
        return RC_NOMEM;
    w->wait_ms = wait_ms;
    *out = w;
    return RC_OK;
}

void wants_close(struct wants *w)
{
    struct want *want, *next;

    if (!w)
        return;
    for (want = w->first; want; want = next) {
        next = want->next;
        free(want);
    }
    free(w);
}

/* ---- who wants what ---------------------------------------------------------- */

static int64_t segment_of(const struct media_path *path)
{
    return path->segment == MEDIA_INIT ? 0 : path->segment;
}

struct want *wants_find(const struct wants *w, const char *video_id,
                        const struct media_path *path)
{
    for (struct want *want = w->first; want; want = want->next)
        if (want->segment == segment_of(path) &&
            strcmp(want->video_id, video_id) == 0 &&
            strcmp(want->rendition, path->rendition) == 0)
            return want;
    return NULL;
}

struct want *wants_add(struct wants *w, const char *video_id,
                       const struct media_path *path)
{
    struct want *want = calloc(1, sizeof(*want));

    if (!want)
        return NULL;
    memcpy(want->video_id, video_id, sizeof(want->video_id));
    memcpy(want->rendition, path->rendition, sizeof(want->rendition));
    want->segment = segment_of(path);
    want->next = w->first;
    w->first = want;
    return want;
}

void want_join(struct want *want, int64_t deadline_ms)
{
    want->n_waits++;
    if (deadline_ms > want->last_deadline_ms)
        want->last_deadline_ms = deadline_ms;
}

void want_leave(struct want *want, int64_t now_ms, enum wait_end end)
{
    want->n_waits--;
    want->came = end == WAIT_CAME;
    switch (end) {
    case WAIT_CAME:
        want->drop_ms = now_ms + WANTS_LAZY_MS;
        return;
    case WAIT_GONE:
        want->drop_ms = now_ms;
        return;
    case WAIT_REPLACED:
    case WAIT_LEFT:
        want->drop_ms = want->grace_ms > now_ms ? want->grace_ms : now_ms;
        return;
    case WAIT_EXPIRED:
        want->grace_ms = now_ms + WANTS_GRACE_MS;
        want->drop_ms = NEVER;
    }
}

static bool is_idle(const struct want *want)
{
    return want->n_waits == 0 && want->flight == ON_GROUND;
}

void wants_sweep(struct wants *w)
{
    struct want **at = &w->first;

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

/* ---- what the store has to be told ------------------------------------------ */

/* When the want's row has to be written, or written again; NEVER. A row that outlives
 * the last wait and its grace needs no renewal. */
static int64_t add_due_ms(const struct want *want)
{
    if (want->n_waits == 0 || want->flight != ON_GROUND)
        return NEVER;
    if (want->until_ms == 0)
        return 0;
    return want->until_ms < want->last_deadline_ms + WANTS_GRACE_MS
               ? want->until_ms - WANTS_GRACE_MS
               : NEVER;
}

/* When the want's row has to go, or has gone by itself. */
static int64_t drop_due_ms(const struct want *want)
{
    if (!is_idle(want))
        return NEVER;
    return want->drop_ms < want->until_ms ? want->drop_ms : want->until_ms;
}

int64_t wants_next_batch(const struct wants *w, int64_t now_ms)
{
    int64_t due = NEVER;

    for (const struct want *want = w->first; want; want = want->next) {
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
    if (b->n_add == WANTS_BATCH)
        return;
    want->flight = ADDING;
    put(&b->add[b->n_add++], want);
}

static void drop_in(struct wants_batch *b, struct want *want)
{
    if (b->n_drop == WANTS_BATCH)
        return;
    want->flight = DROPPING;
    put(&b->drop[b->n_drop++], want);
}

void wants_batch(struct wants *w, int64_t now_ms, struct wants_batch *out)
{
    struct want *want;

    out->n_add = out->n_drop = 0;
    out->keep_ms = w->wait_ms + WANTS_GRACE_MS;
    w->batch_until_ms = now_ms + out->keep_ms;
    for (want = w->first; want; want = want->next) {
        if (is_idle(want) && want->until_ms <= now_ms)
            want->until_ms = 0; /* expired: nothing to write */
        else if (add_due_ms(want) <= now_ms)
            add_to(out, want);
        else if (drop_due_ms(want) <= now_ms)
            drop_in(out, want);
    }
    /* A transaction anyway: what may wait a little goes along. */
    for (want = w->first; want && out->n_add + out->n_drop > 0; want = want->next)
        if (is_idle(want) && want->came && want->until_ms > now_ms)
            drop_in(out, want);
    wants_sweep(w);
}

void wants_written(struct wants *w, bool done)
{
    for (struct want *want = w->first; want; want = want->next) {
        if (done && want->flight == ADDING)
            want->until_ms = w->batch_until_ms;
        if (done && want->flight == DROPPING)
            want->until_ms = 0;
        want->flight = ON_GROUND;
    }
    wants_sweep(w);
}
