#include "media_answer.h"

#include "http.h"
#include "send_path.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

enum rc media_root_set(struct media_root *root, const struct site *site)
{
    return send_path(site, "htdocs/media", root->escaped);
}

void media_answer_file(struct request *r, const struct media_root *root,
                       const struct media_path *path)
{
    char file[MEDIA_FILE_MAX + 1];

    media_path_file(path, file);
    media_answer_named(r, root, file);
}

void media_answer_named(struct request *r, const struct media_root *root,
                        const char *name)
{
    char place[2 * PATH_MAX];
    const char *dot = strrchr(name, '.');
    bool changes = !dot || (strcmp(dot, ".m4s") != 0 && strcmp(dot, ".mp4") != 0);
    const struct header headers[] = {{"X-Sendfile", place},
                                     {"Cache-Control", "no-cache"}};

    snprintf(place, sizeof(place), "%s/%s", root->escaped, name);
    request_answer(r, 200, headers, changes ? 2 : 1, NULL, 0);
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
