/*
 * grant.h: the symlinks by which media are reached: htdocs/media/<key> → <root>.
 *
 * Whoever has the key may watch; the files lie in <root>, a name that is never handed
 * out. The rows beside them (store_grants.h) say what should be there, and the order is
 * always the same: row, symlink, use; mark, no symlink, no row.
 */
#ifndef DROPSTREAM_GRANT_H
#define DROPSTREAM_GRANT_H

#include "id.h"
#include "rc.h"
#include "site.h"
#include "store_grants.h"

#include <stdbool.h>
#include <stddef.h>

/* Makes the symlink; one that is there already is fine. *made, which may be NULL: it
 * was not there. RC_IO, RC_NOSPACE. */
enum rc grant_link(const struct site *site, const char *key, const char *root,
                   bool *made);

/* Removes it; one that is missing is fine. Nothing but a symlink is ever removed: RC_IO
 * for anything else. */
enum rc grant_unlink(const struct site *site, const char *key);

/* True if the symlink, in a folder that is open, leads to root. */
bool grant_leads_to(int media, const char *key, const char *root);

/* The grant of a user for a video, with its symlink: the key may be told. As
 * store_grant_user; RC_NOT_FOUND also if it is taken back just now. */
enum rc grant_for_user(struct store *st, const struct site *site, const char *video_id,
                       int64_t user_id, struct grant *out);

/* The symlinks of all grants of a video that are not revoked. */
enum rc grant_link_all(struct store *st, const struct site *site, const char *video_id);

/*
 * Ends the grants of a video ("": of all) that are marked revoked: their symlinks go,
 * then their rows. Those of the same videos that stay have their symlinks before, so
 * that new keys are there when the old ones end. Cheap if there are none. The first
 * error, after all others were ended.
 */
enum rc grant_end_revoked(struct store *st, const struct site *site,
                          const char *video_id);

/* Likewise of all, but at most max >= 1 of them; *more: there may be others. */
enum rc grant_end_some(struct store *st, const struct site *site, size_t max,
                       bool *more);

/* The symlink of one whose row was read a moment ago, if it counts still. RC_NOT_FOUND:
 * it does not. */
enum rc grant_ensure(struct store *st, const struct site *site, const struct grant *g);

#endif
