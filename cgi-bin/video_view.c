#include "video_view.h"

#include "grant.h"

#include <stdbool.h>
#include <string.h>
#include <unistd.h>

enum rc video_view_read(struct store *st, struct video_parts *p)
{
    enum rc rc = store_renditions(st, p->video.id, p->renditions, &p->n_renditions);

    return rc == RC_OK ? store_subtitles(st, p->video.id, &p->subtitles) : rc;
}

static bool may(const struct asker *asker, enum want want, enum relation relation)
{
    return access_check(asker, want, relation) == ACCESS_YES;
}

static enum rc view(struct store *st, int media, const struct asker *asker,
                    struct video_parts *p, json_t **out)
{
    enum relation relation =
        access_relation(asker, p->video.owner_id, p->video.visibility);
    struct video_view view = {.edit = may(asker, WANT_EDIT, relation),
                              .download = may(asker, WANT_ORIGINAL, relation)};
    struct grant grant = {.key = ""};
    enum rc rc = video_view_read(st, p);

    if (rc == RC_OK && video_json_has_media(p))
        rc = grant_for_user(st, media, p->video.id, asker->user_id, &grant);
    if (rc != RC_OK)
        return rc;
    memcpy(view.key, grant.key, sizeof(view.key));
    *out = video_json(p, &view);
    return *out ? RC_OK : RC_NOMEM;
}

enum rc video_view_json(struct store *st, int media, const struct asker *asker,
                        const struct video *video, json_t **out)
{
    struct video_parts p = {.video = *video};

    return view(st, media, asker, &p, out);
}

enum rc video_view_one(struct store *st, const struct site *site,
                       const struct asker *asker, const struct video *video,
                       json_t **out)
{
    int media;
    enum rc rc = site_open_media(site, &media);

    if (rc != RC_OK)
        return rc;
    rc = video_view_json(st, media, asker, video, out);
    close(media);
    return rc;
}
