/*
 * upload.fcgi: takes one file of any size into the spool, in constant memory.
 *
 * Invariant: 201 is said only when every byte and the row are on disk for good. Every
 * other ending leaves neither a file nor a row behind, but for one: a file that is
 * whole while nobody knows what became of its row stays, and the worker enters it.
 */
#include "app.h"
#include "fcgi.h"
#include "http.h"
#include "log.h"
#include "spool.h"
#include "store_uploads.h"
#include "upload_form.h"
#include "video_json.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MIB (1024LL * 1024)

enum {
    FORM_OVERHEAD = 64 * 1024, /* bytes a form may have besides its file */
    BLOCK_FIRST = 512,         /* until the file is taken or refused */
    BLOCK_MIN = 4 * 1024,
    BLOCK_MAX = 64 * 1024,
    BLOCK_MS = 1000, /* no block is waited for longer */
    FAST_MS = 50,
    SLOW_MS = 250,
    REPORT_MS = 1000,
};

struct upload {
    struct request *r;
    struct app *app;
    struct upload_form *form;
    struct spool_file *spool;
    struct video video;
    bool has_row;   /* video is in the store and not yet `stored` */
    int64_t length; /* bytes of the request's body */
    int64_t began_wall_ms;
    int64_t began_ms; /* boot clock, like all below */
    int64_t reported_ms;
    int64_t waited_ms;       /* for the client, since its rate was last looked at */
    int64_t came;            /* bytes in that time */
    bool left_whole;         /* the spooled file and its row are the worker's now */
    struct http_error error; /* its code is NULL where rc says it all */
};

static int64_t now_ms(const struct upload *u)
{
    return u->app->clock.boot_ms(u->app->clock.ctx);
}

static int64_t max_bytes(const struct upload *u)
{
    return u->app->config.max_upload_mb * MIB;
}

/* The code only ends what is going on; the client is told error. */
static enum rc refuse(struct upload *u, int status, const char *code,
                      const char *message)
{
    u->error = (struct http_error){status, code, message};
    return RC_STOPPED;
}

static enum rc too_large(struct upload *u)
{
    return refuse(u, 413, "too_large", "The file is larger than this server takes.");
}

static enum rc deleted(struct upload *u)
{
    return refuse(u, 410, "deleted", "The video was deleted while it was uploaded.");
}

/* What uploads must leave free on the disk belongs to the worker and the database. */
static enum rc check_space(struct upload *u, int64_t still_to_come)
{
    long long free_bytes;
    enum rc rc = site_free_bytes(&u->app->site, &free_bytes);

    if (rc != RC_OK)
        return rc;
    if (free_bytes - still_to_come < u->app->config.disk_reserve_mb * MIB)
        return RC_NOSPACE;
    return RC_OK;
}

/* ---- events of the form -------------------------------------------------------- */

static enum rc create_row(struct upload *u, const struct upload_file *file)
{
    struct video_new new = {.container = file->container,
                            .size = file->size,
                            .created_ms = u->began_wall_ms};
    struct store *st;
    enum rc rc = handles_take(u->app->handles, &st);

    if (rc != RC_OK)
        return rc;
    memcpy(new.title, file->title, sizeof(new.title));
    memcpy(new.filename, file->filename, sizeof(new.filename));
    rc = store_video_create(st, &new, &u->video);
    if (rc != RC_OK)
        log_error("create: %s: %s", rc_name(rc), store_message(st));
    u->has_row = rc == RC_OK;
    handles_give(u->app->handles, st);
    return rc;
}

static enum rc on_begin(void *arg, const struct upload_file *file)
{
    struct upload *u = arg;
    enum rc rc;

    if (file->size > max_bytes(u))
        return too_large(u);
    rc = create_row(u, file);
    if (rc != RC_OK)
        return rc;
    rc = spool_create(&u->app->site, u->video.id, &u->spool);
    if (rc != RC_OK)
        log_error("spool of %s: %s", u->video.id, rc_name(rc));
    return rc;
}

static enum rc on_data(void *arg, const void *data, size_t n)
{
    struct upload *u = arg;
    enum rc rc;

