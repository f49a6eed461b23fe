#include "check.h"

#include "multipart_log.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* ---- bodies and what becomes of them; the boundary is "XB" ------------------ */

#define CD "Content-Disposition: form-data; name="
#define END "\r\n--XB--\r\n"

struct body {
    const char *bytes;
    size_t size;
    enum rc rc;
    const char *log;
};

#define BODY(bytes, rc, log)                                                           \
    {                                                                                  \
        bytes, sizeof(bytes) - 1, rc, log                                              \
    }
#define HEADER(line, rc, log) BODY("--XB\r\n" line "\r\n\r\nD" END, rc, log)

static const struct body valid[] = {
    HEADER(CD "\"a\"", RC_OK, "<a|-|->D</>"),
    HEADER("cOnTeNt-dIsPoSiTiOn:FORM-DATA;NAME=a", RC_OK, "<a|-|->D</>"),
    HEADER("Content-Disposition: \t form-data ; \t name=\"a\" ; x=y; \t ", RC_OK,
           "<a|-|->D</>"),
    HEADER("X-Any: ; \"\r\n" CD "a;filename=b.mp4\r\ncontent-type: \t video/mp4 \t",
           RC_OK, "<a|b.mp4|video/mp4>D</>"),
    HEADER(CD "\"\"; filename=\"\"\r\nContent-Type:", RC_OK, "<||>D</>"),
    HEADER(CD "\"a\"; filename=\"q\\\"b\\\\s;=.mp4\"", RC_OK,
           "<a|q\"b\\s;=.mp4|->D</>"),
    HEADER(CD "\"a\"; filename=\"C:\\clips\\x.mp4\"", RC_OK,
           "<a|C:\\clips\\x.mp4|->D</>"),
    HEADER(CD "\"a\"; filename=\"%22%0d%0A%0D%41%\"", RC_OK, "<a|\"\r\n\r%41%|->D</>"),
    HEADER(CD "a; filename=%22x", RC_OK, "<a|%22x|->D</>"),
    HEADER(CD "\"a\"; filename=\"\xe5\x8b\x95\xff.mkv\"", RC_OK,
           "<a|\xe5\x8b\x95\xff.mkv|->D</>"),
    HEADER(CD "\"a\"; filename*=UTF-8''no.mp4; filename=\"yes.mp4\"", RC_OK,
           "<a|yes.mp4|->D</>"),
    HEADER(CD "\"a\"; filename*=UTF-8''no.mp4", RC_OK, "<a|-|->D</>"),
    HEADER(CD "a\r\nContent-Transfer-Encoding: Binary", RC_OK, "<a|-|->D</>"),
    HEADER(CD "a\r\nContent-Transfer-Encoding: 8bit", RC_OK, "<a|-|->D</>"),
    BODY("--XB--", RC_OK, ""),
    BODY("--XB\r\n" CD "a\r\n\r\nD\r\n--XB---XB", RC_OK, "<a|-|->D</>"),
    BODY("--XB--\r\n--XB\r\nnot looked at", RC_OK, ""),
    BODY("preamble --XB\r\n--X\r\r\n--XB\r\n" CD "a\r\n\r\n" END, RC_OK, "<a|-|-></>"),
    BODY("--XB \t \r\n" CD "a\r\n\r\nD\r\n--XB\t\r\n" CD "b\r\n\r\nE" END "tail", RC_OK,
         "<a|-|->D</><b|-|->E</>"),
    /* The blank line may be the line end of the delimiter: a part without a body. */
    BODY("--XB\r\n" CD "a\r\n\r\n--XB\r\n" CD "b\r\n\r\n--XB--", RC_OK,
         "<a|-|-></><b|-|-></>"),
    BODY("--XB\r\n" CD "a\r\n\r\n\r\n" END, RC_OK, "<a|-|->\r\n</>"),
    BODY("--XB\r\n" CD "a\r\n\r\n--XA\r\n" END, RC_OK, "<a|-|->--XA\r\n</>"),
    BODY("--XB\r\n" CD "a\r\n\r\n\r\r\n\r\r\n-\r\n--\r\n--X\r\n--\r\n--XB--", RC_OK,
         "<a|-|->\r\r\n\r\r\n-\r\n--\r\n--X\r\n--</>"),
    BODY("--XB\r\n" CD "a\r\n\r\n\n--XB\n\n--XB--\r\r--XB" END, RC_OK,
         "<a|-|->\n--XB\n\n--XB--\r\r--XB</>"),
    BODY("--XB\r\n" CD "a\r\n\r\n \r\n--xb\r\n --XB--\r" END, RC_OK,
         "<a|-|-> \r\n--xb\r\n --XB--\r</>"),
};

