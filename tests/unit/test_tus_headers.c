/* test_tus_headers.c: what tus clients say of a file and of a chunk. */
#include "check.h"

#include "checksum.h"
#include "tus_headers.h"
#include "upload_names.h"

#include <stdio.h>
#include <string.h>

/* ---- Upload-Metadata ------------------------------------------------------- */

static struct tus_metadata read_metadata(const char *header)
{
    struct tus_metadata m;
    const char *why = NULL;

    memset(&m, 0x55, sizeof(m));
    assert_int_equal(tus_metadata_read(header, &m, &why), RC_OK);
    return m;
}

static void assert_refused(const char *header, const char *want)
{
    struct tus_metadata m = {.title = "old"};
    const char *why = "";

    assert_int_equal(tus_metadata_read(header, &m, &why), RC_INVALID);
    if (!strstr(why, want))
        fail_msg("\"%s\": %s", header, why);
    assert_string_equal(m.title, "old");
}

static void metadata_is_read_by_its_keys(void **state)
{
    struct tus_metadata m = read_metadata(
        "filename aG9saWRheS5tcDQ=,title R3LDtsOfZQ==,filetype dmlkZW8vbXA0,"
        "upload_id MDEyMzQ1Njc4OUFCQ0RFRjAxMjM0NTY3ODlhYmNkZWY=");

    (void)state;
    assert_string_equal(m.filename, "holiday.mp4");
    assert_string_equal(m.title, "Größe");
    assert_string_equal(m.upload_id, "0123456789abcdef0123456789abcdef");
}

static void metadata_may_be_missing_or_say_nothing(void **state)
{
    static const char *const none[] = {
        NULL,
        "",
        "  ",
        "is_confidential",
        "a,b",
        "title ",
        "title ,filename",
        "relativePath bnVsbA==,name YQ==,Filename Yg==,title2 Yw==",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++) {
        struct tus_metadata m = read_metadata(none[i]);
        assert_string_equal(m.filename, "");
        assert_string_equal(m.title, "");
        assert_string_equal(m.upload_id, "");
    }
}

static void metadata_may_have_blanks_around_its_commas(void **state)
{
    struct tus_metadata m = read_metadata(" title  YQ== ,\tfilename Yg== ");

    (void)state;
    assert_string_equal(m.title, "a");
    assert_string_equal(m.filename, "b");
}

static void metadata_that_breaks_the_grammar_is_refused(void **state)
{
    (void)state;
    assert_refused(",", "pairs");
    assert_refused("title YQ==,", "pairs");
    assert_refused("title YQ==,,filename Yg==", "pairs");
    assert_refused("title YQ== x", "pairs");
    assert_refused("t\xc3\xa4 YQ==", "pairs");
    assert_refused("title YQ", "Base64");
    assert_refused("title YQ=", "Base64");
    assert_refused("title Y", "Base64");
    assert_refused("title =", "Base64");
    assert_refused("title YQ==YQ==", "Base64");
    assert_refused("title Y*==", "Base64");
    assert_refused("title YQ\n==", "Base64");
    assert_refused("unknown -_-_", "Base64");
    assert_refused("title AAAA", "zero byte");
    assert_refused("title YQ==,title YQ==", "twice");
    assert_refused("x,y,x", "twice");
    assert_refused("upload_id MDEyMw==", "upload_id");
    assert_refused("upload_id", "upload_id");
}

static void metadata_is_text_of_a_bounded_length(void **state)
{
    char header[STORE_METADATA_MAX + 2] = "title ";
    struct tus_metadata m;
    const char *why;
    size_t n = strlen(header);

    (void)state;
    memset(header + n, 'Y', sizeof(header) - n - 1);
    header[STORE_METADATA_MAX + 1] = '\0';
    assert_int_equal(tus_metadata_read(header, &m, &why), RC_TOO_LARGE);
    for (n = 0; n < TUS_PAIRS_MAX + 1; n++)
        snprintf(header + 4 * n, 5, "k%02zu,", n);
    header[4 * n - 1] = '\0';
    assert_int_equal(tus_metadata_read(header, &m, &why), RC_TOO_LARGE);
    header[4 * (n - 1) - 1] = '\0';
    read_metadata(header);
    strcpy(header, "title ");
    n = strlen(header);
    memset(header + n, 'Y', 8000);
    header[n + 8000] = '\0';
    m = read_metadata(header);
    assert_true(strlen(m.title) > STORE_TITLE_MAX - 4);
    m = read_metadata(
        "title AQL/CiA=,filename Ly4uL2EK"); /* 01 02 ff 0a 20; "/../a\n" */
    assert_string_equal(m.title, "\xef\xbf\xbd");
    assert_string_equal(m.filename, "/../a");
}

/* ---- Upload-Checksum ------------------------------------------------------- */

