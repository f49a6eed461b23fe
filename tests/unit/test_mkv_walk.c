/* What a Matroska file has and how far it reaches, element by element and by ffprobe.
 */
#include "ebml_build.h"
#include "mkv_fed.h"

#define UNKNOWN INT64_MAX

/* The beginning of a file with a video and a sound track; its segment is left open. */
static size_t begin(const char *video, int open)
{
    size_t segment = 0;
    bytes_free(&file);
    ebml_head(&file);
    if (open)
        ebml_open_ended(&file, SEGMENT);
    else
        segment = ebml_open(&file, SEGMENT);
    ebml_filled(&file, SEEK_HEAD, 50);
    size_t at = ebml_open(&file, INFO);
    ebml_number(&file, SCALE, 1000000, 3);
    ebml_number(&file, DURATION, 0x40c3880000000000, 8); /* 10000.0 */
    ebml_close(&file, at);
    at = ebml_open(&file, TRACKS);
    ebml_track(&file, 1, 1, video, 0);
    ebml_track(&file, 2, 2, "A_OPUS", 6500000);
    ebml_track(&file, 3, 17, "S_TEXT/UTF8", 0);
    ebml_close(&file, at);
    return segment;
}

static enum rc walked(uint64_t size, size_t step)
{
    mkv_walk_init(&walk, size);
    return feed_until(file.n, step);
}

static int64_t reach_ms(uint64_t frontier)
{
    int64_t us = mkv_walk_reach(&walk, frontier);
    return us == INT64_MAX || us == INT64_MIN ? us : us / 1000;
}

/* ---- what it has ------------------------------------------------------------ */

static void the_tracks_are_known_before_any_cluster(void **state)
{
    (void)state;
    begin("V_MPEG4/ISO/AVC", 1);
    assert_int_equal(walked(UNKNOWN, MKV_WALK_BYTES), RC_OK);
    assert_true(walk.has_tracks);
    assert_int_equal(walk.n_tracks, 3);
    assert_int_equal(walk.duration_us, 10000000);
    assert_int_equal(walk.scale_ns, 1000000);
    assert_int_equal(walk.tracks[0].kind, MKV_VIDEO);
    assert_int_equal(walk.tracks[0].number, 1);
    assert_string_equal(walk.tracks[0].codec, "V_MPEG4/ISO/AVC");
    assert_int_equal(walk.tracks[0].default_duration_ns, 40000000);
    assert_int_equal(walk.tracks[1].kind, MKV_AUDIO);
    assert_int_equal(walk.tracks[1].codec_delay_ns, 6500000);
    assert_int_equal(walk.tracks[2].kind, MKV_OTHER);
    assert_int_equal(reach_ms(UINT64_MAX), INT64_MIN);
    assert_false(walk.done);
}

static void not_all_tracks_are_known_before_the_last_byte_of_them(void **state)
{
    (void)state;
    begin("V_VP9", 1);
    mkv_walk_init(&walk, UNKNOWN);
    assert_int_equal(feed_until(file.n - 1, 64), RC_TRUNCATED);
    assert_false(walk.has_tracks);
    assert_int_equal(feed_until(file.n, 64), RC_OK);
    assert_true(walk.has_tracks);
}

static void a_long_name_of_a_codec_is_cut_off(void **state)
{
    (void)state;
    begin("V_A/NAME/THAT/IS/LONGER/THAN/ANY/REAL/ONE", 1);
    assert_int_equal(walked(UNKNOWN, 64), RC_OK);
    assert_string_equal(walk.tracks[0].codec, "V_A/NAME/THAT/IS/LONGER/THAN/AN");
}

static void a_duration_that_is_none_is_not_known(void **state)
{
    (void)state;
    static const uint64_t bad[] = {
        0x7ff8000000000000, /* not a number */
        0x7ff0000000000000, /* infinite */
        0xc0c3880000000000, /* negative */
        0x7fe0000000000000, /* longer than anything */
    };
    for (size_t i = 0; i < 4; i++) {
        bytes_free(&file);
        ebml_head(&file);
        ebml_open_ended(&file, SEGMENT);
        size_t at = ebml_open(&file, INFO);
        ebml_number(&file, DURATION, bad[i], 8);
        ebml_close(&file, at);
        assert_int_equal(walked(UNKNOWN, 64), RC_OK);
        assert_int_equal(walk.duration_us, 0);
    }
}

/* ---- how far it reaches ----------------------------------------------------- */

