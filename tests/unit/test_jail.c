/* A program in the jail tries what it has no business with. */
#include "jail.h"

#include "check.h"
#include "child.h"
#include "tempdir.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <seccomp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define MEMORY ((int64_t)1 << 30)
#define KILLED_BY(sig) (-(sig))

struct jailed {
    char dir[PATH_MAX]; /* with the files `source` and `other` */
    char probe[PATH_MAX];
    struct jail *jail;
};

static struct jailed *opened(void)
{
    static struct jailed it;
    struct jail_spec spec = {.memory_bytes = MEMORY, .more = "", .site = "/srv"};
    ssize_t n = readlink("/proc/self/exe", it.probe, sizeof(it.probe) - 64);
    assert_true(n > 0);
    it.probe[n] = '\0';
    strcpy(strrchr(it.probe, '/') + 1, "jail_probe");
    tempdir_make(it.dir);
    for (int i = 0; i < 2; i++) {
        char path[PATH_MAX + 64];
        snprintf(path, sizeof(path), "%s/%s", it.dir, i == 0 ? "source" : "other");
        int fd = open(path, O_WRONLY | O_CREAT, 0600);
        assert_true(fd >= 0 && write(fd, "x", 1) == 1);
        close(fd);
    }
    assert_int_equal(jail_open(&spec, &it.jail), RC_OK);
    return &it;
}

static void closed(struct jailed *it)
{
    jail_close(it->jail);
    tempdir_remove(it->dir);
}

/* Its status, or KILLED_BY a signal. */
static int run(struct jailed *it, char *const *argv, int64_t cpu_s, bool reads)
{
    struct child c;
    char source[PATH_MAX + 64];
    int status;
    snprintf(source, sizeof(source), "%s/source", it->dir);
    const struct jail_cell cell = {
        .jail = it->jail, .reads = {reads ? source : NULL}, .cpu_s = cpu_s};
    struct child_how how = {.to_fd = -1, .jail = &cell};
    assert_int_equal(child_start(argv, &how, &c), RC_OK);
    while (!child_has_ended(&c))
        usleep(1000);
    child_reap(&c, &status);
    close(c.out_fd);
    close(c.err_fd);
    return WIFSIGNALED(status) ? KILLED_BY(WTERMSIG(status)) : WEXITSTATUS(status);
}

/* what: "read /a/path". */
static int try(struct jailed *it, const char *what, const char *arg)
{
    char *argv[] = {it->probe, (char *)what, (char *)arg, NULL};
    return run(it, argv, 0, true);
}

/* In the folder of the test. */
static int try_in(struct jailed *it, const char *what, const char *name)
{
    char path[PATH_MAX + 64];
    snprintf(path, sizeof(path), "%s/%s", it->dir, name);
    return try(it, what, path);
}

static void skip_without_landlock(struct jailed *it)
{
    if (*jail_lacks(it->jail) == '\0')
        return;
    print_message("%s\n", jail_lacks(it->jail));
    closed(it);
    skip();
}

static void it_reads_its_source_and_nothing_else(void **state)
{
    (void)state;
    struct jailed *it = opened();
    skip_without_landlock(it);
    assert_int_equal(try_in(it, "read", "source"), 0);
    assert_int_equal(try_in(it, "read", "other"), EACCES);
    assert_int_equal(try_in(it, "list", "."), EACCES);
    assert_int_equal(try(it, "read", "/etc/passwd"), EACCES);
    assert_int_equal(try(it, "list", "/"), EACCES);
    assert_int_equal(try(it, "read", "/proc/1/cmdline"), EACCES);
    closed(it);
}

static void what_is_fed_reads_no_file(void **state)
{
    (void)state;
    struct jailed *it = opened();
    char path[PATH_MAX + 64];
    skip_without_landlock(it);
    snprintf(path, sizeof(path), "%s/source", it->dir);
    char *argv[] = {it->probe, (char[]){"read"}, path, NULL};
    assert_int_equal(run(it, argv, 0, false), EACCES);
    closed(it);
}

