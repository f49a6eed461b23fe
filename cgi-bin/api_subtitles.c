/*
 * api_subtitles.c: /api/videos/<id>/subtitles/<lang>: a file of subtitles added to a
 * video, and taken away again. What was added is kept as text; the worker makes the
 * files of it that are served.
 */
#include "api.h"

#include "http.h"
#include "http_text.h"
#include "language.h"
#include "subtitle.h"

#include <stdlib.h>
#include <string.h>

/* The name in the URL and the label in its query; false: that is answered. */
static bool parse(struct api_call *call, struct subtitle *out)
{
    enum rc rc = language_slot(call->rest, out->name, out->language);

    if (rc != RC_OK) {
        api_refuse(call, 400, "bad_language",
                   "The language must be a tag such as en, de or pt-BR (BCP 47).");
        return false;
    }
    rc = http_param(request_query(call->r), "label", out->label, sizeof(out->label));
    if (rc == RC_OK || rc == RC_NOT_FOUND)
        return true;
    api_bad_parameter(call, "label must be UTF-8 text of at most 80 bytes.");
    return false;
}

/* True for a video that takes subtitles; else why not is answered. */
static bool takes(struct api_call *call)
{
    if (call->video.state == VIDEO_FAILED)
        api_fail(call, RC_CONFLICT);
    return call->video.state != VIDEO_FAILED;
}

/* Says why the body is none; the file itself is not at fault for what else goes wrong.
 */
static void send_unreadable(struct api_call *call, enum rc rc)
{
    if (rc == RC_UNSUPPORTED)
        api_refuse(call, 415, "no_subtitles",
                   "This is neither an SRT nor a WebVTT file of subtitles.");
    else if (rc == RC_INVALID)
        api_refuse(call, 422, "empty_subtitles",
                   "There is no line in this file that could be shown.");
    else if (rc == RC_TOO_LARGE)
        api_refuse(call, 413, "too_large", "There are too many lines in this file.");
    else
        api_fail(call, rc);
}

void api_subtitles_put(struct api_call *call)
{
    struct subtitle s = {.read = true};
    char *vtt = NULL;
    size_t n = 0;
    bool replaced = false;
    enum rc rc;

    if (!parse(call, &s) || !takes(call))
        return;
    rc = subtitle_to_webvtt(call->body, call->body_size, &vtt, &n);
    if (rc != RC_OK) {
        send_unreadable(call, rc);
        return;
    }
    rc = store_subtitle_put(call->st, call->id, &s, vtt, &replaced);
    free(vtt);
    if (rc == RC_OK)
        api_send_video(call, replaced ? 200 : 201);
    else if (rc == RC_TOO_LARGE)
        api_refuse(call, 409, "too_many",
                   "This video has as many subtitles as it can have.");
    else
        api_fail(call, rc);
}

void api_subtitles_delete(struct api_call *call)
{
    struct subtitle s = {.read = true};
    enum rc rc;

    if (!parse(call, &s))
        return;
    rc = store_subtitle_delete(call->st, call->id, s.name);
    if (rc == RC_OK)
        http_send_empty(call->r, 204);
    else
        api_fail(call, rc);
}