static const struct body invalid[] = {
    BODY("", RC_TRUNCATED, ""),
    BODY("no delimiter at all\r\n", RC_TRUNCATED, ""),
    BODY("x--XB--", RC_TRUNCATED, ""),
    BODY("--XB\r\n" CD "a\r\n\r\nD\r\n--XB", RC_TRUNCATED, "<a|-|->D</>"),
    BODY("--XB\r\n" CD "a\r\n\r\nD\r\n--XB-", RC_TRUNCATED, "<a|-|->D</>"),
    BODY("--XB\r\n" CD "a\r\n\r\nD\r\n--XB\r\n", RC_TRUNCATED, "<a|-|->D</>"),
    BODY("--XBX\r\n" CD "a\r\n\r\nD" END, RC_INVALID, ""),
    BODY("--XB\n" CD "a\r\n\r\nD" END, RC_INVALID, ""),
    BODY("--XB\r\r\n" CD "a\r\n\r\nD" END, RC_INVALID, ""),
    BODY("--XB -\r\n", RC_INVALID, ""),
    BODY("--XB --\r\n", RC_INVALID, ""),
    BODY("--XB-\r\n", RC_INVALID, ""),
    BODY("--XB- -\r\n", RC_INVALID, ""),
    BODY("--XB\r\n" CD "a\r\n\r\nD\r\n--XBC\r\n", RC_INVALID, "<a|-|->D</>"),
    BODY("--XB\r\n\r\nD" END, RC_INVALID, ""),
    HEADER("Content-Type: video/mp4", RC_INVALID, ""),
    HEADER("Content-Disposition: attachment; name=a", RC_INVALID, ""),
    HEADER("Content-Disposition: form-datax; name=a", RC_INVALID, ""),
    HEADER("Content-Disposition: form-data name=a", RC_INVALID, ""),
    HEADER("Content-Disposition: form-data", RC_INVALID, ""),
    HEADER("Content-Disposition: form-data; filename=a", RC_INVALID, ""),
    HEADER("Content-Disposition:", RC_INVALID, ""),
    HEADER(CD, RC_INVALID, ""),
    HEADER(CD "\"a", RC_INVALID, ""),
    HEADER(CD "\"a\\\"", RC_INVALID, ""),
    HEADER(CD "\"a\"b", RC_INVALID, ""),
    HEADER(CD "a\"b\"", RC_INVALID, ""),
    HEADER(CD "a b", RC_INVALID, ""),
    HEADER(CD "a; =b", RC_INVALID, ""),
    HEADER(CD "a; filename", RC_INVALID, ""),
    HEADER(CD "a; name=a", RC_INVALID, ""),
    HEADER(CD "a; filename=b; filename=c", RC_INVALID, ""),
    HEADER(CD "a\r\n" CD "a", RC_INVALID, ""),
    HEADER(CD "a\r\nContent-Disposition: form-data", RC_INVALID, ""),
    HEADER(CD "a\r\nContent-Type: b/c\r\nContent-Type: b/c", RC_INVALID, ""),
    HEADER(CD "a;\r\n filename=b", RC_INVALID, ""),
    HEADER(CD "a\r\n\tb", RC_INVALID, ""),
    HEADER(" " CD "a", RC_INVALID, ""),
    HEADER(CD "\"a\0b\"", RC_INVALID, ""),
    HEADER("X: \0\r\n" CD "a", RC_INVALID, ""),
    HEADER("X\0: y\r\n" CD "a", RC_INVALID, ""),
    HEADER("X: \ry\r\n" CD "a", RC_INVALID, ""),
    HEADER("X: y\n" CD "a", RC_INVALID, ""),
    HEADER("\n" CD "a", RC_INVALID, ""),
    HEADER("X : y\r\n" CD "a", RC_INVALID, ""),
    HEADER(": y\r\n" CD "a", RC_INVALID, ""),
    HEADER("no colon\r\n" CD "a", RC_INVALID, ""),
    HEADER("nocolon\r\n" CD "a", RC_INVALID, ""),
    HEADER(CD "a\r\nContent-Transfer-Encoding: base64", RC_UNSUPPORTED, ""),
};

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* The code and the log of a body fed in pieces that end at cut and then every step. */
static enum rc parse(const struct body *b, size_t cut, size_t step, struct log *log)
{
    struct multipart *m = opened("XB", log);
    enum rc rc = feed_exact(m, b->bytes, cut);

