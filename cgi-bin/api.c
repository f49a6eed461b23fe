/*
 * api.fcgi: the JSON interface, as a table from method and URL to page.
 */
#include "api.h"

#include "http.h"
#include "http_text.h"
#include "log.h"
#include "subtitle.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PATCH_BODY_MAX = 64 * 1024 };

struct route {
    const char *method;
    const char *url; /* a star is an id; one at the end, behind it, what it says */
    void (*page)(struct api_call *call);
    bool needs_store;
    size_t body_max; /* bytes; 0: the page takes no body */
};

/* Without a page: another program answers it; it is here for the Allow header. */
static const struct route routes[] = {
    {"GET", "/api/videos", api_video_list, true, 0},
    {"POST", "/api/videos", NULL, false, 0},
    {"GET", "/api/videos/*", api_video_get, true, 0},
    {"PATCH", "/api/videos/*", api_video_patch, true, PATCH_BODY_MAX},
    {"DELETE", "/api/videos/*", api_video_delete, true, 0},
    {"PUT", "/api/videos/*/poster", api_video_poster, true, PATCH_BODY_MAX},
    {"POST", "/api/videos/*/retry", api_video_retry, true, 0},
    {"GET", "/api/videos/*/segments", api_video_segments, true, 0},
    {"PUT", "/api/videos/*/subtitles/*", api_subtitles_put, true, SUBTITLE_FILE_MAX},
    {"DELETE", "/api/videos/*/subtitles/*", api_subtitles_delete, true, 0},
    {"GET", "/api/activity", api_activity_list, true, 0},
    {"GET", "/api/health", api_health_get, false, 0},
};

void api_fail(struct api_call *call, enum rc rc)
{
    if (http_error_of(rc).status >= 500)
        log_error("%s %s: %s: %s", request_method(call->r), request_path(call->r),
                  rc_name(rc),
                  call->st ? store_message(call->st) : "no database handle");
    http_send_rc(call->r, rc);
}

void api_bad_parameter(struct api_call *call, const char *message)
{
    const struct http_error error = {400, "bad_parameter", message};

    http_send_error(call->r, &error, NULL);
}

static bool has_method(const struct route *route, const char *method)
{
    return strcmp(route->method, method) == 0 ||
           (strcmp(route->method, "GET") == 0 && strcmp(method, "HEAD") == 0);
}

/* The route of this URL and method; else NULL, with the URL's methods in allow, ""
 * where no route has this URL. */
static const struct route *find_route(const char *method, const char *path,
                                      struct api_call *call, char *allow, size_t size)
{
    size_t used = 0;

    allow[0] = '\0';
    for (size_t i = 0; i < sizeof(routes) / sizeof(routes[0]); i++) {
        const struct route *route = &routes[i];
        if (!http_match_two(route->url, path, call->id, sizeof(call->id), call->rest,
                            sizeof(call->rest)))
            continue;
        if (has_method(route, method))
            return route;
        used += (size_t)snprintf(allow + used, size - used, "%s%s%s", used ? ", " : "",
                                 route->method,
                                 strcmp(route->method, "GET") == 0 ? ", HEAD" : "");
    }
    return NULL;
}

static void run_with_store(const struct route *route, struct api_call *call)
{
    enum rc rc;

    if (!route->needs_store) {
        route->page(call);
        return;
    }
    rc = handles_take(call->app->handles, &call->st);
    if (rc != RC_OK) {
        api_fail(call, rc);
        return;
    }
    route->page(call);
    handles_give(call->app->handles, call->st);
}

/* The body comes before the handle: all threads share a few of those, and a client that
 * stops half-way must not keep one. */
static void run_page(const struct route *route, struct api_call *call)
{
    static const struct http_error no_length = {411, "length_required",
                                                "The request must say its length."};
    char *body = NULL;
    enum rc rc = RC_OK;

    if (route->body_max > 0)
        rc = http_read_body(call->r, route->body_max, &body, &call->body_size);
    call->body = body;
    if (rc == RC_NOT_FOUND)
        http_send_error(call->r, &no_length, NULL);
    else if (rc != RC_OK)
        api_fail(call, rc);
    else
        run_with_store(route, call);
    free(body);
}

static void api_page(struct request *r, void *ctx)
{
    struct api_call call = {.r = r, .app = ctx};
    char allow[64];
    const struct route *route =
        find_route(request_method(r), request_path(r), &call, allow, sizeof(allow));

    if (!route && *allow)
        http_send_not_allowed(r, allow);
    else if (!route || !route->page || (*call.id && !id_valid(call.id)))
        http_send_rc(r, RC_NOT_FOUND);
    else
        run_page(route, &call);
}

int main(void)
{
    struct app app;
    int status;

    if (app_open(&app, "api.fcgi") != RC_OK)
        return 1;
    status = fcgi_run((int)app.config.api_threads, api_page, &app);
    app_close(&app);
    return status;
}
