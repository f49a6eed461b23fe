#include "log.h"

#include "clock.h"
#include "text.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#define LINE_MAX_BYTES 2048

static const char *log_name = "dropstream";
static enum log_level log_max = LOG_INFO;
/* Atomic, so that log_to_file may be called while other threads write. */
static _Atomic int log_fd = STDERR_FILENO;

static const char *const level_names[] = {
    [LOG_ERROR] = "error",
    [LOG_WARN] = "warn",
    [LOG_INFO] = "info",
    [LOG_DEBUG] = "debug",
};

void log_open(const char *name, enum log_level level)
{
    log_name = name;
    log_max = level;
}

int log_to_file(const char *path)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    int old = log_fd;
    int err;

    if (fd < 0)
        return -1;
    if (old == STDERR_FILENO) {
        log_fd = fd;
        return 0;
    }
    /* Another thread may be about to write to the old number: it keeps its meaning. */
    err = dup3(fd, old, O_CLOEXEC) < 0 ? errno : 0;
    close(fd);
    errno = err;
    return err == 0 ? 0 : -1;
}

static int64_t now_ms(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_REALTIME, &ts);
    return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/* Fills line, without a NUL, and returns its length. */
static size_t format_line(char line[LINE_MAX_BYTES], enum log_level level,
                          const char *message)
{
    char when[CLOCK_ISO8601_LEN + 1];
    size_t length;
    int n;

    clock_iso8601(now_ms(), when);
    n = snprintf(line, LINE_MAX_BYTES / 2, "%s %s[%ld] %s: ", when, log_name,
                 (long)getpid(), level_names[level]);
    if (n < 0)
        return 0;
    length = n < LINE_MAX_BYTES / 2 ? (size_t)n : LINE_MAX_BYTES / 2 - 1;
    length += text_clean(line + length, LINE_MAX_BYTES - length, message);
    line[length] = '\n'; /* over the NUL */
    return length + 1;
}

void log_write(enum log_level level, const char *fmt, ...)
{
    char message[LINE_MAX_BYTES];
    char line[LINE_MAX_BYTES];
    int saved = errno;
    size_t length;
    ssize_t written;
    va_list ap;

    if (level > log_max)
        return;
    va_start(ap, fmt);
    if (vsnprintf(message, sizeof(message), fmt, ap) < 0)
        message[0] = '\0';
    va_end(ap);
    length = format_line(line, level, message);
    /* A line cut short by a full disk stays so: its rest would come as a second line.
     */
    do
        written = write(log_fd, line, length);
    while (written < 0 && errno == EINTR);
    errno = saved;
}
