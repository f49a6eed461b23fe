#include "check.h"

#include "rc.h"

#include <errno.h>
#include <string.h>

static void each_code_has_a_name_of_its_own(void **state)
{
    (void)state;
    for (int a = 0; a < RC_COUNT; a++) {
        assert_string_not_equal(rc_name((enum rc)a), "unknown");
        assert_true(*rc_name((enum rc)a) != '\0');
        for (int b = 0; b < a; b++)
            assert_string_not_equal(rc_name((enum rc)a), rc_name((enum rc)b));
    }
}

/* The API and the log hand these out: they are not to change. */
static void names_are_those_of_the_header_in_lower_case(void **state)
{
    (void)state;
    assert_string_equal(rc_name(RC_OK), "ok");
    assert_string_equal(rc_name(RC_IO), "io");
    assert_string_equal(rc_name(RC_NOT_FOUND), "not_found");
    assert_string_equal(rc_name(RC_TOO_LARGE), "too_large");
    assert_string_equal(rc_name(RC_FENCED), "fenced");
    assert_string_equal(rc_name(RC_STOPPED), "stopped");
}

static void a_number_that_is_no_code_is_unknown(void **state)
{
    (void)state;
    assert_string_equal(rc_name(RC_COUNT), "unknown");
    assert_string_equal(rc_name((enum rc)(RC_COUNT + 1000)), "unknown");
    assert_string_equal(rc_name((enum rc) - 1), "unknown");
}

static void errno_tells_a_full_disk_from_other_trouble(void **state)
{
    static const struct {
        int err;
        enum rc rc;
    } want[] = {
        {ENOSPC, RC_NOSPACE}, {EDQUOT, RC_NOSPACE},   {EFBIG, RC_NOSPACE},
        {ENOMEM, RC_NOMEM},   {ENOENT, RC_NOT_FOUND}, {EEXIST, RC_EXISTS},
        {EMFILE, RC_NOMEM},   {ENFILE, RC_NOMEM},     {EIO, RC_IO},
        {EACCES, RC_IO},      {EROFS, RC_IO},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(want) / sizeof(*want); i++)
        assert_int_equal(rc_from_errno(want[i].err), want[i].rc);
}

/* Called where something failed: it must never say that all is well. */
static void no_errno_is_a_success(void **state)
{
    (void)state;
    for (int err = -1; err < 200; err++)
        assert_int_not_equal(rc_from_errno(err), RC_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_code_has_a_name_of_its_own),
        cmocka_unit_test(names_are_those_of_the_header_in_lower_case),
        cmocka_unit_test(a_number_that_is_no_code_is_unknown),
        cmocka_unit_test(errno_tells_a_full_disk_from_other_trouble),
        cmocka_unit_test(no_errno_is_a_success),
    };
    return cmocka_run_group_tests_name("rc", tests, NULL, NULL);
}
