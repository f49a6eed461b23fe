/* Each allocation of what reads and writes JSON fails in turn: texts are whole, or
 * there are none. */
#include "failing_malloc.h"

#include "http.h"
#include "json_text.h"
#include "media_info.h"
#include "segments_json.h"
#include "video_json.h"

/* ---- reading -------------------------------------------------------------------- */

/* Tokens longer than the 16 bytes that jansson begins with, so that its buffer grows
 * anywhere in them: just before their end, too. */
static const struct text {
    const char *in, *again; /* as it is written again; NULL: the same */
} texts[] = {
    {.in =
         "{\"a key of more than 16 bytes\":\"a value of more than thirty-two bytes\"}"},
    {.in = "[\"0123456789abcd\",\"0123456789abcde\",\"0123456789abcdef\"]"},
    {.in = "[\"0123456789abcdefghijklmnopqrst\",\"0123456789abcdefghijklmnopqrstu\"]"},
    {.in = "[12345678901234,123456789012345,1234567890123456,12345678901234567]"},
    {"[1.2343750000000,1.23456789012345e1,1.2500000000000000000000000000e+1]",
     "[1.234375,12.3456789012345,12.5]"},
    {"[\"\\u00e4\\u00f6\\u00fc\",\"\xc3\xa4\xc3\xb6\xc3\xbc\xc3\xa4\xc3\xb6\xc3\xbc_"
     "\xc3"
     "\xa4\xc3\xb6\"]",
     "[\"\xc3\xa4\xc3\xb6\xc3\xbc\",\"\xc3\xa4\xc3\xb6\xc3\xbc\xc3\xa4\xc3\xb6\xc3\xbc_"
     "\xc3\xa4\xc3\xb6\"]"},
    {.in = "[[[[{\"a\":[true,false,null,{\"b\":{}}]}]]],1,2,3,4,5,6,7,8,9,10,11,12]"},
};

static enum rc read_text(void *arg)
{
    const struct text *text = arg;
    json_t *got = NULL;
    enum rc rc = json_text_read(text->in, strlen(text->in), 0, &got);
    assert_true((rc == RC_OK) == (got != NULL));
    if (rc != RC_OK)
        return rc;
    char *again = json_text_write(got, JSON_COMPACT);
    json_decref(got);
    if (!again)
        return RC_NOMEM;
    assert_string_equal(again, text->again ? text->again : text->in);
    free(again);
    return RC_OK;
}

static enum rc read_no_json(void *arg)
{
    json_t *got = NULL;
    enum rc rc = json_text_read(arg, strlen(arg), JSON_REJECT_DUPLICATES, &got);
    assert_null(got);
    return rc == RC_INVALID ? RC_OK : rc;
}

static void a_text_is_read_as_a_whole_or_not(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        heap_starve(read_text, (void *)&texts[i], HEAP_MUST_TELL);
}

/* Not even jansson's own checks are met, such as that what is put back was there. */
static void what_is_no_json_is_not_taken_for_a_lack_of_memory(void **state)
{
    static const char *const bad[] = {
        "",
        "[\"0123456789abcdefghijklmnopqrstuvwxyz",
        "[\"0123456789abcd\x01",
        "[\"0123456789abc\x01",
        "[1234567890123456789012345678901234567890]",
        "[truefalsetruefalsetruefalse]",
        "[1,2,3]1",
        "{\"one and the same key\":1,\"one and the same key\":2}",
        "[[[[{\"a\":[true,false,null,{\"b\":{\"c\":1",
        "[\"\\ud800\"]",
    };
    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        heap_starve(read_no_json, (void *)bad[i], HEAP_MAY_COPE);
}

static enum rc parse_probe(void *arg)
{
    struct media_info info;
    enum rc rc = media_info_parse(arg, strlen(arg), &info);
    if (rc != RC_OK)
        return rc;
    assert_int_equal(info.n_streams, 2);
    assert_string_equal(info.streams[0].codec, "h264");
    assert_int_equal(info.duration_us, 12345678);
    assert_string_equal(info.streams[1].title, "A title of more than sixteen bytes");
    return RC_OK;
}

static void what_ffprobe_said_is_read_as_a_whole_or_not(void **state)
{
    static const char json[] =
        "{\"streams\":[{\"index\":0,\"codec_name\":\"h264\",\"codec_type\":\"video\","
        "\"width\":640,\"height\":360,\"avg_frame_rate\":\"30000/1001\"},"
        "{\"index\":1,\"codec_type\":\"audio\",\"tags\":{\"title\":"
        "\"A title of more than sixteen bytes\"}}],"
        "\"format\":{\"start_time\":\"0.000000\",\"duration\":\"12.345678\"}}";
    (void)state;
    heap_starve(parse_probe, (void *)json, HEAP_MUST_TELL);
}

