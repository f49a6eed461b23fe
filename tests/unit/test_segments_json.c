/* test_segments_json.c: bits as runs, and the text of a rendition. */
#include "check.h"

#include "segments_json.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

/* ---- runs ---------------------------------------------------------------- */

/* The runs as "r0-2 e3 m4-6": a letter of the state, and the segments. They must cover
 * all segments in order, neighbours in different states. */
static void assert_runs(const struct readiness *ready, int64_t segments,
                        const char *expected)
{
    char got[256] = "";
    size_t n = 0;
    int64_t from = 0;
    int before = -1;

    while (from < segments) {
        struct segment_run run = segment_run_at(ready, segments, from);
        assert_int_equal(run.from, from);
        assert_true(run.count >= 1 && from + run.count <= segments);
        assert_int_not_equal((int)run.state, before);
        before = (int)run.state;
        n += (size_t)snprintf(got + n, sizeof(got) - n, "%s%c%lld", n ? " " : "",
                              segment_state_name(run.state)[0], (long long)from);
        from += run.count;
        if (run.count > 1)
            n += (size_t)snprintf(got + n, sizeof(got) - n, "-%lld",
                                  (long long)from - 1);
    }
    assert_string_equal(got, expected);
}

static void every_bit_is_its_segment(void **state)
{
    static const uint8_t bits[] = {0x01, 0x80, 0x06};
    const struct readiness ready = {.bits = bits, .n_bytes = 3, .done = 4};

    (void)state;
    assert_runs(&ready, 20, "r0 m1-14 r15 m16 r17-18 m19");
    assert_runs(&ready, 1, "r0");
    assert_runs(&ready, 17, "r0 m1-14 r15 m16");
}

static void neighbours_of_one_state_are_one_run(void **state)
{
    static const uint8_t none[3], all[] = {0xff, 0xff, 0xff};
    struct readiness ready = {.bits = none, .n_bytes = 3};

    (void)state;
    assert_runs(&ready, 20, "m0-19");
    ready.bits = all;
    ready.done = 20;
    assert_runs(&ready, 20, "r0-19"); /* bits past the end are no segments */
    ready.n_encoding = 3;
    ready.bits = none;
    ready.encoding[0] = 8;
    ready.encoding[1] = 6;
    ready.encoding[2] = 7;
    assert_runs(&ready, 20, "m0-5 e6-8 m9-19");
}

static void what_is_encoded_stands_between(void **state)
{
    static const uint8_t bits[] = {0x07, 0x01};
    const struct readiness ready = {
        .bits = bits, .n_bytes = 2, .done = 4, .encoding = {3, 15, 9}, .n_encoding = 3};

    (void)state;
    assert_runs(&ready, 16, "r0-2 e3 m4-7 r8 e9 m10-14 e15");
}

static void what_exists_is_ready_though_it_is_said_to_be_encoded(void **state)
{
    static const uint8_t bits[] = {0x0f};
    struct readiness ready = {
        .bits = bits, .n_bytes = 1, .done = 4, .encoding = {2, 4}, .n_encoding = 2};

    (void)state;
    assert_runs(&ready, 8, "r0-3 e4 m5-7");
    ready.bits = NULL;
    ready.n_bytes = 0;
    assert_runs(&ready, 8, "r0-3 e4 m5-7");
}

static void what_lies_outside_counts_for_nothing(void **state)
{
    static const uint8_t bits[] = {0x01};
    struct readiness ready = {.bits = bits,
                              .n_bytes = 1,
                              .done = 1,
                              .encoding = {-1, 8, INT64_MAX, INT64_MIN},
                              .n_encoding = 4};

    (void)state;
    assert_runs(&ready, 8, "r0 m1-7");
    assert_runs(&ready, 30, "r0 m1-7 e8 m9-29"); /* fewer bits than segments */
    ready.n_encoding = 0;
    ready.bits = NULL;
    ready.done = 99;
    assert_runs(&ready, 8, "r0-7");
    ready.done = -1;
    assert_runs(&ready, 8, "m0-7");
}

static void without_bits_the_first_ones_exist(void **state)
{
    struct readiness ready = {.done = 3};

    (void)state;
    assert_runs(&ready, 7, "r0-2 m3-6");
    ready.done = 0;
    assert_runs(&ready, 7, "m0-6");
    ready.done = 7;
    assert_runs(&ready, 7, "r0-6");
}

/* ---- text ---------------------------------------------------------------- */

static char *text_of(const struct rendition *r, const struct readiness *ready)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);

    assert_non_null(out);
    assert_int_equal(segments_json_write(out, r, ready), RC_OK);
    assert_int_equal(fclose(out), 0);
    assert_int_equal(strlen(text), size);
    return text;
}

static void assert_text(const struct rendition *r, const struct readiness *ready,
                        const char *expected)
{
    char *text = text_of(r, ready);

    assert_string_equal(text, expected);
    free(text);
}

