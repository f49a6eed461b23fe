#include "identity.h"

#include "cookie.h"
#include "secret.h"

#include <string.h>
#include <strings.h>

#define DAY_S (24LL * 3600)

enum { SET_COOKIE_BYTES = 256 };

/* Through TLS under a name which browsers take from nobody but this very host, for all
 * of it (RFC 6265bis s. 4.1.3.2). */
static const char *cookie_name(const struct request *r)
{
    return request_is_secure(r) ? "__Host-dropstream_session" : "dropstream_session";
}

int64_t identity_lasts_ms(const struct config *config)
{
    return config->session_days * DAY_S * 1000;
}

/* The token of "Bearer <token>" (RFC 6750 s. 2.1), or NULL; other schemes are not ours:
 * some proxy may ask for them. */
static const char *bearer(const struct request *r)
{
    static const char scheme[] = "Bearer";
    const char *header = request_header(r, "Authorization");
    size_t n = header ? strcspn(header, " ") : 0;

    if (n != sizeof(scheme) - 1 || strncasecmp(header, scheme, n) != 0)
        return NULL;
    return header + n + strspn(header + n, " ");
}

static void take_user(struct identity *out, const struct user *u, unsigned scopes)
{
    out->asker = (struct asker){
        .known = true, .user_id = u->id, .role = u->role, .scopes = scopes};
    memcpy(out->name, u->name, sizeof(out->name));
}

static enum rc find_token(struct store *st, const char *text, struct identity *out)
{
    uint8_t hash[SECRET_HASH_SIZE];
    struct token token;
    struct user user;
    enum rc rc = RC_NOT_FOUND;

    if (secret_valid(text)) {
        secret_hash(text, SECRET_LEN, hash);
        rc = store_token_use(st, hash, &token, &user);
    }
    if (rc == RC_NOT_FOUND) {
        out->kind = IDENTITY_BAD_TOKEN;
        return RC_OK;
    }
    if (rc != RC_OK)
        return rc;
    out->kind = IDENTITY_TOKEN;
    out->token = token.n;
    take_user(out, &user, token.scopes);
    return RC_OK;
}

static enum rc find_session(struct store *st, const struct config *config,
                            const char *text, struct identity *out)
{
    char pass[PASS_LEN + 1] = "";
    uint8_t hash[SECRET_HASH_SIZE];
    struct session session;
    struct user user;
    enum rc rc = RC_NOT_FOUND;

    if (secret_valid(text)) {
        pass_of_session(text, pass, hash);
        rc = store_session_use(st, hash, identity_lasts_ms(config), &session, &user);
    }
    out->dead_cookie = rc == RC_NOT_FOUND;
    if (rc != RC_OK)
        return rc == RC_NOT_FOUND ? RC_OK : rc;
    out->kind = IDENTITY_SESSION;
    out->session = session.n;
    memcpy(out->pass, pass, sizeof(out->pass));
    take_user(out, &user, ACCESS_ALL);
    return RC_OK;
}

enum rc identity_find(const struct request *r, const struct config *config,
                      struct store *st, struct identity *out)
{
    struct identity who = {.kind = IDENTITY_NOBODY};
    char cookie[SECRET_LEN + 1];
    const char *token = bearer(r);
    enum rc found, rc = RC_OK;

    if (config->auth == AUTH_NONE) {
        who.kind = IDENTITY_LOCAL;
        who.asker =
            (struct asker){.known = true, .role = USER_OWNER, .scopes = ACCESS_ALL};
    } else if (token) {
        rc = find_token(st, token, &who);
    } else {
        found = cookie_find(request_header(r, "Cookie"), cookie_name(r), cookie,
                            sizeof(cookie));
        who.dead_cookie = found == RC_TOO_LARGE;
        if (found == RC_OK)
            rc = find_session(st, config, cookie, &who);
    }
    if (rc == RC_OK)
        *out = who;
    return rc;
}

bool identity_actor(const struct identity *who, struct store_actor *out)
{
    *out = (struct store_actor){.user_id = who->asker.user_id,
                                .role = who->asker.role,
                                .session = who->session,
                                .token = who->token};
    return who->session > 0 || who->token > 0;
}

static void add_cookie(struct request *r, const char *value, int64_t max_age_s)
{
    const struct cookie c = {.name = cookie_name(r),
                             .value = value,
                             .path = "/",
                             .max_age_s = max_age_s,
                             .secure = request_is_secure(r)};
    char text[SET_COOKIE_BYTES];

    if (cookie_format(&c, text, sizeof(text)) == RC_OK)
        request_add_header(r, "Set-Cookie", text);
}

void identity_set_cookie(struct request *r, const struct config *config,
                         const char *secret)
{
    add_cookie(r, secret ? secret : "", secret ? config->session_days * DAY_S : 0);
}

void identity_refresh_cookie(struct request *r, const struct config *config,
                             const struct identity *who)
{
    char secret[SECRET_LEN + 1];

    if (who->dead_cookie)
        identity_set_cookie(r, config, NULL);
    else if (who->kind == IDENTITY_SESSION &&
             cookie_find(request_header(r, "Cookie"), cookie_name(r), secret,
                         sizeof(secret)) == RC_OK)
        identity_set_cookie(r, config, secret);
}
