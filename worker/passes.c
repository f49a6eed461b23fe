#include "passes.h"

#include "log.h"
#include "pass.h"
#include "store_accounts.h"

#include <dirent.h>
#include <stdlib.h>
#include <unistd.h>

enum { LINKS_A_TURN = 200 };

struct passes {
    struct worker *w;
    int64_t every_ms;
    struct loop_timer again, turn;
    bool changed;
    uint8_t site_key[SECRET_KEY_SIZE];
    DIR *dir; /* of the sweep that goes on; NULL: none does */
    struct pass_walk walk;
    size_t removed;
    enum rc rc; /* the first thing that went wrong in it */
};

static void end_sweep(struct passes *p)
{
    if (p->removed > 0)
        log_info("media: %zu passes were of nobody", p->removed);
    if (p->rc != RC_OK) {
        log_error("not every pass is as its row says: %s", rc_name(p->rc));
        p->changed = true; /* again, with the next sweep */
    }
    pass_walk_end(&p->walk);
    if (p->dir)
        closedir(p->dir);
    p->dir = NULL;
    p->removed = 0;
    p->rc = RC_OK;
}

/* One that has gone meanwhile is nothing wrong. */
static void note_error(struct passes *p, enum rc rc)
{
    if (rc != RC_NOT_FOUND && p->rc == RC_OK)
        p->rc = rc;
}

/* False: there is none left. */
static bool begin_next(struct passes *p)
{
    bool strict = p->w->config.media_auth == MEDIA_STRICT;
    struct dirent *e = readdir(p->dir);
    if (!e)
        return false;
    if (pass_valid(e->d_name))
        note_error(p, pass_walk_begin(&p->walk, p->w->store, dirfd(p->dir), e->d_name,
                                      strict ? p->site_key : NULL));
    return true;
}

static void on_turn(void *arg)
{
    struct passes *p = arg;
    size_t left = LINKS_A_TURN;
    while (left > 0) {
        bool removed = false;
        if (p->walk.dir) {
            note_error(p, pass_walk_on(&p->walk, &left, &removed));
            p->removed += removed;
        } else if (begin_next(p)) {
            left--; /* a pass costs as much as a link does */
        } else {
            if (p->w->config.media_auth != MEDIA_STRICT)
                pass_remove_folder(&p->w->site);
            end_sweep(p);
            return;
        }
    }
    loop_timer_set(p->w->loop, &p->turn, 0, on_turn, p);
}

void passes_changed(struct passes *p)
{
    p->changed = true;
}

static enum rc begin(struct passes *p)
{
    int fd;
    enum rc rc = pass_open_folder(&p->w->site, &fd);
    if (rc != RC_OK)
        return rc == RC_NOT_FOUND ? RC_OK : rc;
    rc = store_site_key(p->w->store, p->site_key);
    if (rc == RC_OK && !(p->dir = fdopendir(fd)))
        rc = RC_NOMEM;
    if (rc != RC_OK)
        close(fd);
    return rc;
}

static void sweep(void *arg)
{
    struct passes *p = arg;
    loop_timer_set(p->w->loop, &p->again, p->every_ms, sweep, p);
    if (p->dir || !p->changed)
        return;
    p->changed = false;
    p->rc = begin(p);
    if (p->dir)
        loop_timer_set(p->w->loop, &p->turn, 0, on_turn, p);
    else
        end_sweep(p);
}

enum rc passes_open(struct worker *w, int64_t every_ms, struct passes **out)
{
    struct passes *p = calloc(1, sizeof(*p));
    if (!p)
        return RC_NOMEM;
    p->w = w;
    p->every_ms = every_ms;
    p->changed = true;
    sweep(p);
    *out = p;
    return RC_OK;
}

void passes_close(struct passes *p)
{
    if (!p)
        return;
    loop_timer_cancel(p->w->loop, &p->again);
    loop_timer_cancel(p->w->loop, &p->turn);
    end_sweep(p);
    free(p);
}
