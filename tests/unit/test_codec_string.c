#include "check.h"

#include "boxes.h"
#include "codec_string.h"

/* An init segment with one sample entry, in it one box of n bytes; entry NULL: none. */
static struct bytes init_of(const char *entry, const char *config, const uint8_t *body,
                            size_t n)
{
    static const char *const path[] = {"moov", "trak", "mdia", "minf", "stbl"};
    struct bytes b = {0};
    size_t at[5];
    for (int i = 0; i < 5; i++)
        at[i] = box_open(&b, path[i]);
    size_t stsd = box_open(&b, "stsd");
    bytes_number(&b, 0, 4);
    bytes_number(&b, entry ? 1 : 0, 4);
    if (entry) {
        size_t e = box_open(&b, entry);
        bytes_fill(&b, 0, 78);
        box_close(&b, box_open(&b, "pasp"));
        size_t c = box_open(&b, config);
        bytes_add(&b, body, n);
        box_close(&b, c);
        box_close(&b, e);
    }
    box_close(&b, stsd);
    for (int i = 4; i >= 0; i--)
        box_close(&b, at[i]);
    return b;
}

static enum rc read_string(const char *entry, const char *config, const uint8_t *body,
                           size_t n, char out[STORE_CODEC_MAX + 1])
{
    struct bytes b = init_of(entry, config, body, n);
    enum rc rc = codec_string(b.p, b.n, out);
    bytes_free(&b);
    return rc;
}

static void each_codec_has_its_string(void **state)
{
    (void)state;
    static const struct {
        const char *entry, *config;
        uint8_t body[16];
        const char *text;
    } cases[] = {
        {"avc1", "avcC", {1, 0x64, 0x00, 0x28, 0xff}, "avc1.640028"},
        {"avc1", "avcC", {1, 0x42, 0xc0, 0x1e, 0xff}, "avc1.42c01e"},
        {"hvc1",
         "hvcC",
         {1, 0x01, 0x60, 0, 0, 0, 0x90, 0, 0, 0, 0, 0, 93},
         "hvc1.1.6.L93.90"},
        {"hvc1",
         "hvcC",
         {1, 0x22, 0x20, 0, 0, 0, 0xb0, 0, 0x01, 0, 0, 0, 153},
         "hvc1.2.4.H153.B0.0.1"},
        {"hvc1",
         "hvcC",
         {1, 0x41, 0x60, 0, 0, 0, 0, 0, 0, 0, 0, 0, 120},
         "hvc1.A1.6.L120"},
        {"vp09", "vpcC", {1, 0, 0, 0, 0, 31, 0x82, 2, 2, 2}, "vp09.00.31.08"},
        {"vp09", "vpcC", {1, 0, 0, 0, 2, 41, 0xa2, 9, 16, 9}, "vp09.02.41.10"},
        {"av01", "av1C", {0x81, 0x08, 0x0c, 0}, "av01.0.08M.08"},
        {"av01", "av1C", {0x81, 0x0d, 0xcc, 0}, "av01.0.13H.10"},
        {"av01", "av1C", {0x81, 0x4d, 0x60, 0}, "av01.2.13M.12"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char text[STORE_CODEC_MAX + 1] = "";
        assert_int_equal(
            read_string(cases[i].entry, cases[i].config, cases[i].body, 16, text),
            RC_OK);
        assert_string_equal(text, cases[i].text);
    }
}

static void what_does_not_fit_is_refused(void **state)
{
    (void)state;
    static const uint8_t zero[16] = {0};
    static const char *const names[][2] = {
        {"avc1", "avcC"}, {"hvc1", "hvcC"}, {"vp09", "vpcC"}, {"av01", "av1C"}};
    char text[STORE_CODEC_MAX + 1] = "same";
    for (int i = 0; i < 4; i++) {
        assert_int_equal(read_string(names[i][0], names[i][1], zero, 2, text),
                         RC_INVALID);
        assert_int_equal(read_string(names[i][0], "btrt", zero, 16, text), RC_INVALID);
    }
    assert_int_equal(read_string("mp4v", "esds", zero, 16, text), RC_UNSUPPORTED);
    assert_int_equal(read_string(NULL, NULL, zero, 0, text), RC_INVALID);
    assert_int_equal(codec_string(zero, 16, text), RC_INVALID);
    assert_string_equal(text, "same");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_codec_has_its_string),
        cmocka_unit_test(what_does_not_fit_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
