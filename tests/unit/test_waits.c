/* test_waits.c: which waits merge, end, replace which, and who may wait. */
#include "waits_fixture.h"

/* ---- merging --------------------------------------------------------------------- */

static void equal_demands_are_one_row(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(next_batch(f), -1);
    asks(f, "a", "360p-1/3.m4s");
    asks(f, "b", "360p-1/3.m4s");
    asks(f, NULL, "360p-1/3.m4s");
    asks(f, "a", "360p-1/3.m4s");
    assert_int_equal(waits_count(f->w), 4);
    assert_int_equal(next_batch(f), 0);
    assert_string_equal(written(f), "+360p/3 ");
    asks(f, "c", "360p-1/3.m4s");
    assert_string_equal(written(f), "");
    came(f, "360p-1/3.m4s");
    assert_string_equal(ended(f), "came 360p-1/3 came 360p-1/3 came 360p-1/3 "
                                  "came 360p-1/3 came 360p-1/3 ");
    assert_int_equal(waits_count(f->w), 0);
}

static void only_who_waits_for_the_file_has_it(void **state)
{
    struct fixture *f = *state;

    asks(f, "a", "360p-1/3.m4s");
    asks(f, "b", "360p-1/4.m4s");
    asks(f, "c", "360p-2/3.m4s");
    asks(f, "d", "720p-1/3.m4s");
    asks(f, "e", "360p-1/init.mp4");
    came(f, "360p-1/5.m4s");
    assert_string_equal(ended(f), "");
    came(f, "360p-1/3.m4s");
    assert_string_equal(ended(f), "came 360p-1/3 ");
    came(f, "360p-1/init.mp4");
    assert_string_equal(ended(f), "came 360p-1/init ");
    assert_int_equal(waits_count(f->w), 3);
}

static void who_waits_where_nothing_will_come_is_told(void **state)
{
    struct fixture *f = *state;

    asks(f, "a", "360p-1/3.m4s");
    asks(f, "b", "360p-1/3.m4s");
    asks(f, "c", "360p-2/3.m4s");
    asks(f, "d", "720p-1/3.m4s");
    asks(f, "e", "360p-1/init.mp4");
    asks(f, NULL, "audio-0-1/3.m4s");
    gone(f, "360p-3/3.m4s");
    assert_string_equal(ended(f), "");
    gone(f, "360p-1/7.m4s");
    assert_string_equal(ended(f), "gone 360p-1/3 gone 360p-1/3 gone 360p-1/init ");
    assert_int_equal(waits_count(f->w), 3);
    gone(f, "360p-1/7.m4s");
    assert_string_equal(ended(f), "");
}

static void who_hangs_up_is_not_waited_for(void **state)
{
    struct fixture *f = *state;
    uint64_t a, b;

    asks(f, "a", "360p-1/3.m4s");
    a = f->id;
    asks(f, "b", "360p-1/3.m4s");
    b = f->id;
    asks(f, "a", "audio-0-1/3.m4s");
    assert_string_equal(written(f), "+audio-0/3 +360p/3 ");
    left(f, a);
    assert_string_equal(ended(f), "left 360p-1/3 ");
    assert_string_equal(written(f), ""); /* the other one still waits */
    left(f, a);
    assert_string_equal(ended(f), "");
    left(f, b);
    assert_string_equal(ended(f), "left 360p-1/3 ");
    assert_int_equal(next_batch(f), 0);
    assert_string_equal(written(f), "-360p/3 ");
    assert_int_equal(waits_count(f->w), 1);
}

static void init_wants_the_first_segment(void **state)
{
    struct fixture *f = *state;

    asks(f, "a", "360p-1/init.mp4");
    asks(f, NULL, "360p-1/init.mp4");
    asks(f, "b", "360p-1/0.m4s");
    assert_string_equal(written(f), "+360p/0 ");
}

