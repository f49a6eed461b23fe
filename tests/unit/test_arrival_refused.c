/* Files that ask for more than they may, while they come in: what is said of them
 * before any program is given one. */
#include "mp4_build.h"
#include "mp4_files.h"

#include "arrival_header.h"

#include <fcntl.h>
#include <unistd.h>

#define STEP 700 /* bytes that come at a time */
#define STREAMS "The file has 65 streams; at most 64 are taken."
#define NO_ROOM                                                                        \
    "The file is damaged: its index tells of more pictures than it has room for."

static struct bytes file, index_ahead;
static int fd = -1;

static void put(const char *path, const struct bytes *b)
{
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    if (b->n > 0)
        assert_int_equal(fwrite(b->p, 1, b->n, f), b->n);
    assert_int_equal(fclose(f), 0);
}

/* declared: bytes that are to come in all, -1: nobody has said. index_offset: where the
 * index that was sent ahead will be, -1: there is none. */
static struct arrival_header *open_file(int64_t declared, int64_t index_offset)
{
    static char index[PATH_MAX + 32];
    char path[PATH_MAX + 32];
    struct arrival_header *h = NULL;
    snprintf(path, sizeof(path), "%s/file", mp4_dir);
    snprintf(index, sizeof(index), "%s/index", mp4_dir);
    put(path, &file);
    put(index, &index_ahead);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    assert_true(fd >= 0);
    struct header_source source = {
        fd,          CONTAINER_MP4, declared, 1 << 20, index_offset >= 0 ? index : NULL,
        index_offset};
    assert_int_equal(arrival_header_open(&source, &h), RC_OK);
    return h;
}

/* Lets it come in, up to that byte, until its state is no longer LOOKING; how much of
 * it that took. */
static int64_t come_in(struct arrival_header *h, int64_t upto, enum header_state *state)
{
    int64_t n = 0;
    do {
        n = n + STEP < upto ? n + STEP : upto;
        *state = arrival_header_read(h, n);
    } while (*state == HEADER_LOOKING && n < upto);
    return n;
}

static int teardown(void **state)
{
    (void)state;
    bytes_free(&file);
    bytes_free(&index_ahead);
    close(fd);
    fd = -1;
    return 0;
}

static void streams(struct bytes *b, int n)
{
    size_t at = box_open(b, "moov");
    for (int i = 0; i < n; i++)
        box_filled(b, "trak", 0, 40);
    box_close(b, at);
}

static void it_is_refused_by_its_index(void **state)
{
    (void)state;
    enum header_state found;
    box_filled(&file, "ftyp", 0, 16);
    streams(&file, 65);
    int64_t end = (int64_t)file.n;
    box_filled(&file, "mdat", 0, 100000);
    struct arrival_header *h = open_file((int64_t)file.n, -1);
    assert_in_range(come_in(h, (int64_t)file.n, &found), end, end + STEP);
    assert_int_equal(found, HEADER_REFUSED);
    assert_string_equal(arrival_header_reason(h), STREAMS);
    assert_int_equal(arrival_header_read(h, (int64_t)file.n), HEADER_REFUSED);
    assert_int_equal(arrival_header_memory(h), 0);
    arrival_header_close(h);
}

static void it_is_refused_by_an_index_that_was_sent_ahead(void **state)
{
    (void)state;
    enum header_state found;
    box_filled(&file, "ftyp", 0, 16);
    box_filled(&file, "mdat", 0, 100000);
    streams(&index_ahead, 65);
    int64_t offset = (int64_t)file.n;
    struct arrival_header *h = open_file(offset + (int64_t)index_ahead.n, offset);
    come_in(h, 50000, &found);
    assert_int_equal(found, HEADER_REFUSED);
    assert_string_equal(arrival_header_reason(h), STREAMS);
    arrival_header_close(h);
}

