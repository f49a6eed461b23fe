#include "plan_clips.h"

/* ---- times -------------------------------------------------------------- */

static void the_timeline_begins_where_the_file_begins(void **state)
{
    (void)state;
    struct clip c = usual;
    c.start = 5;
    const struct made *m = planned(&c, 30);
    assert_int_equal(m->plan.duration_us, 30000000);
    assert_int_equal(m->video->source_last_us, 29960000);
    assert_int_equal(m->audio->source_last_us, 29980000);
    c.start = -0.02;
    assert_int_equal(planned(&c, 30)->plan.duration_us, 30000000);
}

static void the_stream_that_ends_last_decides_the_length(void **state)
{
    (void)state;
    struct media_info info = probed(&usual);
    struct packet_scan scan;
    packet_scan_init(&scan);
    add_packets(&scan, 0, 0, 4, 0.04);
    add_packets(&scan, 1, 1, 10, 0.02);
    const struct made *m = make(&info, &scan, false);
    assert_int_equal(m->plan.duration_us, 10000000);
    assert_int_equal(m->video->frames, 300);
    assert_int_equal(m->video->source_last_us, 3960000);
}

static void one_picture_without_a_duration_is_one_frame(void **state)
{
    (void)state;
    struct clip c = {.width = 64, .height = 64, .start = 2};
    const struct made *m = planned(&c, 0);
    assert_int_equal(m->plan.duration_us, 40000);
    assert_int_equal(m->video->frames, 1);
    assert_int_equal(m->video->segments, 1);
    assert_int_equal(m->video->source_last_us, 0);
}

/* A rate of one frame in 68 years, say. */
static void one_picture_is_never_shown_for_longer_than_a_minute(void **state)
{
    (void)state;
    struct clip c = {.width = 64, .height = 64, .rate = "1/2147483647"};
    assert_int_equal(planned(&c, 0)->plan.duration_us, PACKET_LAST_MAX_US);
    c.rate = "1/7200";
    assert_int_equal(planned(&c, 0)->plan.duration_us, PACKET_LAST_MAX_US);
    c.rate = "1/10";
    assert_int_equal(planned(&c, 0)->plan.duration_us, 10000000);
}

/* 1500 pictures in a minute, of which the last one is shown for 8 s. */
static void a_still_last_picture_does_not_slow_down_the_others(void **state)
{
    (void)state;
    struct clip c = usual;
    c.rate = "37500/1699";
    c.base = "25/1";
    c.declared = "67.960000";
    struct media_info info = probed(&c);
    struct packet_scan scan = scanned(&c, 67.96);
    scan.streams[0] = (struct packet_stream){1500, 0, 59960000, 67960000, true};
    struct made *m = make(&info, &scan, false);
    assert_int_equal(m->plan.duration_us, 67960000);
    assert_int_equal(m->video->rate_num, 25);
    assert_int_equal(m->video->rate_den, 1);
    assert_int_equal(m->video->frames, 1699);
    assert_int_equal(m->plan.rate_num, 25);
    /* Some of the pictures tell nothing of the others. */
    scan.streams[0].all = false;
    m = make(&info, &scan, false);
    assert_int_equal(m->video->rate_num, 24000);
    assert_int_equal(m->plan.rate_num, 37500);
    /* What is near is what the file says, which is exact. */
    c.rate = "30000/1001";
    info = probed(&c);
    scan.streams[0] = (struct packet_stream){900, 0, 29996633, 30030000, true};
    m = make(&info, &scan, false);
    assert_int_equal(m->plan.rate_num, 30000);
    assert_int_equal(m->plan.rate_den, 1001);
}

static void a_source_that_ends_early_is_said_in_a_sentence(void **state)
{
    (void)state;
    struct clip c = usual;
    c.declared = "600.000000";
    assert_string_equal(
        planned(&c, 90)->plan.warning,
        "The file ends early: it should be 10:00 long, 1:30 of it could "
        "be read.");
    c.start = 100;
    assert_string_equal(
        planned(&c, 90)->plan.warning,
        "The file ends early: it should be 10:00 long, 1:30 of it could "
        "be read.");
    c.declared = "7205.400000";
    assert_string_equal(planned(&c, 3599.6)->plan.warning,
                        "The file ends early: it should be 2:00:05 long, 1:00:00 of it "
                        "could be read.");
}

