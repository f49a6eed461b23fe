#include "pass.h"

#include "store_accounts.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FOLDER "pass" /* no key, which is longer */

enum { TARGET_BYTES = sizeof("../../") + KEY_LEN };

/* ---- names ------------------------------------------------------------------- */

bool pass_valid(const char *s)
{
    return strlen(s) == PASS_LEN && strspn(s, "0123456789abcdef") == PASS_LEN;
}

void pass_hash(const char *pass, uint8_t hash[SECRET_HASH_SIZE])
{
    secret_hash(pass, PASS_LEN, hash);
}

void pass_of_session(const char *secret, char out[PASS_LEN + 1],
                     uint8_t hash[SECRET_HASH_SIZE])
{
    static const uint8_t purpose[SECRET_KEY_SIZE] = "pass of a session";

    secret_sign(purpose, secret, strlen(secret), out);
    pass_hash(out, hash);
}

void pass_of_share(const uint8_t site_key[SECRET_KEY_SIZE], const char *key,
                   char out[PASS_LEN + 1])
{
    char text[sizeof("pass ") + KEY_LEN];
    int n = snprintf(text, sizeof(text), "pass %s", key);

    secret_sign(site_key, text, (size_t)n, out);
}

/* ---- folders ----------------------------------------------------------------- */

/* The folder called name, made if that is asked for, as a descriptor. */
static enum rc open_folder(int parent, const char *name, bool make, int *out_fd)
{
    const int flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW;
    int fd = openat(parent, name, flags);

    if (fd < 0 && errno == ENOENT && make) {
        if (mkdirat(parent, name, 0700) < 0 && errno != EEXIST)
            return rc_from_errno(errno);
        fd = openat(parent, name, flags);
    }
    if (fd < 0)
        return rc_from_errno(errno);
    *out_fd = fd;
    return RC_OK;
}

static enum rc open_passes(const struct site *site, bool make, int *out_fd)
{
    int media;
    enum rc rc = site_open_media(site, &media);

    if (rc != RC_OK)
        return rc;
    rc = open_folder(media, FOLDER, make, out_fd);
    close(media);
    return rc;
}

enum rc pass_open_folder(const struct site *site, int *out_fd)
{
    return open_passes(site, false, out_fd);
}

void pass_remove_folder(const struct site *site)
{
    int media;

    if (site_open_media(site, &media) != RC_OK)
        return;
    unlinkat(media, FOLDER, AT_REMOVEDIR);
    close(media);
}

/* The folder called name, to be read; the caller closes it. */
static enum rc list_folder(int parent, const char *name, DIR **out)
{
    int fd;
    enum rc rc = open_folder(parent, name, false, &fd);

    if (rc != RC_OK)
        return rc;
    *out = fdopendir(fd);
    if (*out)
        return RC_OK;
    close(fd);
    return RC_IO;
}

/* Where the link called key leads. */
static void set_target(const char *key, char out[TARGET_BYTES])
{
    snprintf(out, TARGET_BYTES, "../../%.*s", KEY_LEN, key);
}

enum rc pass_add(const struct site *site, const char *pass, const char *key, bool *made)
{
    char target[TARGET_BYTES];
    int passes, folder;
    enum rc rc;

    *made = false;
    if (!pass_valid(pass) || !key_valid(key))
        return RC_IO;
    set_target(key, target);
    rc = open_passes(site, true, &passes);
    if (rc != RC_OK)
        return rc;
    rc = open_folder(passes, pass, true, &folder);
    close(passes);
    if (rc != RC_OK)
        return rc;
    if (symlinkat(target, folder, key) == 0)
        *made = true;
    else if (errno != EEXIST)
        rc = rc_from_errno(errno);
    close(folder);
    return rc;
}

static enum rc remove_link(int folder, const char *key)
{
    return unlinkat(folder, key, 0) == 0 || errno == ENOENT ? RC_OK : RC_IO;
}

