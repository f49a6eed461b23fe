/* Up to which time a fragmented file can be shown, box by box and by ffprobe. */
#include "mp4_build.h"
#include "mp4_files.h"

#include "mp4_frag.h"
#include "mp4_time.h"

#include <inttypes.h>
#include <unistd.h>

static struct bytes file;
static struct mp4_frag *frag;

static int teardown(void **state)
{
    mp4_frag_close(frag);
    frag = NULL;
    bytes_free(&file);
    return close_index(state);
}

/* ---- fragments built by hand ------------------------------------------------ */

/* A fragment of one track: its samples have one size. */
struct shape {
    uint32_t id;
    int64_t dts; /* -1: not stated */
    size_t n;
    const uint32_t *offsets; /* n of them; NULL: none */
    uint32_t duration, size; /* 0: those of trex */
    bool base;               /* the offset of the file is stated, not of the moof */
};

static void add_traf(const struct shape *s, size_t moof, size_t media)
{
    size_t traf = box_open(&file, "traf"), at = box_open(&file, "tfhd");
    bytes_number(&file,
                 (s->base ? 0x1 : 0x20000) | (s->duration ? 8 : 0) | (s->size ? 16 : 0),
                 4);
    bytes_number(&file, s->id, 4);
    if (s->base)
        bytes_number(&file, moof, 8);
    if (s->duration)
        bytes_number(&file, s->duration, 4);
    if (s->size)
        bytes_number(&file, s->size, 4);
    box_close(&file, at);
    if (s->dts >= 0) {
        at = box_open(&file, "tfdt");
        bytes_number(&file, 1 << 24, 4);
        bytes_number(&file, (uint64_t)s->dts, 8);
        box_close(&file, at);
    }
    at = box_open(&file, "trun");
    bytes_number(&file, 0x01000001 | (s->offsets ? 0x800 : 0), 4);
    bytes_number(&file, s->n, 4);
    bytes_number(&file, media - moof, 4);
    for (size_t i = 0; s->offsets && i < s->n; i++)
        bytes_number(&file, s->offsets[i], 4);
    box_close(&file, at);
    box_close(&file, traf);
}

/* moof and mdat of some tracks, whose media lie one after another. */
static void add_fragment(const struct shape *shapes, size_t n)
{
    size_t begin = file.n, media = 0, total = 0;
    for (int round = 0; round < 2; round++) { /* the second knows how long moof is */
        size_t moof, at;
        file.n = begin;
        moof = box_open(&file, "moof");
        box_filled(&file, "mfhd", 0, 8);
        at = media;
        total = 0;
        for (size_t i = 0; i < n; i++) {
            add_traf(&shapes[i], begin, at + total);
            total += shapes[i].n * (shapes[i].size ? shapes[i].size : 10);
        }
        box_close(&file, moof);
        media = file.n + 8;
    }
    box_filled(&file, "mdat", 'm', total);
}

/* The index of two tracks without samples; trex: 40 ticks and 10 bytes a sample. */
static void add_moov(const struct list *edits)
{
    struct trak traks[] = {
        {.id = 1, .handler = "vide", .format = "avc1", .timescale = 1000},
        {.id = 7,
         .handler = "soun",
         .format = "mp4a",
         .channels = 2,
         .timescale = 48000},
        {.id = 9, .handler = "meta", .format = "mebx"},
    };
    if (edits)
        traks[0].edits = *edits;
    build_moov(&moov, traks, 3);
    size_t mvex = box_open(&moov, "mvex");
    for (uint32_t id = 1; id <= 7; id += 6) {
        size_t trex = box_open(&moov, "trex");
        bytes_number(&moov, 0, 4);
        bytes_number(&moov, id, 4);
        bytes_number(&moov, 1, 4);
        bytes_number(&moov, id == 1 ? 40 : 1024, 4);
        bytes_number(&moov, 10, 4);
        bytes_number(&moov, 0, 4);
        box_close(&moov, trex);
    }
    box_close(&moov, mvex);
    box_put_size(&moov, 0, moov.n);
}

