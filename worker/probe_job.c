/*
 * probe_job.c: finds out what a stored file is.
 *
 * Before any program is given it, its boxes are counted (source_bounds), some in each
 * turn of the loop. Then ffprobe's view of the header, then a look at the packets of
 * the last seconds. Where these do not agree (a length that is not known or a lie), or
 * the file was cut off, every packet is read. The plan follows from what is really
 * there: see probe_plan.c.
 */
#include "probe.h"

#include "log.h"
#include "plan.h"
#include "source_check.h"
#include "video_lists.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define JSON_MAX (4 << 20) /* bytes of ffprobe's answer */
#define TAIL_US 5000000    /* how far before the declared end packets are looked at */
#define NICER (-5)         /* all else waits for it, and it does not take long */
#define START_US 200000    /* what two readers may differ by in where it begins */

static bool is_mp4(const struct task *t)
{
    return t->video.container == CONTAINER_MP4 || t->video.container == CONTAINER_MOV;
}

const char *probe_mp4_path(struct task *t, char out[PATH_MAX])
{
    struct args_source src;
    return is_mp4(t) && task_source(t, "", out, &src) == RC_OK ? out : NULL;
}

static enum rc on_json(void *arg, const void *data, size_t n)
{
    struct probe *p = ((struct task *)arg)->state;
    if (n > JSON_MAX - p->json_size)
        return RC_TOO_LARGE;
    char *grown = realloc(p->json, p->json_size + n);
    if (!grown)
        return RC_NOMEM;
    p->json = grown;
    memcpy(p->json + p->json_size, data, n);
    p->json_size += n;
    return RC_OK;
}

static enum rc on_packets(void *arg, const void *data, size_t n)
{
    struct probe *p = ((struct task *)arg)->state;
    packet_scan_feed(&p->scan, data, n);
    return RC_OK;
}

static bool ended_well(const struct supervise_end *end)
{
    return end->reason == SUPERVISE_EXITED && WIFEXITED(end->status) &&
           WEXITSTATUS(end->status) == 0;
}

/* ---- the steps ---------------------------------------------------------- */

static void cannot_start(struct task *t, enum rc rc)
{
    char sentence[STORE_TEXT_MAX + 1];
    task_explain_start(t->args.n > 0 ? t->args.v[0] : "", rc, sentence,
                       sizeof(sentence));
    task_retry(t, sentence);
}

static void read_packets(struct task *t, int64_t from_us);

static void look_at_packets(struct task *t, int64_t from_us)
{
    struct probe *p = t->state;
    packet_scan_init(&p->scan);
    p->whole = from_us <= 0;
    p->stream = media_info_next_av(&p->info, 0);
    read_packets(t, from_us);
}

/* Of an MP4 that is read as a whole each track has its turn: who reads them all
 * together comes to an end with the first packet that is missing, and tracks that
 * arrive earlier in the file have more. */
static bool is_read_by_stream(const struct task *t)
{
    const struct probe *p = t->state;
    return p->whole && is_mp4(t) && p->stream < p->info.n_streams;
}

static void packets_ended(struct task *t, const struct supervise_end *end)
{
    struct probe *p = t->state;
    p->stream = media_info_next_av(&p->info, p->stream + 1);
    /* A status says that the file is damaged; a signal, that this is not all of it, as
     * does a disk that cannot be read. */
    if (end->reason != SUPERVISE_EXITED || !WIFEXITED(end->status) ||
        task_was_troubled(t, end)) {
        char sentence[STORE_TEXT_MAX + 1];
        task_explain(t, t->args.v[0], end, sentence, sizeof(sentence));
        task_retry(t, sentence);
        return;
    }
    if (is_read_by_stream(t)) {
        read_packets(t, 0);
        return;
    }
    probe_read_index(t);
    if (!p->whole && !plan_times_agree(&p->info, &p->scan)) {
        joblog_note(t->log, "the end is not where it should be: reading every packet");
        look_at_packets(t, 0);
    } else {
        probe_plan(t);
    }
}

static void read_packets(struct task *t, int64_t from_us)
{
    const struct probe *p = t->state;
    struct args_source src;
    char path[PATH_MAX];
    int stream = is_read_by_stream(t) ? p->info.streams[p->stream].index : -1;
    enum rc rc = task_source(t, t->w->config.ffprobe, path, &src);
    if (rc == RC_OK)
        rc = args_packets(&src, from_us, stream, &t->args);
    if (rc == RC_OK)
        rc = task_run(t, t->w->config.stall_s * 1000,
                      p->whole ? 0 : t->w->config.probe_timeout_s * 1000, on_packets,
                      packets_ended);
    if (rc != RC_OK)
        cannot_start(t, rc);
}

/* A file that cannot be read will not be readable in a while: no second try. */
static void header_failed(struct task *t, const struct supervise_end *end)
{
    char path[PATH_MAX], how[STORE_TEXT_MAX + 1];
    task_explain(t, t->args.v[0], end, how, sizeof(how));
    if (end->reason == SUPERVISE_REFUSED && end->refusal == RC_TOO_LARGE) {
        task_fail(t, "The file says more of itself than this site takes.");
        return;
    }
    if (end->reason != SUPERVISE_EXITED || !WIFEXITED(end->status) || end->trouble) {
        task_retry(t, how);
        return;
    }
    joblog_note(t->log, "%s", how);
    const char *why = probe_mp4_path(t, path) ? source_check_mp4(path) : NULL;
    task_fail(t, why ? why : "The file is damaged: it cannot be read.");
}