    for (size_t at = cut; rc == RC_OK && at < b->size; at += step)
        rc = feed_exact(m, b->bytes + at, step < b->size - at ? step : b->size - at);
    if (rc == RC_OK)
        rc = multipart_finish(m);
    assert_int_equal(multipart_finish(m), rc);
    assert_int_equal(multipart_feed(m, "--XB", 4), rc);
    assert_true((rc == RC_OK) == (multipart_error(m)[0] == '\0'));
    multipart_free(m);
    return rc;
}

static void check(const struct body *b, size_t cut, size_t step)
{
    struct log log = {0};
    enum rc rc = parse(b, cut, step, &log);

    if (rc != b->rc || strcmp(log.text, b->log) != 0)
        print_message("cut %zu, step %zu of: %s\n", cut, step, b->bytes);
    assert_int_equal(rc, b->rc);
    assert_string_equal(log.text, b->log);
    free(log.text);
}

static void check_all(const struct body *bodies, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        for (size_t cut = 0; cut <= bodies[i].size; cut++)
            check(&bodies[i], cut, bodies[i].size + 1);
        for (size_t step = 1; step <= 7; step++)
            check(&bodies[i], 0, step);
    }
}

static void a_valid_body_gives_the_same_events_for_every_split(void **state)
{
    (void)state;
    check_all(valid, COUNT(valid));
}

static void an_invalid_body_fails_the_same_way_for_every_split(void **state)
{
    (void)state;
    check_all(invalid, COUNT(invalid));
}

static void a_body_cut_anywhere_is_truncated(void **state)
{
    (void)state;
    static const char whole[] =
        "--XB\r\n" CD "a; filename=b\r\n\r\nD\r\n--X\r\n--XB\r\n" CD
        "c\r\n\r\nE\r\n--XB--";

    for (size_t n = 0; n <= sizeof(whole) - 1; n++) {
        struct log log = {0};
        struct body b = {whole, n, RC_OK, NULL};

        assert_int_equal(parse(&b, n, 1, &log),
                         n < sizeof(whole) - 1 ? RC_TRUNCATED : RC_OK);
        free(log.text);
    }
}

/* ---- limits ----------------------------------------------------------------- */

/* The code for one part whose header block has exactly n bytes. */
static enum rc parse_headers_of(size_t n, size_t step)
{
    static const char first[] = CD "a\r\nX:";
    struct log log = {0};
    char *bytes = malloc(n + 64);
    struct body b = {bytes, 0, RC_OK, NULL};
    enum rc rc;

    assert_non_null(bytes);
    memcpy(bytes, "--XB\r\n", 6);
    memset(bytes + 6, 'y', n);
    memcpy(bytes + 6, first, sizeof(first) - 1);
    memcpy(bytes + 6 + n - 4, "\r\n\r\n", 4);
    memcpy(bytes + 6 + n, END, sizeof(END));
    b.size = 6 + n + sizeof(END) - 1;
    rc = parse(&b, 0, step, &log);
    free(log.text);
    free(bytes);
    return rc;
}

