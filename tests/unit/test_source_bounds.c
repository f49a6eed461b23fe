/* What files ask for that are built here of headers alone, and what is said of it. */
#include "source_bounds_file.h"

static void a_day_of_sixty_pictures_a_second_is_taken(void **state)
{
    (void)state;
    file_of(&(struct one){VIDE, 60, 86400, 5184000, 1, 1});
    assert_int_equal(verdict(CONTAINER_MP4, 2 * 5184000), RC_OK);
    says(CONTAINER_MP4, 2 * 5184000 - 1, NO_ROOM);
}

static void few_samples_need_no_room(void **state)
{
    (void)state;
    file_of(&(struct one){VIDE, 25, 4000, 100000, 1, 1});
    assert_int_equal(verdict(CONTAINER_MOV, 0), RC_OK);
    file_of(&(struct one){VIDE, 25, 4000, 100001, 1, 1});
    says(CONTAINER_MOV, 0, NO_ROOM);
}

static void more_samples_than_a_video_has_are_refused(void **state)
{
    (void)state;
    file_of(&(struct one){SOUN, 48000, 1, 12000001, 1024, 1});
    says(CONTAINER_MP4, 100000000,
         "The file is damaged: its index tells of more pictures than a video has.");
}

static void samples_of_pcm_are_read_many_at_a_time(void **state)
{
    (void)state;
    file_of(&(struct one){SOUN, 48000, 2000, 96000000, 1, 1});
    assert_int_equal(verdict(CONTAINER_MOV, 0), RC_OK);
    file_of(&(struct one){VIDE, 48000, 2000, 96000000, 1, 1});
    assert_int_equal(verdict(CONTAINER_MOV, 0), RC_UNSUPPORTED);
}

static void edits_may_repeat_all_that_there_is(void **state)
{
    (void)state;
    file_of(&(struct one){VIDE, 25, 4000, 100000, 1, 31});
    assert_int_equal(verdict(CONTAINER_MP4, 0), RC_OK);
    file_of(&(struct one){VIDE, 25, 4000, 100000, 1, 32});
    says(CONTAINER_MP4, 0, NO_ROOM);
}

static void pictures_are_not_too_fast(void **state)
{
    (void)state;
    file_of(&(struct one){VIDE, 1000, 60, 60000, 1, 1});
    assert_int_equal(verdict(CONTAINER_MP4, 0), RC_OK);
    file_of(&(struct one){VIDE, 90000, 0, 1, 1, 1}); /* one says nothing */
    assert_int_equal(verdict(CONTAINER_MP4, 0), RC_OK);
    file_of(&(struct one){VIDE, 120000, 10, 90000, 1, 1});
    says(CONTAINER_MP4, 0,
         "The file has 9,000 pictures a second; at most 1,000 are taken.");
    file_of(&(struct one){SOUN, 120000, 10, 90000, 1, 1});
    assert_int_equal(verdict(CONTAINER_MP4, 0), RC_OK);
}

static void fragments_are_counted(void **state)
{
    (void)state;
    box_filled(&file, "ftyp", 0, 16);
    for (int i = 0; i < 2; i++) {
        size_t moof = box_open(&file, "moof"), traf = box_open(&file, "traf");
        FULL("trun", 50001);
        box_close(&file, traf);
        box_close(&file, moof);
    }
    says(CONTAINER_MP4, 0, NO_ROOM);
    assert_int_equal(verdict(CONTAINER_MP4, 200004), RC_OK);
}

static void streams_of_an_mp4_are_counted(void **state)
{
    (void)state;
    size_t moov = box_open(&file, "moov");
    for (int i = 0; i < 64; i++)
        track(&(struct one){VIDE, 25, 1, 25, 1, 1});
    box_close(&file, moov);
    assert_int_equal(verdict(CONTAINER_MP4, 0), RC_OK);
    moov = box_open(&file, "moov");
    for (int i = 0; i < 1000; i++)
        track(&(struct one){VIDE, 25, 1, 25, 1, 1});
    box_close(&file, moov);
    says(CONTAINER_MP4, 0, "The file has 1,064 streams; at most 64 are taken.");
}

static void boxes_within_boxes_end_somewhere(void **state)
{
    (void)state;
    for (int i = 0; i < 500000; i++)
        box_open(&file, "moov"); /* of size 0: to the end */
    assert_int_equal(verdict(CONTAINER_MP4, 0), RC_OK);
}

