#include "mp4_build.h"

#include "packet_scan.h"

#include <stdio.h>
#include <string.h>

static struct packet_scan scan;

static int setup(void **state)
{
    (void)state;
    memset(&scan, 0x5a, sizeof(scan));
    packet_scan_init(&scan);
    return 0;
}

static void feed(const char *text)
{
    packet_scan_feed(&scan, text, strlen(text));
}

static void assert_stream(int i, int64_t packets, int64_t first, int64_t last,
                          int64_t end)
{
    const struct packet_stream *s = &scan.streams[i];
    assert_int_equal(s->packets, packets);
    assert_int_equal(s->first_us, first);
    assert_int_equal(s->last_us, last);
    assert_int_equal(s->end_us, end);
}

static void first_last_and_end_are_by_presentation_time(void **state)
{
    (void)state;
    feed("0|0.000000|-0.066733|0.033367|K_\n"
         "0|0.100100|-0.033367|0.033367|__\n"
         "0|0.066733|0.000000|0.033367|__\n");
    assert_stream(0, 3, 0, 100100, 133467);
    assert_int_equal(scan.streams[1].packets, 0);
}

static void streams_are_kept_apart(void **state)
{
    (void)state;
    feed("0|5.000000|5.000000|0.040000|K_\n1|-0.023220|-0.023220|0.023220|K_\n"
         "63|1.000000|1.000000|1.000000|K_\n1|0.000000|0.000000|0.023220|K_\n");
    assert_stream(0, 1, 5000000, 5000000, 5040000);
    assert_stream(1, 2, -23220, 0, 23220);
    assert_stream(63, 1, 1000000, 1000000, 2000000);
}

/* The packet that ends last need not be the one that begins last. */
static void the_end_is_that_of_the_packet_that_ends_last(void **state)
{
    (void)state;
    feed("0|1.000000|1.000000|10.000000|K_\n0|2.000000|2.000000|0.500000|K_\n");
    assert_stream(0, 2, 1000000, 2000000, 11000000);
}

static void packets_that_an_edit_list_leaves_out_do_not_count(void **state)
{
    (void)state;
    /* As written by ffprobe 5.1, whose side data leave a bar and an empty line. */
    feed("1|-0.023220|-0.023220|0.023220|KD|\n\n1|0.000000|0.000000|0.023220|K_\n"
         "1|0.023220|0.023220|0.023220|_D\n");
    assert_stream(1, 1, 0, 0, 23220);
}

static void a_packet_without_a_presentation_time_counts_by_its_decode_time(void **state)
{
    (void)state;
    feed("0|N/A|1.500000|0.500000|K_\n0|N/A|N/A|0.500000|__\n");
    assert_stream(0, 1, 1500000, 1500000, 2000000);
}

static void a_duration_that_is_not_known_or_negative_is_none(void **state)
{
    (void)state;
    feed("0|1.000000|1.000000|N/A|K_\n");
    assert_stream(0, 1, 1000000, 1000000, 1000000);
    feed("1|1.000000|1.000000|-5.000000|K_\n");
    assert_stream(1, 1, 1000000, 1000000, 1000000);
    feed("2|1.000000|1.000000\n");
    assert_stream(2, 1, 1000000, 1000000, 1000000);
}

static void the_last_frame_is_shown_for_a_minute_at_most(void **state)
{
    (void)state;
    feed("0|0.000000|0.000000|1900000.000000|K_\n");
    assert_stream(0, 1, 0, 0, PACKET_LAST_MAX_US);
}

static void the_same_is_found_for_every_split(void **state)
{
    (void)state;
    static const char text[] = "0|0.000000|-0.066733|0.033367|K_\n"
                               "1|-0.023220|-0.023220|0.023220|KD|\n\n"
                               "1|0.000000|0.000000|0.023220|K_\n"
                               "0|0.066733|0.000000|0.033367|__\n";
    struct packet_scan whole;
    feed(text);
    whole = scan;
    assert_int_equal(whole.streams[0].packets, 2);
    for (size_t cut = 0; cut < sizeof(text); cut++) {
        packet_scan_init(&scan);
        packet_scan_feed(&scan, text, cut);
        packet_scan_feed(&scan, text + cut, sizeof(text) - 1 - cut);
        assert_memory_equal(scan.streams, whole.streams, sizeof(scan.streams));
    }
    packet_scan_init(&scan);
    for (size_t i = 0; i < sizeof(text) - 1; i++)
        packet_scan_feed(&scan, text + i, 1);
    assert_memory_equal(scan.streams, whole.streams, sizeof(scan.streams));
}

