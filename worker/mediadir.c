#include "mediadir.h"

#include "id.h"
#include "io.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define DIR_FLAGS (O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW)

enum rc mediadir_create(const struct site *site, const char *root)
{
    int media;
    enum rc rc = site_open_media(site, &media);
    if (rc != RC_OK)
        return rc;
    if (mkdirat(media, root, 0755) < 0 && errno != EEXIST)
        rc = rc_from_errno(errno);
    close(media);
    return rc;
}

enum rc mediadir_open(const struct site *site, const char *root, const char *sub,
                      bool create, int *out_fd)
{
    int media, dir;
    enum rc rc = site_open_media(site, &media);
    if (rc != RC_OK)
        return rc;
    dir = openat(media, root, DIR_FLAGS);
    rc = dir < 0 ? rc_from_errno(errno) : RC_OK;
    close(media);
    if (rc != RC_OK || sub[0] == '\0') {
        if (rc == RC_OK)
            *out_fd = dir;
        return rc;
    }
    int fd = -1;
    if (create && mkdirat(dir, sub, 0755) < 0 && errno != EEXIST)
        rc = rc_from_errno(errno);
    else if ((fd = openat(dir, sub, DIR_FLAGS)) < 0)
        rc = rc_from_errno(errno);
    else
        *out_fd = fd;
    close(dir);
    return rc;
}

void mediadir_each(int dir_fd,
                   void (*cb)(int dir_fd, const char *name, const void *arg),
                   const void *arg)
{
    int fd = openat(dir_fd, ".", DIR_FLAGS);
    DIR *d = fd < 0 ? NULL : fdopendir(fd);
    if (!d) {
        if (fd >= 0)
            close(fd);
        return;
    }
    struct dirent *e;
    while ((e = readdir(d)))
        if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
            cb(dir_fd, e->d_name, arg);
    closedir(d);
}

/* Removes one, and counts it in *left; what somebody else has removed counts too. */
static bool remove_entry(int dir_fd, const char *name, int flags, int *left)
{
    bool is_gone = unlinkat(dir_fd, name, flags) == 0 || errno == ENOENT;
    *left -= is_gone;
    return is_gone;
}

/* No more than *left entries, which it takes those from that are gone; folders stay. */
static void remove_files(int dir_fd, int *left)
{
    int fd = openat(dir_fd, ".", DIR_FLAGS);
    DIR *d = fd < 0 ? NULL : fdopendir(fd);
    const struct dirent *e;
    if (!d && fd >= 0)
        close(fd);
    while (d && *left > 0 && (e = readdir(d)))
        remove_entry(dir_fd, e->d_name, 0, left);
    if (d)
        closedir(d);
}

/* As remove_files; true if the folder is gone, too. */
static bool remove_folder(int root_fd, const char *name, int *left)
{
    int fd = openat(root_fd, name, DIR_FLAGS);
    if (fd >= 0) {
        remove_files(fd, left);
        close(fd);
    }
    return *left > 0 && remove_entry(root_fd, name, AT_REMOVEDIR, left);
}

enum rc mediadir_remove_sub_some(int root_fd, const char *sub, int n, bool *over)
{
    int left = n;
    *over = remove_folder(root_fd, sub, &left);
    return *over || left < n ? RC_OK : RC_IO;
}

enum rc mediadir_remove_sub(int root_fd, const char *sub)
{
    int left = INT_MAX;
    return remove_folder(root_fd, sub, &left) ? RC_OK : RC_IO;
}

static void remove_subfolder(int root_fd, const char *name, const void *arg)
{
    int *left = *(int *const *)arg;
    if (*left > 0)
        remove_folder(root_fd, name, left);
}

/* Two levels is all there is: the files of a video and those of its renditions. */
static bool remove_root(int media_fd, const char *root, int *left)
{
    int fd = openat(media_fd, root, DIR_FLAGS);
    if (fd >= 0) {
        remove_files(fd, left);
        mediadir_each(fd, remove_subfolder, &left);
        close(fd);
    }
    return *left > 0 && remove_entry(media_fd, root, AT_REMOVEDIR, left);
}

enum rc mediadir_remove_some(const struct site *site, const char *root, int n,
                             bool *over)
{
    int media, left = n;
    if (!key_valid(root))
        return RC_IO;
    enum rc rc = site_open_media(site, &media);
    if (rc != RC_OK)
        return rc;
    *over = remove_root(media, root, &left);
    close(media);
    return *over || left < n ? RC_OK : RC_IO;
}

enum rc mediadir_remove(const struct site *site, const char *root)
{
    bool over = false;
    enum rc rc = RC_OK;
    while (rc == RC_OK && !over)
        rc = mediadir_remove_some(site, root, INT_MAX, &over);
    return rc;
}

