#include "mediadir.h"
#include "playlists.h"
#include "tempdir.h"

#include <dirent.h>
#include <string.h>
#include <unistd.h>

#define ROOT "aaaaaaaaaaaaaaaaaaaaaaaaaa"
#define OTHER "cccccccccccccccccccccccccc"
#define FOLDER "htdocs/media/" ROOT "/"

#define HEAD "#EXTM3U\n#EXT-X-VERSION:7\n"

static struct site site;
static int tmp_fd;
static struct staging *staging;
static const struct subtitles no_subs;
static bool wrote;

static const struct rendition picture = {.name = "360p",
                                         .kind = RENDITION_VIDEO,
                                         .generation = 1,
                                         .width = 640,
                                         .height = 360,
                                         .bitrate = 800000,
                                         .codecs = "avc1.42c01e",
                                         .rate_num = 25,
                                         .rate_den = 1,
                                         .gop = 50,
                                         .frames = 110,
                                         .segments = 3};
static const struct rendition sound = {.name = "audio-0",
                                       .kind = RENDITION_AUDIO,
                                       .generation = 1,
                                       .bitrate = 128000,
                                       .codecs = "mp4a.40.2",
                                       .channels = 2,
                                       .rate_num = 375,
                                       .rate_den = 8,
                                       .gop = 192,
                                       .frames = 207,
                                       .segments = 2};

static const char *at(const char *name)
{
    static char path[PATH_MAX];
    assert_int_equal(site_path(&site, name, path), RC_OK);
    return path;
}

static int setup(void **state)
{
    (void)state;
    tempdir_make(site.root);
    assert_int_equal(mkdir(at("htdocs"), 0755), 0);
    assert_int_equal(mkdir(at("tmp"), 0755), 0);
    assert_int_equal(mediadir_create(&site, ROOT), RC_OK);
    assert_int_equal(mediadir_open_tmp(&site, false, &tmp_fd), RC_OK);
    assert_int_equal(staging_open(NULL, NULL, tmp_fd, &staging), RC_OK);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    staging_close(staging);
    close(tmp_fd);
    tempdir_remove(site.root);
    return 0;
}

static int entries(const char *folder)
{
    int n = 0;
    DIR *d = opendir(at(folder));
    assert_non_null(d);
    while (readdir(d))
        n++;
    closedir(d);
    return n - 2;
}

/* The whole file as text; good until the next call. */
static const char *content(const char *name)
{
    static char text[4096];
    FILE *f = fopen(at(name), "r");
    assert_non_null(f);
    size_t n = fread(text, 1, sizeof(text) - 1, f);
    text[n] = '\0';
    fclose(f);
    return text;
}

static enum rc write_both(struct rendition video, struct rendition audio)
{
    const struct rendition both[] = {audio, video};
    return playlists_write(&site, staging, ROOT, both, 2, false, &no_subs, &wrote);
}

static void a_folder_is_named_for_rendition_and_generation(void **state)
{
    char name[STORE_RENDITION_MAX + 16];
    struct rendition r = picture;
    (void)state;
    r.generation = 12;
    playlists_folder(&r, name);
    assert_string_equal(name, "360p-12");
}

static void each_rendition_gets_its_playlist(void **state)
{
    (void)state;
    assert_int_equal(write_both(picture, sound), RC_OK);
    assert_string_equal(content(FOLDER "360p-1/index.m3u8"),
                        HEAD "#EXT-X-TARGETDURATION:2\n"
                             "#EXT-X-MEDIA-SEQUENCE:0\n"
                             "#EXT-X-PLAYLIST-TYPE:VOD\n"
                             "#EXT-X-INDEPENDENT-SEGMENTS\n"
                             "#EXT-X-MAP:URI=\"init.mp4\"\n"
                             "#EXTINF:2.000000,\n0.m4s\n"
                             "#EXTINF:2.000000,\n1.m4s\n"
                             "#EXTINF:0.400000,\n2.m4s\n"
                             "#EXT-X-ENDLIST\n");
    assert_non_null(strstr(content(FOLDER "audio-0-1/index.m3u8"),
                           "#EXTINF:4.096000,\n0.m4s\n"
                           "#EXTINF:0.320000,\n1.m4s\n"
                           "#EXT-X-ENDLIST\n"));
    assert_int_equal(entries(FOLDER "360p-1"), 1);
    assert_int_equal(entries(FOLDER), 4);
    assert_int_equal(entries("tmp"), 0);
}

