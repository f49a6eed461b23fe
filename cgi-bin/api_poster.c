/*
 * PUT /api/videos/<id>/poster: which picture of a video is its poster.
 */
#include "api.h"

#include "http.h"
#include "store_pictures.h"

#include <jansson.h>
#include <math.h>

/* {"at": seconds} in µs; NULL in *why if it is that, else a sentence. */
static int64_t chosen_us(const json_t *body, const char **why)
{
    const json_t *at = json_object_get(body, "at");
    double seconds = json_number_value(at);

    *why = NULL;
    if (!json_is_object(body))
        *why = "The body must be a JSON object.";
    else if (!at)
        *why = "The time of the picture (at) is missing.";
    else if (json_object_size(body) > 1)
        *why = "There is nothing to say but the time of the picture (at).";
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
    static const struct http_error beyond = {
        422, "bad_field", "The time of the picture is beyond the end of the video."};
    static const struct http_error too_early = {
        409, "conflict", "That picture of the video is not there to be taken."};
    struct http_error error = {422, "bad_field", NULL};
    int64_t at_us = chosen_us(body, &error.message);
    enum rc rc;

    if (error.message) {
        http_send_error(call->r, &error, NULL);
        return;
    }
    rc = store_video_choose_poster(call->st, call->id, at_us);
    if (rc == RC_OK)
        api_send_video(call, 202);
    else if (rc == RC_INVALID)
        http_send_error(call->r, &beyond, NULL);
    else if (rc == RC_CONFLICT)
        http_send_error(call->r, &too_early, NULL);
    else
        api_fail(call, rc);
}

void api_video_poster(struct api_call *call)
{
    static const struct http_error bad_json = {400, "bad_json",
                                               "The body is not JSON."};
    json_t *body =
        json_loadb(call->body, call->body_size, JSON_REJECT_DUPLICATES, NULL);

    if (body)
        choose(call, body);
    else
        http_send_error(call->r, &bad_json, NULL);
    json_decref(body);
}
