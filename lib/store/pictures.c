/*
 * The pictures of a video that its page shows beside it: the poster, and the small ones
 * of the seek bar.
 */
#include "store_priv.h"
#include "store_pictures.h"

enum rc store_storyboard_queue(struct store *st, const char *video_id)
{
    enum rc rc = store_run_text(st, SQL_JOB_DROP_STORYBOARD,
                                "DELETE FROM jobs WHERE video_id = ?1"
                                " AND kind = 'storyboard'",
                                video_id);

    return rc == RC_OK ? store_job_add(st, video_id, JOB_STORYBOARD, "") : rc;
}

enum rc store_job_storyboard(struct store *st, const struct job *job)
{
    enum rc rc;

    if (job->kind != JOB_STORYBOARD)
        return RC_INVALID;
    rc = store_job_begin(st, job);
    if (rc != RC_OK)
        return rc;
    return store_end(st, store_run_text(st, SQL_VIDEO_STORYBOARD,
                                        "UPDATE videos SET has_storyboard = 1"
                                        " WHERE id = ?1",
                                        job->video_id));
}

/* A poster that is being made just now is of another picture: its worker is fenced off.
 */
static enum rc choose(struct store *st, const char *id, int64_t at_us)
{
    sqlite3_stmt *q;
    enum rc rc = store_prepare(st, SQL_VIDEO_CHOOSE_POSTER,
                               "UPDATE videos SET poster_at_us = ?2 WHERE id = ?1", &q);

    if (rc != RC_OK)
        return rc;
    store_bind_text(q, 1, id);
    store_bind_int(q, 2, at_us);
    rc = store_finish(st, q);
    if (rc == RC_OK)
        rc = store_run_text(st, SQL_JOB_DROP_POSTER,
                            "DELETE FROM jobs WHERE video_id = ?1"
                            " AND kind = 'poster'",
                            id);
    if (rc == RC_OK)
        rc = store_job_add(st, id, JOB_POSTER, "");
    return rc == RC_OK ? store_note(st, ACTIVITY_INFO, "poster", id,
                                    "The picture at %.1f s is to be the poster",
                                    (double)at_us / 1e6)
                       : rc;
}

/* Of what is still coming in, only what is there can be shown. */
static int64_t known_us(const struct video *v)
{
    if (v->state == VIDEO_RECEIVING)
        return v->arrived_us;
    return v->state == VIDEO_PROCESSING || v->state == VIDEO_READY ? v->duration_us
                                                                   : -1;
}

enum rc store_video_choose_poster(struct store *st, const char *id, int64_t at_us)
{
    struct rendition all[STORE_RENDITIONS_MAX];
    size_t n = 0;
    struct video v;
    enum rc rc;

    if (at_us < 0)
        return RC_INVALID;
    rc = store_video_begin(st, id, &v);
    if (rc != RC_OK)
        return rc;
    rc = store_renditions(st, id, all, &n);
    if (rc == RC_OK && v.duration_us >= 0 && at_us > v.duration_us)
        rc = RC_INVALID;
    else if (rc == RC_OK && (n == 0 || at_us > known_us(&v)))
        rc = RC_CONFLICT;
    return store_end(st, rc == RC_OK ? choose(st, id, at_us) : rc);
}
