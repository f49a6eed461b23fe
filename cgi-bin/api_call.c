/*
 * What the pages of api.h share: their handle, how they fail, what follows an answer.
 */
#include "api.h"

#include "gate.h"
#include "grant.h"
#include "http.h"
#include "log.h"
#include "pass.h"

void api_fail(struct api_call *call, enum rc rc)
{
    if (http_error_of(rc).status >= 500)
        log_error("%s %s: %s: %s", request_method(call->r), request_path(call->r),
                  rc_name(rc),
                  call->st ? store_message(call->st) : "no database handle");
    http_send_rc(call->r, rc);
}

void api_send_list(struct api_call *call, const char *name, json_t *rows, enum rc rc)
{
    if (rc == RC_OK)
        http_send_json(call->r, 200, json_pack("{s:O}", name, rows), NULL);
    else
        api_fail(call, rc);
    json_decref(rows);
}

void api_refuse(struct api_call *call, int status, const char *code,
                const char *message)
{
    http_refuse(call->r, status, code, message);
}

void api_bad_parameter(struct api_call *call, const char *message)
{
    api_refuse(call, 400, "bad_parameter", message);
}

bool api_may(struct api_call *call, enum want want, const struct video *video)
{
    enum relation relation =
        access_relation(&call->who.asker, video->owner_id, video->visibility);
    enum access verdict = access_check(&call->who.asker, want, relation);

    if (verdict != ACCESS_YES)
        gate_refuse(call->r, verdict);
    return verdict == ACCESS_YES;
}

void api_end_revoked(struct api_call *call, const char *video_id)
{
    enum rc rc = grant_end_revoked(call->st, &call->app->site, video_id);

    if (rc != RC_OK)
        log_warn("revoked keys: %s: %s", rc_name(rc), store_message(call->st));
}

void api_end_sessions(struct api_call *call)
{
    enum rc rc = pass_end_sessions(call->st, &call->app->site);

    if (rc != RC_OK)
        log_warn("ended sessions: %s: %s", rc_name(rc), store_message(call->st));
}

void api_watched(struct api_call *call, const char *video_id)
{
    enum rc rc = store_video_watched(call->st, video_id);

    if (rc != RC_OK)
        log_warn("who watches: %s: %s", rc_name(rc), store_message(call->st));
}

bool api_take_store(struct api_call *call)
{
    struct store_actor actor;
    enum rc rc = handles_take(call->app->handles, &call->st);

    if (rc != RC_OK) {
        api_fail(call, rc);
        return false;
    }
    if (identity_actor(&call->who, &actor))
        store_act_for(call->st, &actor);
    if (call->lasts)
        rc = store_durable(call->st, true);
    if (rc == RC_OK)
        return true;
    api_fail(call, rc);
    api_give_store(call);
    return false;
}

void api_give_store(struct api_call *call)
{
    store_act_for(call->st, NULL);
    if (call->lasts)
        store_durable(call->st, false);
    handles_give(call->app->handles, call->st);
    call->st = NULL;
}

bool api_slowly(struct api_call *call)
{
    call->wants_slowly = !call->slowly;
    return call->slowly;
}
