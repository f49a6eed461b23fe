#include "args_line.h"
#include "check.h"

#include "args.h"
#include "grid.h"
#include "plan.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define SRC "/srv/site/spool/aaaaaaaaaaaaaaaa.src"

/* Parts of the lines. */
#define FFMPEG "ffmpeg -nostdin -hide_banner -v error -max_error_rate 0.02"
#define PICTURE " -skip_loop_filter noref"
#define INPUT                                                                          \
    "-protocol_whitelist file,pipe -max_pixels 35389440 -f mov -copyts "               \
    "-start_at_zero "                                                                  \
    "-i file:" SRC
#define X264_NTSC                                                                      \
    "-c:v libx264 -preset ultrafast -tune zerolatency -x264-params "                   \
    "sliced-threads=0:chromaloc=0 "                                                    \
    "-profile:v baseline -level:v 3.0 -sc_threshold 0 -g 60 -keyint_min 60 "
#define COLOUR                                                                         \
    "format=yuv420p,setparams=range=tv:color_primaries=unknown:color_trc=unknown:"     \
    "colorspace=unknown,"
#define STEREO                                                                         \
    "aformat=sample_fmts=fltp,pan=stereo|FL=FL+FC+FLC+DL+WL+0.707*BL+0.707*SL+"        \
    "0.707*TFL+0.707*TBL+0.5*BC+0.5*TC|FR=FR+FC+FRC+DR+WR+0.707*BR+0.707*SR+"          \
    "0.707*TFR+0.707*TBR+0.5*BC+0.5*TC,"                                               \
    "alimiter=level=disabled:limit=1:attack=1:release=50,"
#define FMP4 "empty_moov+default_base_moof+frag_discont -f mp4 pipe:1"
#define NO_EDITS "-map_metadata -1 -use_editlist 0 -avoid_negative_ts disabled "
#define FMP4_VIDEO NO_EDITS "-movflags +frag_keyframe+" FMP4
#define FMP4_AUDIO "-frag_duration 4096000 " NO_EDITS "-movflags +" FMP4

static struct args args;

static const struct args_source mp4 = {.program = "ffmpeg",
                                       .path = SRC,
                                       .container = CONTAINER_MP4,
                                       .max_pixels = 35389440};
static const struct args_source webm = {.program = "/usr/bin/ffprobe",
                                        .path = SRC,
                                        .container = CONTAINER_WEBM,
                                        .max_pixels = 1000};

/* 60 s at 29.97 and 25 frames a second, and of sound. */
static const struct rendition ntsc = {
    .name = "360p",
    .kind = RENDITION_VIDEO,
    .width = 640,
    .height = 360,
    .rate_num = 30000,
    .rate_den = 1001,
    .gop = 60,
    .frames = 1799,
    .segments = 30,
    .source_last_us = 59926600,
};
static const struct rendition pal = {
    .kind = RENDITION_VIDEO,
    .width = 1280,
    .height = 720,
    .rate_num = 25,
    .rate_den = 1,
    .gop = 50,
    .frames = 1500,
    .segments = 30,
    .stream = 2,
    .source_last_us = 59960000,
    .seek_margin_us = 1000000,
    .deinterlace = true,
};
static const struct rendition sound = {
    .name = "audio-0",
    .kind = RENDITION_AUDIO,
    .rate_num = 375,
    .rate_den = 8,
    .gop = 192,
    .frames = 2813,
    .segments = 15,
    .stream = 1,
    .source_last_us = 59989333,
};

/* want: the arguments with a space between; none of them may have one in it. */
static void assert_line(const char *want)
{
    char line[4096] = "";
    for (int i = 0; i < args.n; i++) {
        assert_null(strchr(args.v[i], ' '));
        snprintf(line + strlen(line), sizeof(line) - strlen(line), "%s%s", i ? " " : "",
                 args.v[i]);
    }
    take_guards_out(line);
    assert_string_equal(line, want);
    assert_null(args.v[args.n]);
}

