/*
 * jail_filter.c: the system calls that a decoder needs, by name. What is not named here
 * ends it with SIGSYS. Each was seen in use by Debian's ffmpeg or its libraries, or is
 * another form of one that was (glibc picks by version and machine).
 */
#include "jail_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/prctl.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <seccomp.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

const char jail_no_path[1] = "";

static const int allowed[] = {
    /* descriptors that are open */
    SCMP_SYS(read),
    SCMP_SYS(readv),
    SCMP_SYS(pread64),
    SCMP_SYS(preadv),
    SCMP_SYS(write),
    SCMP_SYS(writev),
    SCMP_SYS(lseek),
    SCMP_SYS(close),
    SCMP_SYS(dup),
    SCMP_SYS(fstat),
    SCMP_SYS(stat),
    SCMP_SYS(lstat),
    SCMP_SYS(newfstatat),
    SCMP_SYS(statx),
    SCMP_SYS(statfs),
    SCMP_SYS(fstatfs),
    SCMP_SYS(access),
    SCMP_SYS(faccessat),
    SCMP_SYS(faccessat2),
    SCMP_SYS(readlink),
    SCMP_SYS(readlinkat),
    SCMP_SYS(getdents64),
    SCMP_SYS(getcwd),
    SCMP_SYS(fadvise64),
    SCMP_SYS(poll),
    SCMP_SYS(ppoll),
    SCMP_SYS(select),
    SCMP_SYS(pselect6),
    /* memory */
    SCMP_SYS(brk),
    SCMP_SYS(mmap),
    SCMP_SYS(munmap),
    SCMP_SYS(mremap),
    SCMP_SYS(mprotect),
    SCMP_SYS(madvise),
    /* its threads */
    SCMP_SYS(futex),
    SCMP_SYS(set_robust_list),
    SCMP_SYS(rseq),
    SCMP_SYS(set_tid_address),
    SCMP_SYS(sched_yield),
    SCMP_SYS(sched_getaffinity),
    SCMP_SYS(gettid),
    SCMP_SYS(exit),
    SCMP_SYS(exit_group),
    SCMP_SYS(membarrier),
    /* signals that it gets */
    SCMP_SYS(rt_sigaction),
    SCMP_SYS(rt_sigprocmask),
    SCMP_SYS(rt_sigreturn),
    SCMP_SYS(sigaltstack),
    SCMP_SYS(restart_syscall),
    /* itself, and the time */
    SCMP_SYS(getpid),
    SCMP_SYS(getppid),
    SCMP_SYS(getuid),
    SCMP_SYS(geteuid),
    SCMP_SYS(getgid),
    SCMP_SYS(getegid),
    SCMP_SYS(getrusage),
    SCMP_SYS(times),
    SCMP_SYS(uname),
    SCMP_SYS(sysinfo),
    SCMP_SYS(arch_prctl),
    SCMP_SYS(getrandom),
    SCMP_SYS(clock_gettime),
    SCMP_SYS(clock_getres),
    SCMP_SYS(gettimeofday),
    SCMP_SYS(time),
    SCMP_SYS(nanosleep),
    SCMP_SYS(clock_nanosleep),
};

/* What libraries try at their start, and do without. */
static const struct {
    int call, error;
} refused[] = {
    {SCMP_SYS(clone3),
     ENOSYS}, /* its flags cannot be looked at: clone is used instead */
    {SCMP_SYS(tgkill), EPERM}, /* of abort(3), which finds another way */
    {SCMP_SYS(mlock), 0}, /* nothing is locked: libgcrypt would complain in each log */
    {SCMP_SYS(get_mempolicy), EPERM},
    {SCMP_SYS(set_mempolicy), EPERM},
    {SCMP_SYS(mbind), EPERM},
    {SCMP_SYS(sched_setaffinity), EPERM},
    {SCMP_SYS(sched_setscheduler), EPERM},
    {SCMP_SYS(sched_getscheduler), EPERM},
    {SCMP_SYS(sched_getparam), EPERM},
    {SCMP_SYS(ioctl), ENOTTY},
};

/* Conditions on the argument of that number. */
static struct scmp_arg_cmp is(unsigned arg, scmp_datum_t value)
{
    return (struct scmp_arg_cmp){.arg = arg, .op = SCMP_CMP_EQ, .datum_a = value};
}

static struct scmp_arg_cmp is_not(unsigned arg, scmp_datum_t value)
{
    return (struct scmp_arg_cmp){.arg = arg, .op = SCMP_CMP_NE, .datum_a = value};
}

static struct scmp_arg_cmp has_bits(unsigned arg, scmp_datum_t mask, scmp_datum_t bits)
{
    return (struct scmp_arg_cmp){
        .arg = arg, .op = SCMP_CMP_MASKED_EQ, .datum_a = mask, .datum_b = bits};
}

/* Of open(2): what would write to a file or make one. */
static const int writing[] = {O_CREAT, O_TRUNC, O_TMPFILE & ~O_DIRECTORY};
static const int writers[] = {O_WRONLY, O_RDWR, O_ACCMODE};