/* Or how far it reaches would be told by another clock than that of its pictures. */
static bool begins_as_told(const struct arrival *a, const struct media_info *info)
{
    return llabs(arrival_start_us(a) - info->start_us) <= START_US;
}

/* The header of a file that is still coming in tells of all its packets. */
static void plan_by_header(struct task *t, bool read)
{
    struct probe *p = t->state;
    const struct arrival *a = task_arrival(t);
    if (!a) {
        task_drop(t); /* it was stored just now, and is looked at as a whole */
    } else if (read && arrival_is_open(a) && begins_as_told(a, &p->info)) {
        probe_plan_open(t);
    } else if (!read || arrival_packets(a, &p->info, &p->scan) != RC_OK) {
        probe_leave(t, "its header cannot be read yet.");
    } else {
        probe_read_index(t);
        probe_plan(t);
    }
}

static void header_ended(struct task *t, const struct supervise_end *end)
{
    struct probe *p = t->state;
    enum rc rc = ended_well(end) ? media_info_parse(p->json, p->json_size, &p->info)
                                 : RC_INVALID;
    bool read = rc == RC_OK;
    if (rc == RC_NOMEM) {
        task_postpone(t, "The machine is short of memory.");
        return;
    }
    if (p->early) {
        plan_by_header(t, read);
        return;
    }
    if (!read) {
        header_failed(t, end);
        return;
    }
    char path[PATH_MAX];
    int64_t declared = plan_declared_end(&p->info);
    p->cut_off = probe_mp4_path(t, path) && source_is_cut(path);
    look_at_packets(t,
                    p->cut_off || declared == MEDIA_UNKNOWN ? 0 : declared - TAIL_US);
}

static enum rc ask(struct task *t)
{
    struct args_source src;
    char path[PATH_MAX];
    enum rc rc = task_source(t, t->w->config.ffprobe, path, &src);
    if (rc == RC_OK)
        rc = args_probe(&src, &t->args);
    if (rc == RC_OK)
        rc = task_run(t, t->w->config.stall_s * 1000,
                      t->w->config.probe_timeout_s * 1000, on_json, header_ended);
    return rc;
}

/* ---- counting ------------------------------------------------------------- */

static void count_on(void *arg)
{
    struct task *t = arg;
    struct probe *p = t->state;
    char why[STORE_TEXT_MAX + 1];
    if (t->cancelled)
        return; /* it ends by itself */
    enum rc rc = source_bounds_look(p->count.bounds, &p->count.from, why, sizeof(why));
    /* To the end also of one that is refused by now: the sentence says of how much. */
    if (source_bounds_is_behind(p->count.bounds)) {
        loop_timer_set(t->w->loop, &p->count.turn, 0, count_on, t);
        return;
    }
    if (rc == RC_UNSUPPORTED) {
        task_fail(t, why);
        return;
    }
    if (rc == RC_OK)
        rc = ask(t);
    if (rc != RC_OK)
        task_not_started(t, rc);
}

static enum rc count_boxes(struct task *t)
{
    struct probe *p = t->state;
    struct args_source src;
    struct stat st;
    char path[PATH_MAX];
    enum rc rc = task_source(t, "", path, &src);
    if (rc != RC_OK)
        return rc;
    p->count.from.fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (p->count.from.fd < 0 || fstat(p->count.from.fd, &st) < 0)
        return rc_from_errno(errno);
    p->count.from.have = p->count.from.size = p->count.from.file_size =
        (uint64_t)st.st_size;
    rc = source_bounds_open(t->video.container, &p->count.bounds);
    if (rc == RC_OK)
        loop_timer_set(t->w->loop, &p->count.turn, 0, count_on, t);
    return rc;
}

static enum rc probe_start(struct task *t)
{
    struct probe *p = calloc(1, sizeof(*p));
    if (!p)
        return RC_NOMEM;
    p->count.from.fd = -1;
    t->state = p;
    p->early = t->video.state == VIDEO_RECEIVING;
    if (!p->early)
        return count_boxes(t);
    /* What comes in was counted; a new worker has not read its header yet. */
    return task_arrival(t) ? ask(t) : RC_BUSY;
}

static void probe_release(struct task *t)
{
    struct probe *p = t->state;
    loop_timer_cancel(t->w->loop, &p->count.turn);
    source_bounds_close(p->count.bounds);
    if (p->count.from.fd >= 0)
        close(p->count.from.fd);
    probe_forget_sounds(p);
    /* Whether it was refused, cancelled, or fenced off while it wrote. */
    if (p->listed)
        lists_take_back(t->w, &t->video);
    free(p->json);
    free(p);
}

const struct task_kind task_probe = {
    .nicer = NICER, .start = probe_start, .release = probe_release};