static void a_cluster_that_grows_is_there_block_by_block(void **state)
{
    (void)state;
    begin("V_VP9", 1);
    size_t at = ebml_open(&file, CLUSTER);
    ebml_number(&file, TIMESTAMP, 5000, 2);
    ebml_block(&file, SIMPLE_BLOCK, 1, 0, 500);
    size_t first = file.n;
    ebml_block(&file, SIMPLE_BLOCK, 2, 10, 50);
    size_t second = file.n;
    ebml_block(&file, SIMPLE_BLOCK, 3, 900, 50); /* a subtitle */
    ebml_block(&file, SIMPLE_BLOCK, 1, 40, 500);
    ebml_block(&file, SIMPLE_BLOCK, 2, 30, 50);
    size_t third = file.n;
    ebml_close(&file, at);

    mkv_walk_init(&walk, UNKNOWN);
    assert_int_equal(feed_until(first - 100, 64), RC_OK);
    assert_int_equal(reach_ms(first - 100), 4993); /* the delay of Opus is kept off */
    assert_int_equal(feed_until(second - 1, 64), RC_OK);
    assert_int_equal(reach_ms(second - 1), 4993);
    assert_int_equal(reach_ms(second),
                     5000); /* of pictures there is nothing after it */
    assert_int_equal(feed_until(third, 64), RC_OK);
    assert_int_equal(reach_ms(third - 1), 5003);
    assert_int_equal(reach_ms(third), 5023);
}

static void blocks_in_groups_count_too(void **state)
{
    (void)state;
    begin("V_VP8", 1);
    ebml_open_ended(&file, CLUSTER);
    ebml_number(&file, TIMESTAMP, 0, 1);
    for (int i = 0; i < 5; i++) {
        size_t at = ebml_open(&file, GROUP);
        ebml_block(&file, BLOCK, 1, 100 * i, 500);
        ebml_number(&file, BLOCK_DURATION, 100, 1);
        ebml_close(&file, at);
        at = ebml_open(&file, GROUP);
        ebml_block(&file, BLOCK, 2, 100 * i + 7, 20);
        ebml_close(&file, at);
    }
    assert_int_equal(walked(UNKNOWN, 64), RC_OK);
    assert_int_equal(reach_ms(file.n), 400);
}

/* Of codecs that reorder, half a second is kept back, or more where more was seen. */
static void reordered_pictures_keep_something_back(void **state)
{
    (void)state;
    begin("V_MPEG4/ISO/AVC", 1);
    ebml_open_ended(&file, CLUSTER);
    ebml_number(&file, TIMESTAMP, 10000, 2);
    ebml_block(&file, SIMPLE_BLOCK, 2, 5000, 5);
    ebml_block(&file, SIMPLE_BLOCK, 1, 1000, 5);
    assert_int_equal(walked(UNKNOWN, 64), RC_OK);
    assert_int_equal(reach_ms(file.n), 10500);
    ebml_block(&file, SIMPLE_BLOCK, 1, 2000, 5);
    ebml_block(&file, SIMPLE_BLOCK, 1, 1300,
               5); /* 700 before the one that came before */
    ebml_block(&file, SIMPLE_BLOCK, 1, 2500, 5);
    assert_int_equal(walked(UNKNOWN, 64), RC_OK);
    assert_int_equal(reach_ms(file.n), 11800);
}

static void times_before_a_cluster_move_what_it_says(void **state)
{
    (void)state;
    begin("V_VP9", 1);
    size_t at = ebml_open(&file, CLUSTER);
    ebml_number(&file, TIMESTAMP, 21, 1);
    ebml_block(&file, SIMPLE_BLOCK, 1, 0, 5);
    ebml_block(&file, SIMPLE_BLOCK, 2, -21, 5);
    ebml_close(&file, at);
    ebml_open_ended(&file, CLUSTER);
    ebml_number(&file, TIMESTAMP, 5000, 2);
    assert_int_equal(walked(UNKNOWN, 64), RC_OK);
    assert_int_equal(reach_ms(file.n), 5000 - 21 - 7);
}

/* The first one is looked into, to learn how its times go. */
static void clusters_that_are_there_are_stepped_over(void **state)
{
    (void)state;
    size_t ends[4], looks = 0;
    uint64_t at;
    begin("V_VP9", 1);
    for (int i = 0; i < 4; i++) {
        size_t cluster = ebml_open(&file, CLUSTER);
        ebml_number(&file, TIMESTAMP, 1000 * (uint64_t)i, 2);
        for (int k = 0; k < 100; k++)
            ebml_block(&file, SIMPLE_BLOCK, 1 + k % 2, k, 100);
        ebml_close(&file, cluster);
        ends[i] = file.n;
    }
    mkv_walk_init(&walk, UNKNOWN);
    assert_int_equal(feed_until(ends[0], 64), RC_OK);
    while (mkv_walk_wants(&walk, ends[3], &at) && at < ends[3]) {
        assert_int_equal(mkv_walk_feed(&walk, file.p + at, 64), RC_OK);
        looks++;
    }
    assert_in_range(looks, 3, 6);
    assert_int_equal(reach_ms(ends[3]), 3000 - 7);
}

