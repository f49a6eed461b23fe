/* test_subtitle_files.c: from the streams of a file to what a master says of them. */
#include "args_line.h"
#include "check.h"

#include "args.h"
#include "subtitle_files.h"
#include "subtitle_tracks.h"

#include <string.h>

static void tracks_of_text_are_told_from_pictures(void **state)
{
    (void)state;
    static const struct media_info info = {
        .streams = {{.index = 0, .kind = MEDIA_VIDEO, .codec = "h264"},
                    {.index = 1, .kind = MEDIA_SUBTITLE, .codec = "hdmv_pgs_subtitle"},
                    {.index = 2, .kind = MEDIA_SUBTITLE, .codec = "dvd_subtitle"},
                    {.index = 3,
                     .kind = MEDIA_SUBTITLE,
                     .codec = "ass",
                     .language = "ger",
                     .title = "Signs",
                     .forced = true},
                    {.index = 4, .kind = MEDIA_SUBTITLE, .codec = "mov_text"},
                    {.index = 6, .kind = MEDIA_SUBTITLE, .codec = ""}},
        .n_streams = 6};
    struct subtitles out;
    subtitle_tracks(&info, CONTAINER_MP4, &out);
    assert_int_equal(out.n, 2);
    subtitle_tracks(&info, CONTAINER_MATROSKA, &out);
    assert_int_equal(out.n, 3);
    assert_true(out.list[0].is_track && out.list[0].forced && !out.list[0].read);
    assert_int_equal(out.list[0].stream, 3);
    assert_string_equal(out.list[0].language, "de");
    assert_string_equal(out.list[0].label, "Signs");
    assert_string_equal(out.list[0].codec, "ass");
    assert_string_equal(out.list[1].language, "und");
    assert_int_equal(out.list[2].stream, 6);
    assert_string_equal(out.list[2].codec, "");
}

static void there_is_an_end_to_the_tracks(void **state)
{
    (void)state;
    static struct media_info info = {.n_streams = MEDIA_STREAMS_MAX};
    struct subtitles out;
    for (int i = 0; i < MEDIA_STREAMS_MAX; i++)
        info.streams[i] = (struct media_stream){
            .index = i, .kind = MEDIA_SUBTITLE, .codec = "subrip"};
    subtitle_tracks(&info, CONTAINER_MATROSKA, &out);
    assert_int_equal(out.n, STORE_SUBTITLES_MAX);
}

static void each_has_a_name_of_its_own(void **state)
{
    (void)state;
    static const struct subtitles all = {
        .list =
            {{.name = "de", .language = "de", .published = true},
             {.name = "de-2", .language = "de", .published = true},
             {.name = "de-3", .language = "de", .forced = true, .published = true},
             {.name = "en", .language = "en", .read = true},
             {.name = "tlh", .language = "tlh", .published = true},
             {.name = "und", .language = "und", .published = true},
             {.name = "fr",
              .language = "fr",
              .label = "The \"cut\"",
              .published = true},
             {.name = "it", .language = "it", .label = "German", .published = true}},
        .n = 8};
    static const char *const names[] = {"German",  "German 2",  "German (forced)",
                                        "tlh",     "Subtitles", "The 'cut'",
                                        "German 3"};
    struct subtitle_renditions out;
    subtitle_renditions(&all, &out);
    assert_int_equal(out.n, 7);
    for (size_t i = 0; i < out.n; i++)
        assert_string_equal(out.v[i].name, names[i]);
    assert_string_equal(out.v[1].uri, "subs/de-2.m3u8");
    assert_string_equal(out.v[1].language, "de");
    assert_true(out.v[2].is_forced);
    assert_null(out.v[4].language);
}

static void a_track_is_read_on_the_timeline(void **state)
{
    (void)state;
    struct args_source src = {.program = "ffmpeg",
                              .path = "/spool/x.src",
                              .container = CONTAINER_MATROSKA,
                              .max_pixels = 100};
    struct args args;
    char line[4096];
    assert_int_equal(args_subtitles(&src, 3, "ass", &args), RC_OK);
    args_quote(&args, line, sizeof(line));
    take_guards_out(line);
    assert_string_equal(line,
                        "ffmpeg -nostdin -hide_banner -v error "
                        "-protocol_whitelist file,pipe -max_pixels 100 -f matroska "
                        "-copyts -start_at_zero -i file:/spool/x.src -map 0:3 "
                        "-c:s webvtt -flush_packets 1 -f webvtt pipe:1");
    assert_int_equal(args_subtitles(&src, 3, "", &args), RC_OK);
    args_quote(&args, line, sizeof(line));
    take_guards_out(line);
    assert_non_null(strstr(line, " -c:s subrip -protocol_whitelist "));
    src.container = CONTAINER_NONE;
    assert_int_equal(args_subtitles(&src, 3, "ass", &args), RC_INVALID);
}

static void what_was_written_is_synced_and_its_folder(void **state)
{
    (void)state;
    static char deep[PATH_MAX];
    const char *names[STORE_SUBTITLES_MAX] = {"en", "de-2"};
    struct args args;
    char line[4096];
    assert_int_equal(args_sync_subtitles("/m/subs", names, 2, &args), RC_OK);
    args_quote(&args, line, sizeof(line));
    assert_string_equal(line, "sync /m/subs/en.m3u8 /m/subs/en.vtt "
                              "/m/subs/de-2.m3u8 /m/subs/de-2.vtt /m/subs");
    /* Too many for one line, where the site is that deep. */
    memset(deep, '/', 1000);
    for (size_t i = 2; i < STORE_SUBTITLES_MAX; i++)
        names[i] = "fr";
    assert_int_equal(args_sync_subtitles(deep, names, STORE_SUBTITLES_MAX, &args),
                     RC_OK);
    assert_int_equal(args.n, 3);
    assert_string_equal(args.v[1], "-f");
    assert_string_equal(args.v[2], deep);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tracks_of_text_are_told_from_pictures),
        cmocka_unit_test(there_is_an_end_to_the_tracks),
        cmocka_unit_test(each_has_a_name_of_its_own),
        cmocka_unit_test(a_track_is_read_on_the_timeline),
        cmocka_unit_test(what_was_written_is_synced_and_its_folder),
    };
    return cmocka_run_group_tests_name("subtitle_files", tests, NULL, NULL);
}
