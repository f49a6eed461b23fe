/* What is not believed of an index: tables that lie, or would take for ever to read. */
#include "mp4_build.h"

#define LIMIT 1000

/* What is said of an index of n bytes; a good one is closed again. */
static enum rc said_of(const void *p, size_t n, uint64_t max_samples)
{
    const struct mp4_index_limits limits = {FILE_SIZE, max_samples};
    struct mp4_index *index = (void *)&moov;
    enum rc rc = mp4_index_open(p, n, &limits, &index);
    if (rc == RC_OK)
        mp4_index_close(index);
    else
        assert_ptr_equal(index, &moov);
    return rc;
}

static enum rc said(const struct trak *t)
{
    bytes_free(&moov);
    build_moov(&moov, t, 1);
    return said_of(moov.p, moov.n, LIMIT);
}

/* Each assertion changes one thing about a good track. */
#define WITH(change, rc)                                                               \
    do {                                                                               \
        struct trak t = plain_video;                                                   \
        t.change;                                                                      \
        assert_int_equal(said(&t), rc);                                                \
    } while (0)
#define L(...) (struct list) LIST(__VA_ARGS__)

static void the_unchanged_tracks_are_good(void **state)
{
    (void)state;
    assert_int_equal(said(&plain_video), RC_OK);
    assert_int_equal(said(&plain_audio), RC_OK);
}

/* UBSan tells if the sum is made before it is looked at. */
static void durations_whose_sum_no_number_holds_are_refused(void **state)
{
    (void)state;
    struct trak t = plain_video;
    t.timescale = INT32_MAX;
    t.durations = L(1000000000, INT32_MAX, UINT32_MAX, INT32_MAX);
    assert_int_equal(said(&t), RC_INVALID);
}

static void durations_must_be_those_of_all_samples(void **state)
{
    (void)state;
    WITH(durations = L(5, 40), RC_INVALID);
    WITH(durations = L(7, 40), RC_INVALID);
    WITH(durations = L(UINT32_MAX, 40), RC_INVALID);
    WITH(durations = L(6, 40, 0, 40), RC_INVALID);
    WITH(durations.given = false, RC_INVALID);
    WITH(durations = L(5, 40, 1, 0), RC_OK);
}

/* Some files mean a negative number by it, and ffmpeg then mends what follows. */
static void negative_durations_are_left_to_ffmpeg(void **state)
{
    (void)state;
    WITH(durations = L(5, 40, 1, -40u), RC_UNSUPPORTED);
    WITH(durations = L(5, 40, 1, 0x80000000), RC_UNSUPPORTED);
}

static void times_of_ages_are_refused(void **state)
{
    (void)state;
    struct trak t = plain_video;
    t.timescale = 1;
    t.offsets.given = false;
    t.durations = L(5, 199999999, 1, 5);
    assert_int_equal(said(&t), RC_OK);
    t.durations = L(5, 199999999, 1, 6);
    assert_int_equal(said(&t), RC_INVALID);
    t.durations = L(6, 1);
    t.duration = 1000000001;
    assert_int_equal(said(&t), RC_INVALID);
    t.timescale = INT32_MAX;
    t.durations = L(6, INT32_MAX);
    assert_int_equal(said(&t), RC_OK);
}

static void offsets_must_be_those_of_all_samples(void **state)
{
    (void)state;
    WITH(offsets = L(5, 0), RC_INVALID);
    WITH(offsets = L(7, 0), RC_INVALID);
    WITH(offsets = L(6, 0, UINT32_MAX, 0), RC_INVALID);
    WITH(offsets = L(0, 0, 6, 0, 0, 9), RC_OK);
    WITH(offsets = L(6, 1u << 28), RC_OK);
    WITH(offsets = L(6, (1u << 28) + 1), RC_INVALID);
    WITH(offsets = L(6, 0x80000000), RC_INVALID);
}

