#include "check.h"

#include "media_info.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* ---- answers of ffprobe ------------------------------------------------- */

/* A telephone's clip: turned by its display matrix, a cover picture before the video,
 * two languages of sound of which the second is the default, and a data stream. */
static const char telephone[] =
    "{\"streams\":["
    "{\"index\":0,\"codec_name\":\"mjpeg\",\"codec_type\":\"video\",\"width\":600,"
    "\"height\":600,\"has_b_frames\":0,\"sample_aspect_ratio\":\"1:1\","
    "\"field_order\":\"progressive\",\"r_frame_rate\":\"90000/1\","
    "\"avg_frame_rate\":\"0/0\",\"start_time\":\"0.000000\",\"duration\":\"9.509000\","
    "\"disposition\":{\"default\":1,\"attached_pic\":1,\"timed_thumbnails\":0}},"
    "{\"index\":1,\"codec_name\":\"h264\",\"profile\":\"High\",\"codec_type\":"
    "\"video\","
    "\"width\":1920,\"height\":1080,\"coded_width\":1920,\"coded_height\":1088,"
    "\"level\":40,\"bit_rate\":\"9001000\","
    "\"has_b_frames\":2,\"sample_aspect_ratio\":\"1:1\",\"pix_fmt\":\"yuv420p\","
    "\"field_order\":\"progressive\",\"id\":\"0x1\",\"r_frame_rate\":\"30/1\","
    "\"avg_frame_rate\":\"26730000/885901\",\"time_base\":\"1/90000\",\"start_pts\":0,"
    "\"start_time\":\"0.033000\",\"duration\":\"9.500000\",\"nb_frames\":\"285\","
    "\"disposition\":{\"default\":1,\"dub\":0,\"attached_pic\":0},"
    "\"tags\":{\"language\":\"und\"},\"side_data_list\":[{\"side_data_type\":"
    "\"Display Matrix\",\"displaymatrix\":\"\\n00000000:  0  65536  0\\n\","
    "\"rotation\":-90}]},"
    "{\"index\":2,\"codec_name\":\"aac\",\"codec_type\":\"audio\","
    "\"sample_rate\":\"44100\",\"channels\":1,\"channel_layout\":\"mono\","
    "\"r_frame_rate\":\"0/0\",\"avg_frame_rate\":\"0/0\",\"start_time\":\"-0.023220\","
    "\"duration\":\"9.512000\",\"disposition\":{\"default\":0}},"
    "{\"index\":3,\"codec_name\":\"aac\",\"codec_type\":\"audio\",\"channels\":2,"
    "\"r_frame_rate\":\"0/0\",\"avg_frame_rate\":\"0/0\",\"start_time\":\"0.000000\","
    "\"duration\":\"9.512000\",\"disposition\":{\"default\":1},"
    "\"tags\":{\"language\":\"ger\",\"title\":\" The director\\tspeaks\"}},"
    "{\"index\":4,\"codec_type\":\"data\",\"codec_tag_string\":\"mebx\","
    "\"r_frame_rate\":\"0/0\",\"disposition\":{\"default\":1}}"
    "],\"format\":{\"filename\":\"clip.mov\",\"nb_streams\":5,"
    "\"format_name\":\"mov,mp4,m4a,3gp,3g2,mj2\",\"start_time\":\"-0.023220\","
    "\"duration\":\"9.533000\",\"size\":\"20000000\",\"tags\":{\"title\":\"\\u00e9\"}}"
    "}";

/* A recording from television: interlaced, anamorphic, and without times in its
 * streams, as in Matroska. */
static const char recording[] =
    "{\"streams\":[{\"index\":0,\"codec_name\":\"mpeg2video\",\"codec_type\":\"video\","
    "\"width\":720,\"height\":576,\"has_b_frames\":1,\"sample_aspect_ratio\":\"64:45\","
    "\"display_aspect_ratio\":\"16:9\",\"field_order\":\"tt\",\"r_frame_rate\":\"25/"
    "1\","
    "\"avg_frame_rate\":\"25/1\",\"start_time\":\"5.000000\",\"duration\":\"N/A\","
    "\"disposition\":{\"default\":0}},{\"index\":1,\"codec_name\":\"unknown\","
    "\"codec_type\":\"audio\",\"channels\":6,\"disposition\":{\"default\":1}},"
    "{\"index\":2,\"codec_name\":\"mp2\",\"codec_type\":\"audio\",\"channels\":2,"
    "\"start_time\":\"5.024000\"}],"
    "\"format\":{\"start_time\":\"5.000000\",\"duration\":\"3600.040000\"}}";

