#include "sweep.h"

#include "grant.h"
#include "log.h"
#include "mediadir.h"
#include "spool.h"
#include "store_accounts.h"
#include "store_lists.h"
#include "store_uploads.h"
#include "video_lists.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define JOB_LOG_DAYS 30
#define PURGE_MAX 64 /* videos for which folders are synced once */

static bool in_use(const struct worker *w, const char *id)
{
    for (const struct task *t = w->tasks; t; t = t->next)
        if (strcmp(t->job.video_id, id) == 0)
            return true;
    return false;
}

struct doomed {
    struct doomed *next;
    char id[ID_LEN + 1];
    char root[KEY_LEN + 1]; /* of its folder */
};

/* Deleted videos whose files go, some in each turn of the loop, and whose rows go once
 * that is on disk: of files that a loss of power has brought back nobody else knows. */
struct removal {
    struct worker *w;
    struct doomed *left; /* with files, … */
    struct doomed *done; /* … and without: … */
    size_t n_done;       /* … so many */
    struct loop_timer turn;
    struct sync_order *order;
    bool again; /* more were deleted meanwhile */
};

static void free_all(struct doomed *list)
{
    struct doomed *v;
    while ((v = list)) {
        list = v->next;
        free(v);
    }
}

static void forget(struct removal *all)
{
    all->w->removal = NULL;
    free_all(all->left);
    free_all(all->done);
    free(all);
}

/* All others go all the same, and this one again with the next sweep. */
static void complain(const char *id, enum rc rc)
{
    log_error("video %s: cannot remove: %s", id, rc_name(rc));
}

static enum rc add_deleted(void *arg, const struct video *v)
{
    struct removal *all = arg;
    if (in_use(all->w, v->id))
        return RC_OK;
    enum rc rc = grant_end_revoked(all->w->store, &all->w->site, v->id);
    if (rc != RC_OK) {
        complain(v->id, rc);
        return RC_OK;
    }
    struct doomed *one = malloc(sizeof(*one));
    if (!one)
        return RC_NOMEM; /* the next sweep may have memory for it */
    one->next = all->left;
    strcpy(one->id, v->id);
    strcpy(one->root, v->media_root);
    all->left = one;
    return RC_OK;
}

static void on_turn(void *arg);

/* Those that are done are gone for good, and the next ones follow; or it is the end of
 * the removal, which is gone afterwards. */
static void removed(void *arg, enum rc rc)
{
    struct removal *all = arg;
    struct worker *w = all->w;
    for (const struct doomed *v = rc == RC_OK ? all->done : NULL; v; v = v->next) {
        enum rc one = store_video_purge(w->store, v->id);
        /* Another worker was quicker. */
        if (one != RC_OK && one != RC_NOT_FOUND)
            rc = one;
    }
    if (rc != RC_OK)
        log_error("deleted videos: cannot remove their rows: %s", rc_name(rc));
    free_all(all->done);
    all->done = NULL;
    all->n_done = 0;
    all->order = NULL;
    if (rc == RC_OK && all->left) {
        loop_timer_set(w->loop, &all->turn, 0, on_turn, all);
        return;
    }
    bool again = all->again;
    forget(all);
    if (rc == RC_OK && again)
        sweep_deleted(w);
}

static enum rc sync_folders(struct removal *all)
{
    int fds[2];
    enum rc rc = site_open_media(&all->w->site, &fds[0]);
    if (rc != RC_OK)
        return rc;
    rc = spool_open_dir(&all->w->site, &fds[1]);
    if (rc == RC_OK)
        return syncer_sync(all->w->syncer, fds, 2, removed, all, &all->order);
    close(fds[0]);
    return rc;
}

/* *over: nothing of it is left. */
static enum rc remove_some(const struct worker *w, const struct doomed *v, bool *over)
{
    enum rc rc = mediadir_remove_some(&w->site, v->root, MEDIADIR_REMOVE_TURN, over);
    if (rc == RC_OK && *over)
        rc = spool_remove(&w->site, v->id);
    return rc;
}

/* all may be gone afterwards. */
static void on_turn(void *arg)
{
    struct removal *all = arg;
    struct doomed *v = all->left;
    bool over = false;
    enum rc rc = remove_some(all->w, v, &over);
    if (rc != RC_OK)
        complain(v->id, rc);
    if (rc != RC_OK || over)
        all->left = v->next;
    if (rc != RC_OK) {
        free(v);
    } else if (over) {
        v->next = all->done;
        all->done = v;
        all->n_done++;
    }
    if (all->left && all->n_done < PURGE_MAX) {
        loop_timer_set(all->w->loop, &all->turn, 0, on_turn, all);
        return;
    }
    bool nothing = !all->done;
    rc = nothing ? RC_OK : sync_folders(all);
    if (rc != RC_OK || nothing)
        removed(all, rc);
}

static enum rc is_any(void *arg, const struct video *v)
{
    (void)v;
    *(bool *)arg = true;
    return RC_STOPPED;
}

void sweep_deleted(struct worker *w)
{
    bool any = false;
    store_video_each_deleted(w->store, is_any, &any);
    if (w->removal && any)
        w->removal->again = true;
    if (w->removal || !any)
        return;
    struct removal *all = calloc(1, sizeof(*all));
    if (!all)
        return; /* the next sweep may have memory for it */
    all->w = w;
    w->removal = all;
    store_video_each_deleted(w->store, add_deleted, all);
    if (all->left)
        on_turn(all);
    else
        forget(all);
}