static void two_warnings_are_two_sentences(void **state)
{
    (void)state;
    struct clip c = usual;
    c.sound = "unknown";
    c.declared = "600.000000";
    struct media_info info = probed(&c);
    struct packet_scan scan = scanned(&c, 90);
    assert_string_equal(
        make(&info, &scan, true)->plan.warning,
        "The file ends early: it should be 10:00 long, 1:30 of it could "
        "be read. The sound is in a format that cannot be decoded.");
}

static void a_difference_that_nobody_notices_is_not_told(void **state)
{
    (void)state;
    struct clip c = usual;
    c.declared = "1000.000000";
    assert_string_equal(planned(&c, 990)->plan.warning, "");
    assert_string_not_equal(planned(&c, 989)->plan.warning, "");
    c.declared = "10.000000";
    assert_string_equal(planned(&c, 9)->plan.warning, "");
    assert_string_not_equal(planned(&c, 8.9)->plan.warning, "");
    assert_string_equal(planned(&c, 10.9)->plan.warning, "");
    assert_string_equal(planned(&c, 20)->plan.warning,
                        "The file is longer than it says: 0:20 instead of 0:10.");
}

static void a_declared_length_is_nonsense_or_unknown_and_then_no_warning(void **state)
{
    (void)state;
    struct clip c = usual;
    c.declared = "1900000.000000"; /* three weeks, one second found */
    assert_string_equal(planned(&c, 1)->plan.warning, "");
    c.declared = NULL;
    assert_string_equal(planned(&c, 1)->plan.warning, "");
}

static void of_a_file_that_was_cut_off_that_is_said_if_nothing_more_can_be(void **state)
{
    (void)state;
    struct plan_limits cut = limits;
    struct video_plan plan;
    char error[STORE_TEXT_MAX + 1];
    struct clip c = usual;
    cut.cut_off = true;
    for (int i = 0; i < 3; i++) {
        static const char *const declared[] = {NULL, "1000.000000", "1200.000000"};
        c.declared = declared[i];
        struct media_info info = probed(&c);
        struct packet_scan scan = scanned(&c, 999.96);
        assert_int_equal(plan_make(&info, &scan, true, &cut, 1, &plan, error), RC_OK);
        assert_string_equal(
            plan.warning,
            i < 2 ? "The file was cut off before its end: 16:40 of it could be read."
                  : "The file ends early: it should be 20:00 long, 16:40 of it could "
                    "be read.");
    }
}

static void the_end_alone_says_nothing_of_what_is_missing(void **state)
{
    (void)state;
    struct clip c = usual;
    c.declared = "600.000000";
    struct media_info info = probed(&c);
    struct packet_scan scan = scanned(&c, 90);
    assert_string_equal(make(&info, &scan, false)->plan.warning, "");
}

static void times_at_the_limits_do_not_overflow(void **state)
{
    (void)state;
    static const double times[] = {-1e12, -1, 0, 1, 1e12};
    for (size_t i = 0; i < 5 * 5 * 5; i++) {
        double start = times[i / 25], declared = times[i / 5 % 5],
               packets = times[i % 5];
        char text[64];
        snprintf(text, sizeof(text), "%f", declared);
        struct clip c = usual, elsewhere = usual;
        c.start = start;
        c.declared = text;
        elsewhere.start = packets;
        struct media_info info = probed(&c);
        struct packet_scan scan = scanned(&elsewhere, 1);
        const struct made *m = make(&info, &scan, true);
        if (m->rc == RC_OK) {
            assert_in_range(m->plan.duration_us, 1, limits.max_duration_us);
            assert_true(m->video->frames > 0 && m->audio->frames > 0);
        }
        plan_times_agree(&info, &scan);
    }
}

