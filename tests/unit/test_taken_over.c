/* A worker stands still just before it puts a file in its place, for longer than its
 * lease lasts, and another one takes its job over: what that has written stays. Or the
 * video is gone by then: nothing of it is written. */
#include "picture_fixture.h"

#include "store_pictures.h"
#include "storyboard.h"

#include <sys/syscall.h>

#define OWN "by the first"
#define OTHERS "by the second"

/* ---- standing still ---------------------------------------------------------- */

static const char *still_before; /* how the name of a file begins; NULL: no more */
static char folder[KEY_LEN + 32];
static bool is_taken_over;

static void in_folder(char out[PATH_MAX], const char *name)
{
    char below[sizeof(folder) + 64];
    snprintf(below, sizeof(below), "%s/%s", folder, name);
    at(out, below);
}

static void put_others(const char *name)
{
    char below[sizeof(folder) + 64];
    snprintf(below, sizeof(below), "%s/%s", folder, name);
    put_file(below, OTHERS, strlen(OTHERS), 0644);
}

/* name: of a file that the other one writes; NULL: none. As far as it can: who writes
 * to the database keeps all others from it. */
static void take_over(const char *name)
{
    sqlite3 *db;
    assert_int_equal(sqlite3_open(f->path, &db), SQLITE_OK);
    int code = sqlite3_exec(db, "UPDATE jobs SET owner = 'other', fence = fence + 1",
                            NULL, NULL, NULL);
    assert_true(code == SQLITE_OK || code == SQLITE_BUSY);
    is_taken_over = code == SQLITE_OK;
    if (is_taken_over && name)
        put_others(name);
    sqlite3_close(db);
}

static void stand_still(const char *name)
{
    if (!still_before || strncmp(name, still_before, strlen(still_before)) != 0)
        return;
    take_over(still_before);
    still_before = NULL;
}

int renameat(int from_dir, const char *from, int to_dir, const char *to)
{
    stand_still(to);
    return (int)syscall(SYS_renameat2, from_dir, from, to_dir, to, 0);
}

int linkat(int from_dir, const char *from, int to_dir, const char *to, int flags)
{
    stand_still(to);
    return (int)syscall(SYS_linkat, from_dir, from, to_dir, to, flags);
}

static bool is_folder_late; /* its video is deleted, and gone, before it is made … */
static int folders_below;   /* … and what is made in it is counted */
static bool is_planned_by_another; /* before it is made */

/* Another worker takes the probe over and does all of it. */
static void plan_by_another(void)
{
    struct video_plan plan = fixture_plan(1);
    struct job others = w.tasks->job;
    is_planned_by_another = false;
    take_over(NULL);
    others.fence++;
    assert_int_equal(store_job_planned(w.store, &others, &plan), RC_OK);
    assert_int_equal(mediadir_create(&w.site, video.media_root), RC_OK);
    put_others("master.m3u8");
    folders_below = 0;
}

int mkdirat(int dir, const char *name, mode_t mode)
{
    struct video out;
    folders_below++;
    if (is_planned_by_another && strcmp(name, video.media_root) == 0)
        plan_by_another();
    if (is_folder_late && strcmp(name, video.media_root) == 0) {
        assert_int_equal(store_video_delete(w.store, video.id, &out), RC_OK);
        assert_int_equal(store_video_purge(w.store, video.id), RC_OK);
        is_folder_late = false;
        folders_below = 0;
    }
    return (int)syscall(SYS_mkdirat, dir, name, mode);
}

/* ---- the job ------------------------------------------------------------------ */

static int planned(void **state)
{
    struct video_plan plan = fixture_plan(1);
    setup(state);
    store_planned(&plan);
    snprintf(folder, sizeof(folder), "htdocs/media/%s", video.media_root);
    still_before = NULL;
    is_taken_over = false;
    return 0;
}

static bool has(const char *name)
{
    char path[PATH_MAX];
    in_folder(path, name);
    return access(path, F_OK) == 0;
}

static void assert_begins(const char *name, const char *text)
{
    char path[PATH_MAX], got[256];
    in_folder(path, name);
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    got[fread(got, 1, sizeof(got) - 1, file)] = '\0';
    fclose(file);
    got[strlen(text)] = '\0';
    assert_string_equal(got, text);
}

/* What the second one has written, or else what the first one has, as it still could.
 */
static void assert_holds_the_later(const char *name, const char *own)
{
    assert_null(still_before);
    assert_begins(name, is_taken_over ? OTHERS : own);
}

/* ---- pictures ------------------------------------------------------------------ */

static void make_small_pictures(void)
{
    char script[2 * PATH_MAX];
    put_file("sheets", SHEETS, sizeof(SHEETS) - 1, 0600);
    sheets_script(script, "exit");
    begin_job(JOB_STORYBOARD, script);
    turn_until(is_idle, "the small pictures to be made");
}

static void the_list_of_small_pictures_is_that_of_the_later_one(void **state)
{
    (void)state;
    put_others("storyboard.vtt"); /* of an earlier attempt */
    still_before = "storyboard.vtt";
    make_small_pictures();
    assert_holds_the_later("storyboard.vtt", "WEBVTT\n\n00:00:00.000 --> 00:00:12.400");
}

