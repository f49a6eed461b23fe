#include "strict.h"

#include "http.h"
#include "identity.h"
#include "log.h"
#include "media_answer.h"
#include "media_path.h"
#include "pass.h"
#include "pass_cookie.h"
#include "same_origin.h"
#include "store_grants.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

struct strict {
    struct app *app;
    char folder[PATH_MAX]; /* htdocs/media, and as the server names it */
    struct media_root root;
    atomic_bool failing; /* passes cannot be written, and the log knows */
};

enum rc strict_open(struct app *app, struct strict **out)
{
    struct strict *s = calloc(1, sizeof(*s));
    enum rc rc;

    if (!s)
        return RC_NOMEM;
    s->app = app;
    rc = site_path(&app->site, "htdocs/media", s->folder);
    if (rc == RC_OK)
        rc = media_root_set(&s->root, &app->site);
    if (rc == RC_OK)
        *out = s;
    else
        free(s);
    return rc;
}

void strict_close(struct strict *s)
{
    free(s);
}

/* ---- passes ------------------------------------------------------------------ */

/* What came of giving somebody one. Whoever could not be given it may all the same, and
 * is only asked about again. */
static void report(struct strict *s, enum rc rc)
{
    bool fails = rc != RC_OK && rc != RC_NOT_FOUND;

    if (atomic_exchange(&s->failing, fails) == fails)
        return;
    if (fails)
        log_error("passes cannot be written, so lighttpd asks about each file: %s",
                  rc_name(rc));
    else
        log_info("passes can be written again");
}

/* ---- who may ------------------------------------------------------------------- */

static bool may(const struct identity *who, const struct request *r,
                const struct grant *g, const struct video *video)
{
    enum relation relation =
        access_relation(&who->asker, video->owner_id, video->visibility);

    if (who->kind == IDENTITY_LOCAL &&
        !same_origin_host_is_local(request_header(r, "Host")))
        return false;
    return who->asker.user_id == g->user_id &&
           access_check(&who->asker, WANT_MEDIA, relation) == ACCESS_YES;
}

static enum rc check_user(struct strict *s, struct request *r, struct store *st,
                          const struct grant *g, const struct video *video)
{
    struct identity who;
    enum rc rc = identity_find(r, &s->app->config, st, &who);

    if (rc == RC_OK && !may(&who, r, g, video))
        rc = RC_NOT_FOUND;
    if (rc != RC_OK || !*who.pass)
        return rc;
    rc = pass_add_of_session(st, &s->app->site, who.pass, g->key);
    report(s, rc);
    if (rc == RC_NOT_FOUND)
        return rc;
    if (!pass_cookie_is(r, who.pass))
        pass_cookie_set(r, who.pass, "", false);
    return RC_OK;
}

static enum rc check_share(struct strict *s, const struct request *r, struct store *st,
                           const struct grant *g)
{
    uint8_t site_key[SECRET_KEY_SIZE];
    char pass[PASS_LEN + 1];
    bool made;
    enum rc rc = app_site_key(s->app, st, site_key);

    if (rc != RC_OK)
        return rc;
    pass_of_share(site_key, g->key, pass);
    if (!pass_cookie_is(r, pass))
        return RC_NOT_FOUND;
    report(s, pass_add(&s->app->site, pass, g->key, &made));
    return RC_OK;
}

static enum rc check(struct strict *s, struct request *r, const char *key,
                     struct video *video)
{
    struct grant grant;
    struct store *st;
    enum rc rc = handles_take(s->app->handles, &st);

    if (rc != RC_OK)
        return rc;
    rc = store_grant_by_key(st, key, &grant, video);
    if (rc == RC_OK)
        rc = grant.kind == GRANT_SHARE ? check_share(s, r, st, &grant)
                                       : check_user(s, r, st, &grant, video);
    if (rc != RC_OK && rc != RC_NOT_FOUND)
        log_error("%s: %s: %s", request_path(r), rc_name(rc), store_message(st));
    handles_give(s->app->handles, st);
    return rc;
}

/* ---- a request ----------------------------------------------------------------- */

static bool is_there(const struct strict *s, const char *name)
{
    char path[2 * PATH_MAX];
    struct stat st;

    snprintf(path, sizeof(path), "%s/%s", s->folder, name);
    return stat(path, &st) == 0 && S_ISREG(st.st_mode);
}

bool strict_answers(struct strict *s, struct request *r, struct video *video)
{
    char key[KEY_LEN + 1];
    const char *path = request_path(r), *name;
    enum rc rc = media_path_key(path, key);

    rc = rc == RC_OK ? check(s, r, key, video) : RC_NOT_FOUND;
    if (rc != RC_OK) {
        http_send_rc(r, rc);
        return true;
    }
    name = path + strlen("/media/");
    if (!is_there(s, name))
        return false;
    media_answer_named(r, &s->root, name);
    return true;
}