static void a_header_block_over_4096_bytes_is_too_large(void **state)
{
    (void)state;
    for (size_t step = 1; step <= 5000; step += 833) {
        assert_int_equal(parse_headers_of(4096, step), RC_OK);
        assert_int_equal(parse_headers_of(4097, step), RC_TOO_LARGE);
        assert_int_equal(parse_headers_of(100000, step), RC_TOO_LARGE);
    }
}

static void a_seventeenth_part_is_too_large(void **state)
{
    (void)state;
    static const char part[] = "\r\n--XB\r\n" CD "a\r\n\r\n";
    struct log log = {0};
    struct multipart *m = opened("XB", &log);

    for (int i = 0; i < MULTIPART_PARTS_MAX; i++)
        assert_int_equal(multipart_feed(m, part, sizeof(part) - 1), RC_OK);
    assert_int_equal(multipart_feed(m, part, sizeof(part) - 1), RC_TOO_LARGE);
    assert_string_not_equal(multipart_error(m), "");
    multipart_free(m);
    free(log.text);
}

static void the_longest_boundary_works(void **state)
{
    (void)state;
    char boundary[MULTIPART_BOUNDARY_MAX + 2];
    struct multipart_events events = {on_begin, on_data, on_end, NULL};
    struct multipart *m = NULL;
    struct log log = {0};
    char body[512];
    int n;

    memset(boundary, '-', sizeof(boundary));
    boundary[sizeof(boundary) - 1] = '\0';
    assert_int_equal(multipart_open(boundary, &events, &m), RC_INVALID);
    boundary[MULTIPART_BOUNDARY_MAX] = '\0';
    m = opened(boundary, &log);
    n = snprintf(body, sizeof(body), "--%s\r\n" CD "a\r\n\r\n%s\r\n%s\r\n--%s--",
                 boundary, boundary, boundary, boundary);
    for (int i = 0; i < n; i++)
        assert_int_equal(feed_exact(m, body + i, 1), RC_OK);
    assert_int_equal(multipart_finish(m), RC_OK);
    assert_int_equal(log.size, strlen("<a|-|-></>") + 2 * strlen(boundary) + 2);
    multipart_free(m);
    free(log.text);
}

static void an_open_with_a_bad_boundary_is_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {"",     "a ",  "a\r\nb",  "a\"b",
                                      "a\\b", "a;b", "\xc3\xa4"};
    struct multipart_events events = {on_begin, on_data, on_end, NULL};
    struct multipart *m = NULL;

    for (size_t i = 0; i < COUNT(bad); i++)
        assert_int_equal(multipart_open(bad[i], &events, &m), RC_INVALID);
    assert_null(m);
    multipart_free(NULL);
}

/* ---- callbacks --------------------------------------------------------------- */

static void a_callback_that_stops_ends_the_parse_for_good(void **state)
{
    (void)state;
    static const char bytes[] = "--XB\r\n" CD "a\r\n\r\nD" END;
    static const struct {
        const char *event, *log;
    } cases[] = {{"begin", "<a|-|->"}, {"data", "<a|-|->D"}, {"end", "<a|-|->D</>"}};

    for (size_t i = 0; i < COUNT(cases); i++) {
        for (size_t cut = 0; cut < sizeof(bytes); cut++) {
            struct log log = {.stop_at = cases[i].event};
            struct multipart *m = opened("XB", &log);

            if (multipart_feed(m, bytes, cut) == RC_OK)
                multipart_feed(m, bytes + cut, sizeof(bytes) - 1 - cut);
            assert_int_equal(multipart_feed(m, bytes, 9), RC_STOPPED);
            assert_int_equal(multipart_finish(m), RC_STOPPED);
            assert_string_equal(multipart_error(m), "");
            assert_string_equal(log.text, cases[i].log);
            multipart_free(m);
            free(log.text);
        }
    }
}

