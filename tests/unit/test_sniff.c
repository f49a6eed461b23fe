#include "check.h"

#include "sniff.h"

#include <dirent.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define VECTORS SOURCE_DIR "/tests/vectors/sniff.json"

/* Sniffs a buffer of exactly n bytes, so that a read past it is found. */
static struct sniff sniffed(const uint8_t *bytes, size_t n)
{
    uint8_t *copy = malloc(n > 0 ? n : 1);
    struct sniff out = {CONTAINER_MP4, "untouched"};
    enum rc rc;

    assert_non_null(copy);
    memcpy(copy, bytes, n);
    rc = sniff(copy, n, &out);
    assert_int_equal(rc, out.container != CONTAINER_NONE ? RC_OK : RC_UNSUPPORTED);
    assert_true((out.reason == NULL) == (rc == RC_OK));
    free(copy);
    return out;
}

/* ---- the vectors --------------------------------------------------------------- */

static size_t from_hex(const char *hex, uint8_t *out, size_t room)
{
    size_t n = 0;
    unsigned byte;

    for (const char *p = hex + strspn(hex, " "); *p != '\0'; p += strspn(p, " ")) {
        assert_true(n < room);
        assert_int_equal(strspn(p, "0123456789abcdef") >= 2, 1);
        assert_int_equal(sscanf(p, "%2x", &byte), 1);
        out[n++] = (uint8_t)byte;
        p += 2;
    }
    return n;
}

/* The bytes that the sniffer sees of a vector's file; returns how many. */
static size_t vector_bytes(const json_t *v, uint8_t out[SNIFF_BYTES])
{
    const json_t *size = json_object_get(v, "size");
    const json_t *fill = json_object_get(v, "fill");
    size_t n = from_hex(json_string_value(json_object_get(v, "hex")), out, SNIFF_BYTES);
    size_t whole = size != NULL ? (size_t)json_integer_value(size) : n;
    uint8_t byte = 0;

    assert_true(whole >= n);
    if (fill != NULL)
        assert_int_equal(from_hex(json_string_value(fill), &byte, 1), 1);
    whole = whole < SNIFF_BYTES ? whole : SNIFF_BYTES;
    memset(out + n, byte, whole - n);
    return whole;
}

static void check_vector(const json_t *v)
{
    const char *name = json_string_value(json_object_get(v, "name"));
    const json_t *accept = json_object_get(v, "accept");
    const json_t *part = json_object_get(v, "reason_contains");
    uint8_t bytes[SNIFF_BYTES];
    struct sniff out = sniffed(bytes, vector_bytes(v, bytes));
    const char *expected = json_is_null(accept) ? "none" : json_string_value(accept);

    assert_non_null(name);
    if (strcmp(container_name(out.container), expected) != 0)
        fail_msg("%s: taken as %s, not %s", name, container_name(out.container),
                 expected);
    if (json_is_null(accept) && strstr(out.reason, json_string_value(part)) == NULL)
        fail_msg("%s: \"%s\" has no \"%s\"", name, out.reason, json_string_value(part));
}

static json_t *load_vectors(void)
{
    json_error_t error;
    json_t *root = json_load_file(VECTORS, JSON_REJECT_DUPLICATES, &error);

    if (root == NULL)
        fail_msg("%s:%d: %s", VECTORS, error.line, error.text);
    return root;
}

static void every_vector_gets_its_answer(void **state)
{
    (void)state;
    json_t *root = load_vectors();
    json_t *v;
    size_t i;

    assert_true(json_array_size(json_object_get(root, "vectors")) > 100);
    json_array_foreach(json_object_get(root, "vectors"), i, v) check_vector(v);
    json_decref(root);
}

/* Damage must never make the sniffer read past the bytes it has, nor lose its answer.
 */
static void any_cut_or_changed_byte_gets_an_answer(void **state)
{
    (void)state;
    json_t *root = load_vectors();
    uint8_t bytes[SNIFF_BYTES];
    json_t *v;
    size_t i;

    json_array_foreach(json_object_get(root, "vectors"), i, v)
    {
        size_t n = vector_bytes(v, bytes);
        size_t end = n < 120 ? n : 120;

        for (size_t at = 0; at < end; at++) {
            uint8_t byte = bytes[at];

            sniffed(bytes, at);
            for (int bit = 0; bit < 8; bit++) {
                bytes[at] = byte ^ (uint8_t)(1 << bit);
                sniffed(bytes, n);
            }
            bytes[at] = byte;
        }
    }
    json_decref(root);
}

/* ---- beyond the vectors --------------------------------------------------------- */

