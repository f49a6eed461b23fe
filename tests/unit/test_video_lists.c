/* The playlists of a video follow what the store says, whoever has changed it. */
#include "cutter_stream.h"
#include "feed_fixture.h"

#include "mediadir.h"
#include "playlists.h"
#include "store_lists.h"
#include "sweep.h"
#include "video_lists.h"

#include <dirent.h>
#include <pthread.h>
#include <sqlite3.h>
#include <sys/syscall.h>

static pthread_mutex_t disk = PTHREAD_MUTEX_INITIALIZER; /* held: syncs take for ever */

int fsync(int fd)
{
    pthread_mutex_lock(&disk);
    pthread_mutex_unlock(&disk);
    return (int)syscall(SYS_fsync, fd);
}

static void (*before_mkdir)(void); /* done once; NULL: nothing */

int mkdirat(int dir, const char *name, mode_t mode)
{
    void (*now)(void) = before_mkdir;
    before_mkdir = NULL;
    if (now)
        now();
    return (int)syscall(SYS_mkdirat, dir, name, mode);
}

static char folder[2 * PATH_MAX]; /* of the video, below the site's */

static struct rendition picture(const char *name, int width, int height, bool extra)
{
    struct rendition r = {.kind = RENDITION_VIDEO,
                          .generation = 1,
                          .width = width,
                          .height = height,
                          .bitrate = 800000,
                          .codecs = "avc1.42c01e",
                          .rate_num = 25,
                          .rate_den = 1,
                          .gop = 50,
                          .frames = 150,
                          .segments = 3,
                          .extra = extra};
    snprintf(r.name, sizeof(r.name), "%s", name);
    return r;
}

/* A stored video with a first rendition and one rung. */
static void plan(void)
{
    struct video_plan plan = {.duration_us = 6000000,
                              .rate_num = 25,
                              .rate_den = 1,
                              .renditions = {picture("360p", 640, 360, false),
                                             picture("720p", 1280, 720, true)},
                              .n_renditions = 2};
    store_planned(&plan);
}

static int planned(void **state)
{
    setup(state);
    plan();
    snprintf(folder, sizeof(folder), "htdocs/media/%s", video.media_root);
    return 0;
}

static const char *content(const char *name)
{
    static char text[4096];
    char path[PATH_MAX], at_name[3 * PATH_MAX];
    snprintf(at_name, sizeof(at_name), "%s/%s", folder, name);
    at(path, at_name);
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    text[fread(text, 1, sizeof(text) - 1, file)] = '\0';
    fclose(file);
    return text;
}

static ino_t inode(const char *name)
{
    char path[PATH_MAX], at_name[3 * PATH_MAX];
    struct stat st;
    snprintf(at_name, sizeof(at_name), "%s/%s", folder, name);
    at(path, at_name);
    assert_int_equal(stat(path, &st), 0);
    return st.st_ino;
}

static const struct stream_shape shape = {.timescale = 25, .tfdt_version = 1};

/* A segment's worth of pictures that have nothing in them. */
static void add_segment(struct bytes *b, int k)
{
    size_t moof = box_open(b, "moof"), traf = box_open(b, "traf");
    stream_tfdt(b, &shape, (uint64_t)k * 50, MOOF_FINE);
    stream_trun(b, &shape, 50, MOOF_FINE);
    box_close(b, traf);
    box_close(b, moof);
    box_filled(b, "mdat", 'x', 8);
}

/* Every file of a rendition. */
static void put_segments(const char *rendition)
{
    char name[3 * PATH_MAX], path[PATH_MAX];
    snprintf(name, sizeof(name), "%s/%s", folder, rendition);
    at(path, name);
    mkdir(path, 0755);
    for (int k = -1; k < 3; k++) {
        struct bytes b = {.n = 0};
        if (k >= 0) {
            add_segment(&b, k);
        } else {
            box_filled(&b, "ftyp", 'f', 8);
            stream_moov(&b, &shape, MOOV_FINE);
        }
        snprintf(name, sizeof(name), "%s/%s/%d.m4s", folder, rendition, k);
        if (k < 0)
            snprintf(name, sizeof(name), "%s/%s/init.mp4", folder, rendition);
        put_file(name, b.p, b.n, 0644);
        bytes_free(&b);
    }
}

