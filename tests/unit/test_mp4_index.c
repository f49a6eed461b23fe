/* What an index says of its tracks: their times and keyframes. */
#include "mp4_build.h"

#include <inttypes.h>
#include <stdio.h>

static void assert_track(const struct trak *trak, int64_t packets, int64_t first,
                         int64_t last, int64_t end)
{
    const struct mp4_track *t = mp4_index_track(of(trak, 1), 0);
    assert_int_equal(t->packets, packets);
    assert_int_equal(t->first_us, first);
    assert_int_equal(t->last_us, last);
    assert_int_equal(t->end_us, end);
}

struct keys {
    char text[512];
    size_t n;
    int left; /* until it stops */
};

static enum rc note_key(void *arg, int64_t pts_us, int64_t dts_us)
{
    struct keys *k = arg;
    if (k->left-- == 0)
        return RC_STOPPED;
    k->n += (size_t)snprintf(k->text + k->n, sizeof(k->text) - k->n,
                             "%" PRId64 "/%" PRId64 " ", pts_us / 1000, dts_us / 1000);
    return RC_OK;
}

/* "pts/dts " of each keyframe, in ms. */
static const char *keys_of(const struct trak *trak)
{
    static struct keys keys;
    keys = (struct keys){.left = -1};
    assert_int_equal(mp4_index_keyframes(of(trak, 1), 0, note_key, &keys), RC_OK);
    return keys.text;
}

/* ---- tracks ----------------------------------------------------------------- */

static void tracks_come_in_the_order_of_their_boxes(void **state)
{
    (void)state;
    struct trak text = plain_audio;
    text.handler = "text";
    text.id = 9;
    const struct trak traks[] = {plain_audio, text, plain_video};
    const struct mp4_index *index = of(traks, 3);
    assert_int_equal(mp4_index_tracks(index), 3);
    assert_false(mp4_index_fragmented(index));

    const struct mp4_track *t = mp4_index_track(index, 0);
    assert_int_equal(t->kind, MP4_AUDIO);
    assert_int_equal(t->id, 2);
    assert_true(t->fourcc == 0x6d703461); /* mp4a */
    assert_int_equal(t->timescale, 48000);
    assert_int_equal(t->duration_us, 85333);
    assert_int_equal(t->packets, 4);
    t = mp4_index_track(index, 1);
    assert_int_equal(t->kind, MP4_OTHER);
    assert_int_equal(t->id, 9);
    assert_int_equal(t->packets, 0);
    t = mp4_index_track(index, 2);
    assert_int_equal(t->kind, MP4_VIDEO);
    assert_true(t->fourcc == 0x61766331); /* avc1 */
}

static void tables_of_other_tracks_are_not_looked_at(void **state)
{
    (void)state;
    struct trak text = plain_audio;
    text.handler = "text";
    text.durations = (struct list)LIST(9, 9, 9, 9);
    text.timescale = 0;
    assert_int_equal(mp4_index_tracks(of(&text, 1)), 1);
    assert_true(mp4_index_reach(opened, 0, 0) == INT64_MAX);
    assert_true(bytes_needed(opened, 0, 1000000) == 0);
}

static void a_track_without_samples_is_complete(void **state)
{
    (void)state;
    const struct trak none = {.handler = "vide",
                              .format = "avc1",
                              .timescale = 25,
                              .durations = {.given = true}};
    assert_track(&none, 0, 0, 0, 0);
    assert_true(mp4_index_reach(opened, 0, 0) == INT64_MAX);
    assert_true(bytes_needed(opened, 0, INT64_MAX) == 0);
    assert_string_equal(keys_of(&none), "");
}

/* ---- times ------------------------------------------------------------------ */

static void pictures_are_shown_when_their_offsets_say(void **state)
{
    (void)state;
    assert_track(&plain_video, 6, 40000, 240000, 280000);
    assert_string_equal(keys_of(&plain_video), "40/0 ");
}

static void sound_without_offsets_is_heard_when_it_is_decoded(void **state)
{
    (void)state;
    assert_track(&plain_audio, 4, 0, 64000, 85333);
}