/* The first error, after all others. RC_NOT_FOUND: there is no such pass. */
static enum rc remove_links(int passes, const char *pass)
{
    struct dirent *e;
    enum rc first = RC_OK;
    DIR *dir;
    enum rc rc = list_folder(passes, pass, &dir);

    if (rc != RC_OK)
        return rc;
    while ((e = readdir(dir))) {
        if (e->d_name[0] == '.')
            continue;
        rc = remove_link(dirfd(dir), e->d_name);
        if (first == RC_OK)
            first = rc;
    }
    closedir(dir);
    return first;
}

/* Whoever adds a link meanwhile has to be outrun. */
static enum rc remove_pass(int passes, const char *pass)
{
    for (int i = 0; i < 10; i++) {
        enum rc rc = remove_links(passes, pass);
        if (rc != RC_OK)
            return rc == RC_NOT_FOUND ? RC_OK : rc;
        if (unlinkat(passes, pass, AT_REMOVEDIR) == 0)
            return RC_OK;
    }
    return RC_IO;
}

enum rc pass_remove(const struct site *site, const char *pass)
{
    int passes;
    enum rc rc;

    if (!pass_valid(pass))
        return RC_IO;
    rc = open_passes(site, false, &passes);
    if (rc != RC_OK)
        return rc == RC_NOT_FOUND ? RC_OK : rc;
    rc = remove_pass(passes, pass);
    close(passes);
    return rc;
}

/* Whoever ends a session takes its pass away once its row is gone; so whoever adds to
 * the pass looks at the row once more. */
enum rc pass_add_of_session(struct store *st, const struct site *site, const char *pass,
                            const char *key)
{
    uint8_t hash[SECRET_HASH_SIZE];
    bool made, exists = false;
    enum rc found, rc = pass_add(site, pass, key, &made);

    if (rc == RC_OK && !made)
        return RC_OK;
    pass_hash(pass, hash);
    found = store_session_exists(st, hash, &exists);
    if (found == RC_OK && exists)
        return rc == RC_NOT_FOUND ? RC_OK : rc;
    pass_remove(site, pass);
    return found == RC_OK ? RC_NOT_FOUND : found;
}

/* ---- of sessions that have ended ------------------------------------------------ */

enum { BATCH = 64 };

/* Some of them, in the order of their hashes. */
struct ended {
    uint8_t hashes[BATCH][SECRET_HASH_SIZE];
    bool stays[BATCH]; /* its pass could not be removed */
    size_t n;
    enum rc rc; /* the first error */
};

static int by_hash(const void *a, const void *b)
{
    return memcmp(a, b, SECRET_HASH_SIZE);
}

/* Removes the pass called name if it is one of theirs. */
static void end_pass(struct ended *e, int passes, const char *name)
{
    uint8_t hash[SECRET_HASH_SIZE], (*found)[SECRET_HASH_SIZE];
    enum rc rc;

    if (!pass_valid(name))
        return;
    pass_hash(name, hash);
    found = bsearch(hash, e->hashes, e->n, sizeof(e->hashes[0]), by_hash);
    rc = found ? remove_pass(passes, name) : RC_OK;
    if (rc == RC_OK)
        return;
    e->stays[found - e->hashes] = true;
    if (e->rc == RC_OK)
        e->rc = rc;
}

/* Removes what passes they had. */
static enum rc end_passes(struct ended *e, const struct site *site)
{
    struct dirent *entry;
    DIR *dir;
    int fd;
    enum rc rc = open_passes(site, false, &fd);

    if (rc != RC_OK)
        return rc == RC_NOT_FOUND ? RC_OK : rc;
    dir = fdopendir(fd);
    if (!dir) {
        close(fd);
        return RC_IO;
    }
    while ((entry = readdir(dir)))
        end_pass(e, fd, entry->d_name);
    closedir(dir);
    return RC_OK;
}

static enum rc drop(struct store *st, const struct ended *e)
{
    uint8_t gone[BATCH][SECRET_HASH_SIZE];
    size_t n = 0;