static void files_that_are_waited_for_are_listed(void **state)
{
    struct fixture *f = *state;
    struct media_path *files;
    size_t n;

    assert_int_equal(waits_files(f->w, &files, &n), RC_OK);
    assert_int_equal(n, 0);
    free(files);
    asks(f, "a", "360p-1/3.m4s");
    asks(f, "b", "360p-1/3.m4s");
    asks(f, "c", "audio-0-1/init.mp4");
    assert_int_equal(waits_files(f->w, &files, &n), RC_OK);
    assert_int_equal(n, 2);
    assert_int_equal(files[0].segment, 3);
    assert_string_equal(files[1].rendition, "audio-0");
    assert_int_equal(files[1].segment, MEDIA_INIT);
    free(files);
}

/* ---- replacing ------------------------------------------------------------------- */

static void the_newest_demand_replaces_the_older_one(void **state)
{
    struct fixture *f = *state;

    asks(f, "a", "360p-1/3.m4s");
    asks(f, "a", "360p-1/3.m4s");
    assert_string_equal(written(f), "+360p/3 ");
    asks(f, "a", "360p-1/70.m4s");
    assert_string_equal(ended(f), "replaced 360p-1/3 replaced 360p-1/3 ");
    assert_int_equal(next_batch(f), 0);
    assert_string_equal(written(f), "+360p/70 -360p/3 ");
    asks(f, "a", "720p-1/70.m4s");
    assert_string_equal(ended(f), "replaced 360p-1/70 ");
    assert_int_equal(waits_count(f->w), 1);
}

static void what_others_want_stays_wanted(void **state)
{
    struct fixture *f = *state;

    asks(f, "a", "360p-1/3.m4s");
    asks(f, "b", "360p-1/3.m4s");
    assert_string_equal(written(f), "+360p/3 ");
    asks(f, "a", "360p-1/70.m4s");
    assert_string_equal(ended(f), "replaced 360p-1/3 ");
    assert_string_equal(written(f), "+360p/70 ");
    asks(f, "b", "360p-1/70.m4s");
    assert_string_equal(ended(f), "replaced 360p-1/3 ");
    assert_string_equal(written(f), "-360p/3 ");
}

static void sound_picture_and_other_videos_are_apart(void **state)
{
    struct fixture *f = *state;
    struct wait_ask other = video_ask("a", HERE, OTHER_VIDEO, "360p-1/9.m4s");
    struct wait_ask far = video_ask("a", "192.0.2.2", VIDEO, "360p-1/8.m4s");

    asks(f, "a", "360p-1/3.m4s");
    asks(f, "a", "audio-0-1/2.m4s");
    assert_int_equal(waits_add(f->w, f->now, &other, f, &f->id, &f->ended), RC_OK);
    assert_int_equal(waits_add(f->w, f->now, &far, f, &f->id, &f->ended), RC_OK);
    assert_string_equal(ended(f), "");
    asks(f, "a", "audio-0-1/7.m4s");
    assert_string_equal(ended(f), "replaced audio-0-1/2 ");
    assert_int_equal(waits_count(f->w), 4);
}

/* Whatever run is made for the segment writes the init segment first. */
static void init_goes_along_with_its_viewers_segment(void **state)
{
    struct fixture *f = *state;

    asks(f, "a", "360p-1/init.mp4");
    assert_string_equal(written(f), "+360p/0 ");
    asks(f, "a", "360p-1/57.m4s");
    assert_string_equal(ended(f), "");
    assert_string_equal(written(f), "+360p/57 -360p/0 ");
    asks(f, "a", "360p-1/init.mp4");
    assert_string_equal(written(f), "");
    asks(f, "a", "360p-1/90.m4s");
    assert_string_equal(ended(f), "replaced 360p-1/57 ");
    assert_string_equal(written(f), "+360p/90 -360p/57 ");
    came(f, "360p-1/init.mp4");
    assert_string_equal(ended(f), "came 360p-1/init came 360p-1/init ");
    asks(f, "a", "720p-1/init.mp4");
    assert_string_equal(ended(f), "replaced 360p-1/90 ");
    assert_string_equal(written(f), "+720p/0 -360p/90 ");
}