static void sound_that_an_edit_cuts_into_begins_with_the_edit(void **state)
{
    (void)state;
    struct trak t = plain_audio;
    assert_int_equal(mp4_index_first_us(of(&t, 1)), 0);
    t.edits = (struct list)LIST(80, 312, 65536);
    assert_int_equal(mp4_index_first_us(of(&t, 1)), 0);
    assert_int_equal(mp4_index_track(opened, 0)->first_us, -6500);
    t.edits = (struct list)LIST(20, -1u, 65536, 60, 312, 65536);
    assert_int_equal(mp4_index_first_us(of(&t, 1)), 20000);
    /* A picture is shown from where it begins. */
    const struct trak both[] = {plain_video, t};
    assert_int_equal(mp4_index_first_us(of(both, 2)), 20000);
    const struct trak later[] = {plain_video};
    assert_int_equal(mp4_index_first_us(of(later, 1)), 40000);
}

/* As ffmpeg has it: the decode times begin that much earlier, the others stay. */
static void negative_offsets_have_decode_times_begin_before_zero(void **state)
{
    (void)state;
    struct trak t = plain_video;
    t.offsets = (struct list)LIST(1, 0, 1, 80, 2, -40u, 1, 40, 1, -40u);
    t.offsets.version = 1;
    assert_track(&t, 6, 0, 200000, 240000);
    assert_string_equal(keys_of(&t), "0/-40 ");
}

static void durations_may_differ(void **state)
{
    (void)state;
    struct trak t = plain_video;
    t.offsets.given = false;
    t.durations = (struct list)LIST(2, 40, 3, 100, 1, 10);
    t.duration = 390;
    t.keys.given = false;
    assert_track(&t, 6, 0, 380000, 390000);
    assert_string_equal(keys_of(&t), "0/0 40/40 80/80 180/180 280/280 380/380 ");
}

static void the_last_packet_ends_with_the_track(void **state)
{
    (void)state;
    struct trak t = plain_audio;
    t.duration = 4000;
    assert_track(&t, 4, 0, 64000, 83333);
    t.duration = 2000; /* before the last one begins: as long as the one before it */
    assert_track(&t, 4, 0, 64000, 85333);
    t.duration = 0xffffffff; /* not known, so that the table counts */
    t.durations = (struct list)LIST(3, 1024, 1, 480);
    assert_track(&t, 4, 0, 64000, 74000);
    assert_int_equal(mp4_index_track(opened, 0)->duration_us, 0);
}

static enum rc note_duration(void *arg, const struct mp4_index_packet *p)
{
    if (!p->discard)
        *(int64_t *)arg = p->duration_us;
    return RC_OK;
}

/* Of the one that is decoded last, of those that are shown. */
static int64_t last_duration(const struct trak *trak)
{
    int64_t us = -1;
    assert_int_equal(mp4_index_packets(of(trak, 1), 0, note_duration, &us), RC_OK);
    return us;
}

static void no_packet_lasts_longer_than_its_track(void **state)
{
    (void)state;
    struct trak t = plain_audio;
    assert_int_equal(last_duration(&t), 21333);
    t.duration = 4000;
    assert_int_equal(last_duration(&t), 19333);
    t.edits = (struct list)LIST(80, 0, 0x10000);
    assert_int_equal(last_duration(&t), 16000);
    assert_track(&t, 4, 0, 64000, 80000);
    t = plain_video;
    t.offsets.given = false;
    t.durations = (struct list)LIST(5, 40, 1, 500000);
    t.duration = 500200;
    assert_int_equal(last_duration(&t), 60000000);
    t.duration = 1000;
    assert_int_equal(last_duration(&t), 800000);
}

