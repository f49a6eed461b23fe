#include "check.h"

#include "mime.h"
#include "multipart.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* ---- the Content-Type of the request ------------------------------------------ */

static void the_boundary_of_a_content_type_is_found(void **state)
{
    (void)state;
    static const struct {
        const char *type;
        enum rc rc;
        const char *boundary;
    } cases[] = {
        {"multipart/form-data; boundary=XB", RC_OK, "XB"},
        {" MULTIPART/Form-Data ;\tBOUNDARY=\"a b:?=c\" ", RC_OK, "a b:?=c"},
        {"multipart/form-data; charset=utf-8; boundary=XB; x=\"b;\\\"oundary=Y\"",
         RC_OK, "XB"},
        {"multipart/form-data;boundary=----WebKitFormBoundaryAbC123", RC_OK,
         "----WebKitFormBoundaryAbC123"},
        {"multipart/form-data; boundary=a=b/c", RC_OK, "a=b/c"},
        {"multipart/form-data; xboundary=N; boundary=XB;", RC_OK, "XB"},
        {"multipart/form-data", RC_INVALID, NULL},
        {"multipart/form-data;", RC_INVALID, NULL},
        {"multipart/form-data; boundary", RC_INVALID, NULL},
        {"multipart/form-data; boundary=", RC_INVALID, NULL},
        {"multipart/form-data; boundary=\"\"", RC_INVALID, NULL},
        {"multipart/form-data; boundary=\"a", RC_INVALID, NULL},
        {"multipart/form-data; boundary=\"a \"", RC_INVALID, NULL},
        {"multipart/form-data; boundary=\"a\\\"b\"", RC_INVALID, NULL},
        {"multipart/form-data; boundary=a*b", RC_INVALID, NULL},
        {"multipart/form-data; boundary=\xc3\xa4", RC_INVALID, NULL},
        {"multipart/form-data; boundary=a; boundary=a", RC_INVALID, NULL},
        {"multipart/form-data; boundary=a b", RC_INVALID, NULL},
        {"multipart/form-data boundary=a", RC_UNSUPPORTED, NULL},
        {"multipart/form-datax; boundary=a", RC_UNSUPPORTED, NULL},
        {"multipart/mixed; boundary=a", RC_UNSUPPORTED, NULL},
        {"application/x-www-form-urlencoded", RC_UNSUPPORTED, NULL},
        {"", RC_UNSUPPORTED, NULL},
        {NULL, RC_UNSUPPORTED, NULL},
    };

    for (size_t i = 0; i < COUNT(cases); i++) {
        char out[MULTIPART_BOUNDARY_MAX + 1] = "untouched";
        const char *expected = cases[i].rc == RC_OK ? cases[i].boundary : "untouched";

        assert_int_equal(multipart_boundary(cases[i].type, out), cases[i].rc);
        assert_string_equal(out, expected);
    }
}

static void a_boundary_has_70_bytes_at_most(void **state)
{
    (void)state;
    char type[128], out[MULTIPART_BOUNDARY_MAX + 1];

    for (int n = 1; n <= 80; n++) {
        snprintf(type, sizeof(type), "multipart/form-data; boundary=%0*d", n, 0);
        assert_int_equal(multipart_boundary(type, out), n <= 70 ? RC_OK : RC_INVALID);
    }
}

/* ---- parameters ----------------------------------------------------------------- */

/* The parameters of text as "name=value;…", "!" for RC_INVALID at the end. */
static void params_of(const char *text, char *out, size_t size)
{
    size_t n = strlen(text);
    char *copy = malloc(n + 1); /* one to write to after the last value */
    const char *p = copy;
    struct mime_param param;
    enum rc rc;

    assert_non_null(copy);
    memcpy(copy, text, n);
    out[0] = '\0';
    while ((rc = mime_next_param(&p, copy + n, &param)) == RC_OK) {
        char *value = copy + (param.value - copy);

        mime_decode(value, param.value_size, param.quoted);
        snprintf(out + strlen(out), size - strlen(out), "%.*s=%s;",
                 (int)param.name_size, param.name, value);
    }
    if (rc == RC_INVALID)
        snprintf(out + strlen(out), size - strlen(out), "!");
    free(copy);
}

static void parameters_come_in_order_and_decoded(void **state)
{
    (void)state;
    static const struct {
        const char *text, *params;
    } cases[] = {
        {"", ""},
        {" ; ;\t", ""},
        {"; a=b;c=\"d\"", "a=b;c=d;"},
        {";a=b ; c=d\t;", "a=b;c=d;"},
        {"; a=\"\"; b=\"x;y=z\"", "a=;b=x;y=z;"},
        {"; a=\"\\\"\\\\\\n\"; b=%22", "a=\"\\\\n;b=%22;"},
        {"; a=\"%22%2g%0\"", "a=\"%2g%0;"},
        {"; a=b; c", "a=b;!"},
        {"; a=", "!"},
        {"; a=\"b", "!"},
        {"; a=\"b\\\"", "!"},
        {"; a=\"b\"c", "!"},
        {"; a b=c", "!"},
        {"; a@=c", "!"},
    };

    for (size_t i = 0; i < COUNT(cases); i++) {
        char out[128];

        params_of(cases[i].text, out, sizeof(out));
        assert_string_equal(out, cases[i].params);
    }
}

static void a_main_value_is_a_whole_word(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int is, rest; /* rest: where the parameters begin */
    } cases[] = {
        {"form-data", 1, 9},  {" Form-Data ; a=b", 1, 11}, {"form-data;a=b", 1, 9},
        {"form-datax", 0, 0}, {"form-dat", 0, 0},          {"form-data a=b", 0, 0},
        {"", 0, 0},
    };

    for (size_t i = 0; i < COUNT(cases); i++) {
        const char *p = cases[i].text;
        const char *end = p + strlen(p);

        assert_int_equal(mime_main_value(&p, end, "form-data"), cases[i].is);
        assert_ptr_equal(p, cases[i].text + cases[i].rest);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_boundary_of_a_content_type_is_found),
        cmocka_unit_test(a_boundary_has_70_bytes_at_most),
        cmocka_unit_test(parameters_come_in_order_and_decoded),
        cmocka_unit_test(a_main_value_is_a_whole_word),
    };
    return cmocka_run_group_tests_name("mime", tests, NULL, NULL);
}
