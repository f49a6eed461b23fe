/*
 * copy_job.c: makes a rendition of the packets of the source, as they are.
 *
 * First it is found out whether that can be done, and where to cut: by the list of all
 * packets, by the parameter sets of the keyframes, and by the init segment that ffmpeg
 * makes of the source. Then the rendition is promised, and the task goes on as an
 * encode (encode_job.c), whose runs copy. What cannot be cut is left out, with a
 * reason.
 */
#include "encode.h"

#include "codec_string.h"
#include "copy_cuts.h"
#include "param_sets.h"
#include "playlists.h"
#include "source_index.h"
#include "video_lists.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#define CHILDREN 3
#define NICER (-5) /* it reads more than it works */

enum child { CHILD_PACKETS, CHILD_SETS, CHILD_INIT };

struct copy;

/* One of the programs that look at the source. */
struct looker {
    struct copy *copy;
    enum child which;
    struct supervised *child;
};

struct copy {
    struct task *t;
    struct rendition rendition;
    struct looker lookers[CHILDREN];
    struct copy_cuts *cuts;
    struct param_sets sets;
    struct cutter *cutter;
    bool has_codecs;
    char problem[STORE_TEXT_MAX + 1]; /* of a program that failed; "" if none did */
    char verdict[STORE_TEXT_MAX + 1]; /* of one that found it cannot be copied */
    const char *refusal;              /* static, or the verdict; NULL: none so far */
    struct copy_found found;
};

static bool is_hevc(const struct task *t)
{
    return strcmp(t->video.video_codec, "hevc") == 0;
}

/* ---- what becomes of it ----------------------------------------------------- */

/* From here on the task is one that encodes. */
static void go_on(struct task *t)
{
    t->kind->release(t);
    t->state = NULL;
    t->kind = &task_encode;
    enum rc rc = t->kind->start(t);
    if (rc != RC_OK)
        task_retry(t, "The copy could not be begun.");
}

static void offer(struct task *t)
{
    struct copy *c = t->state;
    const struct copy_found *found = &c->found;
    struct rendition *r = &c->rendition;
    uint8_t *bytes = NULL;
    size_t n = 0;
    r->segments = found->bounds.n;
    r->frames = found->frames;
    r->bitrate = found->peak_bitrate;
    r->average_bitrate = found->average_bitrate;
    enum rc rc = store_job_check(t->w->store, &t->job);
    if (rc == RC_OK)
        rc = bounds_pack(&found->bounds, &bytes, &n);
    if (rc == RC_OK)
        rc = playlists_write_cut(&t->w->site, t->w->staging, t->video.media_root, r,
                                 &found->bounds);
    if (rc == RC_OK)
        rc = store_job_offer(t->w->store, &t->job, r, bytes, n);
    free(bytes);
    if (rc == RC_PENDING) {
        task_wait_staged(t, offer);
        return;
    }
    if (rc == RC_OK)
        rc = lists_follow(t->w, t->video.id);
    if (rc == RC_OK || rc == RC_PENDING)
        go_on(t);
    else
        task_not_kept(t, rc, "The playlists of the copy could not be written.");
}

static void decide(struct task *t)
{
    struct copy *c = t->state;
    struct copy_found *found = &c->found;
    param_sets_finish(&c->sets);
    if (!c->refusal && c->problem[0]) {
        task_retry(t, c->problem);
        return;
    }
    enum rc rc = copy_cuts_finish(c->cuts, t->video.duration_us, found);
    if (rc != RC_OK) {
        task_retry(t, "The keyframes could not be read.");
        return;
    }
    if (!c->refusal && found->refusal != COPY_FINE)
        c->refusal = copy_refusal_sentence(found->refusal);
    if (!c->refusal && c->sets.not_refresh)
        c->refusal = copy_refusal_sentence(COPY_OPEN_GOP);
    if (!c->refusal && c->sets.changed)
        c->refusal = "Its picture changes its parameters on the way.";
    if (!c->refusal && !c->has_codecs)
        c->refusal = "Its picture is in a format that browsers do not play.";
    if (c->refusal)
        task_without(t, c->refusal);
    else
        offer(t);
}