static void streams_of_matroska_are_counted(void **state)
{
    (void)state;
    list_of(TRACKS, ENTRY, 64);
    assert_int_equal(verdict(CONTAINER_MATROSKA, 0), RC_OK);
    list_of(TRACKS, ENTRY, 65);
    says(CONTAINER_WEBM, 0, "The file has 65 streams; at most 64 are taken.");
}

static void lists_of_matroska_have_an_end(void **state)
{
    (void)state;
    list_of(CUES, 0xbb, 500000);
    assert_int_equal(verdict(CONTAINER_MATROSKA, 0), RC_OK);
    list_of(CUES, 0xbb, 500001);
    says(CONTAINER_MATROSKA, 0, "The file is damaged: its index has no end.");
    list_of(CLUSTER, SIMPLE_BLOCK, 500001); /* no list */
    assert_int_equal(verdict(CONTAINER_MATROSKA, 0), RC_OK);
}

static void segments_within_segments_end_somewhere(void **state)
{
    (void)state;
    for (int i = 0; i < 500000; i++)
        ebml_open_ended(&file, SEGMENT);
    assert_int_equal(verdict(CONTAINER_MATROSKA, 0), RC_OK);
}

static void what_comes_in_gets_the_same_verdict(void **state)
{
    (void)state;
    for (int i = 0; i < 2; i++) {
        file_of(&(struct one){VIDE, 25, 4000, 100000, 1, 31});
        assert_int_equal(verdict_as_it_comes(CONTAINER_MP4, i), RC_OK);
        file_of(&(struct one){VIDE, 25, 4000, 100001, 1, 1});
        assert_int_equal(verdict_as_it_comes(CONTAINER_MP4, i), RC_UNSUPPORTED);
        file_of(&(struct one){VIDE, 120000, 10, 90000, 1, 1});
        assert_int_equal(verdict_as_it_comes(CONTAINER_MP4, i), RC_UNSUPPORTED);
        bytes_number(&file, 3, 4); /* a size that no box has */
        assert_int_equal(verdict_as_it_comes(CONTAINER_MP4, i), RC_UNSUPPORTED);
        list_of(TRACKS, ENTRY, 65);
        assert_int_equal(verdict_as_it_comes(CONTAINER_MATROSKA, i), RC_UNSUPPORTED);
        list_of(TRACKS, ENTRY, 64);
        assert_int_equal(verdict_as_it_comes(CONTAINER_MATROSKA, i), RC_OK);
    }
}

/* Of many boxes only so many at a time. */
static void a_look_ends_with_its_turn(void **state)
{
    (void)state;
    struct source_bounds *b;
    for (int i = 0; i < 2 * SOURCE_BOUNDS_TURN + 1; i++)
        box_filled(&file, i == 0 ? "ftyp" : "free", 0, 0);
    struct source_bytes from = {
        .memory = file.p, .have = file.n, .size = UINT64_MAX, .file_size = UINT64_MAX};
    assert_int_equal(source_bounds_open(CONTAINER_MP4, &b), RC_OK);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(source_bounds_look(b, &from, why, sizeof(why)), RC_OK);
        assert_int_equal(source_bounds_is_behind(b), i < 2);
    }
    source_bounds_close(b);
}

static void what_is_compressed_is_counted_as_well(void **state)
{
    (void)state;
    file_of(&(struct one){VIDE, 25, 4000, 100000, 1, 1});
    pack(0);
    for (int i = 0; i < 2; i++)
        assert_int_equal(verdict_as_it_comes(CONTAINER_MOV, i), RC_OK);
    file_of(&(struct one){VIDE, 25, 4000, 100001, 1, 1});
    pack(0);
    says(CONTAINER_MOV, 0, NO_ROOM);
    assert_int_equal(verdict(CONTAINER_MOV, 200002), RC_OK);
    file_of(&(struct one){VIDE, 120000, 10, 90000, 1, 1});
    pack(0);
    for (int i = 0; i < 2; i++)
        assert_int_equal(verdict_as_it_comes(CONTAINER_MOV, i), RC_UNSUPPORTED);
    says(CONTAINER_MOV, 0,
         "The file has 9,000 pictures a second; at most 1,000 are taken.");
}

