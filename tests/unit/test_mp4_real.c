/* What the index of real files says, against what ffprobe finds in all of their
 * packets. */
#include "mp4_files.h"

#include "mp4_index.h"
#include "packet_scan.h"

#include <inttypes.h>

#define KEYS_MAX 100000

/* Of what ffprobe lists of one file. */
static struct {
    int64_t start_us;
    struct packet_scan scan;
    struct {
        int stream;
        int64_t pts, dts;
    } keys[KEYS_MAX];
    size_t n;
} probed;

static void note_packet(char *line)
{
    char *save = NULL;
    const char *stream = strtok_r(line, "|", &save);
    int64_t pts = media_time_us(strtok_r(NULL, "|", &save));
    int64_t dts = media_time_us(strtok_r(NULL, "|", &save));
    strtok_r(NULL, "|", &save);
    const char *flags = strtok_r(NULL, "|\n", &save);
    if (!flags || !strchr(flags, 'K') || strchr(flags, 'D') || pts == MEDIA_UNKNOWN)
        return;
    assert_true(probed.n < KEYS_MAX);
    probed.keys[probed.n].stream = atoi(stream);
    probed.keys[probed.n].pts = pts;
    probed.keys[probed.n++].dts = dts;
}

static void probe(const char *path)
{
    char command[2 * PATH_MAX], line[512];
    snprintf(
        command, sizeof(command),
        "ffprobe -v fatal -of compact=p=0:nk=1 -show_entries"
        " packet=stream_index,pts_time,dts_time,duration_time,flags:format=start_time"
        " 'file:%s'",
        path);
    FILE *f = popen(command, "r");
    assert_non_null(f);
    memset(&probed, 0, sizeof(probed));
    probed.start_us = MEDIA_UNKNOWN;
    packet_scan_init(&probed.scan);
    while (fgets(line, sizeof(line), f)) {
        if (!strchr(line, '|')) { /* of the file, after all packets */
            line[strcspn(line, "\n")] = '\0';
            probed.start_us = media_time_us(line);
            continue;
        }
        packet_scan_feed(&probed.scan, line, strlen(line));
        note_packet(line);
    }
    assert_int_equal(pclose(f), 0);
}

/* Of two times that are rounded in different ways, or of a track's last picture. */
static void assert_near(int64_t a, int64_t b, int64_t by, const char *path,
                        size_t track)
{
    if (a - b > by || b - a > by)
        fail_msg("%s, track %zu: %" PRId64 " and not %" PRId64, path, track, a, b);
}

struct wanted {
    const char *path;
    size_t track, next;
};

static enum rc check_key(void *arg, int64_t pts_us, int64_t dts_us)
{
    struct wanted *w = arg;
    while (w->next < probed.n && probed.keys[w->next].stream != (int)w->track)
        w->next++;
    assert_true(w->next < probed.n);
    assert_near(pts_us, probed.keys[w->next].pts, 1, w->path, w->track);
    /* In a few files ffprobe makes up decode times of its own. */
    if (probed.keys[w->next].dts != MEDIA_UNKNOWN)
        assert_near(dts_us, probed.keys[w->next].dts, 1, w->path, w->track);
    w->next++;
    return RC_OK;
}

static void check_track(const struct mp4_index *index, size_t i, const char *path)
{
    const struct mp4_track *t = mp4_index_track(index, i);
    const struct packet_stream *s = &probed.scan.streams[i];
    struct wanted w = {.path = path, .track = i};
    if (t->kind == MP4_OTHER)
        return;
    assert_near(t->packets, s->packets, 0, path, i);
    assert_near(t->first_us, s->first_us, 1, path, i);
    assert_near(t->last_us, s->last_us, 1, path, i);
    assert_near(t->end_us, s->end_us, 1000, path, i);
    assert_int_equal(mp4_index_keyframes(index, i, check_key, &w), RC_OK);
    for (; w.next < probed.n; w.next++)
        assert_true(probed.keys[w.next].stream != (int)i);
}

static void check_index(const char *path, const struct bytes *moov)
{
    const struct mp4_index_limits limits = {mp4_file_size(path), 1000000};
    struct mp4_index *index;
    assert_int_equal(mp4_index_open(moov->p, moov->n, &limits, &index), RC_OK);
    if (!mp4_index_fragmented(index)) {
        probe(path);
        for (size_t i = 0; i < mp4_index_tracks(index); i++)
            check_track(index, i, path);
        assert_near(mp4_index_first_us(index), probed.start_us, 1, path, 0);
    }
    mp4_index_close(index);
}

static void check_file(const char *path)
{
    uint64_t begin, end;
    assert_true(mp4_find_box(path, "moov", &begin, &end));
    struct bytes moov = mp4_file_part(path, begin, end);
    check_index(path, &moov);
    bytes_free(&moov);
}

static void an_index_says_what_ffprobe_finds(void **state)
{
    (void)state;
    if (!mp4_have_ffmpeg())
        skip();
    assert_true(mp4_each(check_file) >= 10);
}

/* ---- edits that ffmpeg does not write --------------------------------------- */

struct edit {
    uint32_t ms;
    int32_t media;
};

