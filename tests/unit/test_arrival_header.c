/* What is told of real files while they come in: the first n bytes, for more and more
 * n. */
#include "mp4_files.h"

#include "arrival_header.h"

#include <fcntl.h>
#include <unistd.h>

#define STEP 700 /* bytes that come at a time */

#define TEN_S " -f lavfi -i testsrc2=s=128x96:r=25:d=10"
#define SOUND_TEN_S " -f lavfi -i sine=f=440:r=44100:d=10"

static char path[PATH_MAX + 32];
static int64_t size;
static int fd = -1;

/* Opens one of the files; index: of that which is sent ahead, or NULL. */
static struct arrival_header *open_file(const char *name, enum container container,
                                        const char *index, int64_t index_offset)
{
    struct arrival_header *h = NULL;
    snprintf(path, sizeof(path), "%s/%s", mp4_dir, name);
    size = (int64_t)mp4_file_size(path);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    assert_true(fd >= 0);
    struct header_source source = {fd, container, size, 1 << 20, index, index_offset};
    assert_int_equal(arrival_header_open(&source, &h), RC_OK);
    return h;
}

static void close_file(struct arrival_header *h)
{
    arrival_header_close(h);
    close(fd);
    fd = -1;
}

/* Lets it come in until its state is no longer LOOKING; how many bytes that took. */
static int64_t come_in(struct arrival_header *h, enum header_state *state)
{
    int64_t n = 0;
    do {
        n = n + STEP < size ? n + STEP : size;
        *state = arrival_header_read(h, n);
    } while (*state == HEADER_LOOKING && n < size);
    return n;
}

/* The rest of it comes: what is within reach never gets less, and is all in the end. */
static void assert_reaches_all(struct arrival_header *h, int64_t from, int stream)
{
    int64_t last = arrival_header_reach_us(h, stream);
    assert_true(last >= 1000000);
    for (int64_t n = from; n < size;) {
        n = n + STEP < size ? n + STEP : size;
        assert_int_equal(arrival_header_read(h, n), HEADER_KNOWN);
        int64_t us = arrival_header_reach_us(h, stream);
        assert_true(us >= last);
        last = us;
    }
    assert_int_equal(last, INT64_MAX);
}

static void assert_no_head(const struct arrival_header *h)
{
    size_t n;
    int64_t offset, end;
    assert_null(arrival_header_head(h, &n, &offset, &end));
    assert_int_equal(n, 0);
    assert_int_equal(offset, 0);
}

static void need_ffmpeg(void)
{
    if (!mp4_have_ffmpeg())
        skip();
}

static void an_index_that_comes_first_is_known_before_the_end(void **state)
{
    (void)state;
    enum header_state found;
    need_ffmpeg();
    struct arrival_header *h = open_file("faststart.mp4", CONTAINER_MP4, NULL, -1);
    int64_t at = come_in(h, &found);
    assert_int_equal(found, HEADER_KNOWN);
    assert_true(at < size);
    assert_no_head(h);
    assert_reaches_all(h, at, 0);
    assert_int_equal(arrival_header_reach_us(h, 7), 0); /* there is no such stream */
    close_file(h);
}

static void its_packets_and_keyframes_are_told(void **state)
{
    (void)state;
    enum header_state found;
    struct media_info info = {.n_streams = 2};
    static struct packet_scan scan;
    struct seek_points *sp;
    need_ffmpeg();
    info.streams[0] = (struct media_stream){.index = 0, .kind = MEDIA_VIDEO};
    info.streams[1] = (struct media_stream){.index = 1, .kind = MEDIA_AUDIO};
    struct arrival_header *h = open_file("faststart.mp4", CONTAINER_MP4, NULL, -1);
    come_in(h, &found);
    assert_int_equal(arrival_header_packets(h, &info, &scan), RC_OK);
    assert_int_equal(scan.streams[0].packets, 50); /* two seconds at 25 */
    assert_int_equal(scan.streams[0].first_us, 0);
    assert_int_equal(scan.streams[0].end_us, 2000000);
    assert_true(scan.streams[1].end_us > 2250000);
    assert_int_equal(seek_points_open(&sp), RC_OK);
    assert_int_equal(arrival_header_keyframes(h, 0, sp), RC_OK);
    assert_int_equal(arrival_header_keyframes(h, 9, sp), RC_UNSUPPORTED);
    seek_points_free(sp);
    close_file(h);
}

