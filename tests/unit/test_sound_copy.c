/* test_sound_copy.c: which sound is served as it is, and where it is cut. */
#include "mp4_build.h"

#include "sound_copy.h"

#include <string.h>

#define MANY 384000 /* bit/s */
#define FRAMES 500  /* two whole segments and a part */

static struct media_info info;
static struct sound_copy found[MEDIA_STREAMS_MAX];
static struct video_plan plan;
static struct trak trak;
static const struct list durations = LIST(FRAMES, 1024);
static const struct list runs = LIST(1, FRAMES, 1);
static const struct list chunks = LIST(1000);

/* A picture as stream 0, and AAC-LC of 44.1 kHz as stream 1, of 11.61 s. */
static int setup(void **state)
{
    (void)state;
    memset(&info, 0, sizeof(info));
    memset(&plan, 0, sizeof(plan));
    info.n_streams = 2;
    info.streams[0] = (struct media_stream){.kind = MEDIA_VIDEO, .codec = "h264"};
    info.streams[1] = (struct media_stream){.index = 1,
                                            .kind = MEDIA_AUDIO,
                                            .codec = "aac",
                                            .profile = "LC",
                                            .channels = 2,
                                            .sample_rate = 44100};
    trak = plain_audio;
    trak.timescale = 44100;
    trak.durations = durations;
    trak.runs = runs;
    trak.sizes = (struct list){.given = true};
    trak.fixed_size = 10;
    trak.samples = FRAMES;
    trak.chunks = chunks;
    plan = (struct video_plan){.duration_us = 11610000, .n_renditions = 2};
    plan.renditions[1] = (struct rendition){.name = "audio-0",
                                            .kind = RENDITION_AUDIO,
                                            .stream = 1,
                                            .rate_num = 375,
                                            .rate_den = 8,
                                            .gop = 192,
                                            .frames = 545,
                                            .segments = 3,
                                            .channels = 2,
                                            .bitrate = 128000};
    return 0;
}

static int teardown(void **state)
{
    for (int i = 0; i < MEDIA_STREAMS_MAX; i++)
        sound_copy_free(&found[i]);
    return close_index(state);
}

/* What is found of the sound. */
static const struct sound_copy *look(int64_t max_bitrate)
{
    const struct trak both[] = {plain_video, trak};
    for (int i = 0; i < MEDIA_STREAMS_MAX; i++)
        sound_copy_free(&found[i]);
    assert_int_equal(sound_copy_find(of(both, 2), &info, max_bitrate, found), RC_OK);
    return &found[1];
}

#define assert_copied() assert_int_equal(look(MANY)->bounds.n, 3)
#define assert_encoded() assert_int_equal(look(MANY)->bounds.n, 0)

static void segments_have_192_frames_at_its_own_rate(void **state)
{
    (void)state;
    const struct sound_copy *s = look(MANY);
    assert_int_equal(s->bounds.n, 3);
    assert_int_equal(s->frames, FRAMES);
    assert_int_equal(s->bounds.frames[0], 192);
    assert_int_equal(s->bounds.frames[1], 192);
    assert_int_equal(s->bounds.frames[2], 116);
    assert_int_equal(s->bounds.start_us[0], 0);
    assert_int_equal(s->bounds.start_us[1], 4458231);
    assert_int_equal(s->bounds.start_us[2], 8916463);
    assert_int_equal(s->bounds.start_us[3], 11609977);
    /* 10 bytes each 1024 samples */
    assert_in_range(s->average_bitrate, 3445, 3446);
    assert_in_range(s->peak_bitrate, 3445, 3446);
}

static void priming_is_left_out(void **state)
{
    (void)state;
    trak.edits = (struct list)LIST(11000, 1500, 65536);
    const struct sound_copy *s = look(MANY);
    assert_int_equal(s->bounds.start_us[0], 12426); /* 2048 - 1500 */
    assert_int_equal(s->bounds.frames[0], 192);
}

/* Within its last packet: that is only heard until then. */
static void it_ends_where_an_edit_list_has_it_end(void **state)
{
    (void)state;
    trak.duration = FRAMES * 1024;
    trak.edits = (struct list)LIST(11600, 0, 65536);
    const struct sound_copy *s = look(MANY);
    assert_int_equal(s->frames, FRAMES);
    assert_int_equal(s->bounds.start_us[3], 11600000);
    trak.edits = (struct list)LIST(11580, 0, 65536);
    s = look(MANY);
    assert_int_equal(s->frames, FRAMES - 1);
    assert_int_equal(s->bounds.start_us[3], 11580000);
}

static void what_comes_before_the_timeline_is_left_out(void **state)
{
    (void)state;
    info.start_us = 30000;
    const struct sound_copy *s = look(MANY);
    assert_int_equal(s->bounds.n, 3);
    assert_int_equal(s->frames, FRAMES - 2);
    assert_int_equal(s->bounds.start_us[0], 46440 - 30000);
}

