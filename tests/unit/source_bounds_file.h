/*
 * source_bounds_file.h: builds files of headers alone, in memory, and asks what
 * source_bounds says of them, for its tests.
 */
#ifndef DROPSTREAM_TEST_SOURCE_BOUNDS_FILE_H
#define DROPSTREAM_TEST_SOURCE_BOUNDS_FILE_H

#include "source_bounds.h"

#include "ebml_build.h"
#include "tempdir.h"

#include <fcntl.h>
#include <unistd.h>
#include <zlib.h>

static char dir[PATH_MAX];
static struct bytes file;
static char why[400];

static inline int setup(void **state)
{
    (void)state;
    tempdir_make(dir);
    return 0;
}

static inline int teardown(void **state)
{
    (void)state;
    bytes_free(&file);
    tempdir_remove(dir);
    return 0;
}

/* Of all of a file, in as many turns as it takes. */
static inline enum rc check(const char *path, enum container container)
{
    struct source_bounds *b;
    int fd = open(path, O_RDONLY);
    off_t size = lseek(fd, 0, SEEK_END);
    assert_true(size >= 0);
    assert_int_equal(source_bounds_open(container, &b), RC_OK);
    struct source_bytes from = {.fd = fd,
                                .have = (uint64_t)size,
                                .size = (uint64_t)size,
                                .file_size = (uint64_t)size};
    enum rc rc;
    do
        rc = source_bounds_look(b, &from, why, sizeof(why));
    while (source_bounds_is_behind(b));
    source_bounds_close(b);
    close(fd);
    return rc;
}

/* The verdict on the file as it is, followed by filling up to size. */
static inline enum rc verdict(enum container container, off_t size)
{
    char path[PATH_MAX + 16];
    snprintf(path, sizeof(path), "%s/source", dir);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    assert_int_equal(fwrite(file.p, 1, file.n, f), file.n);
    assert_int_equal(fclose(f), 0);
    if (size > (off_t)file.n)
        assert_int_equal(truncate(path, size), 0);
    why[0] = '\0';
    return check(path, container);
}

static inline void says(enum container container, off_t size, const char *sentence)
{
    assert_int_equal(verdict(container, size), RC_UNSUPPORTED);
    assert_string_equal(why, sentence);
}

/* A FullBox of numbers. */
static inline void full(const char *type, const uint32_t *v, size_t n)
{
    size_t at = box_open(&file, type);
    bytes_number(&file, 0, 4);
    for (size_t i = 0; i < n; i++)
        bytes_number(&file, v[i], 4);
    box_close(&file, at);
}

#define FULL(type, ...)                                                                \
    full(type, (const uint32_t[]){__VA_ARGS__}, sizeof((uint32_t[]){__VA_ARGS__}) / 4)

#define VIDE 0x76696465
#define SOUN 0x736f756e

struct one {
    uint32_t handler, rate, seconds, samples, tick, edits;
};

static inline void track(const struct one *t)
{
    size_t trak = box_open(&file, "trak");
    size_t edts = box_open(&file, "edts");
    FULL("elst", t->edits);
    box_close(&file, edts);
    size_t mdia = box_open(&file, "mdia");
    FULL("mdhd", 0, 0, t->rate, t->rate * t->seconds);
    FULL("hdlr", 0, t->handler, 0);
    size_t minf = box_open(&file, "minf");
    FULL("hdlr", 0, 0x75726c20, 0); /* QuickTime's second one */
    size_t stbl = box_open(&file, "stbl");
    FULL("stts", 1, t->samples, t->tick);
    FULL("stsz", 1, t->samples);
    box_close(&file, stbl);
    box_close(&file, minf);
    box_close(&file, mdia);
    box_close(&file, trak);
}

static inline void file_of(const struct one *t)
{
    bytes_free(&file);
    box_filled(&file, "ftyp", 0, 16);
    size_t moov = box_open(&file, "moov");
    track(t);
    box_close(&file, moov);
}

#define NO_ROOM                                                                        \
    "The file is damaged: its index tells of more pictures than it has room for."

/* A Matroska file of n empty elements in a list. */
static inline void list_of(uint32_t list, uint32_t id, int n)
{
    bytes_free(&file);
    size_t head = ebml_open(&file, EBML_HEADER);
    ebml_close(&file, head);
    ebml_open_ended(&file, SEGMENT);
    ebml_open_ended(&file, list);
    for (int i = 0; i < n; i++) {
        ebml_id(&file, id);
        bytes_number(&file, 0x80, 1);
    }
}

/* Counts it as it comes, byte by byte. */
static inline enum rc verdict_as_it_comes(enum container container, bool in_memory)
{
    char path[PATH_MAX + 16], as_a_whole[sizeof(why)];
    struct source_bounds *b;
    struct source_bytes from = {.size = file.n, .file_size = file.n};
    enum rc rc = verdict(container, 0), now = RC_OK;
    memcpy(as_a_whole, why, sizeof(why));
    why[0] = '\0';
    snprintf(path, sizeof(path), "%s/source", dir);
    from.fd = open(path, O_RDONLY | O_CLOEXEC);
    from.memory = in_memory ? file.p : NULL;
    assert_int_equal(source_bounds_open(container, &b), RC_OK);
    for (from.have = 0; from.have <= file.n; from.have++) {
        enum rc before = now;
        now = source_bounds_look(b, &from, why, sizeof(why));
        assert_true(now == RC_OK || now == RC_UNSUPPORTED);
        assert_true(before == RC_OK || now == before);
        assert_false(source_bounds_is_behind(b));
    }
    assert_int_equal(now, rc);
    assert_string_equal(why, as_a_whole);
    source_bounds_close(b);
    close(from.fd);
    return now;
}

/* Puts a moov box that holds a compressed one into the file, in place of what is there,
 * which is compressed. says: how long that is said to be, 0: as long as it is. */
static inline void pack(uint32_t says)
{
    uLongf n = compressBound(file.n);
    struct bytes raw = file, packed = {0};
    bytes_fill(&packed, 0, n);
    assert_int_equal(compress(packed.p, &n, raw.p, raw.n), Z_OK);
    file = (struct bytes){0};
    size_t moov = box_open(&file, "moov"), cmov = box_open(&file, "cmov");
    size_t at = box_open(&file, "dcom");
    bytes_add(&file, "zlib", 4);
    box_close(&file, at);
    at = box_open(&file, "cmvd");
    bytes_number(&file, says > 0 ? says : raw.n, 4);
    bytes_add(&file, packed.p, n);
    box_close(&file, at);
    box_close(&file, cmov);
    box_close(&file, moov);
    bytes_free(&raw);
    bytes_free(&packed);
}

static inline void many_streams(int n)
{
    size_t moov = box_open(&file, "moov");
    for (int i = 0; i < n; i++)
        box_filled(&file, "trak", 0, 10);
    box_close(&file, moov);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

#endif
