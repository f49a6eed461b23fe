/* How far a file that comes in reaches, and what of it a time needs. */
#include "mp4_build.h"

static void a_file_reaches_as_far_as_all_before_has_come(void **state)
{
    (void)state;
    static const struct {
        uint64_t frontier;
        int64_t ms;
    } known[] = {{0, 40},     {1099, 40},  {1100, 80}, {1159, 80},
                 {1160, 120}, {1170, 200}, {2059, 200}};
    of(&plain_video, 1);
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
        assert_int_equal(mp4_index_reach(opened, 0, known[i].frontier),
                         known[i].ms * 1000);
    assert_true(mp4_index_reach(opened, 0, 2060) == INT64_MAX);
    assert_true(mp4_index_reach(opened, 0, UINT64_MAX) == INT64_MAX);
}

static void what_a_time_needs_includes_what_is_decoded_before(void **state)
{
    (void)state;
    static const struct {
        int64_t us;
        uint64_t bytes;
    } known[] = {{INT64_MIN, 0},   {0, 0},         {40000, 0},     {40001, 1100},
                 {80000, 1100},    {80001, 1160},  {120000, 1160}, {120001, 1170},
                 {160001, 1170},   {200000, 1170}, {200001, 2060}, {240001, 2060},
                 {INT64_MAX, 2060}};
    of(&plain_video, 1);
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
        assert_int_equal(bytes_needed(opened, 0, known[i].us), known[i].bytes);
}

#define MANY 1000 /* samples: more than are walked at once */

/* Sample i of the track below. */
static uint64_t end_of(uint32_t i)
{
    /* Chunks of 7 lie in the file in a shuffled order. */
    return 100 + (uint64_t)(i / 7 * 89 % 143) * 63 + (i % 7 + 1) * 9;
}
static int64_t shown_at(uint32_t i)
{
    return (int64_t)i * 10 + (i % 3 == 0 ? 20 : i % 3 == 1 ? 60 : 0);
}

static void build_many(struct trak *t)
{
    static uint32_t offsets[2 * MANY], chunks[MANY / 7 + 1];
    for (uint32_t i = 0; i < MANY; i++) {
        offsets[2 * i] = 1;
        offsets[2 * i + 1] = (uint32_t)(shown_at(i) - (int64_t)i * 10);
        chunks[i / 7] = (uint32_t)end_of(i / 7 * 7) - 9;
    }
    *t = (struct trak){
        .handler = "vide",
        .format = "hvc1",
        .timescale = 1000,
        .duration = MANY * 10,
        .durations = {(const uint32_t[]){0}, 0, true, 0, 0},
        .offsets = {offsets, sizeof(offsets) / 4, true, 0, 0},
        .fixed_size = 9,
        .samples = MANY,
        .chunks = {chunks, sizeof(chunks) / 4, true, 0, 0},
    };
}

/* Straight from the definition: sample by sample. */
static int64_t reach_by_hand(uint64_t frontier)
{
    int64_t least = INT64_MAX;
    bool open = false;
    for (uint32_t i = 0; i < MANY; i++) {
        open |= end_of(i) > frontier;
        if (open && shown_at(i) * 1000 < least)
            least = shown_at(i) * 1000;
    }
    return least;
}

static void answers_are_the_same_sample_by_sample(void **state)
{
    (void)state;
    struct trak t;
    build_many(&t);
    t.durations = (struct list)LIST(MANY, 10);
    t.runs = (struct list)LIST(1, 7, 1, 143, 6, 1);
    of(&t, 1);
    int64_t before = INT64_MIN;
    for (uint64_t frontier = 0; frontier < 9200; frontier++) {
        int64_t us = mp4_index_reach(opened, 0, frontier);
        assert_true(us == reach_by_hand(frontier));
        assert_true(us >= before);
        before = us;
    }
    assert_true(before == INT64_MAX);
}

#define TEST(name) cmocka_unit_test_teardown(name, close_index)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_file_reaches_as_far_as_all_before_has_come),
        TEST(what_a_time_needs_includes_what_is_decoded_before),
        TEST(answers_are_the_same_sample_by_sample),
    };
    return cmocka_run_group_tests_name("mp4_reach", tests, NULL, NULL);
}