static void packets_may_be_off_their_places_by_less_than_half(void **state)
{
    (void)state;
    trak.durations = (struct list)LIST(3, 1124, FRAMES - 3, 1024);
    assert_copied();
    assert_int_equal(found[1].bounds.start_us[1], 4458231 + 6803); /* 300 samples */
    trak.durations = (struct list)LIST(5, 1124, FRAMES - 5, 1024);
    assert_encoded();
}

/* Half a frame before the first of a segment would not be between it and the last one.
 */
static void packets_that_come_close_after_one_another_are_encoded(void **state)
{
    (void)state;
    trak.durations =
        (struct list)LIST(190, 1024, 1, 1324, 1, 500, 1, 1248, FRAMES - 193, 1024);
    assert_encoded();
    trak.durations = (struct list)LIST(190, 1024, 1, 1224, 1, 824, FRAMES - 192, 1024);
    assert_copied();
}

static void so_little_in_each_segment_adds_up_to_any_length(void **state)
{
    (void)state;
    trak.durations = (struct list)LIST(FRAMES, 1025);
    assert_copied();
    assert_int_equal(found[1].bounds.start_us[2],
                     (int64_t)384 * 1025 * 1000000 / 44100);
}

static void a_hole_is_encoded_with_silence(void **state)
{
    (void)state;
    trak.durations = (struct list)LIST(100, 1024, 1, 9000, FRAMES - 101, 1024);
    assert_encoded();
}

static void so_is_what_comes_late(void **state)
{
    (void)state;
    info.start_us = -150000;
    assert_encoded();
    info.start_us = -50000;
    assert_copied();
    assert_int_equal(found[1].bounds.start_us[0], 50000);
}

static void only_what_every_player_decodes_is_copied(void **state)
{
    (void)state;
    struct media_stream *a = &info.streams[1];
    const struct media_stream good = *a;
    strcpy(a->profile, "HE-AAC");
    assert_encoded();
    *a = good;
    strcpy(a->codec, "mp3");
    assert_encoded();
    *a = good;
    a->channels = 6;
    assert_encoded();
    *a = good;
    a->sample_rate = 22050;
    assert_encoded();
    *a = good;
    a->channels = 1;
    assert_copied();
}

static void of_more_bits_a_second_than_are_served_it_is_encoded(void **state)
{
    (void)state;
    assert_int_equal(look(3446)->bounds.n, 3);
    assert_int_equal(look(3444)->bounds.n, 0);
}

static void a_track_of_which_the_index_tells_too_little_is_encoded(void **state)
{
    (void)state;
    info.streams[1].index = 2;
    assert_encoded();
    info.streams[1].index = -1;
    assert_encoded();
    info.streams[1].index = 1;
    trak.format2 = "mp4a";
    trak.runs = (struct list)LIST(1, 250, 1, 2, 250, 2);
    trak.chunks = (struct list)LIST(1000, 4000);
    assert_encoded();
}

static void a_plan_serves_it_as_it_is(void **state)
{
    (void)state;
    const struct rendition *r = &plan.renditions[1];
    info.streams[1].channels = 1;
    look(MANY);
    sound_copy_plan(found, &plan);
    assert_true(r->copied && !r->extra);
    assert_int_equal(r->rate_num, 11025);
    assert_int_equal(r->rate_den, 256);
    assert_int_equal(r->gop, 192);
    assert_int_equal(r->frames, FRAMES);
    assert_int_equal(r->segments, 3);
    assert_int_equal(r->channels, 1);
    assert_int_equal(r->bitrate, found[1].peak_bitrate);
    assert_ptr_equal(plan.bounds[1].bytes, found[1].packed);
    struct bounds kept;
    assert_int_equal(bounds_unpack(plan.bounds[1].bytes, plan.bounds[1].n, &kept),
                     RC_OK);
    assert_int_equal(kept.start_us[2], found[1].bounds.start_us[2]);
    bounds_free(&kept);
    assert_int_equal(plan.bounds[0].n, 0);
}

static void not_where_it_ends_long_before_the_picture(void **state)
{
    (void)state;
    look(MANY);
    plan.duration_us = 12200000;
    sound_copy_plan(found, &plan);
    assert_false(plan.renditions[1].copied);
    plan.duration_us = 12100000;
    sound_copy_plan(found, &plan);
    assert_true(plan.renditions[1].copied);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(segments_have_192_frames_at_its_own_rate),
        TEST(priming_is_left_out),
        TEST(it_ends_where_an_edit_list_has_it_end),
        TEST(what_comes_before_the_timeline_is_left_out),
        TEST(packets_may_be_off_their_places_by_less_than_half),
        TEST(packets_that_come_close_after_one_another_are_encoded),
        TEST(so_little_in_each_segment_adds_up_to_any_length),
        TEST(a_hole_is_encoded_with_silence),
        TEST(so_is_what_comes_late),
        TEST(only_what_every_player_decodes_is_copied),
        TEST(of_more_bits_a_second_than_are_served_it_is_encoded),
        TEST(a_track_of_which_the_index_tells_too_little_is_encoded),
        TEST(a_plan_serves_it_as_it_is),
        TEST(not_where_it_ends_long_before_the_picture),
    };
    return cmocka_run_group_tests_name("sound_copy", tests, NULL, NULL);
}