/* Pictures of so many bytes each, a thousand a second. */
static void pictures(uint32_t n, uint32_t bytes)
{
    struct trak t = {.id = 1,
                     .handler = "vide",
                     .format = "avc1",
                     .timescale = 1000,
                     .duration = n,
                     .fixed_size = bytes,
                     .samples = n};
    const uint32_t durations[] = {n, 1}, runs[] = {1, n, 1};
    uint32_t chunk = 0;
    t.durations = (struct list){.v = durations, .n = 2, .given = true};
    t.runs = (struct list){.v = runs, .n = 3, .given = true};
    t.chunks = (struct list){.v = &chunk, .n = 1, .given = true};
    for (int i = 0; i < 2; i++) { /* the first one tells how long it is */
        bytes_free(&file);
        box_filled(&file, "ftyp", 0, 16);
        build_moov(&file, &t, 1);
        chunk = (uint32_t)file.n + 8;
    }
    box_filled(&file, "mdat", 0, (size_t)n * bytes);
}

static void it_is_refused_where_it_will_have_no_room(void **state)
{
    (void)state;
    enum header_state found;
    pictures(200000, 1);
    struct arrival_header *h = open_file((int64_t)file.n, -1);
    come_in(h, 20000, &found);
    assert_int_equal(found, HEADER_REFUSED);
    assert_string_equal(arrival_header_reason(h), NO_ROOM);
    arrival_header_close(h);
}

/* How long the file gets is what its sender says. */
static void it_waits_until_there_is_room_for_what_it_tells_of(void **state)
{
    (void)state;
    static const bool told[] = {true, false};
    for (size_t i = 0; i < 2; i++) {
        enum header_state found;
        pictures(200000, 3);
        struct arrival_header *h = open_file(told[i] ? (int64_t)file.n : -1, -1);
        assert_in_range(come_in(h, (int64_t)file.n, &found), 400000, 400000 + STEP);
        assert_int_equal(found, HEADER_KNOWN);
        arrival_header_close(h);
        close(fd);
    }
    fd = -1;
}

/* Ten seconds in fragments; how many bytes those are. */
static int64_t fragments(void)
{
    char path[PATH_MAX + 32];
    if (!mp4_have_ffmpeg())
        skip();
    mp4_ffmpeg(" -f lavfi -i testsrc2=s=128x96:r=25:d=10" H264
               " -movflags frag_keyframe+empty_moov+default_base_moof clip.mp4");
    snprintf(path, sizeof(path), "%s/clip.mp4", mp4_dir);
    file = mp4_file_part(path, 0, mp4_file_size(path));
    return (int64_t)file.n;
}

/* One more, that tells of so many samples. */
static void fragment(uint32_t samples)
{
    size_t moof = box_open(&file, "moof"), traf = box_open(&file, "traf");
    size_t trun = box_open(&file, "trun");
    bytes_number(&file, 0, 4);
    bytes_number(&file, samples, 4);
    box_close(&file, trun);
    box_close(&file, traf);
    box_close(&file, moof);
}

/* Its beginning is like any other. */
static void it_is_refused_by_a_fragment_that_comes_later(void **state)
{
    (void)state;
    enum header_state found;
    int64_t good = fragments();
    fragment(20000000);
    int64_t bad = (int64_t)file.n;
    box_filled(&file, "mdat", 0, 100000);
    struct arrival_header *h = open_file((int64_t)file.n, -1);
    assert_true(come_in(h, good, &found) < good);
    assert_int_equal(found, HEADER_KNOWN);
    assert_int_equal(arrival_header_read(h, bad - 30), HEADER_KNOWN);
    int64_t reach = arrival_header_reach_us(h, 0);
    assert_true(reach > 9000000);
    assert_int_equal(arrival_header_read(h, bad + 100), HEADER_REFUSED);
    assert_string_equal(arrival_header_reason(h), NO_ROOM);
    assert_int_equal(arrival_header_reach_us(h, 0), reach);
    arrival_header_close(h);
}