static void chunks_must_hold_all_samples(void **state)
{
    (void)state;
    WITH(runs = L(1, 3, 1), RC_OK);
    WITH(runs = L(1, 4, 1), RC_INVALID);
    WITH(runs = L(1, 2, 1), RC_INVALID);
    WITH(runs = L(1, UINT32_MAX, 1), RC_INVALID);
    WITH(runs = L(1, UINT32_MAX, 1, 2, 7, 1), RC_INVALID);
    WITH(runs = L(1, 4, 1, 2, 0, 1), RC_INVALID);
    WITH(runs.given = false, RC_INVALID);
    WITH(chunks = L(1000), RC_INVALID);
    WITH(chunks = L(1000, 2000, 3000), RC_INVALID);
    WITH(chunks.given = false, RC_INVALID);
}

static void runs_of_chunks_must_go_up_from_one(void **state)
{
    (void)state;
    WITH(runs = L(0, 3, 1), RC_INVALID);
    WITH(runs = L(2, 6, 1), RC_INVALID);
    WITH(runs = L(1, 4, 1, 1, 2, 1), RC_INVALID);
    WITH(runs = L(1, 4, 1, 0, 2, 1), RC_INVALID);
    WITH(runs = L(1, 4, 1, 3, 2, 1), RC_INVALID);
    WITH(runs = L(1, 4, 1, UINT32_MAX, 2, 1), RC_INVALID);
}

static void runs_must_name_an_entry_that_is_there(void **state)
{
    (void)state;
    WITH(runs = L(1, 3, 0), RC_INVALID);
    WITH(runs = L(1, 3, 2), RC_INVALID);
    struct trak t = plain_video;
    t.runs = L(1, 4, 1, 2, 2, 2);
    t.format2 = "avc1";
    assert_int_equal(said(&t), RC_OK);
    t.format2 = "hvc1"; /* of which ffmpeg would leave out the samples */
    assert_int_equal(said(&t), RC_UNSUPPORTED);
}

static void samples_must_lie_in_the_file(void **state)
{
    (void)state;
    WITH(chunks = L(1000, FILE_SIZE - 60), RC_OK);
    WITH(chunks = L(1000, FILE_SIZE - 59), RC_INVALID);
    WITH(chunks = L(UINT32_MAX, 1000), RC_INVALID);
    WITH(sizes = L(100, 50, 10, UINT32_MAX, 50, 10), RC_INVALID);
    struct trak t = plain_video;
    t.wide_chunks = true;
    t.chunks = L(0, 1000, UINT32_MAX, UINT32_MAX);
    assert_int_equal(said(&t), RC_INVALID); /* its samples end after 2^64 */
    t.sizes.given = false;
    t.sizes.n = 0;
    t.samples = 6;
    t.fixed_size = 1u << 31;
    t.chunks = L(0, 0, 0, 1000);
    assert_int_equal(said(&t), RC_INVALID);
}

static void tables_must_fit_their_boxes(void **state)
{
    (void)state;
    WITH(durations.count = 2, RC_INVALID);
    WITH(durations.count = UINT32_MAX, RC_INVALID);
    WITH(offsets.count = 0x20000000, RC_INVALID); /* × 8 is 2^32 */
    WITH(keys.count = 0x40000001, RC_INVALID);
    WITH(runs.count = 3, RC_INVALID);
    WITH(chunks.count = 3, RC_INVALID);
    WITH(sizes.count = 7, RC_INVALID);
    WITH(sizes.count = UINT32_MAX, RC_INVALID);
    WITH(compact_bits = 5, RC_INVALID);
    WITH(edits.given = true, RC_OK); /* a list of none */
    WITH(edits = ((struct list){.given = true, .count = 1}), RC_INVALID);
}

static void a_table_must_not_be_there_twice(void **state)
{
    (void)state;
    static const char *const tables[] = {"stsd", "stts", "ctts", "stss", "stsc",
                                         "stsz", "stz2", "stco", "co64"};
    for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++)
        WITH(twice = tables[i], RC_INVALID);
    WITH(twice = "sdtp", RC_OK);
}

