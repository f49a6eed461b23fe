/*
 * checksum_job.c: the checksum of an upload that came in without one (upload_hash.h in
 * cgi-bin), taken by sha256sum(1) once nothing else is left to do. It stands still
 * while anything else is at work: it reads a whole file, and nobody waits for it.
 */
#include "encode.h"
#include "spool.h"
#include "store_check.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>

#define NICER 19
#define BASE_MS (10 * 60 * 1000)
#define SLOWEST_BYTES_MS 1000 /* bytes that it reads in a ms, at least */
#define DIGITS (2 * STORE_CHECKSUM_SIZE)

struct checksum {
    char text[DIGITS];
    size_t n;
    bool paused;
};

/* ---- its turn ------------------------------------------------------------- */

/* An encode of what is still coming in has nothing to do while nothing comes. */
static bool is_asleep(const struct task *t)
{
    return encode_is_arriving(t) && !((const struct encode *)t->state)->runs;
}

static bool is_busy(const struct worker *w)
{
    for (const struct task *t = w->tasks; t; t = t->next)
        if (t->job.kind != JOB_CHECKSUM && !is_asleep(t))
            return true;
    return w->n_demands > 0;
}

bool checksum_has_room(const struct worker *w)
{
    for (const struct task *t = w->tasks; t; t = t->next)
        if (t->job.kind == JOB_CHECKSUM)
            return false;
    return !is_busy(w);
}

void checksum_stand_back(struct worker *w)
{
    bool busy = is_busy(w);
    for (struct task *t = w->tasks; t; t = t->next) {
        struct checksum *c = t->state;
        if (t->job.kind != JOB_CHECKSUM || !t->child || t->cancelled ||
            c->paused == busy)
            continue;
        c->paused = busy;
        supervise_pause(t->child, busy);
    }
}

/* ---- what it says ----------------------------------------------------------- */

static enum rc on_output(void *arg, const void *data, size_t n)
{
    const struct task *t = arg;
    struct checksum *c = t->state;
    size_t room = DIGITS - c->n;
    memcpy(c->text + c->n, data, n < room ? n : room);
    c->n += n < room ? n : room;
    return RC_OK;
}

static int digit(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool read_sum(const struct checksum *c, uint8_t out[STORE_CHECKSUM_SIZE])
{
    if (c->n < DIGITS)
        return false;
    for (size_t i = 0; i < STORE_CHECKSUM_SIZE; i++) {
        int high = digit(c->text[2 * i]), low = digit(c->text[2 * i + 1]);
        if (high < 0 || low < 0)
            return false;
        out[i] = (uint8_t)(16 * high + low);
    }
    return true;
}

static void keep(struct task *t, const uint8_t sum[STORE_CHECKSUM_SIZE])
{
    enum rc rc = store_job_checksum(t->w->store, &t->job, sum);
    if (rc == RC_OK)
        task_end(t, "done");
    else
        task_not_kept(t, rc, "The checksum could not be kept.");
}

static void on_end(struct task *t, const struct supervise_end *end)
{
    uint8_t sum[STORE_CHECKSUM_SIZE];
    char sentence[STORE_TEXT_MAX + 1];
    bool well = end->reason == SUPERVISE_EXITED && WIFEXITED(end->status) &&
                WEXITSTATUS(end->status) == 0;
    if (well && read_sum(t->state, sum)) {
        keep(t, sum);
        return;
    }
    task_explain(t, t->args.v[0], end, sentence, sizeof(sentence));
    task_retry(t, sentence);
}

/* ---- the task --------------------------------------------------------------- */

static enum rc start(struct task *t)
{
    char path[PATH_MAX];
    struct stat st;
    int64_t limit_ms = BASE_MS + t->video.size / SLOWEST_BYTES_MS;
    t->state = calloc(1, sizeof(struct checksum));
    if (!t->state)
        return RC_NOMEM;
    enum rc rc = spool_src_path(&t->w->site, t->video.id, path);
    if (rc != RC_OK)
        return rc;
    /* That of a file which has lost bytes by now would be one of something else. */
    if (stat(path, &st) < 0 || st.st_size != t->video.size) {
        task_fail(t, "The file is not as long as it was when it was stored.");
        return RC_OK;
    }
    rc = args_checksum(path, &t->args);
    return rc == RC_OK ? task_run(t, limit_ms, limit_ms, on_output, on_end) : rc;
}

static void release(struct task *t)
{
    free(t->state);
}

const struct task_kind task_checksum = {
    .nicer = NICER, .start = start, .release = release};
