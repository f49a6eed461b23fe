/* test_supervise_pipe.c: a program that writes into a pipe of another one. */
#include "check.h"

#include "supervise_run.h"

#include <fcntl.h>
#include <stdlib.h>

/* A program whose output goes to fds[1], run to its end. */
static const struct run *run_into(int fd, const char *script, struct how how)
{
    how.to_fd = fd;
    return run_script(script, &how);
}

static void what_it_writes_goes_there_and_nowhere_else(void **state)
{
    int fds[2];
    char got[16] = "";

    (void)state;
    assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
    const struct run *r = run_into(fds[1], "printf hello; echo word >&2",
                                   (struct how){.stall_ms = 10000});
    assert_exited(r, 0);
    assert_int_equal(r->bytes, 0);
    assert_string_equal(r->words, "word");
    close(fds[1]);
    assert_int_equal(read(fds[0], got, sizeof(got)), 5);
    assert_string_equal(got, "hello");
    assert_int_equal(read(fds[0], got, sizeof(got)), 0); /* nobody else holds it */
    close(fds[0]);
}

static void it_may_be_silent_here_for_as_long_as_it_likes(void **state)
{
    int fds[2];

    (void)state;
    assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
    assert_exited(run_into(fds[1], "sleep 0.4; exit 3", (struct how){.stall_ms = 100}),
                  3);
    close(fds[0]);
    close(fds[1]);
}

/* The worker's ends of pipes do not block; a program's have to. */
static void it_waits_where_nobody_reads_yet(void **state)
{
    int fds[2];
    static char bytes[1 << 16];
    size_t n = 0;
    ssize_t got;

    (void)state;
    assert_int_equal(pipe2(fds, O_CLOEXEC | O_NONBLOCK), 0);
    const struct run *r = run_into(fds[1], "head -c 300000 /dev/zero",
                                   (struct how){.stall_ms = 10000, .kill_ms = 300});
    assert_ended(r, SUPERVISE_STOPPED, SIGKILL); /* it has not failed before */
    close(fds[1]);
    while ((got = read(fds[0], bytes, sizeof(bytes))) > 0)
        n += (size_t)got;
    assert_true(n > 0 && n < 300000);
    close(fds[0]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_it_writes_goes_there_and_nowhere_else),
        cmocka_unit_test(it_may_be_silent_here_for_as_long_as_it_likes),
        cmocka_unit_test(it_waits_where_nobody_reads_yet),
    };
    return cmocka_run_group_tests_name("supervise_pipe", tests, NULL, NULL);
}
