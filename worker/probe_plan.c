/*
 * probe_plan.c: what is made of what a probe has found: the plan, its playlists and
 * rows; or of a file that came in as it was promised, what is left to do.
 */
#include "probe.h"

#include "log.h"
#include "mediadir.h"
#include "old_folders.h"
#include "plan.h"
#include "playlists.h"
#include "source_check.h"
#include "source_index.h"
#include "spool.h"
#include "subtitle_files.h"
#include "subtitle_tracks.h"
#include "video_lists.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct plan_limits limits_of(const struct task *t)
{
    const struct config *c = &t->w->config;
    const struct probe *p = t->state;
    return (struct plan_limits){
        .max_duration_us = c->max_duration_s * 1000000,
        .max_pixels = c->max_pixels,
        .file_size = t->video.size,
        .copies = c->source_max_mbps > 0,
        .cut_off = p->cut_off,
        .ladder = {c->ladder_max_side, c->ladder_pixel_mbits, c->ladder_near_percent},
    };
}

static int next_generation(struct task *t)
{
    struct rendition all[STORE_RENDITIONS_MAX];
    size_t n = 0;
    int newest = 0;
    if (store_renditions(t->w->store, t->video.id, all, &n) == RC_OK)
        for (size_t i = 0; i < n; i++)
            if (all[i].generation > newest)
                newest = all[i].generation;
    return newest + 1;
}

/* Of "360p-2" and the like: another worker has planned anew meanwhile, if this one was
 * frozen. */
static bool is_newer(const struct video_plan *plan, const char *folder)
{
    const char *dash = strrchr(folder, '-');
    return dash && atoi(dash + 1) > plan->renditions[0].generation;
}

static bool is_planned(const struct video_plan *plan, const char *folder)
{
    char name[STORE_RENDITION_MAX + 16];
    for (size_t i = 0; i < plan->n_renditions; i++) {
        playlists_folder(&plan->renditions[i], name);
        if (strcmp(name, folder) == 0)
            return true;
    }
    return false;
}

/* What has a dot in its name is a file. Subtitles stay: their job sees to them. */
static void remove_unplanned(int root_fd, const char *name, const void *arg)
{
    struct task *t = *(struct task *const *)arg;
    const struct probe *p = t->state;
    (void)root_fd;
    if (!strchr(name, '.') && strcmp(name, SUBTITLE_FOLDER) != 0 &&
        !is_planned(&p->plan, name) && !is_newer(&p->plan, name))
        old_folders_remove(t->w, t->video.media_root, name);
}

/* Folders of earlier generations; what remains is taken when the video is deleted. */
static void remove_old_generations(struct task *t)
{
    int fd;
    if (mediadir_open(&t->w->site, t->video.media_root, "", false, &fd) != RC_OK)
        return;
    mediadir_each(fd, remove_unplanned, &t);
    close(fd);
}

/* Those of copies; playlists_write has the others. */
static enum rc write_cuts(struct task *t)
{
    const struct probe *p = t->state;
    const struct video_plan *plan = &p->plan;
    enum rc rc = RC_OK;
    for (size_t i = 0; i < plan->n_renditions && rc == RC_OK; i++)
        if (plan->bounds[i].n > 0)
            rc = playlists_write_cut(&t->w->site, t->w->staging, t->video.media_root,
                                     &plan->renditions[i],
                                     &p->sounds[plan->renditions[i].stream].bounds);
    return rc;
}

static void keep_plan(struct task *t)
{
    struct probe *p = t->state;
    const struct video_plan *plan = &p->plan;
    struct worker *w = t->w;
    /* A worker that was frozen past its lease must not touch what another one made, and
     * what it made too late is left empty (grants.h). */
    enum rc rc = lists_make_folder(w, &t->video);
    if (rc == RC_OK)
        rc = store_job_check(w->store, &t->job);
    p->listed |= rc == RC_OK;
    if (rc == RC_OK)
        rc = write_cuts(t);
    if (rc == RC_OK)
        rc = lists_write(w, &t->video, plan->renditions, plan->n_renditions,
                         plan->duration_us < 0);
    if (rc == RC_OK)
        rc = store_job_planned(w->store, &t->job, plan);
    if (rc == RC_OK) {
        p->listed = false;
        /* What ended meanwhile may have listed the plan of before once more. */
        if (plan->renditions[0].generation > 1)
            lists_follow(w, t->video.id);
        remove_old_generations(t);
        if (!p->early)
            spool_remove_index(&w->site, t->video.id);
        task_end(t, "planned");
    } else if (rc == RC_PENDING) {
        task_wait_staged(t, keep_plan);
    } else {
        char sentence[STORE_TEXT_MAX + 1];
        snprintf(sentence, sizeof(sentence), "The playlists could not be written (%s).",
                 rc_name(rc));
        task_not_kept(t, rc, sentence);
    }
}

/* What has been promised while the file came in; *n is 0 where nothing was. */
static enum rc promised(struct task *t, struct rendition out[STORE_RENDITIONS_MAX],
                        size_t *n)
{
    *n = 0;
    if (t->video.state != VIDEO_PROCESSING)
        return RC_OK;
    return store_renditions(t->w->store, t->video.id, out, n);
}

/* What was made by an index that was sent ahead is only good if that is in the file. It
 * has done its service here. */
static bool index_was_true(struct task *t)
{
    const struct site *site = &t->w->site;
    char src[PATH_MAX], index[PATH_MAX];
    bool same = t->video.index_offset < 0 ||
                (spool_src_path(site, t->video.id, src) == RC_OK &&
                 spool_index_path(site, t->video.id, index) == RC_OK &&
                 source_holds(src, t->video.index_offset, index) == RC_OK);
    if (!same)
        joblog_note(t->log, "the index that was sent ahead is not that of the file");
    return same;
}

