#include "check.h"

#include "subtitle.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HEADER "WEBVTT\nX-TIMESTAMP-MAP=MPEGTS:0,LOCAL:00:00:00.000\n"

static void check_bytes(const char *in, size_t n, const char *cues)
{
    char *out = NULL, *again = NULL;
    size_t size = 0, size_again = 0;
    assert_int_equal(subtitle_to_webvtt(in, n, &out, &size), RC_OK);
    assert_memory_equal(out, HEADER, strlen(HEADER));
    assert_string_equal(out + strlen(HEADER), cues);
    assert_int_equal(size, strlen(out));
    assert_int_equal(subtitle_to_webvtt(out, size, &again, &size_again), RC_OK);
    assert_string_equal(again, out);
    free(out);
    free(again);
}

static void check(const char *in, const char *cues)
{
    check_bytes(in, strlen(in), cues);
}

/* One cue of SRT with this text. */
static void check_text(const char *text, const char *out)
{
    char in[2048], cues[2048];
    snprintf(in, sizeof(in), "1\n00:00:01,000 --> 00:00:02,000\n%s\n", text);
    snprintf(cues, sizeof(cues), "\n00:00:01.000 --> 00:00:02.000\n%s\n", out);
    check(in, cues);
}

static enum rc refusal(const char *in, size_t n)
{
    char *out = NULL;
    size_t size = 0;
    enum rc rc = subtitle_to_webvtt(in, n, &out, &size);
    assert_null(out);
    assert_int_equal(size, 0);
    return rc;
}

static void srt_becomes_webvtt(void **state)
{
    (void)state;
    check("1\r\n00:00:01,000 --> 00:00:02,500\r\nHello\r\nyou\r\n\r\n"
          "2\r\n01:02:03,004 --> 01:02:04,000\r\nBye\r\n",
          "\n00:00:01.000 --> 00:00:02.500\nHello\nyou\n"
          "\n01:02:03.004 --> 01:02:04.000\nBye\n");
}

static void numbers_and_empty_lines_of_srt_may_be_missing_or_too_many(void **state)
{
    (void)state;
    check("\n\n00:00:01,000 --> 00:00:02,000\n\nA\n\n\nB\n\n\n"
          "2\n00:00:02,000-->00:00:03,000\nC\n3\n00:00:03.5 --> 00:00:04\nD",
          "\n00:00:01.000 --> 00:00:02.000\nA\nB\n"
          "\n00:00:02.000 --> 00:00:03.000\nC\n"
          "\n00:00:03.500 --> 00:00:04.000\nD\n");
}

static void a_number_that_is_said_is_no_index(void **state)
{
    (void)state;
    check("00:00:01,000 --> 00:00:02,000\n1984\n\n00:00:03,000 --> 00:00:04,000\n42\n",
          "\n00:00:01.000 --> 00:00:02.000\n1984\n"
          "\n00:00:03.000 --> 00:00:04.000\n42\n");
}

static void old_line_ends_are_line_ends(void **state)
{
    (void)state;
    check(
        "1\r00:00:01,000 --> 00:00:02,000\rA\rB\r\r2\r00:00:03,000 --> 00:00:04,000\rC",
        "\n00:00:01.000 --> 00:00:02.000\nA\nB\n"
        "\n00:00:03.000 --> 00:00:04.000\nC\n");
}

static void cues_are_put_in_the_order_of_their_times(void **state)
{
    (void)state;
    check("1\n00:00:05,000 --> 00:00:06,000\nlate\n\n"
          "2\n00:00:01,000 --> 00:00:02,000\nearly\n\n"
          "3\n00:00:01,000 --> 00:00:09,000\nsecond\n",
          "\n00:00:01.000 --> 00:00:02.000\nearly\n"
          "\n00:00:01.000 --> 00:00:09.000\nsecond\n"
          "\n00:00:05.000 --> 00:00:06.000\nlate\n");
}

