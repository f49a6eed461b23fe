/* test_connections.c: which connections count as of one address, and when one is too
 * many. */
#include "check.h"

#include "connections.h"

#include <arpa/inet.h>
#include <string.h>

static struct connections c;

static int set_up(void **state)
{
    (void)state;
    memset(&c, 0, sizeof(c));
    c.limit = 2;
    return 0;
}

static bool opens(int fd, const char *address)
{
    union {
        struct sockaddr any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
    } from;

    memset(&from, 0, sizeof(from));
    if (inet_pton(AF_INET, address, &from.v4.sin_addr) == 1) {
        from.any.sa_family = AF_INET;
    } else {
        assert_int_equal(inet_pton(AF_INET6, address, &from.v6.sin6_addr), 1);
        from.any.sa_family = AF_INET6;
    }
    return connections_open(&c, fd, &from.any);
}

static void one_too_many_is_refused_and_others_are_not(void **state)
{
    (void)state;
    assert_true(opens(7, "192.0.2.1"));
    assert_true(opens(9, "192.0.2.1"));
    assert_false(opens(8, "192.0.2.1"));
    assert_true(opens(8, "192.0.2.2"));
    assert_false(opens(10, "192.0.2.1"));
}

static void one_that_is_closed_makes_room(void **state)
{
    (void)state;
    assert_true(opens(5, "192.0.2.1"));
    assert_true(opens(6, "192.0.2.1"));
    connections_close(&c, 6);
    connections_close(&c, 6);
    assert_true(opens(7, "192.0.2.1"));
    assert_false(opens(6, "192.0.2.1"));
    connections_close(&c, 5);
    assert_true(opens(6, "192.0.2.1"));
}

static void one_that_was_refused_is_not_counted(void **state)
{
    (void)state;
    assert_true(opens(5, "192.0.2.1"));
    assert_true(opens(6, "192.0.2.1"));
    assert_false(opens(7, "192.0.2.1"));
    connections_close(&c, 5);
    assert_true(opens(8, "192.0.2.1"));
}

static void a_descriptor_given_out_anew_is_another_connection(void **state)
{
    (void)state;
    assert_true(opens(5, "192.0.2.1"));
    assert_true(opens(5, "192.0.2.1"));
    assert_true(opens(6, "192.0.2.1"));
    assert_false(opens(7, "192.0.2.1"));
    assert_true(opens(5, "192.0.2.9"));
    assert_true(opens(7, "192.0.2.1"));
}

static void ipv6_counts_by_64_bits_and_ipv4_as_what_it_is(void **state)
{
    (void)state;
    assert_true(opens(1, "2001:db8:1:2::1"));
    assert_true(opens(2, "2001:db8:1:2:ffff::9"));
    assert_false(opens(3, "2001:db8:1:2::3"));
    assert_true(opens(3, "2001:db8:1:3::1"));
    assert_true(opens(4, "192.0.2.1"));
    assert_true(opens(5, "::ffff:192.0.2.1"));
    assert_false(opens(6, "::ffff:192.0.2.1"));
    assert_true(opens(6, "::ffff:192.0.2.2"));
}

static void trusted_proxies_are_not_counted(void **state)
{
    static const char *const inside[] = {"192.0.2.7", "198.51.103.255",
                                         "::ffff:198.51.100.1", "2001:db8:8000::1"};
    static const char *const outside[] = {"192.0.2.8", "198.51.104.0", "2001:db8:1::1"};
    size_t i;
    int k;

    (void)state;
    connections_exempt(&c,
                       "192.0.2.7 198.51.100.0/22  2001:db8:8000::/33 x 1.2.3.4/33");
    assert_int_equal(c.exempts, 3);
    for (i = 0; i < sizeof(inside) / sizeof(inside[0]); i++)
        for (k = 0; k < 4; k++)
            assert_true(opens(100 + k, inside[i]));
    for (i = 0; i < sizeof(outside) / sizeof(outside[0]); i++) {
        assert_true(opens(10, outside[i]));
        assert_true(opens(11, outside[i]));
        assert_false(opens(12, outside[i]));
    }
}

static void what_is_out_of_range_is_let_in(void **state)
{
    struct sockaddr other = {.sa_family = AF_UNIX};
    int k;

    (void)state;
    for (k = 0; k < 4; k++) {
        assert_true(opens(CONNECTIONS_FDS + k, "192.0.2.1"));
        assert_true(connections_open(&c, k, &other));
    }
    connections_close(&c, CONNECTIONS_FDS);
    connections_close(&c, -1);
    assert_true(opens(CONNECTIONS_FDS - 1, "192.0.2.1"));
    c.limit = 0;
    for (k = 0; k < 4; k++)
        assert_true(opens(k, "192.0.2.1"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(one_too_many_is_refused_and_others_are_not, set_up),
        cmocka_unit_test_setup(one_that_is_closed_makes_room, set_up),
        cmocka_unit_test_setup(one_that_was_refused_is_not_counted, set_up),
        cmocka_unit_test_setup(a_descriptor_given_out_anew_is_another_connection,
                               set_up),
        cmocka_unit_test_setup(ipv6_counts_by_64_bits_and_ipv4_as_what_it_is, set_up),
        cmocka_unit_test_setup(trusted_proxies_are_not_counted, set_up),
        cmocka_unit_test_setup(what_is_out_of_range_is_let_in, set_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
