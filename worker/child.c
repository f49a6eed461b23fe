#include "child.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <linux/ioprio.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* Larger pipes mean fewer wake-ups; the kernel's limit for everyone is 1 MiB. */
#define PIPE_BYTES (1 << 20)
#define INHERITED_MAX 4096
#define IO_USUAL 4 /* the level of I/O priority of a process that is not nice */
#define IO_LAST 7  /* the lowest */

/* The descriptors of one start. */
enum { IN_R, IN_W, OUT_R, OUT_W, ERR_R, ERR_W, REPORT_R, REPORT_W, TWO_R, TWO_W, FDS };

/* Has exec close all descriptors from n on. Before Linux 5.11 one by one, and not those
 * that whoever started the worker has given it with a very high number. */
static void keep_only(int n)
{
    if (close_range((unsigned)n, ~0U, CLOSE_RANGE_CLOEXEC) == 0)
        return;
    for (int fd = n; fd < INHERITED_MAX; fd++)
        (void)fcntl(fd, F_SETFD, FD_CLOEXEC);
}

/* A level that nobody has chosen is the kernel's own of that nice value
 * (ioprio_set(2)). */
static int least_io_level(int own)
{
    if (IOPRIO_PRIO_CLASS(own) == IOPRIO_CLASS_BE)
        return own & IO_LAST;
    return (20 + getpriority(PRIO_PROCESS, 0)) / 5;
}

/* A turn at the disk after those of others, as nice(2) for reads. Never that of the
 * idle class: what hardly gets a byte would be taken for a program that stalls. */
static void read_later(int nice_by)
{
    int own = (int)syscall(SYS_ioprio_get, IOPRIO_WHO_PROCESS, 0);
    if (own < 0 || IOPRIO_PRIO_CLASS(own) == IOPRIO_CLASS_IDLE)
        return;
    int level = IO_USUAL + nice_by / 5, least = least_io_level(own);
    if (level < least)
        level = least;
    (void)syscall(SYS_ioprio_set, IOPRIO_WHO_PROCESS, 0,
                  IOPRIO_PRIO_VALUE(IOPRIO_CLASS_BE, level));
}

/* In the child, after fork: only async-signal-safe calls. */
static void become(char *const *argv, int nice_by, const struct jail_door *door,
                   pid_t parent, const int fds[4], int report_fd)
{
    int n = fds[3] >= 0 ? 4 : 3;
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    signal(SIGPIPE, SIG_DFL);
    setpgid(0, 0);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent)
        _exit(127); /* the worker died before the line above */
    if (nice_by > 0) {
        read_later(nice_by);
        (void)!nice(nice_by); /* may be refused, as that: a matter of courtesy only */
    }
    if (report_fd <= JAIL_PROGRAM_FD) /* out of the way of the others */
        report_fd = fcntl(report_fd, F_DUPFD_CLOEXEC, JAIL_PROGRAM_FD + 1);
    for (int i = 0; i < n; i++)
        if (dup2(fds[i], i) < 0 || fcntl(i, F_SETFD, 0) < 0)
            _exit(127);
    /* Those that the worker itself inherited; its own close on exec anyway. */
    keep_only(n);
    if (door)
        jail_enter(door, argv);
    else
        execvp(argv[0], argv);
    int err = errno;
    ssize_t ignored = write(report_fd, &err, sizeof(err));
    (void)ignored;
    _exit(127);
}

static void close_all(int *fds, int n)
{
    for (int i = 0; i < n; i++)
        if (fds[i] >= 0)
            close(fds[i]);
}

/* The write end closes on exec, so end of file means that the program runs. */
static enum rc exec_result(int report_fd)
{
    int err = 0;
    ssize_t n;
    do
        n = read(report_fd, &err, sizeof(err));
    while (n < 0 && errno == EINTR);
    return n == (ssize_t)sizeof(err) ? rc_from_errno(err) : RC_OK;
}

