/* How far real Matroska files reach, against the packets that ffprobe finds. */
#include "mkv_fed.h"
#include "mp4_files.h"

#include <inttypes.h>

#define PACKETS_MAX 20000

static struct packet {
    int64_t us;
    uint64_t end;
    size_t stream;
} packets[PACKETS_MAX];
static size_t n_packets;

/* Every packet of video and sound; ffprobe's place and size leave out a few bytes. */
static void probe(const char *path)
{
    char command[2 * PATH_MAX], line[256];
    snprintf(command, sizeof(command),
             "ffprobe -v fatal -of compact=p=0:nk=1 -show_entries"
             " packet=stream_index,pts_time,size,pos 'file:%s'",
             path);
    FILE *f = popen(command, "r");
    assert_non_null(f);
    n_packets = 0;
    while (fgets(line, sizeof(line), f)) {
        struct packet *p = &packets[n_packets];
        double pts;
        uint64_t size, pos;
        if (sscanf(line, "%zu|%lf|%" SCNu64 "|%" SCNu64, &p->stream, &pts, &size,
                   &pos) != 4)
            continue;
        p->us = (int64_t)(pts * 1e6 + (pts < 0 ? -0.5 : 0.5));
        p->end = pos + size;
        n_packets++;
        assert_true(n_packets < PACKETS_MAX);
    }
    assert_int_equal(pclose(f), 0);
}

static int64_t reach_by_packets(uint64_t frontier)
{
    int64_t least = INT64_MAX;
    for (size_t i = 0; i < n_packets; i++)
        if (packets[i].end > frontier && packets[i].us < least &&
            packets[i].stream < walk.n_tracks &&
            walk.tracks[packets[i].stream].kind != MKV_OTHER)
            least = packets[i].us;
    return least;
}

static bool whole; /* the sizes are known, or the cluster is the least there is */

static void check_reach(const char *path)
{
    uint64_t size = mp4_file_size(path);
    file = mp4_file_part(path, 0, size);
    probe(path);
    mkv_walk_init(&walk, size);
    for (uint64_t frontier = 1000; frontier < size; frontier += size / 301 + 1) {
        enum rc rc = feed_until(frontier, 64);
        int64_t us = mkv_walk_reach(&walk, frontier), real = reach_by_packets(frontier);
        assert_true(rc == RC_OK || rc == RC_TRUNCATED);
        if (us == INT64_MIN || real == INT64_MAX)
            continue;
        if (us > real || (whole && us < real - 1500000))
            fail_msg("%s: %" PRId64 " and not %" PRId64 " at %" PRIu64, path, us, real,
                     frontier);
    }
    feed_until(size, 64);
    assert_true(walk.done);
    assert_true(walk.has_tracks);
    assert_true(mkv_walk_reach(&walk, size) == INT64_MAX);
    bytes_free(&file);
}

static void real_files_reach_as_far_as_their_packets(void **state)
{
    (void)state;
    static const char *const args[] = {
        PICTURE SOUND H264 " -c:a aac a.mkv",
        PICTURE SOUND H264 " -c:a aac -cluster_time_limit 300 b.mkv",
        PICTURE SOUND H264 " -c:a aac -live 1 c.mkv",
        PICTURE SOUND " -c:v libvpx -deadline realtime -c:a libopus d.webm",
        PICTURE SOUND " -c:v libvpx -deadline realtime -c:a libvorbis e.webm",
        PICTURE SOUND " -c:v libvpx -deadline realtime -c:a libopus -live 1 f.webm",
    };
    if (!mp4_have_ffmpeg())
        skip();
    whole = true;
    for (size_t i = 0; i < sizeof(args) / sizeof(args[0]); i++) {
        char path[PATH_MAX + 64];
        mp4_ffmpeg(args[i]);
        snprintf(path, sizeof(path), "%s/%s", mp4_dir, strrchr(args[i], ' ') + 1);
        check_reach(path);
    }
}

static void real_clips_never_reach_further_than_they_do(void **state)
{
    (void)state;
    const char *corpus = getenv("DROPSTREAM_CORPUS");
    if (!corpus || !*corpus || !mp4_have_ffmpeg())
        skip();
    whole = false;
    assert_true(files_each(corpus, "mkv", check_reach) +
                    files_each(corpus, "webm", check_reach) >
                0);
}

#define TEST(name) cmocka_unit_test_teardown(name, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(real_files_reach_as_far_as_their_packets),
        TEST(real_clips_never_reach_further_than_they_do),
    };
    return cmocka_run_group_tests_name("mkv_real", tests, mp4_files_none,
                                       mp4_files_remove);
}
