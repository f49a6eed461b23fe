/*
 * encode_anew.c: an encode that another encoder began, and a copy of sound that came
 * out otherwise than planned.
 *
 * Each run of a rendition has to give the init segment that is stored, byte by byte:
 * else what it makes cannot be mixed with what is there. After an upgrade of ffmpeg
 * that may differ. What a video is ready with is then planned again, all of it; what is
 * extra is made again alone. Either is another generation, under new addresses.
 */
#include "encode.h"

#include "playlists.h"
#include "video_lists.h"

#define GENERATIONS_MAX 6 /* until another init segment each time counts as a fault */

static void one_anew(struct task *t)
{
    const struct encode *e = t->state;
    enum rc rc = store_job_anew(t->w->store, &t->job);
    if (rc == RC_OK) {
        lists_follow(t->w, t->video.id);
        playlists_remove(&t->w->site, t->video.media_root, &e->rendition);
        task_end(t, "begun anew, as the encoder has changed");
    } else if (rc == RC_FENCED) {
        task_drop(t);
    } else {
        task_postpone(t, "It could not be begun anew.");
    }
}

static void all_anew(struct task *t, const char *why, bool encode_sound)
{
    enum rc rc = store_job_plan_again(t->w->store, &t->job, why, encode_sound);
    if (rc == RC_OK)
        task_end(t, why);
    else if (rc == RC_FENCED)
        task_drop(t);
    else
        task_postpone(t, "It could not be planned again.");
}

void encode_start_over(struct task *t)
{
    const struct encode *e = t->state;
    if (e->rendition.generation >= GENERATIONS_MAX)
        task_fail(t, "The encoder gives something else each time.");
    else if (e->rendition.extra)
        one_anew(t);
    else
        all_anew(t, "The encoder has changed since this was begun.", false);
}

void encode_sound_anew(struct task *t)
{
    const struct encode *e = t->state;
    joblog_note(t->log, "%s", e->sentence);
    if (t->video.state != VIDEO_RECEIVING) {
        all_anew(t, "The sound cannot be copied: it is encoded.", true);
        return;
    }
    enum rc rc = store_job_encode_sound(t->w->store, &t->job);
    if (rc == RC_OK)
        task_without(t, "The sound cannot be copied: it comes once the file is whole.");
    else if (rc == RC_FENCED)
        task_drop(t);
    else
        task_retry(t, e->sentence);
}