static enum rc begin(uint64_t file_size)
{
    const struct mp4_index_limits limits = {MP4_SIZE_UNKNOWN, 1000};
    if (moov.n == 0)
        add_moov(NULL);
    if (!opened)
        assert_int_equal(mp4_index_open(moov.p, moov.n, &limits, &opened), RC_OK);
    mp4_frag_close(frag);
    frag = NULL;
    return mp4_frag_open(opened, moov.p, moov.n, 0, file_size, &frag);
}

/* Offers all that it asks for and that lies before frontier. */
static enum rc feed_until(uint64_t frontier)
{
    uint64_t at;
    size_t n;
    enum rc rc = RC_OK;
    while (rc == RC_OK && mp4_frag_wants(frag, &at, &n) && at < frontier) {
        if (frontier - at < n)
            n = (size_t)(frontier - at);
        uint8_t *copy = malloc(n);
        assert_non_null(copy);
        memcpy(copy, file.p + at, n);
        rc = mp4_frag_feed(frag, copy, n);
        free(copy);
    }
    return rc;
}

static int64_t reach_ms(size_t track, uint64_t frontier)
{
    int64_t us = mp4_frag_reach(frag, track, frontier);
    return us == INT64_MAX || us == INT64_MIN ? us : us / 1000;
}

static void a_fragment_is_there_sample_by_sample(void **state)
{
    (void)state;
    static const uint32_t offsets[] = {40, 120, 0, 0, 80};
    const struct shape s = {.id = 1, .dts = 1000, .n = 5, .offsets = offsets};
    add_fragment(&s, 1);
    size_t media = file.n - 50;
    assert_int_equal(begin(MP4_SIZE_UNKNOWN), RC_OK);
    assert_int_equal(reach_ms(0, 0), INT64_MIN);
    assert_int_equal(feed_until(file.n), RC_OK);
    assert_int_equal(reach_ms(0, 0), 1040);
    assert_int_equal(reach_ms(0, media + 9), 1040);
    assert_int_equal(reach_ms(0, media + 10), 1080);
    assert_int_equal(reach_ms(0, media + 29), 1080);
    assert_int_equal(reach_ms(0, media + 30), 1120);
    assert_int_equal(reach_ms(0, media + 40),
                     1200); /* 1240, but what comes may be less */
    assert_int_equal(reach_ms(0, media + 50), 1200);
    assert_int_equal(reach_ms(1, UINT64_MAX), INT64_MIN);
    assert_int_equal(reach_ms(2, UINT64_MAX), INT64_MIN);
}

static void what_is_not_stated_is_taken_from_before(void **state)
{
    (void)state;
    const struct shape first = {.id = 1, .dts = -1, .n = 5};
    const struct shape other = {
        .id = 1, .dts = -1, .n = 3, .duration = 100, .size = 7, .base = true};
    add_fragment(&first, 1);
    size_t middle = file.n;
    add_fragment(&other, 1);
    assert_int_equal(begin(MP4_SIZE_UNKNOWN), RC_OK);
    assert_int_equal(feed_until(middle), RC_OK);
    assert_int_equal(reach_ms(0, middle - 1), 160);
    assert_int_equal(reach_ms(0, middle), 200);
    assert_int_equal(feed_until(file.n), RC_OK);
    assert_int_equal(reach_ms(0, file.n - 1), 400);
    assert_int_equal(reach_ms(0, file.n - 8), 300);
    assert_int_equal(reach_ms(0, file.n), 500);
}

static void tracks_of_one_fragment_are_told_apart(void **state)
{
    (void)state;
    const struct shape shapes[] = {
        {.id = 1, .dts = 0, .n = 2},
        {.id = 33, .dts = 5, .n = 1}, /* no such track */
        {.id = 9, .dts = 5, .n = 1},  /* neither video nor sound */
        {.id = 7, .dts = 48000, .n = 2},
    };
    add_fragment(shapes, 4);
    assert_int_equal(begin(MP4_SIZE_UNKNOWN), RC_OK);
    assert_int_equal(feed_until(file.n), RC_OK);
    assert_int_equal(reach_ms(0, file.n - 41), 40);
    assert_int_equal(reach_ms(1, file.n - 41), 1000);
    assert_int_equal(reach_ms(0, file.n - 40), 80);
    assert_int_equal(reach_ms(1, file.n - 1), 1021);
    assert_int_equal(reach_ms(1, file.n), 1042);
}

