/* test_uploaders.c: one person has so many requests that bring bytes, others theirs. */
#include "check.h"

#include "uploaders.h"

static struct uploaders *all;

static int setup(void **state)
{
    (void)state;
    return uploaders_open(&all) == RC_OK ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    uploaders_close(all);
    uploaders_close(NULL);
    return 0;
}

static struct uploader user(int64_t id, const char *peer)
{
    const struct identity who = {.asker = {.user_id = id}};
    struct uploader out;

    uploader_read(&out, &who, peer);
    return out;
}

static struct uploader from(const char *peer)
{
    return user(0, peer);
}

static bool are_one(struct uploader a, struct uploader b)
{
    bool same;

    assert_int_equal(uploaders_enter(all, &a, 1), RC_OK);
    same = uploaders_enter(all, &b, 1) == RC_BUSY;
    if (!same)
        uploaders_leave(all, &b);
    uploaders_leave(all, &a);
    return same;
}

static void a_person_is_a_user_wherever_they_are(void **state)
{
    (void)state;
    assert_true(are_one(user(1, "192.0.2.1"), user(1, "2001:db8::1")));
    assert_true(are_one(user(1, "127.0.0.1"), user(1, "127.0.0.1")));
    assert_false(are_one(user(1, "192.0.2.1"), user(2, "192.0.2.1")));
    assert_false(are_one(user(1, "192.0.2.1"), user(INT64_MAX, "192.0.2.1")));
}

static void where_nobody_signs_in_a_person_is_an_address(void **state)
{
    (void)state;
    assert_true(are_one(from("192.0.2.1"), from("192.0.2.1")));
    assert_true(are_one(from("2001:db8::1"), from("2001:db8::ffff:1")));
    assert_true(are_one(from(""), from("no address")));
    assert_false(are_one(from("192.0.2.1"), from("192.0.2.2")));
    assert_false(are_one(from("2001:db8::1"), from("2001:db8:0:1::1")));
    assert_false(are_one(from("192.0.2.1"), user(1, "192.0.2.1")));
}

static void those_of_this_machine_are_not_counted(void **state)
{
    (void)state;
    assert_false(are_one(from("127.0.0.1"), from("127.0.0.1")));
    assert_false(are_one(from("::1"), from("::1")));
    assert_true(are_one(from("127.0.0.2"), from("127.0.0.2")));
}

static void who_leaves_makes_room_for_one_more(void **state)
{
    struct uploader a[4];

    (void)state;
    for (int i = 0; i < 4; i++)
        a[i] = user(1, "");
    for (int i = 0; i < 3; i++)
        assert_int_equal(uploaders_enter(all, &a[i], 3), RC_OK);
    assert_int_equal(uploaders_enter(all, &a[3], 3), RC_BUSY);
    uploaders_leave(all, &a[1]);
    assert_int_equal(uploaders_enter(all, &a[3], 3), RC_OK);
    assert_int_equal(uploaders_enter(all, &a[1], 3), RC_BUSY);
    uploaders_leave(all, &a[0]);
    uploaders_leave(all, &a[3]);
    assert_int_equal(uploaders_enter(all, &a[1], 3), RC_OK);
    uploaders_leave(all, &a[1]);
    uploaders_leave(all, &a[2]);
}

static void one_person_never_has_all_threads_unless_there_is_one(void **state)
{
    static const struct {
        int64_t threads, set, most;
    } cases[] = {
        {256, 0, 170}, {128, 0, 85}, {20, 0, 13}, {5, 0, 4},   {6, 0, 4},
        {4, 0, 3},     {2, 0, 1},    {1, 0, 1},   {128, 7, 7}, {6, 256, 256},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct config config = {.upload_threads = cases[i].threads,
                                .uploads_per_person = cases[i].set};
        assert_int_equal(uploaders_most(&config), cases[i].most);
    }
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(a_person_is_a_user_wherever_they_are),
        TEST(where_nobody_signs_in_a_person_is_an_address),
        TEST(those_of_this_machine_are_not_counted),
        TEST(who_leaves_makes_room_for_one_more),
        TEST(one_person_never_has_all_threads_unless_there_is_one),
    };
    return cmocka_run_group_tests_name("uploaders", tests, NULL, NULL);
}