static void impossible_times_take_their_cue_with_them(void **state)
{
    (void)state;
    static const char *const times[] = {
        "00:00:02,000 --> 00:00:01,000",   "00:00:01,000 --> 00:00:01,000",
        "-00:00:01,000 --> 00:00:02,000",  "00:60:00,000 --> 00:61:00,000",
        "00:00:61,000 --> 00:01:62,000",   "1000:00:00,000 --> 1000:00:01,000",
        "00:00:0x,000 --> 00:00:01,000",   "00:00:01,000 --> ",
        "00:00:01,000 --> 99999999999999", "0:0:0:1 --> 0:0:0:2",
        "00:00:01,000 --> 00:00:02x",
    };
    for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++) {
        char in[256];
        snprintf(in, sizeof(in),
                 "1\n00:00:03,000 --> 00:00:04,000\nkept\n\n2\n%s\ngone\n\n"
                 "3\n00:00:05,000 --> 00:00:06,000\nkept too\n",
                 times[i]);
        check(in, "\n00:00:03.000 --> 00:00:04.000\nkept\n"
                  "\n00:00:05.000 --> 00:00:06.000\nkept too\n");
    }
}

static void an_arrow_that_is_said_is_text(void **state)
{
    (void)state;
    check_text("A --> B", "A --&gt; B");
    check_text("Who: me --> you", "Who: me --&gt; you");
}

static void what_would_be_markup_is_escaped(void **state)
{
    (void)state;
    check_text("a < b & c > d <3 <", "a &lt; b &amp; c &gt; d &lt;3 &lt;");
    check_text("AT&amp;T &lt;ok&gt; &copy; &nbsp;x",
               "AT&amp;T &lt;ok&gt; &amp;copy; &nbsp;x");
    check_text("<1:00 pm> <unfinished", "&lt;1:00 pm&gt; &lt;unfinished");
}

static void tags_that_webvtt_knows_stay_and_others_go(void **state)
{
    (void)state;
    check_text("<i>a</i> <B>b</B> <u>c</u>", "<i>a</i> <b>b</b> <u>c</u>");
    check_text("<font color=\"#fff\" size='3'>x</font><script>y</script>", "xy");
    check_text("<img src=x onerror=alert(1)>z", "z");
    check_text("one<br>two<br/>three", "one\ntwo\nthree");
    check_text("<ruby>a<rt>b</rt></ruby>", "<ruby>a<rt>b</rt></ruby>");
    check_text("<v.loud  Bob & \"I\" >hi", "<v.loud Bob &amp; \"I\">hi</v>");
    check_text("<c.yellow.bg_blue onclick=x>y</c>", "<c.yellow.bg_blue>y</c>");
}

static void tags_are_closed_in_the_order_in_which_they_were_opened(void **state)
{
    (void)state;
    check_text("<b><i>x</b>y</i>", "<b><i>x</i></b>y");
    check_text("</i>x</b>", "x");
    check_text("<i>a\n</i>b", "<i>a</i>\nb");
    check_text("<b><b><b><b><b><b><b><b><b>x", "<b><b><b><b><b><b><b><b>x"
                                               "</b></b></b></b></b></b></b></b>");
}

static void a_long_tag_stays_bounded(void **state)
{
    (void)state;
    char text[400], out[400];
    memset(text, '&', sizeof(text));
    memcpy(text, "<v ", 3);
    snprintf(text + 203, sizeof(text) - 203, ">x");
    strcpy(out, "<v ");
    for (int i = 0; i < 32; i++)
        strcat(out, "&amp;");
    strcat(out, ">x</v>");
    check_text(text, out);
    memset(text, 'a', 300); /* too long for a tag */
    text[0] = '<';
    strcpy(text + 299, ">");
    snprintf(out, sizeof(out), "&lt;%.298s&gt;", text + 1);
    check_text(text, out);
}

static void no_tag_makes_an_arrow(void **state)
{
    (void)state;
    check_text("<v Bob-->x <c.a--.b-->y</c-->", "<v Bob>x <c.a.b>y</c></v>");
}

static void orders_of_ass_go_and_the_top_is_kept(void **state)
{
    (void)state;
    check("1\n00:00:01,000 --> 00:00:02,000\n{\\an8}{\\i1}Up {not this}{\\fs\n",
          "\n00:00:01.000 --> 00:00:02.000 line:0\nUp {not this}{\\fs\n");
    check_text("{\\an2}down", "down");
    check("WEBVTT\n\n00:01.000 --> 00:02.000\n{\\an8}x\n",
          "\n00:00:01.000 --> 00:00:02.000\n{\\an8}x\n");
}

