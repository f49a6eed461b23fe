/*
 * grant.h: the symlinks by which media are reached: htdocs/media/<key> → <root>.
 *
 * Whoever has the key may watch; the files lie in <root>, a name that is never handed
 * out. See store_grants.h for the rows that stand beside them.
 */
#ifndef DROPSTREAM_GRANT_H
#define DROPSTREAM_GRANT_H

#include "id.h"
#include "rc.h"
#include "site.h"

/* Makes the symlink; one that is there already is fine. RC_IO, RC_NOSPACE. */
enum rc grant_link(const struct site *site, const char *key, const char *root);

/* Removes it; one that is missing is fine. Nothing but a symlink is ever removed: RC_IO
 * for anything else. */
enum rc grant_unlink(const struct site *site, const char *key);

#endif
