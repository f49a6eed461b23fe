#include "gate.h"

#include "http.h"
#include "log.h"
#include "same_origin.h"

static const struct http_error bad_token = {
    401, "bad_token", "This token is unknown, or its time is over."};

struct http_error gate_revoked(const struct identity *who)
{
    return who->token > 0 ? bad_token : http_error_of(RC_REVOKED);
}

void gate_refuse(struct request *r, enum access verdict)
{
    switch (verdict) {
    case ACCESS_SIGN_IN:
        http_refuse(r, 401, "sign_in", "Sign in first.");
        return;
    case ACCESS_SCOPE:
        http_refuse(r, 403, "scope", "This token was not made for that.");
        return;
    case ACCESS_FORBIDDEN:
        http_refuse(r, 403, "forbidden", "You may not do that.");
        return;
    case ACCESS_YES:
    case ACCESS_NOT_FOUND:
        http_send_rc(r, RC_NOT_FOUND);
    }
}

static enum rc find(struct request *r, const struct app *app, struct identity *who)
{
    struct store *st = NULL;
    enum rc rc = RC_OK;

    if (app->config.auth == AUTH_REQUIRED)
        rc = handles_take(app->handles, &st);
    if (rc != RC_OK)
        return rc;
    rc = identity_find(r, &app->config, st, who);
    if (rc != RC_OK)
        log_error("who asks: %s: %s", rc_name(rc), store_message(st));
    if (st)
        handles_give(app->handles, st);
    return rc;
}

/*
 * A browser sends the cookie whoever made the request, so a request with one must say
 * that it comes from here. Others need not, as programs do not; but what says that it
 * comes from elsewhere is refused, so that no foreign page signs anybody in.
 */
static bool comes_from_elsewhere(const struct request *r, const struct identity *who)
{
    enum same_origin origin;

    if (who->kind == IDENTITY_TOKEN)
        return false;
    origin =
        same_origin(request_header(r, "Sec-Fetch-Site"), request_header(r, "Origin"),
                    request_header(r, "Host"), request_is_secure(r));
    return who->kind == IDENTITY_SESSION ? origin != ORIGIN_SAME
                                         : origin == ORIGIN_OTHER;
}

/* True if nothing speaks against r; else it is answered. */
static bool check(struct request *r, enum want want, unsigned flags,
                  const struct identity *who)
{
    enum access verdict = access_check(&who->asker, want, RELATION_NONE);

    if (who->kind == IDENTITY_LOCAL &&
        !same_origin_host_is_local(request_header(r, "Host")))
        http_refuse(r, 403, "bad_host",
                    "This site is only to be reached as localhost.");
    else if (who->kind == IDENTITY_BAD_TOKEN)
        http_send_error(r, &bad_token, NULL);
    else if (verdict != ACCESS_YES)
        gate_refuse(r, verdict);
    else if ((flags & GATE_CHANGES) && comes_from_elsewhere(r, who))
        http_refuse(r, 403, "cross_site",
                    "This request comes from another site's page.");
    else
        return true;
    return false;
}

bool gate_enter(struct request *r, const struct app *app, enum want want,
                unsigned flags, struct identity *who)
{
    enum rc rc = find(r, app, who);

    if (rc != RC_OK && (flags & GATE_ALONE)) {
        *who = (struct identity){.kind = IDENTITY_NOBODY};
    } else if (rc != RC_OK) {
        http_send_rc(r, rc);
        return false;
    }
    return check(r, want, flags, who);
}