/* A few edits in which each track is cut, delayed, repeated or goes beyond its end. */
static const struct edit edit_lists[][3] = {
    {{900, 12800}, {400, 0}},
    {{700, -1}, {1000, 7000}, {500, 20000}},
    {{1100, 30000}, {300, 29000}},
    {{250, 512}, {250, 11000}, {250, 21000}},
    {{5000, 1024}},
    {{300, -1}, {200, -1}, {600, 15000}},
    {{1000, 22528}, {1000, 0}, {10, 0}},
};

static void add_edits(struct bytes *out, const struct edit *edits)
{
    size_t edts = box_open(out, "edts"), elst = box_open(out, "elst");
    size_t n = 0;
    while (n < 3 && edits[n].ms > 0)
        n++;
    bytes_number(out, n, 8);
    for (size_t i = 0; i < n; i++) {
        bytes_number(out, edits[i].ms, 4);
        bytes_number(out, (uint32_t)edits[i].media, 4);
        bytes_number(out, 0x10000, 4);
    }
    box_close(out, elst);
    box_close(out, edts);
}

/* moov with other edits in each of its tracks. */
static struct bytes edited(const struct bytes *moov, const struct edit *edits)
{
    struct bytes out = {0};
    struct bmff_iter it = bmff_iter(moov->p + 8, moov->n - 8);
    struct bmff_box box, child;
    size_t at = box_open(&out, "moov");
    while (bmff_next(&it, &box) == RC_OK) {
        if (box.type != BOX("trak")) {
            bytes_add(&out, box.start, box.body_size + 8);
            continue;
        }
        size_t trak = box_open(&out, "trak");
        struct bmff_iter children = bmff_children(&box, 0);
        add_edits(&out, edits);
        while (bmff_next(&children, &child) == RC_OK)
            if (child.type != BOX("edts"))
                bytes_add(&out, child.start, child.body_size + 8);
        box_close(&out, trak);
    }
    box_close(&out, at);
    return out;
}

static void check_edited(const char *source, const struct edit *edits)
{
    char from[PATH_MAX + 32], path[PATH_MAX + 32];
    uint64_t begin, end;
    snprintf(from, sizeof(from), "%s/%s", mp4_dir, source);
    snprintf(path, sizeof(path), "%s/edited.tmp", mp4_dir);
    assert_true(mp4_find_box(from, "moov", &begin, &end));
    assert_int_equal(end, mp4_file_size(from)); /* so that no chunk moves */
    struct bytes before = mp4_file_part(from, 0, begin);
    struct bytes moov = mp4_file_part(from, begin, end);
    struct bytes other = edited(&moov, edits);
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(before.p, 1, before.n, f), before.n);
    assert_int_equal(fwrite(other.p, 1, other.n, f), other.n);
    fclose(f);
    check_index(path, &other);
    bytes_free(&before);
    bytes_free(&moov);
    bytes_free(&other);
}

static void edits_are_applied_as_ffmpeg_does(void **state)
{
    (void)state;
    if (!mp4_have_ffmpeg())
        skip();
    for (size_t i = 0; i < sizeof(edit_lists) / sizeof(edit_lists[0]); i++) {
        check_edited("plain.mp4", edit_lists[i]);
        check_edited("negative.mp4", edit_lists[i]);
    }
}

/* ---- how far it reaches ----------------------------------------------------- */

/* ffprobe reads what is there of a cut file, which has its index at the beginning. */
static void a_cut_file_holds_what_it_is_said_to_reach(void **state)
{
    (void)state;
    char path[PATH_MAX + 32], command[3 * PATH_MAX];
    uint64_t begin, end, size;
    struct mp4_index *index;
    if (!mp4_have_ffmpeg())
        skip();
    snprintf(path, sizeof(path), "%s/faststart.mp4", mp4_dir);
    size = mp4_file_size(path);
    assert_true(mp4_find_box(path, "moov", &begin, &end));
    struct bytes moov = mp4_file_part(path, begin, end);
    const struct mp4_index_limits limits = {size, 1000000};
    assert_int_equal(mp4_index_open(moov.p, moov.n, &limits, &index), RC_OK);
    int64_t whole = mp4_index_track(index, 0)->packets;

    for (uint64_t at = end; at < size; at += (size - end) / 5) {
        int64_t us = mp4_index_reach(index, 0, at);
        if (us == INT64_MAX)
            break; /* only sound is left */
        snprintf(command, sizeof(command), "head -c %" PRIu64 " %s > %s/cut.tmp", at,
                 path, mp4_dir);
        assert_int_equal(system(command), 0);
        snprintf(command, sizeof(command), "%s/cut.tmp", mp4_dir);
        probe(command);
        int64_t packets = probed.scan.streams[0].packets;
        assert_true(packets < whole);
        /* 25 pictures a second, of which those before it are there. */
        assert_true(packets >= us / 40000);
        assert_true(packets <= us / 40000 + 5);
    }
    assert_true(mp4_index_reach(index, 0, size) == INT64_MAX);
    mp4_index_close(index);
    bytes_free(&moov);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_index_says_what_ffprobe_finds),
        cmocka_unit_test(edits_are_applied_as_ffmpeg_does),
        cmocka_unit_test(a_cut_file_holds_what_it_is_said_to_reach),
    };
    return cmocka_run_group_tests_name("mp4_real", tests, mp4_files_make,
                                       mp4_files_remove);
}
