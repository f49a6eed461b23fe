/*
 * /api/session and /api/setup: who one is, signing in and out, and the first account.
 */
#include "api.h"

#include "http.h"
#include "log.h"
#include "pass.h"
#include "password.h"
#include "secret.h"
#include "store_accounts.h"

#include <stdio.h>
#include <string.h>

/* ---- GET --------------------------------------------------------------------- */

/* user NULL: nobody. */
static enum rc session_json(struct api_call *call, const char *name, const char *role,
                            json_t **out)
{
    bool accounts = call->app->config.auth == AUTH_REQUIRED;
    int64_t n = 1;
    enum rc rc = accounts ? store_user_count(call->st, &n) : RC_OK;
    json_t *user;

    if (rc != RC_OK)
        return rc;
    user = name ? json_pack("{s:s,s:s}", "name", name, "role", role) : json_null();
    *out = json_pack("{s:o,s:s,s:b}", "user", user, "auth",
                     accounts ? "required" : "none", "setup", n == 0);
    return *out ? RC_OK : RC_NOMEM;
}

static void send_session(struct api_call *call, int status, const char *name,
                         enum user_role role)
{
    json_t *body;
    enum rc rc = session_json(call, name, user_role_name(role), &body);

    if (rc == RC_OK)
        http_send_json(call->r, status, body, NULL);
    else
        api_fail(call, rc);
}

void api_session_get(struct api_call *call)
{
    const struct asker *asker = &call->who.asker;

    identity_refresh_cookie(call->r, &call->app->config, &call->who);
    send_session(call, 200, asker->known ? call->who.name : NULL, asker->role);
}

/* ---- signing in -------------------------------------------------------------- */

static void bad_login(struct api_call *call)
{
    api_refuse(call, 401, "bad_login", "There is no such name with this password.");
}

/* Owners are told, but not of each one of a crowd. A name that nobody has is not
 * logged: it may be a password in the wrong field. All such names are one in this, so
 * it comes behind the answer: else that would take longer where a line is due, and tell
 * which names there are. */
static void refuse_login(struct api_call *call, const struct user *user)
{
    const char *name = *user->name ? user->name : "somebody unknown";

    log_warn("a sign-in as %s from %s failed", name, request_peer(call->r));
    snprintf(call->late.about, sizeof(call->late.about), "A sign-in as %s failed",
             name);
    snprintf(call->late.rest, sizeof(call->late.rest), ", from %s",
             request_peer(call->r));
    bad_login(call);
}

/* A session of the user begins, and the one that this browser had ends. */
static enum rc begin(struct api_call *call, const struct user *user)
{
    const struct config *config = &call->app->config;
    const struct clock *clock = &call->app->clock;
    const char *agent = request_header(call->r, "User-Agent");
    struct session s = {.user_id = user->id};
    uint8_t hash[SECRET_HASH_SIZE];
    char secret[SECRET_LEN + 1], pass[PASS_LEN + 1];
    enum rc rc = secret_new(secret);

    if (rc != RC_OK)
        return rc;
    s.expires_ms = clock->wall_ms(clock->ctx) + identity_lasts_ms(config);
    snprintf(s.agent, sizeof(s.agent), "%s", agent ? agent : "");
    snprintf(s.address, sizeof(s.address), "%s", request_peer(call->r));
    pass_of_session(secret, pass, hash);
    rc = store_session_begin(call->st, hash, user->password, &s);
    if (rc != RC_OK)
        return rc;
    if (call->who.session > 0)
        store_session_end(call->st, call->who.asker.user_id, call->who.session);
    api_end_sessions(call);
    identity_set_cookie(call->r, config, secret);
    explicit_bzero(secret, sizeof(secret));
    return RC_OK;
}

/* Finds the user, or one without a password, whom no password fits. False: answered. */
static bool find_user(struct api_call *call, const char *name,
                      const struct api_tries *tries, struct user *out)
{
    enum rc rc = RC_NOT_FOUND;
    bool may;

    *out = (struct user){.password = ""};
    if (!api_take_store(call))
        return false;
    may = api_try(call, tries);
    if (may && user_name_valid(name))
        rc = store_user_by_name(call->st, name, out);
    if (may && rc != RC_OK && rc != RC_NOT_FOUND) {
        api_fail(call, rc);
        may = false;
    }
    api_give_store(call);
    return may;
}

static void welcome(struct api_call *call, const struct user *user,
                    const struct api_tries *tries)
{
    enum rc rc;

    if (!api_take_store(call))
        return;
    rc = begin(call, user);
    if (rc == RC_OK) {
        log_info("%s signed in from %s", user->name, request_peer(call->r));
        api_tried_well(call, tries);
        send_session(call, 201, user->name, user->role);
    } else if (rc == RC_NOT_FOUND) {
        bad_login(call);
    } else {
        api_fail(call, rc);
    }
}

