/* test_access.c: who may do what, all of it: each want × role × relation × scopes. */
#include "check.h"

#include "access.h"

#include <stdio.h>
#include <string.h>

static const struct asker nobody = {.known = false, .scopes = ACCESS_ALL};

static struct asker with(enum user_role role, unsigned scopes)
{
    return (struct asker){.known = true, .user_id = 7, .role = role, .scopes = scopes};
}

/* '+' yes, 's' sign in, 'o' scope, 'f' forbidden, '-' not found. */
static char letter(const struct asker *asker, enum want want, enum relation relation)
{
    return "+sof-"[access_check(asker, want, relation)];
}

/* What the table says, relation by relation, "owner member viewer". */
static void assert_row(enum want want, unsigned scopes, const char *expected)
{
    char row[3 * (RELATION_COUNT + 1) + 1] = "";
    size_t n = 0;

    for (int role = USER_OWNER; role <= USER_VIEWER; role++) {
        struct asker asker = with((enum user_role)role, scopes);
        for (int r = 0; r < RELATION_COUNT; r++)
            row[n++] = letter(&asker, want, (enum relation)r);
        row[n++] = ' ';
    }
    row[n - 1] = '\0';
    if (strcmp(row, expected) != 0)
        fail_msg("%s, scopes %u: %s, not %s", want_name(want), scopes, row, expected);
}

static void a_session_does_what_its_role_may(void **state)
{
    (void)state;
    assert_row(WANT_OPEN, ACCESS_ALL, "++++ ++++ ++++");
    assert_row(WANT_LIST, ACCESS_ALL, "++++ ++++ ++++");
    assert_row(WANT_WATCH, ACCESS_ALL, "++++ +++- +++-");
    assert_row(WANT_MEDIA, ACCESS_ALL, "++++ +++- +++-");
    assert_row(WANT_EDIT, ACCESS_ALL, "++++ ++f- +ff-");
    assert_row(WANT_ORIGINAL, ACCESS_ALL, "++++ ++f- +ff-");
    assert_row(WANT_UPLOAD, ACCESS_ALL, "++++ ++-- ffff");
    assert_row(WANT_ACTIVITY, ACCESS_ALL, "++++ ++-- ffff");
    assert_row(WANT_ACCOUNT, ACCESS_ALL, "++++ ++++ ++++");
    assert_row(WANT_USERS, ACCESS_ALL, "++++ ffff ffff");
    assert_row(WANT_HEALTH, ACCESS_ALL, "++++ ffff ffff");
}

static void an_admin_token_does_all_that_its_user_may(void **state)
{
    (void)state;
    for (int want = 0; want < WANT_COUNT; want++)
        for (int role = USER_OWNER; role <= USER_VIEWER; role++)
            for (int r = 0; r < RELATION_COUNT; r++) {
                struct asker all = with((enum user_role)role, ACCESS_ALL);
                struct asker admin = with((enum user_role)role, SCOPE_ADMIN);
                assert_int_equal(letter(&admin, (enum want)want, (enum relation)r),
                                 letter(&all, (enum want)want, (enum relation)r));
            }
}

static void a_read_token_only_reads(void **state)
{
    (void)state;
    assert_row(WANT_OPEN, SCOPE_READ, "++++ ++++ ++++");
    assert_row(WANT_LIST, SCOPE_READ, "++++ ++++ ++++");
    assert_row(WANT_WATCH, SCOPE_READ, "++++ +++- +++-");
    assert_row(WANT_MEDIA, SCOPE_READ, "++++ +++- +++-");
    assert_row(WANT_EDIT, SCOPE_READ, "oooo oooo oooo");
    assert_row(WANT_ORIGINAL, SCOPE_READ, "++++ ++f- +ff-");
    assert_row(WANT_UPLOAD, SCOPE_READ, "oooo oooo oooo");
    assert_row(WANT_ACTIVITY, SCOPE_READ, "++++ ++-- ffff");
    assert_row(WANT_ACCOUNT, SCOPE_READ, "oooo oooo oooo");
    assert_row(WANT_USERS, SCOPE_READ, "oooo oooo oooo");
    assert_row(WANT_HEALTH, SCOPE_READ, "++++ ffff ffff");
}

