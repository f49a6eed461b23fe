/*
 * media.fcgi: asked for files below /media/ that are not there.
 *
 * What will never exist is a 404 at once. A segment that is promised and not made yet
 * is wanted from now on: the request is parked until the file is there, or until it is
 * time to say 503, which players ask for again; or 404, should its video be deleted or
 * fail meanwhile, or its key be revoked. No error may be kept by any cache.
 *
 * In strict mode (media_auth) it is asked for others too, where the server does not
 * know yet that a client may have them. It lets the server know, and has it send them.
 */
#include "app.h"
#include "fcgi.h"
#include "http.h"
#include "log.h"
#include "media_path.h"
#include "parking.h"
#include "promise.h"
#include "strict.h"
#include "viewer.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

struct media {
    struct app app;
    struct parking *parking;
    struct strict *strict; /* NULL: whoever has a key may watch */
};

/* Fills in what is asked for, if it is promised, with a handle that is given back
 * before anything waits. video: the one that its key leads to; NULL: that is not known
 * yet. RC_NOT_FOUND: it will never be. */
static enum rc ask_store(struct media *m, const struct request *r,
                         const struct media_path *path, const struct video *video,
                         struct wait_ask *ask)
{
    struct promise promise;
    struct store *st;
    enum rc rc = handles_take(m->app.handles, &st);

    if (rc != RC_OK)
        return rc;
    rc = video ? promise_of(st, video, path, &promise)
               : promise_find(st, path, &promise);
    if (rc != RC_OK && rc != RC_NOT_FOUND)
        log_error("%s: %s: %s", request_path(r), rc_name(rc), store_message(st));
    handles_give(m->app.handles, st);
    if (rc != RC_OK)
        return rc;
    ask->path = *path;
    ask->kind = promise.kind;
    memcpy(ask->video_id, promise.video_id, sizeof(ask->video_id));
    return RC_OK;
}

static void wait_for_file(struct media *m, struct request *r, const struct video *video)
{
    struct media_path path;
    struct wait_ask ask;
    enum rc rc = media_path_parse(request_path(r), &path) == RC_OK
                     ? ask_store(m, r, &path, video, &ask)
                     : RC_NOT_FOUND;

    if (rc != RC_OK) {
        http_send_rc(r, rc);
        return;
    }
    ask.viewer = viewer_of(request_peer(r), request_header(r, "CMCD-Session"),
                           request_header(r, "X-Playback-Session-Id"),
                           request_header(r, "User-Agent"));
    parking_wait(m->parking, r, &ask);
}

#define ALLOWED "GET, HEAD"

/* Another site's player asks so whether it may come; lighttpd adds the answer. */
static void options_page(struct media *m, struct request *r)
{
    (void)m;
    request_add_header(r, "Allow", ALLOWED);
    http_send_empty(r, 204);
}

static void file_page(struct media *m, struct request *r)
{
    struct video video;

    if (!m->strict)
        wait_for_file(m, r, NULL);
    else if (!strict_answers(m->strict, r, &video))
        wait_for_file(m, r, &video);
}

/* At any address that it is asked for. */
static const struct route {
    const char *method;
    void (*page)(struct media *m, struct request *r);
} routes[] = {
    {"GET", file_page},
    {"HEAD", file_page},
    {"OPTIONS", options_page},
};

#define N_ROUTES (sizeof(routes) / sizeof(routes[0]))

static void media_page(struct request *r, void *ctx)
{
    for (size_t i = 0; i < N_ROUTES; i++) {
        if (strcmp(request_method(r), routes[i].method) == 0) {
            routes[i].page(ctx, r);
            return;
        }
    }
    http_send_not_allowed(r, ALLOWED);
}

static int print_routes(void)
{
    for (size_t i = 0; i < N_ROUTES; i++)
        printf("%s /media/*/*/* open\n", routes[i].method);
    return 0;
}

static enum rc open_parts(struct media *m)
{
    enum rc rc = parking_open(&m->app, &m->parking);

    if (rc == RC_OK && m->app.config.media_auth == MEDIA_STRICT)
        rc = strict_open(&m->app, &m->strict);
    return rc;
}

int main(int argc, char **argv)
{
    struct media m = {.parking = NULL};
    int status = 1;
    enum rc rc;

    if (argc == 2 && strcmp(argv[1], "--routes") == 0)
        return print_routes();
    if (app_open(&m.app, "media.fcgi") != RC_OK)
        return 1;
    app_end_open_grants(&m.app);
    rc = open_parts(&m);
    if (rc == RC_OK)
        status = fcgi_run((int)m.app.config.api_threads, media_page, &m);
    else
        log_error("start: %s", rc_name(rc));
    parking_close(m.parking);
    strict_close(m.strict);
    app_close(&m.app);
    return status;
}