/* A pipe between here and the child; ours does not block. */
static enum rc open_pipe(int fds[2], int ours, bool large)
{
    if (pipe2(fds, O_CLOEXEC) < 0)
        return RC_IO;
    if (large)
        (void)fcntl(fds[0], F_SETPIPE_SZ, PIPE_BYTES); /* may be refused: slower */
    return fcntl(fds[ours], F_SETFL, O_NONBLOCK) < 0 ? RC_IO : RC_OK;
}

static enum rc open_stdin(bool fed, int fds[2])
{
    if (fed)
        return open_pipe(fds, 1, true);
    fds[0] = open("/dev/null", O_RDONLY | O_CLOEXEC);
    return fds[0] < 0 ? RC_IO : RC_OK;
}

/* Writes must block again, which is a matter of the pipe and not of the process. */
static enum rc open_stdout(int to_fd, int fds[2])
{
    if (to_fd < 0)
        return open_pipe(fds, 0, true);
    fds[1] = fcntl(to_fd, F_DUPFD_CLOEXEC, 3);
    return fds[1] < 0 || fcntl(fds[1], F_SETFL, 0) < 0 ? RC_IO : RC_OK;
}

static enum rc open_all(const struct child_how *how, int fd[FDS])
{
    if (open_stdin(how->fed, &fd[IN_R]) != RC_OK ||
        open_stdout(how->to_fd, &fd[OUT_R]) != RC_OK ||
        open_pipe(&fd[ERR_R], 0, false) != RC_OK || pipe2(&fd[REPORT_R], O_CLOEXEC) < 0)
        return RC_IO;
    return how->second ? open_pipe(&fd[TWO_R], 0, true) : RC_OK;
}

/* The new process runs the program, or (RC_NOT_FOUND …) is gone again. */
static enum rc run(char *const *argv, int nice_by, const struct jail_door *door,
                   int fd[FDS], pid_t *out)
{
    pid_t parent = getpid();
    pid_t pid = fork();
    if (pid < 0)
        return RC_IO;
    if (pid == 0)
        become(argv, nice_by, door, parent,
               (int[]){fd[IN_R], fd[OUT_W], fd[ERR_W], fd[TWO_W]}, fd[REPORT_W]);
    setpgid(pid, pid); /* both sides do it, so that it is true on return */
    close(fd[REPORT_W]);
    fd[REPORT_W] = -1;
    enum rc rc = exec_result(fd[REPORT_R]);
    if (rc != RC_OK)
        waitpid(pid, NULL, 0);
    *out = pid;
    return rc;
}

enum rc child_start(char *const *argv, const struct child_how *how, struct child *out)
{
    int fd[FDS] = {-1, -1, -1, -1, -1, -1, -1, -1, -1, -1};
    struct jail_door door;
    pid_t pid = 0;
    enum rc rc = how->jail ? jail_prepare(how->jail, argv[0], &door) : RC_OK;
    if (rc != RC_OK)
        return rc;
    rc = open_all(how, fd);
    if (rc == RC_OK)
        rc = run(argv, how->nice, how->jail ? &door : NULL, fd, &pid);
    if (rc == RC_OK) {
        *out = (struct child){.pid = pid,
                              .in_fd = fd[IN_W],
                              .out_fd = fd[OUT_R],
                              .second_fd = fd[TWO_R],
                              .err_fd = fd[ERR_R]};
        fd[IN_W] = fd[OUT_R] = fd[TWO_R] = fd[ERR_R] = -1;
    }
    if (how->jail)
        jail_leave(&door);
    close_all(fd, FDS);
    return rc;
}

void child_signal(const struct child *c, int sig)
{
    if (c->pid > 0)
        kill(-c->pid, sig);
}

bool child_has_ended(const struct child *c)
{
    siginfo_t info = {.si_pid = 0};
    return c->pid > 0 &&
           waitid(P_PID, (id_t)c->pid, &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
           info.si_pid == c->pid;
}

void child_reap(struct child *c, int *status)
{
    /* While the zombie holds its number, the group is still its own. */
    child_signal(c, SIGKILL);
    while (waitpid(c->pid, status, 0) < 0 && errno == EINTR)
        ;
    c->pid = 0;
}
