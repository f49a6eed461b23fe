/*
 * api.fcgi: the JSON interface, as a table from method and URL to page.
 */
#include "api.h"

#include "address.h"
#include "gate.h"
#include "http.h"
#include "http_text.h"
#include "lane.h"
#include "log.h"
#include "subtitle.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    BODY_MAX = 64 * 1024,
    SLOW_THREADS = 2, /* as many passwords are reckoned at once, of 16 MB each */
    SLOW_MAX = 64,    /* requests that wait for that */
    SLOW_EACH = 8     /* of one address, with those whose turn it is */
};

enum {
    STORE = 1, /* a handle is held for the page */
    SLOW = 2,  /* it reckons a password, and takes its handles itself (api_slowly) */
    ALONE = 4, /* it is answered also where the database is out of order */
    LOSES = 8  /* what it changes a loss of power may take back: guesses, a session */
};

struct route {
    const char *method;
    const char *url; /* a star is one segment */
    void (*page)(struct api_call *call);
    enum want want; /* below /api/videos/ of the video, else of the page */
    unsigned flags;
    size_t body_max; /* bytes; 0: the page takes no body */
};

/* Without a page: another program answers it; it is here for the Allow header. */
static const struct route routes[] = {
    {"GET", "/api/videos", api_video_list, WANT_LIST, STORE, 0},
    {"POST", "/api/videos", NULL, WANT_UPLOAD, 0, 0},
    {"GET", "/api/videos/*", api_video_get, WANT_WATCH, STORE, 0},
    {"PATCH", "/api/videos/*", api_video_patch, WANT_EDIT, STORE, BODY_MAX},
    {"DELETE", "/api/videos/*", api_video_delete, WANT_EDIT, STORE, 0},
    {"GET", "/api/videos/*/original", api_video_original, WANT_ORIGINAL, STORE, 0},
    {"PUT", "/api/videos/*/poster", api_video_poster, WANT_EDIT, STORE, BODY_MAX},
    {"POST", "/api/videos/*/rekey", api_video_rekey, WANT_EDIT, STORE, 0},
    {"POST", "/api/videos/*/retry", api_video_retry, WANT_EDIT, STORE, 0},
    {"GET", "/api/videos/*/segments", api_video_segments, WANT_WATCH, STORE, 0},
    {"GET", "/api/videos/*/shares", api_share_list, WANT_ORIGINAL, STORE, 0},
    {"POST", "/api/videos/*/shares", api_share_add, WANT_EDIT, SLOW, BODY_MAX},
    {"PUT", "/api/videos/*/subtitles/*", api_subtitles_put, WANT_EDIT, STORE,
     SUBTITLE_FILE_MAX},
    {"DELETE", "/api/videos/*/subtitles/*", api_subtitles_delete, WANT_EDIT, STORE, 0},
    {"GET", "/api/shares/*", api_share_get, WANT_OPEN, STORE, 0},
    {"POST", "/api/shares/*", api_share_unlock, WANT_OPEN, SLOW | LOSES, BODY_MAX},
    {"DELETE", "/api/shares/*", api_share_delete, WANT_EDIT, STORE, 0},
    {"GET", "/api/shares/*/segments", api_share_segments, WANT_OPEN, STORE, 0},
    {"GET", "/api/shares/*/original", api_share_original, WANT_OPEN, STORE, 0},
    {"GET", "/e/*", api_embed, WANT_OPEN, STORE, 0},
    {"GET", "/api/session", api_session_get, WANT_OPEN, STORE, 0},
    {"POST", "/api/session", api_session_begin, WANT_OPEN, SLOW | LOSES, BODY_MAX},
    {"DELETE", "/api/session", api_session_end, WANT_OPEN, STORE, 0},
    {"POST", "/api/setup", api_setup, WANT_OPEN, SLOW, BODY_MAX},
    {"GET", "/api/sessions", api_sessions_list, WANT_ACCOUNT, STORE, 0},
    {"DELETE", "/api/sessions/*", api_sessions_delete, WANT_ACCOUNT, STORE, 0},
    {"GET", "/api/tokens", api_tokens_list, WANT_ACCOUNT, STORE, 0},
    {"POST", "/api/tokens", api_tokens_add, WANT_ACCOUNT, STORE, BODY_MAX},
    {"DELETE", "/api/tokens/*", api_tokens_delete, WANT_ACCOUNT, STORE, 0},
    {"GET", "/api/users", api_users_list, WANT_USERS, STORE, 0},
    {"POST", "/api/users", api_users_add, WANT_USERS, SLOW, BODY_MAX},
    {"PATCH", "/api/users/*", api_users_patch, WANT_ACCOUNT, SLOW, BODY_MAX},
    {"DELETE", "/api/users/*", api_users_delete, WANT_USERS, STORE, 0},
    {"GET", "/api/activity", api_activity_list, WANT_ACTIVITY, STORE, 0},
    {"GET", "/api/health", api_health_get, WANT_OPEN, ALONE, 0},
};

#define N_ROUTES (sizeof(routes) / sizeof(routes[0]))

struct api {
    struct app app; /* the first: calls know it by this */
    struct lane *slow;
};

