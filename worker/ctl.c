/*
 * ctl.c: dropstreamctl, which does by hand what an owner does in the page: reads its
 * command line, opens the site and runs one command.
 *
 * It works on the database alone, so the site may be running or not.
 */
#include "ctl.h"

#include "grant.h"
#include "log.h"
#include "pass.h"
#include "store.h"

#include <errno.h>
#include <getopt.h>
#include <grp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct command {
    const char *noun, *verb; /* verb NULL: the noun is all of it */
    int words_min, words_max;
    const char *options; /* letters of those it takes, as in longs[] */
    const char *needs;   /* of those, the ones that it cannot do without */
    const char *usage;   /* with a blank before it, unless empty */
    int (*run)(struct ctl *c, const struct ctl_args *a);
};

static const struct command commands[] = {
    {"user", "add", 1, 1, "r", "", " NAME [--role owner|member|viewer]", ctl_user_add},
    {"user", "passwd", 1, 1, "", "", " NAME", ctl_user_passwd},
    {"user", "role", 2, 2, "", "", " NAME owner|member|viewer", ctl_user_role},
    {"user", "rm", 1, 1, "", "", " NAME", ctl_user_rm},
    {"user", "ls", 0, 0, "", "", "", ctl_user_ls},
    {"token", "add", 1, 1, "lce", "lc",
     " NAME --label TEXT --scope read|upload|admin … [--expires TIME]", ctl_token_add},
    {"token", "ls", 0, 1, "", "", " [NAME]", ctl_token_ls},
    {"token", "rm", 1, 1, "", "", " N", ctl_token_rm},
    {"session", "ls", 0, 1, "", "", " [NAME]", ctl_session_ls},
    {"session", "rm", 1, 1, "", "", " N", ctl_session_rm},
    {"status", NULL, 0, 0, "", "", "", ctl_status},
    {"setup-link", NULL, 0, 0, "ui", "", " [--url URL] [--if-needed]", ctl_setup_link},
    {"check", NULL, 0, 0, "Rq", "", " [--quick] [--repair]", ctl_check},
};

#define COMMAND_COUNT (sizeof(commands) / sizeof(commands[0]))

static const struct option longs[] = {{"role", required_argument, NULL, 'r'},
                                      {"label", required_argument, NULL, 'l'},
                                      {"scope", required_argument, NULL, 'c'},
                                      {"expires", required_argument, NULL, 'e'},
                                      {"url", required_argument, NULL, 'u'},
                                      {"if-needed", no_argument, NULL, 'i'},
                                      {"repair", no_argument, NULL, 'R'},
                                      {"quick", no_argument, NULL, 'q'},
                                      {"site", required_argument, NULL, 's'},
                                      {"help", no_argument, NULL, 'h'},
                                      {NULL, 0, NULL, 0}};

int ctl_fail(const char *fmt, ...)
{
    va_list args;

    fputs("dropstreamctl: ", stderr);
    va_start(args, fmt);
    vfprintf(stderr, fmt, args);
    va_end(args);
    fputc('\n', stderr);
    return 1;
}

int ctl_fail_store(const struct ctl *c, const char *what, enum rc rc)
{
    return ctl_fail("%s: %s (%s)", what, rc_name(rc), store_message(c->store));
}

int ctl_end_access(struct ctl *c)
{
    enum rc rc = grant_end_revoked(c->store, &c->site, "");

    if (rc == RC_OK)
        rc = pass_end_sessions(c->store, &c->site);
    return rc == RC_OK ? 0
                       : ctl_fail("what they could watch ends within a minute only: %s",
                                  rc_name(rc));
}

int ctl_user(const struct ctl *c, const char *name, struct user *out)
{
    enum rc rc = store_user_by_name(c->store, name, out);

    if (rc == RC_NOT_FOUND)
        return ctl_fail("there is no user \"%s\"", name);
    return rc == RC_OK ? 0 : ctl_fail_store(c, "cannot read the users", rc);
}

const char *ctl_time(int64_t ms, char out[CTL_TIME_SIZE])
{
    char text[CLOCK_ISO8601_LEN + 1];

    if (ms < 0)
        return "never";
    clock_iso8601(ms, text);
    snprintf(out, CTL_TIME_SIZE, "%.19sZ", text);
    return out;
}