static void an_index_at_the_end_is_hopeless_unless_it_is_sent_ahead(void **state)
{
    (void)state;
    enum header_state found;
    uint64_t begin, end;
    char index[PATH_MAX + 32];
    size_t n;
    int64_t offset, to;
    need_ffmpeg();
    struct arrival_header *h = open_file("plain.mp4", CONTAINER_MP4, NULL, -1);
    come_in(h, &found);
    assert_int_equal(found, HEADER_HOPELESS);
    assert_string_equal(arrival_header_reason(h), "its index comes at its end.");
    close_file(h);

    assert_true(mp4_find_box(path, "moov", &begin, &end));
    struct bytes moov = mp4_file_part(path, begin, end);
    snprintf(index, sizeof(index), "%s/index", mp4_dir);
    FILE *f = fopen(index, "wb");
    assert_int_equal(fwrite(moov.p, 1, moov.n, f), moov.n);
    assert_int_equal(fclose(f), 0);
    bytes_free(&moov);
    h = open_file("plain.mp4", CONTAINER_MP4, index, (int64_t)begin);
    int64_t at = come_in(h, &found);
    assert_int_equal(found, HEADER_KNOWN);
    assert_true(at < (int64_t)begin);
    const uint8_t *head = arrival_header_head(h, &n, &offset, &to);
    assert_non_null(head);
    assert_memory_equal(head + 4, "ftyp", 4);
    assert_true(n > end - begin);
    assert_true(offset > 0 && to <= (int64_t)begin);
    assert_reaches_all(h, at, 1);
    close_file(h);
}

static void an_index_that_makes_no_sense_is_hopeless(void **state)
{
    (void)state;
    enum header_state found;
    char index[PATH_MAX + 32];
    need_ffmpeg();
    snprintf(index, sizeof(index), "%s/nonsense", mp4_dir);
    FILE *f = fopen(index, "wb");
    for (int i = 0; i < 500; i++)
        fputc(i * 7 & 0xff, f);
    assert_int_equal(fclose(f), 0);
    struct arrival_header *h = open_file("plain.mp4", CONTAINER_MP4, index, 5000);
    come_in(h, &found);
    assert_int_equal(found, HEADER_HOPELESS);
    assert_string_equal(arrival_header_reason(h), "its index makes no sense.");
    close_file(h);
    h = open_file("plain.mp4", CONTAINER_MP4, "/nowhere/index", 5000);
    come_in(h, &found);
    assert_int_equal(found, HEADER_HOPELESS);
    close_file(h);
}

static void what_does_not_state_its_length_is_open(void **state)
{
    (void)state;
    static const struct {
        const char *recipe, *name;
        enum container container;
        int streams;
        int64_t start_us; /* of its timeline */
    } cases[] = {
        {TEN_S SOUND_TEN_S H264 " -c:a aac -movflags frag_keyframe+empty_moov"
                                " fragments.mp4",
         "fragments.mp4", CONTAINER_MP4, 2, 0},
        {TEN_S H264 " -output_ts_offset 1000 -movflags"
                    " frag_keyframe+empty_moov+frag_discont -use_editlist 0"
                    " -avoid_negative_ts disabled late.mp4",
         "late.mp4", CONTAINER_MP4, 1, 1000000000},
        {TEN_S H264 " -f matroska pipe:1 | cat > live.mkv", "live.mkv",
         CONTAINER_MATROSKA, 1, 0},
    };
    static struct packet_scan scan;
    struct media_info info = {.n_streams = 1, .duration_us = MEDIA_UNKNOWN};
    struct seek_points *sp;
    enum header_state found;
    need_ffmpeg();
    info.streams[0] = (struct media_stream){.index = 0, .kind = MEDIA_VIDEO};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        mp4_ffmpeg(cases[i].recipe);
        struct arrival_header *h =
            open_file(cases[i].name, cases[i].container, NULL, -1);
        int64_t at = come_in(h, &found);
        assert_int_equal(found, HEADER_KNOWN);
        assert_true(arrival_header_is_open(h));
        assert_true(at < size);
        int64_t start_us = arrival_header_start_us(h);
        assert_in_range(start_us - cases[i].start_us + 100000, 0, 200000);
        assert_in_range(arrival_header_reach_us(h, 0), 5000000, 8000000);
        assert_int_equal(arrival_header_packets(h, &info, &scan), RC_UNSUPPORTED);
        assert_int_equal(seek_points_open(&sp), RC_OK);
        assert_int_equal(arrival_header_keyframes(h, 0, sp), RC_UNSUPPORTED);
        seek_points_free(sp);
        for (int stream = 0; stream < cases[i].streams; stream++)
            assert_reaches_all(h, stream == 0 ? at : size, stream);
        close_file(h);
    }
}

/* Five seconds have to come before anything is promised of such a file. */
static void a_short_one_waits_for_its_end(void **state)
{
    (void)state;
    enum header_state found;
    need_ffmpeg();
    mp4_ffmpeg(PICTURE H264 " -movflags frag_keyframe+empty_moov short.mp4");
    struct arrival_header *h = open_file("short.mp4", CONTAINER_MP4, NULL, -1);
    assert_int_equal(come_in(h, &found), size);
    close_file(h);
}