/* The argument after an option; NULL if the line does not have it. */
static const char *value_of(const char *option)
{
    for (int i = 0; i + 1 < args.n; i++)
        if (strcmp(args.v[i], option) == 0)
            return args.v[i + 1];
    return NULL;
}

/* From segment k to the end of the timeline. */
static enum rc encode_from(const struct args_source *src, const struct rendition *r,
                           double source_rate, int64_t k, struct args *out)
{
    struct grid g = {r->rate_num, r->rate_den, r->gop, r->frames};
    struct args_run run = {.from = k, .end = grid_segments(&g)};
    return args_encode(src, r, source_rate, &run, out);
}

static void encode(const struct rendition *r, double source_rate, int64_t k)
{
    assert_int_equal(encode_from(&mp4, r, source_rate, k, &args), RC_OK);
}

/* ---- looking at a file -------------------------------------------------- */

static void a_probe_forces_the_demuxer_and_allows_no_other_protocol(void **state)
{
    (void)state;
    assert_int_equal(args_probe(&webm, &args), RC_OK);
    assert_line("/usr/bin/ffprobe -v error -of json=compact=1 -show_format "
                "-show_streams -protocol_whitelist file,pipe -max_pixels 1000 -f "
                "matroska -i file:" SRC);
}

static void every_container_has_its_demuxer(void **state)
{
    (void)state;
    static const struct {
        enum container container;
        const char *demuxer, *names;
    } cases[] = {
        {CONTAINER_MP4, "mov", "mov,mp4,m4a,3gp,3g2,mj2"},
        {CONTAINER_MOV, "mov", "mov,mp4,m4a,3gp,3g2,mj2"},
        {CONTAINER_MATROSKA, "matroska", "matroska,webm"},
        {CONTAINER_WEBM, "matroska", "matroska,webm"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct args_source src = mp4;
        src.container = cases[i].container;
        assert_int_equal(args_packets(&src, 0, -1, &args), RC_OK);
        assert_string_equal(value_of("-f"), cases[i].demuxer);
        assert_string_equal(value_of("-format_whitelist"), cases[i].names);
        assert_string_equal(value_of("-codec_whitelist"), ARGS_DECODERS);
        assert_string_equal(value_of("-max_alloc"), ARGS_MAX_ALLOC);
    }
}

static void packets_are_read_whole_or_from_a_time_on(void **state)
{
    (void)state;
    assert_int_equal(args_packets(&mp4, 0, -1, &args), RC_OK);
    assert_line("ffmpeg -v error -of compact=p=0:nk=1 -show_entries "
                "packet=stream_index,pts_time,dts_time,duration_time,flags "
                "-fflags +discardcorrupt -protocol_whitelist file,pipe -max_pixels "
                "35389440 -f mov -i file:" SRC);
    assert_int_equal(args_packets(&mp4, -5, -1, &args), RC_OK);
    assert_null(value_of("-read_intervals"));
    assert_int_equal(args_packets(&mp4, 3595040001, -1, &args), RC_OK);
    assert_string_equal(value_of("-read_intervals"), "3595.040001%");
    assert_null(value_of("-select_streams"));
    assert_int_equal(args_packets(&mp4, 0, 2, &args), RC_OK);
    assert_string_equal(value_of("-select_streams"), "2");
}

/* ---- encoders ----------------------------------------------------------- */

static void a_video_run_from_the_start_does_not_seek(void **state)
{
    (void)state;
    encode(&ntsc, 29.97, 0);
    assert_line(FFMPEG PICTURE
                " " INPUT
                " -map 0:0 -vf scale=640:360:flags=bilinear:in_range=tv:out_range=tv,"
                "tpad=stop_mode=clone:stop=-1,fps=30000/"
                "1001:start_time=0.000000," COLOUR
                "setsar=1 -frames:v 1799 " X264_NTSC FMP4_VIDEO);
}

/* Segment 7 begins at frame 420: 14.014 s. The seek goes half a frame before it. */
static void a_video_run_from_a_segment_seeks_to_just_before_it(void **state)
{
    (void)state;
    encode(&ntsc, 29.97, 7);
    assert_line(FFMPEG
                " -noaccurate_seek -ss 13.997317" PICTURE " " INPUT
                " -map 0:0 -vf scale=640:360:flags=bilinear:in_range=tv:out_range=tv,"
                "tpad=stop_mode=clone:stop=-1,fps=30000/"
                "1001:start_time=14.014000," COLOUR
                "setsar=1 -frames:v 1379 " X264_NTSC FMP4_VIDEO);
}

/* 3.98 s less the margin for reordered frames. */
static void
an_interlaced_reordered_source_is_deinterlaced_and_sought_earlier(void **state)
{
    (void)state;
    encode(&pal, 25, 2);
    assert_string_equal(value_of("-ss"), "2.980000");
    assert_string_equal(value_of("-map"), "0:2");
    assert_string_equal(
        value_of("-vf"),
        "bwdif=mode=send_frame:deint=interlaced,"
        "scale=1280:720:flags=bilinear:in_range=tv:out_range=tv,"
        "tpad=stop_mode=clone:stop=-1,fps=25/1:start_time=4.000000," COLOUR "setsar=1");
    assert_string_equal(value_of("-level:v"), "3.1");
    assert_string_equal(value_of("-frames:v"), "1400");
}

/* Frames to drop are dropped before they cost scaling. */
static void a_source_of_60_frames_is_thinned_before_it_is_scaled(void **state)
{
    (void)state;
    encode(&ntsc, 59.94, 0);
    assert_string_equal(value_of("-vf"),
                        "tpad=stop_mode=clone:stop=-1,"
                        "fps=30000/1001:start_time=0.000000,"
                        "scale=640:360:flags=bilinear:in_range=tv:out_range=tv," COLOUR
                        "setsar=1");
    encode(&ntsc, 30, 0);
    assert_non_null(strstr(value_of("-vf"), "out_range=tv,tpad="));
}

/* Where the picture stops before the sound does, its last frame is repeated. */
static void a_run_beyond_the_last_frame_seeks_to_it(void **state)
{
    (void)state;
    struct rendition r = ntsc;
    r.source_last_us = 10000000;
    encode(&r, 29.97, 20);
    assert_string_equal(value_of("-ss"), "10.000000");
    assert_non_null(strstr(value_of("-vf"), "start_time=40.040000"));
    r = sound;
    r.source_last_us = 10000001;
    encode(&r, 0, 10);
    assert_string_equal(value_of("-ss"), "10.000001");
    r.source_last_us = -5;
    encode(&r, 0, 10);
    assert_null(value_of("-ss"));
}

static void an_audio_run_from_the_start_does_not_seek(void **state)
{
    (void)state;
    encode(&sound, 29.97, 0);
    assert_line(
        FFMPEG
        " " INPUT " -map 0:1 -af aresample=48000,apad,"
        "aresample=async=1:min_hard_comp=0.02:first_pts=0," STEREO
        "atrim=end_pts=2880512 -c:a aac "
        "-b:a 128000 -bsf:a noise=drop=lt(pts\\,0)+gte(pts\\,2880512) " FMP4_AUDIO);
}

/* Sample 983040 is 20.48 s; the three frames before it, 64 ms, are made and dropped. */
static void an_audio_run_from_a_segment_begins_three_frames_early(void **state)
{
    (void)state;
    encode(&sound, 29.97, 5);
    assert_line(FFMPEG " -ss 20.416000 " INPUT " -map 0:1 -af aresample=48000,apad,"
                       "aresample=async=1:min_hard_comp=0.02:first_pts=979968," STEREO
                       "atrim=end_pts=2880512 -c:a aac "
                       "-b:a 128000 -bsf:a "
                       "noise=drop=lt(pts\\,983040)+gte(pts\\,2880512) " FMP4_AUDIO);
}

/* An encoder's settings make the init segment, which every run must share. */
static void runs_differ_only_where_they_begin(void **state)
{
    (void)state;
    struct args first;
    assert_int_equal(encode_from(&mp4, &ntsc, 29.97, 0, &first), RC_OK);
    for (int64_t k = 1; k < ntsc.segments; k++) {
        encode(&ntsc, 29.97, k);
        assert_int_equal(args.n, first.n + 3);
        for (int i = 7; i < first.n; i++) {
            const char *option = first.v[i - 1];
            if (strcmp(option, "-vf") != 0 && strcmp(option, "-frames:v") != 0)
                assert_string_equal(args.v[i + 3], first.v[i]);
        }
    }
}

/* ---- posters ------------------------------------------------------------ */

static void a_poster_is_one_picture_of_a_bounded_size(void **state)
{
    (void)state;
    assert_int_equal(args_poster(&mp4, &pal, 3100000, 640, &args), RC_OK);
    assert_line(
        FFMPEG
        " -noaccurate_seek -ss 3.100000" PICTURE " " INPUT " -map 0:2 -vf "
        "bwdif=mode=send_frame:deint=interlaced,scale=640:360:flags=bicubic:"
        "in_range=tv:out_range=tv,format=yuv444p,scale=in_color_matrix=bt601:in_range="
        "tv:out_color_"
        "matrix="
        "bt601:out_range=pc,setsar=1,format=yuvj420p -frames:v 1 -c:v mjpeg -q:v 4 "
        "-f image2pipe pipe:1");
    assert_int_equal(args_poster(&mp4, &ntsc, 0, 640, &args), RC_OK);
    assert_null(value_of("-ss"));
    assert_string_equal(value_of("-vf"),
                        "scale=640:360:flags=bicubic:in_range=tv:out_range=tv,"
                        "format=yuv444p,scale=in_color_matrix=bt601:in_range=tv:"
                        "out_color_matrix=bt601:out_range=pc,setsar=1,format=yuvj420p");
}

static void a_poster_has_even_sides_of_at_least_two(void **state)
{
    (void)state;
    static const struct {
        int width, height;
        const char *scale;
    } cases[] = {
        {360, 640, "scale=270:480:"}, {640, 360, "scale=480:270:"},
        {2, 2, "scale=2:2:"},         {10000, 2, "scale=480:2:"},
        {2, 10000, "scale=2:480:"},   {480, 10, "scale=480:10:"},
        {640, 374, "scale=480:280:"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct rendition r = ntsc;
        r.width = cases[i].width;
        r.height = cases[i].height;
        assert_int_equal(args_poster(&mp4, &r, 0, 480, &args), RC_OK);
        assert_memory_equal(value_of("-vf"), cases[i].scale, strlen(cases[i].scale));
    }
}

/* ---- what must not get in ----------------------------------------------- */

enum line { LINE_PROBE, LINE_PACKETS, LINE_VIDEO, LINE_AUDIO, LINE_POSTER, LINES };

static enum rc line(enum line which, const struct args_source *src)
{
    struct rendition video = pal, audio = sound;
    /* What a file can say in words: none of it is for a command line. */
    strcpy(video.name, "evil");
    strcpy(video.codecs, "evil,codec");
    strcpy(audio.name, "-evil");
    strcpy(audio.codecs, "evil;");
    switch (which) {
    case LINE_PROBE:
        return args_probe(src, &args);
    case LINE_PACKETS:
        return args_packets(src, 1, -1, &args);
    case LINE_VIDEO:
        return encode_from(src, &video, 25, 3, &args);
    case LINE_AUDIO:
        return encode_from(src, &audio, 25, 3, &args);
    default:
        return args_poster(src, &video, 1, 640, &args);
    }
}

static void only_the_path_comes_from_the_file_and_it_is_always_a_file(void **state)
{
    (void)state;
    static const char *const paths[] = {
        "/evil.src",    "-evil",      "concat:/evil|/evil",
        "http://evil/", "evil%d.png", "|evil",
    };
    for (size_t i = 0; i < COUNT(paths); i++) {
        for (enum line which = 0; which < LINES; which++) {
            struct args_source src = mp4;
            int inputs = 0;
            src.path = paths[i];
            assert_int_equal(line(which, &src), RC_OK);
            for (int k = 1; k < args.n; k++) {
                if (strcmp(args.v[k - 1], "-i") != 0) {
                    assert_null(strstr(args.v[k], "evil"));
                    continue;
                }
                inputs++;
                assert_memory_equal(args.v[k], "file:", 5);
                assert_string_equal(args.v[k] + 5, paths[i]);
            }
            assert_int_equal(inputs, 1);
            assert_string_equal(value_of("-protocol_whitelist"), "file,pipe");
            assert_string_equal(value_of("-f"), "mov");
        }
    }
}

static void no_container_no_line(void **state)
{
    (void)state;
    struct args_source src = mp4;
    for (enum line which = 0; which < LINES; which++) {
        src.container = CONTAINER_NONE;
        assert_int_equal(line(which, &src), RC_INVALID);
        src.container = (enum container)77;
        assert_int_equal(line(which, &src), RC_INVALID);
    }
}

static void a_line_that_does_not_fit_is_refused(void **state)
{
    (void)state;
    static char path[20000];
    struct args_source src = mp4;
    memset(path, 'x', sizeof(path) - 1);
    for (enum line which = 0; which < LINES; which++) {
        src.path = SRC;
        assert_int_equal(line(which, &src), RC_OK);
        size_t rest = sizeof(args.text) - (size_t)args.used + strlen(SRC);
        src.path = path + sizeof(path) - 1 - rest;
        assert_int_equal(line(which, &src), RC_OK);
        assert_int_equal(args.used, sizeof(args.text));
        src.path--;
        assert_int_equal(line(which, &src), RC_INVALID);
        src.path = path;
        assert_int_equal(line(which, &src), RC_INVALID);
        src.path = SRC;
        src.program = path;
        assert_int_equal(line(which, &src), RC_INVALID);
        src.program = "ffmpeg";
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_probe_forces_the_demuxer_and_allows_no_other_protocol),
        cmocka_unit_test(every_container_has_its_demuxer),
        cmocka_unit_test(packets_are_read_whole_or_from_a_time_on),
        cmocka_unit_test(a_video_run_from_the_start_does_not_seek),
        cmocka_unit_test(a_video_run_from_a_segment_seeks_to_just_before_it),
        cmocka_unit_test(
            an_interlaced_reordered_source_is_deinterlaced_and_sought_earlier),
        cmocka_unit_test(a_source_of_60_frames_is_thinned_before_it_is_scaled),
        cmocka_unit_test(a_run_beyond_the_last_frame_seeks_to_it),
        cmocka_unit_test(an_audio_run_from_the_start_does_not_seek),
        cmocka_unit_test(an_audio_run_from_a_segment_begins_three_frames_early),
        cmocka_unit_test(runs_differ_only_where_they_begin),
        cmocka_unit_test(a_poster_is_one_picture_of_a_bounded_size),
        cmocka_unit_test(a_poster_has_even_sides_of_at_least_two),
        cmocka_unit_test(only_the_path_comes_from_the_file_and_it_is_always_a_file),
        cmocka_unit_test(no_container_no_line),
        cmocka_unit_test(a_line_that_does_not_fit_is_refused),
    };
    return cmocka_run_group_tests_name("args", tests, NULL, NULL);
}
