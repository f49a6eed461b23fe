#include "plan_clips.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static void assert_refused(const struct made *m, const char *sentence)
{
    assert_int_equal(m->rc, RC_UNSUPPORTED);
    assert_string_equal(m->error, sentence);
    assert_int_equal(m->plan.n_renditions, 0);
}

/* ---- the plan ----------------------------------------------------------- */

static void a_usual_clip_gets_a_video_and_an_audio_rendition(void **state)
{
    (void)state;
    const struct made *m = planned(&usual, 30.03);
    assert_int_equal(m->plan.duration_us, 30030000);
    assert_int_equal(m->plan.width, 1920);
    assert_int_equal(m->plan.height, 1080);
    assert_int_equal(m->plan.rate_num, 30000);
    assert_int_equal(m->plan.rate_den, 1001);
    assert_string_equal(m->plan.video_codec, "h264");
    assert_string_equal(m->plan.audio_codec, "aac");
    assert_string_equal(m->plan.warning, "");

    const struct rendition *v = &m->plan.renditions[0];
    assert_string_equal(v->name, "360p");
    assert_int_equal(v->kind, RENDITION_VIDEO);
    assert_int_equal(v->generation, 3);
    assert_int_equal(v->stream, 0);
    assert_int_equal(v->width, 640);
    assert_int_equal(v->height, 360);
    assert_int_equal(v->rate_num, 30000);
    assert_int_equal(v->rate_den, 1001);
    assert_int_equal(v->gop, 60);
    assert_int_equal(v->frames, 900);
    assert_int_equal(v->segments, 15);
    assert_string_equal(v->codecs, "avc1.42c01e");
    assert_int_equal(v->source_last_us, 29990000);
    assert_int_equal(v->done, 0);

    const struct rendition *a = &m->plan.renditions[1];
    assert_string_equal(a->name, "audio-0");
    assert_int_equal(a->kind, RENDITION_AUDIO);
    assert_int_equal(a->generation, 3);
    assert_int_equal(a->stream, 1);
    assert_int_equal(a->rate_num, 375);
    assert_int_equal(a->rate_den, 8);
    assert_int_equal(a->gop, 192);
    assert_int_equal(a->frames, 1408);
    assert_int_equal(a->segments, 8);
    assert_int_equal(a->bitrate, 128000);
    assert_string_equal(a->codecs, "mp4a.40.2");
    assert_int_equal(a->source_last_us, 30010000);
}

static void without_sound_there_is_only_video(void **state)
{
    (void)state;
    struct clip c = usual;
    c.sound = NULL;
    const struct made *m = planned(&c, 30.03);
    assert_null(m->audio);
    assert_string_equal(m->plan.audio_codec, "");
    assert_string_equal(m->plan.warning, "");
}

static void a_sound_track_without_a_packet_is_not_heard(void **state)
{
    (void)state;
    struct clip mute = usual;
    mute.sound = NULL;
    struct media_info info = probed(&usual);
    struct packet_scan scan = scanned(&mute, 30.03);
    const struct made *m = make(&info, &scan, true);
    assert_int_equal(m->rc, RC_OK);
    assert_int_equal(m->plan.n_renditions, 1);
    assert_string_equal(m->plan.audio_codec, "");
}

static void a_sound_that_cannot_be_decoded_is_left_out_with_a_warning(void **state)
{
    (void)state;
    struct clip c = usual;
    c.sound = "unknown";
    struct media_info info = probed(&c);
    struct packet_scan scan = scanned(&c, 30.03);
    const struct made *m = make(&info, &scan, true);
    assert_int_equal(m->plan.n_renditions, 1);
    assert_string_equal(m->plan.warning,
                        "The sound is in a format that cannot be decoded.");
}

static void frame_rates_snap_and_are_halved(void **state)
{
    (void)state;
    static const struct {
        const char *rate, *base;
        int num, den, gop;
    } cases[] = {
        {"60/1", NULL, 30, 1, 60},
        {"60000/1001", NULL, 30000, 1001, 60},
        {"120/1", NULL, 30, 1, 60},
        {"50/1", NULL, 25, 1, 50},
        {"48/1", NULL, 24, 1, 48},
        {"25/1", NULL, 25, 1, 50},
        {"24000/1001", NULL, 24000, 1001, 48},
        {"26730000/885901", "30/1", 30, 1, 60}, /* a telephone's variable rate */
        {"15/1", NULL, 15, 1, 30},
        {"1/2", NULL, 5, 1, 10},
        {"25/1", "60/1", 25, 1, 50}, /* … in the dark */
        {"5/1", "10/1", 10, 1, 20},  /* a recorded screen that moves now and then */
        {"5/1", "60/1", 30, 1, 60},
        {"5/1", "90000/1", 30, 1, 60},
        {"5/1", "5/1", 5, 1, 10},      /* and one that always does */
        {"1000/1", "24/1", 24, 1, 48}, /* a time base taken for a rate */
        {"0/0", "30/1", 30, 1, 60},
        {"1000/1", "90000/1", 25, 1, 50},
        {"0/0", "0/0", 25, 1, 50},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct clip c = usual;
        c.rate = cases[i].rate;
        c.base = cases[i].base;
        const struct rendition *v = planned(&c, 30)->video;
        if (v->rate_num != cases[i].num || v->rate_den != cases[i].den ||
            v->gop != cases[i].gop)
            fail_msg("rate %s: %d/%d, GOP %d", c.rate, v->rate_num, v->rate_den,
                     v->gop);
        assert_int_equal(v->frames, 30 * v->rate_num / v->rate_den + (v->rate_den > 1));
    }
}

