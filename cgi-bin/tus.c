/*
 * /api/uploads: tus 1.0.0 (https://tus.io/protocols/resumable-upload) with creation,
 * creation-with-upload, termination, expiration and checksum.
 *
 * A request takes the upload over from any other, since a client has one at a time: the
 * other is dead, or waits for bytes that went another way.
 */
#include "tus.h"

#include "gate.h"
#include "http_text.h"
#include "tus_headers.h"
#include "upload_doors.h"
#include "upload_index.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* ---- answers --------------------------------------------------------------- */

static void add_number(struct upload *u, const char *name, int64_t value)
{
    char text[24];

    snprintf(text, sizeof(text), "%" PRId64, value);
    request_add_header(u->r, name, text);
}

/* What every answer to a request for an upload says of it. */
static void add_state(struct upload *u)
{
    char date[CLOCK_HTTP_DATE_LEN + 1];

    upload_tell_video(u);
    if (!u->spool) {
        add_number(u, "Upload-Offset", u->video.size);
        return;
    }
    add_number(u, "Upload-Offset", spool_size(u->spool));
    clock_http_date(upload_expires_ms(u), date);
    request_add_header(u->r, "Upload-Expires", date);
}

/* Ends the request: with a status and what there is to say, or with an error. */
void tus_answer(struct upload *u, enum rc rc, int status)
{
    if (rc != RC_OK) {
        upload_fail(u, rc);
        return;
    }
    add_state(u);
    upload_end(u, "");
    http_send_empty(u->r, status);
}

/* ---- uploads that exist ---------------------------------------------------- */

static enum rc open_upload(struct upload *u, const char *upload_id,
                           enum upload_found *found)
{
    enum rc rc = upload_take_over(u, upload_id, found);

    return rc == RC_OK ? upload_must_exist(u, *found) : rc;
}

/* ---- PATCH ----------------------------------------------------------------- */

/* The upload came by a form that did not say how large the file is. */
static enum rc learn_length(struct upload *u)
{
    struct store *st;
    int64_t length;
    enum rc rc =
        tus_number_header(u, "Upload-Length",
                          "The length of this upload is not known yet: the request "
                          "needs Upload-Length, a number of bytes.",
                          &length);

    if (rc == RC_OK)
        rc = upload_check_size(u, length);
    if (rc == RC_OK && length < spool_size(u->spool))
        rc = tus_bad_header(u, "Upload-Length is less than what has come already.");
    if (rc == RC_OK)
        rc = upload_take_store(u, &st);
    if (rc != RC_OK)
        return rc;
    rc = store_upload_length(st, u->video.id, length);
    upload_give_store(u, st);
    if (rc == RC_OK)
        u->video.size = length;
    return rc == RC_NOT_FOUND ? upload_deleted(u) : rc;
}

static enum rc wrong_offset(struct upload *u)
{
    return upload_refuse(u, 409, "wrong_offset",
                         "Upload-Offset is not where the upload has come to.");
}

/* Nothing can be added, but a client that missed the last answer may ask for it again.
 */
static enum rc patch_finished(struct upload *u, const struct tus_chunk *c,
                              int64_t offset)
{
    if (offset != u->video.size)
        return wrong_offset(u);
    if (c->length > 0)
        return upload_refuse(u, 403, "finished", "This upload is finished already.");
    return RC_OK;
}

static enum rc patch(struct upload *u, const char *upload_id, struct tus_chunk *c)
{
    enum upload_found found;
    int64_t offset;
    enum rc rc = tus_chunk_read(u, c);

    if (rc == RC_OK)
        rc = tus_number_header(u, "Upload-Offset",
                               "Upload-Offset must be a number of bytes.", &offset);
    if (rc == RC_OK)
        rc = open_upload(u, upload_id, &found);
    if (rc != RC_OK)
        return rc;
    if (found == UPLOAD_FINISHED)
        return patch_finished(u, c, offset);
    if (offset != spool_size(u->spool))
        return wrong_offset(u);
    if (u->video.size < 0)
        rc = learn_length(u);
    return rc == RC_OK ? tus_chunk_take(c) : rc;
}

static void patch_page(struct upload *u, const char *upload_id)
{
    struct tus_chunk c = {.checksum = NULL};
    enum rc rc = patch(u, upload_id, &c);

    tus_answer(u, rc, 204);
    checksum_free(c.checksum);
}

/* ---- HEAD ------------------------------------------------------------------ */

static enum rc add_metadata(struct upload *u)
{
    char metadata[STORE_METADATA_MAX + 1];
    struct store *st;
    enum rc rc = handles_take(u->app->handles, &st);

    if (rc != RC_OK)
        return rc;
    rc = store_upload_metadata(st, u->video.id, metadata);
    handles_give(u->app->handles, st);
    if (rc == RC_OK && *metadata)
        request_add_header(u->r, "Upload-Metadata", metadata);
    return rc == RC_NOT_FOUND ? upload_deleted(u) : rc;
}

static void head_page(struct upload *u, const char *upload_id)
{
    enum upload_found found;
    enum rc rc = open_upload(u, upload_id, &found);

    /* Offsets are only told of bytes that will not be lost; and a client that is told
     * the full one sends nothing more, so it must be finished then. */
    if (rc == RC_OK && found == UPLOAD_OPEN)
        rc = upload_settle(u);
    if (rc == RC_OK)
        rc = add_metadata(u);
    if (rc == RC_OK && u->video.size >= 0)
        add_number(u, "Upload-Length", u->video.size);
    else if (rc == RC_OK)
        request_add_header(u->r, "Upload-Defer-Length", "1");
    if (rc == RC_OK)
        request_add_header(u->r, "Content-Length", "0");
    tus_answer(u, rc, 200);
}

