/* test_storyboard.c: how small pictures stand on their sheets, and what is said of it.
 */
#include "check.h"

#include "storyboard.h"

#include <stdlib.h>
#include <string.h>

static const struct job job = {.id = 7, .fence = 2};

static char *vtt(const struct args_grid *g, const int64_t *times, size_t n, int64_t end)
{
    char *text = NULL, *copy;
    size_t size = 0;

    assert_int_equal(storyboard_vtt(&job, g, times, n, end, &text, &size), RC_OK);
    copy = strndup(text, size);
    assert_int_equal(strlen(copy), size);
    free(text);
    return copy;
}

static void assert_vtt(const int64_t *times, size_t n, int64_t end, const char *want)
{
    const struct args_grid g = {160, 90, STORYBOARD_COLUMNS, STORYBOARD_ROWS};
    char *text = vtt(&g, times, n, end);

    assert_string_equal(text, want);
    free(text);
}

static void cues_reach_from_one_picture_to_the_next(void **state)
{
    (void)state;
    assert_vtt((const int64_t[]){40000, 5040000, 3725000600}, 3, 4000000000,
               "WEBVTT\n"
               "\n00:00:00.000 --> 00:00:05.040\n"
               "storyboard-7-2-0.jpg#xywh=0,0,160,90\n"
               "\n00:00:05.040 --> 01:02:05.001\n"
               "storyboard-7-2-0.jpg#xywh=160,0,160,90\n"
               "\n01:02:05.001 --> 01:06:40.000\n"
               "storyboard-7-2-0.jpg#xywh=320,0,160,90\n");
}

static void a_cue_of_no_length_is_left_out(void **state)
{
    (void)state;
    assert_vtt((const int64_t[]){-20000, 6000000, 6000400, 13000000}, 4, 12000000,
               "WEBVTT\n"
               "\n00:00:00.000 --> 00:00:06.000\n"
               "storyboard-7-2-0.jpg#xywh=0,0,160,90\n"
               "\n00:00:06.000 --> 00:00:13.000\n"
               "storyboard-7-2-0.jpg#xywh=320,0,160,90\n");
    assert_vtt(NULL, 0, 1, "WEBVTT\n");
}

static void pictures_stand_row_by_row_sheet_by_sheet(void **state)
{
    const struct args_grid g = {90, 160, STORYBOARD_COLUMNS, STORYBOARD_ROWS};
    int64_t times[STORYBOARD_PICTURES_MAX];

    (void)state;
    for (size_t i = 0; i < STORYBOARD_PICTURES_MAX; i++)
        times[i] = (int64_t)i * 1000000000;
    char *text = vtt(&g, times, STORYBOARD_PICTURES_MAX, INT64_C(1000000000000));
    assert_non_null(strstr(text, "\nstoryboard-7-2-0.jpg#xywh=0,160,90,160\n"));
    assert_non_null(strstr(text, "01:23:20.000 --> 01:40:00.000\n"
                                 "storyboard-7-2-0.jpg#xywh=0,160,90,160\n"));
    assert_non_null(strstr(text, "\nstoryboard-7-2-0.jpg#xywh=360,640,90,160\n"));
    assert_non_null(strstr(text, "06:56:40.000 --> 07:13:20.000\n"
                                 "storyboard-7-2-1.jpg#xywh=0,0,90,160\n"));
    assert_non_null(strstr(text, "277:30:00.000 --> 277:46:40.000\n"
                                 "storyboard-7-2-39.jpg#xywh=360,640,90,160\n"));
    free(text);
}

static void pictures_have_the_shape_of_the_video(void **state)
{
    static const struct {
        int width, height, small_width, small_height;
    } cases[] = {
        {640, 360, 160, 90}, {360, 640, 90, 160}, {640, 268, 160, 68},
        {100, 80, 100, 80},  {640, 2, 160, 2},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct rendition r = {.width = cases[i].width, .height = cases[i].height};
        struct args_grid g = storyboard_grid(&r);
        assert_int_equal(g.width, cases[i].small_width);
        assert_int_equal(g.height, cases[i].small_height);
    }
}

static void no_video_has_more_pictures_than_there_may_be(void **state)
{
    (void)state;
    for (int64_t s = 1; s < 100000; s = s * 3 + 1) {
        struct args_pick p = storyboard_pick(s * 1000000, 1920, 1080);
        assert_true(p.every_us >= STORYBOARD_EVERY_US);
        assert_true(1 + s * 1000000 / p.every_us <= STORYBOARD_PICTURES_MAX);
        assert_false(p.all);
        assert_int_equal(p.pixels, 1920 * 1080);
    }
    /* Or the gaps would grow instead. */
    assert_true(storyboard_pick(1, 0, 0).pixels > 0);
}

static void sheets_of_later_attempts_are_told_from_earlier_ones(void **state)
{
    const struct job attempts[] = {{.id = 7, .fence = 2},  {.id = 7, .fence = 1},
                                   {.id = 6, .fence = 30}, {.id = 7, .fence = 3},
                                   {.id = 7, .fence = 10}, {.id = 10, .fence = 1}};
    char name[STORYBOARD_NAME_MAX + 1];

    (void)state;
    for (size_t i = 0; i < sizeof(attempts) / sizeof(attempts[0]); i++) {
        storyboard_sheet_name(&attempts[i], 4, name);
        assert_int_equal(storyboard_is_later(&job, name), i >= 3);
    }
    assert_false(storyboard_is_later(&job, "storyboard-9.jpg"));
    assert_false(storyboard_is_later(&job, STORYBOARD_FILE));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cues_reach_from_one_picture_to_the_next),
        cmocka_unit_test(a_cue_of_no_length_is_left_out),
        cmocka_unit_test(pictures_stand_row_by_row_sheet_by_sheet),
        cmocka_unit_test(pictures_have_the_shape_of_the_video),
        cmocka_unit_test(sheets_of_later_attempts_are_told_from_earlier_ones),
        cmocka_unit_test(no_video_has_more_pictures_than_there_may_be),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
