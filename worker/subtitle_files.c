#include "subtitle_files.h"

#include "mediadir.h"
#include "video_lists.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LOOKS_MAX 20 /* each after a change that another job made meanwhile */

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
    bool wrote;
    snprintf(file, sizeof(file), "%s.%s", name, ending);
    return staging_put(w->staging, dir_fd, file, text, strlen(text), &wrote);
}

/* The one segment is all there is to read, so it lasts as long as the video: of an
 * open-ended one, as long as that may get. The text comes last: it is there or not. */
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
        rc = put(w, dir_fd, s->name, "m3u8", playlist);
    if (rc == RC_OK)
        rc = put(w, dir_fd, s->name, "vtt", text);
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

static struct subtitle_written *find_written(struct subtitle_files *f, const char *name)
{
    for (size_t i = 0; i < f->n_written; i++)
        if (strcmp(f->written[i].name, name) == 0)
            return &f->written[i];
    return NULL;
}

/* All that are not changed may be many megabytes, and the loop waits for each write.
 * What this job wrote itself may have gone over what another one wrote meanwhile. */
static bool is_written(struct subtitle_files *f, int dir_fd, const struct subtitle *s)
{
    const struct subtitle_written *mine = find_written(f, s->name);
    return (mine ? mine->version : s->published) == s->version &&
           is_there(dir_fd, s, "vtt") && is_there(dir_fd, s, "m3u8");
}

/* RC_BUSY: there is no end to the names that come and go. */
static enum rc write_and_note(struct task *t, int dir_fd, struct subtitle_files *f,
                              const struct subtitle *s)
{
    struct subtitle_written *mine = find_written(f, s->name);
    if (!mine && f->n_written == SUBTITLE_WRITTEN_MAX)
        return RC_BUSY;
    enum rc rc = write_one(t, dir_fd, s);
    if (rc != RC_OK)
        return rc;
    if (!mine)
        mine = &f->written[f->n_written++];
    memcpy(mine->name, s->name, sizeof(mine->name));
    mine->version = s->version;
    return RC_OK;
}

/* One look at all that have a text, which f->all is afterwards; the first error, and
 * the others all the same. */
static enum rc write_changed(struct task *t, int dir_fd, struct subtitle_files *f,
                             bool *wrote)
{
    struct subtitles *all = &f->all;
    size_t n = 0;
    enum rc rc = store_video_get(t->w->store, t->video.id, &t->video);
    if (rc == RC_OK)
        rc = store_subtitles(t->w->store, t->video.id, all);
    if (rc != RC_OK)
        return rc;
    for (size_t i = 0; i < all->n; i++) {
        enum rc one = RC_OK;
        if (!all->list[i].read)
            continue;
        if (!is_written(f, dir_fd, &all->list[i])) {
            one = write_and_note(t, dir_fd, f, &all->list[i]);
            *wrote |= one == RC_OK;
        }
        if (one == RC_OK)
            all->list[n++] = all->list[i];
        else if (one != RC_NOT_FOUND && rc == RC_OK)
            rc = one; /* not found: it was taken away just now, another job follows */
    }
    all->n = n;
    return rc;
}

/* Whichever of several jobs writes a file last looks at the store after that, and finds
 * the text that all of them know by then: also one that was frozen past its lease. */
static enum rc write_until_settled(struct task *t, int dir_fd, struct subtitle_files *f)
{
    for (int i = 0; i < LOOKS_MAX; i++) {
        bool wrote = false;
        enum rc rc = write_changed(t, dir_fd, f, &wrote);
        if (!wrote)
            return rc;
    }
    return RC_BUSY;
}

static enum rc open_folder(const struct task *t, int *out_fd)
{
    return mediadir_open(&t->w->site, t->video.media_root, SUBTITLE_FOLDER, true,
                         out_fd);
}

enum rc subtitle_files_write(struct task *t, struct subtitle_files *f)
{
    int fd = -1;
    enum rc rc = store_job_check(t->w->store, &t->job);
    if (rc == RC_OK)
        rc = open_folder(t, &fd);
    if (rc != RC_OK)
        return rc;
    f->all.n = f->n_written = 0;
    rc = write_until_settled(t, fd, f);
    close(fd);
    return rc;
}

enum rc subtitle_files_sync(struct task *t, const struct subtitle_files *f)
{
    char below[KEY_LEN + 32], folder[PATH_MAX];
    const char *names[SUBTITLE_WRITTEN_MAX];
    snprintf(below, sizeof(below), "htdocs/media/%s/" SUBTITLE_FOLDER,
             t->video.media_root);
    for (size_t i = 0; i < f->n_written; i++)
        names[i] = f->written[i].name;
    enum rc rc = site_path(&t->w->site, below, folder);
    return rc == RC_OK ? args_sync_subtitles(folder, names, f->n_written, &t->args)
                       : rc;
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

/* A name may have come back just then, and with it the files of another job. */
static enum rc clear_away(struct task *t, struct subtitle_files *f)
{
    int fd = -1;
    enum rc rc = store_subtitles(t->w->store, t->video.id, &f->all);
    if (rc == RC_OK)
        rc = open_folder(t, &fd);
    if (rc != RC_OK)
        return rc;
    mediadir_each(fd, remove_unknown, &f->all);
    rc = write_until_settled(t, fd, f);
    close(fd);
    return rc;
}

enum rc subtitle_files_publish(struct task *t, struct subtitle_files *f)
{
    enum rc rc = store_job_subtitles_published(t->w->store, &t->job, &f->all);
    if (rc == RC_OK)
        rc = lists_follow(t->w, t->video.id);
    return rc == RC_OK ? clear_away(t, f) : rc;
}
