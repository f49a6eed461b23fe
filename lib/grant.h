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

/* ---- one of them: media is their folder, open (site_open_media) -------------------
 */

/* Makes the symlink; one that is there already is fine, and found by one look. *made:
 * it was not there. RC_IO, RC_NOSPACE. */
enum rc grant_link(int media, const char *key, const char *root, bool *made);

/* Removes it; one that is missing is fine. Nothing but a symlink is ever removed: RC_IO
 * for anything else. */
enum rc grant_unlink(int media, const char *key);

/* True if the symlink leads to root. */
bool grant_leads_to(int media, const char *key, const char *root);

/* The symlink of one whose row was read a moment ago, if it counts still: its key may
 * be told. Of g, key and media_root count. RC_NOT_FOUND: it does not count. */
enum rc grant_ensure(struct store *st, int media, const struct grant *g);

/* The grant of a user for a video, with its symlink: the key may be told. As
 * store_grant_user; RC_NOT_FOUND also if it is taken back just now. */
enum rc grant_for_user(struct store *st, int media, const char *video_id,
                       int64_t user_id, struct grant *out);

/* ---- those of shares and videos ----------------------------------------------------
 */

/* The symlink of the grant of a share, which was read a moment ago with its video or
 * has just been made: its key may be told. RC_NOT_FOUND: it is taken back just now. */
enum rc grant_of_share(struct store *st, const struct site *site, const struct share *s,
                       const struct video *v);

/*
 * Ends the grants of a video ("": of all) that are marked revoked: their symlinks go,
 * then their rows, and no other is touched. Cheap if there are none. The first error,
 * after all others were ended.
 */
enum rc grant_end_revoked(struct store *st, const struct site *site,
                          const char *video_id);

/* Likewise of all, but at most max >= 1 of them; *more: there may be others. */
enum rc grant_end_some(struct store *st, const struct site *site, size_t max,
                       bool *more);

/* Likewise of a video whose keys are new (store_grants_renew): the symlinks of the new
 * ones are made before. */
enum rc grant_replace_revoked(struct store *st, const struct site *site,
                              const char *video_id);

#endif
