/*
 * ctl.h: what the files of dropstreamctl share: a command, what was said on its line,
 * and the site that it works on.
 *
 * A command's function returns the exit status: 0, or 1 after it has said in one line
 * (ctl_fail) why it could not be done.
 */
#ifndef DROPSTREAM_CTL_H
#define DROPSTREAM_CTL_H

#include "clock.h"
#include "config.h"
#include "site.h"
#include "store_accounts.h"

#include <stdbool.h>
#include <stdint.h>

struct ctl {
    struct site site;
    struct config config;
    struct clock clock;
    struct store *store;
};

/* What follows the command on its line. NULL, 0 or false: not given. */
struct ctl_args {
    const char *words[2];
    bool has_role;
    enum user_role role;
    const char *label;
    unsigned scopes;
    int64_t expires_ms; /* from now; 0: never */
    const char *url;
    bool if_needed;
    bool repair, quick;
};

/* ---- ctl.c -------------------------------------------------------------- */

/* "dropstreamctl: …" on standard error; 1. */
int ctl_fail(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* ctl_fail for what the store could not do. */
int ctl_fail_store(const struct ctl *c, const char *what, enum rc rc);

/* What was to be watched, and may be no more, ends now; the worker would find it later.
 */
int ctl_end_access(struct ctl *c);

/* The user of this name; else the status to end with, after ctl_fail. */
int ctl_user(const struct ctl *c, const char *name, struct user *out);

/* ms of the wall clock as "2026-01-31T12:00:00Z"; "never" for -1. */
#define CTL_TIME_SIZE 21
const char *ctl_time(int64_t ms, char out[CTL_TIME_SIZE]);

/* ---- ctl_ask.c ---------------------------------------------------------- */

/*
 * A new password for name: asked for twice on the terminal, without echo; if standard
 * input is none, its first line. 0, or 1 after ctl_fail. out is to be wiped.
 */
int ctl_ask_password(const char *name, char out[PASSWORD_MAX + 1]);

/* ---- the commands ------------------------------------------------------- */

/* ctl_users.c */
int ctl_user_add(struct ctl *c, const struct ctl_args *a);
int ctl_user_passwd(struct ctl *c, const struct ctl_args *a);
int ctl_user_role(struct ctl *c, const struct ctl_args *a);
int ctl_user_rm(struct ctl *c, const struct ctl_args *a);
int ctl_user_ls(struct ctl *c, const struct ctl_args *a);
int ctl_setup_link(struct ctl *c, const struct ctl_args *a);

/* ctl_check.c: 0: all is as it should be; 1: something is not; 2: it could not look. */
int ctl_check(struct ctl *c, const struct ctl_args *a);

/* ctl_status.c */
int ctl_status(struct ctl *c, const struct ctl_args *a);

/* ctl_tokens.c */
int ctl_token_add(struct ctl *c, const struct ctl_args *a);
int ctl_token_ls(struct ctl *c, const struct ctl_args *a);
int ctl_token_rm(struct ctl *c, const struct ctl_args *a);
int ctl_session_ls(struct ctl *c, const struct ctl_args *a);
int ctl_session_rm(struct ctl *c, const struct ctl_args *a);

#endif
