#include "api.h"

#include "http.h"
#include "video_json.h"

#define MIB (1024LL * 1024)

/* A worker beats every ten seconds; one late beat is not yet an alarm. */
enum { WORKER_SILENT_MS = 25 * 1000 };

struct health {
    enum rc database;
    int64_t worker_age_ms; /* -1: no worker */
    long long free_bytes;  /* -1: unknown */
    long long reserve_bytes;
    struct disk_use use; /* as a worker counted it last */
    enum rc jail;        /* RC_OK: jail_lacks is known */
    char jail_lacks[STORE_TEXT_MAX + 1];
};

static void look(struct app *app, struct health *out)
{
    struct store *st;

    out->use = (struct disk_use){.paused = false};
    out->worker_age_ms = -1;
    out->free_bytes = -1;
    out->jail = RC_NOT_FOUND;
    out->reserve_bytes = app->config.disk_reserve_mb * MIB;
    out->database = handles_take(app->handles, &st);
    if (out->database == RC_OK) {
        out->database = store_ping(st);
        store_worker_age(st, &out->worker_age_ms);
        store_disk_use(st, &out->use);
        out->jail = store_worker_jail(st, out->jail_lacks);
        handles_give(app->handles, st);
    }
    site_free_bytes(&app->site, &out->free_bytes);
}

static json_t *worker_json(const struct health *h, bool alive)
{
    return json_pack("{s:b,s:o}", "alive", alive, "age_s",
                     video_json_seconds(h->worker_age_ms));
}

/* Whether what reads uploads is locked in, or why no worker starts; null: none has
 * said. */
static json_t *jail_json(const struct health *h)
{
    if (h->jail != RC_OK)
        return json_null();
    return json_pack("{s:b,s:s}", "complete", *h->jail_lacks == '\0', "lacks",
                     h->jail_lacks);
}

/* In bytes; a budget of null is none. */
static json_t *disk_json(const struct app *app, const struct health *h)
{
    int64_t budget = app->config.media_budget_mb * MIB;

    return json_pack("{s:o,s:I,s:b,s:I,s:I,s:o}", "free",
                     h->free_bytes >= 0 ? json_integer(h->free_bytes) : json_null(),
                     "reserve", (json_int_t)h->reserve_bytes, "paused", h->use.paused,
                     "originals", (json_int_t)h->use.originals, "media",
                     (json_int_t)h->use.media, "budget",
                     budget > 0 ? json_integer(budget) : json_null());
}

/* What there is to say to whoever the site belongs to. */
static json_t *health_json(const struct app *app, const struct health *h,
                           const char *status, bool alive)
{
    return json_pack("{s:s,s:s,s:o,s:o,s:o}", "status", status, "database",
                     rc_name(h->database), "worker", worker_json(h, alive), "jail",
                     jail_json(h), "disk", disk_json(app, h));
}

/* 503 as soon as an upload would not end as a video: so that a monitor needs no more
 * than the status. Others are told no more than that. */
void api_health_get(struct api_call *call)
{
    struct health h;
    const char *status;
    bool alive, well, theirs;

    look(call->app, &h);
    alive = h.worker_age_ms >= 0 && h.worker_age_ms <= WORKER_SILENT_MS;
    well = h.database == RC_OK && alive && h.free_bytes > h.reserve_bytes;
    status = well ? "ok" : "degraded";
    theirs = access_check(&call->who.asker, WANT_HEALTH, RELATION_NONE) == ACCESS_YES;
    http_send_json(call->r, well ? 200 : 503,
                   theirs ? health_json(call->app, &h, status, alive)
                          : json_pack("{s:s}", "status", status),
                   NULL);
}
