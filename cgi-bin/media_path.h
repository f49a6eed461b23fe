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

#include <stdint.h>

#define MEDIA_INIT (-1) /* the "number" of an init segment */

struct media_path {
    char key[KEY_LEN + 1];
    char rendition[STORE_RENDITION_MAX + 1];
    int generation;  /* from 1 */
    int64_t segment; /* from 0, or MEDIA_INIT */
};

/* RC_INVALID: not of that form. */
enum rc media_path_parse(const char *path, struct media_path *out);

#endif
