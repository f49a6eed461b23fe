/*
 * site.h: the site tree and the names of files in it.
 *
 * Invariant: only ids, keys, rendition names and numbers that this program made
 * become file names; nothing is written outside the site.
 */
#ifndef DROPSTREAM_SITE_H
#define DROPSTREAM_SITE_H

#include "rc.h"

#include <limits.h>

struct site {
    char root[PATH_MAX]; /* absolute, no trailing slash */
};

/*
 * Finds the site: $DROPSTREAM_SITE if set, else the parent of the folder that
 * holds the running program (site/cgi-bin/x.fcgi, site/bin/x). RC_INVALID if the
 * result is not an absolute path to a folder with etc/ and htdocs/ in it.
 */
enum rc site_find(struct site *out);

/* As site_find, for a given folder (made absolute). */
enum rc site_at(const char *dir, struct site *out);

/*
 * root/name into out. RC_TOO_LARGE if it does not fit, so that a caller never
 * opens a path that was cut short.
 */
enum rc site_path(const struct site *site, const char *name, char out[PATH_MAX]);

/* htdocs/media, made if it is missing, as a directory descriptor that the caller
 * closes. RC_IO, RC_NOSPACE; RC_NOT_FOUND: no htdocs. */
enum rc site_open_media(const struct site *site, int *out_fd);

/* Bytes free for this user on the file system that holds the site. RC_IO. */
enum rc site_free_bytes(const struct site *site, long long *out);

#endif
