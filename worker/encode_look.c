/*
 * encode_look.c: what exists of a rendition when its job begins, or goes on after an
 * interruption. Nothing is made, and nothing told of it, before all files were looked
 * at.
 */
#include "encode.h"

static void on_turn(void *arg);

/* e->look is NULL afterwards unless there is more to look at. */
static enum rc look(struct task *t)
{
    struct encode *e = t->state;
    bool over = false;
    enum rc rc = segments_scan_some(e->look, ENCODE_LOOK_TURN, &over, &e->have);
    if (rc == RC_OK && !over)
        loop_timer_set(t->w->loop, &e->look_turn, 0, on_turn, t);
    else
        encode_look_stop(t);
    return rc;
}

/* What others do at the same files by now must not be undone. */
static void on_turn(void *arg)
{
    struct task *t = arg;
    const struct encode *e = t->state;
    struct worker *w = t->w;
    enum rc rc = store_job_check(w->store, &t->job);
    if (rc == RC_OK)
        rc = look(t);
    if (rc == RC_FENCED) {
        task_drop(t);
    } else if (rc != RC_OK) {
        task_not_started(t, rc);
    } else if (!e->look) {
        encode_begin(t);
        jobs_look_soon(w); /* at all that was left to wait for this */
    }
}

enum rc encode_look_start(struct task *t)
{
    struct encode *e = t->state;
    enum rc rc = segments_scan_open(e->dir_fd, e->rendition.segments, &e->look);
    if (rc == RC_OK)
        rc = look(t);
    if (rc == RC_OK && !e->look)
        encode_begin(t);
    return rc;
}

void encode_look_stop(struct task *t)
{
    struct encode *e = t->state;
    loop_timer_cancel(t->w->loop, &e->look_turn);
    segments_scan_close(e->look);
    e->look = NULL;
}
