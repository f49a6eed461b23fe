/*
 * arrival_tell.c: what the store is told of an upload that is coming in: how much of
 * the timeline is there, and that the picture for the poster is.
 */
#include "arrival_priv.h"

#include "log.h"

#define TELL_MS 1000 /* between two notes in the store */

/* How much of the timeline can be shown and heard; -1: there is no plan yet. */
static int64_t arrived_us(const struct arrival *a)
{
    struct rendition all[STORE_RENDITIONS_MAX];
    size_t n = 0;
    int64_t least = a->video.duration_us < 0 ? INT64_MAX : a->video.duration_us;
    if (store_renditions(a->all->w->store, a->video.id, all, &n) != RC_OK)
        return -1;
    for (size_t i = 0; i < n; i++) {
        int64_t us = arrival_reach_us(a, all[i].stream);
        if (us < least)
            least = us;
    }
    return n > 0 && least < INT64_MAX ? least : -1;
}

/* The picture for the poster is there. */
static void tell_of_picture(struct arrival *a, int64_t us)
{
    int64_t whole_us = a->video.duration_us;
    int64_t need_us = poster_at_us(whole_us) + ARRIVAL_MARGIN_US;
    if (whole_us >= 0 && need_us > whole_us)
        need_us = whole_us;
    if (a->pictured || us < need_us)
        return;
    enum rc rc = store_video_picture_arrived(a->all->w->store, a->video.id);
    a->pictured = rc == RC_OK || rc == RC_EXISTS || rc == RC_NOT_FOUND;
    if (!a->pictured)
        log_warn("video %s: cannot queue its poster: %s", a->video.id, rc_name(rc));
    if (rc == RC_OK)
        jobs_look_soon(a->all->w);
}

static void on_tell(void *arg)
{
    arrival_tell(arg);
}

/* About once a second, and only once there is a plan. */
void arrival_tell(struct arrival *a)
{
    struct store *st = a->all->w->store;
    int64_t now = loop_now_ms();
    if (a->state != HEADER_KNOWN || a->tell.is_set)
        return;
    if (now - a->told_ms < TELL_MS) {
        loop_timer_set(a->all->w->loop, &a->tell, TELL_MS - (now - a->told_ms), on_tell,
                       a);
        return;
    }
    a->told_ms = now;
    if (a->video.duration_us < 0 &&
        store_video_get(st, a->video.id, &a->video) != RC_OK)
        return;
    int64_t us = arrived_us(a);
    if (us >= 0 && us != a->told_us &&
        store_video_arrived(st, a->video.id, us) == RC_OK)
        a->told_us = us;
    if (us >= 0)
        tell_of_picture(a, us);
}