/* The end of an open-ended video is known: its playlists get theirs, before anybody is
 * told that it is ready. */
static enum rc write_ends(struct task *t, const struct video_plan *plan)
{
    struct probe *p = t->state;
    enum rc rc = store_job_check(t->w->store, &t->job);
    p->listed |= rc == RC_OK;
    if (rc == RC_OK)
        rc = lists_write(t->w, &t->video, plan->renditions, plan->n_renditions, false);
    return rc;
}

/* The whole file keeps what its header promised: nothing has to be made again. What it
 * has besides is listed once the store has taken it. */
static void confirm(struct task *t)
{
    struct probe *p = t->state;
    const struct video_plan *plan = &p->plan;
    bool ready = false;
    enum rc rc = t->video.duration_us < 0 ? write_ends(t, plan) : RC_OK;
    if (rc == RC_OK)
        rc = store_job_confirmed(t->w->store, &t->job, plan, &ready);
    if (rc == RC_OK) {
        p->listed = false;
        lists_follow(t->w, t->video.id);
        spool_remove_index(&t->w->site, t->video.id);
    }
    if (rc == RC_OK)
        task_end(t, ready ? "as promised, the video is ready" : "as promised");
    else if (rc == RC_PENDING)
        task_wait_staged(t, confirm);
    else
        task_not_kept(t, rc, "The plan could not be confirmed.");
}

void probe_leave(struct task *t, const char *reason)
{
    enum rc rc = store_job_leave(t->w->store, &t->job, reason);
    if (rc == RC_OK)
        task_end(t, reason);
    else
        task_drop(t);
}

/* True if what was promised is kept; an open-ended *plan then goes on to its end. */
static bool keeps_promise(struct task *t, struct video_plan *plan)
{
    struct rendition before[STORE_RENDITIONS_MAX];
    size_t n = 0;
    if (promised(t, before, &n) != RC_OK || n == 0 || !index_was_true(t))
        return false;
    return t->video.duration_us < 0
               ? plan_is_continued(before, n, plan)
               : plan_is_kept(before, n, t->video.duration_us, plan);
}

/* What has arrived is promised, and more as it comes. */
static enum rc promise_arrived(const struct task *t, struct video_plan *plan)
{
    const struct arrival *a = task_arrival(t);
    int64_t longest_us = limits_of(t).max_duration_us;
    for (size_t i = 0; i < plan->n_renditions; i++) {
        struct rendition *r = &plan->renditions[i];
        struct grid g;
        if (r->extra)
            continue;
        int64_t reach_us = arrival_reach_us(a, r->stream);
        plan_open_grid(r, longest_us, &g);
        r->segments = arrival_segments(reach_us, &g);
        if (r->segments > plan_segments_max(arrival_size(a)))
            return RC_UNSUPPORTED;
        r->frames = r->segments * r->gop;
        if (r->segments == 0 || reach_us == ARRIVAL_ALL)
            return RC_UNSUPPORTED;
    }
    return RC_OK;
}

void probe_plan_open(struct task *t)
{
    struct probe *p = t->state;
    struct plan_limits limits = limits_of(t);
    struct video_plan *plan = &p->plan;
    char error[STORE_TEXT_MAX + 1];
    if (plan_make_open(&p->info, &limits, next_generation(t), plan, error) != RC_OK)
        probe_leave(t, error);
    else if (promise_arrived(t, plan) != RC_OK)
        probe_leave(t, "too little of it has arrived.");
    else
        keep_plan(t);
}

static bool copies_sound(const struct task *t)
{
    return t->w->config.sound_max_kbps > 0 && !t->video.encodes_sound;
}

static enum rc take_index(void *arg, const struct mp4_index *index)
{
    const struct task *t = arg;
    struct probe *p = t->state;
    packet_scan_take_index(&p->scan, index);
    return copies_sound(t)
               ? sound_copy_find(index, &p->info, t->w->config.sound_max_kbps * 1000,
                                 p->sounds)
               : RC_OK;
}

void probe_forget_sounds(struct probe *p)
{
    for (size_t i = 0; i < MEDIA_STREAMS_MAX; i++)
        sound_copy_free(&p->sounds[i]);
}

void probe_read_index(struct task *t)
{
    struct probe *p = t->state;
    char path[PATH_MAX];
    enum rc rc = RC_UNSUPPORTED;
    probe_forget_sounds(p);
    if (p->early && arrival_index(task_arrival(t)))
        rc = take_index(t, arrival_index(task_arrival(t)));
    else if (!p->early && probe_mp4_path(t, path))
        rc = source_index_read(path, t->w->config.index_max_mb << 20, take_index, t);
    if (rc != RC_OK)
        probe_forget_sounds(p);
}

void probe_plan(struct task *t)
{
    struct probe *p = t->state;
    struct plan_limits limits = limits_of(t);
    struct video_plan *plan = &p->plan;
    char error[STORE_TEXT_MAX + 1];
    if (plan_make(&p->info, &p->scan, p->whole, &limits, next_generation(t), plan,
                  error) != RC_OK) {
        if (p->early)
            probe_leave(t, error);
        else
            task_fail(t, error);
        return;
    }
    sound_copy_plan(p->sounds, plan);
    subtitle_tracks(&p->info, t->video.container, &plan->tracks);
    if (keeps_promise(t, plan))
        confirm(t);
    else
        keep_plan(t);
}
