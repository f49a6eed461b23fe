#include "joblog.h"

#include "clock.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

struct joblog {
    int fd;
    int64_t left; /* bytes that may still be written, and then the line cut */
};

static const char cut[] = "\n# log limit reached, the rest is dropped\n";

static enum rc path_of(const struct site *site, int64_t job_id, char out[PATH_MAX])
{
    char name[64];
    snprintf(name, sizeof(name), "log/jobs/%" PRId64 ".log", job_id);
    return site_path(site, name, out);
}

enum rc joblog_open(const struct site *site, int64_t job_id, int64_t max_bytes,
                    struct joblog **out)
{
    char path[PATH_MAX];
    struct stat st;
    enum rc rc = site_path(site, "log/jobs", path);
    if (rc != RC_OK)
        return rc;
    if (mkdir(path, 0700) < 0 && errno != EEXIST)
        return rc_from_errno(errno);
    rc = path_of(site, job_id, path);
    if (rc != RC_OK)
        return rc;
    struct joblog *log = calloc(1, sizeof(*log));
    if (!log)
        return RC_NOMEM;
    log->fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (log->fd < 0 || fstat(log->fd, &st) < 0) {
        rc = rc_from_errno(errno);
        joblog_close(log);
        return rc;
    }
    log->left = max_bytes - st.st_size - (int64_t)strlen(cut);
    *out = log;
    return RC_OK;
}

void joblog_write(struct joblog *log, const void *data, size_t n)
{
    if (!log || log->left <= 0 || n == 0)
        return;
    if ((int64_t)n > log->left)
        n = (size_t)log->left;
    log->left -= (int64_t)n;
    /* A log that cannot be written must not stop the work. */
    ssize_t ignored = write(log->fd, data, n);
    if (log->left == 0)
        ignored = write(log->fd, cut, sizeof(cut) - 1);
    (void)ignored;
}

void joblog_note(struct joblog *log, const char *fmt, ...)
{
    char text[1024], when[CLOCK_ISO8601_LEN + 1], line[1100];
    struct timespec ts;
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    clock_gettime(CLOCK_REALTIME, &ts);
    clock_iso8601((int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000, when);
    int n = snprintf(line, sizeof(line), "# %s %s\n", when, text);
    joblog_write(log, line, n < (int)sizeof(line) ? (size_t)n : sizeof(line) - 1);
}

void joblog_command(struct joblog *log, const char *quoted)
{
    joblog_write(log, "+ ", 2);
    joblog_write(log, quoted, strlen(quoted));
    joblog_write(log, "\n", 1);
}

void joblog_close(struct joblog *log)
{
    if (!log)
        return;
    if (log->fd >= 0)
        close(log->fd);
    free(log);
}