/* arg: the number of its argument with the flags. */
static int add_open(scmp_filter_ctx f, int call, unsigned arg)
{
    const uint32_t no = SCMP_ACT_ERRNO(EACCES);
    scmp_datum_t mask = O_ACCMODE;
    int failed = 0;
    for (size_t i = 0; i < COUNT(writing); i++) {
        scmp_datum_t bits = (scmp_datum_t)writing[i];
        mask |= bits;
        failed |= seccomp_rule_add(f, no, call, 1, has_bits(arg, bits, bits));
    }
    for (size_t i = 0; i < COUNT(writers); i++)
        failed |= seccomp_rule_add(f, no, call, 1,
                                   has_bits(arg, O_ACCMODE, (scmp_datum_t)writers[i]));
    return failed |
           seccomp_rule_add(f, SCMP_ACT_ALLOW, call, 1, has_bits(arg, mask, 0));
}

/* Calls that are harmless with these arguments alone. */
static int add_conditions(scmp_filter_ctx f)
{
    static const int fcntls[] = {F_DUPFD, F_DUPFD_CLOEXEC, F_GETFD,
                                 F_SETFD, F_GETFL,         F_SETFL};
    const scmp_datum_t new = CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS |
                             CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET;
    int failed = add_open(f, SCMP_SYS(open), 1) | add_open(f, SCMP_SYS(openat), 2);
    for (size_t i = 0; i < COUNT(fcntls); i++)
        failed |= seccomp_rule_add(f, SCMP_ACT_ALLOW, SCMP_SYS(fcntl), 1,
                                   is(1, (scmp_datum_t)fcntls[i]));
    /* A thread, never a process. */
    failed |= seccomp_rule_add(f, SCMP_ACT_ALLOW, SCMP_SYS(clone), 1,
                               has_bits(0, CLONE_THREAD | new, CLONE_THREAD));
    /* Its own limits are told and not changed. */
    failed |=
        seccomp_rule_add(f, SCMP_ACT_ALLOW, SCMP_SYS(prlimit64), 2, is(0, 0), is(2, 0));
    failed |=
        seccomp_rule_add(f, SCMP_ACT_ALLOW, SCMP_SYS(prctl), 1, is(0, PR_SET_NAME));
    failed |= seccomp_rule_add(f, SCMP_ACT_ERRNO(EINVAL), SCMP_SYS(prctl), 1,
                               is_not(0, PR_SET_NAME));
    /* How the program itself is begun; exec closes that descriptor. */
    return failed | seccomp_rule_add(f, SCMP_ACT_ALLOW, SCMP_SYS(execveat), 3,
                                     is(0, JAIL_PROGRAM_FD),
                                     is(1, (scmp_datum_t)(uintptr_t)jail_no_path),
                                     is(4, AT_EMPTY_PATH));
}

static int add_all(scmp_filter_ctx f)
{
    int failed = add_conditions(f);
    for (size_t i = 0; i < COUNT(allowed); i++)
        failed |= seccomp_rule_add(f, SCMP_ACT_ALLOW, allowed[i], 0);
    for (size_t i = 0; i < COUNT(refused); i++)
        failed |=
            seccomp_rule_add(f, SCMP_ACT_ERRNO(refused[i].error), refused[i].call, 0);
    return failed;
}

/* The filter in the form that the kernel takes, by way of a file in memory. */
static enum rc write_out(scmp_filter_ctx f, struct sock_fprog *out)
{
    int fd = memfd_create("filter", MFD_CLOEXEC);
    if (fd < 0)
        return RC_IO;
    off_t size = seccomp_export_bpf(f, fd) == 0 ? lseek(fd, 0, SEEK_END) : -1;
    size_t n = size > 0 ? (size_t)size / sizeof(struct sock_filter) : 0;
    struct sock_filter *list = n > 0 ? malloc((size_t)size) : NULL;
    bool all = list && pread(fd, list, (size_t)size, 0) == size;
    close(fd);
    if (!all || n > BPF_MAXINSNS) {
        enum rc rc = list ? RC_IO : RC_NOMEM;
        free(list);
        return rc;
    }
    *out = (struct sock_fprog){.len = (unsigned short)n, .filter = list};
    return RC_OK;
}

enum rc jail_filter_make(struct sock_fprog *out)
{
    if (sizeof(void *) < 8) /* calls have other names there */
        return RC_UNSUPPORTED;
    const uint32_t kill = SECCOMP_RET_KILL_PROCESS;
    if (syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &kill) != 0)
        return RC_UNSUPPORTED;
    scmp_filter_ctx f = seccomp_init(SCMP_ACT_KILL_PROCESS);
    if (!f)
        return RC_NOMEM;
    int failed = seccomp_attr_set(f, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
    /* 2: as a tree, so that no call is compared with all names. */
    failed |= seccomp_attr_set(f, SCMP_FLTATR_CTL_OPTIMIZE, 2);
    failed |= add_all(f);
    enum rc rc = failed ? RC_UNSUPPORTED : write_out(f, out);
    seccomp_release(f);
    return rc;
}
