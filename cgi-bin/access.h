/*
 * access.h: who may do what. One table, pure: it knows no request and no store.
 *
 * What somebody may not even know of does not exist for them (404); what they may see
 * but not do is forbidden (403); who has not signed in is asked to (401); and a token
 * does no more than its scopes say (403).
 */
#ifndef DROPSTREAM_ACCESS_H
#define DROPSTREAM_ACCESS_H

#include "store_accounts.h"
#include "visibility.h"

#include <stdbool.h>

enum want {
    WANT_OPEN,  /* anybody may ask */
    WANT_LIST,  /* what one may see of the library */
    WANT_WATCH, /* a video */
    WANT_MEDIA, /* a file of a video, where that is asked for (media_auth = strict) */
    WANT_EDIT,  /* to change a video, to share it */
    WANT_ORIGINAL, /* to read what only those see who may change it */
    WANT_UPLOAD,   /* to bring a file, and to go on with that */
    WANT_ACTIVITY, /* what went on: with one's own videos; with those of others */
    WANT_ACCOUNT,  /* one's own sessions, tokens and password */
    WANT_USERS,    /* all the others */
    WANT_HEALTH,   /* how the machine is; whether the site works at all is open */
    WANT_COUNT
};

/* "open", "list" …; static. */
const char *want_name(enum want want);

/* What a video, or an upload, is to who asks. */
enum relation {
    RELATION_NONE,     /* it is not about one, or that is not known yet */
    RELATION_OWN,      /* it is theirs */
    RELATION_EVERYONE, /* somebody else's, for everyone to watch */
    RELATION_HIDDEN,   /* somebody else's, or there is none */
    RELATION_COUNT
};

struct asker {
    bool known;          /* somebody: signed in, or on a site without accounts */
    int64_t user_id;     /* 0: nobody, or whoever uses a site without accounts */
    enum user_role role; /* counts if known */
    unsigned scopes;     /* of its token; ACCESS_ALL without one */
};

#define ACCESS_ALL (SCOPE_READ | SCOPE_UPLOAD | SCOPE_ADMIN)

enum access {
    ACCESS_YES,
    ACCESS_SIGN_IN,   /* 401 */
    ACCESS_SCOPE,     /* 403 */
    ACCESS_FORBIDDEN, /* 403 */
    ACCESS_NOT_FOUND  /* 404 */
};

/* Of a video of this owner (0: nobody's). */
enum relation access_relation(const struct asker *asker, int64_t owner_id,
                              enum visibility visibility);

/*
 * RELATION_NONE: what can be said before it is known which video it is about, so what
 * is the same for all of them; ACCESS_YES is then final for what is not about one.
 */
enum access access_check(const struct asker *asker, enum want want,
                         enum relation relation);

#endif