static void change(const char *sql)
{
    sqlite3 *db;
    assert_int_equal(sqlite3_open(f->path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
}

/* What another worker's commit changes, just before this one's. */
static void meanwhile(const char *sql)
{
    char *trigger = sqlite3_mprintf("CREATE TRIGGER meanwhile AFTER UPDATE OF done ON"
                                    " renditions WHEN new.name = '360p' AND new.done ="
                                    " new.segments AND new.ready IS NULL BEGIN %s; END",
                                    sql);
    change(trigger);
    sqlite3_free(trigger);
}

static void what_the_store_says_is_listed(void **state)
{
    (void)state;
    assert_int_equal(lists_follow(&w, video.id), RC_OK);
    assert_non_null(strstr(content("360p-1/index.m3u8"), "2.m4s"));
    assert_non_null(strstr(content("720p-1/index.m3u8"), "2.m4s"));
    assert_non_null(strstr(content("player.m3u8"), "720p-1/index.m3u8"));
    assert_non_null(strstr(content("master.m3u8"), "360p-1/index.m3u8"));
    assert_null(strstr(content("master.m3u8"), "720p"));
}

static void files_that_say_so_already_stay(void **state)
{
    (void)state;
    assert_int_equal(lists_follow(&w, video.id), RC_OK);
    ino_t master = inode("master.m3u8"), media = inode("360p-1/index.m3u8");
    assert_int_equal(lists_follow(&w, video.id), RC_OK);
    assert_int_equal(inode("master.m3u8"), master);
    assert_int_equal(inode("360p-1/index.m3u8"), media);
    struct rendition other = picture("360p", 640, 360, false);
    other.bitrate = 800001; /* as many bytes */
    assert_int_equal(lists_write(&w, &video, &other, 1, false), RC_OK);
    assert_int_not_equal(inode("master.m3u8"), master);
    assert_int_equal(inode("360p-1/index.m3u8"), media);
    assert_non_null(strstr(content("master.m3u8"), "800001"));
}

static void without_a_plan_there_is_nothing_to_list(void **state)
{
    (void)state;
    struct video other = fixture_stored(f, "other");
    assert_int_equal(lists_follow(&w, other.id), RC_OK);
    assert_int_equal(store_video_delete(w.store, other.id, &other), RC_OK);
    assert_int_equal(lists_follow(&w, other.id), RC_NOT_FOUND);
}

/* Two workers end their renditions at once: each has looked before the other's was. */
static void an_encode_that_ends_lists_what_ended_just_before_it(void **state)
{
    (void)state;
    put_segments("360p-1");
    meanwhile("UPDATE renditions SET done = segments, average_bitrate = 700000"
              " WHERE name = '720p'");
    assert_int_equal(jobs_claim_encode(&w, video.id, "360p"), RC_OK);
    turn_until(no_task, "the encode to end");
    assert_non_null(strstr(content("master.m3u8"), "360p-1/index.m3u8"));
    assert_non_null(strstr(content("master.m3u8"), "AVERAGE-BANDWIDTH=700000"));
}

static enum rc fail_behind(void *arg, const struct video *v)
{
    (void)arg;
    fail_msg("the playlists of %s are behind", v->id);
    return RC_OK;
}

/* A worker has told the store of the end of a rendition, and died. */
static void what_was_told_but_not_written_is_swept_up(void **state)
{
    (void)state;
    struct job_result result = {.bitrate = 900000, .average_bitrate = 700000};
    struct job job;
    bool ready;
    assert_int_equal(lists_follow(&w, video.id), RC_OK);
    assert_int_equal(
        store_job_claim(w.store, "gone", 30000, STORE_KIND(JOB_LADDER), &job), RC_OK);
    assert_int_equal(store_job_done(w.store, &job, &result, &ready), RC_OK);
    assert_null(strstr(content("master.m3u8"), "720p"));
    sweep_leftovers(&w);
    assert_non_null(strstr(content("master.m3u8"), "720p-1/index.m3u8"));
    assert_non_null(strstr(content("player.m3u8"), "AVERAGE-BANDWIDTH=700000"));
    assert_int_equal(store_lists_each_behind(w.store, fail_behind, NULL), RC_OK);
}

static void lists_that_cannot_be_written_stay_behind(void **state)
{
    (void)state;
    struct job_result result = {.bitrate = 900000};
    struct job job;
    char path[PATH_MAX], name[3 * PATH_MAX];
    bool ready;
    snprintf(name, sizeof(name), "%s/player.m3u8", folder);
    at(path, name);
    assert_int_equal(mkdir(path, 0700), 0); /* in the way of it */
    assert_int_equal(
        store_job_claim(w.store, "gone", 30000, STORE_KIND(JOB_LADDER), &job), RC_OK);
    assert_int_equal(store_job_done(w.store, &job, &result, &ready), RC_OK);
    sweep_leftovers(&w);
    assert_int_equal(rmdir(path), 0);
    sweep_leftovers(&w);
    assert_non_null(strstr(content("player.m3u8"), "720p-1/index.m3u8"));
}

static void stage_with(struct syncer *syncer)
{
    lists_close(&w);
    staging_close(w.staging);
    w.syncer = syncer;
    assert_int_equal(staging_open(w.loop, syncer, w.tmp_fd, &w.staging), RC_OK);
}

static bool has_followed(void)
{
    struct lists_changes changes;
    assert_int_equal(store_lists_changes(w.store, video.id, &changes), RC_OK);
    return changes.followed == changes.n;
}

static void the_disk_is_waited_for_beside_the_loop(void **state)
{
    (void)state;
    struct job_result result = {.bitrate = 900000};
    struct syncer *syncer;
    struct job job;
    bool ready;
    assert_int_equal(syncer_open(w.loop, &syncer), RC_OK);
    stage_with(syncer);
    assert_int_equal(lists_follow(&w, video.id), RC_OK);
    assert_false(has_followed());
    turn_until(has_followed, "the first lists to have followed");
    assert_int_equal(
        store_job_claim(w.store, "gone", 30000, STORE_KIND(JOB_LADDER), &job), RC_OK);
    assert_int_equal(store_job_done(w.store, &job, &result, &ready), RC_OK);
    assert_int_equal(lists_follow(&w, video.id), RC_PENDING);
    assert_int_equal(lists_follow(&w, video.id), RC_PENDING); /* by somebody else */
    assert_null(strstr(content("master.m3u8"), "720p"));
    turn_until(has_followed, "the new lists to have followed");
    assert_non_null(strstr(content("master.m3u8"), "720p-1/index.m3u8"));
    assert_non_null(strstr(content("player.m3u8"), "900000"));
    assert_null(w.following);
    stage_with(NULL);
    syncer_close(syncer);
}

static int descriptors(void)
{
    int n = 0;
    DIR *d = opendir("/proc/self/fd");
    assert_non_null(d);
    while (readdir(d))
        n++;
    closedir(d);
    return n;
}

static bool have_all_followed(void)
{
    return !w.following;
}

static void however_many_follow_only_one_has_its_files_open(void **state)
{
    (void)state;
    struct syncer *syncer;
    int before;
    assert_int_equal(syncer_open(w.loop, &syncer), RC_OK);
    stage_with(syncer);
    for (int i = 0; i < 20; i++)
        plan();
    before = descriptors();
    pthread_mutex_lock(&disk);
    sweep_leftovers(&w);
    turn_for(20);
    assert_true(descriptors() - before <= PLAYLISTS_FDS);
    pthread_mutex_unlock(&disk);
    turn_until(have_all_followed, "all lists to have followed");
    assert_int_equal(store_lists_each_behind(w.store, fail_behind, NULL), RC_OK);
    assert_int_equal(descriptors(), before);
    stage_with(NULL);
    syncer_close(syncer);
}

static void a_folder_stays_as_long_as_a_list_names_it(void **state)
{
    (void)state;
    const struct rendition gone = picture("720p", 1280, 720, true);
    struct syncer *syncer;
    char name[3 * PATH_MAX];
    assert_int_equal(lists_follow(&w, video.id), RC_OK);
    snprintf(name, sizeof(name), "%s/720p-1/index.m3u8", folder);
    change("DELETE FROM renditions WHERE name = '720p'");
    assert_int_equal(syncer_open(w.loop, &syncer), RC_OK);
    stage_with(syncer);
    pthread_mutex_lock(&disk);
    lists_follow_without(&w, &video, &gone, 1);
    turn_for(20);
    assert_non_null(strstr(content("player.m3u8"), "720p"));
    assert_true(is_there(name));
    pthread_mutex_unlock(&disk);
    turn_until(have_all_followed, "the lists to be written");
    assert_null(strstr(content("player.m3u8"), "720p"));
    assert_false(is_there(name));
    stage_with(NULL);
    syncer_close(syncer);
}

static bool is_gone(const char *id)
{
    bool known = true;
    assert_int_equal(store_video_exists(w.store, id, &known), RC_OK);
    return !known;
}

static bool is_last_gone(void)
{
    return is_gone(video.id);
}

static void what_is_deleted_during_a_removal_goes_right_after_it(void **state)
{
    (void)state;
    struct syncer *syncer;
    struct video first = video, gone;
    assert_int_equal(store_video_delete(w.store, first.id, &gone), RC_OK);
    sweep_deleted(&w);
    assert_true(is_gone(first.id));
    assert_int_equal(syncer_open(w.loop, &syncer), RC_OK);
    stage_with(syncer);
    for (int i = 0; i < 2; i++) {
        plan();
        assert_int_equal(store_video_delete(w.store, video.id, &gone), RC_OK);
        if (i == 0)
            pthread_mutex_lock(&disk);
        sweep_deleted(&w);
        turn_for(20);
        assert_false(is_gone(video.id));
    }
    pthread_mutex_unlock(&disk);
    turn_until(is_last_gone, "both to be gone");
    sweep_close(&w);
    stage_with(NULL);
    syncer_close(syncer);
}

static void delete_now(void)
{
    struct video gone;
    assert_int_equal(store_video_delete(w.store, video.id, &gone), RC_OK);
    sweep_deleted(&w);
    assert_true(is_last_gone());
}

/* Its worker stood still before it made the folder. */
static void no_folder_comes_back_of_a_video_that_is_gone(void **state)
{
    (void)state;
    assert_false(has_followed());
    before_mkdir = delete_now;
    assert_int_equal(lists_follow(&w, video.id), RC_NOT_FOUND);
    assert_null(before_mkdir);
    assert_false(is_there(folder));
}

#define MANY 150 /* files: more than go in one turn of the loop */

static void delete_full(void)
{
    struct video gone;
    assert_int_equal(store_video_delete(w.store, video.id, &gone), RC_OK);
    put_empty_segments(&video, "360p-1", MANY);
}

static bool is_folder_gone(void)
{
    return !is_there(folder);
}

static void assert_goes_in_turns(void)
{
    assert_true(segments_left(&video, "360p-1", MANY) >= MANY - MEDIADIR_REMOVE_TURN);
    turn_until(is_folder_gone, "the folder to go");
}

static void what_is_taken_back_of_a_video_that_is_gone_goes_in_turns(void **state)
{
    (void)state;
    delete_full();
    lists_take_back(&w, &video);
    assert_goes_in_turns();
}

static void the_folder_of_one_that_went_meanwhile_goes_in_turns(void **state)
{
    (void)state;
    before_mkdir = delete_full;
    assert_int_equal(lists_follow(&w, video.id), RC_NOT_FOUND);
    assert_goes_in_turns();
}

int main(void)
{
#define TEST(test) cmocka_unit_test_setup_teardown(test, planned, teardown)
    const struct CMUnitTest tests[] = {
        TEST(what_the_store_says_is_listed),
        TEST(files_that_say_so_already_stay),
        TEST(without_a_plan_there_is_nothing_to_list),
        TEST(an_encode_that_ends_lists_what_ended_just_before_it),
        TEST(what_was_told_but_not_written_is_swept_up),
        TEST(lists_that_cannot_be_written_stay_behind),
        TEST(the_disk_is_waited_for_beside_the_loop),
        TEST(however_many_follow_only_one_has_its_files_open),
        TEST(a_folder_stays_as_long_as_a_list_names_it),
        TEST(what_is_deleted_during_a_removal_goes_right_after_it),
        TEST(no_folder_comes_back_of_a_video_that_is_gone),
        TEST(what_is_taken_back_of_a_video_that_is_gone_goes_in_turns),
        TEST(the_folder_of_one_that_went_meanwhile_goes_in_turns),
    };
    return cmocka_run_group_tests_name("video_lists", tests, NULL, NULL);
}
