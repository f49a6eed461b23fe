#include "child.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

/* Larger pipes mean fewer wake-ups; the kernel's limit for everyone is 1 MiB. */
#define PIPE_BYTES (1 << 20)

/* In the child, after fork: only async-signal-safe calls. */
static void become(char *const *argv, int nice_by, pid_t parent, const int fds[3],
                   int report_fd)
{
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    signal(SIGPIPE, SIG_DFL);
    setpgid(0, 0);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent)
        _exit(127); /* the worker died before the line above */
    if (nice_by > 0 && nice(nice_by) == -1) {
        /* as it was; a matter of courtesy only */
    }
    for (int i = 0; i < 3; i++)
        if (dup2(fds[i], i) < 0)
            _exit(127);
    /* Those that the worker itself inherited; its own close on exec anyway. */
    close_range(3, ~0U, CLOSE_RANGE_CLOEXEC);
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

enum rc child_start(char *const *argv, int nice, struct child *out)
{
    enum { OUT_R, OUT_W, ERR_R, ERR_W, REPORT_R, REPORT_W, NULL_FD, FDS };
    int fd[FDS] = {-1, -1, -1, -1, -1, -1, -1};
    enum rc rc = RC_IO;

    fd[NULL_FD] = open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (fd[NULL_FD] < 0 || pipe2(&fd[OUT_R], O_CLOEXEC) < 0 ||
        pipe2(&fd[ERR_R], O_CLOEXEC) < 0 || pipe2(&fd[REPORT_R], O_CLOEXEC) < 0)
        goto fail;
    (void)fcntl(fd[OUT_R], F_SETPIPE_SZ, PIPE_BYTES); /* may be refused: slower only */
    if (fcntl(fd[OUT_R], F_SETFL, O_NONBLOCK) < 0 ||
        fcntl(fd[ERR_R], F_SETFL, O_NONBLOCK) < 0)
        goto fail;

    pid_t parent = getpid();
    pid_t pid = fork();
    if (pid < 0)
        goto fail;
    if (pid == 0)
        become(argv, nice, parent, (int[]){fd[NULL_FD], fd[OUT_W], fd[ERR_W]},
               fd[REPORT_W]);
    setpgid(pid, pid); /* both sides do it, so that it is true on return */
    close(fd[REPORT_W]);
    fd[REPORT_W] = -1;
    rc = exec_result(fd[REPORT_R]);
    if (rc != RC_OK) {
        waitpid(pid, NULL, 0);
        goto fail;
    }
    *out = (struct child){.pid = pid, .out_fd = fd[OUT_R], .err_fd = fd[ERR_R]};
    fd[OUT_R] = fd[ERR_R] = -1;
fail:
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
