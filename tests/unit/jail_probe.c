/*
 * jail_probe.c: tries one thing that a decoder has no business with, and tells what
 * came of it by its status: 0 it was done, else errno. What the jail kills it for ends
 * it.
 *
 *     jail_probe WHAT [PATH or NUMBER]
 *     jail_probe call "NUMBER ARGUMENT …"
 */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

static int try_read(const char *path)
{
    char byte;
    int fd = open(path, O_RDONLY);
    return fd < 0 ? -1 : read(fd, &byte, 1) < 0 ? -1 : 0;
}

static int try_write(const char *path)
{
    return open(path, O_WRONLY);
}

/* Reads, and would empty the file on the way. */
static int try_empty(const char *path)
{
    return open(path, O_RDONLY | O_TRUNC);
}

static int try_create(const char *path)
{
    return open(path, O_WRONLY | O_CREAT | O_EXCL, 0600);
}

static int try_list(const char *path)
{
    return open(path, O_RDONLY | O_DIRECTORY);
}

static int try_truncate(const char *path)
{
    return truncate(path, 0);
}

static int try_socket(const char *path)
{
    (void)path;
    return socket(AF_INET, SOCK_STREAM, 0);
}

static int try_unix_socket(const char *path)
{
    (void)path;
    return socket(AF_UNIX, SOCK_DGRAM, 0);
}

static int try_exec(const char *path)
{
    return execl(path, path, (char *)NULL);
}

/* The door that was open to begin this program. */
static int try_door(const char *path)
{
    (void)path;
    return fcntl(9, F_GETFD) < 0 && errno == EBADF ? 0 : -1;
}

static int try_dup(const char *path)
{
    (void)path;
    return fcntl(1, F_DUPFD, 0) < 0 || fcntl(1, F_DUPFD_CLOEXEC, 0) < 0 ? -1 : 0;
}

static int try_exec_again(const char *path)
{
    char *const argv[] = {(char *)path, NULL};
    int fd = open("/dev/null", O_RDONLY);
    if (fd < 0)
        return -1;
    return (int)syscall(SYS_execveat, 9, path, argv, NULL, AT_EMPTY_PATH);
}

/* getpid(2) as a machine of 32 bits calls it. */
static int try_other_machine(const char *path)
{
    (void)path;
#ifdef __x86_64__
    long number = 20;
    __asm__ volatile("int $0x80" : "+a"(number) : : "memory");
    return number < 0 ? -1 : 0;
#else
    raise(SIGSYS);
    return 0;
#endif
}

static int try_secret(const char *path)
{
    (void)path;
    return getenv("JAIL_PROBE_SECRET") ? 0 : (errno = ENOENT, -1);
}

static int try_fork(const char *path)
{
    (void)path;
    pid_t pid = fork();
    if (pid == 0)
        _exit(0);
    return pid < 0 ? -1 : 0;
}

static int try_fork_bomb(const char *path)
{
    (void)path;
    for (int i = 0; i < 100; i++)
        if (syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0) == 0)
            pause();
    return 0;
}

static int try_clone3(const char *path)
{
    (void)path;
    unsigned long long args[8] = {0, 0, 0, 0, SIGCHLD, 0, 0, 0};
    long pid = syscall(SYS_clone3, args, sizeof(args));
    if (pid == 0)
        _exit(0);
    return pid < 0 ? -1 : 0;
}

static int try_ptrace(const char *pid)
{
    return (int)ptrace(PTRACE_ATTACH, atoi(pid), NULL, NULL);
}

static int try_kill(const char *pid)
{
    return kill(atoi(pid), SIGTERM);
}

static int try_memory(const char *bytes)
{
    void *p = mmap(NULL, strtoull(bytes, NULL, 10), PROT_READ | PROT_WRITE,
                   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return p == MAP_FAILED ? -1 : 0;
}

static _Noreturn int try_cpu(const char *path)
{
    (void)path;
    for (;;)
        ;
}

static int try_more_limits(const char *path)
{
    (void)path;
    const struct rlimit r = {1000, 1000};
    return setrlimit(RLIMIT_NOFILE, &r);
}

static int try_descriptors(const char *path)
{
    for (int i = 0; i < 1000; i++)
        if (open(path, O_RDONLY) < 0)
            return -1;
    return 0;
}

static void *nothing(void *arg)
{
    return arg;
}

static int try_thread(const char *path)
{
    (void)path;
    pthread_t t;
    errno = pthread_create(&t, NULL, nothing, NULL);
    return errno != 0 ? -1 : pthread_join(t, NULL);
}

/* "NUMBER ARGUMENT …": any system call. Those that are not given are -1: should it be
 * allowed by mistake, it finds no file, process or memory of anybody. */
static int try_call(const char *text)
{
    long arg[7] = {-1, -1, -1, -1, -1, -1, -1};
    char *end = (char *)text;
    for (int i = 0; i < 7 && *end; i++)
        arg[i] = strtol(end, &end, 0);
    return syscall(arg[0], arg[1], arg[2], arg[3], arg[4], arg[5], arg[6]) < 0 ? -1 : 0;
}

/* What a limit is. */
static int try_core(const char *path)
{
    struct rlimit r;
    (void)path;
    return getrlimit(RLIMIT_CORE, &r) == 0 && r.rlim_max == 0 ? 0 : -1;
}

int main(int argc, char **argv)
{
    static const struct {
        const char *what;
        int (*try)(const char *path);
    } all[] = {
        {"read", try_read},
        {"write", try_write},
        {"empty", try_empty},
        {"create", try_create},
        {"list", try_list},
        {"truncate", try_truncate},
        {"socket", try_socket},
        {"unix", try_unix_socket},
        {"exec", try_exec},
        {"exec-again", try_exec_again},
        {"door", try_door},
        {"dup", try_dup},
        {"other-machine", try_other_machine},
        {"secret", try_secret},
        {"fork", try_fork},
        {"fork-bomb", try_fork_bomb},
        {"clone3", try_clone3},
        {"ptrace", try_ptrace},
        {"kill", try_kill},
        {"memory", try_memory},
        {"cpu", try_cpu},
        {"limits", try_more_limits},
        {"descriptors", try_descriptors},
        {"thread", try_thread},
        {"core", try_core},
        {"call", try_call},
    };
    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
        if (argc > 1 && strcmp(all[i].what, argv[1]) == 0)
            return all[i].try(argc > 2 ? argv[2] : "") < 0 ? errno : 0;
    return 255;
}