static void cues_without_text_go(void **state)
{
    (void)state;
    check("1\n00:00:01,000 --> 00:00:02,000\n<i> </i>\n\n2\n00:00:02,000 --> "
          "00:00:03,000\n\n3\n00:00:03,000 --> 00:00:04,000\nx\n",
          "\n00:00:03.000 --> 00:00:04.000\nx\n");
    check_text("a\n<font></font>\nb", "a\nb");
}

static void what_is_said_twice_at_once_is_shown_once(void **state)
{
    (void)state;
    check(
        "1\n00:00:01,000 --> 00:00:02,000\n<font>x</font>\n\n"
        "2\n00:00:01,000 --> 00:00:02,000\nx\n\n3\n00:00:02,000 --> 00:00:03,000\nx\n",
        "\n00:00:01.000 --> 00:00:02.000\nx\n\n00:00:02.000 --> 00:00:03.000\nx\n");
}

static void webvtt_keeps_what_is_well_formed(void **state)
{
    (void)state;
    check("WEBVTT - a title\nKind: captions\nX-TIMESTAMP-MAP=LOCAL:0,MPEGTS:900000\n\n"
          "STYLE\n::cue { color: red }\n\nREGION\nid:r\nwidth:40%\n\n"
          "NOTE a comment\nof two lines\n\nintro\n"
          "00:01.000 --> 00:02.000 line:-1 position:10.5%,line-left align:end region:r "
          "size:1 vertical:rl bogus:1 size:50%\n<c>x</c>\nNOTE is said\n\n"
          "100:00:00.000 --> 100:00:01.000\tline:50%,start align:middle\nlate",
          "\n00:00:01.000 --> 00:00:02.000 line:-1 position:10.5%,line-left align:end "
          "vertical:rl size:50%\n<c>x</c>\nNOTE is said\n"
          "\n100:00:00.000 --> 100:00:01.000 line:50%,start\nlate\n");
}

static void a_cue_of_webvtt_ends_with_an_empty_line(void **state)
{
    (void)state;
    check(
        "WEBVTT\n\n00:01.000 --> 00:02.000\na\n\nstray\n\n00:03.000 --> 00:04.000\nb\n"
        "00:05.000 --> 00:06.000\nc\n",
        "\n00:00:01.000 --> 00:00:02.000\na\n\n00:00:03.000 --> 00:00:04.000\nb\n"
        "\n00:00:05.000 --> 00:00:06.000\nc\n");
}

static void times_inside_a_cue_stay_if_they_are_its_own(void **state)
{
    (void)state;
    check("WEBVTT\n\n00:01.000 --> 00:02.000\na <00:01.500>b <00:09.000>c "
          "<00:00:01.000>d\n",
          "\n00:00:01.000 --> 00:00:02.000\na <00:00:01.500>b c d\n");
}

static void every_usual_encoding_is_read(void **state)
{
    (void)state;
    static const char out[] =
        "\n00:00:01.000 --> 00:00:02.000\n\xc3\xbc \xe2\x82\xac \xe2\x80\x9ex\n";
    static const char ascii[] = "00:00:01,000 --> 00:00:02,000\n";
    char text[512], wide[1024];
    snprintf(text, sizeof(text), "%s\xc3\xbc \xe2\x82\xac \xe2\x80\x9ex\n", ascii);
    check(text, out);
    snprintf(text, sizeof(text), "\xef\xbb\xbf%s\xc3\xbc \xe2\x82\xac \xe2\x80\x9ex\n",
             ascii);
    check(text, out);
    snprintf(text, sizeof(text), "%s\xfc \x80 \x84x\n", ascii);
    check(text, out);
    for (int little = 0; little < 2; little++) {
        size_t n = 0;
        static const unsigned short tail[] = {0xfc,   ' ', 0x20ac, ' ',
                                              0x201e, 'x', '\n'};
        unsigned short units[128], count = 0;
        units[count++] = 0xfeff;
        for (const char *s = ascii; *s; s++)
            units[count++] = (unsigned char)*s;
        for (size_t i = 0; i < 7; i++)
            units[count++] = tail[i];
        for (unsigned short i = 0; i < count; i++) {
            wide[n++] = (char)(little ? units[i] & 0xff : units[i] >> 8);
            wide[n++] = (char)(little ? units[i] >> 8 : units[i] & 0xff);
        }
        check_bytes(wide, n, out);
    }
}