/* ---- helpers ------------------------------------------------------------ */

static struct media_info parsed(const char *json)
{
    struct media_info info;
    memset(&info, 0x5a, sizeof(info));
    assert_int_equal(media_info_parse(json, strlen(json), &info), RC_OK);
    return info;
}

/* A video stream of which nothing is known but these fields. */
static struct media_stream stream_with(const char *fields)
{
    char json[2048];
    snprintf(json, sizeof(json),
             "{\"streams\":[{\"codec_type\":\"video\",\"codec_name\":\"vp9\"%s%s}],"
             "\"format\":{}}",
             *fields ? "," : "", fields);
    struct media_info info = parsed(json);
    assert_int_equal(info.n_streams, 1);
    return info.streams[0];
}

static void assert_ratio(struct rational r, int64_t num, int64_t den)
{
    assert_int_equal(r.num, num);
    assert_int_equal(r.den, den);
}

/* ---- tests -------------------------------------------------------------- */

static void a_stream_is_read_field_by_field(void **state)
{
    (void)state;
    struct media_info info = parsed(telephone);
    const struct media_stream *v = &info.streams[1], *a = &info.streams[2];
    assert_int_equal(info.n_streams, 5);
    assert_int_equal(info.start_us, -23220);
    assert_int_equal(info.duration_us, 9533000);
    assert_int_equal(v->index, 1);
    assert_int_equal(v->kind, MEDIA_VIDEO);
    assert_string_equal(v->codec, "h264");
    assert_int_equal(v->width, 1920);
    assert_int_equal(v->height, 1080);
    assert_ratio(v->sar, 1, 1);
    assert_int_equal(v->rotation, 90);
    assert_false(v->interlaced);
    assert_false(v->still);
    assert_true(v->is_default);
    assert_true(v->reordered);
    assert_ratio(v->average_rate, 26730000, 885901);
    assert_ratio(v->base_rate, 30, 1);
    assert_int_equal(v->start_us, 33000);
    assert_int_equal(v->duration_us, 9500000);
    assert_int_equal(a->kind, MEDIA_AUDIO);
    assert_string_equal(v->profile, "High");
    assert_int_equal(v->level, 40);
    assert_int_equal(v->bitrate, 9001000);
    assert_string_equal(v->pixels, "yuv420p");
    assert_string_equal(v->language, ""); /* und */
    assert_string_equal(info.streams[3].language, "ger");
    assert_string_equal(info.streams[3].title, "The director speaks");
    assert_int_equal(a->channels, 1);
    assert_int_equal(a->sample_rate, 44100);
    assert_int_equal(a->start_us, -23220);
    assert_ratio(a->average_rate, 0, 1);
    assert_int_equal(info.streams[4].kind, MEDIA_OTHER);
    assert_string_equal(info.streams[4].codec, "");
}

static void what_is_not_stated_is_unknown(void **state)
{
    (void)state;
    struct media_info info = parsed(recording);
    assert_int_equal(info.start_us, 5000000);
    assert_int_equal(info.streams[0].start_us, 5000000);
    assert_int_equal(info.streams[0].duration_us, MEDIA_UNKNOWN);
    assert_int_equal(info.streams[1].start_us, MEDIA_UNKNOWN);
    assert_string_equal(info.streams[1].codec, "");
    assert_true(info.streams[0].interlaced);
    assert_ratio(info.streams[0].sar, 64, 45);

    info = parsed("{\"streams\":[],\"format\":{\"start_time\":\"N/A\"}}");
    assert_int_equal(info.n_streams, 0);
    assert_int_equal(info.start_us, 0);
    assert_int_equal(info.duration_us, MEDIA_UNKNOWN);

    struct media_stream s = stream_with("");
    assert_int_equal(s.width, 0);
    assert_ratio(s.sar, 1, 1);
    assert_ratio(s.average_rate, 0, 1);
    assert_int_equal(s.duration_us, MEDIA_UNKNOWN);
}

