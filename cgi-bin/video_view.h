/*
 * video_view.h: a video as one who asks gets to see it.
 */
#ifndef DROPSTREAM_VIDEO_VIEW_H
#define DROPSTREAM_VIDEO_VIEW_H

#include "access.h"
#include "rc.h"
#include "site.h"
#include "store.h"
#include "video_json.h"

#include <jansson.h>

/* Reads all else of p->video, which is filled in. RC_NOT_FOUND: it was deleted. */
enum rc video_view_read(struct store *st, struct video_parts *p);

/*
 * The JSON of a video that `asker` may watch, with addresses of their own, whose key is
 * made where there is none yet; *out is the caller's. media: their folder, open
 * (site_open_media). RC_NOT_FOUND: it, or they, have gone meanwhile.
 */
enum rc video_view_json(struct store *st, int media, const struct asker *asker,
                        const struct video *video, json_t **out);

/* Likewise, for who shows no more than one. */
enum rc video_view_one(struct store *st, const struct site *site,
                       const struct asker *asker, const struct video *video,
                       json_t **out);

#endif
