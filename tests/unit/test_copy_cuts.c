#include "check.h"

#include "copy_cuts.h"
#include "media_info.h"

#include <stdio.h>
#include <string.h>

#define FRAME_US 40000

static int64_t duration_us; /* of the timeline */

static struct copy_cuts *opened(void)
{
    struct copy_cuts *c;
    assert_int_equal(copy_cuts_open(100000000, &c), RC_OK);
    return c;
}

/* A closed group of n pictures from at_us on, 1000 bytes each, with one B-frame between
 * every two others: I P B P B …, as they are decoded. */
static void feed_gop(struct copy_cuts *c, int64_t at_us, int n)
{
    for (int i = 0; i < n; i++) {
        int shown = i == 0 ? 0 : i % 2 == 1 ? i + 1 : i - 1;
        if (shown >= n)
            shown = i;
        struct copy_packet p = {
            .pts_us = at_us + shown * FRAME_US,
            .dts_us = at_us + (i - 2) * FRAME_US,
            .duration_us = FRAME_US,
            .bytes = 1000,
            .key = i == 0,
        };
        assert_int_equal(copy_cuts_feed(c, &p), RC_OK);
    }
}

static struct copy_found finished(struct copy_cuts *c)
{
    struct copy_found found;
    assert_int_equal(copy_cuts_finish(c, duration_us, &found), RC_OK);
    copy_cuts_free(c);
    return found;
}

static enum copy_refusal refusal_of(struct copy_cuts *c)
{
    struct copy_found found = finished(c);
    bounds_free(&found.bounds);
    return found.refusal;
}

/* Two more pictures are shown after 99 others; the last but one is decoded last. */
static int64_t end_of(int64_t last_shown_us, int64_t last_decoded_us)
{
    struct copy_cuts *c = opened();
    feed_gop(c, 0, 99);
    struct copy_packet p = {.pts_us = 100 * FRAME_US,
                            .dts_us = 97 * FRAME_US,
                            .duration_us = last_shown_us,
                            .bytes = 1000};
    assert_int_equal(copy_cuts_feed(c, &p), RC_OK);
    p.pts_us -= FRAME_US;
    p.dts_us += FRAME_US;
    p.duration_us = last_decoded_us;
    assert_int_equal(copy_cuts_feed(c, &p), RC_OK);
    struct copy_found found = finished(c);
    assert_int_equal(found.refusal, COPY_FINE);
    int64_t end_us = found.bounds.start_us[found.bounds.n];
    bounds_free(&found.bounds);
    return end_us;
}

static void
it_ends_with_what_is_shown_last_or_a_still_that_is_decoded_last(void **state)
{
    (void)state;
    assert_int_equal(end_of(FRAME_US, FRAME_US), 101 * FRAME_US);
    assert_int_equal(end_of(FRAME_US, 200 * FRAME_US), 299 * FRAME_US);
    assert_int_equal(end_of(200 * FRAME_US, FRAME_US), 300 * FRAME_US);
}

/* A list of segments of which one has no length could not be read again. */
static void pictures_that_are_all_shown_at_once_are_refused(void **state)
{
    (void)state;
    struct copy_cuts *c = opened();
    for (int i = 0; i < 5; i++) {
        struct copy_packet p = {.pts_us = 0, .dts_us = 0, .bytes = 100, .key = i == 0};
        assert_int_equal(copy_cuts_feed(c, &p), RC_OK);
    }
    assert_int_equal(refusal_of(c), COPY_TIMES);
}

static void a_picture_that_ends_long_before_the_sound_is_refused(void **state)
{
    (void)state;
    struct copy_cuts *c = opened();
    feed_gop(c, 0, 100);
    duration_us = 6100000;
    assert_int_equal(refusal_of(c), COPY_EARLY);
    c = opened();
    feed_gop(c, 0, 100);
    duration_us = 5900000;
    assert_int_equal(refusal_of(c), COPY_FINE);
    c = opened(); /* or goes on where nothing else does */
    feed_gop(c, 0, 100);
    duration_us = 1900000;
    assert_int_equal(refusal_of(c), COPY_TIMES);
    duration_us = 0;
}