static void without_an_end_they_are_events_until_it_is_known(void **state)
{
    struct rendition r = picture;
    (void)state;
    r.segments = 1;
    r.frames = 50;
    assert_int_equal(
        playlists_write(&site, staging, ROOT, &r, 1, true, &no_subs, &wrote), RC_OK);
    const char *text = content(FOLDER "360p-1/index.m3u8");
    assert_non_null(strstr(text, "#EXT-X-PLAYLIST-TYPE:EVENT\n"));
    assert_null(strstr(text, "1.m4s"));
    r.segments = 2;
    r.frames = 100;
    assert_int_equal(playlists_write_media(&site, staging, ROOT, &r, true), RC_OK);
    text = content(FOLDER "360p-1/index.m3u8");
    assert_non_null(strstr(text, "1.m4s"));
    assert_null(strstr(text, "ENDLIST"));
    assert_int_equal(
        playlists_write(&site, staging, ROOT, &picture, 1, false, &no_subs, &wrote),
        RC_OK);
    text = content(FOLDER "360p-1/index.m3u8");
    assert_non_null(strstr(text, "#EXT-X-PLAYLIST-TYPE:VOD\n"));
    assert_non_null(strstr(text, "2.m4s\n#EXT-X-ENDLIST\n"));
}

static void the_master_adds_up_picture_and_sound(void **state)
{
    (void)state;
    static const char want[] =
        HEAD "#EXT-X-INDEPENDENT-SEGMENTS\n"
             "#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"audio\",NAME=\"Audio\",DEFAULT=YES,"
             "AUTOSELECT=YES,CHANNELS=\"2\",URI=\"audio-0-1/index.m3u8\"\n"
             "#EXT-X-STREAM-INF:BANDWIDTH=928000,CODECS=\"avc1.42c01e,mp4a.40.2\","
             "RESOLUTION=640x360,FRAME-RATE=25.000,AUDIO=\"audio\"\n"
             "360p-1/index.m3u8\n";
    assert_int_equal(write_both(picture, sound), RC_OK);
    assert_string_equal(content(FOLDER "master.m3u8"), want);
    assert_string_equal(content(FOLDER "player.m3u8"), want);
}

static void without_sound_the_master_names_none(void **state)
{
    (void)state;
    assert_int_equal(
        playlists_write(&site, staging, ROOT, &picture, 1, false, &no_subs, &wrote),
        RC_OK);
    const char *master = content(FOLDER "master.m3u8");
    assert_null(strstr(master, "AUDIO"));
    assert_non_null(strstr(master, "BANDWIDTH=800000,CODECS=\"avc1.42c01e\","));
    assert_int_equal(entries(FOLDER), 3);
}

static void subtitles_are_named_once_they_are_published(void **state)
{
    (void)state;
    struct subtitles subs = {
        .list = {{.name = "en", .language = "en", .published = true},
                 {.name = "de", .language = "de"}},
        .n = 2};
    assert_int_equal(
        playlists_write(&site, staging, ROOT, &picture, 1, false, &subs, &wrote),
        RC_OK);
    const char *master = content(FOLDER "player.m3u8");
    assert_non_null(strstr(master, "NAME=\"English\",LANGUAGE=\"en\","));
    assert_non_null(strstr(master, "URI=\"subs/en.m3u8\""));
    assert_non_null(strstr(master, ",SUBTITLES=\"subs\"\n360p-1/index.m3u8\n"));
    assert_null(strstr(master, "de.m3u8"));
    assert_int_equal(
        playlists_write(&site, staging, ROOT, &picture, 1, false, &no_subs, &wrote),
        RC_OK);
    assert_null(strstr(content(FOLDER "master.m3u8"), "SUBTITLES"));
}

