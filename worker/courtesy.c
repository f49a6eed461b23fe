#include "courtesy.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

/* The kernel takes no more than ten changes a second, of all users but root. */
#define TRIES 10
#define PAUSE_MS 100

static enum rc write_once(int fd, int nice)
{
    char text[16];
    int n = snprintf(text, sizeof(text), "%d", nice);
    return write(fd, text, (size_t)n) == n ? RC_OK : RC_IO;
}

enum rc courtesy_of_session(int nice)
{
    const struct timespec pause = {.tv_nsec = PAUSE_MS * 1000000L};
    if (getsid(0) != getpid())
        return RC_OK;
    int fd = open("/proc/self/autogroup", O_WRONLY | O_CLOEXEC);
    if (fd < 0)
        return errno == ENOENT ? RC_OK : RC_IO;
    enum rc rc = write_once(fd, nice);
    for (int i = 1; i < TRIES && rc != RC_OK && errno == EAGAIN; i++) {
        nanosleep(&pause, NULL);
        rc = write_once(fd, nice);
    }
    close(fd);
    return rc;
}
