#include "promise.h"

#include "log.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct promise_watch {
    char path[PATH_MAX];
    struct clock clock;
    struct store *store; /* NULL: not opened yet */
    bool again;          /* the last call could not tell */
    bool failing;        /* and the log knows */
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

enum rc promise_find(struct store *st, const struct media_path *path,
                     struct promise *out)
{
    struct rendition renditions[STORE_RENDITIONS_MAX];
    enum rendition_kind kind = RENDITION_VIDEO;
    struct video video;
    size_t n = 0;
    enum rc rc = store_video_by_key(st, path->key, &video);

    if (rc == RC_OK)
        rc = store_renditions(st, video.id, renditions, &n);
    if (rc == RC_OK && video.state == VIDEO_FAILED)
        rc = RC_NOT_FOUND;
    if (rc == RC_OK)
        rc = find_planned(path, renditions, n, &kind);
    if (rc != RC_OK)
        return rc;
    memcpy(out->video_id, video.id, sizeof(out->video_id));
    out->kind = kind;
    return RC_OK;
}

/* ---- promises that are not kept ---------------------------------------------- */

enum rc promise_watch_open(const char *path, const struct clock *clock,
                           struct promise_watch **out)
{
    struct promise_watch *w = calloc(1, sizeof(*w));

    if (!w)
        return RC_NOMEM;
    snprintf(w->path, sizeof(w->path), "%s", path);
    w->clock = *clock;
    *out = w;
    return RC_OK;
}

void promise_watch_close(struct promise_watch *w)
{
    if (!w)
        return;
    store_close(w->store);
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

/* One line when it begins and one when it is over, however long that takes. */
static void report(struct promise_watch *w, enum rc rc)
{
    if (rc == RC_OK && w->failing)
        log_info("the database tells again what becomes of videos");
    if (rc != RC_OK && !w->failing)
        log_error("the database does not tell what becomes of videos: %s: %s",
                  rc_name(rc), w->store ? store_message(w->store) : w->path);
    w->failing = rc != RC_OK;
}

size_t promise_broken(struct promise_watch *w, bool fresh, struct media_path *files,
                      size_t n)
{
    bool changed = false;
    size_t broken = 0;
    enum rc rc = RC_OK;

    if (!w->store)
        rc = store_open(w->path, &w->clock, &w->store);
    if (rc == RC_OK)
        rc = store_changed(w->store, &changed);
    if (rc == RC_OK && (changed || fresh || w->again))
        rc = find_broken(w->store, files, n, &broken);
    w->again = rc != RC_OK;
    report(w, rc);
    return broken;
}
