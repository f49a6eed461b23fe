/*
 * Forms put together from tricky pieces, and each of them fed in two parts that meet at
 * every place there is, either part at once or byte by byte: what is said of a form
 * never depends on that.
 */
#include "check.h"

#include "boxes.h"
#include "multipart_log.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* ---- the pieces: %B is the boundary, %b all of it but its last byte ------------- */

static const char *const boundaries[] = {
    "XB",
    "-",
    "--",
    "0",
    "a'()+_,-./:=? b",
    "abababababac",
    "----WebKitFormBoundaryAbCdEfGhIjKlMnOp",
    "---------------------------320146915014",
    "----------------------------------------------------------------------",
    "----X---------------------------------------------------------------X-",
};

static const char *const preambles[] = {
    "",           "\r\n",      "This is for old readers.\r\n", "\r\n--%b\r\n",
    "--%b\r\r\n", "\r\n-\r\n",
};

struct piece {
    const char *text;
    enum rc rc; /* of a form that has it */
};

#define NAMED "Content-Disposition: form-data; name=\"file\"; filename=\"a.mp4\""
#define LONG                                                                           \
    "yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy"

static const struct piece headers[] = {
    {NAMED "\r\nContent-Type: video/mp4\r\n\r\n", RC_OK},
    {"content-disposition:form-data;name=file\r\n\r\n", RC_OK},
    {NAMED "\r\nX-B: %B\r\nX-Empty:\r\nX-Line: --%B\r\n\r\n", RC_OK},
    {NAMED "\r\nX: " LONG LONG LONG "\r\n\r\n", RC_OK},
    {"Content-Type:\r\n" NAMED "; filename*=UTF-8''b\r\n\r\n", RC_OK},
    {"Content-Disposition: form-data; name=\"%22\\\"\\\\\"; filename=\"\"\r\n\r\n",
     RC_OK},
    {NAMED "\n\n", RC_INVALID},
    {NAMED "\r\n\n", RC_INVALID},
    {NAMED "\r\n folded\r\n\r\n", RC_INVALID},
    {NAMED "\r\r\n\r\n", RC_INVALID},
    {NAMED "\r\n--%B\r\n\r\n", RC_INVALID},
    {"\r\n", RC_INVALID},
};

/* None has the boundary in a line of its own. */
static const char *const contents[] = {
    "",
    "\r",
    "\n",
    "\r\n",
    "-",
    "\r\n--",
    "\r\n--%b",
    "\r\n--%b\r\n--%b\r",
    "\r\r\n--%b\n\r\n",
    "\n--%B\n--%B--\n",
    "\r--%B\r--%B--\r",
    " %B%B--%B",
    " \r\n --%B",
    "\r\n-\r\n--\r\n\r\n--\r\n-",
    "\r\n--%b\1\r\n--%b\xff\r\n--%b",
    LONG "\r\n--%b" LONG "\r\n--",
};

static const struct piece ends[] = {
    {"\r\n--%B--\r\n", RC_OK},
    {"\r\n--%B--", RC_OK},
    {"\r\n--%B--and so on\r\n--%B\r\n--%B", RC_OK},
    {"\r\n--%B \t\r\nContent-Disposition: form-data; name=b\r\n\r\n\r\n--%B--", RC_OK},
    {"\r\n--%B\r\nContent-Disposition: form-data; name=b\r\n\r\n--%B--", RC_OK},
    {"", RC_TRUNCATED},
    {"\r\n--%b", RC_TRUNCATED},
    {"\r\n--%B", RC_TRUNCATED},
    {"\r\n--%B-", RC_TRUNCATED},
    {"\r\n--%B\r", RC_TRUNCATED},
    {"\r\n--%B\r\n", RC_TRUNCATED},
    {" \n--%B--\n", RC_TRUNCATED},
    {"\r\n--%Bx", RC_INVALID},
    {"\r\n--%B\n", RC_INVALID},
    {"\r\n--%B \r\r\n", RC_INVALID},
    {"\r\n--%B-x", RC_INVALID},
};

static void add(struct bytes *out, const char *piece, const char *boundary)
{
    for (const char *p = piece; *p; p++) {
        if (*p == '%' && (p[1] == 'B' || p[1] == 'b'))
            bytes_add(out, boundary, strlen(boundary) - (*++p == 'b'));
        else
            bytes_add(out, p, 1);
    }
}

/* ---- feeding them ---------------------------------------------------------------- */

