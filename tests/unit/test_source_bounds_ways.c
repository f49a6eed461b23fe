/* Ways around the count: where ffmpeg finds boxes, or goes on, and others would not. */
#include "source_bounds_file.h"

#include <sys/mman.h>

#define MANY_STREAMS "The file has 65 streams; at most 64 are taken."
#define MANY 100001 /* samples */

/* The kinds of boxes that ffmpeg looks into; bytes: those before the boxes in them. */
static void boxes_within_others_are_counted(void **state)
{
    (void)state;
    static const struct {
        const char *type;
        size_t bytes;
        const char *first;
    } kinds[] = {
        {"tref", 0, NULL},     {"sinf", 0, NULL},   {"schi", 0, NULL},
        {"ilst", 0, NULL},     {"udta", 0, NULL},   {"wave", 0, NULL},
        {"wave", 11, NULL},    {"stsd", 8, NULL},   {"stsd", 300, NULL},
        {"stsd", 301, NULL},   {"meta", 0, "hdlr"}, {"meta", 4, "hdlr"},
        {"meta", 400, "hdlr"}, {"hoov", 0, "mvhd"}, {"free", 0, "mvhd"},
        {"skip", 0, "mvhd"},
    };
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        bytes_free(&file);
        size_t moov = box_open(&file, "moov"), trak = box_open(&file, "trak");
        size_t at = box_open(&file, kinds[i].type);
        bytes_fill(&file, 0, kinds[i].bytes);
        if (kinds[i].first)
            box_filled(&file, kinds[i].first, 0, 24);
        FULL("stsz", 1, MANY);
        box_filled(&file, "free", 0, 64);
        box_close(&file, at);
        box_close(&file, trak);
        box_close(&file, moov);
        says(CONTAINER_MOV, 0, NO_ROOM);
        for (int in_memory = 0; in_memory < 2; in_memory++)
            assert_int_equal(verdict_as_it_comes(CONTAINER_MOV, in_memory),
                             RC_UNSUPPORTED);
    }
}

static void what_only_looks_like_such_a_box_is_not(void **state)
{
    (void)state;
    static const char *const types[] = {"free", "skip", "hoov", "meta", "uuid"};
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        bytes_free(&file);
        size_t trak = box_open(&file, "trak"), at = box_open(&file, types[i]);
        FULL("stsz", 1, MANY);
        box_close(&file, at);
        box_close(&file, trak);
        assert_int_equal(verdict(CONTAINER_MOV, 0), RC_OK);
    }
}

static void a_moov_box_by_another_name_is_one(void **state)
{
    (void)state;
    static const char *const types[] = {"free", "skip", "hoov"};
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        bytes_free(&file);
        box_filled(&file, "ftyp", 0, 16);
        size_t at = box_open(&file, types[i]);
        box_filled(&file, "mvhd", 0, 100);
        for (int k = 0; k < 65; k++)
            box_filled(&file, "trak", 0, 10);
        box_close(&file, at);
        says(CONTAINER_MP4, 0, MANY_STREAMS);
    }
}

static void a_compressed_index_in_a_description_is_refused(void **state)
{
    (void)state;
    size_t at = box_open(&file, "stsd");
    bytes_fill(&file, 0, 50);
    box_filled(&file, "cmov", 0, 30);
    box_close(&file, at);
    says(CONTAINER_MOV, 0,
         "The file is damaged: its index is in the description of a track.");
}

/* ffmpeg takes it for one of 0: to the end of what it is in. */
static void a_wide_size_of_eight_reaches_to_the_end(void **state)
{
    (void)state;
    box_filled(&file, "ftyp", 0, 16);
    size_t moov = box_open_wide(&file, "moov");
    for (int i = 0; i < 65; i++)
        box_filled(&file, "trak", 0, 10);
    box_put_size(&file, moov, 8);
    says(CONTAINER_MP4, 0, MANY_STREAMS);
}

/* A box that ends before its numbers; ffmpeg reads on. */
static void numbers_behind_a_box_are_its_own(void **state)
{
    (void)state;
    size_t trak = box_open(&file, "trak"), at = box_open(&file, "stsz");
    for (int i = 0; i < 3; i++)
        bytes_number(&file, i < 2 ? 1 : MANY, 4);
    box_put_size(&file, at, 8);
    box_close(&file, trak);
    says(CONTAINER_MP4, 0, NO_ROOM);
}

