/*
 * /api/videos/<id>/shares and DELETE /api/shares/<token>: links by which a video is
 * watched without an account, made and taken back by who may change it.
 */
#include "api.h"

#include "grant.h"
#include "http.h"
#include "origin.h"
#include "password.h"
#include "store_grants.h"
#include "video_json.h"

#include <stdio.h>
#include <string.h>

enum { SHARE_PASSWORD_MIN = 4 }; /* characters */

/* ---- GET --------------------------------------------------------------------- */

/* false, true, or the list of those who may. */
static json_t *embed_json(const char *embed)
{
    json_t *list;
    int bad = 0;

    if (!*embed || strcmp(embed, "*") == 0)
        return json_boolean(*embed);
    list = json_array();
    for (size_t n; *embed; embed += n + (embed[n] == ' ')) {
        n = strcspn(embed, " ");
        bad |= json_array_append_new(list, json_stringn(embed, n));
    }
    if (!bad)
        return list;
    json_decref(list);
    return NULL;
}

static json_t *share_json(const struct share *s)
{
    json_t *o = json_object();
    int bad = 0;

    bad |= json_object_set_new(o, "token", json_string(s->token));
    bad |= json_object_set_new(o, "url", json_sprintf("/s/%s", s->token));
    bad |= json_object_set_new(
        o, "embed_url", *s->embed ? json_sprintf("/e/%s", s->token) : json_null());
    bad |= json_object_set_new(o, "created_at", video_json_time(s->created_ms));
    bad |= json_object_set_new(o, "expires_at", video_json_time(s->expires_ms));
    bad |= json_object_set_new(o, "has_password", json_boolean(*s->password));
    bad |= json_object_set_new(o, "download", json_boolean(s->download));
    bad |= json_object_set_new(o, "embed", embed_json(s->embed));
    bad |= json_object_set_new(
        o, "created_by", *s->created_by ? json_string(s->created_by) : json_null());
    if (!bad)
        return o;
    json_decref(o);
    return NULL;
}

static enum rc append_share(void *arg, const struct share *s)
{
    return json_array_append_new(arg, share_json(s)) == 0 ? RC_OK : RC_NOMEM;
}

void api_share_list(struct api_call *call)
{
    json_t *shares = json_array();
    enum rc rc =
        shares ? store_share_each(call->st, call->id, append_share, shares) : RC_NOMEM;

    api_send_list(call, "shares", shares, rc);
}

/* ---- POST -------------------------------------------------------------------- */

/* RC_INVALID: not an array of origins. RC_TOO_LARGE: too many. */
static enum rc read_origins(const json_t *list, char out[STORE_EMBED_MAX + 1])
{
    const json_t *item;
    size_t i, n = 0;

    if (!json_is_array(list) || json_array_size(list) == 0)
        return RC_INVALID;
    json_array_foreach(list, i, item)
    {
        const char *origin = json_string_value(item);
        if (!origin || strlen(origin) != json_string_length(item) ||
            !origin_valid(origin))
            return RC_INVALID;
        if (n + strlen(origin) + 2 > STORE_EMBED_MAX + 1)
            return RC_TOO_LARGE;
        n += (size_t)snprintf(out + n, STORE_EMBED_MAX + 1 - n, "%s%s", n ? " " : "",
                              origin);
    }
    return RC_OK;
}

static bool read_embed(struct api_call *call, const json_t *body, struct share *out)
{
    const json_t *embed = json_object_get(body, "embed");
    enum rc rc = RC_OK;

    if (json_is_true(embed))
        snprintf(out->embed, sizeof(out->embed), "*");
    else if (embed && !json_is_false(embed) && !json_is_null(embed))
        rc = read_origins(embed, out->embed);
    if (rc == RC_INVALID)
        api_bad_field(call, "The field embed must be true, false or a list of origins "
                            "such as https://example.org.");
    else if (rc != RC_OK)
        api_bad_field(call, "There are too many origins in embed.");
    return rc == RC_OK;
}

/* Of clean UTF-8. */
static size_t count_characters(const char *text)
{
    size_t n = 0;

    for (; *text; text++)
        n += ((unsigned char)*text & 0xc0) != 0x80;
    return n;
}

/* "" is none; but if that was said, somebody meant one. */
static bool password_will_do(struct api_call *call, const json_t *body,
                             const char *password)
{
    if (!*password && !json_is_string(json_object_get(body, "password")))
        return true;
    if (count_characters(password) >= SHARE_PASSWORD_MIN)
        return true;
    api_refuse(call, 422, "weak_password",
               "The password of a link must have 4 characters or more.");
    return false;
}

/* *password: "" for none. False: answered. */
static bool read_share(struct api_call *call, const json_t *body, struct share *out,
                       const char **password)
{
    *out = (struct share){.expires_ms = -1};
    memcpy(out->video_id, call->video.id, sizeof(out->video_id));
    *password = "";
    if (!api_expires(call, body, &out->expires_ms) ||
        !api_text(call, body, "password", PASSWORD_MAX, password) ||
        !api_flag(call, body, "download", &out->download) ||
        !read_embed(call, body, out))
        return false;
    return password_will_do(call, body, *password);
}

static void add_share(struct api_call *call, struct share *s)
{
    enum rc rc = store_share_add(call->st, s, call->who.asker.user_id);

    if (rc == RC_OK)
        rc = grant_of_share(call->st, &call->app->site, s, &call->video);
    if (rc == RC_OK)
        http_send_json(call->r, 201, share_json(s), NULL);
    else if (rc == RC_TOO_LARGE)
        api_refuse(call, 409, "too_many",
                   "This video has as many shares as it can have.");
    else
        api_fail(call, rc);
}

void api_share_add(struct api_call *call)
{
    json_t *body = api_object(call, "expires_in password download embed");
    const char *password;
    struct share s;
    enum rc rc = RC_OK;

    if (!body)
        return;
    if (read_share(call, body, &s, &password) && (!*password || api_slowly(call))) {
        if (*password)
            rc = password_hash(password, s.password);
        if (rc != RC_OK)
            api_fail(call, rc);
        else if (api_take_store(call))
            add_share(call, &s);
    }
    json_decref(body);
}

/* ---- DELETE ------------------------------------------------------------------ */

void api_share_delete(struct api_call *call)
{
    struct share share;
    enum rc rc = store_share_get(call->st, call->id, &share, &call->video);

    if (rc == RC_OK && !api_may(call, WANT_EDIT, &call->video))
        return;
    if (rc == RC_OK)
        rc = store_share_remove(call->st, call->id);
    if (rc != RC_OK) {
        api_fail(call, rc);
        return;
    }
    api_end_revoked(call, call->video.id);
    http_send_empty(call->r, 204);
}