static void the_smaller_side_becomes_360_and_every_side_even(void **state)
{
    (void)state;
    static const struct {
        int width, height;
        const char *sar;
        int rotation, to_width, to_height, shown_width, shown_height;
    } cases[] = {
        {1920, 1080, "1:1", 0, 640, 360, 1920, 1080},
        {1080, 1920, "1:1", 0, 360, 640, 1080, 1920},   /* portrait */
        {1920, 1080, "1:1", -90, 360, 640, 1080, 1920}, /* turned */
        {1920, 1080, "1:1", 90, 360, 640, 1080, 1920},
        {1920, 1080, "1:1", 180, 640, 360, 1920, 1080},
        {3840, 2160, "1:1", 0, 640, 360, 3840, 2160},
        {853, 480, "1:1", 0, 640, 360, 853, 480}, /* odd */
        {641, 361, "1:1", 0, 640, 360, 641, 361},
        {2048, 858, "1:1", 0, 860, 360, 2048, 858},
        {320, 240, "1:1", 0, 320, 240, 320, 240}, /* never enlarged */
        {360, 360, "1:1", 0, 360, 360, 360, 360},
        {101, 57, "1:1", 0, 102, 58, 101, 57},
        {2, 2, "1:1", 0, 2, 2, 2, 2}, /* tiny */
        {1, 1, "1:1", 0, 2, 2, 1, 1},
        {2000, 2, "1:1", 0, 2000, 2, 2000, 2},
        {720, 576, "64:45", 0, 640, 360, 1024, 576}, /* anamorphic */
        {720, 480, "8:9", 0, 480, 360, 640, 480},
        {1440, 1080, "4:3", 0, 640, 360, 1920, 1080},
        {720, 576, "64:45", -90, 360, 640, 576, 1024},
        {1920, 1080, "1000:1", 0, 640, 360, 1920, 1080}, /* nonsense */
        {1920, 1080, "1:1000", 0, 640, 360, 1920, 1080},
        {1920, 1080, "0:1", 0, 640, 360, 1920, 1080},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct clip c = usual;
        c.width = cases[i].width;
        c.height = cases[i].height;
        c.sar = cases[i].sar;
        c.rotation = cases[i].rotation;
        const struct made *m = planned(&c, 10);
        if (m->video->width != cases[i].to_width ||
            m->video->height != cases[i].to_height)
            fail_msg("%dx%d %s %d: %dx%d", c.width, c.height, c.sar, c.rotation,
                     m->video->width, m->video->height);
        assert_int_equal(m->plan.width, cases[i].shown_width);
        assert_int_equal(m->plan.height, cases[i].shown_height);
        assert_true(m->video->bitrate >= 100000);
    }
}

