#include "strict.h"

#include "allowed.h"
#include "identity.h"
#include "log.h"
#include "own_store.h"
#include "same_origin.h"
#include "share_proof.h"
#include "store_grants.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct strict {
    const struct app *app;
    pthread_mutex_t lock; /* of what follows */
    struct own_store store;
    struct allowed allowed;
};

enum rc strict_open(const struct app *app, struct strict **out)
{
    char database[PATH_MAX];
    struct strict *s;
    enum rc rc = site_path(&app->site, "db/dropstream.db", database);

    if (rc != RC_OK)
        return rc;
    s = calloc(1, sizeof(*s));
    if (!s)
        return RC_NOMEM;
    s->app = app;
    pthread_mutex_init(&s->lock, NULL);
    own_store_init(&s->store, database, &app->clock,
                   "the database does not tell who may watch",
                   "the database tells again who may watch");
    *out = s;
    return RC_OK;
}

void strict_close(struct strict *s)
{
    if (!s)
        return;
    own_store_close(&s->store);
    pthread_mutex_destroy(&s->lock);
    free(s);
}

static int64_t now_ms(const struct strict *s)
{
    return s->app->clock.wall_ms(s->app->clock.ctx);
}

/* ---- what was found out before ----------------------------------------------- */

/* All that an answer depends on besides the store. */
static void name_of(const struct request *r, const char *key,
                    uint8_t out[SECRET_HASH_SIZE])
{
    static const char *const headers[] = {"Authorization", "Cookie", "Host"};
    uint8_t parts[4][SECRET_HASH_SIZE];

    secret_hash(key, strlen(key), parts[0]);
    for (size_t i = 0; i < 3; i++) {
        const char *value = request_header(r, headers[i]);
        secret_hash(value ? value : "", value ? strlen(value) : 0, parts[i + 1]);
    }
    secret_hash(parts, sizeof(parts), out);
}

/* True if it is known that it may; else *age is that of what is known now. */
static bool look(struct strict *s, const uint8_t name[SECRET_HASH_SIZE], uint64_t *age)
{
    bool changed = true, known;
    enum rc rc;

    pthread_mutex_lock(&s->lock);
    rc = own_store_open(&s->store);
    if (rc == RC_OK)
        rc = store_changed(s->store.st, &changed);
    own_store_report(&s->store, rc);
    if (rc != RC_OK || changed)
        allowed_forget(&s->allowed);
    known = allowed_has(&s->allowed, name, now_ms(s));
    *age = s->allowed.age;
    pthread_mutex_unlock(&s->lock);
    return known;
}

/* Unless the store has changed since: it may be found otherwise now. */
static void remember(struct strict *s, const uint8_t name[SECRET_HASH_SIZE],
                     uint64_t age, int64_t until_ms)
{
    pthread_mutex_lock(&s->lock);
    if (s->allowed.age == age)
        allowed_add(&s->allowed, name, until_ms);
    pthread_mutex_unlock(&s->lock);
}

/* ---- finding out ------------------------------------------------------------- */

static enum rc check_user(const struct strict *s, const struct request *r,
                          struct store *st, const struct grant *g,
                          const struct video *video, int64_t *until_ms)
{
    struct identity who;
    enum rc rc = identity_find(r, &s->app->config, st, &who);
    bool local = who.kind == IDENTITY_LOCAL;

    if (rc != RC_OK)
        return rc;
    if (!who.asker.known || who.asker.user_id != g->user_id ||
        !(who.asker.scopes & (SCOPE_READ | SCOPE_ADMIN)) ||
        access_check(&who.asker, WANT_WATCH,
                     access_relation(&who.asker, video->owner_id, video->visibility)) !=
            ACCESS_YES ||
        (local && !same_origin_host_is_local(request_header(r, "Host"))))
        return RC_NOT_FOUND;
    *until_ms = who.expires_ms < 0 ? INT64_MAX : who.expires_ms;
    return RC_OK;
}

static enum rc check_share(const struct strict *s, const struct request *r,
                           struct store *st, const struct grant *g, int64_t *until_ms)
{
    uint8_t site_key[SECRET_KEY_SIZE];
    struct share share;
    struct video video;
    int64_t until_s;
    enum rc rc = store_share_get(st, g->share, &share, &video);

    if (rc == RC_OK)
        rc = store_site_key(st, site_key);
    if (rc != RC_OK)
        return rc;
    if (!share_proof_check_media(site_key, r, g->key, now_ms(s) / 1000, &until_s))
        return RC_NOT_FOUND;
    *until_ms = until_s * 1000;
    if (share.expires_ms >= 0 && share.expires_ms < *until_ms)
        *until_ms = share.expires_ms;
    return RC_OK;
}

static enum rc ask_store(const struct strict *s, const struct request *r,
                         const char *key, int64_t *until_ms)
{
    struct grant grant;
    struct video video;
    struct store *st;
    enum rc rc = handles_take(s->app->handles, &st);

    if (rc != RC_OK)
        return rc;
    rc = store_grant_by_key(st, key, &grant, &video);
    if (rc == RC_OK)
        rc = grant.kind == GRANT_SHARE ? check_share(s, r, st, &grant, until_ms)
                                       : check_user(s, r, st, &grant, &video, until_ms);
    if (rc != RC_OK && rc != RC_NOT_FOUND)
        log_error("%s: %s: %s", request_path(r), rc_name(rc), store_message(st));
    handles_give(s->app->handles, st);
    return rc;
}

enum rc strict_check(struct strict *s, const struct request *r, const char *key)
{
    uint8_t name[SECRET_HASH_SIZE];
    int64_t until_ms = 0;
    uint64_t age;
    enum rc rc;

    name_of(r, key, name);
    if (look(s, name, &age))
        return RC_OK;
    rc = ask_store(s, r, key, &until_ms);
    if (rc == RC_OK)
        remember(s, name, age, until_ms);
    return rc;
}