/* The one that is decoded last is not the one that is shown last. */
static void of_reordered_pictures_a_last_one_may_last_long(void **state)
{
    (void)state;
    struct trak t = plain_video;
    t.durations = (struct list)LIST(5, 40, 1, 8000);
    t.duration = 8200;
    assert_int_equal(last_duration(&t), 8000000);
    assert_track(&t, 6, 40000, 240000, 8200000);
    t.edits = (struct list)LIST(8160, 40, 0x10000);
    assert_track(&t, 6, 0, 200000, 8160000);
    t.edits = (struct list)LIST(3000, 40, 0x10000); /* as far as the edit goes */
    assert_track(&t, 6, 0, 200000, 3000000);
    t.edits = (struct list)LIST(240, 40, 0x10000);
    assert_track(&t, 6, 0, 200000, 240000);
    assert_int_equal(last_duration(&t), 80000);
    t.edits = (struct list)LIST(500, -1u, 0x10000, 3000, 40, 0x10000);
    assert_track(&t, 6, 500000, 700000, 3500000);
    /* What is decoded long before the next one is not shown for so long. */
    t.edits.given = false;
    t.durations = (struct list)LIST(1, 40, 1, 160, 4, 40);
    t.offsets = (struct list)LIST(1, 40, 1, 320, 2, 40, 1, 160, 1, 80);
    t.duration = 360;
    assert_track(&t, 6, 40000, 440000, 480000);
    /* What others last does not change with it. */
    t = plain_video;
    t.durations = (struct list)LIST(3, 40, 2, 50, 1, 8000);
    t.duration = 8220;
    assert_track(&t, 6, 40000, 250000, 8220000);
    t.duration = 230;
    assert_track(&t, 6, 40000, 250000, 300000);
}

static void a_picture_lasts_a_minute_at_most(void **state)
{
    (void)state;
    struct trak t = plain_video;
    t.offsets.given = false;
    t.durations = (struct list)LIST(5, 40, 1, 500000);
    t.duration = 500200;
    assert_track(&t, 6, 0, 200000, 60200000);
}

static void times_are_exact_whatever_the_timescale(void **state)
{
    (void)state;
    struct trak t = plain_audio;
    t.timescale = 44100;
    assert_track(&t, 4, 0, 69660, 92880);
    t.timescale = INT32_MAX;
    t.durations = (struct list)LIST(3, INT32_MAX, 1, 1);
    t.duration = 0xffffffff;
    assert_track(&t, 4, 0, 3000000, 3000000);
    t.timescale = 1;
    t.durations = (struct list)LIST(4, 3);
    assert_track(&t, 4, 0, 9000000, 12000000);
}

/* ---- edits ------------------------------------------------------------------ */

static void an_edit_begins_at_zero(void **state)
{
    (void)state;
    struct trak t = plain_video;
    t.edits = (struct list)LIST(240, 40, 0x10000);
    assert_track(&t, 6, 0, 200000, 240000);
    assert_string_equal(keys_of(&t), "0/-40 ");
}

static void an_empty_edit_comes_before(void **state)
{
    (void)state;
    struct trak t = plain_video;
    t.edits = (struct list)LIST(500, -1u, 0x10000, 240, 40, 0x10000);
    assert_track(&t, 6, 500000, 700000, 740000);
    assert_string_equal(keys_of(&t), "500/460 ");
}

static void edits_of_64_bits_are_the_same(void **state)
{
    (void)state;
    struct trak t = plain_video;
    t.edits = (struct list)LIST(0, 500, -1u, -1u, 0x10000, 0, 240, 0, 40, 0x10000);
    t.edits.version = 1;
    assert_track(&t, 6, 500000, 700000, 740000);
}

/* The first keyframe is needed to decode, but it is not shown and does not count. */
static void what_comes_before_an_edit_does_not_count(void **state)
{
    (void)state;
    struct trak t = plain_video;
    t.edits = (struct list)LIST(160, 120, 0x10000);
    assert_track(&t, 4, 0, 120000, 160000);
    assert_string_equal(keys_of(&t), "");
    /* It still has to have come for the others to be decoded. */
    assert_int_equal(bytes_needed(opened, 0, 1), 1170);
    assert_int_equal(mp4_index_reach(opened, 0, 1099), 0);
    assert_int_equal(mp4_index_reach(opened, 0, 1169), 0);
    assert_int_equal(mp4_index_reach(opened, 0, 1170), 80000);
}