/* ---- the table ------------------------------------------------------------- */

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
    for (size_t i = 0; i < N_ROUTES; i++) {
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

static bool is_below(const struct route *route, const char *folder)
{
    return strncmp(route->url, folder, strlen(folder)) == 0;
}

static bool is_of_video(const struct route *route)
{
    return is_below(route, "/api/videos/");
}

/* True unless the URL names what there cannot be. */
static bool id_is_possible(const struct route *route, const struct api_call *call)
{
    if (is_of_video(route))
        return id_valid(call->id);
    if (is_below(route, "/api/shares/"))
        return key_valid(call->id);
    return true;
}

/* ---- a request --------------------------------------------------------------- */

/* The video of the URL, if who asks may do that with it; else it is answered. */
static bool find_video(struct api_call *call)
{
    enum rc rc = store_video_get(call->st, call->id, &call->video);

    if (rc != RC_OK)
        api_fail(call, rc);
    return rc == RC_OK && api_may(call, call->want, &call->video);
}

static void run_with_store(const struct route *route, struct api_call *call)
{
    bool of_video = is_of_video(route), may = true;

    if ((of_video || (route->flags & STORE)) && !api_take_store(call))
        return;
    if (of_video)
        may = find_video(call);
    if (call->st && !(route->flags & STORE))
        api_give_store(call);
    if (may)
        route->page(call);
    if (call->st)
        api_give_store(call);
}

/* ---- what is slow ------------------------------------------------------------ */

/* A page that goes on in another thread. */
struct slow {
    const struct route *route;
    struct api_call call;
    char *body; /* the call's */
};

static void tell_late(const struct api_call *call)
{
    struct store *st;

    if (!*call->late.about || handles_take(call->app->handles, &st) != RC_OK)
        return;
    store_activity_add_rarely(st, ACTIVITY_WARN, "account", call->late.about,
                              call->late.rest);
    handles_give(call->app->handles, st);
}

static void on_slow(void *item, void *ctx)
{
    struct slow *slow = item;

    (void)ctx;
    run_with_store(slow->route, &slow->call);
    request_end(slow->call.r);
    tell_late(&slow->call);
    free(slow->body);
    free(slow);
}

/* Who is one client is known from the address (RFC 6177), as where tries are counted.
 */
static enum rc give_to_lane(struct lane *lane, struct slow *slow)
{
    char from[ADDRESS_TEXT_MAX + 1];

    address_text(request_peer(slow->call.r), from);
    return lane_give(lane, slow, from);
}

/* The body becomes the other thread's. */
static void go_on_slowly(const struct route *route, struct api_call *call, char *body)
{
    struct api *api = (struct api *)call->app;
    struct slow *slow = malloc(sizeof(*slow));
    struct request *r = call->r;
    enum rc rc = RC_NOMEM;

    request_keep(r); /* before any other thread can have it */
    if (slow) {
        *slow = (struct slow){.route = route, .call = *call, .body = body};
        slow->call.slowly = true;
        rc = give_to_lane(api->slow, slow);
    }
    if (rc == RC_OK)
        return;
    http_send_rc(r, rc);
    request_end(r);
    free(body);
    free(slow);
}

/* ---- a request, from its start ------------------------------------------------ */

/* The body comes before the handle: all threads share a few of those, and a client that
 * stops half-way must not keep one. */
static void run_page(const struct route *route, struct api_call *call)
{
    char *body = NULL;
    enum rc rc = RC_OK;

    if (route->body_max > 0)
        rc = http_read_body(call->r, route->body_max, &body, &call->body_size);
    call->body = body;
    if (rc == RC_NOT_FOUND)
        api_refuse(call, 411, "length_required", "The request must say its length.");
    else if (rc != RC_OK)
        api_fail(call, rc);
    else
        run_with_store(route, call);
    if (call->wants_slowly)
        go_on_slowly(route, call, body);
    else
        free(body);
}

static void enter(const struct route *route, struct api_call *call)
{
    bool changes = strcmp(route->method, "GET") != 0;
    unsigned flags =
        (changes ? GATE_CHANGES : 0) | (route->flags & ALONE ? GATE_ALONE : 0);

    call->want = route->want;
    call->lasts = changes && !(route->flags & LOSES);
    if (gate_enter(call->r, call->app, route->want, flags, &call->who))
        run_page(route, call);
}

static void on_request(struct request *r, void *ctx)
{
    struct api *api = ctx;
    struct api_call call = {.r = r, .app = &api->app};
    char allow[64];
    const struct route *route =
        find_route(request_method(r), request_path(r), &call, allow, sizeof(allow));

    if (!route && *allow) {
        http_send_not_allowed(r, allow);
    } else if (!route || !route->page || !id_is_possible(route, &call)) {
        http_send_rc(r, RC_NOT_FOUND);
    } else {
        enter(route, &call);
    }
}

/* For tests: what there is, and what has to be allowed for it. */
static int print_routes(void)
{
    for (size_t i = 0; i < N_ROUTES; i++)
        if (routes[i].page)
            printf("%s %s %s\n", routes[i].method, routes[i].url,
                   want_name(routes[i].want));
    return 0;
}

int main(int argc, char **argv)
{
    const struct lane_limits slow = {SLOW_THREADS, SLOW_MAX, SLOW_EACH};
    struct api api = {.slow = NULL};
    int status = 1;
    enum rc rc;

    if (argc == 2 && strcmp(argv[1], "--routes") == 0)
        return print_routes();
    if (app_open(&api.app, "api.fcgi") != RC_OK)
        return 1;
    app_end_open_grants(&api.app);
    rc = lane_open(&slow, on_slow, &api, &api.slow);
    if (rc == RC_OK)
        status = fcgi_run((int)api.app.config.api_threads, on_request, &api);
    else
        log_error("start: %s", rc_name(rc));
    lane_close(api.slow);
    app_close(&api.app);
    return status;
}