static void a_file_of_known_size_comes_to_its_end(void **state)
{
    (void)state;
    const struct shape s = {.id = 1, .dts = 0, .n = 2};
    add_fragment(&s, 1);
    assert_int_equal(begin(file.n), RC_OK);
    assert_int_equal(feed_until(file.n - 1), RC_OK);
    assert_int_equal(reach_ms(0, file.n - 1), 40);
    assert_int_equal(reach_ms(0, file.n), INT64_MAX);
    assert_int_equal(reach_ms(1, file.n), INT64_MAX);
    uint64_t at;
    size_t n;
    assert_false(mp4_frag_wants(frag, &at, &n));
}

/* As ffmpeg has it: what an edit leaves out is taken off, and offsets below 0 move all.
 */
static void times_are_on_the_clock_of_ffmpeg(void **state)
{
    (void)state;
    static const uint32_t offsets[] = {0, 80, -40u, -40u};
    const struct shape s = {.id = 1, .dts = 1000, .n = 4, .offsets = offsets};
    const struct list edits = LIST(500, -1u, 0x10000, 0, 80, 0x10000);
    add_moov(&edits);
    add_fragment(&s, 1);
    assert_int_equal(begin(MP4_SIZE_UNKNOWN), RC_OK);
    assert_int_equal(feed_until(file.n), RC_OK);
    assert_int_equal(reach_ms(0, 0), 1000 + 500 - 80 + 40);
    assert_int_equal(reach_ms(0, file.n - 1), 1000 + 500 - 80 + 120);
}

static void only_headers_and_moof_boxes_are_asked_for(void **state)
{
    (void)state;
    const struct shape s = {.id = 1, .dts = 0, .n = 2};
    uint64_t at;
    size_t n;
    box_filled(&file, "sidx", 0, 100);
    size_t moof = file.n;
    add_fragment(&s, 1);
    size_t mdat = file.n - 28;
    assert_int_equal(begin(MP4_SIZE_UNKNOWN), RC_OK);
    assert_true(mp4_frag_wants(frag, &at, &n));
    assert_int_equal(at, 0);
    assert_int_equal(mp4_frag_feed(frag, file.p, 7), RC_TRUNCATED);
    assert_int_equal(mp4_frag_feed(frag, file.p, 16), RC_OK);
    assert_true(mp4_frag_wants(frag, &at, &n));
    assert_int_equal(at, moof);
    assert_int_equal(mp4_frag_feed(frag, file.p + at, 16), RC_OK);
    assert_true(mp4_frag_wants(frag, &at, &n));
    assert_int_equal(at, moof);
    assert_int_equal(n, mdat - moof);
    assert_int_equal(mp4_frag_feed(frag, file.p + at, n - 1), RC_TRUNCATED);
    assert_int_equal(reach_ms(0, UINT64_MAX), INT64_MIN);
    assert_int_equal(mp4_frag_feed(frag, file.p + at, n + 8), RC_OK);
    assert_true(mp4_frag_wants(frag, &at, &n));
    assert_int_equal(at, file.n);
}

/* ---- what is refused -------------------------------------------------------- */

static void a_file_without_fragments_is_not_walked(void **state)
{
    (void)state;
    build_moov(&moov, &plain_video, 1);
    assert_int_equal(begin(MP4_SIZE_UNKNOWN), RC_UNSUPPORTED);
    assert_null(frag);
}

/* Where something is wrong, what was said before stays true. */
static void what_cannot_be_changes_nothing(void **state)
{
    (void)state;
    const struct shape good = {.id = 1, .dts = 0, .n = 2};
    static const struct shape bad[] = {
        {.id = 1, .dts = INT64_MAX, .n = 1},
        {.id = 1, .dts = INT64_C(1000000000000), .n = 1, .duration = 1},
        {.id = 1, .dts = 80, .n = 0x7fffffff},
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        bytes_free(&file);
        add_fragment(&good, 1);
        size_t first = file.n;
        struct shape s = bad[i];
        size_t n = s.n;
        s.n = n < 100 ? n : 1;
        add_fragment(&s, 1);
        if (n >= 100) /* the count in trun */
            file.p[file.n - 18 - 8] = 0x7f;
        assert_int_equal(begin(MP4_SIZE_UNKNOWN), RC_OK);
        assert_int_equal(feed_until(file.n), n < 100 ? RC_INVALID : RC_TOO_LARGE);
        assert_int_equal(reach_ms(0, first), 80);
    }
}