enum rc mediafile_begin(int tmp_fd, struct mediafile *f)
{
    char id[ID_LEN + 1];
    enum rc rc = id_new(id);
    if (rc != RC_OK)
        return rc;
    snprintf(f->name, sizeof(f->name), MEDIADIR_TMP_PREFIX "%s", id);
    f->fd = openat(tmp_fd, f->name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
    f->size = 0;
    return f->fd < 0 ? rc_from_errno(errno) : RC_OK;
}

enum rc mediafile_write(struct mediafile *f, const void *data, size_t n)
{
    return io_write_all(f->fd, data, n, &f->size);
}

/* link(2) never replaces, on every file system. */
static enum rc place(int tmp_fd, const char *from, int dir_fd, const char *to,
                     bool replace)
{
    if (replace)
        return renameat(tmp_fd, from, dir_fd, to) < 0 ? rc_from_errno(errno) : RC_OK;
    enum rc rc = RC_OK;
    if (linkat(tmp_fd, from, dir_fd, to, 0) < 0)
        rc = rc_from_errno(errno);
    unlinkat(tmp_fd, from, 0);
    return rc;
}

enum rc mediafile_publish(int tmp_fd, struct mediafile *f, int dir_fd, const char *name,
                          bool replace)
{
    int closed = close(f->fd);
    f->fd = -1;
    enum rc rc = closed < 0 ? rc_from_errno(errno)
                            : place(tmp_fd, f->name, dir_fd, name, replace);
    if (rc != RC_OK)
        unlinkat(tmp_fd, f->name, 0);
    return rc;
}

void mediafile_abandon(int tmp_fd, struct mediafile *f)
{
    if (f->fd < 0)
        return;
    close(f->fd);
    f->fd = -1;
    unlinkat(tmp_fd, f->name, 0);
}

enum rc mediafile_fill(int tmp_fd, struct mediafile *f, const void *data, size_t n)
{
    enum rc rc = mediafile_begin(tmp_fd, f);
    if (rc != RC_OK)
        return rc;
    rc = mediafile_write(f, data, n);
    if (rc != RC_OK)
        mediafile_abandon(tmp_fd, f);
    return rc;
}

enum rc mediafile_put(int tmp_fd, int dir_fd, const char *name, const void *data,
                      size_t n)
{
    struct mediafile f;
    enum rc rc = mediafile_fill(tmp_fd, &f, data, n);
    return rc == RC_OK ? mediafile_publish(tmp_fd, &f, dir_fd, name, false) : rc;
}

enum rc mediafile_holds(int dir_fd, const char *name, const void *data, size_t n,
                        bool *exists, bool *same)
{
    struct stat st;
    size_t got = 0;
    int fd = openat(dir_fd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0) {
        *exists = errno != ENOENT;
        *same = false;
        return RC_OK;
    }
    bool same_size = fstat(fd, &st) == 0 && st.st_size == (off_t)n;
    char *old = same_size ? malloc(n + 1) : NULL;
    bool is_read = old && io_read_at(fd, old, n, 0, &got) == RC_OK && got == n;
    enum rc rc = same_size && !old ? RC_NOMEM : RC_OK;
    if (rc == RC_OK) {
        *exists = true;
        *same = is_read && memcmp(old, data, n) == 0;
    }
    close(fd);
    free(old);
    return rc;
}

enum rc mediadir_open_all(int dir_fd, const char *const *names, size_t n, int *fds,
                          size_t *n_fds)
{
    size_t k = 0;
    for (size_t i = 0; i <= n; i++) {
        int fd = i < n ? openat(dir_fd, names[i], O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
                       : openat(dir_fd, ".", DIR_FLAGS);
        if (fd >= 0) {
            fds[k++] = fd;
        } else if (i == n || errno != ENOENT) {
            enum rc rc = rc_from_errno(errno);
            while (k > 0)
                close(fds[--k]);
            return rc;
        }
    }
    *n_fds = k;
    return RC_OK;
}

static void remove_left_over(int tmp_fd, const char *name, const void *arg)
{
    (void)arg;
    if (strncmp(name, MEDIADIR_TMP_PREFIX, strlen(MEDIADIR_TMP_PREFIX)) == 0)
        unlinkat(tmp_fd, name, 0);
}

enum rc mediadir_open_tmp(const struct site *site, bool sweep, int *out_fd)
{
    char path[PATH_MAX];
    enum rc rc = site_path(site, "tmp", path);
    if (rc != RC_OK)
        return rc;
    int fd = open(path, DIR_FLAGS);
    if (fd < 0)
        return rc_from_errno(errno);
    if (sweep)
        mediadir_each(fd, remove_left_over, NULL);
    *out_fd = fd;
    return RC_OK;
}
