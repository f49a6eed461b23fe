/*
 * media_answer.h: the answers of media.fcgi.
 *
 * A file is answered by X-Sendfile: the server adds its type, its validators and how
 * long it may be kept, as if it had been there all along, and does ranges and
 * conditions. All else may be kept by no cache.
 */
#ifndef DROPSTREAM_MEDIA_ANSWER_H
#define DROPSTREAM_MEDIA_ANSWER_H

#include "fcgi.h"
#include "media_path.h"
#include "rc.h"
#include "site.h"

#include <limits.h>

/* Where the server finds the files: its folder htdocs/media, escaped. */
struct media_root {
    char escaped[PATH_MAX];
};

/* Of the site's media. RC_TOO_LARGE. */
enum rc media_root_set(struct media_root *root, const struct site *site);

/* The file, sent by the server. */
void media_answer_file(struct request *r, const struct media_root *root,
                       const struct media_path *path);

/* Likewise any file below htdocs/media, by its name there: letters, digits and "-._"
 * between slashes. Segments alone may be kept. */
void media_answer_named(struct request *r, const struct media_root *root,
                        const char *name);

/* 503s: it was not made in time; its viewer asked for something else; as many wait
 * already as may. */
void media_answer_not_yet(struct request *r);
void media_answer_replaced(struct request *r);
void media_answer_crowded(struct request *r);

#endif
