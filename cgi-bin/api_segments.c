#include "api.h"

#include "memtext.h"
#include "segments_json.h"

#include <stdio.h>
#include <stdlib.h>

struct segments_page {
    FILE *out;
    bool has_one;
};

static enum rc append_rendition(void *arg, const struct rendition *r,
                                const struct readiness *ready)
{
    struct segments_page *page = arg;

    if (page->has_one)
        fputc(',', page->out);
    page->has_one = true;
    return segments_json_write(page->out, r, ready);
}

/* How many seconds of the timeline have arrived, only while the rest is still to come.
 */
static void write_arrived(FILE *out, const struct video *v)
{
    if (v->state == VIDEO_RECEIVING && v->arrived_us >= 0)
        fprintf(out, "\"arrived\":%.3f,", (double)v->arrived_us / 1e6);
}

/* The whole answer as text, which the caller frees. */
static enum rc read_page(struct api_call *call, char **out, size_t *size)
{
    struct memtext m;
    struct segments_page page = {.has_one = false};
    enum rc rc = memtext_open(&m);

    if (rc != RC_OK)
        return rc;
    page.out = m.f;
    fputc('{', m.f);
    write_arrived(m.f, &call->video);
    fputs("\"renditions\":[", m.f);
    rc = store_readiness(call->st, call->video.id, append_rendition, &page);
    fputs("]}", m.f);
    if (rc == RC_OK)
        return memtext_close(&m, out, size);
    memtext_drop(&m);
    return rc;
}

void api_video_segments(struct api_call *call)
{
    static const struct header headers[] = {{"Cache-Control", "no-store"},
                                            {"Content-Type", "application/json"}};
    char *text = NULL;
    size_t size = 0;
    enum rc rc = read_page(call, &text, &size);

    if (rc == RC_OK)
        request_answer(call->r, 200, headers, sizeof(headers) / sizeof(headers[0]),
                       text, size);
    else
        api_fail(call, rc);
    free(text);
}