static void what_was_measured_replaces_the_master(void **state)
{
    struct rendition video = picture, audio = sound;
    (void)state;
    assert_int_equal(write_both(video, audio), RC_OK);
    video.bitrate = 654321;
    video.average_bitrate = 400000;
    audio.bitrate = 130000;
    audio.average_bitrate = 120000;
    assert_int_equal(write_both(video, audio), RC_OK);
    const char *want = "BANDWIDTH=784321,AVERAGE-BANDWIDTH=520000,";
    assert_non_null(strstr(content(FOLDER "master.m3u8"), want));
    assert_non_null(strstr(content(FOLDER "player.m3u8"), want));
    assert_int_equal(entries("tmp"), 0);
}

/* Not the first one's, but the largest of each. */
static void of_several_tracks_the_worst_counts(void **state)
{
    struct rendition all[3] = {picture, sound, sound};
    (void)state;
    all[0].average_bitrate = 400000;
    all[1].bitrate = 100000;
    all[1].average_bitrate = 90000;
    all[2].bitrate = 130000;
    all[2].average_bitrate = 80000;
    strcpy(all[2].name, "audio-1");
    assert_int_equal(
        playlists_write(&site, staging, ROOT, all, 3, false, &no_subs, &wrote), RC_OK);
    assert_non_null(strstr(content(FOLDER "master.m3u8"),
                           "BANDWIDTH=930000,AVERAGE-BANDWIDTH=490000,"));
}

/* Who still reads the old one must not find its playlist changed under its feet. */
static void a_new_generation_stands_beside_the_old_one(void **state)
{
    struct rendition video = picture, audio = sound;
    char before[4096];
    (void)state;
    assert_int_equal(write_both(video, audio), RC_OK);
    strcpy(before, content(FOLDER "360p-1/index.m3u8"));
    video.generation = audio.generation = 2;
    video.frames = 50;
    video.segments = 1;
    assert_int_equal(write_both(video, audio), RC_OK);
    assert_string_equal(content(FOLDER "360p-1/index.m3u8"), before);
    assert_null(strstr(content(FOLDER "360p-2/index.m3u8"), "1.m4s"));
    const char *master = content(FOLDER "master.m3u8");
    assert_non_null(strstr(master, "\n360p-2/index.m3u8\n"));
    assert_non_null(strstr(master, "URI=\"audio-0-2/index.m3u8\""));
    assert_null(strstr(master, "360p-1"));
}

static void other_players_are_told_of_what_can_be_played_by_now(void **state)
{
    (void)state;
    struct rendition all[] = {picture, picture, picture, picture, sound};
    strcpy(all[1].name, "source");
    all[1].copied = all[1].extra = true;
    all[1].segments = all[1].frames = 0;
    strcpy(all[2].name, "1080p");
    strcpy(all[3].name, "720p");
    all[2].extra = all[3].extra = true;
    all[2].done = 2;
    all[3].done = 3;
    assert_int_equal(
        playlists_write(&site, staging, ROOT, all, 5, false, &no_subs, &wrote), RC_OK);
    const char *text = content(FOLDER "player.m3u8");
    assert_non_null(strstr(text, "360p-1/"));
    assert_non_null(strstr(text, "source-1/"));
    assert_non_null(strstr(text, "1080p-1/"));
    text = content(FOLDER "master.m3u8");
    assert_null(strstr(text, "source-1/"));
    assert_null(strstr(text, "1080p-1/"));
    assert_non_null(strstr(text, "720p-1/"));
    /* A copy is made in no time once it is known where it can be cut. */
    all[1].segments = 2;
    strcpy(all[1].colour, "bt2020nc/bt2020/smpte2084");
    assert_int_equal(
        playlists_write(&site, staging, ROOT, all, 5, false, &no_subs, &wrote), RC_OK);
    text = content(FOLDER "master.m3u8");
    assert_non_null(
        strstr(text, ",VIDEO-RANGE=PQ,AUDIO=\"audio\"\nsource-1/index.m3u8\n"));
    /* That of the others is what its pictures were made to be. */
    assert_int_equal(access(at(FOLDER "source-1"), F_OK), -1);
}

