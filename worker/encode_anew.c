/*
 * encode_anew.c: an encode that another encoder began, and a copy of sound that came
 * out otherwise than planned.
 *
 * Each run of a rendition has to give the init segment that is stored, byte by byte:
 * else what it makes cannot be mixed with what is there. After an upgrade of ffmpeg
 * that may differ. What a video is ready with is then planned again, all of it; what is
 * extra is made again alone. Sound that cannot be copied is encoded, and nothing else
 * made again. Each is another generation, under new addresses.
 */
#include "encode.h"

#include "plan.h"
#include "video_lists.h"

#define GENERATIONS_MAX 6 /* until another init segment each time counts as a fault */

static void one_anew(struct task *t)
{
    const struct encode *e = t->state;
    enum rc rc = store_job_anew(t->w->store, &t->job);
    if (rc == RC_OK) {
        lists_follow_without(t->w, &t->video, &e->rendition, 1);
        task_end(t, "begun anew, as the encoder has changed");
    } else if (rc == RC_FENCED) {
        task_drop(t);
    } else {
        task_postpone(t, "It could not be begun anew.");
    }
}

static void all_anew(struct task *t, const char *why)
{
    enum rc rc = store_job_plan_again(t->w->store, &t->job, why);
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
        all_anew(t, "The encoder has changed since this was begun.");
}

static size_t keep_copied_sounds(struct rendition *all, size_t n)
{
    size_t kept = 0;
    for (size_t i = 0; i < n; i++)
        if (all[i].kind == RENDITION_AUDIO && all[i].copied)
            all[kept++] = all[i];
    return kept;
}

void encode_sound_anew(struct task *t)
{
    static const char why[] = "The sound cannot be copied: it is encoded.";
    const struct encode *e = t->state;
    struct rendition all[STORE_RENDITIONS_MAX], encoded = {.kind = RENDITION_AUDIO};
    size_t n = 0;
    joblog_note(t->log, "%s", e->sentence);
    enum rc rc = store_renditions(t->w->store, t->video.id, all, &n);
    if (rc == RC_OK)
        rc = plan_encoded_sound(t->video.duration_us, &encoded);
    if (rc == RC_OK)
        rc = store_job_encode_sounds(t->w->store, &t->job, &encoded, why);
    if (rc == RC_OK) {
        /* Who has read an older master reads it anew. */
        lists_follow_without(t->w, &t->video, all, keep_copied_sounds(all, n));
        task_end(t, why);
    } else if (rc == RC_FENCED || rc == RC_NOT_FOUND) {
        task_drop(t);
    } else if (rc == RC_INVALID) {
        task_fail(t, e->sentence);
    } else {
        task_postpone(t, "The sound could not be begun anew.");
    }
}