/* Not even without Landlock. */
static void it_writes_nothing(void **state)
{
    (void)state;
    struct jailed *it = opened();
    assert_int_equal(try_in(it, "write", "source"), EACCES);
    assert_int_equal(try_in(it, "empty", "source"), EACCES);
    assert_int_equal(try_in(it, "create", "new"), EACCES);
    assert_int_equal(try_in(it, "truncate", "source"), KILLED_BY(SIGSYS));
    closed(it);
}

static void it_has_no_network(void **state)
{
    (void)state;
    struct jailed *it = opened();
    assert_int_equal(try(it, "socket", ""), KILLED_BY(SIGSYS));
    assert_int_equal(try(it, "unix", ""), KILLED_BY(SIGSYS));
    closed(it);
}

static void it_starts_no_program(void **state)
{
    (void)state;
    struct jailed *it = opened();
    assert_int_equal(try(it, "exec", "/bin/true"), KILLED_BY(SIGSYS));
    assert_int_equal(try(it, "exec-again", "/bin/true"), KILLED_BY(SIGSYS));
    assert_int_equal(try(it, "exec-again", ""), KILLED_BY(SIGSYS));
    assert_int_equal(try(it, "door", ""), 0);
    assert_int_equal(try(it, "fork", ""), KILLED_BY(SIGSYS));
    assert_int_equal(try(it, "fork-bomb", ""), KILLED_BY(SIGSYS));
    assert_int_equal(try(it, "clone3", ""), ENOSYS);
    assert_int_equal(try(it, "thread", ""), 0);
    closed(it);
}

static void it_leaves_other_processes_alone(void **state)
{
    (void)state;
    struct jailed *it = opened();
    char self[32];
    snprintf(self, sizeof(self), "%d", getpid());
    assert_int_equal(try(it, "kill", self), KILLED_BY(SIGSYS));
    assert_int_equal(try(it, "ptrace", self), KILLED_BY(SIGSYS));
    closed(it);
}

/* One class of calls a line. Not all machines have all of them. */
static const char *const denied[] = {
    /* the network, and other ways to talk */
    "socketpair", "connect", "bind", "listen", "accept", "accept4", "sendto", "sendmsg",
    "sendmmsg", "recvfrom", "recvmsg", "recvmmsg", "setsockopt", "shutdown", "shmget",
    "shmat", "msgget", "msgsnd", "semget", "semop", "mq_open", "pipe", "pipe2",
    "inotify_init1", "fanotify_init",
    /* ways around the list */
    "io_uring_setup", "io_uring_enter", "io_uring_register", "io_setup", "io_submit",
    "seccomp", "bpf", "userfaultfd", "perf_event_open", "kcmp", "personality",
    /* other processes */
    "kill", "tkill", "rt_sigqueueinfo", "rt_tgsigqueueinfo", "pidfd_open",
    "pidfd_send_signal", "pidfd_getfd", "ptrace", "process_vm_readv",
    "process_vm_writev", "process_madvise", "setpgid", "setsid", "setpriority",
    "ioprio_set", "sched_setattr", "timer_create", "setitimer", "alarm",
    /* new ones, and other programs */
    "fork", "vfork", "execve", "memfd_create", "unshare", "setns", "uselib",
    "init_module", "finit_module", "kexec_load",
    /* files by their names; of modes, owners and times Landlock knows nothing */
    "creat", "openat2", "open_by_handle_at", "name_to_handle_at", "truncate", "unlink",
    "unlinkat", "rename", "renameat", "renameat2", "mkdir", "mkdirat", "rmdir", "link",
    "linkat", "symlink", "symlinkat", "mknod", "mknodat", "chmod", "fchmodat",
    "fchmodat2", "chown", "lchown", "fchownat", "utime", "utimes", "utimensat",
    "futimesat", "setxattr", "lsetxattr", "removexattr", "chdir", "chroot",
    "pivot_root", "mount", "umount2", "open_tree", "move_mount", "fsopen",
    /* files that are open */
    "ftruncate", "fallocate", "fchmod", "fchown", "fsetxattr", "flock", "fchdir",
    "pwrite64", "pwritev", "pwritev2", "sendfile", "splice", "tee", "vmsplice",
    "copy_file_range",
    /* who it is, and the machine */
    "setuid", "setgid", "setreuid", "setregid", "setresuid", "setresgid", "setgroups",
    "setfsuid", "capset", "setrlimit", "add_key", "request_key", "keyctl",
    "landlock_create_ruleset", "reboot", "sethostname", "settimeofday", "clock_settime",
    "clock_adjtime", "adjtimex", "swapon", "syslog", "acct", "quotactl"};