static void a_moof_box_of_too_many_bytes_is_refused(void **state)
{
    (void)state;
    box_filled(&file, "moof", 0, 100);
    box_put_size(&file, 0, MP4_MOOF_MAX + 8);
    assert_int_equal(begin(MP4_SIZE_UNKNOWN), RC_OK);
    assert_int_equal(feed_until(16), RC_TOO_LARGE);
    box_put_size(&file, 0, 0);
    assert_int_equal(begin(MP4_SIZE_UNKNOWN), RC_OK);
    assert_int_equal(feed_until(16), RC_INVALID);
    box_put_size(&file, 0, 200);
    assert_int_equal(begin(file.n), RC_OK); /* longer than the file */
    assert_int_equal(feed_until(16), RC_INVALID);
}

static void media_behind_the_next_fragment_are_not_followed(void **state)
{
    (void)state;
    const struct shape s = {.id = 1, .dts = 0, .n = 2, .size = 1000};
    add_fragment(&s, 1);
    file.n -= 2000 - 10; /* the next fragment begins within the media of this one */
    size_t mdat = file.n - 18;
    box_put_size(&file, mdat, 18);
    add_fragment(&s, 1);
    assert_int_equal(begin(MP4_SIZE_UNKNOWN), RC_OK);
    assert_int_equal(feed_until(file.n), RC_UNSUPPORTED);
}

static void no_byte_can_make_it_read_elsewhere(void **state)
{
    (void)state;
    static const uint32_t offsets[] = {0, 80, -40u};
    const struct shape shapes[] = {
        {.id = 1, .dts = 50, .n = 3, .offsets = offsets, .duration = 30, .size = 5},
        {.id = 7, .dts = -1, .n = 2, .base = true},
    };
    size_t refused = 0;
    add_fragment(shapes, 2);
    add_fragment(shapes, 2);
    for (size_t i = 0; i < 3 * file.n; i++) {
        uint8_t old = file.p[i / 3];
        file.p[i / 3] = i % 3 == 0 ? 0 : i % 3 == 1 ? 0xff : old ^ 0x81;
        assert_int_equal(begin(file.n), RC_OK);
        refused += feed_until(file.n) != RC_OK;
        for (size_t track = 0; track < 3; track++)
            mp4_frag_reach(frag, track, i);
        file.p[i / 3] = old;
    }
    assert_in_range(refused, 100, 3 * file.n);
}

/* ---- real files ------------------------------------------------------------- */

#define PACKETS_MAX 4096

static struct packet {
    int64_t us;
    uint64_t end;
} packets[2][PACKETS_MAX];
static size_t n_packets[2];

static void probe(const char *path)
{
    char command[2 * PATH_MAX], line[256];
    snprintf(command, sizeof(command),
             "ffprobe -v fatal -of compact=p=0:nk=1 -show_entries"
             " packet=stream_index,pts_time,size,pos %s",
             path);
    FILE *f = popen(command, "r");
    assert_non_null(f);
    n_packets[0] = n_packets[1] = 0;
    while (fgets(line, sizeof(line), f)) {
        int stream;
        double pts;
        uint64_t size, pos;
        if (sscanf(line, "%d|%lf|%" SCNu64 "|%" SCNu64, &stream, &pts, &size, &pos) !=
            4)
            continue;
        assert_in_range(stream, 0, 1);
        assert_true(n_packets[stream] < PACKETS_MAX);
        packets[stream][n_packets[stream]++] =
            (struct packet){(int64_t)(pts * 1e6 + (pts < 0 ? -0.5 : 0.5)), pos + size};
    }
    assert_int_equal(pclose(f), 0);
}