/* Once nothing is left to look at. t may be gone afterwards. */
static void settle(struct task *t)
{
    const struct copy *c = t->state;
    for (int i = 0; i < CHILDREN; i++)
        if (c->lookers[i].child)
            return;
    if (t->cancelled)
        task_drop(t);
    else
        decide(t);
}

/* ---- looking ---------------------------------------------------------------- */

static enum rc take_init(void *arg, const uint8_t *data, size_t n, uint32_t timescale)
{
    struct copy *c = arg;
    (void)timescale;
    c->has_codecs = codec_string(data, n, c->rendition.codecs) == RC_OK;
    return RC_OK;
}

static enum rc pass_fragment(void *arg, const struct cutter_fragment *f)
{
    (void)arg, (void)f;
    return RC_OK;
}

static enum rc pass_data(void *arg, const uint8_t *data, size_t n)
{
    (void)arg, (void)data, (void)n;
    return RC_OK;
}

static enum rc pass_end(void *arg)
{
    (void)arg;
    return RC_OK;
}

static enum rc on_output(void *arg, const void *data, size_t n)
{
    struct looker *l = arg;
    switch (l->which) {
    case CHILD_PACKETS:
        return copy_cuts_feed_text(l->copy->cuts, data, n);
    case CHILD_SETS:
        param_sets_feed(&l->copy->sets, data, n);
        return RC_OK;
    case CHILD_INIT:
        return cutter_feed(l->copy->cutter, data, n);
    }
    return RC_INVALID;
}

/* True for how a program ends that cannot copy the packets of this file: it will not in
 * a while either. */
static bool is_verdict(enum child which, const struct supervise_end *end)
{
    return which != CHILD_PACKETS && supervise_had_its_say(end) &&
           WEXITSTATUS(end->status) != 0;
}

static void take_verdict(struct copy *c, const struct supervise_end *end)
{
    char how[STORE_TEXT_MAX / 2];
    task_explain(c->t, c->t->w->config.ffmpeg, end, how, sizeof(how));
    snprintf(c->verdict, sizeof(c->verdict), "It could not be copied: %s", how);
    c->refusal = c->verdict;
}

static void on_end(void *arg, const struct supervise_end *end)
{
    struct looker *l = arg;
    struct copy *c = l->copy;
    const char *program =
        l->which == CHILD_PACKETS ? c->t->w->config.ffprobe : c->t->w->config.ffmpeg;
    /* ffmpeg takes what it cannot read for the end of the file, and ends well. */
    bool good = end->reason == SUPERVISE_EXITED && WIFEXITED(end->status) &&
                WEXITSTATUS(end->status) == 0 && !task_was_troubled(c->t, end);
    l->child = NULL;
    if (is_verdict(l->which, end) && !c->refusal)
        take_verdict(c, end);
    else if (!good && !c->problem[0])
        task_explain(c->t, program, end, c->problem, sizeof(c->problem));
    settle(c->t);
}

static enum rc args_of(const struct copy *c, enum child which, char path[PATH_MAX],
                       struct args *out)
{
    const struct config *config = &c->t->w->config;
    struct args_source src;
    int stream = c->rendition.stream;
    bool hevc = is_hevc(c->t);
    enum rc rc = task_source(
        c->t, which == CHILD_PACKETS ? config->ffprobe : config->ffmpeg, path, &src);
    if (rc != RC_OK)
        return rc;
    if (which == CHILD_PACKETS)
        return args_copy_packets(&src, stream, out);
    if (which == CHILD_SETS)
        return args_param_sets(&src, stream, hevc, out);
    return args_copy(&src, stream, hevc, 0, 1, NULL, out);
}

static enum rc look(struct copy *c, enum child which)
{
    struct looker *l = &c->lookers[which];
    struct args args;
    char path[PATH_MAX];
    enum rc rc = args_of(c, which, path, &args);
    *l = (struct looker){c, which, NULL};
    if (rc != RC_OK)
        return rc;
    return task_spawn(c->t, &args,
                      &(struct task_child){.nicer = NICER,
                                           .stall_ms = c->t->w->config.stall_s * 1000,
                                           .on_output = on_output,
                                           .on_end = on_end,
                                           .arg = l},
                      &l->child);
}

