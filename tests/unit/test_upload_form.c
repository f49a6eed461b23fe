/* test_upload_form.c: what a form says about its file, and which forms are refused. */
#include "check.h"

#include "upload_form.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TYPE "multipart/form-data; boundary=B"
#define FIELD(name, value)                                                             \
    "--B\r\nContent-Disposition: form-data; name=\"" name "\"\r\n\r\n" value "\r\n"
#define FILE_HEAD(name)                                                                \
    "--B\r\nContent-Disposition: form-data; name=\"file\"; filename=\"" name           \
    "\"\r\n\r\n"
#define END "\r\n--B--\r\n"

enum { FILE_BYTES = 10000 };

/* What the events said. */
struct seen {
    int begun;
    struct upload_file file;
    size_t n;
    char data[FILE_BYTES + 1];
    size_t index_n;
    char index[FILE_BYTES + 1];
    enum rc begin_rc;
    enum rc data_rc;
    enum rc index_rc;
};

struct fixture {
    struct seen seen;
    struct upload_form *form;
    char mp4[FILE_BYTES];
    char body[FILE_BYTES * 3];
    size_t n;
};

static enum rc on_begin(void *arg, const struct upload_file *file)
{
    struct seen *seen = arg;
    seen->begun++;
    seen->file = *file;
    return seen->begin_rc;
}

static enum rc on_data(void *arg, const void *data, size_t n)
{
    struct seen *seen = arg;
    assert_true(n > 0);
    assert_true(seen->n + n < sizeof(seen->data));
    memcpy(seen->data + seen->n, data, n);
    seen->n += n;
    return seen->data_rc;
}

static enum rc on_index(void *arg, const void *data, size_t n)
{
    struct seen *seen = arg;
    assert_int_equal(seen->begun, 0);
    assert_true(n > 0);
    assert_true(seen->index_n + n < sizeof(seen->index));
    memcpy(seen->index + seen->index_n, data, n);
    seen->index_n += n;
    return seen->index_rc;
}

static void form_begin(struct fixture *f)
{
    struct http_error error;
    const struct upload_events events = {on_begin, on_data, on_index, &f->seen};

    upload_form_free(f->form);
    f->form = NULL;
    memset(&f->seen, 0, sizeof(f->seen));
    assert_int_equal(upload_form_open(TYPE, &events, &f->form, &error), RC_OK);
}

static int setup(void **state)
{
    static const char head[] = "\0\0\0\x18"
                               "ftypisom\0\0\2\0isommp41\0\0\x26\xf8mdat";
    struct fixture *f = calloc(1, sizeof(*f));

    memset(f->mp4, 'x', sizeof(f->mp4));
    memcpy(f->mp4, head, sizeof(head) - 1);
    *state = f;
    form_begin(f);
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    upload_form_free(f->form);
    free(f);
    return 0;
}

/* body becomes the text before the file, n bytes of it, and the text after it. */
static void make(struct fixture *f, const char *before, size_t n, const char *after)
{
    f->n = strlen(before) + n + strlen(after);
    assert_true(f->n < sizeof(f->body));
    memcpy(f->body, before, strlen(before));
    memcpy(f->body + strlen(before), f->mp4, n);
    memcpy(f->body + strlen(before) + n, after, strlen(after));
}

static enum rc feed(struct fixture *f, size_t step)
{
    enum rc rc = RC_OK;

    for (size_t i = 0; i < f->n && rc == RC_OK; i += step)
        rc = upload_form_feed(f->form, f->body + i, f->n - i < step ? f->n - i : step);
    return rc == RC_OK ? upload_form_finish(f->form) : rc;
}

static void assert_refused(struct fixture *f, int status, const char *code)
{
    static const size_t steps[] = {1, 7, 4096, sizeof(f->body)};

    for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
        form_begin(f);
        assert_int_not_equal(feed(f, steps[i]), RC_OK);
        assert_string_equal(upload_form_error(f->form).code, code);
        assert_int_equal(upload_form_error(f->form).status, status);
        assert_true(strlen(upload_form_error(f->form).message) > 10);
    }
}

static void file_comes_out_whole_for_any_split(void **state)
{
    struct fixture *f = *state;

    make(f, FIELD("title", "A film") FIELD("size", "10000") FILE_HEAD("a.b.mp4"),
         FILE_BYTES, END);
    for (size_t step = 1; step < 6000; step += step < 20 ? 1 : 997) {
        form_begin(f);
        assert_int_equal(feed(f, step), RC_OK);
        assert_int_equal(f->seen.begun, 1);
        assert_int_equal(f->seen.n, FILE_BYTES);
        assert_memory_equal(f->seen.data, f->mp4, FILE_BYTES);
        assert_string_equal(f->seen.file.title, "A film");
        assert_string_equal(f->seen.file.filename, "a.b.mp4");
        assert_int_equal(f->seen.file.size, 10000);
        assert_int_equal(f->seen.file.container, CONTAINER_MP4);
        assert_null(upload_form_error(f->form).code);
    }
}

