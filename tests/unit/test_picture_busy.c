/* Somebody else writes to the database for as long as a worker waits for it where it
 * puts a picture in its place: the picture is made later, and that is no try. */
#include "picture_fixture.h"

#include "store_pictures.h"
#include "store_priv.h"
#include "storyboard.h"

#include <sys/syscall.h>

#define OLD "of before"

/* ---- who writes ---------------------------------------------------------------- */

static sqlite3 *writer; /* NULL: nobody does */
static int refused;     /* how often the worker has asked in vain */
static int syncs_left;  /* until somebody writes; 0: nobody is to */

/* SQLite asks whether the worker waits on: it gives up at once, and only then the other
 * one has written. */
static int let_go(void *arg, int times)
{
    (void)arg, (void)times;
    sqlite3_close(writer);
    writer = NULL;
    refused++;
    return 0;
}

static void write_on(void)
{
    assert_null(writer);
    assert_int_equal(sqlite3_open(f->path, &writer), SQLITE_OK);
    assert_int_equal(sqlite3_exec(writer, "BEGIN IMMEDIATE", NULL, NULL, NULL),
                     SQLITE_OK);
}

int fsync(int fd)
{
    if (syncs_left > 0 && --syncs_left == 0)
        write_on();
    return (int)syscall(SYS_fsync, fd);
}

/* ---- a picture ------------------------------------------------------------------- */

static bool has(const char *name)
{
    char path[PATH_MAX];
    in_media(path, &video, name);
    return access(path, F_OK) == 0;
}

/* Of the video. */
static int files(void)
{
    int fd;
    assert_int_equal(mediadir_open(&w.site, video.media_root, "", false, &fd), RC_OK);
    int n = files_in(fd);
    close(fd);
    return n;
}

static int planned(void **state)
{
    struct video_plan plan = fixture_plan(1);
    setup(state);
    store_planned(&plan);
    sqlite3_busy_handler(f->st->db, let_go, NULL);
    refused = syncs_left = 0;
    return 0;
}

/* Nothing but where the picture is put waits for the database. */
static void begin_alone(enum job_kind kind, const char *ffmpeg)
{
    begin_job(kind, ffmpeg);
    loop_timer_cancel(w.loop, &w.tasks->tick);
}

static void assert_made_later(void)
{
    turn_until(is_idle, "the job to end");
    assert_int_equal(refused, 1);
    assert_begins_later();
    turn_until(is_idle, "the job to end");
    assert_int_equal(refused, 1);
}

/* ---- posters --------------------------------------------------------------------- */

static void begin_poster(void)
{
    assert_int_equal(store_video_choose_poster(w.store, video.id, 1000000), RC_OK);
    begin_alone(JOB_POSTER, "#!/bin/sh\nprintf 'poster\\377\\331'\n");
    write_on();
}

static void a_poster_is_made_later(void **state)
{
    (void)state;
    begin_poster();
    turn_until(is_idle, "the job to end");
    assert_int_equal(files(), 0);
    assert_made_later();
    assert_true(has("poster.jpg"));
}

static void the_poster_of_before_stays_until_then(void **state)
{
    char path[PATH_MAX];
    (void)state;
    snprintf(path, sizeof(path), "htdocs/media/%s/poster.jpg", video.media_root);
    put_file(path, OLD, strlen(OLD), 0644);
    begin_poster();
    turn_until(is_idle, "the job to end");
    in_media(path, &video, "poster.jpg");
    assert_int_equal(mp4_file_size(path), strlen(OLD));
    assert_made_later();
    assert_int_not_equal(mp4_file_size(path), strlen(OLD));
}

/* ---- small pictures ----------------------------------------------------------------
 */

static void begin_small(const char *then)
{
    char script[2 * PATH_MAX];
    sheets_script(script, then);
    begin_alone(JOB_STORYBOARD, script);
}

static void begin_one_sheet(void)
{
    put_file("sheets", SHEETS, sizeof(SHEETS) - 1, 0600);
    begin_small("exit");
}

static void assert_all_there(void)
{
    char sheet[STORYBOARD_NAME_MAX + 1];
    struct job again = job;
    again.fence++;
    storyboard_sheet_name(&again, 0, sheet);
    assert_true(has(sheet));
    assert_true(has(STORYBOARD_FILE));
}