/* ---- DELETE, OPTIONS ------------------------------------------------------- */

static void delete_page(struct upload *u, const char *upload_id)
{
    enum upload_found found;
    enum rc rc = open_upload(u, upload_id, &found);

    if (rc == RC_OK && found == UPLOAD_FINISHED)
        rc = upload_refuse(u, 403, "finished",
                           "This upload is finished: delete its video instead.");
    if (rc != RC_OK) {
        upload_fail(u, rc);
        return;
    }
    u->doomed = true;
    upload_end(u, "the client gave it up");
    http_send_empty(u->r, 204);
}

/* The last two are no part of tus: they are for the page. */
static void options_page(struct upload *u, const char *upload_id)
{
    (void)upload_id;
    request_add_header(u->r, "Tus-Version", TUS_VERSION);
    request_add_header(u->r, "Tus-Extension",
                       "creation,creation-with-upload,termination,expiration,checksum");
    add_number(u, "Tus-Max-Size", upload_max_bytes(u));
    request_add_header(u->r, "Tus-Checksum-Algorithm", checksum_algorithms);
    add_number(u, "Dropstream-Chunk-Bytes", upload_chunk_bytes(u));
    add_number(u, "Dropstream-Index-Bytes", upload_index_max(u));
    http_send_empty(u->r, 204);
}

/* ---- the table ------------------------------------------------------------- */

static const struct route {
    const char *method;
    const char *url; /* a star is an upload_id */
    void (*page)(struct upload *u, const char *upload_id);
} routes[] = {
    {"OPTIONS", "/api/uploads", options_page},
    {"POST", "/api/uploads", tus_create_page},
    {"OPTIONS", "/api/uploads/", options_page},
    {"POST", "/api/uploads/", tus_create_page},
    {"OPTIONS", "/api/uploads/*", options_page},
    {"HEAD", "/api/uploads/*", head_page},
    {"PATCH", "/api/uploads/*", patch_page},
    {"DELETE", "/api/uploads/*", delete_page},
    {"PUT", "/api/uploads/*/index", upload_index_page}, /* ours; not of tus */
};

/* As in api.c: NULL, and the URL's methods in allow, where no route has this one. */
static const struct route *find_route(const char *method, const char *path, char *arg,
                                      size_t arg_size, char *allow, size_t size)
{
    size_t used = 0;

    allow[0] = '\0';
    for (size_t i = 0; i < sizeof(routes) / sizeof(routes[0]); i++) {
        const struct route *route = &routes[i];
        if (!http_match(route->url, path, arg, arg_size))
            continue;
        if (strcmp(route->method, method) == 0)
            return route;
        used += (size_t)snprintf(allow + used, size - used, "%s%s", used ? ", " : "",
                                 route->method);
    }
    return NULL;
}

/* Some clients sit behind something that lets only GET and POST through. */
static const char *method_of(const struct request *r)
{
    const char *override = request_header(r, "X-HTTP-Method-Override");

    return override && *override ? override : request_method(r);
}

/* OPTIONS is how a client finds out what there is, before it can know who it is. */
static bool is_open(const struct route *route)
{
    return route->page == options_page;
}

/* Nor does it know the version; and an index is nothing that tus knows of. */
static bool is_version_wrong(const struct request *r, const struct route *route)
{
    const char *version = request_header(r, "Tus-Resumable");

    if (is_open(route) || (route->page == upload_index_page && !version))
        return false;
    return !version || strcmp(version, TUS_VERSION) != 0;
}

/* HEAD only looks. It is the page's method that counts, by whichever the request came.
 */
static unsigned gate_flags(const struct route *route)
{
    if (is_open(route))
        return GATE_ALONE;
    return route->page == head_page ? 0 : GATE_CHANGES;
}

static void run(const struct route *route, struct request *r, const char *upload_id,
                const struct uploads *shared)
{
    static const struct http_error bad_version = {
        412, "wrong_version", "Tus-Resumable must be 1.0.0, the version spoken here."};
    const struct header versions = {"Tus-Version", TUS_VERSION};
    struct identity who;
    struct upload u;

    if (!gate_enter(r, shared->app, is_open(route) ? WANT_OPEN : WANT_UPLOAD,
                    gate_flags(route), &who))
        return;
    if (is_version_wrong(r, route)) {
        http_send_error(r, &bad_version, &versions);
        return;
    }
    upload_begin(&u, r, shared, &who);
    route->page(&u, upload_id);
}

void tus_page(struct request *r, const struct uploads *shared)
{
    char arg[UPLOAD_ID_LEN + 2] = "", upload_id[UPLOAD_ID_LEN + 1] = "", allow[64];
    const struct route *route = find_route(method_of(r), request_path(r), arg,
                                           sizeof(arg), allow, sizeof(allow));

    request_add_header(r, "Tus-Resumable", TUS_VERSION);
    if (!route && *allow) {
        http_send_not_allowed(r, allow);
    } else if (!route || (*arg && upload_id_read(arg, upload_id) != RC_OK)) {
        http_send_rc(r, RC_NOT_FOUND);
    } else {
        run(route, r, upload_id, shared);
    }
}

void tus_print_routes(void)
{
    for (size_t i = 0; i < sizeof(routes) / sizeof(routes[0]); i++)
        printf("%s %s %s\n", routes[i].method, routes[i].url,
               want_name(is_open(&routes[i]) ? WANT_OPEN : WANT_UPLOAD));
}