/* What is decoded in time and shown after a pause has the decoder wait, and all after
 * it. */
static void a_pause_before_a_keyframe_that_waits_is_refused(void **state)
{
    (void)state;
    struct copy_packet late = {.pts_us = 9000000,
                               .dts_us = 3920000,
                               .duration_us = FRAME_US,
                               .bytes = 1000,
                               .key = true};
    struct copy_cuts *c = opened();
    feed_gop(c, 0, 100);
    assert_int_equal(copy_cuts_feed(c, &late), RC_OK);
    assert_int_equal(refusal_of(c), COPY_PAUSED);
    c = opened();
    feed_gop(c, 0, 100);
    late.dts_us = 8920000;
    assert_int_equal(copy_cuts_feed(c, &late), RC_OK);
    assert_int_equal(refusal_of(c), COPY_FINE);
}

static void groups_are_put_together_to_about_four_seconds(void **state)
{
    (void)state;
    static const struct {
        int gop_frames, gops, segment_gops;
    } cases[] = {
        {100, 5, 1}, {25, 16, 4}, {75, 4, 1}, {50, 6, 2}, {250, 3, 1}, {1, 300, 100},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct copy_cuts *c = opened();
        for (int g = 0; g < cases[i].gops; g++)
            feed_gop(c, (int64_t)g * cases[i].gop_frames * FRAME_US,
                     cases[i].gop_frames);
        struct copy_found found = finished(c);
        int64_t frames = (int64_t)cases[i].gop_frames * cases[i].segment_gops;
        assert_int_equal(found.refusal, COPY_FINE);
        assert_int_equal(found.bounds.n, cases[i].gops / cases[i].segment_gops);
        for (int64_t k = 0; k < found.bounds.n; k++) {
            assert_int_equal(found.bounds.start_us[k], k * frames * FRAME_US);
            assert_int_equal(found.bounds.frames[k], frames);
        }
        assert_int_equal(found.bounds.start_us[found.bounds.n],
                         (int64_t)cases[i].gops * cases[i].gop_frames * FRAME_US);
        assert_int_equal(found.average_bitrate, 200001);
        assert_int_equal(found.peak_bitrate, 200001);
        bounds_free(&found.bounds);
    }
}

static void irregular_groups_end_where_that_is_nearest_to_four_seconds(void **state)
{
    (void)state;
    struct copy_cuts *c = opened();
    const int frames[] = {250, 35, 93, 175, 167}; /* a film at its scene cuts */
    int64_t at = 0;
    for (size_t i = 0; i < 5; at += frames[i] * FRAME_US, i++)
        feed_gop(c, at, frames[i]);
    struct copy_found found = finished(c);
    assert_int_equal(found.bounds.n, 4);
    assert_int_equal(found.bounds.frames[0], 250);
    assert_int_equal(found.bounds.frames[1], 35 + 93);
    assert_int_equal(found.bounds.frames[2], 175);
    assert_int_equal(found.bounds.frames[3], 167);
    assert_int_equal(found.frames, 720);
    bounds_free(&found.bounds);
}

static void times_count_from_the_start_of_the_timeline(void **state)
{
    (void)state;
    struct copy_cuts *c = opened();
    feed_gop(c, 5000000, 50);
    copy_cuts_start(c, 4980000);
    struct copy_found found = finished(c);
    assert_int_equal(found.bounds.start_us[0], 20000);
    assert_int_equal(found.bounds.start_us[1], 2020000);
    bounds_free(&found.bounds);
}