static void what_is_between_clusters_is_passed_over(void **state)
{
    (void)state;
    for (int open = 0; open < 2; open++) {
        begin("V_VP9", 1);
        for (uint64_t i = 0; i < 3; i++) {
            size_t at = 0;
            if (open)
                ebml_open_ended(&file, CLUSTER);
            else
                at = ebml_open(&file, CLUSTER);
            ebml_number(&file, TIMESTAMP, 1000 * i, 2);
            ebml_filled(&file, VOID, 30);
            ebml_block(&file, SIMPLE_BLOCK, 1, 0, 10);
            if (!open)
                ebml_close(&file, at);
            ebml_filled(&file, i == 1 ? TAGS : CUES, 100);
        }
        assert_int_equal(walked(UNKNOWN, 64), RC_OK);
        assert_int_equal(walk.clusters, 3);
        assert_int_equal(reach_ms(file.n), 2000 - 7);
    }
}

static void a_file_ends_with_its_segment_or_its_last_byte(void **state)
{
    (void)state;
    for (int open = 0; open < 2; open++) {
        size_t segment = begin("V_VP9", open);
        size_t at = ebml_open(&file, CLUSTER);
        ebml_number(&file, TIMESTAMP, 0, 1);
        ebml_block(&file, SIMPLE_BLOCK, 1, 0, 100);
        ebml_close(&file, at);
        if (!open)
            ebml_close(&file, segment);
        assert_int_equal(walked(open ? file.n : UNKNOWN, 64), RC_OK);
        assert_true(walk.done);
        assert_int_equal(reach_ms(file.n), INT64_MAX);
        assert_int_equal(reach_ms(file.n - 1), -7);
        uint64_t wanted;
        assert_false(mkv_walk_wants(&walk, file.n, &wanted));
    }
}

static void a_file_may_be_cut_off(void **state)
{
    (void)state;
    size_t segment = begin("V_VP9", 0);
    size_t at = ebml_open(&file, CLUSTER);
    ebml_number(&file, TIMESTAMP, 0, 1);
    ebml_block(&file, SIMPLE_BLOCK, 1, 0, 100);
    ebml_put_size(&file, at, 100000);
    ebml_put_size(&file, segment, 200000);
    file.n -= 50;
    assert_int_equal(walked(file.n, 64), RC_OK);
    assert_true(walk.done);
    assert_int_equal(reach_ms(file.n), INT64_MAX);
}

/* ---- what is refused -------------------------------------------------------- */

static void elements_that_do_not_fit_are_refused(void **state)
{
    (void)state;
    begin("V_VP9", 1);
    size_t good = file.n, at = ebml_open(&file, CLUSTER);
    ebml_number(&file, TIMESTAMP, 0, 1);
    ebml_block(&file, SIMPLE_BLOCK, 1, 0, 100);
    ebml_close(&file, at);
    ebml_put_size(&file, at, file.n - at - 1); /* the block ends after its cluster */
    assert_int_equal(walked(UNKNOWN, 64), RC_INVALID);
    file.n = good;
    at = ebml_open(&file, CLUSTER);
    ebml_number(&file, TIMESTAMP, 0, 1);
    ebml_open_ended(&file, SIMPLE_BLOCK); /* only a cluster may be so */
    assert_int_equal(walked(UNKNOWN, 64), RC_INVALID);
    file.n = good;
    ebml_filled(&file, VOID, 0);
    ebml_put_size(&file, file.n, 0xfffffffffffffe);
    ebml_filled(&file, VOID, 0);
    assert_int_equal(walked(UNKNOWN, 64), RC_OK); /* far away, but not past counting */
    assert_true(walk.at > UINT64_C(0xfffffffffffffe));
}

static void blocks_without_a_time_are_refused(void **state)
{
    (void)state;
    begin("V_VP9", 1);
    size_t good = file.n;
    ebml_open_ended(&file, CLUSTER);
    ebml_block(&file, SIMPLE_BLOCK, 1, 0, 100);
    assert_int_equal(walked(UNKNOWN, 64), RC_INVALID);
    file.n = good;
    ebml_open_ended(&file, CLUSTER);
    ebml_number(&file, TIMESTAMP, 0, 1);
    ebml_number(&file, SIMPLE_BLOCK, 0x8100, 2);
    assert_int_equal(walked(UNKNOWN, 64), RC_INVALID);
}

