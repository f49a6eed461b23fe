/*
 * jail_times.c: runs a command line again and again, in turns free and in the jail, and
 * prints what each took in ms, "free ms" or "jailed ms" a line. For jail.mjs.
 *
 *     jail_times ROUNDS FILE PROGRAM [ARGUMENT …]    FILE may be read; "" for none
 */
#include "child.h"
#include "jail.h"
#include "loop.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static double now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

/* Reads its output to the end, and waits for it. False unless it has ended well. */
static bool finish(struct child *c)
{
    static char buf[65536];
    struct pollfd out = {.fd = c->out_fd, .events = POLLIN};
    int status;
    while (poll(&out, 1, -1) > 0 && read(c->out_fd, buf, sizeof(buf)) > 0)
        ;
    while (!child_has_ended(c))
        usleep(100);
    child_reap(c, &status);
    close(c->out_fd);
    close(c->err_fd);
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static bool run(char *const *argv, const struct jail_cell *cell)
{
    struct child c;
    const struct child_how how = {.to_fd = -1, .jail = cell};
    double began_ms = now_ms();
    if (child_start(argv, &how, &c) != RC_OK || !finish(&c))
        return false;
    printf("%s %.3f\n", cell ? "jailed" : "free", now_ms() - began_ms);
    return true;
}

int main(int argc, char **argv)
{
    const struct jail_spec spec = {
        .memory_bytes = (int64_t)8 << 30, .more = "", .site = "/nowhere"};
    struct jail *jail;
    if (argc < 4 || jail_open(&spec, &jail) != RC_OK)
        return 2;
    const struct jail_cell cell = {
        .jail = jail, .reads = {*argv[2] ? argv[2] : NULL}, .cpu_s = 3600};
    bool fine = true;
    for (long i = 0; i < 2 * strtol(argv[1], NULL, 10) && fine; i++)
        fine = run(argv + 3, (i + i / 2) % 2 == 0 ? &cell : NULL);
    jail_close(jail);
    return fine ? 0 : 1;
}
