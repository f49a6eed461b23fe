/*
 * POST /api/uploads: a new upload by tus, known before its first byte has come.
 */
#include "tus.h"

#include "tus_headers.h"
#include "upload_form.h"
#include "upload_names.h"

#include <stdio.h>
#include <string.h>

/* What can be said of the file before its bytes come. */
static enum rc read_length(struct upload *u, int64_t *out)
{
    enum rc rc;

    if (request_header(u->r, "Upload-Defer-Length"))
        return upload_refuse(u, 400, "length_deferred",
                             "An upload must say its length when it is created "
                             "(Upload-Length).");
    if (request_header(u->r, "Upload-Concat"))
        return upload_refuse(u, 400, "no_concatenation",
                             "Uploads cannot be put together of parts here.");
    rc = tus_number_header(u, "Upload-Length",
                           "Upload-Length must be a number of bytes.", out);
    if (rc != RC_OK)
        return rc;
    if (*out == 0)
        return upload_reject(u, 422, "empty_file", "The file is empty.");
    if (*out < UPLOAD_FILE_MIN)
        return upload_reject(u, 422, "too_short",
                             "The file is too short to be a video.");
    return upload_check_size(u, *out);
}

static enum rc read_metadata(struct upload *u, struct video_new *new)
{
    struct tus_metadata metadata;
    const char *why = NULL;
    enum rc rc;

    new->metadata = request_header(u->r, "Upload-Metadata");
    rc = tus_metadata_read(new->metadata, &metadata, &why);
    if (rc == RC_INVALID)
        return upload_refuse(u, 400, "bad_metadata", why);
    if (rc != RC_OK)
        return rc;
    upload_filename(new->filename, metadata.filename);
    upload_title(new->title, metadata.title, new->filename);
    memcpy(new->upload_id, metadata.upload_id, sizeof(new->upload_id));
    return *new->upload_id ? RC_OK : upload_id_new(new->upload_id);
}

static enum rc name_taken(struct upload *u)
{
    upload_tell_video(u);
    return upload_name_taken(u);
}

/* A name that the client chose may be in use; one whose time is over is given up. */
static enum rc claim_name(struct upload *u, const char *upload_id)
{
    enum upload_found found;
    enum rc rc = upload_look(u, upload_id, &found);

    if (rc == RC_OK && found != UPLOAD_NONE && found != UPLOAD_GONE)
        return name_taken(u);
    if (rc == RC_OK)
        rc = upload_take_turn(u, upload_id);
    if (rc == RC_OK && found == UPLOAD_GONE)
        upload_discard(u, "it was not finished in time");
    return rc;
}

/* A body is the first chunk (creation-with-upload). */
static enum rc create(struct upload *u, struct tus_chunk *c)
{
    struct video_new new = {.container = CONTAINER_NONE};
    int64_t body = 0;
    enum rc rc = request_content_length(u->r, &body);

    if (rc == RC_OK && body > 0)
        rc = tus_chunk_read(u, c);
    if (rc == RC_OK || rc == RC_NOT_FOUND)
        rc = read_length(u, &new.size);
    if (rc == RC_OK)
        rc = read_metadata(u, &new);
    if (rc == RC_OK)
        rc = upload_check_space(u, new.size);
    /* There is no row yet that its client would not hear of. */
    if (rc == RC_OK && body > 0)
        rc = upload_admit(u);
    if (rc == RC_OK)
        rc = claim_name(u, new.upload_id);
    if (rc == RC_OK)
        rc = upload_create(u, &new);
    if (rc == RC_EXISTS)
        return name_taken(u);
    return rc == RC_OK && body > 0 ? tus_chunk_take(c) : rc;
}

void tus_create_page(struct upload *u, const char *none)
{
    char location[sizeof("/api/uploads/") + UPLOAD_ID_LEN];
    struct tus_chunk c = {.checksum = NULL};
    enum rc rc = create(u, &c);

    (void)none;
    /* A file that was refused before it had a row; what is wrong with a request alone
     * is nobody's business. */
    if (!*u->video.id && (u->doomed || rc == RC_NOSPACE))
        upload_note_refused(u,
                            u->doomed ? u->error.message : http_error_of(rc).message);
    snprintf(location, sizeof(location), "/api/uploads/%s", u->video.upload_id);
    if (rc == RC_OK)
        request_add_header(u->r, "Location", location);
    tus_answer(u, rc, 201);
    checksum_free(c.checksum);
}
