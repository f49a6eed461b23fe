#include "jail_start.h"

#include "args.h"
#include "child.h"
#include "text.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define TRY_MS 60000 /* for programs that lie on a slow disk */
#define TRY_CPU_S 20
#define STEP_MS 2

/* Waits for its end, or kills it where that does not come in time. Its status as of
 * waitpid(2). */
static int end_of(struct child *c)
{
    const struct timespec step = {.tv_nsec = STEP_MS * 1000000};
    int status;
    for (int ms = 0; ms < TRY_MS && !child_has_ended(c); ms += STEP_MS)
        nanosleep(&step, NULL);
    child_reap(c, &status);
    close(c->out_fd);
    close(c->err_fd);
    return status;
}

__attribute__((format(printf, 2, 3))) static enum rc lacking(char *lacks,
                                                             const char *fmt, ...)
{
    char text[2 * JAIL_LACKS_MAX];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    text_clean(lacks, JAIL_LACKS_MAX + 1, text);
    return RC_UNSUPPORTED;
}

/* RC_UNSUPPORTED: it does not run in the jail. One that is missing may come later, and
 * runs in it then. */
static enum rc try_line(const struct jail *j, char *const *argv, char *lacks)
{
    struct child c;
    const struct jail_cell cell = {.jail = j, .cpu_s = TRY_CPU_S};
    const struct child_how how = {.to_fd = -1, .jail = &cell};
    enum rc rc = child_start(argv, &how, &c);
    if (rc == RC_NOT_FOUND) {
        lacking(lacks, "%s cannot be started: is it installed?", argv[0]);
        return RC_OK;
    }
    if (rc == RC_UNSUPPORTED)
        return lacking(lacks, "%s is a script, and runs without a jail.", argv[0]);
    if (rc != RC_OK)
        return lacking(lacks,
                       "%s does not start in the jail (%s), and runs without one.",
                       argv[0], rc_name(rc));
    int status = end_of(&c);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return RC_OK;
    return lacking(lacks, "%s does not work in the jail (%s %d), and runs without one.",
                   argv[0], WIFSIGNALED(status) ? "signal" : "status",
                   WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
}

/* ffprobe loads its libraries; ffmpeg also has threads encode a picture into a pipe. */
static enum rc try_both(const struct jail *j, const struct config *config, char *lacks)
{
    struct args args;
    enum rc rc = args_trial(config->ffprobe, false, &args);
    if (rc == RC_OK)
        rc = try_line(j, args.v, lacks);
    if (rc == RC_OK)
        rc = args_trial(config->ffmpeg, true, &args);
    return rc == RC_OK ? try_line(j, args.v, lacks) : rc;
}

static enum rc open_tried(const struct config *config, const struct site *site,
                          struct jail **out, char *lacks)
{
    const struct jail_spec spec = {.memory_bytes = config->jail_memory_mb << 20,
                                   .more = config->jail_read,
                                   .site = site->root};
    enum rc rc = jail_open(&spec, out);
    if (rc == RC_UNSUPPORTED)
        return lacking(lacks, "System calls cannot be limited (seccomp is missing, or "
                              "refused to the worker): programs that read uploads run "
                              "without a jail.");
    if (rc != RC_OK)
        return rc;
    lacking(lacks, "%s", jail_lacks(*out));
    rc = try_both(*out, config, lacks);
    if (rc != RC_OK) {
        jail_close(*out);
        *out = NULL;
    }
    return rc;
}

enum rc jail_start(const struct config *config, const struct site *site,
                   struct jail **out, char lacks[JAIL_LACKS_MAX + 1])
{
    *out = NULL;
    *lacks = '\0';
    if (config->jail == CONFIG_JAIL_OFF) {
        lacking(lacks, "The jail is off: programs that read uploads can do all that "
                       "the site's user can.");
        return RC_OK;
    }
    enum rc rc = open_tried(config, site, out, lacks);
    if (rc != RC_OK && rc != RC_UNSUPPORTED)
        return rc;
    if (!*lacks || config->jail == CONFIG_JAIL_AUTO)
        return RC_OK;
    jail_close(*out);
    *out = NULL;
    return RC_UNSUPPORTED;
}