static void a_cover_picture_is_not_the_video(void **state)
{
    (void)state;
    struct media_info info = parsed(telephone);
    assert_true(info.streams[0].still);
    assert_int_equal(media_info_video(&info)->index, 1);
    info.n_streams = 1;
    assert_null(media_info_video(&info));
    assert_true(stream_with("\"disposition\":{\"timed_thumbnails\":1}").still);
}

static void pictures_and_sounds_are_found_among_all_streams(void **state)
{
    (void)state;
    static const struct media_info some = {.n_streams = 5,
                                           .streams = {{.kind = MEDIA_OTHER},
                                                       {.kind = MEDIA_VIDEO},
                                                       {.kind = MEDIA_SUBTITLE},
                                                       {.kind = MEDIA_AUDIO},
                                                       {.kind = MEDIA_OTHER}}};
    static const size_t next[] = {1, 1, 3, 3, 5, 5, 6};
    for (size_t i = 0; i < COUNT(next); i++)
        assert_int_equal(media_info_next_av(&some, i), next[i]);
}

static void the_default_stream_wins_and_then_the_first(void **state)
{
    (void)state;
    struct media_info info = parsed(telephone);
    assert_int_equal(media_info_audio(&info)->index, 3);
    info.streams[3].is_default = false;
    assert_int_equal(media_info_audio(&info)->index, 2);
    info.streams[2].is_default = info.streams[3].is_default = true;
    assert_int_equal(media_info_audio(&info)->index, 2);
    info.streams[4] = info.streams[1];
    info.streams[4].index = 4;
    info.streams[1].is_default = false;
    assert_int_equal(media_info_video(&info)->index, 4);
}

static void a_stream_that_cannot_be_decoded_is_not_chosen(void **state)
{
    (void)state;
    struct media_info info = parsed(recording);
    assert_int_equal(media_info_audio(&info)->index, 2);
    info.streams[2].channels = 0;
    assert_null(media_info_audio(&info));
    info.streams[0].height = 0;
    assert_null(media_info_video(&info));
}

static void a_video_that_moves_is_preferred_to_one_without_a_rate(void **state)
{
    (void)state;
    struct media_info info = parsed(telephone);
    info.streams[0].still = false;
    info.streams[1].is_default = false;
    assert_int_equal(media_info_video(&info)->index, 1);
    info.streams[1].average_rate = (struct rational){0, 1};
    assert_int_equal(media_info_video(&info)->index, 0);
}

static void rotation_is_by_quarters_clockwise(void **state)
{
    (void)state;
    static const struct {
        const char *rotation;
        int degrees;
    } cases[] = {
        {"0", 0},      {"-90", 90},  {"90", 270},   {"180", 180},  {"-180", 180},
        {"-270", 270}, {"270", 90},  {"-89.7", 90}, {"-44", 0},    {"-46", 90},
        {"360", 0},    {"-450", 90}, {"1e300", 0},  {"-1e300", 0}, {"\"90\"", 0},
        {"null", 0},   {"[90]", 0},  {"35999", 0},  {"-36090", 0},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        char fields[256];
        snprintf(fields, sizeof(fields),
                 "\"side_data_list\":[{\"side_data_type\":\"Content light level\"},"
                 "{\"side_data_type\":\"Display Matrix\",\"rotation\":%s}]",
                 cases[i].rotation);
        if (stream_with(fields).rotation != cases[i].degrees)
            fail_msg("rotation %s", cases[i].rotation);
    }
    assert_int_equal(stream_with("\"side_data_list\":{\"rotation\":-90}").rotation, 0);
    assert_int_equal(stream_with("\"side_data_list\":[-90,null]").rotation, 0);
}

static void field_order_tells_interlaced_from_progressive(void **state)
{
    (void)state;
    static const char *const interlaced[] = {"tt", "bb", "tb", "bt"};
    static const char *const whole[] = {"progressive", "unknown", "", "t", "ttt"};
    char fields[64];
    for (size_t i = 0; i < COUNT(interlaced); i++) {
        snprintf(fields, sizeof(fields), "\"field_order\":\"%s\"", interlaced[i]);
        assert_true(stream_with(fields).interlaced);
    }
    for (size_t i = 0; i < COUNT(whole); i++) {
        snprintf(fields, sizeof(fields), "\"field_order\":\"%s\"", whole[i]);
        assert_false(stream_with(fields).interlaced);
    }
}

