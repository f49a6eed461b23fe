#include "site_check.h"

#include "playlists.h"
#include "storyboard.h"

#include <stdio.h>
#include <string.h>

bool check_is_live(const struct check_rows *rows, enum job_kind kind,
                   const char *rendition)
{
    for (size_t i = 0; i < rows->n_work; i++) {
        const struct work *w = &rows->work[i];
        if (w->live && w->kind == kind &&
            (!rendition || strcmp(w->rendition, rendition) == 0))
            return true;
    }
    return false;
}

static bool is_being_made(const struct check_rows *rows, const struct rendition *r)
{
    return check_is_live(rows, JOB_ENCODE, r->name) ||
           check_is_live(rows, JOB_COPY, r->name) ||
           check_is_live(rows, JOB_LADDER, r->name);
}

struct teller {
    void (*cb)(void *arg, const struct promised *p);
    void *arg;
};

static void tell_lists(const struct check_rows *rows, const struct teller *t)
{
    static const char *const names[] = {"master.m3u8", "player.m3u8"};
    char folder[STORE_RENDITION_MAX + 16];
    struct promised p = {.kind = "playlist", .folder = "", .mend = MEND_LISTS};
    for (size_t i = 0; i < 2; i++) {
        p.file = p.name = names[i];
        t->cb(t->arg, &p);
    }
    p.file = "index.m3u8";
    p.folder = folder;
    for (size_t i = 0; i < rows->n_renditions; i++) {
        const struct rendition *r = &rows->renditions[i];
        playlists_folder(r, folder);
        p.name = r->name;
        if (r->segments > 0)
            t->cb(t->arg, &p);
    }
}

/* All of what it is ready with, and all of what came behind. */
static void tell_renditions(const struct check_rows *rows, const struct teller *t)
{
    char folder[STORE_RENDITION_MAX + 16];
    for (size_t i = 0; i < rows->n_renditions; i++) {
        const struct rendition *r = &rows->renditions[i];
        if (is_being_made(rows, r))
            continue;
        playlists_folder(r, folder);
        t->cb(t->arg, &(struct promised){.kind = "segments",
                                         .folder = folder,
                                         .segments = r->segments,
                                         .mend = MEND_RENDITION,
                                         .name = r->name});
    }
}

static void tell_subtitles(const struct check_rows *rows, const struct teller *t)
{
    static const char *const suffixes[] = {"vtt", "m3u8"};
    char file[LANGUAGE_SLOT_MAX + 8];
    if (check_is_live(rows, JOB_SUBTITLES, NULL))
        return;
    for (size_t i = 0; i < rows->subs.n; i++) {
        const struct subtitle *s = &rows->subs.list[i];
        for (int k = 0; k < 2 && s->published > 0; k++) {
            snprintf(file, sizeof(file), "%s.%s", s->name, suffixes[k]);
            t->cb(t->arg, &(struct promised){.kind = "subtitles",
                                             .folder = "subs",
                                             .file = file,
                                             .mend = MEND_SUBTITLES,
                                             .name = s->name});
        }
    }
}

static void tell_pictures(const struct check_rows *rows, const struct teller *t)
{
    if (rows->video.has_poster && !check_is_live(rows, JOB_POSTER, NULL))
        t->cb(t->arg, &(struct promised){.kind = "poster",
                                         .folder = "",
                                         .file = "poster.jpg",
                                         .mend = MEND_POSTER,
                                         .name = ""});
    if (rows->video.has_storyboard && !check_is_live(rows, JOB_STORYBOARD, NULL))
        t->cb(t->arg, &(struct promised){.kind = "storyboard",
                                         .folder = "",
                                         .file = STORYBOARD_FILE,
                                         .mend = MEND_STORYBOARD,
                                         .name = ""});
}

void check_promises(const struct check_rows *rows,
                    void (*cb)(void *arg, const struct promised *p), void *arg)
{
    const struct teller t = {cb, arg};
    if (rows->video.state != VIDEO_READY)
        return; /* what is missing will be made, or is not offered */
    if (!rows->lists_behind)
        tell_lists(rows, &t);
    tell_renditions(rows, &t);
    tell_subtitles(rows, &t);
    tell_pictures(rows, &t);
}
