#include "promise.h"

#include "own_store.h"
#include "store_grants.h"

#include <stdlib.h>
#include <string.h>

struct promise_watch {
    struct own_store store;
    bool again; /* the last call could not tell */
};

/* What the plan of a video says of path. RC_NOT_FOUND: nothing. */
static enum rc find_planned(const struct media_path *path,
                            const struct rendition *renditions, size_t n,
                            enum rendition_kind *kind)
{
    for (size_t i = 0; i < n; i++) {
        if (strcmp(renditions[i].name, path->rendition) != 0)
            continue;
        if (renditions[i].generation != path->generation ||
            path->segment >= renditions[i].segments)
            return RC_NOT_FOUND;
        *kind = renditions[i].kind;
        return RC_OK;
    }
    return RC_NOT_FOUND;
}

enum rc promise_of(struct store *st, const struct video *video,
                   const struct media_path *path, struct promise *out)
{
    struct rendition renditions[STORE_RENDITIONS_MAX];
    enum rendition_kind kind = RENDITION_VIDEO;
    size_t n = 0;
    enum rc rc = store_renditions(st, video->id, renditions, &n);

    if (rc == RC_OK && video->state == VIDEO_FAILED)
        rc = RC_NOT_FOUND;
    if (rc == RC_OK)
        rc = find_planned(path, renditions, n, &kind);
    if (rc != RC_OK)
        return rc;
    memcpy(out->video_id, video->id, sizeof(out->video_id));
    out->kind = kind;
    return RC_OK;
}

enum rc promise_find(struct store *st, const struct media_path *path,
                     struct promise *out)
{
    struct grant grant;
    struct video video;
    enum rc rc = store_grant_by_key(st, path->key, &grant, &video);

    return rc == RC_OK ? promise_of(st, &video, path, out) : rc;
}

/* ---- promises that are not kept ---------------------------------------------- */

enum rc promise_watch_open(const char *path, const struct clock *clock,
                           struct promise_watch **out)
{
    struct promise_watch *w = calloc(1, sizeof(*w));

    if (!w)
        return RC_NOMEM;
    own_store_init(&w->store, path, clock,
                   "the database does not tell what becomes of videos",
                   "the database tells again what becomes of videos");
    *out = w;
    return RC_OK;
}

void promise_watch_close(struct promise_watch *w)
{
    if (!w)
        return;
    own_store_close(&w->store);
    free(w);
}

static int by_folder(const void *a, const void *b)
{
    return media_path_folder_order(a, b);
}

/* Moves one path of each folder to the front, and returns how many those are. */
static size_t one_a_folder(struct media_path *files, size_t n)
{
    size_t folders = 0;

    qsort(files, n, sizeof(*files), by_folder);
    for (size_t i = 0; i < n; i++)
        if (folders == 0 || by_folder(&files[i], &files[folders - 1]) != 0)
            files[folders++] = files[i];
    return folders;
}

/* Moves the broken ones of n files to the front, as far as the store can tell. */
static enum rc find_broken(struct store *st, struct media_path *files, size_t n,
                           size_t *broken)
{
    struct promise promise;
    size_t folders = one_a_folder(files, n);

    for (size_t i = 0; i < folders; i++) {
        enum rc rc = promise_find(st, &files[i], &promise);
        if (rc == RC_NOT_FOUND)
            files[(*broken)++] = files[i];
        else if (rc != RC_OK)
            return rc;
    }
    return RC_OK;
}

size_t promise_broken(struct promise_watch *w, bool fresh, struct media_path *files,
                      size_t n)
{
    bool changed = false;
    size_t broken = 0;
    enum rc rc = own_store_open(&w->store);

    if (rc == RC_OK)
        rc = store_changed(w->store.st, &changed);
    if (rc == RC_OK && (changed || fresh || w->again))
        rc = find_broken(w->store.st, files, n, &broken);
    w->again = rc != RC_OK;
    own_store_report(&w->store, rc);
    return broken;
}