static void ratios_that_make_no_sense_are_unknown(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "0/0",
        "0/1",
        "1/0",
        "-25/1",
        "25/-1",
        "25",
        "25:1",
        "25/1x",
        "/",
        "",
        "1//2",
        "2147483648/1",
        "1/99999999999999999999999",
        "nan/1",
        "0x19/1",
    };
    char fields[128];
    for (size_t i = 0; i < COUNT(bad); i++) {
        snprintf(fields, sizeof(fields), "\"avg_frame_rate\":\"%s\"", bad[i]);
        assert_ratio(stream_with(fields).average_rate, 0, 1);
    }
    assert_ratio(stream_with("\"avg_frame_rate\":25").average_rate, 0, 1);
    assert_ratio(stream_with("\"avg_frame_rate\":\"2147483647/1\"").average_rate,
                 INT32_MAX, 1);
    assert_ratio(stream_with("\"sample_aspect_ratio\":\"0:1\"").sar, 1, 1);
    assert_ratio(stream_with("\"sample_aspect_ratio\":\"4/3\"").sar, 1, 1);
    assert_ratio(stream_with("\"sample_aspect_ratio\":\"8:9\"").sar, 8, 9);
}

static void values_of_a_wrong_type_or_size_are_unknown(void **state)
{
    (void)state;
    static const char *const sizes[] = {
        "-1",   "0",  "1000001", "9223372036854775807", "\"640\"", "640.5",
        "true", "{}", "[]",
    };
    char fields[128];
    for (size_t i = 0; i < COUNT(sizes); i++) {
        snprintf(fields, sizeof(fields), "\"width\":%s,\"height\":1000000", sizes[i]);
        struct media_stream s = stream_with(fields);
        assert_int_equal(s.width, 0);
        assert_int_equal(s.height, 1000000);
    }
    struct media_stream s =
        stream_with("\"start_time\":12,\"duration\":[\"1\"],\"disposition\":[1],"
                    "\"field_order\":1,\"channels\":\"2\"");
    assert_int_equal(s.start_us, MEDIA_UNKNOWN);
    assert_int_equal(s.duration_us, MEDIA_UNKNOWN);
    assert_false(s.still || s.is_default || s.interlaced);
}

static void streams_may_be_anything(void **state)
{
    (void)state;
    struct media_info info =
        parsed("{\"streams\":[null,1,\"x\",[],{},{\"codec_type\":7,\"codec_name\":{}}],"
               "\"format\":{}}");
    assert_int_equal(info.n_streams, 6);
    for (size_t i = 0; i < info.n_streams; i++)
        assert_int_equal(info.streams[i].kind, MEDIA_OTHER);
    assert_null(media_info_video(&info));
    assert_null(media_info_audio(&info));
}

static void a_long_codec_name_is_cut(void **state)
{
    (void)state;
    char json[512], name[101];
    memset(name, 'c', sizeof(name) - 1);
    name[sizeof(name) - 1] = '\0';
    snprintf(json, sizeof(json),
             "{\"streams\":[{\"codec_name\":\"%s\"}],\"format\":{}}", name);
    struct media_info info = parsed(json);
    assert_int_equal(strlen(info.streams[0].codec), sizeof(info.streams[0].codec) - 1);
}

static void ten_thousand_streams_are_cut_at_the_limit(void **state)
{
    (void)state;
    static const char one[] = "{\"index\":77,\"codec_type\":\"audio\",\"channels\":2,"
                              "\"codec_name\":\"aac\"},";
    const size_t n = sizeof(one) - 1;
    char *json = malloc(n * 10000 + 64);
    struct media_info info;
    assert_non_null(json);
    size_t at = (size_t)sprintf(json, "{\"streams\":[");
    for (int i = 0; i < 10000; i++, at += n)
        memcpy(json + at, one, n);
    at += (size_t)sprintf(json + at - 1, "],\"format\":{}}") - 1;
    assert_int_equal(media_info_parse(json, at, &info), RC_OK);
    assert_int_equal(info.n_streams, MEDIA_STREAMS_MAX);
    assert_int_equal(info.streams[MEDIA_STREAMS_MAX - 1].index, 77);
    free(json);
}