static enum rc feed(struct multipart *m, const struct bytes *body, size_t from,
                    size_t to, size_t step)
{
    enum rc rc = RC_OK;
    for (size_t at = from; at < to && rc == RC_OK; at += step)
        rc = multipart_feed(m, body->p + at, step < to - at ? step : to - at);
    return rc;
}

/* In two parts that meet at cut, each in pieces of so many bytes. */
static enum rc parse(const struct bytes *body, const char *boundary, size_t cut,
                     size_t first, size_t second, struct log *log)
{
    struct multipart *m = opened(boundary, log);
    enum rc rc = feed(m, body, 0, cut, first);
    if (rc == RC_OK)
        rc = feed(m, body, cut, body->n, second);
    if (rc == RC_OK)
        rc = multipart_finish(m);
    multipart_free(m);
    return rc;
}

static void assert_same(const struct bytes *body, const char *boundary, size_t cut,
                        size_t first, size_t second, enum rc want,
                        const struct log *whole)
{
    struct log log = {0};
    enum rc rc = parse(body, boundary, cut, first, second, &log);
    if (rc != want || log.size != whole->size ||
        memcmp(log.text, whole->text, log.size) != 0)
        fail_msg("cut at %zu, by %zu and %zu: %.*s", cut, first, second, (int)body->n,
                 (const char *)body->p);
    free(log.text);
}

static void check_form(const char *boundary, const char *preamble,
                       const struct piece *header, const char *content,
                       const struct piece *end)
{
    struct bytes body = {0}, expected = {0};
    struct log whole = {0};
    add(&body, preamble, boundary);
    add(&body, "--%B\r\n", boundary);
    add(&body, header->text, boundary);
    add(&body, content, boundary);
    add(&body, end->text, boundary);
    uint8_t *exact = malloc(body.n); /* a read past its end is found */
    assert_non_null(exact);
    memcpy(exact, body.p, body.n);
    const struct bytes form = {.p = exact, .n = body.n};
    const enum rc rc = header->rc != RC_OK ? header->rc : end->rc;

    assert_int_equal(parse(&form, boundary, 0, 1, form.n, &whole), rc);
    if (rc == RC_OK) {
        const char *begin = strchr(whole.text, '>') + 1;
        add(&expected, content, boundary);
        add(&expected, "</>", boundary);
        assert_true(whole.size >= (size_t)(begin - whole.text) + expected.n);
        assert_memory_equal(begin, expected.p, expected.n);
    }
    for (size_t cut = 0; cut <= form.n; cut++) {
        assert_same(&form, boundary, cut, form.n, form.n, rc, &whole);
        assert_same(&form, boundary, cut, 1, form.n, rc, &whole);
        assert_same(&form, boundary, cut, form.n, 1, rc, &whole);
    }
    free(whole.text);
    free(exact);
    bytes_free(&body);
    bytes_free(&expected);
}

static void any_boundary_and_any_content_is_the_same_for_every_split(void **state)
{
    (void)state;
    for (size_t b = 0; b < COUNT(boundaries); b++)
        for (size_t c = 0; c < COUNT(contents); c++)
            check_form(boundaries[b], "", &headers[0], contents[c], &ends[0]);
}

static void any_boundary_and_any_end_is_the_same_for_every_split(void **state)
{
    (void)state;
    for (size_t b = 0; b < COUNT(boundaries); b++)
        for (size_t e = 0; e < COUNT(ends); e++)
            check_form(boundaries[b], "", &headers[1], "D\r\n--%b", &ends[e]);
}

static void any_preamble_and_any_header_is_the_same_for_every_split(void **state)
{
    (void)state;
    for (size_t p = 0; p < COUNT(preambles); p++)
        for (size_t h = 0; h < COUNT(headers); h++)
            check_form("X-B", preambles[p], &headers[h], "D", &ends[0]);
}

static void any_content_and_any_end_is_the_same_for_every_split(void **state)
{
    (void)state;
    for (size_t c = 0; c < COUNT(contents); c++)
        for (size_t e = 0; e < COUNT(ends); e++)
            check_form("X-B", "", &headers[1], contents[c], &ends[e]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_boundary_and_any_content_is_the_same_for_every_split),
        cmocka_unit_test(any_boundary_and_any_end_is_the_same_for_every_split),
        cmocka_unit_test(any_preamble_and_any_header_is_the_same_for_every_split),
        cmocka_unit_test(any_content_and_any_end_is_the_same_for_every_split),
    };
    return cmocka_run_group_tests_name("multipart_corpus", tests, NULL, NULL);
}