static void pictures_shown_before_their_keyframe_are_an_open_group(void **state)
{
    (void)state;
    struct copy_cuts *c = opened();
    feed_gop(c, 0, 50);
    struct copy_packet key = {2040000, 1960000, FRAME_US, 1, true, false};
    struct copy_packet leading = {2000000, 2000000, FRAME_US, 1, false, false};
    assert_int_equal(copy_cuts_feed(c, &key), RC_OK);
    assert_int_equal(copy_cuts_feed(c, &leading), RC_OK);
    assert_int_equal(refusal_of(c), COPY_OPEN_GOP);
}

static void a_picture_shown_after_the_next_keyframe_is_an_open_group(void **state)
{
    (void)state;
    struct copy_cuts *c = opened();
    feed_gop(c, 0, 50);
    struct copy_packet key = {1960000, 1960000, FRAME_US, 1, true, false};
    assert_int_equal(copy_cuts_feed(c, &key), RC_OK);
    assert_int_equal(refusal_of(c), COPY_OPEN_GOP);
}

static void what_an_edit_list_leaves_out_is_refused(void **state)
{
    (void)state;
    struct copy_cuts *c = opened();
    struct copy_packet hidden = {-80000, -80000, FRAME_US, 1, true, true};
    assert_int_equal(copy_cuts_feed(c, &hidden), RC_OK);
    feed_gop(c, 0, 50);
    assert_int_equal(refusal_of(c), COPY_EDITED);
}

static void a_file_has_to_begin_with_a_keyframe(void **state)
{
    (void)state;
    assert_int_equal(refusal_of(opened()), COPY_NO_KEYFRAME);
    struct copy_cuts *c = opened();
    struct copy_packet p = {0, 0, FRAME_US, 1, false, false};
    assert_int_equal(copy_cuts_feed(c, &p), RC_OK);
    feed_gop(c, FRAME_US, 50);
    assert_int_equal(refusal_of(c), COPY_NO_KEYFRAME);
}

static void groups_of_more_than_twenty_seconds_are_refused(void **state)
{
    (void)state;
    struct copy_cuts *c = opened();
    feed_gop(c, 0, 500);
    feed_gop(c, 20000000, 500);
    assert_int_equal(refusal_of(c), COPY_FINE);
    c = opened();
    feed_gop(c, 0, 502);
    feed_gop(c, 20080000, 50);
    assert_int_equal(refusal_of(c), COPY_LONG_GOP);
    c = opened(); /* the last one too */
    feed_gop(c, 0, 502);
    assert_int_equal(refusal_of(c), COPY_LONG_GOP);
}

static void a_picture_that_begins_late_is_refused(void **state)
{
    (void)state;
    struct copy_cuts *c = opened();
    feed_gop(c, COPY_LATE_US, 50);
    assert_int_equal(refusal_of(c), COPY_FINE);
    c = opened();
    feed_gop(c, COPY_LATE_US + 1, 50);
    assert_int_equal(refusal_of(c), COPY_LATE);
    c = opened();
    feed_gop(c, -1, 50);
    assert_int_equal(refusal_of(c), COPY_TIMES);
}

static void times_that_run_backwards_or_are_missing_are_refused(void **state)
{
    (void)state;
    struct copy_cuts *c = opened();
    feed_gop(c, 0, 50);
    struct copy_packet back = {3000000, 1000000, FRAME_US, 1, true, false};
    assert_int_equal(copy_cuts_feed(c, &back), RC_OK);
    assert_int_equal(refusal_of(c), COPY_TIMES);
    c = opened();
    struct copy_packet none = {MEDIA_UNKNOWN, 0, FRAME_US, 1, true, false};
    assert_int_equal(copy_cuts_feed(c, &none), RC_OK);
    assert_int_equal(refusal_of(c), COPY_TIMES);
}

static void more_bits_than_are_served_are_refused(void **state)
{
    (void)state;
    struct copy_cuts *c;
    assert_int_equal(copy_cuts_open(200000, &c), RC_OK);
    feed_gop(c, 0, 50);
    assert_int_equal(refusal_of(c), COPY_FINE);
    assert_int_equal(copy_cuts_open(199999, &c), RC_OK);
    feed_gop(c, 0, 50);
    assert_int_equal(refusal_of(c), COPY_TOO_RICH);
}