static void what_is_not_on_the_list_ends_it(void **state)
{
    (void)state;
    struct jailed *it = opened();
    int tried = 0;
    for (size_t i = 0; i < sizeof(denied) / sizeof(denied[0]); i++) {
        char call[32];
        int number = seccomp_syscall_resolve_name(denied[i]);
        snprintf(call, sizeof(call), "%d", number);
        int end = number < 0 ? KILLED_BY(SIGSYS) : try(it, "call", call);
        if (end != KILLED_BY(SIGSYS))
            fail_msg("%s is not denied: %d", denied[i], end);
        tried += number >= 0;
    }
    assert_true(tried > 100);
    closed(it);
}

/* Of calls that are on the list. */
static void arguments_that_reach_others_end_it(void **state)
{
    (void)state;
    struct jailed *it = opened();
    static const struct {
        int number;
        long args[3];
    } calls[] = {
        {SYS_fcntl, {0, F_SETOWN, 1}}, /* who is sent SIGIO */
        {SYS_fcntl, {0, F_SETSIG, SIGKILL}},
        {SYS_fcntl, {0, F_SETLEASE, F_RDLCK}},
        {SYS_fcntl, {0, F_NOTIFY, DN_ACCESS}},
        {SYS_fcntl, {0, F_SETPIPE_SZ, 1 << 20}},
        {SYS_prlimit64, {1, RLIMIT_NOFILE, 0}}, /* those of others */
        {SYS_clone, {CLONE_THREAD | CLONE_NEWUSER}},
        {SYS_clone, {CLONE_VM | SIGCHLD}},
    };
    for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
        char call[128];
        const long *a = calls[i].args;
        snprintf(call, sizeof(call), "%d %ld %ld %ld", calls[i].number, a[0], a[1],
                 a[2]);
        assert_int_equal(try(it, "call", call), KILLED_BY(SIGSYS));
    }
    closed(it);
}

/* Libraries try these at their start, so they are refused only. */
static void what_libraries_try_is_refused(void **state)
{
    (void)state;
    struct jailed *it = opened();
    static const struct {
        int number;
        long args[3];
        int error;
    } calls[] = {
        {SYS_tgkill, {0}, EPERM},
        {SYS_mlock, {4096, 4096}, 0}, /* where nothing is that could be locked */
        {SYS_get_mempolicy, {0}, EPERM},
        {SYS_set_mempolicy, {0}, EPERM},
        {SYS_mbind, {0}, EPERM},
        {SYS_sched_setaffinity, {0}, EPERM},
        {SYS_sched_setscheduler, {0}, EPERM},
        {SYS_sched_getscheduler, {0}, EPERM},
        {SYS_sched_getparam, {0}, EPERM},
        {SYS_ioctl, {0, FIOCLEX, 0}, ENOTTY}, /* which any descriptor would take */
        {SYS_prctl, {PR_SET_DUMPABLE, 1, 0}, EINVAL},
        {SYS_prctl, {PR_SET_PDEATHSIG, 0, 0}, EINVAL},
    };
    for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
        char call[128];
        const long *a = calls[i].args;
        snprintf(call, sizeof(call), "%d %ld %ld %ld", calls[i].number, a[0], a[1],
                 a[2]);
        assert_int_equal(try(it, "call", call), calls[i].error);
    }
    closed(it);
}