static void a_long_chain_of_boxes_is_checked_to_its_end(void **state)
{
    (void)state;
    static const uint8_t ftyp[16] = {0,   0,   0,   16,  'f', 't', 'y', 'p',
                                     'm', 'p', '4', '2', 0,   0,   0,   0};
    static const uint8_t box[8] = {0, 0, 0, 8, 'f', 'r', 'e', 'e'};
    uint8_t bytes[SNIFF_BYTES];

    memcpy(bytes, ftyp, sizeof(ftyp));
    for (size_t at = sizeof(ftyp); at < sizeof(bytes); at += sizeof(box))
        memcpy(bytes + at, box, sizeof(box));
    assert_int_equal(sniffed(bytes, sizeof(bytes)).container, CONTAINER_MP4);
    bytes[sizeof(bytes) - 1] = 'x';
    assert_int_equal(sniffed(bytes, sizeof(bytes)).container, CONTAINER_NONE);
}

/* Whoever has more of a file than that gets the same answer. */
static void bytes_after_4096_count_for_nothing(void **state)
{
    (void)state;
    static const uint8_t ftyp[16] = {0,   0,   0,   16,  'f', 't', 'y', 'p',
                                     'm', 'p', '4', '2', 0,   0,   0,   0};
    static const uint8_t rest[8] = {0, 0, 0x0f, 0xf0, 'f', 'r', 'e', 'e'};
    uint8_t bytes[SNIFF_BYTES + 8] = {0};

    memcpy(bytes, ftyp, sizeof(ftyp));
    memcpy(bytes + sizeof(ftyp), rest, sizeof(rest));
    memset(bytes + SNIFF_BYTES, 'x', 8);
    assert_int_equal(sniffed(bytes, sizeof(bytes)).container, CONTAINER_MP4);
    assert_int_equal(sniffed(bytes, SNIFF_BYTES).container, CONTAINER_MP4);
}

static void container_names_go_both_ways(void **state)
{
    (void)state;
    static const enum container all[] = {CONTAINER_MP4, CONTAINER_MOV,
                                         CONTAINER_MATROSKA, CONTAINER_WEBM};

    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
        assert_int_equal(container_from_name(container_name(all[i])), all[i]);
    assert_string_equal(container_name(CONTAINER_WEBM), "webm");
    assert_string_equal(container_name(CONTAINER_NONE), "none");
    assert_string_equal(container_name((enum container)99), "none");
    assert_int_equal(container_from_name("none"), CONTAINER_NONE);
    assert_int_equal(container_from_name("MP4"), CONTAINER_NONE);
    assert_int_equal(container_from_name(""), CONTAINER_NONE);
    assert_int_equal(container_from_name(NULL), CONTAINER_NONE);
}

/* ---- real clips ------------------------------------------------------------------ */

static enum container expected_of(const char *name)
{
    const char *dot = strrchr(name, '.');

    if (dot == NULL)
        return CONTAINER_NONE;
    return strcmp(dot, ".mkv") == 0 ? CONTAINER_MATROSKA : container_from_name(dot + 1);
}

static void check_clip(const char *dir, const char *name, enum container expected)
{
    char path[4096];
    uint8_t bytes[SNIFF_BYTES];
    struct sniff out;
    FILE *f;
    size_t n;

    snprintf(path, sizeof(path), "%s/%s", dir, name);
    f = fopen(path, "rb");
    assert_non_null(f);
    n = fread(bytes, 1, sizeof(bytes), f);
    fclose(f);
    out = sniffed(bytes, n);
    /* Cameras and phones write QuickTime under either name. */
    if (out.container == CONTAINER_MOV && expected == CONTAINER_MP4)
        return;
    if (out.container != expected)
        fail_msg("%s: %s", name, out.reason != NULL ? out.reason : "another container");
}

static void every_clip_of_the_corpus_is_taken(void **state)
{
    (void)state;
    const char *corpus = getenv("DROPSTREAM_CORPUS");
    struct dirent *entry;
    DIR *dir;

    if (corpus == NULL)
        skip();
    dir = opendir(corpus);
    assert_non_null(dir);
    while ((entry = readdir(dir)) != NULL)
        if (expected_of(entry->d_name) != CONTAINER_NONE)
            check_clip(corpus, entry->d_name, expected_of(entry->d_name));
    closedir(dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_vector_gets_its_answer),
        cmocka_unit_test(any_cut_or_changed_byte_gets_an_answer),
        cmocka_unit_test(a_long_chain_of_boxes_is_checked_to_its_end),
        cmocka_unit_test(bytes_after_4096_count_for_nothing),
        cmocka_unit_test(container_names_go_both_ways),
        cmocka_unit_test(every_clip_of_the_corpus_is_taken),
    };
    return cmocka_run_group_tests_name("sniff", tests, NULL, NULL);
}
