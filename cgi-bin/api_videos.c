#include "api.h"

#include "grant.h"
#include "http.h"
#include "http_text.h"
#include "log.h"
#include "text.h"
#include "video_json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LIMIT_DEFAULT = 50, LIMIT_MAX = 200 };

/* ---- GET /api/videos ------------------------------------------------------- */

struct list_params {
    char q[512];
    char after[ID_LEN + 1];
    struct video_query query; /* points into the texts above */
};

static enum rc parse_sort(const char *text, enum video_sort *out)
{
    static const char *const names[] = {
        [SORT_NEWEST] = "newest",
        [SORT_OLDEST] = "oldest",
        [SORT_TITLE] = "title",
    };
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (strcmp(names[i], text) == 0) {
            *out = (enum video_sort)i;
            return RC_OK;
        }
    }
    return RC_INVALID;
}

/* NULL, or a sentence that says which parameter is wrong. */
static const char *parse_list_params(const char *query, struct list_params *out)
{
    char sort[16];
    int64_t limit = LIMIT_DEFAULT;
    enum rc rc;

    memset(out, 0, sizeof(*out));
    rc = http_param(query, "q", out->q, sizeof(out->q));
    if (rc != RC_OK && rc != RC_NOT_FOUND)
        return "q must be UTF-8 text of at most 511 bytes.";
    rc = http_param(query, "after", out->after, sizeof(out->after));
    if (rc != RC_NOT_FOUND && (rc != RC_OK || !id_valid(out->after)))
        return "after must be the id of a video.";
    if (rc == RC_OK)
        out->query.after = out->after;
    rc = http_param(query, "sort", sort, sizeof(sort));
    if (rc != RC_NOT_FOUND &&
        (rc != RC_OK || parse_sort(sort, &out->query.sort) != RC_OK))
        return "sort must be newest, oldest or title.";
    if (http_param_number(query, "limit", 1, LIMIT_MAX, &limit) != RC_OK)
        return "limit must be a number from 1 to 200.";
    out->query.q = out->q;
    out->query.all = true;
    out->query.limit = (int)limit;
    return NULL;
}

/* The video as who asks is told of it. RC_NOT_FOUND: it was deleted meanwhile. */
static enum rc make_json(struct api_call *call, const struct video *v, json_t **out)
{
    struct rendition renditions[STORE_RENDITIONS_MAX];
    struct subtitles subs;
    struct grant grant;
    const char *key = NULL;
    size_t n = 0;
    enum rc rc = store_renditions(call->st, v->id, renditions, &n);

    if (rc == RC_OK)
        rc = store_subtitles(call->st, v->id, &subs);
    if (rc == RC_OK && video_json_needs_key(v, &subs)) {
        rc = grant_for_user(call->st, &call->app->site, v->id, 0, &grant);
        key = grant.key;
    }
    if (rc != RC_OK)
        return rc;
    *out = video_json(v, key, renditions, n, &subs);
    return *out ? RC_OK : RC_NOMEM;
}

struct video_page {
    struct api_call *call;
    json_t *videos;
};

static enum rc append_video(void *arg, const struct video *v)
{
    struct video_page *page = arg;
    json_t *o;
    enum rc rc = make_json(page->call, v, &o);

    if (rc != RC_OK)
        return rc == RC_NOT_FOUND ? RC_OK : rc;
    return json_array_append_new(page->videos, o) == 0 ? RC_OK : RC_NOMEM;
}

/* next is the last video shown, while there are more. */
static json_t *page_json(json_t *videos, bool more)
{
    size_t n = json_array_size(videos);
    json_t *next =
        more && n > 0 ? json_object_get(json_array_get(videos, n - 1), "id") : NULL;

    return json_pack("{s:O,s:O?}", "videos", videos, "next", next);
}

void api_video_list(struct api_call *call)
{
    struct list_params params;
    const char *wrong = parse_list_params(request_query(call->r), &params);
    struct video_page page = {.call = call};
    bool more = false;
    enum rc rc = RC_NOMEM;

    if (wrong) {
        api_bad_parameter(call, wrong);
        return;
    }
    page.videos = json_array();
    if (page.videos)
        rc = store_video_list(call->st, &params.query, append_video, &page, &more);
    if (rc == RC_OK)
        http_send_json(call->r, 200, page_json(page.videos, more), NULL);
    else if (rc == RC_NOT_FOUND)
        api_bad_parameter(call, "after names no video.");
    else
        api_fail(call, rc);
    json_decref(page.videos);
}

/* ---- /api/videos/<id> --------------------------------------------------------- */

void api_send_video(struct api_call *call, int status)
{
    struct video video;
    json_t *o = NULL;
    enum rc rc = store_video_get(call->st, call->id, &video);

    if (rc == RC_OK)
        rc = make_json(call, &video, &o);
    if (rc == RC_OK)
        http_send_json(call->r, status, o, NULL);
    else
        api_fail(call, rc);
}

void api_video_get(struct api_call *call)
{
    api_send_video(call, 200);
}

/* The title of {"title": "…"}, whose text lives as long as body. NULL if body is
 * anything else, then *why is a sentence. */
static const char *patched_title(const json_t *body, const char **why)
{
    const json_t *title = json_object_get(body, "title");
    const char *text = json_string_value(title);

    if (!json_is_object(body))
        *why = "The body must be a JSON object.";
    else if (json_object_size(body) > (title ? 1u : 0u))
        *why = "Only the title can be changed.";
    else if (!title)
        *why = "The title is missing.";
    else if (!text)
        *why = "The title must be text.";
    else if (json_string_length(title) > STORE_TITLE_MAX)
        *why = "The title is too long.";
    else if (!*text || !text_is_clean(text, json_string_length(title)))
        *why = "The title must not be empty or hold control characters.";
    else
        return text;
    return NULL;
}

static void patch_with(struct api_call *call, const json_t *body)
{
    struct http_error error = {422, "bad_field", NULL};
    char clean[STORE_TITLE_MAX + 1];
    const char *title = patched_title(body, &error.message);
    enum rc rc;

    if (title && text_clean(clean, sizeof(clean), title) == 0)
        error.message = "The title must not be blank.";
    if (error.message) {
        http_send_error(call->r, &error, NULL);
        return;
    }
    rc = store_video_rename(call->st, call->id, clean);
    if (rc == RC_OK)
        api_send_video(call, 200);
    else
        api_fail(call, rc);
}

void api_video_patch(struct api_call *call)
{
    static const struct http_error bad_json = {400, "bad_json",
                                               "The body is not JSON."};
    json_t *body = json_loadb(call->body, call->body_size,
                              JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, NULL);

    if (body)
        patch_with(call, body);
    else
        http_send_error(call->r, &bad_json, NULL);
    json_decref(body);
}

void api_video_delete(struct api_call *call)
{
    struct video video;
    enum rc rc = store_video_delete(call->st, call->id, &video);

    if (rc != RC_OK) {
        api_fail(call, rc);
        return;
    }
    /* All who may watch lose it with this answer; the worker removes the files. */
    rc = grant_end_revoked(call->st, &call->app->site, call->id);
    if (rc != RC_OK)
        log_warn("video %s: not all keys could be ended: %s", call->id, rc_name(rc));
    http_send_empty(call->r, 204);
}

void api_video_retry(struct api_call *call)
{
    enum rc rc = store_video_retry(call->st, call->id);

    if (rc == RC_OK)
        api_send_video(call, 202);
    else
        api_fail(call, rc);
}