static bool has_param_sets(const struct task *t)
{
    return is_hevc(t) || strcmp(t->video.video_codec, "h264") == 0;
}

/* An index that can be read spares a program the reading of the whole file. */
static enum rc read_index(struct copy *c, bool *has_sets)
{
    struct task *t = c->t;
    struct source_index_takers takers = {c->cuts, has_param_sets(t) ? &c->sets : NULL,
                                         false};
    struct args_source src;
    char path[PATH_MAX];
    if (t->video.container != CONTAINER_MP4 && t->video.container != CONTAINER_MOV)
        return RC_UNSUPPORTED;
    enum rc rc = task_source(t, "", path, &src);
    if (rc == RC_OK)
        rc = source_index_packets(path, t->w->config.index_max_mb << 20,
                                  c->rendition.stream, &takers);
    *has_sets = rc == RC_OK && takers.has_sets;
    return rc;
}

static enum rc begin_to_look(struct copy *c)
{
    const struct cutter_events events = {take_init, pass_fragment, pass_data, pass_end,
                                         c};
    int64_t max_bitrate = c->t->w->config.source_max_mbps * 1000000;
    bool has_sets = false;
    enum rc rc = copy_cuts_open(max_bitrate, &c->cuts);
    if (rc == RC_OK)
        rc = cutter_open(&events, &c->cutter);
    if (rc != RC_OK)
        return rc;
    param_sets_init(&c->sets, is_hevc(c->t));
    rc = read_index(c, &has_sets);
    if (rc == RC_CONFLICT) {
        c->refusal = "Its picture changes its parameters on the way.";
        rc = RC_OK;
    } else if (rc == RC_UNSUPPORTED || rc == RC_TOO_LARGE || rc == RC_INVALID) {
        /* A file that was cut off is one whose index speaks of more than there is. */
        copy_cuts_free(c->cuts);
        c->cuts = NULL;
        rc = copy_cuts_open(max_bitrate, &c->cuts);
        if (rc == RC_OK)
            rc = look(c, CHILD_PACKETS);
    }
    if (rc == RC_OK)
        rc = look(c, CHILD_INIT);
    if (rc == RC_OK && has_param_sets(c->t) && !has_sets) {
        param_sets_init(&c->sets, is_hevc(c->t));
        rc = look(c, CHILD_SETS);
    }
    return rc;
}

/* ---- the task --------------------------------------------------------------- */

static bool stop_lookers(struct copy *c)
{
    bool idle = true;
    for (int i = 0; i < CHILDREN; i++) {
        if (!c->lookers[i].child)
            continue;
        supervise_stop(c->lookers[i].child, true);
        idle = false;
    }
    return idle;
}

static enum rc copy_start(struct task *t)
{
    struct copy *c = calloc(1, sizeof(*c));
    if (!c)
        return RC_NOMEM;
    c->t = t;
    t->state = c;
    enum rc rc = encode_find_rendition(t, &c->rendition);
    if (rc != RC_OK)
        return rc;
    if (c->rendition.segments > 0) {
        go_on(t);
        return RC_OK;
    }
    rc = begin_to_look(c);
    if (rc == RC_OK || stop_lookers(c))
        return rc;
    /* What was begun ends first, and the task with it. */
    task_explain_start(t->w->config.ffmpeg, rc, c->problem, sizeof(c->problem));
    return RC_OK;
}

static bool copy_cancel(struct task *t)
{
    return stop_lookers(t->state);
}

static void copy_release(struct task *t)
{
    struct copy *c = t->state;
    copy_cuts_free(c->cuts);
    cutter_free(c->cutter);
    bounds_free(&c->found.bounds);
    free(c);
}

const struct task_kind task_copy = {.nicer = NICER,
                                    .start = copy_start,
                                    .release = copy_release,
                                    .cancel = copy_cancel};
