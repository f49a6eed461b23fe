/* test_address.c: which addresses count as one. */
#include "check.h"

#include "address.h"

#include <stddef.h>

static void assert_text(const char *remote, const char *expected)
{
    char out[ADDRESS_TEXT_MAX + 1];

    address_text(remote, out);
    assert_string_equal(out, expected);
}

static void an_ipv4_address_counts_by_itself(void **state)
{
    (void)state;
    assert_text("192.0.2.1", "192.0.2.1");
    assert_text("::ffff:192.0.2.1", "192.0.2.1");
    assert_text("::ffff:c000:201", "192.0.2.1");
}

static void an_ipv6_address_counts_by_its_64_bits(void **state)
{
    (void)state;
    assert_text("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64");
    assert_text("2001:DB8:1:2::9", "2001:db8:1:2::/64");
    assert_text("2001:db8:1:3::9", "2001:db8:1:3::/64");
    assert_text("::1", "::/64");
}

static void what_is_none_counts_as_one(void **state)
{
    (void)state;
    assert_text(NULL, "unknown");
    assert_text("", "unknown");
    assert_text("192.0.2.1:80", "unknown");
    assert_text("/run/socket", "unknown");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_ipv4_address_counts_by_itself),
        cmocka_unit_test(an_ipv6_address_counts_by_its_64_bits),
        cmocka_unit_test(what_is_none_counts_as_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
