/*
 * /api/users: who may sign in. Owners see to that; everybody may change their own
 * password, who knows the one that they have.
 */
#include "api.h"

#include "http.h"
#include "password.h"
#include "store_accounts.h"
#include "video_json.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static json_t *user_json(const struct user *u)
{
    return json_pack("{s:s,s:s,s:o}", "name", u->name, "role", user_role_name(u->role),
                     "created_at", video_json_time(u->created_ms));
}

static void send_user(struct api_call *call, int status, int64_t id)
{
    struct user user;
    enum rc rc = store_user_get(call->st, id, &user);

    if (rc == RC_OK)
        http_send_json(call->r, status, user_json(&user), NULL);
    else
        api_fail(call, rc);
}

/* ---- GET, POST --------------------------------------------------------------- */

static enum rc append_user(void *arg, const struct user *u)
{
    return json_array_append_new(arg, user_json(u)) == 0 ? RC_OK : RC_NOMEM;
}

void api_users_list(struct api_call *call)
{
    json_t *users = json_array();
    enum rc rc = users ? store_user_each(call->st, append_user, users) : RC_NOMEM;

    api_send_list(call, "users", users, rc);
}

/* False: it is there but none, which is answered. */
static bool read_role(struct api_call *call, const json_t *body, int *role)
{
    const char *text = NULL;
    enum user_role found;

    if (!api_text(call, body, "role", 16, &text))
        return false;
    *role = -1;
    if (!text)
        return true;
    if (user_role_from(text, &found) == RC_OK) {
        *role = (int)found;
        return true;
    }
    api_bad_field(call, "The role must be owner, member or viewer.");
    return false;
}

static void add_user(struct api_call *call, const char *name, enum user_role role,
                     const char *password)
{
    char hash[PASSWORD_HASH_MAX + 1];
    int64_t id;
    enum rc rc;

    if (!api_slowly(call))
        return;
    rc = password_hash(password, hash);
    if (rc != RC_OK) {
        api_fail(call, rc);
        return;
    }
    if (!api_take_store(call))
        return;
    rc = store_user_add(call->st, name, role, hash, &id);
    if (rc == RC_OK)
        send_user(call, 201, id);
    else if (rc == RC_EXISTS)
        api_refuse(call, 409, "exists", "Somebody is called so already.");
    else if (rc == RC_TOO_LARGE)
        api_refuse(call, 409, "too_many", "There are as many users as there can be.");
    else
        api_fail(call, rc);
}

void api_users_add(struct api_call *call)
{
    json_t *body = api_object(call, "name password role");
    const char *name = NULL, *password = NULL;
    int role;

    if (!body)
        return;
    if (api_need_text(call, body, "name", call->body_size, &name) &&
        api_need_text(call, body, "password", call->body_size, &password) &&
        read_role(call, body, &role)) {
        if (role < 0)
            api_bad_field(call, "The role is missing: owner, member or viewer.");
        else if (!user_name_valid(name))
            api_bad_field(call, API_BAD_NAME);
        else if (api_password_will_do(call, password))
            add_user(call, name, (enum user_role)role, password);
    }
    json_decref(body);
}

/* ---- PATCH ------------------------------------------------------------------- */

struct patch {
    const char *password, *old_password; /* NULL: not said */
    int role;                            /* -1: not said */
};

static bool is_own(const struct api_call *call)
{
    return strcasecmp(call->id, call->who.name) == 0;
}

/* Owners may change anybody; others themselves, but not into somebody else. One's own
 * password takes the old one, so that no browser that was left open, and no token, can
 * be made to shut its user out. */
static bool may_patch(struct api_call *call, const struct patch *p)
{
    bool session = call->who.kind == IDENTITY_SESSION;

    if (access_check(&call->who.asker, WANT_USERS, RELATION_NONE) != ACCESS_YES &&
        (!is_own(call) || !session || p->role >= 0)) {
        api_refuse(call, 403, "forbidden", "You may not do that.");
    } else if (is_own(call) && p->password && !session) {
        api_refuse(call, 403, "forbidden",
                   "A token cannot change the password of its own user.");
    } else if (is_own(call) && p->password && !p->old_password) {
        api_bad_field(call, "The field old_password must be there.");
    } else {
        return true;
    }
    return false;
}