/* ---- the command line --------------------------------------------------- */

static void usage_of(FILE *to, const struct command *c)
{
    fprintf(to, "%s%s%s%s\n", c->noun, c->verb ? " " : "", c->verb ? c->verb : "",
            c->usage);
}

static void usage(FILE *to)
{
    size_t i;

    fputs("usage: dropstreamctl [--site DIR] COMMAND\n", to);
    for (i = 0; i < COMMAND_COUNT; i++) {
        fputs("  ", to);
        usage_of(to, &commands[i]);
    }
    fputs(
        "\n"
        "  --site DIR  the site (default: $DROPSTREAM_SITE, else where the program "
        "is)\n"
        "  TIME        seconds, or a number with m, h or d: 90d\n"
        "\n"
        "A password is asked for on the terminal, or is the first line of standard "
        "input.\n"
        "A token is shown once, on standard output. Exit status: 0; 1: it could not "
        "be\n"
        "done; 2: it was not understood. Of check, 1: something is wrong; 2: it could "
        "not\nlook. It hashes what was uploaded, unless --quick.\n",
        to);
}

static const struct command *find_command(int argc, char **argv, int *used)
{
    size_t i;

    for (i = 0; i < COMMAND_COUNT; i++) {
        const struct command *c = &commands[i];

        *used = c->verb ? 2 : 1;
        if (argc >= *used && strcmp(argv[0], c->noun) == 0 &&
            (!c->verb || strcmp(argv[1], c->verb) == 0))
            return c;
    }
    return NULL;
}

/* "90d" and the like into ms. */
static bool read_time(const char *text, int64_t *out_ms)
{
    static const struct {
        const char *unit;
        int64_t s;
    } units[] = {{"", 1}, {"s", 1}, {"m", 60}, {"h", 3600}, {"d", 86400}};
    char *end;
    long long n;
    size_t i;

    if (*text < '0' || *text > '9')
        return false;
    errno = 0;
    n = strtoll(text, &end, 10);
    for (i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
        if (strcmp(end, units[i].unit) != 0)
            continue;
        if (errno != 0 || n > STORE_EXPIRES_MAX_S / units[i].s ||
            n * units[i].s < STORE_EXPIRES_MIN_S)
            return false;
        *out_ms = n * units[i].s * 1000;
        return true;
    }
    return false;
}

static bool read_scope(const char *text, unsigned *scopes)
{
    unsigned scope = scope_from(text);

    *scopes |= scope;
    return scope != 0;
}

/* One option of a command. False after ctl_fail. */
static bool read_option(int letter, const char *text, struct ctl_args *a)
{
    switch (letter) {
    case 'r':
        a->has_role = user_role_from(text, &a->role) == RC_OK;
        if (!a->has_role)
            ctl_fail("--role %s: owner, member or viewer", text);
        return a->has_role;
    case 'c':
        if (!read_scope(text, &a->scopes))
            return ctl_fail("--scope %s: read, upload or admin", text) == 0;
        return true;
    case 'e':
        if (!read_time(text, &a->expires_ms))
            return ctl_fail("--expires %s: from 60 (seconds) or 1m to 3650d", text) ==
                   0;
        return true;
    case 'l':
        a->label = text;
        return true;
    case 'u':
        a->url = text;
        return true;
    case 'R':
        a->repair = true;
        return true;
    case 'q':
        a->quick = true;
        return true;
    default:
        a->if_needed = true;
        return true;
    }
}

/* What stands behind the command; *site too, as --site may stand there. 0, or the exit
 * status plus one. */
static int read_args(const struct command *command, int argc, char **argv,
                     struct ctl_args *a, const char **site)
{
    char missing[8];
    char *need;
    int letter, n = 0;

