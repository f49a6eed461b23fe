/*
 * identity.h: who a request comes from: by the cookie of a session, by a token
 * (Authorization: Bearer, RFC 6750), or, on a site that asks nobody to sign in, by
 * having reached it at all.
 *
 * A token wins over the cookie, which is not looked at then: what a program sends is
 * never what a browser was tricked into.
 */
#ifndef DROPSTREAM_IDENTITY_H
#define DROPSTREAM_IDENTITY_H

#include "access.h"
#include "config.h"
#include "fcgi.h"
#include "pass.h"
#include "rc.h"
#include "store.h"
#include "store_accounts.h"

#include <stdbool.h>
#include <stdint.h>

enum identity_kind {
    IDENTITY_NOBODY,
    IDENTITY_LOCAL, /* whoever reaches a site without accounts owns it */
    IDENTITY_SESSION,
    IDENTITY_TOKEN,
    IDENTITY_BAD_TOKEN /* nobody, who takes themselves for somebody */
};

struct identity {
    enum identity_kind kind;
    struct asker asker;
    char name[STORE_USER_MAX + 1]; /* "" of nobody, and on a site without accounts */
    int64_t session;               /* its number; 0: none */
    int64_t token;                 /* likewise */
    char pass[PASS_LEN + 1];       /* of the session; "" if there is none */
    bool dead_cookie;              /* one was sent that means nobody any more */
};

/* Reads the store once; st may be NULL where config.auth is AUTH_NONE. */
enum rc identity_find(const struct request *r, const struct config *config,
                      struct store *st, struct identity *out);

/* True if changes are made for a user, *out; false: for nobody, or whoever is here. */
bool identity_actor(const struct identity *who, struct store_actor *out);

/* Sets the session's cookie again, as its time goes on, or takes a dead one away. For
 * GET /api/session alone, which is answered at once: any other answer may be that to a
 * long upload, and come when one has signed in anew, or out. */
void identity_refresh_cookie(struct request *r, const struct config *config,
                             const struct identity *who);

/* Adds the cookie of a new session to the answer; secret NULL: takes it away. */
void identity_set_cookie(struct request *r, const struct config *config,
                         const char *secret);

/* A session that begins now lasts until then (wall clock). */
int64_t identity_lasts_ms(const struct config *config);

#endif
