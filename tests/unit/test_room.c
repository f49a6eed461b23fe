/* test_room.c: whether there is room on a disk, and what is to go. */
#include "check.h"

#include "room.h"

#include <stdio.h>
#include <string.h>

#define MIB ((int64_t)1 << 20)
#define NOW INT64_C(1769860800000)
#define DAY_MS INT64_C(86400000)

static struct evictable list[16];
static size_t n;

static int setup(void **state)
{
    (void)state;
    memset(list, 0, sizeof(list));
    n = 0;
    return 0;
}

/* days < 0: never watched. */
static struct evictable *rendition(const char *video, const char *name, int64_t mib,
                                   int64_t days)
{
    struct evictable *e = &list[n++];

    strcpy(e->which.video_id, video);
    strcpy(e->which.rendition, name);
    e->bytes = mib * MIB;
    e->watched_ms = days < 0 ? -1 : NOW - days * DAY_MS;
    e->created_ms = NOW - 100 * DAY_MS;
    e->duration_us = INT64_C(3600000000);
    e->copied = strcmp(name, "source") == 0;
    return e;
}

/* "a/source b/720p": what goes, in its order. */
static void assert_goes(int64_t mib, const char *expected)
{
    char got[256] = "";
    size_t used = 0, chosen = room_choose(list, n, mib * MIB, NOW);

    for (size_t i = 0; i < chosen; i++)
        used +=
            (size_t)snprintf(got + used, sizeof(got) - used, "%s%s/%s", i ? " " : "",
                             list[i].which.video_id, list[i].which.rendition);
    assert_string_equal(got, expected);
}

static void what_was_watched_longest_ago_goes_first(void **state)
{
    (void)state;
    rendition("a", "720p", 10, 3);
    rendition("b", "720p", 10, 30);
    rendition("c", "720p", 10, 20);
    assert_goes(11, "b/720p c/720p");
}

static void no_more_goes_than_has_to(void **state)
{
    (void)state;
    rendition("a", "720p", 10, 3);
    rendition("b", "720p", 10, 30);
    assert_goes(0, "");
    assert_goes(10, "b/720p");
    assert_goes(1000, "b/720p a/720p");
}

static void of_one_video_the_copy_goes_first_and_then_the_larger(void **state)
{
    (void)state;
    rendition("a", "720p", 10, 3);
    rendition("a", "1080p", 20, 3);
    rendition("a", "source", 5, 3);
    rendition("b", "source", 90, 2);
    assert_goes(1000, "a/source a/1080p a/720p b/source");
}

static void of_a_video_that_nobody_has_watched_its_upload_counts(void **state)
{
    (void)state;
    rendition("a", "720p", 10, 40);
    rendition("b", "720p", 10, -1)->created_ms = NOW - 50 * DAY_MS;
    rendition("c", "720p", 10, -1)->created_ms = NOW;
    assert_goes(1000, "b/720p a/720p c/720p");
}

static void what_somebody_may_still_be_watching_stays(void **state)
{
    struct evictable *e;

    (void)state;
    e = rendition("a", "720p", 10, 0);
    e->watched_ms = NOW - ROOM_WATCHED_MS - 3600000 + 1; /* it lasts an hour */
    assert_goes(1000, "");
    e->watched_ms -= 1;
    assert_goes(1000, "a/720p");
    e->watched_ms = NOW + 5; /* a clock that was put back */
    assert_goes(1000, "");
}

static void a_video_without_a_length_can_go_too(void **state)
{
    (void)state;
    rendition("a", "720p", 10, 1)->duration_us = -1;
    assert_goes(1, "a/720p");
}

static void nothing_at_all_is_nothing_to_go(void **state)
{
    (void)state;
    assert_int_equal(room_choose(list, 0, 1, NOW), 0);
}

static void a_budget_is_met_and_no_more(void **state)
{
    struct room r = {.free = 1000 * MIB, .media = 30 * MIB, .budget = 0};

    (void)state;
    assert_int_equal(room_wanted(&r), 0);
    r.budget = 30 * MIB;
    assert_int_equal(room_wanted(&r), 0);
    r.budget = 20 * MIB;
    assert_int_equal(room_wanted(&r), 10 * MIB);
}

static void what_lacks_of_the_reserve_and_its_margin_is_to_go(void **state)
{
    struct room r = {.free = 1200 * MIB, .reserve = 1024 * MIB};

    (void)state;
    assert_int_equal(room_margin(r.reserve), 128 * MIB);
    assert_int_equal(room_wanted(&r), 0);
    r.free = 1100 * MIB;
    assert_int_equal(room_wanted(&r), 52 * MIB);
    r.media = 500 * MIB;
    r.budget = 400 * MIB;
    assert_int_equal(room_wanted(&r), 100 * MIB);
    r.free = -1;
    assert_int_equal(room_wanted(&r), 100 * MIB);
}

static void without_a_reserve_all_of_the_disk_is_used(void **state)
{
    struct room r = {.free = 0};

    (void)state;
    assert_int_equal(room_wanted(&r), 0);
    assert_false(room_is_short(&r, false));
    assert_false(room_is_short(&r, true));
}

static void it_goes_on_only_when_there_is_room_to_work_with(void **state)
{
    struct room r = {.free = 1024 * MIB, .reserve = 1024 * MIB};

    (void)state;
    assert_false(room_is_short(&r, false));
    r.free--;
    assert_true(room_is_short(&r, false));
    r.free = 1024 * MIB;
    assert_true(room_is_short(&r, true));
    r.free = (1024 + 64) * MIB;
    assert_false(room_is_short(&r, true));
    r.free = -1; /* nobody knows */
    assert_true(room_is_short(&r, true));
    assert_false(room_is_short(&r, false));
}

static void what_goes_makes_enough_room_to_go_on(void **state)
{
    (void)state;
    for (int64_t reserve = MIB; reserve < 100000 * MIB; reserve *= 3) {
        struct room r = {.free = 0, .reserve = reserve};
        r.free = room_wanted(&r);
        assert_false(room_is_short(&r, true));
        assert_int_equal(room_wanted(&r), 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(what_was_watched_longest_ago_goes_first, setup),
        cmocka_unit_test_setup(no_more_goes_than_has_to, setup),
        cmocka_unit_test_setup(of_one_video_the_copy_goes_first_and_then_the_larger,
                               setup),
        cmocka_unit_test_setup(of_a_video_that_nobody_has_watched_its_upload_counts,
                               setup),
        cmocka_unit_test_setup(what_somebody_may_still_be_watching_stays, setup),
        cmocka_unit_test_setup(a_video_without_a_length_can_go_too, setup),
        cmocka_unit_test_setup(nothing_at_all_is_nothing_to_go, setup),
        cmocka_unit_test(a_budget_is_met_and_no_more),
        cmocka_unit_test(what_lacks_of_the_reserve_and_its_margin_is_to_go),
        cmocka_unit_test(without_a_reserve_all_of_the_disk_is_used),
        cmocka_unit_test(it_goes_on_only_when_there_is_room_to_work_with),
        cmocka_unit_test(what_goes_makes_enough_room_to_go_on),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