static void checksum_is_an_algorithm_and_a_digest(void **state)
{
    static const char *const bad[] = {
        "",
        "sha1",
        "sha1 ",
        " Kq5sNclPz7QV2+lfQIuc6R7oRu0=",
        "sha1  Kq5sNclPz7QV2+lfQIuc6R7oRu0=",
        "sha1 Kq5sNclPz7QV2+lfQIuc6R7oRu0",
        "sha1 Kq5sNclPz7QV2+lfQIuc6R7oRu0=x",
        "sha1 ====",
        "an-algorithm-with-a-long-name Kq5sNclPz7QV2+lfQIuc6R7oRu0=",
        ("x AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
         "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"),
    };
    struct tus_checksum c;

    (void)state;
    assert_int_equal(tus_checksum_read("sha1 Kq5sNclPz7QV2+lfQIuc6R7oRu0=", &c), RC_OK);
    assert_string_equal(c.algorithm, "sha1");
    assert_int_equal(c.n, 20);
    assert_int_equal(c.digest[0], 0x2a);
    assert_int_equal(c.digest[19], 0xed);
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_int_equal(tus_checksum_read(bad[i], &c), RC_INVALID);
    assert_string_equal(c.algorithm, "sha1");
}

/* Of "hello world", by sha1sum and its like. */
static const char *const digests[] = {
    "md5 XrY7u+Ae7tCTyyK7j1rNww==",
    "sha1 Kq5sNclPz7QV2+lfQIuc6R7oRu0=",
    "sha256 uU0nuZNNPgilLlLX2n2r+sSE7+N6U4DukIj3rOLvzek=",
    "sha512 "
    "MJ7MSJwS1utMxA9QyQLytNDtd+5RGnx6m808qG1M2G+YndNbxf9JlnDaNCVbRbDP2DDoH2Bdz33FVC6T"
    "rpzXbw==",
};

static bool matches(const char *header, const char *text)
{
    struct tus_checksum wanted;
    struct checksum *c = NULL;
    bool same;

    assert_int_equal(tus_checksum_read(header, &wanted), RC_OK);
    assert_int_equal(checksum_open(&wanted, &c), RC_OK);
    for (; *text; text++)
        checksum_update(c, text, 1);
    same = checksum_matches(c);
    checksum_free(c);
    return same;
}

static void only_the_bytes_that_were_summed_up_match(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(digests) / sizeof(digests[0]); i++) {
        assert_true(matches(digests[i], "hello world"));
        assert_false(matches(digests[i], "hello worle"));
        assert_false(matches(digests[i], ""));
    }
    checksum_free(NULL);
}

static void only_the_told_algorithms_are_taken(void **state)
{
    struct tus_checksum wanted = {.algorithm = "crc32", .n = 4};
    struct checksum *c = NULL;

    (void)state;
    assert_int_equal(checksum_open(&wanted, &c), RC_UNSUPPORTED);
    strcpy(wanted.algorithm, "sha1");
    assert_int_equal(checksum_open(&wanted, &c), RC_INVALID);
    for (size_t i = 0; i < sizeof(digests) / sizeof(digests[0]); i++) {
        assert_int_equal(tus_checksum_read(digests[i], &wanted), RC_OK);
        assert_non_null(strstr(checksum_algorithms, wanted.algorithm));
    }
    assert_null(c);
}

/* ---- the rest -------------------------------------------------------------- */

static void a_chunk_has_a_type_of_its_own(void **state)
{
    (void)state;
    assert_true(tus_is_chunk_type("application/offset+octet-stream"));
    assert_true(tus_is_chunk_type("Application/Offset+Octet-Stream; charset=x"));
    assert_false(tus_is_chunk_type("application/octet-stream"));
    assert_false(tus_is_chunk_type("application/offset+octet-streams"));
    assert_false(tus_is_chunk_type(""));
    assert_false(tus_is_chunk_type(NULL));
}

static void names_are_never_empty_and_never_a_path(void **state)
{
    static const struct {
        const char *sent, *title_sent, *filename, *title;
    } names[] = {
        {"a.b.mp4", "", "a.b.mp4", "a.b"},
        {"../../etc/passwd", " T ", "passwd", "T"},
        {"C:\\Clips\\a.mp4", " \t", "a.mp4", "a"},
        {"", "", "upload", "upload"},
        {".mp4", "", ".mp4", ".mp4"},
        {"a/", "", "upload", "upload"},
    };
    char filename[STORE_FILENAME_MAX + 1], title[STORE_TITLE_MAX + 1];

    (void)state;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        upload_filename(filename, names[i].sent);
        upload_title(title, names[i].title_sent, filename);
        assert_string_equal(filename, names[i].filename);
        assert_string_equal(title, names[i].title);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(metadata_is_read_by_its_keys),
        cmocka_unit_test(metadata_may_be_missing_or_say_nothing),
        cmocka_unit_test(metadata_may_have_blanks_around_its_commas),
        cmocka_unit_test(metadata_that_breaks_the_grammar_is_refused),
        cmocka_unit_test(metadata_is_text_of_a_bounded_length),
        cmocka_unit_test(checksum_is_an_algorithm_and_a_digest),
        cmocka_unit_test(only_the_bytes_that_were_summed_up_match),
        cmocka_unit_test(only_the_told_algorithms_are_taken),
        cmocka_unit_test(a_chunk_has_a_type_of_its_own),
        cmocka_unit_test(names_are_never_empty_and_never_a_path),
    };
    return cmocka_run_group_tests_name("tus_headers", tests, NULL, NULL);
}
