/*
 * /api/shares/<token>: what somebody gets to see who has nothing but a link.
 */
#include "api.h"

#include "grant.h"
#include "http.h"
#include "pass.h"
#include "pass_cookie.h"
#include "password.h"
#include "share_proof.h"
#include "store_grants.h"
#include "video_view.h"

static int64_t now_s(const struct api_call *call)
{
    return call->app->clock.wall_ms(call->app->clock.ctx) / 1000;
}

/* The share of the URL and its video. False: there is none, which is answered. */
static bool find(struct api_call *call, struct share *out)
{
    enum rc rc = store_share_get(call->st, call->id, out, &call->video);

    if (rc != RC_OK)
        api_fail(call, rc);
    return rc == RC_OK;
}

/* Likewise, for who has told its password, if it has one. */
static bool open_share(struct api_call *call, struct share *out)
{
    uint8_t key[SECRET_KEY_SIZE];
    enum rc rc;

    if (!find(call, out))
        return false;
    rc = app_site_key(call->app, call->st, key);
    if (rc != RC_OK)
        api_fail(call, rc);
    else if (share_proof_check(key, call->r, out, now_s(call)))
        return true;
    else
        api_refuse(call, 401, "password", "This video is shared with a password.");
    return false;
}

/* ---- GET --------------------------------------------------------------------- */

static int add_share(json_t *o, const struct share *s)
{
    int bad = 0;

    bad |= json_object_set_new(o, "expires_at", video_json_time(s->expires_ms));
    bad |= json_object_set_new(
        o, "download",
        s->download ? json_sprintf("/api/shares/%s/original", s->token) : json_null());
    bad |= json_object_set_new(o, "embed", json_boolean(*s->embed));
    return bad;
}

static enum rc share_json(struct api_call *call, const struct share *s,
                          const char *proof, json_t **out)
{
    struct video_parts parts = {.video = call->video};
    json_t *o;
    enum rc rc = video_view_read(call->st, &parts);

    /* Who made its row, or a new one, may have been killed since. */
    if (rc == RC_OK && video_json_has_media(&parts))
        rc = grant_of_share(call->st, &call->app->site, s, &parts.video);
    if (rc != RC_OK)
        return rc;
    o = video_json_shared(&parts, s->key);
    if (!o || add_share(o, s) ||
        (proof && json_object_set_new(o, "proof", json_string(proof)))) {
        json_decref(o);
        return RC_NOMEM;
    }
    *out = o;
    return RC_OK;
}

/* By which this client will be let through to the media. */
static enum rc give_pass(struct api_call *call, const struct share *s)
{
    uint8_t key[SECRET_KEY_SIZE];
    char pass[PASS_LEN + 1];
    enum rc rc = app_site_key(call->app, call->st, key);

    if (rc != RC_OK)
        return rc;
    pass_of_share(key, s->key, pass);
    pass_cookie_set(call->r, pass, s->key, *s->embed != '\0');
    return RC_OK;
}

/* proof: what is told to who has just told the password; NULL: nothing. */
static void send_share(struct api_call *call, const struct share *s, const char *proof)
{
    json_t *body = NULL;
    enum rc rc = share_json(call, s, proof, &body);

    if (rc == RC_OK && call->app->config.media_auth == MEDIA_STRICT)
        rc = give_pass(call, s);
    if (rc == RC_OK) {
        http_send_json(call->r, 200, body, NULL);
        return;
    }
    json_decref(body);
    api_fail(call, rc);
}

void api_share_get(struct api_call *call)
{
    struct share share;

    if (!open_share(call, &share))
        return;
    send_share(call, &share, NULL);
    api_watched(call, share.video_id);
}

void api_share_segments(struct api_call *call)
{
    struct share share;

    if (open_share(call, &share))
        api_video_segments(call);
}

void api_share_original(struct api_call *call)
{
    struct share share;

    if (!open_share(call, &share))
        return;
    if (share.download)
        api_video_original(call);
    else
        api_refuse(call, 403, "forbidden", "This video is shared without its file.");
}

/* ---- POST -------------------------------------------------------------------- */

/* With a handle, before anything is reckoned. False: answered. */
static bool may_try(struct api_call *call, const struct api_tries *tries,
                    struct share *out)
{
    bool may = api_take_store(call) && find(call, out) &&
               (!*out->password || api_try(call, tries));

    if (call->st)
        api_give_store(call);
    return may;
}

/* It is looked up again, as it may have been taken back meanwhile. */
static void unlock(struct api_call *call, const struct api_tries *tries)
{
    char proof[SIGNED_UNTIL_MAX + 1];
    uint8_t key[SECRET_KEY_SIZE];
    struct share share;
    enum rc rc;

    if (!api_take_store(call) || !find(call, &share))
        return;
    rc = app_site_key(call->app, call->st, key);
    if (rc != RC_OK) {
        api_fail(call, rc);
        return;
    }
    if (*share.password)
        api_tried_well(call, tries);
    share_proof_make(key, &share, now_s(call), proof);
    share_proof_set_cookie(call->r, &share, proof);
    send_share(call, &share, proof);
}

static void try_password(struct api_call *call, const char *password)
{
    struct api_tries tries;
    struct share share;
    bool right = true;
    enum rc rc = RC_OK;

    api_tries_of_share(call, call->id, &tries);
    if (!may_try(call, &tries, &share) || (*share.password && !api_slowly(call)))
        return;
    if (*share.password)
        rc = password_check(password, share.password, &right);
    if (rc != RC_OK)
        api_fail(call, rc);
    else if (right)
        unlock(call, &tries);
    else
        api_refuse(call, 401, "bad_password", "That is not the password.");
}

void api_share_unlock(struct api_call *call)
{
    json_t *body = api_object(call, "password");
    const char *password = NULL;

    if (body && api_need_text(call, body, "password", call->body_size, &password))
        try_password(call, password);
    json_decref(body);
}