static void data_is_passed_on_from_the_callers_buffer(void **state)
{
    (void)state;
    static const char head[] = "--XB\r\n" CD "a\r\n\r\n";
    struct log log = {0};
    struct multipart *m = opened("XB", &log);
    size_t size = 1 << 20;
    char *data = malloc(size);

    assert_non_null(data);
    for (size_t i = 0; i < size; i++)
        data[i] = "\r\n--XA\r\r\n"[i % 9];
    assert_int_equal(multipart_feed(m, head, sizeof(head) - 1), RC_OK);
    assert_int_equal(multipart_feed(m, "x", 1), RC_OK);
    assert_int_equal(multipart_feed(m, data, size - size % 9), RC_OK);
    /* The data ends with "\r\n", which might begin a delimiter; all else came at once.
     */
    assert_int_equal(log.data_calls, 2);
    assert_ptr_equal(log.data_at, data);
    multipart_free(m);
    free(log.text);
    free(data);
}

/* ---- time --------------------------------------------------------------------- */

static enum rc ignore_data(void *arg, const void *data, size_t n)
{
    (void)data;
    *(size_t *)arg += n;
    return RC_OK;
}

static enum rc ignore_begin(void *arg, const struct multipart_part *part)
{
    (void)arg;
    (void)part;
    return RC_OK;
}

static enum rc ignore_end(void *arg)
{
    (void)arg;
    return RC_OK;
}

/* CPU seconds for size bytes of pattern repeated, in feeds of step bytes. */
static double seconds(const char *pattern, size_t size, size_t step)
{
    static const char head[] = CD "a\r\n\r\n";
    size_t got = 0, length = strlen(pattern), at;
    struct multipart_events events = {ignore_begin, ignore_data, ignore_end, &got};
    char boundary[] = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab";
    char *data = malloc(size);
    struct multipart *m = NULL;
    clock_t start;

    assert_non_null(data);
    for (size_t i = 0; i < size; i++)
        data[i] = pattern[i % length];
    assert_int_equal(multipart_open(boundary, &events, &m), RC_OK);
    assert_int_equal(multipart_feed(m, "--", 2), RC_OK);
    assert_int_equal(multipart_feed(m, boundary, strlen(boundary)), RC_OK);
    assert_int_equal(multipart_feed(m, "\r\n", 2), RC_OK);
    assert_int_equal(multipart_feed(m, head, sizeof(head) - 1), RC_OK);
    start = clock();
    for (at = 0; at < size; at += step)
        assert_int_equal(
            multipart_feed(m, data + at, step < size - at ? step : size - at), RC_OK);
    assert_true(got + strlen(boundary) + 4 >= size);
    multipart_free(m);
    free(data);
    return (double)(clock() - start) / CLOCKS_PER_SEC;
}

static void adversarial_data_takes_linear_time(void **state)
{
    (void)state;
    static const char *const patterns[] = {
        "\r",
        "\r\n",
        "\r\n--",
        "\r\n--aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
        "a",
        "-",
        "\r\n--aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r",
    };
    static const size_t steps[] = {1 << 23, 8192, 7};

    for (size_t i = 0; i < COUNT(patterns); i++) {
        for (size_t k = 0; k < COUNT(steps); k++) {
            double small = seconds(patterns[i], 1 << 18, steps[k]);
            double large = seconds(patterns[i], 1 << 23, steps[k]);

            /* 32 times the data; quadratic time would be 1024 times as much. */
            assert_true(large < 0.25 + small * 32 * 5);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_valid_body_gives_the_same_events_for_every_split),
        cmocka_unit_test(an_invalid_body_fails_the_same_way_for_every_split),
        cmocka_unit_test(a_body_cut_anywhere_is_truncated),
        cmocka_unit_test(a_header_block_over_4096_bytes_is_too_large),
        cmocka_unit_test(a_seventeenth_part_is_too_large),
        cmocka_unit_test(the_longest_boundary_works),
        cmocka_unit_test(an_open_with_a_bad_boundary_is_refused),
        cmocka_unit_test(a_callback_that_stops_ends_the_parse_for_good),
        cmocka_unit_test(data_is_passed_on_from_the_callers_buffer),
        cmocka_unit_test(adversarial_data_takes_linear_time),
    };
    return cmocka_run_group_tests_name("multipart", tests, NULL, NULL);
}
