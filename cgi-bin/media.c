/*
 * media.fcgi: asked only for files below /media/ that are not there.
 *
 * A segment that is promised and not made yet is a 503, which players ask for again;
 * what will never exist is a 404. Neither may be kept by any cache.
 */
#include "app.h"
#include "fcgi.h"
#include "http.h"
#include "log.h"
#include "media_path.h"

#include <stdbool.h>
#include <string.h>

/* True if the plan of a video holds what path asks for. */
static bool is_promised(const struct media_path *path,
                        const struct rendition *renditions, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(renditions[i].name, path->rendition) == 0)
            return renditions[i].generation == path->generation &&
                   path->segment < renditions[i].segments;
    return false;
}

/* RC_OK: promised. RC_NOT_FOUND: never. */
static enum rc look_up(struct store *st, const struct media_path *path)
{
    struct rendition renditions[STORE_RENDITIONS_MAX];
    struct video video;
    size_t n = 0;
    enum rc rc = store_video_by_key(st, path->key, &video);

    if (rc == RC_OK)
        rc = store_renditions(st, video.id, renditions, &n);
    if (rc != RC_OK)
        return rc;
    if (video.state == VIDEO_FAILED)
        return RC_NOT_FOUND;
    return is_promised(path, renditions, n) ? RC_OK : RC_NOT_FOUND;
}

static void media_page(struct request *r, void *ctx)
{
    static const struct http_error not_yet = {
        503, "not_yet", "This part of the video is still being prepared."};
    struct app *app = ctx;
    struct media_path path;
    struct store *st;
    enum rc rc;

    if (strcmp(request_method(r), "GET") != 0 &&
        strcmp(request_method(r), "HEAD") != 0) {
        http_send_not_allowed(r, "GET, HEAD");
        return;
    }
    if (media_path_parse(request_path(r), &path) != RC_OK) {
        http_send_rc(r, RC_NOT_FOUND);
        return;
    }
    rc = handles_take(app->handles, &st);
    if (rc == RC_OK) {
        rc = look_up(st, &path);
        if (rc != RC_OK && rc != RC_NOT_FOUND)
            log_error("%s: %s: %s", request_path(r), rc_name(rc), store_message(st));
        handles_give(app->handles, st);
    }
    if (rc == RC_OK)
        http_send_error(r, &not_yet, NULL);
    else
        http_send_rc(r, rc);
}

int main(void)
{
    struct app app;
    int status;

    if (app_open(&app, "media.fcgi") != RC_OK)
        return 1;
    status = fcgi_run((int)app.config.api_threads, media_page, &app);
    app_close(&app);
    return status;
}