static void a_matroska_file_is_known_by_its_head(void **state)
{
    (void)state;
    enum header_state found;
    struct media_info info = {.n_streams = 1, .start_us = 0, .duration_us = 3000000};
    static struct packet_scan scan;
    need_ffmpeg();
    info.streams[0] = (struct media_stream){.index = 0, .kind = MEDIA_VIDEO};
    mp4_ffmpeg(" -f lavfi -i testsrc2=s=128x96:r=25:d=3" H264 " clip.mkv");
    struct arrival_header *h = open_file("clip.mkv", CONTAINER_MATROSKA, NULL, -1);
    int64_t at = come_in(h, &found);
    assert_int_equal(found, HEADER_KNOWN);
    assert_true(at < size);
    assert_no_head(h);
    assert_int_equal(arrival_header_packets(h, &info, &scan), RC_OK);
    assert_int_equal(scan.streams[0].end_us, 3000000);
    info.duration_us = MEDIA_UNKNOWN;
    assert_int_equal(arrival_header_packets(h, &info, &scan), RC_UNSUPPORTED);
    assert_int_equal(arrival_header_read(h, size), HEADER_KNOWN);
    assert_true(arrival_header_reach_us(h, 0) > 2900000);
    close_file(h);
}

/* Thirty million bytes of elements of two: what was walked until then counts, and the
 * rest is walked in turns. */
static void a_walk_that_takes_long_leaves_others_their_turn(void **state)
{
    (void)state;
    enum header_state found;
    int turns = 1;
    need_ffmpeg();
    mp4_ffmpeg(TEN_S H264 " -f matroska pipe:1 | cat > voids.mkv;"
                          " head -c 15000000 /dev/zero | sed 's/\\x00/\\xec\\x80/g'"
                          " >> voids.mkv");
    struct arrival_header *h = open_file("voids.mkv", CONTAINER_MATROSKA, NULL, -1);
    come_in(h, &found);
    assert_int_equal(found, HEADER_KNOWN);
    assert_int_equal(arrival_header_read(h, size - 30000000), HEADER_KNOWN);
    assert_int_equal(arrival_header_read(h, size - 1), HEADER_KNOWN);
    assert_true(arrival_header_again_ms(h) >= 0);
    int64_t reach = arrival_header_reach_us(h, 0);
    assert_in_range(reach, 9000000, 10100000);
    while (arrival_header_again_ms(h) >= 0) {
        assert_int_equal(arrival_header_read(h, size - 1), HEADER_KNOWN);
        turns++;
    }
    assert_true(turns > 1);
    assert_int_equal(arrival_header_reach_us(h, 0), reach);
    close_file(h);
}

/* What nothing can be told of costs nothing. */
static void memory_is_that_of_the_index_while_it_is_of_use(void **state)
{
    (void)state;
    enum header_state found;
    need_ffmpeg();
    struct arrival_header *h = open_file("faststart.mp4", CONTAINER_MP4, NULL, -1);
    assert_int_equal(arrival_header_memory(h), 0);
    come_in(h, &found);
    assert_in_range(arrival_header_memory(h), 1000, 10000);
    close_file(h);
    h = open_file("plain.mp4", CONTAINER_MP4, NULL, -1);
    come_in(h, &found);
    assert_int_equal(found, HEADER_HOPELESS);
    assert_int_equal(arrival_header_memory(h), 0);
    assert_int_equal(arrival_header_again_ms(h), -1);
    close_file(h);
    assert_int_equal(arrival_header_memory(NULL), 0);
}

static void what_is_no_video_file_is_hopeless_or_never_known(void **state)
{
    (void)state;
    enum header_state found;
    need_ffmpeg();
    mp4_ffmpeg("-version >/dev/null; head -c 9000 /dev/zero > zeros.mp4");
    for (int i = 0; i < 2; i++) {
        struct arrival_header *h =
            open_file("zeros.mp4", i ? CONTAINER_MATROSKA : CONTAINER_MP4, NULL, -1);
        come_in(h, &found);
        assert_int_not_equal(found, HEADER_KNOWN);
        close_file(h);
    }
    arrival_header_close(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_index_that_comes_first_is_known_before_the_end),
        cmocka_unit_test(its_packets_and_keyframes_are_told),
        cmocka_unit_test(an_index_at_the_end_is_hopeless_unless_it_is_sent_ahead),
        cmocka_unit_test(an_index_that_makes_no_sense_is_hopeless),
        cmocka_unit_test(what_does_not_state_its_length_is_open),
        cmocka_unit_test(a_short_one_waits_for_its_end),
        cmocka_unit_test(a_matroska_file_is_known_by_its_head),
        cmocka_unit_test(a_walk_that_takes_long_leaves_others_their_turn),
        cmocka_unit_test(memory_is_that_of_the_index_while_it_is_of_use),
        cmocka_unit_test(what_is_no_video_file_is_hopeless_or_never_known),
    };
    return cmocka_run_group_tests_name("arrival_header", tests, mp4_files_make,
                                       mp4_files_remove);
}
