/*
 * media_path.h: what a URL below /media/ asks for.
 *
 * Pure. The form is /media/<key>/<rendition>-<generation>/<k>.m4s or …/init.mp4;
 * numbers are written without leading zeros, so that a file has one URL.
 */
#ifndef DROPSTREAM_MEDIA_PATH_H
#define DROPSTREAM_MEDIA_PATH_H

#include "id.h"
#include "rc.h"
#include "store.h"

#include <stddef.h>
#include <stdint.h>

#define MEDIA_INIT (-1) /* the "number" of an init segment */

struct media_path {
    char key[KEY_LEN + 1];
    char rendition[STORE_RENDITION_MAX + 1];
    int generation;  /* from 1 */
    int64_t segment; /* from 0, or MEDIA_INIT */
};

/* Bytes of the texts below. */
#define MEDIA_FOLDER_MAX (KEY_LEN + 1 + STORE_RENDITION_MAX + 1 + 10)
#define MEDIA_FILE_MAX (MEDIA_FOLDER_MAX + 1 + 19 + 4)

/* RC_INVALID: not of that form. */
enum rc media_path_parse(const char *path, struct media_path *out);

/*
 * The key in the path of any file below /media/<key>/. RC_INVALID: there is none, or
 * the path is not as the site writes them, by letters, digits and "-._" between single
 * slashes, no name beginning with a dot: so no server can take it for another file.
 */
enum rc media_path_key(const char *path, char out[KEY_LEN + 1]);

/* "<key>/<rendition>-<generation>", a folder below htdocs/media. */
void media_path_folder(const struct media_path *path, char out[MEDIA_FOLDER_MAX + 1]);

/* 0 if both files are in one folder, else which folder comes first, as of strcmp. */
int media_path_folder_order(const struct media_path *a, const struct media_path *b);

/* The folder, "/" and the file's name: what media_path_parse took, without /media/. */
void media_path_file(const struct media_path *path, char out[MEDIA_FILE_MAX + 1]);

/*
 * text with every byte but letters, digits and "-._~/" as %XX (RFC 3986 s. 2.1): a path
 * as the server wants it in X-Sendfile. RC_TOO_LARGE.
 */
enum rc media_path_escape(const char *text, char *out, size_t size);

#endif