    if (spool_size(u->spool) + (int64_t)n > max_bytes(u))
        return too_large(u);
    rc = spool_write(u->spool, data, n);
    if (rc != RC_OK)
        log_error("spool of %s: %s", u->video.id, rc_name(rc));
    return rc;
}

/* ---- receiving ------------------------------------------------------------------- */

/* What can be refused before a byte of the body is read. */
static enum rc prepare(struct upload *u)
{
    enum rc rc = request_content_length(u->r, &u->length);

    if (rc == RC_NOT_FOUND)
        return refuse(u, 411, "length_required", "The request must say its length.");
    if (rc != RC_OK)
        return rc;
    if (u->length > max_bytes(u) + FORM_OVERHEAD)
        return too_large(u);
    rc = upload_form_open(
        request_header(u->r, "Content-Type"),
        &(struct upload_events){.begin = on_begin, .data = on_data, .arg = u}, &u->form,
        &u->error);
    return rc == RC_OK ? check_space(u, u->length) : rc;
}

/* About once a second: how far it is, whether it is still wanted, and whether others
 * have filled the disk. A busy database only makes the number late. */
static enum rc report(struct upload *u)
{
    int64_t now = now_ms(u);
    struct store *st;
    enum rc rc;

    if (!u->spool || now - u->reported_ms < REPORT_MS)
        return RC_OK;
    u->reported_ms = now;
    if (handles_take(u->app->handles, &st) != RC_OK)
        return RC_OK;
    rc = store_video_received(st, u->video.id, spool_size(u->spool), -1);
    handles_give(u->app->handles, st);
    return rc == RC_NOT_FOUND ? deleted(u) : check_space(u, 0);
}

/*
 * A read waits until its block is full: small blocks let a wrong file be refused at
 * once and bring a slow client's bytes to disk soon, large ones make a fast upload
 * cheap. So the size follows the time that a read took.
 */
static size_t next_block(size_t size, int64_t took_ms, bool taken)
{
    if (!taken)
        return BLOCK_FIRST;
    if (size < BLOCK_MIN)
        return BLOCK_MIN;
    if (took_ms < FAST_MS && size < BLOCK_MAX)
        return size * 2;
    if (took_ms > SLOW_MS && size > BLOCK_MIN)
        return size / 2;
    return size;
}

/* Fewer than size bytes where the client is slow; 0 only where the body ended. */
static size_t fill_block(struct upload *u, char *block, size_t size, int64_t *took_ms)
{
    int64_t start = now_ms(u);
    size_t have = 0, got;

    do {
        got = request_read_some(u->r, block + have, size - have);
        have += got;
        *took_ms = now_ms(u) - start;
    } while (got > 0 && have < size && *took_ms < BLOCK_MS);
    return have;
}

/*
 * A client that sends a byte now and then would hold its thread for ever. Only the time
 * spent waiting for it counts: neither our disk nor our database makes it slow.
 */
static enum rc check_rate(struct upload *u, size_t got, int64_t took_ms)
{
    const struct config *config = &u->app->config;

    u->came += (int64_t)got;
    u->waited_ms += took_ms;
    if (u->waited_ms < config->min_rate_s * 1000)
        return RC_OK;
    if (u->came * 1000 < config->min_rate_bps * u->waited_ms)
        return refuse(u, 408, "too_slow", "The file came in too slowly.");
    u->came = u->waited_ms = 0;
    return RC_OK;
}

static enum rc receive(struct upload *u)
{
    char *block = malloc(BLOCK_MAX);
    size_t size = BLOCK_FIRST;
    int64_t left = u->length;
    enum rc rc = block ? RC_OK : RC_NOMEM;

    while (rc == RC_OK && left > 0) {
        size_t want = (int64_t)size < left ? size : (size_t)left;
        int64_t took;
        size_t got = fill_block(u, block, want, &took);
        left -= (int64_t)got;
        rc = got > 0 ? upload_form_feed(u->form, block, got) : RC_TRUNCATED;
        size = next_block(size, took, u->spool != NULL);
        if (rc == RC_OK && left > 0)
            rc = check_rate(u, got, took);
        if (rc == RC_OK)
            rc = report(u);
    }
    if (rc == RC_OK)
        rc = upload_form_finish(u->form);
    free(block);
    return rc;
}

/* ---- the end ----------------------------------------------------------------------
 */