static void sign_in(struct api_call *call, const char *name, const char *password)
{
    struct api_tries tries;
    struct user user;
    bool right = false;
    enum rc rc;

    api_tries_of_account(call, name, &tries);
    if (!find_user(call, name, &tries, &user) || !api_slowly(call))
        return;
    rc = password_check(password, user.password, &right);
    if (rc != RC_OK)
        api_fail(call, rc);
    else if (right)
        welcome(call, &user, &tries);
    else
        refuse_login(call, &user);
}

static bool has_accounts(struct api_call *call)
{
    if (call->app->config.auth == AUTH_REQUIRED)
        return true;
    api_refuse(call, 409, "no_accounts", "This site asks nobody to sign in.");
    return false;
}

void api_session_begin(struct api_call *call)
{
    const char *name = NULL, *password = NULL;
    json_t *body;

    if (!has_accounts(call) || !(body = api_object(call, "name password")))
        return;
    if (api_need_text(call, body, "name", call->body_size, &name) &&
        api_need_text(call, body, "password", call->body_size, &password))
        sign_in(call, name, password);
    json_decref(body);
}

void api_session_end(struct api_call *call)
{
    enum rc rc = RC_OK;

    if (call->who.session > 0)
        rc = store_session_end(call->st, call->who.asker.user_id, call->who.session);
    if (rc != RC_OK && rc != RC_NOT_FOUND) {
        api_fail(call, rc);
        return;
    }
    api_end_sessions(call);
    identity_set_cookie(call->r, &call->app->config, NULL);
    http_send_empty(call->r, 204);
}

/* ---- POST /api/setup --------------------------------------------------------- */

bool api_password_will_do(struct api_call *call, const char *password)
{
    if (password_acceptable(password))
        return true;
    api_refuse(call, 422, "weak_password",
               "A password must have 10 to 256 bytes, and no control characters.");
    return false;
}

static void setup_failed(struct api_call *call, enum rc rc)
{
    if (rc == RC_NOT_FOUND)
        api_refuse(call, 403, "bad_token",
                   "This set-up link is not valid, or its time is over.");
    else if (rc == RC_CONFLICT)
        api_refuse(call, 409, "exists", "This site has been set up already.");
    else
        api_fail(call, rc);
}

/* Before anything is reckoned: whether there is something to be set up. */
static bool may_set_up(struct api_call *call, const char *token,
                       const struct api_tries *tries)
{
    int64_t n = 0;
    enum rc rc;
    bool may;

    if (!api_take_store(call))
        return false;
    rc = store_user_count(call->st, &n);
    if (rc == RC_OK && n > 0)
        rc = RC_CONFLICT;
    may = rc == RC_OK && api_try(call, tries);
    if (may && !secret_valid(token))
        rc = RC_NOT_FOUND;
    if (rc != RC_OK)
        setup_failed(call, rc);
    api_give_store(call);
    return may && rc == RC_OK;
}

static void set_up(struct api_call *call, const char *token, const char *name,
                   const char *password)
{
    uint8_t token_hash[SECRET_HASH_SIZE];
    struct user user = {.role = USER_OWNER};
    struct api_tries tries;
    enum rc rc;

    api_tries_of_address(call, &tries);
    if (!may_set_up(call, token, &tries) || !api_slowly(call))
        return;
    rc = password_hash(password, user.password);
    if (rc != RC_OK) {
        api_fail(call, rc);
        return;
    }
    secret_hash(token, SECRET_LEN, token_hash);
    snprintf(user.name, sizeof(user.name), "%s", name);
    if (!api_take_store(call))
        return;
    rc = store_user_first(call->st, token_hash, name, user.password, &user.id);
    api_give_store(call);
    if (rc == RC_OK)
        welcome(call, &user, &tries);
    else
        setup_failed(call, rc);
}

void api_setup(struct api_call *call)
{
    const char *token = NULL, *name = NULL, *password = NULL;
    json_t *body = api_object(call, "token name password");

    if (!body)
        return;
    if (api_need_text(call, body, "token", 256, &token) &&
        api_need_text(call, body, "name", call->body_size, &name) &&
        api_need_text(call, body, "password", call->body_size, &password)) {
        if (!user_name_valid(name))
            api_bad_field(call, API_BAD_NAME);
        else if (api_password_will_do(call, password))
            set_up(call, token, name, password);
    }
    json_decref(body);
}
