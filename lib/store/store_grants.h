/*
 * store_grants.h: the part of store.h about who may watch: grants, and the shares that
 * have one.
 *
 * A grant is a row here and a symlink htdocs/media/<key> → <media_root> (grant.h). To
 * make one: the row, then the symlink, then the key is told. To take it back: the row
 * is marked revoked, the symlink goes, then the row. Whatever a crash leaves half done
 * the worker completes. While a row is not revoked its symlink is there or will be.
 */
#ifndef DROPSTREAM_STORE_GRANTS_H
#define DROPSTREAM_STORE_GRANTS_H

#include "password.h"
#include "rc.h"
#include "secret.h"
#include "store.h"
#include "store_accounts.h"
#include "visibility.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define STORE_SHARES_MAX 100    /* of one video */
#define STORE_EMBED_MAX 1023    /* bytes of the origins that may embed a share */
#define STORE_SHARE_LEN KEY_LEN /* a share's token is 130 random bits as of id.h */

enum grant_kind { GRANT_USER, GRANT_SHARE };

struct grant {
    char key[KEY_LEN + 1];
    char video_id[ID_LEN + 1];
    char media_root[KEY_LEN + 1]; /* of that video; never handed out */
    enum grant_kind kind;
    int64_t user_id; /* GRANT_USER; 0: whoever uses a site without accounts */
    char share[STORE_SHARE_LEN + 1]; /* GRANT_SHARE: its token */
};

/*
 * The grant of a user for a video, made if there is none yet; its symlink is made by
 * the caller (grant_for_user of grant.h does both). RC_NOT_FOUND: no such video, no
 * such user, or one that has no right to it: neither is it for everyone, nor theirs,
 * nor are they owners; of user 0 the caller judges that.
 */
enum rc store_grant_user(struct store *st, const char *video_id, int64_t user_id,
                         struct grant *out);

/* The grant of a key, with what may be watched by it. RC_NOT_FOUND: none, a revoked
 * one, a share that has expired, a deleted video. */
enum rc store_grant_by_key(struct store *st, const char *key, struct grant *out,
                           struct video *video);

/* New keys for every grant of a video in place of the old ones, which are marked
 * revoked: the symlinks of the new ones are made before those of the old ones go
 * (grant_replace_revoked of grant.h does both). RC_NOT_FOUND. */
enum rc store_grants_renew(struct store *st, const char *video_id);

/* Marks those of user id 0 revoked, where a site has accounts. */
enum rc store_grants_end_open(struct store *st);

/* Calls cb for each grant of a video ("": of all), revoked or not as asked; cb may use
 * st, also to drop it. What cb returned if not RC_OK. */
enum rc store_grant_each(struct store *st, const char *video_id, bool revoked,
                         enum rc (*cb)(void *arg, const struct grant *g), void *arg);

/* Up to max of them behind after (all zero: from the first one), in the same order:
 * for who goes through them bit by bit. Fewer than max: there are no more. */
enum rc store_grant_list(struct store *st, const char *video_id, bool revoked,
                         const struct grant *after, struct grant *out, size_t max,
                         size_t *n);

/* True in *out if there is a row for it, revoked or not. */
enum rc store_grant_exists(struct store *st, const char *key, bool *out);

/* Removes the row of a revoked grant, whose symlink is gone. RC_OK if there is none. */
enum rc store_grant_drop(struct store *st, const char *key);

/* ---- who has a video ------------------------------------------------------ */

/* Grants that end by it are marked revoked. RC_NOT_FOUND. */
enum rc store_video_set_visibility(struct store *st, const char *id, enum visibility v);

/* ---- shares --------------------------------------------------------------- */

struct share {
    char token[STORE_SHARE_LEN +
               1]; /* kept as it is, so that the link can be told again */
    char video_id[ID_LEN + 1];
    char key[KEY_LEN + 1];                /* of its grant */
    char password[PASSWORD_HASH_MAX + 1]; /* "": none */
    bool download;
    char embed[STORE_EMBED_MAX + 1]; /* "": off; "*": anywhere; else origins with blanks
                                      * between them */
    int64_t created_ms;              /* wall clock */
    int64_t expires_ms;              /* -1: never */
    char created_by[STORE_USER_MAX + 1]; /* "" unknown, or gone */
};

/* Of s, video_id, password, download, embed and expires_ms count; token, key,
 * created_ms and created_by are set. by: a user, or 0. The symlink of its grant is made
 * by the caller (grant_of_share of grant.h). RC_NOT_FOUND: no such video. RC_TOO_LARGE:
 * STORE_SHARES_MAX. */
enum rc store_share_add(struct store *st, struct share *s, int64_t by);

/* RC_NOT_FOUND: none, it has expired, or its video is deleted. */
enum rc store_share_get(struct store *st, const char *token, struct share *out,
                        struct video *video);

/* Calls cb for each of a video's that has not expired, the oldest first. RC_NOT_FOUND:
 * no such video. */
enum rc store_share_each(struct store *st, const char *video_id,
                         enum rc (*cb)(void *arg, const struct share *s), void *arg);

/* Removes it and marks its grant revoked. RC_NOT_FOUND. */
enum rc store_share_remove(struct store *st, const char *token);

/* Likewise for all whose time is over; *n of them. *next_ms: when the next one ends
 * (wall clock), -1: none does. */
enum rc store_shares_expire(struct store *st, int64_t *n, int64_t *next_ms);

#endif