static void an_upload_token_uploads_and_sees_what_became_of_that(void **state)
{
    (void)state;
    assert_row(WANT_OPEN, SCOPE_UPLOAD, "++++ ++++ ++++");
    assert_row(WANT_LIST, SCOPE_UPLOAD, "oooo oooo oooo");
    assert_row(WANT_WATCH, SCOPE_UPLOAD, "++oo ++o- ++o-");
    assert_row(WANT_MEDIA, SCOPE_UPLOAD, "oooo oooo oooo");
    assert_row(WANT_EDIT, SCOPE_UPLOAD, "oooo oooo oooo");
    assert_row(WANT_ORIGINAL, SCOPE_UPLOAD, "oooo oooo oooo");
    assert_row(WANT_UPLOAD, SCOPE_UPLOAD, "++++ ++-- ffff");
    assert_row(WANT_ACTIVITY, SCOPE_UPLOAD, "oooo oooo oooo");
    assert_row(WANT_ACCOUNT, SCOPE_UPLOAD, "oooo oooo oooo");
    assert_row(WANT_USERS, SCOPE_UPLOAD, "oooo oooo oooo");
    assert_row(WANT_HEALTH, SCOPE_UPLOAD, "oooo oooo oooo");
}

static void scopes_add_up(void **state)
{
    (void)state;
    assert_row(WANT_WATCH, SCOPE_READ | SCOPE_UPLOAD, "++++ +++- +++-");
    assert_row(WANT_UPLOAD, SCOPE_READ | SCOPE_UPLOAD, "++++ ++-- ffff");
    assert_row(WANT_EDIT, SCOPE_READ | SCOPE_UPLOAD, "oooo oooo oooo");
}

static void nobody_is_asked_to_sign_in(void **state)
{
    (void)state;
    for (int want = 0; want < WANT_COUNT; want++)
        for (int r = 0; r < RELATION_COUNT; r++)
            assert_int_equal(letter(&nobody, (enum want)want, (enum relation)r),
                             want == WANT_OPEN ? '+' : 's');
}

/* Else a token could be used to find out which videos there are. */
static void
before_the_video_is_known_nothing_is_granted_that_it_could_refuse(void **state)
{
    (void)state;
    for (int want = 0; want < WANT_COUNT; want++)
        for (unsigned scopes = 1; scopes <= ACCESS_ALL; scopes++)
            for (int role = USER_OWNER; role <= USER_VIEWER; role++) {
                struct asker asker = with((enum user_role)role, scopes);
                char early = letter(&asker, (enum want)want, RELATION_NONE);
                for (int r = 1; early != '+' && r < RELATION_COUNT; r++)
                    assert_int_equal(letter(&asker, (enum want)want, (enum relation)r),
                                     early);
            }
}

static void a_video_is_ones_own_or_not(void **state)
{
    const struct asker member = with(USER_MEMBER, ACCESS_ALL);
    const struct asker local = {
        .known = true, .user_id = 0, .role = USER_OWNER, .scopes = ACCESS_ALL};

    (void)state;
    assert_int_equal(access_relation(&member, 7, VISIBLE_PRIVATE), RELATION_OWN);
    assert_int_equal(access_relation(&member, 7, VISIBLE_EVERYONE), RELATION_OWN);
    assert_int_equal(access_relation(&member, 8, VISIBLE_PRIVATE), RELATION_HIDDEN);
    assert_int_equal(access_relation(&member, 8, VISIBLE_EVERYONE), RELATION_EVERYONE);
    assert_int_equal(access_relation(&member, 0, VISIBLE_PRIVATE), RELATION_HIDDEN);
    assert_int_equal(access_relation(&local, 0, VISIBLE_PRIVATE), RELATION_HIDDEN);
    assert_int_equal(access_relation(&nobody, 0, VISIBLE_EVERYONE), RELATION_HIDDEN);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_session_does_what_its_role_may),
        cmocka_unit_test(an_admin_token_does_all_that_its_user_may),
        cmocka_unit_test(a_read_token_only_reads),
        cmocka_unit_test(an_upload_token_uploads_and_sees_what_became_of_that),
        cmocka_unit_test(scopes_add_up),
        cmocka_unit_test(nobody_is_asked_to_sign_in),
        cmocka_unit_test(
            before_the_video_is_known_nothing_is_granted_that_it_could_refuse),
        cmocka_unit_test(a_video_is_ones_own_or_not),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
