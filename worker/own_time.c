#include "own_time.h"

#include "loop.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static int64_t cpu_us(pid_t pid)
{
    clockid_t clock;
    struct timespec used;
    if (clock_getcpuclockid(pid, &clock) != 0 || clock_gettime(clock, &used) != 0)
        return -1;
    return (int64_t)used.tv_sec * 1000000 + used.tv_nsec / 1000;
}

/* The state is what follows the name, which is in brackets and may hold any. */
static bool thread_wants_core(int dir_fd, const char *tid)
{
    char path[300], text[256];
    snprintf(path, sizeof(path), "%s/stat", tid);
    int fd = openat(dir_fd, path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    ssize_t n = read(fd, text, sizeof(text) - 1);
    close(fd);
    text[n > 0 ? n : 0] = '\0';
    const char *bracket = strrchr(text, ')');
    return bracket && strncmp(bracket, ") R", 3) == 0;
}

static bool wants_core(pid_t pid)
{
    char path[64];
    bool wants = false;
    snprintf(path, sizeof(path), "/proc/%ld/task", (long)pid);
    DIR *d = opendir(path);
    if (!d)
        return false;
    for (const struct dirent *e; !wants && (e = readdir(d));)
        wants = e->d_name[0] != '.' && thread_wants_core(dirfd(d), e->d_name);
    closedir(d);
    return wants;
}

struct own_time own_time_from_now(pid_t pid)
{
    return (struct own_time){loop_now_ms(), cpu_us(pid)};
}

int64_t own_time_take(struct own_time *t, pid_t pid)
{
    const struct own_time before = *t;
    *t = own_time_from_now(pid);
    int64_t passed_ms = t->at_ms - before.at_ms;
    if (t->cpu_us < 0 || before.cpu_us < 0 || !wants_core(pid))
        return passed_ms;
    int64_t used_ms = (t->cpu_us - before.cpu_us) / 1000;
    return used_ms < passed_ms ? used_ms : passed_ms;
}