static bool read_patch(struct api_call *call, const json_t *body, struct patch *out)
{
    *out = (struct patch){.password = NULL};
    if (!api_text(call, body, "password", call->body_size, &out->password) ||
        !api_text(call, body, "old_password", call->body_size, &out->old_password) ||
        !read_role(call, body, &out->role) || !may_patch(call, out))
        return false;
    if (out->password)
        return api_password_will_do(call, out->password);
    if (out->role < 0)
        api_bad_field(call, "There is nothing to change: neither password nor role.");
    return out->role >= 0;
}

/* Whose row it is; and, where an old password is to be looked at, whether that may be.
 * False: answered. */
static bool find_user(struct api_call *call, const struct patch *p,
                      const struct api_tries *tries, struct user *out)
{
    enum rc rc;
    bool may;

    if (!api_take_store(call))
        return false;
    rc = user_name_valid(call->id) ? store_user_by_name(call->st, call->id, out)
                                   : RC_NOT_FOUND;
    if (rc != RC_OK)
        api_fail(call, rc);
    may = rc == RC_OK && (!p->old_password || api_try(call, tries));
    api_give_store(call);
    return may;
}

/* True where there is a password to be reckoned. */
static bool is_slow(const struct patch *p)
{
    return p->password || p->old_password;
}

/* What is slow, without a handle. False: answered. */
static bool reckon(struct api_call *call, const struct patch *p,
                   const struct user *user, char hash[PASSWORD_HASH_MAX + 1])
{
    bool right = true;
    enum rc rc = RC_OK;

    if (p->old_password)
        rc = password_check(p->old_password, user->password, &right);
    if (rc == RC_OK && right && p->password)
        rc = password_hash(p->password, hash);
    if (rc != RC_OK)
        api_fail(call, rc);
    else if (!right)
        api_refuse(call, 403, "bad_password", "The old password is not that.");
    return rc == RC_OK && right;
}

/* Keys that are over go before this is answered, and how many shares of videos of
 * others are gone is told. */
static void tell_ended(struct api_call *call, int64_t shares)
{
    char text[24];

    api_end_revoked(call, "");
    snprintf(text, sizeof(text), "%" PRId64, shares);
    request_add_header(call->r, "Dropstream-Shares-Ended", text);
}

/* The role first, as it may be refused. Whoever may do less has lost their keys when
 * this is answered. */
static enum rc write_patch(struct api_call *call, const struct patch *p,
                           const struct user *user, const char *hash)
{
    int64_t keep = user->id == call->who.asker.user_id ? call->who.session : 0;
    int64_t ended = 0;
    enum rc rc = RC_OK;

    if (p->role >= 0) {
        rc = store_user_set_role(call->st, user->id, (enum user_role)p->role, &ended);
        if (rc == RC_OK)
            tell_ended(call, ended);
    }
    if (rc == RC_OK && p->password)
        rc = store_user_set_password(call->st, user->id, hash, keep);
    api_end_sessions(call);
    return rc;
}

static void last_owner(struct api_call *call)
{
    api_refuse(call, 409, "last_owner", "A site must have an owner: this is the last.");
}

static void patch(struct api_call *call, const struct patch *p)
{
    char hash[PASSWORD_HASH_MAX + 1];
    struct api_tries tries;
    struct user user;
    enum rc rc;

    api_tries_of_account(call, call->id, &tries);
    if (!find_user(call, p, &tries, &user) || (is_slow(p) && !api_slowly(call)) ||
        !reckon(call, p, &user, hash) || !api_take_store(call))
        return;
    if (p->old_password)
        api_tried_well(call, &tries);
    rc = write_patch(call, p, &user, hash);
    if (rc == RC_OK)
        send_user(call, 200, user.id);
    else if (rc == RC_CONFLICT)
        last_owner(call);
    else
        api_fail(call, rc);
}

void api_users_patch(struct api_call *call)
{
    json_t *body = api_object(call, "password role old_password");
    struct patch p;

    if (body && read_patch(call, body, &p))
        patch(call, &p);
    json_decref(body);
}

/* ---- DELETE ------------------------------------------------------------------ */

void api_users_delete(struct api_call *call)
{
    struct user user;
    int64_t ended = 0;
    enum rc rc = user_name_valid(call->id)
                     ? store_user_by_name(call->st, call->id, &user)
                     : RC_NOT_FOUND;

    if (rc == RC_OK)
        rc = store_user_remove(call->st, user.id, &ended);
    if (rc == RC_OK) {
        tell_ended(call, ended);
        api_end_sessions(call);
        http_send_empty(call->r, 204);
    } else if (rc == RC_CONFLICT) {
        last_owner(call);
    } else {
        api_fail(call, rc);
    }
}