/* However much of them has come with the box. */
static void numbers_behind_a_box_are_waited_for(void **state)
{
    (void)state;
    enum { SLOW, FAST, WIDE_FAST };
    for (int i = SLOW; i <= WIDE_FAST; i++) {
        bytes_free(&file);
        size_t trak = box_open(&file, "trak");
        FULL("hdlr", 0, VIDE, 0);
        FULL("stsz", 1, 90000);
        size_t at = box_open(&file, "mdhd");
        bytes_number(&file, i == WIDE_FAST ? 1 << 24 : 0, 4);
        bytes_fill(&file, 0, i == WIDE_FAST ? 16 : 8);
        bytes_number(&file, 1000, 4); /* a second */
        bytes_number(&file, i == SLOW ? 90000 : 10000, i == WIDE_FAST ? 8 : 4);
        box_put_size(&file, at, 8);
        box_close(&file, trak);
        box_filled(&file, "free", 0, 64);
        for (int in_memory = 0; in_memory < 2; in_memory++)
            assert_int_equal(verdict_as_it_comes(CONTAINER_MP4, in_memory),
                             i == SLOW ? RC_OK : RC_UNSUPPORTED);
    }
}

/* In a description ffmpeg goes by the type, wherever the description ends. */
static void numbers_behind_a_description_are_its_own(void **state)
{
    (void)state;
    for (size_t before = 0; before < 64; before++) {
        bytes_free(&file);
        size_t trak = box_open(&file, "trak"), at = box_open(&file, "stsd");
        bytes_fill(&file, 0, before);
        bytes_add(&file, "stsz", 4);
        box_close(&file, at);
        for (int i = 0; i < 3; i++)
            bytes_number(&file, i < 2 ? 1 : MANY, 4);
        box_close(&file, trak);
        box_filled(&file, "free", 0, 64);
        says(CONTAINER_MP4, 0, NO_ROOM);
        for (int in_memory = 0; in_memory < 2; in_memory++)
            assert_int_equal(verdict_as_it_comes(CONTAINER_MP4, in_memory),
                             RC_UNSUPPORTED);
    }
}

/* A free box of eight bytes is a moov box by what is behind it, and ends a track. */
static void an_empty_box_is_what_comes_behind_it(void **state)
{
    (void)state;
    size_t trak = box_open(&file, "trak");
    FULL("hdlr", 0, SOUN, 0);
    FULL("stts", 1, 90000000, 1);
    FULL("stsz", 1, 90000000);
    box_filled(&file, "free", 0, 0);
    box_filled(&file, "mvhd", 0, 64);
    box_close(&file, trak);
    for (int in_memory = 0; in_memory < 2; in_memory++)
        assert_int_equal(verdict_as_it_comes(CONTAINER_MP4, in_memory), RC_UNSUPPORTED);
}

/* Neither what was counted before it nor how it is counted. */
static void a_track_within_a_track_takes_nothing_from_it(void **state)
{
    (void)state;
    static const struct one pcm = {SOUN, 48000, 2000, 1, 1, 1};
    for (int i = 0; i < 2; i++) {
        bytes_free(&file);
        size_t moov = box_open(&file, "moov"), trak = box_open(&file, "trak");
        FULL("stts", 1, MANY, 1);
        FULL("stsz", 1, MANY);
        size_t inner = box_open(&file, i == 0 ? "moov" : "free");
        box_filled(&file, "mvhd", 0, 100);
        track(&pcm);
        box_close(&file, inner);
        FULL("hdlr", 0, SOUN, 0);
        box_close(&file, trak);
        box_close(&file, moov);
        says(CONTAINER_MP4, 0, NO_ROOM);
    }
}

/* n bytes of the smallest ones there are, in place of the file. */
static void smallest_boxes(size_t n)
{
    bytes_free(&file);
    file = (struct bytes){.p = calloc(1, n), .n = n, .room = n};
    assert_non_null(file.p);
    for (size_t i = 0; i < n; i += 8)
        memcpy(file.p + i, "\0\0\0\10free", 8);
}

/* So many as there is room for in a compressed index. */
static void what_is_behind_many_boxes_is_counted(void **state)
{
    (void)state;
    smallest_boxes(40 << 20);
    pack(0);
    many_streams(65);
    says(CONTAINER_MOV, 0, MANY_STREAMS);
}

