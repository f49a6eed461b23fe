/*
 * GET /api/videos/<id>/original: the file as it was uploaded. The server sends it.
 */
#include "api.h"

#include "disposition.h"
#include "http.h"
#include "send_path.h"
#include "spool.h"

#include <stdio.h>
#include <unistd.h>

static const char *type_of(enum container c)
{
    switch (c) {
    case CONTAINER_MP4:
        return "video/mp4";
    case CONTAINER_MOV:
        return "video/quicktime";
    case CONTAINER_MATROSKA:
        return "video/matroska"; /* RFC 9559 */
    case CONTAINER_WEBM:
        return "video/webm";
    default:
        return "application/octet-stream";
    }
}

/* RC_CONFLICT: not all of it is there. */
static enum rc find_file(const struct app *app, const char *id, char place[PATH_MAX])
{
    char path[PATH_MAX], name[sizeof("spool/.src") + ID_LEN];
    enum rc rc = spool_src_path(&app->site, id, path);

    if (rc == RC_OK && access(path, R_OK) != 0)
        rc = RC_CONFLICT;
    snprintf(name, sizeof(name), "spool/%s.src", id);
    return rc == RC_OK ? send_path(&app->site, name, place) : rc;
}

void api_video_original(struct api_call *call)
{
    char place[PATH_MAX], name[DISPOSITION_MAX(STORE_FILENAME_MAX)];
    const struct header headers[] = {
        {"X-Sendfile", place},
        {"Content-Type", type_of(call->video.container)},
        {"Content-Disposition", name},
        {"Cache-Control", "private, no-cache"},
    };
    enum rc rc = find_file(call->app, call->video.id, place);

    if (rc == RC_OK)
        rc = disposition_attachment(call->video.filename, name, sizeof(name));
    if (rc == RC_OK)
        request_answer(call->r, 200, headers, sizeof(headers) / sizeof(headers[0]),
                       NULL, 0);
    else if (rc == RC_CONFLICT)
        api_refuse(call, 409, "not_whole", "The file has not come in as a whole yet.");
    else
        api_fail(call, rc);
}
