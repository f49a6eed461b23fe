#include "api.h"

#include "http.h"
#include "http_text.h"
#include "video_json.h"

enum { LIMIT_DEFAULT = 100, LIMIT_MAX = 1000 };

struct activity_page {
    json_t *rows;
    int64_t last; /* the cursor for the next call */
};

static enum rc append_row(void *arg, const struct activity *a)
{
    struct activity_page *page = arg;
    json_t *o = json_object();
    int bad = 0;

    bad |= json_object_set_new(o, "id", json_integer(a->id));
    bad |= json_object_set_new(o, "at", video_json_time(a->at_ms));
    bad |= json_object_set_new(o, "level", json_string(activity_level_name(a->level)));
    bad |= json_object_set_new(o, "kind", json_string(a->kind));
    bad |= json_object_set_new(o, "video_id",
                               *a->video_id ? json_string(a->video_id) : json_null());
    bad |= json_object_set_new(o, "title",
                               *a->video_id ? json_string(a->title) : json_null());
    bad |= json_object_set_new(o, "message", json_string(a->message));
    bad |= json_array_append_new(page->rows, o);
    page->last = a->id;
    return bad ? RC_NOMEM : RC_OK;
}

void api_activity_list(struct api_call *call)
{
    const char *query = request_query(call->r);
    int64_t after = -1, limit = LIMIT_DEFAULT;
    const struct asker *asker = &call->who.asker;
    bool all = access_check(asker, WANT_ACTIVITY, RELATION_HIDDEN) == ACCESS_YES;
    struct activity_page page = {.rows = NULL};
    enum rc rc = RC_NOMEM;

    if (http_param_number(query, "after", 0, INT64_MAX, &after) != RC_OK) {
        api_bad_parameter(call, "after must be the number of a row.");
        return;
    }
    if (http_param_number(query, "limit", 1, LIMIT_MAX, &limit) != RC_OK) {
        api_bad_parameter(call, "limit must be a number from 1 to 1000.");
        return;
    }
    page.rows = json_array();
    /* Without news the cursor stays where it was; 0 is before the first row. */
    page.last = after < 0 ? 0 : after;
    if (page.rows)
        rc = store_activity_list(call->st, all ? 0 : asker->user_id, after, (int)limit,
                                 append_row, &page);
    if (rc == RC_OK)
        http_send_json(call->r, 200,
                       json_pack("{s:O,s:I}", "activity", page.rows, "next",
                                 (json_int_t)page.last),
                       NULL);
    else
        api_fail(call, rc);
    json_decref(page.rows);
}
