/* What a program says of the machine, and what of its file. */
#include "check.h"

#include "trouble.h"

#include <errno.h>
#include <string.h>

static bool told(const char *text)
{
    return trouble_in(text, strlen(text));
}

static void trouble_of_the_machine_is_told_by_what_the_system_says(void **state)
{
    static const char *const told_by_ffmpeg[] = {
        "[mov,mp4,m4a,3gp,3g2,mj2 @ 0x5] stream 0, offset 0x894bee: partial file\n"
        "file:/spool/x.src: Input/output error\n",
        "[matroska,webm @ 0x5] Read error\n",
        "file:/spool/x.src: No such file or directory",
        "file:/spool/x.src: Permission denied\r\n",
        "av_interleaved_write_frame(): No space left on device",
        "pthread_create failed: Resource temporarily unavailable. Try to increase",
        "ffmpeg: error while loading shared libraries: libavdevice.so.59: cannot open "
        "shared object file: No such file or directory",
        "Stale file handle",
        "Cannot allocate memory",
        "Too many open files",
    };
    (void)state;
    for (size_t i = 0; i < sizeof(told_by_ffmpeg) / sizeof(told_by_ffmpeg[0]); i++)
        if (!told(told_by_ffmpeg[i]))
            fail_msg("not seen: %s", told_by_ffmpeg[i]);
}

static void what_is_wrong_with_a_file_is_none(void **state)
{
    static const char *const told_by_ffmpeg[] = {
        "",
        "[mov,mp4,m4a,3gp,3g2,mj2 @ 0x5] moov atom not found\n"
        "file:/spool/x.src: Invalid data found when processing input\n",
        "[mov,mp4,m4a,3gp,3g2,mj2 @ 0x5] stream 0, offset 0x894bee: partial file",
        "[matroska,webm @ 0x5] File ended prematurely",
        "[aac @ 0x5] Reserved bit set.\nError while decoding stream #0:1: Invalid "
        "data found when processing input",
        "[mp4 @ 0x5] Could not find tag for codec none in stream #0",
        "Error initializing output stream: Invalid argument",
    };
    (void)state;
    for (size_t i = 0; i < sizeof(told_by_ffmpeg) / sizeof(told_by_ffmpeg[0]); i++)
        if (told(told_by_ffmpeg[i]))
            fail_msg("taken for trouble: %s", told_by_ffmpeg[i]);
}

static void only_what_is_there_is_looked_at(void **state)
{
    (void)state;
    assert_true(trouble_in("Input/output error!", 18));
    assert_false(trouble_in("Input/output error!", 17));
}

static void no_sentence_is_longer_than_is_said(void **state)
{
    (void)state;
    for (int e = 1; e < 134; e++)
        assert_true(strlen(strerror(e)) <= TROUBLE_TEXT_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(trouble_of_the_machine_is_told_by_what_the_system_says),
        cmocka_unit_test(what_is_wrong_with_a_file_is_none),
        cmocka_unit_test(only_what_is_there_is_looked_at),
        cmocka_unit_test(no_sentence_is_longer_than_is_said),
    };
    return cmocka_run_group_tests_name("trouble", tests, NULL, NULL);
}
