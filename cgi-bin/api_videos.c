#include "api.h"

#include "grant.h"
#include "http.h"
#include "http_text.h"
#include "log.h"
#include "store_grants.h"
#include "text.h"
#include "video_view.h"

#include <string.h>
#include <unistd.h>

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
    int64_t limit = LIMIT_DEFAULT, mine = 0;
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
    if (http_param_number(query, "mine", 0, 1, &mine) != RC_OK)
        return "mine must be 0 or 1.";
    out->query.q = out->q;
    out->query.limit = (int)limit;
    out->query.mine = mine;
    return NULL;
}

struct video_page {
    struct api_call *call;
    json_t *videos;
    int media; /* their folder: one descriptor for all of them */
};

static enum rc append_video(void *arg, const struct video *v)
{
    struct video_page *page = arg;
    json_t *video;
    enum rc rc =
        video_view_json(page->call->st, page->media, &page->call->who.asker, v, &video);

    /* RC_NOT_FOUND: deleted by someone else since the list was read. */
    if (rc != RC_OK)
        return rc == RC_NOT_FOUND ? RC_OK : rc;
    return json_array_append_new(page->videos, video) == 0 ? RC_OK : RC_NOMEM;
}

/* next is the last video shown, while there are more. */
static json_t *page_json(json_t *videos, bool more)
{
    size_t n = json_array_size(videos);
    json_t *next =
        more && n > 0 ? json_object_get(json_array_get(videos, n - 1), "id") : NULL;

    return json_pack("{s:O,s:O?}", "videos", videos, "next", next);
}

/* RC_NOT_FOUND: the video that the page begins behind is not there. */
static enum rc list(struct video_page *page, const struct video_query *query,
                    bool *more)
{
    struct api_call *call = page->call;
    enum rc rc = site_open_media(&call->app->site, &page->media);

    if (rc != RC_OK)
        return rc == RC_NOT_FOUND ? RC_IO : rc;
    rc = store_video_list(call->st, query, append_video, page, more);
    close(page->media);
    return rc;
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
    params.query.user_id = call->who.asker.user_id;
    params.query.all =
        access_check(&call->who.asker, WANT_WATCH, RELATION_HIDDEN) == ACCESS_YES;
    page.videos = json_array();
    if (page.videos)
        rc = list(&page, &params.query, &more);
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
    json_t *body = NULL;
    enum rc rc = store_video_get(call->st, call->id, &video);

    if (rc == RC_OK)
        rc =
            video_view_one(call->st, &call->app->site, &call->who.asker, &video, &body);
    if (rc == RC_OK)
        http_send_json(call->r, status, body, NULL);
    else
        api_fail(call, rc);
}

void api_video_get(struct api_call *call)
{
    api_send_video(call, 200);
    api_watched(call, call->video.id);
}

/* ---- PATCH ------------------------------------------------------------------- */

/* NULL in *title, or -1 in *visibility: it stays. False: that is answered. */
static bool read_patch(struct api_call *call, const json_t *body, char *title,
                       int *visibility)
{
    const char *text = NULL, *name = NULL;
    enum visibility v;

    if (!api_text(call, body, "title", STORE_TITLE_MAX, &text) ||
        !api_text(call, body, "visibility", 16, &name))
        return false;
    *title = '\0';
    *visibility = -1;
    if (text && !text_is_clean(text, strlen(text))) {
        api_bad_field(call, "The title must not hold control characters.");
    } else if (text && text_clean(title, STORE_TITLE_MAX + 1, text) == 0) {
        api_bad_field(call, "The title must not be blank.");
    } else if (name && visibility_from(name, &v) != RC_OK) {
        api_bad_field(call, "The visibility must be private or everyone.");
    } else if (!text && !name) {
        api_bad_field(call, "There is nothing to change: neither title nor "
                            "visibility.");
    } else {
        if (name)
            *visibility = (int)v;
        return true;
    }
    return false;
}

/* Whoever may not watch any more has lost their key when this is answered. */
static enum rc set_visibility(struct api_call *call, enum visibility v)
{
    enum rc rc = store_video_set_visibility(call->st, call->id, v);

    if (rc == RC_OK)
        api_end_revoked(call, call->id);
    return rc;
}

void api_video_patch(struct api_call *call)
{
    json_t *body = api_object(call, "title visibility");
    char title[STORE_TITLE_MAX + 1];
    int visibility;
    enum rc rc = RC_OK;

    if (!body)
        return;
    if (read_patch(call, body, title, &visibility)) {
        if (*title)
            rc = store_video_rename(call->st, call->id, title);
        if (rc == RC_OK && visibility >= 0)
            rc = set_visibility(call, (enum visibility)visibility);
        if (rc == RC_OK)
            api_send_video(call, 200);
        else
            api_fail(call, rc);
    }
    json_decref(body);
}

/* ---- the rest of it ---------------------------------------------------------- */

/* All keys go at once, so that the video stops being served with this answer; the
 * worker removes the files behind them. */
void api_video_delete(struct api_call *call)
{
    struct video video;
    enum rc rc = store_video_delete(call->st, call->id, &video);

    if (rc != RC_OK) {
        api_fail(call, rc);
        return;
    }
    api_end_revoked(call, call->id);
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

void api_video_rekey(struct api_call *call)
{
    enum rc rc = store_grants_renew(call->st, call->id);

    if (rc != RC_OK) {
        api_fail(call, rc);
        return;
    }
    rc = grant_replace_revoked(call->st, &call->app->site, call->id);
    if (rc != RC_OK)
        log_warn("new keys: %s: %s", rc_name(rc), store_message(call->st));
    api_send_video(call, 200);
}
