#include "passes.h"

#include "log.h"
#include "pass.h"
#include "store_accounts.h"

#include <dirent.h>
#include <stdlib.h>
#include <unistd.h>

enum { PASSES_A_TURN = 50 };

struct passes {
    struct worker *w;
    struct loop_timer turn;
    bool changed;
    uint8_t site_key[SECRET_KEY_SIZE];
    DIR *dir; /* of the sweep that goes on; NULL: none does */
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
    if (p->dir)
        closedir(p->dir);
    p->dir = NULL;
    p->removed = 0;
    p->rc = RC_OK;
}

static void look_at(struct passes *p, const char *pass)
{
    struct worker *w = p->w;
    bool removed = true;
    enum rc rc = w->config.media_auth == MEDIA_STRICT
                     ? pass_tidy(w->store, &w->site, p->site_key, pass, &removed)
                     : pass_remove(&w->site, pass);
    if (rc == RC_OK)
        p->removed += removed;
    else if (rc != RC_NOT_FOUND && p->rc == RC_OK)
        p->rc = rc;
}

static void on_turn(void *arg)
{
    struct passes *p = arg;
    for (int i = 0; i < PASSES_A_TURN; i++) {
        struct dirent *e = readdir(p->dir);
        if (!e) {
            if (p->w->config.media_auth != MEDIA_STRICT)
                pass_remove_folder(&p->w->site);
            end_sweep(p);
            return;
        }
        if (pass_valid(e->d_name))
            look_at(p, e->d_name);
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

void passes_sweep(struct passes *p)
{
    if (p->dir || !p->changed)
        return;
    p->changed = false;
    p->rc = begin(p);
    if (p->dir)
        loop_timer_set(p->w->loop, &p->turn, 0, on_turn, p);
    else
        end_sweep(p);
}

enum rc passes_open(struct worker *w, struct passes **out)
{
    struct passes *p = calloc(1, sizeof(*p));
    if (!p)
        return RC_NOMEM;
    p->w = w;
    p->changed = true;
    passes_sweep(p);
    *out = p;
    return RC_OK;
}

void passes_close(struct passes *p)
{
    if (!p)
        return;
    loop_timer_cancel(p->w->loop, &p->turn);
    end_sweep(p);
    free(p);
}
