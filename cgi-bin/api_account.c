/*
 * /api/sessions and /api/tokens: what one is signed in with, oneself and one's
 * programs.
 */
#include "api.h"

#include "http.h"
#include "http_text.h"
#include "secret.h"
#include "store_accounts.h"
#include "video_json.h"

#include <stdio.h>

struct list {
    struct api_call *call;
    json_t *rows;
};

static enum rc append(struct list *list, json_t *row, int failed)
{
    if (failed) {
        json_decref(row);
        return RC_NOMEM;
    }
    return json_array_append_new(list->rows, row) == 0 ? RC_OK : RC_NOMEM;
}

/* The number in the URL; false: there is none of that number, which is answered. */
static bool number(struct api_call *call, int64_t *out)
{
    if (http_number(call->id, 1, INT64_MAX, out) == RC_OK)
        return true;
    http_send_rc(call->r, RC_NOT_FOUND);
    return false;
}

static void send_ended(struct api_call *call, enum rc rc)
{
    if (rc == RC_OK)
        http_send_empty(call->r, 204);
    else
        api_fail(call, rc);
}

/* ---- sessions ---------------------------------------------------------------- */

static enum rc append_session(void *arg, const struct session *s)
{
    struct list *list = arg;
    json_t *o = json_object();
    int bad = 0;

    bad |= json_object_set_new(o, "n", json_integer(s->n));
    bad |= json_object_set_new(o, "created_at", video_json_time(s->created_ms));
    bad |= json_object_set_new(o, "used_at", video_json_time(s->used_ms));
    bad |= json_object_set_new(o, "expires_at", video_json_time(s->expires_ms));
    bad |= json_object_set_new(o, "agent", json_string(s->agent));
    bad |= json_object_set_new(o, "address", json_string(s->address));
    bad |= json_object_set_new(o, "current",
                               json_boolean(s->n == list->call->who.session));
    return append(list, o, bad);
}

void api_sessions_list(struct api_call *call)
{
    struct list list = {.call = call, .rows = json_array()};
    enum rc rc = RC_NOMEM;

    if (list.rows)
        rc = store_session_each(call->st, call->who.asker.user_id, append_session,
                                &list);
    api_send_list(call, "sessions", list.rows, rc);
}

void api_sessions_delete(struct api_call *call)
{
    int64_t n;
    enum rc rc;

    if (!number(call, &n))
        return;
    rc = store_session_end(call->st, call->who.asker.user_id, n);
    if (rc == RC_OK)
        api_end_sessions(call);
    if (rc == RC_OK && n == call->who.session)
        identity_set_cookie(call->r, &call->app->config, NULL);
    send_ended(call, rc);
}

/* ---- tokens ------------------------------------------------------------------ */

static json_t *scopes_json(unsigned set)
{
    json_t *array = json_array();
    int bad = 0;

    for (unsigned place = 0; place < SCOPE_COUNT; place++)
        if (set & 1U << place)
            bad |= json_array_append_new(array, json_string(scope_name(place)));
    if (!bad)
        return array;
    json_decref(array);
    return NULL;
}

static int add_token(json_t *o, const struct token *t)
{
    int bad = 0;

    bad |= json_object_set_new(o, "n", json_integer(t->n));
    bad |= json_object_set_new(o, "label", json_string(t->label));
    bad |= json_object_set_new(o, "scopes", scopes_json(t->scopes));
    bad |= json_object_set_new(o, "created_at", video_json_time(t->created_ms));
    bad |= json_object_set_new(o, "expires_at", video_json_time(t->expires_ms));
    bad |= json_object_set_new(o, "used_at", video_json_time(t->used_ms));
    return bad;
}

static enum rc append_token(void *arg, const struct token *t)
{
    json_t *o = json_object();
    int bad = add_token(o, t);

    return append(arg, o, bad);
}

void api_tokens_list(struct api_call *call)
{
    struct list list = {.call = call, .rows = json_array()};
    enum rc rc = RC_NOMEM;

    if (list.rows)
        rc = store_token_each(call->st, call->who.asker.user_id, append_token, &list);
    api_send_list(call, "tokens", list.rows, rc);
}

/* The set that an array of names stands for; 0: it is no such array. */
static unsigned read_scopes(const json_t *names)
{
    unsigned set = 0;
    const json_t *name;
    size_t i;

    json_array_foreach(names, i, name)
    {
        unsigned scope = json_is_string(name) ? scope_from(json_string_value(name)) : 0;
        if (!scope)
            return 0;
        set |= scope;
    }
    return set;
}

static bool read_token(struct api_call *call, const json_t *body, struct token *out)
{
    const char *label = NULL;

    *out = (struct token){
        .user_id = call->who.asker.user_id, .used_ms = -1, .expires_ms = -1};
    if (!api_need_text(call, body, "label", STORE_TOKEN_LABEL_MAX, &label) ||
        !api_expires(call, body, &out->expires_ms))
        return false;
    out->scopes = read_scopes(json_object_get(body, "scopes"));
    snprintf(out->label, sizeof(out->label), "%s", label);
    if (!out->scopes)
        api_bad_field(call, "The field scopes must be a list of read, upload, admin.");
    return out->scopes != 0;
}

/* The one time that it is told. */
static void send_token(struct api_call *call, const struct token *t, const char *secret)
{
    json_t *o = json_object();

    if (add_token(o, t) | json_object_set_new(o, "token", json_string(secret))) {
        json_decref(o);
        o = NULL;
    }
    http_send_json(call->r, 201, o, NULL);
}

static void make_token(struct api_call *call, struct token *t)
{
    uint8_t hash[SECRET_HASH_SIZE];
    char secret[SECRET_LEN + 1];
    enum rc rc = secret_new(secret);

    if (rc == RC_OK) {
        secret_hash(secret, SECRET_LEN, hash);
        rc = store_token_add(call->st, hash, t);
    }
    if (rc == RC_OK)
        send_token(call, t, secret);
    else if (rc == RC_INVALID)
        api_bad_field(call, "The label must not be blank or hold control characters.");
    else if (rc == RC_TOO_LARGE)
        api_refuse(call, 409, "too_many", "You have as many tokens as you can have.");
    else
        api_fail(call, rc);
}

void api_tokens_add(struct api_call *call)
{
    struct token token;
    json_t *body;

    if (call->app->config.auth == AUTH_NONE) {
        api_refuse(call, 409, "no_accounts", "This site asks nobody for a token.");
        return;
    }
    /* Else one that ends could leave one behind that does not. */
    if (call->who.kind != IDENTITY_SESSION) {
        api_refuse(call, 403, "forbidden", "A token cannot make tokens.");
        return;
    }
    body = api_object(call, "label scopes expires_in");
    if (!body)
        return;
    if (read_token(call, body, &token))
        make_token(call, &token);
    json_decref(body);
}

void api_tokens_delete(struct api_call *call)
{
    int64_t n;

    if (number(call, &n))
        send_ended(call, store_token_remove(call->st, call->who.asker.user_id, n));
}