static void a_copy_has_its_own_list_of_segments(void **state)
{
    (void)state;
    int64_t starts[] = {40000, 4040000, 9500000};
    uint32_t frames[] = {100, 136};
    const struct bounds b = {2, starts, frames};
    struct rendition r = picture;
    strcpy(r.name, "source");
    assert_int_equal(playlists_write_cut(&site, staging, ROOT, &r, &b), RC_OK);
    assert_string_equal(content(FOLDER "source-1/index.m3u8"),
                        HEAD "#EXT-X-TARGETDURATION:5\n"
                             "#EXT-X-MEDIA-SEQUENCE:0\n"
                             "#EXT-X-PLAYLIST-TYPE:VOD\n"
                             "#EXT-X-INDEPENDENT-SEGMENTS\n"
                             "#EXT-X-MAP:URI=\"init.mp4\"\n"
                             "#EXTINF:4.040000,\n0.m4s\n"
                             "#EXTINF:5.460000,\n1.m4s\n"
                             "#EXT-X-ENDLIST\n");
}

static void each_sound_has_a_name_of_its_own(void **state)
{
    (void)state;
    struct rendition all[] = {picture, sound, sound, sound, sound};
    strcpy(all[1].language, "de");
    strcpy(all[2].language, "de");
    strcpy(all[3].label, "He said \"no\"");
    for (int i = 2; i < 5; i++)
        all[i].name[6] = (char)('0' + i - 1);
    assert_int_equal(
        playlists_write(&site, staging, ROOT, all, 5, false, &no_subs, &wrote), RC_OK);
    const char *text = content(FOLDER "master.m3u8");
    assert_non_null(strstr(text, "NAME=\"German\",LANGUAGE=\"de\",DEFAULT=YES,"));
    assert_non_null(strstr(text, "NAME=\"German 2\",LANGUAGE=\"de\",DEFAULT=NO,"));
    assert_non_null(strstr(text, "NAME=\"He said 'no'\",DEFAULT=NO,"));
    assert_non_null(strstr(text, "NAME=\"Audio\",DEFAULT=NO,"));
    assert_non_null(strstr(text, "URI=\"audio-3-1/index.m3u8\""));
}

static void a_video_whose_folder_is_gone_gets_nothing(void **state)
{
    (void)state;
    assert_int_equal(
        playlists_write(&site, staging, OTHER, &picture, 1, false, &no_subs, &wrote),
        RC_NOT_FOUND);
    assert_int_equal(access(at("htdocs/media/" OTHER), F_OK), -1);
    assert_int_equal(entries("tmp"), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_folder_is_named_for_rendition_and_generation),
        TEST(each_rendition_gets_its_playlist),
        TEST(without_an_end_they_are_events_until_it_is_known),
        TEST(the_master_adds_up_picture_and_sound),
        TEST(without_sound_the_master_names_none),
        TEST(subtitles_are_named_once_they_are_published),
        TEST(of_several_tracks_the_worst_counts),
        TEST(what_was_measured_replaces_the_master),
        TEST(a_new_generation_stands_beside_the_old_one),
        TEST(other_players_are_told_of_what_can_be_played_by_now),
        TEST(a_copy_has_its_own_list_of_segments),
        TEST(each_sound_has_a_name_of_its_own),
        TEST(a_video_whose_folder_is_gone_gets_nothing),
    };
    return cmocka_run_group_tests_name("playlists", tests, NULL, NULL);
}