    snprintf(missing, sizeof(missing), "%s", command->needs);
    optind = 0; /* getopt begins anew */
    while ((letter = getopt_long(argc, argv, "", longs, NULL)) != -1) {
        if (letter == 'h') {
            usage(stdout);
            return 1;
        }
        if (letter == 's')
            *site = optarg;
        else if (letter == '?' || !strchr(command->options, letter))
            n = command->words_max + 1;
        else if (!read_option(letter, optarg, a))
            return 3;
        if ((need = strchr(missing, letter)))
            *need = ' ';
    }
    for (; optind < argc; optind++, n++)
        if (n < command->words_max)
            a->words[n] = argv[optind];
    if (n >= command->words_min && n <= command->words_max &&
        missing[strspn(missing, " ")] == '\0')
        return 0;
    fputs("usage: dropstreamctl [--site DIR] ", stderr);
    usage_of(stderr, command);
    return 3;
}

/* As read_args, of the whole line. */
static int read_line(int argc, char **argv, const struct command **command,
                     struct ctl_args *a, const char **site)
{
    char *program = argv[0];
    int letter, used;

    while ((letter = getopt_long(argc, argv, "+", longs, NULL)) != -1) {
        if (letter == 'h') {
            usage(stdout);
            return 1;
        }
        if (letter != 's') {
            usage(stderr);
            return 3;
        }
        *site = optarg;
    }
    argc -= optind;
    argv += optind;
    *command = find_command(argc, argv, &used);
    if (!*command) {
        usage(stderr);
        return 3;
    }
    argv[used - 1] = program; /* getopt names it where it complains */
    return read_args(*command, argc - used + 1, argv + used - 1, a, site);
}

/* ---- the site ----------------------------------------------------------- */

/* Files that root makes in a site would be out of reach for the programs that serve it:
 * so root goes on as the one who owns it. */
static int become_owner(const struct site *site)
{
    struct stat st;

    if (stat(site->root, &st) < 0)
        return ctl_fail("%s: %s", site->root, strerror(errno));
    if (geteuid() != 0 || st.st_uid == 0)
        return 0;
    if (setgroups(0, NULL) < 0 || setgid(st.st_gid) < 0 || setuid(st.st_uid) < 0)
        return ctl_fail("cannot go on as the site's user: %s", strerror(errno));
    return 0;
}

/* make: a database that is missing is made, as by any other program of the site. */
static int open_site(struct ctl *c, const char *dir, bool make)
{
    char path[PATH_MAX], err[512];
    enum rc rc = dir ? site_at(dir, &c->site) : site_find(&c->site);

    if (rc != RC_OK)
        return ctl_fail("no site here: give --site DIR");
    if (become_owner(&c->site) != 0)
        return 1;
    if ((rc = site_path(&c->site, "etc/dropstream.conf", path)) == RC_OK)
        rc = config_load(path, &c->config, err, sizeof(err));
    if (rc == RC_INVALID)
        return ctl_fail("%s", err);
    if (rc != RC_OK)
        return ctl_fail("cannot read %s: %s", path, rc_name(rc));
    if ((rc = clock_system(&c->clock)) == RC_OK &&
        (rc = site_path(&c->site, "db/dropstream.db", path)) == RC_OK &&
        (make || (rc = access(path, F_OK) == 0 ? RC_OK : RC_NOT_FOUND) == RC_OK))
        rc = store_open(path, &c->clock, &c->store);
    /* What it says it has done is not taken back. */
    if (rc == RC_OK)
        rc = store_durable(c->store, true);
    if (rc == RC_NETFS)
        return ctl_fail("%s lies on a network file system", path);
    if (rc != RC_OK)
        return ctl_fail("cannot open %s (%s): are you the site's user?", path,
                        rc_name(rc));
    return 0;
}

int main(int argc, char **argv)
{
    const struct command *command;
    struct ctl_args args = {0};
    struct ctl c = {0};
    const char *site = NULL;
    int status = read_line(argc, argv, &command, &args, &site);

    if (status != 0)
        return status - 1;
    umask(077);
    log_open("dropstreamctl", LOG_ERROR);
    status = open_site(&c, site, command->run != ctl_check);
    if (status == 0)
        status = command->run(&c, &args);
    else if (command->run == ctl_check)
        status = 2; /* 1 is an answer of its own */
    store_close(c.store);
    if (fflush(stdout) != 0 && status == 0)
        status = ctl_fail("cannot write: %s", strerror(errno));
    return status;
}