static void clocks_must_tick(void **state)
{
    (void)state;
    WITH(timescale = 0, RC_INVALID);
    WITH(timescale = INT32_MAX, RC_OK);
    WITH(timescale = 0x80000000, RC_INVALID); /* negative to ffmpeg */
}

static void edits_must_make_sense(void **state)
{
    (void)state;
    WITH(edits = L(240, -2u, 0x10000), RC_INVALID);
    WITH(edits = L(240, 40, 0x10000, 40, -1u, 0x10000), RC_UNSUPPORTED);
    struct trak t = plain_video;
    t.edits = L(UINT32_MAX, UINT32_MAX, 0, 40, 0x10000);
    t.edits.version = 1;
    assert_int_equal(said(&t), RC_INVALID); /* longer than it may be */
    t.edits = L(0, 240, 0x7fffffff, 40, 0x10000);
    t.edits.version = 1;
    assert_int_equal(said(&t), RC_INVALID);
    /* 300 × 2^32 ms, of which each alone is not too long. */
    static uint32_t many[900];
    for (size_t i = 0; i < 900; i += 3)
        many[i] = UINT32_MAX;
    t.edits = (struct list){many, 900, true, 0, 0};
    assert_int_equal(said(&t), RC_INVALID);
}

/* What is bounded is the work, whatever a small box asks for. */
static void work_is_bounded_by_the_samples_that_may_be(void **state)
{
    (void)state;
    struct trak t = plain_video;
    assert_int_equal(said(&t), RC_OK);
    assert_int_equal(said_of(moov.p, moov.n, 6), RC_OK);
    assert_int_equal(said_of(moov.p, moov.n, 5), RC_TOO_LARGE);

    t.sizes.given = t.offsets.given = false;
    t.sizes.n = 0;
    t.fixed_size = 1;
    t.samples = 0xfffffffe;
    t.durations = L(0xfffffffe, 0);
    t.runs = L(1, 0x7fffffff, 1);
    assert_int_equal(said(&t), RC_TOO_LARGE);
    t.handler = "soun";
    t.durations = L(0xfffffffe, 1);
    t.format = "sowt";
    t.channels = 1;
    assert_int_equal(said(&t), RC_TOO_LARGE);
}

static void work_is_bounded_for_edits_too(void **state)
{
    (void)state;
    static uint32_t many[3 * 1025];
    struct trak t = plain_video;
    for (size_t i = 0; i < 3 * 1025; i += 3) {
        many[i] = 1;
        many[i + 1] = 200;
    }
    t.edits = (struct list){many, 3 * 1025, true, 0, 0};
    assert_int_equal(said(&t), RC_TOO_LARGE); /* too many */
    t.edits.n = 3 * 300;
    assert_int_equal(said(&t), RC_TOO_LARGE); /* each walks through the samples */
    t.edits.n = 3 * 20;
    assert_int_equal(said(&t), RC_OK);
}

static void tracks_are_bounded(void **state)
{
    (void)state;
    struct trak traks[MP4_TRACKS_MAX + 1];
    for (size_t i = 0; i <= MP4_TRACKS_MAX; i++)
        traks[i] = plain_audio;
    build_moov(&moov, traks, MP4_TRACKS_MAX);
    assert_int_equal(said_of(moov.p, moov.n, LIMIT), RC_OK);
    assert_int_equal(said_of(moov.p, moov.n, MP4_TRACKS_MAX * 4 - 1), RC_TOO_LARGE);
    bytes_free(&moov);
    build_moov(&moov, traks, MP4_TRACKS_MAX + 1);
    assert_int_equal(said_of(moov.p, moov.n, LIMIT), RC_TOO_LARGE);
}