/* ITU-T H.264 table A-1, each size at the very limit of its level. */
static void the_codec_string_names_the_lowest_level_that_fits(void **state)
{
    (void)state;
    static const struct {
        int width, height, num, den, level;
        const char *codecs;
    } cases[] = {
        {16, 16, 30, 1, 10, "avc1.42c00a"},
        {176, 144, 15, 1, 10, "avc1.42c00a"},
        {176, 144, 15001, 1000, 11, "avc1.42c00b"},
        {176, 144, 30, 1, 11, "avc1.42c00b"},
        {352, 288, 15, 1, 12, "avc1.42c00c"},
        {352, 288, 30, 1, 20, "avc1.42c014"},
        {352, 480, 30, 1, 21, "avc1.42c015"},
        {720, 480, 15, 1, 22, "avc1.42c016"},
        {720, 576, 25, 1, 30, "avc1.42c01e"},
        {640, 360, 30, 1, 30, "avc1.42c01e"},
        {360, 640, 30, 1, 30, "avc1.42c01e"},
        {1280, 720, 30, 1, 31, "avc1.42c01f"},
        {1280, 720, 30001, 1000, 32, "avc1.42c020"},
        {1280, 1024, 42, 1, 32, "avc1.42c020"},
        {1920, 1080, 30, 1, 40, "avc1.42c028"},
        {1920, 1080, 60000, 1001, 42, "avc1.42c02a"},
        {2560, 1440, 30, 1, 50, "avc1.42c032"},
        {3840, 2160, 30, 1, 51, "avc1.42c033"},
        {3840, 2160, 60, 1, 52, "avc1.42c034"},
        {16000, 16000, 120, 1, 52, "avc1.42c034"}, /* beyond them all */
        {1000, 16, 5, 1, 21, "avc1.42c015"},       /* few macroblocks in a long row */
        {16, 1000, 5, 1, 21, "avc1.42c015"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        int level = 0;
        char codecs[STORE_CODEC_MAX + 1];
        plan_avc_codecs(PLAN_AVC_BASELINE, cases[i].width, cases[i].height,
                        cases[i].num, cases[i].den, &level, codecs);
        assert_string_equal(codecs, cases[i].codecs);
        assert_int_equal(level, cases[i].level);
    }
}

static void interlaced_and_reordered_sources_are_marked(void **state)
{
    (void)state;
    struct clip c = usual;
    assert_false(planned(&c, 10)->video->deinterlace);
    assert_int_equal(planned(&c, 10)->video->seek_margin_us, 0);
    c.order = "bb";
    c.b_frames = 2;
    assert_true(planned(&c, 10)->video->deinterlace);
    assert_int_equal(planned(&c, 10)->video->seek_margin_us, 1000000);
}

/* ---- what is refused ---------------------------------------------------- */

static void a_file_without_any_stream_is_refused(void **state)
{
    (void)state;
    struct media_info info = probed(&usual);
    struct packet_scan scan = scanned(&usual, 30);
    info.n_streams = 0;
    assert_refused(make(&info, &scan, true), "The file holds no picture and no sound.");
}

static void sound_alone_is_refused(void **state)
{
    (void)state;
    struct media_info info = probed(&usual);
    struct packet_scan scan = scanned(&usual, 30);
    info.streams[0].still = true; /* a song with its cover */
    assert_refused(make(&info, &scan, true), "The file holds only sound, no video.");
}

static void a_video_that_cannot_be_decoded_is_refused(void **state)
{
    (void)state;
    struct clip c = usual;
    c.sound = NULL;
    struct media_info info = probed(&c);
    struct packet_scan scan = scanned(&c, 30);
    info.streams[0].codec[0] = '\0';
    assert_refused(make(&info, &scan, true),
                   "The file holds no video that can be decoded.");
}

static void a_picture_over_the_limit_is_refused(void **state)
{
    (void)state;
    struct clip c = usual;
    c.width = 3840;
    c.height = 2161;
    struct media_info info = probed(&c);
    struct packet_scan scan = scanned(&c, 30);
    assert_refused(make(&info, &scan, true),
                   "The picture is larger than this site takes.");
    info.streams[0].width = info.streams[0].height = 1000000;
    assert_refused(make(&info, &scan, true),
                   "The picture is larger than this site takes.");
    c.height = 2160;
    assert_int_equal(planned(&c, 30)->plan.height, 2160);
}

static void pictures_that_really_come_too_fast_are_refused(void **state)
{
    (void)state;
    struct media_info info = probed(&usual);
    struct packet_scan scan = scanned(&usual, 30);
    struct packet_stream *p = &scan.streams[media_info_video(&info)->index];
    p->packets = 1200000;
    p->first_us = 0;
    p->last_us = 10000000;
    assert_refused(make(&info, &scan, true),
                   "The file has 120,000 pictures a second; at most 1,000 are taken.");
    p->packets = 10000;
    struct video_plan plan;
    char error[STORE_TEXT_MAX + 1];
    assert_int_equal(plan_make(&info, &scan, true, &limits, 1, &plan, error), RC_OK);
}

static void a_video_over_the_limit_is_refused(void **state)
{
    (void)state;
    struct media_info info = probed(&usual);
    struct packet_scan scan = scanned(&usual, 12 * 3600 + 0.1);
    assert_refused(make(&info, &scan, true),
                   "The video is longer than this site takes.");
    assert_int_equal(planned(&usual, 12 * 3600)->plan.duration_us,
                     limits.max_duration_us);
}

/* The plan of so many seconds in a file of so many bytes. */
static struct made in_bytes(const struct clip *c, double length, int64_t file_size)
{
    struct plan_limits of_size = limits;
    struct media_info info = probed(c);
    struct packet_scan scan = scanned(c, length);
    struct made m = {.rc = RC_OK};
    of_size.file_size = file_size;
    m.rc = plan_make(&info, &scan, true, &of_size, 1, &m.plan, m.error);
    return m;
}

static void a_file_too_small_for_its_length_is_refused(void **state)
{
    (void)state;
    int64_t segments = 0;
    struct made m = in_bytes(&usual, 12 * 3600, -1);
    assert_int_equal(m.rc, RC_OK);
    for (size_t i = 0; i < m.plan.n_renditions; i++)
        segments += m.plan.renditions[i].segments;
    assert_in_range(segments, 32000, 33000); /* of its picture, and of its sound */
    m = in_bytes(&usual, 12 * 3600, segments * PLAN_SEGMENT_BYTES);
    assert_int_equal(m.rc, RC_OK);
    m = in_bytes(&usual, 12 * 3600, segments * PLAN_SEGMENT_BYTES - 1);
    assert_refused(&m, "The file is damaged: it is too small for a video of 12:00:00.");
}

static void an_hour_may_be_in_any_file(void **state)
{
    (void)state;
    static const struct clip silent = {.width = 640, .height = 360};
    struct made m = in_bytes(&silent, 3600, 1000);
    assert_int_equal(m.rc, RC_OK);
    assert_int_equal(m.plan.renditions[0].segments, PLAN_SEGMENTS_FREE);
    m = in_bytes(&silent, 3601, 1000);
    assert_refused(&m, "The file is damaged: it is too small for a video of 1:00:01.");
}

static void a_file_without_a_picture_in_it_is_refused(void **state)
{
    (void)state;
    struct media_info info = probed(&usual);
    struct packet_scan scan;
    packet_scan_init(&scan);
    add_packets(&scan, 1, 0, 30, 0.02);
    assert_refused(make(&info, &scan, true),
                   "No picture could be read: the file is damaged or was cut off.");
    /* ffprobe may count further than there is room for. */
    info.streams[0].index = MEDIA_STREAMS_MAX;
    assert_refused(make(&info, &scan, true),
                   "No picture could be read: the file is damaged or was cut off.");
}

/* ---- a plan that was made before the file was whole ------------------------ */

static void a_promise_is_kept_if_the_file_is_what_it_was_said_to_be(void **state)
{
    (void)state;
    static struct video_plan before, found;
    before = found = planned(&usual, 30.03)->plan;
    struct rendition *r = found.renditions;
#define KEPT()                                                                         \
    plan_is_kept(before.renditions, before.n_renditions, before.duration_us, &found)
    r[0].generation++; /* what says how the source is read, or how often it was tried */
    r[0].source_last_us -= 500000;
    r[0].seek_margin_us++;
    r[1].bitrate++;
    assert_true(KEPT());
    found.duration_us = before.duration_us - 1000000; /* the last picture may stay */
    assert_true(KEPT());
    found.duration_us--;
    assert_false(KEPT());
    found.duration_us = before.duration_us + 100000;
    assert_true(KEPT());
    found.duration_us++; /* more than that would be left out */
    assert_false(KEPT());
    found.duration_us = before.duration_us;
    found.n_renditions = 1; /* its sound is not there */
    assert_false(KEPT());
    found.n_renditions = 2;
    r[1].stream = 2;
    assert_false(KEPT());
    r[1].stream = 1;
    r[0].rate_num = 25;
    assert_false(KEPT());
    r[0].rate_num = 30000;
    strcpy(r[0].colour, "bt470bg/bt470bg/bt709");
    assert_false(KEPT());
#undef KEPT
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_usual_clip_gets_a_video_and_an_audio_rendition),
        cmocka_unit_test(without_sound_there_is_only_video),
        cmocka_unit_test(a_sound_track_without_a_packet_is_not_heard),
        cmocka_unit_test(a_sound_that_cannot_be_decoded_is_left_out_with_a_warning),
        cmocka_unit_test(frame_rates_snap_and_are_halved),
        cmocka_unit_test(the_smaller_side_becomes_360_and_every_side_even),
        cmocka_unit_test(the_codec_string_names_the_lowest_level_that_fits),
        cmocka_unit_test(interlaced_and_reordered_sources_are_marked),
        cmocka_unit_test(a_file_without_any_stream_is_refused),
        cmocka_unit_test(sound_alone_is_refused),
        cmocka_unit_test(a_video_that_cannot_be_decoded_is_refused),
        cmocka_unit_test(a_picture_over_the_limit_is_refused),
        cmocka_unit_test(a_video_over_the_limit_is_refused),
        cmocka_unit_test(pictures_that_really_come_too_fast_are_refused),
        cmocka_unit_test(a_file_too_small_for_its_length_is_refused),
        cmocka_unit_test(an_hour_may_be_in_any_file),
        cmocka_unit_test(a_file_without_a_picture_in_it_is_refused),
        cmocka_unit_test(a_promise_is_kept_if_the_file_is_what_it_was_said_to_be),
    };
    return cmocka_run_group_tests_name("plan", tests, NULL, NULL);
}
