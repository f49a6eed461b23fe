/* test_courtesy.c: a session of one's own stands back, somebody else's does not. */
#include "check.h"

#include "courtesy.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* The nice value of this process's session; false: the kernel has none. */
static bool session_nice(int *out)
{
    FILE *f = fopen("/proc/self/autogroup", "re");
    bool found = false;
    if (f) {
        found = fscanf(f, "%*s nice %d", out) == 1;
        fclose(f);
    }
    return found;
}

/* Exit status: 0 as wished, 1 not, 2 refused. */
static int in_own_session(int nice)
{
    int status = -1, got = -1;
    pid_t pid = fork();
    if (pid == 0) {
        if (setsid() < 0 || courtesy_of_session(nice) != RC_OK)
            _exit(2);
        _exit(session_nice(&got) && got != nice);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void a_session_of_ones_own_gets_the_value(void **state)
{
    (void)state;
    assert_int_equal(in_own_session(10), 0);
    assert_int_equal(in_own_session(19), 0); /* soon after another change */
    assert_int_equal(in_own_session(0), 0);
}

static void somebody_elses_session_is_left_alone(void **state)
{
    int before = 0, after = 0, status = -1;
    bool known = session_nice(&before);
    (void)state;
    pid_t pid = fork(); /* a child leads no session */
    if (pid == 0)
        _exit(courtesy_of_session(before == 7 ? 8 : 7) != RC_OK);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    assert_int_equal(session_nice(&after), known);
    assert_int_equal(after, before);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_session_of_ones_own_gets_the_value),
        cmocka_unit_test(somebody_elses_session_is_left_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
