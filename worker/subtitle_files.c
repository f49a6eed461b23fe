#include "subtitle_files.h"

#include "mediadir.h"
#include "video_lists.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- how a master names them ------------------------------------------------ */

/* A name is for people and one of a kind in its group (RFC 8216 s. 4.3.4.1.1); a quoted
 * string holds no double quote. */
static void name_it(const struct subtitle *s, struct subtitle_renditions *all, size_t i)
{
    const char *language = language_name(s->language);
    char plain[STORE_LABEL_MAX + 16], *name = all->names[i];
    if (*s->label)
        snprintf(plain, sizeof(plain), "%s", s->label);
    else
        snprintf(plain, sizeof(plain), "%s%s",
                 language                          ? language
                 : strcmp(s->language, "und") == 0 ? "Subtitles"
                                                   : s->language,
                 s->forced ? " (forced)" : "");
    for (char *c = plain; *c; c++)
        if (*c == '"')
            *c = '\'';
    snprintf(name, sizeof(all->names[i]), "%s", plain);
    for (int k = 2; k <= STORE_SUBTITLES_MAX; k++) {
        size_t other = 0;
        while (other < i && strcmp(all->names[other], name) != 0)
            other++;
        if (other == i)
            return;
        snprintf(name, sizeof(all->names[i]), "%s %d", plain, k);
    }
}

void subtitle_renditions(const struct subtitles *all, struct subtitle_renditions *out)
{
    out->n = 0;
    for (size_t i = 0; i < all->n; i++) {
        const struct subtitle *s = &all->list[i];
        size_t k = out->n;
        if (!s->published)
            continue;
        snprintf(out->uris[k], sizeof(out->uris[k]), SUBTITLE_FOLDER "/%s.m3u8",
                 s->name);
        name_it(s, out, k);
        out->v[k] = (struct playlist_subtitles){
            .uri = out->uris[k],
            .name = out->names[k],
            .language = strcmp(s->language, "und") == 0 ? NULL : s->language,
            .is_forced = s->forced,
        };
        out->n++;
    }
}

/* ---- files ------------------------------------------------------------------ */

static enum rc put(const struct worker *w, int dir_fd, const char *name,
                   const char *ending, const char *text)
{
    char file[LANGUAGE_SLOT_MAX + 8];
    snprintf(file, sizeof(file), "%s.%s", name, ending);
    return mediafile_put(w->tmp_fd, dir_fd, file, text, strlen(text), true);
}

/* The one segment is all there is to read, so it lasts as long as the video: of an
 * open-ended one, as long as that may get. */
static enum rc write_one(struct task *t, int dir_fd, const struct subtitle *s)
{
    struct worker *w = t->w;
    int64_t length_us = t->video.duration_us;
    char *text = NULL, *playlist = NULL;
    enum rc rc = store_subtitle_text(w->store, t->video.id, s->name, &text);
    if (rc == RC_OK)
        rc = playlist_text(
            s->name, length_us < 0 ? w->config.max_duration_s * 1000000 : length_us,
            &playlist);
    if (rc == RC_OK)
        rc = put(w, dir_fd, s->name, "vtt", text);
    if (rc == RC_OK)
        rc = put(w, dir_fd, s->name, "m3u8", playlist);
    free(text);
    free(playlist);
    return rc;
}

static bool is_there(int dir_fd, const struct subtitle *s, const char *ending)
{
    char file[LANGUAGE_SLOT_MAX + 8];
    snprintf(file, sizeof(file), "%s.%s", s->name, ending);
    return faccessat(dir_fd, file, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

/* All that are not changed may be many megabytes, and the loop waits for each write. */
static bool is_written(int dir_fd, const struct subtitle *s)
{
    return s->published == s->version && is_there(dir_fd, s, "vtt") &&
           is_there(dir_fd, s, "m3u8");
}

static void remove_unknown(int dir_fd, const char *file, const void *arg)
{
    const struct subtitles *all = arg;
    size_t n = strcspn(file, ".");
    for (size_t i = 0; i < all->n; i++)
        if (strlen(all->list[i].name) == n && strncmp(all->list[i].name, file, n) == 0)
            return;
    unlinkat(dir_fd, file, 0);
}

/* *all: those that have a text; all of them have their files afterwards. */
static enum rc write_files(struct task *t, int dir_fd, struct subtitles *all)
{
    enum rc rc = store_subtitles(t->w->store, t->video.id, all);
    size_t n = 0;
    for (size_t i = 0; rc == RC_OK && i < all->n; i++) {
        if (!all->list[i].read)
            continue;
        if (!is_written(dir_fd, &all->list[i]))
            rc = write_one(t, dir_fd, &all->list[i]);
        if (rc == RC_NOT_FOUND) { /* it was taken away just now: another job follows */
            rc = RC_OK;
            continue;
        }
        all->list[n++] = all->list[i];
    }
    all->n = n;
    return rc;
}

enum rc subtitle_files_publish(struct task *t)
{
    struct subtitles all;
    int fd = -1;
    enum rc rc = store_job_check(t->w->store, &t->job);
    if (rc == RC_OK)
        rc =
            mediadir_open(&t->w->site, t->video.media_root, SUBTITLE_FOLDER, true, &fd);
    if (rc != RC_OK)
        return rc;
    rc = write_files(t, fd, &all);
    if (rc == RC_OK)
        rc = store_job_subtitles_published(t->w->store, &t->job, &all);
    if (rc == RC_OK)
        rc = lists_follow(t->w, t->video.id);
    if (rc == RC_OK)
        mediadir_each(fd, remove_unknown, &all);
    close(fd);
    return rc;
}
