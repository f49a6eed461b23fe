/* How a handler ends by SIGTERM: at once, or so that AddressSanitizer tells of leaks.
 */
#include "check.h"

#include "has_asan.h"
#include "until_term.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#ifdef HAS_ASAN
static void wait_until_caught(pid_t pid)
{
    char name[64], line[128];
    snprintf(name, sizeof(name), "/proc/%d/status", (int)pid);
    unsigned long long caught = 0;
    for (int i = 0; i < 60000 && !(caught & 1ULL << (SIGTERM - 1)); i++) {
        usleep(1000);
        FILE *status = fopen(name, "r");
        assert_non_null(status);
        while (fgets(line, sizeof(line), status))
            sscanf(line, "SigCgt: %llx", &caught);
        fclose(status);
    }
}
#endif

/* The status of a process that got SIGTERM and had lost so many blocks before. */
static int ended(int lost)
{
    int status;
    fflush(stdout);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        dup2(open("/dev/null", O_WRONLY), STDERR_FILENO);
        void *volatile block;
        while (lost-- > 0)
            block = malloc(10);
        block = NULL;
        (void)block;
        until_term();
    }
#ifdef HAS_ASAN
    wait_until_caught(pid);
#endif
    assert_int_equal(kill(pid, SIGTERM), 0);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return status;
}

#ifdef HAS_ASAN

static void a_leak_is_told_by_the_exit_status(void **state)
{
    (void)state;
    int status = ended(100);
    assert_true(WIFEXITED(status));
    assert_int_not_equal(WEXITSTATUS(status), 0);
}

static void without_a_leak_the_exit_status_is_0(void **state)
{
    (void)state;
    assert_int_equal(ended(0), 0);
}

#else

static void it_dies_of_the_signal(void **state)
{
    (void)state;
    int status = ended(0);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGTERM);
}

#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
#ifdef HAS_ASAN
        cmocka_unit_test(a_leak_is_told_by_the_exit_status),
        cmocka_unit_test(without_a_leak_the_exit_status_is_0),
#else
        cmocka_unit_test(it_dies_of_the_signal),
#endif
    };
    return cmocka_run_group_tests_name("until_term", tests, NULL, NULL);
}