static void a_line_that_has_not_ended_does_not_count(void **state)
{
    (void)state;
    feed("0|1.000000|1.000000|0.040000|K_");
    assert_int_equal(scan.streams[0].packets, 0);
    feed("\n");
    assert_int_equal(scan.streams[0].packets, 1);
}

static void lines_that_do_not_parse_are_passed_over(void **state)
{
    (void)state;
    static const struct packet_scan nothing;
    static const char *const bad[] = {
        "",
        "|",
        "||||",
        "0",
        "0|1.0",
        "x|1.0|1.0|1.0|K_",
        "0x|1.0|1.0|1.0|K_",
        "-1|1.0|1.0|1.0|K_",
        "64|1.0|1.0|1.0|K_",
        "99999999999999999999|1.0|1.0|1.0|K_",
        "0|x|x|1.0|K_",
        "0|nan|inf|1.0|K_",
        "0|1e13|-1e13|1.0|K_",
        "{\"streams\":[]}",
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        feed(bad[i]);
        feed("\n");
    }
    assert_memory_equal(scan.streams, nothing.streams, sizeof(scan.streams));
    packet_scan_feed(&scan, "0|\0|1|\n\n", 8);
    assert_int_equal(scan.streams[0].packets, 0);
}

static void an_endless_line_is_harmless(void **state)
{
    (void)state;
    for (int i = 0; i < 100000; i++)
        feed("|");
    feed("\n0|1.000000|1.000000|0.040000|K_\n");
    assert_stream(0, 1, 1000000, 1000000, 1040000);
}

static void the_largest_times_do_not_overflow(void **state)
{
    (void)state;
    feed("0|1e12|1e12|1e12|K_\n0|-1e12|-1e12|1e12|K_\n");
    assert_stream(0, 2, -1000000000000000000, 1000000000000000000,
                  1000000000000000000 + PACKET_LAST_MAX_US);
}

static void an_index_tells_how_long_the_last_picture_is_shown(void **state)
{
    (void)state;
    struct trak both[] = {plain_video, plain_audio};
    both[0].durations = (struct list)LIST(5, 40, 1, 8000);
    both[0].duration = 8200;
    feed("0|0.200000|0.160000|0.040000|__\n"
         "0|0.240000|0.200000|0.040000|__\n"
         "1|0.042667|0.042667|0.021333|K_\n");
    packet_scan_take_index(&scan, of(both, 2));
    assert_stream(0, 6, 40000, 240000, 8200000);
    assert_true(scan.streams[0].all);
    assert_stream(1, 1, 42667, 42667, 64000); /* its end was not seen */
    assert_false(scan.streams[1].all);
    close_index(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(first_last_and_end_are_by_presentation_time, setup),
        cmocka_unit_test_setup(streams_are_kept_apart, setup),
        cmocka_unit_test_setup(the_end_is_that_of_the_packet_that_ends_last, setup),
        cmocka_unit_test_setup(packets_that_an_edit_list_leaves_out_do_not_count,
                               setup),
        cmocka_unit_test_setup(
            a_packet_without_a_presentation_time_counts_by_its_decode_time, setup),
        cmocka_unit_test_setup(a_duration_that_is_not_known_or_negative_is_none, setup),
        cmocka_unit_test_setup(the_last_frame_is_shown_for_a_minute_at_most, setup),
        cmocka_unit_test_setup(an_index_tells_how_long_the_last_picture_is_shown,
                               setup),
        cmocka_unit_test_setup(the_same_is_found_for_every_split, setup),
        cmocka_unit_test_setup(a_line_that_has_not_ended_does_not_count, setup),
        cmocka_unit_test_setup(lines_that_do_not_parse_are_passed_over, setup),
        cmocka_unit_test_setup(an_endless_line_is_harmless, setup),
        cmocka_unit_test_setup(the_largest_times_do_not_overflow, setup),
    };
    return cmocka_run_group_tests_name("packet_scan", tests, NULL, NULL);
}
