#include "check.h"

#include "playlist.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void media_playlist_promises_every_segment_and_ends(void **state)
{
    (void)state;
    struct grid g = {30000, 1001, 60, 130};
    char *text = NULL;
    assert_int_equal(playlist_media(&g, &text), RC_OK);
    assert_string_equal(text, "#EXTM3U\n"
                              "#EXT-X-VERSION:7\n"
                              "#EXT-X-TARGETDURATION:2\n"
                              "#EXT-X-MEDIA-SEQUENCE:0\n"
                              "#EXT-X-PLAYLIST-TYPE:VOD\n"
                              "#EXT-X-INDEPENDENT-SEGMENTS\n"
                              "#EXT-X-MAP:URI=\"init.mp4\"\n"
                              "#EXTINF:2.002000,\n0.m4s\n"
                              "#EXTINF:2.002000,\n1.m4s\n"
                              "#EXTINF:0.333667,\n2.m4s\n"
                              "#EXT-X-ENDLIST\n");
    free(text);
}

static void one_without_a_length_is_an_event_that_begins_at_its_start(void **state)
{
    (void)state;
    struct grid g = {25, 1, 50, 100};
    char *text = NULL;
    assert_int_equal(playlist_event(&g, &text), RC_OK);
    assert_string_equal(text, "#EXTM3U\n"
                              "#EXT-X-VERSION:7\n"
                              "#EXT-X-TARGETDURATION:2\n"
                              "#EXT-X-MEDIA-SEQUENCE:0\n"
                              "#EXT-X-PLAYLIST-TYPE:EVENT\n"
                              "#EXT-X-START:TIME-OFFSET=0,PRECISE=YES\n"
                              "#EXT-X-INDEPENDENT-SEGMENTS\n"
                              "#EXT-X-MAP:URI=\"init.mp4\"\n"
                              "#EXTINF:2.000000,\n0.m4s\n"
                              "#EXTINF:2.000000,\n1.m4s\n");
    free(text);
}

static void rounded_durations_add_up_to_the_exact_total(void **state)
{
    (void)state;
    struct grid g = {24000, 1001, 37, 100000}; /* a segment of 1.543208333… s */
    char *text = NULL;
    assert_int_equal(playlist_media(&g, &text), RC_OK);
    double sum = 0;
    for (const char *p = text; (p = strstr(p, "#EXTINF:")); p++)
        sum += strtod(p + 8, NULL);
    assert_float_equal(sum, 100000.0 * 1001 / 24000, 0.000002);
    free(text);
}

static void a_very_short_video_has_a_target_duration_of_one(void **state)
{
    (void)state;
    struct grid g = {25, 1, 50, 1};
    char *text = NULL;
    assert_int_equal(playlist_media(&g, &text), RC_OK);
    assert_non_null(strstr(text, "#EXT-X-TARGETDURATION:1\n"));
    assert_non_null(strstr(text, "#EXTINF:0.040000,\n0.m4s\n#EXT-X-ENDLIST\n"));
    free(text);
}

static void master_lists_audio_apart(void **state)
{
    (void)state;
    struct playlist_variant v = {.uri = "360p-1/index.m3u8",
                                 .bandwidth = 1000000,
                                 .average_bandwidth = 700000,
                                 .codecs = "avc1.42c01e,mp4a.40.2",
                                 .width = 640,
                                 .height = 360,
                                 .rate_num = 30000,
                                 .rate_den = 1001};
    struct playlist_audio a = {"audio-0-1/index.m3u8", "Audio", "en", 1, 2};
    char *text = NULL;
    assert_int_equal(playlist_master(&v, 1, &a, 1, NULL, 0, &text), RC_OK);
    assert_string_equal(
        text,
        "#EXTM3U\n#EXT-X-VERSION:7\n#EXT-X-INDEPENDENT-SEGMENTS\n"
        "#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"audio\",NAME=\"Audio\",LANGUAGE=\"en\","
        "DEFAULT=YES,AUTOSELECT=YES,CHANNELS=\"2\",URI=\"audio-0-1/index.m3u8\"\n"
        "#EXT-X-STREAM-INF:BANDWIDTH=1000000,AVERAGE-BANDWIDTH=700000,"
        "CODECS=\"avc1.42c01e,mp4a.40.2\",RESOLUTION=640x360,FRAME-RATE=29.970,"
        "AUDIO=\"audio\"\n360p-1/index.m3u8\n");
    free(text);
}

