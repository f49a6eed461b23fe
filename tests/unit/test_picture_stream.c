/* test_picture_stream.c: pictures and their times out of a Matroska stream. */
#include "check.h"

#include "picture_stream.h"

#include <stdio.h>
#include <string.h>

/* What a stream has given, "1@5000:ab 2@…". */
static char got[512];

static enum rc take(void *arg, uint64_t track, int64_t time_ms, const uint8_t *data,
                    size_t n)
{
    size_t used = strlen(got);

    snprintf(got + used, sizeof(got) - used, "%d@%d:%.*s ", (int)track, (int)time_ms,
             (int)n, (const char *)data);
    return arg ? RC_NOSPACE : RC_OK;
}

/* step: so many bytes at a time. */
static enum rc feed(const char *bytes, size_t n, size_t step, void *arg)
{
    struct picture_stream *s;
    enum rc rc = RC_OK;

    got[0] = '\0';
    assert_int_equal(picture_stream_open(take, arg, &s), RC_OK);
    for (size_t at = 0; at < n && rc == RC_OK; at += step)
        rc = picture_stream_feed(s, bytes + at, n - at < step ? n - at : step);
    picture_stream_free(s);
    return rc;
}

#define HEAD "\x1A\x45\xDF\xA3\x83xyz\x18\x53\x80\x67\x01\xFF\xFF\xFF\xFF\xFF\xFF\xFF"
#define STREAM                                                                         \
    HEAD "\x16\x54\xAE\x6B\x84"                                                        \
         "tttt"                                                                        \
         "\x1F\x43\xB6\x75\x40\x17"                                                    \
         "\xE7\x82\x13\x88"                                                            \
         "\xA3\x86\x81\x00\x07\x80"                                                    \
         "ab"                                                                          \
         "\xA0\x89\xA1\x85\x82\xFF\xFE\x00"                                            \
         "c"                                                                           \
         "\xFB\x80"                                                                    \
         "\x1F\x43\xB6\x75\x01\xFF\xFF\xFF\xFF\xFF\xFF\xFF"                            \
         "\xE7\x83\x01\x00\x00"                                                        \
         "\xA3\x84\x81\x00\x00\x80"

static void pictures_come_with_their_times_however_the_bytes_are_cut(void **state)
{
    (void)state;
    for (size_t step = 1; step <= sizeof(STREAM); step++) {
        assert_int_equal(feed(STREAM, sizeof(STREAM) - 1, step, NULL), RC_OK);
        assert_string_equal(got, "1@5007:ab 2@4998:c 1@65536: ");
    }
}

static void half_a_picture_is_none(void **state)
{
    (void)state;
    assert_int_equal(feed(STREAM, sizeof(STREAM) - 2, 7, NULL), RC_OK);
    assert_string_equal(got, "1@5007:ab 2@4998:c ");
}

static void a_refusal_is_passed_on(void **state)
{
    (void)state;
    assert_int_equal(feed(STREAM, sizeof(STREAM) - 1, 5, &got), RC_NOSPACE);
}

static void what_is_no_stream_of_pictures_is_refused(void **state)
{
    static const struct {
        const char *bytes;
        size_t n;
        enum rc rc;
    } cases[] = {
        {"\x00\x00\x00", 3, RC_INVALID},
        {HEAD "\xA3\x80", sizeof(HEAD) + 1, RC_INVALID},                 /* empty */
        {HEAD "\xA3\x81\x81", sizeof(HEAD) + 2, RC_INVALID},             /* no time */
        {HEAD "\xA3\x84\x81\x00\x00\x02", sizeof(HEAD) + 5, RC_INVALID}, /* lacing */
        {HEAD "\xA3\xFF", sizeof(HEAD) + 1, RC_INVALID},                 /* no size */
        {HEAD "\xA3\x10\x20\x00\x00", sizeof(HEAD) + 4, RC_TOO_LARGE},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        assert_int_equal(feed(cases[i].bytes, cases[i].n, 1, NULL), cases[i].rc);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pictures_come_with_their_times_however_the_bytes_are_cut),
        cmocka_unit_test(half_a_picture_is_none),
        cmocka_unit_test(a_refusal_is_passed_on),
        cmocka_unit_test(what_is_no_stream_of_pictures_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