    for (size_t i = 0; i < e->n; i++)
        if (!e->stays[i])
            memcpy(gone[n++], e->hashes[i], SECRET_HASH_SIZE);
    return store_sessions_drop(st, (const uint8_t(*)[SECRET_HASH_SIZE])gone, n);
}

enum rc pass_end_sessions(struct store *st, const struct site *site)
{
    struct ended e = {.n = 0, .rc = RC_OK};
    uint8_t after[SECRET_HASH_SIZE];
    enum rc rc = store_sessions_ended(st, NULL, e.hashes, BATCH, &e.n);

    while (rc == RC_OK && e.n > 0) {
        memset(e.stays, 0, sizeof(e.stays));
        memcpy(after, e.hashes[e.n - 1], sizeof(after));
        rc = end_passes(&e, site);
        if (rc == RC_OK)
            rc = drop(st, &e);
        if (rc == RC_OK)
            rc = store_sessions_ended(st, after, e.hashes, BATCH, &e.n);
    }
    return rc == RC_OK ? e.rc : rc;
}

/* ---- one after the other ----------------------------------------------------------
 */

enum rc pass_walk_begin(struct pass_walk *w, struct store *st, int passes,
                        const char *pass, const uint8_t *site_key)
{
    uint8_t hash[SECRET_HASH_SIZE];
    bool is_session = false;
    enum rc rc = RC_OK;
    DIR *dir;

    if (!pass_valid(pass))
        return RC_IO;
    pass_hash(pass, hash);
    if (site_key)
        rc = store_session_exists(st, hash, &is_session);
    if (rc == RC_OK)
        rc = list_folder(passes, pass, &dir);
    if (rc != RC_OK)
        return rc;
    *w = (struct pass_walk){.dir = dir,
                            .passes = passes,
                            .site_key = site_key,
                            .is_session = is_session,
                            .stays = is_session,
                            .rc = RC_OK};
    memcpy(w->pass, pass, sizeof(w->pass));
    return RC_OK;
}

void pass_walk_end(struct pass_walk *w)
{
    if (w->dir)
        closedir(w->dir);
    w->dir = NULL;
}

/* True if that is a link to the key that it is called by. */
static bool is_link_to(int folder, const char *key)
{
    char target[TARGET_BYTES], is[TARGET_BYTES];
    ssize_t n = readlinkat(folder, key, is, sizeof(is));

    if (!key_valid(key))
        return false;
    set_target(key, target);
    return n == TARGET_BYTES - 1 && memcmp(is, target, (size_t)n) == 0;
}

static bool is_of_share(const struct pass_walk *w, const char *key)
{
    char pass[PASS_LEN + 1];

    pass_of_share(w->site_key, key, pass);
    return strcmp(pass, w->pass) == 0;
}

static enum rc tidy_link(struct pass_walk *w, int folder, const char *key)
{
    struct stat st;

    if (!w->site_key || !is_link_to(folder, key))
        return remove_link(folder, key);
    if (fstatat(folder, key, &st, 0) != 0)
        return errno == ENOENT ? remove_link(folder, key) : RC_IO;
    if (!w->is_session && !is_of_share(w, key))
        return remove_link(folder, key);
    w->stays = true;
    return RC_OK;
}

enum rc pass_walk_on(struct pass_walk *w, size_t *max, bool *removed)
{
    struct dirent *e;
    enum rc rc;

    *removed = false;
    while (*max > 0 && (e = readdir(w->dir))) {
        if (e->d_name[0] == '.')
            continue;
        rc = tidy_link(w, dirfd(w->dir), e->d_name);
        if (w->rc == RC_OK)
            w->rc = rc;
        --*max;
    }
    if (*max == 0)
        return RC_OK;
    rc = w->rc;
    if (rc == RC_OK && !w->stays) {
        rc = remove_pass(w->passes, w->pass);
        *removed = rc == RC_OK;
    }
    pass_walk_end(w);
    return rc;
}