void sweep_close(struct worker *w)
{
    if (!w->removal)
        return;
    loop_timer_cancel(w->loop, &w->removal->turn);
    syncer_forget(w->removal->order);
    forget(w->removal);
}

/* How long ago a spool file got its name or its last bytes, in ms; -1 if there is none.
 * A rename changes only the ctime. One of a time to come is as old: the clock was put
 * back since, and would take as long to get there. */
static int64_t spool_age_ms(const struct worker *w, const char *id,
                            enum spool_kind kind)
{
    char name[64], path[PATH_MAX];
    struct stat st;
    snprintf(name, sizeof(name), "spool/%s.%s", id, spool_suffix(kind));
    if (site_path(&w->site, name, path) != RC_OK || lstat(path, &st) < 0)
        return -1;
    return llabs((int64_t)time(NULL) - st.st_ctime) * 1000;
}

static void enter_stored(struct worker *w, const char *id)
{
    struct video stored;
    int64_t size;
    if (spool_stored(&w->site, id, &size) != RC_OK)
        return;
    log_info("video %s: was stored whole, its handler died: kept", id);
    store_video_stored(w->store, id, size, &stored);
}

static enum rc sweep_receiving(void *arg, const struct video *v)
{
    struct worker *w = arg;
    int64_t now = w->clock.wall_ms(w->clock.ctx),
            settled_ms = w->config.settle_s * 1000;
    /* A handler needs a moment between its row, its file and its commit. */
    if (llabs(now - v->created_ms) < settled_ms || spool_is_receiving(&w->site, v->id))
        return RC_OK;
    int64_t src_age = spool_age_ms(w, v->id, SPOOL_SRC);
    if (src_age >= settled_ms)
        enter_stored(w, v->id);
    if (src_age >= 0)
        return RC_OK;
    /* One with a name may still go on. */
    enum rc rc = *v->upload_id
                     ? store_upload_expire(w->store, v->id)
                     : store_video_abandon(w->store, v->id, "the connection was lost");
    if (rc == RC_OK)
        spool_remove(&w->site, v->id);
    return RC_OK;
}

/* An index that was sent ahead is of no use once the file was found to hold it, or not.
 */
static void sweep_index(struct worker *w, const char *id)
{
    bool needed = true;
    if (store_upload_index_needed(w->store, id, &needed) == RC_OK && !needed &&
        !in_use(w, id))
        spool_remove_index(&w->site, id);
}

/* What was whole once may be all there is of something, as where an older database was
 * put in place; what was not is of no use without its row. */
static void sweep_unknown(const struct worker *w, const char *id)
{
    enum rc rc = spool_set_source_aside(&w->site, id);
    if (rc == RC_OK)
        log_warn("file of unknown video %s: moved to spool/" SPOOL_LOST, id);
    else if (rc != RC_NOT_FOUND)
        log_error("file of unknown video %s: cannot move it: %s", id, rc_name(rc));
    if (rc != RC_OK && rc != RC_NOT_FOUND)
        return;
    log_info("spool files of unknown video %s removed", id);
    spool_remove(&w->site, id);
}

static enum rc sweep_spool_file(void *arg, const char *id, enum spool_kind kind)
{
    struct worker *w = arg;
    bool known = true;
    int64_t age = spool_age_ms(w, id, kind);
    if (age < w->config.settle_s * 1000 || spool_is_receiving(&w->site, id) ||
        store_video_exists(w->store, id, &known) != RC_OK)
        return RC_OK;
    if (!known)
        sweep_unknown(w, id);
    else if (kind == SPOOL_INDEX)
        sweep_index(w, id);
    return RC_OK;
}

/* What its worker has told the store and did not live to write. */
static enum rc sweep_lists(void *arg, const struct video *v)
{
    if (lists_are_many(arg))
        return RC_STOPPED;
    lists_follow(arg, v->id);
    return RC_OK; /* the others all the same; this one again with the next sweep */
}

static void sweep_job_logs(const struct worker *w)
{
    char path[PATH_MAX];
    time_t oldest = time(NULL) - (time_t)JOB_LOG_DAYS * 86400;
    DIR *d = site_path(&w->site, "log/jobs", path) == RC_OK ? opendir(path) : NULL;
    if (!d)
        return;
    struct dirent *e;
    struct stat st;
    while ((e = readdir(d)))
        if (strstr(e->d_name, ".log") &&
            fstatat(dirfd(d), e->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
            st.st_mtime < oldest)
            unlinkat(dirfd(d), e->d_name, 0);
    closedir(d);
}

void sweep_leftovers(struct worker *w)
{
    sweep_deleted(w);
    store_video_each_receiving(w->store, sweep_receiving, w);
    store_upload_each_unseen(w->store, sweep_receiving, w);
    store_lists_each_behind(w->store, sweep_lists, w);
    spool_each(&w->site, sweep_spool_file, w);
    store_accounts_expire(w->store);
    store_activity_trim(w->store, w->config.activity_rows);
    sweep_job_logs(w);
}