/* From the packets: the least time that is not complete. */
static int64_t reach_by_packets(size_t stream, uint64_t frontier)
{
    int64_t least = INT64_MAX;
    bool open = false;
    for (size_t i = 0; i < n_packets[stream]; i++) {
        open |= packets[stream][i].end > frontier;
        if (open && packets[stream][i].us < least)
            least = packets[stream][i].us;
    }
    return least;
}

/* Never more than is there, and not much less. */
static void check_reach(const char *path, size_t step)
{
    uint64_t at, end, size = mp4_file_size(path);
    const struct mp4_index_limits limits = {size, 10000};
    assert_true(mp4_find_box(path, "moov", &at, &end));
    moov = mp4_file_part(path, at, end);
    file = mp4_file_part(path, 0, size);
    assert_int_equal(mp4_index_open(moov.p, moov.n, &limits, &opened), RC_OK);
    assert_true(mp4_index_fragmented(opened));
    assert_int_equal(mp4_frag_open(opened, moov.p, moov.n, end, size, &frag), RC_OK);
    probe(path);
    for (uint64_t frontier = end; frontier < size; frontier += step) {
        enum rc rc = feed_until(frontier);
        assert_true(rc == RC_OK || rc == RC_TRUNCATED);
        for (size_t track = 0; track < mp4_index_tracks(opened); track++) {
            int64_t us = mp4_frag_reach(frag, track, frontier);
            int64_t real = reach_by_packets(track, frontier);
            if (us == INT64_MIN)
                assert_in_range(real + 200000, 0, 400000);
            else if (real < INT64_MAX && (us > real + 1 || us < real - 200000))
                fail_msg("%s, track %zu: %" PRId64 " and not %" PRId64 " at %" PRIu64,
                         path, track, us, real, frontier);
        }
    }
    assert_int_equal(feed_until(size), RC_OK);
    assert_true(mp4_frag_reach(frag, 0, size) == INT64_MAX);
    for (size_t track = 0; track < mp4_index_tracks(opened); track++) {
        int64_t first = reach_by_packets(track, 0);
        assert_in_range(mp4_frag_first_us(frag, track) - first + 1, 0, 2);
    }
    teardown(NULL);
}

static void real_files_reach_as_far_as_their_packets(void **state)
{
    (void)state;
    static const char *const flags[] = {
        "frag_keyframe+empty_moov",
        "frag_keyframe+empty_moov+default_base_moof+negative_cts_offsets",
        "frag_keyframe+empty_moov+separate_moof",
        "frag_keyframe+empty_moov+delay_moov+global_sidx",
        "dash+delay_moov -frag_duration 300000",
    };
    char args[1024], path[PATH_MAX + 32];
    if (!mp4_have_ffmpeg())
        skip();
    snprintf(path, sizeof(path), "%s/fragmented.tmp", mp4_dir);
    mp4_ffmpeg(mp4_recipes[0]);
    for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++) {
        snprintf(args, sizeof(args),
                 "-i plain.mp4 -c copy -movflags %s -f mp4 fragmented.tmp", flags[i]);
        mp4_ffmpeg(args);
        check_reach(path, 97);
    }
    const char *corpus = getenv("DROPSTREAM_CORPUS");
    snprintf(path, sizeof(path), "%s/media3__sample_fragmented.mp4",
             corpus ? corpus : "");
    if (access(path, R_OK) == 0)
        check_reach(path, 301);
}

#define TEST(name) cmocka_unit_test_teardown(name, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_fragment_is_there_sample_by_sample),
        TEST(what_is_not_stated_is_taken_from_before),
        TEST(tracks_of_one_fragment_are_told_apart),
        TEST(a_file_of_known_size_comes_to_its_end),
        TEST(times_are_on_the_clock_of_ffmpeg),
        TEST(only_headers_and_moof_boxes_are_asked_for),
        TEST(a_file_without_fragments_is_not_walked),
        TEST(what_cannot_be_changes_nothing),
        TEST(a_moof_box_of_too_many_bytes_is_refused),
        TEST(media_behind_the_next_fragment_are_not_followed),
        TEST(no_byte_can_make_it_read_elsewhere),
        TEST(real_files_reach_as_far_as_their_packets),
    };
    return cmocka_run_group_tests_name("mp4_frag", tests, mp4_files_none,
                                       mp4_files_remove);
}
