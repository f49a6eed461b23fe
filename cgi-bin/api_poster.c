/*
 * PUT /api/videos/<id>/poster: which picture of a video is its poster.
 */
#include "api.h"

#include "store_pictures.h"

#include <jansson.h>
#include <math.h>

/* {"at": seconds} in µs; NULL in *why if it is that, else a sentence. */
static int64_t chosen_us(const json_t *body, const char **why)
{
    const json_t *at = json_object_get(body, "at");
    double seconds = json_number_value(at);

    *why = NULL;
    if (!at)
        *why = "The time of the picture (at) is missing.";
    else if (!json_is_number(at))
        *why = "The time of the picture must be a number of seconds.";
    else if (!(seconds >= 0))
        *why = "The time of the picture must not be negative.";
    else if (seconds > 1e9)
        *why = "The time of the picture is beyond the end of the video.";
    return *why ? 0 : (int64_t)llround(seconds * 1e6);
}

static void choose(struct api_call *call, const json_t *body)
{
    const char *why;
    int64_t at_us = chosen_us(body, &why);
    enum rc rc;

    if (why) {
        api_bad_field(call, why);
        return;
    }
    rc = store_video_choose_poster(call->st, call->id, at_us);
    if (rc == RC_OK)
        api_send_video(call, 202);
    else if (rc == RC_INVALID)
        api_bad_field(call, "The time of the picture is beyond the end of the video.");
    else if (rc == RC_CONFLICT)
        api_refuse(call, 409, "conflict",
                   "That picture of the video is not there to be taken.");
    else
        api_fail(call, rc);
}

void api_video_poster(struct api_call *call)
{
    json_t *body = api_object(call, "at");

    if (body)
        choose(call, body);
    json_decref(body);
}