static void times_of_ages_are_refused(void **state)
{
    (void)state;
    begin("V_VP9", 1);
    size_t good = file.n;
    ebml_open_ended(&file, CLUSTER);
    ebml_number(&file, TIMESTAMP, UINT64_C(1000000000001), 8);
    assert_int_equal(walked(UNKNOWN, 64), RC_INVALID);
    file.n = good;
    ebml_open_ended(&file, CLUSTER);
    ebml_number(&file, TIMESTAMP, UINT64_C(1000000000000), 8);
    assert_int_equal(walked(UNKNOWN, 64), RC_OK);
    for (int i = 0; i < 2; i++) {
        bytes_free(&file);
        ebml_head(&file);
        ebml_open_ended(&file, SEGMENT);
        size_t at = ebml_open(&file, INFO);
        ebml_number(&file, SCALE, i == 0 ? 0 : UINT64_MAX, 8);
        ebml_close(&file, at);
        assert_int_equal(walked(UNKNOWN, 64), RC_INVALID);
    }
}

static void a_file_that_does_not_begin_as_one_is_refused(void **state)
{
    (void)state;
    ebml_filled(&file, CLUSTER, 30);
    assert_int_equal(walked(UNKNOWN, 64), RC_INVALID);
    bytes_free(&file);
    bytes_fill(&file, 0, 64);
    assert_int_equal(walked(UNKNOWN, 64), RC_INVALID);
}

static void very_many_tracks_are_refused(void **state)
{
    (void)state;
    ebml_head(&file);
    ebml_open_ended(&file, SEGMENT);
    size_t at = ebml_open(&file, TRACKS);
    for (int i = 0; i <= MKV_TRACKS_MAX; i++)
        ebml_track(&file, (uint64_t)i, 1, "V_VP9", 0);
    ebml_close(&file, at);
    assert_int_equal(walked(UNKNOWN, 64), RC_TOO_LARGE);
}

static void no_byte_can_make_it_read_elsewhere(void **state)
{
    (void)state;
    size_t segment = begin("V_MPEG4/ISO/AVC", 0), refused = 0;
    for (uint64_t i = 0; i < 2; i++) {
        size_t at = ebml_open(&file, CLUSTER);
        ebml_number(&file, TIMESTAMP, 1000 * i, 2);
        ebml_block(&file, SIMPLE_BLOCK, 1, 0, 10);
        size_t group = ebml_open(&file, GROUP);
        ebml_block(&file, BLOCK, 2, -5, 10);
        ebml_close(&file, group);
        ebml_close(&file, at);
    }
    ebml_close(&file, segment);
    for (size_t i = 0; i < 3 * file.n; i++) {
        uint8_t old = file.p[i / 3];
        file.p[i / 3] = i % 3 == 0 ? 0 : i % 3 == 1 ? 0xff : old ^ 0x81;
        refused += walked(file.n, 1 + i % 64) != RC_OK;
        mkv_walk_reach(&walk, i);
        file.p[i / 3] = old;
    }
    assert_in_range(refused, 100, 3 * file.n);
}

#define TEST(name) cmocka_unit_test_teardown(name, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_tracks_are_known_before_any_cluster),
        TEST(not_all_tracks_are_known_before_the_last_byte_of_them),
        TEST(a_long_name_of_a_codec_is_cut_off),
        TEST(a_duration_that_is_none_is_not_known),
        TEST(a_cluster_that_grows_is_there_block_by_block),
        TEST(blocks_in_groups_count_too),
        TEST(reordered_pictures_keep_something_back),
        TEST(times_before_a_cluster_move_what_it_says),
        TEST(clusters_that_are_there_are_stepped_over),
        TEST(what_is_between_clusters_is_passed_over),
        TEST(a_file_ends_with_its_segment_or_its_last_byte),
        TEST(a_file_may_be_cut_off),
        TEST(elements_that_do_not_fit_are_refused),
        TEST(blocks_without_a_time_are_refused),
        TEST(times_of_ages_are_refused),
        TEST(a_file_that_does_not_begin_as_one_is_refused),
        TEST(very_many_tracks_are_refused),
        TEST(no_byte_can_make_it_read_elsewhere),
    };
    return cmocka_run_group_tests_name("mkv_walk", tests, NULL, NULL);
}