/* A look counts so many boxes and no more. */
static void no_more_of_it_counts_than_was_looked_at(void **state)
{
    (void)state;
    enum header_state found;
    int turns = 1;
    int64_t good = fragments();
    for (int i = 0; i < 25000; i++)
        box_filled(&file, "free", 0, 0);
    fragment(20000000);
    box_filled(&file, "mdat", 0, 1000);
    struct arrival_header *h = open_file((int64_t)file.n, -1);
    come_in(h, good, &found);
    assert_int_equal(arrival_header_read(h, good), HEADER_KNOWN);
    assert_int_equal(arrival_header_size(h), good);
    assert_int_equal(arrival_header_again_ms(h), -1);
    while ((found = arrival_header_read(h, (int64_t)file.n)) == HEADER_KNOWN) {
        assert_int_equal(arrival_header_size(h), good);
        assert_true(arrival_header_again_ms(h) >= 0);
        turns++;
    }
    assert_int_equal(found, HEADER_REFUSED);
    assert_true(turns > 2);
    assert_int_equal(arrival_header_size(h), good);
    assert_int_equal(arrival_header_again_ms(h), -1);
    arrival_header_close(h);
}

static void what_cannot_be_read_does_not_count_yet(void **state)
{
    (void)state;
    enum header_state found;
    char path[PATH_MAX + 32];
    int64_t good = fragments();
    struct arrival_header *h = open_file(-1, -1);
    come_in(h, good, &found);
    assert_int_equal(arrival_header_read(h, good), HEADER_KNOWN);
    assert_int_equal(arrival_header_read(h, good + 5000), HEADER_KNOWN);
    assert_int_equal(arrival_header_size(h), good);
    assert_true(arrival_header_again_ms(h) > 0);
    box_filled(&file, "free", 0, 4992);
    snprintf(path, sizeof(path), "%s/file", mp4_dir);
    put(path, &file);
    assert_int_equal(arrival_header_read(h, good + 5000), HEADER_KNOWN);
    assert_int_equal(arrival_header_size(h), good + 5000);
    assert_int_equal(arrival_header_again_ms(h), -1);
    arrival_header_close(h);
}

/* It will have room for what it tells of, as its sender says. */
static void no_more_of_it_counts_than_has_room_for_what_it_tells_of(void **state)
{
    (void)state;
    enum header_state found;
    int64_t good = fragments();
    fragment(800000);
    box_filled(&file, "mdat", 0, 1700000);
    struct arrival_header *h = open_file((int64_t)file.n, -1);
    come_in(h, good, &found);
    assert_int_equal(arrival_header_read(h, good), HEADER_KNOWN);
    assert_int_equal(arrival_header_read(h, good + 100), HEADER_KNOWN);
    assert_int_equal(arrival_header_size(h), good);
    assert_int_equal(arrival_header_again_ms(h), -1); /* more has to come */
    assert_int_equal(arrival_header_read(h, 1600000), HEADER_KNOWN);
    assert_int_equal(arrival_header_size(h), good);
    assert_int_equal(arrival_header_read(h, 1601000), HEADER_KNOWN);
    assert_int_equal(arrival_header_size(h), 1601000);
    arrival_header_close(h);
}

int main(void)
{
#define TEST(test) cmocka_unit_test_teardown(test, teardown)
    const struct CMUnitTest tests[] = {
        TEST(it_is_refused_by_its_index),
        TEST(it_is_refused_by_an_index_that_was_sent_ahead),
        TEST(it_is_refused_where_it_will_have_no_room),
        TEST(it_waits_until_there_is_room_for_what_it_tells_of),
        TEST(it_is_refused_by_a_fragment_that_comes_later),
        TEST(no_more_of_it_counts_than_was_looked_at),
        TEST(what_cannot_be_read_does_not_count_yet),
        TEST(no_more_of_it_counts_than_has_room_for_what_it_tells_of),
    };
    return cmocka_run_group_tests_name("arrival_refused", tests, mp4_files_none,
                                       mp4_files_remove);
}
