/* dropstreamctl token … and session …: what signs in in place of a password. */
#include "ctl.h"

#include "store.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Goes through what users have, of one or of all. */
struct listing {
    struct ctl *c;
    const struct user *user;
    int64_t n; /* of the one to be removed */
    enum rc (*remove)(struct store *st, int64_t user_id, int64_t n);
    enum rc (*list)(struct listing *l, int64_t user_id);
};

static enum rc list_user(void *arg, const struct user *u)
{
    struct listing *l = arg;

    l->user = u;
    return l->list(l, u->id);
}

/* All users', or those of the one that is named. */
static int list(struct listing *l, const char *name)
{
    struct user user;
    enum rc rc;

    if (name && ctl_user(l->c, name, &user) != 0)
        return 1;
    rc = name ? list_user(l, &user) : store_user_each(l->c->store, list_user, l);
    return rc == RC_OK ? 0 : ctl_fail_store(l->c, "cannot read them", rc);
}

/* RC_STOPPED: it was this user's, and is gone. */
static enum rc remove_of_user(void *arg, const struct user *u)
{
    struct listing *l = arg;
    enum rc rc = l->remove(l->c->store, u->id, l->n);

    return rc == RC_OK ? RC_STOPPED : rc == RC_NOT_FOUND ? RC_OK : rc;
}

/* what: "token" or "session". */
static int remove_numbered(struct listing *l, const char *what, const char *number)
{
    char *end;
    enum rc rc;

    errno = 0;
    l->n = strtoll(number, &end, 10);
    if (*number < '1' || *number > '9' || *end || errno)
        return ctl_fail("\"%s\": the number of a %s (%s ls tells it)", number, what,
                        what);
    rc = store_user_each(l->c->store, remove_of_user, l);
    if (rc == RC_OK)
        return ctl_fail("there is no %s %s", what, number);
    return rc == RC_STOPPED ? 0 : ctl_fail_store(l->c, "cannot remove it", rc);
}

/* ---- tokens ------------------------------------------------------------- */

int ctl_token_add(struct ctl *c, const struct ctl_args *a)
{
    struct token token = {.scopes = a->scopes, .expires_ms = -1};
    char secret[SECRET_LEN + 1];
    uint8_t hash[SECRET_HASH_SIZE];
    struct user user;
    enum rc rc;

    if (strlen(a->label) > STORE_TOKEN_LABEL_MAX)
        return ctl_fail("a label has at most %d bytes", STORE_TOKEN_LABEL_MAX);
    if (ctl_user(c, a->words[0], &user) != 0)
        return 1;
    token.user_id = user.id;
    snprintf(token.label, sizeof(token.label), "%s", a->label);
    if (a->expires_ms > 0)
        token.expires_ms = c->clock.wall_ms(c->clock.ctx) + a->expires_ms;
    rc = secret_new(secret);
    if (rc != RC_OK)
        return ctl_fail("no randomness: %s", rc_name(rc));
    secret_hash(secret, SECRET_LEN, hash);
    rc = store_token_add(c->store, hash, &token);
    if (rc == RC_INVALID)
        return ctl_fail("a label must not be blank or hold control characters");
    if (rc == RC_TOO_LARGE)
        return ctl_fail("%s has %d tokens already", user.name, STORE_TOKENS_MAX);
    if (rc != RC_OK)
        return ctl_fail_store(c, "cannot add the token", rc);
    puts(secret);
    fprintf(stderr, "This is token %lld of %s; it is not shown again.\n",
            (long long)token.n, user.name);
    return 0;
}

static enum rc print_token(void *arg, const struct token *t)
{
    const struct listing *l = arg;
    char used[CTL_TIME_SIZE], expires[CTL_TIME_SIZE], may[24] = "";
    size_t n = 0;

    for (unsigned place = 0; place < SCOPE_COUNT; place++)
        if (t->scopes & 1U << place)
            n += (size_t)snprintf(may + n, sizeof(may) - n, "%s%s", n ? " " : "",
                                  scope_name(place));
    printf("%6lld  %-16s  %-17s  %-20s  %-20s  %s\n", (long long)t->n, l->user->name,
           may, ctl_time(t->used_ms, used), ctl_time(t->expires_ms, expires), t->label);
    return RC_OK;
}

static enum rc list_tokens(struct listing *l, int64_t user_id)
{
    return store_token_each(l->c->store, user_id, print_token, l);
}

int ctl_token_ls(struct ctl *c, const struct ctl_args *a)
{
    struct listing l = {.c = c, .list = list_tokens};

    printf("%6s  %-16s  %-17s  %-20s  %-20s  %s\n", "N", "USER", "MAY", "USED",
           "EXPIRES", "LABEL");
    return list(&l, a->words[0]);
}

int ctl_token_rm(struct ctl *c, const struct ctl_args *a)
{
    struct listing l = {.c = c, .remove = store_token_remove};

    return remove_numbered(&l, "token", a->words[0]);
}

/* ---- sessions ----------------------------------------------------------- */

static enum rc print_session(void *arg, const struct session *s)
{
    const struct listing *l = arg;
    char used[CTL_TIME_SIZE], expires[CTL_TIME_SIZE];

    printf("%6lld  %-16s  %-20s  %-20s  %-15s  %s\n", (long long)s->n, l->user->name,
           ctl_time(s->used_ms, used), ctl_time(s->expires_ms, expires), s->address,
           s->agent);
    return RC_OK;
}

static enum rc list_sessions(struct listing *l, int64_t user_id)
{
    return store_session_each(l->c->store, user_id, print_session, l);
}

int ctl_session_ls(struct ctl *c, const struct ctl_args *a)
{
    struct listing l = {.c = c, .list = list_sessions};

    printf("%6s  %-16s  %-20s  %-20s  %-15s  %s\n", "N", "USER", "USED", "EXPIRES",
           "ADDRESS", "BROWSER");
    return list(&l, a->words[0]);
}

int ctl_session_rm(struct ctl *c, const struct ctl_args *a)
{
    struct listing l = {.c = c, .remove = store_session_end};

    int status = remove_numbered(&l, "session", a->words[0]);

    return status == 0 ? ctl_end_access(c) : status;
}
