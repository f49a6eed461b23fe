#include "picture_pipe.h"

#include "picture_stream.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

struct picture_pipe {
    struct task *t;
    struct picture_pipe_spec spec;
    struct supervised *reader, *maker; /* NULL after its end */
    struct picture_stream *stream;
    char program[PATH_MAX];
    bool stopped;
    enum rc refusal;
    char sentence[STORE_TEXT_MAX + 1];
};

static void free_pipe(struct picture_pipe *p)
{
    picture_stream_free(p->stream);
    free(p);
}

static enum rc on_picture(void *arg, uint64_t track, int64_t time_ms,
                          const uint8_t *data, size_t n)
{
    struct picture_pipe *p = arg;
    return p->spec.on_picture(p->t, track, (time_ms - ARGS_PICK_OFFSET_MS) * 1000, data,
                              n);
}

static enum rc on_output(void *arg, const void *data, size_t n)
{
    struct picture_pipe *p = arg;
    return p->stopped ? RC_OK : picture_stream_feed(p->stream, data, n);
}

static enum rc no_output(void *arg, const void *data, size_t n)
{
    (void)arg, (void)data, (void)n;
    return RC_OK;
}

/* The first one to go wrong is told of. */
static void note_end(struct picture_pipe *p, const struct supervise_end *end)
{
    bool well = end->reason == SUPERVISE_EXITED && WIFEXITED(end->status) &&
                WEXITSTATUS(end->status) == 0;
    if (!well && !p->stopped && !*p->sentence)
        task_explain(p->t, p->program, end, p->sentence, sizeof(p->sentence));
}

static void end_if_both(struct picture_pipe *p)
{
    struct task *t = p->t;
    char sentence[STORE_TEXT_MAX + 1];
    void (*on_end)(struct task *, enum rc, const char *) = p->spec.on_end;
    enum rc refusal = p->refusal;
    if (p->reader || p->maker)
        return;
    strcpy(sentence, p->sentence);
    free_pipe(p);
    on_end(t, refusal, sentence);
}

static void reader_ended(void *arg, const struct supervise_end *end)
{
    struct picture_pipe *p = arg;
    p->reader = NULL;
    /* Without a maker nobody wanted more: it is no fault that it could not write. */
    if (p->maker)
        note_end(p, end);
    end_if_both(p);
}

static void maker_ended(void *arg, const struct supervise_end *end)
{
    struct picture_pipe *p = arg;
    p->maker = NULL;
    p->refusal = end->refusal;
    note_end(p, end);
    if (p->reader)
        supervise_stop(p->reader, true);
    end_if_both(p);
}

void picture_pipe_stop(struct picture_pipe *p)
{
    p->stopped = true;
    if (p->reader)
        supervise_stop(p->reader, true);
    if (p->maker)
        supervise_stop(p->maker, true);
}

static enum rc start_reader(struct picture_pipe *p, const struct args *args)
{
    int to_fd = supervise_take_stdin(p->maker);
    if (to_fd < 0)
        return RC_IO;
    enum rc rc = task_spawn(p->t, args,
                            &(struct task_child){.nicer = p->spec.nicer,
                                                 .to_fd = to_fd,
                                                 .stall_ms = p->spec.stall_ms,
                                                 .limit_ms = p->spec.limit_ms,
                                                 .on_output = no_output,
                                                 .on_end = reader_ended,
                                                 .arg = p},
                            &p->reader);
    close(to_fd);
    return rc;
}

enum rc picture_pipe_start(struct task *t, const struct picture_pipe_spec *spec,
                           struct picture_pipe **out)
{
    struct picture_pipe *p = calloc(1, sizeof(*p));
    if (!p)
        return RC_NOMEM;
    p->t = t;
    p->spec = *spec;
    snprintf(p->program, sizeof(p->program), "%s", spec->maker->v[0]);
    enum rc rc = picture_stream_open(on_picture, p, &p->stream);
    if (rc == RC_OK)
        rc = task_spawn(t, spec->maker,
                        &(struct task_child){.nicer = spec->nicer,
                                             .fed = true,
                                             .stall_ms = spec->stall_ms,
                                             .limit_ms = spec->limit_ms,
                                             .on_output = on_output,
                                             .on_end = maker_ended,
                                             .arg = p},
                        &p->maker);
    if (rc != RC_OK) {
        free_pipe(p);
        return rc;
    }
    rc = start_reader(p, spec->reader);
    if (rc != RC_OK) {
        /* The maker's end tells of it. */
        task_explain_start(p->program, rc, p->sentence, sizeof(p->sentence));
        supervise_stop(p->maker, true);
    }
    *out = p;
    return RC_OK;
}
