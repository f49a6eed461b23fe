/* dropstreamctl user … and setup-link. */
#include "ctl.h"

#include "store.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define SETUP_MS (INT64_C(24) * 3600 * 1000)

/* A new password, asked for, as it is kept. */
static int ask_hash(const char *name, char out[PASSWORD_HASH_MAX + 1])
{
    char password[PASSWORD_MAX + 1];
    int status = ctl_ask_password(name, password);
    enum rc rc;

    if (status == 0 && (rc = password_hash(password, out)) != RC_OK)
        status = ctl_fail("cannot hash the password: %s", rc_name(rc));
    explicit_bzero(password, sizeof(password));
    return status;
}

int ctl_user_add(struct ctl *c, const struct ctl_args *a)
{
    const char *name = a->words[0];
    char hash[PASSWORD_HASH_MAX + 1];
    enum user_role role = a->role;
    struct user user;
    int64_t count, id;
    enum rc rc;

    if (!user_name_valid(name))
        return ctl_fail("\"%s\": a name has 1 to %d letters (a-z), digits, dots, _ "
                        "or -, and begins with a letter or digit",
                        name, STORE_USER_MAX);
    if (store_user_by_name(c->store, name, &user) == RC_OK)
        return ctl_fail("there is a user %s already", user.name);
    rc = store_user_count(c->store, &count);
    if (rc != RC_OK)
        return ctl_fail_store(c, "cannot read the users", rc);
    if (!a->has_role)
        role = count == 0 ? USER_OWNER : USER_MEMBER;
    if (count == 0 && role != USER_OWNER)
        return ctl_fail("the first user has to be an owner");
    if (ask_hash(name, hash) != 0)
        return 1;
    rc = store_user_add(c->store, name, role, hash, &id);
    if (rc == RC_EXISTS)
        return ctl_fail("there is a user %s already", name);
    if (rc == RC_TOO_LARGE)
        return ctl_fail("there are %d users already", STORE_USERS_MAX);
    if (rc != RC_OK)
        return ctl_fail_store(c, "cannot add the user", rc);
    printf("%s is a user now: %s\n", name, user_role_name(role));
    return 0;
}

int ctl_user_passwd(struct ctl *c, const struct ctl_args *a)
{
    char hash[PASSWORD_HASH_MAX + 1];
    struct user user;
    enum rc rc;

    if (ctl_user(c, a->words[0], &user) != 0 || ask_hash(user.name, hash) != 0)
        return 1;
    rc = store_user_set_password(c->store, user.id, hash, 0);
    if (rc != RC_OK)
        return ctl_fail_store(c, "cannot set the password", rc);
    printf("%s has a new password, and is signed out everywhere\n", user.name);
    return ctl_end_access(c);
}

static int fail_last_owner(const struct user *user)
{
    return ctl_fail("%s is the last owner: make somebody else one before", user->name);
}

static void tell_ended(int64_t shares)
{
    if (shares > 0)
        printf("shares of videos of others that ended by it: %" PRId64 "\n", shares);
}

int ctl_user_role(struct ctl *c, const struct ctl_args *a)
{
    enum user_role role;
    struct user user;
    int64_t ended;
    enum rc rc;

    if (user_role_from(a->words[1], &role) != RC_OK)
        return ctl_fail("\"%s\": owner, member or viewer", a->words[1]);
    if (ctl_user(c, a->words[0], &user) != 0)
        return 1;
    rc = store_user_set_role(c->store, user.id, role, &ended);
    if (rc == RC_CONFLICT)
        return fail_last_owner(&user);
    if (rc != RC_OK)
        return ctl_fail_store(c, "cannot change the user", rc);
    printf("%s is %s now\n", user.name, user_role_name(role));
    tell_ended(ended);
    return ctl_end_access(c);
}

int ctl_user_rm(struct ctl *c, const struct ctl_args *a)
{
    struct user user;
    int64_t ended;
    enum rc rc;

    if (ctl_user(c, a->words[0], &user) != 0)
        return 1;
    rc = store_user_remove(c->store, user.id, &ended);
    if (rc == RC_CONFLICT)
        return fail_last_owner(&user);
    if (rc != RC_OK)
        return ctl_fail_store(c, "cannot remove the user", rc);
    printf("%s is gone; videos and shares stay\n", user.name);
    tell_ended(ended);
    return ctl_end_access(c);
}

static enum rc print_user(void *arg, const struct user *u)
{
    char time[CTL_TIME_SIZE];

    (void)arg;
    printf("%-32s  %-6s  %s\n", u->name, user_role_name(u->role),
           ctl_time(u->created_ms, time));
    return RC_OK;
}

int ctl_user_ls(struct ctl *c, const struct ctl_args *a)
{
    enum rc rc;

    (void)a;
    printf("%-32s  %-6s  %s\n", "NAME", "ROLE", "SINCE");
    rc = store_user_each(c->store, print_user, NULL);
    return rc == RC_OK ? 0 : ctl_fail_store(c, "cannot read the users", rc);
}

/* ---- set-up ------------------------------------------------------------- */

/* Where this machine reaches the site by itself. */
static void own_url(const struct config *config, char *out, size_t size)
{
    const char *host = config->bind;

    if (strcmp(host, "0.0.0.0") == 0)
        host = "127.0.0.1";
    else if (strcmp(host, "::") == 0)
        host = "::1";
    snprintf(out, size, strchr(host, ':') ? "%s://[%s]:%d/" : "%s://%s:%d/",
             *config->tls_pem ? "https" : "http", host, (int)config->port);
}

int ctl_setup_link(struct ctl *c, const struct ctl_args *a)
{
    char secret[SECRET_LEN + 1], url[128];
    uint8_t hash[SECRET_HASH_SIZE];
    int64_t now = c->clock.wall_ms(c->clock.ctx);
    enum rc rc;

    if (c->config.auth == AUTH_NONE)
        return a->if_needed ? 0 : ctl_fail("nobody signs in here: auth = none");
    rc = secret_new(secret);
    if (rc != RC_OK)
        return ctl_fail("no randomness: %s", rc_name(rc));
    secret_hash(secret, SECRET_LEN, hash);
    rc = store_setup_begin(c->store, hash, now + SETUP_MS);
    if (rc == RC_CONFLICT)
        return a->if_needed ? 0 : ctl_fail("the site has its first user already");
    if (rc != RC_OK)
        return ctl_fail_store(c, "cannot keep the link", rc);
    own_url(&c->config, url, sizeof(url));
    printf("%slogin#setup=%s\n", a->url ? a->url : url, secret);
    return 0;
}