/*
 * Makes the row `stored`. An error alone does not tell what became of it: the worker
 * may have entered the whole file itself meanwhile, and a commit may last though it
 * failed. So the row is read again. RC_NOT_FOUND: it is gone; any other code: it is
 * still receiving, or nobody knows.
 */
static enum rc enter(struct upload *u, int64_t size)
{
    struct video row;
    struct store *st;
    enum rc seen, rc = handles_take(u->app->handles, &st);

    if (rc != RC_OK)
        return rc;
    rc = store_video_stored(st, u->video.id, size, &u->video);
    if (rc != RC_OK && rc != RC_NOT_FOUND) {
        log_warn("store %s: %s: %s", u->video.id, rc_name(rc), store_message(st));
        seen = store_video_get(st, u->video.id, &row);
        if (seen == RC_NOT_FOUND)
            rc = RC_NOT_FOUND;
        if (seen == RC_OK && row.state != VIDEO_RECEIVING) {
            u->video = row;
            rc = RC_OK;
        }
    }
    handles_give(u->app->handles, st);
    return rc;
}

/* First the file, then the row: a row that says `stored` always has its file. */
static enum rc keep(struct upload *u)
{
    int64_t size = spool_size(u->spool);
    enum rc rc = spool_finish(u->spool);

    if (rc == RC_NOT_FOUND)
        return deleted(u);
    if (rc != RC_OK)
        return rc;
    u->spool = NULL;
    rc = enter(u, size);
    if (rc == RC_NOT_FOUND) {
        spool_remove(&u->app->site, u->video.id);
        return deleted(u);
    }
    /* Whole and durable, so never thrown away: the worker enters such files later. */
    if (rc != RC_OK) {
        u->left_whole = true;
        return refuse(u, 503, "not_entered",
                      "The file has come in whole, but the server could not enter it "
                      "yet. It appears by itself later.");
    }
    u->has_row = false;
    return RC_OK;
}

/* Leaves nothing behind; the reason goes to the activity log. */
static void give_up(struct upload *u, const char *reason)
{
    struct store *st;

    if (u->left_whole)
        return;
    spool_abandon(u->spool);
    u->spool = NULL;
    if (handles_take(u->app->handles, &st) != RC_OK)
        return;
    if (u->has_row)
        store_video_abandon(st, u->video.id, reason);
    else
        store_activity_add(st, ACTIVITY_WARN, "upload", NULL, "Upload refused: %s",
                           reason);
    handles_give(u->app->handles, st);
}

static void answer_error(struct upload *u, enum rc rc)
{
    struct http_error error = u->error;

    if (!error.code && u->form)
        error = upload_form_error(u->form);
    if (!error.code)
        error = http_error_of(rc);
    log_info("upload ended with %d %s: %s", error.status, error.code, error.message);
    give_up(u, error.message);
    http_send_error(u->r, &error, NULL);
}

static void answer_stored(struct upload *u)
{
    char location[sizeof("/api/videos/") + ID_LEN];

    log_info("%s: stored, %" PRId64 " bytes in %.1f s", u->video.id, u->video.size,
             (double)(now_ms(u) - u->began_ms) / 1000);
    snprintf(location, sizeof(location), "/api/videos/%s", u->video.id);
    http_send_json(u->r, 201, video_json(&u->video, NULL, 0), location);
}

static void upload_page(struct request *r, void *ctx)
{
    struct upload u = {.r = r, .app = ctx};
    enum rc rc;

    if (strcmp(request_method(r), "POST") != 0) {
        http_send_not_allowed(r, "POST");
        return;
    }
    u.began_wall_ms = u.app->clock.wall_ms(u.app->clock.ctx);
    u.began_ms = u.reported_ms = now_ms(&u);
    rc = prepare(&u);
    if (rc == RC_OK)
        rc = receive(&u);
    if (rc == RC_OK)
        rc = keep(&u);
    if (rc == RC_OK)
        answer_stored(&u);
    else
        answer_error(&u, rc);
    upload_form_free(u.form);
}

int main(void)
{
    struct app app;
    int status;

    if (app_open(&app, "upload.fcgi") != RC_OK)
        return 1;
    status = fcgi_run((int)app.config.upload_threads, upload_page, &app);
    app_close(&app);
    return status;
}
