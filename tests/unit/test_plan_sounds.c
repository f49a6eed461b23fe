/* test_plan_sounds.c: which tracks of sound there are, and what they are called. */
#include "check.h"

#include "plan.h"

#include <stdio.h>
#include <string.h>

static const struct plan_limits limits = {.max_duration_us = 3600000000,
                                          .max_pixels = 3840 * 2160};
static struct media_info info;
static struct packet_scan scan;
static struct video_plan plan;

/* A video of 10 s as stream 0. */
static int setup(void **state)
{
    (void)state;
    memset(&info, 0, sizeof(info));
    packet_scan_init(&scan);
    info.duration_us = 10000000;
    info.n_streams = 1;
    info.streams[0] = (struct media_stream){.kind = MEDIA_VIDEO,
                                            .codec = "h264",
                                            .width = 320,
                                            .height = 180,
                                            .sar = {1, 1},
                                            .average_rate = {25, 1},
                                            .duration_us = 10000000};
    scan.streams[0] = (struct packet_stream){1, 0, 9960000, 10000000, false};
    return 0;
}

static struct media_stream *add_sound(const char *language, const char *title)
{
    int i = (int)info.n_streams++;
    struct media_stream *s = &info.streams[i];
    *s = (struct media_stream){.index = i,
                               .kind = MEDIA_AUDIO,
                               .codec = "aac",
                               .channels = 2,
                               .duration_us = 10000000};
    snprintf(s->language, sizeof(s->language), "%s", language);
    snprintf(s->title, sizeof(s->title), "%s", title);
    scan.streams[i] = (struct packet_stream){1, 0, 9980000, 10000000, false};
    return s;
}

/* "audio-0:2:de audio-1:1:en", name, stream and language of each track. */
static const char *sounds(bool whole)
{
    static char text[512];
    char error[STORE_TEXT_MAX + 1];
    size_t used = 0;
    assert_int_equal(plan_make(&info, &scan, whole, &limits, 1, &plan, error), RC_OK);
    text[0] = '\0';
    for (size_t i = 0; i < plan.n_renditions; i++) {
        const struct rendition *r = &plan.renditions[i];
        if (r->kind == RENDITION_AUDIO)
            used += (size_t)snprintf(text + used, sizeof(text) - used, "%s%s:%d:%s",
                                     used ? " " : "", r->name, r->stream, r->language);
    }
    return text;
}

static void every_track_is_planned_the_default_one_first(void **state)
{
    (void)state;
    add_sound("eng", "");
    add_sound("ger", "Director's \"cut\"")->is_default = true;
    add_sound("", "");
    assert_string_equal(sounds(true), "audio-0:2:de audio-1:1:en audio-2:3:");
    assert_string_equal(plan.renditions[1].label, "Director's \"cut\"");
    assert_int_equal(plan.renditions[1].segments, plan.renditions[3].segments);
    assert_string_equal(plan.audio_codec, "aac");
}

static void a_track_without_a_packet_is_left_out(void **state)
{
    (void)state;
    add_sound("en", "");
    add_sound("fr", "");
    scan.streams[2].packets = 0;
    assert_string_equal(sounds(true), "audio-0:1:en");
}

static void one_that_ends_before_what_was_looked_at_is_not(void **state)
{
    (void)state;
    add_sound("en", "");
    add_sound("fr", "")->duration_us = 2000000;
    scan.streams[2].packets = 0;
    assert_string_equal(sounds(false), "audio-0:1:en audio-1:2:fr");
    assert_int_equal(plan.renditions[2].source_last_us, 2000000);
}

static void what_cannot_be_decoded_is_left_out(void **state)
{
    (void)state;
    add_sound("en", "")->codec[0] = '\0';
    add_sound("fr", "");
    add_sound("de", "")->channels = 0;
    assert_string_equal(sounds(true), "audio-0:2:fr");
}

static void no_more_than_eight_are_planned(void **state)
{
    (void)state;
    for (int i = 0; i < 12; i++)
        add_sound("", "");
    sounds(true);
    assert_int_equal(plan.n_renditions, 1 + PLAN_SOUNDS_MAX);
    assert_string_equal(plan.renditions[8].name, "audio-7");
}

#define TEST(f) cmocka_unit_test_setup(f, setup)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(every_track_is_planned_the_default_one_first),
        TEST(a_track_without_a_packet_is_left_out),
        TEST(one_that_ends_before_what_was_looked_at_is_not),
        TEST(what_cannot_be_decoded_is_left_out),
        TEST(no_more_than_eight_are_planned),
    };
    return cmocka_run_group_tests_name("plan_sounds", tests, NULL, NULL);
}