/* Together with what is not. */
static void streams_of_both_are_counted(void **state)
{
    (void)state;
    many_streams(33);
    pack(0);
    many_streams(31);
    assert_int_equal(verdict(CONTAINER_MOV, 0), RC_OK);
    many_streams(1);
    says(CONTAINER_MOV, 0, "The file has 65 streams; at most 64 are taken.");
}

#define UNPACKED "The file's index takes more than 64 MB when it is unpacked."

static void what_takes_too_much_when_it_is_unpacked_is_refused(void **state)
{
    (void)state;
    many_streams(1);
    pack(SOURCE_UNPACKED_MAX);
    assert_int_equal(verdict(CONTAINER_MOV, 0), RC_OK);
    struct bytes one = file;
    file = (struct bytes){0};
    many_streams(1);
    pack(1000);
    bytes_add(&file, one.p, one.n); /* a second one */
    bytes_free(&one);
    says(CONTAINER_MOV, 0, UNPACKED);
    bytes_free(&file);
    many_streams(1);
    pack(UINT32_MAX);
    says(CONTAINER_MOV, 0, UNPACKED);
    bytes_free(&file); /* and by its own size */
    size_t moov = box_open(&file, "moov"), cmov = box_open(&file, "cmov");
    box_put_size(&file, cmov, SOURCE_UNPACKED_MAX + 9);
    box_put_size(&file, moov, SOURCE_UNPACKED_MAX + 17);
    says(CONTAINER_MOV, SOURCE_UNPACKED_MAX + 100, UNPACKED);
}

/* Whatever is in them: they are read. */
static void compressed_ones_are_bounded_together(void **state)
{
    (void)state;
    struct source_bounds *b;
    struct bytes half = {0};
    box_filled(&half, "cmov", 0, SOURCE_UNPACKED_MAX / 2);
    for (int n = 2; n < 4; n++) {
        bytes_free(&file);
        for (int i = 0; i < n; i++)
            bytes_add(&file, half.p, half.n);
        struct source_bytes from = {
            .memory = file.p, .have = file.n, .size = file.n, .file_size = file.n};
        assert_int_equal(source_bounds_open(CONTAINER_MOV, &b), RC_OK);
        assert_int_equal(source_bounds_look(b, &from, why, sizeof(why)),
                         n == 2 ? RC_OK : RC_UNSUPPORTED);
        source_bounds_close(b);
    }
    assert_string_equal(why, UNPACKED);
    bytes_free(&half);
}

static void what_is_compressed_twice_is_refused(void **state)
{
    (void)state;
    many_streams(1);
    pack(0);
    pack(0);
    says(CONTAINER_MOV, 0,
         "The file is damaged: its index is compressed more than once.");
}

/* ffmpeg does not read it either. */
static void what_cannot_be_unpacked_says_nothing(void **state)
{
    (void)state;
    static const struct {
        size_t at;
        uint8_t value;
    } faults[] = {{20, 'x'}, {24, 'x'}, {32, 'x'}, {41, 0xff}, {38, 0}};
    for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++) {
        bytes_free(&file);
        many_streams(65);
        pack(0);
        file.p[faults[i].at] = faults[i].value;
        assert_int_equal(verdict(CONTAINER_MOV, 0), RC_OK);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_day_of_sixty_pictures_a_second_is_taken),
        TEST(few_samples_need_no_room),
        TEST(more_samples_than_a_video_has_are_refused),
        TEST(samples_of_pcm_are_read_many_at_a_time),
        TEST(edits_may_repeat_all_that_there_is),
        TEST(pictures_are_not_too_fast),
        TEST(fragments_are_counted),
        TEST(streams_of_an_mp4_are_counted),
        TEST(boxes_within_boxes_end_somewhere),
        TEST(streams_of_matroska_are_counted),
        TEST(lists_of_matroska_have_an_end),
        TEST(segments_within_segments_end_somewhere),
        TEST(what_comes_in_gets_the_same_verdict),
        TEST(a_look_ends_with_its_turn),
        TEST(what_is_compressed_is_counted_as_well),
        TEST(streams_of_both_are_counted),
        TEST(what_takes_too_much_when_it_is_unpacked_is_refused),
        TEST(compressed_ones_are_bounded_together),
        TEST(what_is_compressed_twice_is_refused),
        TEST(what_cannot_be_unpacked_says_nothing),
    };
    return cmocka_run_group_tests_name("source_bounds", tests, NULL, NULL);
}
