/* test_viewer.c: who counts as one viewer, and which addresses as one. */
#include "check.h"

#include "viewer.h"

#include <string.h>

#define SID "6e2fb550-c457-11e9-bb97-0800200c9a66"
#define SIXTEEN "0123456789abcdef"

static struct viewer with_cmcd(const char *header)
{
    return viewer_of("192.0.2.1", header, NULL, "player/1");
}

static void assert_sid(const char *header, const char *sid)
{
    struct viewer a = with_cmcd(header);
    struct viewer b = viewer_of("192.0.2.1", NULL, sid, "player/2");

    assert_true(a.named);
    assert_true(viewer_same(&a, &b));
}

static void assert_no_sid(const char *header)
{
    struct viewer a = with_cmcd(header);
    struct viewer b = viewer_of("192.0.2.1", NULL, NULL, "player/1");

    assert_false(a.named);
    assert_true(viewer_same(&a, &b));
}

static void a_session_id_is_found_among_other_keys(void **state)
{
    (void)state;
    assert_sid("sid=\"" SID "\"", SID);
    assert_sid("cid=\"faec5fc2\",sf=h,sid=\"" SID "\",v=1", SID);
    assert_sid("cid=\"a,sid=b\", sid=\"" SID "\"", SID);
    assert_sid("cid=\"say \\\"hi\\\"\",sid=\"" SID "\"", SID);
    assert_sid("su,,sid=\"x\"", "x");
    assert_sid("sid=\"" SIXTEEN SIXTEEN SIXTEEN SIXTEEN "\"",
               SIXTEEN SIXTEEN SIXTEEN SIXTEEN);
}

static void a_wrong_session_id_counts_as_none(void **state)
{
    (void)state;
    assert_no_sid("");
    assert_no_sid("sid");
    assert_no_sid("sid=");
    assert_no_sid("sid=\"\"");
    assert_no_sid("sid=" SID);
    assert_no_sid("sid=\"" SID);
    assert_no_sid("sid=\"" SID "\\\"");
    assert_no_sid("sid=\"");
    assert_no_sid("xsid=\"" SID "\"");
    assert_no_sid("SID=\"" SID "\"");
    assert_no_sid("cid=\"sid=\\\"" SID "\\\"");
    assert_no_sid("sid=\"" SIXTEEN SIXTEEN SIXTEEN SIXTEEN "x\"");
    assert_no_sid("=");
    assert_no_sid(",=,\"");
}

static void cmcd_wins_over_apples_header(void **state)
{
    struct viewer a = viewer_of("192.0.2.1", "sid=\"one\"", "two", NULL);
    struct viewer b = with_cmcd("sid=\"one\"");
    struct viewer c = viewer_of("192.0.2.1", "sid=\"\"", "two", NULL);
    struct viewer d = with_cmcd("sid=\"two\"");

    (void)state;
    assert_true(viewer_same(&a, &b));
    assert_true(viewer_same(&c, &d));
    assert_false(viewer_same(&a, &c));
}

static void a_viewer_is_a_session_at_an_address(void **state)
{
    struct viewer a = viewer_of("192.0.2.1", NULL, SID, "x");
    struct viewer other_address = viewer_of("192.0.2.2", NULL, SID, "x");
    struct viewer other_agent = viewer_of("192.0.2.1", NULL, SID, "y");
    struct viewer unnamed = viewer_of("192.0.2.1", NULL, NULL, SID);

    (void)state;
    assert_true(viewer_same(&a, &other_agent));
    assert_false(viewer_same(&a, &other_address));
    assert_false(viewer_same(&a, &unnamed));
}

static void unnamed_viewers_differ_by_their_user_agent(void **state)
{
    struct viewer a = viewer_of("192.0.2.1", NULL, NULL, "one");
    struct viewer b = viewer_of("192.0.2.1", NULL, NULL, "one");
    struct viewer c = viewer_of("192.0.2.1", NULL, NULL, "two");
    struct viewer none = viewer_of(NULL, NULL, NULL, NULL);
    struct viewer empty = viewer_of("", NULL, NULL, "");

    (void)state;
    assert_true(viewer_same(&a, &b));
    assert_false(viewer_same(&a, &c));
    assert_true(viewer_same(&none, &empty));
}

static bool one_address(const char *a, const char *b)
{
    struct viewer x = viewer_of(a, NULL, NULL, NULL);
    struct viewer y = viewer_of(b, NULL, NULL, NULL);
    bool same = viewer_same_address(&x, &y);

    assert_int_equal(viewer_same_address(&y, &x), same);
    return same;
}

static void ipv6_addresses_count_by_their_64(void **state)
{
    (void)state;
    assert_true(one_address("2001:db8:1:2::1", "2001:db8:1:2:ffff:ffff:ffff:ffff"));
    assert_false(one_address("2001:db8:1:2::1", "2001:db8:1:3::1"));
    assert_true(one_address("192.0.2.1", "192.0.2.1"));
    assert_false(one_address("192.0.2.1", "192.0.2.2"));
    /* As a server that listens on IPv6 writes it. */
    assert_true(one_address("192.0.2.1", "::ffff:192.0.2.1"));
    assert_false(one_address("::ffff:192.0.2.2", "::ffff:192.0.2.1"));
    assert_false(one_address("192.0.2.1", "::1"));
    assert_false(one_address("192.0.2.1", "not an address"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_session_id_is_found_among_other_keys),
        cmocka_unit_test(a_wrong_session_id_counts_as_none),
        cmocka_unit_test(cmcd_wins_over_apples_header),
        cmocka_unit_test(a_viewer_is_a_session_at_an_address),
        cmocka_unit_test(unnamed_viewers_differ_by_their_user_agent),
        cmocka_unit_test(ipv6_addresses_count_by_their_64),
    };

    return cmocka_run_group_tests_name("viewer", tests, NULL, NULL);
}