static void file_shorter_than_the_sniffer_wants_is_taken(void **state)
{
    struct fixture *f = *state;

    make(f, FILE_HEAD("a.mp4"), 100, END);
    assert_int_equal(feed(f, 64), RC_OK);
    assert_int_equal(f->seen.n, 100);
    assert_int_equal(f->seen.file.size, -1);
}

static void assert_named(struct fixture *f, const char *head, const char *title,
                         const char *filename)
{
    make(f, head, 100, END);
    form_begin(f);
    assert_int_equal(feed(f, 4096), RC_OK);
    assert_string_equal(f->seen.file.title, title);
    assert_string_equal(f->seen.file.filename, filename);
}

static void title_is_made_of_the_name(void **state)
{
    struct fixture *f = *state;

    assert_named(f, FILE_HEAD("holiday.final.mp4"), "holiday.final",
                 "holiday.final.mp4");
    assert_named(f, FILE_HEAD("../../etc/passwd.mkv"), "passwd", "passwd.mkv");
    assert_named(f, FILE_HEAD("C:/Clips/a.mp4"), "a", "a.mp4");
    assert_named(f, FILE_HEAD(".mp4"), ".mp4", ".mp4");
    assert_named(f, FILE_HEAD(""), "upload", "upload");
    assert_named(f, FILE_HEAD("bad\xff\x01.mp4"), "bad\xef\xbf\xbd",
                 "bad\xef\xbf\xbd .mp4");
    assert_named(f, FIELD("title", "  \t ") FILE_HEAD("a.mp4"), "a", "a.mp4");
    assert_named(f, FIELD("title", " T ") FILE_HEAD("a.mp4"), "T", "a.mp4");
}

static void file_is_refused_by_its_first_bytes(void **state)
{
    struct fixture *f = *state;

    memset(f->mp4, 'x', sizeof(f->mp4));
    make(f, FILE_HEAD("a.mp4"), FILE_BYTES, END);
    /* Nothing after the first 4096 bytes is needed. */
    f->n = strlen(FILE_HEAD("a.mp4")) + SNIFF_BYTES;
    assert_refused(f, 415, "unsupported_type");
    assert_int_equal(f->seen.begun, 0);
    make(f, FILE_HEAD("a.mp4"), 50, END);
    assert_refused(f, 415, "unsupported_type");
}

static void file_without_content_says_so(void **state)
{
    struct fixture *f = *state;

    make(f, FILE_HEAD("a.mp4"), 0, END);
    assert_refused(f, 422, "empty_file");
    make(f, FILE_HEAD(""), 0, END);
    assert_refused(f, 400, "no_file");
    make(f, FILE_HEAD("a.mp4"), 10, END);
    assert_refused(f, 422, "too_short");
    make(f, FIELD("title", "t"), 0, "--B--\r\n");
    assert_refused(f, 400, "no_file");
}

static void second_file_is_refused(void **state)
{
    struct fixture *f = *state;

    make(f, FILE_HEAD("a.mp4"), 100, "\r\n" FILE_HEAD("b.mp4") "x" END);
    assert_refused(f, 400, "two_files");
}

static void fields_are_checked(void **state)
{
    static const char id[] = FIELD("upload_id", "0123456789abcdef0123456789ABCDEF");
    struct fixture *f = *state;

    make(f, FIELD("size", "12x") FILE_HEAD("a.mp4"), 100, END);
    assert_refused(f, 400, "bad_size");
    make(f, FIELD("size", "") FILE_HEAD("a.mp4"), 100, END);
    assert_refused(f, 400, "bad_size");
    make(f, FIELD("upload_id", "0123") FILE_HEAD("a.mp4"), 100, END);
    assert_refused(f, 400, "bad_upload_id");
    make(f, FIELD("upload_id", "0123456789abcdef0123456789abcdefa") FILE_HEAD("a"), 100,
         END);
    assert_refused(f, 400, "bad_upload_id");
    make(f, id, 0, FILE_HEAD("a.mp4"));
    memcpy(f->body + f->n, f->mp4, 100);
    memcpy(f->body + f->n + 100, END, sizeof(END));
    f->n += 100 + strlen(END);
    form_begin(f);
    assert_int_equal(feed(f, 4096), RC_OK);
    assert_string_equal(f->seen.file.upload_id, "0123456789abcdef0123456789abcdef");
    make(f, FILE_HEAD("a.mp4"), 100, END);
    form_begin(f);
    assert_int_equal(feed(f, 4096), RC_OK);
    assert_string_equal(f->seen.file.upload_id, "");
}