static void sound_that_an_edit_cuts_into_begins_before_zero(void **state)
{
    (void)state;
    struct trak t = plain_audio;
    t.edits = (struct list)LIST(75, 480, 0x10000);
    assert_track(&t, 4, -10000, 54000, 75000);
    t.edits = (struct list)LIST(64, 1024, 0x10000); /* a whole frame: it is left out */
    assert_track(&t, 3, 0, 42667, 64000);
}

static void edits_may_show_a_part_again(void **state)
{
    (void)state;
    struct trak t = plain_video;
    t.edits = (struct list)LIST(80, 40, 0x10000, 240, 40, 0x10000);
    assert_track(&t, 8, 0, 280000, 320000);
    assert_string_equal(keys_of(&t), "0/-40 80/40 ");
    assert_int_equal(bytes_needed(opened, 0, 80000), 1160);
    assert_int_equal(bytes_needed(opened, 0, 80001), 2060);
}

static void an_edit_of_no_length_shows_nothing(void **state)
{
    (void)state;
    struct trak t = plain_video;
    t.edits = (struct list)LIST(0, 40, 0x10000);
    assert_track(&t, 0, 0, 0, 0);
    assert_true(mp4_index_reach(opened, 0, 0) == INT64_MAX);
}

/* ---- the tables' kinds ------------------------------------------------------ */

static void keyframes_may_be_named_in_several_ways(void **state)
{
    (void)state;
    struct trak t = plain_video;
    t.offsets.given = false;
    t.keys = (struct list)LIST(1, 3, 6);
    assert_string_equal(keys_of(&t), "0/0 80/80 200/200 ");
    t.keys = (struct list)LIST(0, 2, 5); /* counted from 0 */
    assert_string_equal(keys_of(&t), "0/0 80/80 200/200 ");
    t.keys = (struct list)LIST(1, 3, 2, 6); /* not in order: it ends there */
    assert_string_equal(keys_of(&t), "0/0 80/80 ");
    t.keys = (struct list)LIST(1);
    t.partial = (struct list)LIST(4);
    assert_string_equal(keys_of(&t), "0/0 120/120 ");
    t.partial.given = false;
    t.groups = (struct list)LIST(2, 0, 1, 1, 3, 0);
    assert_string_equal(keys_of(&t), "0/0 80/80 ");
    t.groups.version = 1;
    assert_string_equal(keys_of(&t), "0/0 80/80 ");
}

static void a_list_of_no_keyframes_leaves_the_first(void **state)
{
    (void)state;
    struct trak t = plain_video;
    t.keys = (struct list){.given = true};
    assert_string_equal(keys_of(&t), "40/0 ");
}

static void keyframes_end_where_the_caller_has_enough(void **state)
{
    (void)state;
    struct keys keys = {.left = 2};
    of(&plain_audio, 1);
    assert_int_equal(mp4_index_keyframes(opened, 0, note_key, &keys), RC_STOPPED);
    assert_string_equal(keys.text, "0/0 21/21 ");
}

static void sizes_may_be_of_any_width(void **state)
{
    (void)state;
    struct trak t = plain_video;
    t.sizes = (struct list)LIST(9, 8, 7, 6, 15, 4);
    for (int bits = 4; bits <= 32; bits *= 2) {
        t.compact_bits = bits < 32 ? (uint8_t)bits : 0;
        of(&t, 1);
        assert_int_equal(bytes_needed(opened, 0, 41000), 1009);
        assert_int_equal(bytes_needed(opened, 0, 121000), 1030);
        assert_int_equal(bytes_needed(opened, 0, INT64_MAX), 2019);
    }
    t.compact_bits = 0;
    t.sizes.given = false;
    t.sizes.n = 0;
    t.fixed_size = 11;
    t.samples = 6;
    of(&t, 1);
    assert_int_equal(bytes_needed(opened, 0, INT64_MAX), 2022);
}

