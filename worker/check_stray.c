/*
 * check_stray.c: files of nobody. Each has been there for longer than anything that is
 * just being made, as a row may come an instant after its file.
 */
#include "site_check.h"

#include "grant.h"
#include "mediadir.h"
#include "spool.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define TMP_S                                                                          \
    86400 /* of what is in tmp: a file that comes in may be long on its way            \
           */

struct folder {
    struct check *c;
    struct findings *out;
    const char *path; /* below the site's folder */
    enum rc (*look)(struct folder *f, int dir_fd, const char *name,
                    const struct stat *st);
};

static void add(const struct folder *f, const char *name, enum check_cure cure,
                const char *sentence)
{
    char path[PATH_MAX];
    snprintf(path, sizeof(path), "%s/%s", f->path, name);
    struct finding *one =
        findings_add(f->out, "orphan", path, cure, MEND_NOTHING, name);
    if (one)
        snprintf(one->sentence, sizeof(one->sentence), "%s", sentence);
}

/* ---- the spool -------------------------------------------------------------- */

/* The id that a name begins with; false: it is none of the spool's. */
static bool id_of(const char *name, char id[ID_LEN + 1])
{
    static const enum spool_kind kinds[] = {SPOOL_PART, SPOOL_SRC, SPOOL_INDEX,
                                            SPOOL_INDEX_PART};
    if (strlen(name) <= ID_LEN || name[ID_LEN] != '.')
        return false;
    memcpy(id, name, ID_LEN);
    id[ID_LEN] = '\0';
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
        if (strcmp(name + ID_LEN + 1, spool_suffix(kinds[i])) == 0)
            return id_valid(id);
    return false;
}

static enum rc look_in_spool(struct folder *f, int dir_fd, const char *name,
                             const struct stat *st)
{
    char id[ID_LEN + 1];
    bool known = false;
    enum rc rc = RC_OK;
    (void)dir_fd;
    if (strcmp(name, SPOOL_LOST) == 0 && S_ISDIR(st->st_mode))
        return RC_OK;
    if (!id_of(name, id)) {
        add(f, name, CURE_SET_ASIDE, "it is no file of the spool");
        return RC_OK;
    }
    rc = store_video_exists(f->c->store, id, &known);
    if (rc == RC_OK && !known)
        add(f, name, CURE_SET_ASIDE, "no video is known of that id");
    return rc;
}

/* ---- media --------------------------------------------------------------------- */

static enum rc look_at_root(struct folder *f, const char *name)
{
    bool known = false;
    enum rc rc = store_root_exists(f->c->store, name, &known);
    if (rc == RC_OK && !known)
        add(f, name, CURE_REMOVE_MEDIA, "no video has its files there");
    return rc;
}

static enum rc look_in_media(struct folder *f, int dir_fd, const char *name,
                             const struct stat *st)
{
    bool known = false;
    enum rc rc;
    (void)dir_fd;
    if (strcmp(name, "pass") == 0 && S_ISDIR(st->st_mode))
        return RC_OK; /* the worker looks after that */
    if (key_valid(name) && S_ISDIR(st->st_mode))
        return look_at_root(f, name);
    if (!key_valid(name) || !S_ISLNK(st->st_mode)) {
        add(f, name, CURE_NONE, "it is no file of the media");
        return RC_OK;
    }
    rc = store_grant_exists(f->c->store, name, &known);
    if (rc == RC_OK && !known)
        add(f, name, CURE_UNLINK_GRANT, "nobody was given that symlink");
    return rc;
}

/* ---- tmp ------------------------------------------------------------------------ */

static enum rc look_in_tmp(struct folder *f, int dir_fd, const char *name,
                           const struct stat *st)
{
    (void)dir_fd;
    if (time(NULL) - st->st_mtime > TMP_S)
        add(f, name, S_ISREG(st->st_mode) ? CURE_REMOVE_TMP : CURE_NONE,
            "it was left over");
    return RC_OK;
}

/* ---- each of them ------------------------------------------------------------------
 */

/* One that has gone meanwhile is none. */
static enum rc look_at(struct folder *f, int dir_fd, const char *name)
{
    struct stat st;
    size_t before = f->out->n;
    f->c->files++;
    if (fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0 ||
        time(NULL) - st.st_ctime < f->c->config->settle_s)
        return RC_OK;
    enum rc rc = f->look(f, dir_fd, name, &st);
    if (f->out->n > before && fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
        f->out->n = before;
    return rc;
}

static enum rc walk(struct folder *f)
{
    char path[PATH_MAX];
    struct dirent *e;
    enum rc rc = site_path(f->c->site, f->path, path);
    DIR *dir = rc == RC_OK ? opendir(path) : NULL;
    if (!dir)
        return rc == RC_OK ? rc_from_errno(errno) : rc;
    while (rc == RC_OK && (errno = 0, e = readdir(dir)))
        if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
            rc = look_at(f, dirfd(dir), e->d_name);
    if (rc == RC_OK && errno != 0)
        rc = rc_from_errno(errno);
    closedir(dir);
    return rc;
}

enum rc check_strays(struct check *c, struct findings *out)
{
    struct folder folders[] = {{c, out, "spool", look_in_spool},
                               {c, out, "htdocs/media", look_in_media},
                               {c, out, "tmp", look_in_tmp}};
    enum rc rc = RC_OK;
    for (size_t i = 0; rc == RC_OK && i < sizeof(folders) / sizeof(folders[0]); i++)
        rc = walk(&folders[i]);
    return rc;
}