static void a_rendition_is_written_with_its_runs(void **state)
{
    static const uint8_t bits[] = {0x27};
    struct rendition r = {.name = "360p",
                          .kind = RENDITION_VIDEO,
                          .generation = 2,
                          .rate_num = 25,
                          .rate_den = 1,
                          .gop = 50,
                          .frames = 310,
                          .segments = 7,
                          .done = 4};
    struct readiness ready = {
        .bits = bits, .n_bytes = 1, .done = 4, .encoding = {3}, .n_encoding = 1};

    (void)state;
    assert_text(&r, &ready,
                "{\"name\":\"360p\",\"kind\":\"video\",\"generation\":2,"
                "\"segment_duration\":2.0,\"segments\":7,\"done\":4,\"runs\":["
                "{\"state\":\"ready\",\"from\":0,\"count\":3},"
                "{\"state\":\"encoding\",\"from\":3,\"count\":1},"
                "{\"state\":\"missing\",\"from\":4,\"count\":1},"
                "{\"state\":\"ready\",\"from\":5,\"count\":1},"
                "{\"state\":\"missing\",\"from\":6,\"count\":1}]}");
    r.segments = 0;
    ready = (struct readiness){.done = 0};
    assert_text(&r, &ready,
                "{\"name\":\"360p\",\"kind\":\"video\",\"generation\":2,"
                "\"segment_duration\":2.0,\"segments\":0,\"done\":0,\"runs\":[]}");
}

static void assert_duration(int num, int den, int gop, const char *expected)
{
    const struct rendition r = {.name = "audio-0",
                                .kind = RENDITION_AUDIO,
                                .generation = 1,
                                .rate_num = num,
                                .rate_den = den,
                                .gop = gop,
                                .frames = gop,
                                .segments = 1};
    const struct readiness ready = {.done = 0};
    char *text = text_of(&r, &ready), part[64];

    snprintf(part, sizeof(part), "\"segment_duration\":%s,", expected);
    assert_non_null(strstr(text, "\"kind\":\"audio\""));
    assert_non_null(strstr(text, part));
    free(text);
}

static void a_segment_lasts_as_long_as_its_frames(void **state)
{
    (void)state;
    assert_duration(375, 8, 192, "4.096");
    assert_duration(24000, 1001, 48, "2.002");
    assert_duration(30, 1, 60, "2.0");
    assert_duration(120, 7, 34, "1.983333");
}

static void a_name_is_written_as_json(void **state)
{
    const struct rendition r = {
        .name = "\"\\\n%s", .rate_num = 25, .rate_den = 1, .gop = 50};
    const struct readiness ready = {.done = 0};
    char *text = text_of(&r, &ready);
    json_t *json = json_loads(text, 0, NULL);

    (void)state;
    assert_non_null(json);
    assert_string_equal(json_string_value(json_object_get(json, "name")), "\"\\\n%s");
    json_decref(json);
    free(text);
}

/* A day of segments of two seconds, every other one of which exists. */
static void a_day_in_pieces_is_told_in_full(void **state)
{
    enum { SEGMENTS = 43200 };
    uint8_t *bits = malloc(SEGMENTS / 8);
    const struct rendition r = {.name = "360p",
                                .rate_num = 30,
                                .rate_den = 1,
                                .gop = 60,
                                .frames = SEGMENTS * 60,
                                .segments = SEGMENTS};
    const struct readiness ready = {.bits = bits,
                                    .n_bytes = SEGMENTS / 8,
                                    .done = SEGMENTS / 2,
                                    .encoding = {1, SEGMENTS - 1},
                                    .n_encoding = 2};
    char *text;
    json_t *json, *runs, *last;

    (void)state;
    assert_non_null(bits);
    memset(bits, 0x55, SEGMENTS / 8);
    text = text_of(&r, &ready);
    json = json_loads(text, 0, NULL);
    runs = json_object_get(json, "runs");
    assert_int_equal(json_array_size(runs), SEGMENTS);
    last = json_array_get(runs, SEGMENTS - 1);
    assert_string_equal(json_string_value(json_object_get(last, "state")), "encoding");
    assert_int_equal(json_integer_value(json_object_get(last, "from")), SEGMENTS - 1);
    json_decref(json);
    free(text);
    free(bits);
}

static void a_stream_that_fails_is_told(void **state)
{
    const struct rendition r = {
        .name = "360p", .rate_num = 30, .rate_den = 1, .gop = 60, .segments = 9};
    const struct readiness ready = {.done = 1};
    FILE *full = fopen("/dev/full", "w");

    (void)state;
    assert_non_null(full);
    setvbuf(full, NULL, _IONBF, 0);
    assert_int_equal(segments_json_write(full, &r, &ready), RC_NOMEM);
    fclose(full);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_bit_is_its_segment),
        cmocka_unit_test(neighbours_of_one_state_are_one_run),
        cmocka_unit_test(what_is_encoded_stands_between),
        cmocka_unit_test(what_exists_is_ready_though_it_is_said_to_be_encoded),
        cmocka_unit_test(what_lies_outside_counts_for_nothing),
        cmocka_unit_test(without_bits_the_first_ones_exist),
        cmocka_unit_test(a_rendition_is_written_with_its_runs),
        cmocka_unit_test(a_segment_lasts_as_long_as_its_frames),
        cmocka_unit_test(a_name_is_written_as_json),
        cmocka_unit_test(a_day_in_pieces_is_told_in_full),
        cmocka_unit_test(a_stream_that_fails_is_told),
    };

    return cmocka_run_group_tests_name("segments_json", tests, NULL, NULL);
}
