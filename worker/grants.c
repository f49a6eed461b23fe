#include "grants.h"

#include "grant.h"
#include "log.h"
#include "pass.h"
#include "store_check.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    NAMES_A_TURN = 2000, /* of the folder that are read */
    CHECKS_A_TURN = 200, /* folders, symlinks or rows that are looked up */
    LOOK_MS = 60000,     /* at the latest, also if the clock was set meanwhile */
    TROUBLE_MS = 1000
};

/* A name in htdocs/media, and whether a row has it. */
struct name {
    char key[KEY_LEN + 1];
    bool has_row;
};

/* One comparison: first the folder is read, then the rows, and then the symlinks that
 * were not among them are looked up. A row is there before its symlink, so one that has
 * no row by then has none. */
struct walk {
    enum { WALK_NONE, WALK_NAMES, WALK_ROWS, WALK_STRANGERS } stage;
    DIR *dir;
    struct name *names;
    size_t n, room, next;
    struct grant after; /* the last row that was read */
    size_t made, removed;
    enum rc rc; /* the first thing that went wrong */
};

struct grants {
    struct worker *w;
    struct loop_timer look, turn;
    struct walk walk;
    bool changed;          /* rows may have, since the last walk began */
    struct timespec mtime; /* of the folder, when the last walk began */
    enum rc trouble;       /* of the last look, so that it is logged once */
};

/* ---- what has ended -------------------------------------------------------- */

static void say(struct grants *g, enum rc rc)
{
    if (rc != RC_OK && rc != g->trouble)
        log_error("not all that was taken back could be ended: %s (%s)", rc_name(rc),
                  store_message(g->w->store));
    g->trouble = rc;
}

/* delay_ms, or less if at_ms (wall clock, -1: never) comes before that. */
static int64_t sooner(const struct worker *w, int64_t at_ms, int64_t delay_ms)
{
    int64_t until_ms = at_ms - w->clock.wall_ms(w->clock.ctx);
    return at_ms >= 0 && until_ms < delay_ms ? until_ms : delay_ms;
}

static void keep_first(enum rc *rc, enum rc next)
{
    if (*rc == RC_OK)
        *rc = next;
}

static void look(void *arg)
{
    struct grants *g = arg;
    struct worker *w = g->w;
    int64_t ended = 0, share_ms = -1, session_ms = -1, delay_ms = LOOK_MS;
    bool more = false;
    /* None waits for another: what is taken back must not wait for what expires. */
    enum rc rc = store_shares_expire(w->store, &ended, &share_ms);
    keep_first(&rc, store_sessions_expire(w->store, &session_ms));
    keep_first(&rc, grant_end_some(w->store, &w->site, CHECKS_A_TURN, &more));
    keep_first(&rc, pass_end_sessions(w->store, &w->site));
    say(g, rc);
    delay_ms = sooner(w, share_ms, sooner(w, session_ms, delay_ms));
    if (more || delay_ms < 0)
        delay_ms = 0;
    if (rc != RC_OK)
        delay_ms = TROUBLE_MS;
    loop_timer_set(w->loop, &g->look, delay_ms, look, g);
}

void grants_look(struct grants *g)
{
    g->changed = true;
    look(g);
}

/* ---- the folder against the rows -------------------------------------------- */

static int by_key(const void *a, const void *b)
{
    return strcmp(((const struct name *)a)->key, ((const struct name *)b)->key);
}

static void end_walk(struct walk *p)
{
    if (p->made + p->removed > 0)
        log_info("media: %zu symlinks were missing or wrong, %zu were of nobody",
                 p->made, p->removed);
    if (p->dir)
        closedir(p->dir);
    free(p->names);
    *p = (struct walk){.stage = WALK_NONE};
}

/* One that cannot be put right does not keep the others. */
static void note_error(struct walk *p, enum rc rc)
{
    if (p->rc == RC_OK)
        p->rc = rc;
}

