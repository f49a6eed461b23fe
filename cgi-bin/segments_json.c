#include "segments_json.h"

#include "grid.h"
#include "json_text.h"

#include <stdlib.h>
#include <string.h>

static const char *const state_names[] = {
    [SEGMENT_MISSING] = "missing",
    [SEGMENT_ENCODING] = "encoding",
    [SEGMENT_READY] = "ready",
};

const char *segment_state_name(enum segment_state s)
{
    return (size_t)s < sizeof(state_names) / sizeof(state_names[0]) ? state_names[s]
                                                                    : "unknown";
}

/* ---- runs ---------------------------------------------------------------- */

static bool exists(const struct readiness *ready, int64_t k)
{
    if (!ready->bits)
        return k < ready->done;
    return (size_t)(k / 8) < ready->n_bytes && (ready->bits[k / 8] >> (k % 8) & 1);
}

static enum segment_state state_of(const struct readiness *ready, int64_t k)
{
    if (exists(ready, k))
        return SEGMENT_READY;
    for (size_t i = 0; i < ready->n_encoding; i++)
        if (ready->encoding[i] == k)
            return SEGMENT_ENCODING;
    return SEGMENT_MISSING;
}

struct segment_run segment_run_at(const struct readiness *ready, int64_t segments,
                                  int64_t from)
{
    struct segment_run run = {state_of(ready, from), from, 1};

    while (from + run.count < segments &&
           state_of(ready, from + run.count) == run.state)
        run.count++;
    return run;
}

/* ---- text ---------------------------------------------------------------- */

/* Of a copy of the picture, whose segments are not alike, on average. */
static double duration_s(const struct rendition *r)
{
    const struct grid grid = {r->rate_num, r->rate_den, r->gop, r->frames};
    if (r->copied && r->kind == RENDITION_VIDEO && r->segments > 0)
        return (double)grid_frame_us(&grid, r->frames) / 1e6 / (double)r->segments;
    return (double)grid_frame_us(&grid, r->gop) / 1e6;
}

/* All but the runs, as an object of its own. */
static char *head_text(const struct rendition *r, const struct readiness *ready)
{
    json_t *head = json_pack("{s:s,s:s,s:i,s:f,s:I,s:I}", "name", r->name, "kind",
                             rendition_kind_name(r->kind), "generation", r->generation,
                             "segment_duration", duration_s(r), "segments",
                             (json_int_t)r->segments, "done", (json_int_t)ready->done);
    int bad = r->put_away ? json_object_set_new(head, "put_away", json_true()) : 0;
    /* Twelve digits: see http_send_json. */
    char *text =
        bad ? NULL : json_text_write(head, JSON_COMPACT | JSON_REAL_PRECISION(12));

    json_decref(head);
    return text;
}

static void write_run(FILE *out, const struct segment_run *run)
{
    fprintf(out, "%s{\"state\":\"%s\",\"from\":%lld,\"count\":%lld}",
            run->from > 0 ? "," : "", segment_state_name(run->state),
            (long long)run->from, (long long)run->count);
}

enum rc segments_json_write(FILE *out, const struct rendition *r,
                            const struct readiness *ready)
{
    char *head = head_text(r, ready);
    int64_t from = 0;

    if (!head)
        return RC_NOMEM;
    /* The runs take the place of its closing brace. */
    fprintf(out, "%.*s,\"runs\":[", (int)strlen(head) - 1, head);
    free(head);
    while (from < r->segments && !ferror(out)) {
        struct segment_run run = segment_run_at(ready, r->segments, from);
        write_run(out, &run);
        from += run.count;
    }
    fputs("]}", out);
    return ferror(out) ? RC_NOMEM : RC_OK;
}
