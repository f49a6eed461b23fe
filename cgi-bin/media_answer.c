#include "media_answer.h"

#include "http.h"
#include "send_path.h"

#include <stdio.h>

enum rc media_root_set(struct media_root *root, const struct site *site)
{
    return send_path(site, "htdocs/media", root->escaped);
}

void media_answer_file(struct request *r, const struct media_root *root,
                       const struct media_path *path)
{
    char file[MEDIA_FILE_MAX + 1], place[sizeof(root->escaped) + sizeof(file)];
    const struct header header = {"X-Sendfile", place};

    /* A key, a rendition's name and numbers: nothing in it needs an escape. */
    media_path_file(path, file);
    snprintf(place, sizeof(place), "%s/%s", root->escaped, file);
    request_answer(r, 200, &header, 1, NULL, 0);
}

static void later(struct request *r, const char *code, const char *message)
{
    const struct http_error error = {503, code, message};
    const struct header retry = {"Retry-After", "1"};

    http_send_error(r, &error, &retry);
}

void media_answer_not_yet(struct request *r)
{
    later(r, "not_yet", "This part of the video is still being prepared.");
}

void media_answer_replaced(struct request *r)
{
    later(r, "replaced", "The player has asked for another part of the video.");
}

void media_answer_crowded(struct request *r)
{
    later(r, "crowded", "Too many wait for videos that are still being prepared.");
}