/* Nobody would take it away any more. */
static void no_sheet_comes_after_those_of_the_later_one(void **state)
{
    (void)state;
    char sheet[STORYBOARD_NAME_MAX + 1];
    still_before = STORYBOARD_PREFIX;
    make_small_pictures();
    assert_null(still_before);
    storyboard_sheet_name(&job, 0, sheet);
    assert_int_equal(has(sheet), !is_taken_over);
}

static void the_poster_is_that_of_the_later_one(void **state)
{
    (void)state;
    put_others("poster.jpg"); /* of an earlier attempt */
    assert_int_equal(store_video_choose_poster(w.store, video.id, 1000000), RC_OK);
    still_before = "poster.jpg";
    begin_job(JOB_POSTER, "#!/bin/sh\nprintf '" OWN "\\377\\331'\n");
    turn_until(is_idle, "the poster to be made");
    assert_holds_the_later("poster.jpg", OWN);
}

/* ---- a copy -------------------------------------------------------------------- */

/* A video that is there, and whose source is to be copied. */
static int with_source(void **state)
{
    struct video_plan plan = fixture_plan(1);
    struct rendition *copy = &plan.renditions[plan.n_renditions++];
    struct job probe;
    setup(state);
    if (!mp4_have_ffmpeg())
        return 0;
    upload("clip.mp4", 0);
    send_to(size);
    store();
    *copy = (struct rendition){.name = "source",
                               .kind = RENDITION_VIDEO,
                               .generation = 1,
                               .width = 160,
                               .height = 96,
                               .copied = true,
                               .extra = true};
    assert_int_equal(
        store_job_claim(w.store, w.owner, 30000, STORE_KIND(JOB_PROBE), &probe), RC_OK);
    assert_int_equal(store_job_planned(w.store, &probe, &plan), RC_OK);
    assert_int_equal(mediadir_create(&w.site, video.media_root), RC_OK);
    snprintf(folder, sizeof(folder), "htdocs/media/%s/source-1", video.media_root);
    is_taken_over = false;
    return 0;
}

/* It has looked at the source for longer than its lease lasts. */
static void the_playlist_of_a_copy_is_that_of_the_later_one(void **state)
{
    static const char ffmpeg[] =
        "#!/bin/sh\nwhile [ -e %s/deaf ]; do sleep 0.02; done\n"
        "exec ffmpeg \"$@\"\n";
    char script[2 * PATH_MAX], path[PATH_MAX];
    (void)state;
    if (!mp4_have_ffmpeg())
        skip();
    at(path, folder);
    assert_int_equal(mkdir(path, 0755), 0);
    put_file("deaf", "", 0, 0600);
    int n = snprintf(script, sizeof(script), ffmpeg, w.site.root);
    put_file("ffmpeg", script, (size_t)n, 0700);
    assert_int_equal(jobs_claim_encode(&w, video.id, "source"), RC_OK);
    assert_int_equal(w.tasks->job.kind, JOB_COPY);
    take_over("index.m3u8");
    assert_true(is_taken_over);
    at(path, "deaf");
    assert_int_equal(unlink(path), 0);
    turn_until(is_idle, "the copy to be given up");
    assert_begins("index.m3u8", OTHERS);
}

/* ---- a plan -------------------------------------------------------------------- */

static int uploaded(void **state)
{
    setup(state);
    if (!mp4_have_ffmpeg())
        return 0;
    mp4_ffmpeg("-f lavfi -i sine=d=12:r=48000 -i clip.mp4 -c:v copy -c:a aac -movflags"
               " +faststart sound.mp4");
    upload("sound.mp4", 0);
    send_to(size);
    store();
    snprintf(folder, sizeof(folder), "htdocs/media/%s", video.media_root);
    return 0;
}

static void probe(void)
{
    w.slots = 1;
    w.stopping = false;
    jobs_look(&w);
    w.stopping = true;
    assert_int_equal(w.tasks->job.kind, JOB_PROBE);
    turn_until(is_idle, "the probe to end");
}

/* Not even what the database says by then: who wrote that puts it there. */
static void nothing_is_put_beside_the_plan_of_the_later_one(void **state)
{
    (void)state;
    if (!mp4_have_ffmpeg())
        skip();
    is_planned_by_another = true;
    probe();
    assert_false(is_planned_by_another);
    assert_int_equal(folders_below, 0);
    assert_begins("master.m3u8", OTHERS);
}

/* So who is killed before it takes the folder away again leaves an empty one. */
static void nothing_is_put_in_a_folder_that_is_made_too_late(void **state)
{
    (void)state;
    if (!mp4_have_ffmpeg())
        skip();
    is_folder_late = true;
    probe();
    assert_false(is_folder_late);
    assert_int_equal(folders_below, 0);
    assert_false(is_there(folder));
}

int main(void)
{
#define TEST(test, before) cmocka_unit_test_setup_teardown(test, before, teardown)
    const struct CMUnitTest tests[] = {
        TEST(the_list_of_small_pictures_is_that_of_the_later_one, planned),
        TEST(no_sheet_comes_after_those_of_the_later_one, planned),
        TEST(the_poster_is_that_of_the_later_one, planned),
        TEST(the_playlist_of_a_copy_is_that_of_the_later_one, with_source),
        TEST(nothing_is_put_beside_the_plan_of_the_later_one, uploaded),
        TEST(nothing_is_put_in_a_folder_that_is_made_too_late, uploaded),
    };
    return cmocka_run_group_tests_name("taken_over", tests, make_clips,
                                       mp4_files_remove);
}
