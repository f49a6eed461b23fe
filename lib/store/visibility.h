/*
 * visibility.h: who may watch a video besides its owner and the site's owners.
 */
#ifndef DROPSTREAM_VISIBILITY_H
#define DROPSTREAM_VISIBILITY_H

#include "rc.h"

enum visibility {
    VISIBLE_PRIVATE, /* nobody */
    VISIBLE_EVERYONE /* everyone who is signed in */
};

/* "private", "everyone"; static. */
const char *visibility_name(enum visibility v);

/* RC_INVALID: none is called so. */
enum rc visibility_from(const char *name, enum visibility *out);

#endif