/* ---- do the declared times agree with the packets? ---------------------- */

static void the_declared_end_is_that_of_the_later_stream(void **state)
{
    (void)state;
    struct media_info info = probed(&usual);
    assert_int_equal(plan_declared_end(&info), 30030000);
    info.streams[1].start_us = 2000000;
    assert_int_equal(plan_declared_end(&info), 32030000);
    info.streams[1].start_us = MEDIA_UNKNOWN;
    info.start_us = 1000000;
    assert_int_equal(plan_declared_end(&info), 31030000);
    info.streams[0].duration_us = info.streams[1].duration_us = MEDIA_UNKNOWN;
    assert_int_equal(plan_declared_end(&info), MEDIA_UNKNOWN);
    info.duration_us = 7000000;
    assert_int_equal(plan_declared_end(&info), 7000000);
    info.duration_us = -7000000;
    assert_int_equal(plan_declared_end(&info), MEDIA_UNKNOWN);
}

static bool agrees(double video_end, double audio_end)
{
    struct media_info info = probed(&usual);
    struct packet_scan tail;
    packet_scan_init(&tail);
    if (video_end > 0)
        add_packets(&tail, 0, video_end - 3, video_end, 0.04);
    if (audio_end > 0)
        add_packets(&tail, 1, audio_end - 3, audio_end, 0.02);
    return plan_times_agree(&info, &tail);
}

static void times_agree_if_both_streams_are_heard_of_and_the_end_is_right(void **state)
{
    (void)state;
    assert_true(agrees(30.03, 30.03));
    assert_true(agrees(30.03, 27)); /* one of them ends where the file does */
    assert_true(agrees(29.6, 29.54));
    assert_true(agrees(30.4, 30.53));
    assert_false(agrees(29.5, 29.5));  /* cut off */
    assert_false(agrees(30.6, 30.03)); /* longer than it says */
    assert_false(agrees(30.03, 0));    /* the sound stops somewhere before */
    assert_false(agrees(0, 30.03));
    assert_false(agrees(0, 0));
}

static void times_cannot_agree_with_what_is_not_stated(void **state)
{
    (void)state;
    struct clip c = usual;
    c.declared = NULL;
    struct media_info info = probed(&c);
    struct packet_scan tail = scanned(&c, 30);
    assert_false(plan_times_agree(&info, &tail));
    c.sound = NULL;
    c.declared = "30.000000";
    info = probed(&c);
    assert_true(plan_times_agree(&info, &tail));
    info.streams[0].still = true;
    assert_false(plan_times_agree(&info, &tail));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_timeline_begins_where_the_file_begins),
        cmocka_unit_test(the_stream_that_ends_last_decides_the_length),
        cmocka_unit_test(one_picture_without_a_duration_is_one_frame),
        cmocka_unit_test(one_picture_is_never_shown_for_longer_than_a_minute),
        cmocka_unit_test(a_source_that_ends_early_is_said_in_a_sentence),
        cmocka_unit_test(a_still_last_picture_does_not_slow_down_the_others),
        cmocka_unit_test(two_warnings_are_two_sentences),
        cmocka_unit_test(a_difference_that_nobody_notices_is_not_told),
        cmocka_unit_test(a_declared_length_is_nonsense_or_unknown_and_then_no_warning),
        cmocka_unit_test(
            of_a_file_that_was_cut_off_that_is_said_if_nothing_more_can_be),
        cmocka_unit_test(the_end_alone_says_nothing_of_what_is_missing),
        cmocka_unit_test(times_at_the_limits_do_not_overflow),
        cmocka_unit_test(the_declared_end_is_that_of_the_later_stream),
        cmocka_unit_test(times_agree_if_both_streams_are_heard_of_and_the_end_is_right),
        cmocka_unit_test(times_cannot_agree_with_what_is_not_stated),
    };
    return cmocka_run_group_tests_name("plan_times", tests, NULL, NULL);
}