static void what_is_not_ffprobes_json_is_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",
        "{",
        "null",
        "[]",
        "{}",
        "not json",
        "{\"streams\":[]}",
        "{\"format\":{}}",
        "{\"streams\":{},\"format\":{}}",
        "{\"streams\":[],\"format\":[]}",
        "{\"streams\":[],\"format\":{}} more",
        "{\"streams\":[{\"index\":9223372036854775808}],\"format\":{}}",
        "{\"streams\":[{\"x\":1e999}],\"format\":{}}",
        "{\"streams\":[{\"x\":\"\xff\"}],\"format\":{}}",
    };
    struct media_info info = {.n_streams = 7};
    for (size_t i = 0; i < COUNT(bad); i++)
        assert_int_equal(media_info_parse(bad[i], strlen(bad[i]), &info), RC_INVALID);
    assert_int_equal(info.n_streams, 7);
}

static void an_answer_cut_anywhere_is_refused(void **state)
{
    (void)state;
    struct media_info info;
    for (size_t n = 0; n < sizeof(telephone) - 1; n++) {
        char *part = malloc(n + 1); /* of its own, so that a byte too far is noticed */
        assert_non_null(part);
        memcpy(part, telephone, n);
        assert_int_equal(media_info_parse(part, n, &info), RC_INVALID);
        free(part);
    }
}

static void deep_nesting_is_refused(void **state)
{
    (void)state;
    static char json[200000];
    struct media_info info;
    memset(json, '[', sizeof(json));
    assert_int_equal(media_info_parse(json, sizeof(json), &info), RC_INVALID);
}

static void times_are_microseconds(void **state)
{
    (void)state;
    assert_int_equal(media_time_us("12.345678"), 12345678);
    assert_int_equal(media_time_us("-0.000023"), -23);
    assert_int_equal(media_time_us("0.000000"), 0);
    assert_int_equal(media_time_us("86400"), 86400000000);
    assert_int_equal(media_time_us("1000000000000"), 1000000000000000000);
    assert_int_equal(media_time_us("-1000000000000"), -1000000000000000000);
}

static void times_that_make_no_sense_are_unknown(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "N/A",           "",      "x",    "1s", "1.0 ", "nan", "inf", "-inf",
        "1000000000001", "1e300", "1:00",
    };
    for (size_t i = 0; i < COUNT(bad); i++)
        assert_int_equal(media_time_us(bad[i]), MEDIA_UNKNOWN);
    assert_int_equal(media_time_us(NULL), MEDIA_UNKNOWN);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_stream_is_read_field_by_field),
        cmocka_unit_test(what_is_not_stated_is_unknown),
        cmocka_unit_test(a_cover_picture_is_not_the_video),
        cmocka_unit_test(pictures_and_sounds_are_found_among_all_streams),
        cmocka_unit_test(the_default_stream_wins_and_then_the_first),
        cmocka_unit_test(a_stream_that_cannot_be_decoded_is_not_chosen),
        cmocka_unit_test(a_video_that_moves_is_preferred_to_one_without_a_rate),
        cmocka_unit_test(rotation_is_by_quarters_clockwise),
        cmocka_unit_test(field_order_tells_interlaced_from_progressive),
        cmocka_unit_test(ratios_that_make_no_sense_are_unknown),
        cmocka_unit_test(values_of_a_wrong_type_or_size_are_unknown),
        cmocka_unit_test(streams_may_be_anything),
        cmocka_unit_test(a_long_codec_name_is_cut),
        cmocka_unit_test(ten_thousand_streams_are_cut_at_the_limit),
        cmocka_unit_test(what_is_not_ffprobes_json_is_refused),
        cmocka_unit_test(an_answer_cut_anywhere_is_refused),
        cmocka_unit_test(deep_nesting_is_refused),
        cmocka_unit_test(times_are_microseconds),
        cmocka_unit_test(times_that_make_no_sense_are_unknown),
    };
    return cmocka_run_group_tests_name("media_info", tests, NULL, NULL);
}