static void its_limits_hold(void **state)
{
    (void)state;
    struct jailed *it = opened();
    char *spin[] = {it->probe, (char[]){"cpu"}, NULL};
    assert_int_equal(try(it, "memory", "2000000000"), ENOMEM);
    assert_int_equal(try(it, "memory", "100000000"), 0);
    assert_int_equal(run(it, spin, 1, true), KILLED_BY(SIGKILL));
    assert_int_equal(try(it, "limits", ""), KILLED_BY(SIGSYS));
    assert_int_equal(try(it, "descriptors", "/dev/null"), EMFILE);
    assert_int_equal(try(it, "core", ""), 0);
    closed(it);
}

static void it_has_what_a_decoder_needs_and_no_more(void **state)
{
    (void)state;
    struct jailed *it = opened();
    assert_int_equal(setenv("JAIL_PROBE_SECRET", "x", 1), 0);
    assert_int_equal(try(it, "secret", ""), ENOENT);
    assert_int_equal(unsetenv("JAIL_PROBE_SECRET"), 0);
    assert_int_equal(try(it, "dup", ""), 0);
    assert_int_equal(try(it, "other-machine", ""), KILLED_BY(SIGSYS));
    closed(it);
}

static void a_site_within_reach_is_told(void **state)
{
    (void)state;
    struct jail *j;
    struct jail_spec spec = {.more = "", .site = "/usr/lib/cgi-bin/site"};
    assert_int_equal(jail_open(&spec, &j), RC_OK);
    assert_true(*jail_lacks(j) != '\0');
    jail_close(j);
    spec.site = "/usr/library";
    assert_int_equal(jail_open(&spec, &j), RC_OK);
    assert_true(*jail_lacks(j) == '\0' || strstr(jail_lacks(j), "Landlock"));
    jail_close(j);
}

/* ---- what cannot be started -------------------------------------------------------
 */

static enum rc starts(struct jailed *it, const char *program, const char *reads)
{
    struct child c;
    const struct jail_cell cell = {.jail = it->jail, .reads = {reads}};
    struct child_how how = {.to_fd = -1, .jail = &cell};
    return child_start((char *[]){(char *)program, NULL}, &how, &c);
}

static void what_is_missing_or_a_script_is_told(void **state)
{
    (void)state;
    struct jailed *it = opened();
    char path[PATH_MAX + 64];
    int before = dup(0);
    snprintf(path, sizeof(path), "%s/script", it->dir);
    int fd = open(path, O_WRONLY | O_CREAT, 0700);
    assert_true(fd >= 0 && write(fd, "#!/bin/sh\n", 10) == 10);
    close(fd);
    assert_int_equal(starts(it, path, NULL), RC_UNSUPPORTED);
    assert_int_equal(starts(it, "no-such-program", NULL), RC_NOT_FOUND);
    assert_int_equal(starts(it, "/etc/passwd", NULL), RC_NOT_FOUND);
    assert_int_equal(starts(it, it->dir, NULL), RC_NOT_FOUND);
    int after = dup(0);
    assert_int_equal(after, before + 1); /* nothing was left open */
    close(before);
    close(after);
    closed(it);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_reads_its_source_and_nothing_else),
        cmocka_unit_test(what_is_fed_reads_no_file),
        cmocka_unit_test(it_writes_nothing),
        cmocka_unit_test(it_has_no_network),
        cmocka_unit_test(it_starts_no_program),
        cmocka_unit_test(it_leaves_other_processes_alone),
        cmocka_unit_test(what_is_not_on_the_list_ends_it),
        cmocka_unit_test(arguments_that_reach_others_end_it),
        cmocka_unit_test(what_libraries_try_is_refused),
        cmocka_unit_test(its_limits_hold),
        cmocka_unit_test(it_has_what_a_decoder_needs_and_no_more),
        cmocka_unit_test(a_site_within_reach_is_told),
        cmocka_unit_test(what_is_missing_or_a_script_is_told),
    };
    if (getenv("DROPSTREAM_UNDER")) {
        puts("skipped: valgrind knows no seccomp(2)");
        return 0;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