/* One page of empty elements, at many addresses. */
static void boxes_without_end_are_refused(void **state)
{
    (void)state;
    enum { PAGE = 1 << 20, N = 125 };
    static const uint8_t element[] = {VOID, 0x80};
    for (size_t i = 0; i < PAGE / sizeof(element); i++)
        bytes_add(&file, element, sizeof(element));
    assert_int_equal(verdict(CONTAINER_MATROSKA, 0), RC_OK);
    char path[PATH_MAX + 16];
    snprintf(path, sizeof(path), "%s/source", dir);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    uint8_t *all = mmap(NULL, (size_t)PAGE * N, PROT_NONE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    assert_true(all != MAP_FAILED);
    for (size_t i = 0; i < N; i++)
        assert_true(mmap(all + i * PAGE, PAGE, PROT_READ, MAP_PRIVATE | MAP_FIXED, fd,
                         0) != MAP_FAILED);
    struct source_bounds *b;
    struct source_bytes from = {.memory = all,
                                .have = (uint64_t)PAGE * N,
                                .size = UINT64_MAX,
                                .file_size = UINT64_MAX};
    enum rc rc;
    assert_int_equal(source_bounds_open(CONTAINER_MATROSKA, &b), RC_OK);
    do
        rc = source_bounds_look(b, &from, why, sizeof(why));
    while (rc == RC_OK && source_bounds_is_behind(b));
    assert_int_equal(rc, RC_UNSUPPORTED);
    assert_string_equal(why, "The file is damaged: its index has no end.");
    source_bounds_close(b);
    munmap(all, (size_t)PAGE * N);
    close(fd);
}

/* Two thirds of what may be: twice that would be refused. */
static void what_failed_is_counted_once(void **state)
{
    (void)state;
    struct source_bounds *b;
    char path[PATH_MAX + 16];
    box_filled(&file, "ftyp", 0, 16);
    size_t at = box_open(&file, "cmov"), all = at + SOURCE_UNPACKED_MAX / 3 * 2;
    box_put_size(&file, at, all - at);
    assert_int_equal(verdict(CONTAINER_MOV, (off_t)all), RC_OK);
    snprintf(path, sizeof(path), "%s/source", dir);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct source_bytes from = {
        .fd = fd, .have = all - 1, .size = all, .file_size = all};
    assert_int_equal(source_bounds_open(CONTAINER_MOV, &b), RC_OK);
    assert_int_equal(source_bounds_look(b, &from, why, sizeof(why)), RC_OK);
    from.have = all;
    for (int i = 0; i < 3; i++) {
        from.fd = i < 2 ? -1 : fd; /* which fails, but for the header that it has */
        assert_int_equal(source_bounds_look(b, &from, why, sizeof(why)),
                         i < 2 ? RC_IO : RC_OK);
    }
    source_bounds_close(b);
    close(fd);
}

/* As live WebM has them: each ends where the next one begins, or the Cues do. */
static void lists_behind_clusters_of_unknown_size_are_counted(void **state)
{
    (void)state;
    for (int n = 500000; n <= 500001; n++) {
        list_of(TRACKS, ENTRY, 0);
        for (int i = 0; i < 20; i++) {
            ebml_open_ended(&file, CLUSTER);
            for (int k = 0; k < 30000; k++) { /* no list */
                ebml_id(&file, SIMPLE_BLOCK);
                bytes_number(&file, 0x80, 1);
            }
        }
        ebml_open_ended(&file, CUES);
        for (int i = 0; i < n; i++) {
            ebml_id(&file, 0xbb);
            bytes_number(&file, 0x80, 1);
        }
        assert_int_equal(verdict(CONTAINER_WEBM, 0),
                         n == 500000 ? RC_OK : RC_UNSUPPORTED);
    }
    assert_string_equal(why, "The file is damaged: its index has no end.");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(boxes_within_others_are_counted),
        TEST(what_only_looks_like_such_a_box_is_not),
        TEST(a_moov_box_by_another_name_is_one),
        TEST(a_compressed_index_in_a_description_is_refused),
        TEST(a_wide_size_of_eight_reaches_to_the_end),
        TEST(numbers_behind_a_box_are_its_own),
        TEST(numbers_behind_a_box_are_waited_for),
        TEST(numbers_behind_a_description_are_its_own),
        TEST(an_empty_box_is_what_comes_behind_it),
        TEST(a_track_within_a_track_takes_nothing_from_it),
        TEST(what_is_behind_many_boxes_is_counted),
        TEST(boxes_without_end_are_refused),
        TEST(what_failed_is_counted_once),
        TEST(lists_behind_clusters_of_unknown_size_are_counted),
    };
    return cmocka_run_group_tests_name("source_bounds_ways", tests, NULL, NULL);
}