static void viewers_who_look_alike_have_four_demands(void **state)
{
    struct fixture *f = *state;

    asks(f, NULL, "360p-1/1.m4s");
    asks(f, NULL, "360p-1/2.m4s");
    asks(f, NULL, "360p-1/1.m4s");
    asks(f, NULL, "360p-1/3.m4s");
    asks(f, NULL, "360p-1/4.m4s");
    asks(f, NULL, "audio-0-1/5.m4s");
    asks(f, "a", "360p-1/6.m4s");
    assert_int_equal(from(f, "192.0.2.2", NULL, "360p-1/7.m4s"), RC_OK);
    assert_string_equal(ended(f), "");
    asks(f, NULL, "360p-1/2.m4s");
    assert_string_equal(ended(f), "");
    asks(f, NULL, "360p-1/8.m4s");
    assert_string_equal(ended(f), "replaced 360p-1/1 replaced 360p-1/1 ");
    asks(f, NULL, "360p-1/9.m4s");
    assert_string_equal(ended(f), "replaced 360p-1/2 replaced 360p-1/2 ");
    assert_int_equal(waits_count(f->w), 7);
}

/* ---- bounds ---------------------------------------------------------------------- */

static void an_address_may_not_wait_too_often(void **state)
{
    struct fixture *f = *state;
    char sid[16];

    for (int i = 0; i < 20; i++) {
        snprintf(sid, sizeof(sid), "v%d", i);
        asks(f, sid, "360p-1/3.m4s");
    }
    assert_int_equal(from(f, HERE, "late", "360p-1/3.m4s"), RC_TOO_LARGE);
    assert_int_equal(from(f, HERE, "v0", "audio-0-1/3.m4s"), RC_TOO_LARGE);
    assert_int_equal(from(f, "192.0.2.2", "late", "360p-1/3.m4s"), RC_OK);
    assert_string_equal(ended(f), "");
    /* Who only goes elsewhere needs no more room. */
    asks(f, "v0", "360p-1/4.m4s");
    assert_string_equal(ended(f), "replaced 360p-1/3 ");
    assert_int_equal(waits_count(f->w), 21);
}

static void the_table_has_an_end(void **state)
{
    struct fixture *f = *state;
    char address[32];

    for (int i = 0; i < 40; i++) {
        snprintf(address, sizeof(address), "192.0.2.%d", i);
        assert_int_equal(from(f, address, "a", "360p-1/3.m4s"), RC_OK);
    }
    assert_int_equal(from(f, "198.51.100.1", "a", "360p-1/3.m4s"), RC_TOO_LARGE);
    assert_int_equal(from(f, "198.51.100.1", "a", "360p-1/4.m4s"), RC_TOO_LARGE);
    assert_string_equal(written(f), "+360p/3 ");
    came(f, "360p-1/3.m4s");
    assert_int_equal(from(f, "198.51.100.1", "a", "360p-1/4.m4s"), RC_OK);
}

static void an_ipv6_network_counts_as_one_address(void **state)
{
    struct fixture *f = *state;
    char address[64];

    for (int i = 0; i < 20; i++) {
        snprintf(address, sizeof(address), "2001:db8::%x", i + 1);
        assert_int_equal(from(f, address, "a", "360p-1/3.m4s"), RC_OK);
    }
    assert_int_equal(from(f, "2001:db8::ffff", "a", "360p-1/3.m4s"), RC_TOO_LARGE);
    assert_int_equal(from(f, "2001:db8:0:1::1", "a", "360p-1/3.m4s"), RC_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(equal_demands_are_one_row),
        TEST(only_who_waits_for_the_file_has_it),
        TEST(who_waits_where_nothing_will_come_is_told),
        TEST(who_hangs_up_is_not_waited_for),
        TEST(init_wants_the_first_segment),
        TEST(files_that_are_waited_for_are_listed),
        TEST(the_newest_demand_replaces_the_older_one),
        TEST(what_others_want_stays_wanted),
        TEST(sound_picture_and_other_videos_are_apart),
        TEST(init_goes_along_with_its_viewers_segment),
        TEST(viewers_who_look_alike_have_four_demands),
        TEST(an_address_may_not_wait_too_often),
        TEST(the_table_has_an_end),
        TEST(an_ipv6_network_counts_as_one_address),
    };

    return cmocka_run_group_tests_name("waits", tests, NULL, NULL);
}
