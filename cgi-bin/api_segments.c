#include "api.h"

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
    char *text = NULL;
    struct segments_page page = {.out = open_memstream(&text, size)};
    enum rc rc;

    if (!page.out)
        return RC_NOMEM;
    fputc('{', page.out);
    write_arrived(page.out, &call->video);
    fputs("\"renditions\":[", page.out);
    rc = store_readiness(call->st, call->video.id, append_rendition, &page);
    fputs("]}", page.out);
    /* What did not fit into memory is only known for sure when the stream is closed. */
    if (fclose(page.out) != 0 && rc == RC_OK)
        rc = RC_NOMEM;
    if (rc == RC_OK)
        *out = text;
    else
        free(text);
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