/* As st_mode has it; 0: it is not known. */
static mode_t type_of(DIR *dir, const struct dirent *e)
{
    struct stat st;
    if (e->d_type != DT_UNKNOWN)
        return DTTOIF(e->d_type);
    return fstatat(dirfd(dir), e->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0
               ? st.st_mode & S_IFMT
               : 0;
}

/* A worker that stood still may make the folder of a video behind its end, and be
 * killed. A row is there before its folder, so one that has none by now never has. What
 * is not empty stays, whatever has become of its row: it may have taken days to make.
 */
static void check_folder(struct grants *g, const char *root)
{
    struct walk *p = &g->walk;
    bool exists = true;
    enum rc rc = store_root_exists(g->w->store, root, &exists);
    if (rc == RC_OK && !exists && unlinkat(dirfd(p->dir), root, AT_REMOVEDIR) == 0)
        log_info("media: the empty folder %s was of nobody", root);
    note_error(p, rc);
}

static enum rc add_name(struct walk *p, const char *key)
{
    if (p->n == p->room) {
        size_t room = p->room ? 2 * p->room : 256;
        struct name *names = realloc(p->names, room * sizeof(*names));
        if (!names)
            return RC_NOMEM;
        p->names = names;
        p->room = room;
    }
    memcpy(p->names[p->n].key, key, sizeof(p->names->key));
    p->names[p->n++].has_row = false;
    return RC_OK;
}

static enum rc read_names(struct grants *g)
{
    struct walk *p = &g->walk;
    int checks = 0;
    for (int i = 0; i < NAMES_A_TURN && checks < CHECKS_A_TURN; i++) {
        struct dirent *e = readdir(p->dir);
        if (!e) {
            if (p->n > 0)
                qsort(p->names, p->n, sizeof(*p->names), by_key);
            p->stage = WALK_ROWS;
            return RC_OK;
        }
        mode_t type = key_valid(e->d_name) ? type_of(p->dir, e) : 0;
        enum rc rc = type == S_IFLNK ? add_name(p, e->d_name) : RC_OK;
        if (rc != RC_OK)
            return rc;
        if (type == S_IFDIR) {
            check_folder(g, e->d_name);
            checks++;
        }
    }
    return RC_OK;
}

static void check_row(struct grants *g, const struct grant *row)
{
    struct walk *p = &g->walk;
    struct name key, *found = NULL;
    memcpy(key.key, row->key, sizeof(key.key));
    if (p->n > 0)
        found = bsearch(&key, p->names, p->n, sizeof(*p->names), by_key);
    enum rc rc = RC_OK;
    if (found) {
        found->has_row = true;
        if (grant_leads_to(dirfd(p->dir), row->key, row->media_root))
            return;
        rc = grant_unlink(dirfd(p->dir), row->key);
    }
    if (rc == RC_OK)
        rc = grant_ensure(g->w->store, dirfd(p->dir), row);
    p->made += rc == RC_OK;
    if (rc != RC_NOT_FOUND)
        note_error(p, rc);
}

static enum rc read_rows(struct grants *g)
{
    static struct grant rows[CHECKS_A_TURN];
    struct walk *p = &g->walk;
    size_t n = 0;
    enum rc rc =
        store_grant_list(g->w->store, "", false, &p->after, rows, CHECKS_A_TURN, &n);
    for (size_t i = 0; i < n; i++)
        check_row(g, &rows[i]);
    if (n > 0)
        p->after = rows[n - 1];
    if (n < CHECKS_A_TURN)
        p->stage = WALK_STRANGERS;
    return rc;
}

static void check_stranger(struct grants *g, const char *key)
{
    struct walk *p = &g->walk;
    bool exists = true;
    enum rc rc = store_grant_exists(g->w->store, key, &exists);
    if (rc == RC_OK && !exists) {
        rc = grant_unlink(dirfd(p->dir), key);
        p->removed += rc == RC_OK;
    }
    note_error(p, rc);
}

static void check_strangers(struct grants *g)
{
    struct walk *p = &g->walk;
    for (int i = 0; i < CHECKS_A_TURN && p->next < p->n; p->next++) {
        if (p->names[p->next].has_row)
            continue;
        check_stranger(g, p->names[p->next].key);
        i++;
    }
    if (p->next == p->n)
        p->stage = WALK_NONE;
}

static void on_turn(void *arg)
{
    struct grants *g = arg;
    struct walk *p = &g->walk;
    enum rc rc = RC_OK;
    if (p->stage == WALK_NAMES)
        rc = read_names(g);
    else if (p->stage == WALK_ROWS)
        rc = read_rows(g);
    else
        check_strangers(g);
    if (rc == RC_OK && p->stage != WALK_NONE) {
        loop_timer_set(g->w->loop, &g->turn, 0, on_turn, g);
        return;
    }
    note_error(p, rc);
    if (p->rc != RC_OK) {
        log_error("not every symlink of media is as its row says: %s", rc_name(p->rc));
        g->changed = true; /* again, with the next sweep */
    }
    end_walk(p);
}

void grants_sweep(struct grants *g)
{
    struct stat st;
    int fd;
    if (g->walk.stage != WALK_NONE)
        return;
    if (site_open_media(&g->w->site, &fd) != RC_OK)
        return;
    if (fstat(fd, &st) == 0 && !g->changed &&
        memcmp(&st.st_mtim, &g->mtime, sizeof(g->mtime)) == 0) {
        close(fd);
        return;
    }
    g->walk.dir = fdopendir(fd);
    if (!g->walk.dir) {
        close(fd);
        return;
    }
    g->changed = false;
    g->mtime = st.st_mtim;
    g->walk.stage = WALK_NAMES;
    loop_timer_set(g->w->loop, &g->turn, 0, on_turn, g);
}

/* ---- start and end ----------------------------------------------------------- */

enum rc grants_open(struct worker *w, struct grants **out)
{
    struct grants *g = calloc(1, sizeof(*g));
    if (!g)
        return RC_NOMEM;
    g->w = w;
    /* What was handed out while everybody owned the site. */
    if (w->config.auth == AUTH_REQUIRED)
        say(g, store_grants_end_open(w->store));
    grants_look(g);
    grants_sweep(g);
    *out = g;
    return RC_OK;
}

void grants_close(struct grants *g)
{
    if (!g)
        return;
    loop_timer_cancel(g->w->loop, &g->look);
    loop_timer_cancel(g->w->loop, &g->turn);
    end_walk(&g->walk);
    free(g);
}