static void sound_of_old_formats_is_left_to_ffmpeg(void **state)
{
    (void)state;
    struct trak t = plain_audio;
    t.durations = L(4, 1);
    assert_int_equal(said(&t), RC_UNSUPPORTED); /* of what size is a sample? */
    t.format = "sowt";
    assert_int_equal(said(&t), RC_OK);
    t.offsets = L(4, 0);
    assert_int_equal(said(&t), RC_UNSUPPORTED);
    t.offsets.given = false;
    t.durations = L(4, 1024); /* not a tick long, and not as large as it should be */
    assert_int_equal(said(&t), RC_UNSUPPORTED);
}

static void the_box_must_be_whole(void **state)
{
    (void)state;
    assert_int_equal(said(&plain_video), RC_OK);
    assert_int_equal(said_of(moov.p, 7, LIMIT), RC_TRUNCATED);
    assert_int_equal(said_of(moov.p, moov.n - 1, LIMIT), RC_TRUNCATED);
    bytes_number(&moov, 0, 1);
    assert_int_equal(said_of(moov.p, moov.n, LIMIT), RC_INVALID);
    moov.p[4] = 'x';
    assert_int_equal(said_of(moov.p, moov.n - 1, LIMIT), RC_INVALID);
    bytes_free(&moov);
    box_filled(&moov, "moov", 0, 0);
    assert_int_equal(said_of(moov.p, moov.n, LIMIT), RC_INVALID); /* no mvhd */
}

/* A copy of its own for the sanitizers to watch, each byte changed in three ways. */
static void no_byte_can_make_it_read_elsewhere(void **state)
{
    (void)state;
    struct trak traks[] = {plain_video, plain_audio};
    size_t refused = 0, n;
    traks[0].edits = L(500, -1u, 0x10000, 240, 40, 0x10000);
    traks[0].groups = L(2, 0, 4, 1);
    build_moov(&moov, traks, 2);
    n = moov.n;
    for (size_t i = 0; i < 3 * n; i++) {
        uint8_t *copy = malloc(n);
        assert_non_null(copy);
        memcpy(copy, moov.p, n);
        copy[i / 3] = i % 3 == 0 ? 0 : i % 3 == 1 ? 0xff : copy[i / 3] ^ 0x81;
        refused += said_of(copy, n, LIMIT) != RC_OK;
        free(copy);
    }
    for (size_t i = 0; i < n; i++) {
        uint8_t *copy = malloc(i + 1);
        assert_non_null(copy);
        memcpy(copy, moov.p, i);
        assert_int_equal(said_of(copy, i, LIMIT), RC_TRUNCATED);
        free(copy);
    }
    assert_true(refused > n / 2);
}

#define TEST(name) cmocka_unit_test_teardown(name, close_index)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_unchanged_tracks_are_good),
        TEST(durations_whose_sum_no_number_holds_are_refused),
        TEST(durations_must_be_those_of_all_samples),
        TEST(negative_durations_are_left_to_ffmpeg),
        TEST(times_of_ages_are_refused),
        TEST(offsets_must_be_those_of_all_samples),
        TEST(chunks_must_hold_all_samples),
        TEST(runs_of_chunks_must_go_up_from_one),
        TEST(runs_must_name_an_entry_that_is_there),
        TEST(samples_must_lie_in_the_file),
        TEST(tables_must_fit_their_boxes),
        TEST(a_table_must_not_be_there_twice),
        TEST(clocks_must_tick),
        TEST(edits_must_make_sense),
        TEST(work_is_bounded_by_the_samples_that_may_be),
        TEST(work_is_bounded_for_edits_too),
        TEST(tracks_are_bounded),
        TEST(sound_of_old_formats_is_left_to_ffmpeg),
        TEST(the_box_must_be_whole),
        TEST(no_byte_can_make_it_read_elsewhere),
    };
    return cmocka_run_group_tests_name("mp4_tables", tests, NULL, NULL);
}