/* ---- writing -------------------------------------------------------------------- */

static enum rc write_error(void *arg)
{
    char *text = http_error_text("code", arg);
    if (!text)
        return RC_NOMEM;
    assert_string_equal(text, "{\"error\":{\"code\":\"code\",\"message\":\"A sentence "
                              "of some length, with an \xc3\xa4.\"}}");
    free(text);
    return RC_OK;
}

static void an_error_has_its_sentence_or_no_text(void **state)
{
    (void)state;
    heap_starve(write_error, (void *)"A sentence of some length, with an \xc3\xa4.",
                HEAP_MUST_TELL);
}

/* Into memory that is there, so that only the head is allocated. */
static enum rc write_segments(void *arg)
{
    static const uint8_t bits[] = {0x05};
    const struct readiness ready = {.bits = bits, .n_bytes = 1, .done = 2};
    char text[512] = "";
    FILE *f = fmemopen(text, sizeof(text), "w");
    if (!f)
        return RC_NOMEM;
    setbuf(f, NULL);
    enum rc rc = segments_json_write(f, arg, &ready);
    fclose(f);
    if (rc == RC_OK)
        assert_string_equal(
            text, "{\"name\":\"360p\",\"kind\":\"video\",\"generation\":1,"
                  "\"segment_duration\":2.0,\"segments\":3,\"done\":2,"
                  "\"put_away\":true,\"runs\":[{\"state\":\"ready\",\"from\":0,"
                  "\"count\":1},{\"state\":\"missing\",\"from\":1,\"count\":1},"
                  "{\"state\":\"ready\",\"from\":2,\"count\":1}]}");
    return rc;
}

static void segments_are_told_as_they_are_or_not(void **state)
{
    static const struct rendition r = {.name = "360p",
                                       .kind = RENDITION_VIDEO,
                                       .generation = 1,
                                       .rate_num = 25,
                                       .rate_den = 1,
                                       .gop = 50,
                                       .frames = 150,
                                       .segments = 3,
                                       .put_away = true};
    (void)state;
    heap_starve(write_segments, (void *)&r, HEAP_MUST_TELL);
}

static enum rc write_video(void *arg)
{
    const struct video_view view = {.key = "k", .edit = true};
    const struct video_parts *p = arg;
    json_t *whole = video_json(p, &view);
    json_t *shared = whole ? video_json_shared(p, "k") : NULL;
    enum rc rc = shared ? RC_OK : RC_NOMEM;
    if (shared) {
        assert_int_equal(json_object_size(whole), 27);
        assert_int_equal(json_array_size(json_object_get(whole, "renditions")), 2);
        assert_int_equal(json_array_size(json_object_get(shared, "renditions")), 2);
        assert_int_equal(json_array_size(json_object_get(whole, "subtitles")), 1);
        assert_string_equal(json_string_value(json_object_get(shared, "poster")),
                            "/media/k/poster.jpg?v=3");
    }
    json_decref(whole);
    json_decref(shared);
    return rc;
}

static void a_video_is_told_as_it_is_or_not(void **state)
{
    static struct video_parts p = {
        .video = {.id = "i",
                  .title = "A title",
                  .filename = "a.mp4",
                  .size = 1,
                  .playable = true,
                  .has_poster = true,
                  .poster_version = 3,
                  .rate_num = 25,
                  .rate_den = 1,
                  .video_codec = "h264"},
        .n_renditions = 2,
        .subtitles = {.n = 1},
    };
    (void)state;
    strcpy(p.renditions[0].name, "360p");
    p.renditions[0].put_away = true;
    strcpy(p.renditions[1].name, "audio-0");
    p.renditions[1].kind = RENDITION_AUDIO;
    strcpy(p.subtitles.list[0].name, "en");
    p.subtitles.list[0].read = true;
    heap_starve(write_video, &p, HEAP_MUST_TELL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_text_is_read_as_a_whole_or_not),
        cmocka_unit_test(what_is_no_json_is_not_taken_for_a_lack_of_memory),
        cmocka_unit_test(what_ffprobe_said_is_read_as_a_whole_or_not),
        cmocka_unit_test(an_error_has_its_sentence_or_no_text),
        cmocka_unit_test(segments_are_told_as_they_are_or_not),
        cmocka_unit_test(a_video_is_told_as_it_is_or_not),
    };
    return cmocka_run_group_tests_name("nomem_json", tests, NULL, NULL);
}