static void the_lines_of_ffprobe_say_the_same_however_they_are_cut(void **state)
{
    (void)state;
    static const char text[] = "1.000000|0.960000|0.040000|2000|K_\n"
                               "1.080000|1.000000|0.040000|500|__\n"
                               "1.040000|N/A|N/A|400|__|side_data\n"
                               "rubbish\n"
                               "5.000000|4.960000|0.040000|2000|K__\n"
                               "0.980000\n";
    for (size_t step = 1; step < 40; step++) {
        struct copy_cuts *c = opened();
        for (size_t at = 0; at < sizeof(text) - 1; at += step) {
            size_t left = sizeof(text) - 1 - at;
            assert_int_equal(
                copy_cuts_feed_text(c, text + at, left < step ? left : step), RC_OK);
        }
        struct copy_found found = finished(c);
        assert_int_equal(found.refusal, COPY_FINE);
        assert_int_equal(found.bounds.n, 2);
        assert_int_equal(found.bounds.start_us[0], 20000);
        assert_int_equal(found.bounds.start_us[1], 4020000);
        assert_int_equal(found.bounds.start_us[2], 4060000);
        assert_int_equal(found.bounds.frames[0], 3);
        bounds_free(&found.bounds);
    }
}

static void a_last_picture_of_unknown_duration_is_shown_as_long_as_usual(void **state)
{
    (void)state;
    struct copy_cuts *c = opened();
    for (int i = 0; i < 3; i++) {
        struct copy_packet p = {i * 50000, MEDIA_UNKNOWN, 0, 1, i == 0, false};
        assert_int_equal(copy_cuts_feed(c, &p), RC_OK);
    }
    struct copy_found found = finished(c);
    assert_int_equal(found.bounds.start_us[1], 150000);
    bounds_free(&found.bounds);
}

static void every_refusal_has_a_sentence(void **state)
{
    (void)state;
    assert_string_equal(copy_refusal_sentence(COPY_FINE), "");
    for (int r = COPY_FINE + 1; r <= COPY_TOO_RICH; r++)
        assert_true(strlen(copy_refusal_sentence((enum copy_refusal)r)) > 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_picture_that_ends_long_before_the_sound_is_refused),
        cmocka_unit_test(a_pause_before_a_keyframe_that_waits_is_refused),
        cmocka_unit_test(groups_are_put_together_to_about_four_seconds),
        cmocka_unit_test(
            it_ends_with_what_is_shown_last_or_a_still_that_is_decoded_last),
        cmocka_unit_test(pictures_that_are_all_shown_at_once_are_refused),
        cmocka_unit_test(irregular_groups_end_where_that_is_nearest_to_four_seconds),
        cmocka_unit_test(times_count_from_the_start_of_the_timeline),
        cmocka_unit_test(pictures_shown_before_their_keyframe_are_an_open_group),
        cmocka_unit_test(a_picture_shown_after_the_next_keyframe_is_an_open_group),
        cmocka_unit_test(what_an_edit_list_leaves_out_is_refused),
        cmocka_unit_test(a_file_has_to_begin_with_a_keyframe),
        cmocka_unit_test(groups_of_more_than_twenty_seconds_are_refused),
        cmocka_unit_test(a_picture_that_begins_late_is_refused),
        cmocka_unit_test(times_that_run_backwards_or_are_missing_are_refused),
        cmocka_unit_test(more_bits_than_are_served_are_refused),
        cmocka_unit_test(the_lines_of_ffprobe_say_the_same_however_they_are_cut),
        cmocka_unit_test(a_last_picture_of_unknown_duration_is_shown_as_long_as_usual),
        cmocka_unit_test(every_refusal_has_a_sentence),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