static void master_without_audio_names_no_group(void **state)
{
    (void)state;
    struct playlist_variant v = {
        "360p-1/index.m3u8", 1, 0, "avc1.42c01e", 2, 2, 25, 1, NULL};
    char *text = NULL;
    assert_int_equal(playlist_master(&v, 1, NULL, 0, NULL, 0, &text), RC_OK);
    assert_null(strstr(text, "AUDIO"));
    assert_null(strstr(text, "AVERAGE"));
    free(text);
}

static void master_has_each_variant_offer_the_subtitles(void **state)
{
    (void)state;
    struct playlist_variant v[] = {
        {"360p-1/index.m3u8", 1, 0, "avc1.42c01e", 2, 2, 25, 1, NULL},
        {"source-1/index.m3u8", 2, 0, "avc1.42c01e", 4, 4, 25, 1, NULL}};
    struct playlist_subtitles s[] = {{"subs/de.m3u8", "German", "de", 0},
                                     {"subs/und.m3u8", "Signs", NULL, 1}};
    char *text = NULL;
    assert_int_equal(playlist_master(v, 2, NULL, 0, s, 2, &text), RC_OK);
    assert_string_equal(
        text, "#EXTM3U\n#EXT-X-VERSION:7\n#EXT-X-INDEPENDENT-SEGMENTS\n"
              "#EXT-X-MEDIA:TYPE=SUBTITLES,GROUP-ID=\"subs\",NAME=\"German\","
              "LANGUAGE=\"de\",DEFAULT=NO,AUTOSELECT=YES,FORCED=NO,URI=\"subs/"
              "de.m3u8\"\n"
              "#EXT-X-MEDIA:TYPE=SUBTITLES,GROUP-ID=\"subs\",NAME=\"Signs\","
              "DEFAULT=NO,AUTOSELECT=YES,FORCED=YES,URI=\"subs/und.m3u8\"\n"
              "#EXT-X-STREAM-INF:BANDWIDTH=1,CODECS=\"avc1.42c01e\",RESOLUTION=2x2,"
              "FRAME-RATE=25.000,SUBTITLES=\"subs\"\n360p-1/index.m3u8\n"
              "#EXT-X-STREAM-INF:BANDWIDTH=2,CODECS=\"avc1.42c01e\",RESOLUTION=4x4,"
              "FRAME-RATE=25.000,SUBTITLES=\"subs\"\nsource-1/index.m3u8\n");
    free(text);
    text = NULL;
    s[1].name = "a\"b";
    assert_int_equal(playlist_master(v, 2, NULL, 0, s, 2, &text), RC_INVALID);
    assert_null(text);
}

static void subtitles_are_one_segment_as_long_as_the_video(void **state)
{
    (void)state;
    char *text = NULL;
    assert_int_equal(playlist_text("pt-BR", 61040000, &text), RC_OK);
    assert_string_equal(text, "#EXTM3U\n#EXT-X-VERSION:7\n#EXT-X-TARGETDURATION:62\n"
                              "#EXT-X-MEDIA-SEQUENCE:0\n#EXT-X-PLAYLIST-TYPE:VOD\n"
                              "#EXTINF:61.040000,\npt-BR.vtt\n#EXT-X-ENDLIST\n");
    free(text);
}

static void text_that_would_break_a_quoted_string_is_refused(void **state)
{
    (void)state;
    struct playlist_audio a = {"x", "a\"b", NULL, 1, 1};
    char *text = NULL;
    assert_int_equal(playlist_master(NULL, 0, &a, 1, NULL, 0, &text), RC_INVALID);
    a = (struct playlist_audio){"x", "b", "e\nn", 1, 1};
    assert_int_equal(playlist_master(NULL, 0, &a, 1, NULL, 0, &text), RC_INVALID);
    assert_null(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(media_playlist_promises_every_segment_and_ends),
        cmocka_unit_test(one_without_a_length_is_an_event_that_begins_at_its_start),
        cmocka_unit_test(rounded_durations_add_up_to_the_exact_total),
        cmocka_unit_test(a_very_short_video_has_a_target_duration_of_one),
        cmocka_unit_test(master_lists_audio_apart),
        cmocka_unit_test(master_without_audio_names_no_group),
        cmocka_unit_test(master_has_each_variant_offer_the_subtitles),
        cmocka_unit_test(subtitles_are_one_segment_as_long_as_the_video),
        cmocka_unit_test(text_that_would_break_a_quoted_string_is_refused),
    };
    return cmocka_run_group_tests_name("playlist", tests, NULL, NULL);
}