static void webvtt_that_is_no_utf8_is_repaired(void **state)
{
    (void)state;
    check("WEBVTT\n\n00:01.000 --> 00:02.000\n\xfcx\n",
          "\n00:00:01.000 --> 00:00:02.000\n\xef\xbf\xbdx\n");
}

static void control_characters_go(void **state)
{
    (void)state;
    check_text("a\x01\x1b[31mb\x7f\tc\x1a", "a[31mb c");
}

static void what_is_neither_is_told_apart_from_what_is_empty(void **state)
{
    (void)state;
    static const char ass[] = "[Script Info]\nTitle: x\n\n[Events]\nDialogue: "
                              "0,0:00:01.00,0:00:02.00,Default,,0,0,0,,Hi\n";
    static const char vtt[] = "WEBVTT\n\nNOTE nothing\n";
    static const char vttx[] = "WEBVTTX\n\n00:01 x 00:02\n";
    static const char late[] = "1\n00:00:02,000 --> 00:00:01,000\nx\n";
    assert_int_equal(refusal("", 0), RC_UNSUPPORTED);
    assert_int_equal(refusal("\xff\xfe", 2), RC_UNSUPPORTED);
    assert_int_equal(refusal(ass, strlen(ass)), RC_UNSUPPORTED);
    assert_int_equal(refusal(vttx, strlen(vttx)), RC_UNSUPPORTED);
    assert_int_equal(refusal("00:01 --> 00:02\nx\0y", 19), RC_UNSUPPORTED);
    assert_int_equal(refusal("\x89PNG\r\n\x1a\n", 8), RC_UNSUPPORTED);
    assert_int_equal(refusal(vtt, strlen(vtt)), RC_INVALID);
    assert_int_equal(refusal(late, strlen(late)), RC_INVALID);
}

static void too_many_cues_and_too_much_text_are_refused(void **state)
{
    (void)state;
    static const char cue[] = "0:01-->0:02\nx\n";
    size_t n = 0, size = 3 * SUBTITLE_FILE_MAX;
    char *text = malloc(size);
    assert_non_null(text);
    for (int i = 0; i <= SUBTITLE_CUES_MAX; i++, n += strlen(cue))
        memcpy(text + n, cue, strlen(cue));
    assert_int_equal(refusal(text, n), RC_TOO_LARGE);
    memset(text, '&', 2 * SUBTITLE_FILE_MAX);
    memcpy(text, "0:01-->0:02\n", 12);
    assert_int_equal(refusal(text, 2 * SUBTITLE_FILE_MAX), RC_TOO_LARGE);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(srt_becomes_webvtt),
        cmocka_unit_test(numbers_and_empty_lines_of_srt_may_be_missing_or_too_many),
        cmocka_unit_test(a_number_that_is_said_is_no_index),
        cmocka_unit_test(old_line_ends_are_line_ends),
        cmocka_unit_test(cues_are_put_in_the_order_of_their_times),
        cmocka_unit_test(impossible_times_take_their_cue_with_them),
        cmocka_unit_test(an_arrow_that_is_said_is_text),
        cmocka_unit_test(what_would_be_markup_is_escaped),
        cmocka_unit_test(tags_that_webvtt_knows_stay_and_others_go),
        cmocka_unit_test(tags_are_closed_in_the_order_in_which_they_were_opened),
        cmocka_unit_test(a_long_tag_stays_bounded),
        cmocka_unit_test(no_tag_makes_an_arrow),
        cmocka_unit_test(orders_of_ass_go_and_the_top_is_kept),
        cmocka_unit_test(cues_without_text_go),
        cmocka_unit_test(what_is_said_twice_at_once_is_shown_once),
        cmocka_unit_test(webvtt_keeps_what_is_well_formed),
        cmocka_unit_test(a_cue_of_webvtt_ends_with_an_empty_line),
        cmocka_unit_test(times_inside_a_cue_stay_if_they_are_its_own),
        cmocka_unit_test(every_usual_encoding_is_read),
        cmocka_unit_test(webvtt_that_is_no_utf8_is_repaired),
        cmocka_unit_test(control_characters_go),
        cmocka_unit_test(what_is_neither_is_told_apart_from_what_is_empty),
        cmocka_unit_test(too_many_cues_and_too_much_text_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
