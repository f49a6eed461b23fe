/*
 * store_accounts.h: the part of store.h about people: users, their sessions, tokens of
 * programs, and tries that failed.
 *
 * Secrets are known by their hash alone (secret.h). What has expired counts as not
 * there from that moment on (wall clock); rows go later.
 */
#ifndef DROPSTREAM_STORE_ACCOUNTS_H
#define DROPSTREAM_STORE_ACCOUNTS_H

#include "password.h"
#include "rc.h"
#include "secret.h"
#include "store.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define STORE_USERS_MAX 10000    /* of one site */
#define STORE_AGENT_MAX 255      /* bytes of a User-Agent that are kept */
#define STORE_ADDRESS_MAX 63     /* bytes of an address */
#define STORE_TOKEN_LABEL_MAX 80 /* bytes */
#define STORE_TOKENS_MAX 100     /* of one user */
#define STORE_EXPIRES_MIN_S 60   /* that a token or a share lasts which ends */
#define STORE_EXPIRES_MAX_S (INT64_C(10) * 365 * 24 * 3600)
#define STORE_USED_MS 60000    /* how exactly it is kept when one was used last */
#define STORE_SESSIONS_MAX 100 /* of one user; with more, those unused longest end */

enum user_role { USER_OWNER, USER_MEMBER, USER_VIEWER };

/* "owner", "member", "viewer"; static. */
const char *user_role_name(enum user_role role);
/* RC_INVALID: none is called so. */
enum rc user_role_from(const char *name, enum user_role *out);

struct user {
    int64_t id; /* from 1; never used again */
    char name[STORE_USER_MAX + 1];
    enum user_role role;
    char password[PASSWORD_HASH_MAX + 1]; /* password.h */
    int64_t created_ms;                   /* wall clock */
};

/* True for 1 to STORE_USER_MAX of A-Z a-z 0-9 . _ - of which the first is a letter or a
 * digit. */
bool user_name_valid(const char *name);

/* *id of the new one. RC_INVALID: the name is not valid. RC_EXISTS: somebody is called
 * so, in any case of letters. RC_TOO_LARGE: STORE_USERS_MAX. */
enum rc store_user_add(struct store *st, const char *name, enum user_role role,
                       const char *password_hash, int64_t *id);

/* As store_user_add, of the first user, an owner. setup is the hash of a set-up secret
 * (store_setup_begin), which is used up. RC_NOT_FOUND: it is not that, or too old.
 * RC_CONFLICT: there is a user already. */
enum rc store_user_first(struct store *st, const uint8_t setup[SECRET_HASH_SIZE],
                         const char *name, const char *password_hash, int64_t *id);

/* Whatever the case of letters. RC_NOT_FOUND. */
enum rc store_user_by_name(struct store *st, const char *name, struct user *out);
enum rc store_user_get(struct store *st, int64_t id, struct user *out);

/* How many there are. */
enum rc store_user_count(struct store *st, int64_t *out);

/* Calls cb with each, by name; cb may use st. What cb returned if not RC_OK. */
enum rc store_user_each(struct store *st,
                        enum rc (*cb)(void *arg, const struct user *u), void *arg);

/* Ends all sessions of the user but keep_session (its number; 0: all of them), and all
 * tokens. RC_NOT_FOUND. */
enum rc store_user_set_password(struct store *st, int64_t id, const char *password_hash,
                                int64_t keep_session);

/* Ends its sessions and its tokens, which were made for what it could do before, also
 * where it may do more now. The grants that it has no right to any more are marked
 * revoked (store_grants.h); of one who is no owner any more the shares end that it made
 * of videos of others, *shares_ended of them (may be NULL). RC_NOT_FOUND. RC_CONFLICT:
 * it is the last owner. */
enum rc store_user_set_role(struct store *st, int64_t id, enum user_role role,
                            int64_t *shares_ended);

/* With its sessions and tokens. Its videos stay, as nobody's, and their shares; uploads
 * that are not finished are marked deleted, its grants revoked, and the shares that it
 * made of videos of others end, *shares_ended of them (may be NULL). RC_NOT_FOUND.
 * RC_CONFLICT: it is the last owner. */
enum rc store_user_remove(struct store *st, int64_t id, int64_t *shares_ended);

/* ---- set-up --------------------------------------------------------------- */

/* From now on hash is that of the one secret with which the first user can be made,
 * until expires_ms. RC_CONFLICT: there is a user already. */
enum rc store_setup_begin(struct store *st, const uint8_t hash[SECRET_HASH_SIZE],
                          int64_t expires_ms);

/* The site's own key for signatures; made once. */
enum rc store_site_key(struct store *st, uint8_t out[SECRET_KEY_SIZE]);

/* ---- sessions ------------------------------------------------------------- */

struct session {
    int64_t n; /* its number, from 1; never used again */
    int64_t user_id;
    int64_t created_ms, used_ms, expires_ms; /* wall clock; used: to a minute */
    char agent[STORE_AGENT_MAX + 1];
    char address[STORE_ADDRESS_MAX + 1]; /* from which it was begun */
};

/* n of the new one goes to s->n. Of s, user_id, agent, address (both as they come: cut
 * and made clean here) and expires_ms count. password_hash: the one that was found to
 * be right. RC_NOT_FOUND: no such user, or its password is another one by now. */
enum rc store_session_begin(struct store *st, const uint8_t hash[SECRET_HASH_SIZE],
                            const char *password_hash, struct session *s);

/*
 * Who that is. Its time goes on from now, to lasts_ms from now: written at most once a
 * minute, so that most requests only read. RC_NOT_FOUND: none such, or it has ended.
 */
