#include "app.h"

#include "fcgi.h"
#include "grant.h"
#include "log.h"
#include "store_accounts.h"
#include "store_grants.h"

#include <malloc.h>
#include <string.h>
#include <sys/stat.h>

/* One arena for all threads, and large blocks go back to the system when freed: an
 * idle program is small again after twenty uploads. */
static void keep_heap_small(void)
{
    mallopt(M_ARENA_MAX, 1);
    mallopt(M_MMAP_THRESHOLD, 64 * 1024);
    mallopt(M_TRIM_THRESHOLD, 256 * 1024);
}

static enum rc load_config(struct app *app)
{
    char path[PATH_MAX], err[512];
    enum rc rc = site_path(&app->site, "etc/dropstream.conf", path);

    if (rc != RC_OK)
        return rc;
    rc = config_load(path, &app->config, err, sizeof(err));
    if (rc == RC_INVALID)
        log_error("%s", err);
    else if (rc != RC_OK)
        log_error("%s: %s", path, rc_name(rc));
    return rc;
}

enum rc app_open(struct app *app, const char *name)
{
    char database[PATH_MAX];
    enum rc rc;

    umask(077);
    keep_heap_small();
    log_open(name, LOG_INFO);
    memset(app, 0, sizeof(*app));
    rc = fcgi_begin();
    if (rc != RC_OK)
        return rc;
    pthread_mutex_init(&app->key.lock, NULL);
    rc = site_find(&app->site);
    if (rc != RC_OK) {
        log_error("no site: DROPSTREAM_SITE must name a folder with etc and htdocs");
        return rc;
    }
    rc = load_config(app);
    if (rc != RC_OK)
        return rc;
    log_open(name, app->config.log_level);
    if ((rc = clock_system(&app->clock)) == RC_OK &&
        (rc = site_path(&app->site, "db/dropstream.db", database)) == RC_OK)
        rc = handles_open(database, &app->clock, (int)app->config.store_handles,
                          &app->handles);
    if (rc != RC_OK)
        log_error("start: %s", rc_name(rc));
    return rc;
}

void app_end_open_grants(struct app *app)
{
    struct store *st = NULL;
    enum rc rc;

    if (app->config.auth != AUTH_REQUIRED)
        return;
    rc = handles_take(app->handles, &st);
    if (rc == RC_OK)
        rc = store_grants_end_open(st);
    if (rc == RC_OK)
        rc = grant_end_revoked(st, &app->site, "");
    if (rc != RC_OK)
        log_warn("keys of before there were accounts: %s: %s", rc_name(rc),
                 st ? store_message(st) : "no database handle");
    if (st)
        handles_give(app->handles, st);
}

enum rc app_site_key(struct app *app, struct store *st, uint8_t out[SECRET_KEY_SIZE])
{
    struct app_key *key = &app->key;
    enum rc rc = RC_OK;

    pthread_mutex_lock(&key->lock);
    if (!key->known)
        rc = store_site_key(st, key->bytes);
    key->known = rc == RC_OK;
    if (key->known)
        memcpy(out, key->bytes, sizeof(key->bytes));
    pthread_mutex_unlock(&key->lock);
    return rc;
}

void app_close(struct app *app)
{
    handles_close(app->handles);
    app->handles = NULL;
}