static void announced_size_must_be_true(void **state)
{
    struct fixture *f = *state;

    make(f, FIELD("size", "99") FILE_HEAD("a.mp4"), 100, END);
    assert_refused(f, 400, "size_mismatch");
    make(f, FIELD("size", "101") FILE_HEAD("a.mp4"), 100, END);
    assert_refused(f, 400, "size_mismatch");
}

static void fields_are_not_long(void **state)
{
    struct fixture *f = *state;
    char before[9000];
    static const char *const names[] = {"title", "other", "index_offset"};

    for (size_t i = 0; i < 3; i++) {
        snprintf(before, sizeof(before),
                 "--B\r\nContent-Disposition: form-data; name=\"%s\"\r\n\r\n%0*d\r\n%s",
                 names[i], UPLOAD_FIELD_MAX + 1, 0, FILE_HEAD("a.mp4"));
        make(f, before, 100, END);
        assert_refused(f, 413, "field_too_large");
    }
}

static void index_comes_out_whole_before_the_file(void **state)
{
    static const char head[] = FIELD("index_offset", "6000") FIELD("size", "9999999");
    struct fixture *f = *state;
    char before[9000];

    snprintf(before, sizeof(before), "%s%s%05000d\r\n%s", head,
             "--B\r\nContent-Disposition: form-data; name=\"index\"; "
             "filename=\"blob\"\r\n\r\n",
             7, FILE_HEAD("a.mp4"));
    make(f, before, 100, "");
    for (size_t step = 1; step < 9000; step += step < 20 ? 1 : 997) {
        form_begin(f);
        assert_int_equal(feed(f, step), RC_TRUNCATED);
        assert_int_equal(f->seen.index_n, 5000);
        assert_int_equal(f->seen.index[4999], '7');
        assert_int_equal(f->seen.index[0], '0');
    }
    make(f, FIELD("index_offset", "60") FIELD("index", "moov") FILE_HEAD("a.mp4"), 100,
         END);
    form_begin(f);
    assert_int_equal(feed(f, 4096), RC_OK);
    assert_int_equal(f->seen.file.index_offset, 60);
    assert_int_equal(f->seen.index_n, 4);
    make(f, FIELD("index_offset", "60") FILE_HEAD("a.mp4"), 100, END);
    form_begin(f);
    assert_int_equal(feed(f, 4096), RC_OK);
    assert_int_equal(f->seen.file.index_offset, 0);
}

static void index_must_fit_into_the_file(void **state)
{
    static const char *const bad[] = {
        FIELD("index", "moov"),
        FIELD("index", "moov") FIELD("index_offset", "60"),
        FIELD("index_offset", "60") FIELD("index", ""),
        FIELD("index_offset", "60") FIELD("index", "a") FIELD("index", "b"),
        FIELD("index_offset", "0") FIELD("index", "moov"),
        FIELD("index_offset", "-1"),
        FIELD("index_offset", "x"),
        FIELD("index_offset", ""),
        FIELD("index_offset", "9223372036854775808"),
        FIELD("size", "100") FIELD("index_offset", "97") FIELD("index", "moov"),
        FIELD("index_offset", "97") FIELD("index", "moov") FIELD("size", "100"),
        FIELD("size", "3") FIELD("index_offset", "1") FIELD("index", "moov"),
        FIELD("size", "100") FIELD("index_offset", "9223372036854775807")
            FIELD("index", "moov"),
    };
    struct fixture *f = *state;
    char before[1000];

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        snprintf(before, sizeof(before), "%s%s", bad[i], FILE_HEAD("a.mp4"));
        make(f, before, 100, END);
        assert_refused(f, 400, "bad_index");
        assert_int_equal(f->seen.begun, 0);
    }
    make(f,
         FIELD("size", "100") FIELD("index_offset", "96") FIELD("index", "moov")
             FILE_HEAD("a.mp4"),
         100, END);
    form_begin(f);
    assert_int_equal(feed(f, 4096), RC_OK);
    assert_int_equal(f->seen.file.index_offset, 96);
}

static void index_after_the_file_is_refused(void **state)
{
    struct fixture *f = *state;

    make(f, FIELD("index_offset", "60") FILE_HEAD("a.mp4"), 100,
         "\r\n" FIELD("index", "moov") "--B--\r\n");
    assert_refused(f, 400, "bad_index");
}