enum rc store_session_use(struct store *st, const uint8_t hash[SECRET_HASH_SIZE],
                          int64_t lasts_ms, struct session *out, struct user *user);

/* Ends one of this user's. RC_NOT_FOUND. */
enum rc store_session_end(struct store *st, int64_t user_id, int64_t n);

/* Calls cb with each of a user's, the last used first; cb may use st. */
enum rc store_session_each(struct store *st, int64_t user_id,
                           enum rc (*cb)(void *arg, const struct session *s),
                           void *arg);

/* True in *out if there is one of this secret that has not ended. */
enum rc store_session_exists(struct store *st, const uint8_t hash[SECRET_HASH_SIZE],
                             bool *out);

/* Ends those whose time is over. *next_ms: when the next one's is (wall clock), -1:
 * there is none. */
enum rc store_sessions_expire(struct store *st, int64_t *next_ms);

/* The hashes of up to max sessions that have ended, in whatever way, and were not
 * dropped since, behind after (NULL: from the first one), in their order. */
enum rc store_sessions_ended(struct store *st, const uint8_t *after,
                             uint8_t (*out)[SECRET_HASH_SIZE], size_t max, size_t *n);

/* Drops n that have ended: nothing is left of them. Of none nothing is written. */
enum rc store_sessions_drop(struct store *st, const uint8_t (*hashes)[SECRET_HASH_SIZE],
                            size_t n);

/* ---- tokens --------------------------------------------------------------- */

enum { SCOPE_READ = 1, SCOPE_UPLOAD = 2, SCOPE_ADMIN = 4 }; /* a set of them */
enum { SCOPE_COUNT = 3 };

/* "read", "upload", "admin", by the place of the bit; static. */
const char *scope_name(unsigned place);
/* The bit; 0: none is called so. */
unsigned scope_from(const char *name);

struct token {
    int64_t n; /* its number, from 1; never used again */
    int64_t user_id;
    char label[STORE_TOKEN_LABEL_MAX + 1];
    unsigned scopes;
    int64_t created_ms, used_ms; /* wall clock; used to a minute, -1: never */
    int64_t expires_ms;          /* -1: never */
};

/* t->n and t->created_ms are set, and its label is without blanks at its ends.
 * RC_NOT_FOUND: no such user. RC_INVALID: the label is blank or not clean UTF-8
 * (text_is_clean), or no scope, or an unknown one.
 * RC_TOO_LARGE: STORE_TOKENS_MAX. */
enum rc store_token_add(struct store *st, const uint8_t hash[SECRET_HASH_SIZE],
                        struct token *t);

/* As store_session_use; its time does not go on. */
enum rc store_token_use(struct store *st, const uint8_t hash[SECRET_HASH_SIZE],
                        struct token *out, struct user *user);

enum rc store_token_remove(struct store *st, int64_t user_id, int64_t n);
enum rc store_token_each(struct store *st, int64_t user_id,
                         enum rc (*cb)(void *arg, const struct token *t), void *arg);

/* ---- for whom a handle changes something ----------------------------------- */

/* As who asks was found: by a session or a token, by their numbers. */
struct store_actor {
    int64_t user_id;
    enum user_role role;
    int64_t session; /* 0: none */
    int64_t token;   /* 0: none */
};

/*
 * From now on what this handle changes, it changes for this actor (copied; NULL: for
 * nobody in particular, as at first). Whatever may end in the moment between the look
 * at a right and the use of it: every function that changes something then says
 * RC_REVOKED, and changes nothing, where by its transaction that session or token has
 * been removed, or the role of its user is another one. What an actor ends of
 * themselves does not keep them from the rest of what they do.
 */
void store_act_for(struct store *st, const struct store_actor *actor);

/* Looks only: RC_REVOKED, as a change would say. RC_OK where the handle acts for nobody
 * in particular. */
enum rc store_actor_check(struct store *st);

/* ---- tries ---------------------------------------------------------------- */

/*
 * Of something that can be guessed, by its subject ("account:ada", "address:192.0.2.1",
 * "share:…"). The first STORE_TRIES_FREE that fail within STORE_TRIES_MS cost nothing;
 * after each further one nothing is looked at for 1, 2, 4 … s, up to STORE_TRIES_MS. On
 * the boot clock; after another boot the count stands and the wait begins anew.
 *
 * A lenient subject is one that everybody can fail at, wherever they are, so that its
 * wait keeps out whom it belongs to as well: more are free, and the wait stays short.
 */
#define STORE_TRIES_FREE 5
#define STORE_TRIES_MS (15 * 60 * 1000)
#define STORE_TRIES_LENIENT_FREE 50
#define STORE_TRIES_LENIENT_MS (30 * 1000)

struct try_subject {
    const char *text;
    bool lenient;
};

/*
 * Before a try, for n subjects at once: counts it as failed, so that tries at the same
 * time cannot get past the limit. *wait_ms: 0, or how long until one may be looked at;
 * then nothing was counted.
 */
enum rc store_try_begin(struct store *st, const struct try_subject subjects[], size_t n,
                        int64_t *wait_ms);

/* How long until one may be looked at, as store_try_begin; nothing is counted. */
enum rc store_try_look(struct store *st, const struct try_subject subjects[], size_t n,
                       int64_t *wait_ms);

/* The try succeeded: what begin counted is taken back for all, and the first subject
 * (the account at that address) begins anew. */
enum rc store_try_succeeded(struct store *st, const struct try_subject subjects[],
                            size_t n);

/* ---- what time ends ------------------------------------------------------- */

/* Removes tokens, set-up secrets and counts of tries that are over. */
enum rc store_accounts_expire(struct store *st);

#endif