static void chunks_may_lie_beyond_4_gb(void **state)
{
    (void)state;
    struct trak t = plain_video;
    t.wide_chunks = true;
    t.chunks = (struct list)LIST(3, 1000, 3, 2000);
    const struct mp4_index_limits limits = {(UINT64_C(3) << 32) + 2060, 100};
    const struct mp4_index_limits less = {(UINT64_C(3) << 32) + 2059, 100};
    const struct mp4_index_limits unknown = {MP4_SIZE_UNKNOWN, 100};
    build_moov(&moov, &t, 1);
    assert_int_equal(mp4_index_open(moov.p, moov.n, &less, &opened), RC_INVALID);
    assert_null(opened);
    assert_int_equal(mp4_index_open(moov.p, moov.n, &unknown, &opened), RC_OK);
    mp4_index_close(opened);
    opened = NULL;
    assert_int_equal(mp4_index_open(moov.p, moov.n, &limits, &opened), RC_OK);
    assert_true(bytes_needed(opened, 0, INT64_MAX) == (UINT64_C(3) << 32) + 2060);
    assert_true(mp4_index_reach(opened, 0, UINT64_C(3) << 32) == 40000);
}

/* ffmpeg makes packets of at most 1024 samples of what lies in a chunk. */
static void uncompressed_sound_is_read_in_packets(void **state)
{
    (void)state;
    struct trak t = {
        .handler = "soun",
        .format = "sowt",
        .channels = 2,
        .bits = 16,
        .timescale = 48000,
        .duration = 2424,
        .durations = LIST(2424, 1),
        .fixed_size = 1, /* as old QuickTime has it; the entry says 4 */
        .samples = 2424,
        .runs = LIST(1, 1200, 1, 2, 1224, 1),
        .chunks = LIST(100, 2000),
    };
    assert_track(&t, 4, 0, 46333, 50500);
    assert_int_equal(bytes_needed(opened, 0, 1), 100 + 4096);
    assert_int_equal(bytes_needed(opened, 0, 21334), 100 + 4800);
    assert_int_equal(bytes_needed(opened, 0, 25001), 2000 + 4096);
    t.format = "in24";
    of(&t, 1);
    assert_int_equal(bytes_needed(opened, 0, 1), 100 + 6144);
    t.format = "abcd";
    t.fixed_size = 2;
    of(&t, 1);
    assert_int_equal(bytes_needed(opened, 0, 1), 100 + 2048);
}

#define TEST(name) cmocka_unit_test_teardown(name, close_index)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(tracks_come_in_the_order_of_their_boxes),
        TEST(tables_of_other_tracks_are_not_looked_at),
        TEST(a_track_without_samples_is_complete),
        TEST(pictures_are_shown_when_their_offsets_say),
        TEST(sound_without_offsets_is_heard_when_it_is_decoded),
        TEST(sound_that_an_edit_cuts_into_begins_with_the_edit),
        TEST(negative_offsets_have_decode_times_begin_before_zero),
        TEST(durations_may_differ),
        TEST(the_last_packet_ends_with_the_track),
        TEST(no_packet_lasts_longer_than_its_track),
        TEST(of_reordered_pictures_a_last_one_may_last_long),
        TEST(a_picture_lasts_a_minute_at_most),
        TEST(times_are_exact_whatever_the_timescale),
        TEST(an_edit_begins_at_zero),
        TEST(an_empty_edit_comes_before),
        TEST(edits_of_64_bits_are_the_same),
        TEST(what_comes_before_an_edit_does_not_count),
        TEST(sound_that_an_edit_cuts_into_begins_before_zero),
        TEST(edits_may_show_a_part_again),
        TEST(an_edit_of_no_length_shows_nothing),
        TEST(keyframes_may_be_named_in_several_ways),
        TEST(a_list_of_no_keyframes_leaves_the_first),
        TEST(keyframes_end_where_the_caller_has_enough),
        TEST(sizes_may_be_of_any_width),
        TEST(chunks_may_lie_beyond_4_gb),
        TEST(uncompressed_sound_is_read_in_packets),
    };
    return cmocka_run_group_tests_name("mp4_index", tests, NULL, NULL);
}
