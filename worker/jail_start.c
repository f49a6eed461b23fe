#include "jail_start.h"

#include "child.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define TRY_MS 10000
#define STEP_MS 2

/* Waits for its end, and kills it where that does not come. */
static int status_of(struct child *c)
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

/* Has a program tell its version in the jail, which loads all of its libraries. A
 * program that is missing is told by its first job. */
static enum rc try_program(const struct jail *j, const char *program, char *lacks)
{
    struct child c;
    struct jail_cell cell = {.jail = j, .cpu_s = TRY_MS / 1000};
    struct child_how how = {.to_fd = -1, .jail = &cell};
    char *const argv[] = {(char *)program, (char[]){"-version"}, NULL};
    enum rc rc = child_start(argv, &how, &c);
    if (rc == RC_NOT_FOUND)
        return RC_OK;
    if (rc == RC_UNSUPPORTED)
        snprintf(lacks, JAIL_LACKS_MAX + 1,
                 "%.300s is a script, and runs without a jail.", program);
    if (rc != RC_OK)
        return rc;
    int status = status_of(&c);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return RC_OK;
    snprintf(lacks, JAIL_LACKS_MAX + 1,
             "%.300s does not start in the jail (%s %d), and runs without one.",
             program, WIFSIGNALED(status) ? "signal" : "status",
             WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
    return RC_UNSUPPORTED;
}

static enum rc open_tried(const struct config *config, struct jail **out, char *lacks)
{
    const struct jail_spec spec = {.memory_bytes = config->jail_memory_mb << 20,
                                   .more = config->jail_read};
    enum rc rc = jail_open(&spec, out);
    if (rc == RC_UNSUPPORTED)
        snprintf(
            lacks, JAIL_LACKS_MAX + 1,
            "The kernel keeps no list of system calls (seccomp): programs that read "
            "uploads run without a jail.");
    if (rc != RC_OK)
        return rc;
    snprintf(lacks, JAIL_LACKS_MAX + 1, "%s", jail_lacks(*out));
    rc = try_program(*out, config->ffprobe, lacks);
    if (rc == RC_OK)
        rc = try_program(*out, config->ffmpeg, lacks);
    if (rc != RC_OK) {
        jail_close(*out);
        *out = NULL;
    }
    return rc;
}

enum rc jail_start(const struct config *config, struct jail **out,
                   char lacks[JAIL_LACKS_MAX + 1])
{
    *out = NULL;
    *lacks = '\0';
    if (config->jail == CONFIG_JAIL_OFF) {
        snprintf(lacks, JAIL_LACKS_MAX + 1, "The jail is off.");
        return RC_OK;
    }
    enum rc rc = open_tried(config, out, lacks);
    if (rc != RC_OK && rc != RC_UNSUPPORTED)
        return rc;
    if (!*lacks || config->jail == CONFIG_JAIL_AUTO)
        return RC_OK;
    jail_close(*out);
    *out = NULL;
    return RC_UNSUPPORTED;
}
