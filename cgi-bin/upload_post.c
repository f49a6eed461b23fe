/*
 * POST /api/videos: one file in a form.
 *
 * With an upload_id that the client chose, what has come when the connection breaks is
 * kept, and goes on by tus under that name.
 */
#include "upload_doors.h"

#include "gate.h"
#include "log.h"
#include "upload_form.h"
#include "upload_index.h"
#include "video_view.h"

#include <stdio.h>
#include <string.h>

enum { FORM_OVERHEAD = 64 * 1024 }; /* bytes a form may have besides its file */

struct post {
    struct upload u;
    struct upload_form *form;
    int64_t left;             /* bytes of the body that were not fed to it */
    char id[ID_LEN + 1];      /* of the video to be, if its index came; else "" */
    char finished[96];        /* a sentence for an answer */
    struct spool_file *index; /* what came of it; NULL: it is kept, or there is none */
};

/* ---- events of the form ---------------------------------------------------- */

/* A form that is sent again begins anew, unless its file is here already. */
static enum rc claim_name(struct post *p, const char *upload_id)
{
    struct upload *u = &p->u;
    enum upload_found found;
    enum rc rc = upload_take_over(u, upload_id, &found);

    if (rc != RC_OK)
        return rc;
    if (found == UPLOAD_FOREIGN)
        return upload_name_taken(u);
    if (found == UPLOAD_FINISHED) {
        upload_tell_video(u);
        snprintf(p->finished, sizeof(p->finished),
                 "This upload is finished already: it is the video %s.", u->video.id);
        return upload_refuse(u, 409, "finished", p->finished);
    }
    if (found != UPLOAD_NONE)
        upload_discard(u, "it began anew");
    return RC_OK;
}

/* It comes before there is a row; so its video gets its id now. */
static enum rc on_index(void *arg, const void *data, size_t n)
{
    struct post *p = arg;
    enum rc rc = RC_OK;

    if (!p->index) {
        rc = id_new(p->id);
        if (rc == RC_OK)
            rc = upload_index_begin(&p->u, p->id, &p->index);
    }
    return rc == RC_OK ? upload_index_append(&p->u, p->index, data, n) : rc;
}

/* A row that tells of an index always has it. */
static enum rc keep_index(struct post *p)
{
    enum rc rc = p->index ? spool_finish(p->index) : RC_OK;

    if (rc == RC_OK)
        p->index = NULL;
    return rc;
}

static enum rc create(struct post *p, const struct upload_file *file)
{
    struct video_new new = {.container = file->container,
                            .size = file->size,
                            .index_offset = file->index_offset};
    enum rc rc;

    memcpy(new.id, p->id, sizeof(new.id));
    memcpy(new.title, file->title, sizeof(new.title));
    memcpy(new.filename, file->filename, sizeof(new.filename));
    memcpy(new.upload_id, file->upload_id, sizeof(new.upload_id));
    rc = keep_index(p);
    if (rc == RC_OK)
        rc = upload_create(&p->u, &new);
    p->u.decided = true;
    return rc;
}

static enum rc on_begin(void *arg, const struct upload_file *file)
{
    struct post *p = arg;
    struct upload *u = &p->u;
    enum rc rc = upload_check_size(u, file->size);

    /* What is left of the body is the file. */
    if (rc == RC_OK)
        rc = upload_check_size(u, p->left - FORM_OVERHEAD);
    if (rc == RC_OK && p->index)
        rc = upload_index_check(u, p->index, file->index_offset, file->size);
    if (rc == RC_OK && *file->upload_id)
        rc = claim_name(p, file->upload_id);
    return rc == RC_OK ? create(p, file) : rc;
}

static enum rc on_data(void *arg, const void *data, size_t n)
{
    return upload_append(&((struct post *)arg)->u, data, n);
}

/* ---- the request ----------------------------------------------------------- */

/* What can be refused before a byte of the body is read. */
static enum rc prepare(struct post *p)
{
    const struct upload_events events = {
        .begin = on_begin, .data = on_data, .index = on_index, .arg = p};
    struct upload *u = &p->u;
    enum rc rc = upload_body_length(u, &p->left);

    if (rc == RC_OK)
        rc = upload_check_size(u, p->left - FORM_OVERHEAD - upload_index_max(u));
    if (rc == RC_OK)
        rc = upload_form_open(request_header(u->r, "Content-Type"), &events, &p->form,
                              &u->error);
    return rc == RC_OK ? upload_check_space(u, p->left) : rc;
}

static enum rc feed(void *arg, const void *data, size_t n)
{
    struct post *p = arg;

    p->left -= (int64_t)n;
    return upload_form_feed(p->form, data, n);
}

static enum rc take(struct post *p)
{
    enum rc rc = prepare(p);

    if (rc == RC_OK)
        rc = upload_receive(&p->u, p->left, feed, p);
    if (rc == RC_OK)
        rc = upload_form_finish(p->form);
    return rc == RC_OK ? upload_finish(&p->u) : rc;
}

static void answer_error(struct post *p, enum rc rc)
{
    struct upload *u = &p->u;

    /* A form that is wrong is so when it is sent again, too. */
    if (!u->error.code && p->form && upload_form_error(p->form).code) {
        u->error = upload_form_error(p->form);
        u->doomed = true;
    }
    spool_abandon(p->index);
    if (*p->id && !u->has_row)
        spool_remove_index(&u->app->site, p->id);
    if (!*u->video.id)
        upload_note_refused(u, u->error.code ? u->error.message
                                             : http_error_of(rc).message);
    upload_fail(u, rc);
}

/* The file is stored, whatever can be told of it just now. */
static json_t *stored_json(struct upload *u)
{
    const struct video_parts parts = {.video = u->video};
    const struct video_view view = {.key = ""};
    struct store *st;
    json_t *out = NULL;
    enum rc rc = handles_take(u->app->handles, &st);

    if (rc == RC_OK) {
        rc = video_view_one(st, &u->app->site, &u->who.asker, &u->video, &out);
        handles_give(u->app->handles, st);
    }
    return rc == RC_OK ? out : video_json(&parts, &view);
}

static void answer_stored(struct upload *u)
{
    char location[sizeof("/api/videos/") + ID_LEN];

    upload_end(u, "");
    upload_tell_video(u);
    snprintf(location, sizeof(location), "/api/videos/%s", u->video.id);
    http_send_json(u->r, 201, stored_json(u), location);
}

static const struct {
    const char *method, *url; /* where the server has it; plain CGI may elsewhere */
    enum want want;
} route = {"POST", "/api/videos", WANT_UPLOAD};

void upload_post_print_route(void)
{
    printf("%s %s %s\n", route.method, route.url, want_name(route.want));
}

void upload_post_page(struct request *r, const struct uploads *shared)
{
    struct post p = {.form = NULL};
    struct identity who;
    enum rc rc;

    if (strcmp(request_method(r), route.method) != 0) {
        http_send_not_allowed(r, route.method);
        return;
    }
    if (!gate_enter(r, shared->app, route.want, GATE_CHANGES, &who))
        return;
    upload_begin(&p.u, r, shared, &who);
    rc = take(&p);
    if (rc == RC_OK)
        answer_stored(&p.u);
    else
        answer_error(&p, rc);
    upload_form_free(p.form);
}
