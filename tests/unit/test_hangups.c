/* test_hangups.c: who has hung up is told of, once, and nobody else. */
#include "check.h"

#include "hangups.h"

#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>
#include <unistd.h>

struct told {
    uint64_t ids[8];
    size_t n;
};

static void tell(void *arg, uint64_t id)
{
    struct told *told = arg;
    told->ids[told->n++] = id;
}

static struct told read_all(struct hangups *h)
{
    struct told told = {.n = 0};
    hangups_read(h, tell, &told);
    return told;
}

static bool is_readable(const struct hangups *h)
{
    struct pollfd fd = {.fd = hangups_fd(h), .events = POLLIN};
    return poll(&fd, 1, 0) == 1;
}

static void half_closed_and_closed_ones_are_told_once(void **state)
{
    struct hangups *h;
    struct told told;
    int pairs[3][2];

    (void)state;
    assert_int_equal(hangups_open(&h), RC_OK);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pairs[i]), 0);
        hangups_add(h, pairs[i][0], UINT64_MAX - (uint64_t)i);
    }
    assert_int_equal(write(pairs[0][1], "x", 1), 1); /* no end */
    assert_false(is_readable(h));
    assert_int_equal(read_all(h).n, 0);

    assert_int_equal(shutdown(pairs[1][1], SHUT_WR), 0);
    assert_true(is_readable(h));
    told = read_all(h);
    assert_int_equal(told.n, 1);
    assert_true(told.ids[0] == UINT64_MAX - 1);
    assert_false(is_readable(h));

    close(pairs[2][1]);
    told = read_all(h);
    assert_int_equal(told.n, 1);
    assert_true(told.ids[0] == UINT64_MAX - 2);

    /* One that is closed here is forgotten. */
    close(pairs[0][0]);
    close(pairs[0][1]);
    assert_false(is_readable(h));
    assert_int_equal(read_all(h).n, 0);
    for (int i = 1; i < 3; i++)
        close(pairs[i][0]);
    close(pairs[1][1]);
    hangups_close(h);
}

static void one_that_had_hung_up_before_is_told(void **state)
{
    struct hangups *h;
    int pair[2];

    (void)state;
    assert_int_equal(hangups_open(&h), RC_OK);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    close(pair[1]);
    hangups_add(h, pair[0], 7);
    assert_int_equal(read_all(h).n, 1);
    close(pair[0]);
    hangups_close(h);
}

static void no_connection_is_no_error(void **state)
{
    struct hangups *h;

    (void)state;
    assert_int_equal(hangups_open(&h), RC_OK);
    hangups_add(h, -1, 1);
    assert_int_equal(read_all(h).n, 0);
    hangups_close(h);
    hangups_close(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(half_closed_and_closed_ones_are_told_once),
        cmocka_unit_test(one_that_had_hung_up_before_is_told),
        cmocka_unit_test(no_connection_is_no_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
