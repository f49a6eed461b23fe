#include "args_line.h"
#include "check.h"

#include "args.h"
#include "grid.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define SRC "/srv/site/spool/aaaaaaaaaaaaaaaa.src"

static struct args args;

static const struct args_source mp4 = {.program = "ffmpeg",
                                       .path = SRC,
                                       .container = CONTAINER_MP4,
                                       .max_pixels = 35389440};
static const struct args_source webm = {.program = "/usr/bin/ffprobe",
                                        .path = SRC,
                                        .container = CONTAINER_WEBM,
                                        .max_pixels = 1000};
static const struct rendition sound = {.name = "audio-0",
                                       .kind = RENDITION_AUDIO,
                                       .rate_num = 375,
                                       .rate_den = 8,
                                       .gop = GRID_AUDIO_SEGMENT,
                                       .frames = 1000};
static const struct args_run run = {.from = 5, .end = 6};

/* What /bin/sh makes of the quoted line, compared with what it was made from. */
static void assert_same_to_the_shell(void)
{
    static char command[70000], got[70000];
    size_t n = (size_t)sprintf(command, "printf '%%s\\0' ");
    args_quote(&args, command + n, (int)(sizeof(command) - n));
    FILE *f = popen(command, "r");
    assert_non_null(f);
    n = fread(got, 1, sizeof(got), f);
    assert_int_equal(pclose(f), 0);
    size_t at = 0;
    for (int i = 0; i < args.n; i++) {
        assert_true(at < n);
        assert_string_equal(got + at, args.v[i]);
        at += strlen(got + at) + 1;
    }
    assert_int_equal(at, n);
}

static void a_quoted_line_means_the_same_to_a_shell(void **state)
{
    (void)state;
    static const char *const paths[] = {
        SRC,
        "/it's",
        "''",
        "/a b\tc",
        "$HOME `id` $(id) \\ \\\\ \"x\" !! # ~ * ? [a] {a,b} ; & | < > ( )",
        "/two\nlines",
        "\xc3\xa9\xff\x01",
        "'",
        "",
    };
    for (size_t i = 0; i < COUNT(paths); i++) {
        struct args_source src = mp4;
        src.path = paths[i];
        src.program = i % 2 ? paths[i] : "ffmpeg";
        assert_int_equal(args_encode(&src, &sound, 0, &run, &args), RC_OK);
        assert_same_to_the_shell();
    }
}

static void a_plain_line_is_not_quoted(void **state)
{
    (void)state;
    char text[2048];
    assert_int_equal(args_probe(&webm, &args), RC_OK);
    args_quote(&args, text, sizeof(text));
    take_guards_out(text);
    assert_string_equal(text,
                        "/usr/bin/ffprobe -v error -of json=compact=1 -show_format "
                        "-show_streams -protocol_whitelist file,pipe -max_pixels 1000 "
                        "-f matroska -i file:" SRC);
}

static void a_quoted_line_that_does_not_fit_is_cut(void **state)
{
    (void)state;
    char whole[4096], cut[4096];
    struct args_source src = mp4;
    src.path = "/it's a file";
    assert_int_equal(args_encode(&src, &sound, 0, &run, &args), RC_OK);
    args_quote(&args, whole, sizeof(whole));
    for (size_t size = 1; size <= strlen(whole) + 1; size++) {
        memset(cut, 'x', sizeof(cut));
        args_quote(&args, cut, (int)size);
        assert_true(strlen(cut) < size);
        assert_memory_equal(cut, whole, strlen(cut));
        assert_int_equal(cut[size], 'x');
    }
    assert_string_equal(cut, whole);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_quoted_line_means_the_same_to_a_shell),
        cmocka_unit_test(a_plain_line_is_not_quoted),
        cmocka_unit_test(a_quoted_line_that_does_not_fit_is_cut),
    };
    return cmocka_run_group_tests_name("args_quote", tests, NULL, NULL);
}
