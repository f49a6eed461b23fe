/* test_media_path.c: what the addresses of media files name. */
#include "check.h"

#include "media_path.h"

#include <string.h>

#define KEY "abcdefghijklmnopqrstuvwxyz"
#define OTHER "zyxwvutsrqponmlkjihgfedcba"

static void a_segment_is_named_in_one_way(void **state)
{
    struct media_path path;
    char file[MEDIA_FILE_MAX + 1];

    (void)state;
    assert_int_equal(media_path_parse("/media/" KEY "/audio-0-12/7.m4s", &path), RC_OK);
    assert_string_equal(path.key, KEY);
    assert_string_equal(path.rendition, "audio-0");
    assert_int_equal(path.generation, 12);
    assert_int_equal(path.segment, 7);
    media_path_file(&path, file);
    assert_string_equal(file, KEY "/audio-0-12/7.m4s");
    assert_int_equal(media_path_parse("/media/" KEY "/360p-1/init.mp4", &path), RC_OK);
    assert_int_equal(path.segment, MEDIA_INIT);
}

static void other_files_are_none(void **state)
{
    static const char *const paths[] = {
        "",
        "/media/" KEY,
        "/media/" KEY "/360p-1",
        "/media/" KEY "/360p-1/",
        "/media/" KEY "/360p-1/07.m4s",
        "/media/" KEY "/360p-1/-7.m4s",
        "/media/" KEY "/360p-01/7.m4s",
        "/media/" KEY "/360p-0/7.m4s",
        "/media/" KEY "/360p/7.m4s",
        "/media/" KEY "/360p-1/7.m4s/",
        "/media/" KEY "/x/360p-1/7.m4s",
        "/media/" KEY "a/360p-1/7.m4s",
        "/missing/" KEY "/360p-1/7.m4s",
        "/media/" KEY "/360p-1/master.m3u8",
    };
    struct media_path path;

    (void)state;
    for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++)
        if (media_path_parse(paths[i], &path) != RC_INVALID)
            fail_msg("%s", paths[i]);
}

static void every_file_is_below_a_key(void **state)
{
    static const char *const paths[] = {
        "/media/" KEY "/master.m3u8",    "/media/" KEY "/360p-1/0.m4s",
        "/media/" KEY "/subs/pt-BR.vtt", "/media/" KEY "/sheet_3-1.jpg",
        "/media/" KEY "/subs/",          "/media/" KEY "/",
    };
    char key[KEY_LEN + 1];

    (void)state;
    for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
        assert_int_equal(media_path_key(paths[i], key), RC_OK);
        assert_string_equal(key, KEY);
    }
}

/* A server that tidied such a path up would send what is below the other key. */
static void a_path_that_could_be_read_otherwise_has_none(void **state)
{
    static const char *const paths[] = {
        "/media/" KEY,
        "/media/" KEY "/../" OTHER "/master.m3u8",
        "/media/" KEY "/x/../../" OTHER "/master.m3u8",
        "/media/" KEY "/./master.m3u8",
        "/media/" KEY "//master.m3u8",
        "/media//" KEY "/master.m3u8",
        "/media/" KEY "/.hidden",
        "/media/" KEY "/%2e%2e/" OTHER "/master.m3u8",
        "/media/" KEY "/..\\" OTHER "/master.m3u8",
        "/media/" KEY "/a;b",
        "/media/" KEY "/a?b",
        "/media/" KEY "/\303\274",
        "/x/../media/" KEY "/master.m3u8",
        "/MEDIA/" KEY "/master.m3u8",
        "/media/ABCDEFGHIJKLMNOPQRSTUVWXYZ/master.m3u8",
    };
    char key[KEY_LEN + 1];

    (void)state;
    for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++)
        if (media_path_key(paths[i], key) != RC_INVALID)
            fail_msg("%s", paths[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_segment_is_named_in_one_way),
        cmocka_unit_test(other_files_are_none),
        cmocka_unit_test(every_file_is_below_a_key),
        cmocka_unit_test(a_path_that_could_be_read_otherwise_has_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
