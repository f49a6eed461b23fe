#include "old_folders.h"

#include "log.h"
#include "mediadir.h"
#include "playlists.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct old_folder {
    struct old_folder *next;
    char root[KEY_LEN + 1];
    char name[STORE_RENDITION_MAX + 16];
};

/* *over: nothing of it is left. */
static enum rc remove_some(const struct worker *w, const struct old_folder *f,
                           bool *over)
{
    int fd;
    if (f->name[0] == '\0')
        return mediadir_remove_some(&w->site, f->root, MEDIADIR_REMOVE_TURN, over);
    enum rc rc = mediadir_open(&w->site, f->root, "", false, &fd);
    *over = rc == RC_NOT_FOUND;
    if (rc != RC_OK)
        return *over ? RC_OK : rc;
    rc = mediadir_remove_sub_some(fd, f->name, MEDIADIR_REMOVE_TURN, over);
    close(fd);
    return rc;
}

static void on_turn(void *arg)
{
    struct worker *w = arg;
    struct old_folder *f = w->old_folders;
    bool over;
    enum rc rc = remove_some(w, f, &over);
    if (rc != RC_OK)
        log_warn("cannot remove the folder %s/%s: %s", f->root, f->name, rc_name(rc));
    if (rc != RC_OK || over) {
        w->old_folders = f->next;
        free(f);
    }
    if (w->old_folders)
        loop_timer_set(w->loop, &w->old_folders_turn, 0, on_turn, w);
}

void old_folders_remove(struct worker *w, const char *root, const char *name)
{
    struct old_folder **end = &w->old_folders;
    struct old_folder *f = calloc(1, sizeof(*f));
    bool is_first = !w->old_folders;
    if (!f) {
        log_warn("cannot remove the folder %s/%s: %s", root, name, rc_name(RC_NOMEM));
        return;
    }
    snprintf(f->root, sizeof(f->root), "%s", root);
    snprintf(f->name, sizeof(f->name), "%s", name);
    while (*end)
        end = &(*end)->next;
    *end = f;
    if (is_first)
        on_turn(w);
}

void old_folders_remove_rendition(struct worker *w, const char *root,
                                  const struct rendition *r)
{
    char name[STORE_RENDITION_MAX + 16];
    playlists_folder(r, name);
    old_folders_remove(w, root, name);
}

void old_folders_close(struct worker *w)
{
    struct old_folder *f;
    loop_timer_cancel(w->loop, &w->old_folders_turn);
    while ((f = w->old_folders)) {
        w->old_folders = f->next;
        free(f);
    }
}
