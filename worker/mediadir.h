/*
 * mediadir.h: the folder of one video under htdocs/media.
 *
 * htdocs/media/<root>/ holds the files; who may watch has a symlink to it (grant.h).
 * Files are written through a descriptor of the folder: first whole in
 * site/tmp, then linked or renamed to their place, so that nothing half-written is ever
 * visible. So site/tmp and htdocs/media must lie on one file system. What replaces
 * another file goes by staging.h.
 */
#ifndef DROPSTREAM_MEDIADIR_H
#define DROPSTREAM_MEDIADIR_H

#include "rc.h"
#include "site.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Makes the folder; it may be there already. RC_IO, RC_NOSPACE. */
enum rc mediadir_create(const struct site *site, const char *root);

/* Takes the folder with all that is in it away. RC_IO if something remains. */
enum rc mediadir_remove(const struct site *site, const char *root);

/* Files that are removed in one turn of the loop, as others wait meanwhile. */
#define MEDIADIR_REMOVE_TURN 64

/* Takes n > 0 of its files and folders away at most, those that viewers begin with
 * first. *over: nothing of it is left. RC_IO: something remains that cannot go. Also
 * the codes of site_open_media. */
enum rc mediadir_remove_some(const struct site *site, const char *root, int n,
                             bool *over);

/*
 * Opens htdocs/media/<root>/<sub> as a directory descriptor that the caller closes;
 * sub "" is the folder itself. create makes sub if it is missing. RC_NOT_FOUND, RC_IO,
 * RC_NOSPACE.
 */
enum rc mediadir_open(const struct site *site, const char *root, const char *sub,
                      bool create, int *out_fd);

/* Calls cb with each entry of a folder, which it may remove; a folder that cannot be
 * read has none. */
void mediadir_each(int dir_fd,
                   void (*cb)(int dir_fd, const char *name, const void *arg),
                   const void *arg);

/* Removes <sub> with all that is in it; a missing one is fine. RC_IO. */
enum rc mediadir_remove_sub(int root_fd, const char *sub);

/* Removes n > 0 of its files at most; *over as above. RC_IO: something cannot go. */
enum rc mediadir_remove_sub_some(int root_fd, const char *sub, int n, bool *over);

/* How the names of files in site/tmp begin that are left over when their worker is
 * gone. */
#define MEDIADIR_TMP_PREFIX "media-"

/* A file on its way: written in site/tmp, then put into its place. */
struct mediafile {
    int fd; /* -1: none */
    char name[64];
    int64_t size;
};

/* RC_IO, RC_NOSPACE. */
enum rc mediafile_begin(int tmp_fd, struct mediafile *f);

/* RC_IO, RC_NOSPACE: the file is then only good to abandon. */
enum rc mediafile_write(struct mediafile *f, const void *data, size_t n);

/*
 * Puts the file at dir_fd/name and ends f. replace: over one that is there; else an
 * existing file stays as it is and RC_EXISTS is returned, with f ended all the same.
 */
enum rc mediafile_publish(int tmp_fd, struct mediafile *f, int dir_fd, const char *name,
                          bool replace);

/* Drops the file. One that was not begun is fine. */
void mediafile_abandon(int tmp_fd, struct mediafile *f);

/* Begin and write in one; abandoned where that fails. */
enum rc mediafile_fill(int tmp_fd, struct mediafile *f, const void *data, size_t n);

/* Fill and publish in one, without replace. */
enum rc mediafile_put(int tmp_fd, int dir_fd, const char *name, const void *data,
                      size_t n);

/* True in *same if the file holds exactly these bytes; in *exists, if there is
 * something of that name. What cannot be read holds others. RC_NOMEM. */
enum rc mediafile_holds(int dir_fd, const char *name, const void *data, size_t n,
                        bool *exists, bool *same);

/* Opens files of a folder and then itself, for a sync of all (see syncer.h): at most
 * n + 1 descriptors, which are the caller's. A file that is not there is left out.
 * RC_IO. */
enum rc mediadir_open_all(int dir_fd, const char *const *names, size_t n, int *fds,
                          size_t *n_fds);

/* Opens site/tmp, and removes what a killed worker left there if sweep. */
enum rc mediadir_open_tmp(const struct site *site, bool sweep, int *out_fd);

#endif
