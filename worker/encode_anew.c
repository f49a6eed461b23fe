/*
 * encode_anew.c: an encode that another encoder began.
 *
 * Each run of a rendition has to give the init segment that is stored, byte by byte:
 * else what it makes cannot be mixed with what is there. After an upgrade of ffmpeg
 * that may differ. What a video is ready with is then planned again, all of it; what is
 * extra is made again alone. Either is another generation, under new addresses.
 */
#include "encode.h"

#include "log.h"
#include "mediadir.h"
#include "playlists.h"
#include "video_lists.h"

#include <string.h>
#include <unistd.h>

#define GENERATIONS_MAX 6 /* until another init segment each time counts as a fault */

static void remove_old(const struct task *t)
{
    const struct encode *e = t->state;
    char folder[STORE_RENDITION_MAX + 16];
    int fd;
    playlists_folder(&e->rendition, folder);
    if (mediadir_open(&t->w->site, t->video.media_root, "", false, &fd) != RC_OK)
        return;
    if (mediadir_remove_sub(fd, folder) != RC_OK)
        log_warn("video %s: cannot remove %s", t->video.id, folder);
    close(fd);
}

static void one_anew(struct task *t)
{
    enum rc rc = store_job_anew(t->w->store, &t->job);
    if (rc == RC_OK) {
        lists_follow(t->w, t->video.id);
        remove_old(t);
        task_end(t, "begun anew, as the encoder has changed");
    } else if (rc == RC_FENCED) {
        task_drop(t);
    } else {
        task_postpone(t, "It could not be begun anew.");
    }
}

static void all_anew(struct task *t, const char *why)
{
    struct worker *w = t->w;
    char id[ID_LEN + 1];
    strcpy(id, t->video.id);
    task_fail(t, why);
    enum rc rc = store_video_retry(w->store, id);
    /* One that is still coming in is planned again when it is whole. */
    if (rc != RC_OK && rc != RC_CONFLICT)
        log_error("video %s: cannot begin again: %s", id, rc_name(rc));
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

void encode_sound_anew(struct task *t)
{
    const struct encode *e = t->state;
    enum rc rc = store_job_encode_sound(t->w->store, &t->job);
    joblog_note(t->log, "%s", e->sentence);
    if (rc == RC_OK && t->video.state == VIDEO_RECEIVING)
        task_without(t, "The sound cannot be copied: it comes once the file is whole.");
    else if (rc == RC_OK)
        all_anew(t, "The sound cannot be copied: it is encoded.");
    else if (rc == RC_FENCED)
        task_drop(t);
    else
        task_retry(t, e->sentence);
}
