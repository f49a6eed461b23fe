/*
 * POST /api/videos: one file in a form.
 *
 * With an upload_id that the client chose, what has come when the connection breaks is
 * kept, and goes on by tus under that name.
 */
#include "upload_doors.h"

#include "log.h"
#include "upload_form.h"
#include "video_json.h"

#include <stdio.h>
#include <string.h>

enum { FORM_OVERHEAD = 64 * 1024 }; /* bytes a form may have besides its file */

struct post {
    struct upload u;
    struct upload_form *form;
};

/* ---- events of the form ---------------------------------------------------- */

/* A form that is sent again begins anew, unless its file is here already. */
static enum rc claim_name(struct upload *u, const char *upload_id)
{
    enum upload_found found;
    enum rc rc = upload_take_turn(u, upload_id);

    if (rc == RC_OK)
        rc = upload_find(u, upload_id, &found);
    if (rc != RC_OK)
        return rc;
    if (found == UPLOAD_FINISHED) {
        upload_tell_video(u);
        return upload_refuse(u, 409, "finished",
                             "This upload is finished already: Dropstream-Video tells "
                             "the id of its video.");
    }
    if (found != UPLOAD_NONE)
        upload_discard(u, "it began anew");
    return RC_OK;
}

static enum rc on_begin(void *arg, const struct upload_file *file)
{
    struct upload *u = &((struct post *)arg)->u;
    struct video_new new = {.container = file->container, .size = file->size};
    enum rc rc = upload_check_size(u, file->size);

    if (rc == RC_OK && *file->upload_id)
        rc = claim_name(u, file->upload_id);
    if (rc != RC_OK)
        return rc;
    memcpy(new.title, file->title, sizeof(new.title));
    memcpy(new.filename, file->filename, sizeof(new.filename));
    memcpy(new.upload_id, file->upload_id, sizeof(new.upload_id));
    rc = upload_create(u, &new);
    u->decided = true;
    return rc;
}

static enum rc on_data(void *arg, const void *data, size_t n)
{
    return upload_append(&((struct post *)arg)->u, data, n);
}

/* ---- the request ----------------------------------------------------------- */

/* What can be refused before a byte of the body is read. */
static enum rc prepare(struct post *p, int64_t *length)
{
    struct upload *u = &p->u;
    enum rc rc = upload_body_length(u, length);

    if (rc == RC_OK)
        rc = upload_check_size(u, *length - FORM_OVERHEAD);
    if (rc == RC_OK)
        rc = upload_form_open(
            request_header(u->r, "Content-Type"),
            &(struct upload_events){.begin = on_begin, .data = on_data, .arg = p},
            &p->form, &u->error);
    return rc == RC_OK ? upload_check_space(u, *length) : rc;
}

static enum rc feed(void *arg, const void *data, size_t n)
{
    return upload_form_feed(((struct post *)arg)->form, data, n);
}

static enum rc take(struct post *p)
{
    int64_t length;
    enum rc rc = prepare(p, &length);

    if (rc == RC_OK)
        rc = upload_receive(&p->u, length, feed, p);
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
    if (!*u->video.id)
        upload_note_refused(u, u->error.code ? u->error.message
                                             : http_error_of(rc).message);
    upload_fail(u, rc);
}

static void answer_stored(struct upload *u)
{
    char location[sizeof("/api/videos/") + ID_LEN];

    upload_end(u, "");
    upload_tell_video(u);
    snprintf(location, sizeof(location), "/api/videos/%s", u->video.id);
    http_send_json(u->r, 201, video_json(&u->video, NULL, 0), location);
}

void upload_post_page(struct request *r, const struct uploads *shared)
{
    struct post p = {.form = NULL};
    enum rc rc;

    if (strcmp(request_method(r), "POST") != 0) {
        http_send_not_allowed(r, "POST");
        return;
    }
    upload_begin(&p.u, r, shared);
    rc = take(&p);
    if (rc == RC_OK)
        answer_stored(&p.u);
    else
        answer_error(&p, rc);
    upload_form_free(p.form);
}