static void a_sheet_is_made_later(void **state)
{
    (void)state;
    begin_one_sheet();
    write_on();
    turn_until(is_idle, "the job to end");
    assert_int_equal(files(), 0);
    assert_made_later();
    assert_all_there();
}

/* One sheet, and a picture that is on the next one. */
static void put_more_than_a_sheet(void)
{
    static const char time[] = "\xA3\x85\x82\x00\x00\x80t";
    struct bytes b = {0};
    bytes_add(&b, SHEETS, sizeof(SHEETS) - 1);
    for (int i = 1; i <= STORYBOARD_SHEET; i++) {
        size_t at = b.n;
        bytes_add(&b, time, sizeof(time) - 1);
        b.p[at + 4] = (uint8_t)i; /* ms */
    }
    put_file("sheets", b.p, b.n, 0600);
    bytes_free(&b);
}

static void assert_all_made_later(void)
{
    char script[2 * PATH_MAX];
    assert_int_equal(files(), 0);
    sheets_script(script, "exit");
    put_file("ffmpeg", script, strlen(script), 0700);
    put_file("sheets", SHEETS, sizeof(SHEETS) - 1, 0600);
    assert_made_later();
    assert_all_there();
}

/* Those who make the others are ended. */
static void a_sheet_that_others_follow_is_made_later(void **state)
{
    (void)state;
    put_more_than_a_sheet();
    begin_small("exec sleep 1000");
    write_on();
    turn_until(is_idle, "the job to end");
    assert_all_made_later();
}

static bool reader_has_ended(void)
{
    char path[PATH_MAX];
    pid_t pid = 0;
    at(path, "reader");
    FILE *file = fopen(path, "re");
    if (!file)
        return false;
    int n = fscanf(file, "%d", &pid);
    fclose(file);
    return n == 1 && kill(pid, 0) < 0;
}

/* What is wrong with the video is told by the next try. */
static void a_sheet_of_what_was_not_read_well_is_made_later(void **state)
{
    char script[2 * PATH_MAX];
    (void)state;
    put_more_than_a_sheet();
    snprintf(
        script, sizeof(script),
        "#!/bin/sh\ncd %s\ncase \"$*\" in *tile=*) cat >/dev/null\n"
        "until [ -e go ]; do sleep 0.02; done; cat sheets; exec sleep 1000;; esac\n"
        "echo $$ >tmp.reader; mv tmp.reader reader; exit 3\n",
        w.site.root);
    begin_alone(JOB_STORYBOARD, script);
    turn_until(reader_has_ended, "the reader to end");
    write_on();
    put_file("go", "", 0, 0600);
    turn_until(is_idle, "the job to end");
    assert_all_made_later();
}

static void the_list_of_sheets_is_made_later(void **state)
{
    (void)state;
    begin_one_sheet();
    syncs_left = 1; /* of the sheet */
    turn_until(is_idle, "the job to end");
    assert_false(has(STORYBOARD_FILE));
    assert_made_later();
    assert_all_there();
    assert_int_equal(files(), 2);
}

static void it_is_told_later_that_there_are_any(void **state)
{
    struct video v;
    (void)state;
    begin_one_sheet();
    syncs_left = 3; /* the sheet, its folder, the list */
    turn_until(is_idle, "the job to end");
    assert_true(has(STORYBOARD_FILE));
    v = fixture_get(f, video.id);
    assert_false(v.has_storyboard);
    assert_made_later();
    v = fixture_get(f, video.id);
    assert_true(v.has_storyboard);
    assert_all_there();
}

int main(void)
{
#define TEST(test) cmocka_unit_test_setup_teardown(test, planned, teardown)
    const struct CMUnitTest tests[] = {
        TEST(a_poster_is_made_later),
        TEST(the_poster_of_before_stays_until_then),
        TEST(a_sheet_is_made_later),
        TEST(a_sheet_that_others_follow_is_made_later),
        TEST(a_sheet_of_what_was_not_read_well_is_made_later),
        TEST(the_list_of_sheets_is_made_later),
        TEST(it_is_told_later_that_there_are_any),
    };
    return cmocka_run_group_tests_name("picture_busy", tests, NULL, NULL);
}