static void longest_title_is_cut_not_refused(void **state)
{
    struct fixture *f = *state;
    char before[9000];

    snprintf(before, sizeof(before),
             "--B\r\nContent-Disposition: form-data; name=\"title\"\r\n\r\n%0*d\r\n%s",
             UPLOAD_FIELD_MAX, 0, FILE_HEAD("a.mp4"));
    make(f, before, 100, END);
    assert_int_equal(feed(f, 4096), RC_OK);
    assert_int_equal(strlen(f->seen.file.title), STORE_TITLE_MAX);
}

static void fields_after_the_file_change_nothing(void **state)
{
    struct fixture *f = *state;

    make(f, FILE_HEAD("a.mp4"), 100,
         "\r\n" FIELD("size", "x") "--B\r\nContent-Disposition: form-data; "
                                   "name=\"title\"\r\n\r\nlate" END);
    assert_int_equal(feed(f, 4096), RC_OK);
    assert_string_equal(f->seen.file.title, "a");
}

static void form_that_breaks_off_is_truncated(void **state)
{
    struct fixture *f = *state;

    make(f, FILE_HEAD("a.mp4"), FILE_BYTES, "\r\n--B-");
    assert_int_equal(feed(f, 4096), RC_TRUNCATED);
    assert_null(upload_form_error(f->form).code);
    form_begin(f);
    f->n = 0;
    assert_int_equal(feed(f, 4096), RC_TRUNCATED);
}

static void grammar_errors_carry_the_parsers_sentence(void **state)
{
    struct fixture *f = *state;

    make(f, "--B\r\nContent-Disposition: form-data\r\n\r\nx", 0, END);
    assert_refused(f, 400, "bad_multipart");
}

static void codes_of_events_come_back_unchanged(void **state)
{
    struct fixture *f = *state;

    make(f, FILE_HEAD("a.mp4"), FILE_BYTES, END);
    f->seen.begin_rc = RC_BUSY;
    assert_int_equal(feed(f, 4096), RC_BUSY);
    assert_null(upload_form_error(f->form).code);
    assert_int_equal(f->seen.n, 0);
    form_begin(f);
    f->seen.data_rc = RC_NOSPACE;
    assert_int_equal(feed(f, 4096), RC_NOSPACE);
    assert_null(upload_form_error(f->form).code);
    make(f, FIELD("index_offset", "60") FIELD("index", "moov") FILE_HEAD("a.mp4"), 100,
         END);
    form_begin(f);
    f->seen.index_rc = RC_NOSPACE;
    assert_int_equal(feed(f, 4096), RC_NOSPACE);
    assert_null(upload_form_error(f->form).code);
}

static void content_type_must_be_a_form_with_a_boundary(void **state)
{
    const struct upload_events events = {on_begin, on_data, on_index, NULL};
    struct upload_form *form = NULL;
    struct http_error error;

    (void)state;
    assert_int_equal(upload_form_open(NULL, &events, &form, &error), RC_UNSUPPORTED);
    assert_string_equal(error.code, "not_multipart");
    assert_int_equal(upload_form_open("video/mp4", &events, &form, &error),
                     RC_UNSUPPORTED);
    assert_int_equal(error.status, 415);
    assert_int_equal(upload_form_open("multipart/form-data", &events, &form, &error),
                     RC_INVALID);
    assert_string_equal(error.code, "bad_boundary");
    assert_int_equal(error.status, 400);
    assert_null(form);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(file_comes_out_whole_for_any_split),
        TEST(file_shorter_than_the_sniffer_wants_is_taken),
        TEST(title_is_made_of_the_name),
        TEST(file_is_refused_by_its_first_bytes),
        TEST(file_without_content_says_so),
        TEST(second_file_is_refused),
        TEST(fields_are_checked),
        TEST(announced_size_must_be_true),
        TEST(fields_are_not_long),
        TEST(index_comes_out_whole_before_the_file),
        TEST(index_must_fit_into_the_file),
        TEST(index_after_the_file_is_refused),
        TEST(longest_title_is_cut_not_refused),
        TEST(fields_after_the_file_change_nothing),
        TEST(form_that_breaks_off_is_truncated),
        TEST(grammar_errors_carry_the_parsers_sentence),
        TEST(codes_of_events_come_back_unchanged),
        TEST(content_type_must_be_a_form_with_a_boundary),
    };
    return cmocka_run_group_tests_name("upload_form", tests, NULL, NULL);
}
